package collect

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"meetguard/internal/people"
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

// hostileRecord has the text in every place of a record that a page shows.
func hostileRecord(uid, name string) string {
	n, _ := json.Marshal(cut(name, 1000)) // so that the record is not too large as a whole
	return fmt.Sprintf(`{"class_uid":2004,"metadata":{"uid":%q},"message":%[2]s,"remediation":{"desc":%[2]s},
		"finding_info":{"title":%[2]s,"desc":%[2]s,"data_sources":[%[2]s],"related_analytics":[{"uid":%[2]s}],
			"attacks":[{"technique":{"uid":%[2]s,"name":%[2]s},"tactic":{"name":%[2]s}}]},
		"device":{"hostname":%[2]s},
		"evidences":[{"file":{"name":%[2]s,"path":%[2]s,"signature":{"state":%[2]s,"certificate":{"subject":%[2]s,"issuer":%[2]s,"serial_number":%[2]s}}},
			"process":{"pid":7,"name":%[2]s,"file":{"path":%[2]s},"ancestry":[{"pid":1,"name":%[2]s,"path":%[2]s}]}}],
		"unmapped":{"mg_level":%[2]s,"mg_brand":%[2]s,"mg_rule":%[2]s,"mg_path":%[2]s,"mg_inner":%[2]s,"mg_sha256":%[2]s,"mg_signer":%[2]s,"mg_team_id":%[2]s,
			"mg_user":%[2]s,"mg_source_host":%[2]s,"mg_format":%[2]s,"mg_signature":%[2]s,"mg_package":%[2]s,"mg_note":%[2]s,"mg_command_line":%[2]s,
			"mg_reasons":[%[2]s,1,{}],"mg_gaps":[%[2]s],"mg_story":[%[2]s],"mg_os_verdicts":[%[2]s]}}`, uid, n)
}

// tags are the elements that our own templates write; text of a record adds none.
var tags = regexp.MustCompile(`</?([a-zA-Z!][a-zA-Z0-9]*)`)

func TestPagesHoldHostileText(t *testing.T) {
	s := newSite(t)
	s.send("a", hostileRecord("plain", "x"))
	plain := tags.FindAllString(s.get("/alerts/"+store.AlertID("a", "plain")).body, -1)
	for i, name := range hostileNames {
		agent, uid := fmt.Sprint("m", i), fmt.Sprint("r", i)
		s.send(agent, hostileRecord(uid, name))
		page := s.get("/alerts/" + store.AlertID(agent, uid))
		checkPage(t, page)
		if got := withoutLinks(tags.FindAllString(page.body, -1)); fmt.Sprint(got) != fmt.Sprint(withoutLinks(plain)) {
			t.Errorf("%.40q adds elements:\n got %v\nwant %v", name, got, plain)
		}
		if err := s.store.CreateException(t.Context(), store.Exception{ID: store.NewID(), Rule: name, Why: name, Who: name, CreatedAt: s.srv.now(), ExpiresAt: s.srv.now().AddDate(0, 1, 0)}); err != nil {
			t.Fatal(err)
		}
		if err := s.store.Record(t.Context(), store.AuditEntry{ID: store.NewID(), At: s.srv.now(), Who: column(name, maxLabel), Action: "test", Target: column(name, maxLabel)}); err != nil {
			t.Fatal(err)
		}
		n, _ := json.Marshal(name)
		s.post(fmt.Appendf(nil, `{"agent":{"uid":%q,"hostname":%[2]s,"os":%[2]s,"version":%[2]s,"rules_version":%[2]s},"alerts":[%[2]s],
			"heartbeat":{"status":{"sources":[{"name":%[2]s,"state":%[2]s,"detail":%[2]s}],"counters":{%[2]s:1}}}}`, agent, n))
	}
	s.srv.flushBeats(t.Context())
	for _, path := range []string{"/?status=any", "/?view=alerts&status=any", "/fleet", "/rules", "/reports", "/exceptions", "/exceptions/new?hostname=LT-0042", "/deadletters", "/audit", "/settings", "/fleet/m0", "/fleet/m4", "/fleet/m6"} {
		checkPage(t, s.get(path))
	}
	for _, path := range []string{"/v1/alerts", "/v1/agents"} {
		if body := strings.TrimSuffix(s.get(path).body, "\n"); strings.ContainsFunc(body, deceptive) {
			t.Errorf("%s holds a deceptive rune", path)
		}
	}
}

