package exits

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata that people read.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; with -update it is written anew. It is now:\n%s", name, got)
	}
}

func indent(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"file", "launch"} {
		it := sample(t, name)
		golden(t, name+".ecs.json", indent(t, open(it, naming{}).ecs()))
		golden(t, name+".syslog.txt", append(Config{}.syslog().message(open(it, naming{})), '\n'))
	}
}

// ecsTypes are the types of the fields that are used, from the field reference
// of ECS 8.17: keyword and text as "string", long and float as "number".
var ecsTypes = map[string]string{
	"@timestamp": "date", "event.created": "date", "process.start": "date",
	"tags": "list", "event.category": "list", "event.type": "list", "related.hash": "list", "related.user": "list", "related.hosts": "list",
	"threat.tactic.id": "list", "threat.tactic.name": "list", "threat.technique.id": "list", "threat.technique.name": "list",
	"threat.technique.subtechnique.id": "list", "threat.technique.subtechnique.name": "list",
	"meetguard.reasons": "list", "meetguard.story": "list", "meetguard.gaps": "list",
	"event.sequence": "number", "event.severity": "number", "event.risk_score": "number", "file.size": "number",
	"process.pid": "number", "process.parent.pid": "number",
	"file.code_signature.exists": "bool", "file.code_signature.valid": "bool",
}

// TestECSTypes wants each field to have one type whatever the record holds: a
// field that changes its type is what makes Elasticsearch refuse a document.
func TestECSTypes(t *testing.T) {
	used := map[string]bool{}
	for _, it := range append(hostileItems(t), sample(t, "file"), sample(t, "launch")) {
		var doc map[string]any
		if err := json.Unmarshal(open(it, naming{}).ecs(), &doc); err != nil {
			t.Fatal(err)
		}
		for _, m := range ecsTable {
			x, ok := lookup(doc, m.field)
			if !ok {
				continue
			}
			used[m.field] = true
			want := ecsTypes[m.field]
			if want == "" {
				want = "string"
			}
			if got := typeOf(x); got != want {
				t.Errorf("%s is %s (%v), want %s", m.field, got, x, want)
			}
		}
	}
	for _, m := range ecsTable {
		if !used[m.field] && m.field != "meetguard.inner" && m.field != "meetguard.story" {
			t.Errorf("%s is in no document", m.field)
		}
	}
}

func lookup(doc map[string]any, field string) (any, bool) {
	key, rest, nested := strings.Cut(field, ".")
	x, ok := doc[key]
	if !nested || !ok {
		return x, ok
	}
	inner, ok := x.(map[string]any)
	if !ok {
		return nil, false
	}
	return lookup(inner, rest)
}

func typeOf(x any) string {
	switch x := x.(type) {
	case string:
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", x); err == nil {
			return "date"
		}
		return "string"
	case float64:
		return "number"
	case bool:
		return "bool"
	case []any:
		return "list"
	}
	return reflect.TypeOf(x).String()
}

// hostileItems are items of an agent that somebody has taken over.
func hostileItems(t testing.TB) []Item {
	deep := strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000)
	long := strings.Repeat(`\u202e\n\"]\\`, 1000)
	var items []Item
	for _, record := range []string{
		``, `null`, `[]`, `{}`, `{"a":1} {"b":2}`, `{"message":"cut`, `"text"`, "\xff\xfe", strings.Repeat(" ", maxRecord+1),
		`{"time":1e999,"severity_id":-5,"risk_score":"high","metadata":[],"unmapped":7,"evidences":{},"finding_info":null}`,
		`{"time":99999999999999999,"metadata":{"sequence":1e3},"unmapped":{"mg_path":["x"],"mg_reasons":[1,{},"a\nb"],"mg_alert_id":"forged"}}`,
		`{"message":"` + long + `","unmapped":{"mg_path":"` + long + `","mg_command_line":"` + long + `","mg_user":"\u0000\u001b[2J\u2028\u2029\udb40\udc41"}}`,
		`{"message":"a\r\nb","device":{"os":{"name":{"x":1}}},"evidences":[{"file":{"name":"x\u202efdp.exe","size":-1},"process":{"pid":1.5,"ancestry":[{"pid":"1"}]}}]}`,
		`{"finding_info":{"attacks":[1,null,{"tactic":"x"},{"tactic":{"uid":"TA\u0007"}}]},"unmapped":{"mg_signature":"valid\n","x":` + deep + `}}`,
	} {
		it := sample(t, "file")
		it.Record = json.RawMessage(record)
		items = append(items, it)
	}
	evil := "x\n<0>1 \x1b[31m\u202e\"]\\ \xff" + strings.Repeat("y", 5000)
	it := sample(t, "file")
	it.ID, it.AgentUID, it.Hostname, it.Group, it.Level, it.Status = evil, evil, evil, evil, evil, evil
	it.ReceivedAt = time.Time{}
	return append(items, it)
}

