package agent

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"meetguard"
	"meetguard/internal/chain"
)

// roleArgument is the Role of a file that a launch runs: it stands among the
// members of the launch.
const roleArgument = "argument"

// maxArguments bounds the files of one launch that are inspected.
const maxArguments = 2

// argument adds the scripts, packages and images that an interpreter or an
// installer is given to run, as they are known.
func (in *Inspector) argument(f *meetguard.Facts, known func(real string) (meetguard.Facts, bool)) {
	if f.Process.OS != "" && f.Process.OS != systemName {
		return
	}
	for _, d := range chain.Deeds(&meetguard.Facts{Process: f.Process}) {
		if d.Kind != meetguard.DeedRun || d.What == "program" || !filepath.IsAbs(d.File) || countArguments(f) == maxArguments {
			continue
		}
		real := followed(d.File)
		if real == "" {
			continue // no file of that name, or gone: an option that looks like one
		}
		m, ok := known(real)
		if !ok {
			continue
		}
		m.Path, m.Role = d.File, roleArgument
		f.Members = append(slices.Clip(f.Members), m)
	}
}

// followed is the file that an interpreter opens by a name: it follows links,
// the last one too, as /usr/bin/npm is one. "" is none: the names of a process
// for its own open files would be those of this process.
func followed(name string) string {
	for _, own := range []string{"/dev/fd/", "/dev/std", "/proc/self/", "/proc/thread-self/"} {
		if strings.HasPrefix(filepath.ToSlash(name), own) {
			return ""
		}
	}
	real, err := filepath.EvalSymlinks(name)
	switch {
	case err == nil:
		return real
	case errors.Is(err, fs.ErrNotExist):
		return ""
	}
	return name // what hinders is told by who opens it
}

func countArguments(f *meetguard.Facts) (n int) {
	for _, m := range f.Members {
		if m.Role == roleArgument {
			n++
		}
	}
	return n
}

// guilty gives what an alert about a launch is told of. An interpreter does what
// it is given: if the file that it was given to run is a lure by itself, the
// alert is about that file, and the interpreter stands in the process. Of two
// such files it is the worse one.
func (in *Inspector) guilty(f meetguard.Facts, v meetguard.Verdict) (meetguard.Facts, meetguard.Verdict) {
	about, score := -1, 0
	var brand string
	for i, m := range f.Members {
		if m.Role != roleArgument {
			continue
		}
		own := in.Judge(m)
		if (own.Level == meetguard.Suspicious || own.Level == meetguard.Malicious) && own.Score > score {
			about, score, brand = i, own.Score, own.Brand
		}
	}
	if about < 0 {
		return f, v
	}
	m := f.Members[about]
	m.Role, m.Process, m.Story, m.Chain, m.Landed = "", f.Process, f.Story, f.Chain, f.Landed
	m.Gaps = slices.Concat(m.Gaps, f.Gaps)
	if v.Brand == "" {
		v.Brand = brand
	}
	if name := path.Clean(m.Path); v.Inner == name { // see how detect names what is inside
		v.Inner = ""
	} else {
		v.Inner = strings.TrimPrefix(v.Inner, name+"/")
	}
	return m, v
}
