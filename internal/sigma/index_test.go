package sigma

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"meetguard"
)

// ownRules reads the rules of the product.
func ownRules(t testing.TB) []Source {
	t.Helper()
	names, err := filepath.Glob("../../signatures/process/*.yml")
	if err != nil || len(names) == 0 {
		t.Fatal("no rules of our own", err)
	}
	var out []Source
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Source{name, string(text)})
	}
	return out
}

// The vocabulary of generated rules: texts that overlap, so that many match.
var (
	someFields = []string{"Image", "CommandLine", "ParentImage", "User", "Ancestors", "Traits"}
	someTexts  = []string{`\powershell.exe`, `\cmd.exe`, `/bin/sh`, "powershell", "http", "https://", " -enc ", " /c ", "temp", "tmp", "curl", "x", "-o", "ab", "abcd", "zoom", "ÄÖÜ", `\Zoom`}
)

// generated makes a rule. Plain ones keep to what other engines do alike.
func generated(r *rand.Rand, n int, plain bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "title: Rule %d\nid: r%d\nlogsource:\n  category: process_creation\ndetection:\n", n, n)
	names := []string{"sel_a", "sel_b", "filter_c"}
	for _, name := range names {
		fmt.Fprintf(&b, "  %s:\n", name)
		used := map[string]bool{}
		for range 1 + r.IntN(2) {
			field := someFields[r.IntN(len(someFields))]
			if plain {
				field = someFields[r.IntN(4)]
			}
			if used[field] {
				continue
			}
			used[field] = true
			fmt.Fprintf(&b, "    %s%s:\n", field, []string{"", "|contains", "|endswith", "|startswith", "|contains|all"}[r.IntN(5)])
			for range 1 + r.IntN(3) {
				fmt.Fprintf(&b, "      - '%s'\n", generatedText(r, plain))
			}
		}
	}
	conditions := []string{"sel_a", "sel_a and sel_b", "sel_a or sel_b", "sel_a and not filter_c", "all of sel_* and not filter_c", "1 of sel_* and not 1 of filter_*", "sel_a or not (sel_b or not filter_c)"}
	fmt.Fprintf(&b, "  condition: %s\n", conditions[r.IntN(len(conditions))])
	return b.String()
}

func generatedText(r *rand.Rand, plain bool) string {
	s := someTexts[r.IntN(len(someTexts))]
	if r.IntN(3) == 0 {
		s += someTexts[r.IntN(len(someTexts))]
	}
	if !plain && r.IntN(4) == 0 {
		at := r.IntN(len(s) + 1)
		s = strings.ToValidUTF8(s[:at], "") + []string{"*", "?", `\*`}[r.IntN(3)] + strings.ToValidUTF8(s[at:], "")
	}
	return s
}

// events makes launches out of what rules ask for, their fields mixed, and out
// of the vocabulary.
func events(r *rand.Rand, rs *Rules, n int) []*launch {
	var made []*launch
	for range n {
		l := &launch{values: make([]value, rs.fields.count())}
		a := witness(rs.rules[r.IntN(len(rs.rules))].when, rs.fields, r.IntN(8))
		b := witness(rs.rules[r.IntN(len(rs.rules))].when, rs.fields, r.IntN(8))
		for id := range l.values {
			switch r.IntN(8) {
			case 0:
				l.values[id].set([]string{generatedText(r, true) + " " + generatedText(r, true)})
			case 1:
				l.values[id].set(b.values[id].raw)
			case 2:
				l.values[id].set(append(slices.Clone(a.values[id].raw), b.values[id].raw...))
			default:
				l.values[id].set(a.values[id].raw)
			}
		}
		made = append(made, l)
	}
	return made
}

// sameWithIndex compares the rules that the index chooses with all rules.
func sameWithIndex(t *testing.T, rs *Rules, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, uint64(n)))
	matched, chosen, all := 0, 0, 0
	for _, l := range events(r, rs, n) {
		for os, set := range rs.sets {
			candidates := set.candidates(l)
			chosen, all = chosen+len(candidates), all+len(set.rules)
			for _, rule := range set.rules {
				if !rule.when.holds(l) {
					continue
				}
				matched++
				if !slices.Contains(candidates, rule) {
					t.Fatalf("%s: the index leaves out %s (%s), which matches", os, rule.info.ID, rule.info.Meta["title"])
				}
			}
		}
	}
	if matched < n/2 {
		t.Errorf("only %d matches in %d launches: this compares nothing", matched, n)
	}
	t.Logf("%d matches in %d launches, %.1f %% of the rules evaluated", matched, n, 100*float64(chosen)/float64(all))
}

func TestIndexLeavesOutNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var files []Source
	for n := range 400 {
		files = append(files, Source{"generated", generated(r, n, false)})
	}
	rs, _ := Load(files)
	if len(rs.rules) < 300 {
		t.Fatalf("only %d of 400 generated rules load", len(rs.rules))
	}
	sameWithIndex(t, rs, 1000)
	own, problems := Load(ownRules(t))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	sameWithIndex(t, own, 2000)
}

func TestIndexLeavesOutNoPublicRule(t *testing.T) {
	rs, _ := Load(corpus(t))
	sameWithIndex(t, rs, 2000)
}

// ordinary are launches as a desktop has them.
var ordinary = []meetguard.Facts{
	windows(`C:\Program Files\Google\Chrome\Application\chrome.exe`, `"C:\Program Files\Google\Chrome\Application\chrome.exe" --type=renderer --lang=en-US --device-scale-factor=1 --num-raster-threads=4 --renderer-client-id=42 --launch-time-ticks=1234567890 /prefetch:1`),
	windows(`C:\Windows\System32\svchost.exe`, `C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule`),
	windows(`C:\Windows\System32\cmd.exe`, `cmd.exe /c "npm run build --if-present"`),
	windows(`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, `powershell.exe -NoProfile -ExecutionPolicy Bypass -File C:\it\inventory.ps1`),
}

func BenchmarkMatch(b *testing.B) {
	for name, files := range map[string][]Source{"own": ownRules(b)} {
		benchmark(b, name, files)
	}
}

func BenchmarkMatchPublic(b *testing.B) { benchmark(b, "public", corpus(b)) }

func benchmark(b *testing.B, name string, files []Source) {
	rs, _ := Load(files)
	for i := range ordinary {
		ordinary[i].Process.Ancestors = []meetguard.Process{{Exe: `C:\Windows\explorer.exe`, CommandLine: `C:\Windows\Explorer.EXE`}, {Exe: `C:\Windows\System32\userinit.exe`}}
	}
	b.Run(name, func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			rs.Match(ordinary[i%len(ordinary)])
		}
	})
}
