package device

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"meetguard"
	"meetguard/internal/pki"
)

const day = 24 * time.Hour

func TestEnrolAndDeliver(t *testing.T) {
	f := newFake(t)
	d := enrolled(t, f)
	mustBeat(t, d)
	mustBeat(t, d)
	batches := f.took("/v1/agent/batch")
	id := kept(t, d)
	if len(batches) != 2 || batches[0].uid != id.AgentUID || id.AgentUID == "" {
		t.Fatalf("%d batches, of %q; the identity is %q", len(batches), batches[0].uid, id.AgentUID)
	}
	if h := batches[0].header; h.Get("Authorization")+h.Get("X-MG-Certificate") != "" {
		t.Error("the bearer went over a connection that needs none")
	}
	if s := d.Health(); s.State != meetguard.SourceOK || !strings.Contains(s.Detail, "enrolled as "+id.AgentUID) {
		t.Errorf("%+v", s)
	}
	enrol := f.took("/v1/agent/enroll")
	if len(enrol) != 1 || !strings.Contains(string(enrol[0].body), machineA.ID) || strings.Contains(string(enrol[0].body), "PRIVATE") {
		t.Errorf("%d enrolments: %s", len(enrol), enrol[0].body)
	}
	if got, err := Collector(d.cfg.State); got != f.url || err != nil {
		t.Error(got, err)
	}
	info, err := os.Stat(filepath.Join(d.cfg.State, identityName))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
}

func TestRenewal(t *testing.T) {
	f := newFake(t)
	d := enrolled(t, f)
	mustBeat(t, d)
	first := kept(t, d)
	f.clock.add(50 * day)
	mustBeat(t, d)
	if n := len(f.took("/v1/agent/renew")); n != 0 {
		t.Fatalf("renewed %d times after 50 days", n)
	}
	f.clock.add(16 * day)
	mustBeat(t, d)
	mustBeat(t, d)
	id := kept(t, d)
	if n := len(f.took("/v1/agent/renew")); n != 1 {
		t.Fatalf("renewed %d times after 66 days", n)
	}
	if id.Next != nil || id.Current.Key == first.Current.Key || id.AgentUID != first.AgentUID || id.Bearer != first.Bearer {
		t.Errorf("after the renewal: %+v, before: %+v", id, first)
	}
	b := f.took("/v1/agent/batch")
	if b[1].hash != b[0].hash || b[2].hash == b[0].hash || b[3].hash != b[2].hash {
		t.Error("the certificate in use did not change with the renewal")
	}
	for range 40 { // years
		f.clock.add(30 * day)
		mustBeat(t, d)
	}
	if n := len(f.took("/v1/agent/renew")); n < 13 || n > 20 {
		t.Errorf("renewed %d times in 1266 days", n)
	}
}

// TestExpiredCertificateIsRenewed: a machine that was off for long comes back by
// itself.
func TestExpiredCertificateIsRenewed(t *testing.T) {
	f := newFake(t)
	d := enrolled(t, f)
	f.clock.add(400 * day)
	mustBeat(t, d)
	if len(f.took("/v1/agent/renew")) != 1 {
		t.Error("not renewed")
	}
	// The collector's clock is ahead of ours: it says so.
	f.set("/v1/agent/batch", "401", "expired")
	if code, err := beat(d); code != 401 || err != nil {
		t.Fatal(code, err)
	}
	f.set("/v1/agent/batch", "", "")
	mustBeat(t, d)
	if n := len(f.took("/v1/agent/renew")); n != 2 {
		t.Errorf("renewed %d times", n)
	}
	// Over, and nobody renews it: no batch is sent.
	f.clock.add(400 * day)
	f.set("/v1/agent/renew", "503", "")
	sent := len(f.took("/v1/agent/batch"))
	if _, err := beat(d); err == nil || !strings.Contains(err.Error(), "renew certificate") || len(f.took("/v1/agent/batch")) != sent {
		t.Errorf("%v", err)
	}
	if s := d.Health(); s.State != meetguard.SourceDegraded || !strings.Contains(s.Detail, "503") {
		t.Errorf("%+v", s)
	}
}

