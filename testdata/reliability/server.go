//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"meetguard/internal/store"
)

// fleetAlarm begins the rules by which the collector accuses an agent.
const fleetAlarm = "MG-FLEET-"

// server is a real collector as a process.
type server struct {
	collector string // the program
	dir       string // of its store and state
	addr      string

	mu  sync.Mutex
	cmd *exec.Cmd // the one that runs
}

func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// begin makes a folder for the run that is named and starts the collector in it,
// with further flags if need be. end takes both away again.
func (s *server) begin(name string, seed uint64, flags ...string) (end func(), err error) {
	fmt.Fprintln(os.Stderr, "seed", seed)
	if s.dir, err = os.MkdirTemp("", "meetguard-"+name); err != nil {
		return nil, err
	}
	if s.addr, err = freePort(); err == nil {
		err = s.start(flags...)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return func() {
		s.kill()
		os.RemoveAll(s.dir)
	}, nil
}

func (s *server) url() string      { return "https://" + s.addr }
func (s *server) storeURL() string { return "sqlite:" + filepath.Join(s.dir, "crash.db") }

// start starts the collector, with further flags if need be, and waits until it
// listens.
func (s *server) start(more ...string) error {
	cmd := exec.Command(s.collector, append([]string{"serve", "--listen", s.addr, "--metrics", "off", "--store", s.storeURL(), "--state", s.dir}, more...)...)
	log, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "msg=Listening") {
			go func() {
				for lines.Scan() {
				}
			}()
			s.mu.Lock()
			s.cmd = cmd
			s.mu.Unlock()
			return nil
		}
		fmt.Fprintln(os.Stderr, lines.Text())
	}
	return fmt.Errorf("the collector did not start: %w", cmd.Wait())
}

func (s *server) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		s.cmd = nil
	}
}

// token makes the word that enrols any number of agents that a run needs.
func (s *server) token() (string, error) {
	var why bytes.Buffer
	cmd := exec.Command(s.collector, "token", "create", "--store", s.storeURL(), "--url", s.url(), "--uses", "10000")
	cmd.Stderr = &why
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("make a token: %w: %s", err, why.String())
	}
	words := strings.Fields(string(out))
	return words[len(words)-1], nil
}

// stored calls each with every alert of the store, in the order of their coming.
func (s *server) stored(each func(store.Alert)) error {
	st, err := store.Open(context.Background(), s.storeURL())
	if err != nil {
		return err
	}
	defer st.Close()
	for seq := int64(0); ; {
		page, err := st.Since(context.Background(), store.Everything, seq, 1000)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, a := range page {
			each(a)
		}
		seq = page[len(page)-1].Seq
	}
}

// storedUIDs counts the records in the store by their uids, without the alarms of
// the collector itself.
func (s *server) storedUIDs() (map[string]int, error) {
	have := map[string]int{}
	err := s.stored(func(a store.Alert) {
		if !strings.HasPrefix(a.Rule, fleetAlarm) {
			have[a.RecordUID]++
		}
	})
	return have, err
}

// storedHashes notes what the alerts of the store are about.
func (s *server) storedHashes(have map[string]bool) error {
	return s.stored(func(a store.Alert) { have[a.SHA256] = true })
}
