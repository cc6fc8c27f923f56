package collect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxText bounds a text of a record on a page, in bytes.
const maxText = 2048

// stamp is a time for a person.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// ago is how long ago something was, in its largest unit.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	future := d < 0
	text := span(d.Abs())
	switch {
	case d.Abs() < time.Minute:
		return "just now"
	case future:
		return "in " + text
	}
	return text + " ago"
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

// spokenSeconds is a time span for a person, with one figure more than span.
func spokenSeconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
	case d < time.Hour && d%time.Minute >= time.Second:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d >= time.Hour && d < 48*time.Hour && d%time.Hour >= time.Minute:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return span(d)
}

// spoken writes a word of ours as people read it: in_progress is "in progress".
func spoken(word string) string {
	return strings.NewReplacer("_", " ", "-", " ").Replace(word)
}

// badgeOf is a level as a name of a class in style.css: one of ours only.
func badgeOf(level string) string {
	if slices.Contains(levels, level) {
		return level
	}
	return "unknown"
}

// brandNames are names of brands whose spelling cannot be told from their id.
var brandNames = map[string]string{
	"msteams": "Microsoft Teams", "teams": "Microsoft Teams", "googlemeet": "Google Meet", "meet": "Google Meet",
	"goto": "GoTo Meeting", "gotomeeting": "GoTo Meeting", "ringcentral": "RingCentral", "bluejeans": "BlueJeans",
	"facetime": "FaceTime", "whatsapp": "WhatsApp", "teamviewer": "TeamViewer", "anydesk": "AnyDesk",
}

// brandName returns the name to show for a catalogue id.
func brandName(id string) string {
	if name, ok := brandNames[id]; ok {
		return name
	}
	if id == "" || id[0] < 'a' || id[0] > 'z' {
		return id
	}
	return strings.ToUpper(id[:1]) + id[1:]
}

// baseName returns the last element of a path of any system. It must be given
// the path as it was sent: a shown one has backslashes of its own.
func baseName(path string) string {
	separators := `/\`
	if strings.HasPrefix(path, "/") {
		separators = "/" // a backslash is part of a name there
	}
	return path[strings.LastIndexAny(path, separators)+1:]
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// indented returns the record for reading.
func indented(record json.RawMessage) string {
	var buf bytes.Buffer
	if err := json.Indent(&buf, escapeJSON(compact(record)), "", "  "); err != nil {
		return visible(string(record))
	}
	return buf.String()
}
