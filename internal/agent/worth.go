package agent

import (
	"bytes"
	"path"
	"strings"

	"meetguard"
	"meetguard/internal/inspect"
	"meetguard/internal/unpack"
)

// What of a container is worth a look, and what of that is worth keeping.

// maxKeptMembers is how many members a reply holds: those worth judging.
const maxKeptMembers = 32

// sourceExt are members that no double click runs, whatever they hold. They
// are not unpacked.
var sourceExt = extensions(`class go c h cc cpp hpp java rs ts tsx md rst json xml yaml yml toml css scss less svg map mod sum proto properties
	golden pyc pyi po mo rels woff woff2 ttf lock sql graphql swift kt scala rb`)

// documentExt are members that are only unpacked if their first bytes say that
// they are something else than the document that they are called.
var documentExt = extensions(`png jpg jpeg gif webp ico bmp mp3 mp4 mov wav pdf csv doc docx xls xlsx ppt pptx rtf`)

func extensions(list string) map[string]bool {
	out := map[string]bool{}
	for _, ext := range strings.Fields(list) {
		out["."+ext] = true
	}
	return out
}

// dull says by its first bytes that there is nothing in a member to judge: a
// document that is one, or data that no system runs.
func dull(name string, head []byte) bool {
	ext := strings.ToLower(path.Ext(name))
	if inspect.Sniff(path.Base(name), head) != meetguard.FormatOther {
		return false
	}
	if unpack.IsStream(head) {
		return dullStream(name, head)
	}
	if documentExt[ext] {
		return !bytes.HasPrefix(head, []byte("MZ")) && !inspect.IsVehicleName(name)
	}
	return !scriptExt[strings.TrimPrefix(ext, ".")] && !tailExt[ext] && !inspect.IsCompound(head) && isNoise(head)
}

// dullStream says the same of one compressed file, by the name of what it holds
// and by the first bytes of that. What they are cannot always be told without
// unpacking it; then it is looked at.
func dullStream(name string, head []byte) bool {
	inner := unpack.SingleName(path.Base(name))
	ext := strings.ToLower(path.Ext(inner))
	if scriptExt[strings.TrimPrefix(ext, ".")] || tailExt[ext] || inspect.MayBeVehicle(inner) {
		return false
	}
	first := unpack.StreamHead(head)
	return len(first) > 0 && inspect.Sniff(inner, first) == meetguard.FormatOther
}

// headSize is how much of a member is unpacked to see whether the rest is worth
// it, in bytes.
const headSize = 4 << 10

// tailExt are formats that are told by their end, or far behind their start.
var tailExt = extensions(`dmg zip iso img udf jar exe pkg mpkg`)

// isNoise tells data from text by its control characters: random bytes are so
// in one case of nine, text never. UTF-16 has zeros on one side only.
func isNoise(head []byte) bool {
	if len(head) < 256 || bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return false
	}
	control := 0
	var zeros [2]int
	for i, c := range head {
		switch {
		case c == 0:
			zeros[i&1]++
		case c < '\t', c > '\r' && c < ' ' && c != 0x1b:
			control++
		}
	}
	if few, many := min(zeros[0], zeros[1]), max(zeros[0], zeros[1]); many > len(head)/8 && few < many/16 {
		return false
	}
	return zeros[0]+zeros[1]+control > len(head)/16
}

// keep adds a member to the facts if there is something to judge in it, the
// gaps of the others stay.
func keep(f *meetguard.Facts, m meetguard.Facts) {
	worth := m.Script != nil || len(m.Matches) > 0 || len(m.Members) > 0 || len(m.Gaps) > 0
	switch m.Format {
	case meetguard.FormatOther, meetguard.FormatELF, meetguard.FormatTar, meetguard.FormatZip:
	default:
		worth = true
	}
	if !worth {
		return
	}
	if len(f.Members) >= maxKeptMembers {
		f.Members = weakestOut(f.Members, m)
		return
	}
	f.Members = append(f.Members, m)
}

// weakestOut makes room for a member that says more than one that is kept.
func weakestOut(kept []meetguard.Facts, m meetguard.Facts) []meetguard.Facts {
	weakest := 0
	for i := range kept {
		if interest(kept[i]) < interest(kept[weakest]) {
			weakest = i
		}
	}
	if interest(m) > interest(kept[weakest]) {
		kept[weakest] = m
	}
	return kept
}

// interest orders members by how much there is to judge in them.
func interest(m meetguard.Facts) int {
	n := 10 * len(m.Matches)
	for _, inner := range m.Members {
		n = max(n, interest(inner))
	}
	for _, g := range m.Gaps {
		if g.Blinding {
			n += 50
		}
	}
	switch m.Format {
	case meetguard.FormatPE, meetguard.FormatMSI, meetguard.FormatMachO, meetguard.FormatAppleScript:
		n += 40
	case meetguard.FormatShortcut, meetguard.FormatPKG, meetguard.FormatDMG:
		n += 20
	}
	if s := m.Script; s != nil {
		n += 5 + 10*len(s.Fetches) + 3*len(s.Traits) + s.Layers*10
		if s.Language == "applescript" || s.Language == "applescript-compiled" {
			n += 30
		}
	}
	return n
}
