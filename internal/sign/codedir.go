package sign

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"hash"
)

// Apple's code signature, from xnu's osfmk/kern/cs_blobs.h. All numbers are
// big-endian.
const (
	csSuperBlob   = 0xfade0cc0
	csDirectory   = 0xfade0c02
	csBlobWrapper = 0xfade0b01 // around the CMS signature

	csSlotDirectory    = 0
	csSlotInfo         = 1 // Info.plist; of a bundle, or embedded in the program
	csSlotRequirements = 2
	csSlotResources    = 3 // _CodeSignature/CodeResources of a bundle
	csSlotApplication  = 4 // of meaning to the program alone
	csSlotEntitlements = 5
	csSlotSpecific     = 6 // the trailer of a disk image
	csSlotEntitleDER   = 7
	csSlotLast         = 15     // room for the launch constraints (8 to 11) and what comes after
	csSlotAlternate    = 0x1000 // to 0x1005: directories with other digests
	csSlotSignature    = 0x10000
	csSlotTicket       = 0x10002 // notary ticket, put there after signing

	csFlagAdhoc   = 0x2
	csFlagRuntime = 0x10000 // hardened runtime

	csMaxBlobs  = 64
	csMaxPage   = 20      // log2; the system uses 12 and 14
	csMaxCMS    = 1 << 20 // bytes; with time stamp and chain about 9 kB
	csMinHeader = 44      // the part of the directory that every version has
)

// directory is a parsed code directory: a list of digests of pages.
type directory struct {
	raw      []byte
	cdHash   []byte // digest of raw: the name of the directory
	slot     uint32
	kind     byte // of the digests, as in the file
	flags    uint32
	ident    string
	team     string
	hash     crypto.Hash
	width    int // bytes kept of a digest
	limit    int64
	page     int64 // bytes; 0 for a single page
	hashes   []byte
	specials []byte // digests of the blobs beside it, in reverse order of slot
}

// codeBlobs is an embedded signature taken apart.
type codeBlobs struct {
	length int64             // of the superblob, as it says itself
	dirs   []*directory      // the primary one first
	cms    []byte            // CMS signature, empty for ad-hoc ones
	bySlot map[uint32][]byte // every other blob with its header
}

// parseCode takes a superblob apart.
func parseCode(blob []byte) (*codeBlobs, error) {
	if len(blob) < 12 || binary.BigEndian.Uint32(blob) != csSuperBlob {
		return nil, malformed("the code signature has no superblob")
	}
	count := int(binary.BigEndian.Uint32(blob[8:]))
	if length := binary.BigEndian.Uint32(blob[4:]); int64(length) > int64(len(blob)) {
		return nil, malformed("the code signature is cut off")
	}
	if count < 0 || count > csMaxBlobs || len(blob) < 12+8*count {
		return nil, malformed("the code signature has an impossible number of blobs")
	}
	c := &codeBlobs{length: int64(binary.BigEndian.Uint32(blob[4:])), bySlot: map[uint32][]byte{}}
	seen := map[uint32]bool{}
	for i := range count {
		slot := binary.BigEndian.Uint32(blob[12+8*i:])
		if seen[slot] {
			return nil, malformed("a part of the code signature stands there twice")
		}
		seen[slot] = true
		part, err := subBlob(blob, binary.BigEndian.Uint32(blob[16+8*i:]))
		if err != nil {
			return nil, err
		}
		if err := c.add(slot, part); err != nil {
			return nil, err
		}
	}
	if len(c.dirs) == 0 || c.dirs[0].slot != csSlotDirectory {
		return nil, malformed("the code signature has no code directory")
	}
	return c, c.checkAgreement()
}

// checkAgreement demands that the directories differ in nothing but their
// digests. A system takes the strongest it knows; two that name different
// things would be two signatures in one.
func (c *codeBlobs) checkAgreement() error {
	main := c.dirs[0]
	for i, d := range c.dirs {
		if d.ident != main.ident || d.team != main.team || d.flags != main.flags || d.limit != main.limit {
			return malformed("the code directories name different things")
		}
		for _, e := range c.dirs[:i] {
			if e.hash == d.hash {
				return malformed("two code directories use the same digest")
			}
		}
	}
	return nil
}

