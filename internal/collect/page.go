package collect

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static/style.css
var styleSheet []byte

//go:embed static/app.js
var script []byte

//go:embed static/icon.svg
var icon []byte

// pageRoutes are the pages for people and what belongs to them. What changes
// something is a form that posts and is led on to a page that shows it.
func (s *Server) pageRoutes() []route {
	read, triage := person(people.AlertRead), person(people.AlertTriage)
	all := []route{
		{"GET", "/style.css", public(), 0, s.static("text/css; charset=utf-8", styleSheet)},
		{"GET", "/app.js", public(), 0, s.static("text/javascript; charset=utf-8", script)},
		{"GET", "/icon.svg", public(), 0, s.static("image/svg+xml", icon)},
		{"GET", "/login", public(), 0, s.page(s.showLogin)},
		{"POST", "/login", public(), smallBody, s.page(s.doLogin)},
		{"POST", "/login/code", public(), smallBody, s.page(s.doLoginCode)},
		{"GET", "/", read, 0, s.page(s.showAlerts)},
		{"POST", "/alerts", triage, listBody, s.page(s.doBulk)},
		{"GET", "/alerts/{id}", read, 0, s.page(s.showAlert)},
		{"POST", "/alerts/{id}", triage, smallBody, s.page(s.doTriage)},
	}
	for _, part := range [][]route{s.fleetPages(), s.accountPages(), s.adminPages(), s.reportPages()} {
		all = append(all, part...)
	}
	return all
}

// pageFunc answers a person: it renders a page, leads on to another, or returns
// why not.
type pageFunc func(w http.ResponseWriter, r *http.Request) error

// page makes a handler whose errors are pages too.
func (s *Server) page(do pageFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := do(w, r); err != nil {
			s.failPage(w, r, err)
		}
	}
}

// static serves a file that is built in. Its address changes with it (see
// fileTag), so that browsers may keep it.
func (s *Server) static(media string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		w.Header().Set("Cache-Control", "public, max-age=86400")
		_, _ = w.Write(content) // an error means that the client left
	}
}

func fileTag(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:6])
}

// parsePages reads the templates. now is for what is told as an age.
func parsePages(now func() time.Time) (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{
		"ago":      func(t time.Time) string { return ago(now(), t) },
		"stamp":    stamp,
		"machine":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"day":      func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"level":    badgeOf,
		"words":    spoken,
		"seconds":  spokenSeconds,
		"styleTag": func() string { return fileTag(styleSheet) },
		"iconTag":  func() string { return fileTag(icon) },
		"codeTag":  func() string { return fileTag(script) },
		"by":       func(key, value string) string { return "/?status=any&" + key + "=" + url.QueryEscape(value) },
	}).ParseFS(templates, "templates/*.html")
}

// frame is what every page shows around its own.
type frame struct {
	Title   string
	Section string // of the navigation that the page belongs to
	Flash   string // what was done just now
	Wrong   string // why a form was not taken
	caller  caller
}

func (s *Server) frame(w http.ResponseWriter, r *http.Request, section, title string) frame {
	return frame{Title: title, Section: section, Flash: takeFlash(w, r), caller: callerOf(r)}
}

// May tells templates what to offer.
func (f frame) May(action string) bool { return f.caller.may(people.Action(action)) }

// Name is who looks on, "" for nobody.
func (f frame) Name() string {
	if f.caller.Kind == nobody {
		return ""
	}
	return f.caller.Name
}

// Local tells that the collector is open to this machine, without log-in.
func (f frame) Local() bool { return f.caller.Kind == open }

// Limited lists the groups that the person is limited to.
func (f frame) Limited() string { return strings.Join(f.caller.Scope.Groups, ", ") }

// Role of the person.
func (f frame) Role() string { return f.caller.User.Role }

