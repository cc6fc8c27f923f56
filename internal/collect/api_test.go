package collect

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

func TestTriage(t *testing.T) {
	a := newAPISite(t)
	id := a.alert("a1", "sales", "r1", lure("malicious", "zoom", "MG-1", "aa"))
	other := a.alert("a2", "lab", "r1", lure("malicious", "zoom", "MG-1", "aa"))
	ana := a.someone(people.Analyst, "sales")
	var got store.Alert
	ana.want(200, "POST", "/v1/alerts/"+id+"/triage", map[string]any{"status": "in_progress", "assignee": ana.user.Name}, &got)
	if got.Status != store.StatusInProgress || got.Assignee != ana.user.Name || got.Record == nil {
		t.Errorf("%+v", got)
	}
	ana.want(200, "POST", "/v1/alerts/"+id+"/notes", map[string]any{"note": "Asked the user.\nHe did not run it."}, nil)
	ana.want(200, "POST", "/v1/alerts/"+id+"/triage", map[string]any{"status": "closed", "disposition": "true_positive"}, &got)
	if got.Disposition != store.TruePositive || got.ClosedAt.IsZero() {
		t.Errorf("%+v", got)
	}
	got = store.Alert{} // what is absent in an answer would stay
	ana.want(200, "POST", "/v1/alerts/"+id+"/triage", map[string]any{"status": "new"}, &got)
	if got.Disposition != "" || !got.ClosedAt.IsZero() {
		t.Errorf("reopened: %+v", got)
	}
	var events historyResponse
	ana.want(200, "GET", "/v1/alerts/"+id+"/history", nil, &events)
	if len(events.Events) != 4 || events.Events[0].Who != ana.user.Name {
		t.Errorf("%+v", events)
	}
	for _, path := range []string{"", "/history", "/similar", "/prevalence"} {
		ana.want(404, "GET", "/v1/alerts/"+other+path, nil, nil)
	}
	ana.want(404, "POST", "/v1/alerts/"+other+"/triage", map[string]any{"status": "new"}, nil)
	var similar similarResponse
	a.someone(people.Viewer).want(200, "GET", "/v1/alerts/"+id+"/similar", nil, &similar)
	if len(similar.Alerts) != 1 || similar.Alerts[0].ID != other {
		t.Errorf("similar: %+v", similar)
	}
	for body, why := range map[string]string{
		`{}`: "nothing", `{"status":"suppressed"}`: "by hand", `{"status":"closed"}`: "as nothing", `{"disposition":"testing"}`: "not closed",
		`{"assignee":"nobody-like-this"}`: "no account", `{"assignee":"No Such"}`: "no name", `{"note":"\u202e"}`: "forged", `{"status":1}`: "type", `{"state":"new"}`: "key",
		`{"status":"new"} {}`: "two", `[]`: "list", ``: "empty", `{"status":"closed","disposition":"maybe"}`: "word",
	} {
		if got := ana.do("POST", "/v1/alerts/"+id+"/triage", []byte(body)); got.status != 400 {
			t.Errorf("%s: %d", why, got.status)
		}
	}
	var audit auditResponse
	a.someone(people.Admin).want(200, "GET", "/v1/audit?action=alert.&who="+ana.user.Name, nil, &audit)
	if len(audit.Entries) != 4 || audit.Entries[0].Target != id {
		t.Errorf("%+v", audit)
	}
}

