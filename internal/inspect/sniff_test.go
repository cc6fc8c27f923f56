package inspect

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"howett.net/plist"

	"meetguard"
)

func TestSniff(t *testing.T) {
	html := "<!DOCTYPE html>\n<html><body>Join</body></html>"
	desktop := "[Desktop Entry]\nType=Application\nName=Zoom\n"
	url := "[InternetShortcut]\r\nURL=https://zoom.invalid/\r\n"
	webloc := encodePlist(t, map[string]string{"URL": "https://zoom.invalid/"}, plist.XMLFormat)
	tarred := makeTar(t, "setup.sh", "exit 0\n")
	v7 := tarV7(tarred)
	iso := padded("", 40_000, 32769, "CD001")
	udf := padded("", 40_000, 32769, "BEA01")
	rawDMG := padded("ER\x02\x00", 4096, 512, "PM")
	udif := padded("BZh91AY&SY", 4096, 4096-512, "koly\x00\x00\x00\x04")
	msi := readFile(t, "testdata/lure.msi")

	for _, c := range []struct {
		test, name string
		data       []byte
		want       meetguard.Format
	}{
		{"empty", "a", nil, "other"},
		{"one byte", "a", []byte("M"), "other"},
		{"text", "notes.txt", []byte("Join the meeting at noon.\n"), "other"},

		{"PE", "a", makePE(nil), "pe"},
		{"PE named as text", "a.txt", makePE(nil), "pe"},
		{"MZ without PE", "a.exe", padded("MZ", 4096, 0x3c, "\x80\x00\x00\x00"), "other"},
		{"MZ with PE behind the end", "a.exe", padded("MZ", 64, 0x3c, "\x3e\x00\x00\x00"), "other"},
		{"MZ with an offset that wraps", "a.exe", padded("MZ", 64, 0x3c, "\xff\xff\xff\xff"), "other"},
		{"text that begins with MZ", "a", []byte("MZ is a magic number"), "other"},
		{"PE with the trailer of a DMG", "a.dmg", append(makePE(nil), padded("koly\x00\x00\x00\x04", 512, 0, "")...), "pe"},
		{"ELF", "a", []byte("\x7fELF\x02\x01\x01"), "elf"},

		{"Mach-O 64", "a", makeMachO(binary.LittleEndian, true, nil), "macho"},
		{"Mach-O 32 big-endian", "a", makeMachO(binary.BigEndian, false, nil), "macho"},
		{"Mach-O without a file type", "a", padded("\xcf\xfa\xed\xfe", 64, 0, ""), "other"},
		{"fat Mach-O", "a", makeFat(false, makeMachO(binary.LittleEndian, true, nil)), "macho"},
		{"fat Mach-O, 64-bit offsets", "a", makeFat(true, makeMachO(binary.LittleEndian, true, nil)), "macho"},
		{"Java 8 class", "A.class", padded("\xca\xfe\xba\xbe\x00\x00\x00\x34", 4096, 0, ""), "other"},
		{"Java class of a version like a count", "A.class", padded("\xca\xfe\xba\xbe\x00\x00\x00\x02", 4096, 0, ""), "other"},
		{"fat of slices that are none", "a", makeFat(false, []byte("!<arch>\n")), "other"},

		{"MSI", "a", msi, "msi"},
		{"MSI by its tables", "a", swapped(msi, classPackage, strings.Repeat("\x00", 16)), "msi"},
		{"MSP", "a.msp", swapped(msi, classPackage, classPatch), "msi"},
		{"old document", "a.doc", makeCompound(9, named("WordDocument", make([]byte, 5000))), "other"},
		{"compound file of nothing", "a.msi", []byte(cfbMagic), "other"},

		{"zip", "a", makeZip(t, "setup.exe", "MZ"), "zip"},
		{"empty zip", "a", padded("PK\x05\x06", 22, 0, ""), "zip"},
		{"zip behind other bytes", "a", append([]byte("junk\n"), makeZip(t, "setup.exe", "MZ")...), "zip"},
		{"zip between other bytes", "a.zip", commented(makeZip(t, "setup.exe", "MZ")), "zip"},
		{"zip between other bytes, of another name", "a.txt", commented(makeZip(t, "setup.exe", "MZ")), "other"},
		{"text named zip", "a.zip", []byte("not an archive"), "other"},
		{"zip cut short", "a", makeZip(t, "setup.exe", "MZ")[:40], "zip"},
		{"MSIX", "a", makeZip(t, "x.txt", "", "AppxManifest.xml", "<Package/>"), "msix"},
		{"MSIX bundle", "a", makeZip(t, "AppxMetadata/AppxBundleManifest.xml", "<Bundle/>"), "msix"},
		{"MSIX manifest in a folder", "a", makeZip(t, "x/AppxManifest.xml", "<Package/>"), "zip"},
		{"MSIX in zip64", "a", makeZip64("AppxManifest.xml", "<Package/>"), "msix"},

		{"DMG by its trailer", "a", udif, "dmg"},
		{"DMG, encrypted", "a", padded("encrcdsa", 1024, 0, ""), "dmg"},
		{"DMG, raw", "Zoom.DMG", rawDMG, "dmg"},
		{"raw image of another name", "disk.img", rawDMG, "other"},
		{"DMG that is text", "a.dmg", []byte("not an image"), "other"},
		{"flat package", "a", []byte("xar!\x00\x1c"), "pkg"},

		{"tar", "a", tarred, "tar"},
		{"tar of Version 7", "a", v7, "tar"},
		{"tar with a wrong checksum", "a", swapped(tarred, "setup.sh", "setup.py"), "other"},
		{"ustar in a text", "a", padded(strings.Repeat("x", 257), 1024, 257, "ustar"), "other"},
		{"tar.gz", "a", gzipped(t, tarred), "tar"},
		{"gz", "a.gz", gzipped(t, []byte(html)), "other"},
		{"gz named tar.gz", "a.tar.gz", gzipped(t, []byte(html)), "other"},
		{"gz of empty blocks", "a.tgz", emptyBlocks(1 << 20), "other"},
		{"tar.xz", "a.tar.xz", []byte("\xfd7zXZ\x00\x00\x04"), "tar"},
		{"xz", "a.xz", []byte("\xfd7zXZ\x00\x00\x04"), "other"},
		{"TBZ2", "A.TBZ2", []byte("BZh91AY&SY\x00\x00"), "tar"},
		{"bz2", "a.bz2", []byte("BZh91AY&SY\x00\x00"), "other"},
		{"text that begins with BZh", "a.tbz2", []byte("BZh is not enough"), "other"},
		{"tar.zst", "a.tar.zst", []byte("\x28\xb5\x2f\xfd"), "tar"},
		{"zst", "a.zst", []byte("\x28\xb5\x2f\xfd"), "other"},
		{"ISO", "a", iso, "iso"},
		{"UDF", "a", udf, "iso"},
		{"ISO that boots", "a", append([]byte("MZ"), iso[2:]...), "iso"},
		{"CAB", "a", []byte("MSCF\x00\x00\x00\x00"), "cab"},
		{"deb", "a", []byte("!<arch>\ndebian-binary   "), "deb"},
		{"static library", "a.a", []byte("!<arch>\nfoo.o/          "), "other"},
		{"RPM", "a", []byte("\xed\xab\xee\xdb\x03\x00"), "rpm"},
		{"7z", "a", []byte("7z\xbc\xaf\x27\x1c\x00\x04"), "7z"},
		{"RAR 4", "a", []byte("Rar!\x1a\x07\x00"), "rar"},
		{"RAR 5", "a", []byte("Rar!\x1a\x07\x01\x00"), "rar"},

		{"script", "a", []byte("#!/bin/sh\nexit 0\n"), "script"},
		{"script of env", "a", []byte("#! /usr/bin/env python3\n"), "script"},
		{"Rust attribute", "a.rs", []byte("#![feature(x)]\n"), "other"},
		{"hash-bang of nothing", "a", []byte("#!\n"), "other"},
		{"compiled AppleScript", "a", []byte("FasdUAS 1.101.10"), "applescript-compiled"},

		{"shell link", "a", padded(lnkHead, 76, 0, ""), "shortcut"},
		{"shell link of another class", "a.lnk", padded("\x4c\x00\x00\x00", 76, 0, ""), "other"},
		{"URL", "a", []byte(url), "shortcut"},
		{"URL in UTF-16", "a", utf16File(binary.LittleEndian, url), "shortcut"},
		{"URL behind another section", "a", []byte("[{000214A0-0000-0000-C000-000000000046}]\r\nProp3=19,2\r\n" + url), "shortcut"},
		{"URL behind junk", "a.url", []byte("junk\r\n" + url), "shortcut"},
		{"text with a URL section in it", "a.txt", []byte("How to:\r\n" + url), "other"},
		{"other INI", "a.ini", []byte("[section]\r\nkey=value\r\n"), "other"},
		{"desktop entry", "a", []byte(desktop), "shortcut"},
		{"desktop entry with comments", "a", []byte("#!/usr/bin/env xdg-open\n\n# Zoom\n" + desktop), "shortcut"},
		{"desktop entry that is not the first group", "a", []byte("[Other]\na=b\n" + desktop), "other"},
		{"webloc", "Join.webloc", webloc, "shortcut"},
		{"binary fileloc", "Join.fileloc", encodePlist(t, map[string]string{"URL": "file:///x"}, plist.BinaryFormat), "shortcut"},
		{"webloc of another name", "Info.plist", webloc, "other"},
		{"webloc without a URL", "a.webloc", encodePlist(t, map[string]string{"x": "y"}, plist.XMLFormat), "other"},

		{"HTML", "a", []byte(html), "html"},
		{"HTML with a mark and space", "a", []byte("\xef\xbb\xbf \r\n\t" + html), "html"},
		{"HTML behind comments", "a", []byte("<!-- saved from url=(0021)https://zoom.invalid/ -->\n<!---->" + strings.ToUpper(html)), "html"},
		{"XHTML", "a", []byte("<?xml version=\"1.0\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\">"), "html"},
		{"HTML in UTF-16", "a", utf16File(binary.BigEndian, html), "html"},
		{"doctype of something else", "a", []byte("<!DOCTYPE plist PUBLIC>"), "other"},
		{"tag that begins like html", "a", []byte("<htmlx>"), "other"},
		{"XML", "a.xml", []byte("<?xml version=\"1.0\"?><project/>"), "other"},
		{"text about HTML", "a.md", []byte("Use <html> first"), "other"},
		{"comment alone", "a.md", []byte("<!-- <html> -->\n# Title"), "other"},
		{"fragment", "a.HTM", []byte("<script>location='https://zoom.invalid/'</script>"), "html"},
		{"fragment of another name", "a.vue", []byte("<script>export default {}</script>"), "other"},
		{"HTA", "a.hta", []byte("x\x00\x01<ScRipt language=vbscript>"), "html"},
		{"HTA without a script", "a.hta", []byte("nothing"), "other"},
		{"calendar", "a", []byte("\xef\xbb\xbfBEGIN:VCALENDAR\r\nVERSION:2.0\r\n"), "ics"},
		{"card", "a", []byte("BEGIN:VCARD\r\n"), "other"},
	} {
		t.Run(c.test, func(t *testing.T) {
			if got := Sniff(c.name, c.data); got != c.want {
				t.Errorf("Sniff(%q) = %s, want %s", c.name, got, c.want)
			}
		})
	}
}

