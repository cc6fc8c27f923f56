package agent

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"meetguard"
	"meetguard/internal/chain"
)

// plainLaunch is a launch that does nothing but run, as the judge is shown it.
func plainLaunch(pid int, words ...string) meetguard.Facts {
	now := time.Unix(1_800_000_000, 0)
	p := &meetguard.Process{OS: "linux", PID: pid, PPID: 10, Exe: "/usr/bin/true", Args: append([]string{"true"}, words...), User: "ana", Started: now,
		Ancestors: []meetguard.Process{{PID: 10, Exe: "/usr/bin/make", Args: []string{"make", "-j2"}}}}
	return meetguard.Facts{Path: p.Exe, SHA256: "aa", Process: p, Story: []meetguard.Step{
		{PID: 10, Exe: "/usr/bin/make", Link: meetguard.LinkAncestor, Time: now.Add(-time.Second)},
		{PID: pid, PPID: 10, Exe: p.Exe, Link: meetguard.LinkSelf, Time: now, Deeds: []meetguard.Deed{{Kind: meetguard.DeedRun, File: p.Exe, What: "program"}}},
	}}
}

func TestLikenessOfLaunches(t *testing.T) {
	o, day := newOrdinary(), time.Unix(1_800_000_000, 0)
	in := &Inspector{}
	first := plainLaunch(100, "step-17", "/tmp/17")
	base, ok := o.of(in, &first, day)
	if !ok {
		t.Fatal("a plain launch has no likeness")
	}
	for name, tc := range map[string]struct {
		change      func(f *meetguard.Facts)
		same, alike bool
	}{
		"the same":               {func(f *meetguard.Facts) {}, true, true},
		"later":                  {func(f *meetguard.Facts) { f.Process.Started = f.Process.Started.Add(3 * time.Second) }, true, true},
		"digits of a plain word": {func(f *meetguard.Facts) { f.Process.Args[1] = "step-4" }, false, true},
		"letters of it":          {func(f *meetguard.Facts) { f.Process.Args[1] = "stop-17" }, false, false},
		"no digits in it":        {func(f *meetguard.Facts) { f.Process.Args[1] = "step-" }, false, false},
		"digits of a path":       {func(f *meetguard.Facts) { f.Process.Args[2] = "/tmp/18" }, false, false},
		"a word more":            {func(f *meetguard.Facts) { f.Process.Args = append(f.Process.Args, "x") }, false, false},
		"two words in one":       {func(f *meetguard.Facts) { f.Process.Args = []string{"true", "step-17 /tmp/17"} }, false, false},
		"another content":        {func(f *meetguard.Facts) { f.SHA256 = "ab" }, false, false},
		"from another host":      {func(f *meetguard.Facts) { f.Origin.Host = "a.invalid" }, false, false},
		"a gap":                  {func(f *meetguard.Facts) { f.Gaps = []meetguard.Gap{{Fact: "x"}} }, false, false},
		"another user":           {func(f *meetguard.Facts) { f.Process.User = "eve" }, false, false},
		"digits of the parent":   {func(f *meetguard.Facts) { f.Process.Ancestors[0].Args[1] = "-j3" }, false, false},
		"no child of the step":   {func(f *meetguard.Facts) { f.Story[0].PID = 11 }, false, false},
		"long after the step":    {func(f *meetguard.Facts) { f.Process.Started = f.Process.Started.Add(pipeSpan) }, false, false},
		"a deed of the chain": {func(f *meetguard.Facts) {
			f.Story[0].Deeds = []meetguard.Deed{{Kind: meetguard.DeedFetch, Host: "a.invalid"}}
		}, false, false},
	} {
		f := plainLaunch(100, "step-17", "/tmp/17")
		tc.change(&f)
		got, ok := o.of(in, &f, day)
		if !ok || (got.same == base.same) != tc.same || (got.alike == base.alike) != tc.alike {
			t.Errorf("%s: likeness %v, the same: %v, alike: %v; want %v and %v", name, ok, got.same == base.same, got.alike == base.alike, tc.same, tc.alike)
		}
	}
	if other, _ := o.of(in, &first, day.Add(24*time.Hour)); other.alike == base.alike {
		t.Error("alike on another day, when a friend may be none any more")
	}
	if other, _ := o.of(&Inspector{}, &first, day); other.alike == base.alike {
		t.Error("alike for another judge")
	}
}

