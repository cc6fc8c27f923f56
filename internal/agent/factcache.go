package agent

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"unsafe"

	"meetguard"
	"meetguard/internal/watch"
)

// factStore keeps what was learned of files that nobody touched since. Files of
// one content share what is known of it.
//
// Only facts are kept. What is thought of them (the judge, the day, the friends
// of the operator) and what others say of them (the operating system, package
// managers) changes while the file does not. Everything kept is a function of
// the content, the base name and the version of what inspected it, which names
// the rules and the trust anchors: under another version nothing is known.
//
// There are thousands, so they are kept small: what is only asked for is a mark, and
// most have one piece of text.
type factStore struct {
	mu       sync.Mutex
	seed     [16]byte // of the marks: nobody makes two that are equal
	entries  int      // contents at most
	bytes    int64    // that they may take, about
	used     int64
	newest   *knownContent // the last used; the others behind it, see older
	oldest   *knownContent
	contents map[mark]*knownContent
	files    map[mark]knownFile
}

// mark stands for the key of a content or a file.
type mark [16]byte

// contentKey: the name belongs to it, because the format and the language of a
// script are told from the extension too.
type contentKey struct{ sha256, name, version string }

// fileKey: a file is the same as long as its identity and its path are.
type fileKey struct {
	id            watch.Identity
	path, version string
}

func (s *factStore) mark(fixed []byte, parts ...string) (m mark) {
	b := append(s.seed[:], fixed...)
	for _, p := range parts {
		b = append(binary.BigEndian.AppendUint64(b, uint64(len(p))), p...)
	}
	sum := sha256.Sum256(b)
	return mark(sum[:16])
}

func (s *factStore) markContent(k contentKey) mark {
	return s.mark([]byte{'c'}, k.sha256, k.name, k.version)
}

func (s *factStore) markFile(k fileKey) mark {
	fixed := []byte{'f'}
	for _, n := range []uint64{k.id.Dev, k.id.Ino, uint64(k.id.Size), uint64(k.id.MTime), uint64(k.id.CTime)} { // #nosec G115 -- only their bits count
		fixed = binary.BigEndian.AppendUint64(fixed, n)
	}
	return s.mark(fixed, k.path, k.version)
}

// knownContent is what is known of one content, without what belongs to one
// file: path and origin.
type knownContent struct {
	newer, older *knownContent
	mark         mark
	plain        *plainFacts      // unless more is known
	more         *meetguard.Facts // likewise
	size         int64
	files        []mark // that have it, at most maxTwins
}

// plainFacts are what is kept of a file with nothing worth a word but its name: of
// most. They are all its facts.
type plainFacts struct {
	format meetguard.Format
	length int64
	text   string // SHA-256, as 32 bytes if it is one, and the name
	sum    int    // bytes of the text that are the SHA-256
}

func makePlain(key contentKey, f *meetguard.Facts) *plainFacts {
	sum := key.sha256
	if raw, err := hex.DecodeString(sum); err == nil && len(raw) == sha256.Size && hex.EncodeToString(raw) == sum {
		sum = string(raw)
	}
	return &plainFacts{f.Format, f.Size, sum + key.name, len(sum)}
}

func (p *plainFacts) facts() meetguard.Facts {
	f := unknownFacts()
	f.SHA256, f.Format, f.Size = p.text[:p.sum], p.format, p.length
	if p.sum == sha256.Size {
		f.SHA256 = hex.EncodeToString([]byte(f.SHA256))
	}
	f.Claims = []meetguard.Claim{{Text: clipText(p.text[p.sum:], maxText), Source: meetguard.ClaimFileName}}
	return f
}

// knowContent keeps facts as short as they can be.
func knowContent(key contentKey, f meetguard.Facts) *knownContent {
	if p := makePlain(key, &f); reflect.DeepEqual(p.facts(), f) {
		return &knownContent{plain: p, size: plainSize + int64(len(p.text))}
	}
	return &knownContent{more: &f, size: weigh(f)}
}

// plainSize is about what plain facts take in bytes, with keys, list and map
// entries.
const plainSize = 384

func (c *knownContent) facts() meetguard.Facts {
	if c.plain != nil {
		return c.plain.facts()
	}
	return *c.more
}

// knownFile is what belongs to one file.
type knownFile struct {
	content *knownContent
	origin  *knownOrigin // nil if that is not known
}

// knownOrigin is where a file came from, and what could not be learned of that.
type knownOrigin struct {
	origin meetguard.Origin
	gaps   []meetguard.Gap
}

// Limits of the store of a running agent.
const (
	storeEntries = 4096
	storeBytes   = 6 << 20
	maxTwins     = 8 // files of one content that are known by identity
)

func newFactStore(entries int, bytes int64) *factStore {
	s := &factStore{entries: entries, bytes: bytes, contents: map[mark]*knownContent{}, files: map[mark]knownFile{}}
	_, _ = rand.Read(s.seed[:]) // it never fails
	return s
}

