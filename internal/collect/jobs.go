package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"meetguard/internal/store"
)

// How jobs are done.
const (
	jobChunk  = 200              // alerts or agents between two notes of progress
	jobPoll   = 2 * time.Second  // between looks for jobs that another collector took
	jobLease  = 30 * time.Second // after it, another collector goes on with what a dead one left
	jobsKnown = 100              // newest jobs that are looked at
)

// leaseJobs is the name of the work that one collector at a time does.
const leaseJobs = "jobs"

// wakeJobs has the worker look for jobs now.
func (s *Server) wakeJobs() {
	select {
	case s.jobs <- struct{}{}:
	default: // it was told already
	}
}

// runJobs does bulk actions until ctx ends. A job that was cut off is gone on
// with where it was: doing a part of it twice changes nothing.
func (s *Server) runJobs(ctx context.Context) error {
	tick := time.NewTicker(jobPoll)
	defer tick.Stop()
	for {
		if err := s.doJobs(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("Jobs not done", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.jobs:
		case <-tick.C:
		}
	}
}

// doJobs does what is queued or was left, the oldest first.
func (s *Server) doJobs(ctx context.Context) error {
	jobs, err := s.store.Jobs(ctx, jobsKnown)
	if err != nil {
		return err
	}
	for i := len(jobs) - 1; i >= 0; i-- {
		if jobs[i].State != jobQueued && jobs[i].State != jobRunning {
			continue
		}
		mine, err := s.leaseJobs(ctx)
		if err != nil || !mine {
			return err
		}
		j, err := s.store.Job(ctx, jobs[i].ID) // as it is now that nobody else is at it
		if err != nil {
			return err
		}
		if j.State == jobQueued || j.State == jobRunning {
			if err := s.doJob(ctx, j); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Server) leaseJobs(ctx context.Context) (bool, error) {
	now := s.now()
	return s.store.Lease(ctx, leaseJobs, s.name, now, now.Add(jobLease))
}

// errLost says that another collector took over.
var errLost = errors.New("the lease was lost")

// errKind says that a job was made by a version that knows more.
var errKind = errors.New("this version does not know this kind of job")

// doJob does one job. An error of the store leaves it to be gone on with.
func (s *Server) doJob(ctx context.Context, j store.Job) error {
	var p jobParams
	if err := json.Unmarshal(j.Params, &p); err != nil {
		return s.endJob(ctx, j, jobFailed, "its parameters cannot be read")
	}
	for {
		more, err := s.jobStep(ctx, &j, &p)
		if errors.Is(err, errKind) {
			return s.endJob(ctx, j, jobFailed, err.Error())
		}
		if err != nil {
			return fmt.Errorf("job %s: %w", j.ID, err)
		}
		if !more {
			return s.endJob(ctx, j, jobDone, "")
		}
		if err := s.noteJob(ctx, &j, p); err != nil {
			return err
		}
		mine, err := s.leaseJobs(ctx)
		if err != nil {
			return err
		}
		if !mine {
			return fmt.Errorf("job %s: %w", j.ID, errLost)
		}
	}
}

// jobStep does the next chunk and tells whether there was one.
func (s *Server) jobStep(ctx context.Context, j *store.Job, p *jobParams) (more bool, err error) {
	if p.Filter != nil {
		return s.filterStep(ctx, j, p)
	}
	chunk := p.IDs[min(j.Done, len(p.IDs)):]
	chunk = chunk[:min(len(chunk), jobChunk)]
	if len(chunk) == 0 {
		return false, nil
	}
	n, err := s.jobAct(ctx, *j, *p, chunk)
	j.Done += len(chunk)
	j.Changed += n
	return true, err
}

// filterStep takes the next page of alerts. The position is kept with the job.
func (s *Server) filterStep(ctx context.Context, j *store.Job, p *jobParams) (more bool, err error) {
	if p.Filter.Limit == 0 { // the last page is done
		return false, nil
	}
	page, err := s.store.Alerts(ctx, p.Scope, *p.Filter)
	if err != nil || len(page.Alerts) == 0 {
		return false, err
	}
	ids := make([]string, 0, len(page.Alerts))
	for _, a := range page.Alerts {
		ids = append(ids, a.ID)
	}
	n, err := s.jobAct(ctx, *j, *p, ids)
	if err != nil {
		return false, err
	}
	j.Done += len(ids)
	j.Changed += n
	if p.Filter.Before = page.Next; page.Next == 0 {
		p.Filter.Limit = 0
	}
	return true, nil
}

func (s *Server) jobAct(ctx context.Context, j store.Job, p jobParams, ids []string) (int, error) {
	switch j.Kind {
	case jobTriage:
		return s.store.Triage(ctx, p.Scope, ids, *p.Change)
	case jobMove:
		return s.store.Move(ctx, p.Scope, ids, p.Group)
	case jobSuspend:
		return s.store.SetState(ctx, p.Scope, ids, store.AgentSuspended, s.now())
	case jobRestore:
		return s.restore(ctx, p.Scope, ids)
	case jobRevoke:
		return s.store.SetState(ctx, p.Scope, ids, store.AgentRevoked, s.now())
	}
	return 0, errKind
}

// restore brings back agents that are suspended and no others: whoever was
// revoked has to enrol again.
func (s *Server) restore(ctx context.Context, scope store.Scope, uids []string) (int, error) {
	var suspended []string
	for _, uid := range uids {
		a, err := s.store.Agent(ctx, scope, uid)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return 0, err
		case a.State == store.AgentSuspended:
			suspended = append(suspended, uid)
		}
	}
	if len(suspended) == 0 {
		return 0, nil
	}
	return s.store.SetState(ctx, scope, suspended, store.AgentActive, s.now())
}

// noteJob keeps how far a job has come.
func (s *Server) noteJob(ctx context.Context, j *store.Job, p jobParams) error {
	params, err := json.Marshal(p)
	if err != nil {
		return err
	}
	j.Params, j.State, j.UpdatedAt = params, jobRunning, s.now().UTC()
	return s.store.UpdateJob(ctx, *j)
}

// endJob keeps how a job ended, in the audit too.
func (s *Server) endJob(ctx context.Context, j store.Job, state, failure string) error {
	j.State, j.Error, j.UpdatedAt = state, failure, s.now().UTC()
	j.Params = json.RawMessage("{}") // what it was about is not needed any more
	if err := s.store.UpdateJob(ctx, j); err != nil {
		return err
	}
	return s.store.Record(ctx, store.AuditEntry{
		ID: store.NewID(), At: s.now(), Who: j.Who, Action: "job." + state, Target: j.ID,
		Detail: fmt.Sprintf("%s: %d of %d changed", j.Kind, j.Changed, j.Total),
	})
}
