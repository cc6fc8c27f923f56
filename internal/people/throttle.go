package people

import (
	"crypto/sha256"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// throttled is how many accounts, devices and addresses are counted, in about
// 15 MiB; those that were not tried for longest are forgotten.
const throttled = 1 << 16

// limit is how tries are slowed down.
type limit struct {
	free   int           // tries without a delay
	first  time.Duration // delay after the first one that is not free; each next one doubles it
	most   time.Duration
	forget time.Duration // without a try, after which all are free again
}

// accountLimit leaves a stranger about a hundred guesses a day at one account.
func accountLimit() limit {
	return limit{free: 5, first: time.Second, most: 15 * time.Minute, forget: 24 * time.Hour}
}

// addressLimit bears an office behind one address that comes to work.
func addressLimit() limit {
	return limit{free: 30, first: time.Second, most: 15 * time.Minute, forget: time.Hour}
}

// Attempt is a log-in that is tried.
type Attempt struct {
	Account string // name as typed, also one that does not exist
	Address string // of the client
	Device  string // named by a device cookie that was made for this account, or ""
	Code    bool   // it shows the right one-time code of the account
}

// Throttle slows down guessing of passwords: per account and per address the
// delay doubles with each try that is not good. A stranger cannot keep the owner
// out: a known device is counted by itself, and who shows the right one-time
// code does not wait for what others did to the account.
//
// It is kept in memory, by each collector for itself, and is bounded.
type Throttle struct {
	mu    sync.Mutex
	tries *simplelru.LRU[[16]byte, tries]
}

// tries is what is known of one account, device or address.
type tries struct {
	n     int
	last  time.Time
	until time.Time
}

// NewThrottle returns a Throttle.
func NewThrottle() *Throttle {
	cache, err := simplelru.NewLRU[[16]byte, tries](throttled, nil)
	if err != nil { // the size is not positive
		panic(err)
	}
	return &Throttle{tries: cache}
}

// counter is one that an attempt is counted by.
type counter struct {
	key   [16]byte
	limit limit
	waits bool // the attempt waits for it
	mine  bool // a good attempt clears it
}

// counters of an attempt. A known device has its own and no other.
func counters(a Attempt) []counter {
	account := strings.ToLower(a.Account)
	if a.Device != "" {
		return []counter{{key("device", account, a.Device), accountLimit(), true, true}}
	}
	return []counter{
		{key("account", account), accountLimit(), !a.Code, true},
		{key("address", network(a.Address)), addressLimit(), true, false},
	}
}

func key(parts ...string) [16]byte {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return [16]byte(sum[:16])
}

// network is what one client has for itself: an IPv4 address, or a /64 of IPv6.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}

// Begin counts an attempt, or tells how long to wait before the next one is
// looked at. The password is checked only if it returns 0. It counts before the
// check, so that a hundred at once are not all free.
func (t *Throttle) Begin(a Attempt, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := counters(a)
	var wait time.Duration
	for _, c := range all {
		if c.waits {
			wait = max(wait, t.get(c, now).until.Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	for _, c := range all {
		t.tries.Add(c.key, c.limit.after(t.get(c, now), now))
	}
	return 0
}

// get returns what is known of a counter, and nothing if it is long ago.
func (t *Throttle) get(c counter, now time.Time) tries {
	known, ok := t.tries.Peek(c.key)
	if !ok || now.Sub(known.last) >= c.limit.forget {
		return tries{}
	}
	return known
}

// after is what is known after one more try.
func (l limit) after(t tries, now time.Time) tries {
	t.n++
	t.last = now
	if over := t.n - l.free; over > 0 {
		t.until = now.Add(l.delay(over))
	}
	return t
}

// delay after so many tries that were not free.
func (l limit) delay(over int) time.Duration {
	d := l.first
	for range over - 1 {
		if d *= 2; d >= l.most {
			return l.most
		}
	}
	return d
}

// Passed takes back an attempt that was good: the account or device starts
// anew, but the address is only given back this one try, or somebody with an
// account of his own could guess at others for ever.
func (t *Throttle) Passed(a Attempt, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range counters(a) {
		if c.mine {
			t.tries.Remove(c.key)
			continue
		}
		if known := t.get(c, now); known.n > 0 {
			known.n--
			known.until = time.Time{}
			t.tries.Add(c.key, known)
		}
	}
}
