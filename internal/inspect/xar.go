package inspect

import (
	"bytes"
	"compress/bzip2"
	"compress/zlib"
	"io"
	"strconv"
	"strings"

	"meetguard"
)

const maxXarFiles = 8 // documents of one package that are read

// xarClaims reads a flat installer package: the ids and titles in Distribution
// and PackageInfo, and the names of the component packages.
//
// A xar file (the man page of xar(1) and Apple's source) is a header, a table of
// contents in compressed XML, and a heap that the table points into.
func xarClaims(data []byte, c *collector) error {
	v := big(data)
	head, packed := uint64(v.u16(4)), v.u64(8)
	toc := v.cut(head, packed)
	if v.short || packed > maxXML {
		return malformed("table of contents is too large or outside the file")
	}
	r, err := zlib.NewReader(bytes.NewReader(toc))
	if err != nil {
		return malformed("table of contents is malformed")
	}
	table, err := readLimited(r, maxXML)
	if err != nil {
		return err
	}
	files, err := c.xarFiles(table)
	heap := head + packed
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.name, ".pkg"); ok {
			c.claim(meetguard.ClaimPackageName, name)
		}
		if f.isInfo() {
			c.gap(f.name+" of the package", f.claims(v, heap, c))
		}
	}
	return err
}

// xarFile is a file in the table of contents.
type xarFile struct {
	name, encoding string
	offset, length uint64 // in the heap
}

// isInfo tells the documents that hold names.
func (f *xarFile) isInfo() bool { return f.name == "Distribution" || f.name == "PackageInfo" }

// xarFiles lists the component packages and the documents that hold names. A
// file is nested in its folder; its children come before its own end, so the
// parts of files that are open wait on a stack.
func (c *collector) xarFiles(table []byte) ([]xarFile, error) {
	var files []xarFile
	var open [maxDepth + 1]xarFile // by depth of the file element
	infos := 0
	err := c.walkXML(table, func(e element) {
		depth := len(e.path)
		last := e.path[depth-1]
		switch {
		case last == "file":
			f := open[depth]
			open[depth] = xarFile{}
			if f.isInfo() {
				infos++
			}
			if (f.isInfo() && infos <= maxXarFiles) || strings.HasSuffix(f.name, ".pkg") {
				files = append(files, f)
			}
		case depth >= 2 && e.path[depth-2] == "file" && last == "name":
			open[depth-1].name = string(e.text)
		case depth >= 3 && e.path[depth-3] == "file" && e.path[depth-2] == "data":
			open[depth-2].data(last, e)
		}
	})
	if err == nil && infos > maxXarFiles {
		err = malformed("more documents than are read")
	}
	return files, err
}

// data takes in one property of where and how the content is stored.
func (f *xarFile) data(property string, e element) {
	switch property {
	case "offset":
		f.offset, _ = strconv.ParseUint(string(e.text), 10, 62)
	case "length":
		f.length, _ = strconv.ParseUint(string(e.text), 10, 62)
	case "encoding":
		f.encoding = e.attr("style")
	}
}

// claims reads the names in one document.
func (f *xarFile) claims(v *view, heap uint64, c *collector) error {
	packed := v.cut(heap+f.offset, f.length)
	if packed == nil {
		return malformed("content lies outside the file")
	}
	if f.length > maxXML {
		return malformed("content is too large")
	}
	document, err := f.open(packed)
	if err != nil {
		return err
	}
	return c.walkXML(document, func(e element) {
		switch last := e.path[len(e.path)-1]; {
		case last == "title":
			c.claim(meetguard.ClaimPKGTitle, string(e.text))
		case last == "pkg-ref" || last == "product":
			c.claim(meetguard.ClaimPKGID, e.attr("id"))
		case e.is("pkg-info"):
			c.claim(meetguard.ClaimPKGID, e.attr("identifier"))
		case last == "bundle":
			c.claim(meetguard.ClaimBundleID, e.attr("CFBundleIdentifier"))
			c.claim(meetguard.ClaimBundleID, e.attr("id"))
		}
	})
}

// open decompresses the content. What xar calls gzip is zlib.
func (f *xarFile) open(packed []byte) ([]byte, error) {
	var r io.Reader = bytes.NewReader(packed)
	switch f.encoding {
	case "application/octet-stream", "":
	case "application/x-gzip":
		zr, err := zlib.NewReader(r)
		if err != nil {
			return nil, malformed("content is damaged")
		}
		r = zr
	case "application/x-bzip2":
		r = bzip2.NewReader(r)
	default:
		return nil, malformed("content is compressed in an unusual way")
	}
	return readLimited(r, maxXML)
}
