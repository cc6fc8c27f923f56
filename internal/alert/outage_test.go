package alert

import (
	"errors"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// outages are the ways in which a collector can be away, beside the answers of
// everyFault.
func outages() map[string]http.RoundTripper {
	fail := func(text string) http.RoundTripper {
		return roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New(text) })
	}
	return map[string]http.RoundTripper{
		"refused":     fail("connect: connection refused"),
		"reset":       fail("read: connection reset by peer"),
		"no name":     fail("lookup collector.invalid: no such host"),
		"other CA":    fail("x509: certificate signed by unknown authority"),
		"expired":     fail("x509: certificate has expired"),
		"proxy is in": fail("proxyconnect tcp: Forbidden"),
		"black hole": roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done() // nothing ever comes back
			return nil, r.Context().Err()
		}),
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// longOutage asks for the whole three days, which make reliability does. Without
// it an outage lasts an hour: tries in each way until they are minutes apart.
const longOutage = "MEETGUARD_LONG"

// TestOutageOf72Hours: for three days the collector is away in one way, while
// alerts go on being written. Within a minute of its return it has every one of
// them, once, and the accounts balanced all the time.
func TestOutageOf72Hours(t *testing.T) {
	ways := outages()
	for name, f := range everyFault() {
		c := newCollector()
		ways["answer "+name] = inMemory{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, err := receive(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			f(c, w, b)
		})}
	}
	if len(ways) < 20 {
		t.Fatalf("only %d ways", len(ways))
	}
	for name, away := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) { outage(t, dir, away) })
		})
	}
}

func outage(t *testing.T, dir string, away http.RoundTripper) {
	alerts := 3 // one each twenty minutes
	if os.Getenv(longOutage) != "" {
		alerts = 216
	}
	l := openTest(t, dir, Options{})
	l.sync = func(*os.File) error { return nil } // held by the fault tests
	c := newCollector()
	var back atomic.Bool
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if back.Load() {
			return inMemory{c}.RoundTrip(r)
		}
		return away.RoundTrip(r)
	})}
	s := testSender(t, l, "https://collector.invalid", client)
	s.limit = 3 // small bodies: some five thousand are packed for nothing
	stop := run(t, s)
	for i := range alerts {
		time.Sleep(20 * time.Minute)
		mustAppend(t, l, numbered(i))
		if got := balance(t, l); got.Acked != 0 || int(got.Pending) != i+1 {
			t.Fatalf("while it was away: %+v", got)
		}
	}
	back.Store(true)
	begin := time.Now()
	for balance(t, l).Pending > 0 && time.Since(begin) < time.Hour {
		time.Sleep(time.Second)
	}
	if took := time.Since(begin); took > 2*time.Minute {
		t.Errorf("drained after %v", took)
	}
	stop()
	if got := balance(t, l); int(got.Acked) != alerts || c.alerts() != alerts || len(c.order) != alerts {
		t.Errorf("%d stored, %d times, %+v", c.alerts(), len(c.order), got)
	}
	l.Close()
}
