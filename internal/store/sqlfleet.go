package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// agentColumns is what agentRow takes, of agents AS a.
const agentColumns = `a.agent_uid, a.hostname, a.os, a.version, a.rules_version, a.group_name, a.state,
	a.enrolled_at, a.first_seen, a.last_seen, a.interval_ms, a.stopped_at, a.silent_since, a.trouble, a.machine_id, a.boot_id,
	a.alerts, a.rejected, a.conflicts, a.log_seq, a.log_head, a.got_seq, a.got_digest`

// listAgents reads agents with their last heartbeat and the end of their newest
// certificate. Certificates are looked up apart: where PostgreSQL is distributed
// they do not lie with the agents.
func (d *db) listAgents(ctx context.Context, q querier, tail string, args ...any) ([]AgentStatus, error) {
	agents, err := list(ctx, d, q, scanAgent, `SELECT `+agentColumns+`, a.heartbeat FROM agents AS a`+tail, args...)
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(agents, beatChunk) {
		if err := d.addCertificates(ctx, q, some); err != nil {
			return nil, err
		}
	}
	return agents, nil
}

// oneAgent is listAgents for one; none is ErrNotFound.
func (d *db) oneAgent(ctx context.Context, q querier, tail string, args ...any) (AgentStatus, error) {
	agents, err := d.listAgents(ctx, q, tail, args...)
	if err == nil && len(agents) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return AgentStatus{}, err
	}
	return agents[0], nil
}

func (d *db) addCertificates(ctx context.Context, q querier, agents []AgentStatus) error {
	place := map[string]int{}
	var uids []string
	for i, a := range agents {
		place[a.UID] = i
		uids = append(uids, a.UID)
	}
	var w where
	w.add(true, "kind = 'certificate' AND revoked_at = 0")
	w.in("agent_uid", uids)
	_, err := list(ctx, d, q, func(row scanner) (struct{}, error) {
		var uid string
		var expires int64
		err := row.Scan(&uid, &expires)
		agents[place[uid]].CertExpires = fromMillis(expires)
		return struct{}{}, err
	}, `SELECT agent_uid, max(expires_at) FROM credentials`+w.sql()+` GROUP BY agent_uid`, w.args...)
	return err
}

// overdue is AgentStatus.Overdue in SQL; its argument is the time less the grace.
const overdue = `a.state = 'active' AND a.stopped_at = 0 AND a.interval_ms > 0 AND a.last_seen + 2 * a.interval_ms < ?`

