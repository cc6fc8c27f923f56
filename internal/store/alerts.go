package store

import (
	"context"
	"encoding/json"
	"time"
)

// Alerts reads alerts and works on their triage.
type Alerts interface {
	// Alerts returns a page of alerts that pass the filter.
	Alerts(ctx context.Context, s Scope, f Filter) (Page, error)

	// Groups returns findings: alerts that share Key, with counts.
	Groups(ctx context.Context, s Scope, f Filter) (GroupPage, error)

	// Alert returns one alert, or ErrNotFound, also for one out of scope.
	Alert(ctx context.Context, s Scope, id string) (Alert, error)

	// Since returns alerts with a greater Seq, in the order of Seq.
	Since(ctx context.Context, s Scope, seq int64, limit int) ([]Alert, error)

	// LastSeq is the greatest Seq that is committed, 0 if there is none.
	LastSeq(ctx context.Context) (int64, error)

	// Prevalence tells how far a finding has spread.
	Prevalence(ctx context.Context, s Scope, key string) (Prevalence, error)

	// Similar returns other alerts with the same file, host of origin, signer
	// or, failing those, rule and brand, newest first.
	Similar(ctx context.Context, s Scope, a Alert, limit int) ([]Alert, error)

	// Triage applies a change to the alerts with these ids, writes a line into
	// the history of each that changes, and returns how many did. Ids that are
	// unknown or out of scope are passed over.
	Triage(ctx context.Context, s Scope, ids []string, c Change) (int, error)

	// History returns what was done with an alert, oldest first.
	History(ctx context.Context, s Scope, id string) ([]Event, error)

	// Counts returns numbers of alerts that pass the filter by a column: level,
	// brand, rule, status, group, disposition, hostname, or day (received, UTC,
	// as 2006-01-02). Greatest first; by day oldest first.
	Counts(ctx context.Context, s Scope, f Filter, column string, limit int) ([]Count, error)

	// RuleStats returns how each rule fared with alerts that pass the filter.
	RuleStats(ctx context.Context, s Scope, f Filter) ([]RuleStat, error)

	// Delays returns the times from landing to alert, in no order, of alerts
	// that pass the filter and know it; at most limit.
	Delays(ctx context.Context, s Scope, f Filter, limit int) ([]time.Duration, error)

	// Expire deletes alerts that were received before and are closed or
	// suppressed, or open and older than openBefore, with their history; at
	// most limit of them. It returns how many it deleted. Keys are kept, so
	// that an agent that sends one again is told "duplicate".
	Expire(ctx context.Context, before, openBefore time.Time, limit int) (int, error)
}

// The states of triage, with the status_id of OCSF 1.8.0 Detection Finding.
const (
	StatusNew        = "new"         // 1
	StatusInProgress = "in_progress" // 2
	StatusSuppressed = "suppressed"  // 3: hidden by an exception
	StatusClosed     = "closed"      // 4, Resolved
)

// The dispositions with which an alert is closed.
const (
	TruePositive  = "true_positive"
	FalsePositive = "false_positive"
	Authorised    = "authorised"
	Testing       = "testing"
)

// Filter chooses alerts. Zero fields do not filter; texts are compared whole,
// lists match any of their members.
type Filter struct {
	IDs         []string
	Levels      []string
	Statuses    []string
	Brand       string
	Rule        string
	Hostname    string
	AgentUID    string
	Group       string
	SHA256      string
	User        string
	Host        string // of origin
	Key         string // of the finding
	Disposition string
	Assignee    string    // "-" for nobody
	Exception   string    // id of the exception that hides it
	Text        string    // part of path, hostname, rule, user or host of origin, without regard to case (ASCII)
	Since       time.Time // received at or after
	Until       time.Time // received before
	MinScore    int
	Before      int64 // only alerts with a smaller Seq: Page.Next of the page before; of Groups: GroupPage.Next
	Limit       int   // most to return, at least 1
}

// Page is one page of alerts, newest first.
type Page struct {
	Alerts []Alert
	Next   int64 // Filter.Before of the next page, or 0 if there is none
}

// Alert is a stored record with the columns that people filter on. The columns
// are cleaned and bounded copies; Record is what the agent wrote.
type Alert struct {
	Seq         int64           `json:"seq"` // order of commit, from 1, with gaps
	ID          string          `json:"id"`  // see AlertID
	AgentUID    string          `json:"agent_uid"`
	RecordUID   string          `json:"record_uid"`
	Group       string          `json:"group"`
	Hostname    string          `json:"hostname"`
	ReceivedAt  time.Time       `json:"received_at"`
	Time        time.Time       `json:"time,omitzero"`
	Level       string          `json:"level"`
	Brand       string          `json:"brand"`
	Rule        string          `json:"rule"`
	Score       int             `json:"score"`
	Severity    int             `json:"severity"`
	Path        string          `json:"path"`
	SHA256      string          `json:"sha256"`
	User        string          `json:"user"`
	Host        string          `json:"source_host"`
	Signer      string          `json:"signer"`
	FindingID   string          `json:"finding_uid"`
	Key         string          `json:"key"` // what it is grouped by: the file's SHA-256, or "rule:" and the rule
	Digest      string          `json:"digest"`
	Status      string          `json:"status"`
	Disposition string          `json:"disposition"`
	Assignee    string          `json:"assignee"`
	ClosedAt    time.Time       `json:"closed_at,omitzero"`
	Exception   string          `json:"exception"`
	Record      json.RawMessage `json:"record,omitempty"`
}

// Group is a finding: what one person decides about at once.
type Group struct {
	Key    string    `json:"key"`
	Newest Alert     `json:"newest"` // without Record
	Alerts int       `json:"alerts"`
	Agents int       `json:"agents"`
	Open   int       `json:"open"` // new or in progress
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
}

// GroupPage is one page of findings: greatest severity first, then newest.
type GroupPage struct {
	Groups []Group
	Next   int64 // Filter.Before of the next page (an offset), or 0 if there is none
}

// Prevalence is how far a finding has spread.
type Prevalence struct {
	Alerts int       `json:"alerts"`
	Agents int       `json:"agents"`
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last,omitzero"`
}

// Change is one act of triage. Nil fields leave what is there.
type Change struct {
	Who         string
	At          time.Time
	Status      *string
	Disposition *string
	Assignee    *string
	Note        string // "" for none
}

// Event is one line of an alert's history.
type Event struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Who    string    `json:"who"`
	Action string    `json:"action"` // as in "closed as false positive", "took it", "note"
	Note   string    `json:"note,omitempty"`
}

// Count is a number for one value of a column.
type Count struct {
	Value string `json:"value"`
	N     int    `json:"n"`
}

// RuleStat is how a rule fared.
type RuleStat struct {
	Rule           string    `json:"rule"`
	Alerts         int       `json:"alerts"`
	Agents         int       `json:"agents"`
	TruePositives  int       `json:"true_positives"`
	FalsePositives int       `json:"false_positives"`
	Last           time.Time `json:"last"`
}
