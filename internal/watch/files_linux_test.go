package watch

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

func TestHardLinkComes(t *testing.T) {
	t.Parallel()
	r := watchFolder(t, nameInotify, nil)
	aside := filepath.Join(filepath.Dir(r.root), "aside")
	if err := os.WriteFile(aside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(aside, r.path("linked")); err != nil {
		t.Fatal(err)
	}
	r.awaitPath(r.path("linked"))
	r.exactly(r.path("linked"))
}

// What is looked at waits no more: whoever asks meanwhile whether anything waits
// behind it, to put it aside if so, gets no for an answer if nothing does.
func TestWhatIsInHandDoesNotWait(t *testing.T) {
	t.Parallel()
	var at atomic.Pointer[FileCounters]
	r := watchFolder(t, nameInotify, func(r *rig) {
		r.judge = func(string) {
			c := r.files.Counters()
			at.CompareAndSwap(nil, &c)
		}
	})
	aside := filepath.Join(filepath.Dir(r.root), "aside")
	if err := os.WriteFile(aside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(aside, r.path("alone")); err != nil {
		t.Fatal(err)
	}
	r.awaitPath(r.path("alone"))
	if c := at.Load(); c.Pending != 0 || c.InHand != 1 {
		t.Errorf("counters %+v", *c)
	}
	r.exactly(r.path("alone"))
}

// A file made without a name and linked in when complete has one link, and its
// close is told under no name.
func TestUnnamedFileLinkedIn(t *testing.T) {
	t.Parallel()
	r := watchFolder(t, nameInotify, nil)
	fd, err := unix.Open(r.root, unix.O_TMPFILE|unix.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fd, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), unix.AT_FDCWD, r.path("late"), unix.AT_SYMLINK_FOLLOW); err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	r.awaitPath(r.path("late"))
	r.exactly(r.path("late"))
}

func TestMappedWriteComesAtTheClose(t *testing.T) {
	t.Parallel()
	r := watchFolder(t, nameInotify, nil)
	path := r.path("mapped")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(4096); err != nil {
		t.Fatal(err)
	}
	m, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	copy(m, "content")
	if err := unix.Munmap(m); err != nil {
		t.Fatal(err)
	}
	r.awaitPath(path)
}

func TestSpecialFilesDoNotCome(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, backend string) {
		r := watchFolder(t, backend, nil)
		outside := t.TempDir()
		if err := os.WriteFile(filepath.Join(outside, "file"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		made := int64(3)
		for _, err := range []error{
			unix.Mkfifo(r.path("pipe"), 0o600),
			os.Symlink(filepath.Join(outside, "file"), r.path("link")),
			os.Symlink(outside, r.path("folder-link")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := unix.Mknod(r.path("device"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))); err == nil {
			made++
		} else {
			t.Logf("REDUCED: no device could be made: %v", err)
		}
		r.await("special files", func() bool { return r.files.Counters().Special >= made })
		r.exactly()
	})
}

func TestAnyNamePasses(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, backend string) {
		r := watchFolder(t, backend, nil)
		var paths []string
		for _, name := range []string{"new\nline", "\x1b[31mred\x1b[0m", "\xff\xfe\x80", "\u202egpj.exe", " ", "-rf", strings.Repeat("n", 255)} {
			paths = append(paths, r.write("x", name))
			paths = append(paths, filepath.Join(r.mkdir("d"+name[:min(len(name), 250)]), "inner"))
			r.write("x", "d"+name[:min(len(name), 250)], "inner")
		}
		for _, path := range paths {
			r.awaitPath(path)
		}
	})
}

func TestOverflowIsMadeGood(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	var queue int
	if _, scan := fmt.Sscan(string(raw), &queue); err != nil || scan != nil {
		t.Fatal(err, scan)
	}
	var gate sync.Mutex
	r := watchFolder(t, nameInotify, func(r *rig) {
		r.files.pause = func() {
			gate.Lock()
			defer gate.Unlock()
		}
	})
	gate.Lock()
	r.write("x", "first") // the reader is let out of its read, to the gate
	// Two names taken in turn, so that the kernel cannot merge the events, fill
	// the queue without making many files.
	for i := range queue + 1 {
		r.write("", fmt.Sprint("filler", i%2))
	}
	var lost []string
	for i := range 500 {
		lost = append(lost, r.write("x", fmt.Sprint("lost", i)))
	}
	r.mkdir("new")
	lost = append(lost, r.write("x", "new", "file"), r.path("first"))
	gate.Unlock()
	for _, path := range lost {
		r.awaitPath(path)
	}
	if c := r.files.Counters(); c.Overflows == 0 || c.Relists == 0 {
		t.Errorf("counters %+v", c)
	}
	r.awaitPath(r.write("x", "new", "later"))
	r.exactly(append(lost, r.path("new", "later"))...)
}

