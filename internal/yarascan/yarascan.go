// Package yarascan compiles and runs YARA rules. It is the only package that
// uses cgo. A build without cgo has a stub whose Compile fails, so that nothing
// ever runs without rules by accident.
//
// Rules are compiled in sets, one per kind of file: a set whose rules import
// the "pe" module costs every file that it scans a third of a millisecond, so
// only PE files meet it.
package yarascan

import (
	"errors"
	"fmt"
	"strings"
)

// Source is the text of one rule file.
type Source struct {
	Name string // file name, for messages
	Text string
}

// Externals are the external variables of a scan: strings, ints and bools.
type Externals map[string]any

// ErrUnavailable says that this program was built without libyara.
var ErrUnavailable = errors.New("this build has no YARA engine: build it with cgo, see README.md")

// CompileError lists every problem of a set of rule files.
type CompileError struct{ Problems []string }

func (e *CompileError) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0]
	}
	return fmt.Sprintf("%s (and %d more)", e.Problems[0], len(e.Problems)-1)
}

// oneLine keeps a compiler message on one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// hints say what to do about the compiler's messages that do not say it.
var hints = []struct{ part, hint string }{
	{"includes are disabled", "name the folder instead: each file in it is read by itself"},
	{"unknown module", "this build has no such module: remove the rules that need it"},
	{"undefined identifier", "a scan defines filename, extension and the mg_ variables; a file sees no rules of other files"},
	{`invalid field name "imphash"`, noCrypto},
	{`invalid field name "number_of_signatures"`, noCrypto},
	{`invalid field name "signatures"`, noCrypto},
	{`invalid field name "is_signed"`, noCrypto},
}

const noCrypto = "the pe module is built without its cryptographic parts: ask for mg_signature instead"

// explained adds to a message of the compiler what to do.
func explained(message string) string {
	for _, h := range hints {
		if strings.Contains(message, h.part) {
			return message + " (" + h.hint + ")"
		}
	}
	return message
}
