package box

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
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

// What every thread has after the box: nothing, and no way to more. The kernel
// is asked, from outside.
func TestRightsInTheBox(t *testing.T) {
	cmd := exec.Command(os.Args[0], waitArg, "")
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	threads, err := filepath.Glob("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/task/*/status")
	if err != nil || len(threads) < 8 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	want := []string{"CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"}
	if may(unix.CAP_SETPCAP) {
		want = append(want, "CapBnd:\t0000000000000000", "Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534", "Groups:\t \n")
		if _, err := user.Lookup(scanUser); err == nil {
			want = want[:7] // it is that user
		}
	}
	for _, name := range threads {
		status, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range want {
			if !strings.Contains(string(status), line) {
				t.Errorf("%s has no %q:\n%s", name, line, status)
			}
		}
	}
}

// waitInTheBox is what the child does for TestRightsInTheBox.
func waitInTheBox() {
	readers(8)()
	Enter()
	_, _ = os.Stdout.WriteString("x")
	_, _ = os.Stdin.Read(make([]byte, 1))
}
