package detect

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"meetguard"
)

// rule is one line of the table. check returns the evidence, one sentence an
// analyst can read aloud, or "" if the rule does not fire.
type rule struct {
	id        string
	weight    int
	technique string // MITRE ATT&CK
	check     func(*subject) string
}

// RuleInfo is what others may know of a rule.
type RuleInfo struct {
	ID        string   `json:"id"`
	Weight    int      `json:"weight"`
	Technique string   `json:"technique"`
	Families  []string `json:"families,omitempty"` // whose reports it was made from
}

// Rules lists the table. docs/detections.md has one section for each.
func Rules() []RuleInfo {
	var out []RuleInfo
	for _, r := range rules {
		out = append(out, RuleInfo{r.id, r.weight, r.technique, Families(families[r.id])})
	}
	return out
}

// Weights: from 70 a rule condemns alone, from 40 it makes suspicious alone;
// less is a reason beside others. They were set on the evaluation (make eval).
var rules = []rule{
	// a program that claims a brand and cannot prove it
	{"MG-BRAND-UNSIGNED", 75, "T1036.005", brandProof(unsigned, "%s calls itself %s software (%s), but nobody signed it.")},
	{"MG-BRAND-SIGNER", 75, "T1036.001", brandSigner},
	{"MG-BRAND-UNTRUSTED", 75, "T1553.002", brandProof(untrusted, "%s calls itself %s software (%s), but no known authority vouches for its signer.")},
	{"MG-BRAND-FORGED", 95, "T1553.002", brandForged},
	{"MG-BRAND-BROKEN", 90, "T1553.002", brandProof(broken, "%s calls itself %s software (%s), but its signature does not fit its content.")},
	{"MG-BRAND-SHORT-CERT", 20, "T1553.002", shortCert},
	{"MG-BRAND-NEVER-NATIVE", 75, "T1036.005", neverNative},
	{"MG-BRAND-RETIRED", 15, "T1036.005", retired},
	{"MG-BRAND-ICON", 30, "T1036.005", brandIcon},
	{"MG-BRAND-UNBOUND", 75, "T1036.001", unbound},
	{"MG-BRAND-FRESH-CERT", 20, "T1553.002", freshCert},

	// a signature that is not what it looks like
	{"MG-SIGNATURE-BROKEN", 60, "T1553.002", signatureBroken},
	{"MG-SIGNATURE-ABUSED", 90, "T1588.003", abused},
	{"MG-SIGNATURE-TEAM", 60, "T1553.002", falseTeam},
	{"MG-SIGNATURE-CODE-AFTER", 45, "T1553.002", codeAfter},
	{"MG-SIGNATURE-PUBLISHER", 50, "T1553.002", publisherDiffers},
	{"MG-SIGNATURE-TICKET", 30, "T1553.002", badTicket},
	{"MG-SIGNATURE-ODD", 25, "T1553.002", oddSignature},
	{"MG-SIGNATURE-UNCOVERED", 10, "T1027.009", uncovered},

	// names and origins
	{"MG-NAME-DOUBLE-EXT", 70, "T1036.007", doubleExtension},
	{"MG-NAME-PAPER", 45, "T1036.007", paperName},
	{"MG-NAME-BIDI", 80, "T1036.002", bidiName},
	{"MG-NAME-PADDED", 60, "T1036.007", paddedName},
	{"MG-TYPE-DISGUISED", 60, "T1036.008", disguised},
	{"MG-ORIGIN-LOOKALIKE", 50, "T1583.001", originLookalike},

	// what a script does, whatever its words
	{"MG-SCRIPT-PADDED", 70, "T1027.016", padded},
	{"MG-SCRIPT-PADDED-LINE", 40, "T1027.016", paddedLine},
	{"MG-SCRIPT-SPELLED", 70, "T1027.010", spelled},
	{"MG-SCRIPT-LAYERS", 50, "T1140", layers},
	{"MG-SCRIPT-APPLE-CRADLE", 60, "T1059.002", appleCradle},
	{"MG-SCRIPT-WSH-CRADLE", 50, "T1059.005", wshCradle},
	{"MG-SCRIPT-CRADLE", 15, "T1105", plainCradle},
	{"MG-SCRIPT-CLICK-CRADLE", 40, "T1204.002", clickCradle},
	{"MG-SCRIPT-STRANGE-CRADLE", 40, "T1105", strangeCradle},
	{"MG-SCRIPT-CLICK-DECODED", 30, "T1140", clickDecoded},
	{"MG-SCRIPT-GATE-OFF", 40, "T1553.001", gateOff},
	{"MG-SCRIPT-FREE-HOST", 15, "T1102", freeHost},
	{"MG-SCRIPT-BRAND-CRADLE", 65, "T1204.002", brandCradle},
	{"MG-SCRIPT-BRAND-DROP", 20, "T1204.002", brandDrop},
	{"MG-SCRIPT-BRAND-SCPT", 45, "T1204.002", brandAppleScript},
	{"MG-SCRIPT-PRETEXT", 30, "T1204.002", pretext},
	{"MG-SCRIPT-PRESS-RUN", 40, "T1204.002", pressRun},
	{"MG-SCRIPT-LOOKALIKE", 60, "T1583.001", scriptLookalike},
	{"MG-SCRIPT-RAW-IP", 25, "T1105", rawIP},
	{"MG-SCRIPT-INSECURE", 15, "T1105", insecure},
	{"MG-SCRIPT-HIDDEN", 20, "T1564.003", hidden},
	{"MG-SCRIPT-TEMP-EXEC", 15, "T1105", tempExec},
	{"MG-SCRIPT-RUN-RESULT", 30, "T1059.002", runResult},
	{"MG-SCRIPT-DECOY", 25, "T1036", decoy},
	{"MG-SCRIPT-DEQUARANTINE", 30, "T1553.001", dequarantine},
	{"MG-SCRIPT-PASSWORD", 40, "T1056.002", password},
	{"MG-SCRIPT-DEFENDER", 50, "T1562.001", defender},
	{"MG-SCRIPT-THEFT", 50, "T1005", thefts},
	{"MG-SCRIPT-THEFT-MANY", 40, "T1005", theftMany},
	{"MG-SCRIPT-PACKED-AWAY", 45, "T1560.001", packedAway},
	{"MG-SCRIPT-PERSIST-FAKE", 40, "T1543", persistFake},
	{"MG-SCRIPT-ODD-AGENT", 20, "T1071.001", oddAgent},
	{"MG-SCRIPT-ENCODED", 25, "T1027.010", encoded},
	{"MG-SCRIPT-COMPUTED", 45, "T1027.010", computed},
	{"MG-SCRIPT-DECODED", 15, "T1140", decoded},
	{"MG-SCRIPT-DISGUISED", 45, "T1027.010", disguisedCommand},
	{"MG-SCRIPT-REMOTE-INSTALL", 15, "T1218.007", remoteInstall},
	{"MG-PAGE-PASTE", 60, "T1204.004", pagePaste},
	{"MG-PAGE-SMUGGLES", 50, "T1027.006", pageSmuggles},
	{"MG-PAGE-SEARCH", 60, "T1204.002", pageSearch},
	{"MG-LINK-LOOKALIKE", 60, "T1566.002", linkLookalike},
	{"MG-LINK-BRAND-SHELL", 45, "T1204.002", linkBrandShell},
	{"MG-LINK-FETCH", 45, "T1204.002", linkFetch},

	// what else a person opens (vehicle.go, page_more.go)
	{"MG-VEHICLE-CRADLE", 45, "T1204.002", vehicleCradle},
	{"MG-VEHICLE-COMMAND", 30, "T1204.002", vehicleCommand},
	{"MG-VEHICLE-REMOTE", 45, "T1105", vehicleRemote},
	{"MG-VEHICLE-DEPLOY", 50, "T1204.002", vehicleDeploy},
	{"MG-VEHICLE-PROFILE", 45, "T1553.004", vehicleProfile},
	{"MG-VEHICLE-DESKTOP", 45, "T1219", vehicleDesktop},
	{"MG-VEHICLE-SENDS", 50, "T1539", vehicleSends},
	{"MG-PACKAGE-CRADLE", 45, "T1546.016", packageCradle},
	{"MG-TEXT-INSTRUCTS", 45, "T1204.004", textInstructs},
	{"MG-MAIL-MISLEADS", 45, "T1566.002", mailMisleads},
	{"MG-PAGE-CONSOLE", 50, "T1204.004", pageConsole},
	{"MG-PAGE-OPENS", 50, "T1204.001", pageOpens},
	{"MG-PAGE-DROPS", 45, "T1204.002", pageDrops},
	{"MG-PAGE-LOGIN", 45, "T1056.003", pageLogin},
	{"MG-PAGE-CODE", 45, "T1528", pageCode},
	{"MG-PAGE-WALLET", 45, "T1657", pageWallet},

	// the test lure (testlure.go)
	{RuleTest, 40, "T1204.002", testLure},

	// launches
	{"MG-PROC-SCRIPT-EDITOR", 45, "T1059.002", scriptEditor},
	{"MG-PROC-RUN-BOX", 60, "T1204.004", runBox},
	{"MG-PROC-PASTED", 45, "T1204.004", pasted},
	{"MG-PROC-HOST-CHILD", 45, "T1059.005", hostChild},
	{"MG-PROC-DOOR-HOST", 45, "T1204.002", doorHost},
	{"MG-PROC-LOLBIN", 45, "T1218", remoteHost},
	{"MG-PROC-ROOT", 20, "T1204.002", lureRoot},
	{"MG-PROC-SHAPE", 45, "T1059", shape},
	{"MG-PROC-FETCHED-RUN", 15, "T1105", fetchedRun},
	{"MG-PROC-FETCH-ADDRESS", 30, "T1105", fetchAddress},
	{"MG-PROC-FETCH-LOOKALIKE", 60, "T1583.001", fetchLookalike},
	{"MG-PROC-FETCH-BRAND", 45, "T1204.002", fetchBrand},
	{"MG-PROC-FETCH-DROP", 45, "T1105", fetchDrop},
	{"MG-PROC-FETCH-HIDDEN", 30, "T1564.003", fetchHidden},
	{"MG-PROC-DECODED-PIPE", 45, "T1140", decodedPipe},
	{"MG-PROC-DEQUARANTINE", 30, "T1553.001", unmarked},
	{"MG-PROC-PASSWORD-CHECK", 45, "T1056.002", passwordCheck},
	{"MG-PROC-PASSWORD-ASK", 25, "T1056.002", passwordAsk},
	{"MG-PROC-SECRET", 30, "T1005", secretTaken},
	{"MG-PROC-SECRET-MANY", 30, "T1005", secretMany},
	{"MG-PROC-SECRET-PACKED", 20, "T1560.001", secretPacked},
	{"MG-PROC-SECRET-SENT", 50, "T1041", secretSent},
	{"MG-PROC-SYSTEM-NAME", 60, "T1036.005", systemPart},
	{"MG-PROC-BRAND-CHILD", 45, "T1036.005", brandChild},
	{"MG-PROC-PERSIST", 30, "T1547", persisted},
	{"MG-PROC-TEMP-AGENT", 45, "T1547", tempAgent},
	{"MG-PROC-TEMP-UPLOAD", 20, "T1041", tempUpload},
	{"MG-PROC-BRAND-TEMP", 25, "T1036.005", brandTemp},
	{"MG-PROC-BLIND", 35, "T1562.001", blinds},
	{"MG-PROC-ENCODED", 30, "T1027.010", encodedRun},
	{"MG-PROC-LOADER", 45, "T1218.011", loaderPlace},
	{"MG-PROC-BRAND-LOADER", 45, "T1036.005", blindLoader},
	{"MG-PROC-INLINE", 60, "T1059", inlineCode},
	{"MG-PROC-PORTABLE", 45, "T1059", portable},
	{"MG-PROC-HIDDEN-FILE", 45, "T1564.001", hiddenFile},
	{"MG-PROC-TRUST", 45, "T1553.004", trusts},
	{"MG-PROC-REPLACED", 45, "T1554", replaced},
	{"MG-PROC-REPORTED", 45, "T1041", reported},
	{"MG-PROC-DESKTOP-FETCH", 45, "T1204.002", desktopFetch},
	{"MG-PROC-DROPPED", 45, "T1204.002", dropped},
	{"MG-PROC-HIDDEN-TASK", 45, "T1053.005", hiddenTask},
	{"MG-PROC-STORE-CHILD", 45, "T1059.001", storeChild},
	{"MG-PROC-BRAND-ORIGIN", 45, "T1036.005", brandOrigin},
	{"MG-PROC-WEIGHED", 45, "T1204", weighed},
	{"MG-PROC-LANDED", 10, "T1204.002", landedRun},
}

