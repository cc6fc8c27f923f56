package alert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"meetguard"
)

// Filter chooses records. A zero field chooses all.
type Filter struct {
	UID         string          // the beginning of metadata.uid
	Level       meetguard.Level // exactly this level
	Brand       string          // catalogue id
	State       string          // state of the local acknowledgement, see Ack
	Rule        string          // the strongest rule, or one that is named beside it
	Path        string          // a part of the path, without regard to case
	User        string          // account of the launch, without regard to case
	Since       time.Time       // not before
	Until       time.Time       // before
	NewestFirst bool
	Limit       int // number of records; 0: all
}

// Entry is one record of the log with what was noted about it here.
type Entry struct {
	Record Record
	Raw    []byte // the line as it stands in the log, without the newline
	Ack    Acknowledgement
}

// Read goes through the log in the state folder dir. It may be called beside the
// agent. Damaged lines are passed over, Verify tells of them. An error is given
// once, and ends it.
func Read(dir string, filter Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := readLog(dir, filter, yield); err != nil {
			yield(Entry{}, err)
		}
	}
}

func readLog(dir string, filter Filter, yield func(Entry, error) bool) error {
	root, err := openState(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	acks, err := readAcks(root)
	if err != nil {
		return err
	}
	files, err := openLog(root)
	if err != nil {
		return err
	}
	defer closeAll(files)
	if filter.NewestFirst {
		slices.Reverse(files)
	}
	c := chooser{filter: filter, acks: acks, yield: yield}
	for _, f := range files {
		if more, err := c.file(f); err != nil {
			return fmt.Errorf("read alert log %s: %w", f.name, err)
		} else if !more {
			return nil
		}
	}
	return nil
}

// chooser hands out what the filter lets through.
type chooser struct {
	filter Filter
	acks   map[string]Acknowledgement
	yield  func(Entry, error) bool
	given  int
}

// file goes through one file. Backwards it holds the lines of that one file in
// memory, which are bounded by Options.MaxFile.
func (c *chooser) file(f io.Reader) (more bool, err error) {
	r := newLineReader(f)
	var lines [][]byte
	for {
		e, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, err
		}
		if e.bad {
			continue
		}
		if c.filter.NewestFirst {
			lines = append(lines, bytes.Clone(e.raw))
		} else if !c.offer(bytes.Clone(e.raw)) {
			return false, nil
		}
	}
	for _, raw := range slices.Backward(lines) {
		if !c.offer(raw) {
			return false, nil
		}
	}
	return true, nil
}

// offer hands out one line if it is chosen, and answers whether to go on.
func (c *chooser) offer(raw []byte) bool {
	e := Entry{Raw: raw}
	if json.Unmarshal(raw, &e.Record) != nil || e.Record.isNote() {
		return true // sealed, but of another shape: no record of this version, or no alert
	}
	e.Ack = c.acks[e.Record.Metadata.UID]
	if !c.filter.chooses(e) {
		return true
	}
	c.given++
	return c.yield(e, nil) && (c.filter.Limit <= 0 || c.given < c.filter.Limit)
}

func (f Filter) chooses(e Entry) bool {
	at := time.UnixMilli(e.Record.Time)
	state := e.Ack.State
	if state == "" {
		state = StateNew
	}
	return strings.HasPrefix(e.Record.Metadata.UID, f.UID) &&
		(f.Level == "" || string(f.Level) == e.Record.Unmapped.Level) &&
		(f.Brand == "" || f.Brand == e.Record.Unmapped.Brand) &&
		(f.State == "" || f.State == state) &&
		(f.Rule == "" || e.Record.names(f.Rule)) &&
		strings.Contains(strings.ToLower(e.Record.Unmapped.Path), strings.ToLower(f.Path)) &&
		(f.User == "" || strings.EqualFold(f.User, e.Record.Unmapped.User)) &&
		(f.Since.IsZero() || !at.Before(f.Since)) &&
		(f.Until.IsZero() || at.Before(f.Until))
}

// names says whether a rule led to the record.
func (r Record) names(rule string) bool {
	return r.Unmapped.Rule == rule || slices.ContainsFunc(r.FindingInfo.RelatedAnalytics, func(a Analytic) bool { return a.UID == rule })
}

