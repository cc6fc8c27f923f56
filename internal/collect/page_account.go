package collect

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// accountPages are about the person who is logged in.
func (s *Server) accountPages() []route {
	self := person(people.SelfManage)
	return []route{
		{"POST", "/logout", self, smallBody, s.page(s.doLogout)},
		{"GET", "/account", self, 0, s.page(s.showAccount)},
		{"POST", "/account/password", self, smallBody, s.page(s.doPassword)},
		{"POST", "/account/totp", self, smallBody, s.page(s.doTOTP)},
		{"POST", "/account/totp/confirm", self, smallBody, s.page(s.doTOTPConfirm)},
		{"POST", "/account/totp/remove", self, smallBody, s.page(s.doTOTPRemove)},
		{"POST", "/account/tokens", self, smallBody, s.page(s.doAPIToken)},
		{"POST", "/account/sessions/end", self, smallBody, s.page(s.doEndSession)},
	}
}

// loginPage is what login.html shows: name and password, or the second step.
type loginPage struct {
	frame
	Next   string
	Login  string // name that was typed
	Ticket string // of the second step, "" at the first
	OIDC   bool
	Plain  bool // the page came by plain HTTP: no log-in
}

func (s *Server) loginView(w http.ResponseWriter, r *http.Request, next string) loginPage {
	page := loginPage{frame: s.frame(w, r, "", "Log in"), Next: people.LocalPath(next), OIDC: s.oidc != nil, Plain: r.TLS == nil}
	page.caller = caller{}
	return page
}

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r.URL.RawQuery, "next")
	if q.err != nil {
		return q.err
	}
	next := people.LocalPath(q.values.Get("next"))
	if callerOf(r).Kind == human {
		http.Redirect(w, r, next, http.StatusSeeOther) // #nosec G710 -- people.LocalPath leads to no other site
		return nil
	}
	return s.render(w, http.StatusOK, "login.html", s.loginView(w, r, next))
}

func (s *Server) doLogin(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	page := s.loginView(w, r, form.Get("next"))
	page.Login = form.Get("name")
	res, err := s.login(w, r, loginRequest{Name: page.Login, Password: form.Get("password"), Code: form.Get("code")})
	page.Ticket = res.Ticket
	return s.afterLogin(w, r, page, res, err)
}

func (s *Server) doLoginCode(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	page := s.loginView(w, r, form.Get("next"))
	page.Ticket = form.Get("ticket")
	res, err := s.loginTOTP(w, r, totpLoginRequest{Ticket: page.Ticket, Code: form.Get("code")})
	if errors.Is(err, errTicket) {
		page.Ticket = "" // begin again
	}
	return s.afterLogin(w, r, page, res, err)
}

// afterLogin leads on, shows the next step, or says why not.
func (s *Server) afterLogin(w http.ResponseWriter, r *http.Request, page loginPage, res loginResponse, err error) error {
	status, _, text := failure(err)
	switch {
	case err != nil && status == 0:
		return err
	case err != nil:
		page.Wrong = text
		return s.render(w, status, "login.html", page)
	case res.State == loginTOTP:
		return s.render(w, http.StatusOK, "login.html", page)
	}
	http.Redirect(w, r, page.Next, http.StatusSeeOther)
	return nil
}

