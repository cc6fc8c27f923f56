package collect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"go.yaml.in/yaml/v3"

	"meetguard/internal/exits"
	"meetguard/internal/pki"
)

// Settings is the file of the collector. No key is needed. Unknown keys are
// errors, and all problems are told at once. Secrets stand in files of their
// own, which it names.
type Settings struct {
	Listen    string        `yaml:"listen"`     // HOST:PORT of agents, programs and people
	Metrics   string        `yaml:"metrics"`    // HOST:PORT of Prometheus metrics, "off" for none
	Store     string        `yaml:"store"`      // sqlite:PATH or postgres://…
	Hosts     []string      `yaml:"hosts"`      // names and addresses that agents and people call this collector by
	PublicURL string        `yaml:"public_url"` // where people find it, if that is not https:// and the first host
	CADir     string        `yaml:"ca_dir"`     // folder of the certificate authority; "": it stands in the store
	Cert      string        `yaml:"cert"`       // server certificate of your own, PEM with its chain
	Key       string        `yaml:"key"`        // its key, PEM
	ClientCA  string        `yaml:"client_ca"`  // PEM of your own CAs whose client certificates are agents
	ClientUID string        `yaml:"client_uid"` // where the agent's uid stands in them: cn, dns, email or uri:PREFIX
	Interval  time.Duration `yaml:"interval"`   // between heartbeats
	Retention struct {
		ClosedDays *int `yaml:"closed_days"` // 0 keeps for good
		OpenDays   *int `yaml:"open_days"`
		AuditDays  *int `yaml:"audit_days"`
	} `yaml:"retention"`
	OIDC  *OIDCSettings  `yaml:"oidc"`  // see docs/collector.md
	Exits []exits.Config `yaml:"exits"` // see docs/exits.md
}

// DefaultSettings are those without a file.
func DefaultSettings() Settings {
	return Settings{Listen: DefaultListen, Metrics: DefaultMetrics, Interval: DefaultInterval}
}

// maxSettings bounds the file, in bytes.
const maxSettings = 1 << 20

// LoadSettings reads the file over the defaults; "" gives the defaults.
func LoadSettings(path string) (Settings, error) {
	s := DefaultSettings()
	if path == "" {
		return s, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return s, fmt.Errorf("read the settings: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSettings))
	if err != nil {
		return s, fmt.Errorf("read the settings: %w", err)
	}
	if err := s.parse(data); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s *Settings) parse(data []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return s.Validate()
}

// Validate returns every problem, joined.
func (s *Settings) Validate() error {
	var all []error
	bad := func(wrong bool, text string) {
		if wrong {
			all = append(all, errors.New(text))
		}
	}
	bad((s.Cert == "") != (s.Key == ""), "cert and key: give both or none")
	bad(s.Interval < minInterval || s.Interval > maxInterval, "interval: give 5s to 24h")
	bad(s.ClientUID != "" && s.ClientCA == "", "client_uid: it needs client_ca")
	for name, days := range map[string]*int{"closed_days": s.Retention.ClosedDays, "open_days": s.Retention.OpenDays, "audit_days": s.Retention.AuditDays} {
		bad(days != nil && *days < 0, "retention."+name+": give a number of days, 0 for ever")
	}
	if s.OIDC != nil {
		all = append(all, s.OIDC.validate())
	}
	return errors.Join(append(all, exits.ValidateAll(s.Exits))...)
}

// Keep is the retention that the settings ask for.
func (s *Settings) Keep() Retention {
	keep := DefaultRetention
	set := func(to *time.Duration, days *int) {
		if days != nil {
			*to = time.Duration(*days) * day
		}
	}
	set(&keep.Closed, s.Retention.ClosedDays)
	set(&keep.Open, s.Retention.OpenDays)
	set(&keep.Audit, s.Retention.AuditDays)
	return keep
}

// ApplyTrust gives the authority what the settings say of certificates that are
// the operator's own.
func (s *Settings) ApplyTrust(a *pki.Authority) error {
	if s.Cert != "" {
		if err := a.Serve(s.Cert, s.Key); err != nil {
			return err
		}
	}
	if s.ClientCA == "" {
		return nil
	}
	cas, err := pki.ReadBundle(s.ClientCA)
	if err != nil {
		return err
	}
	return a.Accept(cas, s.ClientUID)
}

// Apply fills what the settings say into the server's configuration.
func (s *Settings) Apply(cfg *Config) error {
	if s.OIDC != nil {
		var err error
		if cfg.OIDC, err = s.OIDC.config(cfg.PublicURL); err != nil {
			return err
		}
	}
	cfg.Exits = s.Exits
	return s.ApplyTrust(cfg.Authority)
}

// AgentURL is where agents find the collector, as far as the settings tell.
func (s *Settings) AgentURL() string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	host, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return "https://COLLECTOR"
	}
	ip := net.ParseIP(host)
	addr := &net.TCPAddr{IP: ip}
	if ip == nil && host == "" {
		addr.IP = net.IPv4zero
	}
	addr.Port, _ = net.LookupPort("tcp", port)
	named := s.Hosts
	if len(named) == 0 && ip == nil && host != "" {
		named = []string{host}
	}
	return URL(named, addr)
}
