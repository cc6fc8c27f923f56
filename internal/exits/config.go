package exits

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// The types of exit.
const (
	TypeSyslog  = "syslog"
	TypeSplunk  = "splunk"
	TypeElastic = "elastic"
	TypeWebhook = "webhook"
	TypeOTLP    = "otlp"
)

// What holds where the configuration says nothing, and its bounds.
const (
	DefaultBatch      = 100
	DefaultBatchBytes = 512 << 10
	DefaultTimeout    = 30 * time.Second

	maxBatch      = 1000
	maxBatchBytes = 8 << 20
	maxTimeout    = 10 * time.Minute
)

// Config describes one exit. Secrets never stand in it: they are read from the
// files that it names, each time they are used, so that they can be replaced
// while the collector runs.
type Config struct {
	Name string `yaml:"name"` // lower-case letters, digits and -, at most 40; names the cursor
	Type string `yaml:"type"` // one of the Type… constants

	URL      string `yaml:"url"`                // https://…; of syslog tls://host:port, tcp://… or udp://…
	URLFile  string `yaml:"url_file,omitempty"` // of a webhook whose address is itself a secret, instead of URL
	Insecure bool   `yaml:"insecure,omitempty"` // allows an address without TLS

	CAFile     string `yaml:"ca_file,omitempty"`     // PEM; instead of the authorities that the system trusts
	CertFile   string `yaml:"cert_file,omitempty"`   // PEM; client certificate
	KeyFile    string `yaml:"key_file,omitempty"`    // PEM; its key
	ServerName string `yaml:"server_name,omitempty"` // that the certificate has to be for, if it is not the host of the address

	TokenFile    string `yaml:"token_file,omitempty"` // HEC token, API key or bearer token
	User         string `yaml:"user,omitempty"`       // with password_file: HTTP basic authentication
	PasswordFile string `yaml:"password_file,omitempty"`

	Filter         Filter        `yaml:"filter,omitempty"`
	Batch          int           `yaml:"batch,omitempty"`           // alerts a batch, 1…1000; 100
	BatchBytes     int           `yaml:"batch_bytes,omitempty"`     // bytes of records a batch, up to 8 MiB; 512 KiB
	Timeout        time.Duration `yaml:"timeout,omitempty"`         // of one request, 1s…10m; 30s
	HostnameFrom   string        `yaml:"hostname_from,omitempty"`   // agent: what the machine calls itself (the default); uid: its identity
	HostnameSuffix string        `yaml:"hostname_suffix,omitempty"` // put behind a host name that has no dot, such as .corp.example

	Syslog  *Syslog  `yaml:"syslog,omitempty"`
	Splunk  *Splunk  `yaml:"splunk,omitempty"`
	Elastic *Elastic `yaml:"elastic,omitempty"`
	Webhook *Webhook `yaml:"webhook,omitempty"`
}

// Filter chooses what is sent. An empty list lets everything pass.
type Filter struct {
	Levels   []string `yaml:"levels,omitempty,flow"`
	Groups   []string `yaml:"groups,omitempty,flow"`
	Statuses []string `yaml:"statuses,omitempty,flow"` // of the triage at the time of sending
}

// Passes tells whether the item is sent.
func (f Filter) Passes(it Item) bool {
	in := func(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }
	return in(f.Levels, it.Level) && in(f.Groups, it.Group) && in(f.Statuses, it.Status)
}

