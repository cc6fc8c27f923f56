package collect

import (
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"meetguard/internal/people"
)

const goodPassword = "correct horse battery staple"

// visitor is a browser of somebody who is not logged in.
func (a *apiSite) visitor() *someone {
	a.t.Helper()
	s := a.stranger()
	jar, err := cookiejar.New(nil)
	if err != nil {
		a.t.Fatal(err)
	}
	s.client.Jar = jar
	return s
}

// first logs in as the first account and changes its password.
func (a *apiSite) first() *someone {
	a.t.Helper()
	name, password, err := a.srv.FirstAccount(a.t.Context())
	if err != nil || name != "admin" || password == "" {
		a.t.Fatalf("%q %v", name, err)
	}
	s := a.visitor()
	s.want(200, "POST", "/v1/login", map[string]any{"name": name, "password": password}, nil)
	s.want(204, "POST", "/v1/me/password", map[string]any{"old": password, "new": goodPassword}, nil)
	return s
}

func TestFirstLogin(t *testing.T) {
	a := newAPISite(t)
	name, password, err := a.srv.FirstAccount(t.Context())
	if err != nil || name != "admin" || len(password) < 20 {
		t.Fatalf("%q, %d letters, %v", name, len(password), err)
	}
	if _, again, err := a.srv.FirstAccount(t.Context()); again != "" || err != nil {
		t.Errorf("a second first account: %v", err)
	}
	s := a.visitor()
	var in loginResponse
	res := s.want(200, "POST", "/v1/login", map[string]any{"name": name, "password": password}, &in)
	if in.State != loginDone || !in.User.MustChange {
		t.Errorf("%+v", in)
	}
	for _, c := range res.header.Values("Set-Cookie") {
		if !strings.HasPrefix(c, "__Host-") || !strings.Contains(c, "; HttpOnly; Secure; SameSite=Strict") {
			t.Errorf("cookie %s", c)
		}
	}
	s.want(403, "GET", "/v1/alerts", nil, nil)
	s.want(403, "GET", "/v1/users", nil, nil)
	s.want(403, "POST", "/v1/me/tokens", map[string]any{"note": "x", "expires_at": a.clock().Add(time.Hour)}, nil)
	var me meResponse
	s.want(200, "GET", "/v1/me", nil, &me)
	s.want(403, "POST", "/v1/me/password", map[string]any{"old": "wrong", "new": goodPassword}, nil)
	for _, bad := range []string{"short", password, "admin admin admin", "", strings.Repeat("x", 300)} {
		s.want(400, "POST", "/v1/me/password", map[string]any{"old": password, "new": bad}, nil)
	}
	s.want(204, "POST", "/v1/me/password", map[string]any{"old": password, "new": goodPassword}, nil)
	s.want(200, "GET", "/v1/users", nil, nil)
	other := a.visitor()
	other.want(401, "POST", "/v1/login", map[string]any{"name": name, "password": password}, nil)
	other.want(200, "POST", "/v1/login", map[string]any{"name": name, "password": goodPassword}, nil)
	if containsAny(a.log.String(), password, goodPassword) {
		t.Error("a password was logged")
	}
}

