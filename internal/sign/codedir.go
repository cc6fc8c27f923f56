package sign

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"encoding/binary"
)

// Apple's code signature, from xnu's osfmk/kern/cs_blobs.h. All numbers are
// big-endian.
const (
	csSuperBlob   = 0xfade0cc0
	csDirectory   = 0xfade0c02
	csBlobWrapper = 0xfade0b01 // around the CMS signature

	csSlotDirectory    = 0
	csSlotRequirements = 2
	csSlotEntitlements = 5
	csSlotEntitleDER   = 7
	csSlotAlternate    = 0x1000 // to 0x1005: directories with other digests
	csSlotSignature    = 0x10000

	csFlagAdhoc = 0x2

	csMaxBlobs  = 64
	csMaxPage   = 20      // log2; the system uses 12 and 14
	csMaxCMS    = 1 << 20 // bytes; with time stamp and chain about 9 kB
	csMinHeader = 44      // the part of the directory that every version has
)

// directory is a parsed code directory: a list of digests of pages.
type directory struct {
	raw      []byte
	slot     uint32
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
	c := &codeBlobs{bySlot: map[uint32][]byte{}}
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
	return c, nil
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
	d.hash, d.width = hashes[kind], int(width)
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

// cdHash is the name of the directory: the digest of itself.
func (d *directory) cdHash() []byte {
	h := d.hash.New()
	h.Write(d.raw)
	return h.Sum(nil)
}

// checkPages compares every page of the image.
func (d *directory) checkPages(in input) error {
	if d.limit > in.size {
		return malformed("a code directory covers more than the file")
	}
	size := d.page
	if size == 0 {
		return d.checkWhole(in)
	}
	r := in.section(0, d.limit)
	buf := make([]byte, max(size, copyBuffer))
	hashes := d.hashes
	h := d.hash.New()
	sum := make([]byte, 0, 64)
	for left := d.limit; left > 0; {
		chunk := buf[:min(left, int64(len(buf)))]
		if err := readFull(r, chunk); err != nil {
			return err
		}
		left -= int64(len(chunk))
		for len(chunk) > 0 {
			n := min(int64(len(chunk)), size)
			h.Reset()
			h.Write(chunk[:n])
			sum = h.Sum(sum[:0])
			if !bytes.Equal(sum[:d.width], hashes[:d.width]) {
				return badDigest("the signature is of other pages than these")
			}
			hashes, chunk = hashes[d.width:], chunk[n:]
		}
	}
	return nil
}

// checkWhole compares a directory that has one digest for everything.
func (d *directory) checkWhole(in input) error {
	h := d.hash.New()
	if err := copyAll(h, in.section(0, d.limit)); err != nil {
		return err
	}
	if !hmac.Equal(h.Sum(nil)[:d.width], d.hashes) {
		return badDigest("the signature is of other bytes than these")
	}
	return nil
}

// checkSpecials compares the blobs that stand beside the directory. Those of a
// bundle (Info.plist, resources) are outside of the file and not compared.
func (d *directory) checkSpecials(others map[uint32][]byte) error {
	count := len(d.specials) / d.width
	for _, slot := range []int{csSlotRequirements, csSlotEntitlements, csSlotEntitleDER} {
		if slot > count {
			continue
		}
		want := d.specials[(count-slot)*d.width:][:d.width]
		blob, ok := others[uint32(slot)]
		if onlyZeros(want) && !ok {
			continue
		}
		if !ok || !bytes.Equal(d.sum(blob), want) {
			return badDigest("the signature is of other entitlements or requirements than these")
		}
	}
	return nil
}
