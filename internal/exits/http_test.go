package exits

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// product is a small stand-in of a receiver: it checks a request field by field
// and answers like the real one.
type product struct {
	kind   string
	config func(*Config)
	accept func(t *testing.T, r *http.Request, body []byte) (ids []string, answer string)
}

const secret = "s3cr3t-of-the-test"

func products(t testing.TB) []product {
	token := write(t, "token", []byte(secret+"\n"))
	return []product{
		{"splunk", func(c *Config) { c.TokenFile = token }, acceptHEC},
		{"elastic", func(c *Config) { c.TokenFile = token }, acceptBulk},
		{"otlp", func(c *Config) { c.TokenFile = token }, acceptOTLP},
		{"webhook", func(c *Config) {
			c.Webhook = &Webhook{Per: "batch", HeaderFiles: map[string]string{"X-Key": token}}
		}, acceptHook},
	}
}

func wantHeader(t *testing.T, r *http.Request, name, want string) {
	t.Helper()
	if got := r.Header.Get(name); got != want {
		t.Errorf("%s: header %s is %q, want %q", r.URL.Path, name, got, want)
	}
}

// strict decodes JSON whose every field is known.
func strict(t *testing.T, data []byte, into any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		t.Errorf("a body cannot be read: %v: %.300s", err, data)
	}
	if dec.More() {
		t.Errorf("something follows the JSON: %.300s", data)
	}
}

// alertID reads the id out of a record that was sent.
func alertID(t *testing.T, record []byte) string {
	t.Helper()
	var r struct {
		ClassUID int    `json:"class_uid"`
		StatusID int    `json:"status_id"`
		Status   string `json:"status"`
		Unmapped struct {
			ID    string `json:"mg_alert_id"`
			Group string `json:"mg_group"`
		} `json:"unmapped"`
		Disposition int `json:"disposition_id"`
	}
	if err := json.Unmarshal(record, &r); err != nil {
		t.Errorf("a record cannot be read: %v", err)
	}
	if r.ClassUID != 2004 || r.StatusID != 2 || r.Status != "In Progress" || r.Disposition != 15 || r.Unmapped.Group != "finance" {
		t.Errorf("the record is %+v", r)
	}
	return r.Unmapped.ID
}

// acceptHEC: "Format events for HTTP Event Collector".
func acceptHEC(t *testing.T, r *http.Request, body []byte) ([]string, string) {
	wantHeader(t, r, "Authorization", "Splunk "+secret)
	if r.URL.Path != "/services/collector/event" || r.Method != "POST" {
		t.Errorf("request to %s %s", r.Method, r.URL.Path)
	}
	var ids []string
	for l := range bytes.Lines(body) {
		var e struct {
			Time       json.Number       `json:"time"`
			Host       string            `json:"host"`
			Source     string            `json:"source"`
			SourceType string            `json:"sourcetype"`
			Index      string            `json:"index"`
			Event      json.RawMessage   `json:"event"`
			Fields     map[string]string `json:"fields"`
		}
		strict(t, l, &e)
		id := alertID(t, e.Event)
		if e.Time != "1795348800.000" || e.Host != "lt-0042" || e.Source != "meetguard" || e.SourceType != "meetguard:ocsf" || e.Fields["mg_alert_id"] != id {
			t.Errorf("the event is %.300s", l)
		}
		ids = append(ids, id)
	}
	return ids, `{"text":"Success","code":0,"ackId":7}`
}

// acceptBulk: "Bulk index or delete documents", action create.
func acceptBulk(t *testing.T, r *http.Request, body []byte) ([]string, string) {
	wantHeader(t, r, "Authorization", "ApiKey "+secret)
	wantHeader(t, r, "Content-Type", "application/x-ndjson")
	if r.URL.Path != "/logs-meetguard.alerts-default/_bulk" || !bytes.HasSuffix(body, []byte("\n")) {
		t.Errorf("request to %s, ends in %q", r.URL.Path, body[max(len(body)-1, 0):])
	}
	var ids, items []string
	lines := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		var action struct {
			Create struct {
				ID string `json:"_id"`
			} `json:"create"`
		}
		strict(t, []byte(lines[i]), &action)
		var doc struct {
			Stamp     time.Time `json:"@timestamp"`
			Meetguard struct {
				ID string `json:"alert_id"`
			} `json:"meetguard"`
		}
		if err := json.Unmarshal([]byte(lines[i+1]), &doc); err != nil || doc.Stamp.IsZero() || doc.Meetguard.ID != action.Create.ID {
			t.Errorf("the document of %s is %.300s (%v)", action.Create.ID, lines[i+1], err)
		}
		ids = append(ids, action.Create.ID)
		items = append(items, `{"create":{"_index":"x","_id":"`+action.Create.ID+`","status":201,"result":"created"}}`)
	}
	return ids, `{"took":3,"errors":false,"items":[` + strings.Join(items, ",") + `]}`
}

