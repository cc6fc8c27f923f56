package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Store is everything the collector keeps. Its methods may be called from many
// goroutines and, on PostgreSQL, from many collectors. A method that changes
// something returns only after the commit is on disk; after an error nothing of
// it may be taken as done, and doing it again does no harm.
// conformance_test.go holds the tests that every implementation must pass.
type Store interface {
	Intake
	Alerts
	Fleet
	Enrolment
	People
	Exceptions
	Work
	Audit

	// Ready tells whether the store can be used: it answers, and its schema is
	// the one that this program knows.
	Ready(ctx context.Context) error

	// Engine is "sqlite" or "postgres".
	Engine() string

	// Close ends the store. No other method may be running or follow.
	Close() error
}

// Errors that callers tell apart with errors.Is.
var (
	ErrNotFound = errors.New("no such entry")
	ErrTaken    = errors.New("the name is taken")        // a unique name is in use
	ErrRefused  = errors.New("refused")                  // a token that is spent, expired or revoked; a certificate that is not known
	ErrChanged  = errors.New("changed by somebody else") // an update that names an older version
)

// Scope is what a caller may see and change: agents of some groups, or all. The
// zero Scope sees nothing.
type Scope struct {
	All    bool
	Groups []string
}

// Everything is the scope of the collector itself and of people without limits.
var Everything = Scope{All: true}

// Sees tells whether an agent of the group is within the scope.
func (s Scope) Sees(group string) bool {
	if s.All {
		return true
	}
	for _, g := range s.Groups {
		if g == group {
			return true
		}
	}
	return false
}

// Intake takes what agents send.
type Intake interface {
	// Save commits a batch as a whole and answers every record, in order. An
	// alert that an exception of its group hides is stored as suppressed. The
	// batch's agent must be known (Enrol, or Admit for an open collector).
	Save(ctx context.Context, b Batch) ([]Result, error)

	// Beat takes heartbeats that were coalesced: at most one an agent. Agents
	// that are not known are passed over. Commit to disk is not promised.
	Beat(ctx context.Context, beats []Beat) error

	// DeadLetters returns refused records, newest first.
	DeadLetters(ctx context.Context, s Scope, limit int) ([]DeadLetter, error)
}

// Agent is what an agent says about itself. UID identifies it and comes from its
// certificate; the rest are labels.
type Agent struct {
	UID          string `json:"uid"`
	Hostname     string `json:"hostname"`
	OS           string `json:"os"`
	Version      string `json:"version"`
	RulesVersion string `json:"rules_version"`
}

// Batch is one request of one agent with records.
type Batch struct {
	Agent      Agent
	Beat       *Beat // heartbeat that came with it, or nil
	ReceivedAt time.Time
	Records    []Record
	Log        *LogState // where the log stands after these records, kept as it is; nil: unchanged
	Own        bool      // alarms of the collector about the agent: they are no sign of life
}

// Beat is one heartbeat.
type Beat struct {
	Agent     Agent
	At        time.Time       // received
	Interval  time.Duration   // when the next one is expected
	Stopping  bool            // the agent is being stopped on purpose: silence that follows is no alarm
	Seq       uint64          // newest line of the agent's log
	Head      string          // its SHA-256
	Log       *LogState       // as Batch.Log
	Damage    string          // what the agent found in its log that is not what was written, "" for nothing
	Trouble   string          // one line: sources that are not well, "" if all are
	BootID    string          // changes with each boot of the machine
	MachineID string          // of the machine the agent runs on
	Body      json.RawMessage // the whole heartbeat
}

// Record is one record of a batch, judged and cut into columns by the caller.
type Record struct {
	UID     string // metadata.uid, or "" if it had none that can be used
	Refused string // why it cannot be stored, or ""
	Digest  string // SHA-256 of Raw, lower-case hexadecimal
	Size    int    // bytes, also if Raw was cut
	Raw     []byte

	Time      time.Time // of the finding, as the agent tells it
	Hostname  string
	Level     string
	Brand     string
	Rule      string
	Score     int // 0…100
	Severity  int // OCSF severity_id, 0…6 and 99
	Path      string
	SHA256    string
	User      string
	Host      string // that the file came from
	Signer    string
	FindingID string    // finding_info.uid: Update records share it
	Seq       uint64    // mg_seq of the agent's log, 0 if none
	Prev      string    // mg_prev
	Landed    time.Time // when the file landed, if the record tells
	Note      *Note     // set if it is no alert but tells of one
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
	UID    string `json:"uid"`
	Status Status `json:"status"`
	Reason string `json:"reason,omitempty"` // set if Status is Rejected
}

// DeadLetter is a record that could not be stored.
type DeadLetter struct {
	AgentUID   string    `json:"agent_uid"`
	Hostname   string    `json:"hostname"`
	RecordUID  string    `json:"record_uid"`
	Digest     string    `json:"digest"`
	Reason     string    `json:"reason"`
	ReceivedAt time.Time `json:"received_at"`
	Size       int       `json:"size"`
	Record     []byte    `json:"-"` // may be cut, and may be no text
}
