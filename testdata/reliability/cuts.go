//go:build linux

package main

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// The ioctl that makes an ext4 forget at once whatever is not on its disk, as a
// power cut does: include/uapi/linux/ext4.h.
const (
	ext4Shutdown = 0x8004587d // EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32)
	noLogFlush   = 2          // EXT4_GOING_FLAGS_NOLOGFLUSH
)

// cutResult is what power cuts showed.
type cutResult struct {
	Name       string `json:"name"`
	Seed       uint64 `json:"seed"`
	Cuts       int    `json:"cuts"`
	Promised   int    `json:"promised"`
	Lost       int    `json:"lost"`
	Late       int    `json:"late"`      // promises heard once the cut had begun, when a machine without power would have been silent
	LateLost   int    `json:"late_lost"` // of those
	Unreadable int    `json:"unreadable"`
	Control    int    `json:"control_lost"` // files written without fsync just before a cut that were gone or empty: the cut was one
}

func (r cutResult) failed() bool { return r.Lost > 0 || r.Unreadable > 0 || r.Control == 0 }

// disk is an ext4 of its own in a file.
type disk struct{ image, dir string }

func newDisk(dir string) (disk, error) {
	d := disk{filepath.Join(dir, "image"), filepath.Join(dir, "disk")}
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		return d, err
	}
	f, err := os.Create(d.image)
	if err != nil {
		return d, err
	}
	if err := errors.Join(f.Truncate(64<<20), f.Close()); err != nil {
		return d, err
	}
	return d, sh("mkfs.ext4", "-q", "-F", d.image)
}

func sh(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

func (d disk) mount() error   { return sh("mount", "-o", "loop", d.image, d.dir) }
func (d disk) unmount() error { return sh("umount", d.dir) }

// cut takes the power away.
func (d disk) cut() error {
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.IoctlSetPointerInt(int(f.Fd()), ext4Shutdown, noLogFlush)
}

// runCuts lets the agent's log live on one disk through many power cuts.
func runCuts(cuts int, seed uint64) (r cutResult, err error) {
	r = cutResult{Name: "cuts", Seed: seed}
	rng := rand.New(rand.NewPCG(seed, 3))
	dir, err := os.MkdirTemp("", "meetguard-cuts")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	d, err := newDisk(dir)
	if err != nil {
		return r, fmt.Errorf("make a disk: %w", err)
	}
	c, err := startStub()
	if err != nil {
		return r, err
	}
	defer c.close()
	promised, late := map[string]bool{}, map[string]bool{}
	for r.Cuts < cuts {
		if err := d.mount(); err != nil {
			return r, fmt.Errorf("mount, which root may do: %w", err)
		}
		survived, damaged, err := d.live(fmt.Sprint(r.Cuts), c.url, promised, late, rng)
		if err := errors.Join(err, d.unmount()); err != nil {
			return r, err
		}
		if r.Cuts > 0 && !survived {
			r.Control++
		}
		if damaged {
			r.Unreadable++
		}
		r.Cuts++
	}
	if err := d.mount(); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, d.unmount()) }()
	if err := autopsy(d.state(), c.url); err != nil {
		fmt.Fprintln(os.Stderr, err)
		r.Unreadable++
	}
	r.Promised, r.Lost = len(promised), c.lacks(promised)
	r.Late, r.LateLost = len(late), c.lacks(late)
	return r, nil
}

func (d disk) state() string { return filepath.Join(d.dir, "agent") }

// live starts a life on the disk and cuts the power a few promises later. It
// tells whether a file that was written without fsync before the last cut is
// still there, and whether the log was damaged.
func (d disk) live(round, url string, promised, late map[string]bool, rng *rand.Rand) (survived, damaged bool, err error) {
	control := filepath.Join(d.dir, "control")
	if was, err := os.ReadFile(control); err == nil && len(was) > 0 {
		survived = true
	}
	_ = os.Remove(control) // it may be gone
	cmd := exec.Command("/proc/self/exe", "life", strings.Join([]string{d.state(), url, round, "1000"}, " "))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return survived, false, err
	}
	if err := cmd.Start(); err != nil {
		return survived, false, err
	}
	after, wait, seen := 1+rng.IntN(20), time.Duration(rng.IntN(3000))*time.Microsecond, 0
	cut := make(chan error, 1)
	var begun atomic.Bool
	heard := map[string]bool{}
	said := listen(out, heard, func() {
		to := promised
		if begun.Load() {
			to = late
		}
		maps.Copy(to, heard)
		clear(heard)
		if seen++; seen == after {
			go func() {
				time.Sleep(wait)
				err := os.WriteFile(control, []byte("written and not synced"), 0o600)
				begun.Store(true)
				cut <- errors.Join(err, d.cut(), cmd.Process.Kill())
			}()
		}
	})
	if seen < after {
		return survived, said.damaged, errors.Join(said.fault, cmd.Wait(), errors.New("it ended before the power was cut"))
	}
	err = <-cut
	_ = cmd.Wait() // killed, or ended by the disk that was gone
	return survived, said.damaged, err
}
