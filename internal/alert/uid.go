package alert

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"meetguard"
)

// recordUID identifies a record: the same finding on the same host has the same
// uid however often it is made, so that the log and the collector keep it once.
// It is made of the host uid, the kind of event, the path (of a launch: the path
// of the executable and the full command line), the SHA-256 of the file, the
// level and the sorted rule ids. Time, process id and score are not part of it.
func recordUID(host meetguard.Host, a meetguard.Alert) string {
	parts := []string{"meetguard record 1", host.UID, string(a.Event.Kind)}
	if p := processOf(a); p != nil {
		parts = append(parts, p.Exe, commandLine(p))
	} else {
		parts = append(parts, pathOf(a), "")
	}
	parts = append(parts, a.Facts.SHA256, string(a.Verdict.Level))
	return digestUID(append(parts, ruleIDs(a.Verdict.Findings)...))
}

// findingUID identifies the finding wherever on the host it turns up: it is made
// of the host uid, what it is about, and the strongest rule. What it is about is
// the SHA-256 of the file; of a launch the full command line, so that each use
// of an interpreter is a finding of its own, or its chain where that is known;
// and the path only if the file could not be read.
func findingUID(host meetguard.Host, a meetguard.Alert) string {
	about := "sha256 " + a.Facts.SHA256
	p := processOf(a)
	switch {
	case a.Facts.Chain != "": // one chain is one finding, whichever launch of it is told
		return digestUID([]string{"meetguard finding 1", host.UID, "chain " + a.Facts.Chain})
	case p != nil && commandLine(p) != "":
		about = "command line " + commandLine(p)
	case a.Facts.SHA256 == "":
		about = "path " + pathOf(a)
	}
	return digestUID([]string{"meetguard finding 1", host.UID, about, strongest(a.Verdict.Findings).Rule})
}

// digestUID writes the SHA-256 of the parts in the shape of a UUID of version 8,
// which RFC 9562 leaves to the application. Each part goes in behind its length,
// so that no two lists of parts run into the same bytes.
func digestUID(parts []string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		h.Write([]byte(p))
	}
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

func ruleIDs(findings []meetguard.Finding) []string {
	ids := make([]string, 0, len(findings))
	for _, f := range findings {
		ids = append(ids, f.Rule)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// strongest returns the finding with the highest weight, the first of equals.
func strongest(findings []meetguard.Finding) meetguard.Finding {
	var top meetguard.Finding
	for i, f := range findings {
		if i == 0 || f.Weight > top.Weight {
			top = f
		}
	}
	return top
}

// processOf returns the launch that an alert is about, or nil.
func processOf(a meetguard.Alert) *meetguard.Process {
	if a.Facts.Process != nil {
		return a.Facts.Process
	}
	return a.Event.Process
}

// pathOf returns the exact path that an alert is about.
func pathOf(a meetguard.Alert) string {
	if a.Facts.Path != "" {
		return a.Facts.Path
	}
	if a.Event.Path != "" {
		return a.Event.Path
	}
	if p := processOf(a); p != nil {
		return p.Exe
	}
	return ""
}

// commandLine returns the command line as it was given, private parts included:
// it goes into digests and through Redact, nowhere else. Arguments with white
// space are put in quotes, so that Redact sees where they end.
func commandLine(p *meetguard.Process) string {
	if len(p.Args) == 0 {
		return p.CommandLine
	}
	quoted := make([]string, len(p.Args))
	for i, arg := range p.Args {
		quoted[i] = quote(arg)
	}
	return strings.Join(quoted, " ")
}

func quote(arg string) string {
	switch {
	case !strings.ContainsAny(arg, " \t\r\n"):
		return arg
	case strings.Contains(arg, `"`):
		return "'" + arg + "'"
	}
	return `"` + arg + `"`
}