func TestNoLikenessOfWhatDoesMore(t *testing.T) {
	for name, change := range map[string]func(f *meetguard.Facts){
		"not inspected": func(f *meetguard.Facts) { f.SHA256 = "" },
		"a script":      func(f *meetguard.Facts) { f.Script = &meetguard.Script{} },
		"a match":       func(f *meetguard.Facts) { f.Matches = []meetguard.Match{{}} },
		"a member":      func(f *meetguard.Facts) { f.Members = []meetguard.Facts{{}} },
		"just landed":   func(f *meetguard.Facts) { f.Landed = &meetguard.Landing{} },
		"signed":        func(f *meetguard.Facts) { f.Process.Signature = &meetguard.Signature{} },
		"below signed":  func(f *meetguard.Facts) { f.Process.Ancestors[0].Signature = &meetguard.Signature{} },
		"no story":      func(f *meetguard.Facts) { f.Story = nil },
		"another deed":  func(f *meetguard.Facts) { f.Story[1].Deeds[0].Kind = meetguard.DeedFetch },
		"two deeds": func(f *meetguard.Facts) {
			f.Story[1].Deeds = append(f.Story[1].Deeds, meetguard.Deed{Kind: meetguard.DeedErase})
		},
	} {
		f := plainLaunch(100)
		change(&f)
		if _, ok := newOrdinary().of(nil, &f, time.Time{}); ok {
			t.Errorf("%s: it has a likeness", name)
		}
	}
}

// TestOrdinaryHidesNothing replays every recorded chain twice, the second time
// with other digits in the words that are taken without them: no launch that is
// like one that was clean may be anything else. The signatures are left out, so
// that more launches are alike.
func TestOrdinaryHidesNothing(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "chains", "*", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded chains: %v", err)
	}
	in := inspector(t, workerArg)
	o, day := newOrdinary(), time.Unix(1_800_000_000, 0)
	clean, spared, accused := 0, 0, 0
	for pass := range 2 {
		for _, name := range files {
			track := chain.New()
			for _, p := range recordedLaunches(t, name) {
				p.Signature = nil
				if pass == 1 {
					turnDigits(p.Args)
				}
				track.Ancestry(p)
				f := recorded(p)
				f.SHA256 = f.Path
				track.Add(&f)
				shown := withoutRepeats(f)
				like, plain := o.of(in, &shown, day)
				in.matchLaunch(&shown)
				plain = plain && len(shown.Matches) == 0
				v := in.Judge(shown)
				known := plain && o.knows(like.alike)
				switch {
				case v.Level != meetguard.Clean:
					if accused++; known {
						t.Errorf("%s: %s %q is %s, and like one that was clean", filepath.Base(name), p.Exe, p.Args, v.Level)
					}
				case known:
					spared++
				case plain:
					o.remember(like)
				}
				clean++
			}
		}
	}
	if spared < clean/8 || accused < 1000 { // enough of both, or the test shows nothing
		t.Errorf("of %d launches %d spared and %d accused", clean, spared, accused)
	}
}

// turnDigits makes other digits of those in plain words.
func turnDigits(words []string) {
	for i, w := range words {
		if isPlain(w) {
			words[i] = strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return '0' + (r-'0'+3)%10
				}
				return r
			}, w)
		}
	}
}

func recordedLaunches(t *testing.T, name string) (out []*meetguard.Process) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewReader(file)
	for {
		line, err := readLine(lines)
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		p, err := readEvent(line)
		if err != nil {
			t.Fatal(fmt.Errorf("%s: %w", name, err))
		}
		out = append(out, p)
	}
}

func TestLateness(t *testing.T) {
	var l lateness
	if l.status() != nil {
		t.Error("something is told before anything was judged")
	}
	for i := range 2*maxLate + 1 {
		l.note(time.Duration(i)*time.Millisecond, 2*time.Millisecond)
	}
	if s := l.status(); s.Count != maxLate || s.Verdict.P50 != maxLate+128 || s.Verdict.P99 != maxLate+253 || s.Stored.P99 != 2 {
		t.Errorf("%+v", s)
	}
}
