package alert

import (
	"strconv"
	"strings"
	"time"

	"meetguard"
)

// storyOf tells a chain of launches, one line for each that did something or
// led to the launch: when, which program, and what it did. Of command lines
// nothing is told but what was understood of them: files, hosts and tools.
func storyOf(steps []meetguard.Step) []string {
	var out []string
	for _, s := range steps {
		if s.Link == meetguard.LinkSession || len(s.Deeds) == 0 && s.Link != meetguard.LinkAncestor {
			continue
		}
		text := s.Exe + " (" + strconv.Itoa(s.PID) + ")"
		if !s.Time.IsZero() {
			text = s.Time.UTC().Format(time.TimeOnly) + " " + text
		}
		if what := deedsOf(s.Deeds); what != "" {
			text += ": " + what
		}
		out = append(out, safe(text, maxText))
	}
	if over := len(out) - maxList; over > 0 { // how it began, and how it went on last
		out = append(out[:1:1], out[over+1:]...)
	}
	return out
}

func deedsOf(deeds []meetguard.Deed) string {
	var out []string
	for _, d := range deeds {
		if d.Kind == meetguard.DeedRun && d.What == "program" {
			continue
		}
		words := []string{d.Kind}
		for _, w := range []string{d.What, d.Host, d.File} {
			if w != "" {
				words = append(words, Redact(w))
			}
		}
		out = append(out, strings.Join(words, " "))
	}
	return strings.Join(out, "; ")
}

// landedAt is when the file of an alert landed, as far as somebody saw it: what a
// listing found may have lain there for long.
func landedAt(a meetguard.Alert) time.Time {
	if l := a.Facts.Landed; l != nil && (l.By == meetguard.LandedSeen || l.By == meetguard.LandedJournal) {
		return l.Time
	}
	if a.Event.Kind == meetguard.FileLanded && a.Event.Source != "sweep" {
		return a.Event.Time
	}
	return time.Time{}
}

// landedText says when a file landed, and how that is known.
func landedText(l *meetguard.Landing) string {
	if l == nil || l.Time.IsZero() {
		return ""
	}
	text := l.Time.UTC().Format(time.RFC3339)
	if how := landedWords[l.By]; how != "" {
		text += ", " + how
	}
	return text
}

var landedWords = map[string]string{
	meetguard.LandedSeen:    "seen",
	meetguard.LandedJournal: "seen before the agent was started again",
	meetguard.LandedBirth:   "not seen: the birth of the file",
	meetguard.LandedChange:  "not seen: the last change of the file",
}