// withoutLinks takes out links: one to "the same value elsewhere" is left out if
// the value cannot stand in a query.
func withoutLinks(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(tag string) bool { return tag == "<a" || tag == "</a" })
}

// checkPage looks for what no page may have.
func checkPage(t *testing.T, page answer) {
	t.Helper()
	if page.status != 200 {
		t.Fatalf("status %d: %.300s", page.status, page.body)
	}
	if got := page.header.Get("Content-Security-Policy"); got != contentPolicy || strings.Contains(got, "unsafe") {
		t.Errorf("policy %q", got)
	}
	if i := strings.IndexFunc(page.body, misleading); i >= 0 {
		t.Errorf("a deceptive rune: %q", page.body[max(0, i-40):i+10])
	}
	for _, bad := range []string{"<script>", "<img", "<h1>All clean", " onmouseover='", "style=", `href="javascript`, "ZgotmplZ", "<no value>"} {
		if at := strings.Index(page.body, bad); at >= 0 {
			t.Errorf("the page holds %q: %.200s", bad, page.body[max(0, at-100):])
		}
	}
}

func TestAlertPageSaysWhyInOrder(t *testing.T) {
	s := newSite(t)
	s.send("a", string(record("r1", `"finding_info":{"title":"Fake Zoom installer"},"remediation":{"desc":"Do not run the file."},`+
		`"unmapped":{"mg_level":"malicious","mg_brand":"zoom","mg_rule":"MG-1","mg_path":"C:\\Users\\ana\\ZoomInstaller.exe","mg_signature":"unsigned",`+
		`"mg_reasons":["first reason","second reason"],"mg_rules":["MG-1","MG-2"],"mg_weights":[40,25]}`)))
	page := s.get("/alerts/" + store.AlertID("a", "r1")).body
	at := 0
	for _, want := range []string{"malicious", "Fake Zoom installer", "ZoomInstaller.exe", "LT-0042", "claims to be", "Zoom", "first reason", "MG-1", "weight 40", "second reason", "MG-2", "weight 25",
		"What to do now", "Do not open the file.", "Do not run the file.", `C:\Users\ana\ZoomInstaller.exe`, "unsigned", "class_uid"} {
		i := strings.Index(page[at:], want)
		if i < 0 {
			t.Fatalf("%q is missing or out of order", want)
		}
		at += i
	}
	list := s.get("/?level=malicious&brand=zoom&host=&rule=").body
	for _, want := range []string{"first reason", "ZoomInstaller.exe", "LT-0042", `value="zoom"`, "selected", "Reset"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
}

// What to do depends on what happened, not on the level alone.
func TestAdviceByKind(t *testing.T) {
	process := `"evidences":[{"process":{"pid":7,"name":"zsh"}}]`
	for _, c := range []struct {
		fields string
		rule   string
		want   alertKind
		tells  string
	}{
		{`"unmapped":{"mg_level":"malicious"}`, "", kindLanded, "Do not open the file."},
		{`"unmapped":{"mg_level":"incomplete"}`, "", kindIncomplete, "could not be judged"},
		{process, "", kindRan, "Isolate the machine"},
		{`"unmapped":{"mg_pid":7}`, "", kindRan, "Isolate the machine"},
		{process + `,"unmapped":{"mg_story":["09:00:00 /bin/sh (1): take secret browser profiles"]}`, "", kindTakeover, "Terminate all other sessions"},
		{process + `,"unmapped":{"mg_story":["09:00:00 /opt/take secret (1)"]}`, "", kindRan, ""}, // the name of a program is no deed
		{process + `,"finding_info":{"attacks":[{"technique":{"uid":"T1056"},"sub_technique":{"uid":"T1056.002"}}]}`, "", kindTakeover, "two-step verification"},
		{`"finding_info":{"attacks":[{"technique":{"uid":"T1056"}}]}`, "", kindLanded, ""}, // it has not run
		{process, "MG-FLEET-SILENT", kindFleet, "agent on the machine"},
	} {
		v := newAlertView(store.Alert{Record: record("r", c.fields), Level: levelOf(c.fields), Rule: c.rule})
		text := v.Kind.Verdict() + strings.Join(append(v.Kind.ForUser(), v.Kind.ForIT()...), " ")
		if v.Kind != c.want || !strings.Contains(text, c.tells) {
			t.Errorf("%s %s: %s: %s", c.fields, c.rule, v.Kind, text)
		}
	}
}

func levelOf(fields string) string {
	_, rest, _ := strings.Cut(fields, `"mg_level":"`)
	level, _, _ := strings.Cut(rest, `"`)
	return level
}

func TestAlertsPageEdges(t *testing.T) {
	s := newSite(t)
	if page := s.get("/").body; !strings.Contains(page, "Nothing is open") {
		t.Error("an empty store says nothing")
	}
	var raws []string
	for i := range defaultLimit + 1 {
		raws = append(raws, string(record(fmt.Sprint("r", i), fmt.Sprintf(`"unmapped":{"mg_brand":"a&b","mg_sha256":"%d"}`, i))))
	}
	s.send("a", raws...)
	for _, view := range []string{"", "&view=alerts"} {
		first := s.get("/?brand=a%26b" + view).body
		next := regexp.MustCompile(`href="(/\?[^"]*cursor=[^"]*)" rel="next"`).FindStringSubmatch(first)
		if next == nil || rowsOf(first) != defaultLimit {
			t.Fatalf("%d lines, next page %v", rowsOf(first), next)
		}
		second := s.get(strings.ReplaceAll(next[1], "&amp;", "&")).body
		if rowsOf(second) != 1 || !strings.Contains(second, "First page") {
			t.Errorf("%d lines on the second page, want 1", rowsOf(second))
		}
	}
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/?brand=none": {200, "No alert passes"}, "/?sort=1": {400, "<h1>"}, "/?status=bad": {400, "Status must be of"}, "/?view=x": {400, "<h1>"},
		"/?since=2026-01-01&until=2026-01-01": {200, "No alert passes"}, "/?since=yesterday": {400, "Since must be"},
		"/alerts/none": {404, "There is nothing under this address"}, "/fleet/none": {404, "nothing"}, "/fleet?state=x": {400, "State must be"},
		"/reports?week=2026-W99": {400, "Week must be"}, "/audit?who=%00": {400, "Who must be"}, "/exceptions/new?x=1": {400, "<h1>"}, "/rules?days=0": {400, "Days must be"},
	} {
		if a := s.get(path); a.status != want.status || !strings.Contains(a.body, want.text) || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d %s %.300s", path, a.status, a.header.Get("Content-Type"), a.body)
		}
	}
	if a := s.get("/style.css"); a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d %v", a.status, a.header)
	}
}

