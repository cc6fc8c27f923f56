package watch

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"meetguard"
)

// The records of the eBPF programs, see ebpfprogram_linux.go. All numbers are
// in the machine's byte order. A launch has behind its head the path of the
// executable, that of its directory, and its arguments; a path is its names
// from the file up to the root, each closed by a zero byte.
const (
	recordKind      = 0  // u32, one of the record… kinds
	recordPID       = 4  // u32
	recordParent    = 8  // u32, 0 in an end
	recordUser      = 12 // u32, launch only
	recordBorn      = 16 // u64, nanoseconds from boot to the start of the process
	recordFlags     = 24 // u32
	recordArgsSize  = 28 // u32, bytes of the arguments before they were cut
	recordPathsExe  = 32 // u32, end of the executable's path behind the head
	recordPathsBoth = 36 // u32, end of the directory's path behind the head
	recordAt        = 40 // u64, nanoseconds from boot to the launch, launch only
	recordHead      = 48

	recordFork = 1
	recordExec = 2
	recordExit = 3

	recordExeCut  = 1 // the path of the executable was too long
	recordCwdCut  = 2 // that of the directory
	recordArgsOff = 4 // the arguments could not be read
	recordRang    = 8 // it woke the reader
)

// cuts is what the kernel could not tell of a launch in one record.
type cuts struct{ exe, cwd, args bool }

// recordReader reads records. boot is the moment that starts are counted from.
type recordReader struct {
	boot  time.Time
	paths map[string]string // names of the record ─► path
}

func newRecordReader(boot time.Time) *recordReader {
	return &recordReader{boot: boot, paths: map[string]string{}}
}

// parse reads one record.
func (r *recordReader) parse(b []byte) (t told, cut cuts, ok bool) {
	if len(b) < recordHead {
		return told{}, cuts{}, false
	}
	ne := binary.NativeEndian
	born := time.Duration(ne.Uint64(b[recordBorn:]))
	t.proc = meetguard.Process{PID: int(ne.Uint32(b[recordPID:])), PPID: int(ne.Uint32(b[recordParent:])), Started: r.boot.Add(born)}
	switch ne.Uint32(b) {
	case recordFork:
		t.kind = forked
	case recordExit:
		t.kind = ended
	case recordExec:
		t.kind = launched
		cut, ok = r.launch(b, &t.proc)
		return t, cut, ok
	default:
		return told{}, cuts{}, false
	}
	return t, cuts{}, true
}

func (r *recordReader) launch(b []byte, p *meetguard.Process) (cut cuts, ok bool) {
	ne := binary.NativeEndian
	behind := b[recordHead:]
	exe, both := ne.Uint32(b[recordPathsExe:]), ne.Uint32(b[recordPathsBoth:])
	if exe > both || uint64(both) > uint64(len(behind)) {
		return cuts{}, false
	}
	args := behind[both:]
	p.OS, p.User = "linux", strconv.FormatUint(uint64(ne.Uint32(b[recordUser:])), 10)
	p.Exe, p.Cwd, p.Args = r.path(behind[:exe]), r.path(behind[exe:both]), splitArgs(args)
	flags := ne.Uint32(b[recordFlags:])
	return cuts{
		exe:  flags&recordExeCut != 0,
		cwd:  flags&recordCwdCut != 0,
		args: flags&recordArgsOff != 0 || uint64(ne.Uint32(b[recordArgsSize:])) > uint64(len(args)),
	}, true
}

// pathsMost bounds the paths that are remembered.
const pathsMost = 256

// path joins names as joinNames does. It remembers what came before: most
// launches are of few programs, in few folders.
func (r *recordReader) path(names []byte) string {
	path, known := r.paths[string(names)]
	if !known {
		path = joinNames(names)
		if len(r.paths) == pathsMost {
			clear(r.paths)
		}
		r.paths[string(names)] = path
	}
	return path
}

// joinNames makes a path of its names, which come from the file up to the
// root. The root itself has none.
func joinNames(b []byte) string {
	if len(b) == 0 {
		return "/"
	}
	names := bytes.Split(bytes.TrimSuffix(b, []byte{0}), []byte{0})
	slices.Reverse(names)
	path := make([]byte, 0, len(b))
	for _, name := range names {
		if !bytes.Equal(name, []byte("/")) { // the root of a file system that hangs nowhere
			path = append(append(path, '/'), name...)
		}
	}
	return cmp.Or(string(path), "/")
}

// argsMost bounds the arguments kept.
const argsMost = 1024

// splitArgs splits arguments as a process has them in its memory, and as
// /proc/PID/cmdline tells them.
func splitArgs(b []byte) []string {
	b = bytes.TrimSuffix(b, []byte{0})
	if len(b) == 0 {
		return nil
	}
	// As many as there are: SplitN alone makes room for as many as there might be.
	args := strings.SplitN(string(b), "\x00", min(bytes.Count(b, []byte{0})+1, argsMost+1))
	n := min(len(args), argsMost) // the rest in one would be no argument
	return args[:n:n]
}
