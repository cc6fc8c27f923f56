package unpack

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"
)

// The layout is that of NSIS's own source, exehead/fileform.h: a first header
// behind the stub, on a border of 512 bytes, then the compressed header with the
// instructions, then the files. In a solid installer all of that is one
// compressed stream.
const (
	nsisFirstHeader = 28
	nsisAlign       = 512
	nsisTries       = 128      // borders looked at
	maxNSISHeader   = 16 << 20 // bytes of the unpacked header
	maxNSISDict     = 32 << 20 // NSIS's SetCompressorDictSize is 8 MiB unless it is told otherwise
	nsisPacked      = 1 << 31  // flag of a length: what follows is compressed
)

// nsisHeader is the first header and everything behind it, or nil.
func (p *program) nsisHeader() []byte {
	at := (nsisAlign - p.start%nsisAlign) % nsisAlign
	for range nsisTries {
		if at+nsisFirstHeader > len(p.overlay) {
			return nil
		}
		if string(p.overlay[at+4:at+4+len(markNSIS)]) == markNSIS {
			return p.overlay[at:]
		}
		at += nsisAlign
	}
	return nil
}

// nsisArchive is the data of an installer.
type nsisArchive struct {
	opt    Options
	open   func(packed []byte) (io.Reader, error) // the decompressor
	solid  io.Reader                              // stands behind the header; nil if each file is packed by itself
	at     int64                                  // of solid, from the end of the header
	files  []byte                                 // if not solid
	header []byte                                 // unpacked
}

// walkNSIS visits what the instructions of an installer run and write, and the
// files it extracts.
func walkNSIS(p *program, opt Options, visit Visit) error {
	a := &nsisArchive{opt: opt}
	if err := a.openHeader(p.nsisHeader()); err != nil {
		return err
	}
	s, err := readNSISScript(a.header)
	if err != nil {
		return err
	}
	if err := visitText("script.cmd", RoleLaunch, s.commands.String(), opt, visit); err != nil {
		return err
	}
	for _, w := range s.written {
		if err := visitText(w.name, "", w.text.String(), opt, visit); err != nil {
			return err
		}
	}
	slices.SortStableFunc(s.files, func(x, y nsisFile) int { return int(int64(x.at) - int64(y.at)) })
	for i, f := range s.files {
		if i > 0 && f.at == s.files[i-1].at { // one content for several names
			continue
		}
		if err := a.visit(f, visit); err != nil {
			return err
		}
	}
	return nil
}

// openHeader tells how the data is compressed, from its first bytes, and
// unpacks the header.
func (a *nsisArchive) openHeader(first []byte) error {
	if len(first) < nsisFirstHeader+16 {
		return errors.New("the data of this NSIS installer is cut short")
	}
	le, data := binary.LittleEndian, first[nsisFirstHeader:]
	size, lead := int64(le.Uint32(first[20:])), le.Uint32(data)
	if size > maxNSISHeader {
		return fmt.Errorf("the instructions of this NSIS installer are too large to be read: %w", ErrUnsupported)
	}
	packed := data[4:]
	solid := false
	switch {
	case int64(lead) == size: // not compressed at all
		a.open = func(b []byte) (io.Reader, error) { return bytes.NewReader(b), nil }
	case lead&nsisPacked != 0 && int64(lead&^nsisPacked) <= int64(len(packed)) && !isNSISLZMA(data):
		a.open = nsisDecompressor(packed)
		packed = packed[:lead&^nsisPacked]
	default:
		solid, packed = true, data
		a.open = nsisDecompressor(data)
	}
	r, err := a.open(packed)
	if err != nil {
		return fmt.Errorf("open the data of this NSIS installer: %w", err)
	}
	r = a.opt.Budget.Reader(r)
	if solid {
		if _, err := io.ReadFull(r, make([]byte, 4)); err != nil {
			return fmt.Errorf("the files and instructions of this NSIS installer are packed in a way that is not read: %w", ErrUnsupported)
		}
		a.solid = r
	} else {
		a.files = data[4+min(int64(lead&^nsisPacked), int64(len(data)-4)):]
	}
	a.header, err = io.ReadAll(io.LimitReader(r, size))
	var limit *LimitError
	if errors.As(err, &limit) {
		return err
	}
	if err != nil || int64(len(a.header)) < size {
		return fmt.Errorf("the instructions of this NSIS installer are packed in a way that is not read: %w", ErrUnsupported)
	}
	return nil
}

