package detect

import (
	"fmt"
	"strings"

	"meetguard"
)

// A script that a person is meant to open, and that brings code from a host
// which nobody knows as a source of software, unchecked, has no honest reason
// on an ordinary desktop: whoever distributes software has a name for it, and
// whoever installs it for others checks it or keeps it in the house. The rules
// here ask for nothing else, no brand and no pretext.

const (
	errand    = 60   // statements: what does more is a program that also updates itself
	bareEr    = 14   // the same for scripts that are typed in, and that libraries have too
	grown     = 300  // the same for what has options as well
	product   = 1000 // the same for what checks what it brings
	bareLines = 60   // and lines: comments and answers count
)

// clickExt are scripts that a double click runs, or shows with a button that
// does.
var clickExt = set(`.command .terminal .tool .scpt .scptd .applescript .jxa .bat .cmd .vbs .vbe .jse .hta .wsf .wsh .sct .lnk .url .desktop .workflow .run .settingcontent-ms .inetloc .webloc .fileloc .slk .csv .csproj .proj .theme .rdp .plist .envrc .wflow .au3 .ahk .inf .reg .msc .library-ms .search-ms`)

// isClicked says whether opening the unit by hand, or installing what it is part
// of, runs the script.
func (s *subject) isClicked() bool {
	return clickExt[s.ext] || s.Role != "" || s.Format == meetguard.FormatShortcut || s.code.isWSH() && s.ext == ".js" ||
		strings.Contains(s.Path, ".app/Contents/") || s.Format == meetguard.FormatApp
}

// clickCradle: a double click runs what comes from a stranger.
func clickCradle(s *subject) string {
	if s.code == nil || s.vouched || !s.isClicked() || s.code.Steps > errand || s.code.traits["checks-download"] {
		return ""
	}
	switch c := s.code; {
	case c.strange.Tool != "":
		return fmt.Sprintf("Opening it runs, unchecked, what %s brings from %s.", clip(c.strange.Tool), s.origin(c.strange))
	case c.written.Tool != "":
		return fmt.Sprintf("Opening it leads to a command that runs what it brings from %s.", s.origin(c.written))
	case c.brought.Tool != "" && s.trait(sly...):
		return fmt.Sprintf("Opening it brings something by %s from %s, and it does what honest helpers do not (%s).", clip(c.brought.Tool), s.origin(c.brought), strings.Join(s.have(sly), ", "))
	}
	return ""
}

// sly are the traits beside which it does not matter that nothing was seen to
// run what was fetched.
var sly = []string{"dynamic-eval", "temp-exec", "path-from-user-writable", "dequarantine", "resign", "persistence", "hidden-window", "extract-and-run", "decoded-then-run", "password-prompt",
	"defender-exclusion", "run-script-of-result", "self-delete", "disguised-command"}

func (s *subject) origin(f meetguard.Fetch) string { return sourceWord(s.judge.source(f), f) }

// strangeCradle: a few lines that are there to bring and run the code of a
// stranger. Builds and installers that do so have more to do, or check it.
func strangeCradle(s *subject) string {
	if s.isClicked() || s.vouched || !s.isErrand() || s.merelyUnknown() {
		return ""
	}
	switch c := s.code; {
	case c.strange.Tool != "" && ((c.strange.RunBy != "package" || c.Steps <= bareEr/2 && s.run == nil) && (c.strange.RunBy != "installer" || c.strange.Tool == "msiexec")):
		return fmt.Sprintf("It is there to run, unchecked, what %s brings from %s.", clip(c.strange.Tool), s.origin(c.strange))
	case c.written.Tool != "" && c.Steps <= bareEr/2:
		return fmt.Sprintf("It is there to lead to a command that runs what it brings from %s.", s.origin(c.written))
	case c.brought.Tool != "" && s.trait(sly...):
		return fmt.Sprintf("It is there to bring something by %s from %s, and does what honest helpers do not (%s).", clip(c.brought.Tool), s.origin(c.brought), strings.Join(s.have(sly), ", "))
	}
	return ""
}

// merelyUnknown says whether a command line brings what it runs from a host of
// which there is nothing to say but that no list has it: that is how the tools of
// thousands of makers are installed.
func (s *subject) merelyUnknown() bool {
	if s.run == nil || s.trait("hidden-window") {
		return false
	}
	for _, f := range append([]meetguard.Fetch{s.code.strange, s.code.written, s.code.brought}, s.code.run...) {
		if f.Tool != "" && (f.Insecure || f.Hidden || !s.strangeness(f.Host).mere && s.judge.source(f).strange()) {
			return false
		}
	}
	return true
}

func (s *subject) isErrand() bool {
	c := s.code
	return c != nil && c.Steps <= bareEr && c.Lines-c.BlankRun <= bareLines && !c.traits["checks-download"] && !c.traits["options"]
}

// clickDecoded: a double click decodes a text that nobody can read and runs it.
// Archives that unpack themselves have a head that says so, and more to do.
func clickDecoded(s *subject) string {
	if !s.trait("decoded-then-run") || s.code.Steps > bareEr || s.code.traits["checks-download"] || !s.isClicked() && !(s.isErrand() && s.code.Language == "powershell") {
		return ""
	}
	return "There is nothing in it but a text that it decodes and runs, which hides from its reader what opening it does."
}

// gateOff: a double click turns the system's check of programs off.
func gateOff(s *subject) string {
	if !s.trait("gatekeeper-off") || !clickExt[s.ext] || s.code.Steps > bareEr {
		return ""
	}
	return "Opening it turns off the system's check of programs."
}

func freeHost(s *subject) string {
	if s.code == nil || s.code.strange.Tool == "" {
		return ""
	}
	for i, k := range s.code.sources {
		if k == sourceAnybody {
			return fmt.Sprintf("It runs what comes from %s.", sourceWord(k, s.code.run[i]))
		}
	}
	return ""
}
