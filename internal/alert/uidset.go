package alert

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// uidSet remembers the newest uids, each as half of its SHA-256: 100,000 of them
// take about 2.5 MB, in two pieces without pointers.
type uidSet struct {
	most  int
	ring  [][uidSize]byte
	next  int      // the oldest of a full ring
	index []uint32 // open-addressed: a place in the ring and one, or nothing

	size  int64  // of the index's file, as far as it is known
	sum   uint32 // CRC-32C of that
	fresh int    // the newest uids, which are not in the file
}

func newUIDSet(most int) *uidSet { return &uidSet{most: most} }

func uidKey(uid string) [uidSize]byte {
	sum := sha256.Sum256([]byte(uid))
	return [uidSize]byte(sum[:uidSize])
}

func (s *uidSet) has(uid string) bool { return s.hasKey(uidKey(uid)) }

func (s *uidSet) hasKey(k [uidSize]byte) bool {
	if len(s.index) == 0 {
		return false
	}
	_, known := s.find(k)
	return known
}

func (s *uidSet) add(uid string) { s.addKey(uidKey(uid)) }

func (s *uidSet) addKey(k [uidSize]byte) {
	if s.hasKey(k) {
		return
	}
	s.fresh++
	if len(s.ring) < s.most {
		s.ring = append(s.ring, k)
		s.point(len(s.ring) - 1)
		return
	}
	s.drop(s.ring[s.next])
	s.ring[s.next] = k
	s.point(s.next)
	s.next = (s.next + 1) % len(s.ring)
}

// point lets the index lead to a place in the ring. It is never more than four
// fifths full.
func (s *uidSet) point(place int) {
	if len(s.ring)*5 > len(s.index)*4 {
		s.index = make([]uint32, max(64, 2*len(s.index)))
		for i := range s.ring {
			at, _ := s.find(s.ring[i])
			s.index[at] = uint32(i + 1) // #nosec G115 -- at most maxUIDs
		}
		return
	}
	at, _ := s.find(s.ring[place])
	s.index[at] = uint32(place + 1) // #nosec G115 -- at most maxUIDs
}

// home is where in the index a key is, or behind that.
func (s *uidSet) home(k [uidSize]byte) int {
	at, _ := bits.Mul64(binary.BigEndian.Uint64(k[:]), uint64(len(s.index)))
	return int(at) // #nosec G115 -- below len(s.index)
}

func (s *uidSet) find(k [uidSize]byte) (at int, known bool) {
	for at = s.home(k); s.index[at] != 0; at = (at + 1) % len(s.index) {
		if s.ring[s.index[at]-1] == k {
			return at, true
		}
	}
	return at, false
}

// drop takes a key out of the index. What stands behind it and would be found no
// more moves up.
func (s *uidSet) drop(k [uidSize]byte) {
	hole, known := s.find(k)
	if !known {
		return
	}
	behind := func(from, at int) int { return (at - from + len(s.index)) % len(s.index) }
	for at := (hole + 1) % len(s.index); s.index[at] != 0; at = (at + 1) % len(s.index) {
		if behind(s.home(s.ring[s.index[at]-1]), at) >= behind(hole, at) {
			s.index[hole] = s.index[at]
			hole = at
		}
	}
	s.index[hole] = 0
}
