package specimens

import "encoding/binary"

// fasd writes the records of a compiled AppleScript that tell what it does.
// The layout was read in real public compiled scripts; there is no published
// description.
type fasd struct {
	data []byte
	next uint16 // number of the next record
}

func (f *fasd) begin() { f.data = append(f.data, "FasdUAS 1.101.10"...) }

func (f *fasd) record(kind byte, body []byte) {
	f.next++
	f.data = append(f.data, kind)
	f.data = binary.BigEndian.AppendUint16(f.data, f.next)
	f.data = binary.BigEndian.AppendUint16(f.data, uint16(len(body)))
	f.data = append(f.data, body...)
}

// text writes a literal: UTF-16BE behind a reference record.
func (f *fasd) text(s string) {
	f.record(0x0e, []byte{0xb1})
	f.data = append(f.data, 0, 1)
	f.record(0x11, utf16be(s))
}

// comment writes a comment: Mac Roman (here ASCII), then UTF-16BE.
func (f *fasd) comment(s string) {
	body := binary.BigEndian.AppendUint16(nil, uint16(len(s)))
	f.record(0x0c, append(body, s...))
	f.data = append(f.data, 0, 0, 0, 0)
	f.text(s)
}

// blank writes n blank source lines, 42 bytes each.
func (f *fasd) blank(n int) {
	for range n {
		f.next++
		line := make([]byte, 42)
		line[0] = 0x0d
		binary.BigEndian.PutUint16(line[1:], f.next)
		copy(line[3:], "\x00\x03l\x00\x02\x00\x00\x00\x00\x00\xff\xf8\xff\xf7\xff\xf6\x01\xff\xf8\x00\x00\x01\xff\xf7\x00\x00\x01\xff\xf6\x00\x00\x02")
		f.data = append(f.data, line...)
	}
}

// call writes the use of a command of Standard Additions.
func (f *fasd) call(code string) {
	f.record(0x0a, append(append([]byte{0x2e}, code...), make([]byte, 15)...))
}

func (f *fasd) end() { f.data = append(f.data, "htxtascr\x00\x01\x00\x0d\xfa\xde\xde\xad"...) }
