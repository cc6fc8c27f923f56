package collect

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
)

// maxQueued is the number of handshakes of one address that may wait for their
// turn. Of what comes beyond the connection is closed before anything is computed.
const maxQueued = 512

// errQueue says that too many handshakes of an address wait already.
var errQueue = errors.New("too many handshakes of this address wait")

// gate bounds how many handshakes, or enrolments, are computed at the same time,
// so that connections which nobody knows yet leave the processors to those that
// are there, and shares the turns evenly between addresses: one that opens a thousand
// connections holds up itself.
type gate struct {
	mu    sync.Mutex
	free  int
	lines map[string][]chan struct{} // by address: those that wait
	next  []string                   // addresses with a line, in the order of their turns
}

// newGate leaves half of the processors to what is connected already.
func newGate() *gate {
	return &gate{free: max(1, runtime.GOMAXPROCS(0)/2), lines: map[string][]chan struct{}{}}
}

// enter waits for a turn. After an error there is none to leave.
func (g *gate) enter(ctx context.Context, address string) error {
	turn, err := g.stand(address)
	if turn == nil || err != nil {
		return err
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		if !g.step(address, turn) {
			g.leave() // the turn came meanwhile
		}
		return ctx.Err()
	}
}

// stand takes a turn that is free, or stands in line for one and returns what is
// closed when it comes.
func (g *gate) stand(address string) (turn chan struct{}, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free > 0 {
		g.free--
		return nil, nil
	}
	line := g.lines[address]
	switch len(line) {
	case maxQueued:
		return nil, errQueue
	case 0:
		g.next = append(g.next, address)
	}
	turn = make(chan struct{})
	g.lines[address] = append(line, turn)
	return turn, nil
}

// step leaves the line, and tells whether it still stood there.
func (g *gate) step(address string, turn chan struct{}) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	line := g.lines[address]
	i := slices.Index(line, turn)
	if i >= 0 {
		g.keep(address, slices.Delete(line, i, i+1))
	}
	return i >= 0
}

// keep puts down the line of an address, which may be at its end.
func (g *gate) keep(address string, line []chan struct{}) {
	if len(line) > 0 {
		g.lines[address] = line
		return
	}
	delete(g.lines, address)
	if i := slices.Index(g.next, address); i >= 0 {
		g.next = slices.Delete(g.next, i, i+1)
	}
}

// leave gives the turn to the first in line of the next address.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.next) == 0 {
		g.free++
		return
	}
	address := g.next[0]
	g.next = append(g.next[1:], address)
	line := g.lines[address]
	close(line[0])
	g.keep(address, line[1:])
}

// pass is the turn of one handshake. It is given back while the peer is waited
// for, so that a slow one holds up nobody.
type pass struct {
	gate    *gate
	ctx     context.Context // of the handshake: it lives as long as the pass
	address string
	in      bool
}

func (p *pass) enter() error {
	err := p.gate.enter(p.ctx, p.address)
	p.in = err == nil
	return err
}

func (p *pass) leave() {
	if p.in {
		p.gate.leave()
	}
	p.in = false
}
