package collect

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// fleetPages are about agents, rules, exceptions and enrolment.
func (s *Server) fleetPages() []route {
	read, manage := person(people.AgentRead), person(people.AgentManage)
	return []route{
		{"GET", "/fleet", read, 0, s.page(s.showFleet)},
		{"GET", "/fleet/{uid}", read, 0, s.page(s.showAgent)},
		{"POST", "/fleet/{uid}", manage, smallBody, s.page(s.doAgent)},
		{"GET", "/rules", person(people.RuleRead), 0, s.page(s.showRules)},
		{"GET", "/exceptions", person(people.ExceptionRead), 0, s.page(s.showExceptions)},
		{"GET", "/exceptions/new", person(people.ExceptionMake), 0, s.page(s.showNewException)},
		{"POST", "/exceptions", person(people.ExceptionMake), smallBody, s.page(s.doException)},
		{"POST", "/exceptions/{id}/end", person(people.ExceptionEnd), smallBody, s.page(s.doExceptionEnd)},
		{"GET", "/tokens", person(people.TokenRead), 0, s.page(s.showTokens)},
		{"POST", "/tokens", person(people.TokenCreate), smallBody, s.page(s.doToken)},
		{"POST", "/tokens/{id}/revoke", person(people.TokenRevoke), smallBody, s.page(s.doTokenRevoke)},
		{"GET", "/deadletters", person(people.DeadLetterRead), 0, s.page(s.showDeadLetters)},
	}
}

// fleetPage is what fleet.html shows.
type fleetPage struct {
	frame
	Counts store.FleetCounts
	Tiles  []tile
	Agents []agentRow
	Groups []store.Count
	States []string
	Filter store.AgentFilter
	Next   string
}

type tile struct {
	Text, URL string
	N         int
	Current   bool
}

// agentRow is one agent in words.
type agentRow struct {
	store.AgentStatus
	Condition string // what is the matter with it
	Grade     string // class of its badge: good, warn, bad or ""
}

func (s *Server) agentRow(a store.AgentStatus) agentRow {
	row := agentRow{AgentStatus: a, Condition: "well", Grade: "good"}
	switch {
	case a.State == store.AgentCloned:
		row.Condition, row.Grade = "identity on two machines", "bad"
	case a.State == store.AgentSuspended:
		row.Condition, row.Grade = "suspended", "warn"
	case a.State == store.AgentRevoked:
		row.Condition, row.Grade = "revoked", ""
	case a.Overdue(s.now(), silenceGrace):
		row.Condition, row.Grade = "silent", "bad"
	case !a.StoppedAt.IsZero():
		row.Condition, row.Grade = "stopped on purpose", ""
	case a.Trouble != "":
		row.Condition, row.Grade = "in trouble", "warn"
	}
	return row
}

func (s *Server) showFleet(w http.ResponseWriter, r *http.Request) error {
	f, err := s.agentFilter(withoutEmpty(r.URL))
	if err != nil {
		return err
	}
	page := fleetPage{frame: s.frame(w, r, "fleet", "Fleet"), Filter: f, States: agentStates}
	res, err := s.agentPage(r, f)
	if err != nil {
		return err
	}
	for _, a := range res.Agents {
		page.Agents = append(page.Agents, s.agentRow(a.AgentStatus))
	}
	if page.Groups, err = s.store.AgentGroups(r.Context(), page.caller.Scope); err != nil {
		return err
	}
	if page.Counts, err = s.store.FleetCounts(r.Context(), page.caller.Scope, s.now()); err != nil {
		return err
	}
	page.Tiles = fleetTiles(page.Counts, f)
	if res.NextCursor != "" {
		q := r.URL.Query()
		q.Set("cursor", res.NextCursor)
		page.Next = "/fleet?" + q.Encode()
	}
	return s.render(w, http.StatusOK, "fleet.html", page)
}

func fleetTiles(c store.FleetCounts, f store.AgentFilter) []tile {
	plain := f.State == "" && !f.Silent && !f.Trouble
	return []tile{
		{"all agents", "/fleet", c.Agents, plain},
		{"silent", "/fleet?silent=true", c.Overdue, f.Silent},
		{"in trouble", "/fleet?trouble=true", c.Trouble, f.Trouble},
		{"on two machines", "/fleet?state=cloned", c.Cloned, f.State == store.AgentCloned},
		{"suspended", "/fleet?state=suspended", c.Suspended, f.State == store.AgentSuspended},
		{"revoked", "/fleet?state=revoked", c.Revoked, f.State == store.AgentRevoked},
	}
}

// withoutEmpty is the query without the empty fields that forms send.
func withoutEmpty(u *url.URL) string {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return u.RawQuery
	}
	for key, all := range q {
		if len(all) == 1 && all[0] == "" {
			q.Del(key)
		}
	}
	return q.Encode()
}