func TestBlindListsInstead(t *testing.T) {
	t.Parallel()
	r := &rig{T: t, seen: &seen{count: map[string]int{}}, root: filepath.Join(t.TempDir(), "Downloads")}
	r.mkdir("sub")
	early := r.write("x", "sub", "early")
	files, err := NewFiles(FilesConfig{Fixed: true, Roots: func() []string { return []string{r.root} }})
	if err != nil {
		t.Fatal(err)
	}
	files.backend, files.emit = newBlind(fmt.Errorf("no instance left")), r.emit
	files.start(t.Context())
	for n := 0; ; n++ {
		if wait, err := files.work(t.Context(), n); err != nil {
			t.Fatal(err)
		} else if wait < 0 {
			break
		}
	}
	if s := files.Status()[0]; s.State != "degraded" || !strings.Contains(s.Detail, "no instance left") || r.of(early) != 1 {
		t.Errorf("status %+v, events:%s", s, r.all())
	}
}

func TestParseInotify(t *testing.T) {
	event := func(wd int32, mask uint32, name string) []byte {
		var b bytes.Buffer
		padded := name + strings.Repeat("\x00", (16-len(name)%16)%16)
		for _, v := range []uint32{uint32(wd), mask, 0, uint32(len(padded))} {
			b.Write([]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)})
		}
		b.WriteString(padded)
		return b.Bytes()
	}
	raw := slices.Concat(event(1, unix.IN_CREATE, "a"), event(-1, unix.IN_Q_OVERFLOW, ""), event(2, unix.IN_MOVED_TO, "sixteen bytes no"))
	var got []string
	parseInotify(raw, func(e inotifyEvent) { got = append(got, fmt.Sprintf("%d %x %s", e.wd, e.mask, e.name)) })
	if want := []string{"1 100 a", "-1 4000 ", "2 80 sixteen bytes no"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for cut := range raw { // never more than what is there
		parseInotify(raw[:cut], func(inotifyEvent) {})
	}
}

func TestUserFolders(t *testing.T) {
	passwd := "root:x:0:0::/root:/bin/sh\nanna:x:1000:1000:,,,:/home/anna:/bin/sh\nbad:x:y\nsvc:x:999:999::/srv:/bin/false\nnobody:x:65534:65534::/nonexistent:/bin/false\n"
	if got := passwdHomes(strings.NewReader(passwd)); !slices.Equal(got, []string{"/home/anna"}) {
		t.Errorf("homes %q", got)
	}
	settings := "# comment\nXDG_DESKTOP_DIR=\"$HOME/Schreibtisch\"\nXDG_DOWNLOAD_DIR=\"/home/anna/dl\"\nXDG_MUSIC_DIR=\"$HOME/Musik\"\n" +
		"XDG_DOWNLOAD_DIR=\"$HOME/../other/dl\"\nXDG_DOWNLOAD_DIR=\"$HOME/\"\nXDG_DESKTOP_DIR=\"/\"\n"
	want := []string{"/home/anna/Schreibtisch", "/home/anna/dl"}
	if got := userDirs("/home/anna", strings.NewReader(settings)); !slices.Equal(got, want) {
		t.Errorf("folders %q, want %q", got, want)
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	if err := errorsOf(os.Mkdir(filepath.Join(home, "Downloads"), 0o700), os.Mkdir(filepath.Join(home, "dl"), 0o700),
		os.Mkdir(filepath.Join(home, ".config"), 0o700),
		os.WriteFile(filepath.Join(home, ".config", "user-dirs.dirs"), []byte(`XDG_DOWNLOAD_DIR="$HOME/dl"`), 0o600)); err != nil {
		t.Fatal(err)
	}
	got := Downloads()
	for _, name := range []string{"Downloads", "dl"} {
		if !slices.Contains(got, filepath.Join(home, name)) {
			t.Errorf("%q lacks %s", got, name)
		}
	}
	if slices.Contains(got, filepath.Join(home, "Desktop")) {
		t.Errorf("%q names a folder that does not exist", got)
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
