package sign

import (
	"encoding/base64"
	"path"
	"strings"
)

// The values of Signature.Remarks for scripts.
const (
	RemarkCodeAfterBlock = "code_after_block"  // text that runs stands behind the signature block
	RemarkSecondBlock    = "second_block"      // a further signature block behind the first one
	RemarkLineEnds       = "line_ends_changed" // fits once its line ends are those of Windows again
)

// Limits of a script. A block with its certificates and a countersignature has
// some 10 kB; the agent analyses no script that is larger than this.
const (
	maxScript = 16 << 20 // bytes
	maxBlock  = 1 << 20  // bytes of the base64 of one block
)

// blockStyle is how a language writes a signature block: lines of base64 that
// are comments to its interpreter, between two lines that begin and end it.
type blockStyle struct {
	begin, end     string // whole lines
	prefix, suffix string // around each line of base64
	idle           string // how a line begins that may stand behind the block
	digest         bool   // what the signature covers is known
}

// Set-AuthenticodeSignature of PowerShell writes the first two (the help topic
// about_Signing shows the first), the script engines of Windows the others.
// What the digest of those covers is documented nowhere, and no tool outside
// of Windows makes one to compare with: of them only the signer is read.
var (
	styleHash = blockStyle{"# SIG # Begin signature block", "# SIG # End signature block", "# ", "", "#", true}
	styleXML  = blockStyle{"<!-- SIG # Begin signature block -->", "<!-- SIG # End signature block -->", "<!-- ", " -->", "<!--", true}
	styleVBS  = blockStyle{"'' SIG '' Begin signature block", "'' SIG '' End signature block", "'' SIG '' ", "", "'", false}
	styleJS   = blockStyle{"// SIG // Begin signature block", "// SIG // End signature block", "// SIG // ", "", "//", false}
	styleWSF  = blockStyle{"<signature>", "</signature>", "** SIG ** ", "", "</", false}
)

// stylesOf lists the styles that a block of a script may have, told from its
// name. carries is false if a script of that name cannot have one. It is then
// looked for all the same: a signed script stays one under another name.
func stylesOf(name string) (styles []blockStyle, carries bool) {
	switch strings.ToLower(path.Ext(name)) {
	case ".ps1", ".psm1", ".psd1":
		return []blockStyle{styleHash}, true
	case ".ps1xml", ".cdxml", ".psc1":
		return []blockStyle{styleXML}, true
	case ".vbs", ".vbe":
		return []blockStyle{styleVBS}, true
	case ".js", ".jse":
		return []blockStyle{styleJS}, true
	case ".wsf":
		return []blockStyle{styleWSF}, true
	}
	return []blockStyle{styleHash, styleXML, styleVBS, styleJS}, false
}

// block is a signature block in a text.
type block struct {
	style blockStyle
	from  int    // where the signed text ends: before the line end that leads to the block
	to    int    // behind the line that ends the block
	cms   []byte // what the base64 says
}

// findBlock finds the first block of the styles, in the order of the text. A
// block that has begun and cannot be read is a fault.
func findBlock(text string, styles []blockStyle) (*block, error) {
	at, found := len(text), blockStyle{}
	for _, s := range styles {
		if i := indexLine(text, s.begin); i >= 0 && i < at {
			at, found = i, s
		}
	}
	if at == len(text) {
		return nil, errUnsigned
	}
	b := &block{style: found, from: at - lineEndBefore(text[:at])}
	encoded, size, err := found.body(text[at:])
	if err != nil {
		return nil, err
	}
	b.to = at + size
	if b.cms, err = base64.StdEncoding.DecodeString(encoded); err != nil {
		return nil, malformed("the signature block is no base64")
	}
	return b, nil
}

// indexLine finds a line that is exactly as wanted.
func indexLine(text, wanted string) int {
	for from := 0; ; {
		i := strings.Index(text[from:], wanted)
		if i < 0 {
			return -1
		}
		at, end := from+i, from+i+len(wanted)
		if startsLine(text[:at]) && endsLine(text[end:]) {
			return at
		}
		from = end
	}
}

func startsLine(before string) bool {
	return before == "" || before == "\uFEFF" || strings.HasSuffix(before, "\n")
}

func endsLine(after string) bool {
	return after == "" || after[0] == '\n' || strings.HasPrefix(after, "\r\n")
}

// lineEndBefore is the length of the line end that text ends with.
func lineEndBefore(text string) int {
	switch {
	case strings.HasSuffix(text, "\r\n"):
		return 2
	case strings.HasSuffix(text, "\n"):
		return 1
	}
	return 0
}

// body joins the base64 of the block at the front of text and tells how long
// the block is, with its last line end.
func (s blockStyle) body(text string) (encoded string, size int, err error) {
	var joined strings.Builder
	for line := range strings.Lines(text) {
		size += len(line)
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line == s.end:
			return joined.String(), size, nil
		case size > maxBlock:
			return "", 0, limit("the signature block is larger than 1 MiB")
		case size <= len(s.begin)+2: // the line that begins it
		case len(line) < len(s.prefix)+len(s.suffix) || !strings.HasPrefix(line, s.prefix) || !strings.HasSuffix(line, s.suffix):
			return "", 0, malformed("a line of the signature block is none")
		default:
			joined.WriteString(line[len(s.prefix) : len(line)-len(s.suffix)])
		}
	}
	return "", 0, malformed("the signature block does not end")
}

// codeIn tells whether something stands behind a block that its interpreter
// would not pass over.
func (s blockStyle) codeIn(rest string) bool {
	for line := range strings.Lines(rest) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, s.idle) {
			return true
		}
	}
	return false
}
