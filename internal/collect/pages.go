package collect

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed templates/style.css
var style []byte

func parsePages() (*template.Template, error) {
	return template.New("").ParseFS(templates, "templates/*.html")
}

// pageRoutes are the pages for people and what belongs to them.
func (s *Server) pageRoutes() []route {
	return []route{
		{"GET", "/", person(people.AlertRead), 0, s.getAlertsPage},
		{"GET", "/alerts/{id}", person(people.AlertRead), 0, s.getAlertPage},
		{"GET", "/style.css", public(), 0, s.getStyle},
	}
}

// alertsPage is what alerts.html shows.
type alertsPage struct {
	Title    string
	Filter   store.Filter
	Filtered bool
	Levels   []string
	Rows     []alertView
	Older    string // link to the next page, or ""
}

// HasLevel tells whether the filter names the level.
func (p alertsPage) HasLevel(level string) bool { return slices.Contains(p.Filter.Levels, level) }

// alertPage is what alert.html shows.
type alertPage struct {
	Title string
	Alert alertView
}

// messagePage is what message.html shows.
type messagePage struct{ Title, Text string }

func (s *Server) getAlertsPage(w http.ResponseWriter, r *http.Request) {
	f, err := parseFilter(r.URL.RawQuery)
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	page, err := s.store.Alerts(r.Context(), callerOf(r).Scope, f)
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	view := alertsPage{Title: "Alerts", Filter: f, Levels: levels, Older: olderLink(r.URL.Query(), page.Next)}
	view.Filtered = strings.Join(f.Levels, "")+f.Brand+f.Rule+f.Hostname != "" || !f.Since.IsZero()
	for _, a := range page.Alerts {
		view.Rows = append(view.Rows, newAlertView(a))
	}
	s.render(w, r, http.StatusOK, "alerts.html", view)
}

func (s *Server) getAlertPage(w http.ResponseWriter, r *http.Request) {
	a, err := s.store.Alert(r.Context(), callerOf(r).Scope, r.PathValue("id"))
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	view := newAlertView(a)
	s.render(w, r, http.StatusOK, "alert.html", alertPage{Title: view.Title, Alert: view})
}

func (s *Server) getStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write(style)
}

func olderLink(q url.Values, next int64) string {
	if next == 0 {
		return ""
	}
	q.Set("cursor", cursor(next))
	return "/?" + q.Encode()
}

// render writes the page as a whole or not at all.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name string, view any) {
	var page bytes.Buffer
	if err := s.pages.ExecuteTemplate(&page, name, view); err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(page.Bytes())
}

// failPage answers an error to a person.
func (s *Server) failPage(w http.ResponseWriter, r *http.Request, err error) {
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		s.render(w, r, refused.status, "message.html", messagePage{"This address cannot be shown", refused.detail})
	case errors.Is(err, store.ErrNotFound):
		s.render(w, r, http.StatusNotFound, "message.html", messagePage{"No such alert", "The collector has no alert under this address."})
	default:
		s.fail(w, r, err)
	}
}

// maxText bounds a text of a record on a page, in bytes.
const maxText = 2048

// maxReasons bounds the reasons that are listed.
const maxReasons = 50

// alertView is an alert in words. Every text is visible (see visible), so that
// no name can reorder or hide what stands around it.
type alertView struct {
	store.Alert
	Title   string
	File    string   // name of the file without its folder
	Reasons []string // why it was flagged, the strongest first
	Advice  string   // what to do
	Facts   []fact
	Raw     string // the record, indented
}

type fact struct{ Name, Value string }

func newAlertView(a store.Alert) alertView {
	doc, _ := decodeObject(a.Record)
	v := alertView{
		Alert:   a,
		File:    fileName(doc),
		Reasons: reasons(doc),
		Advice:  column(doc.text("remediation", "desc"), maxText),
		Facts:   facts(a, doc),
		Raw:     indented(a.Record),
	}
	v.Title = firstOf(column(doc.text("finding_info", "title"), maxLabel), column(doc.text("message"), maxLabel), a.Rule, "Alert")
	return v
}

// reasons returns why the agent raised the alert, in its order.
func reasons(doc document) []string {
	var all []string
	for _, v := range doc.list("unmapped", "mg_reasons") {
		if text, ok := v.(string); ok && text != "" && len(all) < maxReasons {
			all = append(all, column(text, maxText))
		}
	}
	if len(all) > 0 {
		return all
	}
	if text := firstOf(doc.text("finding_info", "desc"), doc.text("message")); text != "" {
		return []string{column(text, maxText)}
	}
	return nil
}

// facts lists what is known, in the order in which a person asks.
func facts(a store.Alert, doc document) []fact {
	flat := func(key string) string { return column(doc.text("unmapped", key), maxText) }
	all := []fact{
		{"Path", a.Path},
		{"SHA-256", a.SHA256},
		{"Format", flat("mg_format")},
		{"Signature", flat("mg_signature")},
		{"Signer", flat("mg_signer")},
		{"Apple team", flat("mg_team_id")},
		{"Downloaded from", flat("mg_source_host")},
		{"User", flat("mg_user")},
		{"Process", column(doc.number("unmapped", "mg_pid"), maxLabel)},
		{"Rule", a.Rule},
		{"Score", strconv.Itoa(a.Score) + " of 100"},
		{"Agent", a.AgentUID},
		{"Found", stamp(a.Time)},
		{"Received", stamp(a.ReceivedAt)},
	}
	known := all[:0]
	for _, f := range all {
		if f.Value != "" {
			known = append(known, f)
		}
	}
	return known
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// Stamp is when the alert came in, for a person.
func (v alertView) Stamp() string { return stamp(v.ReceivedAt) }

// Machine is when the alert came in, for a program.
func (v alertView) Machine() string { return v.ReceivedAt.UTC().Format(time.RFC3339) }

// Badge is the level as a name of a class in style.css: one of ours only.
func (v alertView) Badge() string {
	for _, level := range levels {
		if v.Level == level {
			return level
		}
	}
	return "unknown"
}

// Why is the first reason, for a list.
func (v alertView) Why() string {
	if len(v.Reasons) == 0 {
		return "The record gives no reason."
	}
	return v.Reasons[0]
}

// fileName returns the name of the file without its folder: as the record says
// it, or else from the path.
func fileName(doc document) string {
	for _, v := range doc.list("evidences") {
		evidence, _ := v.(map[string]any)
		if name := document(evidence).text("file", "name"); name != "" {
			return column(name, maxLabel)
		}
	}
	return column(baseName(doc.text("unmapped", "mg_path")), maxLabel)
}

// baseName returns the last element of a path of any system. It must be given
// the path as it was sent: a shown one has backslashes of its own.
func baseName(path string) string {
	separators := `/\`
	if strings.HasPrefix(path, "/") {
		separators = "/" // a backslash is part of a name there
	}
	return path[strings.LastIndexAny(path, separators)+1:]
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// indented returns the record for reading.
func indented(record json.RawMessage) string {
	var buf bytes.Buffer
	if err := json.Indent(&buf, escapeJSON(compact(record)), "", "  "); err != nil {
		return visible(string(record))
	}
	return buf.String()
}
