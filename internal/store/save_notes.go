package store

import (
	"cmp"
	"slices"
)

// Note is what somebody noted of an alert on the machine that it comes from. It
// changes an alert that nobody here has taken or closed; of one that somebody
// has, it is told in the history and no more: a machine does not overrule the
// people of the collector.
type Note struct {
	About string // metadata.uid of the alert, of the same agent
	Change
}

// noted is a note on its way to its alert.
type noted struct {
	triaged
	note Note
}

// readNoted locks the alerts that new notes are about, in the order of keys as
// Triage does. A note of an alert that is not there any more is answered and
// forgotten.
func (s *saving) readNoted() (all []statement) {
	s.notes = nil
	for _, r := range s.records {
		if r.Note != nil && r.result.Status == Stored {
			s.notes = append(s.notes, &noted{triaged{agent: r.batch.Agent.UID, record: r.Note.About}, *r.Note})
		}
	}
	slices.SortStableFunc(s.notes, func(a, b *noted) int {
		return cmp.Or(cmp.Compare(a.agent, b.agent), cmp.Compare(a.record, b.record))
	})
	for _, n := range s.notes {
		all = append(all, statement{
			query: `SELECT status, disposition, assignee FROM alerts WHERE agent_uid = ? AND record_uid = ?` + s.dialect.lock,
			args:  []any{n.agent, n.record},
			row: func(row scanner) error {
				n.found = true
				return row.Scan(&n.status, &n.disposition, &n.assignee)
			},
		})
	}
	return all
}

// writeNoted applies the notes, one after the other where several are about one
// alert.
func (s *saving) writeNoted() (all []statement) {
	var before *noted
	for _, n := range s.notes {
		if !n.found {
			continue
		}
		if before != nil && before.agent == n.agent && before.record == n.record {
			n.triaged = before.triaged
		}
		before = n
		if n.assignee != "" || n.status == StatusClosed {
			all = append(all, n.event(n.note.Change, "noted on the machine: "+n.inWords()))
			continue
		}
		if action := n.apply(n.note.Change); action != "" {
			all = append(all, n.update(n.note.Change), n.event(n.note.Change, action))
		}
	}
	return all
}

// inWords tells what the note would have the alert be.
func (n *noted) inWords() string {
	would := n.triaged
	set(&would.status, n.note.Status)
	set(&would.disposition, n.note.Disposition)
	return would.stateInWords(triaged{})
}
