package sign

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/url"
	"strings"
	"time"

	"meetguard"
)

// RemarkOwnKey is a signature that brings the key to check it with: it proves
// that nothing was changed by mistake, and nothing about who made it.
const RemarkOwnKey = "own_key"

// Sections of an AppImage (AppImage specification, 2.0): a detached OpenPGP
// signature of the SHA-256 of the file without these sections, its public key,
// and where updates come from. Those that are not used hold zeros.
const (
	appImageSignature = ".sha256_sig"
	appImageKey       = ".sig_key"
	appImageUpdate    = ".upd_info"
)

// Limits of the table of sections. In the runtime of AppImages they hold a few
// kilobytes, and there are some tens of them.
const (
	maxSections     = 1024
	maxSectionNames = 64 << 10 // bytes
	maxSection      = 64 << 10 // bytes of one that is read
)

// elfLayout is where an ELF header and a section header keep what is read here
// (elf(5)).
type elfLayout struct {
	header, tableAt, countAt, namesAt int
	entry, offsetAt, sizeAt           int
	wide                              bool
}

var (
	elf32 = elfLayout{header: 52, tableAt: 0x20, countAt: 0x30, namesAt: 0x32, entry: 40, offsetAt: 0x10, sizeAt: 0x14}
	elf64 = elfLayout{header: 64, tableAt: 0x28, countAt: 0x3c, namesAt: 0x3e, entry: 64, offsetAt: 0x18, sizeAt: 0x20, wide: true}
)

func (l elfLayout) word(b []byte, at int) uint64 {
	if l.wide {
		return binary.LittleEndian.Uint64(b[at:])
	}
	return uint64(binary.LittleEndian.Uint32(b[at:]))
}

// checkELF tells who signed an AppImage. Other ELF files cannot carry a
// signature that a desktop would look at, and stay unknown.
func (v *Verifier) checkELF(in input, _ time.Time) (meetguard.Signature, error) {
	sig := meetguard.Signature{Status: meetguard.SignatureUnknown}
	if !isAppImage(in) {
		return sig, nil
	}
	sections, err := appImageSections(in)
	if err != nil {
		return sig, unsignedIf(err)
	}
	if len(sections[appImageSignature]) == 0 {
		return sig, errUnsigned
	}
	p, err := readOpenPGP(sections[appImageSignature])
	if err != nil {
		return sig, err
	}
	p.describe(&sig)
	if len(sections[appImageKey]) > 0 {
		remark(&sig, RemarkOwnKey)
	}
	return sig, unproven("there is no key to check the OpenPGP signature of the AppImage with")
}

// AppImageUpdateHost tells which host an AppImage says its updates come from,
// in lower case; "" if it says nothing, or is none.
func AppImageUpdateHost(r io.ReaderAt, size int64) string {
	in := input{r, size}
	if !isAppImage(in) {
		return ""
	}
	sections, err := appImageSections(in)
	if err != nil {
		return ""
	}
	return updateHost(string(sections[appImageUpdate]))
}

// updateHost reads the fields of the update information, which begin with the
// kind of transport.
func updateHost(text string) string {
	kind, rest, _ := strings.Cut(text, "|")
	switch kind {
	case "gh-releases-zsync", "gh-releases-direct":
		return "github.com"
	case "pling-v1-zsync":
		return "www.pling.com"
	case "zsync":
		if u, err := url.Parse(strings.TrimSpace(rest)); err == nil {
			return clean(strings.ToLower(u.Hostname()))
		}
	}
	return ""
}

// isAppImage looks for the letters and the type behind the first eight bytes of
// an ELF file, where other programs have zeros.
func isAppImage(in input) bool {
	head, err := in.bytes(0, 16)
	return err == nil && string(head[:4]) == "\x7fELF" && string(head[8:10]) == "AI" && (head[10] == 1 || head[10] == 2)
}

// appImageSections reads the sections that are of interest, without the zeros
// behind their content. All AppImages are for little-endian machines.
func appImageSections(in input) (map[string][]byte, error) {
	layout := elf32
	ident, err := in.bytes(0, 16)
	if err != nil {
		return nil, err
	}
	if ident[4] == 2 {
		layout = elf64
	}
	head, err := in.bytes(0, int64(layout.header))
	if err != nil {
		return nil, err
	}
	count := int(binary.LittleEndian.Uint16(head[layout.countAt:]))
	names := int(binary.LittleEndian.Uint16(head[layout.namesAt:]))
	if ident[5] != 1 || names >= count || count > maxSections {
		return nil, malformed("the sections of the AppImage cannot be read")
	}
	table, err := in.bytes(int64(layout.word(head, layout.tableAt)), int64(count*layout.entry)) // #nosec G115 -- bytes refuses what is outside of the file, and so below
	if err != nil {
		return nil, err
	}
	text, err := layout.section(in, table[names*layout.entry:], maxSectionNames)
	if err != nil {
		return nil, err
	}
	return layout.pick(in, table, text)
}

func (l elfLayout) pick(in input, table, names []byte) (map[string][]byte, error) {
	found := map[string][]byte{}
	for ; len(table) >= l.entry; table = table[l.entry:] {
		at := binary.LittleEndian.Uint32(table)
		if int64(at) >= int64(len(names)) {
			continue
		}
		name, _, _ := bytes.Cut(names[at:], []byte{0})
		switch string(name) {
		case appImageSignature, appImageKey, appImageUpdate:
			content, err := l.section(in, table, maxSection)
			if err != nil {
				return nil, err
			}
			found[string(name)] = bytes.TrimRight(content, "\x00\n ")
		}
	}
	return found, nil
}

func (l elfLayout) section(in input, entry []byte, most uint64) ([]byte, error) {
	size := l.word(entry, l.sizeAt)
	if size > most {
		return nil, malformed("a section of the AppImage is too large")
	}
	return in.bytes(int64(l.word(entry, l.offsetAt)), int64(size)) // #nosec G115 -- as above
}