func TestFindingsAndCounts(t *testing.T) {
	a := newAPISite(t)
	a.alert("a1", "sales", "r1", lure("malicious", "zoom", "MG-1", "aa"))
	a.alert("a2", "lab", "r2", lure("malicious", "zoom", "MG-1", "aa"))
	a.alert("a2", "lab", "r3", lure("suspicious", "webex", "MG-2", "bb"))
	v := a.someone(people.Viewer)
	var f findingsResponse
	v.want(200, "GET", "/v1/findings", nil, &f)
	if len(f.Findings) != 2 || f.Findings[0].Alerts != 2 || f.Findings[0].Agents != 2 {
		t.Errorf("%+v", f)
	}
	a.someone(people.Viewer, "sales").want(200, "GET", "/v1/findings?status=new,in_progress&min_score=1", nil, &f)
	if len(f.Findings) != 1 || f.Findings[0].Alerts != 1 {
		t.Errorf("of one group: %+v", f)
	}
	var c countsResponse
	v.want(200, "GET", "/v1/counts?column=brand", nil, &c)
	if len(c.Counts) != 2 || c.Counts[0] != (store.Count{Value: "zoom", N: 2}) {
		t.Errorf("%+v", c)
	}
	var p store.Prevalence
	v.want(200, "GET", "/v1/alerts/"+store.AlertID("a1", "r1")+"/prevalence", nil, &p)
	if p.Agents != 2 {
		t.Errorf("%+v", p)
	}
	var r rulesResponse
	v.want(200, "GET", "/v1/rules", nil, &r)
	if len(r.Rules) != 2 {
		t.Errorf("%+v", r)
	}
	for _, bad := range []string{"/v1/counts", "/v1/counts?column=path", "/v1/rules?limit=1", "/v1/findings?status=old", "/v1/alerts?text=%00", "/v1/alerts?brand=%ff", "/v1/alerts?min_score=101"} {
		v.want(400, "GET", bad, nil, nil)
	}
}

func TestFleetOfOneGroup(t *testing.T) {
	a := newAPISite(t)
	d := a.enrolled() // in the group "sales"
	a.alert("other", "lab", "r1", lure("malicious", "zoom", "MG-1", "aa"))
	admin, of := a.someone(people.FleetAdmin), a.someone(people.FleetAdmin, "sales", "ops")
	path := "/v1/agents/" + d.uid
	var got agentView
	of.want(200, "GET", path, nil, &got)
	if got.Group != "sales" || got.State != store.AgentActive {
		t.Errorf("%+v", got)
	}
	var list agentsResponse
	of.want(200, "GET", "/v1/agents", nil, &list)
	if len(list.Agents) != 1 {
		t.Errorf("%+v", list)
	}
	of.want(404, "GET", "/v1/agents/other", nil, nil)
	of.want(404, "POST", "/v1/agents/other/suspend", nil, nil)
	of.want(404, "POST", path+"/move", map[string]any{"group": "lab"}, nil)
	of.want(400, "POST", path+"/move", map[string]any{"group": " "}, nil)
	of.want(200, "POST", path+"/move", map[string]any{"group": "ops"}, &got)
	of.want(200, "POST", path+"/suspend", nil, &got)
	d.want(403, "suspended", "/v1/agent/batch", batch(nil))
	of.want(200, "POST", path+"/suspend", nil, nil) // again
	of.want(200, "POST", path+"/restore", nil, &got)
	d.want(200, "", "/v1/agent/batch", batch(nil))
	of.want(409, "DELETE", path, nil, nil)
	of.want(200, "POST", path+"/revoke", nil, &got)
	d.want(401, "enroll_again", "/v1/agent/batch", batch(nil))
	of.want(409, "POST", path+"/restore", nil, nil)
	of.want(204, "DELETE", path, nil, nil)
	of.want(404, "GET", path, nil, nil)
	var fleet store.FleetCounts
	admin.want(200, "GET", "/v1/fleet", nil, &fleet)
	if fleet.Agents != 1 {
		t.Errorf("%+v", fleet)
	}
	admin.want(200, "GET", "/v1/groups", nil, nil)
	admin.want(200, "GET", "/v1/deadletters", nil, nil)
}