// byIdentity gives the facts of a file that did not change since it was put.
func (s *factStore) byIdentity(id watch.Identity, path, version string) (meetguard.Facts, bool) {
	own := s.markFile(fileKey{id, path, version})
	s.mu.Lock()
	defer s.mu.Unlock()
	file, ok := s.files[own]
	if !ok {
		return meetguard.Facts{}, false
	}
	return s.use(path, file), true
}

// use gives facts to a caller, who may append to their slices but not change
// what is in them.
func (s *factStore) use(path string, file knownFile) meetguard.Facts {
	s.take(file.content)
	s.lead(file.content)
	f := file.content.facts()
	f.Path = path
	if from := file.origin; from != nil {
		f.Origin, f.Gaps = from.origin, slices.Concat(f.Gaps, from.gaps)
	}
	f.Claims, f.Matches, f.Members, f.Gaps = slices.Clip(f.Claims), slices.Clip(f.Matches), slices.Clip(f.Members), slices.Clip(f.Gaps)
	return f
}

// lead makes a content the last used.
func (s *factStore) lead(c *knownContent) {
	if c.older = s.newest; c.older != nil {
		c.older.newer = c
	} else {
		s.oldest = c
	}
	s.newest = c
}

// take takes a content out of the order of use.
func (s *factStore) take(c *knownContent) {
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		s.newest = c.older
	}
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		s.oldest = c.newer
	}
	c.newer, c.older = nil, nil
}

// put remembers the facts of one regular file, if they hold: not those that a
// limit or a crash cut short, and not those of a bundle or a launch, whose
// SHA-256 is that of one part.
func (s *factStore) put(id watch.Identity, version string, f meetguard.Facts) {
	if f.SHA256 == "" || f.Format == meetguard.FormatApp || f.Process != nil || cutShort(f, 0) {
		return
	}
	key := contentKey{f.SHA256, filepath.Base(f.Path), version}
	own := s.markFile(fileKey{id, f.Path, version})
	from := knownOrigin{origin: f.Origin}
	f.Path, f.Origin, f.OS, f.Package = "", meetguard.Origin{}, nil, nil
	f.Gaps, from.gaps = splitGaps(f.Gaps)
	learned := knowContent(key, f)
	learned.mark = s.markContent(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if learned.size > s.bytes/8 {
		return // one file must not push out all others
	}
	c, known := s.contents[learned.mark]
	if known {
		s.take(c)
	} else {
		c = learned
		s.contents[c.mark] = c
		s.used += c.size
	}
	s.lead(c)
	file := knownFile{content: c}
	if from.origin != (meetguard.Origin{}) || len(from.gaps) > 0 {
		file.origin = &from
	}
	s.link(own, file)
	for len(s.contents) > s.entries || s.used > s.bytes {
		s.drop(s.oldest)
	}
}

// link makes a content known by the identity of one more file.
func (s *factStore) link(own mark, file knownFile) {
	c := file.content
	if old, known := s.files[own]; known && old.content != c {
		old.content.files = slices.DeleteFunc(old.content.files, func(m mark) bool { return m == own })
	}
	if !slices.Contains(c.files, own) {
		c.files = append(c.files, own)
	}
	s.files[own] = file
	if len(c.files) > maxTwins {
		delete(s.files, c.files[0])
		c.files = slices.Delete(c.files, 0, 1)
	}
}

func (s *factStore) drop(c *knownContent) {
	s.take(c)
	for _, m := range c.files {
		delete(s.files, m)
	}
	delete(s.contents, c.mark)
	s.used -= c.size
}

// splitGaps parts what could not be learned of a content from what could not be
// learned of where a file came from.
func splitGaps(gaps []meetguard.Gap) (content, file []meetguard.Gap) {
	for _, g := range gaps {
		if g.Fact == "origin" {
			file = append(file, g)
		} else {
			content = append(content, g)
		}
	}
	return slices.Clip(content), file
}

// cutShort says whether a unit or a member of it could not be judged.
func cutShort(f meetguard.Facts, depth int) bool {
	if depth > 16 || slices.ContainsFunc(f.Gaps, func(g meetguard.Gap) bool { return g.Blinding }) {
		return true
	}
	return slices.ContainsFunc(f.Members, func(m meetguard.Facts) bool { return cutShort(m, depth+1) })
}

// weigh is about how many bytes facts take: the structures and their texts.
func weigh(f meetguard.Facts) int64 {
	n := int64(unsafe.Sizeof(f)) + int64(len(f.Path)+len(f.SHA256))
	for _, c := range f.Claims {
		n += int64(unsafe.Sizeof(c)) + int64(len(c.Text))
	}
	for _, g := range f.Gaps {
		n += int64(unsafe.Sizeof(g)) + int64(len(g.Reason))
	}
	for _, m := range f.Matches {
		n += int64(unsafe.Sizeof(m)) + 64
		for k, v := range m.Meta {
			n += int64(len(k)+len(v)) + 32
		}
	}
	if s := f.Script; s != nil {
		n += int64(unsafe.Sizeof(*s)) + int64(len(s.Tail)) + 96*int64(len(s.Fetches)) + 48*int64(len(s.Hosts)+len(s.Traits)+len(s.Pretexts))
	}
	for _, m := range f.Members {
		n += weigh(m)
	}
	return n + 512 // keys, list and map entries
}
