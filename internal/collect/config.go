package collect

import (
	"errors"
	"log/slog"
	"time"

	"meetguard/internal/exits"
	"meetguard/internal/people"
	"meetguard/internal/pki"
	"meetguard/internal/store"
)

// Config is what a server is made of.
type Config struct {
	Store  store.Store      // stays the caller's to close
	Log    *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // nil: the system's clock
	Secret []byte           // 32 bytes that seal cookies and TOTP secrets, the same for all collectors of a store

	Authority *pki.Authority     // signs and checks certificates; nil: nobody can enrol, and there is no TLS
	Hosts     []string           // names and addresses for the server's certificate
	Retention Retention          // zero keeps everything
	Interval  time.Duration      // between heartbeats of an agent, 0: DefaultInterval
	Loopback  bool               // the listener is on loopback only: while unused, the collector is open there
	PublicURL string             // https://HOST:PORT under which agents and people reach it
	OIDC      *people.OIDCConfig // log-in by an OpenID Connect provider; nil: none
	Exits     []exits.Config     // where alerts are sent on to
	Version   string
	Limits    Limits // zero: DefaultLimits
}

// DefaultGroup is the group of agents whose token names none.
const DefaultGroup = "default"

// secretSize is the size of Config.Secret in bytes.
const secretSize = 32

// filled returns the configuration with what it leaves out.
func (c Config) filled() (Config, error) {
	if c.Store == nil {
		return c, errors.New("a store is missing")
	}
	if len(c.Secret) != secretSize {
		return c, errors.New("the secret must have 32 bytes")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Interval == 0 {
		c.Interval = DefaultInterval
	}
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits
	}
	return c, nil
}
