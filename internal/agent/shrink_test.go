//go:build unix

package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"meetguard"
)

// TestFileThatShrinksUnderItsReader: what a mapped file has lost can be read no
// more, whoever tries. It costs the fact, never the process, and the file is not
// clean. A name for each way through the parsers, since what the file was is lost
// as well.
func TestFileThatShrinksUnderItsReader(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // as in a worker
	ex, err := NewExaminer(ExaminerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, ext := range strings.Fields("exe scpt sh ps1 js html eml txt lnk zip 7z msi dmg pkg iso tar.gz rar deb rpm bin") {
		path := put(t, filepath.Join(t.TempDir(), "a."+ext), bytes.Repeat([]byte("From: a "), maxInMemory/4))
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		data, release, err := ex.view(request{}, &sources{files: []*os.File{f}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, 5); err != nil {
			t.Fatal(err)
		}
		facts := ex.content(filepath.Base(path), "", data, 0)
		release()
		if !blinded(facts) {
			t.Errorf("%s: no gap blinds: %v", ext, facts.Gaps)
		}
	}
}

func blinded(f meetguard.Facts) bool {
	for _, g := range f.Gaps {
		if g.Blinding {
			return true
		}
	}
	return false
}
