package collect

import (
	"fmt"

	"meetguard/internal/store"
)

// breach is something in an agent's log that cannot come from an honest agent:
// a line that is missing or was changed, or a log that became shorter.
type breach struct {
	rule   string
	key    string // the same breach has the same key: it is one alarm however often it is seen
	detail string
}

// followLog checks the records of a batch and the heartbeat against what is
// known of the agent's log, and returns where the log stands now. Lines are
// numbered from 1 without holes, and each names the digest of the one before.
//
// The first contact settles where the log begins: an agent that enrols again has
// lines behind it that were answered for under its old identity. A record that
// is refused has a number that nobody knows, so that one line is allowed to be
// missing for each.
func followLog(known store.LogState, records []store.Record, beat *store.Beat) (store.LogState, []breach) {
	w := logWalk{at: known}
	for _, r := range records {
		w.take(r)
	}
	if beat != nil {
		w.beat(beat)
	}
	return w.at, w.found
}

type logWalk struct {
	at      store.LogState
	unknown uint64 // refused records since the last known line
	found   []breach
}

func (w *logWalk) take(r store.Record) {
	switch {
	case r.Refused != "":
		w.unknown++
		return
	case r.Seq == 0 || r.Seq <= w.at.Received: // not of a log, or sent again
		return
	case w.at.Received > 0:
		w.follow(r)
	}
	w.at.Received, w.at.Digest, w.unknown = r.Seq, r.Digest, 0
}

// follow compares a line with the newest one before it.
func (w *logWalk) follow(r store.Record) {
	missing := r.Seq - w.at.Received - 1
	switch {
	case missing > w.unknown:
		w.found = append(w.found, breach{ruleGap, fmt.Sprintf("%d-%d", w.at.Received, r.Seq),
			fmt.Sprintf("Lines %d to %d of its alert log never arrived: they were damaged, cut out or held back.", w.at.Received+1, r.Seq-1)})
	case missing == 0 && w.at.Digest != "" && r.Prev != w.at.Digest:
		w.found = append(w.found, breach{ruleChanged, fmt.Sprintf("%d-%s", r.Seq, r.Prev),
			fmt.Sprintf("Line %d of its alert log names another line before it than the one that arrived: the log was changed.", r.Seq)})
	}
}

// beat compares what the agent says about its log with what arrived.
func (w *logWalk) beat(b *store.Beat) {
	told := max(w.at.Received, w.at.Seq)
	if b.Damage != "" {
		w.found = append(w.found, breach{ruleChanged, "damage-" + b.Damage, "Reading its alert log again it found " + b.Damage + ": the log was damaged or changed."})
	}
	switch {
	case b.Seq < told:
		w.found = append(w.found, breach{ruleReset, fmt.Sprintf("%d-%d-%s", told, b.Seq, b.Head),
			fmt.Sprintf("Its alert log ended at line %d and now ends at line %d: it was cut back or deleted.", told, b.Seq)})
		w.at.Received, w.at.Digest = b.Seq, b.Head
	case b.Seq == w.at.Received && w.at.Digest != "" && b.Head != w.at.Digest:
		w.found = append(w.found, breach{ruleChanged, fmt.Sprintf("%d-head-%s", b.Seq, b.Head),
			fmt.Sprintf("The newest line of its alert log, %d, is not the one that arrived: the log was changed.", b.Seq)})
		w.at.Digest = b.Head
	case b.Seq == w.at.Seq && w.at.Head != "" && b.Head != w.at.Head:
		w.found = append(w.found, breach{ruleChanged, fmt.Sprintf("%d-told-%s", b.Seq, b.Head),
			fmt.Sprintf("Line %d of its alert log has another digest than at the heartbeat before: the log was changed.", b.Seq)})
	}
	w.at.Seq, w.at.Head = b.Seq, b.Head
}
