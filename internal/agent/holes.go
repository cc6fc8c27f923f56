package agent

import (
	"crypto/sha256"
	"encoding/hex"
)

// A sparse file costs its owner nothing and its reader all of its size. Its holes
// are zeros that nobody has to fetch: they are mapped from nowhere, hashed from one
// buffer, and passed over by the rules.
const (
	leastHole  = 1 << 20  // bytes; smaller ones are read as data
	leastHoles = 16 << 20 // bytes of all; with fewer the file is read as any other
	mostParts  = 512      // of a file; what follows is read as data
	holeLeft   = 64 << 10 // bytes of each hole that the rules see

	// wholeSparse is how large a sparse file may be, in bytes, to be searched whole:
	// a program could be laid out so that a rule about its structure needs the holes.
	wholeSparse = 256 << 20
)

// span is a part of a file, in bytes.
type span struct{ from, to int64 }

// sparse is a file with holes.
type sparse struct {
	data  []byte // all of it
	dense []byte // what the rules see: the same without most of each hole
	parts []span // that are data
}

// is says whether data is the whole file.
func (s *sparse) is(data []byte) bool {
	return s != nil && len(data) == len(s.data) && len(data) > 0 && &data[0] == &s.data[0]
}

// passedOver is how many bytes the rules do not see.
func (s *sparse) passedOver() int { return len(s.data) - len(s.dense) }

// sum is the SHA-256 of the whole file.
func (s *sparse) sum() string {
	h := sha256.New()
	zeros := make([]byte, 256<<10)
	at := int64(0)
	hole := func(to int64) {
		for at < to {
			n := min(to-at, int64(len(zeros)))
			h.Write(zeros[:n])
			at += n
		}
	}
	for _, p := range s.parts {
		hole(p.from)
		h.Write(s.data[p.from:p.to])
		at = p.to
	}
	hole(int64(len(s.data)))
	return hex.EncodeToString(h.Sum(nil))
}

// gather joins spans between which there is less than a hole, each widened to
// whole pages, and says how much of a file of that size is in none of them.
func gather(spans []span, size, page int64) (parts []span, holes int64) {
	for _, s := range spans {
		s.from -= s.from % page
		s.to = min((s.to+page-1)/page*page, size)
		if n := len(parts); n > 0 && s.from-parts[n-1].to < leastHole {
			parts[n-1].to = max(parts[n-1].to, s.to)
			continue
		}
		parts = append(parts, s)
	}
	holes = size
	for _, p := range parts {
		holes -= p.to - p.from
	}
	return parts, holes
}
