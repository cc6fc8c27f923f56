package unpack

import (
	"bytes"
	"compress/bzip2"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/ulikunitz/xz/lzma"
)

// The layout is that of Inno Setup's own source (Shared.Struct.pas,
// Shared.SetupEntFunc.pas), for setups of the versions 5.1.5 to 6.4: a resource
// of the loader says where the header and the files are. The header is an
// identification of 64 bytes and two blocks, each a checksum, a size and a flag,
// and then LZMA in pieces of 4 KiB with their checksums.
const (
	innoResource  = "11111"
	innoIdentity  = "Inno Setup Setup Data ("
	innoIDSize    = 64
	innoRevision  = 1 // of the table
	innoPiece     = 4096
	innoMagic     = "zlb\x1a"        // begins the files
	maxInnoHeader = 16 << 20         // bytes of an unpacked block
	maxInnoDict   = rpmMaxDictionary // LZMAUltra64 wants 64 MiB
)

// innoSetup is the data of an installer.
type innoSetup struct {
	opt     Options
	version string // "6.4.0.1", "6.0.0) (u"
	wide    bool   // UTF-16
	header  []byte // unpacked
	places  []byte // of the files, unpacked
	chunks  []byte // from the start of the files
	cut     bool   // there are more texts than are read
}

// walkInno visits what an installer says it runs, its compiled script and its
// files.
func walkInno(p *program, opt Options, visit Visit) error {
	s := &innoSetup{opt: opt}
	if err := s.open(p); err != nil {
		return err
	}
	return s.visit(visit)
}

func (s *innoSetup) visit(visit Visit) error {
	t, opt := readInnoTexts(s.header, s.wide), s.opt
	s.cut = t.cut
	if err := visitText("setup.cmd", RoleLaunch, t.commands.String(), opt, visit); err != nil {
		return err
	}
	if err := visitText("setup.txt", "", t.others.String(), opt, visit); err != nil {
		return err
	}
	if len(t.code) > 0 {
		if err := visitSlice("code.ifps", RoleLaunch, t.code, opt, visit); err != nil {
			return err
		}
	}
	err := s.files(visit)
	if s.cut && (err == nil || errors.Is(err, ErrPartial)) {
		return &LimitError{"the installer has more texts than are read"}
	}
	return err
}

// open finds the parts and unpacks the blocks of the header.
func (s *innoSetup) open(p *program) error {
	table := p.resource(innoResource)
	le := binary.LittleEndian
	if len(table) < 44 || string(table[:len(markInno)]) != markInno || le.Uint32(table[len(markInno):]) != innoRevision {
		return fmt.Errorf("the files of this Inno Setup installer are packed by a version that is not known: %w", ErrPartial)
	}
	at, files := uint64(le.Uint32(table[32:])), uint64(le.Uint32(table[36:]))
	if at+innoIDSize > uint64(len(p.data)) || string(p.data[at:at+uint64(len(innoIdentity))]) != innoIdentity {
		return errors.New("the header of this Inno Setup installer was not found")
	}
	if files < uint64(len(p.data)) && files > 0 {
		s.chunks = p.data[files:]
	}
	id := untilZero(p.data[at+uint64(len(innoIdentity)) : at+innoIDSize])
	s.version, _, _ = strings.Cut(id, ")")
	s.wide = strings.Contains(id, "(u)") || s.version >= "6.3"
	rest := p.data[at+innoIDSize:]
	var err error
	if s.header, rest, err = s.block(rest); err != nil {
		return err
	}
	s.places, _, err = s.block(rest)
	return err
}

// block unpacks one block, and returns what follows it.
func (s *innoSetup) block(data []byte) (block, rest []byte, err error) {
	le := binary.LittleEndian
	if len(data) < 9 || crc32.ChecksumIEEE(data[4:9]) != le.Uint32(data) {
		return nil, nil, fmt.Errorf("the files of this installer are packed by Inno Setup %s in a way that is not known: %w", s.version, ErrPartial)
	}
	size, packed := uint64(le.Uint32(data[4:])), data[8] != 0
	if size > uint64(len(data)-9) {
		return nil, nil, errors.New("the header of this Inno Setup installer is cut short")
	}
	rest = data[9+size:]
	var r io.Reader = &innoPieces{left: data[9 : 9+size]}
	if packed {
		if r, err = openInnoLZMA(r); err != nil {
			return nil, nil, err
		}
	}
	block, err = io.ReadAll(io.LimitReader(s.opt.Budget.Reader(r), maxInnoHeader))
	var limit *LimitError
	if errors.As(err, &limit) {
		return nil, nil, err
	}
	if err != nil && len(block) == 0 { // without its end mark, the last read fails
		return nil, nil, fmt.Errorf("unpack the header of this Inno Setup installer: %w", err)
	}
	return block, rest, nil
}

// openInnoLZMA puts a size, which Inno Setup leaves out, between the properties
// and the data of LZMA.
func openInnoLZMA(r io.Reader) (io.Reader, error) {
	properties := make([]byte, 5)
	if _, err := io.ReadFull(r, properties); err != nil {
		return nil, err
	}
	head := append(properties, bytes.Repeat([]byte{0xff}, 8)...)
	return lzma.ReaderConfig{DictCap: maxInnoDict}.NewReader(io.MultiReader(bytes.NewReader(head), r))
}

// innoPieces reads pieces and checks them.
type innoPieces struct{ now, left []byte }

