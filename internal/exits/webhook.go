package exits

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/template"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Webhook is the section of an exit to any address that takes HTTP requests.
type Webhook struct {
	Method      string            `yaml:"method,omitempty"`       // POST, PUT or PATCH; POST
	ContentType string            `yaml:"content_type,omitempty"` // application/json
	Per         string            `yaml:"per,omitempty"`          // alert: a request each (the default); batch: one for the whole batch
	Template    string            `yaml:"template,omitempty"`     // text/template over Alert, or over a list of them; none: the OCSF record
	Headers     map[string]string `yaml:"headers,omitempty"`      // that are no secrets
	HeaderFiles map[string]string `yaml:"header_files,omitempty"` // name of a header: file with its value
}

// Alert is what a webhook's template sees. Every text is one line without
// characters that deceive; it still has to be quoted for where it is put, with
// json or urlquery.
type Alert struct {
	ID, AgentUID, Hostname, Group, Level, Status    string
	Title, Message, Brand, Rule, Path, SHA256, User string
	Signature, Signer, SourceHost, CommandLine      string
	Score, Remediation                              string
	Reasons                                         []string
	Time, ReceivedAt                                string // RFC 3339, UTC
	OCSF                                            string // the whole record, JSON on one line
	view                                            view
}

// Get returns a text, number or truth of the record by its path, such as
// unmapped.mg_team_id, as a text.
func (a Alert) Get(path string) string { return a.view.text(path) }

func alertOf(v view) Alert {
	return Alert{
		ID: line(v.item.ID, maxField), AgentUID: line(v.item.AgentUID, maxField), Hostname: v.host,
		Group: line(v.item.Group, maxField), Level: line(v.item.Level, maxField), Status: line(v.item.Status, maxField),
		Title: v.text("finding_info.title"), Message: v.text("message"), Brand: v.text("unmapped.mg_brand"),
		Rule: v.text("unmapped.mg_rule"), Path: v.text("unmapped.mg_path"), SHA256: v.text("unmapped.mg_sha256"),
		User: v.text("unmapped.mg_user"), Signature: v.text("unmapped.mg_signature"), Signer: v.text("unmapped.mg_signer"),
		SourceHost: v.text("unmapped.mg_source_host"), CommandLine: v.text("unmapped.mg_command_line"),
		Score: v.text("unmapped.mg_score"), Remediation: v.text("remediation.desc"), Reasons: v.lines("unmapped.mg_reasons"),
		Time: stamp(v.time()), ReceivedAt: stamp(v.item.ReceivedAt), OCSF: string(v.ocsf()), view: v,
	}
}

func (c Config) webhook() Webhook {
	var w Webhook
	if c.Webhook != nil {
		w = *c.Webhook
	}
	if w.Method == "" {
		w.Method = http.MethodPost
	}
	if w.ContentType == "" {
		w.ContentType = "application/json"
	}
	if w.Per == "" {
		w.Per = "alert"
	}
	if w.Template == "" && w.Per == "alert" {
		w.Template = "{{.OCSF}}"
	} else if w.Template == "" {
		w.Template = "[{{range $i, $a := .}}{{if $i}},{{end}}{{$a.OCSF}}{{end}}]"
	}
	return w
}

// reservedHeaders are those that the request itself needs.
var reservedHeaders = []string{"Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection", "Trailer", "Upgrade"}

func (w Webhook) validate(p *problems) {
	p.unless(slices.Contains([]string{"POST", "PUT", "PATCH"}, w.Method), "webhook.method", "write POST, PUT or PATCH")
	_, _, err := mime.ParseMediaType(w.ContentType)
	p.unless(err == nil, "webhook.content_type", "write one such as application/json")
	p.unless(w.Per == "alert" || w.Per == "batch", "webhook.per", "write alert or batch")
	for name, value := range w.Headers {
		p.unless(httpguts.ValidHeaderFieldValue(value), "webhook.headers", "%s cannot have this value", line(name, maxWords))
		_, twice := w.HeaderFiles[name]
		p.unless(!twice, "webhook.headers", "%s stands in header_files too", line(name, maxWords))
		secret := http.CanonicalHeaderKey(name) == "Authorization"
		p.unless(!secret, "webhook.headers", "Authorization is a secret: use token_file, password_file or header_files")
		w.validateHeader(p, "webhook.headers", name)
	}
	for name := range w.HeaderFiles {
		w.validateHeader(p, "webhook.header_files", name)
	}
	if err := w.try(); err != nil {
		p.unless(false, "webhook.template", "%s", line(err.Error(), maxWords))
	}
}

func (w Webhook) validateHeader(p *problems, key, name string) {
	p.unless(httpguts.ValidHeaderFieldName(name), key, "%q is no name of a header", line(name, maxWords))
	p.unless(!slices.Contains(reservedHeaders, http.CanonicalHeaderKey(name)), key, "%s is set by the request itself", line(name, maxWords))
}

// try renders an alert whose texts hold what breaks out of JSON, so that a
// template which forgets to quote is told before a file name makes use of it.
func (w Webhook) try() error {
	t, err := w.parse()
	if err != nil {
		return err
	}
	nasty := `a"b\c, "x": {`
	v := open(Item{ID: nasty, AgentUID: nasty, Hostname: nasty, Group: nasty, Level: nasty, Status: nasty, ReceivedAt: time.Unix(0, 0)}, naming{})
	v.root = map[string]any{"message": nasty, "finding_info": map[string]any{"title": nasty}, "remediation": map[string]any{"desc": nasty},
		"unmapped": map[string]any{"mg_path": nasty, "mg_brand": nasty, "mg_rule": nasty, "mg_user": nasty, "mg_signer": nasty, "mg_sha256": nasty,
			"mg_signature": nasty, "mg_source_host": nasty, "mg_command_line": nasty, "mg_score": nasty, "mg_reasons": []any{nasty, nasty}}}
	for _, alerts := range [][]Alert{{alertOf(v)}, {alertOf(v), alertOf(v)}} {
		if _, err := w.render(t, alerts); err != nil {
			return err
		}
	}
	return nil
}

