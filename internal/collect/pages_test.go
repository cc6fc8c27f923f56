package collect

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"meetguard/internal/store"
)

// hostileNames are file names that try to break out of a page, a line or a
// direction of writing.
var hostileNames = []string{
	`<script>alert(1)</script>.exe`,
	`"><img src=x onerror=alert(1)>.dmg`,
	`' onmouseover='alert(1).pkg`,
	`</title></bdi></dd><h1>All clean</h1>`,
	"Zoom\u202egpj.exe",
	"Zoom\u2066\u2069\u200b\ufeff.exe",
	"a\nb\r\x1b[2J\x00.exe",
	"{{.Title}}",
	`javascript:alert(1)`,
	"]]>-->&lt;b&gt;",
	strings.Repeat("long", 1000),
}

func hostileRecord(uid, name string) string {
	n, _ := json.Marshal(name)
	return fmt.Sprintf(`{"class_uid":2004,"metadata":{"uid":%q},"message":%[2]s,"finding_info":{"title":%[2]s,"desc":%[2]s},
		"device":{"hostname":%[2]s},"remediation":{"desc":%[2]s},"unmapped":{"mg_level":%[2]s,"mg_brand":%[2]s,"mg_rule":%[2]s,
		"mg_path":%[2]s,"mg_sha256":%[2]s,"mg_signer":%[2]s,"mg_user":%[2]s,"mg_source_host":%[2]s,"mg_reasons":[%[2]s,1,{}]}}`, uid, n)
}

// tags are the elements that our own templates write; text of a record adds none.
var tags = regexp.MustCompile(`</?([a-zA-Z!][a-zA-Z0-9]*)`)

func TestPagesHoldHostileText(t *testing.T) {
	s := newSite(t)
	s.send("a", string(record("plain", `"finding_info":{"title":"x"},"unmapped":{"mg_path":"x","mg_brand":"x","mg_rule":"x","mg_sha256":"x","mg_signer":"x","mg_user":"x","mg_source_host":"x","mg_reasons":["x"]}`)))
	plain := tags.FindAllString(s.get("/alerts/"+store.AlertID("a", "plain")).body, -1)
	for i, name := range hostileNames {
		uid := fmt.Sprint("r", i)
		s.send("a", hostileRecord(uid, name))
		page := s.get("/alerts/" + store.AlertID("a", uid))
		if page.status != 200 {
			t.Fatalf("%.40q: status %d", name, page.status)
		}
		checkPage(t, page)
		if got := tags.FindAllString(page.body, -1); fmt.Sprint(got) != fmt.Sprint(plain) {
			t.Errorf("%.40q adds elements:\n got %v\nwant %v", name, got, plain)
		}
	}
	list := s.get("/")
	checkPage(t, list)
	if n := strings.Count(list.body, "<article>"); n != len(hostileNames)+1 {
		t.Errorf("%d articles, want %d", n, len(hostileNames)+1)
	}
	for _, path := range []string{"/v1/alerts", "/v1/agents"} {
		if body := strings.TrimSuffix(s.get(path).body, "\n"); strings.ContainsFunc(body, deceptive) {
			t.Errorf("%s holds a deceptive rune", path)
		}
	}
}

