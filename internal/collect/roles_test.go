package collect

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// matrixCall is one request of the role matrix, about something of the group
// "sales".
type matrixCall struct {
	path string
	body any
}

// calls gives each route something real to be about, and a body that it takes.
type calls struct {
	alert, agent, revoked, token, exception, user, session string
}

func (c calls) call(rt route) matrixCall {
	path := rt.path
	switch {
	case strings.HasPrefix(path, "/v1/alerts/"), strings.HasPrefix(path, "/alerts/"):
		path = strings.ReplaceAll(path, "{id}", c.alert)
	case rt.method == "DELETE" && path == "/v1/agents/{uid}":
		path = "/v1/agents/" + c.revoked
	case strings.HasPrefix(path, "/v1/agents/"):
		path = strings.ReplaceAll(path, "{uid}", c.agent)
	case strings.HasPrefix(path, "/v1/tokens/"):
		path = strings.ReplaceAll(path, "{id}", c.token)
	case strings.HasPrefix(path, "/v1/exceptions/"):
		path = strings.ReplaceAll(path, "{id}", c.exception)
	case strings.HasPrefix(path, "/v1/users/"):
		path = strings.ReplaceAll(strings.ReplaceAll(path, "{id}", c.user), "{session}", c.session)
	case path == "/v1/counts":
		path += "?column=level"
	case path == "/v1/report":
		path += "?group=sales"
	}
	return matrixCall{path, c.body(rt)}
}

func (c calls) body(rt route) any {
	if rt.body == 0 {
		return nil
	}
	switch strings.TrimPrefix(rt.path, "/v1") {
	case "/alerts/{id}/triage":
		return map[string]any{"status": "in_progress"}
	case "/alerts/{id}/notes":
		return map[string]any{"note": "seen"}
	case "/agents/{uid}/move":
		return map[string]any{"group": "sales"}
	case "/tokens":
		return map[string]any{"group": "sales"}
	case "/exceptions", "/exceptions/preview":
		return map[string]any{"group": "sales", "rule": "MG-9", "why": "a test", "expires_at": "2027-01-01T00:00:00Z"}
	case "/jobs":
		return map[string]any{"kind": jobTriage, "ids": []string{c.alert}, "triage": map[string]any{"note": "many"}}
	}
	return map[string]any{}
}

// matrixSkips are routes about the caller's own account, or whose answer never
// ends: other tests call them.
var matrixSkips = []string{"/v1/me", "/v1/logout", "/v1/login", "/v1/oidc", "/v1/agent/", "/v1/events"}

// The expected answer follows from openapi.yaml alone: who may, and what is
// about a group.
func TestRoleMatrix(t *testing.T) {
	a := newAPISite(t)
	c := calls{alert: a.alert("m1", "sales", "r1", lure("malicious", "zoom", "MG-1", "aa")), agent: "m1"}
	device := a.enrolled()
	callers := []*someone{a.stranger(), a.stranger()}
	callers[1].client, callers[1].user.Role = device.client, "device"
	callers[1].client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	callers[1].header.Set("Authorization", "Bearer "+device.bearer)
	for _, role := range people.Roles() {
		callers = append(callers, a.someone(role), a.someone(role, "sales"), a.someone(role, "lab"))
	}
	n := 0
	for _, rt := range a.srv.routes() {
		if isPage(rt) || slices.ContainsFunc(matrixSkips, func(skip string) bool { return strings.HasPrefix(rt.path, skip) }) {
			continue
		}
		op := a.contract.doc.Paths.Value(rt.path).GetOperation(rt.method)
		need, _ := op.Extensions["x-role"].(string)
		least, _ := op.Extensions["x-least"].(string)
		whole := op.Extensions["x-whole"] == true
		for _, who := range callers {
			if rt.method != http.MethodGet || n == 0 {
				a.renewTargets(&c)
			}
			call := c.call(rt)
			got := who.do(rt.method, call.path, call.body)
			role := people.Role(who.user.Role)
			want := expect(rt, need, least, whole, role, who.user.Groups)
			if !slices.Contains(want, got.status) {
				t.Errorf("%s %s as %q of %v: %d, want %v: %.200s", rt.method, rt.path, role, who.user.Groups, got.status, want, got.body)
			}
			n++
		}
	}
	if n < 500 {
		t.Errorf("only %d calls", n)
	}
}

