package specimens

import (
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"html"
	"io"
	"strings"
)

// pkgOf makes a flat package as macOS' Installer takes it: a xar archive of
// PackageInfo, Payload and Scripts. A shell script among the entries becomes the
// postinstall script, others lie in the payload, and one that is an AppleScript
// is called by a postinstall script of its own.
func pkgOf(list []entry, id string) []byte {
	var scripts, files []entry
	for _, e := range list {
		switch {
		case isShellText(e.data):
			scripts = append(scripts, entry{"./postinstall", e.data, 0o755})
		case strings.HasSuffix(e.name, ".scpt") || strings.HasSuffix(e.name, ".applescript"):
			scripts = append(scripts, entry{"./update.scpt", e.data, 0o644}, entry{"./postinstall", []byte("#!/bin/sh\nosascript \"$(dirname \"$0\")/update.scpt\"\nexit 0\n"), 0o755})
		default:
			files = append(files, entry{"./" + e.name, e.data, e.mode})
		}
	}
	run := ""
	if len(scripts) > 0 {
		run = `<scripts><postinstall file="./postinstall"/></scripts>`
	}
	info := `<?xml version="1.0" encoding="utf-8"?>` + "\n" + `<pkg-info format-version="2" identifier="` + id + `" version="1.0" install-location="/Applications" auth="root"><payload numberOfFiles="` +
		fmt.Sprint(len(files)+1) + `" installKBytes="1"/>` + run + `</pkg-info>` + "\n"
	parts := []entry{{"PackageInfo", []byte(info), 0o644}, {"Payload", gz(cpioOld(files), ""), 0o644}}
	if len(scripts) > 0 {
		parts = append(parts, entry{"Scripts", gz(cpioOld(scripts), ""), 0o644})
	}
	return xarOf(parts)
}

// cpioOld is the format "odc" of cpio(5), which Apple's packages use.
func cpioOld(list []entry) []byte {
	var out []byte
	add := func(i, mode int, name string, data []byte) {
		out = fmt.Appendf(out, "070707%06o%06o%06o%06o%06o%06o%06o%011o%06o%011o%s\x00", 1, i, mode, 0, 0, 1, 0, 0, len(name)+1, len(data), name)
		out = append(out, data...)
	}
	add(1, 0o40755, ".", nil)
	for i, e := range list {
		add(i+2, 0o100000|int(e.mode), e.name, e.data)
	}
	add(0, 0, "TRAILER!!!", nil)
	return out
}

// xarOf makes a xar archive: a header, a compressed table of contents in XML,
// and the heap, which begins with the table's SHA-1.
func xarOf(list []entry) []byte {
	var toc strings.Builder
	heap := make([]byte, sha1.Size)
	toc.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<xar><toc><checksum style=\"sha1\"><offset>0</offset><size>20</size></checksum>\n")
	for i, e := range list {
		sum := sha1.Sum(e.data)
		fmt.Fprintf(&toc, "<file id=\"%d\"><data><length>%d</length><offset>%d</offset><size>%d</size><encoding style=\"application/octet-stream\"/>"+
			"<archived-checksum style=\"sha1\">%x</archived-checksum><extracted-checksum style=\"sha1\">%x</extracted-checksum></data><type>file</type><name>%s</name></file>\n",
			i+1, len(e.data), len(heap), len(e.data), sum, sum, html.EscapeString(e.name))
		heap = append(heap, e.data...)
	}
	toc.WriteString("</toc></xar>\n")
	packed := zlibOf([]byte(toc.String()))
	sum := sha1.Sum(packed)
	copy(heap, sum[:])
	be := binary.BigEndian
	out := []byte("xar!\x00\x1c\x00\x01")
	out = be.AppendUint64(out, uint64(len(packed)))
	out = be.AppendUint64(out, uint64(toc.Len()))
	out = be.AppendUint32(out, 1) // SHA-1
	return append(append(out, packed...), heap...)
}

func zlibOf(data []byte) []byte {
	return through(data, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
}
