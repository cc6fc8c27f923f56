package desktop

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPersonOfThisSession asks the system who this is, whose a file is, and in
// which languages they read.
func TestPersonOfThisSession(t *testing.T) {
	seats := own()
	if len(seats) != 1 || !isPerson(string(seats[0].person)) || !seats[0].active {
		t.Fatalf("this session: %+v", seats)
	}
	me := seats[0].person
	file := filepath.Join(t.TempDir(), "Zoom.exe")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := OwnerOf(file); got != me {
		t.Errorf("%s belongs to %q, this is %q", file, got, me)
	}
	if got := OwnerOf(filepath.Join(filepath.Dir(file), "gone", "Zoom.exe")); got != me {
		t.Errorf("a file that is gone: %q", got)
	}
	found := false
	for _, s := range sessions() {
		found = found || s.person == me
	}
	if !found {
		t.Errorf("the sessions %+v lack this one", sessions())
	}
	if len(localesFor(me)) == 0 {
		t.Error("no language is set")
	}
	for account, want := range map[string]Person{string(me): me, "S-1-5-18": "", "S-1-5-32-544": "", "": "", "no such account": ""} {
		if got := Named(account); got != want {
			t.Errorf("%q: %q, want %q", account, got, want)
		}
	}
}
