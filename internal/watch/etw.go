package watch

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// The events of the provider Microsoft-Windows-Kernel-Process, as its manifest
// describes them (wevtutil gp, or the templates ProcessStartArgs to
// ProcessStartArgs_V4 and ProcessStopArgs to _V2). All numbers are little
// endian, texts are UTF-16 closed by a zero, nothing is aligned.

// etwProcess is what an event says of a process. A stop has no parent and no
// image.
type etwProcess struct {
	pid, parent int
	created     time.Time
	image       string // as the kernel names it: \Device\HarddiskVolume3\…
}

// parseETWStart reads event 1. Versions to come are taken for the last one that
// is known: so far fields were added behind.
func parseETWStart(version uint8, b []byte) (etwProcess, bool) {
	r := etwReader{rest: b, ok: true}
	p := etwProcess{pid: int(r.number32())}
	if version >= 3 {
		r.skip(8) // ProcessSequenceNumber
	}
	p.created = fileTime(r.number64())
	p.parent = int(r.number32())
	switch {
	case version == 0:
		r.skip(4) // SessionID
	case version < 3:
		r.skip(4 + 4) // SessionID, Flags
	default:
		r.skip(8 + 4 + 4 + 4 + 4) // ParentProcessSequenceNumber, SessionID, Flags, ProcessTokenElevationType, ProcessTokenIsElevated
		r.skipSID()               // MandatoryLabel
	}
	p.image = r.text()
	return p, r.ok && p.image != ""
}

// parseETWStop reads event 2.
func parseETWStop(version uint8, b []byte) (etwProcess, bool) {
	r := etwReader{rest: b, ok: true}
	p := etwProcess{pid: int(r.number32())}
	if version >= 2 {
		r.skip(8) // ProcessSequenceNumber
	}
	p.created = fileTime(r.number64())
	return p, r.ok
}

// etwReader takes fields from the front. Once one is missing, ok is false and
// all that follow are empty.
type etwReader struct {
	rest []byte
	ok   bool
}

func (r *etwReader) take(n int) []byte {
	if n > len(r.rest) {
		r.rest, r.ok = nil, false
		return make([]byte, n) // a few bytes: only texts are long, and they are cut
	}
	field := r.rest[:n]
	r.rest = r.rest[n:]
	return field
}

func (r *etwReader) number32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *etwReader) number64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *etwReader) skip(n int)       { r.take(n) }

// skipSID passes over a security identifier: revision, number of further parts,
// authority of six bytes, the parts of four bytes each.
func (r *etwReader) skipSID() {
	const head, partsMost = 8, 15
	parts := int(r.take(head)[1])
	if parts > partsMost {
		r.ok = false
		return
	}
	r.skip(4 * parts)
}

// text reads up to the zero, or all that is left.
func (r *etwReader) text() string {
	units := make([]uint16, 0, len(r.rest)/2)
	for len(r.rest) >= 2 {
		unit := binary.LittleEndian.Uint16(r.take(2))
		if unit == 0 {
			break
		}
		units = append(units, unit)
	}
	return string(utf16.Decode(units))
}

// fileTime is a FILETIME: units of 100 ns since 1601.
func fileTime(units uint64) time.Time {
	const epoch, second = 11_644_473_600, 10_000_000 // seconds from 1601 to 1970; units
	return time.Unix(int64(units/second)-epoch, int64(units%second)*100)
}

// drive is a name under which programs know a device: `C:` for
// `\Device\HarddiskVolume3`.
type drive struct{ device, name string }

// dosPath makes of a path as the kernel names it one as programs do. A device
// without a name keeps it.
func dosPath(image string, drives []drive, windows string) (path string, known bool) {
	drives = slices.Concat([]drive{{`\??`, ""}, {`\SystemRoot`, windows}, {`\Device\Mup`, `\`}, {`\Device\LanmanRedirector`, `\`}}, drives)
	for _, d := range drives {
		if len(image) > len(d.device) && image[len(d.device)] == '\\' && strings.EqualFold(image[:len(d.device)], d.device) {
			path := d.name + image[len(d.device):]
			if d.name == "" {
				path = path[1:]
			}
			return path, true
		}
	}
	return image, !strings.HasPrefix(image, `\`)
}

// splitCommandLine makes arguments of a command line as CommandLineToArgvW does,
// by the rules of its documentation: the program ends at a blank or at its
// closing quote; behind it a quote begins or ends a quoted part, two within one
// are one, backslashes before a quote count half and an odd one makes it plain.
func splitCommandLine(text string) []string {
	text = strings.TrimLeft(text, " \t")
	if text == "" {
		return nil
	}
	program, rest := cutProgram(text)
	args := []string{program}
	for rest = strings.TrimLeft(rest, " \t"); rest != "" && len(args) < argsMost; rest = strings.TrimLeft(rest, " \t") {
		var arg string
		arg, rest = cutArgument(rest)
		args = append(args, arg)
	}
	return args
}

func cutProgram(text string) (program, rest string) {
	if text[0] == '"' {
		program, rest, _ = strings.Cut(text[1:], `"`)
		return program, rest
	}
	if end := strings.IndexAny(text, " \t"); end >= 0 {
		return text[:end], text[end:]
	}
	return text, ""
}

func cutArgument(text string) (arg, rest string) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			run := len(text[i:]) - len(strings.TrimLeft(text[i:], `\`))
			i += run - 1
			if !strings.HasPrefix(text[i+1:], `"`) {
				b.WriteString(strings.Repeat(`\`, run))
				continue
			}
			b.WriteString(strings.Repeat(`\`, run/2))
			if run%2 == 1 {
				b.WriteByte('"')
				i++
			}
		case c == '"' && quoted && strings.HasPrefix(text[i+1:], `"`):
			b.WriteByte('"')
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\t'):
			return b.String(), text[i:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}
