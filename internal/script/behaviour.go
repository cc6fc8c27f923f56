package script

import (
	"net/netip"
	"slices"
	"strings"

	"meetguard"
)

// judgePage states what the padding of the page says.
func (a *analysis) judgePage(p page, s *meetguard.Script) {
	last := a.lastCode()
	s.BlankRun, s.CodeAfter = longestRun(p.runs, last)
	if p.gap {
		a.traits[TraitPaddedLine] = true
	}
	if p.leading >= leadingBlank {
		a.traits[TraitLeadingPadding] = true
	}
	for _, r := range p.flood {
		if r.end <= last {
			a.traits[TraitCommentFlood] = true
		}
	}
}

// lastCode is the offset of the last statement of the page that executes
// something.
func (a *analysis) lastCode() int {
	for i := len(a.stmts) - 1; i >= 0; i-- {
		if a.executes(&a.stmts[i]) {
			return a.stmts[i].pos
		}
	}
	return -1
}

// executes tells whether a statement does something that can do harm: in
// AppleScript most statements only move windows and text about.
func (a *analysis) executes(s *stmt) bool {
	switch s.lang {
	case "data":
		return false
	case langAppleScript:
		return a.rules.word(&s.hits, "do shell script") || a.rules.word(&s.hits, "run script") || a.rules.word(&s.hits, "load script") || a.rules.word(&s.hits, "open location")
	}
	if len(s.words) == 0 {
		return s.assign != ""
	}
	switch strings.ToLower(s.words[0]) {
	case "exit", "fi", "done", "end", "esac", "}", "endlocal", "pause", ":":
		return false
	}
	return true
}

// finish derives everything that needs all statements.
func (a *analysis) finish(text string, s *meetguard.Script) {
	if a.feedsExecution() {
		a.openBlobs()
	}
	found := a.fetches()
	for i := range a.stmts {
		st := &a.stmts[i]
		a.ruleTraits(i)
		a.commandTraits(st)
	}
	a.fetchTraits(found)
	if a.traits[TraitKillSecurity] && a.replacesVendor(found) {
		delete(a.traits, TraitKillSecurity)
	}
	if a.disguised(found) {
		a.traits[TraitDisguised] = true
	}
	s.Tail = a.tail(text)
	hosts := hostsIn(s.Tail)
	for h := range hosts {
		if isPublicIP(h) {
			a.traits[TraitRawIPHost] = true
		}
	}
	a.wholeTraits(found)
	found = append(found, a.remote...)
	if len(found) < maxFetches {
		found = append(found, a.latent(s.Tail, found)...)
	}
	s.Fetches = plainFetches(found)
	s.Hosts = sortedKeys(hosts)
	s.Traits = sortedKeys(a.traits)
	s.Steps = a.deeds()
	s.Concat, s.Layers = a.concat, a.opened
	s.Pretexts = a.user.pretexts(s.Language, s.Steps)
}

// feedsExecution tells whether anything in the script executes text: only then
// is an encoded literal a layer and not an icon.
func (a *analysis) feedsExecution() bool {
	if len(a.blobs) == 0 {
		return false
	}
	for i := range a.stmts {
		s := &a.stmts[i]
		for _, w := range []string{"<iex>", "invoke-expression", "run script", "<exec>", "<eval>", "<execute>", "executeglobal", "do shell script", "start-process", ".run>", "shellexecute", "<popen>", "subprocess.", "os.system", ".exec>", "doshellscript", "<spawn>", "<function('", "<function(\""} {
			if a.rules.word(&s.hits, w) {
				return true
			}
		}
		if s.lang == langShell || s.lang == langBatch {
			if programs[s.head] != "" && (len(s.cmd) > 1 || s.producer > 0) {
				return true
			}
		}
	}
	return false
}

