package alert

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"meetguard"
)

func TestAppendMakesAChain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "meetguard")
	l := openTest(t, dir, Options{})
	mustAppend(t, l, numbered(1), numbered(2), numbered(3))
	data, err := os.ReadFile(filepath.Join(dir, activeName))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	prev := strings.Repeat("0", 64)
	for i, e := range readAll(t, dir, Filter{}) {
		if !bytes.Equal(e.Raw, lines[i]) || e.Record.Unmapped.Seq != uint64(i+1) || e.Record.Metadata.Sequence != uint64(i+1) || e.Record.Unmapped.Prev != prev {
			t.Errorf("record %d: seq %d, prev %s, want prev %s", i+1, e.Record.Unmapped.Seq, e.Record.Unmapped.Prev, prev)
		}
		prev = fmt.Sprintf("%x", sha256.Sum256(lines[i]))
	}
	if rep, err := Verify(dir); err != nil || !rep.OK() || rep.Records != 3 || rep.Head != prev {
		t.Errorf("Verify = %+v, %v", rep, err)
	}
	if c := balance(t, l); c.Created != 3 || c.Pending != 3 {
		t.Errorf("counters = %+v", c)
	}
}

func TestAppendOnceAcrossRestarts(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, Options{})
	mustAppend(t, l, numbered(1))
	for range 2 {
		if ok, err := l.Append(numbered(1)); ok || err != nil {
			t.Errorf("a second Append = %v, %v", ok, err)
		}
		l.Close()
		l = openTest(t, dir, Options{})
	}
	mustAppend(t, l, numbered(2))
	if n := len(readAll(t, dir, Filter{})); n != 2 {
		t.Errorf("the log holds %d records", n)
	}
}

func TestAppendRefusesWhatItCannotKeep(t *testing.T) {
	l := openTest(t, t.TempDir(), Options{})
	if _, err := l.Append(Record{}); err == nil {
		t.Error("a record without uid was taken")
	}
	r := numbered(1)
	r.Message = strings.Repeat("x", MaxRecord)
	if _, err := l.Append(r); err == nil {
		t.Error("a record longer than MaxRecord was taken")
	}
	l.Close()
	if _, err := l.Append(numbered(1)); err == nil {
		t.Error("a closed log took a record")
	}
}

func TestOpenRefusesASecondAgent(t *testing.T) {
	dir := t.TempDir()
	openTest(t, dir, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, errLocked) {
		t.Errorf("the second Open = %v", err)
	}
}

func TestOpenRefusesLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("SYMBOLIC LINKS NOT TESTED: making one needs rights on Windows")
		return
	}
	target := t.TempDir()
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Symlink(target, dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, dir + "/"} {
		if _, err := Open(name, Options{}); err == nil || !strings.Contains(err.Error(), "symbolic link") {
			t.Errorf("Open(%q) = %v", name, err)
		}
		if _, err := Verify(name); err == nil {
			t.Errorf("Verify(%q) followed the link", name)
		}
	}
	for _, name := range []string{activeName, lockName, rotatedName(1)} {
		dir := t.TempDir()
		victim := filepath.Join(dir, "victim")
		if err := os.WriteFile(victim, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("victim", filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, Options{}); !errors.Is(err, errNotPlain) {
			t.Errorf("Open with %s as a link = %v", name, err)
		}
	}
	// A dangling link must not be created through either.
	dir = t.TempDir()
	if err := os.Symlink("nowhere", filepath.Join(dir, activeName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil {
		t.Error("Open wrote through a dangling link")
	}
}

func TestStateIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("MODES NOT TESTED: Windows has access lists instead")
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, activeName), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	l := openTest(t, dir, Options{})
	mustAppend(t, l, numbered(1))
	if err := Ack(dir, numbered(1).Metadata.UID, StateResolved, "", ""); err != nil {
		t.Fatal(err)
	}
	l.Close()
	for name, want := range map[string]os.FileMode{".": 0o700, activeName: 0o600, cursorName: 0o600, lockName: 0o600, acksName: 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %o", name, info.Mode().Perm(), err, want)
		}
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "everyone") {
		t.Errorf("Open of a folder for everyone = %v", err)
	}
}