func neverNative(s *subject) string {
	if s.claim == nil || !s.claim.brand.NeverNative || s.proof == proven || !(s.isProgram() || s.isPackage()) {
		return ""
	}
	for _, c := range s.Claims { // Chrome's own shims of web apps
		if c.Source == meetguard.ClaimBundleID && strings.HasPrefix(c.Text, "com.google.Chrome.app.") {
			return ""
		}
	}
	return fmt.Sprintf("%s offers itself as an installer or app of %s, which has none: it runs in the browser.", s.shownName(), s.claim.brand.Name)
}

func retired(s *subject) string {
	if s.claim == nil || s.claim.brand.RetiredOn == "" || s.proof == proven || !(s.isProgram() || s.isPackage()) {
		return ""
	}
	return fmt.Sprintf("%s was retired on %s: there are no new installers.", s.claim.brand.Name, s.claim.brand.RetiredOn)
}

var (
	documentExt = set(`.pdf .doc .docx .xls .xlsx .ppt .pptx .key .pages .numbers .rtf .txt .heic .webp .webm .m4a .wav .eml .ics .png .jpg .jpeg .gif .mp4 .mov .mp3 .csv .odt`)
	// opened by a double click and run; .js, .py and .sh are left out: "index.txt.js" is ordinary
	runExt = set(`.exe .scr .com .pif .bat .cmd .vbs .vbe .jse .wsf .hta .ps1 .lnk .scpt .scptd .applescript .command .app .msi .msix .jar .pkg .dmg`)
)

