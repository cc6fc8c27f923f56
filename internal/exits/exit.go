package exits

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Item is one alert as the collector keeps it. Record is the OCSF Detection
// Finding of the agent; the other fields are the collector's own.
type Item struct {
	Seq        int64  // order of commit
	ID         string // of the alert, unique in the collector
	AgentUID   string
	Hostname   string // a label that the agent gave itself
	Group      string
	ReceivedAt time.Time
	Level      string // clean, incomplete, suspicious or malicious
	Status     string // of the triage: new, in_progress, suppressed or closed
	Record     json.RawMessage
}

// Exit sends items to one receiver. It is used by one goroutine at a time.
type Exit interface {
	// Name is the name that the operator gave it.
	Name() string

	// Send returns nil if the receiver took every item, *Refused if it took
	// some and will never take the others, and any other error, mostly
	// *Failure, if the batch has to be sent again.
	Send(ctx context.Context, items []Item) error
}

// New makes the exit that cfg describes. It reads the certificates and looks
// whether the secrets can be read; it connects to nothing.
func New(cfg Config) (Exit, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	exit, err := makers[cfg.Type](cfg)
	if err != nil {
		return nil, fmt.Errorf("make exit %s: %w", cfg.Name, err)
	}
	return exit, nil
}

var makers = map[string]func(Config) (Exit, error){
	TypeSyslog:  newSyslog,
	TypeSplunk:  newSplunk,
	TypeElastic: newElastic,
	TypeWebhook: newWebhook,
	TypeOTLP:    newOTLP,
}