// subBlob cuts one blob, with its header, out of the superblob.
func subBlob(blob []byte, at uint32) ([]byte, error) {
	if int64(at)+8 > int64(len(blob)) {
		return nil, malformed("a part of the code signature lies outside of it")
	}
	length := int64(binary.BigEndian.Uint32(blob[at+4:]))
	if length < 8 || int64(at)+length > int64(len(blob)) {
		return nil, malformed("a part of the code signature lies outside of it")
	}
	return blob[at : int64(at)+length], nil
}

func (c *codeBlobs) add(slot uint32, part []byte) error {
	switch {
	case slot == csSlotDirectory, slot >= csSlotAlternate && slot < csSlotAlternate+6:
		d, err := parseDirectory(slot, part)
		if err != nil {
			return err
		}
		if slot == csSlotDirectory {
			c.dirs = append([]*directory{d}, c.dirs...)
		} else {
			c.dirs = append(c.dirs, d)
		}
	case slot == csSlotSignature:
		if binary.BigEndian.Uint32(part) != csBlobWrapper {
			return malformed("the code signature wraps no CMS signature")
		}
		c.cms = part[8:]
	default:
		c.bySlot[slot] = part
	}
	return nil
}

func parseDirectory(slot uint32, raw []byte) (*directory, error) {
	if len(raw) < csMinHeader || binary.BigEndian.Uint32(raw) != csDirectory {
		return nil, malformed("a code directory is cut off")
	}
	word := func(at int) uint32 { return binary.BigEndian.Uint32(raw[at:]) }
	d := &directory{raw: raw, slot: slot, flags: word(12), limit: int64(word(32))}
	if err := d.readDigest(raw[36], raw[37], raw[39]); err != nil {
		return nil, err
	}
	h := d.hash.New()
	h.Write(raw)
	d.cdHash = h.Sum(nil)
	version := word(8)
	if version >= 0x20100 && len(raw) >= 48 && word(44) != 0 {
		return nil, limit("the code signature is scattered")
	}
	var err error
	if d.ident, err = textAt(raw, word(20)); err != nil {
		return nil, err
	}
	if version >= 0x20200 && len(raw) >= 52 && word(48) != 0 {
		if d.team, err = textAt(raw, word(48)); err != nil {
			return nil, err
		}
	}
	if version >= 0x20300 && len(raw) >= 64 {
		if wide := binary.BigEndian.Uint64(raw[56:]); wide != 0 {
			d.limit = int64(min(wide, 1<<62))
		}
	}
	return d, d.cutHashes(int64(word(16)), int64(word(24)), int64(word(28)))
}

// readDigest reads size and kind of the digests and the size of a page.
func (d *directory) readDigest(width, kind, page byte) error {
	widths := map[byte]int{1: 20, 2: 32, 3: 20, 4: 48, 5: 64}
	hashes := map[byte]crypto.Hash{1: crypto.SHA1, 2: crypto.SHA256, 3: crypto.SHA256, 4: crypto.SHA384, 5: crypto.SHA512}
	if hashes[kind] == 0 {
		return limit("the code signature uses an unknown digest")
	}
	if widths[kind] != int(width) || page > csMaxPage {
		return malformed("a code directory has impossible sizes")
	}
	d.kind, d.hash, d.width = kind, hashes[kind], int(width)
	if page > 0 {
		d.page = 1 << page
	}
	return nil
}

// cutHashes finds the digests and demands one for every page.
func (d *directory) cutHashes(at, specials, count int64) error {
	width := int64(d.width)
	if at-specials*width < csMinHeader || at+count*width > int64(len(d.raw)) {
		return malformed("a code directory is cut off")
	}
	pages := int64(1)
	if d.page > 0 {
		pages = (d.limit + d.page - 1) / d.page
	}
	if count != pages {
		return malformed("a code directory does not cover its pages")
	}
	d.specials = d.raw[at-specials*width : at]
	d.hashes = d.raw[at : at+count*width]
	return nil
}

