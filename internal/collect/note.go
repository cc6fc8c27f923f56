package collect

import (
	"strings"

	"meetguard/internal/store"
)

// maxNoteText is the most bytes of a note's remark.
const maxNoteText = 1024

// localActor begins the name of whoever noted something at the machine itself,
// so that nobody there can pass for one of the people here.
const localActor = "local:"

// localStates are the states that can be noted at the machine.
var localStates = map[string]string{
	"new": store.StatusNew, "in_progress": store.StatusInProgress, "suppressed": store.StatusSuppressed,
	"resolved": store.StatusClosed, "archived": store.StatusClosed,
}

// noteOf reads what was noted of an alert on its machine, or nil if the record is
// an alert itself. See alert.noteRecord for the other end.
func noteOf(doc document) *store.Note {
	about := doc.text("unmapped", "mg_about")
	if !validUID(about) {
		return nil
	}
	n := &store.Note{About: about}
	n.Who = localActor + column(strings.TrimPrefix(doc.text("unmapped", "mg_actor"), localActor), maxLabel)
	n.Note = column(doc.text("comment"), maxNoteText)
	n.At = doc.millis("time")
	if status, known := localStates[doc.text("unmapped", "mg_state")]; known {
		n.Status = &status
	}
	switch d := doc.text("unmapped", "mg_disposition"); d {
	case store.TruePositive, store.FalsePositive, store.Authorised, store.Testing:
		n.Disposition = &d
	}
	return n
}

// dateNotes keeps the clock of a machine from dating a note into the future.
func dateNotes(b store.Batch) {
	for _, r := range b.Records {
		if r.Note != nil && (r.Note.At.IsZero() || r.Note.At.After(b.ReceivedAt)) {
			r.Note.At = b.ReceivedAt
		}
	}
}
