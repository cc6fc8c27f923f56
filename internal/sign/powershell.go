package sign

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"meetguard"
)

// unproven is a signature that is present and cannot be checked with what is
// known here. It accuses no one, proves nothing and does not blind.
type unproven string

func (u unproven) Error() string { return string(u) }

// VerifyScript checks the signature block of a script. The extension of name
// tells how the language writes one: .ps1, .psm1, .psd1, .ps1xml, .cdxml, .vbs,
// .js, .wsf and the like. Under any other name a block of any style is looked
// for, and its absence is SignatureUnknown without a gap; under those names it
// is SignatureUnsigned.
//
// Only blocks of PowerShell can be SignatureValid. Of VBScript, JScript and WSF
// the signer and his chain are read and the status stays SignatureUnknown, with
// a gap that does not blind. What stands behind the block is not signed and
// becomes a remark.
//
// A script of more than 16 MiB is a gap that blinds. Memory stays below 100 MB.
func (v *Verifier) VerifyScript(name string, data []byte, now time.Time) (sig meetguard.Signature, gaps []meetguard.Gap) {
	defer func() {
		if recover() != nil {
			sig, gaps = stopped("the signature parser crashed")
		}
	}()
	styles, carries := stylesOf(name)
	if len(data) > maxScript {
		if !carries {
			return meetguard.Signature{Status: meetguard.SignatureUnknown}, nil
		}
		return stopped("the script is larger than 16 MiB")
	}
	sig, err := v.checkScript(data, styles, now)
	if errors.Is(err, errUnsigned) && !carries {
		return meetguard.Signature{Status: meetguard.SignatureUnknown}, nil
	}
	return settle(sig, err)
}

func (v *Verifier) checkScript(data []byte, styles []blockStyle, now time.Time) (meetguard.Signature, error) {
	s := readScript(data)
	b, err := findBlock(s.readings[0], styles)
	if err != nil {
		return meetguard.Signature{}, err
	}
	var sig meetguard.Signature
	if b.style.digest {
		sig, err = v.checkReadings(s, styles, now)
	} else {
		sig, err = v.identify(b.cms, now)
	}
	v.lookBehind(&sig, b.style, s.readings[0][b.to:])
	return sig, err
}

// checkReadings checks a block of PowerShell over each reading of the text. One
// that fits proves that this is the text that was signed.
func (v *Verifier) checkReadings(s scriptText, styles []blockStyle, now time.Time) (sig meetguard.Signature, err error) {
	for _, text := range s.readings {
		var b *block
		if b, err = findBlock(text, styles); err != nil {
			return sig, err
		}
		sig, err = v.checkText(b.cms, text[:b.from], false, now)
		if s.lossy {
			break
		}
		if !isBadDigest(err) {
			return sig, err
		}
		if v.fitsWithLineEnds(b.cms, text[:b.from], now) {
			remark(&sig, RemarkLineEnds)
			return sig, badDigest("the line ends were changed after signing")
		}
	}
	if s.lossy || !s.sure {
		return withoutProof(sig), unproven("the digest of the signature is not checked: the encoding of the script is not known")
	}
	return sig, err
}

// checkText judges a signature over a text. The digest is that of the text in
// UTF-16LE, with its byte order mark if it has one.
func (v *Verifier) checkText(cms []byte, text string, windows bool, now time.Time) (meetguard.Signature, error) {
	return v.authenticodeOf([][]byte{cms}, func(into io.Writer) error { return writeUTF16(into, text, windows) }, now)
}

// fitsWithLineEnds tells a script that a version control system has rewritten
// from one that somebody has changed.
func (v *Verifier) fitsWithLineEnds(cms []byte, text string, now time.Time) bool {
	if strings.Contains(text, "\r\n") {
		return false
	}
	_, err := v.checkText(cms, text, true, now)
	return err == nil
}

func isBadDigest(err error) bool {
	var f *fault
	return errors.As(err, &f) && f.chain == ChainBadDigest
}

