package inspect

import (
	"meetguard"
)

// Sniff tells the format from the content. Content that several programs would
// accept counts as what runs soonest: a program before a disk image before an
// archive before a text.
//
// The name decides only where content cannot:
//   - .dmg: a raw disk image without the UDIF trailer is a DMG
//   - .zip: an archive with something in front of it and a comment behind it is
//     a zip
//   - .tar.xz, .txz and the like: a bzip2, xz or zstd stream is a tar (a gzip
//     stream is looked into instead)
//   - .webloc, .fileloc, .inetloc and their kin: a plist with a URL is a shortcut
//   - .url: the section that makes it one may stand behind other text, as
//     Windows reads it
//   - .html, .htm, .xhtml, .shtml: markup without a doctype or html tag is HTML
//   - .hta: anything that holds a script tag is HTML, since mshta runs it
//
// Plain text is FormatOther: telling scripts from text is not done here, but
// for a first line that begins with "#!". Bundles are directories and never
// seen here. Sniff does not allocate, but for gzip streams and shortcuts told
// by name.
func Sniff(name string, data []byte) meetguard.Format {
	if f := sniffProgram(data); f != "" {
		return f
	}
	if isDMG(name, data) {
		return meetguard.FormatDMG
	}
	if f := sniffMagic(name, data); f != "" {
		return f
	}
	if isTar(data) {
		return meetguard.FormatTar
	}
	if isISO(data) {
		return meetguard.FormatISO
	}
	if f := sniffText(name, data); f != "" {
		return f
	}
	if endsAsZip(name, data) {
		return sniffZip(data)
	}
	return meetguard.FormatOther
}

// sniffProgram tells native programs.
func sniffProgram(data []byte) meetguard.Format {
	switch {
	case starts(data, "MZ"):
		if isPE(data) {
			return meetguard.FormatPE
		}
	case starts(data, "\x7fELF"):
		return meetguard.FormatELF
	case isThinMachO(data), isFatMachO(data):
		return meetguard.FormatMachO
	}
	return ""
}

// sniffMagic tells what a fixed signature at the start tells.
func sniffMagic(name string, data []byte) meetguard.Format {
	switch {
	case starts(data, "PK\x03\x04"), starts(data, "PK\x05\x06"), starts(data, "PK00PK\x03\x04"), starts(data, "PK\x07\x08PK\x03\x04"):
		return sniffZip(data)
	case starts(data, cfbMagic):
		return sniffCompound(data)
	case starts(data, "xar!"):
		return meetguard.FormatPKG
	case starts(data, "7z\xbc\xaf\x27\x1c"):
		return meetguard.Format7z
	case starts(data, "Rar!\x1a\x07\x00"), starts(data, "Rar!\x1a\x07\x01\x00"):
		return meetguard.FormatRar
	case starts(data, "MSCF\x00\x00\x00\x00"):
		return meetguard.FormatCab
	case starts(data, "!<arch>\ndebian-binary"):
		return meetguard.FormatDeb
	case starts(data, rpmLead):
		return meetguard.FormatRPM
	case starts(data, "FasdUAS "):
		return meetguard.FormatAppleScript
	case starts(data, lnkHead):
		return meetguard.FormatShortcut
	}
	return sniffCompressed(name, data)
}

// lnkHead is the header size and class id that begin every shell link
// (MS-SHLLINK 2.1).
const lnkHead = "\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"

// isDMG tells an Apple disk image: the UDIF trailer of 512 bytes at the end, or
// the head of an encrypted image. A raw image has neither, only the partition
// map or file system of any other disk, so its name has to say it.
func isDMG(name string, data []byte) bool {
	if at(data, len(data)-512, "koly\x00\x00\x00\x04") || starts(data, "encrcdsa") {
		return true
	}
	if !hasSuffixFold(name, ".dmg") {
		return false
	}
	return starts(data, "ER\x02\x00") || at(data, 512, "EFI PART") || at(data, 1024, "H+") ||
		at(data, 1024, "HX") || at(data, 32, "NXSB")
}

// isISO tells an optical disk image by the volume descriptor in its sector 16:
// ISO 9660 (ECMA-119 8.1), or UDF alone (ECMA-167 2/9.1).
func isISO(data []byte) bool {
	const sector16 = 16 * 2048
	return at(data, sector16+1, "CD001") || at(data, sector16+1, "BEA01")
}

// hasSuffixFold tells whether name ends in suffix, which is lower-case ASCII.
func hasSuffixFold(name, suffix string) bool {
	if len(name) < len(suffix) {
		return false
	}
	return equalFold(name[len(name)-len(suffix):], suffix)
}

// equalFold compares s with lower, which is lower-case ASCII, without case.
func equalFold[T string | []byte](s T, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(lower) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// startsFold tells whether data begins with lower, without case.
func startsFold(data []byte, lower string) bool {
	return len(data) >= len(lower) && equalFold(data[:len(lower)], lower)
}
