package collect

import (
	"errors"
	"log/slog"
	"time"

	"meetguard/internal/store"
)

// Config is what a server is made of.
type Config struct {
	Store  store.Store      // stays the caller's to close
	Log    *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // nil: the system's clock
	Secret []byte           // 32 bytes that seal cookies and TOTP secrets, the same for all collectors of a store

	Interval  time.Duration // between heartbeats of an agent, 0: a minute
	Grace     time.Duration // of a heartbeat that is late, 0: 30 s
	Loopback  bool          // the listener is on loopback only: while unused, the collector is open there
	PublicURL string        // https://HOST:PORT under which agents and people reach it
	Pin       string // of the CA, part of each enrolment token; "" if there is none
	Version   string
	Limits    Limits // zero: DefaultLimits
}

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
		c.Interval = time.Minute
	}
	if c.Grace == 0 {
		c.Grace = 30 * time.Second
	}
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits
	}
	return c, nil
}
