package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// cost is what a hash costs. Memory is in KiB.
type cost struct {
	memory, passes uint32
	lanes          uint8
}

// What new hashes cost: the second recommendation of RFC 9106, section 4, with
// its sizes in bytes of salt and hash.
const (
	hashMemory = 64 << 10
	hashPasses = 3
	hashLanes  = 4
	saltSize   = 16
	hashSize   = 32
)

const (
	hashing = 2  // hashes that are computed at the same time: 64 MiB each
	waiting = 64 // that may wait for it
)

// ErrBusy tells that too many wait for a password to be checked already.
var ErrBusy = errors.New("too many log-ins at the same time: try again")

// errHash tells that what should be a hash is none, without showing it.
var errHash = errors.New("read password hash: not in the form $argon2id$v=19$m=…,t=…,p=…$salt$hash")

// Hasher hashes and checks passwords with argon2id, two at a time, so that a
// flood of log-ins takes no more than 128 MiB. It may be used by many goroutines.
type Hasher struct {
	slots chan struct{}
	queue atomic.Int32
	cost  cost
}

// NewHasher returns a Hasher.
func NewHasher() *Hasher {
	return &Hasher{slots: make(chan struct{}, hashing), cost: cost{hashMemory, hashPasses, hashLanes}}
}

// NewHasherOf returns a Hasher whose new hashes cost other than usual: memory in
// KiB, and passes over it. Tests that log people in take a cheap one.
func NewHasherOf(memory, passes uint32) *Hasher {
	h := NewHasher()
	h.cost.memory, h.cost.passes, h.cost.lanes = memory, passes, 1
	return h
}

// Hash returns the hash of a password as a PHC string. It does not judge the
// password, see CheckPassword.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails, see crypto/rand
	p := phc{h.cost, salt, nil}
	if err := h.fill(ctx, &p, password, hashSize); err != nil {
		return "", err
	}
	return p.String(), nil
}

// Verify tells whether the password is the one of the hash, and whether the
// hash should be made anew because it costs other than new ones do.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (ok, stale bool, err error) {
	want, err := parsePHC(hash)
	if err != nil {
		return false, false, err
	}
	got := phc{want.cost, want.salt, nil}
	if err := h.fill(ctx, &got, password, len(want.hash)); err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got.hash, want.hash) == 1
	return ok, want.cost != h.cost || len(want.hash) != hashSize, nil
}

// VerifyNobody costs what Verify does, for a name without a password, so that
// the time of the answer does not tell which names exist.
func (h *Hasher) VerifyNobody(ctx context.Context, password string) error {
	p := phc{h.cost, make([]byte, saltSize), nil}
	return h.fill(ctx, &p, password, hashSize)
}

// fill computes the hash when it is its turn. Passwords are brought to Unicode
// form C first: keyboards differ in how they send accents.
func (h *Hasher) fill(ctx context.Context, p *phc, password string, size int) error {
	if len(password) > maxPasswordBytes {
		return errors.New("check password: it is too long")
	}
	if h.queue.Add(1) > hashing+waiting {
		h.queue.Add(-1)
		return ErrBusy
	}
	defer h.queue.Add(-1)
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("check password: %w", ctx.Err())
	}
	defer func() { <-h.slots }()
	p.hash = argon2.IDKey([]byte(norm.NFC.String(password)), p.salt, p.cost.passes, p.cost.memory, p.cost.lanes, uint32(size))
	return nil
}

// phc is a hash in the PHC string format
// (https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md).
type phc struct {
	cost cost
	salt []byte
	hash []byte
}

func (p phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.cost.memory, p.cost.passes, p.cost.lanes, b64.EncodeToString(p.salt), b64.EncodeToString(p.hash))
}

// parsePHC reads a hash; one that would cost much more than ours is refused, as
// it can only be a fault.
func parsePHC(s string) (phc, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, errHash
	}
	var p phc
	n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.cost.memory, &p.cost.passes, &p.cost.lanes)
	if err != nil || n != 3 || !p.cost.sane() {
		return phc{}, errHash
	}
	b64 := base64.RawStdEncoding.Strict()
	salt, saltErr := b64.DecodeString(parts[4])
	hash, hashErr := b64.DecodeString(parts[5])
	if errors.Join(saltErr, hashErr) != nil || len(salt) < 8 || len(hash) < 16 || len(hash) > 64 {
		return phc{}, errHash
	}
	p.salt, p.hash = salt, hash
	if p.String() != s { // what the parser passed over
		return phc{}, errHash
	}
	return p, nil
}

func (c cost) sane() bool {
	return c.memory >= 8*uint32(c.lanes) && c.memory <= 1<<20 && c.passes >= 1 && c.passes <= 16 && c.lanes >= 1 && c.lanes <= 16
}
