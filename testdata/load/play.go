//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"meetguard/internal/store"
)

// The bars of a played fleet.
const (
	barP99    = 250 * time.Millisecond
	barMemory = 512 << 20 // bytes
)

// tally is what was measured.
type tally struct {
	mu     sync.Mutex
	took   []time.Duration
	failed map[string]int
	sent   atomic.Int64
}

func (t *tally) add(took time.Duration, err error) {
	t.sent.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.failed[fmt.Sprintf("%.60s", err)]++
		return
	}
	t.took = append(t.took, took)
}

func (t *tally) percentile(p float64) time.Duration {
	if len(t.took) == 0 {
		return 0
	}
	slices.Sort(t.took)
	return t.took[min(int(float64(len(t.took))*p), len(t.took)-1)].Round(10 * time.Microsecond)
}

func play(ctx context.Context, p plan) (bool, error) {
	dir, err := os.MkdirTemp("", "meetguard-load")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	p.dir = dir
	s, err := startServer(ctx, p)
	if err != nil {
		return false, err
	}
	defer s.stop()
	start := time.Now()
	fleet, err := enrolAll(ctx, p, s)
	if err != nil {
		return false, err
	}
	fmt.Printf("%d agents enrolled in %v, %.0f a second; collector %d MiB\n", len(fleet), time.Since(start).Round(time.Second),
		float64(len(fleet))/time.Since(start).Seconds(), usageOf(s.cmd.Process.Pid).rss>>20)
	before := usageOf(s.cmd.Process.Pid)
	fmt.Printf("an enrolment takes the collector %v of CPU\n", (before.cpu / time.Duration(p.agents)).Round(10*time.Microsecond))
	t := &tally{failed: map[string]int{}}
	began := time.Now()
	watched, stop := context.WithCancel(ctx)
	go watch(watched, s.cmd.Process.Pid, p.length/10)
	drive(ctx, p, fleet, t)
	stop()
	length := time.Since(began)
	after := usageOf(s.cmd.Process.Pid)
	finish(fleet, p, t)
	lost, stored, err := missing(ctx, s, fleet)
	if err != nil {
		return false, err
	}
	p99 := t.percentile(0.99)
	fmt.Printf("%d requests in %v, %.0f a second, %d failed %v\n", t.sent.Load(), length.Round(time.Second), float64(t.sent.Load())/length.Seconds(), failures(t), t.failed)
	fmt.Printf("answer p50 %v, p90 %v, p99 %v (bar %v), max %v\n", t.percentile(0.5), t.percentile(0.9), p99, barP99, t.percentile(1))
	fmt.Printf("memory at most %d MiB (bar %d), CPU %.2f of one core\n", after.peak>>20, int64(barMemory)>>20, (after.cpu-before.cpu).Seconds()/length.Seconds())
	fmt.Printf("%d alerts stored, %d acknowledged and not in the store (bar 0)\n", stored, lost)
	return p99 <= barP99 && after.peak <= barMemory && lost == 0 && failures(t) == 0, nil
}

// watch prints what memory the collector has, now and then.
func watch(ctx context.Context, pid int, every time.Duration) {
	begin := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
			u := usageOf(pid)
			fmt.Printf("after %v: memory %d MiB, CPU %v, load %s\n", time.Since(begin).Round(time.Second), u.rss>>20, u.cpu.Round(time.Second), loadAverage())
		}
	}
}

func failures(t *tally) int {
	n := 0
	for _, k := range t.failed {
		n += k
	}
	return n
}

func enrolAll(ctx context.Context, p plan, s *server) ([]*agent, error) {
	fleet := make([]*agent, p.agents*p.wires)
	var next atomic.Int64
	var wait sync.WaitGroup
	errs := make(chan error, 16)
	for range 16 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= p.agents {
					return
				}
				a, err := enrol(n, s.addr, s.line)
				for errors.Is(err, errLater) && ctx.Err() == nil { // as an agent does
					time.Sleep(time.Second + rand.N(time.Second))
					a, err = enrol(n, s.addr, s.line)
				}
				if err != nil {
					errs <- err
					return
				}
				fleet[n] = a
			}
		}()
	}
	wait.Wait()
	select {
	case err := <-errs:
		return nil, err
	default:
	}
	for i := p.agents; i < len(fleet); i++ { // further connections of the same identities
		from := fleet[i%p.agents]
		fleet[i] = &agent{n: i, addr: from.addr, tls: from.tls, uid: from.uid, prev: from.prev}
	}
	return fleet, ctx.Err()
}

// drive spreads the heartbeats of the fleet evenly and sends alerts between.
func drive(ctx context.Context, p plan, fleet []*agent, t *tally) {
	ctx, stop := context.WithTimeout(ctx, p.length)
	defer stop()
	work := make(chan func(), p.senders)
	var wait sync.WaitGroup
	for range p.senders {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for do := range work {
				do()
			}
		}()
	}
	order := rand.Perm(len(fleet))
	every := func(gap time.Duration, do func(i int)) {
		defer wait.Done()
		begin := time.Now()
		for i := 0; ctx.Err() == nil; i++ {
			if d := time.Until(begin.Add(time.Duration(i) * gap)); d > 0 {
				select {
				case <-ctx.Done():
					return
				case <-time.After(d):
				}
			}
			do(i)
		}
	}
	var sources sync.WaitGroup
	source := func(gap time.Duration, do func(i int)) {
		wait.Add(1)
		sources.Add(1)
		go func() { defer sources.Done(); every(gap, do) }()
	}
	source(p.interval/time.Duration(len(fleet)), func(i int) {
		a := fleet[order[i%len(order)]]
		work <- func() { t.add(a.beat(p.interval, false, p.reconnect)) }
	})
	if p.alerts > 0 {
		source(time.Duration(float64(time.Second)/p.alerts), func(int) {
			a := fleet[rand.N(min(len(fleet), p.agents))]
			work <- func() { t.add(a.beat(p.interval, true, p.reconnect)) }
		})
	}
	sources.Wait()
	close(work)
	wait.Wait()
}

// finish sends again what was not answered.
func finish(fleet []*agent, p plan, t *tally) {
	for _, a := range fleet {
		if a.unsent != nil {
			t.add(a.beat(p.interval, false, p.reconnect))
		}
		a.close()
	}
}

// missing looks for acknowledged alerts that the store does not have.
func missing(ctx context.Context, s *server, fleet []*agent) (lost, stored int, err error) {
	if err := s.stop(); err != nil {
		return 0, 0, fmt.Errorf("the collector ended badly: %w", err)
	}
	st, err := store.Open(ctx, s.store)
	if err != nil {
		return 0, 0, err
	}
	defer st.Close()
	have := map[string]bool{}
	for seq := int64(0); ; {
		page, err := st.Since(ctx, store.Everything, seq, 1000)
		if err != nil {
			return 0, 0, err
		}
		if len(page) == 0 {
			break
		}
		for _, a := range page {
			if have[a.RecordUID] {
				return 0, 0, fmt.Errorf("alert %s is stored twice", a.RecordUID)
			}
			have[a.RecordUID] = true
		}
		seq = page[len(page)-1].Seq
	}
	for _, a := range fleet {
		for _, uid := range a.stored {
			stored++
			if !have[uid] {
				lost++
			}
		}
	}
	return lost, stored, nil
}
