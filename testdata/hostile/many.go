package hostile

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"meetguard/testdata/specimens"
)

// crowd is how many entries there are: twice as many as are looked at.
const crowd = 100_000

func (k *kit) many() {
	k.over(Many, "files of a zip", "crowd.zip", func() []byte { return zipCrowd(crowd, "%d.exe") }).Slow = true
	k.over(Many, "folders of a zip", "folders.zip", func() []byte { return zipCrowd(crowd, "%d/") }).Slow = true
	k.over(Many, "files of a zip of the same name", "same.zip", func() []byte { return zipCrowd(crowd, "setup.exe%.0d") }).Slow = true
	k.over(Many, "files of a tar", "crowd.tar", func() []byte { return tarCrowd(crowd) }).Slow = true
	k.over(Many, "files of a tar.gz", "crowd.tar.gz", func() []byte { return gzipped(tarCrowd(crowd)) }).Slow = true
	k.over(Many, "files of a package", "crowd.deb", func() []byte { return deb(gzipped(tarCrowd(crowd))) }).Slow = true
	k.add(Many, "parts of a package", "parts.deb", func() []byte {
		return append([]byte("!<arch>\n"), again(fmt.Sprintf("%-16s%-12d%-6d%-6d%-8s%-10d`\n", "data.tar", 0, 0, 0, "100644", 0), crowd)...)
	})
	k.over(Many, "files in the list of a pkg", "crowd.pkg", func() []byte {
		return xar(append(again("<file id=\"1\"><name>a.sh</name><type>file</type><data><offset>0</offset><length>9</length><size>9</size></data></file>", crowd), "</toc></xar>"...))
	})
	k.add(Many, "attachments of a mail", "crowd.eml", func() []byte {
		return append([]byte("From: a@zoom.invalid\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"), again("--b\r\nContent-Disposition: attachment; filename=a.exe\r\n\r\nMZ\r\n", crowd)...)
	})
	k.add(Many, "header lines of a mail", "lines.eml", func() []byte {
		return append([]byte("From: a@zoom.invalid\r\n"), again("Received: from zoom.invalid\r\n", crowd)...)
	})
	k.add(Many, "sections of a program", "sections.exe", func() []byte { return sections(0xffff) })
	k.add(Many, "resources of a program", "resources.exe", func() []byte { return resources(crowd) })
	k.add(Many, "strings of a program's version", "version.exe", versions)
	k.add(Many, "sections of an ELF", "sections.elf", func() []byte { return elf(0xfffe, 64) })
	k.add(Many, "segments of an ELF", "segments.elf", func() []byte { return elf(0, 0xfffe) })
	k.add(Many, "load commands of a Mach-O", "commands", func() []byte { return commands(crowd) })
	k.add(Many, "processors of a fat Mach-O", "fat", func() []byte { return fat(crowd, 4096) })
	k.add(Many, "keys of a property list", "keys.plist", func() []byte {
		return append(append([]byte("<plist version=\"1.0\"><dict>"), again("<key>CFBundleName</key><string>Zoom</string>", crowd)...), "</dict></plist>"...)
	})
	k.add(Many, "tags of an rpm", "tags.rpm", func() []byte { return rpm(crowd) })
	k.add(Many, "files of a cabinet", "crowd.cab", func() []byte { return cab(0xffff) })
	k.add(Many, "files of an image", "crowd.iso", func() []byte { return crowdISO() })
	k.add(Many, "links of a page", "links.html", func() []byte { return again("<a href=\"https://zoom.invalid/j/1\">Zoom</a>\n", crowd) })
	k.add(Many, "scripts of a page", "scripts.html", func() []byte { return again("<script>navigator.clipboard.writeText('a')</script>\n", crowd) })
	k.add(Many, "events of a calendar", "events.ics", func() []byte {
		return append([]byte("BEGIN:VCALENDAR\r\n"), again("BEGIN:VEVENT\r\nSUMMARY:Zoom\r\nURL:https://zoom.invalid\r\nEND:VEVENT\r\n", crowd)...)
	})
	k.add(Many, "groups of a desktop entry", "groups.desktop", func() []byte { return again("[Desktop Entry]\nName=Zoom\nExec=sh -c curl\n", crowd) })
	k.add(Many, "objects of a PDF", "objects.pdf", func() []byte {
		return append([]byte("%PDF-1.7\n"), again("1 0 obj<</S/URI/URI(https://zoom.invalid)>>endobj\n", crowd)...)
	})
	k.add(Many, "icons of a shortcut", "strings.lnk", func() []byte { return append(bytes.Clone(specimens.Bare()["lnk"]), again("\xff\x7f", 1<<20)...) })
	k.add(Many, "pieces of a notebook", "pieces.one", func() []byte { return notebook(crowd/10, []byte("MZ")) })
	k.add(Many, "blocks of an image", "blocks.dmg", func() []byte { return dmgRuns(crowd) })
}

