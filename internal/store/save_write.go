package store

import (
	"maps"
	"slices"
)

// readExceptions reads the exceptions that are in force, inside the transaction:
// one that was made or ended a moment ago, by whichever collector, counts.
func (s *saving) readExceptions() statement {
	oldest := s.group[0].batch.ReceivedAt
	for _, p := range s.group {
		if p.batch.ReceivedAt.Before(oldest) {
			oldest = p.batch.ReceivedAt
		}
	}
	return statement{
		query: `SELECT id, group_name, sha256, rule, brand, signer, host, path, hostname, expires_at
			FROM exceptions WHERE ended_at = 0 AND expires_at > ? ORDER BY created_at, id`,
		args: []any{toMillis(oldest)},
		row: func(row scanner) error {
			var e Exception
			var expires int64
			err := row.Scan(&e.ID, &e.Group, &e.SHA256, &e.Rule, &e.Brand, &e.Signer, &e.Host, &e.Path, &e.Hostname, &expires)
			e.ExpiresAt = fromMillis(expires)
			s.exceptions = append(s.exceptions, e)
			return err
		},
	}
}

// hiddenBy returns the id of the oldest exception that hides the alert, or "".
func (s *saving) hiddenBy(a Alert) string {
	t := Traits{Group: a.Group, SHA256: a.SHA256, Rule: a.Rule, Brand: a.Brand, Signer: a.Signer, Host: a.Host, Path: a.Path, Hostname: a.Hostname}
	for _, e := range s.exceptions {
		if e.InForce(a.ReceivedAt) && e.Hides(t) {
			return e.ID
		}
	}
	return ""
}

// writeAround writes all but the alerts, and takes their numbers last.
func (s *saving) writeAround() (all []statement) {
	var fresh int64
	for _, r := range s.records {
		s.answer(r)
		switch {
		case r.Refused != "":
			all = append(all, s.keepDeadLetter(r)...)
		case r.result.Reason == ReasonConflict:
			all = append(all, s.keepConflict(r)...)
		case r.result.Status == Stored && r.Note == nil:
			fresh++
			s.hide(r)
		}
	}
	all = append(all, s.writeAgents()...)
	all = append(all, s.writeHits()...)
	if fresh > 0 && s.ordered {
		all = append(all, keepOrder())
	}
	if fresh > 0 {
		all = append(all, s.takeNumbers(fresh))
	}
	return all
}

// hide notes which exception hides the record, if one does.
func (s *saving) hide(r *savedRecord) {
	r.exception = s.hiddenBy(s.alert(r))
	if r.exception != "" {
		s.hits[r.exception]++
	}
}

// keepDeadLetter keeps a refused record while there is room. The agent's row is
// locked: nobody else adds meanwhile.
func (s *saving) keepDeadLetter(r *savedRecord) []statement {
	a := s.agents[r.batch.Agent.UID]
	if a.deadLetters >= maxKept {
		return nil
	}
	a.deadLetters++
	raw := r.Raw
	if raw == nil {
		raw = []byte{}
	}
	return []statement{{
		query: `INSERT INTO dead_letters (agent_uid, digest, record_uid, reason, received_at, size, record)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (agent_uid, digest) DO NOTHING`,
		args: []any{r.batch.Agent.UID, r.Digest, r.UID, r.Refused, toMillis(r.batch.ReceivedAt), r.Size, raw},
	}}
}

func (s *saving) keepConflict(r *savedRecord) []statement {
	a := s.agents[r.batch.Agent.UID]
	if a.conflicts >= maxKept {
		return nil
	}
	a.conflicts++
	return []statement{{
		query: `INSERT INTO conflicts (agent_uid, record_uid, digest, received_at, record)
			VALUES (?, ?, ?, ?, ?) ON CONFLICT (agent_uid, record_uid, digest) DO NOTHING`,
		args: []any{r.batch.Agent.UID, r.UID, r.Digest, toMillis(r.batch.ReceivedAt), string(r.Raw)},
	}}
}

// writeAgents writes heartbeats, labels and counters.
func (s *saving) writeAgents() (all []statement) {
	for _, uid := range slices.Sorted(maps.Keys(s.agents)) {
		a := s.agents[uid]
		if !a.known {
			continue
		}
		if b, alone := a.aloneBeat(); alone {
			b.Agent.UID = uid
			all = append(all, a.withBeat(b))
			continue
		}
		for _, b := range a.beats {
			b.Agent.UID = uid
			all = append(all, beatStatement(b))
		}
		all = append(all, a.statement(uid))
	}
	return all
}

// aloneBeat is the heartbeat that came with the newest batch, if there is no other
// and the agent has not been heard since: the usual case, which takes one
// statement.
func (a *savedAgent) aloneBeat() (Beat, bool) {
	if len(a.beats) != 1 || !a.beats[0].At.Equal(a.seen) || toMillis(a.seen) < a.lastSeen {
		return Beat{}, false
	}
	return a.beats[0], true
}

// logged is where the log stands after the batches: got_seq and got_digest.
func (a *savedAgent) logged() (int64, string) {
	if a.log != nil {
		return toSeq(a.log.Received), a.log.Digest
	}
	return a.gotSeq, a.gotDigest
}

