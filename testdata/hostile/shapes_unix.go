//go:build unix

package hostile

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"meetguard/testdata/specimens"
)

// hole is the size of a file with nothing in it, in bytes.
const hole = 1 << 40

func (k *kit) shapes() {
	for _, n := range oddNames {
		// A name may hide a lure from nobody: it is found malicious.
		k.add(Shape, "name: "+n.what, n.name, func() []byte { return Lure(-2) })
	}
	for _, ext := range []string{"bin", "zip", "iso", "dmg", "tar", "scpt", "exe"} {
		k.sparse("hole of a terabyte, "+ext, "hole."+ext, "", "", hole).Over = true
	}
	k.sparse("hole with the head of a program", "head.exe", string(specimens.Bare()["exe"]), "", 1<<31-1).Slow = true
	k.sparse("hole with the end of a zip", "end.zip", "PK\x03\x04", string(zipEnd(1000, 1<<30, 1<<20)), 1<<31-1).Slow = true
	k.sparse("hole with the head of an image", "head.iso", string(specimens.Box("iso", "A.EXE", []byte("MZ"))), "", 1<<31-1).Slow = true
	k.sparse("hole of a tar", "hole.tar", string(tarOf(1, 512)), "", 1<<31-1).Slow = true
	k.sparse("hole that begins a script", "hole.sh", "#!/bin/sh\n", "curl|sh", 1<<31-1).Slow = true
	k.sparse("hole larger than two gigabytes by one", "hole2", "MZ", "", 1<<31+1).Over = true
	k.placed(Shape, "file without rights", "closed.scpt", func(path string) error { return os.WriteFile(path, Lure(-2), 0) })
	k.placed(Shape, "file that shrinks while it is read", "shrinks.exe", func(path string) error {
		return after(path, program(48*mib), func() { _ = os.Truncate(path, 5) })
	}).Slow = true
	k.placed(Shape, "file that grows", "grows.zip", func(path string) error { return after(path, quine(), func() { grow(path) }) }).Slow = true
	k.placed(Shape, "file that becomes a pipe", "becomes.scpt", func(path string) error {
		return after(path, Lure(-2), func() { _ = os.Remove(path); _ = syscall.Mkfifo(path, 0o644) })
	})
	k.placed(Shape, "file that becomes a folder", "folder.scpt", func(path string) error {
		return after(path, Lure(-2), func() { _ = os.Remove(path); _ = os.Mkdir(path, 0o755) })
	})
	k.placed(Shape, "file that goes at once", "gone.scpt", func(path string) error { return after(path, Lure(-2), func() { _ = os.Remove(path) }) })
	k.placed(Shape, "bundle of many files", "Crowd.app", func(path string) error { return bundle(path, 3000) }).Slow = true
	k.placed(Shape, "bundle without a program", "Empty.app", func(path string) error { return os.MkdirAll(filepath.Join(path, "Contents"), 0o755) })
	k.placed(Shape, "bundle of links", "Links.app", linkedBundle)
	k.placed(Shape, "bundle whose list is a terabyte", "List.app", func(path string) error {
		if err := os.MkdirAll(filepath.Join(path, "Contents"), 0o755); err != nil {
			return err
		}
		return sparse(filepath.Join(path, "Contents", "Info.plist"), "<plist>", "", hole)
	})
	k.placed(Shape, "applet", "Zoom Update.app", func(path string) error {
		return specimens.Applet("Zoom Update", string(Lure(-2))).Write(filepath.Dir(path))
	})
	k.placed(Shape, "folders in folders", "deep", func(path string) error { return deepFolder(path, 300) })
	k.placed(Shape, "folder of many files", "crowd", func(path string) error { return crowded(path, 2000) }).Slow = true
}

