package unpack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"testing"
	"time"
)

// kitFile is a file of a container that a test makes.
type kitFile struct {
	name string
	data string
	mode uint32 // Unix mode with type; 0 is an ordinary file
}

// kitSeen is what a walk told of one member.
type kitSeen struct {
	name, role, sum string
	size            int64
	locked          bool
	err             error // from Open or Read
}

// kitBudget is generous, but not endless.
func kitBudget(packed int) *Budget {
	return &Budget{Entries: 1 << 17, Bytes: 256 << 20, Packed: int64(packed), Now: time.Now}
}

// kitWalk reads every member that a walk visits.
func kitWalk(data []byte, budget *Budget, walk func(Options, Visit) error) ([]kitSeen, error) {
	var all []kitSeen
	err := walk(Options{Budget: budget}, func(m Member) error {
		s := kitSeen{name: m.Name, role: m.Role, size: m.Size, locked: m.Locked}
		r, err := m.Open()
		if err == nil {
			hash := sha256.New()
			var n int64
			if n, err = io.Copy(hash, r); err == nil && m.Size >= 0 && n != m.Size {
				err = fmt.Errorf("%d bytes instead of %d", n, m.Size)
			}
			s.sum = hex.EncodeToString(hash.Sum(nil))
		}
		s.err = err
		all = append(all, s)
		return nil
	})
	return all, err
}

// kitSum is the SHA-256 of a text.
func kitSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// kitFind returns the member with a name.
func kitFind(t *testing.T, all []kitSeen, name string) kitSeen {
	t.Helper()
	for _, s := range all {
		if s.name == name {
			return s
		}
	}
	t.Errorf("%q was not visited", name)
	return kitSeen{}
}

// kitCheck demands a member with this content and role.
func kitCheck(t *testing.T, all []kitSeen, name, role, content string) {
	t.Helper()
	s := kitFind(t, all, name)
	if s.err != nil || s.role != role || s.sum != kitSum(content) {
		t.Errorf("%q: role %q, %d bytes, error %v; want role %q, %d bytes", name, s.role, s.size, s.err, role, len(content))
	}
}