// withBeat writes a heartbeat and counters.
func (a *savedAgent) withBeat(b Beat) statement {
	at, stopped := toMillis(b.At), int64(0)
	if b.Stopping {
		stopped = at
	}
	got, digest := a.logged()
	return statement{
		query: `UPDATE agents SET hostname = coalesce(nullif(?, ''), hostname), os = coalesce(nullif(?, ''), os),
			version = coalesce(nullif(?, ''), version), rules_version = coalesce(nullif(?, ''), rules_version),
			boot_id = coalesce(nullif(?, ''), boot_id), machine_id = CASE WHEN machine_id = '' THEN ? ELSE machine_id END,
			first_seen = CASE WHEN first_seen = 0 THEN ? ELSE first_seen END, last_seen = ?,
			interval_ms = ?, stopped_at = ?, silent_since = 0, trouble = ?, heartbeat = coalesce(?, heartbeat),
			log_seq = ?, log_head = ?,
			got_seq = ?, got_digest = ?, alerts = alerts + ?, rejected = rejected + ?, conflicts = conflicts + ?
			WHERE agent_uid = ?`,
		args: []any{b.Agent.Hostname, b.Agent.OS, b.Agent.Version, b.Agent.RulesVersion, b.BootID, b.MachineID,
			at, at, b.Interval.Milliseconds(), stopped, b.Trouble, nullText(b.Body), toSeq(b.Seq), b.Head,
			got, digest, a.tally.stored, a.tally.rejected, a.tally.conflicts, b.Agent.UID},
	}
}

// statement writes what a batch without its heartbeat says of its agent. An agent
// that sends after it said that it stops has been started again.
func (a *savedAgent) statement(uid string) statement {
	seen := toMillis(a.seen)
	got, digest := a.logged()
	return statement{
		query: `UPDATE agents SET hostname = coalesce(nullif(?, ''), hostname), os = coalesce(nullif(?, ''), os),
			version = coalesce(nullif(?, ''), version), rules_version = coalesce(nullif(?, ''), rules_version),
			first_seen = CASE WHEN first_seen = 0 THEN ? ELSE first_seen END,
			stopped_at = CASE WHEN stopped_at < ? THEN 0 ELSE stopped_at END,
			silent_since = CASE WHEN last_seen < ? THEN 0 ELSE silent_since END,
			last_seen = CASE WHEN last_seen < ? THEN ? ELSE last_seen END,
			got_seq = ?, got_digest = ?, alerts = alerts + ?, rejected = rejected + ?, conflicts = conflicts + ?
			WHERE agent_uid = ?`,
		args: []any{a.from.Hostname, a.from.OS, a.from.Version, a.from.RulesVersion, seen, seen, seen, seen, seen,
			got, digest, a.tally.stored, a.tally.rejected, a.tally.conflicts, uid},
	}
}

func (s *saving) writeHits() (all []statement) {
	for _, id := range slices.Sorted(maps.Keys(s.hits)) {
		all = append(all, statement{
			query: `UPDATE exceptions SET hits = hits + ? WHERE id = ?`,
			args:  []any{s.hits[id], id},
		})
	}
	return all
}

// takeNumbers counts up. From here to the commit no other collector gets a
// number, which makes the order of numbers the order of commits.
func (s *saving) takeNumbers(n int64) statement {
	return statement{
		query: `UPDATE counter SET value = value + ? WHERE name = 'alerts' RETURNING value`,
		args:  []any{n},
		row: func(row scanner) error {
			err := row.Scan(&s.seq)
			s.seq -= n
			return err
		},
	}
}

// writeAlerts stores the new alerts.
func (s *saving) writeAlerts() (all []statement) {
	for _, r := range s.records {
		if r.result.Status != Stored || r.Note != nil {
			continue
		}
		s.seq++
		a := s.alert(r)
		a.Seq = s.seq
		all = append(all, insertAlert(a, r))
	}
	return all
}

// alert is the record as it is stored.
func (s *saving) alert(r *savedRecord) Alert {
	a := Alert{
		ID: AlertID(r.batch.Agent.UID, r.UID), AgentUID: r.batch.Agent.UID, RecordUID: r.UID, Group: s.agents[r.batch.Agent.UID].group,
		Hostname: r.Hostname, ReceivedAt: r.batch.ReceivedAt, Time: r.Time, Level: r.Level, Brand: r.Brand, Rule: r.Rule,
		Score: r.Score, Severity: r.Severity, Path: r.Path, SHA256: r.SHA256, User: r.User, Host: r.Host, Signer: r.Signer,
		FindingID: r.FindingID, Key: FindingKey(r.SHA256, r.Rule), Digest: r.Digest, Status: StatusNew, Exception: r.exception,
	}
	if a.Hostname == "" {
		a.Hostname = r.batch.Agent.Hostname
	}
	if a.Exception != "" {
		a.Status = StatusSuppressed
	}
	return a
}

func insertAlert(a Alert, r *savedRecord) statement {
	return statement{
		query: `INSERT INTO alerts (agent_uid, record_uid, seq, id, digest, group_name, received_at, time, hostname,
			level, brand, rule, score, severity, path, sha256, user_name, host, signer, finding_id, finding_key,
			landed, status, exception, record)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		args: []any{a.AgentUID, a.RecordUID, a.Seq, a.ID, a.Digest, a.Group, toMillis(a.ReceivedAt), toMillis(a.Time), a.Hostname,
			a.Level, a.Brand, a.Rule, a.Score, a.Severity, a.Path, a.SHA256, a.User, a.Host, a.Signer, a.FindingID, a.Key,
			toMillis(r.Landed), a.Status, a.Exception, string(r.Raw)},
	}
}
