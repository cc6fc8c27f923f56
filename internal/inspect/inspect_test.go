package inspect

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"meetguard"
)

func TestFileNameClaim(t *testing.T) {
	for path, want := range map[string]string{
		"/home/a/Downloads/Zoom.deb":     "Zoom.deb",
		`C:\Users\a\Downloads\Zoom.exe`:  "Zoom.exe",
		"/home/a/Zoom.app/":              "Zoom.app",
		"Zoom.exe":                       "Zoom.exe",
		"/":                              "",
		"/x/Zoom\u202efdp.exe":           "Zoom\u202efdp.exe",
		"/x/Z\xffm":                      "Z\ufffdm",
		"/x/" + strings.Repeat("会", 200): strings.Repeat("会", maxClaimText/3),
		"/x/ Zoom.exe \t":                "Zoom.exe",
	} {
		got := FileNameClaim(path)
		if got.Text != want || got.Source != meetguard.ClaimFileName {
			t.Errorf("FileNameClaim(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestCleanName(t *testing.T) {
	for _, text := range []string{"\xff", strings.Repeat("\xe4", 9000), strings.Repeat("é", 5000), "a" + strings.Repeat("😀", 5000)} {
		if got := cleanName(text); len(got) > maxClaimText || !utf8.ValidString(got) {
			t.Errorf("cleanName(%.20q) is %d bytes, valid %t", text, len(got), utf8.ValidString(got))
		}
	}
}

// TestFormatsWithoutNames: what carries no names gives neither claims nor gaps.
func TestFormatsWithoutNames(t *testing.T) {
	for _, f := range []meetguard.Format{meetguard.FormatELF, meetguard.FormatZip, meetguard.FormatDMG, meetguard.FormatOther, ""} {
		if claims, gaps := Claims(f, []byte("PK")); claims != nil || gaps != nil {
			t.Errorf("%s: %v %v", f, claims, gaps)
		}
	}
}

// allocated is how many bytes f takes from the heap, freed or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// hostile are files of each format that are made to cost as much as they can.
func hostile(t testing.TB) map[string]struct {
	format meetguard.Format
	data   []byte
} {
	wide := "<plist><dict>" + strings.Repeat("<a/>", maxXML/4-10)
	attributes := "<plist " + strings.Repeat("a='' ", maxXML/5-10) + "/>"
	names := "<x>" + strings.Repeat("<title>Zoom</title>", maxXML/20)
	var slices [][]byte
	for range maxArches {
		slices = append(slices, makeMachO(binary.LittleEndian, true, []byte(wide)))
	}
	var blocks []versionBlock
	for i := range maxVersions {
		var table []byte
		for n := range 1000 {
			table = append(table, versionNodeBytes("ProductName", 1, utf16Bytes(binary.LittleEndian, fmt.Sprint(i, n)))...)
		}
		blocks = append(blocks, versionBlock{language: uint32(i), table: table})
	}
	var infos []string
	for range maxXarFiles {
		infos = append(infos, names)
	}
	return map[string]struct {
		format meetguard.Format
		data   []byte
	}{
		"slices of XML":       {meetguard.FormatMachO, makeFat(false, slices...)},
		"version blocks":      {meetguard.FormatPE, makePE(blocks)},
		"manifest":            {meetguard.FormatMSIX, makeZip(t, "AppxManifest.xml", wide)},
		"attributes":          {meetguard.FormatMSIX, makeZip(t, "AppxManifest.xml", attributes)},
		"documents":           {meetguard.FormatPKG, makeXarOf(infos...)},
		"table of contents":   {meetguard.FormatPKG, xarOf([]byte(wide), nil)},
		"gzip of zeros":       {meetguard.FormatDeb, makeAr("control.tar.gz", string(gzipped(t, make([]byte, 8<<20))))},
		"xz of zeros":         {meetguard.FormatDeb, makeAr("control.tar.xz", string(xzipped(t, make([]byte, 8<<20), 8<<20)))},
		"zstd of zeros":       {meetguard.FormatDeb, makeAr("control.tar.zst", string(zstded(t, make([]byte, 8<<20))))},
		"control of lines":    {meetguard.FormatDeb, makeAr("control.tar", string(makeTar(t, "control", strings.Repeat("Package: a\n", 95_000))))},
		"directory of a zip":  {meetguard.FormatMSIX, manyEntries(100_000)},
		"strings of an MSI":   {meetguard.FormatMSI, hostileMSI()},
		"gzip without output": {meetguard.FormatDeb, makeAr("control.tar.gz", string(emptyBlocks(32<<20)))},
	}
}

// TestHostileMemory: no file costs more than 16 MiB.
func TestHostileMemory(t *testing.T) {
	for name, h := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			if got := allocated(func() { Claims(h.format, h.data) }); got > 16<<20 {
				t.Errorf("%d bytes allocated", got)
			}
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	for name, h := range hostile(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Claims(h.format, h.data)
			}
		})
	}
}

// hostileMSI has a string pool as large as is read, in which every other string
// is a wanted name and every row of the table leads to another value.
func hostileMSI() []byte {
	var lengths, texts, keys, values []byte
	lengths = append(lengths, 0, 0, 0, 0x80)
	for id := 1; len(lengths) < maxPool-8; id++ {
		text := "ProductName"
		if id%2 == 0 {
			text = fmt.Sprint("Zoom ", id)
		}
		lengths = binary.LittleEndian.AppendUint16(lengths, uint16(len(text)))
		lengths = append(lengths, 1, 0)
		texts = append(texts, text...)
		if id%2 == 0 && len(keys) < maxTable/2-3 {
			keys = append(keys, byte(id-1), byte((id-1)>>8), byte((id-1)>>16))
			values = append(values, byte(id), byte(id>>8), byte(id>>16))
		}
	}
	return makeCompound(9, stream{utf16Name("!_StringPool"), lengths}, stream{utf16Name("!_StringData"), texts},
		stream{utf16Name("!Property"), append(keys, values...)})
}

// makeXarOf writes a package with components of which each has a document.
func makeXarOf(infos ...string) []byte {
	var toc, heap bytes.Buffer
	toc.WriteString("<xar><toc>")
	for _, info := range infos {
		packed := zlibbed([]byte(info))
		fmt.Fprintf(&toc, `<file><name>PackageInfo</name><data><length>%d</length><offset>%d</offset><encoding style="application/x-gzip"/></data></file>`, len(packed), heap.Len())
		heap.Write(packed)
	}
	toc.WriteString("</toc></xar>")
	return xarOf(toc.Bytes(), heap.Bytes())
}

// manyEntries is a zip directory of n entries without content.
func manyEntries(n int) []byte {
	le := binary.LittleEndian
	entry := padded("PK\x01\x02", 46+8, 46, "file.txt")
	le.PutUint16(entry[28:], 8)
	b := bytes.Repeat(entry, n)
	end := padded("PK\x05\x06", 22, 0, "")
	le.PutUint16(end[10:], 0xffff)
	le.PutUint32(end[12:], uint32(len(b)))
	return append(b, end...)
}
