//go:build linux

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

// How the collector is abused.
const (
	barAbuse    = 2.0 // times the p99 of honest clients
	abuseRounds = 6   // each way
	abuseAgents = 500 // honest ones
	madAgents   = 40  // enrolled, and abused by others now
	slowClients = 300 // connections that send a byte of their header a second
	abuseEvery  = 50 * time.Millisecond
	costRounds  = 5
	costTimes   = 80 // requests of each kind in each of these, for what they cost the collector
)

// underAbuse compares the answers to honest clients with and without abuse, in
// turns in one run, and what CPU each kind of abuse costs the collector with what
// an honest request does.
//
// Whoever abuses is a process of its own that runs when nobody else wants to: on
// a machine that generator and collector share, what it computes for its side of
// a handshake would be held against the collector otherwise.
func underAbuse(ctx context.Context, p plan) (bool, error) {
	dir, err := os.MkdirTemp("", "meetguard-abuse")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	p.dir, p.agents, p.wires = dir, min(p.agents, abuseAgents)+madAgents, 1
	s, err := startServer(ctx, p)
	if err != nil {
		return false, err
	}
	defer s.stop()
	fleet, err := enrolAll(ctx, p, s)
	if err != nil {
		return false, err
	}
	honest, orders, err := divide(fleet, s)
	if err != nil {
		return false, err
	}
	cheaper, err := costs(ctx, s, honest, orders)
	if err != nil {
		return false, err
	}
	ratio, failed, err := answers(ctx, p, honest, orders)
	if err != nil {
		return false, err
	}
	lost, stored, err := missing(ctx, s, fleet)
	if err != nil {
		return false, err
	}
	fmt.Printf("%d failed; %d alerts stored, %d lost\n", failed, stored, lost)
	return cheaper && ratio <= barAbuse && failed == 0 && lost == 0, nil
}

// divide gives the identities of some agents away.
func divide(fleet []*agent, s *server) (honest []*agent, o orders, err error) {
	if len(fleet) <= madAgents {
		return nil, o, errors.New("-abuse needs more agents")
	}
	o.Address = s.addr
	for _, a := range fleet[:madAgents] {
		one, err := identityOf(a)
		if err != nil {
			return nil, o, err
		}
		o.Own = append(o.Own, one)
	}
	return fleet[madAgents:], o, nil
}

// answers plays the honest clients with and without abuse and returns how many
// times their p99 is under it, and how many requests failed.
func answers(ctx context.Context, p plan, honest []*agent, o orders) (ratio float64, failed int, err error) {
	o.Own, o.Slow = o.Own[:1], slowClients
	p.length /= 2 * abuseRounds
	var calm, under, ratios []float64
	met := map[string]*tried{}
	for range abuseRounds {
		a, n := honestP99(ctx, p, honest)
		abusers, err := sendAbusers(ctx, o)
		if err != nil {
			return 0, 0, err
		}
		b, m := honestP99(ctx, p, honest)
		all, err := abusers.end()
		if err != nil {
			return 0, 0, err
		}
		merge(met, all)
		failed += n + m
		calm, under, ratios = append(calm, a), append(under, b), append(ratios, b/a)
		fmt.Printf("p99 of honest clients %.1f ms, under abuse %.1f ms, load %s\n", 1000*a, 1000*b, loadAverage())
	}
	for _, name := range names(met) {
		fmt.Printf("%s: %d times, answered %v\n", name, met[name].Times, met[name].Answered)
	}
	ratio = median(ratios)
	fmt.Printf("p99 of honest clients %.1f ms without and %.1f ms under abuse, %.2f times (bar %.0f), by rounds %.2f\n",
		1000*median(calm), 1000*median(under), ratio, barAbuse, ratios)
	return ratio, failed, nil
}

// honestP99 plays the honest clients for a while; seconds, and how many failed.
func honestP99(ctx context.Context, p plan, fleet []*agent) (float64, int) {
	t := &tally{failed: map[string]int{}}
	drive(ctx, p, fleet, t)
	return t.percentile(0.99).Seconds(), failures(t)
}

