package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"
)

// opened is what Open found out about a log.
type opened struct {
	Held       []held
	Seq        uint64
	Head       digest
	Tip        checkpoint
	Settled    uint64
	Acked      uint64
	Dropped    map[string]uint64
	UIDs       map[[uidSize]byte]struct{}
	TornBytes  int64
	CursorGone bool
}

func findings(l *Log) opened {
	tip := l.tip
	tip.UIDs, tip.Sum = 0, 0
	return opened{l.held, l.seq, l.head, tip, l.cur.Seq, l.cur.Acked, l.cur.Dropped, uidsOf(l.seen), l.recovery.TornBytes, l.recovery.CursorReset}
}

// uidsOf is what a set has.
func uidsOf(s *uidSet) map[[uidSize]byte]struct{} {
	out := map[[uidSize]byte]struct{}{}
	for _, k := range s.ring {
		if s.hasKey(k) {
			out[k] = struct{}{}
		}
	}
	return out
}

// copyState copies a state folder as a crash would leave it.
func copyState(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
	return to
}

// changeCursor writes the cursor anew as somebody would who knows the format.
func changeCursor(t *testing.T, dir string, change func(*cursor)) {
	t.Helper()
	path := filepath.Join(dir, cursorName)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseCursor(data)
	if err != nil {
		t.Fatal(err)
	}
	change(&c)
	if data, err = c.encode(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// openBothWays opens two copies of a state folder, one from its checkpoint and
// one without, and holds what was found against each other.
func openBothWays(t *testing.T, dir, what string, opts Options) *Log {
	t.Helper()
	whole := copyState(t, dir)
	changeCursor(t, whole, func(c *cursor) { c.Mark = nil })
	short, long := openTest(t, copyState(t, dir), opts), openTest(t, whole, opts)
	if got, want := findings(short), findings(long); !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: from the checkpoint %+v\nread whole %+v", what, got, want)
	}
	return short
}

// marked is a log of several files with a checkpoint at the given record, and
// some settled.
func marked(t *testing.T, opts Options, records, mark int) string {
	t.Helper()
	dir := t.TempDir()
	l := openTest(t, dir, opts)
	for i := range records {
		mustAppend(t, l, numbered(i))
		if i+1 == mark {
			items, err := l.pending(mark/2, maxBatchSize)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.settle(items, make([]outcome, len(items))); err != nil {
				t.Fatal(err)
			}
			l.checkpoint()
		}
	}
	return copyState(t, dir) // never closed
}

func TestCheckpointFindsWhatTheWholeLogSays(t *testing.T) {
	t.Parallel()
	opts := Options{MaxFile: 16 << 10}
	for _, mark := range []int{2, 12, 13, 20, 23, 24} { // four records are in a file
		dir := marked(t, opts, 24, mark)
		l := openBothWays(t, dir, fmt.Sprint("checkpoint at ", mark), opts)
		if l.unread.Seq != uint64(mark) || l.Recovered() != (Recovery{}) {
			t.Errorf("checkpoint at %d: read from %d on, %+v", mark, l.unread.Seq, l.Recovered())
		}
		if ok, err := l.Append(numbered(0)); ok || err != nil {
			t.Errorf("checkpoint at %d: a known record was taken: %v, %v", mark, ok, err)
		}
		mustAppend(t, l, numbered(99))
		settleAll(t, l)
		if c := balance(t, l); c.Acked != 25 {
			t.Errorf("checkpoint at %d: %+v", mark, c)
		}
	}
}

func TestCheckpointAndTornTail(t *testing.T) {
	dir := marked(t, Options{}, 6, 3)
	appendBytes(t, filepath.Join(dir, activeName), []byte(`{"half a line`))
	if l := openBothWays(t, dir, "torn tail", Options{}); l.unread.Seq != 3 || l.Recovered().TornBytes != 13 {
		t.Errorf("read from %d on, %+v", l.unread.Seq, l.Recovered())
	}
}

// TestOpenCostsWhatIsNew: what is read grows with what was written since the
// last checkpoint, however long the log is.
func TestOpenCostsWhatIsNew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openTest(t, dir, Options{MaxFile: 256 << 10})
	for i := 0; l.total() < 4*checkpointEvery; i++ {
		mustAppend(t, l, numbered(i))
	}
	total := l.total()
	l = openTest(t, copyState(t, dir), Options{MaxFile: 256 << 10})
	if l.unread.Seq == 0 || l.unmarked > checkpointEvery+MaxRecord {
		t.Errorf("of %d bytes %d were read, from line %d on", total, l.unmarked, l.unread.Seq)
	}
	l.Close()
	l = openTest(t, l.root.Name(), Options{MaxFile: 256 << 10})
	if l.unmarked != 0 {
		t.Errorf("after a clean end %d bytes were read", l.unmarked)
	}
}

