package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Bounds of one commit: it takes no further batch beyond them.
const (
	maxGroup      = 2000     // records
	maxGroupBytes = 16 << 20 // of records
)

// groupCommit lets batches that arrive while a commit runs share the next one:
// whoever gets the lock first commits for all that wait, so that the cost of a
// disk flush is shared and no goroutine of our own is needed.
type groupCommit struct {
	queueMu  sync.Mutex
	queue    []*pendingSave // batches that wait for a commit
	commitMu sync.Mutex     // held by the one who commits
}

// pendingSave is a batch on its way. Everything but batch is written under
// commitMu.
type pendingSave struct {
	batch   Batch
	done    bool
	results []Result
	err     error
}

func (p *pendingSave) settle(results []Result, err error) {
	p.done, p.results, p.err = true, results, err
}

// size is the bytes of the records.
func (p *pendingSave) size() (n int) {
	for _, r := range p.batch.Records {
		n += len(r.Raw)
	}
	return n
}

// save queues the batch and returns when it is settled. commit writes batches in
// one transaction and settles them, or returns an error and has written nothing.
//
// A caller that goes away does not stop the commit: others may share it.
func (g *groupCommit) save(ctx context.Context, b Batch, commit func(context.Context, []*pendingSave) error) ([]Result, error) {
	p := &pendingSave{batch: b}
	g.queueMu.Lock()
	g.queue = append(g.queue, p)
	g.queueMu.Unlock()

	g.commitMu.Lock()
	defer g.commitMu.Unlock()
	for !p.done {
		commitApart(context.WithoutCancel(ctx), g.take(), commit)
	}
	return p.results, p.err
}

// commitApart commits the group. If that fails, every batch is tried by itself,
// so that one that cannot be stored takes no other with it.
func commitApart(ctx context.Context, group []*pendingSave, commit func(context.Context, []*pendingSave) error) {
	err := commit(ctx, group)
	if err == nil {
		return
	}
	if len(group) == 1 {
		group[0].settle(nil, fmt.Errorf("save batch: %w", err))
		return
	}
	if isOutage(err) {
		for _, p := range group {
			p.settle(nil, fmt.Errorf("save batch: %w", err))
		}
		return
	}
	for one := range slices.Chunk(group, 1) {
		commitApart(ctx, one, commit)
	}
}

// take takes the batches of the next commit from the queue: at least one.
func (g *groupCommit) take() []*pendingSave {
	g.queueMu.Lock()
	defer g.queueMu.Unlock()
	n, records, size := 0, 0, 0
	for ; n < len(g.queue); n++ {
		records += len(g.queue[n].batch.Records)
		size += g.queue[n].size()
		if n > 0 && (records > maxGroup || size > maxGroupBytes) {
			break
		}
	}
	group := g.queue[:n:n]
	g.queue = g.queue[n:]
	return group
}