// acceptOTLP: ExportLogsServiceRequest in the JSON encoding of protobuf.
func acceptOTLP(t *testing.T, r *http.Request, body []byte) ([]string, string) {
	wantHeader(t, r, "Authorization", "Bearer "+secret)
	wantHeader(t, r, "Content-Type", "application/json")
	if r.URL.Path != "/v1/logs" {
		t.Errorf("request to %s", r.URL.Path)
	}
	type attribute struct {
		Key   string `json:"key"`
		Value struct {
			Text *string `json:"stringValue"`
		} `json:"value"`
	}
	var req struct {
		ResourceLogs []struct {
			Resource struct {
				Attributes []attribute `json:"attributes"`
			} `json:"resource"`
			ScopeLogs []struct {
				Scope struct {
					Name string `json:"name"`
				} `json:"scope"`
				LogRecords []struct {
					Time       string `json:"timeUnixNano"`
					Observed   string `json:"observedTimeUnixNano"`
					Severity   int    `json:"severityNumber"`
					SeverityTx string `json:"severityText"`
					Event      string `json:"eventName"`
					Body       struct {
						Text string `json:"stringValue"`
					} `json:"body"`
					Attributes []attribute `json:"attributes"`
				} `json:"logRecords"`
			} `json:"scopeLogs"`
		} `json:"resourceLogs"`
	}
	strict(t, body, &req)
	var ids []string
	for _, rl := range req.ResourceLogs {
		for _, a := range rl.Resource.Attributes {
			if a.Value.Text == nil || a.Key == "service.name" && *a.Value.Text != "meetguard" || a.Key == "host.name" && *a.Value.Text != "lt-0042" {
				t.Errorf("attribute %+v", a)
			}
		}
		for _, l := range rl.ScopeLogs[0].LogRecords {
			if l.Time != "1795348800000000000" || l.Observed != "1795348803000000000" || l.Severity != 17 || l.SeverityTx != "ERROR" || len(l.Attributes) < 8 {
				t.Errorf("the log record is %+v", l)
			}
			ids = append(ids, alertID(t, []byte(l.Body.Text)))
		}
	}
	if len(req.ResourceLogs) != 1 {
		t.Errorf("one machine's alerts stand under %d resources", len(req.ResourceLogs))
	}
	return ids, `{"partialSuccess":{}}`
}

func acceptHook(t *testing.T, r *http.Request, body []byte) ([]string, string) {
	wantHeader(t, r, "X-Key", secret)
	var records []json.RawMessage
	strict(t, body, &records)
	var ids []string
	for _, rec := range records {
		ids = append(ids, alertID(t, rec))
	}
	return ids, "thanks"
}

// play is how a receiver behaves for one request.
type play func(t *testing.T, w http.ResponseWriter, r *http.Request, answer string)

func code(code int, header ...string) play {
	return func(_ *testing.T, w http.ResponseWriter, _ *http.Request, _ string) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		io.WriteString(w, `{"text":"said by the receiver","code":9}`)
	}
}

func good(_ *testing.T, w http.ResponseWriter, _ *http.Request, answer string) {
	io.WriteString(w, answer)
}

// hijack hands the connection to f, which breaks it in some way.
func hijack(f func(net.Conn, *bufio.ReadWriter, string)) play {
	return func(t *testing.T, w http.ResponseWriter, _ *http.Request, answer string) {
		conn, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		f(conn, buf, answer)
		buf.Flush()
	}
}

// stage is a receiver that plays a list and is good when it is at its end.
type stage struct {
	*httptest.Server
	mu    sync.Mutex
	plays []play
	seen  int
	received
}

func newStage(t *testing.T, p product, ca *authority, plays ...play) *stage {
	s := &stage{plays: plays}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		ids, answer := p.accept(t, r, body)
		s.next(ids)(t, w, r, answer)
	}))
	cert, _, _ := ca.issue(t)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// next takes the next play. What is good, and what is not told in full, has
// taken the items.
func (s *stage) next(ids []string) play {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen++
	if len(s.plays) == 0 {
		s.add(ids...)
		return good
	}
	next := s.plays[0]
	s.plays = s.plays[1:]
	return next
}

func (s *stage) config(p product, ca *authority) Config {
	c := Config{Name: "test-" + p.kind, Type: p.kind, URL: s.URL, CAFile: ca.file, Batch: 4, Timeout: time.Minute}
	p.config(&c)
	return c
}

