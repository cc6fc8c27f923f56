package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"meetguard"
)

// patience is how long a test waits for what must come, on a busy machine.
const patience = 2 * time.Minute

// seen collects events.
type seen struct {
	mu     sync.Mutex
	events []meetguard.Event
	count  map[string]int
	slow   bool
	calls  atomic.Int64
	judge  func(path string)
}

func (s *seen) emit(ctx context.Context, e meetguard.Event) error {
	if s.slow && s.calls.Add(1)%10 == 0 { // every time would take ten times the timer's millisecond
		time.Sleep(time.Millisecond)
	}
	if s.judge != nil {
		s.judge(e.Path)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	s.count[e.Path]++
	return ctx.Err()
}

func (s *seen) of(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[path]
}

func (s *seen) paths() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.count)
}

// all returns the paths and how often each came, for a failure message.
func (s *seen) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for path, n := range s.count {
		fmt.Fprintf(&b, "\n\t%d × %q", n, path)
	}
	return b.String()
}

// rig is a Files that runs for a test.
type rig struct {
	*testing.T
	*seen
	files *Files
	root  string
	stop  func()
}

// watchFolder runs Files over a new folder. prepare may change it before.
func watchFolder(t *testing.T, backend string, prepare func(*rig)) *rig {
	t.Helper()
	return watchFolderIn(t, scratch(t), backend, prepare)
}

// watchFolderIn does so in dir.
func watchFolderIn(t *testing.T, dir, backend string, prepare func(*rig)) *rig {
	t.Helper()
	r := &rig{T: t, seen: &seen{count: map[string]int{}}, root: filepath.Join(dir, "Downloads")}
	r.mkdir()
	r.restart(FilesConfig{Backend: backend}, prepare)
	return r
}

func (r *rig) restart(cfg FilesConfig, prepare func(*rig)) {
	r.Helper()
	cfg.Fixed, cfg.Roots = true, func() []string { return []string{r.root} }
	files, err := NewFiles(cfg)
	if err != nil {
		r.Fatal(err)
	}
	r.files = files
	if prepare != nil {
		prepare(r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- files.Run(ctx, r.emit) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			r.Errorf("Run: %v", err)
		}
	})
	r.Cleanup(r.stop)
	<-files.Ready()
}

func (r *rig) path(name ...string) string {
	return filepath.Join(append([]string{r.root}, name...)...)
}

func (r *rig) mkdir(name ...string) string {
	r.Helper()
	dir := r.path(name...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		r.Fatal(err)
	}
	return dir
}

func (r *rig) write(content string, name ...string) string {
	r.Helper()
	path := r.path(name...)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		r.Fatal(err)
	}
	return path
}

// await waits until ok holds.
func (r *rig) await(what string, ok func() bool) {
	r.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("%s: not in %v; counters %+v, events:%s", what, patience, r.files.Counters(), r.all())
		}
	}
}

func (r *rig) awaitPath(path string) {
	r.Helper()
	r.await(fmt.Sprintf("event of %q", path), func() bool { return r.of(path) > 0 })
}

// fence waits until everything that was done before has been looked at: the
// reader and the set between are first in, first out but for what settles.
func (r *rig) fence() {
	r.Helper()
	r.write("fence", "fence")
	r.awaitPath(r.path("fence"))
	r.await("nothing pending", func() bool {
		c := r.files.Counters()
		return c.Pending+c.InHand == 0
	})
}

// exactly fails unless these paths, and the fence, came once each.
func (r *rig) exactly(paths ...string) {
	r.Helper()
	r.fence()
	for _, path := range paths {
		if n := r.of(path); n != 1 {
			r.Errorf("%q came %d times, want once", path, n)
		}
	}
	if r.paths() != len(paths)+1 {
		r.Errorf("%d paths came, want %d:%s", r.paths()-1, len(paths), r.all())
	}
}

// eachBackend runs a test with every backend of this system.
func eachBackend(t *testing.T, test func(t *testing.T, backend string)) {
	for _, name := range backends {
		if name != "" {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, name)
			})
		}
	}
}

