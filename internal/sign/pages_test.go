package sign

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// slowTable makes the table of page digests from the whole file.
func slowTable(file []byte, h crypto.Hash, t *pageTable) []byte {
	var table []byte
	for _, s := range t.spans {
		for from := s.from; from < s.to; from += t.page {
			d := h.New()
			to := min(from+t.page, s.to)
			for at := from; at < to; at++ {
				if !inGap(t, at) {
					d.Write(file[at : at+1])
				}
			}
			d.Write(make([]byte, t.page-(to-from)))
			table = binary.LittleEndian.AppendUint32(table, uint32(from))
			table = d.Sum(table)
		}
	}
	end := t.spans[len(t.spans)-1].to
	table = binary.LittleEndian.AppendUint32(table, uint32(end))
	return append(table, make([]byte, h.Size())...)
}

func inGap(t *pageTable, at int64) bool {
	for _, g := range t.gaps {
		if at >= g.from && at < g.to {
			return true
		}
	}
	return false
}

func TestPageWriter(t *testing.T) {
	gaps := []span{{216, 220}, {296, 304}}
	cases := []struct {
		name  string
		size  int
		spans []span
	}{
		{"headers that end with a gap", 5000, []span{{0, 304}, {304, 4800}}},
		{"one section", 8192, []span{{0, 512}, {512, 8192}}},
		{"headers of a whole page", 12288, []span{{0, 4096}, {4096, 12288}}},
		{"sections that are no whole pages", 9000, []span{{0, 1024}, {1024, 1536}, {1536, 7000}, {7000, 8704}}},
		{"holes between sections", 20000, []span{{0, 512}, {1024, 6000}, {9000, 18000}}},
		{"bytes behind the last section", 20000, []span{{0, 512}, {512, 4608}}},
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range cases {
		file := make([]byte, c.size)
		for i := range file {
			file[i] = byte(random.Uint32())
		}
		layout := &pageTable{page: 4096, spans: c.spans, gaps: gaps}
		signed := bytes.Join([][]byte{file[:216], file[220:296], file[304:]}, nil)
		for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			want := sha256.Sum256(slowTable(file, h, layout))
			for _, step := range []int{1, 7, 4096, 100000} {
				w := newPageWriter(h, layout)
				for rest := signed; len(rest) > 0; rest = rest[min(step, len(rest)):] {
					w.Write(rest[:min(step, len(rest))])
				}
				if !bytes.Equal(w.sum(), want[:]) {
					t.Errorf("%s, %v, steps of %d: another table", c.name, h, step)
				}
			}
		}
	}
}
