package exits

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxRecord bounds the records that are rendered, in bytes. Agents write 64 KiB
// at most; what is longer is told without its content.
const maxRecord = 1 << 20

// naming makes the name of a machine that receivers see outside the record.
type naming struct{ from, suffix string }

func (c Config) naming() naming { return naming{c.HostnameFrom, c.HostnameSuffix} }

func (n naming) host(it Item) string {
	if n.from == "uid" || it.Hostname == "" {
		return line(it.AgentUID, maxHostname)
	}
	name := line(it.Hostname, maxHostname)
	if strings.Contains(name, ".") {
		return name
	}
	return name + n.suffix
}

const maxHostname = 255

// view reads a record that may hold anything, by paths such as
// evidences.0.file.name.
type view struct {
	item Item
	host string
	root map[string]any
}

// open decodes the record of an item. One that cannot be read leaves the view
// with what the collector knows.
func open(it Item, n naming) view {
	root, err := decode(it.Record)
	if err != nil {
		root = standIn(it, err)
	}
	return view{it, n.host(it), root}
}

func decode(record []byte) (map[string]any, error) {
	if len(record) > maxRecord {
		return nil, errors.New("it is too long")
	}
	dec := json.NewDecoder(bytes.NewReader(record))
	dec.UseNumber()
	var root map[string]any
	if err := dec.Decode(&root); err != nil || root == nil {
		return nil, errors.New("it is no JSON object")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("it is more than one JSON object")
	}
	return root, nil
}

// standIn is the record of an item whose own cannot be read: an alert is never
// left out for it.
func standIn(it Item, why error) map[string]any {
	return map[string]any{
		"class_uid": 2004, "category_uid": 2, "activity_id": 1, "type_uid": 200401,
		"severity_id": 0, "time": json.Number(strconv.FormatInt(it.ReceivedAt.UnixMilli(), 10)),
		"message":      fmt.Sprintf("The record of this alert cannot be read: %s", why),
		"metadata":     map[string]any{"version": "1.8.0", "product": map[string]any{"name": "meetguard", "vendor_name": "meetguard"}},
		"finding_info": map[string]any{"uid": line(it.ID, maxField), "title": "Unreadable record"},
		"unmapped":     map[string]any{"mg_level": line(it.Level, maxField)},
	}
}

// at returns what stands at a path, or nil.
func (v view) at(path string) any {
	var here any = v.root
	for key := range strings.SplitSeq(path, ".") {
		switch x := here.(type) {
		case map[string]any:
			here = x[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(x) {
				return nil
			}
			here = x[i]
		default:
			return nil
		}
	}
	return here
}

// text returns a text, a number or a truth as one line, and "" for all else.
func (v view) text(path string) string {
	switch x := v.at(path).(type) {
	case string:
		return line(x, maxField)
	case json.Number:
		return line(x.String(), maxField)
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}

// whole returns a whole number that is not negative and fits a JSON number of
// every receiver, which is up to 2^53.
func (v view) whole(path string) (int64, bool) {
	n, ok := v.at(path).(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil && i >= 0 && i <= 1<<53
}

// lines returns a list of texts, each on one line, at most maxList of them.
func (v view) lines(path string) []string {
	list, _ := v.at(path).([]any)
	var out []string
	for _, x := range list[:min(len(list), maxList)] {
		if s, ok := x.(string); ok {
			out = append(out, line(s, maxField))
		}
	}
	return out
}

const maxList = 32

// date returns a time that the record gives in milliseconds since 1970.
func (v view) date(path string) (time.Time, bool) {
	ms, ok := v.whole(path)
	if !ok || ms == 0 || ms > maxMillis {
		return time.Time{}, false
	}
	return time.UnixMilli(ms).UTC(), true
}

// maxMillis is the last millisecond of the year 9999, beyond which RFC 3339
// has no times.
const maxMillis = 253402300799999

// time is when the finding was made, or else when it was received.
func (v view) time() time.Time {
	if t, ok := v.date("time"); ok {
		return t
	}
	return v.item.ReceivedAt.UTC()
}

// status is a state of triage as OCSF 1.8.0 numbers it (status_id of class
// 2004).
type status struct {
	id   int
	name string
}

var statuses = map[string]status{
	"new":         {1, "New"},
	"in_progress": {2, "In Progress"},
	"suppressed":  {3, "Suppressed"},
	"closed":      {4, "Resolved"},
}

// ocsf returns the record on one line: as the agent wrote it, with the state of
// the triage, and under unmapped what the collector adds. The agent's mg_sum
// and mg_prev are about the line of its own log, not about this one.
func (v view) ocsf() []byte {
	if s, ok := statuses[v.item.Status]; ok {
		v.root["status_id"], v.root["status"] = s.id, s.name
	}
	extra, ok := v.root["unmapped"].(map[string]any)
	if !ok {
		extra = map[string]any{}
		v.root["unmapped"] = extra
	}
	for _, f := range v.added() {
		extra[f.key] = f.value
	}
	return encode(v.root)
}

type pair struct{ key, value string }

// added is what the collector knows of an alert beside its record.
func (v view) added() []pair {
	return []pair{
		{"mg_alert_id", line(v.item.ID, maxField)},
		{"mg_agent_uid", line(v.item.AgentUID, maxField)},
		{"mg_group", line(v.item.Group, maxField)},
		{"mg_status", line(v.item.Status, maxField)},
	}
}

// encode writes JSON on one line, without its newline and without a character
// that could deceive whoever reads it raw.
func encode(x any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(x); err != nil {
		// Only values that json cannot write end here, and none is ever put in.
		return []byte(`{"message":"this alert could not be written as JSON"}`)
	}
	return escapeJSON(bytes.TrimRight(b.Bytes(), "\n"), deceptive)
}
