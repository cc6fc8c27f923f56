package script

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"meetguard"
)

// blob is a long literal that may hold an encoded layer.
type blob struct {
	text  string
	layer int
}

const (
	minBlob  = 24
	maxBlobs = 256
)

// noteBlob keeps a literal that could be an encoded text.
func (a *analysis) noteBlob(text string) {
	if len(text) < minBlob || len(a.blobs) >= maxBlobs || !isEncodedShape(text) {
		return
	}
	a.blobs = append(a.blobs, blob{text: text})
}

func (a *analysis) readBlobs(toks []token) {
	for i := range toks {
		if t := &toks[i]; t.kind == textToken && t.list == nil && t.size() >= minBlob {
			a.noteBlob(t.value())
		}
	}
}

// isEncodedShape holds for text in the alphabets of base64 and hexadecimal, and
// for texts full of percent signs.
func isEncodedShape(s string) bool {
	head := s[:min(len(s), 200)]
	if strings.Count(head, "%") >= 8 {
		return true
	}
	for i := range len(head) {
		c := head[i]
		if !(isWordByte(c) && c < 0x80) && c != '+' && c != '/' && c != '=' && c != '-' && c != '\n' && c != ' ' {
			return false
		}
	}
	return strings.IndexByte(strings.TrimSpace(head), ' ') < 0
}

// decodeBlob opens one layer of base64, hexadecimal or percent signs, and of
// gzip or zlib below it.
func decodeBlob(s string) (string, bool) {
	if text, ok := decodeHex(s); ok {
		return text, true
	}
	if text, ok := decodeBase64(s); ok {
		return text, true
	}
	if strings.Count(s, "%") >= 8 {
		if text := percentDecoded(s); text != s {
			return text, true
		}
	}
	return "", false
}

func decodeHex(s string) (string, bool) {
	s = strings.Map(dropSpace, s)
	if len(s)%2 != 0 {
		return "", false
	}
	raw, err := hex.DecodeString(s)
	if err != nil {
		return "", false
	}
	return layerText(raw)
}

// decodeBase64 decodes both alphabets, with and without padding, if the result
// is text or packed text.
func decodeBase64(s string) (string, bool) {
	s = strings.TrimRight(strings.Map(dropSpace, s), "=")
	enc := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		enc = base64.RawURLEncoding
	}
	raw, err := enc.DecodeString(s)
	if err != nil || len(raw) == 0 {
		return "", false
	}
	return layerText(raw)
}

func dropSpace(r rune) rune {
	if r == ' ' || r == '\n' || r == '\r' || r == '\t' {
		return -1
	}
	return r
}

// layerText unpacks and decodes what an encoding held; false if it is no text.
func layerText(raw []byte) (string, bool) {
	if packed := unpack(raw); packed != nil {
		raw = packed
	}
	if e := encodingOf(raw, ""); e == utf16LE || e == utf16BE {
		return decode(raw, e), true
	}
	if !isText(raw) {
		if raw = inflated(raw); raw == nil {
			return "", false
		}
	}
	return normalise(string(raw)), true
}

// inflated unpacks a deflate stream without any frame, nil if it is none that
// holds text.
func inflated(raw []byte) []byte {
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), maxLayerBytes))
	if err != nil || len(out) < 8 || !isText(out) {
		return nil
	}
	return out
}

func unpack(raw []byte) []byte {
	var r io.Reader
	var err error
	switch {
	case bytes.HasPrefix(raw, []byte{0x1f, 0x8b}):
		r, err = gzip.NewReader(bytes.NewReader(raw))
	case len(raw) > 2 && raw[0] == 0x78 && (uint(raw[0])<<8|uint(raw[1]))%31 == 0:
		r, err = zlib.NewReader(bytes.NewReader(raw))
	default:
		return nil
	}
	if err != nil {
		return nil
	}
	out, _ := io.ReadAll(io.LimitReader(r, maxLayerBytes)) // what could be unpacked before an error counts
	return out
}

func isText(raw []byte) bool {
	if len(raw) == 0 || !utf8.Valid(raw) {
		return false
	}
	for _, c := range raw {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' {
			return false
		}
	}
	return true
}

// openBlobs reads the encoded layers of a script that executes something: a
// blob that decodes to script statements is analysed like the script itself.
func (a *analysis) openBlobs() {
	for i := 0; i < len(a.blobs); i++ {
		b := a.blobs[i]
		if b.layer >= maxLayers {
			continue
		}
		text, ok := decodeBlob(b.text)
		if !ok {
			continue
		}
		if language := layerLanguage(text); language != "" {
			a.layer(language, text, context{depth: 1, layer: b.layer, pos: 0}, 0)
		} else if isEncodedShape(strings.TrimSpace(text)) && len(text) >= minBlob {
			a.blobs = append(a.blobs, blob{text: strings.TrimSpace(text), layer: b.layer + 1})
		}
	}
}