// The states of a local acknowledgement: those of OCSF status_id 1 to 5.
const (
	StateNew        = "new"
	StateInProgress = "in_progress"
	StateSuppressed = "suppressed"
	StateResolved   = "resolved"
	StateArchived   = "archived"
)

// AckStates lists the states of an acknowledgement.
func AckStates() []string {
	return []string{StateNew, StateInProgress, StateSuppressed, StateResolved, StateArchived}
}

// The dispositions of an acknowledgement: what an alert turned out to be.
const (
	TruePositive  = "true_positive"
	FalsePositive = "false_positive"
	Authorised    = "authorised" // somebody in the house did it on purpose
	Testing       = "testing"
)

// Dispositions lists what an alert may turn out to be.
func Dispositions() []string { return []string{TruePositive, FalsePositive, Authorised, Testing} }

// Acknowledgement is what somebody at this machine noted about a record. It
// stands beside the log; where there is a collector a copy goes through the log
// to it.
type Acknowledgement struct {
	UID         string    `json:"uid"`
	State       string    `json:"state"`
	Disposition string    `json:"disposition,omitempty"` // one of Dispositions, or ""
	Note        string    `json:"note,omitempty"`
	Time        time.Time `json:"time"`
	By          string    `json:"by,omitempty"` // account of who noted it

	// What the collector is told of the alert besides.
	Finding string          `json:"finding,omitempty"`
	Title   string          `json:"title,omitempty"`
	Level   meetguard.Level `json:"level,omitempty"`
	Rule    string          `json:"rule,omitempty"`
}

const maxNote = 1024

// Ack notes a state, what it turned out to be ("" if that is not known) and a
// remark for the record whose uid is exactly uid. The newest note holds; older
// ones stay in the file.
func Ack(dir, uid, state, disposition, note string) error {
	if all := Dispositions(); disposition != "" && !slices.Contains(all, disposition) {
		return fmt.Errorf("acknowledge alert: the disposition is one of %s", strings.Join(all, ", "))
	}
	if states := AckStates(); !slices.Contains(states, state) {
		return fmt.Errorf("acknowledge alert: the state is one of %s", strings.Join(states, ", "))
	}
	r, err := find(dir, uid)
	if err != nil {
		return err
	}
	line, err := json.Marshal(Acknowledgement{
		UID: uid, State: state, Disposition: disposition, Note: safe(note, maxNote), Time: time.Now().UTC().Truncate(time.Millisecond), By: safe(localUser(), maxName),
		Finding: r.FindingInfo.UID, Title: r.FindingInfo.Title, Level: meetguard.Level(r.Unmapped.Level), Rule: r.Unmapped.Rule,
	})
	if err != nil {
		return fmt.Errorf("acknowledge alert: %w", err)
	}
	root, err := openState(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := appendLine(root, acksName, line); err != nil {
		return fmt.Errorf("acknowledge alert: %w", err)
	}
	return nil
}

// find returns the record whose uid is exactly uid.
func find(dir, uid string) (Record, error) {
	for e, err := range Read(dir, Filter{UID: uid}) {
		if err != nil {
			return Record{}, err
		}
		if uid != "" && e.Record.Metadata.UID == uid {
			return e.Record, nil
		}
	}
	return Record{}, fmt.Errorf("acknowledge alert: the log holds no alert %q; see the list of alerts", uid)
}

// appendLine writes the line with a newline on both sides in one call: what an
// interrupted writer left before it then spoils nothing but itself.
func appendLine(root *os.Root, name string, line []byte) error {
	f, err := openPlain(root, name, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return err
	}
	_, err = f.Write(slices.Concat([]byte("\n"), line, []byte("\n")))
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// readAcks returns the newest acknowledgement of each uid. Lines that are none
// are passed over.
func readAcks(root *os.Root) (map[string]Acknowledgement, error) {
	acks := map[string]Acknowledgement{}
	f, err := openPlain(root, acksName, os.O_RDONLY)
	if os.IsNotExist(err) {
		return acks, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read acknowledgements: %w", err)
	}
	defer f.Close()
	r := newLineReader(f)
	for {
		e, err := r.next()
		if err == io.EOF {
			return acks, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read acknowledgements: %w", err)
		}
		if a, ok := parseAck(e.raw); ok {
			acks[a.UID] = a
		}
	}
}
