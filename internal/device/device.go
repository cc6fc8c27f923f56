package device

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"meetguard"
)

// How long the client waits, and how long it keeps a connection open: longer than
// the interval between two heartbeats.
const (
	dialTimeout   = 15 * time.Second
	answerTimeout = time.Minute
	idleTimeout   = 10 * time.Minute
)

// TrustSystem as Config.Trust takes the system's roots for the collector.
const TrustSystem = "system"

// Config says for which collector a device is, and what it may use.
type Config struct {
	State     string // the agent's state folder, made if need be
	Collector string // base URL, https, or http on this machine itself
	Trust     string // "" for the pinned CA, TrustSystem, or a PEM file: for networks that open TLS
	TokenFile string // enrols with the token in it if there is no identity; "" for none
	// PEM files of a certificate and its key from the operator's own CA: then
	// nobody enrols, and Trust is needed. They are read for each connection.
	Certificate, Key string
	Labels           Labels
	Machine          Machine
	Logger           *slog.Logger     // nil: silent
	Now              func() time.Time // nil: time.Now
}

// Labels are what an agent says about itself. None of them identifies it.
type Labels struct {
	UID          string `json:"uid"`
	Hostname     string `json:"hostname"`
	OS           string `json:"os"`
	Version      string `json:"version"`
	RulesVersion string `json:"rules_version"`
}

// Device is this agent towards one collector. It is the http.RoundTripper of the
// requests to it: it enrols and renews before them where that is due, proves the
// device in them, and learns from the answers. It may be used from many
// goroutines.
type Device struct {
	cfg     Config
	log     *slog.Logger
	now     func() time.Time
	base    *url.URL
	proxies proxies

	turn sync.Mutex // held while it enrols or renews: one at a time

	mu        sync.Mutex
	folder    folder
	id        *identity
	transport *http.Transport // for id; nil if it is to be made anew
	onNext    bool            // id.Next is in use
	again     bool            // the collector wants this machine to enrol again
	renewNow  bool            // the collector takes the certificate for expired
	renewNot  time.Time       // no renewal before that, after one that did not work
	skew      time.Duration   // the collector's clock minus ours, as far as it complained
	trouble   error           // why there is no identity, or no renewal
	gate      gate            // for the identity
	tokens    gate            // for the token in the operator's file
}

// New prepares a device. It asks nobody; an identity that cannot be read is told
// by Health and by every request, so that an agent without one still watches.
func New(cfg Config) (*Device, error) {
	base, err := parseURL(cfg.Collector)
	if err != nil {
		return nil, err
	}
	if (cfg.Certificate == "") != (cfg.Key == "") {
		return nil, errors.New("client_certificate and client_key must be given together")
	}
	if cfg.Certificate != "" && cfg.Trust == "" {
		return nil, errors.New("client_certificate needs collector_ca: who does not enrol has no pinned CA")
	}
	d := &Device{cfg: cfg, log: cfg.Logger, now: cfg.Now, base: base, proxies: findProxies(), folder: folder{dir: cfg.State}}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.now == nil {
		d.now = time.Now
	}
	d.reload()
	return d, nil
}

// parseURL takes the same addresses as alert.ValidateURL does.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil: // its error would repeat the address, which may hold a password
		return nil, errors.New("read collector address: it is not a URL")
	case u.Hostname() == "":
		return nil, errors.New("read collector address: it names no host; write https://host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("read collector address: it may hold no user, query or fragment")
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		return nil, errors.New("read collector address: it must begin with https://")
	}
	u.Host, u.Path = strings.ToLower(u.Host), strings.TrimRight(u.Path, "/")
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// SameCollector says whether two addresses are of one collector.
func SameCollector(a, b string) bool {
	x, err1 := parseURL(a)
	y, err2 := parseURL(b)
	return err1 == nil && err2 == nil && withPort(x) == withPort(y)
}

func withPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(u.Hostname(), port) + u.Path
}

// Collector returns the address that the state folder's identity is for, "" if
// there is none.
func Collector(state string) (string, error) {
	if fi, err := os.Lstat(state); errors.Is(err, os.ErrNotExist) || err == nil && !fi.IsDir() {
		return "", nil // that it is no folder is told by whoever needs one
	}
	id, err := (&folder{dir: state}).read()
	if err != nil || id.Current == nil {
		return "", err
	}
	return id.Collector, nil
}

