package unpack

import (
	"bytes"
	"compress/bzip2"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/ulikunitz/xz/lzma"
	"github.com/xi2/xz"
)

// A xar archive is a header, a table of contents in compressed XML, and a heap
// that the table points into (man page of xar(1), Apple's xar.h). Numbers are
// big-endian.
const (
	xarHeader   = 28
	maxXarTOC   = 8 << 20 // bytes, compressed and not; an installer of 1 GB has some 10 kB
	maxXarDepth = 32      // folders in folders
	maxXarText  = 4 << 10 // bytes of a name, a target or a number

	// maxDictionary bounds the window of xz and LZMA. Apple's tools use 8 MiB.
	maxDictionary = 32 << 20 // bytes
)

var (
	errXarHead  = errors.New("the package is damaged: it has no valid header")
	errXarTOC   = errors.New("the list of files is damaged: the table of contents of the package is no valid XML")
	errXarShort = errors.New("the list of files is cut short: the table of contents lies outside of the package")
	errXarHeap  = errors.New("the content lies outside of the package")
	errXarDeep  = errors.New("the list of files is nested too deeply")
	errPacked   = fmt.Errorf("%w: its compression is unknown", ErrUnsupported)
)

// xarFile is one file of the table of contents.
type xarFile struct {
	parent         *xarFile // the folder, or nil
	name, kind     string   // kind is "file", "directory", "symlink" or another word
	target         string   // of a link
	encoding       string   // MIME type of the compression
	offset, length int64    // in the heap
	size           int64    // bytes, decompressed; -1 if unknown
	stored         bool     // it has a content
}

// path is the name with those of its folders.
func (f *xarFile) path() string {
	if f.parent == nil {
		return f.name
	}
	return f.parent.path() + "/" + f.name
}

// xar is an archive whose table has been read.
type xar struct {
	heap  []byte
	files []*xarFile
	xz    xzReader
}

// openXar reads the table of contents. With an error of the table, the files
// that were listed until then are in the archive.
func openXar(data []byte, budget *Budget) (*xar, error) {
	if len(data) < xarHeader || string(data[:4]) != "xar!" {
		return &xar{}, errXarHead
	}
	head, packed := uint64(binary.BigEndian.Uint16(data[4:])), binary.BigEndian.Uint64(data[8:])
	if head < xarHeader || head > uint64(len(data)) {
		return &xar{}, errXarHead
	}
	if packed > uint64(len(data))-head {
		return &xar{}, errXarShort
	}
	if packed > maxXarTOC {
		return &xar{}, &LimitError{"the table of contents is larger than 8 MiB"}
	}
	z, err := zlib.NewReader(bytes.NewReader(data[head : head+packed]))
	if err != nil {
		return &xar{}, errXarTOC
	}
	toc := &xarTOC{budget: budget}
	err = toc.read(&cappedReader{budget.Reader(z), maxXarTOC})
	return &xar{heap: data[head+packed:], files: toc.files}, err
}

// open streams the content of a file; its bytes count in the budget.
func (x *xar) open(f *xarFile, budget *Budget) (io.Reader, error) {
	if !f.stored {
		return strings.NewReader(""), nil
	}
	if f.offset > int64(len(x.heap)) || f.length > int64(len(x.heap))-f.offset {
		return nil, errXarHeap
	}
	r, err := x.decoder(f.encoding, x.heap[f.offset:f.offset+f.length])
	if err != nil {
		return nil, err
	}
	return budget.Reader(r), nil
}

// decoder knows the encodings of xar(1). What it calls gzip is zlib.
func (x *xar) decoder(encoding string, packed []byte) (io.Reader, error) {
	r := bytes.NewReader(packed)
	switch encoding {
	case "application/octet-stream", "":
		return r, nil
	case "application/x-gzip", "application/zlib":
		return zlib.NewReader(r)
	case "application/x-bzip2":
		return bzip2.NewReader(r), nil
	case "application/x-xz", "application/x-lzma":
		return x.lzma(packed)
	}
	return nil, errPacked
}

// lzma opens a xz stream, or one of the older format that has no magic but
// properties, size of the dictionary and size of the content.
func (x *xar) lzma(packed []byte) (io.Reader, error) {
	r := bytes.NewReader(packed)
	if bytes.HasPrefix(packed, []byte(xzMagic)) {
		return x.xz.open(r)
	}
	if len(packed) < lzma.HeaderLen {
		return nil, io.ErrUnexpectedEOF
	}
	if binary.LittleEndian.Uint32(packed[1:]) > maxDictionary {
		return nil, &LimitError{"unpacking needs more memory than it may"}
	}
	return lzma.NewReader(r)
}

