package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// fakeAgent tells of each launch whose line holds the word in its script.
const fakeAgent = `#!/bin/sh
test "$1 $2" = "replay --json" || exit 2
sed -n 's/.*curl.*"pid":\([0-9]*\).*/{"pid":\1,"level":"suspicious","score":50,"findings":[{"rule":"R"}]}/p
s/.*strange.*"pid":\([0-9]*\).*/{"pid":\1,"level":"incomplete"}/p' "$3"
exit 1
`

func writeChains(t *testing.T, files map[string]string) (agent, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		syscall.ForkLock.RLock() // nothing is started that another child holds open for writing
		err := os.WriteFile(file, []byte(text), 0o755)
		syscall.ForkLock.RUnlock()
		if err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "agent"), dir
}

func TestJudgeChains(t *testing.T) {
	agent, dir := writeChains(t, map[string]string{
		"agent": fakeAgent,
		"malicious/linux-unseen-x.jsonl": `{"os":"linux","pid":7,"exe":"/bin/sh","chain":"x-1","about":"fetches"}
{"os":"linux","pid":8,"exe":"/usr/bin/curl","chain":"x-1"}
{"os":"linux","pid":9,"exe":"/bin/wget","chain":"x-2","about":"curl is only named here"}
{"os":"linux","pid":10,"exe":"/bin/strange","chain":"x-2"}
`,
		"malicious/linux-A.jsonl": `{"os":"linux","pid":7,"exe":"/usr/bin/curl","chain":"a-1"}` + "\n",
		"benign/linux.jsonl": `{"os":"linux","pid":3,"exe":"/bin/true","chain":"b-1","about":"work"}
{"os":"linux","pid":4,"exe":"/usr/bin/curl","chain":"b-1","signature":{"status":"unsigned"},"args":["curl","-V"]}
`,
	})
	r, err := judgeChains(agent, dir, t.TempDir(), 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []conditions{r.Full, r.Poor} {
		if c.Chains != 3 || c.Found != 2 || c.Unseen != 0.5 || c.Launches != 2 || c.Incomplete != 1 {
			t.Errorf("counted %+v", c)
		}
		if len(c.Missed) != 1 || c.Missed[0] != (missed{"x-2", "curl is only named here"}) {
			t.Errorf("missed %+v", c.Missed)
		}
		if len(c.Alerts) != 1 || c.Alerts[0].Command != "/usr/bin/curl -V" || c.Alerts[0].About != "work" || c.perThousand() != 500 {
			t.Errorf("alerts %+v", c.Alerts)
		}
		if c.passed() {
			t.Error("it passed")
		}
	}
	if len(r.Masks) != 2 || r.poorRecall() != r.Poor.Recall || r.worstRecall() != r.Poor.Recall || r.passed() {
		t.Errorf("masks %+v", r.Masks)
	}
	rep := report{Recall: 1, Chains: r}
	if rep.judge(); rep.Passed {
		t.Error("the bars of the chains do not count")
	}
	var b strings.Builder
	r.markdown(&b)
	for _, want := range []string{"| linux-unseen-x    | 2      | 1     | 0.50   |", "Missed (1 of 1)", "Chain recall 0.667", "Over 2 masks: recall 0.667"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestChainTroubles(t *testing.T) {
	line := `{"os":"linux","pid":7,"exe":"/bin/sh","chain":"x-1"}` + "\n"
	for name, script := range map[string]string{
		"unknown process": "#!/bin/sh\necho '{\"pid\":99}'\n",
		"no JSON":         "#!/bin/sh\necho hello\n",
		"no replay":       "#!/bin/sh\necho unknown command >&2\nexit 2\n",
	} {
		agent, dir := writeChains(t, map[string]string{"agent": script, "malicious/a.jsonl": line, "benign/b.jsonl": line})
		if _, err := judgeChains(agent, dir, t.TempDir(), 2); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := judgeChains("agent", t.TempDir(), t.TempDir(), 1); err == nil {
		t.Error("a folder without chains was taken")
	}
}

// TestPoor reads the real chains: the agent must not see our own keys, and gets
// less of a poor file.
func TestPoor(t *testing.T) {
	launches, bare := 0, 0
	for _, kind := range []string{"malicious", "benign"} {
		files, err := readRecorded(filepath.Join("..", "chains", kind))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			full, err := f.text(whole)
			if err != nil {
				t.Fatal(err)
			}
			poor, err := f.text(3)
			if err != nil {
				t.Fatal(err)
			}
			if s := string(full) + string(poor); strings.Contains(s, `"chain":`) || strings.Contains(s, `"about":`) {
				t.Errorf("%s tells the agent too much", f.name)
			}
			if strings.Contains(string(poor), `"signature":`) {
				t.Errorf("%s still has signatures", f.name)
			}
			for line := range strings.Lines(string(poor)) {
				launches++
				if !strings.Contains(line, `"args":`) && !strings.Contains(line, `"command_line":`) {
					bare++
				}
			}
		}
	}
	differ := 0
	for i := range 300 {
		if third("x-1", i, 0) != third("x-1", i, 1) {
			differ++
		}
	}
	if differ < 60 {
		t.Errorf("two masks differ in %d of 300 launches", differ)
	}
	if share := ratio(bare, launches); share < 0.31 || share > 0.36 {
		t.Errorf("%d of %d command lines are gone", bare, launches)
	}
}