// TestSniffThisMachine holds Sniff against files that the test did not make.
func TestSniffThisMachine(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]meetguard.Format{"linux": "elf", "darwin": "macho", "windows": "pe"}[runtime.GOOS]
	if got := Sniff(self, readFile(t, self)); got != want {
		t.Errorf("the test program is %s, want %s", got, want)
	}
	sources, _ := filepath.Glob("*.go")
	for _, source := range sources {
		if got := Sniff(source, readFile(t, source)); got != meetguard.FormatOther {
			t.Errorf("%s is %s", source, got)
		}
	}
}

func TestSniffAllocatesNothing(t *testing.T) {
	text := bytes.Repeat([]byte("Join the meeting at noon.\n"), 4000)
	page := []byte("<!-- x --><!DOCTYPE html><html>")
	archive := makeZip(t, "a", "", "b", "", "AppxManifest.xml", "<Package/>")
	msi := readFile(t, "testdata/lure.msi")
	program := makePE(nil)
	allocs := testing.AllocsPerRun(100, func() {
		Sniff("notes.txt", text)
		Sniff("a.html", page)
		Sniff("a.msix", archive)
		Sniff("a.msi", msi)
		Sniff("a.exe", program)
	})
	if allocs != 0 {
		t.Errorf("Sniff allocates %v times", allocs)
	}
}

