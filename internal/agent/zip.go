package agent

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/flate" // twice as fast as the standard library's

	"meetguard"
	"meetguard/internal/inspect"
)

// The budget of one archive and everything in it.
const (
	maxArchiveDepth  = 4
	maxArchiveFiles  = 50000     // entries looked at
	maxArchiveBytes  = 512 << 20 // bytes unpacked in all
	maxArchiveMember = 128 << 20 // bytes of one member
	maxKeptMembers   = 32        // members in the reply: those worth judging
)

// errBudget says that an archive wanted more than it may have.
var errBudget = errors.New("the archive is larger than what is unpacked for inspection")

// members looks into a container. A container that was not read is not clean:
// what this version cannot open, or not within the budget, is a gap that blinds.
func (ex *Examiner) members(f *meetguard.Facts, data []byte, depth int) {
	var open func(*meetguard.Facts, []byte, int)
	switch f.Format {
	case meetguard.FormatZip, meetguard.FormatMSIX:
		open = ex.zip
	case meetguard.FormatTar:
		open = ex.tar
	case meetguard.FormatDeb:
		open = ex.ar
	case meetguard.Format7z, meetguard.FormatRar, meetguard.FormatISO, meetguard.FormatCab, meetguard.FormatDMG, meetguard.FormatPKG, meetguard.FormatRPM:
		f.Gaps = append(f.Gaps, blinding("members", fmt.Sprintf("this version does not open %s containers", f.Format)))
		return
	default:
		return
	}
	if depth >= maxArchiveDepth {
		f.Gaps = append(f.Gaps, blinding("members", fmt.Sprintf("archives are nested more than %d deep", maxArchiveDepth)))
		return
	}
	if depth == 0 {
		ex.budget, ex.entries = maxArchiveBytes, maxArchiveFiles
	}
	open(f, data, depth)
}

// admit counts one more entry of any archive within the unit.
func (ex *Examiner) admit(f *meetguard.Facts) bool {
	if ex.entries--; ex.entries < 0 {
		f.Gaps = append(f.Gaps, blinding("members", fmt.Sprintf("the archive has more than %d entries", maxArchiveFiles)))
		return false
	}
	return true
}

func (ex *Examiner) zip(f *meetguard.Facts, data []byte, depth int) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		f.Gaps = append(f.Gaps, blinding("members", "the archive cannot be read: "+err.Error()))
		return
	}
	for _, entry := range r.File {
		if !ex.admit(f) {
			return
		}
		if !entry.Mode().IsRegular() || sourceExt[strings.ToLower(path.Ext(entry.Name))] {
			continue
		}
		err := ex.entry(f, data, entry, depth)
		if errors.Is(err, errBudget) {
			f.Gaps = append(f.Gaps, blinding("members", err.Error()))
			return
		}
		if err != nil {
			f.Gaps = append(f.Gaps, blinding("members", memberTrouble(entry.Name, err)))
		}
	}
}

// inflater reads a deflated entry with one decompressor, which costs more to
// make than most entries to read. Entries are read one after the other.
func (ex *Examiner) inflater(packed []byte) io.Reader {
	in := bytes.NewReader(packed)
	if ex.inflate == nil {
		ex.inflate = flate.NewReader(in)
	} else if err := ex.inflate.(flate.Resetter).Reset(in, nil); err != nil {
		return flate.NewReader(in)
	}
	return ex.inflate
}

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
	if documentExt[ext] {
		return !bytes.HasPrefix(head, []byte("MZ"))
	}
	return !scriptExt[strings.TrimPrefix(ext, ".")] && !tailExt[ext] && isNoise(head)
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

// packedHead is how much of a deflated entry is read for its head, in bytes.
const packedHead = 1 << 10

// entry inspects one entry of a zip archive. Its checksum does not matter:
// programs unpack what has a wrong one.
func (ex *Examiner) entry(f *meetguard.Facts, data []byte, entry *zip.File, depth int) error {
	const encrypted = 1 // general purpose bit 0, APPNOTE 4.4.4
	if entry.Flags&encrypted != 0 {
		return errors.New("it is encrypted")
	}
	at, err := entry.DataOffset()
	if err != nil {
		return err
	}
	if entry.CompressedSize64 > uint64(len(data))-uint64(at) {
		return io.ErrUnexpectedEOF
	}
	packed := data[at : at+int64(entry.CompressedSize64)]
	switch entry.Method {
	case zip.Store:
		return ex.member(f, entry.Name, bytes.NewReader(packed), int64(len(packed)), depth)
	case zip.Deflate:
		if len(packed) > packedHead {
			var head [headSize]byte
			n, _ := io.ReadFull(ex.inflater(packed[:packedHead]), head[:]) // it ends in the middle, or is broken, which the next read tells
			if dull(entry.Name, head[:n]) {
				return nil
			}
		}
		if entry.UncompressedSize64 > maxArchiveMember {
			return errBudget
		}
		return ex.member(f, entry.Name, ex.inflater(packed), int64(entry.UncompressedSize64), depth)
	}
	return zip.ErrAlgorithm
}

// member unpacks a member of about size bytes within the budget and inspects
// it.
func (ex *Examiner) member(f *meetguard.Facts, name string, r io.Reader, size int64, depth int) error {
	limit := min(ex.budget, maxArchiveMember)
	if size > limit {
		return errBudget
	}
	buf := &ex.unpacked[depth]
	defer func() {
		if buf.Reset(); buf.Cap() > keptBuffer {
			*buf = bytes.Buffer{}
		}
	}()
	buf.Reset()
	_, err := io.CopyN(buf, r, min(headSize, limit+1))
	if err == nil && dull(name, buf.Bytes()) {
		ex.budget -= headSize
		return nil
	}
	if err == nil {
		buf.Grow(int(min(max(size-headSize, 0)+bytes.MinRead, 1<<20)))
		_, err = io.Copy(buf, io.LimitReader(r, limit+1-headSize))
	} else if err == io.EOF {
		err = nil
	}
	if int64(buf.Len()) > limit {
		return errBudget
	}
	if ex.budget -= int64(buf.Len()); err != nil {
		return err
	}
	m := ex.bytes(path.Base(name), buf.Bytes(), depth+1)
	m.Path = clipText(name, maxText)
	keep(f, m)
	return nil
}

// keptBuffer is how large a buffer may be to be kept for the next archive.
const keptBuffer = 8 << 20

func memberTrouble(name string, err error) string {
	return fmt.Sprintf("the member %q cannot be read: %v", clipText(name, 120), err)
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
