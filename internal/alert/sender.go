package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"meetguard"
)

// What one request carries, and how long the sender waits.
const (
	maxBatch     = 100
	maxBatchSize = 1 << 20 // bytes of records before compression
	maxAnswer    = 1 << 20 // bytes of an answer
	minDelay     = time.Second
	maxDelay     = 55 * time.Second // alerts wait no longer than that for a collector that is back
	maxRetry     = time.Hour        // the longest Retry-After that is obeyed
	minCheckin   = time.Minute
	maxCheckin   = 24 * time.Hour
	sendTimeout  = time.Minute
	stopTimeout  = 3 * time.Second // for telling the collector that the agent stops
)

// SenderConfig says where to deliver to, and what to tell about this agent.
type SenderConfig struct {
	URL     string // of the collector, see ValidateURL
	Log     *Log   // what is delivered
	Host    meetguard.Host
	Product Product
	Client  *http.Client // brings certificates and trust; nil: the system's trust. Redirects are never followed.
	Logger  *slog.Logger // nil: silent
	Status  func() any   // what the heartbeat says under "status"; nil: nothing
	Asked   func()       // called after each request, whatever came of it; nil: nothing
	Machine string       // tells machines apart, "" if not known
	Boot    string       // tells the boots of a machine apart, "" if not known
}

// Sender delivers the log to the collector.
type Sender struct {
	cfg      SenderConfig
	endpoint string
	client   *http.Client
	zips     sync.Pool                       // of *gzip.Writer, 800 KiB each: kept from one request to the next, and not beyond two collections
	delay    func(attempt int) time.Duration // how long to wait after that many failures
	limit    int                             // records in a request; halved by each 413
	interval time.Duration                   // between heartbeats, as the collector asked for
	health   health
}

// ValidateURL refuses an address that alerts must not be sent to: anything but
// https, or http to this machine itself, and anything with a password, a query
// or a fragment in it.
func ValidateURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		// The parser's error would repeat the address, which may hold a password.
		return errors.New("read collector address: it is not a URL")
	case u.Host == "" || u.Hostname() == "":
		return errors.New("read collector address: it names no host; write https://host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("read collector address: it may hold no user, query or fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return errors.New("read collector address: http is for this machine only; write https")
	}
	return errors.New("read collector address: it must begin with https://")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// NewSender makes a sender. It sends nothing until Run.
func NewSender(cfg SenderConfig) (*Sender, error) {
	if err := ValidateURL(cfg.URL); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		return nil, errors.New("make sender: there is no log to send")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	client := &http.Client{}
	if cfg.Client != nil {
		*client = *cfg.Client
	}
	if client.Timeout <= 0 {
		client.Timeout = sendTimeout
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Sender{
		cfg: cfg, client: client, delay: fullJitter, limit: maxBatch, interval: minCheckin,
		endpoint: strings.TrimRight(cfg.URL, "/") + "/v1/agent/batch",
	}, nil
}

// fullJitter spreads the agents that lost their collector at the same time: any
// delay from minDelay up to a bound that doubles with each failure. Once the
// bound is reached they are spread, and a fleet that tries every 48 to 55 s asks
// hardly more often than one whose heartbeats come each minute.
func fullJitter(attempt int) time.Duration {
	bound := min(maxDelay, 2*minDelay<<min(attempt, 16))
	if bound == maxDelay {
		return maxDelay - rand.N(maxDelay/8)
	}
	return minDelay + rand.N(bound-minDelay)
}

// Run delivers what the log holds and will hold until ctx is done, then tells the
// collector that silence follows, for three seconds at most, and returns nil. It
// waits for the log without polling. The collector has every record at least
// once; the log moves on only over what was answered for. What was noted here of
// alerts goes with the next heartbeat.
func (s *Sender) Run(ctx context.Context) error {
	var checkin time.Time // when the next heartbeat is due: at once
	for failures := 0; ctx.Err() == nil; {
		due := !time.Now().Before(checkin)
		if due {
			s.takeNotes()
		}
		items, err := s.cfg.Log.pending(s.limit, maxBatchSize)
		if err == nil && len(items) == 0 && !due {
			s.wait(ctx, time.Until(checkin), s.cfg.Log.wake)
			continue
		}
		var next time.Duration
		if err == nil {
			next, err = s.deliver(ctx, items, due)
		}
		s.health.set(ctx, err)
		if s.cfg.Asked != nil {
			s.cfg.Asked()
		}
		if err == nil {
			failures = 0
			if next > 0 {
				checkin = time.Now().Add(next + rand.N(next/10+1))
			}
			continue
		}
		if ctx.Err() == nil {
			s.cfg.Logger.Warn("Could not deliver alerts", "error", err, "pending", s.cfg.Log.Counters().Pending)
			s.wait(ctx, max(s.delay(failures), retryAfter(err)), nil)
			failures++
		}
	}
	s.farewell(ctx)
	return nil
}

// takeNotes has what was noted at this machine go with the heartbeat.
func (s *Sender) takeNotes() {
	if err := s.cfg.Log.takeNotes(s.cfg.Host, s.cfg.Product); err != nil {
		s.cfg.Logger.Warn("Could not pass on what was noted here", "error", err)
	}
}

// farewell tells that the agent stops, so that its silence is no alarm. A
// collector that did not answer a moment ago is not asked: it knows silence.
func (s *Sender) farewell(ctx context.Context) {
	if !s.health.answers() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if _, err := s.post(ctx, nil, s.heartbeat(true)); err != nil {
		s.cfg.Logger.Warn("Could not tell the collector that the agent stops", "error", err)
	}
}

// wait returns after d, when ctx is done, or when there is a token in wake.
func (s *Sender) wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
	}
}