// Agents returns a page of agents ordered by uid.
func (d *db) Agents(ctx context.Context, s Scope, f AgentFilter) ([]AgentStatus, error) {
	var w where
	w.scope("a.group_name", s)
	w.add(f.Group != "", "a.group_name = ?", f.Group)
	w.add(f.State != "", "a.state = ?", f.State)
	w.add(f.Version != "", "a.version = ?", f.Version)
	w.contains(f.Text, "a.hostname", "a.agent_uid")
	w.add(f.Silent, overdue, toMillis(f.Now))
	w.add(f.Trouble, "a.trouble <> '' AND a.state = 'active'")
	w.add(f.After != "", "a.agent_uid > ?", f.After)
	agents, err := d.listAgents(ctx, d.read, w.sql()+` ORDER BY a.agent_uid LIMIT ?`, append(w.args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	return agents, nil
}

// Agent returns one agent.
func (d *db) Agent(ctx context.Context, s Scope, uid string) (AgentStatus, error) {
	var w where
	w.add(true, "a.agent_uid = ?", uid)
	w.scope("a.group_name", s)
	a, err := d.oneAgent(ctx, d.read, w.sql(), w.args...)
	if err != nil {
		return AgentStatus{}, fmt.Errorf("read agent: %w", err)
	}
	return a, nil
}

// FleetCounts sums up the agents within the scope.
func (d *db) FleetCounts(ctx context.Context, s Scope, now time.Time) (FleetCounts, error) {
	var w where
	w.scope("a.group_name", s)
	ms := toMillis(now)
	c, err := one(ctx, d, d.read, scanFleetCounts, `SELECT count(*),
		coalesce(sum(CASE WHEN a.state = 'active' THEN 1 ELSE 0 END), 0),
		coalesce(sum(CASE WHEN `+overdue+` THEN 1 ELSE 0 END), 0),
		coalesce(sum(CASE WHEN a.state = 'active' AND a.stopped_at <> 0 THEN 1 ELSE 0 END), 0),
		coalesce(sum(CASE WHEN a.state = 'active' AND a.trouble <> '' THEN 1 ELSE 0 END), 0),
		coalesce(sum(CASE WHEN a.state = 'suspended' THEN 1 ELSE 0 END), 0),
		coalesce(sum(CASE WHEN a.state = 'revoked' THEN 1 ELSE 0 END), 0),
		coalesce(sum(CASE WHEN a.state = 'cloned' THEN 1 ELSE 0 END), 0)
		FROM agents AS a`+w.sql(), append([]any{ms}, w.args...)...)
	if err != nil {
		return FleetCounts{}, fmt.Errorf("count agents: %w", err)
	}
	return c, nil
}

func scanFleetCounts(row scanner) (FleetCounts, error) {
	var c FleetCounts
	err := row.Scan(&c.Agents, &c.Active, &c.Overdue, &c.Stopped, &c.Trouble, &c.Suspended, &c.Revoked, &c.Cloned)
	return c, err
}

// Move puts agents, and their alerts, into another group.
func (d *db) Move(ctx context.Context, s Scope, uids []string, group string) (int, error) {
	if !s.Sees(group) {
		return 0, fmt.Errorf("move agents: group: %w", ErrNotFound)
	}
	n, err := d.changeAgents(ctx, s, uids, change{set: "group_name", to: group, unless: "group_name <> ?",
		follow: func(uid string) []statement {
			return []statement{
				{ // in the order in which triage locks them
					query: `SELECT 1 FROM alerts WHERE agent_uid = ? ORDER BY record_uid` + d.dialect.lock,
					args:  []any{uid},
					row:   func(scanner) error { return nil },
				},
				{query: `UPDATE alerts SET group_name = ? WHERE agent_uid = ?`, args: []any{group, uid}},
			}
		}})
	if err != nil {
		return n, fmt.Errorf("move agents: %w", err)
	}
	return n, nil
}

// SetState suspends, revokes or restores agents.
func (d *db) SetState(ctx context.Context, s Scope, uids []string, state string, now time.Time) (int, error) {
	c := change{set: "state", to: state, unless: "state <> ? AND state <> 'revoked'"}
	switch state {
	case AgentActive, AgentSuspended, AgentCloned:
	case AgentRevoked:
		c.follow = func(uid string) []statement {
			return []statement{{
				query: `UPDATE credentials SET revoked_at = ? WHERE agent_uid = ? AND revoked_at = 0`,
				args:  []any{toMillis(now), uid},
			}}
		}
	default:
		return 0, fmt.Errorf("set the state of agents: no state %q", state)
	}
	n, err := d.changeAgents(ctx, s, uids, c)
	if err != nil {
		return n, fmt.Errorf("set the state of agents: %w", err)
	}
	return n, nil
}

// change is what is done to many agents: a column is set unless it is so already.
type change struct {
	set, to string
	unless  string                       // condition on the column, with the value as its argument
	follow  func(uid string) []statement // for each agent that changed, or nil
}

// changeAgents changes the agents within the scope and returns how many did.
// Each statement names one agent, and agents are taken in order, as by everybody
// who locks more than one; a batch that is being saved is before or after.
func (d *db) changeAgents(ctx context.Context, s Scope, uids []string, c change) (int, error) {
	n := 0
	for some := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(uids))), beatChunk) {
		var changed []string
		err := d.batched(ctx, func(run runner) (err error) {
			changed, err = c.apply(ctx, run, s, some)
			return err
		})
		if err != nil {
			return n, err
		}
		n += len(changed)
	}
	return n, nil
}

// apply returns the agents that changed.
func (c change) apply(ctx context.Context, run runner, s Scope, uids []string) (changed []string, err error) {
	all := make([]statement, len(uids))
	rows := make([]int64, len(uids))
	for i, uid := range uids {
		var w where
		w.add(true, "agent_uid = ?", uid)
		w.scope("group_name", s)
		w.add(true, c.unless, c.to)
		all[i] = statement{query: `UPDATE agents SET ` + c.set + ` = ?` + w.sql(), args: append([]any{c.to}, w.args...), changed: &rows[i]}
	}
	if err := run(ctx, all); err != nil {
		return nil, err
	}
	var follow []statement
	for i, uid := range uids {
		if rows[i] == 0 {
			continue
		}
		changed = append(changed, uid)
		if c.follow != nil {
			follow = append(follow, c.follow(uid)...)
		}
	}
	if len(follow) == 0 {
		return changed, nil
	}
	return changed, run(ctx, follow)
}

// Forget deletes an agent that is revoked.
func (d *db) Forget(ctx context.Context, s Scope, uid string) error {
	a, err := d.Agent(ctx, s, uid)
	if err != nil {
		return fmt.Errorf("forget agent: %w", err)
	}
	if a.State != AgentRevoked { // for good, so it cannot have changed meanwhile
		return fmt.Errorf("forget agent: it is %s: %w", a.State, ErrRefused)
	}
	err = d.inTx(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"agents", "credentials"} {
			if _, err := d.exec(ctx, tx, `DELETE FROM `+table+` WHERE agent_uid = ?`, uid); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget agent: %w", err)
	}
	return nil
}

