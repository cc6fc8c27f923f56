//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
	"unsafe"
)

// floor is the other side of this program: the least that has to be done for
// the job of a part. It ends by itself, or when it is killed.
func floor(mode string, args []string) {
	var err error
	switch mode {
	case "sha":
		err = hashAll(args[0])
	case "verify":
		err = verify(args[0])
	case "inotify":
		err = inotifyLoop(args[0], args[1], args[2])
	case "launches":
		err = hearLaunches(args[0], args[1])
	case "launcher":
		err = launchLines()
	case "nap":
		time.Sleep(6 * time.Millisecond)
	default:
		err = fmt.Errorf("unknown floor %s", mode)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench floor:", err)
		os.Exit(2)
	}
}

// hashAll reads every regular file below root and hashes it.
func hashAll(root string) error {
	buf, h := make([]byte, 1<<20), sha256.New()
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		h.Reset()
		for {
			n, err := f.Read(buf)
			h.Write(buf[:n])
			if err == io.EOF {
				h.Sum(nil)
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
}

// inotifyLoop reads each file that lands in dir and appends its name to out if
// it holds needle. Names wait in a channel, so that the kernel's queue is
// always drained.
func inotifyLoop(dir, needle, out string) error {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC)
	if err != nil {
		return err
	}
	if _, err = syscall.InotifyAddWatch(fd, dir, syscall.IN_CLOSE_WRITE|syscall.IN_MOVED_TO); err != nil {
		return err
	}
	log, err := os.OpenFile(out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	names := make(chan string, 200000)
	go func() {
		for name := range names {
			if data, _ := os.ReadFile(filepath.Join(dir, name)); bytes.Contains(data, []byte(needle)) {
				fmt.Fprintf(log, "{\"path\":%q}\n", name)
			}
		}
	}()
	fmt.Println("Watching")
	return eachName(fd, func(name string) { names <- name })
}

// eachName calls tell for every event of an inotify descriptor.
func eachName(fd int, tell func(name string)) error {
	buf := make([]byte, 1<<18)
	for {
		n, err := syscall.Read(fd, buf)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		for at := 0; at+syscall.SizeofInotifyEvent <= n; {
			ev := (*syscall.InotifyEvent)(unsafe.Pointer(&buf[at]))
			at += syscall.SizeofInotifyEvent
			name := string(bytes.TrimRight(buf[at:at+int(ev.Len)], "\x00"))
			at += int(ev.Len)
			tell(name)
		}
	}
}
