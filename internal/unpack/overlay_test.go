package unpack

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"meetguard"
)

// programKit is what makeProgram makes a PE of.
type programKit struct {
	section     string // name of the second section, and its content
	content     []byte
	resources   []programResource // kinds and names are written as names; "10" as RT_RCDATA
	overlay     []byte
	certificate []byte
}

// makeProgram writes an inert PE32: headers, an empty .text, resources and a
// section.
func makeProgram(k programKit) []byte {
	const align, base = 0x200, 0x1000
	le := binary.LittleEndian
	resources := makeResources(k.resources, 2*base)
	pad := func(b []byte) []byte { return append(b, make([]byte, (align-len(b)%align)%align)...) }
	bodies := [][]byte{pad([]byte{0xc3}), pad(resources), pad(append([]byte(nil), k.content...))}
	names := []string{".text", ".rsrc", k.section}
	header := make([]byte, 0x400)
	copy(header, "MZ")
	le.PutUint32(header[0x3c:], 0x80)
	h := header[0x80:]
	copy(h, "PE\x00\x00\x4c\x01")
	le.PutUint16(h[6:], 3)
	le.PutUint16(h[20:], 224)
	le.PutUint16(h[24:], 0x10b)
	le.PutUint32(h[24+92:], 16)
	le.PutUint32(h[24+96+8*peDirResource:], 2*base)
	le.PutUint32(h[24+96+8*peDirResource+4:], uint32(len(resources)))
	out := header
	for i, body := range bodies {
		s := out[0x80+24+224+40*i:]
		copy(s[:8], names[i])
		le.PutUint32(s[8:], uint32(len(body)))
		le.PutUint32(s[12:], uint32((i+1)*base))
		if i == 2 {
			le.PutUint32(s[12:], 0x4000000)
		}
		le.PutUint32(s[16:], uint32(len(body)))
		le.PutUint32(s[20:], uint32(len(out)))
		out = append(out, body...)
	}
	out = append(out, k.overlay...)
	if len(k.certificate) > 0 {
		le.PutUint32(out[0x80+24+96+8*peDirCertificate:], uint32(len(out)))
		le.PutUint32(out[0x80+24+96+8*peDirCertificate+4:], uint32(len(k.certificate)))
		out = append(out, k.certificate...)
	}
	return out
}

// makeResources writes a directory of resources, one type for each entry.
func makeResources(list []programResource, address uint32) []byte {
	le := binary.LittleEndian
	var out, tail []byte
	node := func(id, to uint32) []byte { // a directory with one entry
		b := make([]byte, 24)
		le.PutUint16(b[12:], 1)
		le.PutUint32(b[16:], id)
		le.PutUint32(b[20:], to)
		return b
	}
	first := 16 + 8*len(list)
	const each = 24 + 24 + 16
	out = make([]byte, first)
	le.PutUint16(out[12:], uint16(len(list)))
	text := first + each*len(list)
	name := func(s string) uint32 {
		if s == "10" || s == "131" || s == "11111" {
			return map[string]uint32{"10": 10, "131": 131, "11111": 11111}[s]
		}
		at := uint32(text+len(tail)) | peSubdirectory
		units := utf16.Encode([]rune(s))
		tail = le.AppendUint16(tail, uint16(len(units)))
		for _, u := range units {
			tail = le.AppendUint16(tail, u)
		}
		return at
	}
	for i, r := range list {
		at := uint32(first + each*i)
		le.PutUint32(out[16+8*i:], name(r.kind))
		le.PutUint32(out[20+8*i:], at|peSubdirectory)
		out = append(out, node(name(r.name), (at+24)|peSubdirectory)...)
		out = append(out, node(1033, at+48)...)
		out = append(out, make([]byte, 16)...)
		le.PutUint32(out[at+48:], address+uint32(text+len(tail)))
		le.PutUint32(out[at+52:], uint32(len(r.data)))
		tail = append(tail, r.data...)
	}
	return append(out, tail...)
}

