//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"meetguard"
	"meetguard/internal/alert"
	"meetguard/internal/device"
)

// writer is the killed one: it writes alerts as fast as the disk takes them,
// prints the uid of each when the log has promised it, and delivers meanwhile.
// spec is "STATE URL ROUND"; round "drain" writes nothing and ends when all is
// delivered.
func writer(spec string) {
	if err := write(strings.Fields(spec)); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

func write(spec []string) error {
	state, url, round := spec[0], spec[1], spec[2]
	host := testHost
	l, err := alert.Open(state, alert.Options{MaxFile: 1 << 20})
	if err != nil {
		return err
	}
	d, err := device.New(device.Config{State: state, Collector: url, Labels: device.Labels{UID: host.UID, Hostname: host.Name, OS: host.OS}, Machine: device.ThisMachine()})
	if err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	s, err := alert.NewSender(alert.SenderConfig{URL: url, Log: l, Host: host, Client: d.Client(), Logger: quiet})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go s.Run(ctx)
	if round == "drain" {
		for l.Counters().Pending > 0 {
			time.Sleep(20 * time.Millisecond)
		}
		fmt.Println("drained", l.Counters().Acked)
		return nil
	}
	out := bufio.NewWriter(os.Stdout)
	for n := 0; ; n++ {
		r := alert.NewRecord(host, alert.Product{Version: "crash"}, madeAlert(round, n))
		if ok, err := l.Append(r); err != nil || !ok {
			return fmt.Errorf("append: %v, %w", ok, err)
		}
		fmt.Fprintln(out, "promised", r.Metadata.UID)
		if err := out.Flush(); err != nil { // one write for each promise
			return err
		}
	}
}

func madeAlert(round string, n int) meetguard.Alert {
	path := fmt.Sprintf("/home/ana/Downloads/ZoomInstaller-%s-%d.sh", round, n)
	now := time.Now()
	return meetguard.Alert{
		Time:  now,
		Event: meetguard.Event{Time: now, Kind: meetguard.FileLanded, Path: path, Source: "inotify"},
		Facts: meetguard.Facts{Path: path, Size: 100, SHA256: fmt.Sprintf("%064x", n), Format: meetguard.FormatScript,
			Origin: meetguard.Origin{Host: "zoom-meeting.invalid"}},
		Verdict: meetguard.Verdict{Level: meetguard.Suspicious, Score: 60, Brand: "zoom",
			Findings: []meetguard.Finding{{Rule: "MG-CRASH", Evidence: "A made alert.", Technique: "T1036"}}},
	}
}