func BenchmarkSniffText(b *testing.B) {
	text := bytes.Repeat([]byte("Join the meeting at noon.\n"), 4000)
	for b.Loop() {
		Sniff("notes.txt", text)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// padded is size bytes that begin with head and hold mark at off.
func padded(head string, size, off int, mark string) []byte {
	b := make([]byte, size)
	copy(b, head)
	copy(b[off:], mark)
	return b
}

// swapped is a copy of data with the first old replaced by one as long.
func swapped(data []byte, old, replacement string) []byte {
	if len(old) != len(replacement) || !bytes.Contains(data, []byte(old)) {
		panic("nothing to swap")
	}
	return bytes.Replace(data, []byte(old), []byte(replacement), 1)
}

// commented puts text in front of a zip and a comment behind it.
func commented(archive []byte) []byte {
	b := append([]byte("in front of it"), archive...)
	b[len(b)-2] = byte(len("comment"))
	return append(b, "comment"...)
}

func utf16File(order binary.ByteOrder, text string) []byte {
	return utf16Bytes(order, "\ufeff"+text)
}

func utf16Bytes(order binary.ByteOrder, text string) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = append(b, 0, 0)
		order.PutUint16(b[len(b)-2:], unit)
	}
	return b
}

func encodePlist(t testing.TB, value any, format int) []byte {
	t.Helper()
	b, err := plist.Marshal(value, format)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func makeTar(t testing.TB, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tarV7 takes what POSIX added out of the first header and sums it up anew.
func tarV7(posix []byte) []byte {
	b := bytes.Clone(posix)
	clear(b[257:512])
	copy(b[148:156], "        ")
	sum := 0
	for _, c := range b[:512] {
		sum += int(c)
	}
	copy(b[148:156], []byte{'0' + byte(sum>>15&7), '0' + byte(sum>>12&7), '0' + byte(sum>>9&7), '0' + byte(sum>>6&7), '0' + byte(sum>>3&7), '0' + byte(sum&7), 0, ' '})
	return b
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// emptyBlocks is a gzip stream of size bytes that never gives any output.
func emptyBlocks(size int) []byte {
	b := []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")
	for len(b) < size {
		b = append(b, 0, 0, 0, 0xff, 0xff)
	}
	return b
}