// special are things that no reader may open, or follow.
func (k *kit) special() {
	k.placed(Special, "pipe", "pipe.scpt", func(path string) error { return syscall.Mkfifo(path, 0o666) })
	k.placed(Special, "socket", "s.exe", func(path string) error {
		old, err := os.Getwd() // the name of a socket is short
		if err != nil {
			return err
		}
		if err := os.Chdir(filepath.Dir(path)); err != nil {
			return err
		}
		defer os.Chdir(old)
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Base(path), Net: "unix"})
		if err != nil {
			return err
		}
		l.SetUnlinkOnClose(false)
		return l.Close()
	})
	for _, d := range []struct {
		what         string
		major, minor int
	}{{"zeros", 1, 5}, {"nothing", 1, 3}, {"random bytes", 1, 9}, {"a terminal", 5, 0}, {"no driver", 240, 9}} {
		k.placed(Special, "device of "+d.what, "device.scpt", func(path string) error { return device(path, d.major, d.minor) })
	}
	for _, to := range []string{"/dev/zero", "/dev/stdin", "/proc/self/mem", "/proc/kmsg", "/proc/self/root", "/etc/shadow", "..", ".", "/", "missing.scpt", "link.scpt"} {
		k.placed(Special, "link to "+to, "link.scpt", func(path string) error { return os.Symlink(to, path) })
	}
	k.placed(Special, "two links to each other", "one.scpt", func(path string) error {
		other := filepath.Join(filepath.Dir(path), "two.scpt")
		if err := os.Symlink("one.scpt", other); err != nil {
			return err
		}
		return os.Symlink("two.scpt", path)
	})
	k.placed(Special, "chain of a hundred links", "chain.scpt", func(path string) error {
		for i := range 100 {
			if err := os.Symlink(fmt.Sprintf("link-%d", i+1), filepath.Join(filepath.Dir(path), fmt.Sprintf("link-%d", i))); err != nil {
				return err
			}
		}
		return os.Symlink("link-0", path)
	})
	k.placed(Special, "folder with the name of a script", "folder.scpt", func(path string) error { return os.Mkdir(path, 0o755) })
	k.placed(Special, "link to a folder above, with the name of a bundle", "Loop.app", func(path string) error { return os.Symlink("..", path) })
	k.placed(Special, "link of a bundle to a device", "Zero.app", func(path string) error {
		if err := os.MkdirAll(filepath.Join(path, "Contents", "MacOS"), 0o755); err != nil {
			return err
		}
		return os.Symlink("/dev/zero", filepath.Join(path, "Contents", "Info.plist"))
	})
	k.add(Special, "empty file", "empty.scpt", func() []byte { return nil })
}

func (k *kit) sparse(what, name, head, tail string, size int64) *Item {
	return k.placed(Shape, what, name, func(path string) error { return sparse(path, head, tail, size) })
}

// sparse makes a file of which only the ends are on the disk.
func sparse(path, head, tail string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		return err
	}
	if _, err := f.WriteAt([]byte(head), 0); err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(tail), size-int64(len(tail)))
	return err
}

// after writes a file, and changes it a moment later, while it is looked at.
func after(path string, data []byte, change func()) error {
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return err
	}
	time.AfterFunc(30*time.Millisecond, change)
	return nil
}

// grow writes to a file for a second.
func grow(path string) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return
	}
	defer f.Close()
	for range 100 {
		if _, err := f.Write(fill('a', 4*kib)); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func bundle(path string, n int) error {
	dir := filepath.Join(path, "Contents", "MacOS")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.sh", i)), []byte("#!/bin/sh\n"), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func linkedBundle(path string) error {
	dir := filepath.Join(path, "Contents", "MacOS")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, to := range map[string]string{"zero": "/dev/zero", "up": "../../..", "self": "self", "shadow": "/etc/shadow"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// deepFolder makes folders whose path is longer than a call takes.
func deepFolder(path string, n int) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	for i := range n {
		name := fmt.Sprintf("folder-%d-%s", i, strings.Repeat("d", 20))
		if err := root.Mkdir(name, 0o755); err != nil {
			root.Close()
			return err
		}
		next, err := root.OpenRoot(name)
		root.Close()
		if err != nil {
			return err
		}
		root = next
	}
	defer root.Close()
	return root.WriteFile(LureName, Lure(-2), 0o644)
}

func crowded(path string, n int) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(path, fmt.Sprintf("%d.txt", i)), fmt.Appendf(nil, "minutes of the meeting %d\n", i), 0o644); err != nil {
			return err
		}
	}
	return nil
}
