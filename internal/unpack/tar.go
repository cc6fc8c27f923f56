package unpack

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// Sizes of what is read of a stream to see what it is, in bytes.
const (
	headSize   = 4 << 10 // unpacked, for Head
	packedHead = 1 << 10 // packed: a decompressor works in blocks of its own size
	tarBlock   = 512
)

// walkTar visits the files of a tar archive, compressed or not. A compressed
// stream that holds no tar is one member, named like the stream without its
// suffix.
func walkTar(data []byte, opt Options, visit Visit) error {
	if IsStream(data) {
		head, err := streamHead(data)
		if err != nil && len(head) == 0 {
			return broken("the compressed stream", err)
		}
		if !isTar(head) {
			return walkSingle(data, head, opt, visit)
		}
	}
	return tarFiles(data, "", opt, visit)
}

// streamHead unpacks the first bytes of a stream, of gzip cheaply.
func streamHead(data []byte) ([]byte, error) {
	head := make([]byte, headSize)
	if hasMagic(data, magicGzip) && len(data) > packedHead {
		if n := readHead(data[:packedHead], head); n >= tarBlock {
			return head[:n], nil
		}
	}
	stream, err := decompress(data)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	n, err := io.ReadFull(stream, head)
	if n > 0 || err == io.EOF {
		err = nil // what is wrong further on is told by who reads on
	}
	return head[:n], err
}

// StreamHead unpacks the first bytes of a compressed stream, at most 4 KiB, of which
// only the beginning is there. It gives none if that is not enough.
func StreamHead(packed []byte) []byte {
	head := make([]byte, headSize)
	return head[:readHead(packed, head)]
}

// readHead unpacks what a part of a gzip stream holds.
func readHead(packed, head []byte) int {
	stream, err := decompress(packed)
	if err != nil {
		return 0
	}
	defer stream.Close()
	n, _ := io.ReadFull(stream, head)
	return n
}

// walkSingle visits the one file that a stream is.
func walkSingle(data, head []byte, opt Options, visit Visit) error {
	if err := opt.Budget.Entry(); err != nil {
		return err
	}
	var stream io.ReadCloser
	defer func() {
		if stream != nil {
			stream.Close()
		}
	}()
	return visit(Member{Name: SingleName(opt.Name), Size: -1,
		Head: func() []byte { return head },
		Open: func() (_ io.Reader, err error) {
			if stream, err = decompress(data); err != nil {
				return nil, err
			}
			return opt.Budget.Reader(stream), nil
		}})
}

// SingleName is what decompressors call the file they make.
func SingleName(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".gz", ".bz2", ".xz", ".zst", ".z":
		if short := strings.TrimSuffix(name, path.Ext(name)); short != "" {
			return short
		}
	}
	return name
}

// tarFiles visits the files of a tar archive with a prefix to their names.
func tarFiles(data []byte, prefix string, opt Options, visit Visit) error {
	stream, err := decompress(data)
	if err != nil {
		return err
	}
	defer stream.Close()
	in := &counted{r: stream, b: opt.Budget}
	files := tar.NewReader(in)
	if !IsStream(data) { // what is skipped of plain bytes costs nothing
		plain := bytes.NewReader(data)
		in.r = plain
		files = tar.NewReader(seekable{in, plain})
	}
	for {
		h, err := files.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return broken("the archive", err)
		}
		if err := opt.Budget.Entry(); err != nil {
			return err
		}
		if err := visitTar(h, prefix, &tarFile{files, in}, visit); err != nil {
			return err
		}
	}
}

type seekable struct {
	*counted
	io.Seeker
}

