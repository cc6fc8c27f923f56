//go:build linux

// Command reliability kills what meetguard consists of and counts what is lost.
//
// crash: a real collector and a writer with the agent's own alert log, identity
// and sender are killed by SIGKILL at random moments. Whatever the log promised
// must be in the collector's store in the end, once.
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
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "writer" {
		writer(os.Args[2])
		return
	}
	var c crash
	flag.StringVar(&c.collector, "collector", "bin/meetguard-collector", "the collector")
	flag.IntVar(&c.kills, "kills", 1000, "times that the agent is killed; the collector is killed a quarter as often")
	flag.IntVar(&c.alerts, "alerts", 50000, "alerts at least")
	flag.Uint64Var(&c.seed, "seed", uint64(time.Now().UnixNano()), "of the moments")
	flag.Parse()
	r, err := c.run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "reliability:", err)
		os.Exit(2)
	}
	json.NewEncoder(os.Stdout).Encode(r)
	if r.Lost > 0 || r.Twice > 0 || r.Alarms > 0 || r.Promised < c.alerts || r.AgentKills < c.kills {
		os.Exit(1)
	}
}