// renewTargets makes anew what a call may have used up.
func (a *apiSite) renewTargets(c *calls) {
	a.t.Helper()
	ctx, now := a.t.Context(), a.clock()
	must := func(err error) {
		if err != nil {
			a.t.Fatal(err)
		}
	}
	c.revoked = "gone-" + store.NewID()
	must(a.store.Admit(ctx, store.Agent{UID: c.revoked}, "sales", now))
	_, err := a.store.SetState(ctx, store.Everything, []string{c.revoked}, store.AgentRevoked, now)
	must(err)
	c.agent = "m-" + store.NewID()
	must(a.store.Admit(ctx, store.Agent{UID: c.agent}, "sales", now))
	c.token = store.NewID()
	must(a.store.CreateToken(ctx, store.Token{ID: c.token, Group: "sales", CreatedAt: now, ExpiresAt: now.AddDate(0, 1, 0)}, people.HashSecret(c.token)))
	c.exception = store.NewID()
	must(a.store.CreateException(ctx, store.Exception{ID: c.exception, Group: "sales", Rule: "MG-7", Why: "x", Who: "x", CreatedAt: now, ExpiresAt: now.AddDate(0, 1, 0)}))
	c.user, c.session = store.NewID(), store.NewID()
	must(a.store.CreateUser(ctx, store.User{ID: c.user, Name: "u-" + c.user, Role: "viewer", CreatedAt: now}))
	must(a.store.CreateSession(ctx, store.Session{Hash: c.session, UserID: c.user, Kind: kindLogin, CreatedAt: now, SeenAt: now, ExpiresAt: now.AddDate(0, 1, 0)}))
}

// about are the routes that are about one thing of a group: to whom it does not
// belong, it does not exist.
var about = []string{"/v1/alerts/{id}", "/alerts/{id}", "/v1/agents/{uid}", "/v1/tokens/{id}", "/v1/exceptions/{id}", "/v1/report"}

// naming are the routes whose body names a group.
var naming = []string{"POST /v1/tokens", "POST /v1/exceptions", "POST /v1/exceptions/preview"}

func expect(rt route, need, least string, whole bool, role people.Role, groups []string) []int {
	order := []string{"viewer", "analyst", "fleet-admin", "admin"}
	isPagePath := !strings.HasPrefix(rt.path, "/v1/")
	switch {
	case need == "public":
		return []int{200}
	case role == "" && isPagePath:
		return []int{303, 401}
	case role == "device" && isPagePath:
		return []int{303, 401}
	case role == "" || role == "device":
		return []int{401}
	case slices.Index(order, string(role)) < slices.Index(order, least), whole && groups != nil:
		return []int{403}
	}
	foreign := groups != nil && groups[0] == "lab"
	if foreign && (slices.ContainsFunc(about, func(p string) bool { return strings.HasPrefix(rt.path, p) }) || slices.Contains(naming, rt.method+" "+rt.path)) {
		return []int{404}
	}
	switch fmt.Sprint(rt.method, " ", rt.path) {
	case "GET /v1/jobs/{id}":
		return []int{404} // there is none of that id
	case "POST /v1/users":
		return []int{400} // an empty body
	case "PATCH /v1/users/{id}":
		return []int{200}
	case "POST /v1/agents/{uid}/restore", "POST /v1/agents/{uid}/revoke", "POST /v1/agents/{uid}/suspend":
		return []int{200}
	}
	return []int{http.StatusOK, http.StatusCreated, http.StatusNoContent}
}

// What openapi.yaml says of who may call a route is what the guard goes by.
func TestOpenAPISaysWhoMay(t *testing.T) {
	doc := newContract(t).doc
	for _, rt := range new(Server).routes() {
		item := doc.Paths.Value(rt.path)
		if item == nil || item.GetOperation(rt.method) == nil {
			continue // TestOpenAPIHasEveryRoute tells
		}
		said := item.GetOperation(rt.method).Extensions
		if said["x-role"] != rt.access.name() {
			t.Errorf("%s %s: %v, and the guard asks for %s", rt.method, rt.path, said["x-role"], rt.access.name())
		}
		if rt.access.kind != human {
			continue
		}
		for _, role := range people.Roles() { // the least first
			if role.May(rt.access.action) {
				if whole := !role.MayWithin(rt.access.action); said["x-least"] != string(role) || (said["x-whole"] == true) != whole {
					t.Errorf("%s %s: %v %v, and it is %s %v", rt.method, rt.path, said["x-least"], said["x-whole"], role, whole)
				}
				break
			}
		}
	}
}
