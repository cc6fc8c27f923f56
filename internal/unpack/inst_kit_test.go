package unpack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"meetguard"
)

// instMember is what a test remembers of a member.
type instMember struct {
	name, role, text string
	err              error
}

func instBudget() *Budget {
	return &Budget{Entries: 50_000, Bytes: 256 << 20, Now: time.Now}
}

// instWalk reads every member.
func instWalk(format meetguard.Format, data []byte, budget *Budget) ([]instMember, error) {
	var all []instMember
	err := Walk(format, data, Options{Budget: budget}, func(m Member) error {
		if m.Head != nil {
			m.Head()
		}
		k := instMember{name: m.Name, role: m.Role}
		var r io.Reader
		if r, k.err = m.Open(); k.err == nil {
			var b []byte
			b, k.err = io.ReadAll(r)
			k.text = string(b)
		}
		all = append(all, k)
		var limit *LimitError
		if errors.As(k.err, &limit) {
			return limit
		}
		return nil
	})
	return all, err
}

func instFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func instSum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

// instList renders members for comparison: short texts as they are, others as
// size and hash.
func instList(all []instMember) string {
	var out strings.Builder
	for _, m := range all {
		content := fmt.Sprintf("%q", m.text)
		if len(m.text) > 120 {
			content = fmt.Sprintf("%d %s", len(m.text), instSum(m.text)[:16])
		}
		if m.err != nil {
			content += " " + m.err.Error()
		}
		fmt.Fprintf(&out, "%s|%s|%s\n", m.name, m.role, content)
	}
	return out.String()
}

// instMangle feeds damaged versions of a file: cut short, and with bytes turned
// over. What it asks is that nothing panics and that the budget holds.
func instMangle(t *testing.T, format meetguard.Format, data []byte, step int) {
	t.Helper()
	read := func(data []byte) {
		budget := &Budget{Entries: 500, Bytes: 4 << 20, Now: time.Now, Deadline: time.Now().Add(5 * time.Second)}
		if _, err := instWalk(format, data, budget); budget.Bytes < -1<<20 {
			t.Fatalf("%d bytes over the budget: %v", -budget.Bytes, err)
		}
	}
	for n := 0; n < len(data); n += step {
		read(data[:n:n])
	}
	for i := 0; i < len(data); i += max(1, step/4) {
		for _, mask := range []byte{0xff, 0x01, 0x80} {
			damaged := append([]byte(nil), data...)
			damaged[i] ^= mask
			read(damaged)
		}
	}
}

// instPeak is how many bytes of memory a call holds at most beyond what was held
// before, as the runtime sees it while it runs.
func instPeak(run func()) uint64 {
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		top := before.HeapInuse
		for {
			select {
			case <-stop:
				peak <- top - before.HeapInuse
				return
			case <-time.After(time.Millisecond):
				runtime.ReadMemStats(&now)
				top = max(top, now.HeapInuse)
			}
		}
	}()
	run()
	close(stop)
	return <-peak
}

// instFuzz walks and reads everything under a small budget, which has to hold.
func instFuzz(t *testing.T, format meetguard.Format, data []byte) {
	t.Helper()
	budget := &Budget{Entries: 200, Bytes: 2 << 20, Now: time.Now, Deadline: time.Now().Add(10 * time.Second)}
	if _, err := instWalk(format, data, budget); budget.Bytes < -4<<20 {
		t.Fatalf("%d bytes over the budget: %v", -budget.Bytes, err)
	}
}
