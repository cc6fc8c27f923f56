package unpack

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	innoCode        = "IFPS"  // begins the compiled script (ROPS, uPSUtils.pas)
	innoFileStrings = 10      // texts of TSetupFileEntry
	maxInnoText     = 8 << 10 // bytes of one text that is looked at
	maxInnoLines    = 1 << 20 // bytes of all
)

// innoTexts is what can be read of a header without the layout of its entries,
// which every version changes: its texts. Each is its size and its characters.
type innoTexts struct {
	lines strings.Builder
	code  []byte // the compiled script
}

// readInnoTexts gathers the texts. Those that stand right behind one another,
// such as a program and its parameters, make one line; an empty one ends it.
func readInnoTexts(header []byte, wide bool) *innoTexts {
	t := &innoTexts{}
	t.scan(header, wide)
	if len(t.code) > 0 {
		t.scanCode()
	}
	return t
}

func (t *innoTexts) scan(b []byte, wide bool) {
	var line []string
	end := func() {
		if len(line) > 0 && t.lines.Len() < maxInnoLines {
			t.lines.WriteString(strings.Join(line, " ") + "\n")
		}
		line = line[:0]
	}
	for len(b) >= 4 {
		n := binary.LittleEndian.Uint32(b)
		if data := b[4:]; uint64(n) <= uint64(len(data)) && bytes.HasPrefix(data, []byte(innoCode)) {
			t.code = data[:n]
			end()
			b = data[n:]
			continue
		}
		text, size := innoText(b, wide)
		if size == 0 {
			end()
			b = b[1:]
			continue
		}
		line = append(line, text)
		b = b[size:]
	}
	end()
}

// innoText is the text at the start of b and the bytes that it takes, or none.
func innoText(b []byte, wide bool) (text string, size int) {
	if len(b) < 4 {
		return "", 0
	}
	n := binary.LittleEndian.Uint32(b)
	if n == 0 || n > maxInnoText || uint64(n) > uint64(len(b)-4) || wide && n%2 != 0 {
		return "", 0
	}
	text, ok := printable(b[4:4+n], wide)
	if !ok {
		return "", 0
	}
	return text, int(4 + n)
}

// printable decodes text, and tells if people can read it.
func printable(b []byte, wide bool) (string, bool) {
	text := string(b)
	if wide {
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(b[2*i:])
		}
		text = string(utf16.Decode(units))
	}
	for _, r := range text {
		if r == utf8.RuneError || !unicode.IsPrint(r) && r != '\r' && r != '\n' && r != '\t' {
			return "", false
		}
	}
	return text, true
}

// scanCode gathers the texts of the compiled script, one a line. They are
// counted in characters there.
func (t *innoTexts) scanCode() {
	b := t.code
	for len(b) >= 4 {
		n, data := binary.LittleEndian.Uint32(b), b[4:]
		b = b[1:]
		if n < 3 || n > maxInnoText/2 {
			continue
		}
		for _, wide := range []bool{true, false} {
			size := uint64(n)
			if wide {
				size *= 2
			}
			if size > uint64(len(data)) {
				continue
			}
			if text, ok := printable(data[:size], wide); ok && (!wide || mostlyASCII(text)) {
				if t.lines.Len() < maxInnoLines {
					t.lines.WriteString(text + "\n")
				}
				b = data[size:]
				break
			}
		}
	}
}

// mostlyASCII tells text from pairs of bytes that happen to be characters.
func mostlyASCII(text string) bool {
	ascii := 0
	for _, r := range text {
		if r < 0x80 {
			ascii++
		}
	}
	return 2*ascii > utf8.RuneCountInString(text)
}

// innoNames finds the entries of files by their shape: ten texts, of which the
// first is empty and the second a path that begins with a constant, then 20
// bytes of versions of Windows, then the number of the place.
func innoNames(header []byte, wide bool, places int) map[int]string {
	names := map[int]string{}
	for at := 0; at+8 < len(header); at++ {
		if binary.LittleEndian.Uint32(header[at:]) != 0 || header[at+8] != '{' {
			continue
		}
		name, _ := innoText(header[at+4:], wide)
		rest := header[at:]
		for range innoFileStrings {
			if rest = skipInnoText(rest); rest == nil {
				break
			}
		}
		if name == "" || len(rest) < 24 {
			continue
		}
		if n := int(int32(binary.LittleEndian.Uint32(rest[20:]))); n >= 0 && n < places && names[n] == "" {
			names[n] = strings.ReplaceAll(name, `\`, "/")
			at += len(header[at:]) - len(rest) - 1
		}
	}
	return names
}

// skipInnoText is what follows a text, or nil.
func skipInnoText(b []byte) []byte {
	if len(b) < 4 {
		return nil
	}
	n := uint64(binary.LittleEndian.Uint32(b))
	if n > maxInnoText || n > uint64(len(b)-4) {
		return nil
	}
	return b[4+n:]
}

// innoCalls undoes the change of calls and jumps (opcodes E8 and E9) of 32-bit
// programs: their target, stored as an address from the start of the file, is
// relative again. It works in pieces of 64 KiB, in which no instruction that
// crosses the border is changed (Compression.Base.pas, TransformCallInstructions
// of versions 5.3.9 and later).
type innoCalls struct {
	r    io.Reader
	at   uint32 // of piece, in the file
	left []byte // decoded
	err  error
}

const innoCallPiece = 1 << 16

func (c *innoCalls) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		piece := make([]byte, innoCallPiece)
		n, err := io.ReadFull(c.r, piece)
		if c.err = err; err == io.ErrUnexpectedEOF {
			c.err = io.EOF
		}
		c.left = piece[:n]
		c.decode()
		c.at += uint32(n)
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	if n == 0 {
		return 0, c.err
	}
	return n, nil
}

// decode changes the calls of one piece. Only targets within 16 MiB were
// changed; their upper byte is 0 or FF.
func (c *innoCalls) decode() {
	b := c.left
	for i := 0; i+5 <= len(b); i++ {
		if b[i] != 0xe8 && b[i] != 0xe9 {
			continue
		}
		i++
		if b[i+3] == 0 || b[i+3] == 0xff {
			address := (c.at + uint32(i) + 4) & 0xffffff
			target := uint32(b[i]) | uint32(b[i+1])<<8 | uint32(b[i+2])<<16
			relative := target - address
			if relative&0x800000 != 0 {
				b[i+3] = ^b[i+3]
			}
			b[i], b[i+1], b[i+2] = byte(relative), byte(relative>>8), byte(relative>>16)
		}
		i += 3
	}
}