// Silent returns agents whose silence is not yet alarmed, the longest first.
func (d *db) Silent(ctx context.Context, now time.Time, grace time.Duration, limit int) ([]AgentStatus, error) {
	ms := toMillis(now) - grace.Milliseconds()
	agents, err := d.listAgents(ctx, d.read, ` WHERE a.silent_since = 0 AND `+overdue+
		` ORDER BY a.last_seen LIMIT ?`, ms, limit)
	if err != nil {
		return nil, fmt.Errorf("list silent agents: %w", err)
	}
	return agents, nil
}

// MarkSilent notes that the silence of an agent was alarmed.
func (d *db) MarkSilent(ctx context.Context, uid string, lastSeen, now time.Time) (bool, error) {
	n, err := d.exec(ctx, d.write, `UPDATE agents SET silent_since = ?
		WHERE agent_uid = ? AND last_seen = ? AND silent_since = 0 AND stopped_at = 0 AND state = 'active'`,
		toMillis(now), uid, toMillis(lastSeen))
	if err != nil {
		return false, fmt.Errorf("mark agent as silent: %w", err)
	}
	return n == 1, nil
}

// LogState returns where the log of an agent stands.
func (d *db) LogState(ctx context.Context, uid string) (LogState, error) {
	l, err := one(ctx, d, d.read, scanLog, `SELECT log_seq, log_head, got_seq, got_digest FROM agents WHERE agent_uid = ?`, uid)
	if err != nil {
		return LogState{}, fmt.Errorf("read log state: %w", err)
	}
	return l, nil
}

func scanLog(row scanner) (LogState, error) {
	var l LogState
	err := row.Scan(&l.Seq, &l.Head, &l.Received, &l.Digest)
	return l, err
}

// AgentGroups returns the groups of agents by name.
func (d *db) AgentGroups(ctx context.Context, s Scope) ([]Count, error) {
	var w where
	w.scope("group_name", s)
	groups, err := list(ctx, d, d.read, scanGroupCount, `SELECT group_name, count(*) FROM agents`+w.sql()+
		` GROUP BY group_name ORDER BY group_name`, w.args...)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	return groups, nil
}

// agentCounted are what agents can be counted by.
var agentCounted = []string{"version", "rules_version", "os"}

// AgentCounts counts agents that are active by a column.
func (d *db) AgentCounts(ctx context.Context, s Scope, group, column string) ([]Count, error) {
	if !slices.Contains(agentCounted, column) {
		return nil, fmt.Errorf("count agents: there is no column %q", column)
	}
	var w where
	w.scope("group_name", s)
	w.add(true, "state = 'active'")
	w.add(group != "", "group_name = ?", group)
	counts, err := list(ctx, d, d.read, scanGroupCount, `SELECT `+column+`, count(*) FROM agents`+w.sql()+
		` GROUP BY `+column+` ORDER BY count(*) DESC, `+column, w.args...)
	if err != nil {
		return nil, fmt.Errorf("count agents: %w", err)
	}
	return counts, nil
}

func scanGroupCount(row scanner) (Count, error) {
	var c Count
	err := row.Scan(&c.Value, &c.N)
	return c, err
}

// scanAgent reads an agent with its heartbeat.
func scanAgent(row scanner) (AgentStatus, error) {
	var r agentRow
	var heartbeat sql.NullString
	if err := row.Scan(append(r.dest(), &heartbeat)...); err != nil {
		return AgentStatus{}, err
	}
	a := r.agent()
	if heartbeat.Valid {
		a.Heartbeat = json.RawMessage(heartbeat.String)
	}
	return a, nil
}

// agentRow takes the columns of agentColumns that are no time as a Go type.
type agentRow struct {
	a                                                        AgentStatus
	enrolled, firstSeen, lastSeen, interval, stopped, silent int64
}

func (r *agentRow) dest() []any {
	a := &r.a
	return []any{&a.UID, &a.Hostname, &a.OS, &a.Version, &a.RulesVersion, &a.Group, &a.State,
		&r.enrolled, &r.firstSeen, &r.lastSeen, &r.interval, &r.stopped, &r.silent, &a.Trouble, &a.MachineID, &a.BootID,
		&a.Alerts, &a.Rejected, &a.Conflicts, &a.Log.Seq, &a.Log.Head, &a.Log.Received, &a.Log.Digest}
}

func (r *agentRow) agent() AgentStatus {
	a := r.a
	a.EnrolledAt, a.FirstSeen, a.LastSeen = fromMillis(r.enrolled), fromMillis(r.firstSeen), fromMillis(r.lastSeen)
	a.Interval = time.Duration(r.interval) * time.Millisecond
	a.StoppedAt, a.SilentSince = fromMillis(r.stopped), fromMillis(r.silent)
	return a
}
