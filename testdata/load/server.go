//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a collector that runs.
type server struct {
	cmd   *exec.Cmd
	addr  string
	store string
	line  string // the word that agents enrol with
	log   *bytes.Buffer
}

// startServer starts the collector and makes a token for any number of agents.
func startServer(ctx context.Context, p plan) (*server, error) {
	s := &server{store: p.store, log: &bytes.Buffer{}}
	if s.store == "" {
		s.store = "sqlite:" + filepath.Join(p.dir, "load.db")
	}
	s.cmd = exec.Command(p.collector, "serve", "--listen", "127.0.0.1:0", "--metrics", "off", "--store", s.store, "--state", p.dir)
	s.cmd.Stdout = s.log
	pipe, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(pipe)
	for s.addr == "" && lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), "msg=Listening address="); ok {
			s.addr = rest
		} else {
			fmt.Fprintln(os.Stderr, lines.Text())
		}
	}
	if s.addr == "" {
		return nil, fmt.Errorf("the collector ended: %w", s.cmd.Wait())
	}
	go func() {
		for lines.Scan() {
			if os.Getenv("LOAD_LOG") != "" || strings.Contains(lines.Text(), "level=ERROR") || strings.Contains(lines.Text(), "level=WARN") && !strings.Contains(lines.Text(), "Alarm about") {
				fmt.Fprintln(os.Stderr, lines.Text())
			}
		}
	}()
	out, err := exec.CommandContext(ctx, p.collector, "token", "create", "--store", s.store, "--url", "https://"+s.addr).Output()
	if err != nil {
		return nil, fmt.Errorf("make a token: %w", err)
	}
	words := strings.Fields(string(out))
	s.line = words[len(words)-1]
	return s, nil
}

func (s *server) stop() error {
	s.cmd.Process.Signal(syscall.SIGTERM)
	return s.cmd.Wait()
}

// usage is what a process has used so far.
type usage struct {
	rss  int64         // bytes, now
	peak int64         // bytes
	cpu  time.Duration // of all its threads
}

func usageOf(pid int) usage {
	var u usage
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for _, line := range strings.Split(string(status), "\n") {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kb, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmRSS:":
			u.rss = kb << 10
		case "VmHWM:":
			u.peak = kb << 10
		}
	}
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if i := bytes.LastIndexByte(stat, ')'); i > 0 {
		f := strings.Fields(string(stat[i+1:]))
		user, _ := strconv.Atoi(f[11])
		system, _ := strconv.Atoi(f[12])
		u.cpu = time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
	}
	return u
}
