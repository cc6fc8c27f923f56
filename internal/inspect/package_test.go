package inspect

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"meetguard"
)

const control = "Package: zoom\nVersion: 6.2\nMaintainer: Zoom Linux <nobody@example.invalid>\nDescription: Zoom Workplace\n Package: not this\n .\n more\n"

func TestDebClaims(t *testing.T) {
	want := []string{"package name: zoom", "package name: Zoom Linux <nobody@example.invalid>", "package name: Zoom Workplace"}
	archive := makeTar(t, "./control", control)
	for name, packed := range map[string][]byte{
		"control.tar":     archive,
		"control.tar.gz":  gzipped(t, archive),
		"control.tar.xz":  xzipped(t, archive, 8<<20),
		"control.tar.zst": zstded(t, archive),
	} {
		t.Run(name, func(t *testing.T) {
			wantClaims(t, meetguard.FormatDeb, makeAr("debian-binary", "2.0\n", name, string(packed), "data.tar", ""), want)
		})
	}
}

func TestDebDamage(t *testing.T) {
	archive := makeTar(t, "./control", control)
	for _, c := range []struct {
		test   string
		data   []byte
		reason string
	}{
		{"no control", makeAr("debian-binary", "2.0\n"), "missing"},
		{"control in another place", makeAr("debian-binary", "2.0\n", "control.tar", string(makeTar(t, "x/control", control))), "no control file"},
		{"cut short", makeAr("control.tar", string(archive))[:200], "outside the file"},
		{"size that is none", swapped(makeAr("control.tar", string(archive)), "2048 ", "-1   "), "ar archive is malformed"},
		{"size beyond the file", swapped(makeAr("control.tar", string(archive)), "2048 ", "99999"), "outside the file"},
		{"gzip that is none", makeAr("control.tar.gz", string(archive)), "gzip stream is malformed"},
		{"xz that is none", makeAr("control.tar.xz", string(archive)), "xz stream is malformed"},
		{"unknown compression", makeAr("control.tar.lzma", string(archive)), "unusual"},
		{"window of 64 MiB", makeAr("control.tar.xz", string(xzipped(t, archive, 64<<20))), "asks for too much memory"},
		{"control that is too large", makeAr("control.tar.gz", string(gzipped(t, makeTar(t, "control", strings.Repeat("x", 3<<20))))), "too large"},
		{"many files", makeAr("control.tar", string(manyFiles(t))), "too many files"},
	} {
		t.Run(c.test, func(t *testing.T) {
			claims, gaps := Claims(meetguard.FormatDeb, c.data)
			if len(claims) > 0 {
				t.Errorf("claims %v", claims)
			}
			wantGap(t, gaps, c.reason)
		})
	}
}

func TestRPMClaims(t *testing.T) {
	good := makeRPM(map[uint32]string{1000: "zoom", 1001: "6.2", 1004: "Zoom Workplace", 1011: "Zoom Communications, Inc."})
	wantClaims(t, meetguard.FormatRPM, good, []string{"package name: zoom", "package name: Zoom Workplace", "package name: Zoom Communications, Inc."})
	header := bytes.LastIndex(good, []byte(rpmHeader))
	for _, c := range []struct {
		test   string
		data   []byte
		reason string
	}{
		{"cut short", good[:len(good)-10], "outside the file"},
		{"lead alone", good[:96], "magic is wrong"},
		{"too many tags", patched(good, header+8, 1<<20), "more tags"},
		{"data of 4 GiB", patched(good, header+12, 0xffffffff), "outside the file"},
		{"signature of 4 GiB", patched(good, 96+12, 0xffffffff), "outside the file"},
	} {
		t.Run(c.test, func(t *testing.T) {
			claims, gaps := Claims(meetguard.FormatRPM, c.data)
			if len(claims) > 0 {
				t.Errorf("claims %v", claims)
			}
			wantGap(t, gaps, c.reason)
		})
	}
	wantClaims(t, meetguard.FormatRPM, patched(good, header+16+8, 0xffffff), // the first tag points outside
		[]string{"package name: Zoom Workplace", "package name: Zoom Communications, Inc."})
}