// checkPage looks for what no page may have.
func checkPage(t *testing.T, page answer) {
	t.Helper()
	if got := page.header.Get("Content-Security-Policy"); got != contentPolicy || strings.Contains(got, "script") {
		t.Errorf("policy %q", got)
	}
	if i := strings.IndexFunc(strings.ReplaceAll(page.body, "\n", ""), deceptive); i >= 0 {
		t.Errorf("a deceptive rune at %d", i)
	}
	for _, bad := range []string{"<script", "<img", "<h1>All clean", " onmouseover='", "style=", `href="javascript`} {
		if strings.Contains(page.body, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

func TestAlertPageSaysWhyInOrder(t *testing.T) {
	s := newSite(t)
	s.send("a", string(record("r1", `"finding_info":{"title":"Fake Zoom installer"},"remediation":{"desc":"Do not run the file."},`+
		`"unmapped":{"mg_level":"malicious","mg_brand":"zoom","mg_path":"C:\\Users\\ana\\ZoomInstaller.exe","mg_signature":"unsigned","mg_reasons":["first reason","second reason"]}`)))
	page := s.get("/alerts/" + store.AlertID("a", "r1")).body
	at := 0
	for _, want := range []string{"malicious", "Fake Zoom installer", "ZoomInstaller.exe", "LT-0042", "first reason", "second reason",
		"Do not run the file.", `C:\Users\ana\ZoomInstaller.exe`, "unsigned", "class_uid"} {
		i := strings.Index(page[at:], want)
		if i < 0 {
			t.Fatalf("%q is missing or out of order", want)
		}
		at += i
	}
	list := s.get("/?level=malicious&brand=zoom&host=&rule=").body
	for _, want := range []string{"first reason", "ZoomInstaller.exe", "LT-0042", `value="zoom"`, "selected", "Show all"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
}

func TestAlertsPageEdges(t *testing.T) {
	s := newSite(t)
	if page := s.get("/").body; !strings.Contains(page, "No alerts yet") {
		t.Error("an empty store says nothing")
	}
	var raws []string
	for i := range defaultLimit + 1 {
		raws = append(raws, string(record(fmt.Sprint("r", i), `"unmapped":{"mg_brand":"a&b"}`)))
	}
	s.send("a", raws...)
	page := s.get("/?brand=a%26b").body
	older := regexp.MustCompile(`href="(/\?[^"]*cursor=[^"]*)"`).FindStringSubmatch(page)
	if older == nil {
		t.Fatal("no link to older alerts")
	}
	next := s.get(strings.ReplaceAll(older[1], "&amp;", "&")).body
	if n := strings.Count(next, "<article>"); n != 1 {
		t.Errorf("%d alerts on the second page, want 1", n)
	}
	if a := s.get("/?brand=none"); !strings.Contains(a.body, "No alert passes") {
		t.Error("an empty filter result says nothing")
	}
	if a := s.get("/?sort=1"); a.status != 400 || !strings.Contains(a.body, "<h1>") {
		t.Errorf("a wrong query: %d", a.status)
	}
	if a := s.get("/alerts/none"); a.status != 404 || !strings.Contains(a.body, "No such alert") {
		t.Errorf("no such alert: %d", a.status)
	}
	if a := s.get("/style.css"); a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d %v", a.status, a.header)
	}
}

func TestFileName(t *testing.T) {
	for record, want := range map[string]string{
		`{"unmapped":{"mg_path":"C:\\Users\\ana\\Zoom.exe"}}`:                     `Zoom.exe`,
		`{"unmapped":{"mg_path":"/home/ana/Zoom\u202egpj.exe"}}`:                  `Zoom\u202egpj.exe`,
		`{"unmapped":{"mg_path":"/tmp/a\\b.exe"}}`:                                `a\b.exe`,
		`{"unmapped":{"mg_path":"Zoom.exe"}}`:                                     `Zoom.exe`,
		`{"evidences":[1,{"file":{"name":"x.dmg"}}],"unmapped":{"mg_path":"/y"}}`: `x.dmg`,
		`{}`: ``,
	} {
		doc, _ := decodeObject([]byte(record))
		if got := fileName(doc); got != want {
			t.Errorf("%s: %q, want %q", record, got, want)
		}
	}
}

// Every control of a form has a label.
func TestFormIsLabelled(t *testing.T) {
	page := newSite(t).get("/").body
	controls := regexp.MustCompile(`<(?:input|select) id="(\w+)"`).FindAllStringSubmatch(page, -1)
	if len(controls) != 4 || len(controls) != strings.Count(page, "<input")+strings.Count(page, "<select") {
		t.Fatalf("controls %v", controls)
	}
	for _, c := range controls {
		if !strings.Contains(page, `<label for="`+c[1]+`"`) {
			t.Errorf("%s has no label", c[1])
		}
	}
}
