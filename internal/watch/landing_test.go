package watch

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"meetguard"
)

func TestLandingOutlivesTheJournal(t *testing.T) {
	dir := scratch(t)
	j := openJournal(t, dir)
	file := Identity{Dev: 1, Ino: 2, Size: 3, MTime: 4, CTime: 5}
	at := time.Unix(1e9, 0)
	if err := j.Land("/a", file, at); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = openJournal(t, dir)
	changed, other := file, file
	changed.Size, changed.MTime, changed.CTime, other.Ino = 30, 40, 50, 20
	for _, c := range []struct {
		what string
		path string
		id   Identity
		want bool
	}{{"the file", "/a", file, true}, {"the file with other rights", "/a", changed, true}, {"another file there", "/a", other, false}, {"another path", "/b", file, false}} {
		if got, ok := j.Landed(c.path, c.id); ok != c.want || ok && !got.Equal(at) {
			t.Errorf("%s landed at %v, %v, want %v", c.what, got, ok, c.want)
		}
	}
	if j.Known("/a", file) || j.Known(landingWord+"/a", file) {
		t.Error("a file that landed is taken for one that was judged")
	}
	j.today = func() uint32 { return today() + landingDays + 1 }
	j.mu.Lock()
	j.expire()
	j.mu.Unlock()
	if j.Len() != 0 {
		t.Error("a landing is kept for long")
	}
}

func TestBorn(t *testing.T) {
	path := filepath.Join(scratch(t), "file")
	before := time.Now().Add(-time.Minute)
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, long, long); err != nil { // what anybody can set does not count
		t.Fatal(err)
	}
	at, by, err := Born(path)
	if err != nil || at.Before(before) || at.After(time.Now().Add(time.Minute)) || by != meetguard.LandedBirth && by != meetguard.LandedChange {
		t.Errorf("born %v by %q, %v", at, by, err)
	}
	if _, _, err := Born(path + "x"); err == nil {
		t.Error("a file that is not there was born")
	}
}
