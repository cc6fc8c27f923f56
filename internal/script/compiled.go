package script

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"meetguard"
)

// Compiled AppleScript ("FasdUAS 1.101.10") is a row of records: type (1 byte),
// reference (2), size (2), all big-endian, then what the type says. Nothing
// official describes it; these facts come from public studies of the format
// and from real files. Only what tells about behaviour is read, and a record
// that is not understood is stepped over byte by byte.
const (
	compiledMagic   = "FasdUAS"
	automationMagic = "JsOsaDAS"
	rawRecord       = 0x11 // raw bytes: texts are UTF-16BE
	bigRawRecord    = 0x13 // the same with a 32-bit size
	romanRecord     = 0x0c // Mac Roman text: comments, and literals of old scripts
	nodeRecord      = 0x0d // node of the syntax tree
	blankSize       = 42   // bytes that a blank source line takes
	maxCompiled     = 16 << 20
)

// blankNode is what follows type and reference of the node of a blank line.
var blankNode = []byte{0, 3, 'l', 0, 2, 0, 0, 0, 0}

// eventWordsOf are the event and parameter codes of Standard Additions that
// matter, and the words that a script has for them (StandardAdditions.sdef).
var eventWordsOf = []struct{ code, words string }{
	{"sysoexec", "do shell script"}, {"sysodsct", "run script"}, {"sysoload", "load script"}, {"sysodlog", "display dialog"}, {"sysodisA", "display alert"},
	{"sysonotf", "display notification"}, {"sysodela", "delay"}, {"GURLGURL", "open location"}, {"JonspClp", "set the clipboard"}, {"JonsgClp", "the clipboard"},
}

func isCompiled(data []byte) bool { return bytes.HasPrefix(data, []byte(compiledMagic)) }

// analyseCompiled reads the texts, commands and blank lines of a compiled
// script, and analyses the commands like those of a source text.
func analyseCompiled(data []byte) (*meetguard.Script, string) {
	r := compiledReader{data: data[:min(len(data), maxCompiled)]}
	r.read()
	a := newAnalysis(len(data))
	s := &meetguard.Script{Language: langCompiled, Lines: r.lines}
	r.replay(a, s)
	text := r.source.String()
	a.finish(text, s)
	return s, a.user.banner()
}

// piece is one thing found in a compiled script, in the order of the file.
type piece struct {
	at   int
	text string // a literal or comment
	note bool   // the text is a comment
	code string // the words of an event
	run  int    // blank lines
}

type compiledReader struct {
	data   []byte
	pieces []piece
	lines  int
	source strings.Builder
	roman  string // the Mac Roman text just read: its UTF-16 copy follows
}

// read walks through the records. It never trusts a size: a text has to lie in
// the file and to consist of characters.
func (r *compiledReader) read() {
	for i := len(compiledMagic); i+5 <= len(r.data) && len(r.pieces) < maxStatements; {
		if n := r.record(i); n > 0 {
			i += n
			continue
		}
		i++
	}
}

// record reads the record at i and returns its size, 0 if there is none that
// matters.
func (r *compiledReader) record(i int) int {
	d := r.data[i:]
	switch d[0] {
	case nodeRecord:
		return r.blank(i)
	case rawRecord:
		return r.wide(i, 5, int(binary.BigEndian.Uint16(d[3:])))
	case bigRawRecord:
		if len(d) >= 7 {
			return r.wide(i, 7, int(min(binary.BigEndian.Uint32(d[3:]), maxCompiled)))
		}
	case romanRecord:
		return r.narrow(i)
	case 's', 'G', 'J', 'h', 'b':
		return r.event(i)
	}
	return 0
}

// blank counts the record of a blank source line. Blank lines in a row stand
// blankSize bytes apart.
func (r *compiledReader) blank(i int) int {
	d := r.data[i:]
	if len(d) < 3+len(blankNode) || !bytes.Equal(d[3:3+len(blankNode)], blankNode) {
		return 0
	}
	r.lines++
	if n := len(r.pieces); n > 0 && r.pieces[n-1].run > 0 && i-r.pieces[n-1].at <= 2*blankSize {
		r.pieces[n-1].run++
		r.pieces[n-1].at = i
	} else {
		r.pieces = append(r.pieces, piece{at: i, run: 1})
	}
	return 3 + len(blankNode)
}

