//go:build linux

// Command bench measures what the agent costs, as ratios within one run, and
// holds them against the bars of docs/performance.md. Absolute times say
// something about the machine; a ratio to a floor that is measured in turns
// with the agent says something about the agent.
//
// The floors are modes of this program: hashing the same files with SHA-256,
// and an inotify loop that only reads what landed. Everything that is made lies
// below build/bench. It exits with 1 if a bar was missed, and with 2 if it could
// not do its work.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// env is what every measurement needs.
type env struct {
	agent  string // absolute path of the agent
	self   string // this program, for the floors
	dir    string // build/bench, absolute
	rounds int
	short  bool
}

// result is one line of the table.
type result struct {
	name   string
	figure string
	spread string
	bar    string
	passed bool
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "floor" {
		floor(os.Args[2], os.Args[3:])
		return
	}
	agent := flag.String("agent", "bin/meetguard", "the agent to measure")
	short := flag.Bool("short", false, "fewer rounds and files: a glance, no verdict to publish")
	only := flag.String("only", "", "measure only the parts whose names hold this")
	flag.Parse()
	passed, err := bench(*agent, *short, *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if !passed {
		os.Exit(1)
	}
}

// parts are the measurements, in the order in which they run.
var parts = []struct {
	name    string
	measure func(*env) ([]result, error)
}{
	{"tree", measureTree},
	{"big file", measureBig},
	{"small files", measureSmall},
	{"scripts", measureScripts},
	{"signed", measureSigned},
	{"start", measureStart},
	{"watch", measureWatch},
	{"launches in storms", measureStorms},
	{"launches judged", measureVerdicts},
	{"idle", measureIdle},
}

func bench(agent string, short bool, only string) (bool, error) {
	e := &env{rounds: 5, short: short}
	if short {
		e.rounds = 3
	}
	var err error
	if e.agent, err = filepath.Abs(agent); err != nil {
		return false, err
	}
	if _, err = os.Stat(e.agent); err != nil {
		return false, fmt.Errorf("the agent is not built, run make build: %w", err)
	}
	if e.self, err = os.Executable(); err != nil {
		return false, err
	}
	if e.dir, err = filepath.Abs("build/bench"); err != nil {
		return false, err
	}
	passed := true
	fmt.Println("| what | figure | spread | bar | verdict |\n|---|---|---|---|---|")
	for _, p := range parts {
		if !strings.Contains(p.name, only) {
			continue
		}
		started := time.Now()
		rows, err := p.measure(e)
		if err != nil {
			return false, fmt.Errorf("measure %s: %w", p.name, err)
		}
		for _, r := range rows {
			verdict := "held"
			if r.bar == "" {
				verdict, r.bar = "", "none"
			} else if !r.passed {
				verdict, passed = "MISSED", false
			}
			fmt.Printf("| %s | %s | %s | %s | %s |\n", r.name, r.figure, r.spread, r.bar, verdict)
		}
		fmt.Fprintf(os.Stderr, "bench: %s took %s\n", p.name, time.Since(started).Round(time.Second))
	}
	return passed, nil
}

// atMost makes the result of a ratio that has a bar.
func atMost(name string, s series, bar float64, unit string) result {
	return result{name, fmt.Sprintf("%.2f%s", s.median(), unit), fmt.Sprintf("%.2f…%.2f (n=%d)", s.min(), s.max(), len(s)), fmt.Sprintf("≤ %g%s", bar, unit), s.median() <= bar}
}

// told makes the result of a figure without a bar.
func told(name string, s series, unit string) result {
	return result{name: name, figure: fmt.Sprintf("%.2f%s", s.median(), unit), spread: fmt.Sprintf("%.2f…%.2f (n=%d)", s.min(), s.max(), len(s))}
}
