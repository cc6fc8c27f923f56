// Package alert turns an alert into a record, keeps it, and delivers it.
//
// A record is one OCSF 1.8.0 Detection Finding (class 2004). The log is the
// only queue: alerts.jsonl and its rotated predecessors are what the operator
// reads, what forwarders tail and what the sender delivers from. Beside it lies
// a cursor that says what the collector has acknowledged.
//
//	meetguard.Alert ─► NewRecord ─► Log.Append ─► alerts.jsonl ─► Sender ─► collector
//
// What holds whatever happens:
//
//   - Append answers true only after the line was written and fsynced.
//   - A line is never removed from the middle of the log. Each one carries its
//     number (mg_seq), the SHA-256 of the line before it (mg_prev) and a
//     checksum of itself (mg_sum), so one damaged byte costs at most one record,
//     and a line changed, cut out or put in is found by Verify.
//   - The cursor may lag and may be lost: that only causes resending, which the
//     collector absorbs because metadata.uid is deterministic.
//   - created = acknowledged + pending + dropped, and every drop has a reason.
package alert
