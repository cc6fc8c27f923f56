package unpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"unicode/utf16"
)

// The format is that of 7zFormat.txt of the LZMA SDK. The list of files is read
// here, with every count checked against the bytes it was read from; the
// library decodes one stream at a time (see folder.open), because its own
// reader of the list allocates by numbers that the file names.

const (
	sevenMagic      = "7z\xBC\xAF\x27\x1C"
	sevenStart      = 32       // bytes of the start header
	maxSevenHeader  = 32 << 20 // bytes of the unpacked list of files
	maxSevenEntries = 1 << 20  // of the list, and of folders; more is not looked at
	maxSevenNesting = 4        // lists packed inside lists; one in practice
)

// find7z tells where a 7z archive begins in data, or -1. The checksum of the
// start header makes a chance hit impossible in practice.
func find7z(data []byte) int {
	for from := 0; ; {
		i := bytes.Index(data[from:], []byte(sevenMagic))
		if i < 0 {
			return -1
		}
		if from += i; isSevenStart(data[from:]) {
			return from
		}
		from += len(sevenMagic)
	}
}

func isSevenStart(b []byte) bool {
	return len(b) >= sevenStart && b[6] == 0 && crc32.ChecksumIEEE(b[12:sevenStart]) == binary.LittleEndian.Uint32(b[8:])
}

type seven struct {
	data     []byte // from the signature on
	opt      Options
	password string // the last one that fitted
	known    bool   // password is set
}

// walk7z visits the members of a 7z archive, also of one behind other data
// such as a self-extractor's program.
func walk7z(data []byte, opt Options, visit Visit) error {
	at := find7z(data)
	if at < 0 {
		return errors.New("there is no intact start header of a 7z archive")
	}
	z := &seven{data: data[at:], opt: opt}
	list, err := z.list()
	if err != nil {
		return err
	}
	return z.walk(list, visit)
}

// list reads the list of files, which may be packed, and encrypted as well.
func (z *seven) list() (*sevenList, error) {
	offset, size := binary.LittleEndian.Uint64(z.data[12:]), binary.LittleEndian.Uint64(z.data[20:])
	if size == 0 {
		return &sevenList{}, nil
	}
	rest := uint64(len(z.data) - sevenStart)
	if offset > rest || size > rest-offset {
		return nil, errors.New("the list of files of the 7z archive is cut short, or lies in another volume")
	}
	header := z.data[sevenStart+offset:][:size]
	if crc32.ChecksumIEEE(header) != binary.LittleEndian.Uint32(z.data[28:]) {
		return nil, errors.New("the checksum of the list of files of the 7z archive does not fit")
	}
	for range maxSevenNesting {
		list, packed, err := parseSeven(header, z.data)
		if err != nil || packed == nil {
			return list, err
		}
		if header, err = z.unpackList(packed); err != nil {
			return nil, err
		}
	}
	return nil, &LimitError{"the list of files of the 7z archive is packed too many times"}
}

func (z *seven) unpackList(f *sevenFolder) ([]byte, error) {
	size := f.size()
	if size > maxSevenHeader {
		return nil, &LimitError{"the list of files of the 7z archive is too long"}
	}
	read := func(password string) ([]byte, error) {
		r, err := z.open(f, password)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(io.LimitReader(f.whole(r), maxSevenHeader))
	}
	if !f.encrypted() {
		return read("")
	}
	for _, p := range z.opt.Passwords {
		header, err := read(p)
		if err == nil && len(header) > 0 && header[0] <= 0x17 && f.hasCRC {
			z.password, z.known = p, true
			return header, nil
		}
		if limited(err) {
			return nil, err
		}
	}
	return nil, ErrLocked
}

func limited(err error) bool {
	var limit *LimitError
	return errors.As(err, &limit)
}

// open streams a folder through the budget.
func (z *seven) open(f *sevenFolder, password string) (io.Reader, error) {
	if err := z.opt.Budget.Time(); err != nil {
		return nil, err
	}
	r, err := f.open(z.data, password)
	if err != nil {
		return nil, err
	}
	return z.opt.Budget.Reader(r), nil
}