func doubleExtension(s *subject) string {
	stem := strings.TrimRight(strings.TrimSuffix(strings.ToLower(s.name), s.ext), " \u00a0\u2003\u2800")
	dot := strings.LastIndexByte(stem, '.')
	if dot < 1 || !runExt[s.ext] || !documentExt[stem[dot:]] {
		return ""
	}
	if s.Format == meetguard.FormatOther && s.Script == nil {
		return ""
	}
	return fmt.Sprintf("Its name %s ends like a document and then like a program.", quoted(s.name))
}

func bidiName(s *subject) string {
	if !hasBidiOverride(s.name) || !s.opens() {
		return ""
	}
	return "Its name holds a character that turns the reading direction, which hides what kind of file it is."
}

func paddedName(s *subject) string {
	stem := strings.TrimSuffix(s.name, path.Ext(s.name)) // s.ext may be longer: lower case changes the length of some letters
	if !s.opens() || len(stem)-len(strings.TrimRight(stem, " \u00a0\u2003\u2800\t")) < 8 {
		return ""
	}
	return "Blanks in its name push the extension out of sight."
}

func disguised(s *subject) string {
	if !documentExt[s.ext] || !(s.isProgram() || s.Format == meetguard.FormatELF || s.Format == meetguard.FormatAppleScript) {
		return ""
	}
	return fmt.Sprintf("Its name %s is that of a document, but it is a program (%s).", quoted(s.name), s.Format)
}

