//go:build unix

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"meetguard"
	"meetguard/internal/alert"
)

// TestNoteReachesTheCollector: what `alerts ack` notes changes the alert at a
// real collector, by its own name for whoever noted it.
func TestNoteReachesTheCollector(t *testing.T) {
	state, url := t.TempDir(), startCollector(t)
	host := meetguard.Host{Name: "lt-7", UID: "5b2f7c0e-0000-4000-8000-000000000007", OS: "linux"}
	l, err := alert.Open(state, alert.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rec := alert.NewRecord(host, alert.Product{Version: "1"}, meetguard.Alert{
		Time: time.Now(), Event: meetguard.Event{Kind: meetguard.FileLanded, Path: "/home/ana/Zoom.sh"},
		Verdict: meetguard.Verdict{Level: meetguard.Suspicious, Findings: []meetguard.Finding{{Rule: "MG-X", Evidence: "Made.", Technique: "T1036"}}},
	})
	if ok, err := l.Append(rec); !ok || err != nil {
		t.Fatalf("Append = %v, %v", ok, err)
	}
	deliver(t, l, host, url, 1)
	t.Setenv("SUDO_USER", "ana")
	if r := command(t, "alerts", "ack", rec.Metadata.UID, "--state", state, "--disposition", "testing", "--note", "a drill"); r.code != 0 {
		t.Fatalf("ack: %s", r.errOut)
	}
	deliver(t, l, host, url, 2)
	var page struct {
		Alerts []struct{ ID, Status, Disposition string }
	}
	get(t, url+"/v1/alerts?limit=10", &page)
	if len(page.Alerts) != 1 || page.Alerts[0].Status != "closed" || page.Alerts[0].Disposition != "testing" {
		t.Fatalf("the collector has %+v", page.Alerts)
	}
	var one json.RawMessage
	get(t, url+"/v1/alerts/"+page.Alerts[0].ID+"/history", &one)
	for _, want := range []string{`"local:ana"`, `"closed as testing"`, `"a drill"`} {
		if !strings.Contains(string(one), want) {
			t.Errorf("its history does not tell %s: %s", want, one)
		}
	}
}

// deliver runs a sender until so many lines were made and delivered.
func deliver(t *testing.T, l *alert.Log, host meetguard.Host, url string, lines uint64) {
	t.Helper()
	s, err := alert.NewSender(alert.SenderConfig{URL: url, Log: l, Host: host})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for l.Counters().Acked < lines && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil || l.Counters().Acked != lines {
		t.Fatalf("%+v, %v", l.Counters(), err)
	}
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
