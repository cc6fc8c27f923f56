package unpack

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"
	"github.com/xi2/xz"
)

// The layout is that of "RPM Package File Structure", format versions 3 and 4:
// lead, signature header, header, payload. A header is 16 bytes with the number
// of tags and the size of their data, then 16 bytes a tag, then the data.
const (
	rpmLeadSize  = 96
	rpmHeader    = "\x8e\xad\xe8\x01"
	rpmMaxTags   = 1 << 16 // RPM's own limit
	rpmMaxScript = 4 << 20 // bytes of one scriptlet

	rpmString, rpmStrings, rpmTranslated = 6, 8, 9 // types of tags

	rpmMaxDictionary = 64 << 20 // bytes that a decompressor may look back
)

var errRPM = errors.New("the header of the package is cut short")

// walkRPM visits the scriptlets of a package, and then its files.
func walkRPM(data []byte, opt Options, visit Visit) error {
	at, err := rpmHeaderEnd(data, rpmLeadSize)
	if err != nil {
		return err
	}
	at = (at + 7) &^ 7 // the header is aligned to eight bytes
	end, err := rpmHeaderEnd(data, at)
	if err != nil {
		return err
	}
	if err := rpmScripts(data[at:end], opt, visit); err != nil {
		return err
	}
	payload, err := rpmDecompress(data[end:])
	if err != nil {
		return fmt.Errorf("open the payload of the package: %w", err)
	}
	r := bufio.NewReaderSize(opt.Budget.Reader(payload), 1<<15)
	if magic, _ := r.Peek(6); string(magic) == "07070X" {
		return fmt.Errorf("a payload with files of 4 GiB or more: %w", ErrUnsupported)
	}
	return walkCpio(r, opt, visit)
}

// rpmHeaderEnd checks the header at off and tells where it ends.
func rpmHeaderEnd(data []byte, off int) (int, error) {
	if off+16 > len(data) || string(data[off:off+4]) != rpmHeader {
		return 0, errRPM
	}
	tags, size := uint64(binary.BigEndian.Uint32(data[off+8:])), uint64(binary.BigEndian.Uint32(data[off+12:]))
	end := uint64(off) + 16 + 16*tags + size
	if tags > rpmMaxTags || end > uint64(len(data)) {
		return 0, errRPM
	}
	return int(end), nil // #nosec G115 -- within the file
}

// rpmScriptlet is a kind of scriptlet: the tags of its text and of the program
// that runs it (rpmtag.h of RPM).
type rpmScriptlet struct {
	name       string
	text, prog uint32
}

// rpmScripts visits the scriptlets that a header names.
func rpmScripts(header []byte, opt Options, visit Visit) error {
	for _, s := range [...]rpmScriptlet{
		{"pretrans", 1151, 1153}, {"pre", 1023, 1085}, {"post", 1024, 1086}, {"posttrans", 1152, 1154},
		{"preuntrans", 5104, 5106}, {"preun", 1025, 1087}, {"postun", 1026, 1088}, {"postuntrans", 5105, 5107},
		{"verifyscript", 1079, 1091}, {"trigger", 1065, 1092}, {"filetrigger", 5066, 5067}, {"transfiletrigger", 5076, 5077},
	} {
		texts, programs, single := rpmTag(header, s.text), rpmTag(header, s.prog), s.name[len(s.name)-3:] != "ger"
		if single { // what runs it may be a program and its arguments
			programs = []string{strings.Join(programs, " ")}
			texts = append(texts, "")[:1]
		}
		for i, text := range texts {
			name := "%" + s.name
			if i > 0 {
				name += strconv.Itoa(i + 1)
			}
			program := ""
			if i < len(programs) {
				program = programs[i]
			}
			if err := visitText(name, RoleScript, rpmScript(program, text), opt, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// rpmScript is a scriptlet in the form of a script file: the program that runs
// it is named in the first line. A scriptlet may be that program alone.
func rpmScript(program, text string) string {
	switch {
	case text == "":
		return program
	case program == "" || strings.HasPrefix(text, "#!"):
		return text
	case program == "<lua>":
		program = "/usr/bin/lua"
	}
	return "#!" + program + "\n" + text
}

// rpmTag returns the strings of a tag.
func rpmTag(header []byte, tag uint32) []string {
	be := binary.BigEndian
	tags := int(be.Uint32(header[8:]))
	store := header[16+16*tags:]
	for i := range tags {
		t := header[16+16*i:]
		kind, offset, count := be.Uint32(t[4:]), be.Uint32(t[8:]), be.Uint32(t[12:])
		if be.Uint32(t) != tag || uint64(offset) >= uint64(len(store)) {
			continue
		}
		if kind == rpmString || kind == rpmTranslated {
			count = 1
		} else if kind != rpmStrings {
			continue
		}
		return rpmTexts(store[offset:], count)
	}
	return nil
}

func rpmTexts(store []byte, count uint32) []string {
	var texts []string
	for range min(count, 1024) {
		text, rest, ok := bytes.Cut(store, []byte{0})
		if !ok {
			break
		}
		texts = append(texts, strings.ToValidUTF8(string(text[:min(len(text), rpmMaxScript)]), "\uFFFD"))
		store = rest
	}
	return texts
}

// rpmDecompress opens a stream of one of the compressions that packages use, told
// by its first bytes.
func rpmDecompress(data []byte) (io.Reader, error) {
	r := bytes.NewReader(data)
	switch {
	case bytes.HasPrefix(data, []byte("\x1f\x8b")):
		return gzip.NewReader(r)
	case bytes.HasPrefix(data, []byte("\xfd7zXZ\x00")):
		return xz.NewReader(r, rpmMaxDictionary)
	case bytes.HasPrefix(data, []byte("\x28\xb5\x2f\xfd")):
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(rpmMaxDictionary))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case bytes.HasPrefix(data, []byte("BZh")):
		return bzip2.NewReader(r), nil
	case bytes.HasPrefix(data, []byte("0707")):
		return r, nil
	case len(data) > 13 && data[0] == 0x5d: // the properties that lzma(1) writes
		return lzma.ReaderConfig{DictCap: rpmMaxDictionary}.NewReader(r)
	}
	return nil, ErrUnsupported
}