// agentPageView is what agent.html shows.
type agentPageView struct {
	frame
	Agent    agentRow
	Sources  []sourceView
	Counters []fact
	Facts    []fact
	Groups   []store.Count
	Alerts   []alertView
	Beat     string // the heartbeat, indented
	Actions  []string
}

// sourceView is one of the places that an agent watches.
type sourceView struct{ Name, State, Detail, Grade string }

// agentAlerts is how many alerts of an agent its page shows.
const agentAlerts = 10

func (s *Server) showAgent(w http.ResponseWriter, r *http.Request) error {
	a, err := s.agentOf(r)
	if err != nil {
		return err
	}
	page := agentPageView{frame: s.frame(w, r, "fleet", firstOf(a.Hostname, a.UID)), Agent: s.agentRow(a), Actions: agentActions(a.State)}
	page.Facts = agentFacts(a)
	doc, _ := decodeObject(a.Heartbeat)
	page.Sources, page.Counters = sourcesOf(doc), countersOf(doc)
	if len(a.Heartbeat) > 0 {
		page.Beat = indented(a.Heartbeat)
	}
	if page.Groups, err = s.store.AgentGroups(r.Context(), page.caller.Scope); err != nil {
		return err
	}
	alerts, err := s.store.Alerts(r.Context(), page.caller.Scope, store.Filter{AgentUID: a.UID, Limit: agentAlerts})
	if err != nil {
		return err
	}
	for _, one := range alerts.Alerts {
		page.Alerts = append(page.Alerts, newAlertView(one))
	}
	return s.render(w, http.StatusOK, "agent.html", page)
}

func agentFacts(a store.AgentStatus) []fact {
	interval := ""
	if a.Interval > 0 {
		interval = "every " + spokenSeconds(a.Interval.Seconds())
	}
	log := ""
	if a.Log.Seq > 0 {
		log = "line " + strconv.FormatUint(a.Log.Seq, 10) + ", arrived up to " + strconv.FormatUint(a.Log.Received, 10)
	}
	return known([]fact{
		{"Identity", a.UID, ""}, {"Operating system", a.OS, ""}, {"Version", a.Version, ""}, {"Rules", a.RulesVersion, ""},
		{"Enrolled", stamp(a.EnrolledAt), ""}, {"First seen", stamp(a.FirstSeen), ""}, {"Last seen", stamp(a.LastSeen), ""},
		{"Heartbeat", interval, ""}, {"Certificate until", stamp(a.CertExpires), ""}, {"Machine id", a.MachineID, ""}, {"Alert log", log, ""},
		{"Alerts stored", strconv.FormatInt(a.Alerts, 10), ""}, {"Records refused", strconv.FormatInt(a.Rejected, 10), ""},
	})
}

// sourcesOf lists the sources of a heartbeat. "degraded" and "failed" are not well.
func sourcesOf(doc document) []sourceView {
	var all []sourceView
	for _, v := range doc.list("status", "sources") {
		one, ok := v.(map[string]any)
		if !ok || len(all) >= maxReasons {
			continue
		}
		d := document(one)
		src := sourceView{column(d.text("name"), maxLabel), column(d.text("state"), 16), column(d.text("detail"), maxText), "good"}
		switch src.State {
		case "failed":
			src.Grade = "bad"
		case "ok":
		default:
			src.Grade = "warn"
		}
		all = append(all, src)
	}
	return all
}

