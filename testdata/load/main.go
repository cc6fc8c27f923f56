//go:build linux

// Command load plays a fleet against a real collector on this machine: agents
// that enrol, keep a connection, send a heartbeat each interval, and alerts at a
// steady rate. It prints how long the collector took to answer, what memory and
// CPU it used, and compares what was answered with "stored" with what the store
// holds at the end.
//
// It exits with 1 if a bar of docs/collector.md was missed, and with 2 if it
// could not do its work.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// plan is what is played.
type plan struct {
	collector string
	dir       string
	store     string        // URL, "": SQLite in dir
	agents    int           // enrolled, each with a key of its own
	interval  time.Duration // between two heartbeats of an agent
	alerts    float64       // a second, over the whole fleet
	length    time.Duration
	reconnect bool // a new connection for each request
	senders   int  // requests at the same time
	rounds    int  // of the comparison
	wires     int  // connections that share one enrolled identity, for fleets beyond what can be enrolled here
}

func main() {
	var p plan
	flag.StringVar(&p.collector, "collector", "bin/meetguard-collector", "the collector")
	flag.StringVar(&p.store, "store", "", "store URL (default SQLite in a new folder)")
	flag.IntVar(&p.agents, "agents", 10000, "agents")
	flag.DurationVar(&p.interval, "interval", time.Minute, "between two heartbeats of an agent")
	flag.Float64Var(&p.alerts, "alerts", 200, "alerts a second")
	flag.DurationVar(&p.length, "for", 10*time.Minute, "how long")
	flag.BoolVar(&p.reconnect, "reconnect", false, "a new connection for each request")
	flag.IntVar(&p.senders, "senders", 64, "requests at the same time")
	flag.IntVar(&p.wires, "wires", 1, "connections for each enrolled agent")
	flag.IntVar(&p.rounds, "rounds", 7, "of -burst")
	burst := flag.Bool("burst", false, "measure the intake of single alerts against a bare server with one insert, in turns")
	abused := flag.Bool("abuse", false, "measure the answers to honest clients with and without abuse, in turns")
	flag.Parse()
	if flag.Arg(0) == "bare" {
		bare(flag.Args()[1:])
		return
	}
	if flag.Arg(0) == "abusers" {
		abuseOnly()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := play
	switch {
	case *burst:
		run = compare
	case *abused:
		run = underAbuse
	}
	passed, err := run(ctx, p)
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(2)
	}
	if !passed {
		os.Exit(1)
	}
}
