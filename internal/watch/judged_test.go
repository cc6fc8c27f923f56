package watch

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestJudged has the table and a map of the language do the same. The keys crowd at
// the end of the table and in its middle, so that they stand behind one another and
// around its end.
func TestJudged(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	key := func() (k pathKey) {
		at := uint64(draw.IntN(700))
		if draw.IntN(2) == 0 {
			at += 1 << 63
		}
		binary.BigEndian.PutUint64(k[:], ^at)
		return k
	}
	var table judged
	want := map[pathKey]entry{}
	for n := range 50_000 {
		k, e := key(), entry{content: digest{1, byte(n)}, used: uint32(n)}
		if draw.IntN(5) < 2 {
			table.drop(k)
			delete(want, k)
		} else {
			table.put(k, e)
			want[k] = e
		}
		if got := table.get(k); (got != nil) != (want[k] != entry{}) || got != nil && *got != want[k] {
			t.Fatalf("step %d: %v is %v, want %v", n, k, got, want[k])
		}
		if n%1000 != 0 && n > 200 {
			continue
		}
		held := 0
		for r := range table.all() {
			if held++; want[r.path] != (entry{r.content, r.day}) {
				t.Fatalf("step %d: %v holds %v, want %v", n, r.path, r, want[r.path])
			}
		}
		for k, e := range want {
			if got := table.get(k); got == nil || *got != e {
				t.Fatalf("step %d: %v is %v, want %v", n, k, got, e)
			}
		}
		if held != len(want) || table.len != len(want) {
			t.Fatalf("step %d: %d are held and %d counted of %d", n, held, table.len, len(want))
		}
	}
}

// TestJudgedSize: a full journal is the biggest memory of the agent.
func TestJudgedSize(t *testing.T) {
	var table judged
	for n := range journalEntries + journalExcess {
		table.put(keyOf(string(binary.AppendUvarint(nil, uint64(n)))), entry{content: digest{1}})
	}
	if size := len(table.slots) * 20; size > 3_700_000 {
		t.Errorf("%d paths take %d bytes", table.len, size)
	}
}

// TestJudgedChosenNames: names that were chosen so that their keys begin alike do
// not stand in one row.
func TestJudgedChosenNames(t *testing.T) {
	var table judged
	for n := range uint64(20_000) {
		table.put(pathKey(binary.BigEndian.AppendUint64(nil, n)), entry{content: digest{1}})
	}
	longest, row := 0, 0
	for i := range table.slots {
		if row++; table.slots[i].free() {
			row = 0
		}
		longest = max(longest, row)
	}
	if longest > 4_000 { // a table nine tenths full has rows of some hundreds
		t.Errorf("%d of %d stand in one row", longest, table.len)
	}
}