func zipCrowd(n int, name string) []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := range n {
		f, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf(name, i)})
		if err != nil {
			panic(err)
		}
		if !strings.HasSuffix(name, "/") {
			f.Write([]byte("MZ"))
		}
	}
	w.Close()
	return buf.Bytes()
}

func tarCrowd(n int) []byte {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i := range n {
		w.WriteHeader(&tar.Header{Name: fmt.Sprintf("%d.sh", i), Mode: 0o755, Size: 1, Typeflag: tar.TypeReg})
		w.Write([]byte("#"))
	}
	w.Close()
	return buf.Bytes()
}

// deb is a Debian package with data that is packed already.
func deb(data []byte) []byte {
	out := []byte("!<arch>\n")
	for _, m := range []struct {
		name string
		data []byte
	}{{"debian-binary", []byte("2.0\n")}, {"control.tar.gz", gzipped(tarOf(1, 512))}, {"data.tar.gz", data}} {
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.name, 0, 0, 0, "100644", len(m.data))
		if out = append(out, m.data...); len(m.data)%2 == 1 {
			out = append(out, '\n')
		}
	}
	return out
}

func zlibbed(data []byte) []byte {
	var buf bytes.Buffer
	w := zlib.NewWriter(&buf)
	w.Write(data)
	w.Close()
	return buf.Bytes()
}

func base64Of(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// sections is a program with n section headers.
func sections(n int) []byte {
	data := bytes.Clone(specimens.Bare()["exe"][:0x200])
	coff := int(binary.LittleEndian.Uint32(data[0x3c:])) + 4
	binary.LittleEndian.PutUint16(data[coff+2:], uint16(n))
	head := make([]byte, 40)
	copy(head, ".text\x00\x00\x00\x00\x10\x00\x00\x00\x10\x00\x00\x00\x10\x00\x00\x00\x02")
	return append(data, bytes.Repeat(head, n)...)
}

// resources is a program with n entries in its resource folder, which all lead
// to the same data.
func resources(n int) []byte {
	data := bytes.Clone(specimens.Bare()["exe"])
	le := binary.LittleEndian
	const at = 0x400
	rsrc := make([]byte, 16, 16+8*n)
	le.PutUint16(rsrc[14:], 0xffff)
	for i := range n {
		rsrc = le.AppendUint32(rsrc, uint32(i%24+1))
		rsrc = le.AppendUint32(rsrc, 1<<31) // the folder itself
	}
	opt := int(le.Uint32(data[0x3c:])) + 24
	le.PutUint32(data[opt+116+8*2:], uint32(len(rsrc)))
	table := opt + 240 + 40
	le.PutUint32(data[table+8:], uint32(len(rsrc)))
	le.PutUint32(data[table+16:], uint32(len(rsrc)))
	return append(data[:at], rsrc...)
}

// versions is a program whose version resource says to be as long as possible
// and holds strings of no length.
func versions() []byte {
	data := bytes.Clone(specimens.Bare()["exe"])
	at := bytes.Index(data, []byte("S\x00t\x00r\x00i\x00n\x00g\x00F\x00"))
	for p := at - 6; p+2 < len(data); p += 64 {
		data[p], data[p+1] = 0, 0
	}
	return append(data, again("\x00\x00\x00\x00\x01\x00", crowd)...)
}

// elf is a program with headers that nothing stands behind.
func elf(sections, segments int) []byte {
	le := binary.LittleEndian
	b := []byte("\x7fELF\x02\x01\x01\x00AI\x02\x00\x00\x00\x00\x00") // an AppImage of type 2
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 62)
	b = le.AppendUint32(b, 1)
	b = le.AppendUint64(b, 0x400000)
	b = le.AppendUint64(b, 64)                     // segments
	b = le.AppendUint64(b, uint64(64+56*segments)) // sections
	b = le.AppendUint32(b, 0)
	for _, v := range []int{64, 56, segments, 64, sections, 1} {
		b = le.AppendUint16(b, uint16(v))
	}
	b = append(b, make([]byte, 56*segments+64*sections)...)
	return append(b, "hsqs\xff\xff\xff\xff"...)
}

