package store

import (
	"context"
	"encoding/json"
	"time"
)

// Fleet reads and sets what is known of agents.
type Fleet interface {
	// Agents returns a page of agents ordered by uid.
	Agents(ctx context.Context, s Scope, f AgentFilter) ([]AgentStatus, error)

	// Agent returns one agent, or ErrNotFound, also for one out of scope.
	Agent(ctx context.Context, s Scope, uid string) (AgentStatus, error)

	// FleetCounts sums up the agents within the scope.
	FleetCounts(ctx context.Context, s Scope, now time.Time) (FleetCounts, error)

	// Move puts agents, and their alerts, into another group; both groups must
	// be within the scope. It returns how many agents changed.
	Move(ctx context.Context, s Scope, uids []string, group string) (int, error)

	// SetState suspends, revokes or restores agents; it returns how many changed.
	// Revoked is for good: the agent must enrol again.
	SetState(ctx context.Context, s Scope, uids []string, state string, now time.Time) (int, error)

	// Forget deletes an agent that is revoked, others are ErrRefused; its alerts
	// stay.
	Forget(ctx context.Context, s Scope, uid string) error

	// Silent returns active agents that were expected before now, did not say
	// that they stop, and whose silence is not yet alarmed; at most limit.
	Silent(ctx context.Context, now time.Time, grace time.Duration, limit int) ([]AgentStatus, error)

	// MarkSilent notes that the silence of an agent since lastSeen was alarmed;
	// false if it was already, or the agent has been heard meanwhile.
	MarkSilent(ctx context.Context, uid string, lastSeen, now time.Time) (bool, error)

	// LogState returns where the collector believes the log of an agent stands.
	LogState(ctx context.Context, uid string) (LogState, error)

	// Groups of agents with numbers, by name.
	AgentGroups(ctx context.Context, s Scope) ([]Count, error)

	// AgentCounts counts agents that are active by a column: version,
	// rules_version or os. Greatest first.
	AgentCounts(ctx context.Context, s Scope, group, column string) ([]Count, error)
}

// The states of an agent.
const (
	AgentActive    = "active"
	AgentSuspended = "suspended" // refused for now; it keeps its identity and its log
	AgentRevoked   = "revoked"   // its certificates count no more
	AgentCloned    = "cloned"    // one identity on two machines: both must enrol again
)

// AgentFilter chooses agents. Zero fields do not filter.
type AgentFilter struct {
	Group   string
	State   string
	Version string
	Text    string // part of the hostname or uid
	Silent  bool   // overdue, see AgentStatus.Overdue
	Trouble bool   // a source is not well
	Now     time.Time
	After   string // uid of the last one of the page before
	Limit   int
}

// AgentStatus is an agent and what the collector knows about it.
type AgentStatus struct {
	Agent
	Group       string          `json:"group"`
	State       string          `json:"state"`
	EnrolledAt  time.Time       `json:"enrolled_at,omitzero"`
	FirstSeen   time.Time       `json:"first_seen,omitzero"`
	LastSeen    time.Time       `json:"last_seen,omitzero"`
	Interval    time.Duration   `json:"-"`                     // between heartbeats
	StoppedAt   time.Time       `json:"stopped_at,omitzero"`   // it said so
	SilentSince time.Time       `json:"silent_since,omitzero"` // its silence was alarmed
	Trouble     string          `json:"trouble"`
	MachineID   string          `json:"machine_id"`
	BootID      string          `json:"-"`
	Alerts      int64           `json:"alerts"`    // stored
	Rejected    int64           `json:"rejected"`  // answers "rejected" given, conflicts included
	Conflicts   int64           `json:"conflicts"` // of those, uids that held another record
	Log         LogState        `json:"log"`
	CertExpires time.Time       `json:"cert_expires,omitzero"`
	Heartbeat   json.RawMessage `json:"heartbeat,omitempty"`
}

