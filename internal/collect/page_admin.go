package collect

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// adminPages are about the collector and its people.
func (s *Server) adminPages() []route {
	manage := person(people.UserManage)
	return []route{
		{"GET", "/people", person(people.UserRead), 0, s.page(s.showPeople)},
		{"POST", "/people", manage, smallBody, s.page(s.doNewUser)},
		{"POST", "/people/{id}", manage, smallBody, s.page(s.doUser)},
		{"GET", "/audit", person(people.AuditRead), 0, s.page(s.showAudit)},
		{"GET", "/settings", person(people.SettingsRead), 0, s.page(s.showSettings)},
	}
}

// peoplePage is what people.html shows.
type peoplePage struct {
	frame
	Users  []userView
	Roles  []string
	Groups []store.Count
	Made   *newUserResponse // with a first password, shown once
}

func (s *Server) showPeople(w http.ResponseWriter, r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	return s.renderPeople(w, r, nil, nil)
}

func (s *Server) renderPeople(w http.ResponseWriter, r *http.Request, wrong error, made *newUserResponse) error {
	status, _, text := failure(wrong)
	if wrong != nil && status == 0 {
		return wrong
	}
	if wrong == nil {
		status = http.StatusOK
	}
	page := peoplePage{frame: s.frame(w, r, "people", "People"), Roles: roles, Made: made}
	page.Wrong = text
	users, err := s.store.Users(r.Context())
	if err != nil {
		return err
	}
	for _, u := range users {
		page.Users = append(page.Users, viewUser(u))
	}
	if page.Groups, err = s.store.AgentGroups(r.Context(), page.caller.Scope); err != nil {
		return err
	}
	return s.render(w, status, "people.html", page)
}

func (s *Server) doNewUser(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	made, err := s.createUser(r, userRequest{Name: strings.TrimSpace(form.Get("name")), Role: form.Get("role"), Groups: groupsOf(form)})
	if err != nil {
		return s.renderPeople(w, r, err, nil)
	}
	return s.renderPeople(w, r, nil, &made)
}

// groupsOf reads groups between commas.
func groupsOf(form url.Values) []string {
	all := strings.Split(form.Get("groups"), ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return slices.DeleteFunc(all, func(g string) bool { return g == "" })
}

func (s *Server) doUser(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	done := "user"
	switch form.Get("do") {
	case "change":
		role, groups := form.Get("role"), groupsOf(form)
		_, err = s.changeUser(r, userPatch{Role: &role, Groups: &groups})
	case "disable", "enable":
		disabled := form.Get("do") == "disable"
		_, err = s.changeUser(r, userPatch{Disabled: &disabled})
	case "sessions":
		done = "session"
		_, err = s.deleteUserSessions(r)
	case "delete":
		done, err = "user-gone", s.deleteUser(r)
	case "reset":
		return s.doReset(w, r)
	default:
		err = refuse(http.StatusBadRequest, "the form does not say what to do")
	}
	if err != nil {
		return s.renderPeople(w, r, err, nil)
	}
	setFlash(w, r, done, 1)
	return lead(w, r, "/people")
}

// doReset gives an account a new first password, which is shown once.
func (s *Server) doReset(w http.ResponseWriter, r *http.Request) error {
	v, err := s.postUserReset(r)
	if err != nil {
		return s.renderPeople(w, r, err, nil)
	}
	made, _ := v.(newUserResponse)
	return s.renderPeople(w, r, nil, &made)
}

// auditPageView is what audit.html shows.
type auditPageView struct {
	frame
	Filter  store.AuditFilter
	Entries []store.AuditEntry
	Next    string
	Query   string // of the export
}

// Export is the address of an export of what the filter chooses.
func (p auditPageView) Export(format string) string {
	return "/v1/export/audit?" + strings.TrimSuffix("format="+format+"&"+p.Query, "&")
}

func (s *Server) showAudit(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(withoutEmpty(r.URL), "limit", "cursor", "who", "action")
	page := auditPageView{frame: s.frame(w, r, "audit", "Audit")}
	page.Filter = store.AuditFilter{Who: q.text("who"), Action: q.text("action"), Before: q.keyCursor(), Limit: q.limit()}
	if q.err != nil {
		return q.err
	}
	res, err := s.auditPage(r, page.Filter)
	if err != nil {
		return err
	}
	page.Entries = res.Entries
	q.values.Del("cursor")
	q.values.Del("limit")
	page.Query = q.values.Encode()
	if res.NextCursor != "" {
		q.values.Set("cursor", res.NextCursor)
		page.Next = "/audit?" + q.values.Encode()
	}
	return s.render(w, http.StatusOK, "audit.html", page)
}

// settingsPage is what settings.html shows.
type settingsPage struct {
	frame
	Settings  settingsResponse
	Exits     []exitView
	Jobs      []jobView
	Retention []fact
	Collector string
	Healthy   bool
}

// jobsShown is how many of the newest jobs are shown.
const jobsShown = 20

func (s *Server) showSettings(w http.ResponseWriter, r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	page := settingsPage{frame: s.frame(w, r, "settings", "Settings"), Collector: s.name, Retention: s.retentionFacts()}
	page.Healthy = s.store.Ready(r.Context()) == nil
	var err error
	if page.Settings, err = s.settings(r); err != nil {
		return err
	}
	exits, err := s.exitStates(r)
	if err != nil {
		return err
	}
	page.Exits = exits.Exits
	jobs, err := s.store.Jobs(r.Context(), jobsShown)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		page.Jobs = append(page.Jobs, viewJob(j))
	}
	return s.render(w, http.StatusOK, "settings.html", page)
}

func (s *Server) retentionFacts() []fact {
	keep := s.cfg.Retention
	days := func(d float64) string {
		if d == 0 {
			return "for ever"
		}
		return spokenSeconds(d)
	}
	return []fact{
		{"Closed and suppressed alerts", days(keep.Closed.Seconds()), ""},
		{"Open alerts", days(keep.Open.Seconds()), ""},
		{"Audit", days(keep.Audit.Seconds()), ""},
	}
}
