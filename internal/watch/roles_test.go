package watch

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
)

// roleVariable makes the test binary play a process of a test, because the
// launches of the test process itself are left out.
const roleVariable = "WATCH_TEST_ROLE"

// play is the main function of such a process. Its first argument says what it
// is about.
func play(role string) int {
	switch role {
	case "parent": // launches as many children as it is told
		n, err := strconv.Atoi(os.Args[1])
		if err != nil {
			return 2
		}
		return spawn(n)
	case "storm": // launches as many that end at once, one after the other
		n, err := strconv.Atoi(os.Args[1])
		if err != nil {
			return 2
		}
		for i := range n {
			if exec.Command("true", fmt.Sprintf("storm-%d", i)).Run() != nil {
				return 1
			}
		}
		return 0
	case "waiting": // lives until its input ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		return 0
	case "orphaner": // launches one that waits, and ends
		cmd := roleCommand("waiting", "orphan")
		cmd.Stdin = os.Stdin
		if cmd.Start() != nil {
			return 1
		}
		return 0
	}
	return 2
}

// spawn launches children, a few at a time.
func spawn(n int) int {
	slots := make(chan bool, 16)
	var wg sync.WaitGroup
	for i := range n {
		slots <- true
		wg.Go(func() {
			cmd := roleCommand("waiting", fmt.Sprintf("child-%d", i), "two words", "")
			cmd.Stdin = os.Stdin
			_ = cmd.Run() // it is ended by whoever has seen it
			<-slots
		})
	}
	wg.Wait()
	return 0
}

func roleCommand(role string, args ...string) *exec.Cmd {
	cmd := exec.Command(ownPath(), args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	return cmd
}

// ownPath is the test binary as /proc names it.
func ownPath() string {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return path
}