func layerLanguage(text string) string {
	if l := shebang([]byte(text)); l != "" {
		return l
	}
	if strings.Contains(text, ".doShellScript(") {
		return langJXA
	}
	return dominant([]byte(text), longLook, 40)
}

// layer reads a decoded text that statement n, counted from 1, executes.
func (a *analysis) layer(language, text string, c context, n int) {
	if a.seen[text] {
		return
	}
	if c.layer >= maxLayers || len(text) > a.unpaid {
		a.cutShort()
		return
	}
	a.unpaid -= len(text)
	a.seen[text] = true
	a.opened++
	c.layer++
	c.depth++
	a.layers.WriteString(markerLayer + strconv.Itoa(c.layer) + "\n" + text + "\n")
	before := len(a.blobs)
	first := len(a.stmts)
	a.unit(language, text, c)
	for i := before; i < len(a.blobs); i++ {
		a.blobs[i].layer = c.layer
	}
	if n > 0 {
		a.resultOf(n-1, first)
	}
}

// afterCommand looks at a command that has just been read: commands inside it,
// texts that the user reads, layers that it decodes and runs.
func (a *analysis) afterCommand(n int, c context) {
	s := &a.stmts[n]
	words, head := s.cmd, s.head
	if len(words) == 0 {
		return
	}
	switch head {
	case "alias":
		a.keepShellAlias(words[1:])
		return
	case "wscript", "cscript":
		a.writtenScript(words, n, c)
		return
	case "echo", "printf", "title", "msg", "read", "say", "whiptail", "zenity", "kdialog", "notify-send":
		if head == "printf" && len(words) > 3 && words[1] == "-v" {
			if text, ok := printfText(words[3:]); ok && a.spend(len(text)) {
				a.vars[words[2]] = text
			}
		}
		if s.out == "" {
			a.user.dialog(strings.Join(words[1:], " "))
		}
		return
	case "eval":
		a.nestedCommand(langShell, strings.Join(words[1:], " "), n, c)
		return
	case "forfiles", "schtasks", "wmic", "reg", "pcalua":
		a.laterCommand(words, n, c)
		return
	case "certutil":
		a.decodedFile(words, n, c)
		return
	case "at", "batch", "crontab":
		a.scheduled(head, n, c)
		return
	case "tar", "bsdtar":
		a.carriedArchive(n, c)
		return
	case "awk", "gawk", "mawk", "nawk":
		a.awkCommands(words, n, c)
		return
	case "php", "deno", "bun", "nodejs", "lua", "call", "cmd", "powershell", "pwsh", "osascript", "bash", "sh", "zsh", "dash", "ksh", "python", "perl", "ruby", "node", "su", "mshta":
	default:
		return
	}
	a.interpreter(head, words, n, c)
	if s = &a.stmts[n]; s.producer > 0 && !s.keepsToItself(false) {
		if text, ok := a.printed(s.producer - 1); ok {
			a.layer(a.inputLanguage(head, text), text, c.inside(s.pos), n+1)
		}
	} else if s.here != "" {
		a.nestedCommand(a.inputLanguage(head, s.here), s.here, n, c)
	}
}

// inputLanguage is the language that a program expects on its input.
func (a *analysis) inputLanguage(head, text string) string {
	if l := interpreterLanguage(head); l != "" && head != "su" && head != "call" {
		return l
	}
	return layerLanguage(text)
}

// interpreter reads the program text among the arguments of an interpreter.
func (a *analysis) interpreter(head string, words []string, n int, c context) {
	switch head {
	case "powershell", "pwsh":
		a.powershell(words[1:], n, c)
	case "cmd":
		for i, w := range words {
			if strings.EqualFold(w, "/c") || strings.EqualFold(w, "/k") {
				a.nestedCommand(langBatch, strings.Join(words[i+1:], " "), n, c)
				return
			}
		}
	case "call":
	case "mshta":
		a.mshta(words[1:], n, c)
	default:
		a.dashCode(head, words, n, c)
	}
}

