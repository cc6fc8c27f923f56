package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"time"

	"meetguard"
)

// LocalActor begins the name of whoever noted something at the machine itself.
const LocalActor = "local:"

// statusOf maps the states of an acknowledgement to status_id of the schema.
var statusOf = map[string]grade{
	StateNew:        {1, "New"},
	StateInProgress: {2, "In Progress"},
	StateSuppressed: {3, "Suppressed"},
	StateResolved:   {4, "Resolved"},
	StateArchived:   {5, "Archived"},
}

// noteRecord tells the collector what somebody at this machine noted of an alert.
// It is an OCSF update of the finding: status and comment are in the fields of
// the schema, and mg_about names the record that it is about. The same note has
// the same uid.
func noteRecord(host meetguard.Host, product Product, k Acknowledgement) Record {
	title, by := safe(k.Title, maxText), LocalActor+safe(k.By, maxName)
	if title == "" {
		title = "Alert"
	}
	severity, confidence := gradeOf(k.Level)
	status := statusOf[k.State]
	finding := k.Finding
	if finding == "" {
		finding = k.UID
	}
	return Record{
		ClassUID: 2004, ClassName: "Detection Finding",
		CategoryUID: 2, CategoryName: "Findings",
		ActivityID: 2, ActivityName: "Update",
		TypeUID:    200402,
		Time:       millis(k.Time),
		SeverityID: severity.id, Severity: severity.name,
		ConfidenceID: confidence.id, Confidence: confidence.name,
		StatusID: status.id, Status: status.name,
		ActionID: 3, Action: "Observed",
		DispositionID: 15, Disposition: "Detected",
		Comment: safe(k.Note, maxNote),
		Message: safe("Noted by "+by+": "+title, maxText),
		Metadata: Metadata{
			Version:  "1.8.0",
			Profiles: []string{"host", "security_control"},
			UID:      digestUID([]string{"meetguard note 1", host.UID, k.UID, k.State, k.Disposition, k.Note, k.By, k.Time.UTC().Format(time.RFC3339Nano)}),
			LogName:  "meetguard.alerts",
			Product:  ProductInfo{Name: "meetguard", VendorName: "meetguard", Version: safe(product.Version, maxName)},
		},
		Device:      deviceOf(host),
		Evidences:   []Evidence{},
		Remediation: Remediation{"Nothing: it tells what became of an alert."},
		FindingInfo: FindingInfo{UID: safe(finding, maxName), Title: title, Desc: title, CreatedTime: millis(k.Time), Types: []string{"fake-meeting-software"}},
		Unmapped: Unmapped{
			Level: string(k.Level), Rule: safe(k.Rule, maxName), Signature: string(meetguard.SignatureUnknown), Reasons: []string{},
			About: safe(k.UID, maxName), State: k.State, Disposition: k.Disposition, Actor: by,
		},
	}
}

// isNote says that a record tells of another one.
func (r Record) isNote() bool { return r.Unmapped.About != "" }

// takeNotes puts what was noted at this machine since the last time into the
// log, on its way to the collector. A half-written note waits for its end.
func (l *Log) takeNotes(host meetguard.Host, product Product) error {
	l.mu.Lock()
	from := l.cur.Notes
	l.mu.Unlock()
	f, err := openPlain(l.root, acksName, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read acknowledgements: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == from {
		return err
	}
	if info.Size() < from { // another file; what was told already is known by its uid
		from = 0
	}
	to, err := l.takeNotesOf(f, from, host, product)
	if to == from {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cur.Notes = to
	return errors.Join(err, l.saveCursor())
}

// takeNotesOf takes the notes of a file from an offset on, and returns how far it
// came.
func (l *Log) takeNotesOf(f *os.File, from int64, host meetguard.Host, product Product) (to int64, err error) {
	r := newLineReader(io.NewSectionReader(f, from, 1<<40))
	for to = from; ; {
		e, err := r.next()
		if err == io.EOF || err == nil && e.torn {
			return to, nil
		}
		if err != nil {
			return to, fmt.Errorf("read acknowledgements: %w", err)
		}
		if k, ok := parseAck(e.raw); ok {
			if _, err := l.Append(noteRecord(host, product, k)); err != nil {
				return to, err
			}
		}
		to = from + e.end
	}
}

// damagedNotes counts the places of the acknowledgements that cannot be read, and
// one if they are shorter than what was passed on of them. That there are none,
// or that they cannot be opened, is no damage by itself.
func damagedNotes(root *os.Root, passed int64) (n int) {
	f, err := openPlain(root, acksName, os.O_RDONLY)
	if err != nil {
		return int(min(passed, 1))
	}
	defer f.Close()
	r := newLineReader(f)
	var size int64
	for {
		e, err := r.next()
		if err != nil {
			break // the end, or a disk that tells the same to whoever needs the notes
		}
		size = e.end
		var k Acknowledgement
		if len(e.raw) > 0 && (json.Unmarshal(e.raw, &k) != nil || k.UID == "") {
			n++
		}
	}
	if size < passed {
		n++
	}
	return n
}

// parseAck reads a line of acknowledgements.
func parseAck(line []byte) (Acknowledgement, bool) {
	var k Acknowledgement
	if json.Unmarshal(line, &k) != nil || k.UID == "" {
		return k, false
	}
	k.Note = safe(k.Note, maxNote)
	_, known := statusOf[k.State]
	return k, known
}

// localUser is the account of whoever runs this program, or who asked for it.
func localUser() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