// commandTraits finds the traits that need the words of a command.
func (a *analysis) commandTraits(s *stmt) {
	if s.lang == "data" || len(s.words) == 0 {
		return
	}
	if s.hidden {
		a.traits[TraitHiddenWindow] = true
	}
	if s.lang != langShell && s.lang != langBatch {
		a.expressionTraits(s)
		return
	}
	words, head := s.cmd, s.head
	if len(words) == 0 {
		return
	}
	if s.behind && s.quiet {
		a.traits[TraitHiddenWindow] = true
	}
	switch head {
	case "eval":
		if s.computed || strings.Contains(s.text, "$(") || strings.Contains(s.text, "`") || strings.Contains(s.text, "$") {
			a.traits[TraitDynamicEval] = true
		}
	case "sh", "bash", "zsh":
		if s.producer > 0 && hasWord("pbpaste xclip xsel wl-paste", a.stmts[s.producer-1].head) && !s.keepsToItself(false) {
			a.traits[TraitDynamicEval] = true
		}
	case "ssh", "nc", "ncat", "socat":
		if s.producer > 0 && a.packsPrivate(s.producer-1) {
			a.traits[TraitUpload] = true
		}
	case "softwareupdate":
		if !plainSoftwareUpdate(words[1:]) {
			a.traits[TraitDecoySoftwareUpdate] = true
		}
	case "open", "xdg-open", "start", "explorer":
		if _, _, ok := urlHost(strings.Join(words[1:], " ")); ok {
			a.traits["page"] = true
		}
	}
	if strings.ContainsAny(words[0], `/\`) && isTempPath(words[0]) {
		a.traits[TraitTempExec] = true
	}
	if target := runTarget(head, words); target != "" && isWritablePath(target) {
		a.traits[TraitPathFromWritable] = true
	}
}

// packsPrivate tells whether a command that feeds another hands it the stores
// of passwords and cookies. Keys are left out: people put theirs on servers.
func (a *analysis) packsPrivate(i int) bool {
	low := strings.ToLower(a.stmts[i].text)
	for _, w := range []string{"keychain", "cookies", "login data", "firefox/profiles", "logins.json", "wallet", "tdata"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

func (a *analysis) expressionTraits(s *stmt) {
	low := ""
	for i, w := range s.words {
		if !strings.HasPrefix(w, "http") {
			continue
		}
		if low == "" {
			low = strings.ToLower(s.text)
		}
		if i > 0 && (strings.Contains(low, "open location") || strings.Contains(low, "start-process") || strings.HasPrefix(low, "start ") || strings.Contains(low, "webbrowser.open") || strings.Contains(low, "open -g")) {
			a.traits["page"] = true
		}
	}
	if a.rules.word(&s.hits, ".run>") && strings.Contains(strings.ReplaceAll(s.text, " ", ""), ",0") {
		a.traits[TraitHiddenWindow] = true
	}
}

// runTarget is the file that a command runs, "" if that is a program of the
// system.
func runTarget(head string, words []string) string {
	if strings.ContainsAny(words[0], `/\`) {
		return words[0]
	}
	switch programs[head] {
	case "", "sh", "iex", "installer":
		if head != "sh" {
			return ""
		}
	}
	for _, w := range words[1:] {
		if w != "" && w[0] != '-' && w[0] != '/' || strings.HasPrefix(w, "/") && len(w) > 4 {
			if strings.Contains(w, "://") || strings.ContainsAny(w, " \n") {
				return ""
			}
			return w
		}
	}
	return ""
}

// plainSoftwareUpdate holds for the options that the program has.
func plainSoftwareUpdate(args []string) bool {
	takes := false
	for _, w := range args {
		if takes {
			takes = false
			continue
		}
		if !strings.HasPrefix(w, "-") {
			return len(args) > 0 && (args[0] == "-i" || args[0] == "--install" || args[0] == "-d" || args[0] == "--download")
		}
		switch strings.TrimLeft(w, "-") {
		case "l", "list", "i", "install", "a", "all", "r", "recommended", "R", "restart", "d", "download", "background", "install-rosetta", "agree-to-license", "schedule", "history", "verbose",
			"ia", "ir", "iaR", "irR", "aiR", "no-scan", "force", "reset-ignored", "os-only", "safari-only", "list-full-installers", "fetch-full-installer", "background-critical", "h", "help", "dump-state", "clear-catalog", "set-catalog", "include-config-data", "stdinpass", "user", "product-types", "full-installer-version", "ignore":
			takes = strings.HasSuffix(w, "version") || w == "--user" || w == "--product-types" || w == "--schedule" || w == "--set-catalog" || w == "--ignore"
		default:
			return false
		}
	}
	return true
}

// fetchTraits states what the cradles have in common.
func (a *analysis) fetchTraits(found []fetching) {
	for i := range found {
		f := &found[i]
		if f.To == "temp" && f.RunBy != "" && f.RunBy != "installer" {
			a.traits[TraitTempExec] = true
		}
		if f.RunBy == "unzip-run" {
			a.traits[TraitExtractAndRun] = true
			if isTempPath(f.output) {
				a.traits[TraitTempExec] = true
			}
		}
		if f.RunBy == "osacompile" || f.RunBy == "osascript" && f.To != "pipe" {
			a.traits[TraitRunScriptOfResult] = true
		}
		if f.Hidden {
			a.traits[TraitHiddenWindow] = true
		}
		if isOpaquePath(f.url) {
			a.traits[TraitLongOpaqueTokenPath] = true
		}
		if isOddAgent(f.agent) {
			a.traits[TraitOddUserAgent] = true
		}
		if f.RunBy != "" && f.output != "" && a.deletes(f) {
			a.traits[TraitSelfDelete] = true
		}
		if f.To == "variable" && (f.RunBy == "sh" || f.RunBy == "bash" || f.RunBy == "zsh") || f.RunBy == "sh" && f.To == "pipe" && a.evaluated(f) {
			a.traits[TraitDynamicEval] = true
		}
	}
}

func (a *analysis) evaluated(f *fetching) bool {
	s := &a.stmts[f.stmt]
	if s.consumer == 0 {
		return false
	}
	return strings.HasPrefix(a.stmts[s.consumer-1].text, "eval")
}

// deletes tells whether the script removes what it fetched and ran.
func (a *analysis) deletes(f *fetching) bool {
	name := fileWord(f.output)
	if name == "" {
		return false
	}
	for i := f.stmt + 1; i < len(a.stmts); i++ {
		s := &a.stmts[i]
		if !a.look(s) {
			return false
		}
		if len(s.words) == 0 || !strings.Contains(s.text, name) {
			continue
		}
		head := s.head
		if head == "" {
			head = strings.ToLower(s.words[0])
		}
		switch head {
		case "rm", "del", "erase", "remove-item", "unlink", "shred":
			return true
		}
	}
	return false
}

// isOpaquePath holds for a URL whose path ends in a long token of letters and
// digits that no person would type.
func isOpaquePath(u string) bool {
	_, rest, ok := strings.Cut(u, "://")
	if !ok {
		return false
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		return false
	}
	last := strings.TrimRight(rest[slash:], "/")
	last = last[strings.LastIndexAny(last, "/=")+1:]
	if len(last) < 24 || strings.ContainsAny(last, ".$") {
		return false
	}
	digits, letters := 0, 0
	for i := range len(last) {
		c := last[i]
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			letters++
		case c != '-' && c != '_' && c != '%':
			return false
		}
	}
	return digits >= 4 && letters >= 4
}

// isOddAgent holds for a user agent of one short word that is no known client.
func isOddAgent(agent string) bool {
	low := strings.ToLower(agent)
	if agent == "" || len(agent) > 20 || strings.ContainsAny(agent, "/$ %") {
		return false
	}
	return low != "curl" && low != "wget" && low != "mozilla"
}

// plainFetches returns the cradles as the vocabulary has them, each once.
func plainFetches(found []fetching) []meetguard.Fetch {
	var out []meetguard.Fetch
	for i := range found {
		if f := found[i].Fetch; !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// hostsIn returns the hosts of the URLs in a text.
func hostsIn(text string) map[string]bool {
	hosts := map[string]bool{}
	for len(hosts) < maxHosts {
		n := strings.Index(text, "://")
		if n < 0 {
			break
		}
		start := max(0, n-8)
		if host, _, ok := urlHost(text[start:min(len(text), n+260)]); ok && host != "" && (strings.Contains(host, ".") || strings.Contains(host, ":")) {
			hosts[host] = true
		}
		text = text[n+3:]
	}
	return hosts
}

// tail builds the text that YARA sees. What was put together and decoded has at
// least half of the room: padding must not push it out.
func (a *analysis) tail(text string) string {
	hidden := a.layers.String()
	if a.joined.Len() > 0 {
		hidden = markerLayer + "0\n" + a.joined.String() + hidden
	}
	if len(text)+len(hidden) >= maxTail {
		text = text[:min(len(text), max(maxTail/2, maxTail-len(hidden)-1))]
		hidden = hidden[:min(len(hidden), maxTail-len(text)-1)]
	}
	if hidden == "" {
		return text
	}
	return text + "\n" + hidden
}

// isPublicIP holds for an address that is reached over the Internet.
func isPublicIP(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsGlobalUnicast() && !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast()
}
