package collect

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"meetguard/internal/store"
)

// maxGroupName is the most bytes of the name of a group.
const maxGroupName = 64

// agentStates are the values of the filter "state".
var agentStates = []string{store.AgentActive, store.AgentSuspended, store.AgentRevoked, store.AgentCloned}

// agentView is an agent as it is written: with what follows from the clock.
type agentView struct {
	store.AgentStatus
	Overdue  bool `json:"overdue"`
	Interval int  `json:"interval_s"`
}

func (s *Server) viewAgent(a store.AgentStatus) agentView {
	return agentView{AgentStatus: a, Overdue: a.Overdue(s.now(), silenceGrace), Interval: int(a.Interval.Seconds())}
}

type agentsResponse struct {
	Agents     []agentView `json:"agents"`
	NextCursor string      `json:"next_cursor"` // "" on the last page
}

// agentKeys are the keys of a query that chooses agents.
var agentKeys = []string{"limit", "cursor", "group", "state", "text", "silent", "trouble"}

func (s *Server) agentFilter(rawQuery string) (store.AgentFilter, error) {
	q := readQuery(rawQuery, agentKeys...)
	f := store.AgentFilter{
		Group: q.text("group"), State: q.choice("state", agentStates), Text: q.text("text"),
		Silent: q.flag("silent"), Trouble: q.flag("trouble"), Now: s.now(), After: q.keyCursor(), Limit: q.limit(),
	}
	return f, q.err
}

func (s *Server) getAgents(r *http.Request) (any, error) {
	f, err := s.agentFilter(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	return s.agentPage(r, f)
}

// agentPage asks for one more than the page holds, to know whether one follows.
func (s *Server) agentPage(r *http.Request, f store.AgentFilter) (agentsResponse, error) {
	limit := f.Limit
	f.Limit++
	agents, err := s.store.Agents(r.Context(), callerOf(r).Scope, f)
	res := agentsResponse{Agents: []agentView{}}
	for i, a := range agents {
		if i == limit {
			res.NextCursor = agents[limit-1].UID
			break
		}
		res.Agents = append(res.Agents, s.viewAgent(a))
	}
	return res, err
}

func (s *Server) agentOf(r *http.Request) (store.AgentStatus, error) {
	if err := noQuery(r); err != nil {
		return store.AgentStatus{}, err
	}
	return s.store.Agent(r.Context(), callerOf(r).Scope, pathID(r, "uid"))
}

func (s *Server) getAgent(r *http.Request) (any, error) {
	a, err := s.agentOf(r)
	return s.viewAgent(a), err
}

func (s *Server) getFleet(r *http.Request) (any, error) {
	if err := noQuery(r); err != nil {
		return nil, err
	}
	return s.store.FleetCounts(r.Context(), callerOf(r).Scope, s.now())
}

type groupsResponse struct {
	Groups []store.Count `json:"groups"`
}

func (s *Server) getGroups(r *http.Request) (any, error) {
	if err := noQuery(r); err != nil {
		return nil, err
	}
	groups, err := s.store.AgentGroups(r.Context(), callerOf(r).Scope)
	return groupsResponse{groups}, err
}

// checkGroup takes a group that can be named, and that the caller sees.
func checkGroup(r *http.Request, group string) error {
	if !validGroup(group) {
		return refuse(http.StatusBadRequest, "the group must have 1 to 64 letters, digits, spaces or . _ - /")
	}
	if !callerOf(r).Scope.Sees(group) {
		return store.ErrNotFound
	}
	return nil
}

func validGroup(group string) bool {
	if group == "" || strings.TrimSpace(group) != group || !isPlain(group, maxGroupName) {
		return false
	}
	return !strings.ContainsAny(group, `,"'<>\&;|`)
}

type moveRequest struct {
	Group string `json:"group"`
}

func (s *Server) postAgentMove(r *http.Request) (any, error) {
	var q moveRequest
	if err := readBody(r, &q); err != nil {
		return nil, err
	}
	return s.moveAgent(r, q)
}

func (s *Server) moveAgent(r *http.Request, q moveRequest) (any, error) {
	a, err := s.agentOf(r)
	if err != nil {
		return nil, err
	}
	if err := checkGroup(r, q.Group); err != nil {
		return nil, err
	}
	if a.Group != q.Group {
		if _, err := s.store.Move(r.Context(), callerOf(r).Scope, []string{a.UID}, q.Group); err != nil {
			return nil, err
		}
		if err := s.record(r, "agent.move", a.UID, "from "+a.Group+" to "+q.Group); err != nil {
			return nil, err
		}
	}
	return s.getAgent(r)
}

func (s *Server) postAgentSuspend(r *http.Request) (any, error) {
	return s.setAgent(r, store.AgentSuspended)
}

func (s *Server) postAgentRestore(r *http.Request) (any, error) {
	return s.setAgent(r, store.AgentActive)
}

func (s *Server) postAgentRevoke(r *http.Request) (any, error) {
	return s.setAgent(r, store.AgentRevoked)
}

// mayBecome are the states from which an agent may come into a state. Revoked is
// for good: its certificates count no more, so the device enrols again.
var mayBecome = map[string][]string{
	store.AgentSuspended: {store.AgentActive, store.AgentSuspended},
	store.AgentActive:    {store.AgentSuspended, store.AgentActive},
	store.AgentRevoked:   agentStates,
}

// setAgent brings the agent of the path into a state; doing it again does nothing.
func (s *Server) setAgent(r *http.Request, state string) (any, error) {
	a, err := s.agentOf(r)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(mayBecome[state], a.State) {
		return nil, refuse(http.StatusConflict, "the agent is "+a.State+": it has to enrol again")
	}
	if a.State != state {
		if _, err := s.store.SetState(r.Context(), callerOf(r).Scope, []string{a.UID}, state, s.now()); err != nil {
			return nil, err
		}
		if err := s.record(r, "agent."+state, a.UID, a.Hostname); err != nil {
			return nil, err
		}
	}
	return s.getAgent(r)
}

func (s *Server) deleteAgent(r *http.Request) error {
	a, err := s.agentOf(r)
	if err != nil {
		return err
	}
	if a.State != store.AgentRevoked {
		return refuse(http.StatusConflict, "revoke the agent before it is forgotten")
	}
	if err := s.store.Forget(r.Context(), callerOf(r).Scope, a.UID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return s.record(r, "agent.forget", a.UID, a.Hostname)
}

type deadLettersResponse struct {
	DeadLetters []deadLetterView `json:"dead_letters"`
}

// deadLetterView is a refused record with the beginning of what it was.
type deadLetterView struct {
	store.DeadLetter
	Beginning string `json:"beginning"` // escaped
}

func (s *Server) getDeadLetters(r *http.Request) (any, error) {
	q := readQuery(r.URL.RawQuery, "limit")
	limit := q.limit()
	if q.err != nil {
		return nil, q.err
	}
	letters, err := s.store.DeadLetters(r.Context(), callerOf(r).Scope, limit)
	res := deadLettersResponse{[]deadLetterView{}}
	for _, d := range letters {
		res.DeadLetters = append(res.DeadLetters, deadLetterView{d, column(string(d.Record), maxText)})
	}
	return res, err
}
