package agent

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"

	"meetguard"
	"meetguard/internal/inspect"
)

// maxWindow bounds what a decompressor keeps, in bytes.
const maxWindow = 64 << 20

// tar looks into a tar archive, compressed or not.
func (ex *Examiner) tar(f *meetguard.Facts, data []byte, depth int) {
	stream, err := inspect.Decompress(data, maxWindow)
	if err != nil {
		f.Gaps = append(f.Gaps, blinding("members", "the archive cannot be read: "+err.Error()))
		return
	}
	defer stream.Close()
	// what is skipped costs time as well: the whole stream is within the budget
	r := tar.NewReader(io.LimitReader(stream, 2*maxArchiveBytes))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			f.Gaps = append(f.Gaps, blinding("members", "the archive cannot be read: "+err.Error()))
			return
		}
		if !ex.admit(f) {
			return
		}
		if h.Typeflag != tar.TypeReg || sourceExt[strings.ToLower(path.Ext(h.Name))] {
			continue
		}
		if !ex.goesOn(f, h.Name, ex.member(f, h.Name, r, h.Size, depth)) {
			return
		}
	}
}

// goesOn notes what went wrong with a member of a stream. What follows it then
// cannot be reached.
func (ex *Examiner) goesOn(f *meetguard.Facts, name string, err error) bool {
	if err == nil {
		return true
	}
	why := memberTrouble(name, err)
	if errors.Is(err, errBudget) {
		why = err.Error()
	}
	f.Gaps = append(f.Gaps, blinding("members", why))
	return false
}

// ar looks into a Debian package: an ar archive of tar archives (deb(5)).
func (ex *Examiner) ar(f *meetguard.Facts, data []byte, depth int) {
	err := inspect.Ar(data, func(name string, body []byte) bool {
		if !ex.admit(f) {
			return false
		}
		return !strings.Contains(name, ".tar") ||
			ex.goesOn(f, name, ex.member(f, name, bytes.NewReader(body), int64(len(body)), depth))
	})
	if err != nil {
		f.Gaps = append(f.Gaps, blinding("members", err.Error()))
	}
}
