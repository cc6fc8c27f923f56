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
	r.RegisterDecompressor(zip.Deflate, func(in io.Reader) io.ReadCloser { return flate.NewReader(in) })
	for _, entry := range r.File {
		if !ex.admit(f) {
			return
		}
		if entry.FileInfo().IsDir() || !entry.Mode().IsRegular() {
			continue
		}
		if dull(entry) {
			continue
		}
		content, err := ex.unpack(entry)
		if errors.Is(err, errBudget) {
			f.Gaps = append(f.Gaps, blinding("members", err.Error()))
			return
		}
		if err != nil {
			f.Gaps = append(f.Gaps, blinding("members", memberTrouble(entry.Name, err)))
			continue
		}
		m := ex.bytes(path.Base(entry.Name), content, depth+1)
		m.Path = clipText(entry.Name, maxText)
		keep(f, m)
	}
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

// dull says whether a member is passed over.
func dull(entry *zip.File) bool {
	ext := strings.ToLower(path.Ext(entry.Name))
	if sourceExt[ext] {
		return true
	}
	if !documentExt[ext] || entry.Flags&1 != 0 {
		return false
	}
	rc, err := entry.Open()
	if err != nil {
		return false
	}
	defer rc.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(rc, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return false
	}
	format := inspect.Sniff(path.Base(entry.Name), head[:n])
	return format == meetguard.FormatOther && !bytes.HasPrefix(head, []byte("MZ"))
}

// unpack reads one member within the budget.
func (ex *Examiner) unpack(entry *zip.File) ([]byte, error) {
	const encrypted = 1 // general purpose bit 0, APPNOTE 4.4.4
	if entry.Flags&encrypted != 0 {
		return nil, errors.New("it is encrypted")
	}
	rc, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	if entry.UncompressedSize64 > maxArchiveMember {
		return nil, errBudget
	}
	return ex.take(rc, int64(entry.UncompressedSize64))
}

// take reads a member of about size bytes within the budget.
func (ex *Examiner) take(r io.Reader, size int64) ([]byte, error) {
	limit := min(ex.budget, maxArchiveMember)
	if size > limit {
		return nil, errBudget
	}
	var buf bytes.Buffer
	buf.Grow(int(min(max(size, 0), 1<<20)))
	_, err := io.Copy(&buf, io.LimitReader(r, limit+1))
	if int64(buf.Len()) > limit {
		return nil, errBudget
	}
	ex.budget -= int64(buf.Len())
	return buf.Bytes(), err
}

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
