package collect

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"meetguard/internal/store"
)

// exceptionsPage is what exceptions.html shows.
type exceptionsPage struct {
	frame
	Holding, Over []exceptionRow
}

// exceptionRow is an exception in words.
type exceptionRow struct {
	store.Exception
	Conditions []fact
	MayEnd     bool
}

func newExceptionRow(e store.Exception) exceptionRow {
	return exceptionRow{Exception: e, Conditions: known([]fact{
		{"SHA-256", e.SHA256, ""}, {"Rule", e.Rule, ""}, {"Brand", e.Brand, ""}, {"Signer", e.Signer, ""},
		{"Host of origin", e.Host, ""}, {"Path begins with", e.Path, ""}, {"Machine", e.Hostname, ""},
	})}
}

func (s *Server) showExceptions(w http.ResponseWriter, r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	page := exceptionsPage{frame: s.frame(w, r, "exceptions", "Exceptions")}
	all, err := s.store.Exceptions(r.Context(), page.caller.Scope)
	if err != nil {
		return err
	}
	for _, e := range all {
		row := newExceptionRow(e)
		row.MayEnd = e.Group != "" || page.caller.Scope.All
		if e.EndedAt.IsZero() && s.now().Before(e.ExpiresAt) {
			page.Holding = append(page.Holding, row)
		} else {
			page.Over = append(page.Over, row)
		}
	}
	return s.render(w, http.StatusOK, "exceptions.html", page)
}

// exceptionForm is what exception.html shows: the conditions, and what they
// would have hidden.
type exceptionForm struct {
	frame
	Form    url.Values
	Groups  []store.Count
	AllToo  bool // the person may make one for all groups
	Days    []int
	Preview *previewResponse
	Rows    []alertView // of the preview
	From    string      // alert that it began at
}

// Get is a field of the form.
func (f exceptionForm) Get(key string) string { return f.Form.Get(key) }

// exceptionKeys are the fields that a new exception can begin with.
var exceptionKeys = []string{"from", "group", "sha256", "rule", "brand", "signer", "source_host", "path", "hostname"}

func (s *Server) showNewException(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(withoutEmpty(r.URL), exceptionKeys...)
	if q.err != nil {
		return q.err
	}
	return s.renderException(w, r, q.values, nil)
}

// renderException shows the form with its preview, as soon as it has conditions.
func (s *Server) renderException(w http.ResponseWriter, r *http.Request, form url.Values, wrong error) error {
	status, _, text := failure(wrong)
	if wrong != nil && status == 0 {
		return wrong
	}
	if wrong == nil {
		status = http.StatusOK
	}
	page := exceptionForm{frame: s.frame(w, r, "exceptions", "New exception"), Form: form, Days: []int{7, 30, 90, 180, 365}, From: form.Get("from")}
	page.Wrong, page.AllToo = text, page.caller.Scope.All
	var err error
	if page.Groups, err = s.store.AgentGroups(r.Context(), page.caller.Scope); err != nil {
		return err
	}
	preview, err := s.previewException(r, s.exceptionOf(form))
	var refused *refusal
	switch {
	case errors.As(err, &refused), errors.Is(err, store.ErrNotFound): // no conditions yet, or wrong ones
	case err != nil:
		return err
	default:
		page.Preview = &preview
		for _, a := range preview.Alerts {
			page.Rows = append(page.Rows, newAlertView(a))
		}
	}
	return s.render(w, status, "exception.html", page)
}

func (s *Server) exceptionOf(form url.Values) exceptionRequest {
	field := func(key string) string { return strings.TrimSpace(form.Get(key)) }
	return exceptionRequest{
		Group: field("group"), SHA256: field("sha256"), Rule: field("rule"), Brand: field("brand"), Signer: field("signer"), Host: field("source_host"),
		Path: field("path"), Hostname: field("hostname"), Why: strings.ReplaceAll(field("why"), "\r\n", "\n"), ExpiresAt: s.inDays(form),
	}
}

// doException shows what the conditions would hide, or makes the exception. The
// button that makes it stands below a preview only.
func (s *Server) doException(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	q := s.exceptionOf(form)
	if form.Get("do") != "create" {
		_, err := s.exception(r, q)
		return s.renderException(w, r, form, err)
	}
	if _, err := s.createException(r, q); err != nil {
		return s.renderException(w, r, form, err)
	}
	setFlash(w, r, "exception", 1)
	http.Redirect(w, r, "/exceptions", http.StatusSeeOther)
	return nil
}

func (s *Server) doExceptionEnd(w http.ResponseWriter, r *http.Request) error {
	if _, err := readForm(r); err != nil {
		return err
	}
	if _, err := s.postExceptionEnd(r); err != nil {
		return err
	}
	setFlash(w, r, "ended", 1)
	return lead(w, r, "/exceptions")
}

// Until is when it stopped to hold.
func (e exceptionRow) Until() time.Time {
	if e.EndedAt.IsZero() {
		return e.ExpiresAt
	}
	return e.EndedAt
}