func (r *innoPieces) Read(p []byte) (int, error) {
	if len(r.now) == 0 {
		if len(r.left) <= 4 {
			return 0, io.EOF
		}
		n := min(len(r.left)-4, innoPiece)
		r.now = r.left[4 : 4+n]
		if crc32.ChecksumIEEE(r.now) != binary.LittleEndian.Uint32(r.left) {
			return 0, errors.New("a checksum does not fit")
		}
		r.left = r.left[4+n:]
	}
	n := copy(p, r.now)
	r.now = r.now[n:]
	return n, nil
}

// innoPlace is where a file is: TSetupFileLocationEntry.
type innoPlace struct {
	first, last uint32 // slices
	chunk       uint32 // offset from the start of the files
	at, size    int64  // in the unpacked chunk
	packed      int64  // bytes of the chunk
	options     byte   // foCallInstructionOptimized is bit 4, foChunkEncrypted 6, foChunkCompressed 7
}

// innoPlaceSize is the size of an entry: 36 bytes, a SHA-1 or from version 6.4
// on a SHA-256, 16 bytes of time and version, and two or three of options.
func (s *innoSetup) placeSize() (size, options int) {
	switch {
	case s.version >= "6.4":
		return 87, 84
	case s.version >= "6.3":
		return 75, 72
	}
	return 74, 72
}

func (s *innoSetup) place(b []byte, options int) innoPlace {
	le := binary.LittleEndian
	return innoPlace{le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:]), int64(le.Uint64(b[12:])), int64(le.Uint64(b[20:])), // #nosec G115 -- open and start take negative ones for nothing
		int64(le.Uint64(b[28:])), b[options]} // #nosec G115 -- as above
}

// files visits the files in their order in the chunks.
func (s *innoSetup) files(visit Visit) error {
	size, options := s.placeSize()
	if len(s.places)%size != 0 {
		return fmt.Errorf("the files of Inno Setup %s are listed in a way that is not known, its texts were read: %w", s.version, ErrPartial)
	}
	names, all := innoNames(s.header, s.wide, len(s.places)/size)
	s.cut = s.cut || !all
	w := &innoChunks{setup: s}
	for i := range len(s.places) / size {
		if err := s.opt.Budget.Entry(); err != nil {
			return err
		}
		p := s.place(s.places[i*size:], options)
		name := names[i]
		if name == "" {
			name = fmt.Sprintf("file%d", i)
		}
		m := Member{Name: name, Size: p.size, Locked: p.options&0x40 != 0}
		m.Open = func() (io.Reader, error) { return w.open(p) }
		if err := visit(m); err != nil {
			return err
		}
	}
	return nil
}

// innoChunks unpacks chunks from front to back.
type innoChunks struct {
	setup *innoSetup
	chunk uint32
	now   io.Reader // of the chunk, or nil
	at    int64     // in it
}

func (w *innoChunks) Read(p []byte) (int, error) {
	n, err := w.now.Read(p)
	w.at += int64(n)
	return n, err
}

// open goes to a file. Program files are stored with their calls changed, so
// that they pack better; that is undone.
func (w *innoChunks) open(p innoPlace) (io.Reader, error) {
	switch {
	case p.options&0x40 != 0:
		return nil, ErrLocked
	case p.first != 0 || p.last != 0:
		return nil, fmt.Errorf("the file stands in another part of the installer: %w", ErrUnsupported)
	}
	if w.now == nil || p.chunk != w.chunk || p.at < w.at {
		if err := w.start(p); err != nil {
			return nil, err
		}
	}
	if _, err := io.CopyN(io.Discard, w, p.at-w.at); err != nil {
		return nil, fmt.Errorf("go to the file: %w", err)
	}
	r := io.LimitReader(w, p.size)
	if p.options&0x10 != 0 {
		r = &innoCalls{r: r}
	}
	return r, nil
}

// start opens a chunk.
func (w *innoChunks) start(p innoPlace) error {
	data := w.setup.chunks
	if uint64(p.chunk)+4 > uint64(len(data)) || string(data[p.chunk:p.chunk+4]) != innoMagic {
		return errors.New("the files were not found")
	}
	data = data[p.chunk+4:]
	if p.packed < 0 || p.packed > int64(len(data)) {
		return errors.New("the files are cut short")
	}
	data = data[:p.packed]
	r, err := io.Reader(bytes.NewReader(data)), error(nil)
	if p.options&0x80 != 0 {
		r, err = openInnoChunk(data)
	}
	if err != nil {
		return err
	}
	w.now, w.chunk, w.at = w.setup.opt.Budget.Reader(r), p.chunk, 0
	return nil
}

// openInnoChunk tells the compression from the first bytes.
func openInnoChunk(data []byte) (io.Reader, error) {
	r := bytes.NewReader(data)
	switch {
	case len(data) < 6:
		return nil, errors.New("the files are cut short")
	case string(data[:3]) == "BZh":
		return bzip2.NewReader(r), nil
	case data[0] == 0x78 && binary.BigEndian.Uint16(data)%31 == 0:
		return zlib.NewReader(r)
	case data[0] == 0x5d && data[1] == 0:
		return openInnoLZMA(r)
	case data[0] <= 40: // the size of the dictionary, and then LZMA2
		_, _ = r.ReadByte() // there are six
		dictionary := min((2|int64(data[0]&1))<<(data[0]/2+11), maxInnoDict)
		return lzma.Reader2Config{DictCap: int(dictionary)}.NewReader2(r)
	}
	return nil, fmt.Errorf("the files: %w", ErrUnsupported)
}
