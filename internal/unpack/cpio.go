package unpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The formats of cpio archives, as cpio(5) of libarchive describes them. An
// archive may change from one to another between entries, since each entry
// names its own.
const (
	cpioTrailer  = "TRAILER!!!" // name of the entry that ends an archive
	cpioNewSize  = 110          // bytes of a header in the new ASCII formats, 070701 and 070702
	cpioOldSize  = 76           // bytes of a header in the portable ASCII format, 070707
	cpioBinSize  = 26           // bytes of a header in the old binary format
	cpioBinMagic = 0o070707     // as a 16-bit word in the byte order of the machine that wrote it
	cpioMagic    = 6            // bytes of the magic that the ASCII formats begin with

	maxCpioName  = 64 << 10 // bytes; the longest path of any system has 4096
	maxCpioLinks = 1 << 10  // names that are kept in mind because of their links

	modeType   = 0o170000 // bits of a Unix mode that tell the type
	modeFolder = 0o040000
	modeLink   = 0o120000
)

var (
	errCpioShort = errors.New("the list of files is cut short")
	errCpioHead  = errors.New("the list of files is damaged: an entry of the cpio archive has no valid header")
	errCpioName  = errors.New("the list of files is damaged: an entry of the cpio archive has no valid name")
)

// cpioEntry is the header of one entry.
type cpioEntry struct {
	name    string
	mode    uint64
	size    int64    // bytes of content
	padding int64    // bytes behind the content
	links   uint64   // names of the file
	file    cpioFile // which file it is
}

// cpioFile is the same for all names of one file.
type cpioFile struct{ device, inode uint64 }

// walkCpio visits the members of a cpio archive in its order. The bytes of r
// have to be counted in the budget by whoever gives it; entries are counted
// here. The stripped format of RPM (07070X), whose names and sizes stand
// elsewhere, is not read.
//
// Of a file with several names the one with the content is visited as a file,
// and the others as links to it.
func walkCpio(r io.Reader, opt Options, visit Visit) error {
	w := &cpioWalk{r: r, visit: visit, full: map[cpioFile]string{}}
	for {
		e, err := readCpioEntry(r)
		if err != nil {
			return err
		}
		if e.name == cpioTrailer {
			return w.visitEmpty()
		}
		if err := opt.Budget.Entry(); err != nil {
			return err
		}
		if err := w.entry(e); err != nil {
			return err
		}
	}
}

// cpioWalk is the state of a walk.
type cpioWalk struct {
	r     io.Reader
	visit Visit
	full  map[cpioFile]string // the name that came with the content
	empty []cpioEntry         // names that may be links to content that is still to come
}

// entry visits an entry and what waited for it, and leaves the reader behind it.
func (w *cpioWalk) entry(e cpioEntry) error {
	isFile := e.mode&modeType != modeFolder && e.mode&modeType != modeLink
	if isFile && e.links > 1 && e.size == 0 {
		return w.linked(e)
	}
	content := &cpioContent{r: w.r, left: e.size}
	if err := w.visit(e.member(content)); err != nil {
		return err
	}
	if err := skipCpio(content, e.padding); err != nil {
		return err
	}
	if isFile && e.links > 1 {
		return w.filled(e)
	}
	return nil
}

// linked takes a name without content: a link to what came before, or to what
// may follow.
func (w *cpioWalk) linked(e cpioEntry) error {
	if err := skipCpio(&cpioContent{r: w.r}, e.padding); err != nil {
		return err
	}
	if target, ok := w.full[e.file]; ok {
		return w.visit(linkMember(e.name, target))
	}
	if len(w.empty) == maxCpioLinks {
		return w.visit(e.member(strings.NewReader("")))
	}
	w.empty = append(w.empty, e)
	return nil
}

// filled visits the names that waited for the content of e.
func (w *cpioWalk) filled(e cpioEntry) error {
	if len(w.full) < maxCpioLinks {
		w.full[e.file] = e.name
	}
	waiting := w.empty
	w.empty = nil
	for _, other := range waiting {
		if other.file != e.file {
			w.empty = append(w.empty, other)
		} else if err := w.visit(linkMember(other.name, e.name)); err != nil {
			return err
		}
	}
	return nil
}

// visitEmpty visits the names whose content never came: they are empty files.
func (w *cpioWalk) visitEmpty() error {
	for _, e := range w.empty {
		if err := w.visit(e.member(strings.NewReader(""))); err != nil {
			return err
		}
	}
	return nil
}

// member is what is visited for the entry. What is neither folder nor symbolic
// link counts as a file, whatever device it claims to be.
func (e *cpioEntry) member(content io.Reader) Member {
	m := Member{Name: e.name, Size: e.size, Open: func() (io.Reader, error) { return content, nil }}
	switch e.mode & modeType {
	case modeFolder:
		m.Role = RoleFolder
	case modeLink:
		m.Role = RoleLink
	}
	return m
}

