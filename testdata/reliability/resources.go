//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// resourceResult is what the agent did while it lacked something.
type resourceResult struct {
	Name   string            `json:"name"`
	Faults int               `json:"faults"`
	Again  times             `json:"detecting_again"` // what landed after the release
	Kept   times             `json:"kept"`            // what landed meanwhile, from the release on
	Why    map[string]string `json:"why"`             // what status said meanwhile
	Silent []string          `json:"silent"`          // faults that neither status nor doctor explained
	Twice  int               `json:"twice"`
	Load   string            `json:"load"`
}

func (r resourceResult) failed() bool {
	return r.Again.Late+r.Again.Never+r.Kept.Never+r.Twice+len(r.Silent) > 0 || r.Faults == 0
}

// hold is how long a resource is withheld.
const hold = 6 * time.Second

// withheld are the faults. take takes the resource away and gives what brings it
// back; says is a word that status or doctor has to use meanwhile.
var withheld = []struct {
	name, says string
	take       func(s *subject) (release func() error, err error)
}{
	{"disk full", "full", fillVolume},
	{"no inode", "inodes", fillInodes},
	{"read-only", "read-only", remountReadOnly},
	{"no descriptor", "open files", takeDescriptors},
	{"stopped", "stopped", stopAll},
	{"frozen", "frozen", freeze},
	{"no processor", "% of a core", starve},
	{"no memory", "memory", takeMemory},
	{"read-only at the start", "read-only", func(s *subject) (func() error, error) {
		release, err := remountReadOnly(s)
		return release, errors.Join(err, s.restart())
	}},
	{"disk full at the start", "full", func(s *subject) (func() error, error) {
		release, err := fillVolume(s)
		return release, errors.Join(err, s.restart())
	}},
}

// runResources takes one resource after another from an agent whose state lies on
// a volume of its own.
func runResources(program string) (r resourceResult, err error) {
	r = resourceResult{Name: "resources", Why: map[string]string{}}
	dir, remove, err := scratch("resources")
	if err != nil {
		return r, err
	}
	s, err := newSubject(program, dir)
	if err != nil {
		return r, err
	}
	if err := sh("mount", "-t", "tmpfs", "-o", "size=24m,nr_inodes=256,mode=0700", "tmpfs", s.state); err != nil {
		return r, fmt.Errorf("mount, which root may do: %w", err)
	}
	defer func() {
		s.stop()
		err = errors.Join(err, sh("umount", "-l", s.state))
		remove(r)
	}()
	s.config += "log_mib: 8\n"
	if err := s.start(); err != nil {
		return r, err
	}
	if took, found, err := s.detects(); err != nil || !found {
		return r, fmt.Errorf("the agent does not work: after %v: %s: %w", took, s.said(), err)
	}
	for _, w := range withheld {
		if err := r.withhold(s, w.name, w.says, w.take); err != nil {
			return r, fmt.Errorf("%s: %w", w.name, err)
		}
	}
	r.Load = load()
	return r, nil
}

func (r *resourceResult) withhold(s *subject, name, says string, take func(*subject) (func() error, error)) error {
	fmt.Fprintln(os.Stderr, name)
	release, err := take(s)
	if err != nil {
		return errors.Join(err, release())
	}
	r.Faults++
	meanwhile, err := s.drop()
	if err != nil {
		return errors.Join(err, release())
	}
	time.Sleep(hold)
	if said := s.ask("status") + s.ask("doctor"); !explains(said, says) {
		r.Silent = append(r.Silent, name)
		fmt.Fprintln(os.Stderr, said)
	} else {
		r.Why[name] = sentence(said, says)
	}
	if err := release(); err != nil {
		return err
	}
	after, err := s.drop()
	if err != nil {
		return err
	}
	took, found := s.await(after)
	if !r.Again.add(took, found) {
		fmt.Fprintf(os.Stderr, "%s: found %v after %v: %s\n", name, found, took, lastLine(s.said()))
	}
	more, found := s.await(meanwhile)
	r.Kept.add(took+more, found)
	if s.logged(after)+s.logged(meanwhile) > 2 {
		r.Twice++
	}
	return nil
}

func explains(said, word string) bool { return sentence(said, word) != "" }

// sentence is the line that holds a word.
func sentence(said, word string) string {
	for line := range strings.Lines(said) {
		if strings.Contains(line, word) {
			return strings.Join(strings.Fields(line), " ")
		}
	}
	return ""
}

