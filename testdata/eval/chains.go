package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The bars of the recorded launches, with all facts and with those left out
// that a source may fail to learn.
const (
	minChainRecall      = 0.95
	minPoorRecall       = 0.95 // in the mean of all masks
	maxChainFalseAlerts = 0    // of each mask too
)

// chainReport is what `meetguard replay` says of the recorded launch chains.
type chainReport struct {
	Full conditions `json:"full"`
	// Poor is the same with a third of the command lines and all signatures
	// removed: what a busy machine and an unsigned world leave. Which third is
	// chance, so that several are taken; this is the worst of them.
	Poor  conditions `json:"poor"`
	Masks []maskRow  `json:"masks"`
}

// conditions is one run over all files.
type conditions struct {
	Chains     int          `json:"chains"`
	Found      int          `json:"found"`
	Recall     float64      `json:"recall"`
	Unseen     float64      `json:"recall_unseen"` // of families that no report describes
	Launches   int          `json:"benign_launches"`
	Incomplete int          `json:"incomplete"` // launches of either kind that could not be judged
	By         []chainRow   `json:"by"`
	Benign     []benignRow  `json:"benign"`
	Missed     []missed     `json:"missed"`
	Alerts     []falseAlert `json:"false_alerts"`

	unseen, unseenFound int
}

// chainRow is the recall on one file: a system and a family.
type chainRow struct {
	Name  string `json:"name"`
	N     int    `json:"n"`
	Found int    `json:"found"`
}

// benignRow counts the false alerts of one file.
type benignRow struct {
	Name     string `json:"name"`
	Launches int    `json:"launches"`
	Alerts   int    `json:"false_alerts"`
}

// missed is a chain that nobody was warned of, and why somebody should be.
type missed struct {
	Chain string `json:"chain"`
	About string `json:"about"`
}

// falseAlert is an honest launch that alarmed.
type falseAlert struct {
	Chain   string   `json:"chain"`
	About   string   `json:"about"`
	Command string   `json:"command"`
	Level   string   `json:"level"`
	Score   int      `json:"score"`
	Rules   []string `json:"rules"`
}

// recorded is one file of chains.
type recorded struct {
	name     string
	launches []launch
}

// launch is one line of it. The agent gets all keys but the two of ours.
type launch struct {
	PID         int      `json:"pid"`
	Exe         string   `json:"exe"`
	Args        []string `json:"args"`
	CommandLine string   `json:"command_line"`
	Chain       string   `json:"chain"`
	About       string   `json:"about"`

	keys map[string]json.RawMessage
}

// judgeChains replays all files below dir, whole and under each mask.
func judgeChains(agent, dir, work string, masks int) (*chainReport, error) {
	bad, err := readRecorded(filepath.Join(dir, "malicious"))
	if err != nil {
		return nil, err
	}
	good, err := readRecorded(filepath.Join(dir, "benign"))
	if err != nil {
		return nil, err
	}
	var r chainReport
	if r.Full, err = runMask(agent, work, bad, good, whole); err != nil {
		return nil, err
	}
	for mask := range masks {
		c, err := runMask(agent, work, bad, good, mask)
		if err != nil {
			return nil, err
		}
		r.Masks = append(r.Masks, maskRow{mask, c.Found, c.Recall, len(c.Alerts)})
		if mask == 0 || c.worse(&r.Poor) {
			r.Poor = c
		}
	}
	return &r, nil
}

// runMask replays all files under one mask.
func runMask(agent, work string, bad, good []recorded, mask int) (conditions, error) {
	var c conditions
	for _, f := range bad {
		if err := c.addChains(agent, work, f, mask); err != nil {
			return c, err
		}
	}
	for _, f := range good {
		if err := c.addBenign(agent, work, f, mask); err != nil {
			return c, err
		}
	}
	c.Recall = ratio(c.Found, c.Chains)
	c.Unseen = ratio(c.unseenFound, c.unseen)
	return c, nil
}

// onlyChains prints what is found in the recorded chains, and returns the exit
// status.
func onlyChains(o options) int {
	c, err := replayOnly(o)
	if err == nil {
		err = c.print(os.Stdout, o.asJSON)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "eval:", err)
		return 2
	}
	if !c.passed() {
		return 1
	}
	return 0
}