func (z *seven) walk(list *sevenList, visit Visit) error {
	at := sevenPlace{folder: -1}
	for i := range list.files {
		if err := z.opt.Budget.Entry(); err != nil {
			return err
		}
		m := list.member(i)
		if !list.files[i].empty {
			if !at.next(list.folders) {
				return errors.New("the list of files of the 7z archive names more files than contents")
			}
			z.bind(&m, list.folders[at.folder], &at)
		}
		if err := visit(m); err != nil {
			return err
		}
	}
	return nil
}

// sevenPlace walks over the contents of the folders.
type sevenPlace struct {
	folder, sub int
	offset      int64 // of the content in the folder
	stream      *solid
	password    string
	locked      bool
}

func (p *sevenPlace) next(folders []*sevenFolder) bool {
	if p.folder >= 0 && p.sub+1 < len(folders[p.folder].subs) {
		p.offset += folders[p.folder].subs[p.sub].size
		p.sub++
		return true
	}
	*p = sevenPlace{folder: p.folder + 1}
	for p.folder < len(folders) && len(folders[p.folder].subs) == 0 {
		p.folder++
	}
	return p.folder < len(folders)
}

// bind gives m its content: a part of the stream of folder f.
func (z *seven) bind(m *Member, f *sevenFolder, at *sevenPlace) {
	if at.stream == nil {
		at.password, at.locked = z.unlock(f)
		password := at.password
		at.stream = &solid{open: func() (io.Reader, error) { return z.open(f, password) }}
	}
	sub, offset, stream := f.subs[at.sub], at.offset, at.stream
	m.Size, m.Locked, m.Password = sub.size, at.locked, at.password
	m.Open = func() (io.Reader, error) {
		if m.Locked {
			return nil, ErrLocked
		}
		r, err := stream.at(offset, sub.size)
		if err != nil || !sub.hasCRC {
			return r, err
		}
		return r.(*checked).crc(sub.crc), nil
	}
}

// unlock finds the password of a folder.
func (z *seven) unlock(f *sevenFolder) (password string, locked bool) {
	if !f.encrypted() {
		return "", false
	}
	if z.known && z.fits(f, z.password) {
		return z.password, false
	}
	for _, p := range z.opt.Passwords {
		if z.known && p == z.password {
			continue
		}
		if z.fits(f, p) {
			z.password, z.known = p, true
			return p, false
		}
	}
	return "", true
}

// probeSize is how much of a long content is unpacked to try a password: a
// decoder of compressed data meets nonsense long before.
const probeSize = 256 << 10

func (z *seven) fits(f *sevenFolder, password string) bool {
	r, err := z.open(f, password)
	if err != nil {
		return false
	}
	first := f.subs[0]
	if first.size > probeSize && f.compressed() {
		_, err = io.CopyN(io.Discard, r, probeSize)
		return err == nil
	}
	c := checkedReader(r, first.size)
	if first.hasCRC {
		c.crc(first.crc)
	}
	_, err = io.Copy(io.Discard, c)
	return err == nil
}

// sevenFile is one entry of the list of files.
type sevenFile struct {
	name   []byte // UTF-16LE
	attrs  uint32 // Windows attributes; the high half is a Unix mode if bit 15 is set
	empty  bool   // without content: an empty file, a folder, or the mark of a deleted one
	folder bool
}

func (l *sevenList) member(i int) Member {
	f := l.files[i]
	m := Member{Name: utf16Name(f.name, binary.LittleEndian), Open: noContent}
	const unixMode, typeMask, link = 1 << 15, 0xF000, 0xA000
	switch {
	case f.folder:
		m.Role = RoleFolder
	case f.attrs&unixMode != 0 && f.attrs>>16&typeMask == link:
		m.Role = RoleLink
	}
	return m
}

func noContent() (io.Reader, error) { return strings.NewReader(""), nil }

// utf16Name decodes a name. Halves of surrogates become U+FFFD.
func utf16Name(b []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

const maxSize = math.MaxInt64 >> 1 // of anything that a container declares, bytes
