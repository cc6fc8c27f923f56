package inspect

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"meetguard"
)

// How an MSI stores its tables is not published by Microsoft. What stands here
// was learned from the database that Wine's msi.dll and msitools write, and is
// held against packages made by them in the tests.
const (
	maxPool    = 2 << 20 // bytes of _StringPool: 500,000 strings
	maxStrings = 8 << 20 // bytes of _StringData
	maxTable   = 1 << 20 // bytes of the Property table

	tableMark = 0x4840 // first unit of the name of a table's stream
)

// msiClaims reads the Property table and the summary information. They are
// independent: one that is broken does not hide the other.
func msiClaims(data []byte, c *collector) {
	f, err := openCompound(data)
	if err != nil {
		c.gap("MSI compound file", err)
		return
	}
	c.gap("MSI Property table", propertyClaims(f, c))
	c.gap("MSI summary information", summaryClaims(f, c))
}

// stream returns the bytes of the stream with the decoded name.
func (f *compound) stream(name string, limit uint64) ([]byte, error) {
	var found entry
	f.children(func(e entry) bool {
		if e.kind == 2 && msiStreamName(e.name) == name {
			found = e
		}
		return found.kind == 0
	})
	if found.kind == 0 {
		return nil, malformed("stream is missing")
	}
	return f.read(found, limit)
}

// msiStreamName decodes the name of a stream. Installers pack two characters of
// a 64-letter alphabet into one unit, and mark tables, here with "!".
func msiStreamName(name []byte) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
	var out strings.Builder
	for ; len(name) >= 2; name = name[2:] {
		unit := binary.LittleEndian.Uint16(name)
		switch {
		case unit == tableMark:
			out.WriteByte('!')
		case 0x3800 <= unit && unit < 0x4800:
			out.WriteByte(alphabet[unit&0x3f])
			out.WriteByte(alphabet[(unit-0x3800)>>6&0x3f])
		case 0x4800 <= unit && unit < 0x4840:
			out.WriteByte(alphabet[unit-0x4800])
		default:
			out.WriteRune(rune(unit))
		}
	}
	return out.String()
}

// propertyClaims reads ProductName and Manufacturer of the Property table.
func propertyClaims(f *compound, c *collector) error {
	pool, err := openPool(f)
	if err != nil {
		return err
	}
	table, err := f.stream("!Property", maxTable)
	if err != nil {
		return err
	}
	wanted := map[int]string{}
	for id, text := range pool.all {
		if source := propertySource(text); source != "" && len(wanted) < maxClaims {
			wanted[id] = source
		}
	}
	values := pool.column(table, wanted)
	for id, text := range pool.all {
		if source := values[id]; source != "" {
			c.claim(source, decodeCodePage(text, pool.codePage))
		}
	}
	return nil
}

// propertySource is the claim that a property makes, or "".
func propertySource(name []byte) string {
	switch string(name) {
	case "ProductName":
		return meetguard.ClaimMSIProduct
	case "Manufacturer":
		return meetguard.ClaimMSIMaker
	}
	return ""
}

// stringPool is where an MSI keeps every string of its tables: the texts one
// behind another, and a list of their lengths and reference counts.
type stringPool struct {
	lengths, texts []byte
	codePage       uint32
	refSize        int // bytes that a table takes to refer to a string
}

func openPool(f *compound) (*stringPool, error) {
	lengths, err := f.stream("!_StringPool", maxPool)
	if err != nil {
		return nil, err
	}
	texts, err := f.stream("!_StringData", maxStrings)
	if err != nil {
		return nil, err
	}
	if len(lengths) < 4 {
		return nil, malformed("string pool is empty")
	}
	head := binary.LittleEndian.Uint32(lengths)
	p := &stringPool{lengths: lengths[4:], texts: texts, codePage: head &^ (1 << 31), refSize: 2}
	if head>>31 != 0 {
		p.refSize = 3
	}
	return p, nil
}

