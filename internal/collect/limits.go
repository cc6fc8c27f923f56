package collect

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits is how often callers may ask.
type Limits struct {
	Person  Rate // each account
	Device  Rate // each agent; one that drains a long outage sends some 30 batches a second
	Enrol   Rate // enrolments from each address: a whole site may stand behind one
	Address Rate // each address, for whoever has not proved who they are
}

// Rate is a number of requests a second, and how many more at once.
type Rate struct {
	PerSecond float64
	Burst     int
}

// DefaultLimits are far above what people and agents do, and far below what
// would hold up others.
var DefaultLimits = Limits{
	Person:  Rate{PerSecond: 30, Burst: 120},
	Device:  Rate{PerSecond: 50, Burst: 200},
	Enrol:   Rate{PerSecond: 200, Burst: 1000},
	Address: Rate{PerSecond: 10, Burst: 60},
}

// maxLimiters is the number of callers that are remembered. Beyond it those are
// forgotten that have asked for nothing lately, and then everybody.
const maxLimiters = 16384

// limiters bounds how often each caller may ask.
type limiters struct {
	rates Limits
	mu    sync.Mutex
	byKey map[string]*rate.Limiter
}

func newLimiters(rates Limits) *limiters {
	return &limiters{rates: rates, byKey: map[string]*rate.Limiter{}}
}

// tooMany is the refusal of a caller who asks too often.
type tooMany struct{ after time.Duration }

func (t *tooMany) Error() string { return "too many requests, try again later" }

// seconds is the Retry-After: whole seconds, at least one.
func (t *tooMany) seconds() string {
	return strconv.Itoa(int((t.after + time.Second - 1) / time.Second))
}

// take takes one request from what the caller may ask. An open collector has
// one user, on the same machine, and does not count.
func (l *limiters) take(c caller, rt route, now time.Time) error {
	switch c.Kind {
	case nobody:
		if rt.path == "/v1/agent/enroll" {
			return l.takeKey("enrol:"+c.Address, l.rates.Enrol, now)
		}
	case open:
		return nil
	case human:
		return l.takeKey("user:"+c.User.ID, l.rates.Person, now)
	case agent:
		return l.takeKey("agent:"+c.Agent.UID, l.rates.Device, now)
	}
	return l.takeKey("address:"+c.Address, l.rates.Address, now)
}

// refusedCost is how many requests one more counts for that is refused as a whole:
// a batch, which no honest agent sends so and which may have taken long to read,
// or an enrolment, whose key was checked and a certificate signed for it.
const refusedCost = 10

// largePart is for how many bytes a batch counts for one request more that is
// larger than agents send them.
const largePart = 64 << 10

// charge takes further requests from what an agent may ask, and from what may be
// enrolled from the address of whoever is none yet.
func (l *limiters) charge(c caller, n int, now time.Time) {
	key := "enrol:" + c.Address
	if c.Kind == agent {
		key = "agent:" + c.Agent.UID
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if one := l.byKey[key]; one != nil {
		one.ReserveN(now, min(n, one.Burst()))
	}
}

func (l *limiters) takeKey(key string, r Rate, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, known := l.byKey[key]
	if !known {
		l.makeRoom(now)
		one = rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)
		l.byKey[key] = one
	}
	if one.AllowN(now, 1) {
		return nil
	}
	return &tooMany{after: max(time.Duration(float64(time.Second)/r.PerSecond), time.Second)}
}

// makeRoom forgets those that are as good as new.
func (l *limiters) makeRoom(now time.Time) {
	if len(l.byKey) < maxLimiters {
		return
	}
	for key, one := range l.byKey {
		if one.TokensAt(now) >= float64(one.Burst()) {
			delete(l.byKey, key)
		}
	}
	if len(l.byKey) >= maxLimiters {
		clear(l.byKey)
	}
}

// writeTooMany answers a caller who asks too often.
func writeTooMany(w http.ResponseWriter, t *tooMany) {
	w.Header().Set("Retry-After", t.seconds())
	writeProblem(w, http.StatusTooManyRequests, t.Error())
}
