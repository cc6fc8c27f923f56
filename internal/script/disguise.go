package script

import "strings"

// A script may name its programs in many ways, but an honest one names them
// somewhere: in the command, in a variable, in a here-document. One that pipes
// the output of curl into a shell and nowhere spells "curl" has taken trouble
// to keep the word from whoever reads or searches it.

// namedPrograms are the programs of cradles that are looked for by name.
var namedPrograms = map[string]bool{
	"curl": true, "wget": true, "nscurl": true, "aria2c": true, "bitsadmin": true, "certutil": true, "mshta": true, "regsvr32": true, "rundll32": true, "msiexec": true,
	"wmic": true, "cscript": true, "wscript": true, "osascript": true, "powershell": true, "pwsh": true, "bash": true, "zsh": true, "python": true, "perl": true,
}

// powerCalls are PowerShell's words for executing a text.
var powerCalls = []string{"iex", "invoke-expression", "scriptblock", "invokescript", "assembly", "appdomain", "add-type", "invoke-command", "icm"}

// disguised tells whether a cradle whose result is run keeps its programs from
// the reader: no statement of the text spells them, or they stand inside
// another language where nobody looks for them.
func (a *analysis) disguised(found []fetching) bool {
	for i := range found {
		f := &found[i]
		if f.RunBy == "" || f.RunBy == "installer" {
			continue
		}
		s := &a.stmts[f.stmt]
		if s.layer > 0 {
			continue // an encoded layer is a fact of its own
		}
		if s.aside || !a.spelt(invoked(f, s)) || !a.spelt(a.runnerWords(f, s)) {
			return true
		}
	}
	return false
}

// invoked are the words of which the text has to hold one if it names the
// program or function that fetches; nil if that cannot be said.
func invoked(f *fetching, s *stmt) []string {
	switch s.lang {
	case langShell, langBatch:
		if namedPrograms[s.head] {
			return []string{s.head}
		}
	case langPowerShell, langVBScript, langJScript, langPython:
		if f.word != "" {
			return []string{f.word}
		}
	}
	return nil
}

// runnerWords are the same for what runs the result.
func (a *analysis) runnerWords(f *fetching, s *stmt) []string {
	switch {
	case s.lang == langPowerShell && (f.RunBy == "iex" || f.RunBy == "assembly"):
		return powerCalls
	case s.lang == langShell && f.To == "pipe" && s.consumer > 0 && !s.embedded && !s.through:
		if head := a.stmts[s.consumer-1].head; namedPrograms[head] {
			return []string{head}
		}
	}
	return nil
}

// spelt tells whether a statement of the text itself, as it stands there, holds
// one of the words. What is only shown to the user does not count.
func (a *analysis) spelt(words []string) bool {
	if len(words) == 0 {
		return true
	}
	seen := false
	for i := range a.stmts {
		s := &a.stmts[i]
		if s.raw == "" || s.onlyShows() {
			continue
		}
		if !a.look(s) {
			return true
		}
		seen = true
		low := strings.ToLower(s.raw)
		for _, w := range words {
			if strings.Contains(low, w) || s.here != "" && strings.Contains(strings.ToLower(s.here), w) {
				return true
			}
		}
	}
	return !seen
}

// onlyShows holds for a statement that prints a text for people.
func (s *stmt) onlyShows() bool {
	switch s.head {
	case "echo", "printf", "title", "rem":
		return s.consumer == 0 && s.out == ""
	}
	return s.lang == langPowerShell && len(s.words) > 0 && s.consumer == 0 && strings.HasPrefix(strings.ToLower(s.words[0]), "write-")
}