// rowsOf counts the lines of a list.
func rowsOf(page string) int { return strings.Count(page, `<input type="checkbox" name="item"`) }

// However many alerts there are, a page holds a page of them.
func TestPageIsBounded(t *testing.T) {
	s := newSite(t)
	for i := range 20 {
		var raws []string
		for k := range 100 {
			raws = append(raws, string(record(fmt.Sprintf("r%d-%d", i, k), fmt.Sprintf(`"unmapped":{"mg_level":"malicious","mg_rule":"R%d","mg_sha256":"%d-%d"}`, k, i, k))))
		}
		s.send(fmt.Sprint("a", i), raws...)
	}
	for _, path := range []string{"/", "/?view=alerts", "/?view=alerts&limit=200", "/fleet", "/rules", "/reports", "/audit", "/exceptions/new?rule=R1"} {
		page := s.get(path)
		if page.status != 200 || len(page.body) > 400_000 || rowsOf(page.body) > maxLimit {
			t.Errorf("%s: %d, %d bytes, %d lines", path, page.status, len(page.body), rowsOf(page.body))
		}
	}
}

// Every control of a form has a label, on every page.
func TestFormsAreLabelled(t *testing.T) {
	s := newSite(t)
	s.send("a", string(record("r1", "")))
	control := regexp.MustCompile(`<(?:input|select|textarea)\b[^>]*>`)
	id := regexp.MustCompile(`\bid="([^"]+)"`)
	for _, path := range []string{"/", "/?view=alerts", "/alerts/" + store.AlertID("a", "r1"), "/login", "/fleet", "/fleet/a", "/rules", "/exceptions", "/exceptions/new?rule=x", "/tokens", "/people", "/audit", "/settings", "/reports"} {
		page := s.get(path).body
		for _, c := range control.FindAllString(page, -1) {
			at := id.FindStringSubmatch(c)
			labelled := strings.Contains(c, "aria-label=") || strings.Contains(c, `type="hidden"`) || strings.Contains(page, `<label class="inline">`+c)
			if !labelled && (at == nil || !strings.Contains(page, `for="`+at[1]+`"`)) {
				t.Errorf("%s: %s has no label", path, c)
			}
		}
		seen := map[string]bool{}
		for _, one := range id.FindAllStringSubmatch(page, -1) {
			if seen[one[1]] {
				t.Errorf("%s: two elements are called %s", path, one[1])
			}
			seen[one[1]] = true
		}
	}
}

