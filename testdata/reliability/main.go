//go:build linux

// Command reliability kills what meetguard consists of and counts what is lost.
//
// crash: a real collector and a writer with the agent's own alert log, identity
// and sender are killed by SIGKILL at random moments. Whatever the log promised
// must be in the collector's store in the end, once.
//
// With -points the agent's log dies at every single system call that changes its
// folder, in turn (needs strace); with -cuts it lives on an ext4 whose power is
// cut (needs root and loop devices). Whatever it promised must arrive, and the
// log must be whole.
//
// With -hostile the real agent watches a folder into which files are dropped that
// attack whoever reads them, and after each one a known lure, which it has to
// find.
//
// It prints its seed, which makes the moments the same again, and its result as
// JSON. It exits with 1 if a promise was broken, and with 2 if it could not do
// its work.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

// result is what a run found.
type result struct {
	Name           string        `json:"name"`
	Seed           uint64        `json:"seed"`
	AgentKills     int           `json:"agent_kills"`
	CollectorKills int           `json:"collector_kills"`
	Promised       int           `json:"promised"`
	Lost           int           `json:"lost"`
	Twice          int           `json:"stored_twice"`
	Alarms         int           `json:"false_alarms"` // the collector accused the log of a machine that was only killed
	Took           time.Duration `json:"took_ns"`

	few bool // it did less than it was asked for
}

func (r result) failed() bool { return r.Lost > 0 || r.Twice > 0 || r.Alarms > 0 || r.few }

func main() {
	if child(os.Args) {
		return
	}
	var c crash
	flag.StringVar(&c.collector, "collector", "bin/meetguard-collector", "the collector")
	flag.IntVar(&c.kills, "kills", 1000, "times that the agent is killed; the collector is killed a quarter as often")
	flag.IntVar(&c.alerts, "alerts", 50000, "alerts at least")
	flag.Uint64Var(&c.seed, "seed", uint64(time.Now().UnixNano()), "of the moments")
	points := flag.Bool("points", false, "end the agent's log at each system call instead")
	cuts := flag.Int("cuts", 0, "cut the power of the agent's log so many times instead")
	soakFor := flag.Duration("soak", 0, "let agent and collector work at 50 times the normal rate for so long instead")
	samples := flag.String("samples", "", "of -soak: add what was sampled to this file")
	landing := flag.Bool("landed", false, "kill the whole agent KILLS times while 2,000 bad and 20,000 clean files land instead")
	bursts := flag.Int("burst", 0, "let so many files land while the agent is stopped, and so many in one user's folder, and a fifth as many launches instead")
	silent := flag.Int("silence", 0, "end so many agents without a word, and see that the collector tells, instead")
	stubs := flag.Int("stubs", 300, "of -silence: agents of which one request in five fails, for ten minutes")
	restFor := flag.Duration("idle", 0, "see for so long what an agent at rest does instead")
	opens := flag.Int("canary", 0, "measure so many rounds what opening a file costs others with the agent, with a stopped one and without, instead")
	bad := flag.Bool("hostile", false, "drop hostile files before the agent instead, with a lure after each")
	most := flag.Int("items", 0, "hostile files at most; 0 for all")
	var other faults
	other.flags()
	kinds := flag.String("kinds", "", "hostile files of these kinds only, as \"bomb,nested\"")
	flag.Parse()
	if r, err := other.run(c.collector, c.seed); r != nil || err != nil {
		end(r, err)
		return
	}
	switch {
	case *bad:
		end(runHostile(other.agent, c.seed, *most, *kinds))
	case *points:
		end(runPoints())
	case *soakFor > 0:
		s := soak{server: server{collector: c.collector}, agent: other.agent, length: *soakFor, seed: c.seed, samples: *samples}
		end(s.run())
	case *landing:
		l := landed{server: server{collector: c.collector}, agent: other.agent, kills: c.kills, bad: 4 * c.kills, clean: 40 * c.kills, seed: c.seed}
		end(l.run())
	case *bursts > 0:
		b := burst{agent: other.agent, files: *bursts, seed: c.seed}
		end(b.run())
	case *silent > 0:
		s := silence{server: server{collector: c.collector}, agent: other.agent, ends: *silent, stubs: *stubs, length: 10 * time.Minute, seed: c.seed}
		end(s.run())
	case *restFor > 0:
		i := idle{server: server{collector: c.collector}, agent: other.agent, length: *restFor}
		end(i.run())
	case *opens > 0:
		one := canary{agent: other.agent, rounds: *opens, seed: c.seed}
		end(one.run())
	case *cuts > 0:
		end(runCuts(*cuts, c.seed))
	default:
		r, err := c.run()
		r.few = r.Promised < c.alerts || r.AgentKills < c.kills
		end(r, err)
	}
}

// child does what the runs start of this program for, and tells whether that was
// asked for.
func child(args []string) bool {
	if len(args) != 3 {
		return false
	}
	switch args[1] {
	case "writer":
		writer(args[2])
	case "life":
		liveOn(args[2])
	case "launcher":
		launchLines()
	case "stormer":
		stormer(args[2])
	case "endure":
		endureOn(args[2])
	default:
		return false
	}
	return true
}

// end prints the outcome and ends the program.
func end(r interface{ failed() bool }, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "reliability:", err)
		os.Exit(2)
	}
	json.NewEncoder(os.Stdout).Encode(r)
	if r.failed() {
		os.Exit(1)
	}
}
