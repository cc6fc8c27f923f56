package inspect

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"meetguard"
)

func TestPEClaims(t *testing.T) {
	english := map[string]string{"CompanyName": "Zoom Communications, Inc.", "FileDescription": "Zoom Meetings Installer",
		"InternalName": "Zoom", "LegalCopyright": "©", "OriginalFilename": "ZoomInstaller.exe", "ProductName": "Zoom Workplace"}
	german := map[string]string{"ProductName": "Notizbuch"}
	for _, c := range []struct {
		test string
		data []byte
		want []string
	}{
		{"no resources", makePE(nil), nil},
		{"one language", makePE([]versionBlock{{language: 1033, strings: english}}), []string{
			"PE CompanyName: Zoom Communications, Inc.", "PE FileDescription: Zoom Meetings Installer", "PE InternalName: Zoom",
			"PE OriginalFilename: ZoomInstaller.exe", "PE ProductName: Zoom Workplace"}},
		{"two languages", makePE([]versionBlock{{language: 1031, strings: german}, {language: 1033, strings: map[string]string{"ProductName": "Zoom"}}}),
			[]string{"PE ProductName: Notizbuch", "PE ProductName: Zoom"}},
		{"the same in two languages", makePE([]versionBlock{{language: 1031, strings: german}, {language: 1033, strings: german}}), []string{"PE ProductName: Notizbuch"}},
		{"not ASCII", makePE([]versionBlock{{language: 0, strings: map[string]string{"ProductName": "Zооm \u202egpj 会议 😀"}}}),
			[]string{"PE ProductName: Zооm \u202egpj 会议 😀"}},
		{"space, NUL and nothing", makePE([]versionBlock{{language: 0, strings: map[string]string{"ProductName": "  Zoom \x00hidden", "CompanyName": "   "}}}),
			[]string{"PE ProductName: Zoom"}},
		{"long", makePE([]versionBlock{{language: 0, strings: map[string]string{"ProductName": strings.Repeat("é", 5000)}}}),
			[]string{"PE ProductName: " + strings.Repeat("é", maxClaimText/2)}},
	} {
		t.Run(c.test, func(t *testing.T) {
			wantClaims(t, meetguard.FormatPE, c.data, c.want)
		})
	}
}

// TestPEDamage changes one number of a good file at a time: what is read then
// is never clean of a gap.
func TestPEDamage(t *testing.T) {
	good := makePE([]versionBlock{{language: 1033, strings: map[string]string{"ProductName": "Zoom"}}})
	for _, c := range []struct {
		test   string
		off    int
		value  uint32
		reason string
	}{
		{"section count", peHeader + 6, 0xffff, "more sections"},
		{"section table behind the end", peHeader + 20, 0xf000, "headers end"},
		{"resources outside the sections", peHeader + 24 + 112 + 16, 0x9000, "directory lies outside"},
		{"resource directory with too many entries", peSection0 + 14, 0xffff, "outside the file"},
		{"type that points to data", peSection0 + 20, 0x20, "wrong depth"},
		{"id that points to itself", peSection0 + 24 + 20, 0x80000018, "wrong depth"},
		{"version block outside the sections", peSection0 + 72, 0x90000, "outside the sections"},
		{"version block too large", peSection0 + 76, 0x90000, "more resources of a kind"},
		{"version block behind the end", peSection0 + 76, 0xffff, "outside the file"},
		{"version block of length zero", peSection0 + 88, 0, "malformed"},
	} {
		t.Run(c.test, func(t *testing.T) {
			bad := slices.Clone(good)
			if c.value > 0xffff || c.off >= peSection0+16 && c.off < peSection0+88 || c.off == peHeader+24+112+16 {
				binary.LittleEndian.PutUint32(bad[c.off:], c.value)
			} else {
				binary.LittleEndian.PutUint16(bad[c.off:], uint16(c.value))
			}
			_, gaps := Claims(meetguard.FormatPE, bad)
			wantGap(t, gaps, c.reason)
		})
	}
}

// TestPEBrokenBlock: a block that is broken does not hide the next.
func TestPEBrokenBlock(t *testing.T) {
	data := makePE([]versionBlock{{language: 0, table: make([]byte, 64)}, {language: 1033, strings: map[string]string{"ProductName": "Zoom"}}})
	binary.LittleEndian.PutUint32(data[peSection0+48+16+2*8:], 0x90000)
	claims, gaps := Claims(meetguard.FormatPE, data)
	if got := claimLines(claims); !slices.Equal(got, []string{"PE ProductName: Zoom"}) {
		t.Errorf("claims %q", got)
	}
	wantGap(t, gaps, "outside the sections")
}

// TestPELimits makes directories that would take forever to read.
func TestPELimits(t *testing.T) {
	var many []versionBlock
	for i := range maxVersions + 1 {
		many = append(many, versionBlock{language: uint32(i), strings: map[string]string{"ProductName": fmt.Sprint("Zoom ", i)}})
	}
	claims, gaps := Claims(meetguard.FormatPE, makePE(many))
	if len(claims) != maxClaims {
		t.Errorf("%d claims, want %d", len(claims), maxClaims)
	}
	wantGap(t, gaps, "more resources of a kind")

	// Every id of the second level leads to one directory of languages.
	loop := makePE([]versionBlock{{language: 0, strings: map[string]string{"ProductName": "Zoom"}}})
	loop = append(loop, make([]byte, 1<<20)...)
	binary.LittleEndian.PutUint32(loop[peSections+16:], uint32(len(loop)-peSection0))
	binary.LittleEndian.PutUint16(loop[peSection0+24+14:], 0xffff)
	for i := range 0xffff {
		at := peSection0 + 24 + 16 + 8*i
		binary.LittleEndian.PutUint32(loop[at+4:], 0x80000018+8)
	}
	_, gaps = Claims(meetguard.FormatPE, loop)
	if len(gaps) == 0 {
		t.Error("no gap")
	}
}