func TestRotationKeepsTheChain(t *testing.T) {
	dir := t.TempDir()
	opts := Options{MaxFile: 20 << 10}
	l := openTest(t, dir, opts)
	for i := 1; i <= 30; i++ {
		mustAppend(t, l, numbered(i))
		if i%7 == 0 {
			l.Close()
			l = openTest(t, dir, opts)
		}
	}
	rep, err := Verify(dir)
	if err != nil || !rep.OK() || rep.Records != 30 || rep.Files < 4 {
		t.Errorf("Verify = %+v, %v", rep, err)
	}
	for i, e := range readAll(t, dir, Filter{}) {
		if e.Record.Unmapped.Seq != uint64(i+1) {
			t.Fatalf("record %d has number %d", i+1, e.Record.Unmapped.Seq)
		}
	}
	newest := readAll(t, dir, Filter{NewestFirst: true, Limit: 12})
	if len(newest) != 12 || newest[0].Record.Unmapped.Seq != 30 || newest[11].Record.Unmapped.Seq != 19 {
		t.Errorf("newest first gives %d records", len(newest))
	}
}

// settleAll acknowledges everything pending.
func settleAll(t *testing.T, l *Log) {
	t.Helper()
	for {
		items, err := l.pending(maxBatch, maxBatchSize)
		if err != nil {
			t.Fatal(err)
		}
		if len(items) == 0 {
			return
		}
		if err := l.settle(items, make([]outcome, len(items))); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBoundDropsByLevel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opts := Options{MaxFile: 16 << 10, MaxTotal: 128 << 10}
	l := openTest(t, dir, opts)
	var low, high int
	for i := range 100 {
		ok, err := l.Append(leveled(i, meetguard.Suspicious))
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			low++
		}
	}
	c := balance(t, l)
	if low == 100 || c.Dropped["full/suspicious"] != uint64(100-low) || c.Created != 100 {
		t.Fatalf("%d were taken, counters %+v", low, c)
	}
	for i := range 100 {
		ok, err := l.Append(leveled(i, meetguard.Malicious))
		if ok {
			high++
		} else if !errors.Is(err, errFull) {
			t.Fatalf("a malicious record was refused with %v", err)
		}
	}
	if high == 0 || l.total() > opts.MaxTotal {
		t.Errorf("%d malicious records were taken, %d bytes held", high, l.total())
	}
	l.Close()
	l = openTest(t, dir, opts)
	if after := balance(t, l); after.Dropped["full/malicious"] != uint64(100-high) {
		t.Errorf("after a restart: %+v", after)
	}
	settleAll(t, l)
	for i := 200; i < 300; i++ {
		if ok, err := l.Append(leveled(i, meetguard.Suspicious)); err != nil || !ok {
			t.Fatalf("with everything acknowledged: %v, %v", ok, err)
		}
		settleAll(t, l)
	}
	balance(t, l)
	if rep, err := Verify(dir); err != nil || !rep.OK() || rep.FirstSeq == 1 {
		t.Errorf("Verify = %+v, %v", rep, err)
	}
}

func TestStandaloneExpires(t *testing.T) {
	dir := t.TempDir()
	opts := Options{MaxFile: 16 << 10, MaxTotal: 64 << 10, Standalone: true}
	l := openTest(t, dir, opts)
	for i := range 60 {
		mustAppend(t, l, leveled(i, meetguard.Suspicious))
	}
	c := balance(t, l)
	if c.Dropped["expired"] == 0 || c.Created != 60 {
		t.Errorf("counters = %+v", c)
	}
	l.Close()
	l = openTest(t, dir, opts)
	if after := balance(t, l); after.Dropped["expired"] != c.Dropped["expired"] || after.Pending != c.Pending {
		t.Errorf("after a restart: %+v, before %+v", after, c)
	}
}

// TestWriteErrorIsNeverPromised makes every kind of write fail once, at each of
// several records, and leaves half a line behind.
func TestWriteErrorIsNeverPromised(t *testing.T) {
	faults := map[string]func(l *Log, fail *bool){
		"fsync": func(l *Log, fail *bool) {
			real := l.sync
			l.sync = func(f *os.File) error {
				if *fail {
					*fail = false
					return errors.New("input/output error")
				}
				return real(f)
			}
		},
		"short write": func(l *Log, fail *bool) {
			real := l.write
			l.write = func(f *os.File, b []byte) error {
				if *fail {
					*fail = false
					_ = real(f, b[:len(b)/2])
					return errors.New("no space left on device")
				}
				return real(f, b)
			}
		},
	}
	for name, inject := range faults {
		for at := range 4 {
			t.Run(fmt.Sprint(name, at), func(t *testing.T) {
				dir := t.TempDir()
				l := openTest(t, dir, Options{})
				fail := false
				inject(l, &fail)
				for i := range 4 {
					fail = i == at
					mustAppend(t, l, numbered(i))
				}
				if l.Trouble() == nil {
					t.Error("the trouble is not told")
				}
				l.Close()
				l = openTest(t, dir, Options{})
				mustAppend(t, l, numbered(4))
				if rep, err := Verify(dir); err != nil || !rep.OK() || rep.Records != 5 {
					t.Errorf("Verify = %+v, %v", rep, err)
				}
				if items, _ := l.pending(maxBatch, maxBatchSize); len(items) != 5 {
					t.Errorf("%d records are pending", len(items))
				}
			})
		}
	}
}

