package worker

import (
	"errors"
	"sync"
	"time"
)

// Deaths counts the children that ended before their request was answered, by
// what ended them.
type Deaths struct {
	Memory  uint64 // they needed more memory than they may have
	Killed  uint64 // somebody else killed them: the kernel, for want of memory, or a person
	Crashed uint64 // a parser failed beyond recovery
	Slow    uint64 // they took longer than Config.Timeout

	LastKilled, LastMemory time.Time // zero for never
}

// Deaths of the children of this pool so far.
func (p *Pool) Deaths() Deaths {
	p.deaths.mu.Lock()
	defer p.deaths.mu.Unlock()
	return p.deaths.Deaths
}

// Plus adds those of another pool.
func (d Deaths) Plus(o Deaths) Deaths {
	d.Memory += o.Memory
	d.Killed += o.Killed
	d.Crashed += o.Crashed
	d.Slow += o.Slow
	if o.LastKilled.After(d.LastKilled) {
		d.LastKilled = o.LastKilled
	}
	if o.LastMemory.After(d.LastMemory) {
		d.LastMemory = o.LastMemory
	}
	return d
}

type deaths struct {
	mu sync.Mutex
	Deaths
}

// note counts what became of an exchange.
func (d *deaths) note(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var died *crash
	switch {
	case errors.As(err, &died) && died.killed:
		d.Killed++
		d.LastKilled = time.Now()
	case errors.As(err, &died), errors.Is(err, errNonsense):
		d.Crashed++
	case errors.Is(err, errMemory):
		d.Memory++
		d.LastMemory = time.Now()
	case errors.Is(err, errSlow):
		d.Slow++
	}
}

// What a Failure may wrap.
var (
	errMemory   = errors.New("more memory than a worker may have")
	errSlow     = errors.New("longer than a request may take")
	errNonsense = errors.New("an answer that is none")
)