func originLookalike(s *subject) string {
	if !s.opens() && s.Format != meetguard.FormatZip && s.Format != meetguard.FormatHTML && s.Format != meetguard.Format7z && s.Format != meetguard.FormatRar {
		return ""
	}
	for _, h := range []string{s.Origin.Host, s.Origin.ReferrerHost} {
		if h == "" {
			continue
		}
		if v := s.judge.Host(h); v.Level != meetguard.Clean {
			return "It was downloaded from a lookalike: " + v.Evidence
		}
	}
	return ""
}

func padded(s *subject) string {
	c := s.code
	if c == nil || !c.CodeAfter {
		return ""
	}
	if c.isAppleScript() && c.BlankRun >= 20 || c.BlankRun >= 40 && (c.interpreted() || c.Layers > 0) {
		return fmt.Sprintf("%d lines without code push what the script really does out of sight.", c.BlankRun)
	}
	return ""
}

func paddedLine(s *subject) string {
	if !s.trait("padded-line") {
		return ""
	}
	if _, ok := s.code.cradle(); !ok && !s.code.isAppleScript() {
		return ""
	}
	return "A long run of blanks pushes a command out of sight within its line."
}

func spelled(s *subject) string {
	c := s.code
	if c == nil || c.Concat < 8 {
		return ""
	}
	if !c.isAppleScript() && (c.Concat < 12 || !c.interpreted()) {
		return ""
	}
	return fmt.Sprintf("It spells its commands out of %d joined pieces of up to three letters, so that nobody can read or search them.", c.Concat)
}