func replayOnly(o options) (*chainReport, error) {
	agent, err := filepath.Abs(o.agent)
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "eval-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	return judgeChains(agent, o.chains, work, o.masks)
}

func readRecorded(dir string) ([]recorded, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no recorded launches in %s", dir)
	}
	var out []recorded
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f := recorded{name: strings.TrimSuffix(filepath.Base(name), ".jsonl")}
		for line := range bytes.Lines(text) {
			var l launch
			if err := errors.Join(json.Unmarshal(line, &l), json.Unmarshal(line, &l.keys)); err != nil {
				return nil, fmt.Errorf("read %s: %w", name, err)
			}
			f.launches = append(f.launches, l)
		}
		out = append(out, f)
	}
	return out, nil
}

// told is what is read of one line of `meetguard replay --json`.
type told struct {
	PID int `json:"pid"`
	unit
}

// replay judges the launches of a file and hands on each that is not clean.
func (f recorded) replay(agent, work string, mask int) (map[int]told, error) {
	file := filepath.Join(work, f.name+".jsonl")
	text, err := f.text(mask)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return nil, err
	}
	cmd := exec.Command(agent, "replay", "--json", file)
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1 means that something was found
		return nil, fmt.Errorf("replay %s: %w: %s", f.name, err, bytes.TrimSpace(trouble.Bytes()))
	}
	return f.read(out)
}

// read reads what the agent told; of a launch told twice, the worse holds.
func (f recorded) read(out []byte) (map[int]told, error) {
	known := map[int]bool{}
	for _, l := range f.launches {
		known[l.PID] = true
	}
	list := map[int]told{}
	for line := range bytes.Lines(out) {
		var t told
		if err := json.Unmarshal(line, &t); err != nil {
			return nil, fmt.Errorf("read a line of the agent: %w", err)
		}
		if !known[t.PID] {
			return nil, fmt.Errorf("the agent told of process %d, which is not in %s", t.PID, f.name)
		}
		if old, ok := list[t.PID]; !ok || rank(t.unit) > rank(old.unit) {
			list[t.PID] = t
		}
	}
	return list, nil
}

func (c *conditions) addChains(agent, work string, f recorded, mask int) error {
	said, err := f.replay(agent, work, mask)
	if err != nil {
		return err
	}
	found, about := map[string]bool{}, map[string]string{}
	var order []string
	for _, l := range f.launches {
		if _, ok := found[l.Chain]; !ok {
			order = append(order, l.Chain)
		}
		t := said[l.PID]
		found[l.Chain] = found[l.Chain] || t.found()
		about[l.Chain] += l.About
		c.note(t)
	}
	row := chainRow{Name: f.name}
	for _, chain := range order {
		row.N++
		if found[chain] {
			row.Found++
		} else {
			c.Missed = append(c.Missed, missed{chain, about[chain]})
		}
	}
	c.By = append(c.By, row)
	c.Chains += row.N
	c.Found += row.Found
	if strings.Contains(f.name, "-unseen-") {
		c.unseen += row.N
		c.unseenFound += row.Found
	}
	return nil
}

func (c *conditions) addBenign(agent, work string, f recorded, mask int) error {
	said, err := f.replay(agent, work, mask)
	if err != nil {
		return err
	}
	row := benignRow{Name: f.name}
	about := ""
	for _, l := range f.launches {
		if l.About != "" {
			about = l.About
		}
		t := said[l.PID]
		row.Launches++
		c.note(t)
		if t.found() {
			row.Alerts++
			c.Alerts = append(c.Alerts, falseAlert{l.Chain, about, l.command(), t.Level, t.Score, t.rules()})
		}
	}
	c.Benign = append(c.Benign, row)
	c.Launches += row.Launches
	return nil
}

func (c *conditions) note(t told) {
	if t.Level == "incomplete" {
		c.Incomplete++
	}
}

// command is what was run, for people.
func (l launch) command() string {
	if l.CommandLine != "" {
		return l.CommandLine
	}
	return strings.Join(append([]string{l.Exe}, l.Args[min(1, len(l.Args)):]...), " ")
}

// passed holds a run against the bars.
func (c *conditions) passed() bool {
	return c.Recall >= minChainRecall && len(c.Alerts) <= maxChainFalseAlerts
}

// perThousand are the false alerts for each thousand honest launches.
func (c *conditions) perThousand() float64 { return 1000 * ratio(len(c.Alerts), c.Launches) }
