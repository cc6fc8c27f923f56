package alert

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// smallLog is a log of n records as short as they get, in dir, and its bytes.
func smallLog(t *testing.T, dir string, n int) []byte {
	t.Helper()
	l := openTest(t, dir, Options{})
	for i := range n {
		mustAppend(t, l, Record{Metadata: Metadata{UID: fmt.Sprintf("uid-%d", i+1)}})
	}
	l.Close()
	data, err := os.ReadFile(filepath.Join(dir, activeName))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// verifyBytes verifies a log of one file in memory and returns the numbers of
// the records that a reader gets.
func verifyBytes(t *testing.T, data []byte) (Report, []uint64) {
	t.Helper()
	v := verifier{}
	if err := v.read(bytes.NewReader(data), activeName, 0); err != nil {
		t.Fatal(err)
	}
	v.walk()
	var seqs []uint64
	for _, x := range v.links {
		if !x.bad {
			seqs = append(seqs, x.seq)
		}
	}
	return v.report, seqs
}

// compactLog is a log of n lines that hold only what the log itself reads, so
// that every byte of it can be damaged within a second.
func compactLog(t *testing.T, n int) []byte {
	t.Helper()
	var data []byte
	var prev digest
	for i := range n {
		line, err := seal(fmt.Appendf(nil, `{"metadata":{"uid":"uid-%d"},"unmapped":{"mg_level":"malicious","mg_seq":%d,"mg_prev":"%s"}}`, i+1, i+1, prev))
		if err != nil {
			t.Fatal(err)
		}
		prev = sha256.Sum256(line)
		data = append(append(data, line...), '\n')
	}
	return data
}

// TestOneByteCostsOneRecord damages every byte in turn, newlines, checksums,
// hashes and the newest line included, in two ways: one bit, and a newline. Of
// a log of real records it takes every 17th byte.
func TestOneByteCostsOneRecord(t *testing.T) {
	t.Parallel()
	oneByteCostsOneRecord(t, compactLog(t, 20), 20, 1)
	oneByteCostsOneRecord(t, smallLog(t, t.TempDir(), 20), 20, 17)
}

func oneByteCostsOneRecord(t *testing.T, data []byte, records, step int) {
	t.Helper()
	for i := 0; i < len(data); i += step {
		for _, b := range []byte{data[i] ^ 1<<(i%8), '\n'} {
			if b == data[i] {
				continue
			}
			damaged := bytes.Clone(data)
			damaged[i] = b
			rep, seqs := verifyBytes(t, damaged)
			if len(seqs) < records-1 || !slices.IsSorted(seqs) || len(slices.Compact(seqs)) != len(seqs) {
				t.Fatalf("byte %d as %#x: %v can be read", i, b, seqs)
			}
			if len(rep.Issues) != 1 || rep.Issues[0].Kind != LineChanged {
				t.Fatalf("byte %d as %#x: issues %v", i, b, rep.Issues)
			}
			if want := uint64(bytes.Count(data[:i], []byte("\n")) + 1); rep.Issues[0].Seq != want {
				t.Fatalf("byte %d as %#x: blamed on record %d, want %d", i, b, rep.Issues[0].Seq, want)
			}
		}
	}
}

// TestLogGoesOnAfterDamage opens the damaged log, appends to it and delivers it.
func TestLogGoesOnAfterDamage(t *testing.T) {
	t.Parallel()
	const records = 4
	dir := t.TempDir()
	data := smallLog(t, dir, records)
	at := []int{len(data) - 1, len(data) - 2, len(data) - 200}
	for i := 0; i < len(data); i += 173 {
		at = append(at, i)
	}
	for i, b := range data {
		if b == '\n' {
			at = append(at, i)
		}
	}
	for _, i := range at {
		for _, b := range []byte{data[i] ^ 4, '\n'} {
			if b == data[i] {
				continue
			}
			damaged := bytes.Clone(data)
			damaged[i] = b
			goesOn(t, dir, damaged, fmt.Sprintf("byte %d as %#x", i, b), records)
		}
	}
}

func goesOn(t *testing.T, dir string, damaged []byte, what string, records int) {
	t.Helper()
	os.Remove(filepath.Join(dir, cursorName))
	if err := os.WriteFile(filepath.Join(dir, activeName), damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	l := openTest(t, dir, Options{})
	if r := l.Recovered(); r.Corrupt != 1 || r.TornBytes != 0 {
		t.Fatalf("%s: %+v", what, r)
	}
	mustAppend(t, l, Record{Metadata: Metadata{UID: "next"}})
	settleAll(t, l)
	c := balance(t, l)
	if c.Created != uint64(records+1) || c.Pending != 0 || c.Acked < uint64(records) {
		t.Fatalf("%s: %+v", what, c)
	}
	l.Close()
	rep, err := Verify(dir)
	if err != nil || len(rep.Issues) > 1 || rep.LastSeq != uint64(records+1) {
		t.Fatalf("%s: Verify = %+v, %v", what, rep, err)
	}
	l = openTest(t, dir, Options{})
	if after := balance(t, l); after.Created != c.Created || after.Acked != c.Acked || after.Pending != 0 {
		t.Fatalf("%s: after a restart %+v, before %+v", what, after, c)
	}
	l.Close()
}

// forge makes a line anew with another uid, as somebody would who knows the
// format: number and hash stay, the checksum fits.
func forge(t *testing.T, line []byte, change func(*Record)) []byte {
	t.Helper()
	var r Record
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatal(err)
	}
	change(&r)
	r.Unmapped.Sum = ""
	plain, err := encode(r)
	if err != nil {
		t.Fatal(err)
	}
	out, err := seal(plain)
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

func TestVerifySaysWhatWasDone(t *testing.T) {
	rename := func(r *Record) { r.Metadata.UID = "forged" }
	tests := []struct {
		name string
		edit func(t *testing.T, lines [][]byte) [][]byte
		want []string // kind, number
	}{
		{"nothing", func(t *testing.T, l [][]byte) [][]byte { return l }, nil},
		{"changed in the middle", func(t *testing.T, l [][]byte) [][]byte { l[4] = forge(t, l[4], rename); return l }, []string{"changed 5"}},
		{"first changed", func(t *testing.T, l [][]byte) [][]byte { l[0] = forge(t, l[0], rename); return l }, []string{"changed 1"}},
		{"last but one changed", func(t *testing.T, l [][]byte) [][]byte { l[8] = forge(t, l[8], rename); return l }, []string{"changed 10"}},
		{"hash changed", func(t *testing.T, l [][]byte) [][]byte {
			l[4] = forge(t, l[4], func(r *Record) { r.Unmapped.Prev = strings.Repeat("a", 64) })
			return l
		}, []string{"changed 5"}},
		{"first hash changed", func(t *testing.T, l [][]byte) [][]byte {
			l[0] = forge(t, l[0], func(r *Record) { r.Unmapped.Prev = strings.Repeat("a", 64) })
			return l
		}, []string{"changed 1"}},
		{"one cut out", func(t *testing.T, l [][]byte) [][]byte { return slices.Delete(l, 4, 5) }, []string{"missing 5"}},
		{"three cut out", func(t *testing.T, l [][]byte) [][]byte { return slices.Delete(l, 4, 7) }, []string{"missing 5"}},
		{"cut out and numbered anew", func(t *testing.T, l [][]byte) [][]byte {
			l = slices.Delete(l, 4, 5)
			for i := 4; i < len(l); i++ {
				l[i] = forge(t, l[i], func(r *Record) { r.Unmapped.Seq-- })
			}
			return l
		}, []string{"changed 5", "changed 7", "changed 9", "missing 10"}},
		{"old line put in", func(t *testing.T, l [][]byte) [][]byte { return slices.Insert(l, 6, l[2]) }, []string{"inserted 3"}},
		{"forged line put in", func(t *testing.T, l [][]byte) [][]byte {
			prev := sha256.Sum256(bytes.TrimSuffix(l[4], []byte("\n")))
			extra := forge(t, l[5], func(r *Record) { rename(r); r.Unmapped.Prev = digest(prev).String() })
			return slices.Insert(l, 5, extra)
		}, []string{"inserted 6"}},
		{"two swapped", func(t *testing.T, l [][]byte) [][]byte { l[3], l[4] = l[4], l[3]; return l }, []string{"missing 4", "inserted 4"}},
		{"text put in", func(t *testing.T, l [][]byte) [][]byte { return slices.Insert(l, 3, []byte("hello\n")) }, []string{"inserted 0"}},
		{"end cut off", func(t *testing.T, l [][]byte) [][]byte { return l[:7] }, []string{"missing 8"}},
		{"all cut off", func(t *testing.T, l [][]byte) [][]byte { return nil }, []string{"missing 1"}},
		{"newest changed", func(t *testing.T, l [][]byte) [][]byte { l[9] = forge(t, l[9], rename); return l }, []string{"changed 10"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			smallLog(t, dir, 10)
			l := openTest(t, dir, Options{})
			settleAll(t, l)
			l.Close()
			path := filepath.Join(dir, activeName)
			lines := tt.edit(t, fileLines(t, path))
			// SplitAfter gives the last line without its newline.
			for i, line := range lines {
				lines[i] = append(bytes.TrimSuffix(bytes.Clone(line), []byte("\n")), '\n')
			}
			if err := os.WriteFile(path, bytes.Join(lines, nil), 0o600); err != nil {
				t.Fatal(err)
			}
			rep, err := Verify(dir)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, i := range rep.Issues {
				got = append(got, fmt.Sprint(i.Kind, " ", i.Seq))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("issues %v, want %v\n%v", got, tt.want, rep.Issues)
			}
		})
	}
}

func TestFileTakenOut(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, Options{MaxFile: 16 << 10})
	for i := range 20 {
		mustAppend(t, l, numbered(i))
	}
	settleAll(t, l)
	middle := l.held[1]
	l.Close()
	if err := os.Remove(filepath.Join(dir, middle.name)); err != nil {
		t.Fatal(err)
	}
	rep, err := Verify(dir)
	if err != nil || len(rep.Issues) != 1 || rep.Issues[0].Kind != LineMissing || rep.Issues[0].Seq != middle.first {
		t.Errorf("Verify = %+v, %v", rep, err)
	}
	os.Remove(filepath.Join(dir, cursorName))
	l = openTest(t, dir, Options{MaxFile: 16 << 10})
	settleAll(t, l)
	if c := balance(t, l); c.Dropped["corrupt"] != middle.last-middle.first+1 {
		t.Errorf("counters = %+v", c)
	}
}

// TestNumbersAreNotUsedTwice: the collector has lines that are gone from the end.
func TestNumbersAreNotUsedTwice(t *testing.T) {
	dir := t.TempDir()
	smallLog(t, dir, 5)
	l := openTest(t, dir, Options{})
	settleAll(t, l)
	l.Close()
	path := filepath.Join(dir, activeName)
	if err := os.WriteFile(path, bytes.Join(fileLines(t, path)[:3], nil), 0o600); err != nil {
		t.Fatal(err)
	}
	l = openTest(t, dir, Options{})
	mustAppend(t, l, numbered(1))
	items, err := l.pending(maxBatch, maxBatchSize)
	if err != nil || len(items) != 1 || items[0].seq != 6 || items[0].gap != 0 {
		t.Errorf("pending = %+v, %v", items, err)
	}
	balance(t, l)
	if rep, err := Verify(dir); err != nil || len(rep.Issues) != 1 || rep.Issues[0].Kind != LineMissing {
		t.Errorf("Verify = %+v, %v", rep, err)
	}
}

func FuzzLogReader(f *testing.F) {
	line, _ := encode(Record{Metadata: Metadata{UID: "u"}, Unmapped: Unmapped{Seq: 1, Prev: digest{}.String()}})
	line, _ = seal(line)
	f.Add(append(bytes.Clone(line), '\n'))
	f.Add(slices.Concat(line, []byte("x"), line, line, []byte("\n\n{")))
	f.Add([]byte(sumKey + sumKey))
	f.Add([]byte("\n\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newLineReader(bytes.NewReader(data))
		var at int64
		for {
			e, err := r.next()
			if err != nil {
				break
			}
			if e.start != at || e.end <= e.start || e.end > int64(len(data)) {
				t.Fatalf("entry from %d to %d follows %d of %d", e.start, e.end, at, len(data))
			}
			if !e.bad && !bytes.Equal(e.raw, data[e.start:e.start+int64(len(e.raw))]) {
				t.Fatalf("entry at %d is not what stands there", e.start)
			}
			at = e.end
		}
		if at != int64(len(data)) {
			t.Fatalf("%d of %d bytes were read", at, len(data))
		}
		v := verifier{}
		if err := v.read(bytes.NewReader(data), activeName, 0); err != nil {
			t.Fatal(err)
		}
		v.dropUnpromised()
		v.walk()
	})
}

// FuzzOpen opens a state folder whose files hold anything.
func FuzzOpen(f *testing.F) {
	line, _ := encode(Record{Metadata: Metadata{UID: "u"}, Unmapped: Unmapped{Seq: 7, Prev: digest{}.String()}})
	line, _ = seal(line)
	f.Add(line, line, []byte("{}"))
	f.Add(append(bytes.Clone(line), '\n'), []byte("x"), []byte(nil))
	f.Fuzz(func(t *testing.T, active, old, cur []byte) {
		dir := t.TempDir()
		for name, data := range map[string][]byte{activeName: active, rotatedName(3): old, cursorName: cur} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		l, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if ok, err := l.Append(Record{Metadata: Metadata{UID: "next"}}); !ok || err != nil {
			t.Fatalf("Append = %v, %v", ok, err)
		}
		settleAll(t, l)
		if c := balance(t, l); c.Pending != 0 {
			t.Errorf("counters = %+v", c)
		}
	})
}

func FuzzCursor(f *testing.F) {
	good, _ := cursor{File: rotatedName(1), Seq: 3, Offset: 10, Acked: 2, Dropped: map[string]uint64{"rejected": 1}}.encode()
	f.Add(good)
	f.Add([]byte(`{"cursor":{"seq":1,"acked":1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, input := range [][]byte{data, resealed(data)} {
			c, err := parseCursor(input)
			if err != nil {
				continue
			}
			settled := c.Acked
			for _, n := range c.Dropped {
				settled += n
			}
			if settled != c.Seq {
				t.Errorf("the cursor does not balance: %+v", c)
			}
		}
	})
}

func resealed(data []byte) []byte {
	line, err := seal(data)
	if err != nil {
		return nil
	}
	return line
}

func TestDamagedCursorOnlySendsAgain(t *testing.T) {
	dir := t.TempDir()
	smallLog(t, dir, 5)
	l := openTest(t, dir, Options{})
	settleAll(t, l)
	l.Close()
	path := filepath.Join(dir, cursorName)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		c, err := parseCursor(bad)
		if err == nil && (c.Seq != 5 || c.Acked != 5) {
			t.Fatalf("byte %d: the cursor is taken as %+v", i, c)
		}
	}
	if err := os.WriteFile(path, good[:len(good)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	l = openTest(t, dir, Options{})
	if c := balance(t, l); c.Pending != 5 || !l.Recovered().CursorReset {
		t.Errorf("counters = %+v, recovery %+v", c, l.Recovered())
	}
}