func TestRenewalThatFails(t *testing.T) {
	f := newFake(t)
	d := enrolled(t, f)
	f.clock.add(70 * day)
	f.set("/v1/agent/renew", "503", "")
	for range 600 { // ten hours
		mustBeat(t, d)
		f.clock.add(time.Minute)
	}
	if n := len(f.took("/v1/agent/renew")); n < 10 || n > 120 {
		t.Errorf("asked %d times in ten hours", n)
	}
	if s := d.Health(); s.State != meetguard.SourceDegraded || !strings.Contains(s.Detail, "renew certificate") {
		t.Errorf("%+v", s)
	}
	f.set("/v1/agent/renew", "", "")
	f.clock.add(2 * time.Hour)
	mustBeat(t, d)
	if s := d.Health(); s.State != meetguard.SourceOK {
		t.Errorf("%+v", s)
	}
}

// TestRefusedNewCertificate: the old one is used again, and given up for nothing
// less than one that works.
func TestRefusedNewCertificate(t *testing.T) {
	f := newFake(t)
	d := enrolled(t, f)
	mustBeat(t, d)
	old := kept(t, d)
	f.clock.add(70 * day)
	f.mu.Lock()
	f.forget = true // the renewal is answered and not kept
	f.mu.Unlock()
	if code, _ := beat(d); code != 401 {
		t.Fatalf("the new certificate: %d", code)
	}
	mustBeat(t, d)
	if id := kept(t, d); id.Current.Key != old.Current.Key || id.Next != nil {
		t.Error("the old certificate is not in use")
	}
	if s := d.Health(); !strings.Contains(s.Detail, "the old one is in use") {
		t.Errorf("%+v", s)
	}
	f.mu.Lock()
	f.forget = false
	f.mu.Unlock()
	f.clock.add(2 * time.Hour)
	mustBeat(t, d)
	if id := kept(t, d); id.Current.Key == old.Current.Key {
		t.Error("the next renewal did not work")
	}
}

// TestCrashBetweenRenewalAndProof: another process goes on with what is on disk.
func TestCrashBetweenRenewalAndProof(t *testing.T) {
	f := newFake(t)
	d := enrolled(t, f)
	f.clock.add(70 * day)
	f.set("/v1/agent/batch", "503", "")
	if code, _ := beat(d); code != 503 {
		t.Fatal(code)
	}
	if id := kept(t, d); id.Next == nil || id.Next.Certificate == "" {
		t.Fatal("the new certificate is not on disk")
	}
	f.set("/v1/agent/batch", "", "")
	again := open(t, f, d.cfg.State)
	mustBeat(t, again)
	if id := kept(t, again); id.Next != nil || len(f.took("/v1/agent/renew")) != 1 {
		t.Error("the new certificate was not taken up")
	}
}