// pauses counts how often somebody who writes in parts was held up for as long as
// proves quiet: what he writes then comes again, with reason.
type pauses struct {
	quiet time.Duration
	from  time.Time // when the part before began
	n     int
}

// part writes one part.
func (p *pauses) part(write func()) {
	const coarse = 50 * time.Millisecond // the times of files are a little behind
	began := time.Now()
	write()
	if !p.from.IsZero() && time.Since(p.from) >= p.quiet-coarse {
		p.n++
	}
	p.from = began
}

// unpaused fails unless this path alone came, and the fence, and not more often
// than once and once after each pause.
func (r *rig) unpaused(path string, p pauses) {
	r.Helper()
	r.fence()
	if n := r.of(path); n < 1 || n > 1+p.n || r.paths() != 2 {
		r.Errorf("after %d pauses there came:%s", p.n, r.all())
	}
}

func TestSlowWriteComesOnce(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, backend string) {
		r := watchFolder(t, backend, nil)
		path := r.path("setup.bin")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		p := pauses{quiet: quietWrite}
		for range 5 {
			p.part(func() { fmt.Fprint(f, "a part of the file") })
			time.Sleep(20 * time.Millisecond)
		}
		p.part(func() { f.Close() })
		r.awaitPath(path)
		r.unpaused(path, p)
	})
}

func TestDownloadComesUnderItsFinalName(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, backend string) {
		r := watchFolder(t, backend, nil)
		for _, suffix := range []string{".crdownload", ".part", ".PARTIAL", ".download", ".opdownload", ".tmp"} {
			final := r.path("meeting" + suffix[1:2] + suffix[len(suffix)-3:])
			r.write("", filepath.Base(final)) // Firefox makes an empty file of the final name first
			if err := os.Rename(r.write("content", "x"+suffix), final); err != nil {
				t.Fatal(err)
			}
			r.awaitPath(final)
		}
		r.write("left over", "~$letter.docx")
		r.write("left over", "desktop.ini")
		r.write("left over", "half.crdownload")
		r.fence()
		if r.paths() != 7 {
			t.Errorf("%d paths, want 6 and the fence:%s", r.paths(), r.all())
		}
		for path, n := range r.count {
			if n != 1 {
				t.Errorf("%q came %d times", path, n)
			}
		}
	})
}

func TestMovedIn(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, backend string) {
		r := watchFolderIn(t, t.TempDir(), backend, nil)
		aside := filepath.Join(filepath.Dir(r.root), "aside")
		if err := os.MkdirAll(filepath.Join(aside, "deep"), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"one", "deep/two"} {
			if err := os.WriteFile(filepath.Join(aside, name), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Rename(filepath.Join(aside, "one"), r.path("one")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(aside, "deep"), r.path("deep")); err != nil {
			t.Fatal(err)
		}
		r.awaitPath(r.path("one"))
		r.awaitPath(r.path("deep", "two"))
		later := r.write("in a folder that moved in", "deep", "three")
		r.awaitPath(later)
		if err := os.Rename(r.path("deep"), r.path("renamed")); err != nil {
			t.Fatal(err)
		}
		r.awaitPath(r.path("renamed", "two"))
		r.awaitPath(r.write("in a folder that was renamed", "renamed", "four"))
		r.exactly(r.path("one"), r.path("deep", "two"), later,
			r.path("renamed", "two"), r.path("renamed", "three"), r.path("renamed", "four"))
	})
}

func TestUnpackedTree(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, backend string) {
		r := watchFolder(t, backend, nil)
		const dirs, files = 300, 20
		for d := range dirs {
			name := fmt.Sprintf("tree/%d/%d/leaf", d%7, d)
			r.mkdir(name)
			for i := range files {
				r.write("x", name, fmt.Sprint(i))
			}
		}
		r.await("whole tree", func() bool { return r.paths() == dirs*files })
	})
}

