package exits

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const goodExits = `
exits:
  - name: soc-syslog
    type: syslog
    url: tls://siem.corp.example:6514
    ca_file: /etc/meetguard/siem-ca.pem
    syslog: {facility: authpriv, message: ocsf, max_bytes: 65536, pen: 32473, confirm: false}
  - name: soc-splunk
    type: splunk
    url: https://10.1.2.3:8088
    token_file: /etc/meetguard/hec.token
    timeout: 1m30s
    filter: {levels: [malicious], groups: [finance], statuses: [new, in_progress]}
    splunk: {index: security, ack: true}
  - name: tickets
    type: webhook
    url_file: /etc/meetguard/hook.url
    webhook:
      per: batch
      headers: {X-From: meetguard}
      header_files: {Authorization: /etc/meetguard/hook.key}
      template: '[{{range $i, $a := .}}{{if $i}},{{end}}{"t":{{.Title | json}}}{{end}}]'
`

func TestParse(t *testing.T) {
	all, err := Parse([]byte(goodExits))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 || all[1].Timeout != 90*time.Second || !all[1].Splunk.Ack || *all[0].Syslog.Confirm {
		t.Errorf("read %+v", all)
	}
	if all, err := Parse(nil); err != nil || len(all) != 0 {
		t.Errorf("nothing is read as %v, %v", all, err)
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{`type: splunk, url: "https://s", tokenfile: x`, "field tokenfile not found"},
		{`type: splunk, url: "https://s", token: secret`, "field token not found"},
		{`type: splunk, url: "https://s"`, "asks for a token"},
		{`type: nothing, url: "https://s"`, "type: write syslog"},
		{`type: otlp, url: "http://s"`, "insecure: true"},
		{`type: otlp, url: "ftp://s"`, "begin with https"},
		{`type: otlp, url: "https://u:hunter2@s"`, "no user and no password"},
		{`type: otlp, url: "https://s/?key=hunter2"`, "no query"},
		{`type: otlp, url: ""`, "no address with a host"},
		{`type: otlp, url: "https://s", batch: 100000`, "batch: write a number"},
		{`type: otlp, url: "https://s", timeout: 30`, "cannot unmarshal"},
		{`type: otlp, url: "https://s", timeout: 30ms`, "timeout: write a time"},
		{`type: otlp, url: "https://s", cert_file: x`, "go together"},
		{`type: otlp, url: "https://s", user: x`, "go together"},
		{`type: otlp, url: "https://s", filter: {levels: [bad]}`, "no level"},
		{`type: otlp, url: "https://s", filter: {statuses: [open]}`, "no status"},
		{`type: otlp, url: "https://s", splunk: {}`, "of another type"},
		{`type: otlp, url: "https://s", url_file: x`, "either url or url_file"},
		{`type: otlp, url: "https://s", hostname_from: dns`, "write agent or uid"},
		{`type: otlp, url: "https://s", hostname_suffix: corp`, "begins with a dot"},
		{`type: syslog, url: "udp://s:514"`, "insecure: true"},
		{`type: syslog, url: "tls://s"`, "write a port"},
		{`type: syslog, url: "https://s:1"`, "begin with tls"},
		{`type: syslog, url: "tls://s:1", syslog: {facility: local9, message: cef, max_bytes: 10}`, "syslog.facility"},
		{`type: elastic, url: "https://s", elastic: {index: "../x"}`, "elastic.index"},
		{`type: webhook, url: "https://s", webhook: {template: "{\"path\":\"{{.Path}}\"}"}`, "put every value through json"},
		{`type: webhook, url: "https://s", webhook: {template: "{{.Nothing}}"}`, "can't evaluate field Nothing"},
		{`type: webhook, url: "https://s", webhook: {template: "{{"}`, "webhook.template"},
		{`type: webhook, url: "https://s", webhook: {template: "{{.view}}"}`, "view is an unexported field"},
		{`type: webhook, url: "https://s", webhook: {headers: {Host: x}}`, "set by the request"},
		{`type: webhook, url: "https://s", webhook: {headers: {authorization: x}}`, "is a secret"},
		{`type: webhook, url: "https://s", webhook: {headers: {"a b": x}}`, "no name of a header"},
		{`type: webhook, url: "https://s", webhook: {method: GET}`, "write POST"},
	} {
		_, err := Parse([]byte("exits: [{name: x, " + c.yaml + "}]"))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", c.yaml, err, c.want)
		}
	}
}

// TestAllProblems wants every problem at once, a line each.
func TestAllProblems(t *testing.T) {
	_, err := Parse([]byte("exits: [{name: X, type: otlp, url: 'http://s', batch: -1, timeout: 1ms}, {name: X, type: splunk, url: 'https://s'}]"))
	if err == nil {
		t.Fatal("all is well")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 7 {
		t.Errorf("%d problems: %s", len(lines), err)
	}
}

// TestNew tells at once what cannot be read.
func TestNew(t *testing.T) {
	empty := write(t, "empty", nil)
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{Type: TypeSplunk, TokenFile: filepath.Join(t.TempDir(), "none")}, "read token_file"},
		{Config{Type: TypeSplunk, TokenFile: empty}, "one line with the secret"},
		{Config{Type: TypeElastic, User: "u", PasswordFile: write(t, "two", []byte("a\nb"))}, "one line with the secret"},
		{Config{Type: TypeOTLP, CAFile: empty}, "no certificate in it"},
		{Config{Type: TypeOTLP, CertFile: empty, KeyFile: empty}, "read cert_file"},
		{Config{Type: TypeWebhook, Webhook: &Webhook{HeaderFiles: map[string]string{"X-Key": empty}}}, "one line with the secret"},
	} {
		c.cfg.Name, c.cfg.URL = "x", "https://siem.invalid"
		if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.cfg, err, c.want)
		}
	}
}

// TestDocumentedExits holds the examples of the documentation, and that it
// names every key.
func TestDocumentedExits(t *testing.T) {
	text, err := os.ReadFile(filepath.FromSlash("../../docs/exits.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	types := map[string]bool{}
	for _, e := range examples {
		all, err := Parse([]byte(e[1]))
		if err != nil {
			t.Errorf("%v in the example\n%s", err, e[1])
		}
		for _, c := range all {
			types[c.Type] = true
		}
	}
	for kind := range makers {
		if !types[kind] {
			t.Errorf("there is no example of %s", kind)
		}
	}
	for _, file := range []string{"config.go", "syslog.go", "splunk.go", "elastic.go", "webhook.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("yaml:\"([a-z_]+)").FindAllStringSubmatch(string(source), -1) {
			if !regexp.MustCompile("`" + m[1] + "[`:]|(?m)^ *" + m[1] + ":").Match(text) {
				t.Errorf("the documentation does not name the key %s of %s", m[1], file)
			}
		}
	}
}