func textAt(raw []byte, at uint32) (string, error) {
	if int64(at) >= int64(len(raw)) {
		return "", malformed("a name in a code directory lies outside of it")
	}
	text, _, ok := bytes.Cut(raw[at:], []byte{0})
	if !ok {
		return "", malformed("a name in a code directory has no end")
	}
	return clean(string(text)), nil
}

// sum is the digest of data as this directory keeps it.
func (d *directory) sum(data []byte) []byte {
	h := d.hash.New()
	h.Write(data)
	return h.Sum(nil)[:d.width]
}

// special is the digest of the part in the given slot, nil if there is none.
func (d *directory) special(slot int) []byte {
	count := len(d.specials) / d.width
	if slot > count {
		return nil
	}
	want := d.specials[(count-slot)*d.width:][:d.width]
	if onlyZeros(want) {
		return nil
	}
	return want
}

// checkSpecials compares the blobs that stand beside the directory. Parts of a
// bundle (Info.plist, resources) or disk image are checkOuter's.
func (d *directory) checkSpecials(others map[uint32][]byte) error {
	for slot := csSlotRequirements; slot <= csSlotLast; slot++ {
		want := d.special(slot)
		blob, ok := others[uint32(slot)]
		outside := slot == csSlotResources || slot == csSlotApplication || slot == csSlotSpecific
		if want == nil && !ok || outside && !ok {
			continue
		}
		if !ok || !bytes.Equal(d.sum(blob), want) {
			return badDigest("the signature is of other entitlements or requirements than these")
		}
	}
	return nil
}

// pages compares an image with the digests of one directory, as the image
// passes by.
type pages struct {
	h      hash.Hash
	width  int
	size   int64 // of a page
	filled int64 // bytes of the present page that were seen
	want   []byte
	sum    []byte
}

func (d *directory) pages() *pages {
	size := d.page
	if size == 0 {
		size = max(d.limit, 1)
	}
	return &pages{h: d.hash.New(), width: d.width, size: size, want: d.hashes}
}

// pass takes the next bytes. It is false if they end a page that is another
// one than was signed.
func (p *pages) pass(chunk []byte) bool {
	for len(chunk) > 0 {
		n := min(int64(len(chunk)), p.size-p.filled)
		p.h.Write(chunk[:n])
		p.filled += n
		chunk = chunk[n:]
		if p.filled == p.size && !p.turn() {
			return false
		}
	}
	return true
}

// turn ends a page.
func (p *pages) turn() bool {
	p.sum = p.h.Sum(p.sum[:0])
	same := bytes.Equal(p.sum[:p.width], p.want[:p.width])
	p.want, p.filled = p.want[p.width:], 0
	p.h.Reset()
	return same
}

// end tells whether the last page is right too.
func (p *pages) end() bool { return len(p.want) == 0 || p.turn() }

// checkPages compares every page of the image with every directory, in one
// pass over the file. The directories agree on where the image ends.
func checkPages(in input, dirs []*directory) error {
	limit := dirs[0].limit
	if limit > in.size {
		return malformed("a code directory covers more than the file")
	}
	var all []*pages
	for _, d := range dirs {
		all = append(all, d.pages())
	}
	r := in.section(0, limit)
	buf := make([]byte, copyBuffer)
	for left := limit; left > 0; {
		chunk := buf[:min(left, int64(len(buf)))]
		if err := readFull(r, chunk); err != nil {
			return err
		}
		left -= int64(len(chunk))
		for _, p := range all {
			if !p.pass(chunk) {
				return badDigest("the signature is of other pages than these")
			}
		}
	}
	for _, p := range all {
		if !p.end() {
			return badDigest("the signature is of other pages than these")
		}
	}
	return nil
}