func mustNew(t testing.TB, c Config) Exit {
	t.Helper()
	exit, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeIdle(exit) })
	return exit
}

func closeIdle(exit Exit) {
	switch e := exit.(type) {
	case *splunk:
		e.client.http.CloseIdleConnections()
	case *elastic:
		e.client.http.CloseIdleConnections()
	case *otlp:
		e.client.http.CloseIdleConnections()
	case *webhook:
		e.client.http.CloseIdleConnections()
	}
}

// TestEveryTrouble lets a receiver misbehave in every way, one request after
// another, and wants everything delivered in the end.
func TestEveryTrouble(t *testing.T) {
	ca := newAuthority(t)
	reset := hijack(func(c net.Conn, b *bufio.ReadWriter, _ string) {
		b.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{")
		b.Flush()
		c.(*tls.Conn).NetConn().(*net.TCPConn).SetLinger(0)
	})
	half := hijack(func(_ net.Conn, b *bufio.ReadWriter, answer string) {
		fmt.Fprintf(b, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer)+10, answer)
	})
	plays := []struct {
		words string
		play  play
	}{
		{"has trouble (503 Service Unavailable)", code(503, "Retry-After", "7")},
		{"asks for a pause (429)", code(429)},
		{"does not accept the credentials (401)", code(401)},
		{"does not allow this (403)", code(403)},
		{"knows nothing under this path (404)", code(404)},
		{"is not followed", code(302, "Location", "https://trap.invalid/")},
		{"broke off the connection", reset},
		{"broke off the connection", half},
	}
	for _, p := range products(t) {
		t.Run(p.kind, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, p, ca)
			for _, x := range plays {
				s.plays = append(s.plays, x.play)
			}
			m := &memory{items: many(t, 10)}
			cfg := s.config(p, ca)
			pump, delays := run(t, cfg, mustNew(t, cfg), m, 20)
			s.check(t, m.items)
			if m.cursor != 100 || m.sent != 10 {
				t.Errorf("cursor %d, sent %d; want 100 and 10", m.cursor, m.sent)
			}
			if len(m.failures) != len(plays) {
				t.Fatalf("%d failures, want %d: %q", len(m.failures), len(plays), m.failures)
			}
			for i, x := range plays {
				if !strings.Contains(m.failures[i], x.words) || strings.Contains(m.failures[i], secret) {
					t.Errorf("failure %d reads %q, want %q in it", i, m.failures[i], x.words)
				}
			}
			if delays[0] < 7*time.Second {
				t.Errorf("Retry-After 7 was followed by a delay of %s", delays[0])
			}
			if h := pump.Health(); h.Sent != 10 || h.Errors != int64(len(plays)) || h.Error != "" || h.Seq != 100 || h.State != StateIdle {
				t.Errorf("health is %+v", h)
			}
		})
	}
}

// TestSlowReceiver lets a receiver answer to nothing for once. On a busy machine
// other answers may come too late, too: that is told of each in the same way, and
// in the end everything is there.
func TestSlowReceiver(t *testing.T) {
	ca := newAuthority(t)
	slow := func(_ *testing.T, _ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() } // until the client gives up
	for _, p := range products(t) {
		t.Run(p.kind, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, p, ca, slow)
			m := &memory{items: many(t, 10)}
			cfg := s.config(p, ca)
			cfg.Timeout = time.Second
			pump, _ := run(t, cfg, mustNew(t, cfg), m, 50)
			s.check(t, m.items)
			if m.cursor != 100 || m.sent != 10 || len(m.failures) == 0 || pump.Health().Errors != int64(len(m.failures)) {
				t.Errorf("cursor %d, sent %d, failures %q, health %+v", m.cursor, m.sent, m.failures, pump.Health())
			}
			for _, told := range m.failures {
				if !strings.Contains(told, "did not answer within 1s") || strings.Contains(told, secret) {
					t.Errorf("a failure reads %q", told)
				}
			}
		})
	}
}

// TestOtherAuthority wants a receiver with a certificate that nobody vouches
// for to be told nothing.
func TestOtherAuthority(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	for _, p := range products(t) {
		s := newStage(t, p, theirs)
		s.Config.ErrorLog = discard()
		m := &memory{items: many(t, 3)}
		cfg := s.config(p, ours)
		run(t, cfg, mustNew(t, cfg), m, 3)
		if m.cursor != 0 || s.seen != 0 || !strings.Contains(m.failures[0], "ca_file") {
			t.Errorf("%s: cursor %d, %d requests, failure %q", p.kind, m.cursor, s.seen, m.failures[0])
		}
	}
}