// dashCode reads the text behind -c and -e.
func (a *analysis) dashCode(head string, words []string, n int, c context) {
	language := interpreterLanguage(head)
	if head == "su" {
		language = langShell
	}
	if head == "osascript" && containsFold(words, "JavaScript") {
		language = langJXA
	}
	var code []string
	for i := 1; i+1 < len(words); i++ {
		w := words[i]
		if len(w) < 2 || len(w) > 5 || w[0] != '-' || w[1] == '-' {
			continue
		}
		last := w[len(w)-1]
		if last == 'c' && language != langAppleScript || last == 'e' && language != langShell && language != langPython || last == 'r' && language == "php" {
			code = append(code, words[i+1])
			i++
		}
	}
	if len(code) > 0 {
		a.nestedCommand(language, strings.Join(code, "\n"), n, c)
	}
}

func containsFold(words []string, word string) bool {
	for _, w := range words {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

// mshta reads the script that a javascript: or vbscript: address is.
func (a *analysis) mshta(words []string, n int, c context) {
	text := strings.Join(words, " ")
	low := strings.ToLower(text)
	switch {
	case strings.HasPrefix(low, "javascript:"):
		a.nestedCommand(langJScript, text[len("javascript:"):], n, c)
	case strings.HasPrefix(low, "vbscript:"):
		a.nestedCommand(langVBScript, text[len("vbscript:"):], n, c)
	}
}

// powershell reads the options of the program and the command they carry.
// Options may be cut short: -e, -enc and -EncodedCommand are one.
func (a *analysis) powershell(words []string, n int, c context) {
	for i := 0; i < len(words); i++ {
		w := strings.ToLower(words[i])
		option := strings.TrimLeft(w, "-/\u2013\u2014")
		isOption := option != w && option != ""
		switch {
		case !isOption:
			a.nestedCommand(langPowerShell, strings.Join(words[i:], " "), n, c)
			return
		case strings.HasPrefix("windowstyle", option):
			if i++; i < len(words) && strings.HasPrefix("hidden", strings.ToLower(words[i])) || i < len(words) && words[i] == "1" {
				a.stmts[n].hidden = true
				a.traits[TraitHiddenWindow] = true
			}
		case strings.HasPrefix("encodedcommand", option) || option == "ec":
			if i++; i < len(words) {
				a.encodedCommand(words[i], n, c)
			}
			return
		case strings.HasPrefix("command", option):
			a.nestedCommand(langPowerShell, strings.Join(words[i+1:], " "), n, c)
			return
		case option == "file" || option == "f":
			return
		case strings.HasPrefix("executionpolicy", option) || option == "ep" || option == "version" || strings.HasPrefix("inputformat", option) || strings.HasPrefix("outputformat", option):
			i++
		}
	}
}

func (a *analysis) encodedCommand(word string, n int, c context) {
	a.traits[TraitEncodedCommand] = true
	if text, ok := decodeBase64(word); ok {
		inner := c.inside(a.stmts[n].pos)
		inner.hidden = inner.hidden || a.stmts[n].hidden
		a.layer(langPowerShell, text, inner, n+1)
	}
}

func (a *analysis) nestedCommand(language, text string, n int, c context) {
	a.runNested(language, text, false, n, c)
}

// hereDocument gives a here-document to the command that reads it. A document
// for an interpreter, or one that is a script, is read as such.
func (a *analysis) hereDocument(n int, body string, c context) {
	s := &a.stmts[n]
	language := ""
	switch head := s.head; head {
	case "bash", "sh", "zsh", "dash", "osascript", "python", "pwsh", "perl", "ruby", "node", "sudo", "ksh":
		language = a.inputLanguage(head, body)
	case "cat", "tee", "":
		if language = layerLanguage(body); language == "" && s.out == "" && s.consumer == 0 {
			a.user.dialog(body)
		}
	}
	s.here = body
	if language == "" && a.feed(n, c) {
		return
	}
	if s = &a.stmts[n]; language == "" {
		data := stmt{lang: "data", text: body[:min(len(body), maxValue)], pos: s.pos}
		a.add(data, c)
		return
	}
	a.nestedCommand(language, body, n, c)
}

// printed computes what statement n prints, if that is constant: echo and
// printf, sent through decoders.
func (a *analysis) printed(n int) (string, bool) {
	return a.printedUpTo(n, 0)
}

func (a *analysis) printedUpTo(n, steps int) (string, bool) {
	if steps > 8 {
		return "", false
	}
	s := &a.stmts[n]
	words := s.cmd
	if len(words) == 0 {
		return "", false
	}
	input := func() (string, bool) {
		if s.here != "" {
			return s.here, true
		}
		if s.producer == 0 {
			return "", false
		}
		return a.printedUpTo(s.producer-1, steps+1)
	}
	switch s.head {
	case "echo":
		if s.lang == langBatch {
			return batchEcho(s), true
		}
		return echoText(words[1:])
	case "printf":
		return printfText(words[1:])
	case "cat":
		if len(words) == 1 {
			return input()
		}
	case "rev":
		text, ok := input()
		return reversed(strings.TrimSpace(text)), ok
	case "tail", "head", "sed", "grep", "awk":
		if text, ok := a.ownLines(s); ok {
			return text, a.spend(len(text))
		}
		if text, ok := input(); ok && s.head == "sed" {
			return substituted(text, words[1:])
		}
		return "", false
	case "tr":
		if text, ok := input(); ok {
			return translated(text, words[1:])
		}
	case "cut":
		if text, ok := input(); ok {
			return cutColumns(text, words[1:])
		}
	case "base32":
		if text, ok := input(); ok && (strings.Contains(s.text, "-d") || strings.Contains(s.text, "-D")) {
			return decodeBase32(text)
		}
	case "base64", "openssl", "gbase64":
		if !strings.Contains(s.text, "-d") && !strings.Contains(s.text, "-D") {
			return "", false
		}
		if text, ok := input(); ok {
			return decodeBase64(strings.TrimSpace(text))
		}
	case "xxd":
		if text, ok := input(); ok && strings.Contains(s.text, "-r") {
			return decodeHex(strings.TrimSpace(text))
		}
	case "gunzip", "zcat", "gzip": // decoding has unpacked it already
		return input()
	}
	return "", false
}

func echoText(words []string) (string, bool) {
	escapes := false
	for len(words) > 0 && (words[0] == "-n" || words[0] == "-e" || words[0] == "-ne" || words[0] == "-en") {
		escapes = escapes || strings.Contains(words[0], "e")
		words = words[1:]
	}
	text := strings.Join(words, " ")
	if strings.IndexByte(text, '$') >= 0 {
		return "", false
	}
	if escapes {
		text = unescapeC(text)
	}
	return text, true
}

// printfText writes a format of %s and %b with constant arguments.
func printfText(words []string) (string, bool) {
	if len(words) == 0 || strings.Contains(strings.Join(words, " "), "$") {
		return "", false
	}
	format, args := unescapeC(words[0]), words[1:]
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 >= len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch {
		case format[i] == '%':
			b.WriteByte('%')
		case (format[i] == 's' || format[i] == 'b') && len(args) > 0:
			b.WriteString(unescapeC(args[0]))
			args = args[1:]
		}
	}
	if strings.Contains(format, "%s") || strings.Contains(format, "%b") {
		for _, extra := range args { // the format is used again
			b.WriteString(unescapeC(extra))
		}
	}
	return b.String(), b.Len() <= maxValue
}

// lowered is a text with the letters of ASCII in lower case, byte for byte: a place
// in it is the same place in the text, whatever other letters there are.
func lowered(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// markup reads the script elements of an HTA or WSF and the words around them.
func (a *analysis) markup(text string, c context) {
	low := lowered(text)
	for off := 0; off < len(text); {
		open := strings.Index(low[off:], "<script")
		if open < 0 {
			a.user.dialog(stripTags(text[off:]))
			return
		}
		a.user.dialog(stripTags(text[off : off+open]))
		head := strings.IndexByte(low[off+open:], '>')
		if head < 0 {
			return
		}
		from := off + open + head + 1
		tag := low[off+open : from]
		end := strings.Index(low[from:], "</script")
		if end < 0 {
			end = len(text) - from
		}
		language := langJScript
		if strings.Contains(tag, "vbs") {
			language = langVBScript
		}
		inner := c
		if c.pos < 0 {
			inner.pos = from
		}
		a.remoteScript(tag, language, inner)
		a.unit(language, strings.NewReplacer("<![CDATA[", "", "]]>", "").Replace(text[from:from+end]), inner)
		off = from + end
	}
}

// remoteScript notes the source of a script that stands elsewhere: Windows
// fetches and runs it with the rights of its user.
func (a *analysis) remoteScript(tag, language string, c context) {
	_, source, ok := strings.Cut(tag, "src=")
	if !ok {
		return
	}
	if host, scheme, ok := urlHost(source[:min(len(source), 300)]); ok && host != "" && scheme != "file" && len(a.remote) < maxFetches {
		a.remote = append(a.remote, fetching{Fetch: meetguard.Fetch{Tool: "script src", Host: host, Insecure: scheme == "http", To: "pipe", RunBy: language}, stmt: -1})
	}
}

func stripTags(s string) string {
	var b strings.Builder
	inTag := false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '<':
			inTag = true
			b.WriteByte(' ')
		case c == '>':
			inTag = false
		case !inTag:
			b.WriteByte(c)
		}
	}
	return b.String()
}