// TestFsyncComesBeforeThePromise: every line is written once, then synced once,
// and nothing counts before that.
func TestFsyncComesBeforeThePromise(t *testing.T) {
	l := openTest(t, t.TempDir(), Options{})
	var calls []string
	write, sync := l.write, l.sync
	l.write = func(f *os.File, b []byte) error {
		calls = append(calls, fmt.Sprint("write ", l.seq))
		return write(f, b)
	}
	l.sync = func(f *os.File) error {
		calls = append(calls, fmt.Sprint("sync ", l.seq, len(l.wake)))
		return sync(f)
	}
	mustAppend(t, l, numbered(0))
	<-l.wake
	mustAppend(t, l, numbered(1))
	if got, want := strings.Join(calls, ", "), "write 0, sync 0 0, write 1, sync 1 0"; got != want {
		t.Errorf("calls were %s, want %s", got, want)
	}
}

func TestFullDiskPromisesNothing(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, Options{})
	mustAppend(t, l, numbered(0))
	real, full := l.write, true
	l.write = func(f *os.File, b []byte) error {
		if full {
			return errors.New("no space left on device")
		}
		return real(f, b)
	}
	for range 5 {
		if ok, err := l.Append(numbered(1)); ok || err == nil {
			t.Fatalf("Append = %v, %v", ok, err)
		}
	}
	full = false
	mustAppend(t, l, numbered(1))
	balance(t, l)
	if rep, err := Verify(dir); err != nil || !rep.OK() || rep.Records != 2 || rep.Files != 2 {
		t.Errorf("Verify = %+v, %v", rep, err)
	}
}

// TestSurvivingLineOfAPoisonedFile is a power cut after a failed fsync: the line
// is in the old file after all, and in the new one.
func TestSurvivingLineOfAPoisonedFile(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, Options{})
	mustAppend(t, l, numbered(0), numbered(1))
	real := l.sync
	l.sync = func(*os.File) error { l.sync = real; return errors.New("input/output error") }
	mustAppend(t, l, numbered(2))
	mustAppend(t, l, numbered(3))
	settleAll(t, l)
	l.Close()
	lines := fileLines(t, filepath.Join(dir, activeName))
	appendBytes(t, filepath.Join(dir, rotatedName(1)), lines[0])
	if err := os.Remove(filepath.Join(dir, cursorName)); err != nil {
		t.Fatal(err)
	}
	l = openTest(t, dir, Options{})
	if c := balance(t, l); c.Created != 4 || c.Pending != 4 {
		t.Errorf("counters = %+v", c)
	}
	items, err := l.pending(maxBatch, maxBatchSize)
	if err != nil || len(items) != 4 {
		t.Errorf("%d pending, %v", len(items), err)
	}
	for _, it := range items {
		if it.gap != 0 {
			t.Errorf("record %d follows a gap of %d", it.seq, it.gap)
		}
	}
	if rep, err := Verify(dir); err != nil || !rep.OK() || rep.Records != 4 {
		t.Errorf("Verify = %+v, %v", rep, err)
	}
}

func TestTornTailIsCut(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, Options{})
	mustAppend(t, l, numbered(0), numbered(1))
	l.Close()
	path := filepath.Join(dir, activeName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	end := bytes.IndexByte(whole, '\n') + 1
	for cut := end + 1; cut < len(whole); cut += 97 {
		// A line that was never promised: no checkpoint knows it.
		if err := errors.Join(os.WriteFile(path, whole[:cut], 0o600), os.Remove(filepath.Join(dir, cursorName))); err != nil {
			t.Fatal(err)
		}
		if rep, err := Verify(dir); err != nil || !rep.OK() || rep.TornBytes != int64(cut-end) {
			t.Errorf("cut at %d: Verify = %+v, %v", cut, rep, err)
		}
		l := openTest(t, dir, Options{})
		if r := l.Recovered(); r.TornBytes != int64(cut-end) || r.Corrupt != 0 {
			t.Fatalf("cut at %d: %+v", cut, r)
		}
		mustAppend(t, l, numbered(1))
		l.Close()
		if got, _ := os.ReadFile(path); !bytes.Equal(got, whole) {
			t.Fatalf("cut at %d: the log differs", cut)
		}
	}
}

