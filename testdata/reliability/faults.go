//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// fault is a run that is chosen by a flag of its own.
type fault interface{ failed() bool }

// faults are the flags of the runs that break the agent's state, its resources,
// its log and its clock.
type faults struct {
	agent     string
	state     bool
	kills     int
	resources bool
	errors    int
	tamper    int
	names     int
	overload  bool
	flips     int
	clock     string
}

func (f *faults) flags() {
	flag.StringVar(&f.agent, "agent", "bin/meetguard", "the agent")
	flag.BoolVar(&f.state, "state", false, "damage each file of the agent's state instead")
	flag.IntVar(&f.kills, "selfheal", 0, "kill the whole agent and its inspection processes so many times instead")
	flag.BoolVar(&f.resources, "resources", false, "take from the agent disk, descriptors, memory and time instead")
	flag.IntVar(&f.errors, "errors", 0, "let every so many'th system call fail instead: 1 for each")
	flag.IntVar(&f.tamper, "tamper", 0, "change the logs of so many agents instead")
	flag.IntVar(&f.names, "names", 0, "let so many files with hostile names land instead")
	flag.BoolVar(&f.overload, "overload", false, "offer the agent's log ten times what it may hold, and fill its disk, instead")
	flag.IntVar(&f.flips, "flips", 0, "change every so many'th byte of a log of 100 records in turn instead: 1 for each")
	flag.StringVar(&f.clock, "clock", "", "let the clock of an agent jump instead: one that testdata/reliability/clock/build.sh made")
}

// run runs what was chosen, nil if nothing was.
func (f *faults) run(collector string, seed uint64) (fault, error) {
	switch {
	case f.state:
		return runState(f.agent, collector, seed, 1)
	case f.kills > 0:
		return runSelfHeal(f.agent, f.kills, seed)
	case f.resources:
		return runResources(f.agent)
	case f.tamper > 0:
		return runTamper(collector, f.tamper, seed)
	case f.names > 0:
		return runNames(f.agent, collector, f.names, seed)
	case f.clock != "":
		return runClock(f.clock, collector)
	case f.overload:
		return runOverload(seed)
	case f.flips > 0:
		return runFlips(f.flips)
	case f.errors > 0:
		return runErrors(f.agent, seed, f.errors)
	}
	return nil, nil
}

// scratch makes a folder for one run. What is left of a run that failed stays.
func scratch(name string) (dir string, remove func(fault), err error) {
	dir, err = os.MkdirTemp("", "meetguard-"+name)
	return dir, func(r fault) {
		if r.failed() {
			fmt.Fprintln(os.Stderr, "what it left is in", dir)
			return
		}
		_ = os.RemoveAll(dir)
	}, err
}

// scratchHub is scratch with a collector in the folder.
func scratchHub(name, collector string) (dir string, hub *server, end func(fault), err error) {
	dir, remove, err := scratch(name)
	if err != nil {
		return dir, nil, nil, err
	}
	hub = &server{collector: collector, dir: filepath.Join(dir, "collector")}
	if err = os.MkdirAll(hub.dir, 0o700); err == nil {
		hub.addr, err = freePort()
	}
	if err == nil {
		err = hub.start()
	}
	if err != nil {
		return dir, nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, hub, func(r fault) {
		hub.kill()
		remove(r)
	}, nil
}

func middle(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
