// Package people is who the collector's people are and what each may do.
package people

// Role is one of four fixed roles; each may do all that the one before it may.
type Role string

// The roles.
const (
	Viewer     Role = "viewer"      // reads
	Analyst    Role = "analyst"     // triages, notes, exceptions
	FleetAdmin Role = "fleet-admin" // tokens, agents, groups
	Admin      Role = "admin"       // accounts, settings, audit, exits
)

// Action is what a role may be allowed.
type Action string

// The actions.
const (
	AlertRead       Action = "alert.read"
	AlertTriage     Action = "alert.triage"
	AlertExport     Action = "alert.export"
	AgentRead       Action = "agent.read"
	AgentManage     Action = "agent.manage"
	TokenManage     Action = "token.manage"
	ExceptionRead   Action = "exception.read"
	ExceptionManage Action = "exception.manage"
	DeadLetterRead  Action = "deadletter.read"
	ReportRead      Action = "report.read"
	SelfManage      Action = "self.manage" // one's own password, TOTP, tokens, sessions
	UserManage      Action = "user.manage"
	AuditRead       Action = "audit.read"
	SettingsRead    Action = "settings.read"
)

// least is the least role that may do each action.
var least = map[Action]Role{
	AlertRead: Viewer, AlertExport: Viewer, AgentRead: Viewer, ExceptionRead: Viewer, ReportRead: Viewer, SelfManage: Viewer,
	AlertTriage: Analyst, ExceptionManage: Analyst, DeadLetterRead: Analyst,
	AgentManage: FleetAdmin, TokenManage: FleetAdmin,
	UserManage: Admin, AuditRead: Admin, SettingsRead: Admin,
}

func (r Role) rank() int {
	switch r {
	case Viewer:
		return 1
	case Analyst:
		return 2
	case FleetAdmin:
		return 3
	case Admin:
		return 4
	}
	return 0
}

// May tells whether the role may do it. An unknown role or action may not.
func (r Role) May(a Action) bool {
	need, known := least[a]
	return known && r.rank() >= need.rank()
}