// render writes the page as a whole or not at all. Texts of agents were made
// visible when they were taken; what is left that could reorder or hide text is
// made visible here, whoever wrote it.
func (s *Server) render(w http.ResponseWriter, status int, name string, view any) error {
	var page bytes.Buffer
	if err := s.pages.ExecuteTemplate(&page, name, view); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	text := page.String()
	if strings.ContainsFunc(text, misleading) {
		text = seen(text)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // as above
	return nil
}

// misleading is deceptive but for the ends of lines of our templates and of
// notes, and for the joiners that scripts and emoji of notes need.
func misleading(r rune) bool {
	return deceptive(r) && !strings.ContainsRune("\n\r\t\u200c\u200d", r)
}

// seen replaces what is misleading by its escape.
func seen(text string) string {
	var b strings.Builder
	for _, r := range text {
		if misleading(r) {
			b.WriteString(visible(string(r)))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// messagePage is what message.html shows.
type messagePage struct {
	frame
	Text string
	Back string // where to go on, a path of ours
	TLS  string // the same page by https, if that is what is missing
}

// failPage answers an error to a person.
func (s *Server) failPage(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errMustChange) && r.Method == http.MethodGet {
		http.Redirect(w, r, "/account#password", http.StatusSeeOther)
		return
	}
	status, title, text := failure(err)
	if status == 0 || s.showMessage(w, r, status, title, text) != nil {
		s.fail(w, r, err)
	}
}

// failure puts an error into words; status 0 leaves it to fail.
func failure(err error) (status int, title, text string) {
	var refused *refusal
	var often *tooMany
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &refused):
		return refused.status, refusalTitle(refused.status), sentence(refused.detail)
	case errors.As(err, &often):
		return http.StatusTooManyRequests, "Too many requests", "Please wait " + often.seconds() + " seconds and try again."
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge, "Too much at once", "The form holds more than this page takes."
	case errors.Is(err, store.ErrNotFound):
		return http.StatusNotFound, "Not found", "There is nothing under this address, or it belongs to a group that you do not see."
	case errors.Is(err, store.ErrTaken):
		return http.StatusConflict, "The name is taken", "Please choose another one."
	case errors.Is(err, store.ErrChanged):
		return http.StatusConflict, "Changed by somebody else", "Somebody changed it meanwhile. Look at it again, then repeat your change."
	}
	return 0, "", ""
}

func refusalTitle(status int) string {
	switch status {
	case http.StatusForbidden:
		return "Not allowed"
	case http.StatusConflict:
		return "Not possible now"
	case http.StatusNotFound:
		return "Not found"
	case http.StatusUnauthorized:
		return "Log in"
	}
	return "This cannot be shown"
}

// sentence makes a detail of a refusal into a sentence.
func sentence(detail string) string {
	if detail == "" {
		return ""
	}
	return strings.ToUpper(detail[:1]) + detail[1:] + "."
}

func (s *Server) showMessage(w http.ResponseWriter, r *http.Request, status int, title, text string) error {
	view := messagePage{frame: s.frame(w, r, "", title), Text: text, Back: "/"}
	if r.TLS == nil && s.authority != nil && view.caller.Kind == nobody {
		view.TLS = "https://" + r.Host + r.URL.RequestURI() // the host was checked: it means this machine
	}
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	if r.Method == http.MethodPost && r.PostForm != nil {
		view.Back = people.LocalPath(r.PostForm.Get("back"))
	}
	return s.render(w, status, "message.html", view)
}

// readForm reads what a form posted; the guard bounds it.
func readForm(r *http.Request) (url.Values, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, refuse(http.StatusUnsupportedMediaType, "Content-Type must be application/x-www-form-urlencoded")
	}
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, err
		}
		return nil, refuse(http.StatusBadRequest, "the form cannot be read")
	}
	return r.PostForm, nil
}

// lead sends the browser on after a form, to where it says, or to fallback.
func lead(w http.ResponseWriter, r *http.Request, fallback string) error {
	to := fallback
	if back := r.PostForm.Get("back"); back != "" {
		to = people.LocalPath(back)
	}
	http.Redirect(w, r, to, http.StatusSeeOther) // #nosec G710 -- people.LocalPath leads to no other site
	return nil
}

// flashCookie carries the code of a flash to the next page.
const flashCookie = "mg-flash"

// flashTexts are what was done, by code. The code comes from a cookie: it chooses
// a text and a number and can say nothing of its own.
var flashTexts = map[string][2]string{ // for one, for many
	"take":       {"You took 1 alert.", "You took %d alerts."},
	"close":      {"1 alert is closed.", "%d alerts are closed."},
	"reopen":     {"1 alert is open again.", "%d alerts are open again."},
	"release":    {"1 alert was given back.", "%d alerts were given back."},
	"note":       {"The note was added.", "The note was added to %d alerts."},
	"none":       {"Nothing was changed: it was like that already.", "Nothing was changed: it was like that already."},
	"job":        {"The work goes on in the background.", "The work on %d findings goes on in the background."},
	"agent":      {"The agent was changed.", "%d agents were changed."},
	"forgotten":  {"The agent was forgotten.", "%d agents were forgotten."},
	"exception":  {"The exception holds from now on.", ""},
	"ended":      {"The exception has ended.", ""},
	"revoked":    {"The token is revoked.", ""},
	"password":   {"The password is changed. All other sessions have ended.", ""},
	"totp-off":   {"One-time codes are removed.", ""},
	"session":    {"The session has ended.", "%d sessions have ended."},
	"user":       {"The account was changed.", ""},
	"user-gone":  {"The account was deleted.", ""},
	"logged-out": {"You are logged out.", ""},
}

func setFlash(w http.ResponseWriter, r *http.Request, code string, n int) {
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Value: code + "." + strconv.Itoa(n), Path: "/", MaxAge: 60, // #nosec G124 -- Secure wherever there is TLS
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
}

func takeFlash(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(flashCookie)
	if err != nil || r.Method != http.MethodGet {
		return ""
	}
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode}) // #nosec G124 -- Secure wherever there is TLS
	code, number, _ := strings.Cut(c.Value, ".")
	texts, known := flashTexts[code]
	n, err := strconv.Atoi(number)
	switch {
	case !known || err != nil || n < 0:
		return ""
	case n == 1 || texts[1] == "":
		return texts[0]
	case strings.Contains(texts[1], "%d"):
		return fmt.Sprintf(texts[1], n)
	}
	return texts[1]
}