// TestDeletedUnderTheAgent holds that an alert is never promised in a file that has
// no name any more: the log is begun anew, and what went is told.
func TestDeletedUnderTheAgent(t *testing.T) {
	for name, take := range map[string]func(path string) error{
		"deleted":         os.Remove,
		"renamed":         func(path string) error { return os.Rename(path, path+".old") },
		"replaced by one": func(path string) error { return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600)) },
		"by a folder":     func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := openTest(t, dir, Options{})
			mustAppend(t, l, numbered(0), numbered(1))
			if err := take(filepath.Join(dir, activeName)); err != nil {
				t.Fatal(err)
			}
			mustAppend(t, l, numbered(2))
			if got := readAll(t, dir, Filter{}); len(got) != 1 || got[0].Record.Unmapped.Seq != 3 {
				t.Errorf("%+v", got)
			}
			if r := l.Recovered(); r.Missing != 2 {
				t.Errorf("%+v", r)
			}
			settleAll(t, l)
			if c := balance(t, l); c.Acked != 1 || c.Dropped["corrupt"] != 2 {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestReadWhileWriting(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, Options{MaxFile: 20 << 10})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 60 {
			if ok, err := l.Append(numbered(i)); err != nil || !ok {
				t.Errorf("Append = %v, %v", ok, err)
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		for i, e := range readAll(t, dir, Filter{}) {
			if e.Record.Unmapped.Seq != uint64(i+1) {
				t.Fatalf("record %d has number %d", i+1, e.Record.Unmapped.Seq)
			}
		}
		if rep, err := Verify(dir); err != nil || !rep.OK() {
			t.Fatalf("Verify = %+v, %v", rep, err)
		}
	}
}

func TestFilterAndAck(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, Options{})
	a := fileAlert("late.exe")
	a.Time, a.Verdict.Brand, a.Verdict.Level = testTime.Add(time.Hour), "webex", meetguard.Suspicious
	late := NewRecord(testHost, testProduct, a)
	mustAppend(t, l, numbered(1), numbered(2), late)
	if err := Ack(dir, numbered(1).Metadata.UID, StateResolved, "", "tested\u202e"); err != nil {
		t.Fatal(err)
	}
	appendBytes(t, filepath.Join(dir, acksName), []byte("\n{\"uid\":\"half a li"))
	if err := Ack(dir, late.Metadata.UID, StateSuppressed, "", "ours"); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		filter Filter
		want   int
	}{
		{"all", Filter{}, 3},
		{"level", Filter{Level: meetguard.Suspicious}, 1},
		{"brand", Filter{Brand: "zoom"}, 2},
		{"uid", Filter{UID: late.Metadata.UID[:13]}, 1},
		{"since", Filter{Since: testTime.Add(time.Minute)}, 1},
		{"until", Filter{Until: testTime.Add(time.Minute)}, 2},
		{"new", Filter{State: StateNew}, 1},
		{"suppressed", Filter{State: StateSuppressed}, 1},
		{"limit", Filter{Limit: 2}, 2},
	}
	for _, tt := range tests {
		if got := len(readAll(t, dir, tt.filter)); got != tt.want {
			t.Errorf("%s: %d records, want %d", tt.name, got, tt.want)
		}
	}
	if e := readAll(t, dir, Filter{State: StateResolved})[0]; e.Ack.Note != `tested\u{202e}` || e.Ack.Time.IsZero() {
		t.Errorf("ack = %+v", e.Ack)
	}
	if Ack(dir, "no such", StateResolved, "", "") == nil || Ack(dir, "", StateResolved, "", "") == nil || Ack(dir, late.Metadata.UID, "fine", "", "") == nil {
		t.Error("an acknowledgement of nothing or of no known state was taken")
	}
	for _, err := range Read(filepath.Join(dir, "none"), Filter{}) {
		if err == nil {
			t.Error("a folder that is not there can be read")
		}
	}
}

// fileLines returns the lines of a file with their newlines.
func fileLines(t *testing.T, path string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.SplitAfter(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
}

func appendBytes(t *testing.T, path string, data []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = f.Write(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}