// Overdue tells whether nothing was heard for two intervals and grace, though
// the agent did not say that it stops. One that never told when it would be
// heard again is not overdue. Filters and counts know no grace.
func (a AgentStatus) Overdue(now time.Time, grace time.Duration) bool {
	return a.State == AgentActive && a.StoppedAt.IsZero() && a.Interval > 0 &&
		now.Sub(a.LastSeen) > 2*a.Interval+grace
}

// LogState is where the log of an agent stands.
type LogState struct {
	Seq      uint64 `json:"seq"`      // newest line that the agent told of
	Head     string `json:"head"`     // its SHA-256
	Received uint64 `json:"received"` // newest line that arrived as an alert
	Digest   string `json:"digest"`   // its digest
}

// FleetCounts sums up a fleet.
type FleetCounts struct {
	Agents    int `json:"agents"`
	Active    int `json:"active"`
	Overdue   int `json:"overdue"`
	Stopped   int `json:"stopped"`
	Trouble   int `json:"trouble"`
	Suspended int `json:"suspended"`
	Revoked   int `json:"revoked"`
	Cloned    int `json:"cloned"`
}

// Enrolment keeps tokens and certificates.
type Enrolment interface {
	// CreateToken stores a token; only the SHA-256 of its secret is kept.
	CreateToken(ctx context.Context, t Token, secretHash string) error

	// Tokens returns all tokens within the scope, newest first.
	Tokens(ctx context.Context, s Scope) ([]Token, error)

	// RevokeToken ends a token.
	RevokeToken(ctx context.Context, s Scope, id string, now time.Time) error

	// Enrol spends one use of the token, makes the agent with its first
	// credentials and writes the audit, in one transaction. ErrRefused if the
	// token is unknown, spent, expired or revoked; ErrTaken if there is such an
	// agent already.
	Enrol(ctx context.Context, n NewAgent, now time.Time) error

	// Admit makes an agent without a token, in the group; it does nothing if
	// there is one. It is for a collector that is open on loopback.
	Admit(ctx context.Context, a Agent, group string, now time.Time) error

	// Renew adds credentials to an agent that is active and writes the audit, in
	// one transaction; other agents are ErrRefused.
	Renew(ctx context.Context, uid string, audit AuditEntry, added ...Credential) error

	// Credential returns what the collector knows of a certificate (by the
	// SHA-256 of its DER) or a bearer secret (by its SHA-256) and the standing of
	// its agent, or ErrNotFound. What has expired, is
	// revoked or belongs to an agent that is not active is returned too: the
	// caller judges.
	//
	// A credential that is not revoked stays as it is while its agent has the
	// same EnrolledAt and is not revoked. So it may be remembered, as long as
	// Standing is asked on every request.
	Credential(ctx context.Context, hash string) (Credential, AgentStatus, error)

	// Standing returns what a request of an agent is judged by, as it is now, or
	// ErrNotFound: UID, Group, State, MachineID, EnrolledAt and Log. What any
	// collector committed before the call is seen. Calls that come together are
	// answered together.
	Standing(ctx context.Context, uid string) (AgentStatus, error)

	// Enrolled counts agents that came by a token.
	Enrolled(ctx context.Context) (int, error)
}

// Token lets agents enrol.
type Token struct {
	ID        string    `json:"id"`
	Group     string    `json:"group"`
	Note      string    `json:"note"`
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	MaxUses   int       `json:"max_uses"` // 0: any number
	Uses      int       `json:"uses"`
	LastUsed  time.Time `json:"last_used,omitzero"`
	LastBy    string    `json:"last_used_by"` // hostname
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// NewAgent is a device that enrols.
type NewAgent struct {
	Agent
	MachineID   string
	Secret      string        // SHA-256 of the token's secret
	Credentials []Credential  // AgentUID is set by Enrol
	Interval    time.Duration // between its heartbeats, as it is told; 0: nobody waits for the first
	Audit       AuditEntry
}

// Credential is a certificate or a bearer secret of an agent.
type Credential struct {
	AgentUID  string    `json:"agent_uid"`
	Hash      string    `json:"hash"` // SHA-256, lower-case hexadecimal
	Kind      string    `json:"kind"` // "certificate" or "bearer"
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}