// Parse reads a YAML document with the one key exits. A key that is not known
// and every problem of every exit are errors, reported together.
func Parse(data []byte) ([]Config, error) {
	var doc struct {
		Exits []Config `yaml:"exits"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read exits: %w", err)
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("read exits: there is more than one document")
	}
	return doc.Exits, ValidateAll(doc.Exits)
}

// ValidateAll tells all problems of all exits.
func ValidateAll(all []Config) error {
	var problems []error
	seen := map[string]bool{}
	for _, c := range all {
		if seen[c.Name] {
			problems = append(problems, fmt.Errorf("exit %q: name: two exits have it", c.Name))
		}
		seen[c.Name] = true
		problems = append(problems, c.Validate())
	}
	return errors.Join(problems...)
}

func (c Config) withDefaults() Config {
	if c.Batch == 0 {
		c.Batch = DefaultBatch
	}
	if c.BatchBytes == 0 {
		c.BatchBytes = DefaultBatchBytes
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.HostnameFrom == "" {
		c.HostnameFrom = "agent"
	}
	return c
}

// Validate tells everything that is wrong with the configuration, one line a
// problem, or nil. It opens no file.
func (c Config) Validate() error {
	c = c.withDefaults()
	p := problems{exit: c.Name}
	c.validateCommon(&p)
	c.validateAddress(&p)
	c.validateSecrets(&p)
	c.validateSection(&p)
	return errors.Join(p.all...)
}

// problems collects what is wrong with one exit.
type problems struct {
	exit string
	all  []error
}

// unless notes a problem if ok does not hold.
func (p *problems) unless(ok bool, key, format string, args ...any) {
	if !ok {
		p.all = append(p.all, fmt.Errorf("exit %q: %s: %s", p.exit, key, fmt.Sprintf(format, args...)))
	}
}

var (
	reName   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	reSuffix = regexp.MustCompile(`^(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?){1,8}$`)
)

func (c Config) validateCommon(p *problems) {
	p.unless(reName.MatchString(c.Name), "name", "write 1 to 40 lower-case letters, digits or -")
	p.unless(makers[c.Type] != nil, "type", "write syslog, splunk, elastic, webhook or otlp")
	p.unless(c.Batch >= 1 && c.Batch <= maxBatch, "batch", "write a number from 1 to %d", maxBatch)
	p.unless(c.BatchBytes >= 1<<10 && c.BatchBytes <= maxBatchBytes, "batch_bytes", "write a number from %d to %d", 1<<10, maxBatchBytes)
	p.unless(c.Timeout >= time.Second && c.Timeout <= maxTimeout, "timeout", "write a time from 1s to 10m")
	p.unless(c.HostnameFrom == "agent" || c.HostnameFrom == "uid", "hostname_from", "write agent or uid")
	p.unless(c.HostnameSuffix == "" || reSuffix.MatchString(c.HostnameSuffix), "hostname_suffix", "write a domain that begins with a dot")
	for _, l := range c.Filter.Levels {
		p.unless(slices.Contains([]string{"clean", "incomplete", "suspicious", "malicious"}, l), "filter.levels", "there is no level %q", l)
	}
	for _, s := range c.Filter.Statuses {
		p.unless(statuses[s].id != 0, "filter.statuses", "there is no status %q", s)
	}
}

func (c Config) validateAddress(p *problems) {
	if c.URLFile != "" {
		p.unless(c.URL == "", "url_file", "write either url or url_file")
		p.unless(c.Type == TypeWebhook, "url_file", "only a webhook may have it")
		return
	}
	if err := c.checkAddress(c.URL); err != nil {
		p.unless(false, "url", "%s", err)
	}
}

// checkAddress never repeats the address, which may hold a secret.
func (c Config) checkAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "":
		return errors.New("it is no address with a host")
	case u.User != nil:
		return errors.New("it may hold no user and no password: use user and password_file")
	case u.Fragment != "":
		return errors.New("it may hold no fragment")
	case u.RawQuery != "" && c.Type != TypeWebhook:
		return errors.New("it may hold no query")
	}
	if c.Type == TypeSyslog {
		return c.checkSyslogAddress(u)
	}
	switch {
	case u.Scheme == "https", u.Scheme == "http" && c.Insecure:
		return nil
	case u.Scheme == "http":
		return errors.New("http sends alerts and secrets for everybody to read: write https, or insecure: true if you mean it")
	}
	return errors.New("it has to begin with https://")
}

func (c Config) checkSyslogAddress(u *url.URL) error {
	switch {
	case u.Path != "" || u.RawQuery != "":
		return errors.New("write nothing behind the port")
	case u.Port() == "":
		return errors.New("write a port: 6514 is usual for tls, 514 for tcp and udp")
	case u.Scheme == "tls", (u.Scheme == "tcp" || u.Scheme == "udp") && c.Insecure:
		return nil
	case u.Scheme == "tcp" || u.Scheme == "udp":
		return errors.New("tcp and udp send alerts for everybody to read: write tls, or insecure: true if you mean it")
	}
	return errors.New("it has to begin with tls://, tcp:// or udp://")
}

func (c Config) validateSecrets(p *problems) {
	p.unless((c.CertFile == "") == (c.KeyFile == ""), "cert_file", "cert_file and key_file go together")
	p.unless((c.User == "") == (c.PasswordFile == ""), "user", "user and password_file go together")
	p.unless(c.TokenFile == "" || c.User == "", "token_file", "write either token_file or user with password_file")
	p.unless(!strings.ContainsAny(c.User, ":\r\n"), "user", "it may hold no colon and no line break")
	switch c.Type {
	case TypeSplunk:
		p.unless(c.TokenFile != "", "token_file", "Splunk's event collector asks for a token")
		p.unless(c.User == "", "user", "Splunk's event collector takes a token only")
	case TypeSyslog:
		p.unless(c.TokenFile == "" && c.User == "", "token_file", "syslog knows client certificates only: use cert_file and key_file")
	}
}

// validateSection checks the section of the type, and that there is no other.
func (c Config) validateSection(p *problems) {
	p.unless(c.Syslog == nil || c.Type == TypeSyslog, "syslog", "this exit is of another type")
	p.unless(c.Splunk == nil || c.Type == TypeSplunk, "splunk", "this exit is of another type")
	p.unless(c.Elastic == nil || c.Type == TypeElastic, "elastic", "this exit is of another type")
	p.unless(c.Webhook == nil || c.Type == TypeWebhook, "webhook", "this exit is of another type")
	switch c.Type {
	case TypeSyslog:
		c.syslog().validate(p)
	case TypeSplunk:
		c.splunk().validate(p)
	case TypeElastic:
		c.elastic().validate(p)
	case TypeWebhook:
		c.webhook().validate(p)
	}
}