func layers(s *subject) string {
	c := s.code
	if c == nil || c.settled() || c.Steps > errand && c.strange.Tool == "" && c.traits["checks-download"] || c.Layers == 0 || len(c.Fetches) == 0 && c.theftCount == 0 && !c.traits["password-prompt"] {
		return ""
	}
	return fmt.Sprintf("It unpacks %s of encoded commands that fetch or take something and runs them.", count(c.Layers, "layer"))
}

func appleCradle(s *subject) string {
	f, ok := s.code.cradle()
	if !ok || !s.code.isAppleScript() || !s.code.outside || s.code.ordinary() {
		return ""
	}
	return fmt.Sprintf("An AppleScript fetches something with %s%s and has it run by %s.", clip(f.Tool), from(f), clip(f.RunBy))
}

func wshCradle(s *subject) string {
	f, ok := s.code.cradle()
	if !ok || !s.code.isWSH() || s.code.ordinary() {
		return ""
	}
	return fmt.Sprintf("A %s script fetches something with %s%s and runs it.", s.Script.Language, clip(f.Tool), from(f))
}

func plainCradle(s *subject) string {
	f, ok := s.code.cradle()
	if !ok || !s.code.interpreted() {
		return ""
	}
	return fmt.Sprintf("It fetches something with %s%s and has it run (%s).", clip(f.Tool), from(f), clip(f.RunBy))
}

// brandCradle: the brand's real software never updates itself by a script that
// fetches code from somewhere else and runs it.
func brandCradle(s *subject) string {
	if s.claim == nil || s.proof == proven || !s.code.interpreted() {
		return ""
	}
	f, _ := s.code.cradle()
	if _, n := s.code.trouble(); n == 0 && (programRun[f.RunBy] || s.judge.source(f) == sourceKnown || s.judge.source(f) == sourceInside || s.isRecipe()) {
		return ""
	}
	if s.claim.source.Source == meetguard.ClaimBanner && s.code.Steps > grown && s.code.settled() {
		return "" // a long program's history speaks of everything that it deals with
	}
	return fmt.Sprintf("It presents itself as help from %s (%s) and runs what it fetches%s, which is not %s's host.", s.claim.brand.Name, s.claim.shown(), from(f), s.claim.brand.Name)
}

// isRecipe holds for one of the many scripts of a collection, each named after
// what it installs and nothing else ("jitsi-meet.sh"), whose parts lie beside it
// on a forge. A lure says that it is an update, or is opened by a click.
func (s *subject) isRecipe() bool {
	if s.claim.source.Source != meetguard.ClaimFileName || s.isClicked() || !s.code.published() || len(s.code.Pretexts) > 0 {
		return false
	}
	return !slices.ContainsFunc(words(s.claim.source.Text), speaksOfIntent)
}