func makeStubZip(t testing.TB, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// makePyInstaller writes a CArchive with one script and one file.
func makePyInstaller(script, file string) []byte {
	be := binary.BigEndian
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	w.Write([]byte(script))
	w.Close()
	archive := append(packed.Bytes(), file...)
	var toc []byte
	entry := func(at, size, full int, flag, kind byte, name string) {
		toc = be.AppendUint32(toc, uint32(18+len(name)+1))
		toc = be.AppendUint32(toc, uint32(at))
		toc = be.AppendUint32(toc, uint32(size))
		toc = be.AppendUint32(toc, uint32(full))
		toc = append(append(append(toc, flag, kind), name...), 0)
	}
	entry(0, packed.Len(), len(script), 1, 's', "main")
	entry(packed.Len(), len(file), len(file), 0, 'x', `data\readme.txt`)
	entry(0, 0, 0, 0, 'o', "pyi-windows-manifest-filename x")
	out := append(archive, toc...)
	out = append(out, markPyInstaller...)
	out = be.AppendUint32(out, uint32(len(archive)+len(toc)+88))
	out = be.AppendUint32(out, uint32(len(archive)))
	out = be.AppendUint32(out, uint32(len(toc)))
	out = be.AppendUint32(out, 312)
	return append(out, make([]byte, 64)...)
}

// makeBurn writes the section and the overlay of a WiX bundle. The first
// container lies behind the stub, which ends with the sections.
func makeBurn(first, second string) (section, overlay []byte) {
	le := binary.LittleEndian
	stub := 0x400 + 0x200 + 0x200 + 0x200
	section = make([]byte, 56)
	le.PutUint32(section, burnMagic)
	le.PutUint32(section[4:], 2)
	le.PutUint32(section[24:], uint32(stub))
	le.PutUint32(section[40:], 1)
	le.PutUint32(section[44:], 2)
	le.PutUint32(section[48:], uint32(len(first)))
	le.PutUint32(section[52:], uint32(len(second)))
	return section, []byte(first + second)
}

func TestProgramContainers(t *testing.T) {
	const sevenConfig = "\xef\xbb\xbf;!@Install@!UTF-8!\r\nTitle=\"Zoom\"\r\nRunProgram=\"hidcon:nowait:\\\"%%T\\\\a.exe\\\" /q C:\\\\x\"\r\n" +
		"ExecuteFile=\"b.exe\"\r\nExecuteParameters=\"-s\"\r\n;!@InstallEnd@!\r\n"
	inertZip := string(makeStubZip(t, "a.txt", "inert"))
	burn, containers := makeBurn("MSCF first", "MSCF second")
	for _, c := range []struct {
		kind string
		kit  programKit
		want string
		err  error
	}{
		{kind: "", err: ErrUnsupported},
		{kind: "", kit: programKit{overlay: []byte("nothing that is known, and long enough")}, err: ErrUnsupported},
		{kind: "", kit: programKit{certificate: []byte(stubMagic7z + " in the signature is not an overlay")}, err: ErrUnsupported},
		{kind: wrapper7z, kit: programKit{overlay: []byte(sevenConfig + stubMagic7z + "rest")},
			want: "config.cmd|started by the stub|\"\\\"%TEMP%\\\\a.exe\\\" /q C:\\\\x\\nb.exe -s\\n\"\npayload.7z|needed for unpacking|\"7z\\xbc\\xaf'\\x1crest\"\n"},
		{kind: wrapper7z, kit: programKit{overlay: []byte(stubMagic7z + "rest of it"), certificate: []byte("a certificate")},
			want: "payload.7z|needed for unpacking|\"7z\\xbc\\xaf'\\x1crest of it\"\n"},
		{kind: wrapperRar, kit: programKit{overlay: []byte(stubMagicRar + "\x01\x00\x02\x03CMT;x\r\nPath=%TEMP%\r\nSetup=a.exe /q\r\nSilent=1\r\n")},
			want: "setup.cmd|started by the stub|\"a.exe /q\\n\"\npayload.rar|needed for unpacking|\"Rar!\\x1a\\a\\x01\\x00\\x02\\x03CMT;x\\r\\nPath=%TEMP%\\r\\nSetup=a.exe /q\\r\\nSilent=1\\r\\n\"\n"},
		{kind: wrapperCab, kit: programKit{overlay: []byte(stubMagicCab + "x\x00\x00\x00\x00\x00\x00\x00")},
			want: "overlay.cab|behind the program|\"MSCF\\x00\\x00\\x00\\x00x\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"\n"},
		{kind: wrapperZip, kit: programKit{overlay: []byte("padding" + inertZip)}, want: "overlay.zip|behind the program|ZIP\n"},
		{kind: wrapperSquirrel, kit: programKit{resources: []programResource{{"DATA", "131", []byte(inertZip)}}},
			want: "resource/DATA/131.zip|behind the program|ZIP\n"},
		{kind: wrapperMSI, kit: programKit{resources: []programResource{{"10", "MSI", []byte(cfbMagic + "x")}}},
			want: "resource/10/MSI.msi|behind the program|\"\\xd0\\xcf\\x11ࡱ\\x1a\\xe1x\"\n"},
		{kind: wrapperIExpress, kit: programKit{resources: []programResource{
			{"10", "CABINET", []byte("MSCFrest")}, {"10", "RUNPROGRAM", []byte("cmd /c a.bat\x00")}, {"10", "POSTRUNPROGRAM", []byte("<None>\x00")}}},
			want: "RUNPROGRAM.cmd|started by the stub|\"cmd /c a.bat\"\nCABINET.cab|needed for unpacking|\"MSCFrest\"\n"},
		{kind: wrapperPyInstaller, kit: programKit{overlay: makePyInstaller("code", "text"), certificate: []byte("a certificate")},
			want: "main.pyc|started by the stub|\"code\"\ndata/readme.txt||\"text\"\n"},
		{kind: wrapperBurn, kit: programKit{section: ".wixburn", content: burn, overlay: containers},
			want: "container0.cab|needed for unpacking|\"MSCF first\"\ncontainer1.cab|needed for unpacking|\"MSCF second\"\n"},
		{kind: wrapperUPX, kit: programKit{section: "UPX1"}, err: ErrUnsupported},
		{kind: wrapperVMProtect, kit: programKit{section: ".vmp0"}, err: ErrUnsupported},
		{kind: wrapperThemida, kit: programKit{section: ".themida"}, err: ErrUnsupported},
		{kind: wrapperAutoIt, kit: programKit{overlay: []byte(markAutoIt + "EA06xxxxxxxxxxxx")}, err: ErrUnsupported},
		{kind: wrapperNode, kit: programKit{resources: []programResource{{"10", markNode, []byte("blob")}}}, err: ErrUnsupported},
		{kind: wrapperShield, kit: programKit{overlay: []byte(markShield + "xxxxxxxxxxxx")}, err: ErrUnsupported},
	} {
		data := makeProgram(c.kit)
		if got := Wrapper(meetguard.FormatPE, data); got != c.kind {
			t.Errorf("wrapper is %q, not %q", got, c.kind)
		}
		all, err := instWalk(meetguard.FormatPE, data, instBudget())
		for i := range all {
			if all[i].text == inertZip {
				all[i].text = "ZIP"
			}
		}
		if got := strings.ReplaceAll(instList(all), `"ZIP"`, "ZIP"); got != c.want || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%s: got %v and\n%swant %v and\n%s", c.kind, err, got, c.err, c.want)
		}
	}
}

// TestProgramInProgram sees a program that stands behind another.
func TestProgramInProgram(t *testing.T) {
	inner := makeProgram(programKit{section: ".data"})
	all, err := instWalk(meetguard.FormatPE, makeProgram(programKit{overlay: inner}), instBudget())
	if err != nil || len(all) != 1 || all[0].name != "overlay.exe" || all[0].text != string(inner) {
		t.Errorf("got %v and\n%s", err, instList(all))
	}
}

func TestWrapperOfOthers(t *testing.T) {
	for _, c := range []struct {
		format meetguard.Format
		data   string
		want   string
	}{
		{meetguard.FormatELF, "\x7fELF\x02\x01\x01\x00AI\x02\x00", wrapperAppImage},
		{meetguard.FormatELF, "\x7fELF" + strings.Repeat("\x00", 200) + "UPX!", wrapperUPX},
		{meetguard.FormatELF, "\x7fELF" + string(makePyInstaller("a", "b")), wrapperPyInstaller},
		{meetguard.FormatMachO, "\xcf\xfa\xed\xfe" + string(makePyInstaller("a", "b")), wrapperPyInstaller},
		{meetguard.FormatELF, "\x7fELF and nothing else", ""},
		{meetguard.FormatPE, "MZ and nothing else", ""},
		{meetguard.FormatZip, "PK\x03\x04", ""},
	} {
		if got := Wrapper(c.format, []byte(c.data)); got != c.want {
			t.Errorf("%s %q: got %q, want %q", c.format, c.data[:8], got, c.want)
		}
	}
}

func TestProgramDamaged(t *testing.T) {
	data := makeProgram(programKit{overlay: makePyInstaller("code", "text"), resources: []programResource{
		{"10", "CABINET", []byte("MSCFrest")}, {"DATA", "131", makeStubZip(t, "a", "b")}}})
	instMangle(t, meetguard.FormatPE, data, 97)
}

func FuzzProgram(f *testing.F) {
	burn, containers := makeBurn("MSCF first", "MSCF second")
	f.Add(makeProgram(programKit{overlay: makePyInstaller("code", "text")}))
	f.Add(makeProgram(programKit{section: ".wixburn", content: burn, overlay: containers}))
	f.Add(makeProgram(programKit{resources: []programResource{{"10", "CABINET", []byte("MSCFrest")}, {"10", "RUNPROGRAM", []byte("a")}}}))
	f.Add(makeProgram(programKit{overlay: []byte(";!@Install@!UTF-8!RunProgram=\"a\";!@InstallEnd@!" + stubMagic7z)}))
	f.Fuzz(func(t *testing.T, data []byte) {
		Wrapper(meetguard.FormatPE, data)
		instFuzz(t, meetguard.FormatPE, data)
	})
}

// BenchmarkPlainProgram is what the look for a container costs every program
// that is none.
func BenchmarkPlainProgram(b *testing.B) {
	data, err := os.ReadFile(filepath.FromSlash("../../build/samples/electron-winstaller-5.4.4/package/vendor/7z-x64.exe"))
	if err != nil {
		b.Skip("the samples are not there: run `make samples`")
	}
	for b.Loop() {
		if err := walkPE(data, Options{}, nil); err == nil {
			b.Fatal("it is a container")
		}
	}
}