// checkRendered holds what must be true of every rendering of every item.
func checkRendered(t *testing.T, it Item) {
	t.Helper()
	e := &elastic{cfg: Config{}}
	s := &splunk{opt: Config{}.splunk()}
	hook := Config{}.webhook()
	for name, out := range map[string][]byte{
		"ocsf": open(it, naming{}).ocsf(), "ecs": open(it, naming{}).ecs(), "hec": s.event(open(it, naming{})),
		"otlp": encode((&otlp{}).request([]Item{it})), "hook": []byte(alertOf(open(it, naming{})).OCSF),
	} {
		checkLine(t, name, out)
		if !json.Valid(out) {
			t.Errorf("%s is no JSON: %.300q", name, out)
		}
	}
	if n := bytes.Count(e.body([]Item{it}), []byte("\n")); n != 2 {
		t.Errorf("a bulk item has %d lines", n)
	}
	for _, opt := range []Syslog{Config{}.syslog(), {Facility: "local0", Message: "ocsf", MaxBytes: 4096, PEN: 1}, {Facility: "auth", Message: "text", MaxBytes: minSyslogBytes, PEN: 1<<32 - 1}} {
		m := opt.message(open(it, naming{from: "agent", suffix: ".corp.example"}))
		if _, err := parse5424(m); err != nil || len(m) > opt.MaxBytes {
			t.Errorf("syslog: %v: %d bytes: %.300q", err, len(m), m)
		}
		checkLine(t, "syslog", bytes.ReplaceAll(m, []byte("\ufeff"), nil))
	}
	tmpl, err := hook.parse()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hook.render(tmpl, []Alert{alertOf(open(it, naming{}))}); err != nil {
		t.Errorf("webhook: %v", err)
	}
}

func checkLine(t *testing.T, name string, out []byte) {
	t.Helper()
	if i := bytes.IndexFunc(out, deceptive); i >= 0 || !utf8.Valid(out) {
		t.Errorf("%s has a deceptive character at %d: %.300q", name, i, out)
	}
}

func TestHostileRecords(t *testing.T) {
	for _, it := range hostileItems(t) {
		checkRendered(t, it)
	}
}

// TestForgedFacts wants what the collector knows to win over what a record
// says.
func TestForgedFacts(t *testing.T) {
	it := sample(t, "file")
	it.Record = json.RawMessage(`{"status_id":4,"status":"Resolved","unmapped":{"mg_alert_id":"forged","mg_group":"forged","mg_agent_uid":"forged"}}`)
	out := string(open(it, naming{}).ocsf())
	if strings.Contains(out, "forged") || strings.Contains(out, "Resolved") {
		t.Errorf("the record is %s", out)
	}
}

// TestRecordStays wants the record to arrive as the agent wrote it, but for the
// status and what is added.
func TestRecordStays(t *testing.T) {
	it := sample(t, "launch")
	var want, got map[string]any
	if err := json.Unmarshal(it.Record, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(open(it, naming{}).ocsf(), &got); err != nil {
		t.Fatal(err)
	}
	extra := got["unmapped"].(map[string]any)
	for _, key := range []string{"mg_alert_id", "mg_agent_uid", "mg_group", "mg_status"} {
		if extra[key] == "" {
			t.Errorf("%s is missing", key)
		}
		delete(extra, key)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the record became %v", got)
	}
}

func TestHostName(t *testing.T) {
	it := Item{Hostname: "lt-0042", AgentUID: "u-1"}
	for _, c := range []struct {
		n    naming
		host string
		want string
	}{
		{naming{}, "lt-0042", "lt-0042"},
		{naming{suffix: ".corp.example"}, "lt-0042", "lt-0042.corp.example"},
		{naming{suffix: ".corp.example"}, "lt.lab.example", "lt.lab.example"},
		{naming{from: "uid"}, "lt-0042", "u-1"},
		{naming{}, "", "u-1"},
	} {
		it.Hostname = c.host
		if got := c.n.host(it); got != c.want {
			t.Errorf("%+v of %q is %q, want %q", c.n, c.host, got, c.want)
		}
	}
}

func FuzzRender(f *testing.F) {
	for _, it := range append(hostileItems(f), sample(f, "file"), sample(f, "launch")) {
		if len(it.Record) < 1<<16 {
			f.Add([]byte(it.Record), it.Hostname, it.Group)
		}
	}
	f.Fuzz(func(t *testing.T, record []byte, host, group string) {
		checkRendered(t, Item{ID: host, AgentUID: group, Hostname: host, Group: group, Level: group, Status: host,
			ReceivedAt: time.Unix(1795348800, 0), Record: record})
	})
}