// all yields every string with its number. The first string has number 1.
func (p *stringPool) all(yield func(int, []byte) bool) {
	rest := p.texts
	lengths := p.lengths
	for id := 1; len(lengths) >= 4; id++ {
		length := uint64(binary.LittleEndian.Uint16(lengths))
		used := binary.LittleEndian.Uint16(lengths[2:]) != 0
		lengths = lengths[4:]
		if length == 0 && used { // 64 KiB or longer: the length takes the next entry
			if len(lengths) < 4 {
				return
			}
			length = uint64(binary.LittleEndian.Uint32(lengths))
			lengths = lengths[4:]
		}
		if length > uint64(len(rest)) || !yield(id, rest[:length]) {
			return
		}
		rest = rest[length:]
	}
}

// column looks the wanted keys up in a table of two string columns, and returns
// the numbers of their values. A table is stored column by column.
func (p *stringPool) column(table []byte, wanted map[int]string) map[int]string {
	rows := len(table) / (2 * p.refSize)
	values := map[int]string{}
	for row := range rows {
		if source := wanted[p.ref(table[row*p.refSize:])]; source != "" && len(values) < maxClaims {
			values[p.ref(table[(rows+row)*p.refSize:])] = source
		}
	}
	return values
}

// ref reads the number of a string.
func (p *stringPool) ref(b []byte) int {
	n := int(b[0]) | int(b[1])<<8
	if p.refSize == 3 {
		n |= int(b[2]) << 16
	}
	return n
}

// summaryClaims reads Title, Subject and Author of the summary information
// stream (MS-OLEPS): a property set with one section.
func summaryClaims(f *compound, c *collector) error {
	data, err := f.stream("\x05SummaryInformation", maxTable)
	if err != nil {
		return err
	}
	v := little(data)
	section := uint64(v.u32(44))
	codePage := uint32(0)
	for i := range min(uint64(v.u32(section+4)), 64) {
		id := v.u32(section + 8 + 8*i)
		at := section + uint64(v.u32(section+12+8*i))
		switch id {
		case 1: // the code page precedes what it is for in every file seen
			codePage = uint32(v.u16(at + 4))
		case 2, 3:
			c.claim(meetguard.ClaimMSISubject, v.summaryText(at, codePage))
		case 4:
			c.claim(meetguard.ClaimMSIMaker, v.summaryText(at, codePage))
		}
	}
	return v.err()
}

// summaryText is the string property at at, or "".
func (v *view) summaryText(at uint64, codePage uint32) string {
	const typeLPSTR, typeLPWSTR = 30, 31
	size := uint64(v.u32(at + 4))
	switch v.u32(at) {
	case typeLPSTR:
		text := decodeCodePage(v.cut(at+8, size), codePage)
		if text == "Installation Database" { // what the documentation says to write
			return ""
		}
		return text
	case typeLPWSTR:
		return decodeUTF16(v.cut(at+8, 2*size), v.order)
	}
	return ""
}

// decodeCodePage turns text in a Windows code page into UTF-8. Of the code
// pages with several bytes a character, only the ASCII is kept: brands are
// written in it.
func decodeCodePage(text []byte, codePage uint32) string {
	text = text[:min(len(text), 4*maxClaimText)]
	text, _, _ = bytes.Cut(text, []byte{0})
	if utf8.Valid(text) {
		return string(text)
	}
	page := singleByte(codePage)
	var out strings.Builder
	for _, b := range text {
		switch {
		case b < 0x80:
			out.WriteByte(b)
		case page == nil:
			out.WriteRune(utf8.RuneError)
		default:
			out.WriteRune(page.DecodeByte(b))
		}
	}
	return out.String()
}

// singleByte is the table of a code page with one byte a character, or nil.
// Zero stands for whatever the reader's system has.
func singleByte(codePage uint32) *charmap.Charmap {
	switch codePage {
	case 874:
		return charmap.Windows874
	case 1250:
		return charmap.Windows1250
	case 1251:
		return charmap.Windows1251
	case 0, 1252:
		return charmap.Windows1252
	case 1253:
		return charmap.Windows1253
	case 1254:
		return charmap.Windows1254
	case 1255:
		return charmap.Windows1255
	case 1256:
		return charmap.Windows1256
	case 1257:
		return charmap.Windows1257
	case 1258:
		return charmap.Windows1258
	}
	return nil
}
