package box

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// The test program is its own prisoner: with these arguments it probes.
const (
	boxedArg   = "probe-in-the-box"
	freeArg    = "probe-without-the-box"
	aloneArg   = "probe-in-one-layer"
	threadsArg = "probe-on-threads"
	waitArg    = "wait-in-the-box"
)

// report is what a child tells.
type report struct {
	Level    Level
	Outcomes []Outcome
}

func TestMain(m *testing.M) {
	if len(os.Args) < 3 {
		os.Exit(m.Run())
	}
	var r report
	switch os.Args[1] {
	case boxedArg:
		r.Level = Enter()
	case aloneArg:
		r.Level = alone(os.Args[3])
	case threadsArg:
		if err := tellThreads(os.Args[2]); err != nil {
			os.Exit(2)
		}
		os.Exit(0)
	case waitArg:
		waitInTheBox()
		os.Exit(0)
	case freeArg:
	default:
		os.Exit(m.Run())
	}
	r.Outcomes = Try(os.Args[2])
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		os.Exit(2)
	}
	os.Exit(0)
}

func probed(t *testing.T, how string, more ...string) report {
	t.Helper()
	dir, err := os.MkdirTemp("", "meetguard-box-") // below no folder that only this user may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := Scratch(dir); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], append([]string{how, dir}, more...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", how, err)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%s: %v in %s", how, err, out)
	}
	return r
}

// The control: what the box refuses is possible without it, on the same
// machine, in the same minute.
func TestNothingIsPossibleInTheBox(t *testing.T) {
	free, boxed := probed(t, freeArg), probed(t, boxedArg)
	t.Log(boxed.Level)
	if len(boxed.Outcomes) < 40 {
		t.Fatalf("%d probes, want 40 at least", len(boxed.Outcomes))
	}
	possible := 0
	for i, o := range boxed.Outcomes {
		if !o.Refused {
			t.Errorf("%s: not refused: %q", o.Name, o.Detail)
		}
		if f := free.Outcomes[i]; !f.Refused {
			possible++
		} else {
			t.Logf("%s is refused without a box too: %s", f.Name, f.Detail)
		}
	}
	t.Logf("%d probes, %d of them possible without the box", len(boxed.Outcomes), possible)
	if possible < 40 {
		t.Errorf("%d probes are possible without a box: too few to prove anything", possible)
	}
}

func TestLevelIsToldInWords(t *testing.T) {
	var full, half, none Level
	full.add("landlock 7", nil)
	full.add("seccomp", nil)
	half.add("seccomp", nil)
	half.add("landlock", fmt.Errorf("this kernel has none"))
	none.add("seccomp", fmt.Errorf("not now"))
	for _, tc := range []struct {
		level Level
		text  string
		full  bool
	}{
		{full, "boxed: landlock 7, seccomp", true},
		{half, "boxed: seccomp; missing: landlock (this kernel has none)", false},
		{none, "not boxed; missing: seccomp (not now)", false},
		{Level{}, "not boxed", false},
	} {
		if got := tc.level.String(); got != tc.text || tc.level.Full() != tc.full {
			t.Errorf("%q, full %t; want %q, %t", got, tc.level.Full(), tc.text, tc.full)
		}
	}
}
