package store

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"
)

// maxKept is the most conflicts and the most dead letters kept for one agent. A
// faulty agent cannot fill the disk with them; the counters go on.
const maxKept = 1000

// saving is a group of batches on its way into the store. Each step makes the
// statements that the answers of the step before allow; every statement names
// one agent, so that a distributed PostgreSQL can send it to the agent's node.
//
// Locks are taken in one order in every transaction, so that collectors never
// wait for each other in a circle: agents by uid, exceptions by id, the counter.
// The counter comes last, because all collectors queue for it.
type saving struct {
	dialect    dialect
	ordered    bool // see db
	group      []*pendingSave
	agents     map[string]*savedAgent
	records    []*savedRecord // of known agents, in the order of the batches
	exceptions []Exception
	hits       map[string]int64 // by id of the exception
	seq        int64            // of the newest alert of this group
	notes      []*noted
}

// savedAgent is what the transaction knows of an agent, whose row it has locked.
type savedAgent struct {
	known       bool
	group       string
	lastSeen    int64
	gotSeq      int64
	gotDigest   string
	deadLetters int64 // that are kept
	conflicts   int64
	seen        time.Time // the newest batch
	from        Agent     // as that batch tells
	beats       []Beat
	log         *LogState // as the newest batch that tells
	tally       tally
}

// savedRecord is a record with its answer.
type savedRecord struct {
	Record
	batch     *Batch
	claimed   int64  // 1 if its key was free
	held      string // the digest under its key, if it was not
	exception string // that hides it
	result    Result
}

// tally counts the answers to one agent.
type tally struct{ stored, rejected, conflicts int64 }

func (t *tally) add(r Result) {
	switch {
	case r.Status == Stored:
		t.stored++
	case r.Reason == ReasonConflict:
		t.conflicts++
		t.rejected++
	case r.Status == Rejected:
		t.rejected++
	}
}

// saveGroup writes the group in one transaction and settles it. After an error
// nothing is written and nobody is settled.
func (d *db) saveGroup(ctx context.Context, group []*pendingSave) error {
	var s *saving
	err := d.batched(ctx, func(run runner) error {
		s = newSaving(d, group)
		for _, step := range []func() []statement{s.lockAgents, s.claimKeys, s.readKeys, s.writeAround, s.writeAlerts, s.readNoted, s.writeNoted} {
			if all := step(); len(all) > 0 {
				if err := run(ctx, all); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		s.settle()
	}
	return err
}

func newSaving(d *db, group []*pendingSave) *saving {
	s := &saving{dialect: d.dialect, ordered: d.ordered, group: group, agents: map[string]*savedAgent{}, hits: map[string]int64{}}
	for _, p := range group {
		uid := p.batch.Agent.UID
		if s.agents[uid] == nil {
			s.agents[uid] = &savedAgent{}
		}
		s.agents[uid].hear(p.batch)
	}
	return s
}

// hear takes what a batch says of its agent.
func (a *savedAgent) hear(b Batch) {
	if !b.Own && !b.ReceivedAt.Before(a.seen) {
		a.seen, a.from = b.ReceivedAt, b.Agent
	}
	if b.Log != nil {
		a.log = b.Log
	}
	if b.Beat != nil {
		a.beats = append(a.beats, *b.Beat)
	}
}

// lockAgents reads and locks the agents. Whoever holds an agent's row is alone
// with its keys, dead letters and conflicts.
func (s *saving) lockAgents() (all []statement) {
	for _, uid := range slices.Sorted(maps.Keys(s.agents)) {
		a := s.agents[uid]
		all = append(all, statement{
			query: `SELECT group_name, last_seen, got_seq, got_digest FROM agents WHERE agent_uid = ?` + s.dialect.lock,
			args:  []any{uid},
			row: func(row scanner) error {
				a.known = true
				return row.Scan(&a.group, &a.lastSeen, &a.gotSeq, &a.gotDigest)
			},
		})
	}
	if slices.ContainsFunc(s.group, func(p *pendingSave) bool { return len(p.batch.Records) > 0 }) {
		all = append(all, s.readExceptions())
	}
	return all
}

// claimKeys takes the keys of the records. A key that is taken already changes
// no row.
func (s *saving) claimKeys() (all []statement) {
	for _, p := range s.group {
		if !s.agents[p.batch.Agent.UID].known {
			continue
		}
		refused := false
		for _, r := range p.batch.Records {
			rec := &savedRecord{Record: r, batch: &p.batch}
			s.records = append(s.records, rec)
			if refused = refused || r.Refused != ""; r.Refused == "" {
				all = append(all, rec.claim())
			}
		}
		if refused {
			all = append(all, s.countKept("dead_letters", p.batch.Agent.UID))
		}
	}
	return all
}

func (r *savedRecord) claim() statement {
	return statement{
		query: `INSERT INTO alert_keys (agent_uid, record_uid, digest) VALUES (?, ?, ?)
			ON CONFLICT (agent_uid, record_uid) DO NOTHING`,
		args:    []any{r.batch.Agent.UID, r.UID, r.Digest},
		changed: &r.claimed,
	}
}

func (s *saving) countKept(table, uid string) statement {
	kept := &s.agents[uid].deadLetters
	if table == "conflicts" {
		kept = &s.agents[uid].conflicts
	}
	return statement{
		query: `SELECT count(*) FROM ` + table + ` WHERE agent_uid = ?`,
		args:  []any{uid},
		row:   func(row scanner) error { return row.Scan(kept) },
	}
}

// readKeys reads what is under the keys that were taken.
func (s *saving) readKeys() (all []statement) {
	counted := map[string]bool{}
	for _, r := range s.records {
		if r.Refused != "" || r.claimed == 1 {
			continue
		}
		uid := r.batch.Agent.UID
		all = append(all, statement{
			query: `SELECT digest FROM alert_keys WHERE agent_uid = ? AND record_uid = ?`,
			args:  []any{uid, r.UID},
			row:   func(row scanner) error { return row.Scan(&r.held) },
		})
		if !counted[uid] {
			counted[uid] = true
			all = append(all, s.countKept("conflicts", uid))
		}
	}
	return all
}

// judge answers the record.
func (r *savedRecord) judge() Result {
	switch {
	case r.Refused != "":
		return Result{UID: r.UID, Status: Rejected, Reason: r.Refused}
	case r.claimed == 1:
		return Result{UID: r.UID, Status: Stored}
	case r.held == r.Digest, r.Note != nil: // a note may come in another line of the log again
		return Result{UID: r.UID, Status: Duplicate}
	}
	return Result{UID: r.UID, Status: Rejected, Reason: ReasonConflict}
}

// answer judges the record and lets its agent know.
func (s *saving) answer(r *savedRecord) {
	a := s.agents[r.batch.Agent.UID]
	r.result = r.judge()
	if r.Note == nil {
		a.tally.add(r.result)
	}
	if seq := toSeq(r.Seq); r.result.Status != Rejected && seq > a.gotSeq {
		a.gotSeq, a.gotDigest = seq, r.Digest
	}
}

// toSeq is the number as it stands in a column.
func toSeq(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// settle gives every batch its answers.
func (s *saving) settle() {
	next := 0
	for _, p := range s.group {
		if !s.agents[p.batch.Agent.UID].known {
			p.settle(nil, ErrNotFound)
			continue
		}
		results := make([]Result, 0, len(p.batch.Records))
		for range p.batch.Records {
			results = append(results, s.records[next].result)
			next++
		}
		p.settle(results, nil)
	}
}
