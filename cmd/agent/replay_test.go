package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// recordedChain is one chain of testdata/chains.txt.
type recordedChain struct {
	name   string
	lure   bool
	events []map[string]any
}

func readChains(t *testing.T) []recordedChain {
	t.Helper()
	data, err := os.ReadFile("testdata/chains.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []recordedChain
	system, at := "", time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for i, line := range strings.Split(string(data), "\n") {
		switch {
		case strings.HasPrefix(line, "## "):
			w := strings.Fields(line)
			all = append(all, recordedChain{name: w[3], lure: w[1] == "malicious"})
			system, at = w[2], at.Add(time.Hour)
		case line == "" || strings.HasPrefix(line, "#"):
		default:
			head, command, ok := strings.Cut(line, "::")
			w := strings.SplitN(strings.TrimSpace(head), " ", 3)
			if !ok || len(w) != 3 {
				t.Fatalf("line %d is no launch", i+1)
			}
			at = at.Add(time.Second)
			pid, _ := strconv.Atoi(w[0])
			ppid, _ := strconv.Atoi(w[1])
			e := map[string]any{"os": system, "pid": pid, "ppid": ppid, "exe": w[2], "time": at.Format(time.RFC3339)}
			command, signer, signed := strings.Cut(command, "@@")
			if signed {
				e["signature"] = map[string]any{"status": "valid", "subject": strings.TrimSpace(signer)}
			}
			if command = strings.TrimSpace(command); command != "" {
				e["command_line"] = command
			}
			c := &all[len(all)-1]
			c.events = append(c.events, e)
		}
	}
	return all
}

// replayed runs the command over events and gives what it printed.
func replayed(t *testing.T, events []map[string]any) (int, []map[string]any) {
	t.Helper()
	var in bytes.Buffer
	for _, e := range events {
		line, _ := json.Marshal(e)
		in.Write(append(line, '\n'))
	}
	name := filepath.Join(t.TempDir(), "events.jsonl")
	if err := os.WriteFile(name, in.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	code := run(context.Background(), []string{"replay", "--json", name}, &out, &errOut)
	var units []map[string]any
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if line == "" {
			continue
		}
		var u map[string]any
		if err := json.Unmarshal([]byte(line), &u); err != nil {
			t.Fatal(err)
		}
		units = append(units, u)
	}
	if code == exitError {
		t.Fatal(errOut.String())
	}
	return code, units
}

// apart is what keeps the process numbers of one chain from those of the next.
const apart = 1_000_000

// replayedChains runs the command once over all chains, which loads the rules
// once, and gives what it printed of each. keep may leave something out.
func replayedChains(t *testing.T, all []recordedChain, keep func(i int, key string) bool) [][]map[string]any {
	t.Helper()
	var events []map[string]any
	for n, c := range all {
		for i, e := range c.events {
			kept := map[string]any{}
			for k, v := range e {
				if keep(i, k) {
					kept[k] = v
				}
			}
			kept["pid"], kept["ppid"] = e["pid"].(int)+n*apart, e["ppid"].(int)+n*apart
			events = append(events, kept)
		}
	}
	_, units := replayed(t, events)
	of := make([][]map[string]any, len(all))
	for _, u := range units {
		n := int(u["pid"].(float64)) / apart
		of[n] = append(of[n], u)
	}
	return of
}

func TestReplayChains(t *testing.T) {
	all := readChains(t)
	for n, units := range replayedChains(t, all, func(int, string) bool { return true }) {
		if c := all[n]; c.lure != (len(units) > 0) {
			t.Errorf("%s: %d found: %s", c.name, len(units), told(units))
		}
	}
	for _, lure := range []bool{true, false} { // the exit code of one alone
		c := all[slices.IndexFunc(all, func(c recordedChain) bool { return c.lure == lure })]
		if code, units := replayed(t, c.events); lure != (code == exitFound) {
			t.Errorf("%s: exit %d: %s", c.name, code, told(units))
		}
	}
}

// TestReplayUnknown leaves out every third command line and every signature.
func TestReplayUnknown(t *testing.T) {
	all := readChains(t)
	lures, found := 0, 0
	for offset := range 3 {
		less := func(i int, key string) bool {
			return key != "signature" && !(key == "command_line" && i%3 == offset)
		}
		for n, units := range replayedChains(t, all, less) {
			c := all[n]
			switch {
			case !c.lure && len(units) > 0:
				t.Errorf("%s without some command lines: %s", c.name, told(units))
			case c.lure && len(units) > 0:
				lures, found = lures+1, found+1
			case c.lure:
				lures++
				t.Logf("%s is not found without some command lines (%d)", c.name, offset)
			}
		}
	}
	if found*100 < lures*95 {
		t.Errorf("%d of %d found", found, lures)
	}
}

func told(units []map[string]any) string {
	var b strings.Builder
	for _, u := range units {
		fmt.Fprintf(&b, "\n%v %v %v:", u["pid"], u["exe"], u["score"])
		for _, f := range u["findings"].([]any) {
			b.WriteString(" " + f.(map[string]any)["rule"].(string))
		}
	}
	return b.String()
}

func TestReplayLines(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		code int
		says string
	}{
		"nothing":      {"", exitClean, ""},
		"unknown keys": {`{"os":"linux","pid":1,"exe":"/bin/true","new":{"a":[1]}}` + "\n\n", exitClean, ""},
		"no event":     {"{\"os\":\"linux\",\"pid\":1,\"exe\":\"/bin/true\"}\nrubbish\n", exitError, "line 2"},
		"no pid":       {`{"os":"linux","exe":"/bin/true"}`, exitError, "no pid"},
		"no exe":       {`{"os":"linux","pid":3}`, exitError, "no exe"},
		"bad time":     {`{"os":"linux","pid":3,"exe":"a","time":"yesterday"}`, exitError, "RFC 3339"},
	} {
		name := name
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "e.jsonl")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errOut bytes.Buffer
			if code := run(context.Background(), []string{"replay", file}, &out, &errOut); code != c.code || !strings.Contains(errOut.String(), c.says) {
				t.Errorf("exit %d, %q", code, errOut.String())
			}
		})
	}
}
