// Package store keeps what the collector knows: alerts and their triage, agents
// and their health, tokens, accounts, exceptions and the audit, in SQLite (one
// file, the default) or in PostgreSQL (many collectors side by side).
//
// The promise: what Save answered with "stored" is committed to disk. Agents
// send at least once; the key (agent uid, record uid) and the digest of the
// record make it once in the store.
//
// The SQL of both engines is one text: a query is written with ? and the
// dialect numbers its arguments. Times are milliseconds since 1970 in UTC, and
// 0 stands for none. Every unique key of what grows with the fleet begins with
// agent_uid, so that PostgreSQL can distribute those tables (see docs).
//
// Work on the hot path is written as statements that name one agent each and are
// run in steps, see saving: one round trip a step on PostgreSQL, and one node on a
// distributed one. Rows are locked in one order by everybody: agents by uid, their
// alerts by uid, exceptions by id, the counter last.
//
// On PostgreSQL a commit is as safe as the server makes it: with
// synchronous_standby_names set, an acknowledged alert survives the primary. The
// address then names the hosts of both; whichever takes writes is used.
//
// Alerts carry Seq, which counts up in the order of commits: the row of the
// counter is locked until the commit, so whoever has read up to a number has
// not missed a smaller one. Live pages and exits read by it.
package store