// reload reads the identity if the file is another one than before.
func (d *Device) reload() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.id != nil && !d.folder.changed() {
		return
	}
	id, err := d.folder.read()
	if err != nil {
		d.id, d.trouble = &identity{Version: identityVersion}, err
	} else {
		d.id, d.trouble = id, nil
	}
	d.renewNot, d.renewNow, d.again, d.gate, d.tokens = time.Time{}, false, false, gate{}, gate{}
	d.onNext = d.id.Next != nil && d.id.Next.pair != nil
	if d.foreignMachine() {
		d.again = d.cfg.TokenFile != ""
	}
	d.drop()
}

// foreignMachine says that the identity was made on another machine: this one is
// a copy.
func (d *Device) foreignMachine() bool {
	return d.id.Current != nil && d.id.MachineID != "" && d.cfg.Machine.ID != "" && d.id.MachineID != d.cfg.Machine.ID
}

// drop closes the connections that show the old identity. d.mu is held.
func (d *Device) drop() {
	if d.transport != nil {
		d.transport.CloseIdleConnections()
		d.transport = nil
	}
}

// enrolled says whether the identity is for this collector. d.mu is held.
func (d *Device) enrolled() bool {
	return d.id.Current != nil && SameCollector(d.id.Collector, d.cfg.Collector)
}

// active is the credential in use. d.mu is held.
func (d *Device) active() *credential {
	if d.onNext {
		return d.id.Next
	}
	return d.id.Current
}

// Client returns an HTTP client that follows no redirect: the device proves
// itself to the collector and to nobody else.
func (d *Device) Client() *http.Client {
	return &http.Client{Transport: d, Timeout: answerTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// plain says that nobody has to prove anything: the collector is on this machine
// and speaks http.
func (d *Device) plain() bool { return d.base.Scheme == "http" }

// RoundTrip sends one request to the collector as this device.
func (d *Device) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != d.base.Scheme || req.URL.Host != d.base.Host {
		return nil, fmt.Errorf("send to %s: it is not the collector", req.URL.Host)
	}
	if err := d.prepare(req.Context()); err != nil {
		closeBody(req)
		return nil, err
	}
	return d.send(req)
}

// closeBody does what a RoundTripper owes.
func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// prepare enrols or renews if that is due.
func (d *Device) prepare(ctx context.Context) error {
	if d.plain() || d.cfg.Certificate != "" {
		return nil
	}
	d.turn.Lock()
	defer d.turn.Unlock()
	d.reload()
	d.mu.Lock()
	enrolled := d.enrolled()
	enrols := !enrolled || d.again && d.cfg.TokenFile != ""
	closed := d.gate.closed(d.now())
	d.mu.Unlock()
	if enrols {
		if err := d.enrolByFile(ctx); err == nil || !enrolled {
			return err
		}
	}
	if closed != nil {
		return closed
	}
	return d.renewIfDue(ctx)
}

// send sends one request with what is at hand.
func (d *Device) send(req *http.Request) (*http.Response, error) {
	d.mu.Lock()
	t, err := d.client()
	cred, next := d.active(), d.onNext
	if err == nil && d.signs() && cred != nil {
		req, err = d.sign(req, cred)
	}
	d.mu.Unlock()
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := t.RoundTrip(req)
	if err != nil {
		if next {
			d.fallBack(cred, false)
		}
		return nil, explain(err, d.cfg.Trust)
	}
	d.learn(resp, cred, next)
	return resp, nil
}

// client returns the transport for the identity in use. d.mu is held.
func (d *Device) client() (*http.Transport, error) {
	if d.transport == nil {
		roots, err := d.roots()
		if err != nil {
			return nil, err
		}
		d.transport = d.newTransport(roots, d.show)
	}
	return d.transport, nil
}

// roots are what the collector is verified with; nil are the system's. d.mu is
// held.
func (d *Device) roots() (*x509.CertPool, error) {
	switch {
	case d.plain() || d.cfg.Trust == TrustSystem:
		return nil, nil
	case d.cfg.Trust != "":
		return readPool(d.cfg.Trust)
	}
	return parsePool(d.id.CA)
}

func readPool(file string) (*x509.CertPool, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read collector_ca: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxIdentity))
	if err != nil {
		return nil, fmt.Errorf("read collector_ca: %w", err)
	}
	pool, err := parsePool(string(text))
	if err != nil {
		return nil, fmt.Errorf("collector_ca %s: %w", file, err)
	}
	return pool, nil
}

type showFunc = func(*tls.CertificateRequestInfo) (*tls.Certificate, error)

