//go:build unix

package agent

import (
	"context"
	"fmt"
	"testing"
	"time"

	"meetguard"
)

func BenchmarkOrdinaryLaunch(b *testing.B) {
	a := &Agent{log: nil, insp: inspector(b, workerArg), second: newSecond(), chains: newChains()}
	anc := []meetguard.Process{{PID: 50, PPID: 40, Exe: "/tmp/l5p/storm", Args: []string{"storm", "4000", "/usr/bin/true"}, Started: time.Now()}, {PID: 40, PPID: 30, Exe: "/usr/bin/bash", Args: []string{"bash", "-c", "foo bar", "baz"}}, {PID: 30, PPID: 1, Exe: "/usr/bin/python3.11", Args: []string{"python3", "/srv/app.py"}}, {PID: 1, Exe: "/sbin/init", Args: []string{"/sbin/init"}}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p := &meetguard.Process{OS: "linux", PID: 1000 + i%30000, PPID: 50, Exe: "/usr/bin/true", Args: []string{"/usr/bin/true", fmt.Sprint("meetguard-bench-", i)}, Cwd: "/tmp/x", User: "root", Started: time.Now(), Ancestors: anc}
		if err := a.judgeLaunch(context.Background(), meetguard.Event{Time: time.Now(), Kind: meetguard.ProcessStarted, Path: p.Exe, Process: p}); err != nil {
			b.Fatal(err)
		}
	}
}
