package box

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// within is the variable that has the test program be a process of the tests: its
// value is what it does, and with what.
const within = "MEETGUARD_TEST_BOX"

const (
	boxed  = "boxed"  // probes in the folder
	free   = "free"   // probes in the folder, without a box
	frail  = "frail"  // dies on every rung above the number
	asked  = "asked"  // tells whether it has the event of that number
	asleep = "asleep" // does nothing
)

func TestMain(m *testing.M) {
	what, with, ok := strings.Cut(os.Getenv(within), " ")
	if !ok {
		os.Exit(m.Run())
	}
	var got told
	switch what {
	case boxed:
		got.Level = Enter()
		got.Outcomes = Try(with)
	case free:
		got.Outcomes = Try(with)
	case frail:
		if rung, _, _ := born(); fmt.Sprint(rung) < with {
			os.Exit(77)
		}
		got.Trial = OnTrial()
		got.Level = Enter()
	case asked:
		n, _ := strconv.Atoi(with)
		got.Has = windows.SetEvent(windows.Handle(n)) == nil
		Enter()
	case asleep:
		Enter()
		time.Sleep(time.Minute)
	}
	if err := json.NewEncoder(os.Stdout).Encode(got); err != nil {
		os.Exit(2)
	}
}

type told struct {
	Level      Level
	Outcomes   []Outcome
	Has, Trial bool
}

func command(what, with string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), within+"="+what+" "+with)
	return cmd
}

// tells starts a process and reads what it tells.
func tells(t *testing.T, start func(*exec.Cmd) error, what, with string) (got told) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := command(what, with)
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	err = start(cmd)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return got
}

func probing(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "box")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) // not t.TempDir: a file that wine cannot remove fails no box
	if err := Scratch(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// claims are the probes that a part of the Level says are refused.
var claims = map[string][]string{
	partLockdown:                    {"open a file", "look at a file", "create a file", "remove a file", "read the registry of the machine", "copy its own token", "make a process"},
	"no files":                      {"open a file", "look at a file", "list a folder", "read a file of the system"},
	"no network":                    {"connect by TCP", "send by UDP", "listen"},
	"no privileges":                 {"have a privilege"},
	"untrusted integrity":           {"raise its integrity", "write to its parent", "end its parent"},
	"job":                           {"make a process"},
	"no processes":                  {"make a process"},
	"no code made at run time":      {"make memory that runs", "make memory run", "make code at run time again"},
	"no calls to the window system": {"make calls to the window system again"},
}

// TestLevelNamesWhatIsLetThrough: a box that a probe gets through does not claim
// that part, and one that claims everything lets nothing through. What is refused
// without a box too shows nothing, and is told.
func TestLevelNamesWhatIsLetThrough(t *testing.T) {
	got, control := tells(t, new(Starter).Start, boxed, probing(t)), tells(t, (*exec.Cmd).Start, free, probing(t))
	t.Log(got.Level)
	held := strings.Join(got.Level.Parts, ", ")
	possible := 0
	for i, o := range got.Outcomes {
		word := "let through"
		if o.Refused {
			word = "refused"
		}
		if !control.Outcomes[i].Refused {
			possible++
		} else {
			word += ", without a box too"
		}
		t.Logf("%s: %s (%s)", o.Name, word, o.Detail)
		for part, probes := range claims {
			if !o.Refused && slices.Contains(probes, o.Name) && slices.Contains(strings.FieldsFunc(held, func(r rune) bool { return r == ',' || r == ':' }), part) {
				t.Errorf("it claims %q, and let through: %s (%s)", part, o.Name, o.Detail)
			}
		}
		if !o.Refused && got.Level.Full() {
			t.Errorf("it claims to be full, and let through: %s (%s)", o.Name, o.Detail)
		}
	}
	t.Logf("%d probes, %d of them possible without the box", len(got.Outcomes), possible)
	if possible < 30 {
		t.Errorf("%d probes are possible without a box: too few to show anything", possible)
	}
	all := strings.Join(append(got.Level.Parts, got.Level.Missing...), ", ")
	for part := range claims {
		if !strings.Contains(all, part) {
			t.Errorf("%q is neither had nor missing: %s", part, got.Level)
		}
	}
}

// TestStarterFindsTheBirthThatProcessesLiveIn: one that dies of strict births is
// born in a milder one, and the level says so.
func TestStarterFindsTheBirthThatProcessesLiveIn(t *testing.T) {
	for rung := range len(ladder) + 1 {
		var s Starter
		first := tells(t, s.Start, frail, fmt.Sprint(rung))
		if first.Trial != (rung < len(ladder)) {
			t.Errorf("rung %d: on trial: %t", rung, first.Trial)
		}
		if text := first.Level.String(); rung > 0 && !strings.Contains(text, "a process ended with 0x4d before it was ready") || rung > 1 && !strings.Contains(text, ladder[rung-1].name+": ") {
			t.Errorf("rung %d: not what was wrong with those above: %s", rung, text)
		}
		if rung == len(ladder) {
			continue // nothing was found out
		}
		if again := tells(t, s.Start, frail, fmt.Sprint(rung)); again.Trial || again.Level.String() != first.Level.String() {
			t.Errorf("the second process: on trial: %t, %s", again.Trial, again.Level)
		}
	}
}

func TestMilder(t *testing.T) {
	var s Starter
	steps := 0
	for tells(t, s.Start, frail, "0"); s.Milder(); steps++ {
		if got := tells(t, s.Start, frail, "0"); !strings.Contains(got.Level.String(), "the inspection does not work with it") {
			t.Errorf("nothing about the births that were left: %s", got.Level)
		}
	}
	if steps < 2 || steps > len(ladder) { // a system may refuse one right away
		t.Errorf("%d steps down", steps)
	}
}

// A process that is started at the same time as an open handle may be inherited
// gets what it was given and nothing else.
func TestOnlyNamedHandlesAreInherited(t *testing.T) {
	h, err := windows.CreateEvent(&windows.SecurityAttributes{Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), InheritHandle: 1}, 1, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(h)
	for range 200 { // a number that no process has by chance
		if h > 0x400 {
			break
		}
		more, err := windows.CreateEvent(&windows.SecurityAttributes{Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), InheritHandle: 1}, 1, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer windows.CloseHandle(more)
		h = more
	}
	if tells(t, new(Starter).Start, asked, fmt.Sprint(uintptr(h))).Has {
		t.Error("the process has a handle that nobody gave it")
	}
}

// Whoever forgets a process ends it: so it does not outlive its starter.
func TestForgottenProcessEnds(t *testing.T) {
	h := func() windows.Handle {
		cmd := command(asleep, "")
		if err := new(Starter).Start(cmd); err != nil {
			t.Fatal(err)
		}
		h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}()
	defer windows.CloseHandle(h)
	for range 50 {
		runtime.GC()
		if which, err := windows.WaitForSingleObject(h, 100); err == nil && which == windows.WAIT_OBJECT_0 {
			return
		}
	}
	t.Error("it lives on")
}