func TestLostAnswers(t *testing.T) {
	f := newFake(t)
	d := open(t, f, t.TempDir())
	token := f.token(1)
	f.lose["/v1/agent/enroll"] = 2
	for range 2 {
		if err := d.Enrol(context.Background(), token); err == nil {
			t.Fatal("an answer that was lost arrived")
		}
	}
	if err := d.Enrol(context.Background(), token); err != nil {
		t.Fatal(err)
	}
	if len(f.enroled) != 1 || len(f.bearer) != 1 {
		t.Errorf("the retries made %d agents", len(f.bearer))
	}
	mustBeat(t, d)
	f.clock.add(70 * day)
	f.lose["/v1/agent/renew"] = 1
	mustBeat(t, d) // with the old certificate
	f.clock.add(2 * time.Hour)
	mustBeat(t, d)
	renewals := f.took("/v1/agent/renew")
	if len(renewals) != 2 {
		t.Fatalf("%d renewals", len(renewals))
	}
	uid := func(body []byte) string {
		csr := strings.Split(string(body), `"`)[3]
		u, err := pki.DeviceUID(strings.ReplaceAll(csr, `\n`, "\n"))
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	if uid(renewals[0].body) != uid(renewals[1].body) {
		t.Error("the second try has another key than the first")
	}
}

// TestDenialsAreAskedLaterAndLater: two days of refusals cost little, wipe
// nothing, and are over when the collector says so.
func TestDenialsAreAskedLaterAndLater(t *testing.T) {
	for _, status := range []string{"401", "403"} {
		f := newFake(t)
		d := enrolled(t, f)
		os.WriteFile(filepath.Join(d.cfg.State, "alerts.jsonl"), []byte("{}\n"), 0o600)
		before := folderText(t, d.cfg.State)
		f.set("/v1/agent/batch", status, "unknown")
		for range 2 * 24 * 60 {
			beat(d)
			f.clock.add(time.Minute)
		}
		if n := len(f.took("/v1/agent/batch")); n < 48 || n > 110 {
			t.Errorf("%s: asked %d times in 48 hours", status, n)
		}
		if folderText(t, d.cfg.State) != before {
			t.Errorf("%s: the state folder changed", status)
		}
		s := d.Health()
		if s.State != meetguard.SourceDegraded || !strings.Contains(s.Detail, status) || !strings.Contains(s.Detail, "next try after") || strings.Contains(s.Detail, "\x1b") {
			t.Errorf("%s: %+v", status, s)
		}
		f.set("/v1/agent/batch", "", "")
		f.clock.add(time.Hour)
		mustBeat(t, d)
		if s := d.Health(); s.State != meetguard.SourceOK {
			t.Errorf("%s: afterwards %+v", status, s)
		}
	}
}

func TestEnrolAgain(t *testing.T) {
	f := newFake(t)
	file := filepath.Join(t.TempDir(), "token")
	d := open(t, f, t.TempDir(), func(c *Config) { c.TokenFile = file })
	if _, err := beat(d); err == nil || !strings.Contains(err.Error(), "read enrolment token") {
		t.Fatalf("without the file: %v", err)
	}
	os.WriteFile(file, []byte(f.token(1)+"\n"), 0o600)
	mustBeat(t, d)
	first := kept(t, d).AgentUID

	// Revoked, and the token is spent: the identity stays, and nobody storms.
	f.set("/v1/agent/batch", "401", "enroll_again")
	for range 24 * 60 {
		beat(d)
		f.clock.add(time.Minute)
	}
	if n := len(f.took("/v1/agent/enroll")); n < 10 || n > 80 {
		t.Errorf("asked %d times with a spent token in a day", n)
	}
	if id := kept(t, d); id.AgentUID != first {
		t.Error("the identity is gone")
	}
	if s := d.Health(); !strings.Contains(s.Detail, "ask for a new enrolment token") {
		t.Errorf("%+v", s)
	}
	// A new token is tried at once, whatever the pause.
	f.set("/v1/agent/batch", "", "")
	os.WriteFile(file, []byte(f.token(1)), 0o600)
	mustBeat(t, d)
	if id := kept(t, d); id.AgentUID == first || id.AgentUID == "" {
		t.Error("not enrolled again")
	}
	if s := d.Health(); s.State != meetguard.SourceOK {
		t.Errorf("%+v", s)
	}
}

// TestEnrolUnderARunningAgent: `meetguard enroll` is another process.
func TestEnrolUnderARunningAgent(t *testing.T) {
	f := newFake(t)
	running := open(t, f, t.TempDir())
	if _, err := beat(running); err == nil || !strings.Contains(err.Error(), "meetguard enroll "+f.url) {
		t.Fatalf("before: %v", err)
	}
	command := open(t, f, running.cfg.State)
	if err := command.Enrol(context.Background(), f.token(1)); err != nil {
		t.Fatal(err)
	}
	mustBeat(t, running)
	f.set("/v1/agent/batch", "401", "enroll_again")
	beat(running)
	if s := running.Health(); s.State != meetguard.SourceDegraded || !strings.Contains(s.Detail, "enrol this machine again") {
		t.Errorf("%+v", s)
	}
	f.set("/v1/agent/batch", "", "")
	if err := command.Enrol(context.Background(), f.token(1)); err != nil {
		t.Fatal(err)
	}
	mustBeat(t, running) // at once, though a pause had begun
	b := f.took("/v1/agent/batch")
	if b[0].uid == b[len(b)-1].uid || b[len(b)-1].uid != kept(t, running).AgentUID {
		t.Error("the old identity is in use")
	}
}

// TestClone: a copy of the state folder on another machine.
func TestClone(t *testing.T) {
	f := newFake(t)
	a := enrolled(t, f)
	copied := t.TempDir()
	data, err := os.ReadFile(filepath.Join(a.cfg.State, identityName))
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(copied, identityName), data, 0o600)
	machineB := Machine{ID: strings.Repeat("bb", 32)}
	b := open(t, f, copied, func(c *Config) { c.Machine = machineB })
	mustBeat(t, b)
	if s := b.Health(); s.State != meetguard.SourceDegraded || !strings.Contains(s.Detail, "made on another machine") {
		t.Errorf("%+v", s)
	}
	file := filepath.Join(t.TempDir(), "token")
	os.WriteFile(file, []byte(f.token(1)), 0o600)
	c := open(t, f, copied, func(c *Config) { c.Machine = machineB; c.TokenFile = file })
	mustBeat(t, c)
	if kept(t, c).AgentUID == kept(t, a).AgentUID || kept(t, c).MachineID != machineB.ID {
		t.Error("the copy did not enrol")
	}
	if s := c.Health(); s.State != meetguard.SourceOK {
		t.Errorf("%+v", s)
	}
	mustBeat(t, a)
}

