package collect

import (
	"encoding/json"
	"net/http"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// maxIDs is the most alerts or agents that a job may name one by one.
const maxIDs = 10000

// The kinds of jobs.
const (
	jobTriage  = "alerts.triage"
	jobMove    = "agents.move"
	jobSuspend = "agents.suspend"
	jobRestore = "agents.restore"
	jobRevoke  = "agents.revoke"
)

// The states of a job.
const (
	jobQueued  = "queued"
	jobRunning = "running"
	jobDone    = "done"
	jobFailed  = "failed"
)

// jobRequest asks for a bulk action: on alerts by ids or by a filter, which is
// the query of /v1/alerts; on agents by uids.
type jobRequest struct {
	Kind   string         `json:"kind"`
	IDs    []string       `json:"ids"`
	Filter *string        `json:"filter"`
	Triage *triageRequest `json:"triage"`
	Group  string         `json:"group"`
}

// jobParams is what a job keeps to be done, and to be gone on with after a crash.
type jobParams struct {
	Scope  store.Scope   `json:"scope"` // of who asked for it, then
	IDs    []string      `json:"ids,omitempty"`
	Filter *store.Filter `json:"filter,omitempty"` // Before is how far it has come
	Change *store.Change `json:"change,omitempty"`
	Group  string        `json:"group,omitempty"`
}

// jobView is a job as it is written: without the list of what it is about.
type jobView struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	Who       string    `json:"who"`
	State     string    `json:"state"`
	Total     int       `json:"total"`
	Done      int       `json:"done"`
	Changed   int       `json:"changed"`
	Error     string    `json:"error"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func viewJob(j store.Job) jobView {
	return jobView{j.ID, j.Kind, j.Who, j.State, j.Total, j.Done, j.Changed, j.Error, j.CreatedAt, j.UpdatedAt}
}

func (s *Server) postJob(r *http.Request) (any, error) {
	var q jobRequest
	if err := readBody(r, &q); err != nil {
		return nil, err
	}
	j, err := s.createJob(r, q)
	return viewJob(j), err
}

// createJob stores the job and wakes the worker, which does it.
func (s *Server) createJob(r *http.Request, q jobRequest) (store.Job, error) {
	now := s.now().UTC()
	j := store.Job{ID: store.NewID(), Kind: q.Kind, Who: callerOf(r).Name, State: jobQueued, CreatedAt: now, UpdatedAt: now}
	p, err := s.jobParams(r, q)
	if err != nil {
		return j, err
	}
	if j.Total, err = s.jobTotal(r, p); err != nil {
		return j, err
	}
	if j.Params, err = json.Marshal(p); err != nil {
		return j, err
	}
	if err := s.store.CreateJob(r.Context(), j); err != nil {
		return j, err
	}
	s.wakeJobs()
	return j, s.record(r, "job.create", j.ID, j.Kind)
}

func (s *Server) jobParams(r *http.Request, q jobRequest) (jobParams, error) {
	p := jobParams{Scope: callerOf(r).Scope, IDs: q.IDs}
	if len(q.IDs) > maxIDs {
		return p, refuse(http.StatusBadRequest, "at most 10000 ids; use a filter for more")
	}
	for _, id := range q.IDs {
		if !validUID(id) {
			return p, refuse(http.StatusBadRequest, "an id is not 1 to 256 visible ASCII characters")
		}
	}
	switch q.Kind {
	case jobTriage:
		return s.triageParams(r, q, p)
	case jobMove, jobSuspend, jobRestore, jobRevoke:
		return agentParams(r, q, p)
	}
	return p, refuse(http.StatusBadRequest, "kind must be alerts.triage, agents.move, agents.suspend, agents.restore or agents.revoke")
}

func (s *Server) triageParams(r *http.Request, q jobRequest, p jobParams) (jobParams, error) {
	switch {
	case q.Triage == nil || q.Group != "":
		return p, refuse(http.StatusBadRequest, "alerts.triage needs triage, and no group")
	case (len(q.IDs) == 0) == (q.Filter == nil):
		return p, refuse(http.StatusBadRequest, "alerts.triage needs either ids or a filter")
	}
	c, err := s.change(r, *q.Triage)
	if err != nil {
		return p, err
	}
	p.Change = &c
	if q.Filter == nil {
		return p, nil
	}
	f, err := parseFilter(*q.Filter)
	f.Before, f.Limit = 0, jobChunk
	if now := s.now(); f.Until.IsZero() || f.Until.After(now) {
		f.Until = now // what comes in meanwhile was not seen by who asked
	}
	p.Filter = &f
	return p, err
}

func agentParams(r *http.Request, q jobRequest, p jobParams) (jobParams, error) {
	switch {
	case !callerOf(r).may(people.AgentManage):
		return p, refuse(http.StatusForbidden, "your role does not allow this")
	case len(q.IDs) == 0 || q.Filter != nil || q.Triage != nil:
		return p, refuse(http.StatusBadRequest, "a job on agents needs ids, and no filter or triage")
	case (q.Kind == jobMove) != (q.Group != ""):
		return p, refuse(http.StatusBadRequest, "agents.move needs a group, and nothing else does")
	case q.Kind == jobMove:
		p.Group = q.Group
		return p, checkGroup(r, q.Group)
	}
	return p, nil
}

// jobTotal counts what a job is about, for its progress.
func (s *Server) jobTotal(r *http.Request, p jobParams) (int, error) {
	if p.Filter == nil {
		return len(p.IDs), nil
	}
	counts, err := s.store.Counts(r.Context(), p.Scope, *p.Filter, "status", maxLimit)
	n := 0
	for _, c := range counts {
		n += c.N
	}
	return n, err
}

type jobsResponse struct {
	Jobs []jobView `json:"jobs"`
}

// getJobs lists the newest jobs of the caller; who sees everything sees all.
func (s *Server) getJobs(r *http.Request) (any, error) {
	q := readQuery(r.URL.RawQuery, "limit")
	limit := q.limit()
	if q.err != nil {
		return nil, q.err
	}
	jobs, err := s.store.Jobs(r.Context(), limit)
	res := jobsResponse{[]jobView{}}
	for _, j := range jobs {
		if seesJob(r, j) {
			res.Jobs = append(res.Jobs, viewJob(j))
		}
	}
	return res, err
}

func seesJob(r *http.Request, j store.Job) bool {
	c := callerOf(r)
	return c.Scope.All || j.Who == c.Name
}

func (s *Server) getJob(r *http.Request) (any, error) {
	if err := noQuery(r); err != nil {
		return nil, err
	}
	j, err := s.store.Job(r.Context(), pathID(r, "id"))
	if err == nil && !seesJob(r, j) {
		err = store.ErrNotFound
	}
	return viewJob(j), err
}
