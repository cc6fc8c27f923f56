package exits

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// scripted is an exit that refuses some ids for good, and fails as often as it
// is told.
type scripted struct {
	received
	poison  map[string]bool
	panics  map[string]bool
	fail    []error
	batches []int
}

func (s *scripted) Name() string { return "scripted" }

func (s *scripted) Send(_ context.Context, items []Item) error {
	s.batches = append(s.batches, len(items))
	if len(s.fail) > 0 {
		err := s.fail[0]
		s.fail = s.fail[1:]
		return err
	}
	for _, it := range items {
		if s.panics[it.ID] {
			panic("a record like no other\n")
		}
		if s.poison[it.ID] {
			return &Failure{Words: "does not take " + it.ID, Content: true}
		}
	}
	for _, it := range items {
		s.add(it.ID)
	}
	return nil
}

// TestPoison wants what a receiver will never take to be found and passed over,
// and all else to arrive in order.
func TestPoison(t *testing.T) {
	for name, bad := range map[string][]string{
		"one":             {"a0003"},
		"first":           {"a0001"},
		"last":            {"a0020"},
		"neighbours":      {"a0007", "a0008", "a0009"},
		"a whole batch":   {"a0005", "a0006", "a0007", "a0008"},
		"in every batch":  {"a0002", "a0006", "a0010", "a0014", "a0018"},
		"all but the end": {"a0001", "a0002", "a0003", "a0004", "a0005", "a0006"},
	} {
		t.Run(name, func(t *testing.T) {
			exit := &scripted{poison: map[string]bool{}}
			for _, id := range bad {
				exit.poison[id] = true
			}
			m := &memory{items: many(t, 20)}
			p, _ := run(t, Config{Batch: 4}, exit, m, 5)
			rest := slices.DeleteFunc(slices.Clone(m.items), func(it Item) bool { return exit.poison[it.ID] })
			exit.check(t, rest)
			if h := p.Health(); m.cursor != 200 || m.sent != len(rest) || h.Refused != int64(len(bad)) || !strings.Contains(h.Refusal, "does not take") {
				t.Errorf("cursor %d, sent %d, health %+v", m.cursor, m.sent, h)
			}
		})
	}
}

// TestAllRefused keeps the cursor while a receiver refuses everything, as one
// does whose index or template is wrong, and goes on in the end.
func TestAllRefused(t *testing.T) {
	exit := &scripted{poison: map[string]bool{}}
	m := &memory{items: many(t, 6)}
	for _, it := range m.items {
		exit.poison[it.ID] = true
	}
	_, delays := run(t, Config{Batch: 4}, exit, m, patience-1)
	if m.cursor != 0 || len(delays) != patience-1 || !strings.Contains(m.failures[0], "refuses every alert") {
		t.Errorf("cursor %d after %d delays: %q", m.cursor, len(delays), m.failures[0])
	}
	m = &memory{items: many(t, 6)}
	p, _ := run(t, Config{Batch: 4}, exit, m, 3*patience)
	if m.cursor != 60 || m.sent != 0 || p.Health().Refused != 6 {
		t.Errorf("cursor %d, sent %d, health %+v", m.cursor, m.sent, p.Health())
	}
}

// TestProbes bounds the requests to a receiver that refuses everything: all of
// a batch is looked at in the first try and in the last one only.
func TestProbes(t *testing.T) {
	exit := &scripted{poison: map[string]bool{}}
	m := &memory{items: many(t, 200)}
	for _, it := range m.items {
		exit.poison[it.ID] = true
	}
	run(t, Config{}, exit, m, patience-1)
	most := 2*DefaultBatch + (patience-2)*(probes+1)
	if len(exit.batches) > most || m.cursor != 0 {
		t.Errorf("%d requests, at most %d are right; cursor %d", len(exit.batches), most, m.cursor)
	}
}

// TestPanic treats a record that breaks a renderer as one that is refused.
func TestPanic(t *testing.T) {
	exit := &scripted{panics: map[string]bool{"a0002": true}}
	m := &memory{items: many(t, 3)}
	p, _ := run(t, Config{}, exit, m, 3)
	exit.check(t, []Item{m.items[0], m.items[2]})
	if h := p.Health(); h.Refused != 1 || !strings.Contains(h.Refusal, `no other\u000a`) {
		t.Errorf("health is %+v", h)
	}
}

// TestFilter passes over what is not wanted, and counts it as nothing.
func TestFilter(t *testing.T) {
	exit := &scripted{}
	m := &memory{items: many(t, 9)}
	for i := range m.items {
		m.items[i].Level = []string{"malicious", "suspicious", "incomplete"}[i%3]
		m.items[i].Group = []string{"finance", "lab"}[i%2]
	}
	run(t, Config{Batch: 2, Filter: Filter{Levels: []string{"malicious", "suspicious"}, Groups: []string{"finance"}}}, exit, m, 2)
	if got := fmt.Sprint(exit.ids); got != "[a0001 a0005 a0007]" || m.cursor != 90 || m.sent != 3 {
		t.Errorf("arrived %s, cursor %d, sent %d", got, m.cursor, m.sent)
	}
}

// TestBatchBytes bounds a batch by its bytes, but always sends one.
func TestBatchBytes(t *testing.T) {
	exit := &scripted{}
	m := &memory{items: many(t, 6)}
	run(t, Config{BatchBytes: 2*len(m.items[0].Record) + 10}, exit, m, 2)
	exit.check(t, m.items)
	if fmt.Sprint(exit.batches) != "[2 2 2]" {
		t.Errorf("batches of %v", exit.batches)
	}
	exit, m = &scripted{}, &memory{items: many(t, 2)}
	run(t, Config{BatchBytes: 1 << 10}, exit, m, 2)
	if fmt.Sprint(exit.batches) != "[1 1]" {
		t.Errorf("batches of %v", exit.batches)
	}
}