func TestStateFolder(t *testing.T) {
	f := newFake(t)
	for name, tt := range map[string]struct {
		spoil func(file string)
		want  string
	}{
		"damaged":   {func(file string) { os.WriteFile(file, []byte("{"), 0o600) }, "damaged"},
		"empty":     {func(file string) { os.WriteFile(file, nil, 0o600) }, "damaged"},
		"newer":     {func(file string) { os.WriteFile(file, []byte(`{"version":2}`), 0o600) }, "version 2"},
		"no key":    {func(file string) { edit(t, file, "PRIVATE KEY", "SECRET KEY") }, "read certificate"},
		"other uid": {func(file string) { edit(t, file, `"agent_uid": "`, `"agent_uid": "x`) }, "it is for agent"},
		"readable":  {func(file string) { os.Chmod(file, 0o644) }, "others may use it"},
		"a link":    {func(file string) { os.Rename(file, file+".x"); os.Symlink(file+".x", file) }, "link"},
		"no CA":     {func(file string) { edit(t, file, `"ca": "-----BEGIN`, `"ca": "-----BEGUN`) }, "read CA"},
	} {
		t.Run(name, func(t *testing.T) {
			d := enrolled(t, f)
			tt.spoil(filepath.Join(d.cfg.State, identityName))
			d = open(t, f, d.cfg.State)
			if _, err := beat(d); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v does not say %q", err, tt.want)
			}
			if s := d.Health(); s.State != meetguard.SourceDegraded || !strings.Contains(s.Detail, tt.want) {
				t.Errorf("%+v", s)
			}
			// An enrolment that fails leaves it as it is, and nobody has to delete
			// anything by hand before one that does not.
			before := folderText(t, d.cfg.State)
			if err := d.Enrol(context.Background(), pki.FormatToken(pki.NewSecret(), f.pki.Pin())); err == nil || folderText(t, d.cfg.State) != before {
				t.Errorf("an unknown token: %v", err)
			}
			if err := d.Enrol(context.Background(), f.token(1)); err != nil {
				t.Fatal(err)
			}
			mustBeat(t, d)
		})
	}
	everyone := t.TempDir()
	os.Chmod(everyone, 0o777)
	d, err := New(Config{State: everyone, Collector: f.url})
	if err != nil || !strings.Contains(d.Health().Detail, "everyone may write") {
		t.Errorf("%v, %+v", err, d.Health())
	}
}

// edit replaces the first occurrence in a file.
func edit(t *testing.T, file, old, with string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(data), old) {
		t.Fatalf("no %q in the identity: %v", old, err)
	}
	os.WriteFile(file, []byte(strings.Replace(string(data), old, with, 1)), 0o600)
}

