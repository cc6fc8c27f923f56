package collect

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// badBodies are bodies that no route of people takes.
func badBodies() map[string]string {
	return map[string]string{
		"empty":        ``,
		"null":         `null`,
		"list":         `[]`,
		"text":         `"x"`,
		"number":       `1`,
		"open":         `{`,
		"two":          `{} {}`,
		"unknown key":  `{"nobody_knows_this":1}`,
		"not UTF-8":    "{\"note\":\"\xff\"}",
		"deep":         strings.Repeat(`{"triage":`, 5000) + `1` + strings.Repeat(`}`, 5000),
		"deep list":    `{"ids":` + strings.Repeat(`[`, 7000) + strings.Repeat(`]`, 7000) + `}`,
		"wrong types":  `{"note":1,"name":[],"role":{},"group":false,"ids":"x","status":7,"code":{},"old":[],"password":1,"ticket":2,"rule":3,"max_uses":"4","kind":5,"groups":6,"disabled":"7"}`,
		"big number":   `{"max_uses":1e999}`,
		"long text":    `{"note":"` + strings.Repeat("x", smallBody-100) + `"}`,
		"bad time":     `{"expires_at":"tomorrow"}`,
		"time of 9999": `{"note":"x","why":"x","rule":"x","group":"sales","expires_at":"9999-12-31T23:59:59Z"}`,
		"controls":     `{"note":"\u0000","name":"\u202e","group":"\u0000","rule":"\u0000","kind":"\u0000","filter":"\u0000"}`,
	}
}

// badIDs are parts of a path that name nothing.
var badIDs = []string{"%00", "..%2f..", "%ff%fe", "%27%20OR%201=1", "%e2%80%ae", "%20", strings.Repeat("a", 4000), "null", "%25"}

// badQueries are queries that no route takes.
var badQueries = []string{
	"unknown=1", "%zz", "limit=1&limit=2", "limit=0", "limit=x", "limit=999999999999999999999", "cursor=%00", "cursor=%20", "level=%00", "since=x",
	"text=%00", "text=%ff", "brand=" + strings.Repeat("x", 300), "week=%00", "column=x", "format=x", "state=x", "silent=maybe", "min_score=-1", ";",
	"since=0001-01-01T00:00:00Z", "group=%e2%80%ae", "who=%00", "action=%00",
}

// Whatever is sent: an answer of 4xx in the form of a problem, or, where it means
// nothing wrong to that route, a good one. Never 5xx; the contract checks the rest.
func TestMalformed(t *testing.T) {
	a := newAPISite(t)
	a.alert("a1", "sales", "r1", lure("malicious", "zoom", "MG-1", "aa"))
	admin := a.someone(people.Admin)
	n := 0
	try := func(want4xx bool, method, path string, body any, header ...string) {
		t.Helper()
		got := admin.do(method, path, body, header...)
		n++
		if got.status >= 500 || want4xx && (got.status < 400 || got.header.Get("Content-Type") != "application/problem+json") {
			t.Errorf("%s %.100s %.60v: %d %s", method, path, body, got.status, got.header.Get("Content-Type"))
		}
	}
	for _, rt := range a.srv.routes() {
		if rt.access.kind != human || !strings.HasPrefix(rt.path, "/v1/") || rt.path == "/v1/events" || rt.path == "/v1/logout" {
			continue
		}
		path := fillPath("x", rt.path)
		if rt.body > 0 {
			for _, body := range badBodies() {
				try(true, rt.method, path, []byte(body))
			}
			try(true, rt.method, path, []byte(`{}`), "Content-Type", "text/plain")
			try(true, rt.method, path, []byte(`{}`), "Content-Encoding", "gzip")
			try(true, rt.method, path, []byte(`{"note":"`+strings.Repeat("x", int(rt.body))+`"}`))
		} else {
			try(true, rt.method, path, []byte(`{}`))
		}
		try(true, rt.method, path+"?unknown=1", bodyFor(rt))
		if rt.method == http.MethodGet {
			for _, q := range badQueries {
				try(true, rt.method, path+"?"+q, nil)
			}
		}
		if strings.Contains(rt.path, "{") {
			for _, id := range badIDs {
				try(true, rt.method, fillPath(id, rt.path), bodyFor(rt))
			}
		}
		try(true, "TRACE", path, nil)
		try(true, "PUT", path, []byte(`{}`))
	}
	if n < 1000 {
		t.Errorf("only %d requests", n)
	}
	if strings.Contains(a.log.String(), "panicked") || strings.Contains(a.log.String(), "not answered") {
		t.Errorf("faults: %.2000s", a.log)
	}
}

