package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// peopleTests is what every Store must pass of agents, tokens, people and work.
var peopleTests = map[string]func(*testing.T, Store){
	"standing":                     storeStanding,
	"tries":                        storeTries,
	"enrol":                        storeEnrol,
	"enrol: refused":               storeEnrolRefused,
	"enrol: the last use":          storeEnrolLastUse,
	"tokens":                       storeTokens,
	"admit":                        storeAdmit,
	"credentials":                  storeCredentials,
	"renew":                        storeRenew,
	"agents":                       storeAgentFilter,
	"agents: paging":               storeAgentPaging,
	"agents: counts":               storeFleetCounts,
	"agents: state":                storeState,
	"agents: move":                 storeMove,
	"agents: move more than fit":   storeMoveMany,
	"agents: move under load":      storeMoveRace,
	"agents: forget":               storeForget,
	"agents: silent":               storeSilent,
	"accounts":                     storeUsers,
	"accounts: one name":           storeUserNames,
	"accounts: two administrators": storeUserChanged,
	"accounts: codes":              storeTOTP,
	"accounts: recovery codes":     storeRecovery,
	"sessions":                     storeSessions,
	"sessions: of one disabled":    storeSessionDisabled,
	"exceptions":                   storeExceptions,
	"exceptions: scope":            storeExceptionScope,
	"exceptions: preview":          storeHidden,
	"lease":                        storeLease,
	"lease: many at once":          storeLeaseRace,
	"cursors":                      storeCursors,
	"jobs":                         storeJobs,
	"settings":                     storeSettings,
	"settings: many at once":       storeSettingRace,
	"audit":                        storeAudit,
	"audit: expiry":                storeAuditExpiry,
	"any text":                     storeAnyText,
}

// clock is when the tests of this file begin.
var clock = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\n got %+v\nwant %+v", what, got, want)
	}
}

// token makes a token whose secret hash is its id.
func token(t *testing.T, s Store, id, group string, uses int) Token {
	t.Helper()
	tok := Token{ID: id, Group: group, Note: "note of " + id, CreatedBy: "ana", CreatedAt: clock, ExpiresAt: clock.Add(time.Hour), MaxUses: uses}
	must(t, s.CreateToken(t.Context(), tok, id))
	return tok
}

func certificate(hash string) Credential {
	return Credential{Hash: hash, Kind: "certificate", IssuedAt: clock, ExpiresAt: clock.Add(90 * 24 * time.Hour)}
}

// newcomer is a device that enrols with one credential.
func newcomer(secret string, a Agent, machineID string, c Credential) NewAgent {
	return NewAgent{Agent: a, MachineID: machineID, Secret: secret, Credentials: []Credential{c}, Audit: AuditEntry{At: clock, Action: "agent.enrol"}}
}

// enrolled makes agents of a group.
func enrolled(t *testing.T, s Store, group string, uids ...string) {
	t.Helper()
	token(t, s, "token of "+uids[0], group, 0)
	for _, uid := range uids {
		err := s.Enrol(t.Context(), newcomer("token of "+uids[0], Agent{UID: uid, Hostname: "PC-" + uid}, "machine of "+uid, certificate("hash of "+uid)), clock)
		must(t, err)
	}
}

func agentNow(t *testing.T, s Store, uid string) AgentStatus {
	t.Helper()
	a, err := s.Agent(t.Context(), Everything, uid)
	must(t, err)
	return a
}

func beat(t *testing.T, s Store, b Beat) {
	t.Helper()
	must(t, s.Beat(t.Context(), []Beat{b}))
}

func storeEnrol(t *testing.T, s Store) {
	token(t, s, "t", "sales", 3)
	a := Agent{UID: "a", Hostname: "PC-7", OS: "windows", Version: "1.2", RulesVersion: "9"}
	err := s.Enrol(t.Context(), newcomer("t", a, "m", certificate("c")), clock)
	must(t, err)
	want := AgentStatus{Agent: a, Group: "sales", State: AgentActive, EnrolledAt: clock, FirstSeen: clock, LastSeen: clock,
		MachineID: "m", CertExpires: clock.Add(90 * 24 * time.Hour)}
	same(t, "the agent", agentNow(t, s, "a"), want)
	tokens, err := s.Tokens(t.Context(), Everything)
	must(t, err)
	if tok := tokens[0]; tok.Uses != 1 || !tok.LastUsed.Equal(clock) || tok.LastBy != "PC-7" {
		t.Errorf("the token does not tell of its use: %+v", tok)
	}
	if n, err := s.Enrolled(t.Context()); n != 1 || err != nil {
		t.Errorf("%d enrolled, %v", n, err)
	}
}

func storeEnrolRefused(t *testing.T, s Store) {
	token(t, s, "spent", "g", 1)
	token(t, s, "old", "g", 0)
	token(t, s, "revoked", "g", 0)
	token(t, s, "good", "g", 0)
	must(t, s.RevokeToken(t.Context(), Everything, "revoked", clock))
	err := s.Enrol(t.Context(), newcomer("spent", Agent{UID: "a"}, "", certificate("c")), clock)
	must(t, err)
	for secret, at := range map[string]time.Time{"spent": clock, "old": clock.Add(time.Hour), "revoked": clock, "none": clock, "": clock} {
		err := s.Enrol(t.Context(), newcomer(secret, Agent{UID: "b"}, "", certificate("d")), at)
		wantErr(t, secret, err, ErrRefused)
	}
	err = s.Enrol(t.Context(), newcomer("good", Agent{UID: "a", Hostname: "thief"}, "", certificate("e")), clock)
	wantErr(t, "a uid that is in use", err, ErrTaken)
	if a := agentNow(t, s, "a"); a.Hostname == "thief" {
		t.Error("the agent was changed")
	}
	if n, _ := s.Enrolled(t.Context()); n != 1 {
		t.Errorf("%d agents, want 1", n)
	}
	for _, tok := range mustTokens(t, s) {
		if tok.ID == "good" && tok.Uses != 0 {
			t.Error("a use was spent on an agent that was not made")
		}
	}
	_, _, err = s.Credential(t.Context(), "e")
	wantErr(t, "the credential of a refused enrolment", err, ErrNotFound)
}

func mustTokens(t *testing.T, s Store) []Token {
	t.Helper()
	tokens, err := s.Tokens(t.Context(), Everything)
	must(t, err)
	return tokens
}

