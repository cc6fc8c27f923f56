package people

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"time"
)

// limit is how tries are slowed down.
type limit struct {
	free   int           // tries without a delay
	first  time.Duration // delay after the first one that is not free; each next one doubles it
	most   time.Duration
	forget time.Duration // without a try, after which all are free again
}

// accountLimit leaves a stranger about a hundred guesses a day at one account.
func accountLimit() limit {
	return limit{free: 5, first: time.Second, most: 15 * time.Minute, forget: ForgetTries}
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
// It remembers nothing itself: collectors that share a store count together.
type Throttle struct{ keep Keep }

// Keep hands what is kept of the keys to change, in their order, and keeps what
// that returns; nil keeps what is there. Nobody else changes any of the keys
// meanwhile. What was not changed for ForgetTries may be forgotten.
type Keep func(ctx context.Context, keys []string, change func([]Tries) []Tries) error

// Tries is what is kept of one account, device or address; zero for an unknown one.
type Tries struct {
	N     int
	Last  time.Time
	Until time.Time // no try is looked at before
}

// ForgetTries is after how long without a try all are free again, at the latest.
const ForgetTries = 24 * time.Hour

// NewThrottle returns a Throttle.
func NewThrottle(keep Keep) *Throttle { return &Throttle{keep} }

// counter is one that an attempt is counted by.
type counter struct {
	key   string
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

// key names a counter without telling of whom.
func key(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

func keys(all []counter) []string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.key
	}
	return names
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
func (t *Throttle) Begin(ctx context.Context, a Attempt, now time.Time) (wait time.Duration, err error) {
	all := counters(a)
	err = t.keep(ctx, keys(all), func(known []Tries) []Tries {
		for i, c := range all {
			known[i] = c.limit.known(known[i], now)
			if c.waits {
				wait = max(wait, known[i].Until.Sub(now))
			}
		}
		if wait > 0 {
			return nil
		}
		for i, c := range all {
			known[i] = c.limit.after(known[i], now)
		}
		return known
	})
	return wait, err
}

// known is what is kept, and nothing if it is long ago.
func (l limit) known(t Tries, now time.Time) Tries {
	if now.Sub(t.Last) >= l.forget {
		return Tries{}
	}
	return t
}

// after is what is known after one more try.
func (l limit) after(t Tries, now time.Time) Tries {
	t.N++
	t.Last = now
	if over := t.N - l.free; over > 0 {
		t.Until = now.Add(l.delay(over))
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
func (t *Throttle) Passed(ctx context.Context, a Attempt, now time.Time) error {
	all := counters(a)
	return t.keep(ctx, keys(all), func(known []Tries) []Tries {
		for i, c := range all {
			known[i] = c.limit.known(known[i], now)
			if c.mine {
				known[i] = Tries{}
			} else if known[i].N > 0 {
				known[i].N--
				known[i].Until = time.Time{}
			}
		}
		return known
	})
}