func countersOf(doc document) []fact {
	counters, _ := doc.at("status", "counters").(map[string]any)
	var all []fact
	for name, v := range counters {
		if n, ok := v.(json.Number); ok && len(all) < maxReasons {
			all = append(all, fact{spoken(column(name, 64)), column(n.String(), 32), ""})
		}
	}
	slices.SortFunc(all, func(a, b fact) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// agentActions are what can be done with an agent in a state.
func agentActions(state string) []string {
	switch state {
	case store.AgentActive:
		return []string{"suspend", "revoke"}
	case store.AgentSuspended:
		return []string{"restore", "revoke"}
	case store.AgentRevoked:
		return []string{"forget"}
	}
	return []string{"revoke"}
}

func (s *Server) doAgent(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	done, back := "agent", "/fleet/"+url.PathEscape(pathID(r, "uid"))
	switch form.Get("do") {
	case "move":
		_, err = s.moveAgent(r, moveRequest{Group: strings.TrimSpace(form.Get("group"))})
	case "suspend":
		_, err = s.setAgent(r, store.AgentSuspended)
	case "restore":
		_, err = s.setAgent(r, store.AgentActive)
	case "revoke":
		_, err = s.setAgent(r, store.AgentRevoked)
	case "forget":
		done, back, err = "forgotten", "/fleet", s.deleteAgent(r)
	default:
		err = refuse(http.StatusBadRequest, "the form does not say what to do")
	}
	if err != nil {
		return err
	}
	setFlash(w, r, done, 1)
	return lead(w, r, back)
}

// rulesPage is what rules.html shows.
type rulesPage struct {
	frame
	Rules    []ruleRow
	Versions []store.Count // of rules, by agents that have them
	Days     int
	Choices  []int
}

// ruleRow is how a rule fared.
type ruleRow struct{ store.RuleStat }

// Judged counts the alerts of which somebody said what they were.
func (r ruleRow) Judged() int { return r.TruePositives + r.FalsePositives }

// FalsePercent is how many of the judged were false.
func (r ruleRow) FalsePercent() int { return 100 * r.FalsePositives / max(r.Judged(), 1) }

func (s *Server) showRules(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(withoutEmpty(r.URL), "days")
	page := rulesPage{frame: s.frame(w, r, "rules", "Rules"), Days: q.number("days", 1, 3660, 90), Choices: []int{7, 30, 90, 365}}
	if q.err != nil {
		return q.err
	}
	stats, err := s.store.RuleStats(r.Context(), page.caller.Scope, store.Filter{Since: s.now().AddDate(0, 0, -page.Days), Limit: maxLimit})
	if err != nil {
		return err
	}
	for _, stat := range stats {
		page.Rules = append(page.Rules, ruleRow{stat})
	}
	if page.Versions, err = s.store.AgentCounts(r.Context(), page.caller.Scope, "", "rules_version"); err != nil {
		return err
	}
	return s.render(w, http.StatusOK, "rules.html", page)
}

// tokensPage is what tokens.html shows.
type tokensPage struct {
	frame
	Tokens []tokenRow
	Groups []store.Count
	Days   []int
	Made   *tokenResponse // shown once
}

type tokenRow struct {
	store.Token
	State string // "", or why it enrols nobody any more
}

func (s *Server) showTokens(w http.ResponseWriter, r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	return s.renderTokens(w, r, nil, nil)
}

func (s *Server) renderTokens(w http.ResponseWriter, r *http.Request, wrong error, made *tokenResponse) error {
	status, _, text := failure(wrong)
	if wrong != nil && status == 0 {
		return wrong
	}
	page := tokensPage{frame: s.frame(w, r, "tokens", "Enrolment"), Made: made, Days: []int{1, 7, 30, 90, 365}}
	page.Wrong = text
	all, err := s.store.Tokens(r.Context(), page.caller.Scope)
	if err != nil {
		return err
	}
	for _, t := range all {
		page.Tokens = append(page.Tokens, tokenRow{t, tokenState(t, s.now())})
	}
	if page.Groups, err = s.store.AgentGroups(r.Context(), page.caller.Scope); err != nil {
		return err
	}
	if wrong == nil {
		status = http.StatusOK
	}
	return s.render(w, status, "tokens.html", page)
}

func tokenState(t store.Token, now time.Time) string {
	switch {
	case !t.RevokedAt.IsZero():
		return "revoked"
	case !now.Before(t.ExpiresAt):
		return "expired"
	case t.MaxUses > 0 && t.Uses >= t.MaxUses:
		return "used up"
	}
	return ""
}

func (s *Server) doToken(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	uses, err := strconv.Atoi(firstOf(form.Get("uses"), "0"))
	if err != nil {
		uses = -1 // is refused
	}
	made, err := s.createToken(r, tokenRequest{Group: strings.TrimSpace(form.Get("group")), Note: form.Get("note"), MaxUses: uses, ExpiresAt: s.inDays(form)})
	if err != nil {
		return s.renderTokens(w, r, err, nil)
	}
	return s.renderTokens(w, r, nil, &made)
}

func (s *Server) doTokenRevoke(w http.ResponseWriter, r *http.Request) error {
	if _, err := readForm(r); err != nil {
		return err
	}
	if err := s.deleteToken(r); err != nil {
		return err
	}
	setFlash(w, r, "revoked", 1)
	return lead(w, r, "/tokens")
}

// lettersPage is what deadletters.html shows.
type lettersPage struct {
	frame
	Letters []deadLetterView
}

func (s *Server) showDeadLetters(w http.ResponseWriter, r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	page := lettersPage{frame: s.frame(w, r, "", "Refused records")}
	letters, err := s.store.DeadLetters(r.Context(), page.caller.Scope, maxLimit)
	if err != nil {
		return err
	}
	for _, d := range letters {
		page.Letters = append(page.Letters, deadLetterView{d, column(string(d.Record), maxLabel)})
	}
	return s.render(w, http.StatusOK, "deadletters.html", page)
}