// identify tells who made a signature whose digest cannot be checked.
func (v *Verifier) identify(cms []byte, now time.Time) (meetguard.Signature, error) {
	e, _ := openEmbedded(cms)
	var sig meetguard.Signature
	if e.signer != nil {
		e.signer.describe(&sig)
	}
	if e.err != nil {
		return settleEarly(sig, e.err)
	}
	sig, err := v.judgeEmbedded(e, e.same(), now)
	if err != nil {
		return sig, err
	}
	return withoutProof(sig), unproven("the digest of the signature is not checked for scripts of this language")
}

// withoutProof takes back what a signature says of the file. The signer and
// his chain stay.
func withoutProof(sig meetguard.Signature) meetguard.Signature {
	sig.Status, sig.Detail = meetguard.SignatureUnknown, ""
	return sig
}

// lookBehind reports what stands behind a block. PowerShell refuses to run a
// script with code there, the script engines do not care.
func (v *Verifier) lookBehind(sig *meetguard.Signature, style blockStyle, rest string) {
	if style.codeIn(rest) {
		remark(sig, RemarkCodeAfterBlock)
	}
	second, err := findBlock(rest, []blockStyle{style})
	if errors.Is(err, errUnsigned) {
		return
	}
	remark(sig, RemarkSecondBlock)
	if err != nil {
		return
	}
	var other meetguard.Signature
	if e, _ := openEmbedded(second.cms); e.signer != nil {
		e.signer.describe(&other)
		sig.OtherSigners = append(sig.OtherSigners, other.Subject)
	}
}

// scriptText is a script as its signer may have read it.
type scriptText struct {
	readings []string // at least one; a block stands in all of them or in none
	sure     bool     // there is no further reading: a digest that fits none is wrong
	lossy    bool     // the reading does not tell the bytes, so that none can fit
}

func readScript(data []byte) scriptText {
	switch {
	case len(data) >= 2 && data[0] == 0xff && data[1] == 0xfe:
		text, exact := decodeUTF16(data, binary.LittleEndian)
		return scriptText{readings: []string{text}, sure: true, lossy: !exact}
	case len(data) >= 2 && data[0] == 0xfe && data[1] == 0xff:
		// PowerShell reads this order; whether it signs it is not known.
		text, exact := decodeUTF16(data, binary.BigEndian)
		return scriptText{readings: []string{text}, lossy: !exact}
	case !utf8.Valid(data):
		return scriptText{readings: []string{ansi(data)}}
	case bytes.HasPrefix(data, []byte("\uFEFF")) || isASCII(data):
		return scriptText{readings: []string{string(data)}, sure: true}
	}
	// Without a mark Windows PowerShell reads the code page of the machine,
	// its successors read UTF-8.
	return scriptText{readings: []string{string(data), ansi(data)}, sure: true}
}

func isASCII(data []byte) bool {
	for _, c := range data {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// ansi decodes the code page of Western Windows, which gives every byte a
// character of its own.
func ansi(data []byte) string {
	var b strings.Builder
	b.Grow(len(data) + len(data)/8)
	for _, c := range data {
		b.WriteRune(charmap.Windows1252.DecodeByte(c))
	}
	return b.String()
}

// decodeUTF16 decodes a text. exact is false if it does not tell the bytes: a
// half surrogate or an odd byte.
func decodeUTF16(data []byte, order binary.ByteOrder) (text string, exact bool) {
	var b strings.Builder
	b.Grow(len(data) / 2)
	exact = len(data)%2 == 0
	for ; len(data) >= 2; data = data[2:] {
		r := rune(order.Uint16(data))
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if len(data) >= 4 {
				low = rune(order.Uint16(data[2:]))
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				exact = false
			} else {
				data = data[2:]
			}
		}
		b.WriteRune(r)
	}
	return b.String(), exact
}

// writeUTF16 writes a text in the encoding that its digest is made of, with a
// carriage return before every line feed if windows is set.
func writeUTF16(into io.Writer, text string, windows bool) error {
	buf := make([]byte, 0, 8<<10)
	for _, r := range text {
		switch {
		case r == '\n' && windows:
			buf = append(buf, '\r', 0, '\n', 0)
		case r < 1<<16:
			buf = append(buf, byte(r), byte(r>>8))
		default:
			high, low := utf16.EncodeRune(r)
			buf = append(buf, byte(high), byte(high>>8), byte(low), byte(low>>8))
		}
		if len(buf) > cap(buf)-4 {
			if _, err := into.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	_, err := into.Write(buf)
	return err
}