// deliver sends one batch and settles it. next is the time to the next
// heartbeat, 0 if this one carried none. Unreadable lines alone are settled
// without asking anybody.
func (s *Sender) deliver(ctx context.Context, items []item, due bool) (next time.Duration, err error) {
	var a answer
	if due || sendable(items) > 0 {
		var h *heartbeat
		if due {
			h = s.heartbeat(false)
		}
		if a, err = s.post(ctx, items, h); err != nil {
			return 0, err
		}
	}
	outcomes, err := a.outcomes(items)
	if err != nil {
		return 0, err
	}
	s.report(items, outcomes, a)
	if len(items) > 0 {
		if err := s.cfg.Log.settle(items, outcomes); err != nil {
			// The accounts have moved on in memory: only a restart sends again.
			s.cfg.Logger.Error("Could not save delivery cursor", "error", err)
		}
	}
	if !due {
		return 0, nil
	}
	s.interval = min(max(time.Duration(min(a.NextCheckin, maxCheckin.Seconds()))*time.Second, minCheckin), maxCheckin)
	return s.interval, nil
}

func sendable(items []item) int {
	n := 0
	for _, it := range items {
		if it.raw != nil {
			n++
		}
	}
	return n
}

// report logs what is lost to the collector for good.
func (s *Sender) report(items []item, outcomes []outcome, a answer) {
	for i, it := range items {
		if it.gap > 0 {
			s.cfg.Logger.Error("Passed over damaged records of the alert log", "before_seq", it.seq, "records", it.gap)
		}
		if it.raw != nil && outcomes[i] == rejected {
			s.cfg.Logger.Error("Collector rejected an alert", "uid", it.uid, "reason", safe(a.reasons[it.uid], maxText))
		}
	}
}

// refusal is an answer of the collector that is not a success.
type refusal struct {
	status int
	detail string // why, as the collector says it; clean
	after  time.Duration
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("send alerts: the collector answered %d %s", r.status, http.StatusText(r.status))
	if r.detail != "" {
		text += ": " + r.detail
	}
	return text
}

// refusalOf reads an answer whose body is text.
func refusalOf(resp *http.Response, text []byte) *refusal {
	r := &refusal{status: resp.StatusCode}
	var problem struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(text, &problem) == nil {
		r.detail = safe(problem.Detail, maxName)
	}
	value := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		r.after = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		r.after = time.Until(at)
	}
	r.after = min(max(r.after, 0), maxRetry)
	return r
}

// retryAfter returns how long the collector asked to be left alone.
func retryAfter(err error) time.Duration {
	var r *refusal
	if errors.As(err, &r) {
		return r.after
	}
	return 0
}
