package device

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
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
	unread    bool            // there is an identity, and it cannot be read
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
		d.id, d.trouble, d.unread = &identity{Version: identityVersion}, err, true
	} else {
		d.id, d.trouble, d.unread = id, nil, false
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
	if d.plain() {
		return nil
	}
	d.turn.Lock()
	defer d.turn.Unlock()
	if d.cfg.Certificate != "" {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.gate.closed(d.now())
	}
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
	d.gate = gate{}
	if d.again && !d.foreignMachine() {
		d.again, d.trouble = false, nil
	}
	if !next || !d.onNext || d.id.Next != cred {
		return
	}
	d.id.Current, d.id.Next, d.onNext = cred, nil, false
	if err := d.folder.write(d.id); err != nil {
		d.log.Warn("Identity not written", "error", err)
	}
}
