package alert

import (
	"strings"

	"meetguard"
)

// brandNames gives the names that people know for catalogue ids whose spelling
// cannot be told from the id.
var brandNames = map[string]string{
	"msteams":     "Microsoft Teams",
	"teams":       "Microsoft Teams",
	"googlemeet":  "Google Meet",
	"meet":        "Google Meet",
	"goto":        "GoTo Meeting",
	"gotomeeting": "GoTo Meeting",
	"ringcentral": "RingCentral",
	"bluejeans":   "BlueJeans",
	"facetime":    "FaceTime",
	"whatsapp":    "WhatsApp",
	"teamviewer":  "TeamViewer",
	"anydesk":     "AnyDesk",
}

// brandName returns the name to show for a catalogue id.
func brandName(id string) string {
	id, _ = SafeText(id)
	if name, ok := brandNames[id]; ok {
		return name
	}
	if id == "" || id[0] < 'a' || id[0] > 'z' {
		return id
	}
	return string(id[0]-'a'+'A') + id[1:]
}

// nouns says what people call a file of a format.
var nouns = map[meetguard.Format]string{
	meetguard.FormatPE:          "program",
	meetguard.FormatMachO:       "program",
	meetguard.FormatELF:         "program",
	meetguard.FormatApp:         "app",
	meetguard.FormatMSI:         "installer",
	meetguard.FormatMSIX:        "installer",
	meetguard.FormatPKG:         "installer",
	meetguard.FormatDMG:         "disk image",
	meetguard.FormatDeb:         "package",
	meetguard.FormatRPM:         "package",
	meetguard.FormatISO:         "disk image",
	meetguard.FormatZip:         "archive",
	meetguard.Format7z:          "archive",
	meetguard.FormatRar:         "archive",
	meetguard.FormatTar:         "archive",
	meetguard.FormatCab:         "archive",
	meetguard.FormatScript:      "script",
	meetguard.FormatAppleScript: "script",
	meetguard.FormatShortcut:    "shortcut",
	meetguard.FormatHTML:        "web page",
	meetguard.FormatICS:         "invitation",
}

func nounOf(a meetguard.Alert) string {
	noun, ok := nouns[a.Facts.Format]
	switch {
	case noun == "program" && looksLikeInstaller(a):
		return "installer"
	case ok:
		return noun
	case processOf(a) != nil:
		return "command"
	}
	return "file"
}

func looksLikeInstaller(a meetguard.Alert) bool {
	name := strings.ToLower(base(pathOf(a)))
	return strings.Contains(name, "install") || strings.Contains(name, "setup")
}

// headline says in a few words what was found, without a path.
func headline(a meetguard.Alert) string {
	if isTest(a) {
		return "Test lure"
	}
	what := nounOf(a)
	if brand := brandName(a.Verdict.Brand); brand != "" {
		what = brand + " " + what
		switch a.Verdict.Level {
		case meetguard.Malicious:
			return "Fake " + what
		case meetguard.Suspicious:
			return "Possibly fake " + what
		}
	}
	switch a.Verdict.Level {
	case meetguard.Malicious:
		return "Malicious " + what
	case meetguard.Suspicious:
		return "Suspicious " + what
	case meetguard.Incomplete:
		return "Could not judge " + what
	}
	return "Nothing found in " + what
}

// testRule is the rule that knows the test lure, see docs/selftest.md.
const testRule = "MG-TEST"

// isTest says that an alert is about the test lure and nothing else: a lure that
// carries the mark of the test is still a lure.
func isTest(a meetguard.Alert) bool {
	return len(a.Verdict.Findings) == 1 && a.Verdict.Findings[0].Rule == testRule
}

// titleOf is the headline and the strongest reason.
func titleOf(a meetguard.Alert) string {
	reason := strongest(a.Verdict.Findings).Evidence
	if reason == "" && len(a.Facts.Gaps) > 0 {
		reason = gapText(a.Facts.Gaps[0])
	}
	if reason == "" {
		reason, _ = SafeText(base(pathOf(a)))
	}
	if reason == "" {
		return headline(a)
	}
	return headline(a) + ": " + strings.TrimRight(reason, ". ")
}

func gapText(g meetguard.Gap) string {
	return g.Fact + ": " + g.Reason
}

// remedy says what to do, first to the user, then to the administrator.
func remedy(a meetguard.Alert) string {
	source := "the company portal or the maker's own site"
	if brand := brandName(a.Verdict.Brand); brand != "" {
		source = brand + " from " + source
	} else {
		source = "such software from " + source
	}
	search := "look for the same command line"
	if a.Facts.SHA256 != "" {
		search = "look for its SHA-256"
	}
	switch {
	case isTest(a):
		return "Nothing: it is the test of `meetguard selftest`. If nobody here made one, ask who did."
	case a.Verdict.Level == meetguard.Incomplete || a.Verdict.Level == meetguard.Clean:
		return "User: do not open it before your administrator has looked at it. Administrator: inspect it by hand; the gaps say what could not be read."
	case processOf(a) != nil:
		return "User: it has already run. Take the computer off the network, type no passwords, and call your administrator. " +
			"Administrator: isolate the computer, end the program and what it started, replace passwords and sessions used on it, and " + search + " on other computers."
	}
	return "User: do not open it. Delete it, and get " + source + ". " +
		"Administrator: if it was opened, isolate the computer and replace passwords and sessions used on it; " + search + " on other computers."
}
