package agent

import (
	"fmt"
	"strings"

	"meetguard"
	"meetguard/internal/alert"
)

// tellLosses says what of the state is gone, where an agent has worked before.
// Everything that can be made anew was made anew; this is about the rest.
func (a *Agent) tellLosses(lived, made bool) {
	lived = lived || a.alerts.Counters().Created > 0
	switch {
	case !lived:
		return
	case made:
		a.keepsake.tell("host.json was lost: this machine has a new identity, and what was told before is told again under it")
	}
	switch n := a.journal.Damaged(); {
	case a.journal.New():
		a.keepsake.tell("the journal was lost: every file is judged again")
	case n > 0:
		a.keepsake.tell("the journal had %d damaged records: those files are judged again", n)
	}
	if r := a.alerts.Recovered(); r.Notes > 0 {
		a.keepsake.tell("acks.jsonl was cut short or damaged in %d places: what was noted there of alerts is lost", r.Notes)
	}
}

// logDamage tells what of the alert log was found damaged or gone.
func (a *Agent) logDamage() []meetguard.SourceStatus {
	why := damageText(a.alerts.Recovered())
	if why == "" || a.alerts.Trouble() != nil {
		return nil
	}
	return []meetguard.SourceStatus{{Name: "alert log", State: meetguard.SourceDegraded, Detail: "damaged: " + why}}
}

func damageText(r alert.Recovery) string {
	var parts []string
	if r.Corrupt > 0 {
		parts = append(parts, fmt.Sprintf("%d places of the alert log cannot be read", r.Corrupt))
	}
	if r.Missing > 0 {
		parts = append(parts, fmt.Sprintf("%d records are gone from the alert log", r.Missing))
	}
	if r.CursorReset {
		parts = append(parts, "cursor.json was lost: everything that the alert log holds is delivered again")
	}
	return strings.Join(parts, "; ")
}