// newTransport makes connections of TLS 1.3 to the collector. Sessions are not
// resumed, so each connection proves who is at both ends.
func (d *Device) newTransport(roots *x509.CertPool, show showFunc) *http.Transport {
	return &http.Transport{
		Proxy:                 d.proxies.choose,
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: time.Minute}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, GetClientCertificate: show},
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: answerTimeout,
		IdleConnTimeout:       idleTimeout,
		MaxIdleConns:          2,
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: time.Minute, PingTimeout: dialTimeout},
	}
}

// show is the certificate for a connection. An empty one means none.
func (d *Device) show(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if d.cfg.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(d.cfg.Certificate, d.cfg.Key)
		if err != nil {
			return nil, fmt.Errorf("read client_certificate: %w", err)
		}
		return &pair, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.active(); c != nil {
		return c.pair, nil
	}
	return new(tls.Certificate), nil
}

// learn takes from an answer what it says about the identity.
func (d *Device) learn(resp *http.Response, cred *credential, next bool) {
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode <= 299:
		d.accepted(cred, next)
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		why := refusalOf("send", resp)
		if next && why.denies() {
			d.fallBack(cred, true)
			return
		}
		d.learnRefusal(why)
	}
}

// learnRefusal notes what a refusal of this identity asks for.
func (d *Device) learnRefusal(why *Refusal) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch why.Code {
	case codeAgain:
		d.again = true
		if d.cfg.TokenFile != "" {
			return // the next try enrols
		}
	case codeExpired:
		d.renewNow = true
	case codeClock:
		if at, err := http.ParseTime(why.date); err == nil {
			d.skew = at.Sub(d.now())
		}
	}
	if why.denies() {
		d.gate.shut(d.now(), why)
	}
}

// accepted notes that the collector took a request.
func (d *Device) accepted(cred *credential, next bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gate, d.again = gate{}, d.again && d.foreignMachine()
	if !next || !d.onNext || d.id.Next != cred {
		return
	}
	d.id.Current, d.id.Next, d.onNext = cred, nil, false
	if err := d.folder.write(d.id); err != nil {
		d.log.Warn("Identity not written", "error", err)
	}
}

// CloseIdleConnections closes what no request uses.
func (d *Device) CloseIdleConnections() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.transport != nil {
		d.transport.CloseIdleConnections()
	}
}

// Health tells who this agent is to the collector, and what is wrong with that.
func (d *Device) Health() meetguard.SourceStatus {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := meetguard.SourceStatus{Name: "identity", State: meetguard.SourceOK}
	switch {
	case d.plain():
		s.Detail = "not enrolled: the collector is on this machine"
	case d.cfg.Certificate != "":
		s.Detail = "certificate of the operator's own CA"
	default:
		s.Detail, s.State = d.describe()
	}
	if d.proxies.system.script {
		s.Detail += "; the system finds its proxy by a script, which is not run: set HTTPS_PROXY if there is no other way out"
	}
	return s
}

// describe tells an identity of ours. d.mu is held.
func (d *Device) describe() (string, meetguard.SourceState) {
	if !d.enrolled() {
		return d.missing(d.trouble).Error(), meetguard.SourceDegraded
	}
	until := d.active().pair.Leaf.NotAfter
	text := fmt.Sprintf("enrolled as %s, certificate until %s", d.id.AgentUID, until.UTC().Format(time.DateOnly))
	switch {
	case d.again && d.trouble == nil:
		return text + "; the identity counts no more, enrol this machine again with `meetguard enroll`", meetguard.SourceDegraded
	case d.gate.why != nil:
		return text + "; " + d.gate.why.Error(), meetguard.SourceDegraded
	case d.foreignMachine():
		return text + "; it was made on another machine, enrol this one again with `meetguard enroll`", meetguard.SourceDegraded
	case d.trouble != nil:
		return text + "; " + d.trouble.Error(), meetguard.SourceDegraded
	}
	return text, meetguard.SourceOK
}

// missing says why there is no identity for this collector. d.mu is held.
func (d *Device) missing(trouble error) error {
	switch {
	case trouble != nil:
		return trouble
	case d.id.Current != nil:
		return fmt.Errorf("this agent is enrolled at %s and not at %s: run `meetguard enroll %s TOKEN`", d.id.Collector, d.cfg.Collector, d.cfg.Collector)
	}
	return fmt.Errorf("this agent is not enrolled: run `meetguard enroll %s TOKEN`, or name a file with the token as enroll_token_file", d.cfg.Collector)
}