func TestEnrolmentTokens(t *testing.T) {
	a := newAPISite(t)
	of := a.someone(people.FleetAdmin, "sales")
	of.want(404, "POST", "/v1/tokens", map[string]any{"group": "lab"}, nil)
	of.want(404, "POST", "/v1/tokens", map[string]any{}, nil) // the group "default"
	var token tokenResponse
	of.want(201, "POST", "/v1/tokens", map[string]any{"group": "sales", "note": "laptops", "max_uses": 1}, &token)
	d := a.newDevice()
	secret := token.Secret[len("mgenroll_") : len("mgenroll_")+32]
	if status, text := d.enrol(secret); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	if want := "meetguard enroll https://collector.invalid:8765 " + token.Secret; token.Line != want {
		t.Errorf("%s, want %s", token.Line, want)
	}
	var list tokensResponse
	res := of.want(200, "GET", "/v1/tokens", nil, &list)
	if len(list.Tokens) != 1 || list.Tokens[0].Uses != 1 || containsAny(res.body, secret) {
		t.Errorf("%s", res.body)
	}
	of.want(204, "DELETE", "/v1/tokens/"+token.ID, nil, nil)
	a.someone(people.FleetAdmin, "lab").want(404, "DELETE", "/v1/tokens/"+token.ID, nil, nil)
	for _, body := range []map[string]any{{"group": "sales", "max_uses": -1}, {"group": "sales", "expires_at": a.clock().Add(-time.Hour)}, {"group": "sales", "expires_at": a.clock().AddDate(2, 0, 0)}, {"group": "a;b"}, {"group": "sales", "note": "a\nb"}} {
		of.want(400, "POST", "/v1/tokens", body, nil)
	}
	if containsAny(a.log.String(), secret) {
		t.Error("the secret was logged")
	}
}

func TestExceptions(t *testing.T) {
	a := newAPISite(t)
	a.alert("a1", "sales", "r1", lure("malicious", "zoom", "MG-1", "aa"))
	a.alert("a2", "lab", "r2", lure("malicious", "zoom", "MG-1", "aa"))
	ana := a.someone(people.Analyst, "sales")
	ask := map[string]any{"group": "sales", "rule": "MG-1"}
	var preview previewResponse
	ana.want(200, "POST", "/v1/exceptions/preview", ask, &preview)
	if preview.Hidden != 1 || len(preview.Alerts) != 1 {
		t.Errorf("%+v", preview)
	}
	ana.want(400, "POST", "/v1/exceptions", ask, nil) // no why, no end
	ask["why"], ask["expires_at"] = "our own test lure", a.clock().Add(time.Hour)
	var e store.Exception
	ana.want(201, "POST", "/v1/exceptions", ask, &e)
	id := a.alert("a1", "sales", "r3", lure("malicious", "zoom", "MG-1", "cc"))
	var hidden store.Alert
	ana.want(200, "GET", "/v1/alerts/"+id, nil, &hidden)
	if hidden.Status != store.StatusSuppressed || hidden.Exception != e.ID {
		t.Errorf("%+v", hidden)
	}
	a.someone(people.Analyst, "lab").want(404, "GET", "/v1/exceptions/"+e.ID, nil, nil)
	a.someone(people.Analyst, "lab").want(404, "POST", "/v1/exceptions/"+e.ID+"/end", nil, nil)
	ana.want(200, "POST", "/v1/exceptions/"+e.ID+"/end", nil, &e)
	ana.want(200, "POST", "/v1/exceptions/"+e.ID+"/end", nil, &e)
	if e.EndedBy != ana.user.Name {
		t.Errorf("%+v", e)
	}
	ask["group"] = ""
	ana.want(403, "POST", "/v1/exceptions", ask, nil)
	ask["group"] = "lab"
	ana.want(404, "POST", "/v1/exceptions", ask, nil)
	delete(ask, "rule")
	ask["group"] = "sales"
	ana.want(400, "POST", "/v1/exceptions", ask, nil)
	var all exceptionsResponse
	ana.want(200, "GET", "/v1/exceptions", nil, &all)
	if len(all.Exceptions) != 1 {
		t.Errorf("%+v", all)
	}
}

