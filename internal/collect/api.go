package collect

import (
	_ "embed"

	"meetguard/internal/people"
)

//go:embed openapi.yaml
var openAPI []byte

// Bounds of bodies, in bytes.
const (
	smallBody = 16 << 10
	listBody  = 1 << 20 // with a list of ids
)

// apiRoutes are what programs and the console call.
func (s *Server) apiRoutes() []route {
	var all []route
	for _, part := range [][]route{s.loginRoutes(), s.selfRoutes(), s.alertRoutes(), s.fleetRoutes(), s.adminRoutes()} {
		all = append(all, part...)
	}
	return all
}

func (s *Server) loginRoutes() []route {
	return []route{
		{"POST", "/v1/login", public(), smallBody, s.postLogin},
		{"POST", "/v1/login/totp", public(), smallBody, s.postLoginTOTP},
		{"GET", "/v1/oidc/start", public(), 0, s.getOIDCStart},
		{"GET", "/v1/oidc/callback", public(), 0, s.getOIDCCallback},
		{"POST", "/v1/logout", person(people.SelfManage), 0, s.postLogout},
	}
}

// selfRoutes are about one's own account.
func (s *Server) selfRoutes() []route {
	self := person(people.SelfManage)
	return []route{
		{"GET", "/v1/me", self, 0, s.answer(s.getMe)},
		{"POST", "/v1/me/password", self, smallBody, s.postPassword},
		{"POST", "/v1/me/totp", self, smallBody, s.answer(s.postTOTP)},
		{"POST", "/v1/me/totp/confirm", self, smallBody, s.answer(s.postTOTPConfirm)},
		{"POST", "/v1/me/totp/remove", self, smallBody, s.emptied(s.postTOTPRemove)},
		{"GET", "/v1/me/tokens", self, 0, s.answer(s.getAPITokens)},
		{"POST", "/v1/me/tokens", self, smallBody, s.created(s.postAPIToken)},
		{"GET", "/v1/me/sessions", self, 0, s.answer(s.getOwnSessions)},
		{"DELETE", "/v1/me/sessions/{id}", self, 0, s.emptied(s.deleteOwnSession)},
	}
}

func (s *Server) alertRoutes() []route {
	read, triage := person(people.AlertRead), person(people.AlertTriage)
	return []route{
		{"GET", "/v1/alerts", read, 0, s.answer(s.getAlerts)},
		{"GET", "/v1/findings", read, 0, s.answer(s.getFindings)},
		{"GET", "/v1/alerts/{id}", read, 0, s.answer(s.getAlert)},
		{"GET", "/v1/alerts/{id}/history", read, 0, s.answer(s.getHistory)},
		{"GET", "/v1/alerts/{id}/similar", read, 0, s.answer(s.getSimilar)},
		{"GET", "/v1/alerts/{id}/prevalence", read, 0, s.answer(s.getPrevalence)},
		{"POST", "/v1/alerts/{id}/triage", triage, smallBody, s.answer(s.postTriage)},
		{"POST", "/v1/alerts/{id}/notes", triage, smallBody, s.answer(s.postNote)},
		{"GET", "/v1/counts", read, 0, s.answer(s.getCounts)},
		{"GET", "/v1/export/alerts", person(people.Export), 0, s.exportAlerts},
		{"GET", "/v1/events", read, 0, s.getEvents},
		{"POST", "/v1/jobs", person(people.JobCreate), listBody, s.created(s.postJob)},
		{"GET", "/v1/jobs", person(people.JobRead), 0, s.answer(s.getJobs)},
		{"GET", "/v1/jobs/{id}", person(people.JobRead), 0, s.answer(s.getJob)},
		{"GET", "/v1/exceptions", person(people.ExceptionRead), 0, s.answer(s.getExceptions)},
		{"GET", "/v1/exceptions/{id}", person(people.ExceptionRead), 0, s.answer(s.getException)},
		{"POST", "/v1/exceptions", person(people.ExceptionMake), smallBody, s.created(s.postException)},
		{"POST", "/v1/exceptions/preview", person(people.ExceptionMake), smallBody, s.answer(s.postExceptionPreview)},
		{"POST", "/v1/exceptions/{id}/end", person(people.ExceptionEnd), 0, s.answer(s.postExceptionEnd)},
		{"GET", "/v1/rules", person(people.RuleRead), 0, s.answer(s.getRules)},
		{"GET", "/v1/report", person(people.ReportRead), 0, s.answer(s.getReport)},
	}
}

func (s *Server) fleetRoutes() []route {
	read, manage := person(people.AgentRead), person(people.AgentManage)
	return []route{
		{"GET", "/v1/fleet", read, 0, s.answer(s.getFleet)},
		{"GET", "/v1/groups", read, 0, s.answer(s.getGroups)},
		{"GET", "/v1/agents", read, 0, s.answer(s.getAgents)},
		{"GET", "/v1/agents/{uid}", read, 0, s.answer(s.getAgent)},
		{"POST", "/v1/agents/{uid}/move", manage, smallBody, s.answer(s.postAgentMove)},
		{"POST", "/v1/agents/{uid}/suspend", manage, 0, s.answer(s.postAgentSuspend)},
		{"POST", "/v1/agents/{uid}/restore", manage, 0, s.answer(s.postAgentRestore)},
		{"POST", "/v1/agents/{uid}/revoke", manage, 0, s.answer(s.postAgentRevoke)},
		{"DELETE", "/v1/agents/{uid}", manage, 0, s.emptied(s.deleteAgent)},
		{"GET", "/v1/tokens", person(people.TokenRead), 0, s.answer(s.getTokens)},
		{"POST", "/v1/tokens", person(people.TokenCreate), smallBody, s.created(s.postToken)},
		{"DELETE", "/v1/tokens/{id}", person(people.TokenRevoke), 0, s.emptied(s.deleteToken)},
		{"GET", "/v1/deadletters", person(people.DeadLetterRead), 0, s.answer(s.getDeadLetters)},
	}
}

func (s *Server) adminRoutes() []route {
	see, users, audit := person(people.UserRead), person(people.UserManage), person(people.AuditRead)
	return []route{
		{"GET", "/v1/users", see, 0, s.answer(s.getUsers)},
		{"POST", "/v1/users", users, smallBody, s.created(s.postUser)},
		{"GET", "/v1/users/{id}", see, 0, s.answer(s.getUser)},
		{"PATCH", "/v1/users/{id}", users, smallBody, s.answer(s.patchUser)},
		{"DELETE", "/v1/users/{id}", users, 0, s.emptied(s.deleteUser)},
		{"POST", "/v1/users/{id}/reset", users, 0, s.answer(s.postUserReset)},
		{"GET", "/v1/users/{id}/sessions", see, 0, s.answer(s.getUserSessions)},
		{"DELETE", "/v1/users/{id}/sessions", users, 0, s.answer(s.deleteUserSessions)},
		{"DELETE", "/v1/users/{id}/sessions/{session}", users, 0, s.emptied(s.deleteUserSession)},
		{"GET", "/v1/audit", audit, 0, s.answer(s.getAudit)},
		{"GET", "/v1/export/audit", audit, 0, s.exportAudit},
		{"GET", "/v1/settings", person(people.SettingsRead), 0, s.answer(s.getSettings)},
		{"GET", "/v1/exits", person(people.ExitRead), 0, s.answer(s.getExits)},
	}
}