// isNSISLZMA tells the properties that NSIS writes: the default literal and
// position bits, and a dictionary of whole 64 KiB.
func isNSISLZMA(b []byte) bool {
	return len(b) > 6 && b[0] == 0x5d && b[1] == 0 && b[2] == 0 && b[5] == 0
}

// nsisDecompressor is the decompressor for data that begins like this: LZMA
// without the size of the unpacked data, NSIS's own bzip2 or raw deflate.
func nsisDecompressor(head []byte) func([]byte) (io.Reader, error) {
	switch {
	case isNSISLZMA(head):
		return openNSISLZMA
	case len(head) > 1 && head[0] == 0x31 && head[1] < 14:
		return func(b []byte) (io.Reader, error) { return newNSISBzip2(b), nil }
	}
	return func(b []byte) (io.Reader, error) { return flate.NewReader(bytes.NewReader(b)), nil }
}

// openNSISLZMA puts the size, which NSIS leaves out, between properties and data.
func openNSISLZMA(b []byte) (io.Reader, error) {
	if len(b) < 6 {
		return nil, errors.New("the compressed data is cut short")
	}
	head := append(append([]byte(nil), b[:5]...), bytes.Repeat([]byte{0xff}, 8)...)
	return lzma.ReaderConfig{DictCap: maxNSISDict}.NewReader(io.MultiReader(bytes.NewReader(head), bytes.NewReader(b[5:])))
}

// visit visits one file.
func (a *nsisArchive) visit(f nsisFile, visit Visit) error {
	if err := a.opt.Budget.Entry(); err != nil {
		return err
	}
	m := Member{Name: f.name, Size: -1, Open: func() (io.Reader, error) { return a.openFile(f.at) }}
	return visit(m)
}

// openFile opens the file at an offset from the end of the header. It begins
// with its length.
func (a *nsisArchive) openFile(at uint32) (io.Reader, error) {
	if a.solid != nil {
		return a.openSolid(int64(at))
	}
	if uint64(at)+4 > uint64(len(a.files)) {
		return nil, errors.New("the file is cut short")
	}
	length, data := binary.LittleEndian.Uint32(a.files[at:]), a.files[at+4:]
	size := length &^ nsisPacked
	if uint64(size) > uint64(len(data)) {
		return nil, errors.New("the file is cut short")
	}
	if length&nsisPacked == 0 {
		return a.opt.Budget.Reader(bytes.NewReader(data[:size])), nil
	}
	r, err := a.open(data[:size])
	if err != nil {
		return nil, err
	}
	return a.opt.Budget.Reader(r), nil
}

// openSolid goes forward to a file in the stream.
func (a *nsisArchive) openSolid(at int64) (io.Reader, error) {
	if at < a.at {
		return nil, errors.New("the file overlaps another")
	}
	r := &nsisStream{a}
	if _, err := io.CopyN(io.Discard, r, at-a.at); err != nil {
		return nil, fmt.Errorf("go to the file: %w", err)
	}
	size := make([]byte, 4)
	if _, err := io.ReadFull(r, size); err != nil {
		return nil, fmt.Errorf("read the size of the file: %w", err)
	}
	return io.LimitReader(r, int64(binary.LittleEndian.Uint32(size))), nil
}

// nsisStream reads the solid stream and notes how far.
type nsisStream struct{ a *nsisArchive }

func (s *nsisStream) Read(p []byte) (int, error) {
	n, err := s.a.solid.Read(p)
	s.a.at += int64(n)
	return n, err
}
