package agent

import (
	"container/list"
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
type factStore struct {
	mu       sync.Mutex
	entries  int   // contents at most
	bytes    int64 // that they may take, about
	used     int64
	order    *list.List // of *knownContent, the last used first
	contents map[contentKey]*list.Element
	files    map[fileKey]knownFile
}

// contentKey: the name belongs to it, because the format and the language of a
// script are told from the extension too.
type contentKey struct{ sha256, name, version string }

type fileKey struct {
	id            watch.Identity
	path, version string
}

// knownContent is what is known of one content, without what belongs to one
// file: path and origin.
type knownContent struct {
	key   contentKey
	plain plainFacts
	more  *meetguard.Facts // nil if plain is all
	size  int64
	files []fileKey // that have it, at most maxTwins
}

// plainFacts are what is kept of a file with nothing worth a word but its name: of
// most. With the key of the content they are all its facts.
type plainFacts struct {
	format meetguard.Format
	length int64
}

func (k contentKey) facts(p plainFacts) meetguard.Facts {
	f := unknownFacts()
	f.SHA256, f.Format, f.Size = k.sha256, p.format, p.length
	f.Claims = []meetguard.Claim{{Text: clipText(k.name, maxText), Source: meetguard.ClaimFileName}}
	return f
}

// knowContent keeps facts as short as they can be.
func knowContent(key contentKey, f meetguard.Facts) *knownContent {
	c := &knownContent{key: key, plain: plainFacts{f.Format, f.Size}}
	if reflect.DeepEqual(key.facts(c.plain), f) {
		c.size = plainSize + int64(len(key.name)+len(key.sha256))
		return c
	}
	c.more, c.size = &f, weigh(f)
	return c
}

// plainSize is about what plain facts take in bytes, with keys, list and map
// entries.
const plainSize = 512

func (c *knownContent) facts() meetguard.Facts {
	if c.more == nil {
		return c.key.facts(c.plain)
	}
	return *c.more
}

// knownFile is what belongs to one file.
type knownFile struct {
	content contentKey
	origin  meetguard.Origin
	gaps    []meetguard.Gap // of the origin
}

// Limits of the store of a running agent.
const (
	storeEntries = 4096
	storeBytes   = 6 << 20
	maxTwins     = 8 // files of one content that are known by identity
)

func newFactStore(entries int, bytes int64) *factStore {
	return &factStore{entries: entries, bytes: bytes, order: list.New(), contents: map[contentKey]*list.Element{}, files: map[fileKey]knownFile{}}
}

// byIdentity gives the facts of a file that did not change since it was put.
func (s *factStore) byIdentity(id watch.Identity, path, version string) (meetguard.Facts, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	file, ok := s.files[fileKey{id, path, version}]
	if !ok {
		return meetguard.Facts{}, false
	}
	return s.use(s.contents[file.content], path, file), true
}

// use gives facts to a caller, who may append to their slices but not change
// what is in them.
func (s *factStore) use(e *list.Element, path string, file knownFile) meetguard.Facts {
	s.order.MoveToFront(e)
	f := e.Value.(*knownContent).facts()
	f.Path, f.Origin = path, file.origin
	f.Gaps = slices.Concat(f.Gaps, file.gaps)
	f.Claims, f.Matches, f.Members = slices.Clip(f.Claims), slices.Clip(f.Matches), slices.Clip(f.Members)
	return f
}

// put remembers the facts of one regular file, if they hold: not those that a
// limit or a crash cut short, and not those of a bundle or a launch, whose
// SHA-256 is that of one part.
func (s *factStore) put(id watch.Identity, version string, f meetguard.Facts) {
	if f.SHA256 == "" || f.Format == meetguard.FormatApp || f.Process != nil || cutShort(f, 0) {
		return
	}
	content := contentKey{f.SHA256, filepath.Base(f.Path), version}
	file := knownFile{content: content, origin: f.Origin}
	own := fileKey{id, f.Path, version}
	f.Path, f.Origin, f.OS, f.Package = "", meetguard.Origin{}, nil, nil
	f.Gaps, file.gaps = splitGaps(f.Gaps)
	learned := knowContent(content, f)
	s.mu.Lock()
	defer s.mu.Unlock()
	if learned.size > s.bytes/8 {
		return // one file must not push out all others
	}
	e, known := s.contents[content]
	if !known {
		e = s.order.PushFront(learned)
		s.contents[content] = e
		s.used += learned.size
	}
	s.order.MoveToFront(e)
	s.link(e.Value.(*knownContent), own, file)
	for len(s.contents) > s.entries || s.used > s.bytes {
		s.drop(s.order.Back())
	}
}

// link makes a content known by the identity of one more file.
func (s *factStore) link(c *knownContent, own fileKey, file knownFile) {
	if old, known := s.files[own]; known && old.content != c.key {
		other := s.contents[old.content].Value.(*knownContent)
		other.files = slices.DeleteFunc(other.files, func(k fileKey) bool { return k == own })
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

func (s *factStore) drop(e *list.Element) {
	c := s.order.Remove(e).(*knownContent)
	for _, k := range c.files {
		delete(s.files, k)
	}
	delete(s.contents, c.key)
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
