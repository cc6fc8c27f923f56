//go:build !linux

package box

import (
	"os"
	"path/filepath"
)

// probes are what an intruder would try, as far as systems have it in common,
// and what only this one has.
func probes() []Probe {
	in := func(name string, call func(path string) error) func(string) error {
		return func(scratch string) error { return call(filepath.Join(scratch, name)) }
	}
	return append([]Probe{
		{"open a file", in("file", open(os.O_RDONLY))},
		{"open a file for writing", in("file", open(os.O_WRONLY))},
		{"create a file", in("new", open(os.O_WRONLY|os.O_CREATE|os.O_EXCL))},
		{"list a folder", in("", func(p string) error { _, err := os.ReadDir(p); return err })},
		{"look at a file", in("file", func(p string) error { _, err := os.Stat(p); return err })},
		{"make a folder", in("made", func(p string) error { return os.Mkdir(p, 0o700) })},
		{"link a file", in("file", func(p string) error { return os.Link(p, p+"-linked") })},
		{"rename a file", in("from", func(p string) error { return os.Rename(p, p+"-to") })},
		{"remove a file", in("victim", os.Remove)},
		{"cut a file short", in("file", func(p string) error { return os.Truncate(p, 0) })},
		{"make a process", func(string) error {
			self, err := os.Executable()
			if err != nil {
				return err
			}
			p, err := os.StartProcess(self, []string{self, "version"}, &os.ProcAttr{Files: []*os.File{nil, nil, nil}})
			if err == nil {
				_ = p.Kill()
				_, _ = p.Wait()
			}
			return err
		}},
	}, ownProbes()...)
}

func open(flags int) func(string) error {
	return func(path string) error {
		f, err := os.OpenFile(path, flags, 0o600)
		if err == nil {
			f.Close()
		}
		return err
	}
}