// TestClientCertificate shows a certificate to a receiver that asks for one.
func TestClientCertificate(t *testing.T) {
	ca := newAuthority(t)
	p := products(t)[2]
	s := newStage(t, p, ca)
	s.Config.ErrorLog = discard()
	s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, poolOf(ca)
	cfg := s.config(p, ca)
	m := &memory{items: many(t, 2)}
	run(t, cfg, mustNew(t, cfg), m, 2)
	if m.cursor != 0 || s.seen != 0 || !strings.Contains(m.failures[0], "broke off the") {
		t.Errorf("without a certificate: cursor %d, %q", m.cursor, m.failures)
	}
	_, cfg.CertFile, cfg.KeyFile = ca.issue(t)
	m = &memory{items: many(t, 2)}
	run(t, cfg, mustNew(t, cfg), m, 2)
	s.check(t, m.items)
}

// TestElasticPartly goes through every answer that _bulk has for one item.
func TestElasticPartly(t *testing.T) {
	items := many(t, 4)
	item := func(status int, reason string) string {
		return fmt.Sprintf(`{"create":{"status":%d,"error":{"type":"some_exception","reason":"%s"}}}`, status, reason)
	}
	refused := func(err error) []Refusal {
		var r *Refused
		if errors.As(err, &r) {
			return r.Items
		}
		return nil
	}
	for _, c := range []struct {
		name   string
		status [4]int
		bad    int
		again  bool
	}{
		{"all new", [4]int{201, 201, 201, 201}, 0, false},
		{"sent before", [4]int{409, 409, 201, 409}, 0, false},
		{"one does not fit the mapping", [4]int{201, 400, 201, 409}, 1, false},
		{"one has to be sent again", [4]int{201, 429, 400, 201}, 0, true},
		{"one shard is away", [4]int{201, 503, 201, 201}, 0, true},
		{"no right to the index", [4]int{403, 403, 403, 403}, 0, true},
		{"none fits", [4]int{400, 400, 400, 400}, 0, true},
	} {
		parts := make([]string, 4)
		for i, s := range c.status {
			parts[i] = item(s, `said\u001b[31m so`)
		}
		var b bulkAnswer
		if err := json.Unmarshal([]byte(`{"errors":true,"items":[`+strings.Join(parts, ",")+`]}`), &b); err != nil {
			t.Fatal(err)
		}
		err := b.settle(answer{host: "es"}, items)
		var f *Failure
		if bad := refused(err); len(bad) != c.bad || errors.As(err, &f) != c.again {
			t.Errorf("%s: %v", c.name, err)
		} else if c.bad == 1 && (bad[0].ID != "a0002" || bad[0].Reason != `some_exception: said\u001b[31m so`) {
			t.Errorf("%s: refused %+v", c.name, bad)
		}
		if err != nil && strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%s: the error holds an escape character", c.name)
		}
	}
}

// TestSplunkAck waits for the acknowledgement, and sends again without one.
func TestSplunkAck(t *testing.T) {
	ca := newAuthority(t)
	p := products(t)[0]
	var mu sync.Mutex
	asked := 0
	inner := p.accept
	channel := ""
	p.accept = func(t *testing.T, r *http.Request, body []byte) ([]string, string) {
		mu.Lock()
		defer mu.Unlock()
		if channel = r.Header.Get("X-Splunk-Request-Channel"); len(channel) != 36 {
			t.Errorf("the channel is %q", channel)
		}
		if r.URL.Path != "/services/collector/ack" {
			return inner(t, r, body)
		}
		if string(body) != `{"acks":[7]}` {
			t.Errorf("asked %s", body)
		}
		asked++
		return nil, fmt.Sprintf(`{"acks":{"7":%v}}`, asked > 3)
	}
	s := newStage(t, p, ca)
	cfg := s.config(p, ca)
	cfg.Splunk = &Splunk{Ack: true, Index: "main"}
	exit := mustNew(t, cfg)
	exit.(*splunk).poll = time.Millisecond
	m := &memory{items: many(t, 3)}
	run(t, cfg, exit, m, 3)
	s.check(t, m.items)
	if asked != 4 || m.cursor != 30 {
		t.Errorf("asked %d times, cursor %d", asked, m.cursor)
	}
}