// broken is a source whose store is away now and then.
type broken struct {
	*memory
	since, cursor, advance int // how many calls fail
}

var errAway = errors.New("the store is\naway")

func (b *broken) Since(ctx context.Context, seq int64, limit int) ([]Item, error) {
	if b.since--; b.since >= 0 {
		return nil, errAway
	}
	return b.memory.Since(ctx, seq, limit)
}

func (b *broken) Cursor(ctx context.Context, name string) (int64, error) {
	if b.cursor--; b.cursor >= 0 {
		return 0, errAway
	}
	return b.memory.Cursor(ctx, name)
}

func (b *broken) Advance(ctx context.Context, name string, seq int64, sent int, failure string) error {
	if b.advance--; b.advance >= 0 {
		return errAway
	}
	return b.memory.Advance(ctx, name, seq, sent, failure)
}

// TestStoreAway wants nothing lost while the collector's store fails, and the
// words on the settings page to be one line.
func TestStoreAway(t *testing.T) {
	exit := &scripted{}
	ctx, cancel := context.WithCancel(context.Background())
	m := &memory{items: many(t, 3), done: cancel, t: t}
	p := NewPump(PumpConfig{Exit: exit, Source: &broken{m, 2, 2, 2}, Config: Config{}})
	var words []string
	p.pause = func(context.Context, time.Duration) { words = append(words, p.Health().Error) }
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	exit.check(t, m.items)
	if len(words) != 6 || words[0] != `the collector's own store: read the cursor: the store is\u000aaway` || len(exit.ids) != 9 {
		t.Errorf("words %q, arrived %v", words, exit.ids)
	}
}

// TestLease sends only while the lease is held.
func TestLease(t *testing.T) {
	exit := &scripted{}
	ctx, cancel := context.WithCancel(context.Background())
	m := &memory{items: many(t, 3), done: cancel, t: t}
	asked := 0
	p := NewPump(PumpConfig{Exit: exit, Source: m, Config: Config{Batch: 2}, Newest: func(context.Context) (int64, error) { return 30, nil },
		Lease: func(context.Context) (bool, error) { asked++; return asked > 3, nil }})
	var states []string
	p.pause = func(context.Context, time.Duration) { states = append(states, p.Health().State) }
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	exit.check(t, m.items)
	if fmt.Sprint(states) != "[standby standby standby]" || asked != 6 {
		t.Errorf("asked %d times, states %v", asked, states)
	}
	if h := p.Health(); h.Lag != 0 || h.Sent != 3 {
		t.Errorf("health is %+v", h)
	}
}

// TestLag tells how far the exit is behind while its receiver is away.
func TestLag(t *testing.T) {
	exit := &scripted{fail: []error{errors.New("away")}}
	ctx, cancel := context.WithCancel(context.Background())
	m := &memory{items: many(t, 3), done: cancel, t: t}
	p := NewPump(PumpConfig{Exit: exit, Source: m, Config: Config{Type: TypeOTLP}, Newest: func(context.Context) (int64, error) { return 30, nil }})
	p.pause = func(context.Context, time.Duration) {
		if h := p.Health(); h.Lag != 30 || h.State != StateWaiting || h.Error != "away" || h.NextTry.IsZero() || h.Since.IsZero() {
			t.Errorf("health is %+v", h)
		}
	}
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if h := p.Health(); h.Lag != 0 || h.Error != "" || !h.Since.IsZero() {
		t.Errorf("health is %+v", h)
	}
}

// TestDeadNeighbour lets one receiver hang while another is fed.
func TestDeadNeighbour(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dead := NewPump(PumpConfig{Exit: hanging{}, Source: &memory{items: many(t, 3), done: func() {}, t: t}})
	ended := make(chan error)
	go func() { ended <- dead.Run(ctx) }()
	exit, m := &scripted{}, &memory{items: many(t, 30)}
	run(t, Config{Batch: 4}, exit, m, 2)
	exit.check(t, m.items)
	cancel()
	if err := <-ended; err != nil || dead.Health().Sent != 0 {
		t.Errorf("Run = %v", err)
	}
}

// hanging never answers.
type hanging struct{}

func (hanging) Name() string { return "hanging" }

func (hanging) Send(ctx context.Context, _ []Item) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestJitter wants every delay within its bound, and bounds that grow and end.
func TestJitter(t *testing.T) {
	for failures, bound := range map[int]time.Duration{0: time.Second, 3: 8 * time.Second, 8: 256 * time.Second, 9: maxDelay, 1000: maxDelay} {
		for range 200 {
			if d := fullJitter(failures); d <= 0 || d > bound+time.Millisecond {
				t.Fatalf("after %d failures the delay is %s, the bound is %s", failures, d, bound)
			}
		}
	}
}

// TestPoisonAlone wants a batch of one that is refused to be tried again in
// company, and not to be passed over alone.
func TestPoisonAlone(t *testing.T) {
	exit := &scripted{poison: map[string]bool{"a0002": true}}
	m := &memory{items: many(t, 2)}
	run(t, Config{Batch: 1}, exit, m, 3)
	if m.cursor != 10 {
		t.Errorf("the cursor is at %d: an alert was passed over alone", m.cursor)
	}
	m = &memory{items: many(t, 4)}
	exit = &scripted{poison: exit.poison}
	run(t, Config{Batch: 1}, exit, m, 3)
	exit.check(t, []Item{m.items[0], m.items[2], m.items[3]})
	if m.cursor != 40 || m.sent != 3 || len(m.failures) != 2 {
		t.Errorf("cursor %d, sent %d, failures %q", m.cursor, m.sent, m.failures)
	}
}
