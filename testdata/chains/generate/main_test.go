package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFilesAreFresh compares what is committed with what the sources give.
func TestFilesAreFresh(t *testing.T) {
	files, err := generate("..")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is old: go run ./testdata/chains/generate", name)
		}
	}
	for _, kind := range kinds {
		there, err := filepath.Glob(filepath.Join("..", kind, "*.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range there {
			if _, ok := files[kind+"/"+filepath.Base(name)]; !ok {
				t.Errorf("%s comes from no source", name)
			}
		}
	}
}

// harmless are the addresses that a lure may name: reserved names, reserved
// addresses, the genuine hosts that decoys open, and a messenger's bots.
var (
	address  = regexp.MustCompile(`(?i)(?:https?|ftp)://([^/\s"'):;,|?^]+)`)
	harmless = regexp.MustCompile(`(?i)(^|[.@])[a-z0-9-]+\.invalid$|^(10|192\.168|192\.0\.2|198\.51\.100|203\.0\.113)\.|^(learn\.microsoft\.com|github\.com|update\.code\.visualstudio\.com|web\.whatsapp\.com|api\.telegram\.org|zoom\.us)$`)
)

// TestChains holds the chains against their rules: sizes, parents, numbers, and
// hosts that belong to nobody.
func TestChains(t *testing.T) {
	files, err := generate("..")
	if err != nil {
		t.Fatal(err)
	}
	chains, unseen, launches, hard := 0, 0, 0, 0
	for name, content := range files {
		kind, file := filepath.Split(name)
		sizes, pids := map[string]int{}, map[int]bool{}
		for _, l := range decode(t, content) {
			sizes[l.Chain]++
			if pids[l.PID] || l.PPID > 1 && !pids[l.PPID] {
				t.Errorf("%s: the numbers of %s %v are wrong", name, l.Exe, l.Args)
			}
			pids[l.PID] = true
			if text := strings.Join(l.Args, " ") + l.CommandLine + l.Exe; strings.Contains(text, "<<") || strings.Contains(text, "[[") && strings.Contains(text, "]]") {
				t.Errorf("%s: something was not filled in: %s", name, text)
			} else if kind == "malicious/" {
				checkHosts(t, l, text)
			}
		}
		for chain, n := range sizes {
			switch {
			case kind == "benign/":
				launches += n
				if strings.HasSuffix(file, "-hard.jsonl") {
					hard += n
				}
				continue
			case n < 3 || n > 25:
				t.Errorf("%s has %d launches", chain, n)
			}
			chains++
			if strings.Contains(file, "unseen") {
				unseen++
			}
		}
	}
	if chains < 150 || 2*unseen < chains || launches < 3000 || 2*hard < launches {
		t.Errorf("%d chains, %d of them of no report; %d benign launches, %d of them hard", chains, unseen, launches, hard)
	}
}

func decode(t *testing.T, content []byte) []launch {
	var list []launch
	for _, line := range bytes.Split(bytes.TrimSpace(content), []byte("\n")) {
		var l launch
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		list = append(list, l)
	}
	return list
}

func checkHosts(t *testing.T, l launch, text string) {
	if l.OriginHost != "" && !strings.HasSuffix(l.OriginHost, ".invalid") && !harmless.MatchString(l.OriginHost) {
		t.Errorf("%s comes from %s", l.Chain, l.OriginHost)
	}
	for _, m := range address.FindAllStringSubmatch(text, -1) {
		if !harmless.MatchString(m[1]) {
			t.Errorf("%s names the host %s", l.Chain, m[1])
		}
	}
}

func TestSplit(t *testing.T) {
	for line, want := range map[string][]string{
		`a  b`:                 {"a", "b"},
		`-c "x 'y' \"z\""`:     {"-c", `x 'y' "z"`},
		`-e 'say "hi"' a\ b`:   {"-e", `say "hi"`, "a b"},
		`"" x`:                 {"", "x"},
		`--flag="two words"/x`: {"--flag=two words/x"},
	} {
		if got, err := split(line); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", line, got, err, want)
		}
	}
	if _, err := split(`a "b`); err == nil {
		t.Error("an open quotation was taken")
	}
}

func TestSourceErrors(t *testing.T) {
	for _, text := range []string{"curl", "chain 1\n    curl", "chain 1\n curl", "chain 1\n\nchain 1", "chain 1\ncurl ;; size=3", "chain 1\ncurl ;; sig=mine", "chain 1\ncurl ;; after=soon", "chain 1\n\"/a b"} {
		s := &source{system: "linux"}
		var err error
		for line := range strings.SplitSeq(text, "\n") {
			if err == nil {
				err = s.line(line)
			}
		}
		if err == nil {
			_, err = s.expand()
		}
		if err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
