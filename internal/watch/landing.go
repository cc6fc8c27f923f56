package watch

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"meetguard"
)

// The journal also holds when files landed, for the launches after a restart,
// in records of the same shape: the path behind landingWord, and in place of the
// digest of the content four bytes of time in seconds and four of a digest of the file. Rights and
// names of a file may change between its landing and its launch, so that it is
// told by its place on the disk alone.
const (
	landingWord = "landed\x00"
	landingMark = 1 << 31 // in the day of such a record
	landingDays = 1       // that it is kept: its age matters for minutes
)

// Land remembers when a file landed. The error is as that of Record.
func (j *Journal) Land(path string, id Identity, at time.Time) error {
	r := record{path: keyOf(landingWord + path)}
	binary.LittleEndian.PutUint32(r.content[:], uint32(at.Unix())) // until 2106
	copy(r.content[4:], placeOf(id))
	return j.put(r, landingMark)
}

// Landed gives when a file landed, to the second, if it is still the same file.
func (j *Journal) Landed(path string, id Identity) (time.Time, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.entries.get(keyOf(landingWord + path))
	if e == nil || string(e.content[4:]) != string(placeOf(id)) {
		return time.Time{}, false
	}
	return time.Unix(int64(binary.LittleEndian.Uint32(e.content[:])), 0), true
}

// placeOf tells one file of a path from another, whatever its content.
func placeOf(id Identity) []byte {
	place := Identity{Dev: id.Dev, Ino: id.Ino}
	if id.Ino == 0 {
		place.CTime = id.CTime // on Windows the time of its creation
	}
	sum := sumOf(place)
	return sum[8:12]
}

// Born gives when a file began to be there, and how that is known: from its
// birth, where the file system keeps that, else from its last change. A file
// that was moved on one file system is as old as before.
func Born(path string) (at time.Time, by string, err error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return time.Time{}, "", fmt.Errorf("ask for the birth of %+q: %w", path, err)
	}
	if at, ok := birth(path, fi); ok {
		return at, meetguard.LandedBirth, nil
	}
	return time.Unix(0, IdentityOf(fi).CTime), meetguard.LandedChange, nil
}

// Holds tells whether a path lies in a folder that is watched. It may be called
// at any time.
func (f *Files) Holds(path string) bool { return f.rootOf(path) != "" }