func TestReport(t *testing.T) {
	a := newAPISite(t)
	a.alert("a1", "sales", "r1", lure("malicious", "zoom", "MG-1", "aa"))
	a.alert("a2", "lab", "r2", lure("suspicious", "webex", "MG-2", "bb"))
	week := weekText(a.clock().UTC())
	var rep report
	a.someone(people.Viewer).want(200, "GET", "/v1/report?week="+week, nil, &rep)
	if rep.Alerts != 2 || rep.Delay.Known != 2 || len(rep.ByBrand) != 2 || rep.Week != week || len(rep.Care) == 0 {
		t.Errorf("%+v", rep)
	}
	a.someone(people.Viewer, "lab").want(200, "GET", "/v1/report?group=lab&week="+week, nil, &rep)
	if rep.Alerts != 1 || rep.Group != "lab" {
		t.Errorf("%+v", rep)
	}
	a.someone(people.Viewer, "lab").want(404, "GET", "/v1/report?group=sales", nil, nil)
	a.someone(people.Viewer).want(200, "GET", "/v1/report", nil, &rep)
	if rep.Alerts != 0 {
		t.Errorf("the week before: %+v", rep)
	}
	for _, bad := range []string{"2026-W00", "2026-W54", "2026-47", "2025-W53", "x"} {
		a.someone(people.Viewer).want(400, "GET", "/v1/report?week="+url.QueryEscape(bad), nil, nil)
	}
}

func TestWeeks(t *testing.T) {
	for text, want := range map[string]string{"2026-W01": "2025-12-29", "2020-W53": "2020-12-28", "2026-W47": "2026-11-16"} {
		got, ok := parseWeek(text)
		if !ok || got.Format(time.DateOnly) != want || weekText(got) != text {
			t.Errorf("%s: %v %v", text, got, ok)
		}
	}
	for _, all := range [][]time.Duration{{time.Second}, {3 * time.Second, time.Second, 2 * time.Second}} {
		if d := delayOf(all); d.Known != len(all) || d.P90 != float64(len(all)) {
			t.Errorf("%+v", d)
		}
	}
}

func TestSettingsAndExits(t *testing.T) {
	a := newAPISite(t)
	admin := a.someone(people.Admin)
	if err := a.store.SetCursor(t.Context(), store.Cursor{Name: "siem", Seq: 0, UpdatedAt: a.clock(), Error: "away", FailedAt: a.clock()}); err != nil {
		t.Fatal(err)
	}
	a.alert("a1", "sales", "r1", lure("malicious", "zoom", "MG-1", "aa"))
	var exits exitsResponse
	admin.want(200, "GET", "/v1/exits", nil, &exits)
	if len(exits.Exits) != 1 || exits.Exits[0].Lag != 1 {
		t.Errorf("%+v", exits)
	}
	var set settingsResponse
	admin.want(200, "GET", "/v1/settings", nil, &set)
	if set.Engine != "sqlite" || !set.Open || set.OIDC || set.Pin != a.ca.Pin() {
		t.Errorf("%+v", set)
	}
	admin.want(404, "GET", "/v1/oidc/start", nil, nil)
	admin.want(404, "GET", "/v1/oidc/callback?state=x&code=y", nil, nil)
}

// Requests of other sites are refused, whatever they show.
func TestCrossSite(t *testing.T) {
	a := newAPISite(t)
	admin := a.someone(people.Admin)
	for _, rt := range a.srv.routes() {
		if rt.method == http.MethodGet {
			continue
		}
		for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.invalid"}, {"Origin", "null"}} {
			if got := admin.do(rt.method, fillPath("x", rt.path), map[string]any{}, header...); got.status != 403 {
				t.Errorf("%s %s from %v: %d", rt.method, rt.path, header, got.status)
			}
		}
	}
}