// post sends a form.
func (s *someone) form(path string, pairs ...string) answer {
	s.a.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return s.do("POST", path, []byte(form.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

// Each page for each role and group: who may not is told so in a page, who is
// nobody is led to the log-in, and what is of another group does not exist.
func TestPagesByRole(t *testing.T) {
	a := newAPISite(t)
	alert := a.alert("m1", "sales", "r1", lure("malicious", "zoom", "MG-1", "aa"))
	stranger := a.stranger()
	type who struct {
		*someone
		limited bool
		foreign bool
	}
	var callers []who
	for _, role := range people.Roles() {
		callers = append(callers, who{a.someone(role), false, false}, who{a.someone(role, "sales"), true, false}, who{a.someone(role, "lab"), true, true})
	}
	n := 0
	for _, rt := range a.srv.routes() {
		if !isPage(rt) || rt.access.kind == nobody || rt.path == "/logout" {
			continue
		}
		path := strings.NewReplacer("/alerts/{id}", "/alerts/"+alert, "/fleet/{uid}", "/fleet/m1", "{id}", "none").Replace(rt.path)
		got := pageCall(stranger, rt, path)
		if want := map[string]int{"GET": 303, "POST": 401}[rt.method]; got.status != want {
			t.Errorf("%s %s as nobody: %d, want %d", rt.method, rt.path, got.status, want)
		}
		for _, c := range callers {
			n++
			role := people.Role(c.user.Role)
			may := role.May(rt.access.action)
			if c.limited {
				may = role.MayWithin(rt.access.action)
			}
			got := pageCall(c.someone, rt, path)
			switch {
			case !may && got.status != 403:
				t.Errorf("%s %s as %s of %v: %d, want 403", rt.method, rt.path, role, c.user.Groups, got.status)
			case may && c.foreign && strings.ContainsAny(rt.path, "{") && got.status != 404 && !(rt.method == "POST" && got.status == 400):
				t.Errorf("%s %s as %s of another group: %d, want 404", rt.method, rt.path, role, got.status)
			case may && rt.method == "GET" && !strings.Contains(rt.path, "{") && got.status != 200 && rt.path != "/account":
				t.Errorf("%s %s as %s of %v: %d: %.300s", rt.method, rt.path, role, c.user.Groups, got.status, got.body)
			case may && !c.foreign && rt.method == "GET" && strings.Contains(rt.path, "uid}") && got.status != 200:
				t.Errorf("%s %s as %s of %v: %d", rt.method, rt.path, role, c.user.Groups, got.status)
			case got.status >= 500:
				t.Errorf("%s %s: %d", rt.method, rt.path, got.status)
			}
			if got.status >= 400 && !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
				t.Errorf("%s %s: %d is told as %s", rt.method, rt.path, got.status, got.header.Get("Content-Type"))
			}
		}
	}
	if n < 300 {
		t.Errorf("only %d calls", n)
	}
}

func pageCall(s *someone, rt route, path string) answer {
	if rt.method == http.MethodGet {
		return s.do("GET", path, nil)
	}
	return s.form(path)
}

// A page offers nothing that the person may not do.
func TestPagesOfferWhatIsAllowed(t *testing.T) {
	a := newAPISite(t)
	alert := a.alert("m1", "sales", "r1", lure("malicious", "zoom", "MG-1", "aa"))
	action := regexp.MustCompile(`(?:<form method="post" action|href)="(/[^"#?]*)`)
	for _, role := range people.Roles() {
		for _, groups := range [][]string{nil, {"sales"}} {
			s := a.someone(role, groups...)
			for _, path := range []string{"/", "/alerts/" + alert, "/fleet", "/fleet/m1", "/rules", "/exceptions", "/reports"} {
				page := s.do("GET", path, nil)
				for _, m := range action.FindAllStringSubmatch(page.body, -1) {
					method := "GET"
					if strings.HasPrefix(m[0], "<form") {
						method = "POST"
					}
					if rt, found := a.routeOf(method, m[1]); !found || rt.access.kind == human && !allowed(role, groups, rt.access.action) {
						t.Errorf("%s offers a %s of %v: %s %s", path, role, groups, method, m[1])
					}
				}
			}
		}
	}
}

func allowed(role people.Role, groups []string, action people.Action) bool {
	if groups != nil {
		return role.MayWithin(action)
	}
	return role.May(action)
}

// routeOf finds the route of a path.
func (a *apiSite) routeOf(method, path string) (route, bool) {
	for _, rt := range a.srv.routes() {
		pattern := "^" + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(rt.path, "[^/]+") + "$"
		if rt.method == method && regexp.MustCompile(pattern).MatchString(path) {
			return rt, true
		}
	}
	return route{}, false
}

// Forms do what they say, once, and are written down.
func TestFormsAct(t *testing.T) {
	a := newAPISite(t)
	alert := a.alert("m1", "sales", "r1", lure("malicious", "zoom", "MG-1", "aa"))
	a.alert("m1", "sales", "r2", lure("malicious", "zoom", "MG-1", "aa"))
	a.alert("m2", "lab", "r3", lure("malicious", "zoom", "MG-1", "aa"))
	boss, ana := a.someone(people.Admin), a.someone(people.Analyst, "sales")
	leads := func(got answer, to string) {
		t.Helper()
		if got.status != 303 || !strings.HasPrefix(got.header.Get("Location"), to) {
			t.Errorf("%d to %q, want %q: %.300s", got.status, got.header.Get("Location"), to, got.body)
		}
	}
	leads(ana.form("/alerts", "do", "close", "disposition", "false_positive", "item", "aa", "note", "fine", "filter", "status=new", "back", "/?brand=zoom"), "/?brand=zoom")
	for _, c := range []struct {
		group string
		want  string
	}{{"sales", store.StatusClosed}, {"lab", store.StatusNew}} { // ana does not see the other group
		page, err := a.store.Alerts(t.Context(), store.Everything, store.Filter{Group: c.group, Limit: 9})
		if err != nil || slices.ContainsFunc(page.Alerts, func(al store.Alert) bool { return al.Status != c.want }) {
			t.Errorf("%s: %+v %v", c.group, page.Alerts, err)
		}
	}
	leads(ana.form("/alerts/"+alert, "do", "reopen", "back", "//evil.invalid/"), "/")
	leads(ana.form("/alerts/"+alert, "do", "take"), "/alerts/"+alert)
	for _, bad := range [][]string{{"do", "x"}, {"do", "close", "disposition", "none"}, {"do", "note"}, {"do", "assign", "assignee", "nobody-here"}} {
		if got := ana.form("/alerts/"+alert, bad...); got.status != 400 {
			t.Errorf("%v: %d", bad, got.status)
		}
	}
	if got := ana.form("/alerts", "do", "take"); got.status != 400 || !strings.Contains(got.body, "Nothing is selected") {
		t.Errorf("no selection: %d %.200s", got.status, got.body)
	}
	leads(boss.form("/fleet/m1", "do", "move", "group", "finance"), "/fleet/m1")
	leads(boss.form("/fleet/m1", "do", "revoke"), "/fleet/m1")
	leads(boss.form("/fleet/m1", "do", "forget"), "/fleet")
	if got := boss.form("/tokens", "group", "sales", "note", "x", "days", "7", "uses", "3"); got.status != 200 || !strings.Contains(got.body, "meetguard enroll https://collector.invalid:8765 mgenroll_") {
		t.Errorf("token: %d %.200s", got.status, got.body)
	}
	if got := boss.form("/tokens", "group", "sales", "days", "0"); got.status != 400 || !strings.Contains(got.body, "Expires_at must be") {
		t.Errorf("token without an end: %d", got.status)
	}
	if got := boss.form("/exceptions", "do", "preview", "rule", "MG-1"); got.status != 200 || !strings.Contains(got.body, ": 3 alerts") {
		t.Errorf("preview: %d %.200s", got.status, got.body)
	}
	leads(boss.form("/exceptions", "do", "create", "rule", "MG-1", "why", "a test", "days", "30"), "/exceptions")
	made := boss.form("/people", "name", "kim", "role", "viewer", "groups", "sales, lab")
	if made.status != 200 || !strings.Contains(made.body, "First password of") {
		t.Errorf("account: %d", made.status)
	}
	kim, err := a.store.UserByName(t.Context(), "kim")
	if err != nil || !slices.Equal(kim.Groups, []string{"sales", "lab"}) {
		t.Errorf("%+v %v", kim, err)
	}
	leads(boss.form("/people/"+kim.ID, "do", "change", "role", "analyst", "groups", ""), "/people")
	leads(boss.form("/people/"+kim.ID, "do", "disable"), "/people")
	leads(boss.form("/people/"+kim.ID, "do", "delete"), "/people")
	var actions []string
	entries, err := a.store.AuditLog(t.Context(), store.AuditFilter{Limit: 100})
	for _, e := range entries {
		actions = append(actions, e.Action)
	}
	slices.Reverse(actions)
	want := "alert.triage alert.triage alert.triage agent.move agent.revoked agent.forget token.create exception.create user.create user.change user.change user.delete"
	if got := strings.Join(actions, " "); got != want || err != nil {
		t.Errorf("audit\n got %s\nwant %s (%v)", got, want, err)
	}
}

// A form acts on what its page could show: what came in meanwhile stays open.
func TestBulkLeavesWhatCameLater(t *testing.T) {
	a := newAPISite(t)
	a.alert("m1", "sales", "r1", lure("malicious", "zoom", "MG-1", "aa"))
	ana := a.someone(people.Analyst)
	page := ana.do("GET", "/", nil).body
	filter := regexp.MustCompile(`name="filter" value="([^"]*)"`).FindStringSubmatch(page)
	if filter == nil {
		t.Fatalf("no filter in %.300s", page)
	}
	a.pass(time.Minute)
	a.alert("m1", "sales", "r2", lure("malicious", "zoom", "MG-1", "aa"))
	ana.form("/alerts", "do", "close", "disposition", "testing", "item", "aa", "filter", strings.ReplaceAll(filter[1], "&amp;", "&"))
	for uid, want := range map[string]string{"r1": store.StatusClosed, "r2": store.StatusNew} {
		got, err := a.store.Alert(t.Context(), store.Everything, store.AlertID("m1", uid))
		if err != nil || got.Status != want {
			t.Errorf("%s is %s, want %s (%v)", uid, got.Status, want, err)
		}
	}
}

// Much is done by jobs, which the answer tells of.
func TestBulkBecomesJobs(t *testing.T) {
	a := newAPISite(t)
	for i := range syncLimit/100 + 1 {
		b := store.Batch{Agent: store.Agent{UID: "m1"}, ReceivedAt: a.clock()}
		if err := a.store.Admit(t.Context(), b.Agent, "sales", a.clock()); err != nil {
			t.Fatal(err)
		}
		for k := range 100 {
			b.Records = append(b.Records, ParseRecord(record(fmt.Sprintf("r%d-%d", i, k), `"unmapped":{"mg_sha256":"aa"}`)))
		}
		if _, err := a.store.Save(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	a.pass(time.Second) // a job is about what was there before it
	got := a.someone(people.Analyst).form("/alerts", "do", "take", "all", "1", "filter", "status=new")
	jobs, err := a.store.Jobs(t.Context(), 10)
	if got.status != 303 || err != nil || len(jobs) != 1 || jobs[0].Total != syncLimit+100 {
		t.Errorf("%d, %d jobs, %v: %.300s", got.status, len(jobs), err, got.body)
	}
	if flash := got.header.Get("Set-Cookie"); !strings.HasPrefix(flash, "mg-flash=job.1;") || !strings.Contains(flash, "Secure") {
		t.Errorf("flash %q", flash)
	}
}

// What a cookie says of what was done is one of our texts, or nothing.
func TestFlashSaysNothingOfItsOwn(t *testing.T) {
	s := newSite(t)
	for value, want := range map[string]string{"close.1": "1 alert is closed.", "close.7": "7 alerts are closed.", "<b>x</b>.1": "", "close.-1": "", "close.x": "", "close": "", "password.3": "The password is changed."} {
		page := s.do("GET", "/", nil, "Cookie", "mg-flash="+value)
		if shown := strings.Contains(page.body, `class="flash"`); shown != (want != "") || !strings.Contains(page.body, want) {
			t.Errorf("%s: shown %v", value, shown)
		}
	}
}

// The report as CSV holds what the page shows, and cannot run as a formula.
func TestReportCSV(t *testing.T) {
	a := newAPISite(t)
	a.alert("m1", "sales", "r1", lure("malicious", "=zoom", "MG-1", "aa"))
	week := weekText(a.clock())
	got := a.someone(people.Viewer).do("GET", "/reports/week.csv?week="+week, nil)
	for _, want := range []string{"section,name,value\r\n", "week," + week, "brand,'=zoom,1\r\n", "alerts,this week,1\r\n", "landing to alert,known,1\r\n", "trend," + week + ",1\r\n"} {
		if !strings.Contains(got.body, want) {
			t.Errorf("no %q in:\n%s", want, got.body)
		}
	}
	if got := a.someone(people.Viewer, "lab").do("GET", "/reports?group=sales", nil); got.status != 404 {
		t.Errorf("the report of another group: %d", got.status)
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
