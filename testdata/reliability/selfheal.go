//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"time"
)

// healResult is what kills of the agent and of its inspection processes showed.
type healResult struct {
	Name        string `json:"name"`
	Seed        uint64 `json:"seed"`
	AgentKills  int    `json:"agent_kills"`
	WorkerKills int    `json:"worker_kills"`
	Again       times  `json:"detecting_again"`
	Twice       int    `json:"twice"`   // alerts that the log has more than once
	Corrupt     bool   `json:"corrupt"` // `alerts verify` found the log damaged in the end
	Load        string `json:"load"`
}

func (r healResult) failed() bool {
	return r.Again.Late+r.Again.Never+r.Twice > 0 || r.Corrupt || r.AgentKills+r.WorkerKills == 0
}

// runSelfHeal kills the agent or its inspection processes at random moments, while
// a lure is being looked at or not, and sees how long the next lure takes. The
// agent is started at once, as the time counts from there.
func runSelfHeal(program string, kills int, seed uint64) (r healResult, err error) {
	r = healResult{Name: "selfheal", Seed: seed}
	dir, remove, err := scratch("selfheal")
	if err != nil {
		return r, err
	}
	defer func() { remove(r) }()
	s, err := newSubject(program, dir)
	if err != nil {
		return r, err
	}
	if err := s.start(); err != nil {
		return r, err
	}
	defer s.stop()
	rng := rand.New(rand.NewPCG(seed, 5))
	var names []string
	for n := range kills {
		before, err := s.drop() // may be under way when the kill comes
		if err != nil {
			return r, err
		}
		time.Sleep(time.Duration(rng.Int64N(int64(200 * time.Millisecond))))
		if n%2 == 0 {
			if err := s.restart(); err != nil {
				return r, err
			}
			r.AgentKills++
		} else {
			for _, pid := range s.workers() {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
			}
			r.WorkerKills++
		}
		name, err := s.drop()
		if err != nil {
			return r, err
		}
		took, found := s.await(name)
		if !r.Again.add(took, found) {
			fmt.Fprintf(os.Stderr, "kill %d: found %v after %v: %s\n", n, found, took, lastLine(s.said()))
		}
		if took, found := s.await(before); !found {
			r.Again.add(took, found)
			fmt.Fprintf(os.Stderr, "kill %d: %s was never found\n", n, before)
		}
		if names = append(names, before, name); n%100 == 99 {
			if err := r.recount(s, names); err != nil {
				return r, err
			}
			names = nil
			fmt.Fprintf(os.Stderr, "%d kills, %+v\n", n+1, r.Again.Most)
		}
	}
	if err := r.recount(s, names); err != nil {
		return r, err
	}
	r.Corrupt = !ok(s.program, "alerts", "verify", "--state", s.state)
	r.Load = load()
	return r, nil
}

// recount looks for names that were told twice, and takes the files away.
func (r *healResult) recount(s *subject, names []string) error {
	for _, name := range names {
		if s.logged(name) > 1 {
			r.Twice++
		}
		if err := os.Remove(s.watched + "/" + name); err != nil {
			return err
		}
	}
	return nil
}
