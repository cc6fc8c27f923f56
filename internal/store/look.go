package store

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Bounds of one look at agents.
const (
	maxLooks = 256              // agents
	lookFor  = 15 * time.Second // after which everybody who waits is told
)

// groupLook lets requests that arrive while agents are looked at share the next
// look: whoever gets the lock first looks for all that wait. A look begins after
// each of them has asked, so that nobody is told what was so before.
type groupLook struct {
	queueMu sync.Mutex
	queue   []*pendingLook
	lookMu  sync.Mutex // held by the one who looks
}

// pendingLook is an agent that is asked for. Everything but uid is written under
// lookMu.
type pendingLook struct {
	uid   string
	done  bool
	known bool
	agent AgentStatus
	err   error
}

// look queues the question and returns when it is answered. ask answers all of
// them. A caller that goes away does not stop the look: others may share it.
func (g *groupLook) look(ctx context.Context, uid string, ask func(context.Context, []*pendingLook) error) (AgentStatus, error) {
	p := &pendingLook{uid: uid}
	g.queueMu.Lock()
	g.queue = append(g.queue, p)
	g.queueMu.Unlock()

	g.lookMu.Lock()
	defer g.lookMu.Unlock()
	for !p.done {
		g.answer(ctx, ask)
	}
	switch {
	case p.err != nil:
		return AgentStatus{}, p.err
	case !p.known:
		return AgentStatus{}, ErrNotFound
	}
	return p.agent, nil
}

func (g *groupLook) answer(ctx context.Context, ask func(context.Context, []*pendingLook) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookFor)
	defer cancel()
	group := g.take()
	err := ask(ctx, group)
	for _, p := range group {
		p.done, p.err = true, err
	}
}

// take takes those that wait from the queue: at least one.
func (g *groupLook) take() []*pendingLook {
	g.queueMu.Lock()
	defer g.queueMu.Unlock()
	n := min(len(g.queue), maxLooks)
	group := g.queue[:n:n]
	g.queue = g.queue[n:]
	return group
}

// Standing returns what a request of an agent is judged by.
func (d *db) Standing(ctx context.Context, uid string) (AgentStatus, error) {
	a, err := d.looks.look(ctx, uid, func(ctx context.Context, group []*pendingLook) error {
		all := make([]statement, len(group))
		for i, p := range group {
			all[i] = p.statement()
		}
		return d.looked(ctx, all)
	})
	if err != nil {
		return AgentStatus{}, fmt.Errorf("read agent: %w", err)
	}
	return a, nil
}

func (p *pendingLook) statement() statement {
	return statement{
		query: selectStanding,
		args:  []any{p.uid},
		row: func(row scanner) (err error) {
			p.agent, err = scanStanding(row)
			p.known = err == nil
			return err
		},
	}
}

const selectStanding = `SELECT agent_uid, group_name, state, machine_id, enrolled_at, log_seq, log_head, got_seq, got_digest
	FROM agents WHERE agent_uid = ?`

func scanStanding(row scanner) (AgentStatus, error) {
	var a AgentStatus
	var enrolled int64
	err := row.Scan(&a.UID, &a.Group, &a.State, &a.MachineID, &enrolled, &a.Log.Seq, &a.Log.Head, &a.Log.Received, &a.Log.Digest)
	a.EnrolledAt = fromMillis(enrolled)
	return a, err
}