// commands is a Mach-O with n load commands of the least length.
func commands(n int) []byte {
	data := bytes.Clone(specimens.Bare()["macho"][:32])
	le := binary.LittleEndian
	le.PutUint32(data[16:], uint32(n))
	le.PutUint32(data[20:], uint32(8*n))
	return append(data, bytes.Repeat([]byte{0x1d, 0, 0, 0, 8, 0, 0, 0}, n)...)
}

// rpm is a package with n tags, all of which are the same kilobyte.
func rpm(n int) []byte {
	be := binary.BigEndian
	lead := make([]byte, 96)
	copy(lead, "\xed\xab\xee\xdb\x03\x00")
	header := func(n int) []byte {
		b := []byte("\x8e\xad\xe8\x01\x00\x00\x00\x00")
		b = be.AppendUint32(b, uint32(n))
		b = be.AppendUint32(b, kib)
		for range n {
			for _, v := range []uint32{1000, 6, 0, 1} {
				b = be.AppendUint32(b, v)
			}
		}
		return append(b, fill('a', kib)...)
	}
	return append(append(lead, header(1)...), header(n)...)
}

// cab is a cabinet with n files of nothing.
func cab(n int) []byte {
	le := binary.LittleEndian
	files := bytes.Repeat([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x20\x00a.exe\x00"), n)
	b := []byte("MSCF\x00\x00\x00\x00")
	b = le.AppendUint32(b, uint32(44+len(files)))
	b = append(b, 0, 0, 0, 0)
	b = le.AppendUint32(b, 44)
	b = append(b, 0, 0, 0, 0, 3, 1, 1, 0)
	b = le.AppendUint16(b, uint16(n))
	b = append(b, make([]byte, 6)...)
	b = le.AppendUint32(b, uint32(44+len(files)))
	return append(append(b, 0, 0, 0, 0), files...)
}

// crowdISO is an image whose root says to be as large as can be.
func crowdISO() []byte {
	data := bytes.Clone(specimens.Box("iso", "A.EXE", []byte("MZ")))
	for _, at := range []int{16*2048 + 156, 17*2048 + 156} {
		binary.LittleEndian.PutUint32(data[at+10:], 0xffffffff)
		binary.BigEndian.PutUint32(data[at+14:], 0xffffffff)
	}
	return data
}

// notebook is a OneNote section ([MS-ONESTORE]) with n embedded files
// (FileDataStoreObject, 2.6.13).
func notebook(n int, data []byte) []byte {
	out := append(unhex("e4525c7b8cd8a74daeb15378d02996d3"), make([]byte, 1008)...)
	object := append(unhex("e716e3bd65261145a4c48d4d0b7a9eac"), binary.LittleEndian.AppendUint64(nil, uint64(len(data)))...)
	object = append(append(object, make([]byte, 12)...), data...)
	return append(out, bytes.Repeat(object, n)...)
}

// dmgRuns is an image whose table has n runs of nothing that are large.
func dmgRuns(n int) []byte {
	be := binary.BigEndian
	table := append([]byte("mish\x00\x00\x00\x01"), make([]byte, 192)...)
	table = be.AppendUint32(table, uint32(n))
	for i := range n {
		table = be.AppendUint32(table, 2) // zeros
		table = be.AppendUint32(table, 0)
		for _, v := range []uint64{uint64(i) << 20, 1 << 20, 0, 0} {
			table = be.AppendUint64(table, v)
		}
	}
	plist := []byte("<plist version=\"1.0\"><dict><key>resource-fork</key><dict><key>blkx</key><array><dict><key>Data</key><data>" + base64Of(table) +
		"</data><key>ID</key><string>0</string><key>Name</key><string>(Apple_HFS : 0)</string></dict></array></dict></dict></plist>")
	whole := specimens.Box("dmg", "a", []byte("a"))
	tail := bytes.Clone(whole[len(whole)-512:])
	be.PutUint64(tail[216:], 0)
	be.PutUint64(tail[224:], uint64(len(plist)))
	return append(plist, tail...)
}
