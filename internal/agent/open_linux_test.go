package agent

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"meetguard"
)

// Both ways to open give the same on every kind of path.
func TestOpenStrict(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "a", "b", "file"), []byte("inert"))
	for name, to := range map[string]string{"link": "a", "a/up": "../a", "a/b/last": "file", "dangling": "none"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for path, want := range map[string]error{
		dir + "/a/b/file": nil, "a/b/file": nil, "./a//b/../b/file": nil, dir + "/a": nil, "/": nil, ".": nil,
		dir + "/link/b/file": unix.ELOOP, "link/b/file": unix.ELOOP, dir + "/a/up/b/file": unix.ELOOP, dir + "/a/b/last": unix.ELOOP, "dangling": unix.ELOOP,
		dir + "/none/file": unix.ENOENT, dir + "/a/b/file/more": unix.ENOTDIR, dir + "/a/b/none": unix.ENOENT,
	} {
		for name, open := range map[string]func(string, int) (int, error){"at once": openStrict, "step by step": stepwise} {
			fd, err := open(path, readOnly)
			if err == nil {
				unix.Close(fd)
			}
			if !errors.Is(err, want) {
				t.Errorf("%s, %s: %v, want %v", path, name, err, want)
			}
		}
	}
}

// Links that somebody means are followed: on the way to a named folder, and on
// the way of a launch.
func TestOpenBehindMeantLinks(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "disk", "Downloads", "in", "lure.sh"), []byte(TestLure))
	for name, to := range map[string]string{"home": "disk", "disk/Downloads/inner": "in"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	in := inspector(t, workerArg)
	root := filepath.Join(dir, "home", "Downloads")
	in.folders = func() []string { return []string{dir + "/elsewhere", root + "/"} }
	if f, _, err := in.Inspect(context.Background(), root+"/in/lure.sh"); err != nil || f.SHA256 == "" || f.Path != root+"/in/lure.sh" {
		t.Errorf("behind the link to the named folder: %+v, %v", f, err)
	}
	if f, _, err := in.Inspect(context.Background(), root+"/inner/lure.sh"); err != nil || f.SHA256 != "" || len(f.Gaps) == 0 {
		t.Errorf("behind a link below the named folder: %+v, %v", f, err)
	}
	for range 2 { // looked at, and known
		if f, _, err := in.Known(context.Background(), root+"/inner/lure.sh"); err != nil || f.SHA256 == "" || f.Path != root+"/inner/lure.sh" {
			t.Errorf("launched by way of a link: %+v, %v", f, err)
		}
	}
	var units []Unit
	if err := in.Scan(context.Background(), []string{filepath.Join(dir, "home", "Downloads")}, 1, func(u []Unit) error { units = append(units, u...); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(units) != 1 || units[0].Level == meetguard.Incomplete {
		t.Errorf("a scan behind a link: %+v", units)
	}
}

// swapping is a folder in which one name changes its meaning all the time.
type swapping struct {
	path   string // what is opened
	names  [2]string
	inside map[uint64]string // inode ─► content of what may be found at the path
}

// attack exchanges the names of each, one after another, until stop.
func attack(all []swapping, stop *atomic.Bool, swaps *atomic.Int64) {
	runtime.LockOSThread()
	for i := 0; !stop.Load(); i++ {
		s := all[i%len(all)]
		if unix.Renameat2(unix.AT_FDCWD, s.names[0], unix.AT_FDCWD, s.names[1], unix.RENAME_EXCHANGE) == nil {
			swaps.Add(1)
		}
	}
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// swaps are the three primitives: a folder and a link to another one, a file and
// a link to another one, a file and a hard link to another one.
func swaps(t *testing.T, dir string) map[string]swapping {
	t.Helper()
	link := func(make func(string, string) error, from, to string) {
		if err := make(from, to); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	put(t, at("outside/file"), []byte("outside"))
	put(t, at("watched/folder/file"), []byte("in the folder"))
	link(os.Symlink, at("outside"), at("watched/folder-link"))
	put(t, at("watched/file"), []byte("the file"))
	link(os.Symlink, at("outside/file"), at("watched/file-link"))
	put(t, at("watched/hard"), []byte("the hard one"))
	put(t, at("watched/other"), []byte("the other"))
	link(os.Link, at("watched/other"), at("watched/hard-link"))
	return map[string]swapping{
		"folder and link": {at("watched/folder/file"), [2]string{at("watched/folder"), at("watched/folder-link")},
			map[uint64]string{inode(t, at("watched/folder/file")): "in the folder"}},
		"file and link": {at("watched/file"), [2]string{at("watched/file"), at("watched/file-link")},
			map[uint64]string{inode(t, at("watched/file")): "the file"}},
		"file and hard link": {at("watched/hard"), [2]string{at("watched/hard"), at("watched/hard-link")},
			map[uint64]string{inode(t, at("watched/hard")): "the hard one", inode(t, at("watched/other")): "the other"}},
	}
}

// tally is what came of opening under attack.
type tally struct{ opens, refused, escapes, wrong int }

func (r *tally) count(s swapping, ino uint64, content string) {
	switch want, known := s.inside[ino]; {
	case !known:
		r.escapes++
	case content != want:
		r.wrong++
	}
}

// TestSwapAttack opens files while somebody exchanges what their names mean. An
// escape is content from outside, a wrong attribution is content that is told of
// another file. The control opens as programs do that guard the last element
// only, and has to be fooled: else nothing was attacked.
func TestSwapAttack(t *testing.T) {
	opens, minimum, threads := 12_000, time.Duration(0), 1
	if os.Getenv("MEETGUARD_LONG") != "" {
		opens, minimum, threads = 1_000_000, time.Minute, 3
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	all := swaps(t, dir)
	in := &Inspector{folders: func() []string { return []string{filepath.Join(dir, "watched")} }}
	var stop atomic.Bool
	var swapped atomic.Int64
	attackers := make(chan struct{})
	for part := range slices.Chunk(slices.Collect(maps.Values(all)), len(all)/threads) {
		go func() { attack(part, &stop, &swapped); attackers <- struct{}{} }()
	}
	var sum, fooled tally
	none := func() bool { return sum.refused == 0 || sum.refused == sum.opens || fooled.escapes == 0 }
	began := time.Now()
	for sum.opens < opens || time.Since(began) < minimum || none() && time.Since(began) < time.Minute { // the attackers may get their turn late
		for _, s := range all {
			sum.opens++
			if o, _ := in.openUnit(s.path, nil); o == nil {
				sum.refused++
			} else {
				sum.count(s, o.id.Ino, string(o.content))
				o.close()
			}
			careless(s, &fooled)
		}
	}
	stop.Store(true)
	for range threads {
		<-attackers
	}
	t.Logf("%d opens, %d refused, %d escapes, %d wrong attributions, during %d exchanges; the control: %d opens, %d escapes",
		sum.opens, sum.refused, sum.escapes, sum.wrong, swapped.Load(), fooled.opens, fooled.escapes)
	if sum.escapes+sum.wrong > 0 {
		t.Errorf("%d escapes and %d wrong attributions", sum.escapes, sum.wrong)
	}
	if none() {
		t.Error("there was no attack worth the name")
	}
}

func careless(s swapping, r *tally) {
	r.opens++
	f, err := os.OpenFile(s.path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer f.Close()
	var st unix.Stat_t
	content, err := io.ReadAll(f)
	if err == nil && unix.Fstat(int(f.Fd()), &st) == nil {
		r.count(s, st.Ino, string(content))
	}
}