// TestCheckpointOutlivesItsFile: the file that it stands in is deleted when the
// collector has it.
func TestCheckpointOutlivesItsFile(t *testing.T) {
	opts := Options{MaxFile: 8 << 10, MaxTotal: 64 << 10}
	dir := t.TempDir()
	l := openTest(t, dir, opts)
	for i := range 60 {
		mustAppend(t, l, numbered(i))
		if i == 0 {
			l.checkpoint()
		}
		settleAll(t, l)
		if i%10 == 9 {
			again := openTest(t, copyState(t, dir), opts)
			if again.Recovered() != (Recovery{}) || again.seq != l.seq || again.head != l.head || len(uidsOf(again.seen)) != i+1 {
				t.Fatalf("record %d: %+v, line %d, %d uids", i, again.Recovered(), again.seq, len(uidsOf(again.seen)))
			}
		}
	}
	if l.held[0].first == 1 || l.cur.Mark == nil || l.cur.Mark.Seq == 1 {
		t.Errorf("the log begins with %d, the checkpoint is %+v", l.held[0].first, l.cur.Mark)
	}
}

// TestCheckpointThatLies: a checkpoint that does not fit costs time and nothing
// else.
func TestCheckpointThatLies(t *testing.T) {
	t.Parallel()
	opts := Options{MaxFile: 16 << 10}
	lies := map[string]func(*checkpoint){
		"other line":    func(c *checkpoint) { c.Seq-- },
		"other hash":    func(c *checkpoint) { c.Hash = digest{1}.String() },
		"other file":    func(c *checkpoint) { c.File = rotatedName(1) },
		"no such file":  func(c *checkpoint) { c.File = rotatedName(77) },
		"shifted":       func(c *checkpoint) { c.Start++; c.End++ },
		"too long":      func(c *checkpoint) { c.End++ },
		"too short":     func(c *checkpoint) { c.Start++ },
		"far behind":    func(c *checkpoint) { c.Start += 1 << 40; c.End += 1 << 40 },
		"fewer uids":    func(c *checkpoint) { c.UIDs -= uidSize },
		"more uids":     func(c *checkpoint) { c.UIDs += uidSize },
		"other uids":    func(c *checkpoint) { c.Sum++ },
		"negative":      func(c *checkpoint) { c.Start = -c.Start },
		"huge":          func(c *checkpoint) { c.Start = 0; c.End = 1 << 60 },
		"hash of words": func(c *checkpoint) { c.Hash = "none" },
	}
	honest := marked(t, opts, 20, 18)
	for name, lie := range lies {
		dir := copyState(t, honest)
		changeCursor(t, dir, func(c *cursor) { lie(c.Mark) })
		if l := openBothWays(t, dir, name, opts); l.unread.Seq != 0 {
			t.Errorf("%s: it was believed", name)
		}
	}
}

// TestCheckpointOfALineThatWasNeverPromised: the file that follows begins with
// the number of the checkpoint again.
func TestCheckpointOfALineThatWasNeverPromised(t *testing.T) {
	dir := marked(t, Options{}, 5, 5)
	old := filepath.Join(dir, activeName)
	lines := fileLines(t, old)
	if err := os.Rename(old, filepath.Join(dir, rotatedName(1))); err != nil {
		t.Fatal(err)
	}
	again := forge(t, lines[4], func(r *Record) { r.Message = "the same number again" })
	if err := os.WriteFile(old, again, 0o600); err != nil {
		t.Fatal(err)
	}
	if l := openBothWays(t, dir, "same number", Options{}); !l.Recovered().CheckpointReset {
		t.Errorf("%+v", l.Recovered())
	}
}

