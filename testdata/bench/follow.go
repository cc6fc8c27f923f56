//go:build linux

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// follower waits for lines in a log that somebody else writes. It learns of
// them by inotify on the log's folder, the same for the agent and the floor, so
// that the way of looking weighs on both sides alike.
type follower struct {
	path  string
	at    int64
	seen  []byte
	woken chan struct{}
	watch *os.File
}

func follow(path string) (*follower, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, err
	}
	f := &follower{path: path, woken: make(chan struct{}, 1), watch: os.NewFile(uintptr(fd), "inotify")}
	if _, err := syscall.InotifyAddWatch(fd, filepath.Dir(path), syscall.IN_MODIFY|syscall.IN_CREATE); err != nil {
		f.watch.Close()
		return nil, err
	}
	if fi, err := os.Stat(path); err == nil {
		f.at = fi.Size()
	}
	go f.listen()
	return f, nil
}

// listen turns events into a token until the descriptor is closed.
func (f *follower) listen() {
	buf := make([]byte, 64<<10)
	for {
		if _, err := f.watch.Read(buf); err != nil {
			return
		}
		select {
		case f.woken <- struct{}{}:
		default:
		}
	}
}

func (f *follower) close() { f.watch.Close() }

// wait returns the moment when name was seen in the log, or zero if it was not
// within limit.
func (f *follower) wait(name string, limit time.Duration) (time.Time, error) {
	timeout := time.After(limit)
	for {
		if err := f.read(); err != nil {
			return time.Time{}, err
		}
		if bytes.Contains(f.seen, []byte(name)) {
			f.seen = nil
			return time.Now(), nil
		}
		select {
		case <-f.woken:
		case <-timeout:
			return time.Time{}, nil
		}
	}
}

// read takes what was added since the last time.
func (f *follower) read() error {
	log, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer log.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := log.ReadAt(buf, f.at)
		f.at += int64(n)
		f.seen = append(f.seen, buf[:n]...)
		if err != nil {
			return nil // the end, for this time
		}
	}
}
