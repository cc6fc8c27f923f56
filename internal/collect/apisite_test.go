package collect

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// apiSite is a collector over TLS in which every request and answer is checked
// against openapi.yaml. Its clock stands still until a test moves it.
type apiSite struct {
	*fleetSite
	contract *contract
	log      *bytes.Buffer // read only when no request runs
}

func newAPISite(t *testing.T, change ...func(*Config)) *apiSite {
	t.Helper()
	t.Parallel() // most of the time goes into flushes of the disk
	st := openTemp(t, filepath.Join(t.TempDir(), "api.db"))
	ca, _, err := OpenAuthority(t.Context(), st, "")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &apiSite{fleetSite: &fleetSite{t: t, store: st, ca: ca, addr: ln.Addr().String(), now: time.Now().Truncate(time.Second)}, contract: newContract(t), log: &bytes.Buffer{}}
	cfg := Config{Store: st, Log: slog.New(slog.NewTextHandler(a.log, nil)), Now: a.clock, Secret: make([]byte, secretSize), Authority: ca,
		Hosts: Hosts(nil, ln.Addr()), Loopback: true, PublicURL: "https://collector.invalid:8765", Version: "1.0", Limits: unlimited}
	for _, c := range change {
		c(&cfg)
	}
	if a.srv, err = NewServer(cfg); err != nil {
		t.Fatal(err)
	}
	a.srv.hasher = cheapHasher()
	web := &http.Server{Handler: a.contract.wrap(a.srv.Handler()), ReadHeaderTimeout: readHeaderTimeout, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	done := make(chan error)
	go func() { done <- web.Serve(tls.NewListener(ln, ca.TLSConfig(cfg.Hosts, a.clock))) }()
	t.Cleanup(func() {
		a.srv.end()
		web.Close()
		<-done
	})
	return a
}

// unlimited is for tests that ask more than anybody does.
var unlimited = func() Limits {
	l := DefaultLimits
	l.Person, l.Device, l.Address = Rate{1e6, 1e6}, Rate{1e6, 1e6}, Rate{1e6, 1e6}
	return l
}()

// someone is a client of the interface.
type someone struct {
	a      *apiSite
	client *http.Client
	header http.Header // sent each time
	user   store.User
	token  string
}

// stranger shows nothing.
func (a *apiSite) stranger() *someone {
	a.t.Helper()
	roots, err := rootsOf(a.ca)
	if err != nil {
		a.t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Time: a.clock}}
	a.t.Cleanup(tr.CloseIdleConnections)
	return &someone{a: a, header: http.Header{}, client: &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// someone makes an account with an API token; the groups limit it.
func (a *apiSite) someone(role people.Role, groups ...string) *someone {
	a.t.Helper()
	s := a.stranger()
	s.user = store.User{ID: store.NewID(), Name: strings.ReplaceAll(fmt.Sprintf("%s-%s", role, store.NewID()), " ", ""), Role: string(role), Groups: groups, CreatedAt: a.clock()}
	if err := a.store.CreateUser(a.t.Context(), s.user); err != nil {
		a.t.Fatal(err)
	}
	token, hash := people.NewAPIToken()
	err := a.store.CreateSession(a.t.Context(), store.Session{Hash: hash, UserID: s.user.ID, Kind: kindToken, Note: "test", CreatedAt: a.clock(), SeenAt: a.clock(), ExpiresAt: a.clock().Add(1000 * time.Hour)})
	if err != nil {
		a.t.Fatal(err)
	}
	s.token = token
	s.header.Set("Authorization", "Bearer "+token)
	return s
}

// do sends a request; a body that is no []byte is sent as JSON.
func (s *someone) do(method, path string, body any, header ...string) answer {
	s.a.t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		raw = b
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			s.a.t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(s.a.t.Context(), method, "https://"+s.a.addr+path, bytes.NewReader(raw))
	if err != nil {
		s.a.t.Fatal(err)
	}
	req.Header = s.header.Clone()
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.a.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.a.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

// want sends a request, checks the status and decodes the answer.
func (s *someone) want(status int, method, path string, body, into any) answer {
	s.a.t.Helper()
	a := s.do(method, path, body)
	if a.status != status {
		s.a.t.Fatalf("%s %s: %d, want %d: %.300s", method, path, a.status, status, a.body)
	}
	if into != nil {
		decode(s.a.t, a.body, into)
	}
	return a
}

// alert stores an alert of an agent in a group and returns its id.
func (a *apiSite) alert(agent, group, uid, fields string) string {
	a.t.Helper()
	ctx := context.Background()
	who := store.Agent{UID: agent, Hostname: "host-of-" + agent, OS: "linux", Version: "1.0", RulesVersion: "7"}
	if err := a.store.Admit(ctx, who, group, a.clock()); err != nil {
		a.t.Fatal(err)
	}
	raw := ParseRecord(record(uid, fields))
	res, err := a.store.Save(ctx, store.Batch{Agent: who, ReceivedAt: a.clock(), Records: []store.Record{raw}})
	if err != nil || len(res) != 1 || res[0].Status != store.Stored {
		a.t.Fatalf("%+v, %v", res, err)
	}
	return store.AlertID(agent, uid)
}

// lure is the fields of a record of a lure.
func lure(level, brand, rule, sha256 string) string {
	severity := map[string]int{"malicious": 5, "suspicious": 3}[level]
	return fmt.Sprintf(`"time":1763806000000,"severity_id":%[5]d,"device":{"hostname":"LT-1"},"finding_info":{"uid":"f-%[4]s","title":"A lure","first_seen_time":1763805990000},`+
		`"unmapped":{"mg_level":%[1]q,"mg_brand":%[2]q,"mg_rule":%[3]q,"mg_sha256":%[4]q,"mg_score":90,"mg_path":"/home/x/Zoom.exe","mg_source_host":"zoom.invalid","mg_signer":"Nobody Ltd","mg_user":"x"}`, level, brand, rule, sha256, severity)
}