// storeEnrolLastUse lets many come for the last uses of a token.
func storeEnrolLastUse(t *testing.T, s Store) {
	const uses, agents = 3, 12
	token(t, s, "t", "g", uses)
	var won, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range agents {
		wg.Go(func() {
			err := s.Enrol(t.Context(), newcomer("t", Agent{UID: fmt.Sprint("a", i)}, "", certificate(fmt.Sprint("c", i))), clock)
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, ErrRefused):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != uses || refused.Load() != agents-uses {
		t.Errorf("%d enrolled and %d refused, want %d and %d", won.Load(), refused.Load(), uses, agents-uses)
	}
	if n, _ := s.Enrolled(t.Context()); n != uses {
		t.Errorf("%d agents, want %d", n, uses)
	}
	if tok := mustTokens(t, s)[0]; tok.Uses != uses {
		t.Errorf("%d uses counted, want %d", tok.Uses, uses)
	}
}

func storeTokens(t *testing.T, s Store) {
	first := token(t, s, "t1", "a", 1)
	second := token(t, s, "t2", "b", 0)
	wantErr(t, "an id twice", s.CreateToken(t.Context(), first, "other"), ErrTaken)
	wantErr(t, "a secret twice", s.CreateToken(t.Context(), Token{ID: "t3"}, "t1"), ErrTaken)
	same(t, "all tokens", mustTokens(t, s), []Token{second, first})
	onlyA := Scope{Groups: []string{"a"}}
	got, err := s.Tokens(t.Context(), onlyA)
	must(t, err)
	same(t, "tokens of a group", got, []Token{first})
	wantErr(t, "revoke one out of scope", s.RevokeToken(t.Context(), onlyA, "t2", clock), ErrNotFound)
	must(t, s.RevokeToken(t.Context(), onlyA, "t1", clock))
	must(t, s.RevokeToken(t.Context(), onlyA, "t1", clock.Add(time.Minute)))
	if tok := mustTokens(t, s)[1]; !tok.RevokedAt.Equal(clock) {
		t.Errorf("revoked at %v, want the first time", tok.RevokedAt)
	}
	none, err := s.Tokens(t.Context(), Scope{})
	if err != nil || none == nil || len(none) != 0 {
		t.Errorf("tokens without a scope: %v, %v", none, err)
	}
}

func storeAdmit(t *testing.T, s Store) {
	must(t, s.Admit(t.Context(), Agent{UID: "a", Hostname: "h"}, "default", clock))
	must(t, s.Admit(t.Context(), Agent{UID: "a", Hostname: "other"}, "else", clock.Add(time.Hour)))
	same(t, "the agent", agentNow(t, s, "a"),
		AgentStatus{Agent: Agent{UID: "a", Hostname: "h"}, Group: "default", State: AgentActive, FirstSeen: clock, LastSeen: clock})
	if n, _ := s.Enrolled(t.Context()); n != 0 {
		t.Errorf("%d enrolled: it came without a token", n)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := s.Admit(t.Context(), Agent{UID: "b"}, "default", clock); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func storeCredentials(t *testing.T, s Store) {
	enrolled(t, s, "g", "a", "b")
	c, a, err := s.Credential(t.Context(), "hash of b")
	must(t, err)
	want := certificate("hash of b")
	want.AgentUID = "b"
	same(t, "the credential", c, want)
	if a.UID != "b" || a.Group != "g" || a.State != AgentActive || a.MachineID != "machine of b" {
		t.Errorf("its agent: %+v", a)
	}
	_, _, err = s.Credential(t.Context(), "hash of c")
	wantErr(t, "unknown", err, ErrNotFound)
	_, err = s.SetState(t.Context(), Everything, []string{"b"}, AgentRevoked, clock.Add(time.Minute))
	must(t, err)
	c, a, err = s.Credential(t.Context(), "hash of b")
	if err != nil || !c.RevokedAt.Equal(clock.Add(time.Minute)) || a.State != AgentRevoked {
		t.Errorf("after the revocation: %+v, %s, %v", c, a.State, err)
	}
	if !agentNow(t, s, "b").CertExpires.IsZero() {
		t.Error("a revoked certificate is told as the one that counts")
	}
}

func storeRenew(t *testing.T, s Store) {
	enrolled(t, s, "g", "a", "b")
	next := Credential{Hash: "next", Kind: "certificate", IssuedAt: clock.Add(time.Hour), ExpiresAt: clock.Add(100 * 24 * time.Hour)}
	must(t, s.Renew(t.Context(), "a", AuditEntry{}, next))
	next.AgentUID = "a"
	for _, hash := range []string{"next", "hash of a"} {
		if c, a, err := s.Credential(t.Context(), hash); err != nil || a.UID != "a" || !c.RevokedAt.IsZero() {
			t.Errorf("%s: %+v, %v", hash, c, err)
		}
	}
	if got := agentNow(t, s, "a").CertExpires; !got.Equal(next.ExpiresAt) {
		t.Errorf("the newest certificate ends %v, want %v", got, next.ExpiresAt)
	}
	_, err := s.SetState(t.Context(), Everything, []string{"b"}, AgentSuspended, clock)
	must(t, err)
	wantErr(t, "renew one that is suspended", s.Renew(t.Context(), "b", AuditEntry{}, certificate("x")), ErrRefused)
	wantErr(t, "renew one that is unknown", s.Renew(t.Context(), "c", AuditEntry{}, certificate("y")), ErrRefused)
}

func storeAgentFilter(t *testing.T, s Store) {
	enrolled(t, s, "sales", "a1", "a2", "a3")
	enrolled(t, s, "it", "b1", "b_2")
	_, err := s.SetState(t.Context(), Everything, []string{"a3"}, AgentSuspended, clock)
	must(t, err)
	beat(t, s, Beat{Agent: Agent{UID: "a1", Hostname: "PC-a1"}, At: clock, Interval: time.Minute, Trouble: "files: degraded"})
	beat(t, s, Beat{Agent: Agent{UID: "b1", Hostname: "Ärger%"}, At: clock.Add(time.Hour), Interval: time.Minute})
	sales := Scope{Groups: []string{"sales"}}
	now := clock.Add(time.Hour)
	for name, c := range map[string]struct {
		scope  Scope
		filter AgentFilter
		want   string
	}{
		"all":                {Everything, AgentFilter{}, "a1 a2 a3 b1 b_2"},
		"scope":              {sales, AgentFilter{}, "a1 a2 a3"},
		"no scope":           {Scope{}, AgentFilter{}, ""},
		"group":              {Everything, AgentFilter{Group: "it"}, "b1 b_2"},
		"group out of scope": {sales, AgentFilter{Group: "it"}, ""},
		"state":              {Everything, AgentFilter{State: AgentSuspended}, "a3"},
		"text of hostname":   {Everything, AgentFilter{Text: "pc-A1"}, "a1"},
		"text of uid":        {Everything, AgentFilter{Text: "B_2"}, "b_2"},
		"text beyond ASCII":  {Everything, AgentFilter{Text: "Ärger"}, "b1"},
		"percent as is":      {Everything, AgentFilter{Text: "%"}, "b1"},
		"silent":             {Everything, AgentFilter{Silent: true, Now: now}, "a1"},
		"not yet silent":     {Everything, AgentFilter{Silent: true, Now: clock.Add(2 * time.Minute)}, ""},
		"trouble":            {Everything, AgentFilter{Trouble: true}, "a1"},
		"after":              {Everything, AgentFilter{After: "a2"}, "a3 b1 b_2"},
	} {
		c.filter.Limit = 10
		agents, err := s.Agents(t.Context(), c.scope, c.filter)
		must(t, err)
		if got := uids(agents); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	_, err = s.Agent(t.Context(), sales, "b1")
	wantErr(t, "one out of scope", err, ErrNotFound)
	versions, err := s.AgentCounts(t.Context(), Everything, "", "os")
	total := 0
	for i, c := range versions {
		if total += c.N; i > 0 && versions[i-1].N < c.N {
			t.Errorf("agents by system: %v", versions)
		}
	}
	if active, _ := s.Agents(t.Context(), Everything, AgentFilter{State: AgentActive, Limit: 1000}); err != nil || total != len(active) {
		t.Errorf("%d agents by system, %d are active: %v", total, len(active), err)
	}
	if _, err := s.AgentCounts(t.Context(), Everything, "", "agent_uid; --"); err == nil {
		t.Error("counted by a column that there is not")
	}
	groups, err := s.AgentGroups(t.Context(), Everything)
	must(t, err)
	same(t, "groups", groups, []Count{{"it", 2}, {"sales", 3}})
	groups, err = s.AgentGroups(t.Context(), sales)
	must(t, err)
	same(t, "groups within the scope", groups, []Count{{"sales", 3}})
}

func uids(agents []AgentStatus) string {
	var all []string
	for _, a := range agents {
		all = append(all, a.UID)
	}
	return strings.Join(all, " ")
}

func storeAgentPaging(t *testing.T, s Store) {
	var want []string
	for i := range 23 {
		want = append(want, fmt.Sprintf("a%02d", i))
	}
	enrolled(t, s, "g", want...)
	for _, limit := range []int{1, 5, 22, 23, 24} {
		var got []AgentStatus
		for f := (AgentFilter{Limit: limit}); ; f.After = got[len(got)-1].UID {
			page, err := s.Agents(t.Context(), Everything, f)
			must(t, err)
			got = append(got, page...)
			if len(page) < limit {
				break
			}
		}
		if uids(got) != strings.Join(want, " ") {
			t.Errorf("limit %d: %s", limit, uids(got))
		}
	}
}

func storeFleetCounts(t *testing.T, s Store) {
	counts, err := s.FleetCounts(t.Context(), Everything, clock)
	must(t, err)
	same(t, "of an empty fleet", counts, FleetCounts{})
	enrolled(t, s, "g", "fine", "late", "stopped", "sick", "suspended", "revoked", "cloned")
	enrolled(t, s, "h", "other")
	for uid, b := range map[string]Beat{
		"fine":    {At: clock.Add(time.Hour)},
		"late":    {At: clock},
		"stopped": {At: clock, Stopping: true},
		"sick":    {At: clock.Add(time.Hour), Trouble: "exec: failed"},
		"revoked": {At: clock, Trouble: "exec: failed"},
	} {
		b.Agent.UID, b.Interval = uid, time.Minute
		beat(t, s, b)
	}
	for _, state := range []string{AgentSuspended, AgentRevoked, AgentCloned} {
		_, err := s.SetState(t.Context(), Everything, []string{state}, state, clock)
		must(t, err)
	}
	counts, err = s.FleetCounts(t.Context(), Scope{Groups: []string{"g"}}, clock.Add(time.Hour))
	must(t, err)
	same(t, "of a group", counts, FleetCounts{Agents: 7, Active: 4, Overdue: 1, Stopped: 1, Trouble: 1, Suspended: 1, Revoked: 1, Cloned: 1})
	all, err := s.Agents(t.Context(), Everything, AgentFilter{Limit: 100})
	must(t, err)
	for _, a := range all {
		if got, want := a.Overdue(clock.Add(time.Hour), 0), a.UID == "late"; got != want {
			t.Errorf("%s: overdue %v, want %v as counted", a.UID, got, want)
		}
	}
}

func storeState(t *testing.T, s Store) {
	enrolled(t, s, "g", "a", "b")
	enrolled(t, s, "h", "c")
	inG := Scope{Groups: []string{"g"}}
	for _, step := range []struct {
		uids  []string
		state string
		want  int
	}{
		{[]string{"a", "b", "c", "none", "a"}, AgentSuspended, 2},
		{[]string{"a", "b"}, AgentSuspended, 0},
		{[]string{"a"}, AgentActive, 1},
		{[]string{"a", "b"}, AgentRevoked, 2},
		{[]string{"a", "b"}, AgentActive, 0},
		{nil, AgentRevoked, 0},
	} {
		n, err := s.SetState(t.Context(), inG, step.uids, step.state, clock)
		if err != nil || n != step.want {
			t.Fatalf("%v to %s: %d changed, %v; want %d", step.uids, step.state, n, err, step.want)
		}
	}
	if a := agentNow(t, s, "c"); a.State != AgentActive {
		t.Errorf("one out of scope is %s", a.State)
	}
	if _, err := s.SetState(t.Context(), Everything, []string{"c"}, "gone", clock); err == nil {
		t.Error("a state that does not exist was set")
	}
}

func storeMove(t *testing.T, s Store) {
	enrolled(t, s, "g", "a", "b")
	enrolled(t, s, "h", "c")
	for _, uid := range []string{"a", "b", "c"} {
		saveHidden(t, s, uid, Record{UID: "r-" + uid, Rule: "R"})
	}
	n, err := s.Move(t.Context(), Scope{Groups: []string{"g", "k"}}, []string{"a", "c", "none"}, "k")
	if err != nil || n != 1 {
		t.Fatalf("%d moved, %v; want 1", n, err)
	}
	_, err = s.Move(t.Context(), Scope{Groups: []string{"g"}}, []string{"b"}, "h")
	wantErr(t, "to a group out of scope", err, ErrNotFound)
	for group, want := range map[string]string{"g": "b", "h": "c", "k": "a"} {
		agents, err := s.Agents(t.Context(), Everything, AgentFilter{Group: group, Limit: 9})
		must(t, err)
		if uids(agents) != want {
			t.Errorf("group %s has %s", group, uids(agents))
		}
		page, err := s.Alerts(t.Context(), Scope{Groups: []string{group}}, Filter{Limit: 9})
		must(t, err)
		if len(page.Alerts) != 1 || page.Alerts[0].AgentUID != want || page.Alerts[0].Group != group {
			t.Errorf("alerts of group %s: %+v", group, page.Alerts)
		}
	}
}

func storeMoveMany(t *testing.T, s Store) {
	var all []string
	for i := range beatChunk + 20 {
		uid := fmt.Sprintf("a%04d", i)
		all = append(all, uid)
		must(t, s.Admit(t.Context(), Agent{UID: uid}, "g", clock))
	}
	n, err := s.Move(t.Context(), Everything, slices.Concat(all, all), "h")
	if err != nil || n != len(all) {
		t.Fatalf("%d moved, %v; want %d", n, err, len(all))
	}
	groups, err := s.AgentGroups(t.Context(), Everything)
	must(t, err)
	same(t, "groups", groups, []Count{{"h", len(all)}})
}

// storeMoveRace moves agents to and fro while their batches arrive: in the end
// every alert is in the group of its agent.
func storeMoveRace(t *testing.T, s Store) {
	agents := []string{"a", "b", "c"}
	enrolled(t, s, "g", agents...)
	var wg sync.WaitGroup
	for _, uid := range agents {
		wg.Go(func() {
			for i := range 20 {
				r := Record{UID: fmt.Sprint("r", i), Digest: fmt.Sprint("d", i), Raw: []byte(`{}`), Size: 2}
				if _, err := s.Save(t.Context(), Batch{Agent: Agent{UID: uid}, ReceivedAt: clock, Records: []Record{r}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 2 {
		wg.Go(func() {
			for n := range 10 {
				group := []string{"g", "h"}[(i+n)%2]
				if _, err := s.Move(t.Context(), Everything, agents, group); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	page, err := s.Alerts(t.Context(), Everything, Filter{Limit: 1000})
	must(t, err)
	if len(page.Alerts) != 60 {
		t.Errorf("%d alerts, want 60", len(page.Alerts))
	}
	for _, a := range page.Alerts {
		if group := agentNow(t, s, a.AgentUID).Group; a.Group != group {
			t.Errorf("an alert of %s is in group %s, its agent in %s", a.AgentUID, a.Group, group)
		}
	}
}

func storeForget(t *testing.T, s Store) {
	enrolled(t, s, "g", "a")
	saveHidden(t, s, "a", Record{UID: "r", Rule: "R"})
	wantErr(t, "one that is active", s.Forget(t.Context(), Everything, "a"), ErrRefused)
	_, err := s.SetState(t.Context(), Everything, []string{"a"}, AgentRevoked, clock)
	must(t, err)
	wantErr(t, "one out of scope", s.Forget(t.Context(), Scope{Groups: []string{"h"}}, "a"), ErrNotFound)
	must(t, s.Forget(t.Context(), Everything, "a"))
	wantErr(t, "one that is gone", s.Forget(t.Context(), Everything, "a"), ErrNotFound)
	_, _, err = s.Credential(t.Context(), "hash of a")
	wantErr(t, "its credential", err, ErrNotFound)
	page, err := s.Alerts(t.Context(), Everything, Filter{Limit: 9})
	if err != nil || len(page.Alerts) != 1 {
		t.Errorf("its alerts: %+v, %v", page.Alerts, err)
	}
}

func storeSilent(t *testing.T, s Store) {
	enrolled(t, s, "g", "a", "b", "stopped", "suspended", "never")
	hear := func(uid string, at time.Time, stopping bool) {
		beat(t, s, Beat{Agent: Agent{UID: uid, Hostname: "PC-" + uid}, At: at, Interval: time.Minute, Stopping: stopping})
	}
	hear("a", clock.Add(time.Second), false)
	hear("b", clock, false)
	hear("stopped", clock, true)
	hear("suspended", clock, false)
	_, err := s.SetState(t.Context(), Everything, []string{"suspended"}, AgentSuspended, clock)
	must(t, err)
	silent := func(after time.Duration, limit int) string {
		agents, err := s.Silent(t.Context(), clock.Add(after), 30*time.Second, limit)
		must(t, err)
		return uids(agents)
	}
	for after, want := range map[time.Duration]string{
		0: "", 150 * time.Second: "", 150*time.Second + time.Millisecond: "b", 152 * time.Second: "b a",
	} {
		if got := silent(after, 9); got != want {
			t.Errorf("after %v: %q, want %q", after, got, want)
		}
	}
	if got := silent(time.Hour, 1); got != "b" {
		t.Errorf("at most one: %q", got)
	}
	mark := func(uid string, seen time.Time, want bool) {
		t.Helper()
		if ok, err := s.MarkSilent(t.Context(), uid, seen, clock.Add(time.Hour)); ok != want || err != nil {
			t.Errorf("mark %s: %v, %v; want %v", uid, ok, err, want)
		}
	}
	mark("a", clock, false) // it was heard after that
	mark("b", clock, true)
	mark("b", clock, false)
	mark("stopped", clock, false)
	mark("none", clock, false)
	if got := silent(2*time.Hour, 9); got != "a" {
		t.Errorf("not yet alarmed: %q", got)
	}
	if a := agentNow(t, s, "b"); !a.SilentSince.Equal(clock.Add(time.Hour)) {
		t.Errorf("silent since %v", a.SilentSince)
	}
	hear("b", clock.Add(3*time.Hour), false)
	if a := agentNow(t, s, "b"); !a.SilentSince.IsZero() {
		t.Error("silent, though it was heard")
	}
	if _, err := s.LogState(t.Context(), "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the log of an agent that is not known: %v", err)
	}
}

func account(id, name string) User {
	return User{ID: id, Name: name, Role: "analyst", Groups: []string{}, Recovery: []string{}, CreatedAt: clock}
}

func mustUser(t *testing.T, s Store, id string) User {
	t.Helper()
	u, err := s.User(t.Context(), id)
	must(t, err)
	return u
}

func storeUsers(t *testing.T, s Store) {
	u := User{ID: "1", Name: "Ana", Role: "admin", Groups: []string{"a", `b"c`}, PasswordHash: "$argon2id$", TOTP: []byte{0, 255},
		Recovery: []string{"h1", "h2"}, Subject: "https://idp.invalid|7", Disabled: true, MustChange: true, CreatedAt: clock}
	must(t, s.CreateUser(t.Context(), u))
	must(t, s.CreateUser(t.Context(), account("2", "bo")))
	for what, read := range map[string]func() (User, error){
		"id":      func() (User, error) { return s.User(t.Context(), "1") },
		"name":    func() (User, error) { return s.UserByName(t.Context(), "aNA") },
		"subject": func() (User, error) { return s.UserBySubject(t.Context(), u.Subject) },
	} {
		got, err := read()
		must(t, err)
		same(t, "by "+what, got, u)
	}
	for what, err := range map[string]error{
		"id": second(s.User(t.Context(), "3")), "name": second(s.UserByName(t.Context(), "x")),
		"subject": second(s.UserBySubject(t.Context(), "x")), "empty subject": second(s.UserBySubject(t.Context(), "")),
	} {
		wantErr(t, "unknown "+what, err, ErrNotFound)
	}
	must(t, s.LoggedIn(t.Context(), "2", clock.Add(time.Hour)))
	wantErr(t, "log-in of nobody", s.LoggedIn(t.Context(), "3", clock), ErrNotFound)
	all, err := s.Users(t.Context())
	must(t, err)
	bo := account("2", "bo")
	bo.LastLogin = clock.Add(time.Hour)
	same(t, "all", all, []User{u, bo})
	must(t, s.DeleteUser(t.Context(), "1"))
	wantErr(t, "delete twice", s.DeleteUser(t.Context(), "1"), ErrNotFound)
	wantErr(t, "read one deleted", second(s.User(t.Context(), "1")), ErrNotFound)
}

func second(_ User, err error) error { return err }

func storeUserNames(t *testing.T, s Store) {
	a, b := account("1", "ana"), account("2", "bo")
	a.Subject = "iss|1"
	must(t, s.CreateUser(t.Context(), a))
	must(t, s.CreateUser(t.Context(), b))
	wantErr(t, "the same name", s.CreateUser(t.Context(), account("3", "ana")), ErrTaken)
	wantErr(t, "a name of another case", s.CreateUser(t.Context(), account("3", "ANA")), ErrTaken)
	c := account("3", "cleo")
	c.Subject = "iss|1"
	wantErr(t, "the same subject", s.CreateUser(t.Context(), c), ErrTaken)
	b.Subject = "iss|1"
	wantErr(t, "a change to a subject in use", s.UpdateUser(t.Context(), b), ErrTaken)
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := []string{"dan", "Dan"}[i%2]
			switch err := s.CreateUser(t.Context(), account(fmt.Sprint("d", i), name)); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, ErrTaken):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of eight got the name", won.Load())
	}
}

func storeUserChanged(t *testing.T, s Store) {
	must(t, s.CreateUser(t.Context(), account("1", "ana")))
	first, stale := mustUser(t, s, "1"), mustUser(t, s, "1")
	first.Disabled = true
	must(t, s.UpdateUser(t.Context(), first))
	stale.Role = "admin"
	wantErr(t, "a change of what is no more", s.UpdateUser(t.Context(), stale), ErrChanged)
	must(t, s.LoggedIn(t.Context(), "1", clock))
	got := mustUser(t, s, "1")
	if !got.Disabled || got.Role != "analyst" {
		t.Fatalf("%+v", got)
	}
	want := got
	want.Name, want.Role, want.Groups, want.PasswordHash, want.TOTP = "other", "viewer", []string{"g"}, "p", []byte("t")
	want.Recovery, want.Subject, want.Disabled, want.MustChange = []string{"r"}, "i|s", false, true
	want.CreatedAt, want.LastLogin = clock.Add(time.Hour), clock.Add(time.Hour)
	must(t, s.UpdateUser(t.Context(), want))
	want.Name, want.CreatedAt, want.LastLogin, want.Change = "ana", clock, clock, 2
	same(t, "everything else", mustUser(t, s, "1"), want)
	wantErr(t, "change nobody", s.UpdateUser(t.Context(), account("2", "x")), ErrNotFound)
}

func storeTOTP(t *testing.T, s Store) {
	must(t, s.CreateUser(t.Context(), account("1", "ana")))
	for _, step := range []struct {
		step int64
		want bool
	}{{100, true}, {100, false}, {99, false}, {101, true}} {
		if ok, err := s.UseTOTP(t.Context(), "1", step.step); ok != step.want || err != nil {
			t.Fatalf("step %d: %v, %v", step.step, ok, err)
		}
	}
	if ok, err := s.UseTOTP(t.Context(), "2", 1); ok || err != nil {
		t.Errorf("a code of nobody: %v, %v", ok, err)
	}
	if n := winners(t, 8, func() (bool, error) { return s.UseTOTP(t.Context(), "1", 200) }); n != 1 {
		t.Errorf("one code was good for %d log-ins", n)
	}
}

// winners calls do n times at once and returns how often it said yes.
func winners(t *testing.T, n int, do func() (bool, error)) int64 {
	t.Helper()
	var won atomic.Int64
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			ok, err := do()
			if err != nil {
				t.Error(err)
			}
			if ok {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	return won.Load()
}

func storeRecovery(t *testing.T, s Store) {
	u := account("1", "ana")
	u.Recovery = []string{"a", "b", "c"}
	must(t, s.CreateUser(t.Context(), u))
	stale := mustUser(t, s, "1")
	if n := winners(t, 8, func() (bool, error) { return s.UseRecovery(t.Context(), "1", "b") }); n != 1 {
		t.Errorf("one code was good for %d log-ins", n)
	}
	for _, code := range []string{"", "x", "b"} {
		if ok, err := s.UseRecovery(t.Context(), "1", code); ok || err != nil {
			t.Errorf("code %q: %v, %v", code, ok, err)
		}
	}
	same(t, "what is left", mustUser(t, s, "1").Recovery, []string{"a", "c"})
	wantErr(t, "a change that would bring the code back", s.UpdateUser(t.Context(), stale), ErrChanged)
	_, err := s.UseRecovery(t.Context(), "2", "a")
	wantErr(t, "a code of nobody", err, ErrNotFound)
}

func session(hash, user string) Session {
	return Session{Hash: hash, UserID: user, Kind: "login", CreatedAt: clock, ExpiresAt: clock.Add(24 * time.Hour), SeenAt: clock,
		Address: "192.0.2.7", Client: "a browser"}
}

func storeSessions(t *testing.T, s Store) {
	must(t, s.CreateUser(t.Context(), account("1", "ana")))
	must(t, s.CreateUser(t.Context(), account("2", "bo")))
	one, two := session("s1", "1"), session("s2", "1")
	two.Kind, two.Note, two.CreatedAt = "token", "script", clock.Add(time.Minute)
	for _, x := range []Session{one, two, session("s3", "2")} {
		must(t, s.CreateSession(t.Context(), x))
	}
	got, u, err := s.Session(t.Context(), "s1", clock)
	must(t, err)
	same(t, "the session", got, one)
	same(t, "its account", u, account("1", "ana"))
	must(t, s.TouchSession(t.Context(), "s1", clock.Add(time.Hour)))
	must(t, s.TouchSession(t.Context(), "s1", clock.Add(time.Minute)))
	one.SeenAt = clock.Add(time.Hour)
	all, err := s.Sessions(t.Context(), "1", clock)
	must(t, err)
	same(t, "sessions of an account", all, []Session{two, one})
	_, _, err = s.Session(t.Context(), "s1", one.ExpiresAt)
	wantErr(t, "one that has expired", err, ErrNotFound)
	late := session("s4", "1")
	late.CreatedAt, late.ExpiresAt = one.ExpiresAt, one.ExpiresAt.Add(time.Hour)
	must(t, s.CreateSession(t.Context(), late))
	wantErr(t, "end one that expired", s.EndSession(t.Context(), "s1"), ErrNotFound)
	must(t, s.EndSession(t.Context(), "s4"))
	_, _, err = s.Session(t.Context(), "s4", clock)
	wantErr(t, "one that was ended", err, ErrNotFound)
	must(t, s.DeleteUser(t.Context(), "2"))
	_, _, err = s.Session(t.Context(), "s3", clock)
	wantErr(t, "one of a deleted account", err, ErrNotFound)
	must(t, s.CreateSession(t.Context(), session("s5", "1")))
	must(t, s.CreateSession(t.Context(), session("s6", "1")))
	if n, err := s.EndSessions(t.Context(), "1"); n != 2 || err != nil {
		t.Errorf("%d ended, %v; want 2", n, err)
	}
}

func storeSessionDisabled(t *testing.T, s Store) {
	must(t, s.CreateUser(t.Context(), account("1", "ana")))
	must(t, s.CreateSession(t.Context(), session("s", "1")))
	u := mustUser(t, s, "1")
	u.Disabled = true
	must(t, s.UpdateUser(t.Context(), u))
	_, _, err := s.Session(t.Context(), "s", clock)
	wantErr(t, "the session of a disabled account", err, ErrNotFound)
}

func exception(id, group string) Exception {
	return Exception{ID: id, Group: group, SHA256: "h", Rule: "r", Brand: "b", Signer: "s", Host: "x", Path: "/p", Hostname: "n",
		Why: "ours", Who: "ana", CreatedAt: clock, ExpiresAt: clock.Add(24 * time.Hour)}
}

func storeExceptions(t *testing.T, s Store) {
	e := exception("1", "g")
	must(t, s.CreateException(t.Context(), e))
	wantErr(t, "an id twice", s.CreateException(t.Context(), e), ErrTaken)
	got, err := s.Exception(t.Context(), Everything, "1")
	must(t, err)
	same(t, "the exception", got, e)
	if err := s.CreateException(t.Context(), Exception{ID: "2", Group: "g", ExpiresAt: clock.Add(time.Hour)}); err == nil {
		t.Error("an exception that hides everything was stored")
	}
	if err := s.CreateException(t.Context(), Exception{ID: "3", Rule: "r"}); err == nil {
		t.Error("an exception without end was stored")
	}
	must(t, s.EndException(t.Context(), Everything, "1", "bo", clock.Add(time.Hour)))
	must(t, s.EndException(t.Context(), Everything, "1", "cleo", clock.Add(2*time.Hour)))
	e.EndedAt, e.EndedBy = clock.Add(time.Hour), "bo"
	got, err = s.Exception(t.Context(), Everything, "1")
	must(t, err)
	same(t, "the exception after its end", got, e)
	wantErr(t, "end one that is unknown", s.EndException(t.Context(), Everything, "x", "bo", clock), ErrNotFound)
}

func storeExceptionScope(t *testing.T, s Store) {
	for _, e := range []Exception{exception("1", "g"), exception("2", "h"), exception("3", "")} {
		must(t, s.CreateException(t.Context(), e))
	}
	inG := Scope{Groups: []string{"g"}}
	all, err := s.Exceptions(t.Context(), inG)
	must(t, err)
	same(t, "of the group and of all", all, []Exception{exception("3", ""), exception("1", "g")})
	_, err = s.Exception(t.Context(), inG, "2")
	wantErr(t, "one of another group", err, ErrNotFound)
	wantErr(t, "end one of another group", s.EndException(t.Context(), inG, "2", "ana", clock), ErrNotFound)
	wantErr(t, "end one for all groups", s.EndException(t.Context(), inG, "3", "ana", clock), ErrRefused)
	must(t, s.EndException(t.Context(), inG, "1", "ana", clock))
	must(t, s.EndException(t.Context(), Everything, "3", "ana", clock))
}

// saveHidden stores a record of an agent that is known.
func saveHidden(t *testing.T, s Store, agentUID string, r Record) {
	t.Helper()
	saveAt(t, s, clock, agentUID, r)
}

func saveAt(t *testing.T, s Store, at time.Time, agentUID string, r Record) {
	t.Helper()
	r.Raw = json.RawMessage(`{"uid":"` + r.UID + `"}`)
	r.Digest, r.Size, r.Level = "digest of "+r.UID, len(r.Raw), "suspicious"
	results, err := s.Save(t.Context(), Batch{Agent: Agent{UID: agentUID, Hostname: "PC-" + agentUID}, ReceivedAt: at, Records: []Record{r}})
	must(t, err)
	if len(results) != 1 || results[0].Status != Stored {
		t.Fatalf("%s: %+v", r.UID, results)
	}
}

// hiddenRecords are saved by the agent a of group g and the agent b of group h.
func hiddenRecords() []Record {
	return []Record{
		{UID: "r1", Rule: "R1", Brand: "zoom", SHA256: "ABCD", Host: "Files.Example.invalid", Path: `C:\Tools\x.exe`, Signer: "Ours Ltd", Hostname: "PC-1"},
		{UID: "r2", Rule: "R1", Brand: "webex", SHA256: "abcd", Path: `c:\tools\y.exe`, Hostname: "pc-1"},
		{UID: "r3", Rule: "R2", Brand: "zoom", SHA256: "ffff", Path: "/opt/Tools/z", Signer: "ours ltd"},
		{UID: "r4", Rule: "R2", Brand: "zoom", Path: "/opt/tools_/z"},
		{UID: "r5", Rule: "R2", Brand: "zoom", Path: "/opt/toolsX/z"},
		{UID: "r6", Rule: "R4", Path: "/srv/100%/a!b_/z"},
	}
}

func saveHiddenRecords(t *testing.T, s Store, at time.Time, suffix string) {
	t.Helper()
	for _, uid := range []string{"a", "b"} {
		for _, r := range hiddenRecords() {
			r.UID = uid + r.UID + suffix
			saveAt(t, s, at, uid, r)
		}
	}
}

// storeHidden looks that the preview of an exception is what it then does: the
// same records, sent while it is in force, arrive as suppressed.
func storeHidden(t *testing.T, s Store) {
	enrolled(t, s, "g", "a")
	enrolled(t, s, "h", "b")
	saveHiddenRecords(t, s, clock, "")
	cases := map[string]struct {
		e    Exception
		want string
	}{
		"rule":              {Exception{Rule: "R1"}, "br2 br1 ar2 ar1"},
		"group":             {Exception{Rule: "R1", Group: "g"}, "ar2 ar1"},
		"hash of any case":  {Exception{SHA256: "aBcD", Group: "g"}, "ar2 ar1"},
		"host of any case":  {Exception{Host: "files.example.INVALID", Group: "g"}, "ar1"},
		"name of any case":  {Exception{Hostname: "Pc-1", Group: "g"}, "ar2 ar1"},
		"signer as it is":   {Exception{Signer: "Ours Ltd", Group: "g"}, "ar1"},
		"Windows path":      {Exception{Path: `c:\TOOLS\`, Group: "g"}, "ar2 ar1"},
		"Unix path":         {Exception{Path: "/opt/tools", Group: "g"}, "ar5 ar4"},
		"no wildcard":       {Exception{Path: "/opt/tools_", Group: "g"}, "ar4"},
		"signs as they are": {Exception{Path: "/srv/100%/a!b_", Group: "g"}, "ar6"},
		"all of them":       {Exception{Rule: "R2", Brand: "zoom", Path: "/opt/T", Group: "g"}, "ar3"},
		"nothing":           {Exception{Rule: "R3"}, ""},
	}
	for name, c := range cases {
		n, alerts, err := s.Hidden(t.Context(), Everything, c.e, clock, 100)
		must(t, err)
		if got := recordUIDs(alerts, ""); got != c.want || n != len(alerts) {
			t.Errorf("%s: preview %d, %q; want %q", name, n, got, c.want)
		}
	}
	hiddenWithin(t, s)
	at := clock
	for name, c := range cases {
		at = at.Add(time.Hour)
		c.e.ID, c.e.CreatedAt, c.e.ExpiresAt = name, at, at.Add(time.Hour)
		must(t, s.CreateException(t.Context(), c.e))
		saveHiddenRecords(t, s, at, " "+name)
		page, err := s.Alerts(t.Context(), Everything, Filter{Statuses: []string{StatusSuppressed}, Exception: name, Limit: 100})
		must(t, err)
		if got := recordUIDs(page.Alerts, " "+name); got != c.want {
			t.Errorf("%s: hides %q, want %q", name, got, c.want)
		}
		must(t, s.EndException(t.Context(), Everything, name, "ana", at))
	}
}

// hiddenWithin looks at the bounds of a preview.
func hiddenWithin(t *testing.T, s Store) {
	t.Helper()
	n, alerts, err := s.Hidden(t.Context(), Scope{Groups: []string{"h"}}, Exception{Rule: "R1"}, clock, 1)
	if err != nil || n != 2 || recordUIDs(alerts, "") != "br2" {
		t.Errorf("the newest within the scope: %d, %q, %v", n, recordUIDs(alerts, ""), err)
	}
	n, alerts, err = s.Hidden(t.Context(), Everything, Exception{Rule: "R1"}, clock.Add(time.Millisecond), 9)
	if err != nil || n != 0 || alerts == nil {
		t.Errorf("since later: %d, %v, %v", n, alerts, err)
	}
	n, alerts, err = s.Hidden(t.Context(), Everything, Exception{Group: "g"}, clock, 9)
	if err != nil || n != 0 || alerts == nil {
		t.Errorf("without a condition: %d, %v, %v", n, alerts, err)
	}
}

func recordUIDs(alerts []Alert, suffix string) string {
	var all []string
	for _, a := range alerts {
		all = append(all, strings.TrimSuffix(a.RecordUID, suffix))
	}
	return strings.Join(all, " ")
}

func storeLease(t *testing.T, s Store) {
	for i, step := range []struct {
		owner      string
		now, until time.Duration
		want       bool
	}{
		{"a", 0, 10, true},
		{"b", 5, 20, false},
		{"a", 5, 15, true},
		{"b", 12, 30, false},
		{"b", 15, 30, true},
		{"a", 16, 40, false},
		{"b", 17, 17, true}, // gives it back
		{"a", 17, 40, true},
	} {
		ok, err := s.Lease(t.Context(), "exit", step.owner, clock.Add(step.now*time.Second), clock.Add(step.until*time.Second))
		if ok != step.want || err != nil {
			t.Fatalf("step %d: %v, %v; want %v", i+1, ok, err, step.want)
		}
	}
	if ok, err := s.Lease(t.Context(), "other", "b", clock, clock.Add(time.Second)); !ok || err != nil {
		t.Errorf("other work: %v, %v", ok, err)
	}
}

func storeLeaseRace(t *testing.T, s Store) {
	for round := range 5 {
		now := clock.Add(time.Duration(round) * time.Minute)
		var owner atomic.Int64
		n := winners(t, 8, func() (bool, error) {
			return s.Lease(t.Context(), "x", fmt.Sprint(owner.Add(1)+int64(100*round)), now, now.Add(time.Minute))
		})
		if n != 1 {
			t.Fatalf("round %d: %d owners", round, n)
		}
	}
}

func storeCursors(t *testing.T, s Store) {
	if c, ok, err := s.Cursor(t.Context(), "siem"); ok || err != nil || c.Seq != 0 {
		t.Errorf("before there is one: %+v, %v, %v", c, ok, err)
	}
	c := Cursor{Name: "siem", Seq: 1 << 40, Sent: 7, UpdatedAt: clock, Error: "refused", FailedAt: clock.Add(time.Second)}
	must(t, s.SetCursor(t.Context(), Cursor{Name: "siem", Seq: 1}))
	must(t, s.SetCursor(t.Context(), c))
	must(t, s.SetCursor(t.Context(), Cursor{Name: "a"}))
	got, ok, err := s.Cursor(t.Context(), "siem")
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	same(t, "the cursor", got, c)
	all, err := s.Cursors(t.Context())
	must(t, err)
	same(t, "all cursors", all, []Cursor{{Name: "a"}, c})
}

func storeJobs(t *testing.T, s Store) {
	j := Job{ID: "1", Kind: "close", Who: "ana", Params: json.RawMessage(`{"a":[1]}`), State: "queued", Total: 9, CreatedAt: clock, UpdatedAt: clock}
	must(t, s.CreateJob(t.Context(), j))
	must(t, s.CreateJob(t.Context(), Job{ID: "2", State: "queued", CreatedAt: clock.Add(time.Second)}))
	wantErr(t, "an id twice", s.CreateJob(t.Context(), j), ErrTaken)
	j.State, j.Total, j.Done, j.Changed, j.Error, j.UpdatedAt = "failed", 10, 5, 4, "store away", clock.Add(time.Minute)
	must(t, s.UpdateJob(t.Context(), j))
	got, err := s.Job(t.Context(), "1")
	must(t, err)
	same(t, "the job", got, j)
	jobs, err := s.Jobs(t.Context(), 1)
	if err != nil || len(jobs) != 1 || jobs[0].ID != "2" || string(jobs[0].Params) != "null" {
		t.Errorf("the newest: %+v, %v", jobs, err)
	}
	_, err = s.Job(t.Context(), "3")
	wantErr(t, "unknown", err, ErrNotFound)
	wantErr(t, "update one unknown", s.UpdateJob(t.Context(), Job{ID: "3"}), ErrNotFound)
}

func storeSettings(t *testing.T, s Store) {
	get := func(name, want string, known bool) {
		t.Helper()
		if v, ok, err := s.Setting(t.Context(), name); v != want || ok != known || err != nil {
			t.Errorf("%s: %q, %v, %v; want %q", name, v, ok, err, want)
		}
	}
	get("a", "", false)
	must(t, s.SetSetting(t.Context(), "a", "1"))
	must(t, s.SetSetting(t.Context(), "a", "2"))
	get("a", "2", true)
	if v, err := s.SetSettingOnce(t.Context(), "a", "3"); v != "2" || err != nil {
		t.Errorf("set once what is there: %q, %v", v, err)
	}
	if v, err := s.SetSettingOnce(t.Context(), "b", ""); v != "" || err != nil {
		t.Errorf("set once: %q, %v", v, err)
	}
	get("b", "", true)
}

func storeSettingRace(t *testing.T, s Store) {
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			v, err := s.SetSettingOnce(t.Context(), "ca", fmt.Sprint(i))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			seen[v] = true
		})
	}
	wg.Wait()
	if len(seen) != 1 {
		t.Errorf("eight who start at once do not agree: %v", seen)
	}
}

func storeAudit(t *testing.T, s Store) {
	var want []AuditEntry
	for i, action := range []string{"alert.close", "alert.note", "login.failed", "alertx", "token.create"} {
		e := AuditEntry{ID: NewID(), At: clock.Add(time.Duration(i) * time.Second), Who: []string{"ana", "bo"}[i%2], Action: action,
			Target: "t", Detail: "d", Address: "192.0.2.1"}
		must(t, s.Record(t.Context(), e))
		want = append(want, e)
	}
	slices.Reverse(want)
	for name, c := range map[string]struct {
		filter AuditFilter
		want   []AuditEntry
	}{
		"all":           {AuditFilter{Limit: 9}, want},
		"first page":    {AuditFilter{Limit: 2}, want[:2]},
		"next page":     {AuditFilter{Limit: 2, Before: want[1].ID}, want[2:4]},
		"who":           {AuditFilter{Limit: 9, Who: "bo"}, []AuditEntry{want[1], want[3]}},
		"action":        {AuditFilter{Limit: 9, Action: "alert.note"}, want[3:4]},
		"kind":          {AuditFilter{Limit: 9, Action: "alert."}, want[3:]},
		"no part of it": {AuditFilter{Limit: 9, Action: "alert"}, []AuditEntry{}},
	} {
		got, err := s.AuditLog(t.Context(), c.filter)
		must(t, err)
		same(t, name, got, c.want)
	}
	must(t, s.Record(t.Context(), AuditEntry{At: clock, Action: "x"}))
	if got, _ := s.AuditLog(t.Context(), AuditFilter{Limit: 1}); got[0].ID == "" || got[0].Action != "x" {
		t.Errorf("an entry without an id: %+v", got)
	}
}

func storeAuditExpiry(t *testing.T, s Store) {
	for i := range 10 {
		must(t, s.Record(t.Context(), AuditEntry{At: clock.Add(time.Duration(i) * time.Hour), Action: fmt.Sprint(i)}))
	}
	for _, want := range []int{4, 3, 0} {
		if n, err := s.ExpireAudit(t.Context(), clock.Add(7*time.Hour), 4); n != want || err != nil {
			t.Fatalf("%d expired, %v; want %d", n, err, want)
		}
		left, err := s.AuditLog(t.Context(), AuditFilter{Limit: 99})
		must(t, err)
		if oldest := left[len(left)-1].Action; want == 4 && oldest != "4" {
			t.Errorf("the oldest entry that is left is %s, want 4", oldest)
		}
	}
	left, err := s.AuditLog(t.Context(), AuditFilter{Limit: 99})
	if err != nil || len(left) != 3 || left[2].Action != "7" {
		t.Errorf("left: %+v, %v", left, err)
	}
}

// storeAnyText gives texts that strangers may send: they must not make a
// request fail on one engine that another takes.
func storeAnyText(t *testing.T, s Store) {
	for _, text := range []string{"a\x00b", "\xff\xfe", "'; DROP TABLE users; --", "%_!", strings.Repeat("x", 9000), "\u202e"} {
		wantErr(t, "name", second(s.UserByName(t.Context(), text)), ErrNotFound)
		must(t, s.Record(t.Context(), AuditEntry{At: clock, Action: "login.failed", Who: text, Target: text, Detail: text}))
		_, _, err := s.Session(t.Context(), text, clock)
		wantErr(t, "session", err, ErrNotFound)
		_, err = s.Agents(t.Context(), Everything, AgentFilter{Text: text, Limit: 9})
		must(t, err)
		err = s.Enrol(t.Context(), newcomer(text, Agent{UID: text, Hostname: text}, text, certificate(text)), clock)
		wantErr(t, "enrol", err, ErrRefused)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Users(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that went away: %v", err)
	}
}

// storeStanding: whatever was committed before the question is in the answer, also
// when many ask at once.
func storeStanding(t *testing.T, s Store) {
	enrolled(t, s, "g", "a", "b")
	_, err := s.Standing(t.Context(), "none")
	wantErr(t, "unknown", err, ErrNotFound)
	save(t, s, Batch{Agent: Agent{UID: "a"}, ReceivedAt: clock, Log: &LogState{Received: 7, Digest: "d"}, Records: []Record{sample("r7")}})
	got, err := s.Standing(t.Context(), "a")
	must(t, err)
	same(t, "standing", got, AgentStatus{Agent: Agent{UID: "a"}, Group: "g", State: AgentActive, MachineID: "machine of a", EnrolledAt: clock, Log: LogState{Received: 7, Digest: "d"}})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 8 { // who asks about another agent is told of that one
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if b, err := s.Standing(t.Context(), "b"); err != nil || b.UID != "b" {
					t.Error(b.UID, err)
				}
				if _, err := s.Standing(t.Context(), "none"); !errors.Is(err, ErrNotFound) {
					t.Error(err)
				}
			}
		})
	}
	for i := range 30 {
		state := []string{AgentSuspended, AgentActive}[i%2]
		_, err := s.SetState(t.Context(), Everything, []string{"a"}, state, clock)
		must(t, err)
		if now, err := s.Standing(t.Context(), "a"); err != nil || now.State != state {
			t.Errorf("%s after it became %s, %v", now.State, state, err)
		}
	}
	close(stop)
	wg.Wait()
}

// storeTries: what many count at once is counted by all of them.
func storeTries(t *testing.T, s Store) {
	at := clock
	var wg sync.WaitGroup
	for i := range 24 {
		keys := []string{"x", "y"}
		if i%2 == 1 {
			keys = []string{"y", "x"}
		}
		wg.Go(func() {
			err := s.ChangeTries(t.Context(), keys, func(known []Tries) []Tries {
				for i := range known {
					known[i].N++
					known[i].Last, known[i].Until = at, at.Add(time.Minute)
				}
				return known
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	look := func(key string) (got Tries) {
		t.Helper()
		must(t, s.ChangeTries(t.Context(), []string{key}, func(known []Tries) []Tries { got = known[0]; return nil }))
		return got
	}
	want := Tries{N: 24, Last: at, Until: at.Add(time.Minute)}
	same(t, "x", look("x"), want)
	same(t, "y", look("y"), want)
	same(t, "one that nobody counted", look("z"), Tries{})
	for n, before := range []time.Time{at, at.Add(time.Second)} { // z was not changed, x and y were
		got, err := s.ExpireTries(t.Context(), before, 2)
		must(t, err)
		same(t, "expired", got, n+1)
	}
	same(t, "after it expired", look("x"), Tries{})
}
