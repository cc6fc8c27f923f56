package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"meetguard"
)

func TestEachRootHasItsTurn(t *testing.T) {
	p, now := newPending(), time.Now()
	for n := range 1000 {
		p.add("/home/eve", fmt.Sprint("/home/eve/", n), "test", now, 0)
	}
	p.add("/home/ana", "/home/ana/lure", "test", now.Add(time.Second), 0)
	p.add("/home/bob", "/home/bob/later", "test", now.Add(time.Hour), 0)
	now = now.Add(time.Minute)
	if waiting, root, most, lag := p.backlog(now); waiting != 1002 || root != "/home/eve" || most != 1000 || lag != time.Minute {
		t.Errorf("%d wait, %d in %s for %s", waiting, most, root, lag)
	}
	var got []string
	for {
		h, wait := p.next(now)
		if h == nil {
			if wait != 59*time.Minute {
				t.Errorf("there are %s to wait", wait)
			}
			break
		}
		got = append(got, h.path)
	}
	if len(got) != 1001 || got[0] != "/home/eve/0" || got[1] != "/home/ana/lure" || got[1000] != "/home/eve/999" {
		t.Errorf("%d hints, beginning with %q", len(got), got[:3])
	}
	if h, _ := p.next(now.Add(time.Hour)); h == nil || h.path != "/home/bob/later" {
		t.Errorf("got %+v", h)
	}
	if h, wait := p.next(now); h != nil || wait >= 0 {
		t.Errorf("an empty set gives %+v and %s", h, wait)
	}
}

// beforeAna runs Files over the folders of two users and gives how many files of
// eve came before the one of ana.
func beforeAna(t *testing.T, before, after func(eve, ana string)) (n int) {
	t.Helper()
	dir := scratch(t)
	eve, ana := filepath.Join(dir, "eve"), filepath.Join(dir, "ana")
	for _, d := range []string{eve, ana} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	before(eve, ana)
	files, err := NewFiles(FilesConfig{Fixed: true, Roots: func() []string { return []string{eve, ana} }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() {
		<-files.Ready()
		after(eve, ana)
	}()
	found := false
	err = files.Run(ctx, func(_ context.Context, e meetguard.Event) error {
		if filepath.Dir(e.Path) == ana {
			found = true
			cancel()
		} else if !found {
			n++
		}
		return nil
	})
	if err != nil || !found {
		t.Fatalf("%v, found: %v", err, found)
	}
	return n
}

// Whoever fills his folder must not hold up what lands in another's.
func TestListingsTakeTurns(t *testing.T) {
	t.Parallel()
	const files = 16 * piece
	fill := func(dir string) {
		for n := range files {
			drop(t, filepath.Join(dir, fmt.Sprint(n)))
		}
	}
	n := beforeAna(t, func(eve, ana string) {
		fill(eve)
		drop(t, filepath.Join(ana, "lure"))
		time.Sleep(quietWrite) // so that none is looked at twice
	}, func(string, string) {})
	if n > 2*piece {
		t.Errorf("%d files of another came first, of those that were there before", n)
	}
	n = beforeAna(t, func(eve, _ string) {
		away := filepath.Join(filepath.Dir(eve), "away")
		if err := os.Mkdir(away, 0o755); err != nil {
			t.Fatal(err)
		}
		fill(away)
		time.Sleep(quietWrite)
	}, func(eve, ana string) {
		if err := os.Rename(filepath.Join(filepath.Dir(eve), "away"), filepath.Join(eve, "moved in")); err != nil {
			t.Error(err)
		}
		drop(t, filepath.Join(ana, "lure"))
	})
	if n > files*3/4 {
		t.Errorf("%d files of another came first, of a folder that was moved in", n)
	}
}

func drop(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Error(err)
	}
}

// What waits long is told, and where.
func TestBacklogIsTold(t *testing.T) {
	files, err := NewFiles(FilesConfig{Fixed: true, Roots: func() []string { return []string{scratch(t)} }})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for n := range 3 {
		files.pending.add("/home/eve", fmt.Sprint("/home/eve/", n), "test", now, 0)
	}
	if behind := files.behind(now.Add(behindAfter - time.Second)); len(behind) > 0 {
		t.Errorf("it is said that %q", behind)
	}
	files.beginSweep(newWalk("/home/ana", "/home/ana"))
	want := []string{`3 files wait to be looked at, 3 of them in "/home/eve", the first for 1m0s`, `"/home/ana" has been listed for 1m0s and is not done`}
	if behind := files.behind(now.Add(time.Minute)); !slices.Equal(behind, want) {
		t.Errorf("it is said that %q", behind)
	}
}
