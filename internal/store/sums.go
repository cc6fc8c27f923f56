package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// openStates are the states of an alert that waits for somebody.
const openStates = `('new', 'in_progress')`

// Groups returns findings: greatest severity first (99, "other", tells nothing
// and comes last), then newest.
func (d *db) Groups(ctx context.Context, s Scope, f Filter) (GroupPage, error) {
	w := chosen(s, f)
	seqs := map[int64]int{}
	all, err := list(ctx, d, d.read, func(row scanner) (Group, error) {
		var g Group
		var first, last, seq int64
		err := row.Scan(&g.Key, &g.Alerts, &g.Agents, &g.Open, &first, &last, &seq)
		g.First, g.Last = fromMillis(first), fromMillis(last)
		seqs[seq] = len(seqs)
		return g, err
	}, `SELECT finding_key, count(*), count(DISTINCT agent_uid), count(CASE WHEN status IN `+openStates+` THEN 1 END),
			min(received_at), max(received_at), max(seq) AS newest
		FROM alerts`+w.sql()+` GROUP BY finding_key
		ORDER BY max(CASE WHEN severity > 6 THEN 0 ELSE severity END) DESC, newest DESC LIMIT ? OFFSET ?`,
		append(w.args, f.Limit+1, f.Before)...)
	if err != nil {
		return GroupPage{}, fmt.Errorf("list findings: %w", err)
	}
	page := GroupPage{Groups: all}
	if len(all) > f.Limit {
		page = GroupPage{Groups: all[:f.Limit], Next: f.Before + int64(f.Limit)}
	}
	return page, d.addNewest(ctx, page.Groups, seqs)
}

// addNewest reads the newest alert of each finding; place is where it belongs by
// its number.
func (d *db) addNewest(ctx context.Context, groups []Group, place map[int64]int) error {
	if len(groups) == 0 {
		return nil
	}
	w := &where{}
	var seqs []any
	for seq := range place {
		seqs = append(seqs, seq)
	}
	w.add(true, "seq IN ("+marks(len(seqs))+")", seqs...)
	newest, err := list(ctx, d, d.read, scanAlert, selectBare+w.sql(), w.args...)
	if err != nil {
		return fmt.Errorf("list findings: %w", err)
	}
	for _, a := range newest {
		if i := place[a.Seq]; i < len(groups) {
			groups[i].Newest = a
		}
	}
	return nil
}

// Prevalence tells how far a finding has spread.
func (d *db) Prevalence(ctx context.Context, s Scope, key string) (Prevalence, error) {
	w := &where{}
	w.add(true, "finding_key = ?", key)
	w.scope("group_name", s)
	var p Prevalence
	var first, last int64
	err := d.queryRow(ctx, d.read, `SELECT count(*), count(DISTINCT agent_uid), coalesce(min(received_at), 0), coalesce(max(received_at), 0)
		FROM alerts`+w.sql(), w.args...).Scan(&p.Alerts, &p.Agents, &first, &last)
	if err != nil {
		return Prevalence{}, fmt.Errorf("read prevalence: %w", err)
	}
	p.First, p.Last = fromMillis(first), fromMillis(last)
	return p, nil
}

// countable maps the names of Counts to columns.
var countable = map[string]string{
	"level": "level", "brand": "brand", "rule": "rule", "status": "status", "group": "group_name",
	"disposition": "disposition", "hostname": "hostname",
}

const dayMillis = 24 * 60 * 60 * 1000

// Counts returns numbers of alerts by a column. Of days there are the newest,
// oldest first.
func (d *db) Counts(ctx context.Context, s Scope, f Filter, column string, limit int) ([]Count, error) {
	if column == "day" {
		return d.countDays(ctx, s, f, limit)
	}
	name, ok := countable[column]
	if !ok {
		return nil, fmt.Errorf("count alerts by %q: no such column", column)
	}
	w := chosen(s, f)
	all, err := list(ctx, d, d.read, func(row scanner) (Count, error) {
		var c Count
		return c, row.Scan(&c.Value, &c.N)
	}, `SELECT `+name+`, count(*) AS n FROM alerts`+w.sql()+` GROUP BY `+name+` ORDER BY n DESC, `+name+` LIMIT ?`, append(w.args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("count alerts by %s: %w", column, err)
	}
	return all, nil
}

func (d *db) countDays(ctx context.Context, s Scope, f Filter, limit int) ([]Count, error) {
	w := chosen(s, f)
	all, err := list(ctx, d, d.read, func(row scanner) (Count, error) {
		var day int64
		var c Count
		err := row.Scan(&day, &c.N)
		c.Value = time.UnixMilli(day * dayMillis).UTC().Format(time.DateOnly)
		return c, err
	}, `SELECT received_at / `+strconv.Itoa(dayMillis)+` AS day, count(*) FROM alerts`+w.sql()+` GROUP BY day ORDER BY day DESC LIMIT ?`,
		append(w.args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("count alerts by day: %w", err)
	}
	slices.Reverse(all)
	return all, nil
}

// RuleStats returns how each rule fared, the busiest first.
func (d *db) RuleStats(ctx context.Context, s Scope, f Filter) ([]RuleStat, error) {
	w := chosen(s, f)
	all, err := list(ctx, d, d.read, func(row scanner) (RuleStat, error) {
		var r RuleStat
		var last int64
		err := row.Scan(&r.Rule, &r.Alerts, &r.Agents, &r.TruePositives, &r.FalsePositives, &last)
		r.Last = fromMillis(last)
		return r, err
	}, `SELECT rule, count(*) AS n, count(DISTINCT agent_uid), count(CASE WHEN disposition = 'true_positive' THEN 1 END),
			count(CASE WHEN disposition = 'false_positive' THEN 1 END), max(received_at)
		FROM alerts`+w.sql()+` GROUP BY rule ORDER BY n DESC, rule`, w.args...)
	if err != nil {
		return nil, fmt.Errorf("sum up rules: %w", err)
	}
	return all, nil
}

// Delays returns the times from landing to alert, both as the agent tells them,
// so that one clock measured both.
func (d *db) Delays(ctx context.Context, s Scope, f Filter, limit int) ([]time.Duration, error) {
	w := chosen(s, f)
	w.add(true, "landed > 0 AND time >= landed")
	all, err := list(ctx, d, d.read, func(row scanner) (time.Duration, error) {
		var ms int64
		err := row.Scan(&ms)
		return time.Duration(ms) * time.Millisecond, err
	}, `SELECT time - landed FROM alerts`+w.sql()+` ORDER BY seq DESC LIMIT ?`, append(w.args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("list delays: %w", err)
	}
	return all, nil
}
