package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kardianos/service"
)

// TestOtherManagersSeeAnError: without systemd the agent ends itself, as a
// service, and makes no canary in a terminal.
func TestOtherManagersSeeAnError(t *testing.T) {
	ended := 0
	m := &manager{service: true, log: slog.New(slog.DiscardHandler), exit: func(code int) { ended = code }}
	m.canary(nil).Failed("blind")
	if ended == 0 {
		t.Error("it goes on")
	}
	if c := (&manager{}).canary(nil); c.Every != 0 {
		t.Errorf("a canary in a terminal: %+v", c)
	}
}

func TestWatchdogOf(t *testing.T) {
	for name, tc := range map[string]struct {
		usec, pid string
		want      time.Duration
	}{
		"of us":      {"720000000", "7", 12 * time.Minute},
		"of anybody": {"1000000", "", time.Second},
		"of another": {"720000000", "8", 0},
		"none":       {"", "", 0},
		"nonsense":   {"-1", "", 0},
		"too long":   {"9223372036854775807", "", 0},
	} {
		if got := watchdogOf(tc.usec, tc.pid, 7); got != tc.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestCanaryPace: whatever the watchdog, a proof and its limit fit into it.
func TestCanaryPace(t *testing.T) {
	for _, w := range []time.Duration{time.Second, 30 * time.Second, time.Minute, 12 * time.Minute, time.Hour} {
		if every, limit := canaryPace(w); every <= 0 || limit <= 0 || every+limit >= w || every > canaryEvery || limit > canaryLimit {
			t.Errorf("%s: every %s, limit %s", w, every, limit)
		}
	}
	for _, w := range []time.Duration{0, 12 * time.Minute} {
		if every, limit := canaryPace(w); every != canaryEvery || limit != canaryLimit {
			t.Errorf("%s: every %s, limit %s", w, every, limit)
		}
	}
}

// TestJournalLines: a priority before each line, no time, no level, one line a
// record whatever it holds.
func TestJournalLines(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(newLineHandler(journal(&out)))
	log.Debug("Not shown")
	log.With("pid", 7).Info("Watching", "path", "a\n<0>b")
	log.WithGroup("g").Warn("Alert", "level", "malicious")
	log.Error("Broken", "err", errors.New("no space"))
	want := "<6>msg=Watching pid=7 path=\"a\\n<0>b\"\n<4>msg=Alert g.level=malicious\n<3>msg=Broken err=\"no space\"\n"
	if out.String() != want {
		t.Errorf("%q\nwant %q", out.String(), want)
	}
	if !log.Enabled(context.Background(), slog.LevelInfo) || log.Enabled(context.Background(), slog.LevelDebug) {
		t.Error("the level is another one")
	}
}

// told is a log of the system that remembers.
type toldLog struct {
	service.Logger
	lines []string
}

func (l *toldLog) Error(v ...any) error   { l.lines = append(l.lines, "E "+v[0].(string)); return nil }
func (l *toldLog) Warning(v ...any) error { l.lines = append(l.lines, "W "+v[0].(string)); return nil }
func (l *toldLog) Info(v ...any) error    { l.lines = append(l.lines, "I "+v[0].(string)); return nil }

func TestEventLogLines(t *testing.T) {
	l := &toldLog{}
	log := slog.New(newLineHandler(toLogger(l)))
	log.Info("Watching")
	log.Warn("Alert", "path", "x")
	log.Error("Broken")
	if want := []string{"I msg=Watching", "W msg=Alert path=x", "E msg=Broken"}; !slices.Equal(l.lines, want) {
		t.Errorf("%q", l.lines)
	}
}

// TestStateOf puts what kardianos/service answers into words.
func TestStateOf(t *testing.T) {
	for want, answer := range map[string]asked{
		"running":       {status: service.StatusRunning},
		"stopped":       {status: service.StatusStopped},
		"failed":        {err: errors.New("service in failed state")},
		"not installed": {err: service.ErrNotInstalled},
	} {
		if got, err := stateOf(answer); got != want || err != nil {
			t.Errorf("%q, want %q, %v", got, want, err)
		}
	}
	if _, err := stateOf(asked{err: errors.New("no bus")}); err == nil {
		t.Error("an error is a state")
	}
	if err := needInstalled(asked{err: service.ErrNotInstalled}); err == nil {
		t.Error("nothing is installed")
	}
	if err := installService(asked{status: service.StatusStopped}); err == nil || !strings.Contains(err.Error(), "installed already") {
		t.Errorf("installed twice: %v", err)
	}
}

// asked is a service manager that answers one question.
type asked struct {
	service.Service
	status service.Status
	err    error
}

func (a asked) Status() (service.Status, error) { return a.status, a.err }
