package box

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	onlyLandlock = "landlock"
	onlyFilter   = "seccomp"
)

// alone takes one step of the box only, as on a kernel that lacks the others.
func alone(step string) Level {
	var l Level
	if err := onAll(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); err != nil {
		l.add("no new privileges", err)
	}
	switch step {
	case onlyLandlock:
		_, err := landlock()
		l.add(step, err)
	case onlyFilter:
		l.add(step, filter())
	}
	return l
}

// readers are threads that were there before the box. Each call gives how many
// of them may read a file.
func readers(n int) func() (read int) {
	ask, told := make(chan struct{}), make(chan bool)
	for range n {
		go func() {
			runtime.LockOSThread()
			for range ask {
				told <- open(unix.O_RDONLY)("/etc/passwd") == nil
			}
		}()
	}
	return func() (read int) {
		for range n {
			ask <- struct{}{}
		}
		for range n {
			if <-told {
				read++
			}
		}
		return read
	}
}

func lone(t *testing.T, step string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, o := range probed(t, aloneArg, step).Outcomes {
		out[o.Name] = o.Refused
	}
	return out
}

// Each layer holds without the other.
func TestLayersHoldAlone(t *testing.T) {
	for name, refused := range lone(t, onlyFilter) {
		if !refused {
			t.Errorf("seccomp alone does not refuse: %s", name)
		}
	}
	if _, err := landlockAsk(unix.LANDLOCK_CREATE_RULESET_VERSION); err != nil {
		t.Logf("this kernel has no Landlock (%v): nothing to see of it", err)
		return
	}
	got := lone(t, onlyLandlock)
	for _, name := range []string{"open a file", "open a file for writing", "create a file", "open a folder", "open a device", "make a folder", "make a link",
		"make a pipe with a name", "rename a file", "remove a file", "connect by TCP"} {
		if !got[name] {
			t.Errorf("Landlock alone does not refuse: %s", name)
		}
	}
}

func TestEveryThreadIsBoxed(t *testing.T) {
	for _, how := range []string{"", onlyLandlock, onlyFilter} {
		out, err := exec.Command(os.Args[0], threadsArg, how).Output()
		if err != nil {
			t.Fatal(err)
		}
		var before, after int
		if err := json.Unmarshal(out, &[]*int{&before, &after}); err != nil {
			t.Fatal(err)
		}
		if before != 8 || after != 0 {
			t.Errorf("%q: %d of 8 threads could read a file before, %d after; want 8 and 0", how, before, after)
		}
	}
}

// tellThreads is what the child does for TestEveryThreadIsBoxed.
func tellThreads(how string) error {
	may := readers(8)
	before := may()
	if how == "" {
		Enter()
	} else {
		alone(how)
	}
	_, err := os.Stdout.WriteString("[" + strconv.Itoa(before) + "," + strconv.Itoa(may()) + "]")
	return err
}
