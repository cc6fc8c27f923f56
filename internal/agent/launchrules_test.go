package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"meetguard"
	"meetguard/internal/config"
)

// recordedLaunch is a launch of testdata: the shape of `meetguard replay`, with what
// a version resource says and with whether the rule has to match.
type recordedLaunch struct {
	OS, Exe, Cwd, User string
	PID, PPID          int
	Args               []string
	CommandLine        string               `json:"command_line"`
	Signature          *meetguard.Signature `json:"signature"`
	Original           string               `json:"original_file_name"`
	Match              *bool                `json:"match"`
}

func readLaunches(t *testing.T, path string) []recordedLaunch {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []recordedLaunch
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r recordedLaunch
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out = append(out, r)
	}
	return out
}

// facts are those of a launch that the running agent would see, with its
// ancestors among those before it.
func (r recordedLaunch) facts(t *testing.T, in *Inspector, before []recordedLaunch) meetguard.Facts {
	t.Helper()
	p := r.process()
	for ppid, i := r.PPID, len(before)-1; i >= 0; i-- {
		if before[i].PID == ppid {
			p.Ancestors = append(p.Ancestors, *before[i].process())
			ppid = before[i].PPID
		}
	}
	f := in.Launch(context.Background(), p)
	f.Matches = nil
	if r.Signature != nil {
		f.Signature = *r.Signature
	}
	if r.Original != "" {
		f.Claims = append(f.Claims, meetguard.Claim{Text: r.Original, Source: meetguard.ClaimOriginal})
	}
	f.Matches = in.sigma.Match(f)
	return f
}

func (r recordedLaunch) process() *meetguard.Process {
	return &meetguard.Process{PID: r.PID, PPID: r.PPID, OS: r.OS, Exe: r.Exe, Args: r.Args, CommandLine: r.CommandLine, Cwd: r.Cwd, User: r.User}
}

func ids(f meetguard.Facts) []string {
	var out []string
	for _, m := range f.Matches {
		out = append(out, m.Meta["id"])
	}
	return out
}

// TestLaunchRules holds every rule to its recordedLaunch launches, and every honest
// one to no grave finding of any rule.
func TestLaunchRules(t *testing.T) {
	in := inspector(t, workerArg)
	files, err := filepath.Glob("../../signatures/testdata/process/*.jsonl")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		id := strings.TrimSuffix(filepath.Base(path), ".jsonl")
		all := readLaunches(t, path)
		yes, no := 0, 0
		for i, r := range all {
			if r.Match == nil {
				continue
			}
			f := r.facts(t, in, all[:i])
			if got := slices.Contains(ids(f), id); got != *r.Match {
				t.Errorf("%s: matches %q: %v, want %v (%v)", id, r.CommandLine, got, *r.Match, ids(f))
			}
			if *r.Match {
				yes++
				continue
			}
			no++
			for _, m := range f.Matches {
				if s := m.Meta["severity"]; s == "high" || s == "critical" {
					t.Errorf("%s: its honest neighbour %q is condemned by %s", id, r.CommandLine, m.Meta["id"])
				}
			}
		}
		if yes < 2 || no < 2 {
			t.Errorf("%s has %d launches that match and %d that do not, want two of each", id, yes, no)
		}
	}
}

func TestLaunchIsJudgedByRules(t *testing.T) {
	in := inspector(t, workerArg)
	f := matched(in, &meetguard.Process{OS: "windows", Exe: `C:\Users\a\AppData\Roaming\svchost.exe`})
	v := in.Judge(f)
	at := slices.IndexFunc(v.Findings, func(f meetguard.Finding) bool { return f.Rule == "MG-L-0112" })
	if v.Level != meetguard.Malicious || at < 0 || v.Findings[at].Technique != "T1036.005" || !strings.HasSuffix(v.Findings[at].Evidence, "may write to.") {
		t.Errorf("%+v", v)
	}
	if again := matched(in, f.Process); len(again.Matches) != 1 {
		t.Errorf("the second time it has %d matches", len(again.Matches))
	}
}

func matched(in *Inspector, p *meetguard.Process) meetguard.Facts {
	f := in.Launch(context.Background(), p)
	in.matchLaunch(&f)
	return f
}

const (
	goodSigma  = "title: Theirs\nid: theirs\nlevel: high\nlogsource:\n  category: process_creation\ndetection:\n  s:\n    Image|endswith: '/theirs'\n  condition: s\n"
	otherSigma = "title: Other\nid: other\nlogsource:\n  category: file_event\ndetection:\n  s:\n    TargetFilename: x\n  condition: s\n"
	badSigma   = "title: Bad\nid: bad\nlogsource:\n  category: process_creation\ndetection:\n  s:\n    Image|smells: x\n  condition: s\n"
)

func TestProcessRulesOfTheOperator(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "sub", "theirs.yml"), []byte(goodSigma))
	put(t, filepath.Join(dir, "other.yaml"), []byte(otherSigma))
	in := inspector(t, workerArg)
	if err := in.Configure(config.Config{ProcessRules: dir}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if f := matched(in, &meetguard.Process{OS: "linux", Exe: "/none/theirs"}); !slices.Contains(ids(f), "theirs") {
		t.Errorf("a rule of the operator does not match: %v", f.Matches)
	}
	rules, err := in.AllRules(context.Background())
	if err != nil || !slices.ContainsFunc(rules, func(r Rule) bool { return r.ID == "theirs" && r.Kind == "sigma" && r.Weight == 70 }) ||
		!slices.ContainsFunc(rules, func(r Rule) bool { return r.ID == "MG-L-0101" }) {
		t.Errorf("the list of rules lacks some: %v", err)
	}
	put(t, filepath.Join(dir, "bad.yml"), []byte(badSigma))
	for _, broken := range []string{dir, t.TempDir(), filepath.Join(dir, "none")} {
		if _, err := loadLaunchRules(broken); err == nil {
			t.Errorf("%s was loaded", broken)
		}
	}
	if _, err := loadLaunchRules(dir); !strings.Contains(err.Error(), "bad.yml:7: the modifier \"smells\" is not known") {
		t.Errorf("%v does not name file and line", err)
	}
}

func TestVerifySigma(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "good.yml"), []byte(goodSigma))
	put(t, filepath.Join(dir, "other.yml"), []byte(otherSigma))
	bad := put(t, filepath.Join(dir, "bad.yml"), []byte(badSigma))
	put(t, filepath.Join(dir, "rule.yar"), []byte("rule a { condition: false }"))
	c, err := VerifyRules([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	if c.Files != 4 || c.Usable != 2 || c.Rules != 2 || len(c.Narrowed) != 1 || len(c.Problems) != 1 || !strings.HasPrefix(c.Problems[0], bad+":7: ") {
		t.Errorf("%+v", c)
	}
}