// visitTar visits one entry. Devices and pipes are nothing to read.
func visitTar(h *tar.Header, prefix string, content io.Reader, visit Visit) error {
	m := Member{Name: prefix + strings.TrimPrefix(strings.ToValidUTF8(h.Name, "\ufffd"), "./"), Size: h.Size,
		Open: func() (io.Reader, error) { return content, nil }}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
		if prefix != "" {
			m.Role = controlRole(prefix, m.Name)
		}
	case tar.TypeDir:
		m.Role, m.Size = RoleFolder, 0
		m.Open = func() (io.Reader, error) { return strings.NewReader(""), nil }
	case tar.TypeSymlink, tar.TypeLink:
		m.Role, m.Size = RoleLink, int64(len(h.Linkname))
		m.Open = func() (io.Reader, error) { return strings.NewReader(h.Linkname), nil }
	default:
		return nil
	}
	return visit(m)
}

// tarFile reads the content of an entry. The holes of a sparse one are not in
// the stream and count as well.
type tarFile struct {
	r      *tar.Reader
	stream *counted
}

func (t *tarFile) Read(p []byte) (int, error) {
	before := t.stream.read
	n, err := t.r.Read(p[:min(len(p), maxRead)])
	if holes := int64(n) - (t.stream.read - before); holes > 0 {
		if over := t.stream.b.Spend(holes); over != nil {
			return 0, over
		}
	}
	if err != nil && err != io.EOF {
		err = broken("the archive", err)
	}
	return n, err
}

// isTar tells a tar by its first header: by the checksum that every tar since
// Version 7 carries, over the header with spaces in place of the checksum
// (POSIX.1-1988, ustar; old programs summed signed bytes).
func isTar(data []byte) bool {
	const at, end = 148, 156
	if len(data) < tarBlock || data[0] == 0 {
		return false
	}
	want, err := strconv.ParseInt(string(bytes.Trim(data[at:end], " \x00")), 8, 64)
	if err != nil {
		return false
	}
	var unsigned, signed int64
	for i, c := range data[:tarBlock] {
		if at <= i && i < end {
			c = ' '
		}
		unsigned += int64(c)
		signed += int64(int8(c))
	}
	return want == unsigned || want == signed
}

// maintainer are the scripts of a Debian package that dpkg runs (deb(5),
// deb-preinst(5) and its neighbours).
var maintainer = map[string]bool{"preinst": true, "postinst": true, "prerm": true, "postrm": true, "config": true}

func controlRole(prefix, name string) string {
	if strings.HasPrefix(prefix, "control.tar") && maintainer[strings.TrimPrefix(name, prefix)] {
		return RoleScript
	}
	return ""
}

// walkDeb visits a Debian package: an ar archive (ar(5)) of tar archives, whose
// files are named like "data.tar.xz/usr/bin/x".
func walkDeb(data []byte, opt Options, visit Visit) error {
	const magic, head = "!<arch>\n", 60
	if !hasMagic(data, magic) {
		return errors.New("it is no ar archive")
	}
	complete := false
	for rest := data[len(magic):]; len(rest) > 0; {
		if len(rest) < head {
			return errors.New("the package is cut short")
		}
		size, err := strconv.ParseUint(strings.TrimRight(string(rest[48:58]), " "), 10, 40)
		if err != nil || string(rest[58:head]) != "`\n" {
			return errors.New("the list of the package's parts is malformed")
		}
		name := strings.TrimRight(string(rest[:16]), "/ ")
		if rest = rest[head:]; size > uint64(len(rest)) {
			return fmt.Errorf("the package is cut short in its part %q", name)
		}
		if err := debPart(name, rest[:size], opt, visit); err != nil {
			return err
		}
		rest = rest[min(uint64(len(rest)), size+size&1):]
		complete = complete || strings.HasPrefix(name, "data.tar")
	}
	if !complete {
		return errors.New("the package is cut short: its files are missing")
	}
	return nil
}

func debPart(name string, body []byte, opt Options, visit Visit) error {
	if err := opt.Budget.Entry(); err != nil {
		return err
	}
	if strings.Contains(name, ".tar") {
		return tarFiles(body, name+"/", opt, visit)
	}
	return visit(Member{Name: strings.ToValidUTF8(name, "\ufffd"), Size: int64(len(body)),
		Open: func() (io.Reader, error) { return opt.Budget.Reader(bytes.NewReader(body)), nil }})
}