// parse reads the template. Its functions touch nothing outside it.
func (w Webhook) parse() (*template.Template, error) {
	return template.New("webhook").Option("missingkey=error").Funcs(template.FuncMap{
		"json":     func(x any) string { return string(encode(x)) },
		"urlquery": url.QueryEscape,
	}).Parse(w.Template)
}

// maxBody bounds what a template makes, in bytes.
const maxBody = 16 << 20

var (
	errTooLong = errors.New("the template makes more than 16 MiB")
	errNoJSON  = errors.New("the template does not make JSON: put every value through json, as in {{.Path | json}}, without quotes around it")
)

// render makes a body. With per: batch the template sees the list, else the
// first alert.
func (w Webhook) render(t *template.Template, alerts []Alert) ([]byte, error) {
	var data any = alerts
	if w.Per != "batch" {
		data = alerts[0]
	}
	var b bounded
	if err := t.Execute(&b, data); err != nil {
		return nil, err
	}
	if w.isJSON() && !json.Valid(b.buf.Bytes()) {
		return nil, errNoJSON
	}
	return b.buf.Bytes(), nil
}

func (w Webhook) isJSON() bool {
	kind, _, _ := mime.ParseMediaType(w.ContentType)
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// bounded is a buffer that takes at most maxBody bytes.
type bounded struct{ buf bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.buf.Len()+len(p) > maxBody {
		return 0, errTooLong
	}
	return b.buf.Write(p)
}

type webhook struct {
	cfg    Config
	opt    Webhook
	client *client
	tmpl   *template.Template
	taken  map[string]bool // alerts of a batch that failed which the receiver took all the same
}

func newWebhook(cfg Config) (Exit, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	w := &webhook{cfg: cfg, opt: cfg.webhook(), client: c, taken: map[string]bool{}}
	if w.tmpl, err = w.opt.parse(); err != nil {
		return nil, err
	}
	if _, err := w.header(); err != nil {
		return nil, err
	}
	if _, err := w.address(); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *webhook) Name() string { return w.cfg.Name }

// address is read each time, if it is a secret.
func (w *webhook) address() (string, error) {
	if w.cfg.URLFile == "" {
		return w.cfg.URL, nil
	}
	address, err := readSecret("url_file", w.cfg.URLFile)
	if err == nil {
		err = w.cfg.checkAddress(address)
	}
	if err != nil {
		return "", &Failure{Words: "url_file: " + line(err.Error(), maxWords), err: err}
	}
	return address, nil
}

func (w *webhook) header() (http.Header, error) {
	h, err := w.cfg.headers("Bearer", w.opt.ContentType)
	if err != nil {
		return nil, err
	}
	for name, value := range w.opt.Headers {
		h.Set(name, value)
	}
	for name, file := range w.opt.HeaderFiles {
		value, err := readSecret("header_files of "+name, file)
		if err != nil {
			return nil, &Failure{Words: line(err.Error(), maxWords), err: err}
		}
		h.Set(name, value)
	}
	return h, nil
}

// Send makes a request of the batch, or of every alert in turn. An alert that
// the receiver does not like does not keep the others from being sent. Of a
// batch that is sent again only the rest is sent, because behind a hook there
// may be a ticket for every request.
func (w *webhook) Send(ctx context.Context, items []Item) error {
	alerts := make([]Alert, len(items))
	for i, it := range items {
		alerts[i] = alertOf(open(it, w.cfg.naming()))
	}
	if w.opt.Per == "batch" {
		return w.request(ctx, alerts, "")
	}
	var bad []Refusal
	for i := range alerts {
		if w.taken[alerts[i].ID] {
			continue
		}
		err := w.request(ctx, alerts[i:i+1], alerts[i].ID)
		var f *Failure
		switch {
		case err == nil:
			w.taken[alerts[i].ID] = true
		case errors.As(err, &f) && f.Content:
			bad = append(bad, Refusal{items[i].ID, f.Words})
		default:
			return err
		}
	}
	clear(w.taken)
	return settle(len(items), bad)
}

// request sends one. key lets a receiver that knows Idempotency-Key tell an
// alert that it has already.
func (w *webhook) request(ctx context.Context, alerts []Alert, key string) error {
	body, err := w.opt.render(w.tmpl, alerts)
	if err != nil {
		return &Failure{Words: "make the body: " + line(innermost(err).Error(), maxWords), Content: true, err: err}
	}
	address, err := w.address()
	if err != nil {
		return err
	}
	h, err := w.header()
	if err != nil {
		return err
	}
	if key != "" && h.Get("Idempotency-Key") == "" {
		h.Set("Idempotency-Key", fmt.Sprintf("%q", key)) // a structured field: a quoted string
	}
	a, err := w.client.post(ctx, w.opt.Method, address, h, body)
	if err != nil {
		return err
	}
	if a.code < 200 || a.code >= 300 {
		return a.failure("token_file, password_file and header_files")
	}
	return nil
}