// xzReader opens xz streams one after another with one dictionary, which costs
// more than a small stream does.
type xzReader struct{ xz *xz.Reader }

func (x *xzReader) open(r io.Reader) (io.Reader, error) {
	if x.xz != nil {
		return x.xz, x.xz.Reset(r)
	}
	z, err := xz.NewReader(r, maxDictionary)
	if err == nil {
		x.xz = z
	}
	return z, err
}

// cappedReader ends with an error if there is more than it may give.
type cappedReader struct {
	r    io.Reader
	left int64
}

func (c *cappedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, &LimitError{"the table of contents is larger than 8 MiB"}
	}
	return n, err
}

// xarTOC reads the table of contents.
type xarTOC struct {
	budget *Budget
	files  []*xarFile
	open   []*xarFile // the file elements around the reader
	path   []string   // the elements around the reader
	text   []byte
	base64 bool // the text is encoded
}

func (t *xarTOC) read(r io.Reader) error {
	var over *LimitError
	d := xml.NewDecoder(r)
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		token, err := d.RawToken()
		if errors.As(err, &over) {
			return over
		}
		if err == io.EOF && len(t.path) == 0 {
			return nil
		}
		if err != nil {
			return errXarTOC
		}
		switch token := token.(type) {
		case xml.StartElement:
			err = t.start(token)
		case xml.CharData:
			t.text = append(t.text, token[:min(len(token), maxXarText-len(t.text))]...)
		case xml.EndElement:
			err = t.end(token.Name.Local)
		}
		if err != nil {
			return err
		}
	}
}

// start enters an element.
func (t *xarTOC) start(e xml.StartElement) error {
	// A folder takes two levels at most, and what is in a file three.
	if len(t.open) > maxXarDepth || len(t.path) > 2*maxXarDepth+8 {
		return errXarDeep
	}
	name := e.Name.Local
	t.path, t.text = append(t.path, name), t.text[:0]
	t.base64 = xmlAttr(e, "enctype") == "base64"
	switch {
	case name == "file":
		return t.startFile()
	case name == "encoding" && t.under("data"):
		f := t.open[len(t.open)-1]
		f.encoding = strings.ToLower(xmlAttr(e, "style"))
	}
	return nil
}

func (t *xarTOC) startFile() error {
	if err := t.budget.Entry(); err != nil {
		return err
	}
	f := &xarFile{size: -1}
	if n := len(t.open); n > 0 {
		f.parent = t.open[n-1]
	}
	t.files, t.open = append(t.files, f), append(t.open, f)
	return nil
}

// end leaves an element.
func (t *xarTOC) end(name string) error {
	n := len(t.path)
	if n == 0 || t.path[n-1] != name {
		return errXarTOC
	}
	switch {
	case name == "file":
		t.open = t.open[:len(t.open)-1]
	case t.under():
		t.property(t.open[len(t.open)-1], name)
	case t.under("data"):
		t.storage(t.open[len(t.open)-1], name)
	}
	t.path, t.text, t.base64 = t.path[:n-1], t.text[:0], false
	return nil
}

// under tells whether the element stands right in these, and they in a file.
func (t *xarTOC) under(names ...string) bool {
	at := len(t.path) - 2 - len(names)
	if at < 0 || len(t.open) == 0 || t.path[at] != "file" {
		return false
	}
	for i, name := range names {
		if t.path[at+1+i] != name {
			return false
		}
	}
	return true
}

// property takes one property of a file. The first counts, as it does for
// xar(1), should it stand there twice.
func (t *xarTOC) property(f *xarFile, name string) {
	switch {
	case name == "name" && f.name == "":
		f.name = t.decoded()
	case name == "type" && f.kind == "":
		f.kind = strings.TrimSpace(string(t.text))
	case name == "link" && f.target == "":
		f.target = t.decoded()
	}
}

// storage takes one property of where and how a content is stored.
func (t *xarTOC) storage(f *xarFile, name string) {
	n, err := strconv.ParseInt(string(bytes.TrimSpace(t.text)), 10, 64)
	if err != nil || n < 0 {
		n = math.MaxInt64 // lies outside of every package
	}
	switch {
	case name == "offset" && f.offset == 0:
		f.offset = n
	case name == "length" && !f.stored:
		f.length, f.stored = n, true
	case name == "size" && f.size < 0:
		f.size = n
	}
}

// decoded is the text, which is in base64 if it cannot stand in XML.
func (t *xarTOC) decoded() string {
	text := t.text
	if t.base64 {
		if plain, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text))); err == nil {
			text = plain
		}
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}

// xmlAttr is the value of an attribute, or "".
func xmlAttr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
