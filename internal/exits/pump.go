package exits

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"time"
)

// Source is where a pump takes items from and keeps how far it has come.
type Source interface {
	// Since returns items with a greater Seq, in the order of Seq.
	Since(ctx context.Context, seq int64, limit int) ([]Item, error)

	// Cursor returns how far the named exit has come, 0 if it never began.
	Cursor(ctx context.Context, name string) (int64, error)

	// Advance keeps the outcome of a try: how far the exit has come now, how
	// many items the receiver took, and why it failed, or "". A cursor that is
	// further already stays.
	Advance(ctx context.Context, name string, seq int64, sent int, failure string) error

	// Wait returns when there may be something new, or ctx is done, or after a
	// while.
	Wait(ctx context.Context)
}

// PumpConfig says what a pump does.
type PumpConfig struct {
	Exit   Exit
	Source Source
	Config Config // of the exit: filter and size of batches

	// Lease tells whether this collector is the one that feeds the exit; it is
	// asked before every batch and prolongs. nil: it always is. If a lease runs
	// out during a batch two collectors may send it: twice, never not at all.
	Lease func(ctx context.Context) (bool, error)

	// Newest is the greatest Seq there is, from which the lag is told. nil: the
	// lag is not known.
	Newest func(ctx context.Context) (int64, error)

	Logger *slog.Logger // nil: silent
}

// The delays of a pump.
const (
	minDelay   = time.Second
	maxDelay   = 5 * time.Minute
	leaseDelay = 15 * time.Second // until it is asked again for a lease that another has
	patience   = 30               // tries of a batch that the receiver refuses as a whole, before it is passed over: about an hour
	probes     = 32               // requests with which a try after the first looks for an alert that is taken
)

// Pump runs one exit.
type Pump struct {
	PumpConfig
	health  health
	pause   func(ctx context.Context, d time.Duration) // waits
	delay   func(failures int) time.Duration
	refused int // tries in a row in which everything was refused
}

// NewPump makes a pump. It does nothing until Run.
func NewPump(cfg PumpConfig) *Pump {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Logger = cfg.Logger.With("exit", cfg.Exit.Name())
	cfg.Config = cfg.Config.withDefaults()
	p := &Pump{PumpConfig: cfg, pause: pause, delay: fullJitter}
	p.health.now = Health{Name: cfg.Exit.Name(), Type: cfg.Config.Type, State: StateIdle, Lag: -1}
	return p
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// fullJitter is any delay up to a bound that doubles with every failure, so
// that collectors do not come back to a receiver all at once.
func fullJitter(failures int) time.Duration {
	return rand.N(min(maxDelay, minDelay<<min(failures, 16))) + time.Millisecond
}

// Run sends until ctx is done, and then returns nil. It never gives up: after a
// failure it waits and tries the same batch again.
func (p *Pump) Run(ctx context.Context) error {
	for failures := 0; ctx.Err() == nil; {
		more, err := p.step(ctx)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, errNotMine):
			p.pause(ctx, leaseDelay)
		case err != nil:
			d := max(p.delay(failures), after(err))
			p.health.waiting(d)
			p.Logger.Warn("Could not deliver alerts", "error", err, "wait", d)
			p.pause(ctx, d)
			failures++
		default:
			failures = 0
			if !more {
				p.Source.Wait(ctx)
			}
		}
	}
	return nil
}

var errNotMine = errors.New("another collector feeds this exit")

func after(err error) time.Duration {
	var f *Failure
	if errors.As(err, &f) {
		return f.After
	}
	return 0
}

// step sends one batch; more tells that another may follow at once.
func (p *Pump) step(ctx context.Context) (more bool, err error) {
	if err := p.lease(ctx); err != nil {
		return false, err
	}
	seq, err := p.Source.Cursor(ctx, p.Exit.Name())
	if err != nil {
		return false, p.storeTrouble("read the cursor", err)
	}
	limit := p.limit()
	items, err := p.Source.Since(ctx, seq, limit)
	if err != nil {
		return false, p.storeTrouble("read alerts", err)
	}
	if len(items) == 0 {
		p.health.idle(seq)
		return false, nil
	}
	p.measure(ctx, seq)
	items = p.cut(items)
	bad, err := p.send(ctx, items)
	if err != nil {
		return false, p.failed(ctx, seq, err)
	}
	return true, p.advance(ctx, items, bad)
}

// limit is the size of a batch. A batch that was refused as a whole is tried
// with more company, because only beside one that is taken can an alert be told
// to be at fault.
func (p *Pump) limit() int {
	if p.refused > 0 {
		return min(max(p.Config.Batch, minCompany)*2, 2*maxBatch)
	}
	return p.Config.Batch
}

const minCompany = 8

func (p *Pump) lease(ctx context.Context) error {
	if p.Lease == nil {
		return nil
	}
	mine, err := p.Lease(ctx)
	if err != nil {
		return p.storeTrouble("ask for the lease", err)
	}
	if !mine {
		p.health.standby()
		return errNotMine
	}
	return nil
}

