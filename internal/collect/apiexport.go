package collect

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"meetguard/internal/store"
)

// exportPage is the number of rows that an export asks the store for at once.
const exportPage = 500

// exportFormats are the values of the query key "format".
var exportFormats = []string{"csv", "jsonl"}

// export writes rows to a client as they come from the store. Once it has begun
// it can only be cut off: the connection is broken, so that nobody takes a part
// for the whole.
type export struct {
	w      http.ResponseWriter
	csv    *csv.Writer // nil for JSON Lines
	begun  bool
	header []string
	name   string
}

func newExport(w http.ResponseWriter, format, name string, header []string) *export {
	e := &export{w: w, header: header, name: name}
	if format != "jsonl" {
		e.csv = csv.NewWriter(w)
		e.csv.UseCRLF = true // RFC 4180
	}
	return e
}

func (e *export) begin() error {
	if e.begun {
		return nil
	}
	e.begun = true
	h := e.w.Header()
	if e.csv == nil {
		h.Set("Content-Type", "application/jsonl")
		h.Set("Content-Disposition", `attachment; filename="`+e.name+`.jsonl"`)
		return nil
	}
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="`+e.name+`.csv"`)
	return e.csv.Write(e.header)
}

// row writes one row: as cells, or as one line of JSON.
func (e *export) row(v any, cells ...string) error {
	if err := e.begin(); err != nil {
		return err
	}
	if e.csv == nil {
		return writeLine(e.w, v)
	}
	for i, cell := range cells {
		cells[i] = safeCell(cell)
	}
	return e.csv.Write(cells)
}

// flush sends what was written, and gives the client another while to take it.
func (e *export) flush() error {
	if err := e.begin(); err != nil {
		return err
	}
	if e.csv != nil {
		e.csv.Flush()
		if err := e.csv.Error(); err != nil {
			return err
		}
	}
	control := http.NewResponseController(e.w)
	if err := control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return control.Flush()
}

// writeLine writes a value as one line of JSON in which nothing can be forged.
func writeLine(w io.Writer, v any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(append(escapeJSON([]byte(strings.TrimSuffix(b.String(), "\n"))), '\n'))
	return err
}

// safeCell keeps a spreadsheet from taking text for a formula: what begins like
// one gets an apostrophe before it (OWASP, CSV Injection).
func safeCell(s string) string {
	s = visible(s)
	if s != "" && strings.ContainsRune("=+-@\t\r|%", rune(s[0])) {
		return "'" + s
	}
	return s
}

// end answers an error before the first byte, and cuts off the answer after it.
func (e *export) end(s *Server, r *http.Request, err error) {
	if err == nil {
		err = e.flush()
	}
	switch {
	case err == nil:
	case !e.begun:
		s.fail(e.w, r, err)
	default:
		s.log.Warn("Export cut off", "route", r.Pattern, "error", err)
		panic(http.ErrAbortHandler)
	}
}

// alertHeader are the columns of an export of alerts.
var alertHeader = []string{
	"received_at", "time", "level", "score", "severity", "brand", "rule", "hostname", "group", "user", "path", "sha256",
	"source_host", "signer", "status", "disposition", "assignee", "closed_at", "id", "agent_uid", "finding_uid",
}

func alertCells(a store.Alert) []string {
	return []string{
		timeText(a.ReceivedAt), timeText(a.Time), a.Level, strconv.Itoa(a.Score), strconv.Itoa(a.Severity), a.Brand, a.Rule, a.Hostname,
		a.Group, a.User, a.Path, a.SHA256, a.Host, a.Signer, a.Status, a.Disposition, a.Assignee, timeText(a.ClosedAt), a.ID, a.AgentUID, a.FindingID,
	}
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// exportAlerts writes every alert that passes the filter, newest first; limit
// and cursor do not count.
func (s *Server) exportAlerts(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r.URL.RawQuery, append([]string{"format"}, filterKeys...)...)
	format := q.choice("format", exportFormats)
	f, err := filterOf(q)
	if err == nil {
		err = s.record(r, "alert.export", "", r.URL.RawQuery)
	}
	e := newExport(w, format, "alerts", alertHeader)
	if err == nil {
		f.Before, f.Limit = 0, exportPage
		err = s.writeAlerts(r.Context(), callerOf(r).Scope, f, e)
	}
	e.end(s, r, err)
}

func (s *Server) writeAlerts(ctx context.Context, scope store.Scope, f store.Filter, e *export) error {
	for {
		page, err := s.store.Alerts(ctx, scope, f)
		if err != nil {
			return err
		}
		for _, a := range page.Alerts {
			if err := e.row(a, alertCells(a)...); err != nil {
				return err
			}
		}
		if page.Next == 0 {
			return nil
		}
		f.Before = page.Next
		if err := e.flush(); err != nil {
			return err
		}
	}
}

var auditHeader = []string{"at", "who", "action", "target", "detail", "address", "id"}

// exportAudit writes the whole audit, newest first.
func (s *Server) exportAudit(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r.URL.RawQuery, "format", "who", "action")
	format := q.choice("format", exportFormats)
	f := store.AuditFilter{Who: q.text("who"), Action: q.text("action"), Limit: exportPage}
	err := q.err
	if err == nil {
		err = s.record(r, "audit.export", "", r.URL.RawQuery)
	}
	e := newExport(w, format, "audit", auditHeader)
	if err == nil {
		err = s.writeAudit(r.Context(), f, e)
	}
	e.end(s, r, err)
}

func (s *Server) writeAudit(ctx context.Context, f store.AuditFilter, e *export) error {
	for {
		entries, err := s.store.AuditLog(ctx, f)
		if err != nil {
			return err
		}
		for _, a := range entries {
			if err := e.row(a, timeText(a.At), a.Who, a.Action, a.Target, a.Detail, a.Address, a.ID); err != nil {
				return err
			}
		}
		if len(entries) < f.Limit {
			return nil
		}
		f.Before = entries[len(entries)-1].ID
		if err := e.flush(); err != nil {
			return err
		}
	}
}