// wantClaims compares the claims, each as "source: text", and wants no gap.
func wantClaims(t *testing.T, format meetguard.Format, data []byte, want []string) {
	t.Helper()
	claims, gaps := Claims(format, data)
	if len(gaps) > 0 {
		t.Errorf("gaps: %v", gaps)
	}
	if got := claimLines(claims); !slices.Equal(got, want) {
		t.Errorf("claims\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func claimLines(claims []meetguard.Claim) []string {
	var lines []string
	for _, c := range claims {
		lines = append(lines, c.Source+": "+c.Text)
	}
	return lines
}

// wantGap wants one gap that says reason and blinds nobody.
func wantGap(t *testing.T, gaps []meetguard.Gap, reason string) {
	t.Helper()
	for _, g := range gaps {
		if g.Fact != "names" || g.Blinding {
			t.Errorf("gap %+v", g)
		}
		if strings.Contains(g.Reason, reason) {
			return
		}
	}
	t.Errorf("gaps %v, want one that says %q", gaps, reason)
}

// Where makePE puts things.
const (
	peHeader   = 0x80
	peSections = peHeader + 24 + 240
	peSection0 = 0x200
)

// versionBlock is a version resource of one language.
type versionBlock struct {
	language uint32
	strings  map[string]string
	table    []byte // in place of strings
}

// makePE assembles a PE32+ file that holds no code, and one section with a
// version resource if there are blocks.
func makePE(blocks []versionBlock) []byte {
	le := binary.LittleEndian
	b := make([]byte, peSection0)
	copy(b, "MZ")
	le.PutUint32(b[0x3c:], peHeader)
	copy(b[peHeader:], "PE\x00\x00")
	le.PutUint16(b[peHeader+4:], 0x8664)
	le.PutUint16(b[peHeader+20:], 240)
	le.PutUint16(b[peHeader+24:], 0x20b)
	le.PutUint32(b[peHeader+24+108:], 16)
	if blocks == nil {
		return b
	}
	const address = 0x1000
	section := resourceSection(address, blocks)
	le.PutUint16(b[peHeader+6:], 1)
	le.PutUint32(b[peHeader+24+112+16:], address)
	le.PutUint32(b[peHeader+24+112+20:], uint32(len(section)))
	copy(b[peSections:], ".rsrc")
	le.PutUint32(b[peSections+8:], uint32(len(section)))
	le.PutUint32(b[peSections+12:], address)
	le.PutUint32(b[peSections+16:], uint32(len(section)))
	le.PutUint32(b[peSections+20:], peSection0+0x10) // Windows rounds it down
	return append(b, section...)
}

// resourceSection is a directory of types (at 0), one of ids (at 24) and one of
// languages (at 48), then the data entries, then the blocks.
func resourceSection(address uint32, blocks []versionBlock) []byte {
	le := binary.LittleEndian
	b := make([]byte, 48+16+24*len(blocks))
	directory := func(at, entries int) { le.PutUint16(b[at+14:], uint16(entries)) }
	entry := func(at int, id, to uint32) { le.PutUint32(b[at:], id); le.PutUint32(b[at+4:], to) }
	directory(0, 1)
	entry(16, typeVersion, subdirectory|24)
	directory(24, 1)
	entry(40, 1, subdirectory|48)
	directory(48, len(blocks))
	for i, block := range blocks {
		data := 48 + 16 + 8*len(blocks) + 16*i
		entry(64+8*i, block.language, uint32(data))
		table := block.table
		if table == nil {
			table = stringTable(block.strings)
		}
		info := versionInfo(table)
		entry(data, address+uint32(len(b)), uint32(len(info)))
		b = append(b, info...)
		b = append(b, make([]byte, align4(len(b))-len(b))...)
	}
	return b
}

// stringTable is the content of a table, in the order of the keys.
func stringTable(values map[string]string) (table []byte) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := utf16Bytes(binary.LittleEndian, values[key]+"\x00")
		table = append(table, versionNodeBytes(key, len(value)/2, value)...)
	}
	return table
}

// versionInfo is a VS_VERSIONINFO with a fixed part and one string table.
func versionInfo(table []byte) []byte {
	fixed := make([]byte, 52)
	copy(fixed, "\xbd\x04\xef\xfe")
	translations := versionNodeBytes("VarFileInfo", 0, versionNodeBytes("Translation", 4, []byte{9, 4, 0xb0, 4}))
	info := versionNodeBytes("StringFileInfo", 0, versionNodeBytes("040904b0", 0, table))
	return versionNodeBytes("VS_VERSION_INFO", len(fixed), append(append(fixed, translations...), info...))
}

func versionNodeBytes(key string, valueLength int, rest []byte) []byte {
	b := make([]byte, 6)
	b = append(b, utf16Bytes(binary.LittleEndian, key+"\x00")...)
	b = append(b, make([]byte, align4(len(b))-len(b))...)
	b = append(b, rest...)
	binary.LittleEndian.PutUint16(b, uint16(len(b)))
	binary.LittleEndian.PutUint16(b[2:], uint16(valueLength))
	return append(b, make([]byte, align4(len(b))-len(b))...)
}