func (p *Pump) storeTrouble(what string, err error) error {
	err = fmt.Errorf("%s: %w", what, err)
	p.health.failed("the collector's own store: " + line(err.Error(), maxWords))
	return err
}

// measure takes the lag while there is one. That it cannot be told is no reason
// not to send.
func (p *Pump) measure(ctx context.Context, seq int64) {
	if p.Newest == nil {
		p.health.sending(seq, -1)
		return
	}
	newest, err := p.Newest(ctx)
	if err != nil {
		newest = seq - 1
	}
	p.health.sending(seq, newest-seq)
}

// cut keeps the batch within its bytes; one item always stays.
func (p *Pump) cut(items []Item) []Item {
	room := p.Config.BatchBytes
	for i, it := range items {
		if room -= len(it.Record); room < 0 && i > 0 {
			return items[:i]
		}
	}
	return items
}

// send sends what passes the filter and returns what was refused for good. An
// error means that the batch is to be tried again.
func (p *Pump) send(ctx context.Context, items []Item) ([]Refusal, error) {
	passed := p.passing(items)
	if len(passed) == 0 {
		return nil, nil
	}
	s := sift{send: p.try, probes: math.MaxInt}
	if 0 < p.refused && p.refused < patience-1 {
		s.probes = probes
	}
	bad, err := s.deliver(ctx, passed)
	if err != nil {
		return nil, err
	}
	if s.taken {
		p.refused = 0
		return bad, nil
	}
	if p.refused++; p.refused < patience {
		return nil, &Failure{Words: fmt.Sprintf("refuses every alert, so nothing is passed over yet (%d of %d tries): %s",
			p.refused, patience, bad[0].Reason)}
	}
	p.refused = 0
	return bad, nil
}

func (p *Pump) passing(items []Item) []Item {
	passed := make([]Item, 0, len(items))
	for _, it := range items {
		if p.Config.Filter.Passes(it) {
			passed = append(passed, it)
		}
	}
	return passed
}

// sift finds what a receiver does not like among items.
type sift struct {
	send   func(context.Context, []Item) error
	probes int  // requests that may be spent while nothing is taken
	taken  bool // something was
}

// deliver sends items. If the receiver does not like the content it sends the
// halves, down to single items: that finds the one that spoils the batch, and
// keeps the order. Once the probes are spent without success the rest is taken
// for refused unseen; the caller then keeps it all.
func (s *sift) deliver(ctx context.Context, items []Item) ([]Refusal, error) {
	err := s.send(ctx, items)
	var refused *Refused
	var f *Failure
	switch {
	case err == nil:
		s.taken = true
		return nil, nil
	case errors.As(err, &refused):
		s.taken = true
		return refused.Items, nil
	case !errors.As(err, &f) || !f.Content:
		return nil, err
	}
	s.probes--
	if len(items) == 1 {
		return []Refusal{{items[0].ID, f.Words}}, nil
	}
	var bad []Refusal
	for _, half := range [][]Item{items[:len(items)/2], items[len(items)/2:]} {
		if s.probes <= 0 && !s.taken {
			return append(bad, Refusal{half[0].ID, f.Words}), nil
		}
		more, err := s.deliver(ctx, half)
		if err != nil {
			return nil, err
		}
		bad = append(bad, more...)
	}
	return bad, nil
}

// try sends once. A record that makes a renderer panic is treated like one that
// the receiver does not like: it must not end the collector.
func (p *Pump) try(ctx context.Context, items []Item) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &Failure{Words: "the alert could not be rendered: " + line(fmt.Sprint(r), maxWords), Content: true}
		}
	}()
	return p.Exit.Send(ctx, items)
}

// failed keeps why a batch failed, beside the cursor, which stays.
func (p *Pump) failed(ctx context.Context, seq int64, err error) error {
	words := line(err.Error(), 2*maxWords)
	p.health.failed(words)
	if ctx.Err() != nil {
		return err // stopped in the middle: nobody's fault
	}
	if e := p.Source.Advance(ctx, p.Exit.Name(), seq, 0, words); e != nil {
		p.Logger.Warn("Could not store why an exit failed", "error", e)
	}
	return err
}

// advance moves the cursor over the batch.
func (p *Pump) advance(ctx context.Context, items []Item, bad []Refusal) error {
	words := ""
	for _, r := range bad {
		p.Logger.Error("A receiver refused an alert for good", "alert", line(r.ID, maxWords), "reason", r.Reason)
		words = fmt.Sprintf("%d alerts were refused for good, the last one: %s", len(bad), r.Reason)
	}
	last := items[len(items)-1]
	sent := len(p.passing(items)) - len(bad)
	if err := p.Source.Advance(ctx, p.Exit.Name(), last.Seq, sent, words); err != nil {
		return p.storeTrouble("store the cursor", err)
	}
	p.health.sent(last, sent, len(bad), words)
	return nil
}