// TestSplunkSays tells a fault of an event from a fault of the set-up.
func TestSplunkSays(t *testing.T) {
	for body, content := range map[string]bool{
		`{"text":"Invalid data format","code":6,"invalid-event-number":1}`: true,
		`{"text":"Incorrect index","code":7,"invalid-event-number":0}`:     false,
		`{"text":"Data channel is missing","code":10}`:                     false,
	} {
		_, err := (&splunk{}).read(answer{host: "s", code: 400, body: []byte(body)})
		var f *Failure
		if !errors.As(err, &f) || f.Content != content || !strings.Contains(f.Words, "Splunk says") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestOTLPPartial counts what a receiver rejects without saying which.
func TestOTLPPartial(t *testing.T) {
	for body, want := range map[string]string{
		``:   "",
		`{}`: "",
		`{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"old field"}}`: "",
		`{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}`:   "2 of the batch were refused for good: too old",
		`{"partialSuccess":{"rejectedLogRecords":3}}`:                              "refuses every alert",
		`<html>`: "did not answer like an OTLP receiver",
	} {
		got := ""
		if err := readPartial(answer{host: "o", body: []byte(body)}, 3); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// TestHookPerAlert sends no alert twice that the receiver took, although the
// batch failed in the middle, and passes over one that it does not like.
func TestHookPerAlert(t *testing.T) {
	var got received
	troubles := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var doc struct{ Text, Extra string }
		strict(t, body, &doc)
		wantHeader(t, r, "Idempotency-Key", `"`+doc.Text+`"`)
		switch {
		case doc.Text == "a0002":
			w.WriteHeader(422)
		case doc.Text == "a0004" && troubles < 2:
			troubles++
			w.WriteHeader(500)
		default:
			got.add(doc.Text)
		}
	}))
	defer srv.Close()
	cfg := Config{Name: "hook", Type: TypeWebhook, URLFile: write(t, "url", []byte(srv.URL+"/in/secret-path?x=1")), Insecure: true,
		Webhook: &Webhook{Template: `{"Text":{{.ID | json}},"Extra":{{.Get "device.hostname" | json}}}`}}
	m := &memory{items: many(t, 6)}
	pump, _ := run(t, cfg, mustNew(t, cfg), m, 10)
	want := "[a0001 a0003 a0004 a0005 a0006]"
	if fmt.Sprint(got.ids) != want || m.cursor != 60 || m.sent != 5 {
		t.Errorf("arrived %v, cursor %d, sent %d; want %s, 60, 5", got.ids, m.cursor, m.sent, want)
	}
	if h := pump.Health(); h.Refused != 1 || !strings.Contains(h.Refusal, "422") {
		t.Errorf("health is %+v", h)
	}
	for _, f := range m.failures {
		if strings.Contains(f, "secret-path") {
			t.Errorf("the address is told: %s", f)
		}
	}
}

// TestSecretsAreReadAgain replaces a token while the exit lives.
func TestSecretsAreReadAgain(t *testing.T) {
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
	}))
	defer srv.Close()
	file := write(t, "password", []byte("one\n"))
	cfg := Config{Name: "hook", Type: TypeWebhook, URL: srv.URL, Insecure: true, User: "u", PasswordFile: file}
	exit := mustNew(t, cfg)
	for _, password := range []string{"one", "two\r\n", ""} {
		overwrite(t, file, password)
		err := exit.Send(context.Background(), many(t, 1))
		if (err != nil) != (password == "") {
			t.Errorf("with password %q: %v", password, err)
		}
	}
	if fmt.Sprint(got) != "[Basic dTpvbmU= Basic dTp0d28=]" {
		t.Errorf("sent %q", got)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-5": 0, "30": 30 * time.Second, "999999": maxRetryAfter, "99999999999999999999": 0,
		"Sun, 22 Nov 2026 12:02:00 GMT": 2 * time.Minute, "Sun, 22 Nov 2026 11:00:00 GMT": 0, "Sun, 22 Nov 2037 11:00:00 GMT": maxRetryAfter,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q is %s, want %s", value, got, want)
		}
	}
}

// TestOldTLS talks to nobody who knows nothing newer than TLS 1.1, and to who
// knows 1.2.
func TestOldTLS(t *testing.T) {
	ca := newAuthority(t)
	p := products(t)[1]
	for version, delivered := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		s := newStage(t, p, ca)
		s.Config.ErrorLog = discard()
		s.TLS.MinVersion, s.TLS.MaxVersion = tls.VersionTLS10, version
		m := &memory{items: many(t, 2)}
		cfg := s.config(p, ca)
		run(t, cfg, mustNew(t, cfg), m, 2)
		if (m.cursor == 20) != delivered || !delivered && !strings.Contains(m.failures[0], "TLS versions") {
			t.Errorf("TLS %x: cursor %d, failures %q", version, m.cursor, m.failures)
		}
	}
}
