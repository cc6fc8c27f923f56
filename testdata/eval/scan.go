package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// unit is what is read of one line of `meetguard scan --json`.
type unit struct {
	Path     string `json:"path"`
	PathB64  []byte `json:"path_b64"`
	Level    string `json:"level"`
	Score    int    `json:"score"`
	Findings []struct {
		Rule     string `json:"rule"`
		Evidence string `json:"evidence"`
	} `json:"findings"`
	Gaps []struct {
		Fact   string `json:"fact"`
		Reason string `json:"reason"`
	} `json:"gaps"`
}

// found says whether somebody would have been warned.
func (u unit) found() bool { return u.Level == "suspicious" || u.Level == "malicious" }

// path is where the unit lies, exactly.
func (u unit) path() string {
	if len(u.PathB64) > 0 {
		return string(u.PathB64)
	}
	return u.Path
}

// scan runs the agent over paths and hands each unit to tell.
func scan(agent string, paths []string, tell func(unit), flags ...string) error {
	cmd := exec.Command(agent, slices.Concat([]string{"scan", "--json"}, flags, paths)...)
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the agent (make build first): %w", err)
	}
	readErr := units(out, tell)
	io.Copy(io.Discard, out) // the agent must not block; an error shows in Wait
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1 means that something was found
		return fmt.Errorf("scan %s: %w: %s", paths[0], err, bytes.TrimSpace(trouble.Bytes()))
	}
	return readErr
}

func units(r io.Reader, tell func(unit)) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var u unit
			if err := json.Unmarshal(line, &u); err != nil {
				return fmt.Errorf("read a line of the agent: %w", err)
			}
			tell(u)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the agent: %w", err)
		}
	}
}

// tree is the result of one clean tree.
type tree struct {
	Name       string         `json:"name"`
	Units      int            `json:"units"`
	Incomplete int            `json:"incomplete"`
	Reasons    map[string]int `json:"incomplete_reasons,omitempty"`
	Alerts     []alarm        `json:"false_alerts"`
}

// alarm is one honest file that alarmed.
type alarm struct {
	Path  string   `json:"path"`
	Level string   `json:"level"`
	Score int      `json:"score"`
	Rules []string `json:"rules"`
}

func (t *tree) add(u unit) {
	t.Units++
	switch {
	case u.found():
		t.Alerts = append(t.Alerts, alarm{u.Path, u.Level, u.Score, u.rules()})
	case u.Level == "incomplete":
		t.Incomplete++
		if t.Reasons == nil {
			t.Reasons = map[string]int{}
		}
		t.Reasons[u.why()]++
	}
}

// why is the reason of an incomplete unit, without what differs from file to
// file: names of members, and numbers.
func (u unit) why() string {
	if len(u.Gaps) == 0 {
		return "no reason given"
	}
	g := u.Gaps[len(u.Gaps)-1] // those that blind stand behind those of the whole unit
	for _, gap := range u.Gaps {
		if gap.Fact == "members" || gap.Fact == "content" {
			g = gap
		}
	}
	reason := g.Reason
	if member, rest, ok := strings.Cut(reason, ": "); ok && (strings.ContainsAny(member, "./") || !strings.Contains(member, " ")) {
		reason = rest
	}
	return g.Fact + ": " + numbers.ReplaceAllString(reason, "N")
}

var numbers = regexp.MustCompile(`\b\d+\b`)

func (u unit) rules() []string {
	var out []string
	for _, f := range u.Findings {
		out = append(out, f.Rule)
	}
	return out
}

// batch is how many paths are named in one call: their names have to fit into
// one argument list.
const batch = 500

// scanTree scans a clean tree, or limit files of it.
func scanTree(agent, dir string, limit int) (tree, error) {
	t := tree{Name: dir}
	if limit == 0 {
		return t, scan(agent, []string{dir}, t.add)
	}
	files, err := sample(dir, limit)
	if err != nil {
		return t, err
	}
	for len(files) > 0 {
		n := min(batch, len(files))
		if err := scan(agent, files[:n], t.add); err != nil {
			return t, err
		}
		files = files[n:]
	}
	return t, nil
}

// sample chooses at most limit regular files of dir that can be read, evenly
// over their sorted names.
func sample(dir string, limit int) ([]string, error) {
	var all []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && canRead(p) {
			all = append(all, p)
		}
		return nil // what cannot be listed is not part of the sample
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	sort.Strings(all)
	if len(all) <= limit {
		return all, nil
	}
	out := make([]string, limit)
	for i := range out {
		out[i] = all[i*len(all)/limit]
	}
	return out, nil
}

func canRead(p string) bool {
	f, err := os.Open(p)
	if err == nil {
		f.Close()
	}
	return err == nil
}
