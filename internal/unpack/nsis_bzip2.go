package unpack

import (
	"errors"
	"io"
)

type nsisBzip2 struct{}

func newNSISBzip2(b []byte) io.Reader { return nsisBzip2{} }

func (nsisBzip2) Read([]byte) (int, error) { return 0, errors.New("NSIS's bzip2 is not read") }