// costs prints what CPU the collector spends on one request of each kind, each on
// a connection of its own, and tells whether an honest one costs more than all of
// them. They are measured in turns.
func costs(ctx context.Context, s *server, honest []*agent, o orders) (bool, error) {
	kinds, err := abuses(o)
	if err != nil {
		return false, err
	}
	took := map[string][]float64{} // seconds
	met := map[string]*tried{}
	o.Times = costTimes
	for range costRounds {
		one, err := costOf(s, func() error { return callAnew(honest) })
		if err != nil {
			return false, err
		}
		took["honest"] = append(took["honest"], one)
		for _, kind := range kinds {
			o.Only = kind.name
			one, err := costOf(s, func() error {
				abusers, err := sendAbusers(ctx, o)
				if err != nil {
					return err
				}
				all, err := abusers.wait()
				merge(met, all)
				return err
			})
			if err != nil {
				return false, err
			}
			took[kind.name] = append(took[kind.name], one)
		}
	}
	fair, cheaper := median(took["honest"]), true
	fmt.Printf("an honest alert on a new connection takes the collector %.2f ms of CPU (rounds %.5f s), load %s\n", 1000*fair, took["honest"], loadAverage())
	for _, kind := range kinds {
		one := median(took[kind.name])
		cheaper = cheaper && one < fair
		fmt.Printf("%s: %.2f ms, %.2f of an honest one, answered %v\n", kind.name, 1000*one, one/fair, met[kind.name].Answered)
	}
	return cheaper, nil
}

// costOf is the CPU that the collector spends on one of costTimes requests, in
// seconds.
func costOf(s *server, do func() error) (float64, error) {
	before := usageOf(s.cmd.Process.Pid).cpu
	err := do()
	return (usageOf(s.cmd.Process.Pid).cpu - before).Seconds() / costTimes, err
}

// callAnew sends alerts, each on a connection of its own with a full handshake, as
// abusers make them.
func callAnew(honest []*agent) error {
	for i := range costTimes {
		a := honest[i%len(honest)]
		kept := a.tls
		a.tls = kept.Clone()
		a.tls.ClientSessionCache = nil
		_, err := a.beat(time.Minute, true, true)
		a.close()
		if a.tls = kept; err != nil {
			return err
		}
	}
	return nil
}

// abusers is a process that abuses the collector until it is told to end.
type abusers struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// sendAbusers starts them with their orders, and returns when they begin.
func sendAbusers(ctx context.Context, o orders) (*abusers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	a := &abusers{cmd: exec.CommandContext(ctx, "nice", "-n", "19", self, "abusers")}
	a.cmd.Stderr = os.Stderr
	if a.in, err = a.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	a.out = json.NewDecoder(out)
	if err := a.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the abusers: %w", err)
	}
	if err := json.NewEncoder(a.in).Encode(o); err != nil {
		return nil, errors.Join(fmt.Errorf("tell the abusers: %w", err), a.cmd.Wait())
	}
	var word string
	if err := a.out.Decode(&word); err != nil || word != ready {
		return nil, errors.Join(fmt.Errorf("the abusers say %q: %w", word, err), a.cmd.Wait())
	}
	return a, nil
}

// end tells them to end and returns what they met.
func (a *abusers) end() (map[string]*tried, error) {
	a.in.Close()
	return a.wait()
}

// wait returns what they met, by the name of the kind, once they have ended.
func (a *abusers) wait() (map[string]*tried, error) {
	var met map[string]*tried
	err := a.out.Decode(&met)
	if ended := a.cmd.Wait(); err != nil || ended != nil {
		return nil, fmt.Errorf("hear of the abusers: %w", errors.Join(err, ended))
	}
	return met, nil
}

func merge(into, from map[string]*tried) {
	for name, t := range from {
		sum := into[name]
		if sum == nil {
			sum = &tried{Answered: map[int]int{}}
			into[name] = sum
		}
		sum.Times += t.Times
		for status, n := range t.Answered {
			sum.Answered[status] += n
		}
	}
}

func names(met map[string]*tried) []string {
	var all []string
	for name := range met {
		all = append(all, name)
	}
	slices.SortFunc(all, cmp.Compare)
	return all
}
