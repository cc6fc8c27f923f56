package unpack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// winFile is a file that a writer of the test kit puts into a container.
type winFile struct{ name, content string }

// winSeen is what a walk said of a member.
type winSeen struct {
	name, role, sum string
	size            int64
	locked          bool
	password        string
	err             error
}

func winOptions(packed int, passwords ...string) Options {
	return Options{
		Budget:    &Budget{Entries: 10_000, Bytes: 64 << 20, Packed: int64(packed), Ratio: 1000, Free: 32 << 20},
		Passwords: passwords,
	}
}

// winWalk reads every member.
func winWalk(walk walker, data []byte, opt Options) (seen []winSeen, err error) {
	err = walk(data, opt, func(m Member) error {
		s := winSeen{name: m.Name, role: m.Role, size: m.Size, locked: m.Locked, password: m.Password}
		h := sha256.New()
		var r io.Reader
		if r, s.err = m.Open(); s.err == nil {
			_, s.err = io.Copy(h, r)
		}
		s.sum = hex.EncodeToString(h.Sum(nil))
		seen = append(seen, s)
		return nil
	})
	return seen, err
}

func winSum(content string) string {
	h := sha256.Sum256([]byte(content))
	return hex.EncodeToString(h[:])
}

func winRead(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// winExpect compares a walk with the list that an independent tool made: a line
// of name, size and SHA-256 for each file.
func winExpect(t *testing.T, seen []winSeen, want string) {
	t.Helper()
	var lines []string
	for _, s := range seen {
		if s.role == RoleFolder {
			continue
		}
		line := fmt.Sprintf("%s %d %s", s.name, s.size, s.sum[:16])
		if s.locked {
			line = fmt.Sprintf("%s %d locked", s.name, s.size)
		} else if s.err != nil {
			line += " " + s.err.Error()
		}
		lines = append(lines, line)
	}
	if got := strings.Join(lines, "\n"); got != strings.TrimSpace(want) {
		t.Errorf("walked\n%s\nwant\n%s", got, strings.TrimSpace(want))
	}
}

// winHostile walks data cut at many places and with every byte of its first
// and last 2 KiB changed, one of its bits or all: nothing may panic, and the budget bounds the rest.
func winHostile(t *testing.T, walk walker, data []byte) {
	t.Helper()
	small := func() Options {
		opt := winOptions(len(data), "wrong")
		opt.Budget.Bytes, opt.Budget.Entries = 4<<20, 500
		return opt
	}
	for n := 0; n < len(data); n += 1 + len(data)/200 {
		if seen, err := winWalk(walk, data[:n], small()); err == nil && len(seen) > 0 && n < len(data)/2 && !winBroken(seen) {
			t.Errorf("cut at %d of %d nothing was said to be missing", n, len(data))
		}
	}
	for i := 0; i < len(data); i++ {
		if i == 2048 && len(data) > 4096 {
			i = len(data) - 2048
		}
		b := append([]byte(nil), data...)
		b[i] ^= []byte{0xFF, 1 << (i % 8)}[i%2]
		winWalk(walk, b, small())
	}
}

func winBroken(seen []winSeen) bool {
	for _, s := range seen {
		if s.err != nil {
			return true
		}
	}
	return false
}

// winFuzz walks and reads everything under a small budget.
func winFuzz(f *testing.F, walk walker, seeds ...[]byte) {
	debug.SetMemoryLimit(1 << 30)
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		opt := winOptions(len(data), "secret")
		opt.Budget.Bytes, opt.Budget.Entries = 1<<20, 100
		winWalk(walk, data, opt)
	})
}

// winKeep writes what the kit made to the folder $UNPACK_KIT, so that 7z,
// cabextract and unar can be asked about it.
func winKeep(t *testing.T, name string, data []byte) {
	t.Helper()
	if dir := os.Getenv("UNPACK_KIT"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
