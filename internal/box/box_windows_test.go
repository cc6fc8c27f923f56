package box

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// within is the variable that has the test program be the boxed process: its
// value is the folder of the probes.
const within = "MEETGUARD_TEST_BOX"

func TestMain(m *testing.M) {
	dir := os.Getenv(within)
	if dir == "" {
		os.Exit(m.Run())
	}
	level := Enter()
	if err := json.NewEncoder(os.Stdout).Encode(told{level, Try(dir)}); err != nil {
		os.Exit(2)
	}
}

type told struct {
	Level    Level
	Outcomes []Outcome
}

// TestLevelNamesWhatIsLetThrough: a box that a probe gets through does not claim
// that part.
func TestLevelNamesWhatIsLetThrough(t *testing.T) {
	dir, err := os.MkdirTemp("", "box")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir) // not t.TempDir: a file that wine cannot remove fails no box
	if err := Scratch(dir); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), within+"="+dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got told
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Log(got.Level)
	for part, probes := range map[string][]string{"no files": {"open a file", "look at a file", "list a folder"}, "no network": {"connect by TCP", "send by UDP"}} {
		for _, o := range got.Outcomes {
			if !o.Refused && slices.Contains(probes, o.Name) && slices.Contains(got.Level.Parts, part) {
				t.Errorf("it claims %q, and let through: %s (%s)", part, o.Name, o.Detail)
			}
		}
		if !slices.ContainsFunc(append(got.Level.Parts, got.Level.Missing...), func(s string) bool { return strings.HasPrefix(s, part) }) {
			t.Errorf("%q is neither had nor missing: %s", part, got.Level)
		}
	}
}
