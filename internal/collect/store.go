package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Store keeps what agents sent. Its methods may be called from many goroutines.
// storetest_test.go holds the tests that every implementation must pass.
type Store interface {
	// Save commits a batch as a whole and answers every record, in order. It
	// returns only after the commit is on disk; after an error nothing of the
	// batch may be taken as stored, and sending it again does no harm.
	Save(ctx context.Context, b Batch) ([]Result, error)

	// Alerts returns the newest alerts that pass the filter, newest first.
	Alerts(ctx context.Context, f Filter) (Page, error)

	// Alert returns one alert, or an error wrapping ErrNotFound.
	Alert(ctx context.Context, id string) (Alert, error)

	// Agents returns up to limit agents ordered by uid, from the first one
	// after the given uid.
	Agents(ctx context.Context, after string, limit int) ([]AgentStatus, error)

	// Ready tells whether the store can be used: it answers, and its schema is
	// the one that this program knows.
	Ready(ctx context.Context) error

	// Close ends the store. No other method may be running or follow.
	Close() error
}

// ErrNotFound says that no alert has the id.
var ErrNotFound = errors.New("no such alert")

// Agent is what an agent says about itself. Only UID identifies it; the rest
// are labels.
type Agent struct {
	UID          string `json:"uid"`
	Hostname     string `json:"hostname"`
	OS           string `json:"os"`
	Version      string `json:"version"`
	RulesVersion string `json:"rules_version"`
}

// AgentStatus is an agent and what the collector knows about it.
type AgentStatus struct {
	Agent
	FirstSeen time.Time       `json:"first_seen"`
	LastSeen  time.Time       `json:"last_seen"`
	Alerts    int64           `json:"alerts"`    // alerts stored
	Rejected  int64           `json:"rejected"`  // answers "rejected" given, conflicts included
	Conflicts int64           `json:"conflicts"` // answers "rejected" given because the uid held another record
	Heartbeat json.RawMessage `json:"heartbeat,omitempty"`
}

// Batch is one request of one agent.
type Batch struct {
	Agent      Agent
	Heartbeat  json.RawMessage // the newest one is kept; nil keeps the one before
	ReceivedAt time.Time
	Records    []Record
}

// Status is the answer to one record.
type Status string

// The answers. An agent may forget a record after any of them: "rejected" is
// for good, sending the same bytes again gives the same answer.
const (
	Stored    Status = "stored"
	Duplicate Status = "duplicate"
	Rejected  Status = "rejected"
)

// ReasonConflict is the reason of a record whose uid is taken by another record
// of the same agent: a fault, or somebody who rewrites the log.
const ReasonConflict = "conflict"

// Result answers one record of a batch.
type Result struct {
	UID    string `json:"uid"` // metadata.uid, or "" if the record had none that can be used
	Status Status `json:"status"`
	Reason string `json:"reason,omitempty"` // set if Status is Rejected
}

// Filter chooses alerts. Zero fields do not filter; texts are compared whole.
type Filter struct {
	Level    string
	Brand    string
	Rule     string
	Hostname string
	Since    time.Time // received at or after
	Before   int64     // only alerts with a smaller Seq: Page.Next of the page before
	Limit    int       // most alerts to return, at least 1
}

// Page is one page of alerts.
type Page struct {
	Alerts []Alert
	Next   int64 // Filter.Before of the next page, or 0 if there is none
}

// Alert is a stored record with the columns that people filter on. The columns
// are cleaned and bounded copies; Record is what the agent wrote.
type Alert struct {
	Seq        int64           `json:"-"`  // order of arrival, from 1
	ID         string          `json:"id"` // see alertID
	AgentUID   string          `json:"agent_uid"`
	Hostname   string          `json:"hostname"`
	ReceivedAt time.Time       `json:"received_at"`
	Time       time.Time       `json:"time,omitzero"` // of the finding, as the agent tells it
	Level      string          `json:"level"`
	Brand      string          `json:"brand"`
	Rule       string          `json:"rule"`
	Score      int             `json:"score"` // 0…100
	Path       string          `json:"path"`
	SHA256     string          `json:"sha256"`
	Digest     string          `json:"digest"` // SHA-256 of Record as stored, lower-case hexadecimal
	Record     json.RawMessage `json:"record"`
}

// OpenStore opens the store that url names: "sqlite:PATH". The error is one
// line and never holds the url, which may carry a password.
func OpenStore(ctx context.Context, url string) (Store, error) {
	scheme, rest, found := strings.Cut(url, ":")
	switch {
	case found && scheme == "sqlite" && rest != "":
		return OpenSQLite(ctx, rest)
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return nil, errors.New("open store: this version keeps alerts in SQLite only, use --store sqlite:PATH")
	}
	return nil, fmt.Errorf("open store: the store must be given as sqlite:PATH")
}