func (r *compiledReader) wide(i, head, size int) int {
	if size < 2 || size%2 != 0 || i+head+size > len(r.data) {
		return 0
	}
	raw := r.data[i+head : i+head+size]
	units := make([]uint16, 0, min(size/2, 1<<12))
	for k := 0; k < size; k += 2 {
		u := binary.BigEndian.Uint16(raw[k:])
		if !isTextUnit(u) {
			return 0
		}
		units = append(units, u)
	}
	text := string(utf16.Decode(units))
	note := text == r.roman && r.roman != ""
	r.addText(piece{at: i, text: text, note: note})
	return head + size
}

// isTextUnit holds for a UTF-16 unit that people write: it keeps machine code
// out, which shares the record type with texts.
func isTextUnit(u uint16) bool {
	switch {
	case u < 0x20:
		return u == '\n' || u == '\r' || u == '\t'
	case u >= 0xd800 && u < 0xe000:
		return true
	}
	return unicode.IsPrint(rune(u)) || unicode.IsSpace(rune(u)) || isInvisible(rune(u))
}

func (r *compiledReader) narrow(i int) int {
	d := r.data[i:]
	if len(d) < 7 {
		return 0
	}
	size, inner := int(binary.BigEndian.Uint16(d[3:])), int(binary.BigEndian.Uint16(d[5:]))
	if inner < 1 || inner > size || size-inner > 8 || 7+inner > len(d) {
		return 0
	}
	for _, c := range d[7 : 7+inner] {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return 0
		}
	}
	r.dropRoman()
	r.roman = narrowText(d[7:7+inner], []rune(macRomanHigh))
	r.pieces = append(r.pieces, piece{at: i, text: r.roman})
	return 7 + inner
}

// dropRoman forgets the last Mac Roman text: it stays a literal.
func (r *compiledReader) dropRoman() { r.roman = "" }

// addText appends a UTF-16 text. If it is the copy of the Mac Roman text before
// it, both are one comment.
func (r *compiledReader) addText(p piece) {
	if n := len(r.pieces); p.note && n > 0 && r.pieces[n-1].text == p.text {
		r.pieces[n-1].note = true
		r.dropRoman()
		return
	}
	r.dropRoman()
	r.pieces = append(r.pieces, p)
}

func (r *compiledReader) event(i int) int {
	d := r.data[i:]
	for _, e := range eventWordsOf {
		if len(d) >= 8 && d[0] == e.code[0] && string(d[:8]) == e.code {
			r.pieces = append(r.pieces, piece{at: i, code: e.words})
			return 8
		}
	}
	switch {
	case bytes.HasPrefix(d, []byte("htxt")):
		r.pieces = append(r.pieces, piece{at: i, code: "hidden answer"})
		return 4
	case bytes.HasPrefix(d, []byte("badm")):
		r.pieces = append(r.pieces, piece{at: i, code: "with administrator privileges"})
		return 4
	}
	return 0
}

// replay writes the pseudo source and reads the commands in it. The statements
// of the original are not kept apart in the file: a text that speaks shell is
// taken for what "do shell script" gets, if the script has that event.
func (r *compiledReader) replay(a *analysis, s *meetguard.Script) {
	runs := r.has("do shell script")
	executes := runs || r.has("run script") || r.has("load script")
	var open []string
	var gaps []run
	text := false
	flush := func() {
		r.literals(a, open, runs)
		open = open[:0]
	}
	for _, p := range r.pieces {
		switch {
		case p.run > 0:
			flush()
			if p.run >= shortRun {
				r.source.WriteString(markerBlank + strconv.Itoa(p.run) + "\n")
				if text {
					gaps = append(gaps, run{lines: p.run, end: r.source.Len()})
				}
			}
		case p.code != "":
			flush()
			r.line(a, p.code)
			text = true
		case p.note:
			flush()
			a.user.comment(p.text)
			r.source.WriteString("-- " + normalise(p.text) + "\n")
			r.lines++
			text = true
		default:
			open = append(open, normalise(p.text))
			text = true
		}
	}
	flush()
	last := -1
	if executes {
		last = r.lastCode(a)
	}
	s.BlankRun, s.CodeAfter = longestRun(gaps, last)
	s.Lines = r.lines
}