func TestRewriteComesAgain(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, backend string) {
		r := watchFolder(t, backend, nil)
		path := r.write("clean", "a.sh")
		r.awaitPath(path)
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(f, "other")
		f.Close()
		r.await("second event", func() bool { return r.of(path) == 2 })
		if f, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
			t.Fatal(err)
		}
		f.Close() // a close without a write changes nothing
		r.fence()
		if n := r.of(path); n != 2 {
			t.Errorf("%d events, want 2", n)
		}
	})
}

func TestBundleIsOneEvent(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, backend string) {
		r := watchFolder(t, backend, nil)
		r.mkdir("sub", "Zoom.app", "Contents", "MacOS")
		p := pauses{quiet: quietBundle}
		for i := range 50 {
			p.part(func() { r.write("x", "sub", "Zoom.app", "Contents", "MacOS", fmt.Sprint(i)) })
			time.Sleep(2 * time.Millisecond)
		}
		bundle := r.path("sub", "Zoom.app")
		r.awaitPath(bundle)
		r.unpaused(bundle, p)
		before := r.of(bundle)
		id, err := Identify(bundle)
		if err != nil {
			t.Fatal(err)
		}
		r.write("changed", "sub", "Zoom.app", "Contents", "MacOS", "7")
		r.await("another event", func() bool { return r.of(bundle) == before+1 })
		if after, _ := Identify(bundle); after == id {
			t.Error("the identity of a bundle does not show a change in its depth")
		}
		r.awaitPath(r.write("a file, whatever its name", "plain.app"))
	})
}

// intruder is a backend that lets something happen whenever a folder is watched.
type intruder struct {
	backend
	act func()
}

func (i *intruder) watch(string, bool) error {
	i.act()
	return nil
}

// A bundle that is written to while it is surveyed is not quiet.
func TestBundleIsWrittenDuringTheLook(t *testing.T) {
	r := &rig{T: t, seen: &seen{count: map[string]int{}}, root: filepath.Join(t.TempDir(), "Downloads")}
	bundle := r.mkdir("Zoom.app")
	files, err := NewFiles(FilesConfig{Fixed: true, Roots: func() []string { return []string{r.root} }})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	files.emit, files.backend = r.emit, &intruder{newBlind(nil), func() {
		for fi, err := os.Stat(r.write("x", "Zoom.app", "main")); err == nil && !fi.ModTime().After(began.Add(time.Millisecond)); {
			fi, err = os.Stat(r.write("x", "Zoom.app", "main"))
		}
	}}
	fi, err := os.Lstat(bundle)
	if err != nil {
		t.Fatal(err)
	}
	h := &hint{root: r.root, path: bundle, seen: began, quiet: quietBundle}
	if err := files.lookBundle(t.Context(), r.root, h, fi); err != nil || r.of(bundle) != 0 || files.Counters().Pending != 1 {
		t.Errorf("%v, counters %+v, came:%s", err, files.Counters(), r.all())
	}
}

func TestBurstWithSlowConsumer(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, backend string) {
		r := watchFolder(t, backend, func(r *rig) { r.slow = true })
		files := map[string]int{nameFsnotify: 2000}[backend] // fsnotify costs five times the CPU
		if files == 0 {
			files = 10_000
		}
		for i := range files {
			r.write("x", fmt.Sprint(i))
		}
		r.await("burst", func() bool { return r.paths() == files })
		if c := r.files.Counters(); c.Dropped > 0 {
			t.Errorf("counters %+v", c)
		}
	})
}

func TestNoRoomInPendingSet(t *testing.T) {
	t.Parallel()
	r := watchFolder(t, "", func(r *rig) { r.slow, r.files.pending.most = true, 2 })
	const files = 500
	for i := range files {
		r.write("x", fmt.Sprint(i))
	}
	r.await("burst", func() bool { return r.paths() == files })
	if c := r.files.Counters(); c.Dropped == 0 || c.Relists == 0 {
		t.Errorf("nothing was dropped, the test shows nothing: %+v", c)
	}
}

