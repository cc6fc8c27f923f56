package watch

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// launchRecord is a record of a launch.
func launchRecord(flags, argsSize uint32, exe, cwd, args string) []byte {
	ne := binary.NativeEndian
	b := make([]byte, recordHead)
	for at, v := range map[int]uint32{recordKind: recordExec, recordPID: 7, recordParent: 5, recordUser: 1000, recordFlags: flags,
		recordArgsSize: argsSize, recordPathsExe: uint32(len(exe)), recordPathsBoth: uint32(len(exe) + len(cwd))} {
		ne.PutUint32(b[at:], v)
	}
	ne.PutUint64(b[recordBorn:], uint64(time.Minute))
	return append(b, exe+cwd+args...)
}

func shortRecord(kind uint32) []byte {
	b := make([]byte, recordHead)
	binary.NativeEndian.PutUint32(b, kind)
	return b
}

func TestParseTold(t *testing.T) {
	boot := time.Unix(1e9, 0)
	r := newRecordReader(boot)
	const exe, cwd, args = "curl\x00bin\x00usr\x00", "joe\x00home\x00", "curl\x00\x00-s\x00"
	cases := []struct {
		name string
		raw  []byte
		exe  string
		cwd  string
		cut  cuts
	}{
		{"whole", launchRecord(0, 9, exe, cwd, args), "/usr/bin/curl", "/home/joe", cuts{}},
		{"arguments cut", launchRecord(0, 90, exe, cwd, args), "/usr/bin/curl", "/home/joe", cuts{args: true}},
		{"root as directory", launchRecord(0, 9, exe, "", args), "/usr/bin/curl", "/", cuts{}},
		{"root that hangs nowhere", launchRecord(0, 9, exe, "/\x00", args), "/usr/bin/curl", "/", cuts{}},
		{"in memory", launchRecord(0, 9, "memfd:x\x00", cwd, args), "/memfd:x", "/home/joe", cuts{}},
		{"all flags", launchRecord(7, 9, exe, cwd, args), "/usr/bin/curl", "/home/joe", cuts{true, true, true}},
	}
	for _, c := range cases {
		got, cut, ok := r.parse(c.raw)
		p := got.proc
		if !ok || got.kind != launched || p.PID != 7 || p.PPID != 5 || p.User != "1000" || !p.Started.Equal(boot.Add(time.Minute)) ||
			p.Exe != c.exe || p.Cwd != c.cwd || cut != c.cut || !slices.Equal(p.Args, []string{"curl", "", "-s"}) {
			t.Errorf("%s: %+v %+v %v", c.name, p, cut, ok)
		}
	}
	for kind, want := range map[uint32]kind{recordFork: forked, recordExit: ended} {
		if got, _, ok := r.parse(shortRecord(kind)); !ok || got.kind != want {
			t.Errorf("kind %d: %+v %v", kind, got, ok)
		}
	}
	outside := launchRecord(0, 9, exe, cwd, "")
	binary.NativeEndian.PutUint32(outside[recordPathsBoth:], 1<<31)
	for name, raw := range map[string][]byte{"nothing": nil, "short": shortRecord(recordFork)[:recordHead-1], "unknown": shortRecord(9), "outside": outside} {
		if _, _, ok := r.parse(raw); ok {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzParseTold(f *testing.F) {
	f.Add(launchRecord(0, 9, "sh\x00bin\x00", "/\x00", "sh\x00-c\x00x\x00"))
	f.Add(shortRecord(recordFork))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, _, ok := newRecordReader(time.Time{}).parse(raw)
		if size := len(got.proc.Exe) + len(got.proc.Cwd) + len(strings.Join(got.proc.Args, " ")); ok && size > len(raw) {
			t.Fatalf("%d bytes of text out of %d", size, len(raw))
		}
	})
}

func TestPathsAreRemembered(t *testing.T) {
	r := newRecordReader(time.Time{})
	path := func(name string) string {
		got, _, _ := r.parse(launchRecord(0, 0, name+"\x00bin\x00", "/\x00", ""))
		return got.proc.Exe
	}
	for i := range 3 * pathsMost {
		name := "p" + strconv.Itoa(i)
		for range 2 { // read, then remembered
			if got := path(name); got != "/bin/"+name {
				t.Fatalf("the path of %s is %s", name, got)
			}
		}
		if len(r.paths) > pathsMost {
			t.Fatalf("%d paths are remembered", len(r.paths))
		}
	}
}

// TestSplitArgsTakesNoMore: room for what might be would be sixteen times the text,
// outside every account.
func TestSplitArgsTakesNoMore(t *testing.T) {
	for text, want := range map[string]int{"sh\x00-c\x00" + strings.Repeat("x", 4000) + "\x00": 3, "true\x00": 1, "": 0, strings.Repeat("a\x00", 3000): argsMost} {
		if got := splitArgs([]byte(text)); len(got) != want || cap(got) != want {
			t.Errorf("%d bytes: %d arguments with room for %d, want %d", len(text), len(got), cap(got), want)
		}
	}
}

func TestArgumentsBeyondTheBound(t *testing.T) {
	args := splitArgs([]byte(strings.Repeat("/usr/bin/x\x00", argsMost+9)))
	if len(args) != argsMost || args[argsMost-1] != "/usr/bin/x" {
		t.Errorf("%d arguments, the last is %q", len(args), args[len(args)-1])
	}
}
