package main

import (
	"regexp"
	"slices"
	"strings"
)

// exception is what a rule names and is no fault, wherever it stands below a folder
// or in a file. Where only one place is meant, #nosec stands in its line.
type exception struct {
	rules string         // ids
	where string         // beginning of the path, "" for everywhere
	form  *regexp.Regexp // of the message and the line, nil for any
	why   string
}

var exceptions = []exception{
	{"G103", "", regexp.MustCompile(`unsafe\.(Pointer|Slice|Sizeof|String|Add)`), "calls of the system that Go has no form for; vet holds the patterns of unsafe.Pointer"},
	{"G104", "", regexp.MustCompile(`\b[Cc]lose(Handle)?\([\w.\[\]]*\)`), "what was read is closed; what was written is closed with errors.Join or after Sync"},
	{"G104", "", regexp.MustCompile(`(\bh|sum|both)\.Write(String|Byte)?\(`), "a hash takes everything, see hash.Hash"},
	{"G115", "", regexp.MustCompile(`conversion (u?int\d*|rune|byte|uintptr) -> (u?int(8|16|32)|uint64|rune|byte|uintptr)\b`), "halves of numbers, lengths of what is in memory, and what a system wants in its own width; a 64-bit length out of a file that becomes a signed one is not excepted"},
	{"G115", "internal/watch/", nil, "numbers of this machine's kernel, and of the agent's own journal"},
	{"G122", "internal/agent/", nil, "folders of rules are the administrator's"},
	{"G204", "", nil, "programs are named by this program or the administrator, arguments are lists, and no shell reads them"},
	{"G304", "", nil, "names come from the administrator, the command line or the agent's own folders; what users control is opened below a folder handle, held by TestSwapAttack"},
	{"G301 G302 G306", "cmd/agent/", regexp.MustCompile(`\b0o(644|755)\b`), "units, manual pages, the example configuration and the test lure are for everybody to read; what is private is written below internal"},
	{"G302", "internal/box/scratch.go", nil, "what the box's probes must not be able to change, although its mode lets everybody"},
	{"G404", "", regexp.MustCompile(`\brand\.N\(`), "delays"},
	{"G401 G501 G505", "internal/sign/", nil, "formats of others name these digests; none of them alone makes a signature good"},
	{"G505", "internal/unpack/zipcrypt.go", nil, "the key derivation of encrypted ZIP files"},
	{"G505", "internal/people/totp.go", nil, "RFC 6238"},
	{"G101", "internal/detect/families.go", nil, "names of malware"},
	{"G101", "internal/store/sqlenrol.go", nil, "names of columns"},
	{"G101", "internal/alert/redact.go", nil, "what secrets look like"},
	{"G101", "internal/script/", nil, "names of programs and traits"},

	// Programs for developers: they make lures, load and faults on a machine of their own.
	{"G104 G115 G122 G204 G301 G302 G304 G306 G404 G703", "testdata/", nil, "specimens are bytes made on purpose, numbers are drawn from a seed that is printed, folders are the developer's"},
	{"G103", "testdata/bench/", nil, "a call of the system"},
	{"G107 G402", "testdata/", nil, "collectors of their own on loopback, with certificates of their own"},
	{"G401 G501 G505", "testdata/specimens/", nil, "formats that name these digests"},
	{"G301 G306 G703", "scripts/", nil, "written for everybody, where the developer says"},
	{"G115 G306", "signatures/", nil, "written for everybody; sizes of pictures"},
}

// covers tells whether an exception is about what a rule named.
func (e exception) covers(rule, path, text string) bool {
	return slices.Contains(strings.Fields(e.rules), rule) && strings.HasPrefix(path, e.where) && (e.form == nil || e.form.MatchString(text))
}
