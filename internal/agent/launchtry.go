package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"meetguard"
	"meetguard/internal/sigma"
)

// Tried is one recorded launch that a rule under trial matches.
type Tried struct {
	Line  int      `json:"line"` // of the record, from 1
	PID   int      `json:"pid"`
	Exe   string   `json:"exe"` // as recorded: not safe for a terminal
	Rules []string `json:"rules"`
}

// Bounds of a record and of the ancestry that is rebuilt from them.
const (
	maxRecord    = 1 << 20 // bytes
	maxAncestors = 32
)

// TryLaunchRules matches recorded launches, one JSON object a line in the shape
// of `meetguard replay`, with a Sigma rule file or a folder of them alone. It
// tells each launch that matches and returns how many it read. Nothing that a
// record names is opened.
func (in *Inspector) TryLaunchRules(ctx context.Context, rules, records string, tell func(Tried) error) (int, error) {
	sources, err := sigmaFiles(rules)
	if err != nil {
		return 0, fmt.Errorf("read rules: %w", err)
	}
	loaded, problems := sigma.Load(sources)
	for _, p := range problems {
		if !p.Other {
			return 0, fmt.Errorf("load rules over launches: %s", p)
		}
	}
	if len(loaded.List()) == 0 {
		return 0, fmt.Errorf("load rules over launches: none in %s", rules)
	}
	file, err := os.Open(records)
	if err != nil {
		return 0, fmt.Errorf("read recorded launches: %w", err)
	}
	defer file.Close()
	t := trial{in: in, rules: loaded, tell: tell, seen: map[int]meetguard.Process{}}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxRecord)
	for lines.Scan() {
		if err := t.record(ctx, lines.Bytes()); err != nil {
			return t.line, fmt.Errorf("%s:%d: %w", records, t.line, err)
		}
	}
	if err := lines.Err(); err != nil {
		return t.line, fmt.Errorf("%s:%d: %w", records, t.line+1, err)
	}
	return t.line, nil
}

// trial reads records in order and remembers who had which pid last.
type trial struct {
	in    *Inspector
	rules *sigma.Rules
	tell  func(Tried) error
	seen  map[int]meetguard.Process
	line  int
}

func (t *trial) record(ctx context.Context, text []byte) error {
	t.line++
	var r struct {
		meetguard.Process
		Signature  meetguard.Signature `json:"signature"`
		OriginHost string              `json:"origin_host"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("read a recorded launch: %w", err)
	}
	p := r.Process
	p.Ancestors = t.ancestors(p.PPID)
	f := meetguard.Facts{Path: p.Exe, Process: &p, Signature: r.Signature, Origin: meetguard.Origin{Host: r.OriginHost}}
	if f.Signature.Status == "" {
		f.Signature.Status = meetguard.SignatureUnknown
	}
	r.Process.Ancestors = nil
	t.seen[p.PID] = r.Process
	if text, shell := commandText(&p); worthReading(text) {
		answer, err := t.in.ask(ctx, request{Op: opCommand, Command: clipText(text, maxRequestText), Shell: shell})
		if err != nil {
			return fmt.Errorf("read a command line: %w", err)
		}
		f.Script = answer.Facts.Script
	}
	out := Tried{Line: t.line, PID: p.PID, Exe: p.Exe}
	for _, m := range t.rules.Match(f) {
		out.Rules = append(out.Rules, m.Meta["id"])
	}
	if len(out.Rules) == 0 {
		return nil
	}
	return t.tell(out)
}

func (t *trial) ancestors(pid int) []meetguard.Process {
	var out []meetguard.Process
	for len(out) < maxAncestors {
		p, ok := t.seen[pid]
		if !ok {
			break
		}
		if out = append(out, p); p.PPID == pid {
			break
		}
		pid = p.PPID
	}
	return out
}

// AreLaunchRules says whether a path names Sigma rules: a file of theirs, or a
// folder that holds one.
func AreLaunchRules(path string) bool {
	sources, err := sigmaFiles(path)
	return err == nil && len(sources) > 0
}