// programRun: what was fetched is run as a program, not as code. Administrators
// do that from their own servers.
var programRun = map[string]bool{"direct": true, "unzip-run": true, "installer": true, "execute": true}

// brandDrop is what is left of brandCradle where nothing speaks of trouble.
func brandDrop(s *subject) string {
	if s.claim == nil || s.proof == proven || !s.code.interpreted() || brandCradle(s) != "" {
		return ""
	}
	f, _ := s.code.cradle()
	return fmt.Sprintf("It installs %s from somewhere else%s.", s.claim.brand.Name, from(f))
}

func brandAppleScript(s *subject) string {
	if s.claim == nil || !s.code.isAppleScript() || len(s.code.Pretexts) == 0 || !s.trait("run-script-of-result", "dynamic-eval") && !s.code.reaches {
		return ""
	}
	return fmt.Sprintf("It is an AppleScript that speaks for %s (%s) and runs commands: %s never updates or repairs itself that way.", s.claim.brand.Name, s.claim.shown(), s.claim.brand.Name)
}

func pretext(s *subject) string {
	if s.code == nil || !s.code.interpreted() && !s.code.remoteInstall() || s.code.settled() {
		return ""
	}
	if word, n := s.code.trouble(); n >= 2 || n == 1 && s.code.traits["temp-exec"] {
		return fmt.Sprintf("It speaks to its reader of meeting trouble (%s) and runs what it fetches from elsewhere.", word)
	}
	return ""
}

func pressRun(s *subject) string {
	if s.code == nil || !(s.code.pretexts["press-run"] || s.code.pretexts["paste-terminal"]) {
		return ""
	}
	if !s.code.interpreted() && !(s.code.isAppleScript() && (len(s.code.Fetches) > 0 || s.code.Concat >= 8 || s.trait("run-script-of-result"))) {
		return ""
	}
	return "It tells its reader to run it by hand, as fake updates do and real ones never."
}

func scriptLookalike(s *subject) string {
	if s.code == nil || s.code.lookalike.Host == "" || len(s.code.Fetches) == 0 && !s.code.isAppleScript() {
		return ""
	}
	return "It speaks to a lookalike: " + s.code.lookalike.Evidence
}

func rawIP(s *subject) string {
	if s.code == nil || s.code.rawIP == "" || !s.code.interpreted() {
		return ""
	}
	return fmt.Sprintf("It runs what it fetches from a bare address (%s).", clip(s.code.rawIP))
}

func insecure(s *subject) string {
	if f, ok := s.code.cradle(); ok && f.Insecure && s.code.interpreted() && !(s.run != nil && s.code.published()) {
		return "It switches off the check of the server that it fetches from."
	}
	return ""
}

func hidden(s *subject) string {
	f, ok := s.code.cradle()
	if !ok || !s.code.interpreted() || s.code.settled() || !f.Hidden && !s.code.traits["hidden-window"] {
		return ""
	}
	return "It runs what it fetches hidden, in the background."
}

func tempExec(s *subject) string {
	if s.code == nil || !s.code.interpreted() || s.code.settled() || !s.trait("temp-exec", "extract-and-run") {
		return ""
	}
	return "It puts what it fetches into a temporary folder and runs it there."
}

func runResult(s *subject) string {
	if !s.code.isAppleScript() || !s.trait("run-script-of-result") {
		return ""
	}
	return "It runs text that it gets from elsewhere as a script of its own."
}

func decoy(s *subject) string {
	if s.code == nil || !s.code.interpreted() || s.code.settled() || !s.trait("decoy-url", "decoy-softwareupdate", "progress-theatre") {
		return ""
	}
	return "It shows its reader something harmless while it runs what it fetched."
}

func dequarantine(s *subject) string {
	if s.code == nil || s.code.ordinary() || s.freesApp() || !s.trait("dequarantine", "resign") || len(s.code.Fetches) == 0 && !s.trait("password-prompt", "temp-exec") {
		return ""
	}
	return "It takes the download mark or the signature check away from what it brings."
}

