package collect

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"time"

	"meetguard/internal/store"
)

// How many certificates are remembered, in some 200 bytes each, and how long one
// is before its chain is verified again.
const (
	maxBadges = 1 << 17
	badgeLife = time.Hour
)

// badges remembers which agent a certificate was issued to, once it was verified
// and found in the store. That does not change while the agent is enrolled; what
// may change (whether it is revoked or suspended, its group, its log) is not
// remembered: recognise asks the store for it on every request. So a revocation
// by any collector counts from the next request on, however many share a store.
type badges struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]badge
}

type badge struct {
	uid      string
	enrolled time.Time // when the credential was looked up
	until    time.Time // the chain was verified and is good so long
}

func newBadges() *badges { return &badges{all: map[[sha256.Size]byte]badge{}} }

// get returns what is known of a certificate whose key the handshake has proved.
func (b *badges) get(leaf *x509.Certificate, now time.Time) (badge, bool) {
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return badge{}, false
	}
	key := sha256.Sum256(leaf.Raw)
	b.mu.Lock()
	defer b.mu.Unlock()
	one, ok := b.all[key]
	return one, ok && now.Before(one.until)
}

func (b *badges) put(leaf *x509.Certificate, a store.AgentStatus, now time.Time) {
	key := sha256.Sum256(leaf.Raw)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.all) >= maxBadges {
		clear(b.all)
	}
	b.all[key] = badge{uid: a.UID, enrolled: a.EnrolledAt, until: now.Add(badgeLife)}
}

func (b *badges) drop(leaf *x509.Certificate) {
	key := sha256.Sum256(leaf.Raw)
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.all, key)
}
