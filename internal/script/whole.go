package script

import "strings"

// wholeTraits are those that only the whole script shows.
func (a *analysis) wholeTraits(found []fetching) {
	page := a.traits["page"]
	delete(a.traits, "page")
	if page && (len(found) > 0 || a.opened > 0 || a.traits[TraitTempExec]) {
		a.traits[TraitDecoyURL] = true
	}
	if a.swallows() {
		a.traits[TraitSwallowErrors] = true
	}
	if a.theatre() {
		a.traits[TraitProgressTheatre] = true
	}
	for i := range a.stmts {
		if !a.traits[TraitDecodedThenRun] && a.decodedInput(i) {
			a.traits[TraitDecodedThenRun] = true
		}
	}
	a.extraction()
	a.writtenAndRun()
}

// attempt is one try block of AppleScript.
type attempt struct {
	executes bool // something is executed before the handler
	handler  bool
	handled  bool // the handler does something
}

// swallows tells whether execution stands in a try block without handling, or
// errors are switched off for the whole script.
func (a *analysis) swallows() bool {
	var open []attempt
	for i := range a.stmts {
		s := &a.stmts[i]
		if s.lang == langShell || s.lang == langBatch || s.lang == langPython {
			continue
		}
		low := strings.ToLower(s.text[:min(len(s.text), 80)])
		if s.lang == langVBScript && strings.HasPrefix(low, "on error resume next") || s.lang == langPowerShell && strings.Contains(low, "erroractionpreference") && strings.Contains(low, "silentlycontinue") {
			return true
		}
		if s.lang != langAppleScript {
			continue
		}
		if low == "try" {
			open = append(open, attempt{})
			continue
		}
		if len(open) == 0 {
			continue
		}
		t := &open[len(open)-1]
		switch {
		case low == "end try":
			if t.executes && !t.handled {
				return true
			}
			open = open[:len(open)-1]
		case strings.HasPrefix(low, "on error"):
			t.handler = true
		case t.handler:
			t.handled = true
		default:
			t.executes = t.executes || a.executes(s)
		}
	}
	return false
}

// theatrePart is how many statements of a script there may be for one wait: a
// program that waits for something now and then gives no performance.
const theatrePart = 50

// theatre holds for at least three messages with waiting between them, if the
// script does little else.
func (a *analysis) theatre() bool {
	messages, acts := 0, 0
	waiting := false
	for i := range a.stmts {
		s := &a.stmts[i]
		if len(s.words) == 0 {
			continue
		}
		head := s.head
		if head == "" && len(s.words[0]) <= 16 {
			head = strings.ToLower(s.words[0])
		}
		switch head {
		case "sleep", "delay", "start-sleep", "timeout", "time.sleep", "wscript.sleep":
			waiting = true
		case "echo", "printf", "write-host", "write-progress", "print":
			if messages++; waiting {
				acts++
				waiting = false
			}
		}
	}
	return messages >= 3 && acts >= 2 && acts*theatrePart >= len(a.stmts)
}

// extraction finds archives that are unpacked and then run, fetched or not.
func (a *analysis) extraction() {
	for i := range a.stmts {
		s := &a.stmts[i]
		if s.lang != langShell && s.lang != langBatch {
			continue
		}
		if len(s.cmd) < 2 {
			continue
		}
		switch s.head {
		case "unzip", "ditto", "7z", "expand":
			t := trail{}
			t.extractOnly(s.cmd[1:])
			if len(t.names) > 0 && a.runsLater(i, &t) {
				a.traits[TraitExtractAndRun] = true
				return
			}
		}
	}
}

func (t *trail) extractOnly(args []string) {
	dir := optionValue(args, "-d", "-C")
	if dir == "" {
		dir = args[len(args)-1]
	}
	t.unpacked = true
	t.name(dir)
}

func (a *analysis) runsLater(from int, t *trail) bool {
	for k := from + 1; k < min(len(a.stmts), from+500); k++ {
		if !a.look(&a.stmts[k]) {
			return false
		}
		if s := &a.stmts[k]; s.lang != "data" && t.meets(s) && a.use(t, s) != "" {
			return true
		}
	}
	return false
}

// decoders make a text that can be read of one that cannot.
var decoders = map[string]bool{"base64": true, "gunzip": true, "gzip": true, "zcat": true, "xxd": true, "openssl": true, "tr": true, "rev": true, "uudecode": true}

// writtenAndRun finds files that the script itself writes to a temporary folder
// and executes.
func (a *analysis) writtenAndRun() {
	tried := 0
	for i := range a.stmts {
		s := &a.stmts[i]
		if s.out == "" || !isTempPath(s.out) || tried > 32 {
			continue
		}
		tried++
		if a.traits[TraitTempExec] && !decoders[s.head] {
			continue
		}
		if r := a.runnerOfFile(i, s.out); r != "" && r != "installer" {
			a.traits[TraitTempExec] = true
			if decoders[s.head] {
				a.traits[TraitDecodedThenRun] = true
				return
			}
		}
	}
}