func password(s *subject) string {
	if s.code == nil || !s.trait("password-prompt") || s.code.Language == "python" {
		return ""
	}
	takes := s.code.theftCount > 0 || s.trait("upload", "telegram-bot")
	if !s.code.interpreted() && !(s.code.isAppleScript() && takes) && s.code.theftCount < 2 {
		return ""
	}
	return "It asks for the password in a window of its own and fetches or takes something."
}

func defender(s *subject) string {
	if s.code == nil || !s.trait("defender-exclusion", "kill-security") || len(s.code.run) == 0 || s.code.settled() || s.code.Language == "python" {
		return ""
	}
	return "It keeps the virus scanner from looking at what it fetches."
}

func thefts(s *subject) string {
	if s.code == nil || s.code.theftCount == 0 || !s.trait("upload", "telegram-bot") || s.run != nil && fetchers[s.run.name] && !s.run.does(meetguard.DeedSecret) {
		return "" // a command that names a wallet's installer sends no wallet
	}
	return "It reads private data (" + strings.Join(s.have(theft), ", ") + ") and sends it away."
}

func theftMany(s *subject) string {
	if s.code == nil || s.code.theftCount < 2 || !s.trait("upload", "telegram-bot", "password-prompt") {
		return ""
	}
	return "It gathers private data of several kinds (" + strings.Join(s.have(theft), ", ") + ")."
}

func (s *subject) have(names []string) []string {
	var out []string
	for _, n := range names {
		if s.code.traits[n] {
			out = append(out, n)
		}
	}
	return out
}

func persistFake(s *subject) string {
	if s.code == nil || !s.code.traits["persistence"] || !s.code.traits["fake-platform-name"] || len(s.code.Fetches) == 0 {
		return ""
	}
	return "It installs what it fetches to start by itself under the name of the platform's or a brand's own service."
}

func oddAgent(s *subject) string {
	if !s.trait("odd-user-agent") {
		return ""
	}
	return "It fetches with an invented name of the client, as staged campaigns do to tell their steps apart."
}

func encoded(s *subject) string {
	if s.code == nil || !s.trait("encoded-command") || !slices.ContainsFunc(s.code.Fetches, func(f meetguard.Fetch) bool { return s.judge.source(f) != sourceKnown }) {
		return ""
	}
	return "It passes an encoded command that fetches something."
}

// computed: text that is only put together at run time, by steps that cannot be
// followed, is run as a command.
func computed(s *subject) string {
	if !s.code.isAppleScript() || !s.trait("runs-computed-text") {
		return ""
	}
	return "It runs a command that it first decodes from text that nobody can read."
}

func decoded(s *subject) string {
	if !s.trait("decoded-then-run") {
		return ""
	}
	return "It decodes hidden text and has it run."
}

// disguisedCommand: the program that fetches or runs is named nowhere in the
// text, so that a reader or a search does not find it.
func disguisedCommand(s *subject) string {
	if !s.trait("disguised-command") || !s.code.interpreted() {
		return ""
	}
	f, _ := s.code.cradle()
	return fmt.Sprintf("It runs what it fetches%s and keeps the names of the programs that do so out of its text.", from(f))
}

// remoteInstall: Windows Installer is given an address by a script that speaks
// of meeting trouble. Administrators give it a file, and speak of none.
func remoteInstall(s *subject) string {
	if s.code == nil || !s.code.remoteInstall() || pretext(s) == "" {
		return ""
	}
	f, _ := s.code.cradle()
	return fmt.Sprintf("It has Windows install a package straight%s.", from(f))
}

// pagePaste: a page that has its reader run a command which it does not show.
func pagePaste(s *subject) string {
	if !s.trait("page-copies-command") || !s.code.interpreted() && !s.code.remoteInstall() {
		return ""
	}
	f, _ := s.code.cradle()
	return fmt.Sprintf("It copies a command that it does not show, tells its reader to paste and run it, and the command runs what it fetches%s.", from(f))
}

func pageSmuggles(s *subject) string {
	if !s.trait("smuggles-program") {
		return ""
	}
	return "The page holds a program in its own text and hands it out as a download, past every filter of downloads."
}