// linkMember is a further name of another member.
func linkMember(name, target string) Member {
	return Member{Name: name, Size: int64(len(target)), Role: RoleLink, Open: func() (io.Reader, error) {
		return strings.NewReader(target), nil
	}}
}

// cpioContent is the content of one entry. Its end is an error if bytes are
// missing.
type cpioContent struct {
	r    io.Reader
	left int64
}

func (c *cpioContent) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == io.EOF && c.left > 0 {
		err = errCpioShort
	}
	return n, err
}

// skipCpio reads what is left of a content, and the padding behind it. The last
// padding of an archive may be missing.
func skipCpio(c *cpioContent, padding int64) error {
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, c.r, padding); err != io.EOF {
		return err
	}
	return nil
}

// readCpioEntry reads the next header and its name.
func readCpioEntry(r io.Reader) (cpioEntry, error) {
	var head [cpioNewSize]byte
	if err := readCpio(r, head[:cpioMagic]); err != nil {
		return cpioEntry{}, err
	}
	switch magic := string(head[:cpioMagic]); {
	case magic == "070701" || magic == "070702":
		return readCpioNew(r, head[:cpioNewSize])
	case magic == "070707":
		return readCpioOld(r, head[:cpioOldSize])
	case binary.LittleEndian.Uint16(head[:]) == cpioBinMagic:
		return readCpioBinary(r, head[:cpioBinSize], binary.LittleEndian)
	case binary.BigEndian.Uint16(head[:]) == cpioBinMagic:
		return readCpioBinary(r, head[:cpioBinSize], binary.BigEndian)
	}
	return cpioEntry{}, errCpioHead
}

// readCpioNew reads the new ASCII format: 13 numbers of 8 hexadecimal digits.
// Header and content are padded to 4 bytes.
func readCpioNew(r io.Reader, head []byte) (cpioEntry, error) {
	if err := readCpio(r, head[cpioMagic:]); err != nil {
		return cpioEntry{}, err
	}
	var n [13]uint64
	for i := range n {
		field, err := strconv.ParseUint(string(head[cpioMagic+8*i:][:8]), 16, 32)
		if err != nil {
			return cpioEntry{}, errCpioHead
		}
		n[i] = field
	}
	e := cpioEntry{mode: n[1], links: n[4], size: int64(n[6]), padding: -int64(n[6]) & 3, // #nosec G115 -- 32 bits
		file: cpioFile{device: n[7]<<32 | n[8], inode: n[0]}}
	err := e.readName(r, n[11], 4, cpioNewSize)
	return e, err
}

// readCpioOld reads the portable ASCII format: octal numbers without padding.
func readCpioOld(r io.Reader, head []byte) (cpioEntry, error) {
	if err := readCpio(r, head[cpioMagic:]); err != nil {
		return cpioEntry{}, err
	}
	var n [10]uint64
	at := cpioMagic
	for i, digits := range [10]int{6, 6, 6, 6, 6, 6, 6, 11, 6, 11} {
		field, err := strconv.ParseUint(string(bytes.TrimSpace(head[at:at+digits])), 8, 33)
		if err != nil {
			return cpioEntry{}, errCpioHead
		}
		n[i], at = field, at+digits
	}
	e := cpioEntry{mode: n[2], links: n[5], size: int64(n[9]), file: cpioFile{device: n[0], inode: n[1]}} // #nosec G115 -- 33 bits
	err := e.readName(r, n[8], 1, cpioOldSize)
	return e, err
}

// readCpioBinary reads the old binary format: 16-bit words in the given order,
// those of a long number with the high word first. Name and content are padded
// to 2 bytes.
func readCpioBinary(r io.Reader, head []byte, order binary.ByteOrder) (cpioEntry, error) {
	if err := readCpio(r, head[cpioMagic:]); err != nil {
		return cpioEntry{}, err
	}
	word := func(i int) uint64 { return uint64(order.Uint16(head[2*i:])) }
	size := int64(word(11)<<16 | word(12)) // #nosec G115 -- 32 bits
	e := cpioEntry{mode: word(3), links: word(6), size: size, padding: size & 1,
		file: cpioFile{device: word(1), inode: word(2)}}
	err := e.readName(r, word(10), 2, cpioBinSize)
	return e, err
}

// readName reads the name, which ends with a NUL, and the padding that makes
// header and name a multiple of align.
func (e *cpioEntry) readName(r io.Reader, size uint64, align, head int64) error {
	if size == 0 || size > maxCpioName {
		return errCpioName
	}
	padded := (head+int64(size)+align-1)/align*align - head
	name := make([]byte, padded)
	if err := readCpio(r, name); err != nil {
		return err
	}
	name, _, _ = bytes.Cut(name[:size], []byte{0})
	e.name = strings.ToValidUTF8(string(name), "\uFFFD")
	return nil
}

// readCpio reads len(p) bytes of the list.
func readCpio(r io.Reader, p []byte) error {
	_, err := io.ReadFull(r, p)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errCpioShort
	}
	if err != nil {
		return fmt.Errorf("read the list of files: %w", err)
	}
	return nil
}
