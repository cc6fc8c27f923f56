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
	innoCode        = "IFPS"   // begins the compiled script (ROPS, uPSUtils.pas)
	innoFileStrings = 10       // texts of TSetupFileEntry
	maxInnoText     = 64 << 10 // bytes of one text that is looked at
	maxInnoLines    = 1 << 20  // bytes of all
	maxInnoWork     = 64 << 20 // characters looked at
	minInnoMessages = 8 << 10  // bytes of the messages of one language, at least
)

// innoTexts is what can be read of a header without the layout of its entries,
// which every version changes: its texts. Each is its size and its characters.
type innoTexts struct {
	commands strings.Builder // lines that name a program, a script or a host
	others   strings.Builder
	code     []byte // the compiled script
	wide     bool
	work     int  // characters that may still be looked at
	cut      bool // there is more than is kept or looked at
}

// readInnoTexts gathers the texts. Those that stand right behind one another,
// such as a program and its parameters, make one line; an empty one ends it.
func readInnoTexts(header []byte, wide bool) *innoTexts {
	t := &innoTexts{wide: wide, work: maxInnoWork}
	t.scan(header)
	t.scanCode()
	t.cut = t.cut || t.work < 0
	return t
}

func (t *innoTexts) scan(b []byte) {
	var line []string
	for ; len(b) >= 4; b = b[1:] {
		for size := -1; size != 0 && len(b) >= 4; b = b[size:] {
			var text string
			if text, size = t.text(b); size > 0 {
				line = append(line, text)
			} else if size = t.skip(b, len(line) > 0); size > 0 {
				line = t.add(line)
			}
		}
		line = t.add(line)
	}
	t.add(line)
}

// add keeps a line and returns an empty one.
func (t *innoTexts) add(line []string) []string {
	if len(line) == 0 {
		return line
	}
	text := strings.Join(line, " ")
	to := &t.others
	if isInnoCommand(text) {
		to = &t.commands
	}
	if to.Len() < maxInnoLines {
		to.WriteString(text + "\n")
	} else if to == &t.commands {
		t.cut = true
	}
	return line[:0]
}

// isInnoCommand tells what is run or fetched from names and messages.
func isInnoCommand(line string) bool {
	line = strings.ToLower(line)
	for _, part := range []string{".exe", ".bat", ".cmd", ".ps1", ".vbs", ".js", ".hta", ".msi", ".dll", ".scr",
		"{cmd}", "powershell", "pwsh", "mshta", "rundll32", "regsvr32", "cmd /", "://", "/c "} {
		if strings.Contains(line, part) {
			return true
		}
	}
	return false
}

// skip is the size of what stands here and is no line: the compiled script, or,
// right behind a text, the messages of a language, which are one long text of
// their own format.
func (t *innoTexts) skip(b []byte, behind bool) int {
	n, data := binary.LittleEndian.Uint32(b), b[4:]
	switch {
	case uint64(n) > uint64(len(data)):
		return 0
	case bytes.HasPrefix(data[:n], []byte(innoCode)):
		t.code = data[:n]
		return int(4 + n)
	case behind && n >= minInnoMessages && n < 256<<10:
		return int(4 + n)
	}
	return 0
}

// text is the text at the start of b and the bytes that it takes, or none.
func (t *innoTexts) text(b []byte) (text string, size int) {
	if len(b) < 4 {
		return "", 0
	}
	n := binary.LittleEndian.Uint32(b)
	if n == 0 || n > maxInnoText || uint64(n) > uint64(len(b)-4) || t.wide && n%2 != 0 {
		return "", 0
	}
	text, ok := t.printable(b[4:4+n], t.wide)
	if !ok {
		return "", 0
	}
	return text, int(4 + n)
}

// printable decodes text, and tells if people can read it.
func (t *innoTexts) printable(b []byte, wide bool) (string, bool) {
	if !wide {
		for _, c := range b {
			if t.work--; t.work < 0 || c < ' ' && c != '\r' && c != '\n' && c != '\t' || c == 0x7f {
				return "", false
			}
		}
		return strings.ToValidUTF8(string(b), "\uFFFD"), true
	}
	units := make([]uint16, 0, min(len(b)/2, 64))
	for i := 0; i+1 < len(b); i += 2 {
		unit := binary.LittleEndian.Uint16(b[i:])
		surrogate := utf16.IsSurrogate(rune(unit))
		if t.work--; t.work < 0 || !surrogate && !unicode.IsPrint(rune(unit)) && unit != '\r' && unit != '\n' && unit != '\t' {
			return "", false
		}
		units = append(units, unit)
	}
	return string(utf16.Decode(units)), true
}

// scanCode gathers the texts of the compiled script, one a line. They are
// counted in characters there.
func (t *innoTexts) scanCode() {
	for b := t.code; len(b) >= 4; b = b[1:] {
		n, data := uint64(binary.LittleEndian.Uint32(b)), b[4:]
		if n < 3 || n > maxInnoText/2 || n > uint64(len(data)) {
			continue
		}
		if 2*n <= uint64(len(data)) {
			if text, ok := t.printable(data[:2*n], true); ok && mostlyASCII(text) {
				t.add([]string{text})
				b = data[2*n-1:]
				continue
			}
		}
		if text, ok := t.printable(data[:n], false); ok {
			t.add([]string{text})
			b = data[n-1:]
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
// bytes of versions of Windows, then the number of the place. all says that the
// whole header was looked at.
func innoNames(header []byte, wide bool, places int) (names map[int]string, all bool) {
	names = map[int]string{}
	t := &innoTexts{wide: wide, work: maxInnoWork}
	for at := 0; at+8 < len(header); at++ {
		if binary.LittleEndian.Uint32(header[at:]) != 0 || header[at+8] != '{' {
			continue
		}
		name, _ := t.text(header[at+4:])
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
	return names, t.work >= 0
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