func pageSearch(s *subject) string {
	if !s.trait("remote-search") {
		return ""
	}
	return "The page shows a folder of a foreign machine as if it were a search on this one."
}

// linkLookalike: a shortcut or an invitation that leads to a lookalike.
func linkLookalike(s *subject) string {
	if s.code == nil || !s.isLink() || s.code.lookalike.Host == "" {
		return ""
	}
	return "It leads to a lookalike: " + s.code.lookalike.Evidence
}

// brandIcon: a program with a name of its own under a brand's logo, that the
// brand did not sign. Honest add-ons do that, so it only adds to other reasons.
func brandIcon(s *subject) string {
	if !s.isProgram() || s.claim != nil {
		return ""
	}
	for _, b := range s.judge.brands {
		if _, ok := b.icon(s.Claims); !ok {
			continue
		}
		switch b.proof(s.Signature) {
		case proven, proofUnknown:
			return ""
		}
		return fmt.Sprintf("Its icon is the logo of %s, who did not sign it.", b.Name)
	}
	return ""
}

// scriptHosts are what a shortcut to meeting software never opens.
var scriptHosts = set(`powershell.exe pwsh.exe cmd.exe mshta.exe wscript.exe cscript.exe rundll32.exe regsvr32.exe osascript`)

// linkBrandShell: a shortcut that shows a brand's name or icon and starts a
// script host.
func linkBrandShell(s *subject) string {
	if s.Format != meetguard.FormatShortcut || s.claim == nil {
		return ""
	}
	for _, c := range s.Claims {
		if c.Source == meetguard.ClaimTarget && scriptHosts[strings.ToLower(c.Text)] {
			return fmt.Sprintf("It presents itself as a shortcut to %s (%s), but it starts %s.", s.claim.brand.Name, s.claim.shown(), quoted(c.Text))
		}
	}
	return ""
}

// linkFetchers are programs of Windows that fetch when a shortcut starts them.
var linkFetchers = set(`certutil.exe bitsadmin.exe mshta.exe regsvr32.exe rundll32.exe msiexec.exe curl.exe cmd.exe powershell.exe pwsh.exe conhost.exe wscript.exe cscript.exe forfiles.exe wmic.exe explorer.exe ftp.exe ssh.exe`)

// linkFetch: a Windows shortcut that fetches something from outside, run or
// not: shortcuts open what is there already.
func linkFetch(s *subject) string {
	if s.Format != meetguard.FormatShortcut || s.code == nil || s.ext != ".lnk" || len(s.code.Fetches) == 0 {
		return ""
	}
	f := s.code.Fetches[0]
	if f.Host != "" && s.judge.official(f.Host) {
		return ""
	}
	for _, c := range s.Claims {
		if c.Source == meetguard.ClaimTarget && linkFetchers[strings.ToLower(c.Text)] {
			return fmt.Sprintf("It is a shortcut that has %s fetch something%s.", quoted(c.Text), from(f))
		}
	}
	return ""
}

// shown is a claim for evidence: what was read, and where.
func (c *claim) shown() string {
	switch c.source.Source {
	case meetguard.ClaimBanner:
		return "in its text"
	case meetguard.ClaimIcon:
		return "its icon is the logo"
	}
	return c.source.Source + " " + quoted(c.source.Text)
}

func (s *subject) shownName() string {
	if s.claim != nil && s.claim.source.Source == meetguard.ClaimFileName || s.name == "" {
		return "It"
	}
	return quoted(s.name)
}

func from(f meetguard.Fetch) string {
	if f.Host == "" {
		return " from a hidden address"
	}
	return " from " + clip(f.Host)
}

func count(n int, thing string) string {
	if n == 1 {
		return "one " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// quoted shows text of the file itself: short, on one line, nothing invisible.
func quoted(s string) string {
	rs := []rune(s)
	if len(rs) > 80 {
		s = string(rs[:80]) + "…"
	}
	return "“" + printable(s) + "”"
}

// printable escapes what a terminal or a log must not be given.
func printable(s string) string {
	clean := true
	for _, r := range s {
		if !strconv.IsPrint(r) && r != ' ' {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}
