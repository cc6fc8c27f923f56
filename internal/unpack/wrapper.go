package unpack

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"unicode/utf16"

	"meetguard"
)

// Kinds of programs that wrap something else, as Wrapper names them.
const (
	wrapperNSIS        = "nsis"
	wrapperInno        = "inno"
	wrapperIExpress    = "iexpress"
	wrapper7z          = "7z-sfx"
	wrapperRar         = "rar-sfx"
	wrapperZip         = "zip-sfx"
	wrapperCab         = "cab-sfx"
	wrapperBurn        = "wix-burn"
	wrapperSquirrel    = "squirrel"
	wrapperPyInstaller = "pyinstaller"
	wrapperAutoIt      = "autoit"
	wrapperMSI         = "msi-wrapper"
	wrapperNode        = "node-sea"
	wrapperShield      = "installshield"
	wrapperAdvanced    = "advanced-installer"
	wrapperUPX         = "upx"
	wrapperVMProtect   = "vmprotect"
	wrapperThemida     = "themida"
	wrapperAppImage    = "appimage"
)

// autoItEnd closes what AutoIt appends. It is put together when the program runs:
// one that held it would itself look made by AutoIt. The parts have two lengths,
// since the linker puts texts of one length beside each other.
func autoItEnd() []byte { return slices.Concat([]byte("AU3!E"), []byte("A06")) }

// Marks of wrappers, each from the program that writes it.
const (
	markPyInstaller = "MEI\014\013\012\013\016" // PyInstaller's CArchive cookie
	markAutoIt      = "\xa3\x48\x4b\xbe\x98\x6c\x4a\xa9\x99\x4c\x53\x0a\x86\xd6\x48\x7dAU3!"
	markInno        = "rDlPtS\xcd\xe6\xd7\x7b\x0b\x2a" // setup loader's offset table, versions 5.1.5 to 6.4
	markNSIS        = "\xef\xbe\xad\xdeNullsoftInst"   // firstheader, behind its flags
	markNode        = "NODE_SEA_BLOB"                  // name of the resource or section
	markNexe        = "<nexe~~sentinel>"
	markShield      = "InstallShield\x00"
	markAdvanced    = "ADVINSTSFX"

	pyInstallerTail = 1 << 13 // the cookie stands at the end; a signature may pad it
)

// Wrapper names the kind of installer, self-extractor or packer that a program
// is, or is "". It looks at headers, and at both ends of what stands behind
// them.
func Wrapper(format meetguard.Format, data []byte) string {
	switch format {
	case meetguard.FormatPE:
		if p := openProgram(data); p != nil {
			return p.kind()
		}
	case meetguard.FormatELF:
		return wrapperELF(data)
	case meetguard.FormatMachO:
		return pyInstallerOf(data)
	}
	return ""
}

// wrapperELF knows AppImages (type at offset 8 of the header, AppImage
// specification), UPX (its own header right behind the program headers) and
// PyInstaller.
func wrapperELF(data []byte) string {
	switch head := data[:min(len(data), 1024)]; {
	case len(head) > 11 && (string(head[8:11]) == "AI\x01" || string(head[8:11]) == "AI\x02"):
		return wrapperAppImage
	case bytes.Contains(head, []byte("UPX!")):
		return wrapperUPX
	}
	return pyInstallerOf(data)
}

func pyInstallerOf(data []byte) string {
	if bytes.Contains(data[max(0, len(data)-pyInstallerTail):], []byte(markPyInstaller)) {
		return wrapperPyInstaller
	}
	return ""
}

// kind names the wrapper that a program is: by what it carries first, because a
// stub may itself be packed.
func (p *program) kind() string {
	if kind := p.kindOfSections(); kind == wrapperBurn {
		return kind
	}
	if kind := p.kindOfOverlay(); kind != "" {
		return kind
	}
	if kind := p.kindOfResources(); kind != "" {
		return kind
	}
	return p.kindOfSections()
}

// kindOfSections knows what names its sections.
func (p *program) kindOfSections() string {
	for _, s := range p.sections {
		switch s.name {
		case ".wixburn":
			return wrapperBurn
		case "UPX0", "UPX1", "UPX2":
			return wrapperUPX
		case ".vmp0", ".vmp1", ".vmp2":
			return wrapperVMProtect
		case ".themida", ".winlice":
			return wrapperThemida
		}
	}
	return ""
}

// kindOfOverlay knows what stands behind the program.
func (p *program) kindOfOverlay() string {
	o := p.overlay
	if len(o) < 16 {
		return ""
	}
	head, tail := o[:min(len(o), 1024)], o[max(0, len(o)-pyInstallerTail):]
	switch {
	case p.nsisHeader() != nil:
		return wrapperNSIS
	case bytes.HasPrefix(skipSpace(head), []byte(sevenConfigStart)), bytes.Contains(head, []byte(stubMagic7z)):
		return wrapper7z
	case bytes.Contains(head, []byte(stubMagicRar)):
		return wrapperRar
	case bytes.HasPrefix(head, []byte(stubMagicCab)):
		return wrapperCab
	case bytes.HasPrefix(head, []byte(cfbMagic)):
		return wrapperMSI
	case bytes.Contains(tail, []byte(markPyInstaller)):
		return wrapperPyInstaller
	case bytes.HasPrefix(head, []byte(markAutoIt)), bytes.Contains(tail, autoItEnd()):
		return wrapperAutoIt
	case bytes.HasPrefix(head, []byte(markShield)), bytes.HasPrefix(head, []byte("ISSetupStream")):
		return wrapperShield
	case bytes.Contains(tail, []byte(markAdvanced)):
		return wrapperAdvanced
	case bytes.Contains(tail, []byte(markNexe)):
		return wrapperNode
	case bytes.HasPrefix(p.payload(), []byte(stubZipLocal)):
		return wrapperZip
	}
	return ""
}

// kindOfResources knows what is told by the names of resources.
func (p *program) kindOfResources() string {
	for _, r := range p.raw() {
		switch {
		case r.name == "11111" && bytes.HasPrefix(r.data, []byte(markInno[:6])):
			return wrapperInno
		case r.name == "CABINET" && bytes.HasPrefix(r.data, []byte("MSCF")):
			return wrapperIExpress
		case r.kind == "DATA" && r.name == "131":
			return wrapperSquirrel
		case r.name == "SCRIPT" && bytes.HasPrefix(r.data, []byte(markAutoIt)):
			return wrapperAutoIt
		case r.name == markNode:
			return wrapperNode
		case bytes.HasPrefix(r.data, []byte(cfbMagic)):
			return wrapperMSI
		}
	}
	return ""
}

// skipSpace is b without the padding before it.
func skipSpace(b []byte) []byte { return bytes.TrimLeft(b, "\x00 \r\n\xef\xbb\xbf") }

// resourceName is the number in decimal or the name of an entry.
func resourceName(root []byte, id uint32) string {
	if id&peSubdirectory == 0 {
		return strconv.FormatUint(uint64(id), 10)
	}
	at := uint64(id &^ peSubdirectory)
	if at+2 > uint64(len(root)) {
		return "?"
	}
	n := uint64(binary.LittleEndian.Uint16(root[at:]))
	if at+2+2*n > uint64(len(root)) || n == 0 || n > 256 {
		return "?"
	}
	units := make([]uint16, n)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(root[at+2+2*uint64(i):])
	}
	return string(utf16.Decode(units))
}
