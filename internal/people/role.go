package people

import "fmt"

// Role is one of four fixed roles. Each may do all that the one before it may.
type Role string

// The roles, least first.
const (
	Viewer     Role = "viewer"
	Analyst    Role = "analyst"
	FleetAdmin Role = "fleet-admin"
	Admin      Role = "admin"
)

// Roles returns all roles, least first.
func Roles() []Role { return []Role{Viewer, Analyst, FleetAdmin, Admin} }

// ParseRole reads the name of a role.
func ParseRole(name string) (Role, error) {
	if r := Role(name); r.rank() > 0 {
		return r, nil
	}
	return "", fmt.Errorf("role %q does not exist: it is one of viewer, analyst, fleet-admin, admin", name)
}

// rank orders the roles from 1; a role that does not exist is 0.
func (r Role) rank() int {
	for i, known := range Roles() {
		if r == known {
			return i + 1
		}
	}
	return 0
}

// Action is something that a role is asked for.
type Action string

// The actions. Those of the whole collector are marked: somebody who is limited
// to groups may not do them, whatever his role, because they reach beyond.
const (
	AlertRead      Action = "alert.read"
	AgentRead      Action = "agent.read"
	ExceptionRead  Action = "exception.read"
	RuleRead       Action = "rule.read"
	ReportRead     Action = "report.read"
	JobRead        Action = "job.read"
	SelfManage     Action = "self.manage" // one's own password, codes, sessions and API tokens
	AlertTriage    Action = "alert.triage"
	Export         Action = "export"
	ExceptionMake  Action = "exception.create"
	ExceptionEnd   Action = "exception.end"
	JobCreate      Action = "job.create"
	DeadLetterRead Action = "deadletter.read"
	TokenRead      Action = "token.read"
	TokenCreate    Action = "token.create"
	TokenRevoke    Action = "token.revoke"
	AgentManage    Action = "agent.manage"    // group and state, and to forget
	UserRead       Action = "user.read"       // whole collector
	UserManage     Action = "user.manage"     // whole collector
	SettingsRead   Action = "settings.read"   // whole collector
	SettingsManage Action = "settings.manage" // whole collector
	ExitRead       Action = "exit.read"       // whole collector
	ExitManage     Action = "exit.manage"     // whole collector
	AuditRead      Action = "audit.read"      // whole collector
)

// Actions returns all actions.
func Actions() []Action {
	return []Action{
		AlertRead, AgentRead, ExceptionRead, RuleRead, ReportRead, JobRead, SelfManage,
		AlertTriage, Export, ExceptionMake, ExceptionEnd, JobCreate, DeadLetterRead,
		TokenRead, TokenCreate, TokenRevoke, AgentManage,
		UserRead, UserManage, SettingsRead, SettingsManage, ExitRead, ExitManage, AuditRead,
	}
}

// least is the least role that may do the action, and whether the action is one
// of the whole collector. An action that is not known is nobody's.
func (a Action) least() (role Role, whole bool) {
	switch a {
	case AlertRead, AgentRead, ExceptionRead, RuleRead, ReportRead, JobRead, SelfManage:
		return Viewer, false
	case AlertTriage, Export, ExceptionMake, ExceptionEnd, JobCreate, DeadLetterRead:
		return Analyst, false
	case TokenRead, TokenCreate, TokenRevoke, AgentManage:
		return FleetAdmin, false
	case UserRead, UserManage, SettingsRead, SettingsManage, ExitRead, ExitManage, AuditRead:
		return Admin, true
	}
	return "", true
}

// May tells whether somebody of the role who is not limited to groups may do the
// action. A role or an action that is not known is refused.
func (r Role) May(a Action) bool {
	least, _ := a.least()
	return least.rank() > 0 && r.rank() >= least.rank()
}

// MayWithin is May for somebody who is limited to groups.
func (r Role) MayWithin(a Action) bool {
	_, whole := a.least()
	return !whole && r.May(a)
}