func (s *Server) doLogout(w http.ResponseWriter, r *http.Request) error {
	if err := s.logout(w, r); err != nil {
		return err
	}
	setFlash(w, r, "logged-out", 1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}

// accountPage is what account.html shows.
type accountPage struct {
	frame
	User        userView
	HasPassword bool // here, and not at a provider
	Sessions    []store.Session
	Tokens      []store.Session
	Own         string        // this session
	Setup       *totpResponse // codes that are being set up
	Codes       []string      // recovery codes, shown once
	Secret      string        // of a new API token, shown once
	Days        []int         // that an API token may last
}

func (s *Server) accountView(w http.ResponseWriter, r *http.Request) (accountPage, error) {
	c := callerOf(r)
	page := accountPage{frame: s.frame(w, r, "account", "Your account"), User: viewUser(c.User), Own: c.Session.Hash, Days: []int{7, 30, 90, 365}}
	page.HasPassword = c.User.PasswordHash != ""
	if c.Kind != human {
		return page, errNoAccount
	}
	all, err := s.store.Sessions(r.Context(), c.User.ID, s.now())
	for _, one := range all {
		if isAPIToken(one) {
			page.Tokens = append(page.Tokens, one)
		} else {
			page.Sessions = append(page.Sessions, one)
		}
	}
	return page, err
}

func (s *Server) showAccount(w http.ResponseWriter, r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	return s.renderAccount(w, r, nil, func(*accountPage) {})
}

// renderAccount shows the account with what a form has led to, or with why it was
// not taken.
func (s *Server) renderAccount(w http.ResponseWriter, r *http.Request, wrong error, fill func(*accountPage)) error {
	status, _, text := failure(wrong)
	if wrong != nil && status == 0 {
		return wrong
	}
	page, err := s.accountView(w, r)
	if err != nil {
		return err
	}
	if wrong == nil {
		status = http.StatusOK
	}
	page.Wrong = text
	fill(&page)
	return s.render(w, status, "account.html", page)
}

func (s *Server) doPassword(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	if form.Get("new") != form.Get("again") {
		err = refuse(http.StatusBadRequest, "the new password was typed differently the second time")
	} else {
		err = s.changePassword(w, r, passwordRequest{Old: form.Get("old"), New: form.Get("new")})
	}
	if err != nil {
		return s.renderAccount(w, r, err, func(*accountPage) {})
	}
	setFlash(w, r, "password", 1)
	return lead(w, r, "/account")
}

func (s *Server) doTOTP(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	res, err := s.beginTOTP(r, confirmRequest{Password: form.Get("password")})
	return s.renderAccount(w, r, err, func(p *accountPage) {
		if err == nil {
			p.Setup = &res
		}
	})
}

func (s *Server) doTOTPConfirm(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	res, err := s.confirmTOTP(r, totpLoginRequest{Ticket: form.Get("ticket"), Code: form.Get("code")})
	return s.renderAccount(w, r, err, func(p *accountPage) {
		p.Codes = res.Codes
		p.User.TOTP = p.User.TOTP || err == nil
		if err != nil && !errors.Is(err, errTicket) { // the same secret again, the code was mistyped
			p.Setup = &totpResponse{Secret: form.Get("secret"), URI: form.Get("uri"), Ticket: form.Get("ticket")}
		}
	})
}

func (s *Server) doTOTPRemove(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	if err := s.removeTOTP(r, confirmRequest{Password: form.Get("password")}); err != nil {
		return s.renderAccount(w, r, err, func(*accountPage) {})
	}
	setFlash(w, r, "totp-off", 1)
	return lead(w, r, "/account")
}

func (s *Server) doAPIToken(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	res, err := s.createAPIToken(r, apiTokenRequest{Note: form.Get("note"), ExpiresAt: s.inDays(form)})
	return s.renderAccount(w, r, err, func(p *accountPage) { p.Secret = res.Secret })
}

// inDays reads how many days something shall last. What cannot be read is now,
// which is refused as an end.
func (s *Server) inDays(form url.Values) time.Time {
	days, err := strconv.Atoi(form.Get("days"))
	if err != nil || days < 0 || days > 366 {
		days = 0
	}
	return s.now().UTC().AddDate(0, 0, days)
}

func (s *Server) doEndSession(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	c := callerOf(r)
	if c.Kind != human {
		return errNoAccount
	}
	if err := s.endSession(r, c.User.ID, form.Get("session")); err != nil {
		return err
	}
	setFlash(w, r, "session", 1)
	return lead(w, r, "/account")
}
