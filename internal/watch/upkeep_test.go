package watch

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestKeeper: a paced source has nothing planned until it is asked, and then soon;
// one with a clock of its own keeps to that and is never later than asked.
func TestKeeper(t *testing.T) {
	at := func(seconds int) time.Time { return time.Unix(int64(1000+seconds), 0) }
	var k keeper
	k.after(at(0))
	if got := k.sooner(-1, at(5000)); got != -1 || k.due(at(5000)) {
		t.Errorf("at rest it is due after %v", got)
	}
	if got := k.sooner(time.Second, at(5000)); got != time.Second {
		t.Errorf("a wait of a second became %v", got)
	}
	k.ask(at(1)) // a second after the last
	k.ask(at(1))
	if got := k.sooner(-1, at(1)); got != time.Second || k.due(at(1)) || !k.due(at(2)) || k.due(at(3)) {
		t.Errorf("asked again soon: after %v", got)
	}
	k.ask(at(60))
	if !k.due(at(60)) || k.due(at(60)) {
		t.Error("asked long after the last it is not due at once, and once")
	}
	k = keeper{every: time.Minute}
	k.after(at(0))
	k.ask(at(30))
	if !k.due(at(30)) || k.due(at(89)) || !k.due(at(90)) {
		t.Error("its own clock does not go on after it was asked")
	}
}

// TestNewRootIsSeenComing: a folder that appears where one was to be expected is
// watched without anybody asking, and what appears under a name with a dot is no
// reason to ask.
func TestNewRootIsSeenComing(t *testing.T) {
	for _, backend := range []string{"", nameFsnotify} {
		dir := scratch(t)
		r := &rig{T: t, seen: &seen{count: map[string]int{}}, root: filepath.Join(dir, "eve", "Downloads")}
		var mu sync.Mutex
		asked := 0
		files, err := NewFiles(FilesConfig{Backend: backend, Paced: true, Roots: func() []string {
			mu.Lock()
			defer mu.Unlock()
			asked++
			if fi, err := os.Stat(r.root); err != nil || !fi.IsDir() {
				return nil
			}
			return []string{r.root}
		}, Above: func() (above []string) {
			for _, d := range []string{dir, filepath.Dir(r.root)} {
				if _, err := os.Stat(d); err == nil {
					above = append(above, d)
				}
			}
			return above
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- files.Run(ctx, r.emit) }()
		<-files.Ready()
		for i := range 20 {
			if err := os.WriteFile(filepath.Join(dir, ".history"+string(rune('a'+i))), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		mu.Lock()
		if asked != 1 {
			t.Errorf("%q: asked %d times at rest", backend, asked)
		}
		mu.Unlock()
		if err := os.MkdirAll(filepath.Dir(r.root), 0o755); err != nil {
			t.Fatal(err)
		}
		r.mkdir()
		r.write("x", "new.txt")
		r.awaitPath(filepath.Join(r.root, "new.txt"))
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestDownloadsAbove: the folder that homes lie in is among them, and no home that
// has all it is to have.
func TestDownloadsAbove(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	if !slices.Contains(homeDirs(), home) {
		t.Skip("NOT TESTED: this system does not take a home from the environment")
	}
	if above := DownloadsAbove(); !slices.Contains(above, home) || !slices.Contains(above, filepath.Dir(home)) {
		t.Errorf("%q", above)
	}
	for _, dir := range usualFolders(home) {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if above := DownloadsAbove(); slices.Contains(above, home) || !slices.Contains(above, filepath.Dir(home)) {
		t.Errorf("with all folders: %q", above)
	}
}