// TestOneByteBeforeTheCheckpoint damages the log where Open does not read: one
// record at most is lost, and it is told by the delivery and by Review.
func TestOneByteBeforeTheCheckpoint(t *testing.T) {
	t.Parallel()
	opts := Options{MaxFile: 16 << 10}
	const records = 16
	dir := marked(t, opts, records, records)
	for _, name := range []string{rotatedName(1), activeName} {
		path := filepath.Join(dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(good); i += 1499 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << (i % 8)
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			damagedBefore(t, copyState(t, dir), fmt.Sprint(name, " byte ", i), opts, records)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func damagedBefore(t *testing.T, dir, what string, opts Options, records uint64) {
	t.Helper()
	l := openTest(t, dir, opts)
	defer l.Close()
	if l.unread.Seq != 0 {
		if n, err := l.review(context.Background(), 0); n != 1 || err != nil {
			t.Fatalf("%s: Review = %d, %v", what, n, err)
		}
	}
	if r := l.Recovered(); r.Corrupt != 1 {
		t.Fatalf("%s: %+v", what, r)
	}
	if ok, err := l.Append(numbered(3)); ok || err != nil {
		t.Fatalf("%s: a known record was taken: %v, %v", what, ok, err)
	}
	mustAppend(t, l, numbered(99))
	settleAll(t, l)
	if c := balance(t, l); c.Created != records+1 || c.Acked < records {
		t.Fatalf("%s: %+v", what, c)
	}
}

// TestOneByteOfTheCheckpoint damages the cursor's file, which holds it, and the
// index that it vouches for.
func TestOneByteOfTheCheckpoint(t *testing.T) {
	t.Parallel()
	opts := Options{MaxFile: 16 << 10}
	dir := marked(t, opts, 16, 14)
	want := findings(openTest(t, copyState(t, dir), opts))
	for _, name := range []string{cursorName, uidsName} {
		path := filepath.Join(dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(good); i += 29 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << (i % 8)
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			l := openTest(t, copyState(t, dir), opts)
			r, got := l.Recovered(), findings(l)
			if name == cursorName && r.CursorReset { // everything held is sent again
				got.Settled, got.Acked, got.CursorGone = want.Settled, want.Acked, false
			}
			if !reflect.DeepEqual(got, want) || r.CursorReset == r.CheckpointReset && bad[i] != '\n' {
				t.Fatalf("%s byte %d: %+v, %+v\nwant %+v", name, i, r, got, want)
			}
			l.Close()
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{cursorName, uidsName} {
		dir := copyState(t, dir)
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		l := openTest(t, dir, opts)
		if got := findings(l); got.Seq != want.Seq || got.Head != want.Head || !reflect.DeepEqual(got.UIDs, want.UIDs) || l.unread.Seq != 0 {
			t.Errorf("without %s: %+v", name, got)
		}
	}
}

func TestReviewEndsWithItsContext(t *testing.T) {
	dir := marked(t, Options{}, 3, 3)
	l := openTest(t, dir, Options{})
	ctx, stop := context.WithCancel(context.Background())
	stop()
	in := &paced{bytes.NewReader(make([]byte, 4<<20)), ctx, 1 << 40, 0}
	if err := new(reviewer).file(in, 0); err == nil {
		t.Error("it read on")
	}
	if n, err := l.Review(context.Background()); n != 0 || err != nil {
		t.Errorf("Review of a whole log = %d, %v", n, err)
	}
}

func TestUIDIndexIsWrittenAnew(t *testing.T) {
	l := openTest(t, t.TempDir(), Options{})
	s := newUIDSet(4)
	for i := range 11 {
		s.add(fmt.Sprint(i))
		if i%5 == 0 {
			if _, _, err := s.save(l.root); err != nil {
				t.Fatal(err)
			}
		}
	}
	size, sum, err := s.save(l.root)
	if err != nil {
		t.Fatal(err)
	}
	again := newUIDSet(4)
	if err := again.load(l.root, size, sum); err != nil || !maps.Equal(uidsOf(again), uidsOf(s)) {
		t.Errorf("the index holds %d uids, %v", len(uidsOf(again)), err)
	}
}

// FuzzCheckpoint opens a log with any checkpoint that has a fitting checksum.
func FuzzCheckpoint(f *testing.F) {
	good, _ := json.Marshal(checkpoint{rotatedName(1), 0, 300, 1, digest{}.String(), uidSize, 0})
	f.Add(good, []byte("0123456789abcdef"))
	f.Fuzz(func(t *testing.T, mark, uids []byte) {
		dir := t.TempDir()
		smallLog(t, dir, 3)
		var c checkpoint
		if json.Unmarshal(mark, &c) != nil {
			return
		}
		changeCursor(t, dir, func(cur *cursor) { cur.Mark = &c })
		if err := os.WriteFile(filepath.Join(dir, uidsName), uids, 0o600); err != nil {
			t.Fatal(err)
		}
		l := openTest(t, dir, Options{})
		if l.seq != 3 || l.Recovered().Corrupt > 0 {
			t.Errorf("line %d, %+v", l.seq, l.Recovered())
		}
	})
}

// TestSpareFilesMayBeAnything: the index and the reserve make things cheap and
// safe, and whatever stands in their place the log opens, writes and closes.
func TestSpareFilesMayBeAnything(t *testing.T) {
	t.Parallel()
	dir := marked(t, Options{}, 6, 5)
	damages := map[string]func(path string) error{
		"deleted": os.Remove,
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"zeros":   func(path string) error { return os.WriteFile(path, make([]byte, 100), 0o600) },
		"folder":  func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"link":    func(path string) error { return errors.Join(os.Remove(path), os.Symlink("victim", path)) },
	}
	for _, name := range []string{uidsName, reserveName} {
		for what, damage := range damages {
			dir := copyState(t, dir)
			if err := damage(filepath.Join(dir, name)); err != nil {
				if what == "link" && runtime.GOOS == "windows" {
					t.Log("SYMBOLIC LINKS NOT TESTED: making one needs rights on Windows")
					continue
				}
				t.Fatal(err)
			}
			for n := range 2 {
				l := openTest(t, dir, Options{})
				if ok, err := l.Append(numbered(3)); ok || err != nil {
					t.Errorf("%s %s: a known record was taken: %v, %v", name, what, ok, err)
				}
				mustAppend(t, l, numbered(90+n))
				if c := balance(t, l); c.Created != uint64(7+n) || l.Recovered().Corrupt > 0 {
					t.Errorf("%s %s: %+v, %+v", name, what, c, l.Recovered())
				}
				if err := l.Close(); err != nil {
					t.Errorf("%s %s: %v", name, what, err)
				}
			}
			if _, err := os.Lstat(filepath.Join(dir, "victim")); err == nil {
				t.Errorf("%s %s: it was written through", name, what)
			}
		}
	}
}