func TestRestartWithJournal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func() *Journal {
		j, err := OpenJournal(dir)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	journal := open()
	r := &rig{T: t, seen: &seen{count: map[string]int{}}, root: filepath.Join(t.TempDir(), "Downloads")}
	r.judge = func(path string) {
		id, err := Identify(path)
		if err == nil {
			err = journal.Record(path, id)
		}
		if err != nil {
			t.Error(err)
		}
	}
	r.mkdir("sub", "A.app")
	before := []string{r.write("x", "one"), r.write("x", "sub", "two"), r.path("sub", "A.app")}
	r.write("x", "sub", "A.app", "main")
	r.restart(FilesConfig{Known: journal.Known}, nil)
	for _, path := range before {
		r.awaitPath(path)
	}
	r.stop()
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}

	r.seen.count = map[string]int{}
	journal = open()
	defer journal.Close()
	fresh, changed := r.write("x", "sub", "three"), r.write("y", "one")
	r.restart(FilesConfig{Known: journal.Known}, nil)
	r.awaitPath(fresh)
	r.awaitPath(changed)
	r.exactly(fresh, changed)
}

func TestRootRemovedAndRecreated(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, backend string) {
		r := watchFolderIn(t, t.TempDir(), backend, nil)
		r.mkdir("sub")
		r.awaitPath(r.write("x", "sub", "one"))
		state := func() string { return string(r.files.Status()[0].State) }
		steps := []struct {
			name string
			act  func() error
		}{
			{"removed", func() error { return os.RemoveAll(r.root) }},
			{"moved away", func() error { return os.Rename(r.root, r.root+".old") }},
			{"removed with its parents", func() error { return os.RemoveAll(filepath.Dir(r.root)) }},
		}
		for i, step := range steps {
			if err := step.act(); err != nil {
				t.Fatal(err)
			}
			r.await(step.name, func() bool { return state() == "failed" })
			r.mkdir("sub")
			r.awaitPath(r.write("x", "sub", fmt.Sprint("again", i)))
			r.awaitPath(r.write("x", fmt.Sprint("root", i)))
			r.await("healthy again", func() bool { return state() == "ok" })
		}
	})
}

func TestFixedRootMustExist(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file\x1b[2J")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{file, file + "-missing"} {
		_, err := NewFiles(FilesConfig{Fixed: true, Roots: func() []string { return []string{root} }})
		if err == nil || !strings.Contains(err.Error(), "file") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: error %v", root, err)
		}
	}
	if _, err := NewFiles(FilesConfig{Backend: "none", Roots: func() []string { return nil }}); err == nil {
		t.Error("an unknown backend is taken")
	}
}

func TestWatchLimit(t *testing.T) {
	t.Parallel()
	r := watchFolder(t, "", func(r *rig) { r.files.watches = 3 })
	for i := range 5 {
		r.mkdir(fmt.Sprint(i))
	}
	r.await("degraded", func() bool { return r.files.Status()[0].State == meetguard.SourceDegraded })
	for i := range 5 {
		r.write("x", fmt.Sprint(i), "file")
	}
	r.files.pending.mark(r.root, true) // what upkeep does after a while
	for i := range 5 {
		r.awaitPath(r.path(fmt.Sprint(i), "file"))
	}
}

func TestNewRootIsTakenIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	roots := []string{filepath.Join(dir, "a"), filepath.Join(dir, "a", "inner"), filepath.Join(dir, "later")}
	files, err := NewFiles(FilesConfig{Roots: func() []string { return roots }})
	if err != nil {
		t.Fatal(err)
	}
	if got := *files.roots.Load(); len(got) != 2 {
		t.Errorf("roots %q, want the outermost two", got)
	}
	r := &rig{T: t, seen: &seen{count: map[string]int{}}, files: files, root: roots[2]}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- files.Run(ctx, r.emit) }()
	<-files.Ready()
	if s := files.Status()[0]; s.State != meetguard.SourceFailed {
		t.Errorf("no root exists and the state is %+v", s)
	}
	r.mkdir()
	r.awaitPath(r.write("x", "file"))
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