func bodyFor(rt route) any {
	if rt.body == 0 {
		return nil
	}
	return map[string]any{}
}

// A panic of a handler is one answer and one line of the log, without what the
// panic carried breaking out of it.
func TestPanicIsAnAnswer(t *testing.T) {
	s := newSite(t)
	h := s.srv.guard(route{"GET", "/healthz", public(), 0, func(http.ResponseWriter, *http.Request) { panic("x\nforged line") }})
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://localhost/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &memoryAnswer{header: http.Header{}}
	h.ServeHTTP(w, r)
	if w.status != 500 || strings.Contains(s.log.String(), "\nforged") || !strings.Contains(s.log.String(), "panicked") {
		t.Errorf("%d %s", w.status, s.log)
	}
}

func FuzzQuery(f *testing.F) {
	for _, q := range badQueries {
		f.Add(q)
	}
	f.Add("level=malicious,clean&status=new&limit=5&cursor=a&since=2026-01-01T00:00:00Z&text=x")
	s := &Server{now: time.Now}
	f.Fuzz(func(t *testing.T, raw string) {
		filter, err := parseFilter(raw)
		wantRefusal(t, err)
		if err == nil && (filter.Limit < 1 || filter.Limit > maxLimit || filter.Before < 0 || !isPlain(filter.Text+filter.Brand, 2*maxQuery)) {
			t.Errorf("%+v", filter)
		}
		_, err = s.agentFilter(raw)
		wantRefusal(t, err)
		since, group, err := s.reportQuery(raw)
		wantRefusal(t, err)
		if err == nil && (since.Weekday() != time.Monday || !isPlain(group, maxQuery)) {
			t.Errorf("%v %q", since, group)
		}
	})
}

func wantRefusal(t *testing.T, err error) {
	t.Helper()
	var refused *refusal
	if err != nil && (!errors.As(err, &refused) || refused.status != 400 || strings.ContainsFunc(err.Error(), deceptive)) {
		t.Errorf("%v", err)
	}
}

func FuzzBody(f *testing.F) {
	for _, body := range badBodies() {
		f.Add([]byte(body))
	}
	f.Add([]byte(`{"status":"closed","disposition":"testing","note":"x"}`))
	f.Add([]byte(`{"group":"sales","max_uses":3,"expires_at":"2026-12-01T00:00:00Z"}`))
	f.Add([]byte(`{"kind":"agents.move","ids":["a"],"group":"x"}`))
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	s := &Server{now: func() time.Time { return now }}
	r := (&http.Request{URL: &url.URL{}}).WithContext(f.Context())
	r = withCaller(r, caller{Kind: open, Scope: store.Everything, Name: "local"})
	f.Fuzz(func(t *testing.T, body []byte) {
		var triage triageRequest
		if decodeStrict(body, &triage) == nil && triage.Assignee == nil {
			if c, err := s.change(r, triage); err == nil && !isProse(c.Note, maxNote) {
				t.Errorf("%+v", c)
			}
		}
		var token tokenRequest
		if decodeStrict(body, &token) == nil && token.check(now) == nil && (!token.ExpiresAt.After(now) || !isPlain(token.Note, maxLabel)) {
			t.Errorf("%+v", token)
		}
		var e exceptionRequest
		if decodeStrict(body, &e) == nil {
			if got, err := s.exception(r, e); err == nil && (got.Conditions() == 0 || got.Group != "" && !validGroup(got.Group)) {
				t.Errorf("%+v", got)
			}
		}
		var j jobRequest
		if decodeStrict(body, &j) == nil && (j.Triage == nil || j.Triage.Assignee == nil) {
			if p, err := s.jobParams(r, j); err == nil && (len(p.IDs) > maxIDs || len(p.IDs) == 0 && p.Filter == nil) {
				t.Errorf("%+v", p)
			}
		}
		var u userRequest
		if decodeStrict(body, &u) == nil && checkRights(u.Role, u.Groups) == nil && people.Role(u.Role).May(people.AlertRead) == false {
			t.Errorf("%+v", u)
		}
	})
}