func (r *compiledReader) has(words string) bool {
	for _, p := range r.pieces {
		if p.code == words {
			return true
		}
	}
	return false
}

func (r *compiledReader) lastCode(a *analysis) int {
	last := -1
	for i := range a.stmts {
		if s := &a.stmts[i]; s.lang != "data" && (s.lang != langAppleScript || a.executes(s)) {
			last = max(last, s.pos)
		}
	}
	return last
}

// line records a pseudo statement.
func (r *compiledReader) line(a *analysis, text string) {
	a.add(stmt{lang: langAppleScript, text: text, words: strings.Fields(text), pos: r.source.Len()}, context{})
	r.source.WriteString(text + "\n")
	r.lines++
}

// literals reads texts that stand next to one another. Neighbours of which many
// are short were joined by "&": from the first to the last short one they are
// also read as one text.
func (r *compiledReader) literals(a *analysis, texts []string, runs bool) {
	if len(texts) == 0 {
		return
	}
	var k pieces
	first, last := -1, -1
	for i, t := range texts {
		k.add(t)
		if utf8.RuneCountInString(t) <= 3 {
			if last = i; first < 0 {
				first = i
			}
		}
	}
	pos := r.source.Len()
	if k.best >= 4 {
		a.chain(k.best)
		joined := strings.Join(texts[first:last+1], "")
		a.keepJoined(joined)
		texts = append(texts, joined)
	}
	for _, t := range texts {
		r.source.WriteString("\"" + t + "\"\n")
		a.noteBlob(t)
		speaks := layerLanguage(t)
		switch {
		case runs && (isCommand(t) || speaks == langShell || speaks == langBatch || speaks == langPython):
			a.unit(langShell, t, context{pos: pos, depth: 1})
		case speaks == langAppleScript:
			a.unit(langAppleScript, t, context{pos: pos, depth: 1})
		default:
			a.user.dialog(t)
		}
	}
}

// isCommand holds for a text that begins with a program of cradles or puts
// commands together: what "do shell script" gets.
func isCommand(text string) bool {
	first, _, more := strings.Cut(text, " ")
	return more && (programs[programName(first)] != "" || passing[programName(first)]) || strings.Contains(text, "|") && strings.ContainsAny(text, " ")
}

// automationSource returns the source text of a compiled JavaScript for
// Automation: the longest string of the property list behind the magic.
func automationSource(data []byte) (string, bool) {
	if !bytes.HasPrefix(data, []byte(automationMagic)) {
		return "", false
	}
	longest := ""
	for i := len(automationMagic); i+3 < len(data); i++ {
		wide := data[i] == 0x6f
		if data[i] != 0x5f && !wide || data[i+1]&0xf0 != 0x10 || data[i+1]&0x0f > 2 {
			continue
		}
		size, head := plistSize(data[i+1:])
		if wide {
			size *= 2
		}
		start := i + 1 + head
		if size <= len(longest) || size > len(data)-start {
			continue
		}
		text := string(data[start : start+size])
		if wide {
			text = wideText(data[start:start+size], true)
		}
		longest = text
		i = start + size - 1
	}
	return normalise(longest), true
}

// plistSize reads the integer object that tells a long string's length (binary
// property list: 0x1n, then 2^n bytes).
func plistSize(d []byte) (size, head int) {
	n := 1 << (d[0] & 0x0f)
	if len(d) < 1+n {
		return 0, 1
	}
	for _, c := range d[1 : 1+n] {
		size = size<<8 | int(c)
	}
	return size, 1 + n
}