func TestXarClaims(t *testing.T) {
	distribution := `<installer-gui-script><title>Zoom &amp; Friends</title><pkg-ref id="us.zoom.pkg.videomeeting"/><product id="us.zoom" version="1"/></installer-gui-script>`
	info := `<pkg-info identifier="us.zoom.pkg"><bundle-version><bundle id="us.zoom.xos" CFBundleVersion="1"/></bundle-version></pkg-info>`
	good := makeXar(distribution, info)
	wantClaims(t, meetguard.FormatPKG, good, []string{
		"PKG title: Zoom & Friends", "PKG identifier: us.zoom.pkg.videomeeting", "PKG identifier: us.zoom",
		"Info.plist CFBundleIdentifier: us.zoom.xos", "PKG identifier: us.zoom.pkg", "package name: zoomus"})
	for _, c := range []struct {
		test   string
		data   []byte
		reason string
	}{
		{"cut short", good[:60], "outside the file"},
		{"cut in the heap", good[:len(good)-20], "outside the file"},
		{"table that is none", append([]byte("xar!\x00\x1c\x00\x01\x00\x00\x00\x00\x00\x00\x00\x10"), make([]byte, 100)...), "malformed"},
		{"table of 3 MiB", xarOf([]byte(strings.Repeat(" ", 3<<20)), nil), "too large"},
		{"not XML", xarOf([]byte("<xar><toc>"), nil), "malformed"},
	} {
		t.Run(c.test, func(t *testing.T) {
			_, gaps := Claims(meetguard.FormatPKG, c.data)
			wantGap(t, gaps, c.reason)
		})
	}
}

func TestMSIXClaims(t *testing.T) {
	manifest := `<?xml version="1.0"?><Package xmlns="x" xmlns:uap="y"><Identity Name="MSTeams.Lure" Publisher="CN=x"/>` +
		`<Properties><DisplayName>Microsoft Teams</DisplayName><PublisherDisplayName>Microsoft</PublisherDisplayName></Properties>` +
		`<Applications><Application Id="a"><uap:VisualElements DisplayName="Teams (work)"/></Application></Applications></Package>`
	want := []string{"MSIX Identity Name: MSTeams.Lure", "MSIX DisplayName: Microsoft Teams", "MSIX DisplayName: Microsoft", "MSIX DisplayName: Teams (work)"}
	wantClaims(t, meetguard.FormatMSIX, makeZip(t, "x", "y", "AppxManifest.xml", manifest), want)
	wantClaims(t, meetguard.FormatMSIX, append([]byte("in front"), makeZip(t, "AppxManifest.xml", manifest)...), want)
	wantClaims(t, meetguard.FormatMSIX, makeZip64("AppxManifest.xml", manifest), want)
	wantClaims(t, meetguard.FormatMSIX, makeZip(t, "AppxMetadata/AppxBundleManifest.xml", `<Bundle><Identity Name="Zoom.Bundle"/></Bundle>`),
		[]string{"MSIX Identity Name: Zoom.Bundle"})
	wantClaims(t, meetguard.FormatMSIX, makeZip(t, "AppxManifest.xml", `<Package><Properties><DisplayName>ms-resource:AppName</DisplayName></Properties></Package>`), nil)
}

func makeAr(members ...string) []byte {
	b := []byte("!<arch>\n")
	for i := 0; i < len(members); i += 2 {
		b = fmt.Appendf(b, "%-16s%-12s%-6s%-6s%-8s%-10d`\n%s", members[i], "0", "0", "0", "100644", len(members[i+1]), members[i+1])
		if len(members[i+1])%2 == 1 {
			b = append(b, '\n')
		}
	}
	return b
}

func xzipped(t testing.TB, data []byte, window int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.WriterConfig{DictCap: window}.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, w, &b, data)
}

func zstded(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, w, &b, data)
}

