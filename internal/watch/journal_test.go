package watch

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func openJournal(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func identity(i int) Identity { return Identity{Dev: 1, Ino: uint64(i), Size: 5, MTime: 6, CTime: 7} }

func record100(t *testing.T, dir string) string {
	t.Helper()
	j := openJournal(t, dir)
	for i := range 100 {
		if err := j.Record(fmt.Sprint("/p/", i), identity(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, journalName)
}

func known(j *Journal) (n int) {
	for i := range 100 {
		if j.Known(fmt.Sprint("/p/", i), identity(i)) {
			n++
		}
	}
	return n
}

func TestJournalKeeps(t *testing.T) {
	dir := filepath.Join(scratch(t), "state")
	j := openJournal(t, dir)
	id := identity(1)
	if j.Known("/a", id) {
		t.Error("an empty journal knows a file")
	}
	for _, path := range []string{"/a", "/b", "/c"} {
		if err := j.Record(path, id); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Forget("/b"); err != nil {
		t.Fatal(err)
	}
	check := func(j *Journal) {
		t.Helper()
		if !j.Known("/a", id) || j.Known("/b", id) || !j.Known("/c", id) || j.Len() != 2 {
			t.Errorf("a %v, b %v, c %v, %d paths", j.Known("/a", id), j.Known("/b", id), j.Known("/c", id), j.Len())
		}
		for i, other := range []Identity{{2, 1, 5, 6, 7}, {1, 2, 5, 6, 7}, {1, 1, 6, 6, 7}, {1, 1, 5, 7, 7}, {1, 1, 5, 6, 8}} {
			if j.Known("/a", other) {
				t.Errorf("field %d of an identity does not count", i)
			}
		}
	}
	check(j)
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	check(openJournal(t, dir)) // as after a crash: what was flushed is there
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if j.Close() != nil || j.Record("/d", id) == nil {
		t.Error("a closed journal takes records, or cannot be closed twice")
	}
}

func TestJournalWritesByItself(t *testing.T) {
	dir := scratch(t)
	j := openJournal(t, dir)
	if err := j.Record("/a", identity(1)); err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, seen: &seen{}, files: &Files{pending: newPending()}}
	r.await("record on disk", func() bool {
		fi, err := os.Stat(filepath.Join(dir, journalName))
		return err == nil && fi.Size() == 2*recordSize
	})
}

func TestJournalDamage(t *testing.T) {
	cases := []struct {
		name           string
		damage         func([]byte) []byte
		known, damaged int
	}{
		{"sound", func(b []byte) []byte { return b }, 100, 0},
		{"torn tail", func(b []byte) []byte { return b[:len(b)-1] }, 99, 1},
		{"torn header", func(b []byte) []byte { return b[:10] }, 0, 1},
		{"empty", func([]byte) []byte { return nil }, 0, 0},
		{"zeros at the end", func(b []byte) []byte { return append(b, make([]byte, 2*recordSize)...) }, 100, 2},
		{"bit in record 5", func(b []byte) []byte { b[5*recordSize+20] ^= 1; return b }, 99, 1},
		{"bits in each record", func(b []byte) []byte {
			for i := recordSize; i < len(b); i += recordSize {
				b[i+i%recordSize] ^= 0x80
			}
			return b
		}, 0, 100},
		{"foreign file", func([]byte) []byte { return bytes.Repeat([]byte("{}\n"), 1000) }, 0, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := scratch(t)
			path := record100(t, dir)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			j := openJournal(t, dir)
			if n := known(j); n != c.known || j.Damaged() != c.damaged {
				t.Errorf("%d known, %d damaged, want %d and %d", n, j.Damaged(), c.known, c.damaged)
			}
			if err := j.Record("/after", identity(1)); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if again := openJournal(t, dir); again.Damaged() != 0 || !again.Known("/after", identity(1)) {
				t.Errorf("the damage was not mended: %d", again.Damaged())
			}
		})
	}
}

func TestJournalStaysSmall(t *testing.T) {
	dir := scratch(t)
	j := openJournal(t, dir)
	for round := range 3 * journalSlack {
		if err := j.Record("/same", identity(round)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(filepath.Join(dir, journalName))
	if err != nil || fi.Size() > journalSlack*recordSize {
		t.Errorf("%d bytes for one path, %v", fi.Size(), err)
	}
	if !j.Known("/same", identity(3*journalSlack-1)) {
		t.Error("compaction lost the path")
	}
}

// An agent that is never started again meets new names only.
func TestJournalIsBoundedWhileItRuns(t *testing.T) {
	dir := scratch(t)
	j := openJournal(t, dir)
	for n := range journalEntries + journalExcess + 1 {
		var err error
		if n%4 == 0 {
			err = j.Land(fmt.Sprint("/new/", n), identity(n), time.Now())
		} else {
			err = j.Record(fmt.Sprint("/new/", n), identity(n))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	if n := j.Len(); n != journalEntries {
		t.Errorf("%d paths are remembered, want %d", n, journalEntries)
	}
	fi, err := os.Stat(filepath.Join(dir, journalName))
	if err != nil || fi.Size() > (journalEntries+1)*recordSize {
		t.Errorf("the file has %d bytes, %v", fi.Size(), err)
	}
	for n := 1; n < journalEntries; n += 4 {
		if !j.Known(fmt.Sprint("/new/", n), identity(n)) {
			t.Fatal("a content was forgotten before the landings")
		}
	}
}

func TestJournalForgetsTheUnused(t *testing.T) {
	dir := scratch(t)
	j := openJournal(t, dir)
	now := today()
	j.today = func() uint32 { return now - journalIdle - 1 }
	for _, path := range []string{"/old", "/used"} {
		if err := j.Record(path, identity(1)); err != nil {
			t.Fatal(err)
		}
	}
	j.today = today
	if !j.Known("/used", identity(1)) {
		t.Error("the journal does not know what it recorded")
	}
	j.mu.Lock()
	j.expire()
	j.mu.Unlock()
	if j.Known("/old", identity(1)) || !j.Known("/used", identity(1)) {
		t.Error("the wrong path was forgotten")
	}
}

func FuzzReadJournal(f *testing.F) {
	sound := journalHeader()
	for i := range 3 {
		sound = record{path: keyOf(fmt.Sprint(i)), content: digestOf(identity(i)), day: 20000}.append(sound)
	}
	f.Add(sound)
	f.Add(sound[:len(sound)-7])
	f.Add([]byte(journalMagic))
	f.Fuzz(func(t *testing.T, raw []byte) {
		applied := 0
		damaged := readJournal(raw, func(r record) {
			applied++
			if again, ok := parseRecord(r.append(nil)); !ok || again != r {
				t.Fatalf("record %+v does not survive", r)
			}
		})
		if damaged < 0 || applied+damaged > len(raw)/recordSize+1 {
			t.Fatalf("%d applied and %d damaged in %d bytes", applied, damaged, len(raw))
		}
	})
}

// TestOlderJournal: what a program wrote that kept sixteen bytes of each digest
// is known still.
func TestOlderJournal(t *testing.T) {
	dir, at := scratch(t), time.Unix(1_790_000_000, 0)
	path, file := sha256.Sum256([]byte("/a")), sha256.Sum256([]byte(landingWord+"/a"))
	content, place := sumOf(identity(1)), sumOf(Identity{Dev: 1, Ino: 1})
	if identity(1).Ino == 0 {
		t.Fatal("the identity has no place")
	}
	raw := journalHeader()
	var judged, landed [2 * recordWide]byte
	copy(judged[:], path[:16])
	copy(judged[16:], content[:16])
	copy(landed[:], file[:16])
	binary.LittleEndian.PutUint64(landed[16:], uint64(at.Unix()))
	copy(landed[24:], place[8:16])
	raw = appendRecord(appendRecord(raw, judged, today()), landed, today()|landingMark)
	if err := os.WriteFile(filepath.Join(dir, journalName), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time as this program wrote it
		j := openJournal(t, dir)
		if !j.Known("/a", identity(1)) || j.Known("/a", identity(2)) || j.Known("/b", identity(1)) {
			t.Error("what was judged is not what is known")
		}
		if got, ok := j.Landed("/a", identity(1)); !ok || !got.Equal(at) {
			t.Errorf("landed at %v, %v", got, ok)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestJournalMemory: at its bound the journal takes what it says, and no text.
func TestJournalMemory(t *testing.T) {
	j := openJournal(t, scratch(t))
	before := heapInUse()
	for i := range journalEntries {
		if err := j.Record(fmt.Sprint("/home/somebody/Downloads/", i), identity(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	j.mu.Lock()
	j.unsaved = nil // which goes with the next second's
	j.mu.Unlock()
	took := heapInUse() - before
	t.Logf("%d paths take %d KiB", j.Len(), took>>10)
	if took > 6<<20 {
		t.Errorf("%d paths take %d bytes", j.Len(), took)
	}
}

// heapInUse is what a collection leaves.
func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
