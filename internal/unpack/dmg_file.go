package unpack

import (
	"errors"
	"io"
	"sort"
)

// extentReader gives the bytes of a file that lies in pieces on a volume.
type extentReader struct {
	volume io.ReaderAt
	size   int64 // bytes of the file
	pieces []piece
}

// piece is a run of bytes; those before it end where it begins.
type piece struct {
	at, size int64 // in the file
	off      int64 // on the volume; -1 for zeros
}

// add appends a piece.
func (e *extentReader) add(off, size int64) {
	at := int64(0)
	if n := len(e.pieces); n > 0 {
		at = e.pieces[n-1].at + e.pieces[n-1].size
	}
	if size > 0 && at+size > at {
		e.pieces = append(e.pieces, piece{at: at, size: size, off: off})
	}
}

// stream reads the file from its begin to its end.
func (e *extentReader) stream() io.Reader { return io.NewSectionReader(e, 0, e.size) }

// ReadAt reads bytes of the file. If the pieces do not cover its size it ends
// with an error.
func (e *extentReader) ReadAt(p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) {
		if off >= e.size || off < 0 {
			return done, io.EOF
		}
		want := p[done:min(int64(len(p)), int64(done)+e.size-off)]
		i := sort.Search(len(e.pieces), func(i int) bool { return e.pieces[i].at+e.pieces[i].size > off })
		if i == len(e.pieces) {
			return done, errHFSFork
		}
		n, err := e.pieces[i].read(e.volume, want, off)
		done, off = done+n, off+int64(n)
		if n == 0 && err == io.EOF {
			err = errHFSFork
		}
		if err != nil && err != io.EOF {
			return done, err
		}
	}
	return done, nil
}

// read reads what the piece has of p, from an offset in the file on.
func (s piece) read(volume io.ReaderAt, p []byte, off int64) (int, error) {
	skip := off - s.at
	p = p[:min(int64(len(p)), s.size-skip)]
	if s.off < 0 {
		clear(p)
		return len(p), nil
	}
	return volume.ReadAt(p, s.off+skip)
}

// orDamaged is err if it says that a limit was exceeded or that the image is
// damaged, and otherwise the given error.
func orDamaged(err, damaged error) error {
	var limit *LimitError
	if errors.As(err, &limit) || errors.Is(err, errUDIFRun) || errors.Is(err, errUDIFKind) {
		return err
	}
	return damaged
}
