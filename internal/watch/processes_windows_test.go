package watch

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// TestListedArguments: a process that is found in the list has the arguments that
// it was started with, blanks, quotes and all.
func TestListedArguments(t *testing.T) {
	want := []string{os.Args[0], "-test.run=^TestListedChild$", "a b", `say "no"`, `C:\Program Files\`}
	cmd := exec.Command(want[0], want[1:]...)
	cmd.Env = append(os.Environ(), listedChild+"=1")
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	got, err := systemProcesses{}.describe(context.Background(), cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Args, want) || got.CommandLine == "" {
		t.Errorf("%q of %q, want %q", got.Args, got.CommandLine, want)
	}
}

const listedChild = "MEETGUARD_LISTED_CHILD"

// TestListedChild is the process that TestListedArguments looks at: it waits
// until its input ends.
func TestListedChild(*testing.T) {
	if os.Getenv(listedChild) != "" {
		_, _ = os.Stdin.Read(make([]byte, 1))
	}
}
