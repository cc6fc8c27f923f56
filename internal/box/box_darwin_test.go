package box

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// within is the variable that has the test program be a process that probes: its
// value is how and in which folder.
const within = "MEETGUARD_TEST_BOX"

// told is what such a process tells.
type told struct {
	Level    Level
	Outcomes []Outcome
}

func TestMain(m *testing.M) {
	dir, boxed := os.Getenv(within), os.Getenv(within+"_FREE") == ""
	if dir == "" {
		os.Exit(m.Run())
	}
	var got told
	if boxed {
		got.Level = Enter()
	}
	got.Outcomes = Try(dir)
	if err := json.NewEncoder(os.Stdout).Encode(got); err != nil {
		os.Exit(2)
	}
}

func tells(t *testing.T, more ...string) (got told) {
	t.Helper()
	dir, err := os.MkdirTemp("", "box") // below no folder that only this user may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := Scratch(dir); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), within+"="+dir), more...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return got
}

// TestNothingIsPossibleInTheBox: what the box refuses is possible without it, on
// the same machine, in the same minute.
func TestNothingIsPossibleInTheBox(t *testing.T) {
	boxed, free := tells(t), tells(t, within+"_FREE=1")
	t.Log(boxed.Level)
	if !boxed.Level.Full() {
		t.Errorf("the box lacks a part: %s", boxed.Level)
	}
	for i, o := range boxed.Outcomes {
		if !o.Refused {
			t.Errorf("%s: not refused: %q", o.Name, o.Detail)
		}
		if f := free.Outcomes[i]; f.Refused {
			t.Logf("%s is refused without a box too: %s", f.Name, f.Detail)
		}
	}
}