// fillVolume takes every free byte of the state's volume.
func fillVolume(s *subject) (func() error, error) {
	path := filepath.Join(s.state, "filler")
	release := func() error { return os.Remove(path) }
	f, err := os.Create(path)
	if err != nil {
		return release, err
	}
	defer f.Close()
	block := make([]byte, 4096)
	for {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			return release, nil
		} else if err != nil {
			return release, err
		}
	}
}

// fillInodes takes every free inode of it.
func fillInodes(s *subject) (func() error, error) {
	dir := filepath.Join(s.state, "many")
	release := func() error { return os.RemoveAll(dir) }
	if err := os.Mkdir(dir, 0o700); err != nil {
		return release, err
	}
	for n := 0; ; n++ {
		err := os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), nil, 0o600)
		if errors.Is(err, syscall.ENOSPC) {
			return release, nil
		}
		if err != nil {
			return release, err
		}
	}
}

// remountReadOnly makes a read-only volume of it, whatever is open there.
func remountReadOnly(s *subject) (func() error, error) {
	release := func() error { return sh("mount", "-o", "remount,rw,size=24m", s.state) }
	err := sh("mount", "-o", "remount,ro", s.state)
	if err == nil {
		return release, nil
	}
	// Something is open for writing there, as always: a bind mount over it takes
	// the right from everybody who opens anything by its name. The agent has to come
	// to it anew.
	if err := sh("mount", "--bind", s.state, s.state); err != nil {
		return release, err
	}
	release = func() error { return errors.Join(sh("umount", "-l", s.state), s.restart()) }
	return release, errors.Join(sh("mount", "-o", "remount,ro,bind", s.state), s.restart())
}

// takeDescriptors leaves the agent as many descriptors as it has.
func takeDescriptors(s *subject) (func() error, error) {
	pid := s.pid()
	var before unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &before); err != nil {
		return func() error { return nil }, err
	}
	release := func() error { return unix.Prlimit(pid, unix.RLIMIT_NOFILE, &before, nil) }
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return release, err
	}
	return release, unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(len(open)), Max: before.Max}, nil)
}

func stopAll(s *subject) (func() error, error) {
	pid := s.pid()
	return func() error { return syscall.Kill(pid, syscall.SIGCONT) }, syscall.Kill(pid, syscall.SIGSTOP)
}

// group puts the agent and its workers into a control group of their own, version
// 1, and gives its folder and what takes it away again.
func (s *subject) group(controller string) (dir string, remove func() error, err error) {
	top := filepath.Join("/sys/fs/cgroup", controller)
	dir = filepath.Join(top, filepath.Base(s.dir))
	move := func(to string) error {
		var errs []error
		for _, pid := range append(s.workers(), s.pid()) {
			if err := put(filepath.Join(to, "cgroup.procs"), fmt.Sprint(pid)); err != nil && !errors.Is(err, syscall.ESRCH) {
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	}
	remove = func() error {
		err := move(top)
		for range 50 { // until the last process has left
			if rm := os.Remove(dir); rm == nil {
				return err
			}
			time.Sleep(100 * time.Millisecond)
		}
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return dir, func() error { return nil }, err
	}
	return dir, remove, move(dir)
}

func put(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }

func freeze(s *subject) (func() error, error) {
	dir, remove, err := s.group("freezer")
	if err != nil {
		return remove, err
	}
	return func() error { return errors.Join(put(filepath.Join(dir, "freezer.state"), "THAWED"), remove()) }, put(filepath.Join(dir, "freezer.state"), "FROZEN")
}

// starve leaves the agent a hundredth of a core.
func starve(s *subject) (func() error, error) {
	dir, remove, err := s.group("cpu")
	if err != nil {
		return remove, err
	}
	return func() error { return errors.Join(put(filepath.Join(dir, "cpu.cfs_quota_us"), "-1"), remove()) },
		errors.Join(put(filepath.Join(dir, "cpu.cfs_period_us"), "100000"), put(filepath.Join(dir, "cpu.cfs_quota_us"), "1000"))
}

// takeMemory leaves the agent less than it has: the kernel kills in its group.
func takeMemory(s *subject) (func() error, error) {
	dir, remove, err := s.group("memory")
	if err != nil {
		return remove, err
	}
	release := func() error { return errors.Join(put(filepath.Join(dir, "memory.limit_in_bytes"), "-1"), remove()) }
	// What it holds is charged elsewhere: a new worker, and what it reads, is charged
	// here.
	return release, errors.Join(put(filepath.Join(dir, "memory.limit_in_bytes"), "8388608"), syscall.Kill(first(s.workers()), syscall.SIGKILL))
}

func first(pids []int) int {
	if len(pids) == 0 {
		return 1 << 30 // nobody
	}
	return pids[0]
}