func TestOtherCollector(t *testing.T) {
	f := newFake(t)
	d := enrolled(t, f)
	other, err := New(Config{State: d.cfg.State, Collector: "https://other.invalid"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := beat(other); err == nil || !strings.Contains(err.Error(), "is enrolled at "+f.url+" and not at https://other.invalid") {
		t.Error(err)
	}
	req, _ := http.NewRequest("GET", "https://other.invalid/", nil)
	if _, err := d.Client().Do(req); err == nil || !strings.Contains(err.Error(), "is not the collector") {
		t.Errorf("a request to another host: %v", err)
	}
	for a, same := range map[string]bool{"https://Host:443/": true, "https://host": true, "https://host:444": false, "http://host": false, "https://host/x": false, "%": false} {
		if SameCollector(a, "https://host") != same {
			t.Errorf("%s", a)
		}
	}
}

// TestUnusableGrants: an answer that would lock the agent out is not taken.
func TestUnusableGrants(t *testing.T) {
	other, err := pki.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(f *fake, g map[string]any)
		want   string
	}{
		"no uid":              {func(_ *fake, g map[string]any) { g["agent_uid"] = "" }, "names no agent"},
		"odd uid":             {func(_ *fake, g map[string]any) { g["agent_uid"] = "../x" }, "names no agent"},
		"another's uid":       {func(_ *fake, g map[string]any) { g["agent_uid"] = "agent-8" }, "it is for agent"},
		"no certificate":      {func(_ *fake, g map[string]any) { g["certificate"] = "" }, "read certificate"},
		"certificate of CA":   {func(f *fake, g map[string]any) { g["certificate"] = f.pki.Trust() }, "read certificate"},
		"no CA":               {func(_ *fake, g map[string]any) { g["ca"] = "" }, "read CA"},
		"CA of another":       {func(_ *fake, g map[string]any) { g["ca"] = other.Trust() }, "does not vouch"},
		"no bearer":           {func(_ *fake, g map[string]any) { g["bearer"] = "" }, "bearer"},
		"bearer of two lines": {func(_ *fake, g map[string]any) { g["bearer"] = strings.Repeat("b", 32) + "\r\nX: y" }, "bearer"},
		"too long":            {func(_ *fake, g map[string]any) { g["x"] = strings.Repeat("x", maxAnswer) }, "longer than"},
	} {
		f := newFake(t)
		f.change = func(g map[string]any) { tt.change(f, g) }
		d := open(t, f, t.TempDir())
		if err := d.Enrol(context.Background(), f.token(1)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if id := kept(t, d); id.Current != nil {
			t.Errorf("%s: it was kept", name)
		}
	}
}

// opened is a proxy in front of the collector that opens TLS: the client
// certificate stays with it.
func opened(t *testing.T, f *fake) string {
	t.Helper()
	target, _ := url.Parse(f.url)
	pool, err := parsePool(f.pki.Trust())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	p := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	return "https://" + listen(t, &tls.Config{Certificates: []tls.Certificate{mitm.leaf(t, nil)}}, p)
}

func TestProxyThatOpensTLS(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // elsewhere the system's roots are no file
	}
	f := newFake(t)
	address := opened(t, f)
	file := filepath.Join(t.TempDir(), "proxy.pem")
	os.WriteFile(file, []byte(mitm.pem()), 0o600)
	for _, trust := range []string{TrustSystem, file} {
		d := open(t, f, t.TempDir(), func(c *Config) { c.Collector = address; c.Trust = trust })
		secret, _, _ := pki.ParseToken(f.token(1))
		if err := d.Enrol(context.Background(), pki.FormatToken(secret, "")); err != nil {
			t.Fatal(err)
		}
		mustBeat(t, d)
		b := f.took("/v1/agent/batch")
		if last := b[len(b)-1]; last.uid != kept(t, d).AgentUID || last.header.Get("X-MG-Signature") == "" {
			t.Fatalf("%+v", last)
		}
		f.clock.add(70 * day)
		mustBeat(t, d)
		if n := f.took("/v1/agent/renew"); n[len(n)-1].uid != kept(t, d).AgentUID {
			t.Error("not renewed")
		}
		// Our clock is an hour late: the second try goes by the collector's.
		d.now = func() time.Time { return f.clock.now().Add(-time.Hour) }
		if code, err := beat(d); code != 401 || err != nil {
			t.Fatal(code, err)
		}
		mustBeat(t, d)
	}
	// Without the setting nobody is fooled.
	d := open(t, f, t.TempDir(), func(c *Config) { c.Collector = address })
	if err := d.Enrol(context.Background(), f.token(1)); err == nil || !strings.Contains(err.Error(), "collector_ca") {
		t.Error(err)
	}
	for _, bad := range []string{filepath.Join(t.TempDir(), "none"), filepath.Join(f.dir, pki.FileName)} {
		d := open(t, f, t.TempDir(), func(c *Config) { c.Collector = address; c.Trust = bad })
		if err := d.Enrol(context.Background(), f.token(1)); err == nil || !strings.Contains(err.Error(), "collector_ca") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestOperatorsCertificate: a machine that has its certificate from elsewhere
// enrols nowhere, and a renewed file counts from the next connection on.
func TestOperatorsCertificate(t *testing.T) {
	f := newFake(t)
	corp := newAuthority(t, "Example Corp", nil)
	if err := f.pki.Accept(certsOf(corp), "cn"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	os.WriteFile(ca, []byte(f.pki.Trust()), 0o600)
	start := func() *Device {
		return open(t, f, t.TempDir(), func(c *Config) {
			c.Trust, c.Certificate, c.Key = ca, filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
		})
	}
	d := start()
	if _, err := beat(d); err == nil || !strings.Contains(err.Error(), "client_certificate") {
		t.Errorf("without files: %v", err)
	}
	for _, uid := range []string{"lt-0042", "lt-0043"} {
		writeClient(t, corp, uid, d.cfg.Certificate, d.cfg.Key)
		d = start() // with a connection of its own
		beat(d)
		b := f.took("/v1/agent/batch")
		if last := b[len(b)-1]; last.uid != uid || last.header.Get("Authorization") != "" {
			t.Errorf("%q, want %q", last.uid, uid)
		}
	}
	sent := len(f.took("/v1/agent/batch"))
	f.set("/v1/agent/batch", "403", "suspended")
	for range 24 * 60 {
		beat(d)
		f.clock.add(time.Minute)
	}
	if n := len(f.took("/v1/agent/batch")) - sent; n < 20 || n > 70 || d.Health().State != meetguard.SourceDegraded {
		t.Errorf("asked %d times in a day; %+v", n, d.Health())
	}
	for name, cfg := range map[string]Config{
		"no key":      {Collector: f.url, Certificate: "c", Trust: "system"},
		"no trust":    {Collector: f.url, Certificate: "c", Key: "k"},
		"http":        {Collector: "http://collector.invalid"},
		"password":    {Collector: "https://u:secret@collector.invalid"},
		"query":       {Collector: "https://collector.invalid/?a"},
		"no host":     {Collector: "https://"},
		"other words": {Collector: "collector.invalid"},
	} {
		cfg.State = t.TempDir()
		if _, err := New(cfg); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPlainCollectorOnThisMachine(t *testing.T) {
	address := "http://" + listen(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization")+r.Header.Get("X-MG-Certificate") != "" {
			t.Error("a secret over http")
		}
	}))
	d, err := New(Config{State: t.TempDir(), Collector: address})
	if err != nil {
		t.Fatal(err)
	}
	defer d.CloseIdleConnections()
	mustBeat(t, d)
	if err := d.Enrol(context.Background(), pki.FormatToken(pki.NewSecret(), pki.NewSecret())); err == nil || !strings.Contains(err.Error(), "https") {
		t.Error(err)
	}
	if s := d.Health(); s.State != meetguard.SourceOK {
		t.Errorf("%+v", s)
	}
}

func TestRetryAfterOfAnEnrolment(t *testing.T) {
	f := newFake(t)
	f.set("/v1/agent/enroll", "503", "busy")
	err := open(t, f, t.TempDir()).Enrol(context.Background(), f.token(1))
	refused, ok := err.(*Refusal)
	if !ok || refused.Status != 503 || refused.RetryAfter() != 7*time.Second || !strings.Contains(err.Error(), "busy") {
		t.Errorf("%v", err)
	}
}