func closed(t testing.TB, w io.WriteCloser, b *bytes.Buffer, data []byte) []byte {
	t.Helper()
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func manyFiles(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := range maxTarFiles + 1 {
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprint("file", i), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
	}
	return closed(t, w, &b, nil)
}

// patched is a copy of data with a big-endian number written at off.
func patched(data []byte, off int, n uint32) []byte {
	b := bytes.Clone(data)
	binary.BigEndian.PutUint32(b[off:], n)
	return b
}

// makeRPM writes a lead, a signature header without tags that ends unaligned,
// and a header with the tags in the order of their numbers.
func makeRPM(tags map[uint32]string) []byte {
	be := binary.BigEndian
	b := padded(rpmLead, rpmLeadSize, 0, "")
	b = append(b, rpmHeader+"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03abc\x00\x00\x00\x00\x00"...)
	var index, store []byte
	for tag := uint32(1000); tag < 1100; tag++ {
		text, ok := tags[tag]
		if !ok {
			continue
		}
		kind := uint32(6)
		if tag == 1004 {
			kind = 9
		}
		for _, n := range []uint32{tag, kind, uint32(len(store)), 1} {
			index = be.AppendUint32(index, n)
		}
		store = append(store, text+"\x00"...)
	}
	b = append(b, rpmHeader+"\x00\x00\x00\x00"...)
	b = be.AppendUint32(b, uint32(len(tags)))
	b = be.AppendUint32(b, uint32(len(store)))
	return append(append(b, index...), store...)
}

// makeXar writes a package with a distribution, and a component in a folder.
func makeXar(distribution, info string) []byte {
	packed := zlibbed([]byte(distribution))
	toc := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><xar><toc><checksum style="sha1"><offset>0</offset><size>20</size></checksum>
<file id="1"><data><length>%d</length><offset>0</offset><size>%d</size><encoding style="application/x-gzip"/></data><name>Distribution</name></file>
<file id="2"><name>zoomus.pkg</name><type>directory</type>
<file id="3"><name>PackageInfo</name><data><length>%d</length><offset>%d</offset><encoding style="application/octet-stream"/></data></file>
<file id="4"><name>Payload</name><data><length>1</length><offset>0</offset></data></file></file></toc></xar>`,
		len(packed), len(distribution), len(info), len(packed))
	return xarOf([]byte(toc), append(packed, info...))
}

func xarOf(toc, heap []byte) []byte {
	packed := zlibbed(toc)
	b := []byte("xar!\x00\x1c\x00\x01")
	b = binary.BigEndian.AppendUint64(b, uint64(len(packed)))
	b = binary.BigEndian.AppendUint64(b, uint64(len(toc)))
	b = append(b, 0, 0, 0, 1)
	return append(append(b, packed...), heap...)
}

func zlibbed(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// makeZip writes pairs of names and contents.
func makeZip(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, files[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// makeZip64 writes one stored file with every number in the 64-bit fields, as
// the packers of MSIX do.
func makeZip64(name, content string) []byte {
	le := binary.LittleEndian
	u16 := func(b []byte, n ...int) []byte {
		for _, n := range n {
			b = le.AppendUint16(b, uint16(n))
		}
		return b
	}
	u32 := func(b []byte, n ...uint32) []byte {
		for _, n := range n {
			b = le.AppendUint32(b, n)
		}
		return b
	}
	u64 := func(b []byte, n ...int) []byte {
		for _, n := range n {
			b = le.AppendUint64(b, uint64(n))
		}
		return b
	}
	const full = 0xffffffff
	sum := crc32.ChecksumIEEE([]byte(content))
	b := u16([]byte("PK\x03\x04"), 45, 0, 0, 0, 0)
	b = u32(b, sum, uint32(len(content)), uint32(len(content)))
	b = append(u16(b, len(name), 0), name+content...)
	start := len(b)
	b = u16(append(b, "PK\x01\x02"...), 45, 45, 0, 0, 0, 0)
	b = u32(b, sum, full, full)
	b = u16(b, len(name), 28, 0, 0, 0)
	b = append(u32(b, 0, full), name...)
	b = u64(u16(b, 1, 24), len(content), len(content), 0)
	end := len(b)
	b = u64(append(b, "PK\x06\x06"...), 44)
	b = u32(u16(b, 45, 45), 0, 0)
	b = u64(b, 1, 1, end-start, start)
	b = u64(u32(append(b, "PK\x06\x07"...), 0), end)
	b = u32(b, 1)
	b = u16(append(b, "PK\x05\x06"...), 0xffff, 0xffff, 0xffff, 0xffff)
	return u16(u32(b, full, full), 0)
}

func TestMSIXDamage(t *testing.T) {
	const manifest = "<Package><Identity Name='Zoom'/></Package>"
	good := makeZip64("AppxManifest.xml", manifest)
	for _, c := range []struct {
		test   string
		data   []byte
		reason string
	}{
		{"no manifest", makeZip(t, "x", "y"), "missing"},
		{"no directory", good[:100], "missing"},
		{"no local header", swapped(good, "PK\x03\x04", "PK\x03\x05"), "outside the archive"},
		{"content of 4 GiB", swapped(good, "\x2a\x00\x00\x00\x00\x00\x00\x00\x00\x00", "\xff\xff\xff\xff\xff\xff\xff\x7f\x00\x00"), "outside the archive"},
		{"unusual compression", swapped(good, "PK\x01\x02\x2d\x00\x2d\x00\x00\x00\x00", "PK\x01\x02\x2d\x00\x2d\x00\x00\x00\x5d"), "unusual"},
		{"not XML", makeZip(t, "AppxManifest.xml", "<Package"), "malformed"},
		{"bomb", makeZip(t, "AppxManifest.xml", strings.Repeat(" ", 8<<20)), "too large"},
	} {
		t.Run(c.test, func(t *testing.T) {
			claims, gaps := Claims(meetguard.FormatMSIX, c.data)
			if len(claims) > 0 {
				t.Errorf("claims %v", claims)
			}
			wantGap(t, gaps, c.reason)
		})
	}
}
