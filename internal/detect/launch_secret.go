package detect

import (
	"fmt"
	"slices"
	"strings"

	"meetguard"
)

// Rules over passwords and private data.

// typed says whether somebody typed the launch into a terminal. A shell of
// which nothing is known, and that no terminal started, is a script.
func (l *launch) typed() bool {
	if len(l.Ancestors) == 0 || !shells[l.parent()] || !idleShell(l.Ancestors[0]) {
		return false
	}
	if len(l.Ancestors) == 1 || len(l.Ancestors[0].Args) > 0 {
		return true
	}
	a := l.Ancestors[1]
	return !userPlace(a.Exe) && program(a.Exe) != "applet"
}

// passwordCheck: a script checks the password that somebody typed.
func passwordCheck(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.does(meetguard.DeedCheck) || l.typed() || l.byHouseService() {
		return "" // somebody who types it checks his own
	}
	if len(l.above) == 0 && !l.does(meetguard.DeedPrompt) {
		return "" // who started it is not known: programs of administrators check passwords too
	}
	return fmt.Sprintf("A script checks a password with %s (%s).", l.shownRun(), l.via())
}

// byHouseService says whether the system runs, with all rights and from where only
// an administrator may write, what led to the launch: that is how firms have keys
// renewed.
func (l *launch) byHouseService() bool {
	for i, a := range l.Ancestors {
		if i+1 != len(l.Ancestors)-1 || a.User != "root" || !serviceRoots[l.above[i+1]] {
			continue
		}
		file := a.Exe
		if script := scriptOf(a); interpreters[l.above[i]] {
			file = script
		}
		low := slashed(file)
		return strings.HasPrefix(low, "/library/") && !coveredPlace(low) && !strings.Contains(low, "com.apple.") && a.OriginHost == ""
	}
	return false
}

// fromHouse says whether a program of the house's own led to the launch.
func (l *launch) fromHouse() bool {
	for _, a := range l.Ancestors {
		if inHouse(a.OriginHost) {
			return true
		}
	}
	return false
}

func passwordAsk(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.does(meetguard.DeedPrompt) || l.ownWhat(meetguard.DeedPrompt, "sudo") || l.fromHouse() {
		return ""
	}
	return fmt.Sprintf("%s asks for a password in a window of its own.", l.shownRun())
}

// strongSecrets: what no script has business with.
var strongSecrets = []string{"telegram", "keychain", "browser", "wallet"}

func (l *launch) strong() []string {
	var out []string
	for _, k := range strongSecrets {
		if l.kinds[k] {
			out = append(out, k)
		}
	}
	return out
}

// ownGoods says whether what is packed is told and is nobody's secret: a folder
// that somebody works in, and not one where programs keep their data.
func (l *launch) ownGoods(d meetguard.Deed) bool {
	from := slashed(d.From)
	if folder, _, ok := strings.Cut(from, "*"); ok && media[pathExt(from)] {
		from = folder // of some pictures all
	}
	return from != "" && !l.does(meetguard.DeedSecret) && !tempPlace(from) && !coveredPlace(from) && !strings.Contains(from, "/.") && !strings.Contains(from, "/library/") &&
		!strings.Contains(from, "/appdata/") && !strings.HasPrefix(from, ".") && !strings.ContainsAny(from, "$%*~")
}

// media are kinds of files whose makers and buyers send them to and fro.
var media = set(`.jpg .jpeg .gif .heic .tif .tiff .webp .psd .dng .cr2 .cr3 .nef .arw .raf .svg .wav .aif .aiff .flac .mp3 .m4a .mid .mp4 .mov .mxf .avi .mkv .m4v .braw .srt .vtt`)

func secretTaken(s *subject) string {
	l := s.run
	if l == nil || l.managed || l.backup || len(l.strong()) == 0 || !l.does(meetguard.DeedSecret, meetguard.DeedUpload, meetguard.DeedPack) || s.installedBy(l, l.uploadHost()) {
		return ""
	}
	if l.typed() && !l.does(meetguard.DeedUpload) {
		return "" // people move what is theirs; where it goes tells the rest
	}
	if !l.does(meetguard.DeedSecret, meetguard.DeedUpload) && slices.ContainsFunc(l.own, l.ownGoods) {
		return ""
	}
	return fmt.Sprintf("%s handles private data of other programs (%s).", l.shownRun(), strings.Join(l.strong(), ", "))
}

func secretMany(s *subject) string {
	l := s.run
	if l == nil || l.managed || l.backup || !l.does(meetguard.DeedSecret) || len(l.strong()) == 0 || l.typed() {
		return ""
	}
	kinds := map[string]bool{}
	for k := range l.kinds {
		kinds[k] = true
	}
	for _, st := range l.session {
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedSecret && !fetchers[program(st.Exe)] {
				kinds[d.What] = true
			}
		}
	}
	if len(kinds) < 2 {
		return ""
	}
	return "Private data of several kinds is gathered within minutes."
}

func secretPacked(s *subject) string {
	l := s.run
	if l == nil || l.managed || l.backup || len(l.strong()) == 0 || l.typed() {
		return ""
	}
	for _, d := range l.own {
		if d.Kind == meetguard.DeedPack && tempPlace(d.File) && !l.ownGoods(d) {
			return fmt.Sprintf("It is gathered in a temporary folder (%s).", quoted(baseName(d.File)))
		}
	}
	return ""
}

func secretSent(s *subject) string {
	l := s.run
	if l == nil || l.managed || l.backup || len(l.kinds) == 0 {
		return ""
	}
	for _, d := range l.own {
		if d.Kind == meetguard.DeedUpload && s.installedBy(l, d.Host) {
			return ""
		}
		if d.Kind == meetguard.DeedUpload && !inHouse(d.Host) && (len(l.strong()) > 0 || len(l.kinds) > 1) {
			return fmt.Sprintf("Private data (%s) is sent away with %s%s.", strings.Join(l.strong(), ", "), l.shownRun(), fromHost(d.Host))
		}
	}
	return ""
}

// windowTools show a window with the text that they are told.
var windowTools = set(`kdialog zenity yad`)

// asksAsBrand says whether a window that asks for a password speaks in the name of
// meeting software.
func (s *subject) asksAsBrand() bool {
	all := strings.ToLower(strings.Join(s.run.Args, " "))
	_, text, ok := strings.Cut(all, `display dialog "`)
	switch {
	case ok:
		text, _, _ = strings.Cut(text, `"`)
	case windowTools[s.run.name] && !s.run.ownScriptAbove() && !(shells[s.run.parent()] && s.run.blindParent()): // it may be one
		text = all
	default:
		return false
	}
	if strings.Contains(text, "google meet") {
		return true
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r < 'a' || r > 'z' }) {
		if meetingNames[word] {
			return true
		}
	}
	return false
}