func TestLogInIsSlowedDown(t *testing.T) {
	a := newAPISite(t)
	s := a.first()
	guess := a.visitor()
	limited := 0
	for range 10 {
		got := guess.do("POST", "/v1/login", map[string]any{"name": "admin", "password": "a wrong password"})
		if got.status == http.StatusTooManyRequests {
			limited++
			if got.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
	}
	if limited == 0 {
		t.Error("ten wrong passwords at once")
	}
	guess.want(429, "POST", "/v1/login", map[string]any{"name": "admin", "password": goodPassword}, nil)
	s.want(204, "POST", "/v1/logout", nil, nil) // the owner's device is known
	s.want(401, "GET", "/v1/me", nil, nil)
	s.want(200, "POST", "/v1/login", map[string]any{"name": "admin", "password": goodPassword}, nil)
	a.pass(24 * time.Hour)
	guess.want(401, "POST", "/v1/login", map[string]any{"name": "nobody", "password": goodPassword}, nil)
	guess.want(401, "POST", "/v1/login", map[string]any{"name": "  ", "password": goodPassword}, nil)
	var log auditResponse
	guess.want(200, "POST", "/v1/login", map[string]any{"name": "admin", "password": goodPassword}, nil)
	guess.want(200, "GET", "/v1/audit?action=login.failed", nil, &log)
	if len(log.Entries) < 3 || log.Entries[0].Target != "?" {
		t.Errorf("%+v", log)
	}
}

func TestOneTimeCodes(t *testing.T) {
	a := newAPISite(t)
	s := a.first()
	s.want(403, "POST", "/v1/me/totp", map[string]any{"password": "wrong"}, nil)
	var begun totpResponse
	s.want(200, "POST", "/v1/me/totp", map[string]any{"password": goodPassword}, &begun)
	if !strings.HasPrefix(begun.URI, "otpauth://totp/meetguard:admin?") {
		t.Error(begun.URI)
	}
	var carried struct {
		Secret []byte `json:"secret"`
	}
	if err := a.srv.sealer.OpenTicket(ticketTOTP, begun.Ticket, a.clock(), &carried); err != nil {
		t.Fatal(err)
	}
	code := func() string { return people.TOTPCode(carried.Secret, people.TOTPStep(a.clock())) }
	s.want(400, "POST", "/v1/me/totp/confirm", map[string]any{"ticket": begun.Ticket, "code": "000"}, nil)
	s.want(401, "POST", "/v1/me/totp/confirm", map[string]any{"ticket": begun.Ticket[1:], "code": code()}, nil)
	var recovery recoveryResponse
	used := code()
	s.want(200, "POST", "/v1/me/totp/confirm", map[string]any{"ticket": begun.Ticket, "code": used}, &recovery)
	s.want(409, "POST", "/v1/me/totp", map[string]any{"password": goodPassword}, nil)

	login := map[string]any{"name": "admin", "password": goodPassword}
	v := a.visitor()
	var in loginResponse
	v.want(200, "POST", "/v1/login", login, &in)
	if in.State != loginTOTP || in.User != nil {
		t.Fatalf("%+v", in)
	}
	v.want(401, "GET", "/v1/me", nil, nil)
	v.want(401, "POST", "/v1/login/totp", map[string]any{"ticket": in.Ticket, "code": used}, nil) // once only
	v.want(401, "POST", "/v1/login/totp", map[string]any{"ticket": begun.Ticket, "code": used}, nil)
	a.pass(31 * time.Second)
	v.want(200, "POST", "/v1/login/totp", map[string]any{"ticket": in.Ticket, "code": code()}, nil)
	v.want(200, "GET", "/v1/me", nil, nil)

	a.pass(time.Minute)
	login["code"] = code()
	a.visitor().want(200, "POST", "/v1/login", login, nil) // in one step
	a.visitor().want(401, "POST", "/v1/login", login, nil)
	delete(login, "code")
	w := a.visitor()
	w.want(200, "POST", "/v1/login", login, &in)
	w.want(200, "POST", "/v1/login/totp", map[string]any{"ticket": in.Ticket, "code": strings.ToUpper(recovery.Codes[3])}, nil)
	w.want(200, "POST", "/v1/login", login, &in)
	w.want(401, "POST", "/v1/login/totp", map[string]any{"ticket": in.Ticket, "code": recovery.Codes[3]}, nil)
	a.pass(ticketLife)
	w.want(401, "POST", "/v1/login/totp", map[string]any{"ticket": in.Ticket, "code": recovery.Codes[4]}, nil)
	s.want(204, "POST", "/v1/me/totp/remove", map[string]any{"password": goodPassword}, nil)
	a.visitor().want(200, "POST", "/v1/login", login, &in)
	if in.State != loginDone {
		t.Errorf("%+v", in)
	}
}

func TestSessionsEnd(t *testing.T) {
	a := newAPISite(t)
	s := a.first()
	var all sessionsResponse
	s.want(200, "GET", "/v1/me/sessions", nil, &all)
	if len(all.Sessions) != 1 {
		t.Fatalf("%+v", all)
	}
	var token apiTokenResponse
	s.want(201, "POST", "/v1/me/tokens", map[string]any{"note": "script", "expires_at": a.clock().Add(100 * time.Hour)}, &token)
	s.want(400, "POST", "/v1/me/tokens", map[string]any{"note": "", "expires_at": a.clock().Add(time.Hour)}, nil)
	script := a.stranger()
	script.header.Set("Authorization", "Bearer "+token.Secret)
	script.want(200, "GET", "/v1/users", nil, nil)
	script.want(403, "POST", "/v1/me/password", map[string]any{"old": goodPassword, "new": goodPassword + "2"}, nil)
	script.want(403, "POST", "/v1/me/tokens", map[string]any{"note": "more", "expires_at": a.clock().Add(time.Hour)}, nil)
	a.pass(7 * time.Hour)
	s.want(200, "GET", "/v1/me", nil, nil)
	a.pass(7 * time.Hour)
	s.want(200, "GET", "/v1/me", nil, nil)
	a.pass(9 * time.Hour) // idle
	s.want(401, "GET", "/v1/me", nil, nil)
	script.want(200, "GET", "/v1/me", nil, nil)
	s.want(200, "POST", "/v1/login", map[string]any{"name": "admin", "password": goodPassword}, nil)
	s.want(204, "DELETE", "/v1/me/sessions/"+token.Hash, nil, nil)
	s.want(404, "DELETE", "/v1/me/sessions/"+token.Hash, nil, nil)
	script.want(401, "GET", "/v1/me", nil, nil)
	for _, header := range []string{"Bearer mgt_", "Bearer x", "Basic YTpi", "Bearer " + all.Sessions[0].Hash, "mgt_"} {
		script.header.Set("Authorization", header)
		script.want(401, "GET", "/v1/me", nil, nil)
	}
}

func TestAccounts(t *testing.T) {
	a := newAPISite(t)
	s := a.first()
	var made newUserResponse
	s.want(201, "POST", "/v1/users", map[string]any{"name": "mia", "role": "analyst", "groups": []string{"sales"}}, &made)
	s.want(409, "POST", "/v1/users", map[string]any{"name": "mia", "role": "viewer"}, nil)
	for _, bad := range []map[string]any{{"name": "Mia", "role": "viewer"}, {"name": "", "role": "viewer"}, {"name": "x", "role": "root"}, {"name": "x", "role": "viewer", "groups": []string{""}}, {"name": "x y", "role": "viewer"}} {
		s.want(400, "POST", "/v1/users", bad, nil)
	}
	mia := a.visitor()
	mia.want(200, "POST", "/v1/login", map[string]any{"name": "mia", "password": made.Password}, nil)
	mia.want(204, "POST", "/v1/me/password", map[string]any{"old": made.Password, "new": goodPassword}, nil)
	mia.want(200, "GET", "/v1/alerts", nil, nil)
	mia.want(403, "GET", "/v1/users", nil, nil)
	path := "/v1/users/" + made.ID
	var u userView
	s.want(200, "PATCH", path, map[string]any{"role": "viewer"}, &u)
	if u.Role != "viewer" || len(u.Groups) != 1 {
		t.Errorf("%+v", u)
	}
	mia.want(403, "POST", "/v1/exceptions/preview", map[string]any{"rule": "x"}, nil) // at once
	var sessions sessionsResponse
	s.want(200, "GET", path+"/sessions", nil, &sessions)
	s.want(204, "DELETE", path+"/sessions/"+sessions.Sessions[0].Hash, nil, nil)
	s.want(404, "DELETE", path+"/sessions/"+sessions.Sessions[0].Hash, nil, nil)
	mia.want(401, "GET", "/v1/me", nil, nil)
	mia.want(200, "POST", "/v1/login", map[string]any{"name": "mia", "password": goodPassword}, nil)
	s.want(200, "PATCH", path, map[string]any{"disabled": true}, nil)
	mia.want(401, "GET", "/v1/me", nil, nil)
	mia.want(401, "POST", "/v1/login", map[string]any{"name": "mia", "password": goodPassword}, nil)
	s.want(200, "PATCH", path, map[string]any{"disabled": false}, nil)
	s.want(200, "POST", path+"/reset", nil, &made)
	mia.want(200, "POST", "/v1/login", map[string]any{"name": "mia", "password": made.Password}, nil)
	var ended endedResponse
	s.want(200, "DELETE", path+"/sessions", nil, &ended)
	if ended.Ended != 1 {
		t.Errorf("%+v", ended)
	}
	s.want(204, "DELETE", path, nil, nil)
	s.want(404, "GET", path, nil, nil)

	var me meResponse
	s.want(200, "GET", "/v1/me", nil, &me)
	own := "/v1/users/" + me.User.ID
	s.want(409, "DELETE", own, nil, nil) // the last one
	s.want(409, "PATCH", own, map[string]any{"disabled": true}, nil)
	s.want(409, "PATCH", own, map[string]any{"role": "viewer"}, nil)
	s.want(409, "PATCH", own, map[string]any{"groups": []string{"sales"}}, nil)
}

// An unused collector is open on loopback, and closes for good at the first log-in.
func TestOpenClosesAtLogIn(t *testing.T) {
	s := newSite(t)
	if a := s.get("/v1/users"); a.status != 200 {
		t.Fatalf("open: %d", a.status)
	}
	a := s.do("POST", "/v1/login", []byte(`{"name":"admin","password":"x"}`), "Content-Type", "application/json")
	wantProblem(t, a, 403) // not in the clear
	for _, path := range []string{"/v1/me/password", "/v1/me/tokens", "/v1/me/totp"} {
		wantProblem(t, s.do("POST", path, []byte(`{}`), "Content-Type", "application/json"), 403)
	}
	if err := s.srv.closeOpen(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, s.get("/v1/users"), 403)
	wantProblem(t, s.post(envelope("a")), 403)
	if a := s.get("/healthz"); a.status != 200 {
		t.Errorf("/healthz: %d", a.status)
	}
	again, err := NewServer(Config{Store: s.store, Secret: make([]byte, secretSize), Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	if is, err := again.unused(t.Context()); is || err != nil {
		t.Errorf("open again after a restart: %v", err)
	}
}

func TestRateLimits(t *testing.T) {
	a := newAPISite(t, func(c *Config) { c.Limits.Person = Rate{1, 5}; c.Limits.Address = Rate{1, 5} })
	v, w := a.someone(people.Viewer), a.someone(people.Viewer)
	statuses := map[int]int{}
	for range 10 {
		statuses[v.do("GET", "/v1/me", nil).status]++
	}
	if statuses[200] != 5 || statuses[429] != 5 {
		t.Errorf("%v", statuses)
	}
	w.want(200, "GET", "/v1/me", nil, nil)
	nobody := a.stranger()
	for range 5 {
		nobody.want(401, "GET", "/v1/me", nil, nil)
	}
	if got := nobody.do("GET", "/v1/me", nil); got.status != 429 || got.header.Get("Retry-After") != "1" {
		t.Errorf("%d", got.status)
	}
	w.want(200, "GET", "/v1/me", nil, nil)
	a.pass(3 * time.Second)
	v.want(200, "GET", "/v1/me", nil, nil)
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{"Mia Wu": "mia-wu", "_x": "x", "": "person", "Ünal": "nal", "a@b.example": "a@b.example", strings.Repeat("é", 100): "person"} {
		if got := accountName(in); want != got || !validName(got) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if validGroup("") || validGroup("a\u202eb") || !validGroup("Sales EMEA/2") {
		t.Error("groups")
	}
}
