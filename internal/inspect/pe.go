package inspect

import (
	"meetguard"
)

// The structures here are those of Microsoft's "PE Format" and of VERSIONINFO
// in the Win32 documentation.
const (
	maxSections   = 96        // what the Windows loader accepts
	maxResources  = 4096      // directory entries looked at
	maxBlockBytes = 512 << 10 // bytes of all blocks of one type but icons
	maxVersions   = 128       // version blocks or manifests read, one per language and id
	maxPictures   = 512       // pictures of icons listed
	typeVersion   = 16        // RT_VERSION
	typeManifest  = 24        // RT_MANIFEST
	dirResource   = 2         // IMAGE_DIRECTORY_ENTRY_RESOURCE
	subdirectory  = 1 << 31   // flag of a resource entry that points to a directory
)

// isPE tells a PE from the many other things that begin with MZ.
func isPE(data []byte) bool {
	v := little(data)
	return string(v.cut(uint64(v.u32(0x3c)), 4)) == "PE\x00\x00"
}

// pe maps the addresses of an image to offsets in its file.
type pe struct {
	view
	sections []peSection
}

// peSection is the part of a section that the file holds.
type peSection struct {
	address, size, offset uint64
}

// openPE reads the section table of data and the address of its resources,
// which is zero if it has none.
func openPE(data []byte) (image pe, resources uint64, err error) {
	image.view = *little(data)
	header := uint64(image.u32(0x3c))
	count := uint64(image.u16(header + 6))
	optional := header + 24
	table := optional + uint64(image.u16(header+20))
	directories := optional + 96 // PE32
	if image.u16(optional) == 0x20b {
		directories = optional + 112 // PE32+
	}
	if image.u32(directories-4) > dirResource {
		resources = uint64(image.u32(directories + 8*dirResource))
	}
	if count > maxSections {
		return image, 0, malformed("more sections than Windows loads")
	}
	for i := range count {
		at := table + 40*i
		// The loader rounds the file offset down to a disk sector, whatever
		// the header says.
		offset := uint64(image.u32(at+20)) &^ 0x1ff
		image.sections = append(image.sections, peSection{uint64(image.u32(at + 12)), uint64(image.u32(at + 16)), offset})
	}
	if image.short {
		return image, 0, malformed("headers end behind the file")
	}
	return image, resources, nil
}

// offset is where the file holds address.
func (p *pe) offset(address uint64) (uint64, bool) {
	for _, s := range p.sections {
		if address >= s.address && address-s.address < s.size {
			return s.offset + address - s.address, true
		}
	}
	return 0, false
}

// peClaims reads the version resource and the manifest of every language. What
// Windows shows is the one that fits the user, and a lure may differ between
// them.
func peClaims(data []byte, c *collector) error {
	image, resources, err := openPE(data)
	if err != nil || resources == 0 {
		return err
	}
	malformedBlocks := false
	err = image.eachResource(resources, typeVersion, func(_ uint32, block []byte) bool {
		malformedBlocks = !versionClaims(block, c) || malformedBlocks
		return true
	})
	if err == nil && malformedBlocks {
		err = malformed("version block is malformed")
	}
	c.gap("PE manifest", image.eachResource(resources, typeManifest, func(_ uint32, block []byte) bool {
		manifestClaims(block, c)
		return true
	}))
	return err
}

// manifestClaims reads who an application manifest says it is: the name of its
// own identity and its description. What it depends on is nested deeper. A
// manifest that is no XML is left alone: Windows would not start the program.
func manifestClaims(block []byte, c *collector) {
	_ = c.walkXML(block, func(e element) {
		switch {
		case e.is("assembly", "assemblyIdentity"):
			c.claim(meetguard.ClaimManifest, e.attr("name"))
		case e.is("assembly", "description"):
			c.claim(meetguard.ClaimManifest, string(e.text))
		}
	})
}

// eachResource calls visit for the blocks of one type of resource, with the id
// of each, until it returns false.
func (p pe) eachResource(resources uint64, kind uint32, visit func(id uint32, block []byte) bool) error {
	root, ok := p.offset(resources)
	if !ok {
		return malformed("resource directory lies outside the sections")
	}
	walk := resourceWalk{pe: p, root: root, kind: kind, visit: visit}
	walk.directory(0, 0)
	return walk.err
}

// resourceWalk goes through the three levels of a resource directory: type, id
// and language. What is malformed is passed over, so that a broken block cannot
// hide the one that Windows shows; only a limit ends the walk.
type resourceWalk struct {
	pe
	root    uint64 // offset of the directory
	kind    uint32 // type of the blocks that are wanted
	id      uint32 // of the directory on the second level
	visit   func(id uint32, block []byte) bool
	entries int    // seen so far
	blocks  int    // read so far
	bytes   uint64 // of them
	err     error  // the first
	over    bool   // a limit was reached, or visit has enough
}

// fail keeps the first error.
func (w *resourceWalk) fail(err malformed) {
	if w.err == nil {
		w.err = err
	}
}

// directory looks at the entries of the directory at offset from the root.
func (w *resourceWalk) directory(offset uint64, level int) {
	at := w.root + offset
	count := uint64(w.u16(at+12)) + uint64(w.u16(at+14))
	for i := uint64(0); i < count && !w.over; i++ {
		if w.entries++; w.entries > maxResources {
			w.over = true
			w.fail("there are more resources than are read")
			return
		}
		id, to := w.u32(at+16+8*i), w.u32(at+20+8*i)
		if level == 1 {
			w.id = id
		}
		if !w.short && (level > 0 || id == w.kind) {
			w.entry(to, level)
		}
		if w.short {
			w.short = false
			w.fail("resource lies outside the file")
		}
	}
}

// entry follows what an entry points to: a directory on the first two levels, a
// block on the last.
func (w *resourceWalk) entry(to uint32, level int) {
	isDirectory := to&subdirectory != 0
	switch {
	case level < 2 && isDirectory:
		w.directory(uint64(to&^subdirectory), level+1)
	case level == 2 && !isDirectory:
		w.block(uint64(to))
	default:
		w.fail("resource directory has the wrong depth")
	}
}

// block visits the block that the data entry at offset from the root points to.
func (w *resourceWalk) block(offset uint64) {
	address, size := uint64(w.u32(w.root+offset)), uint64(w.u32(w.root+offset+4))
	w.blocks++
	w.bytes += size
	if blocks, bytes := limitsOf(w.kind); w.blocks > blocks || w.bytes > bytes {
		w.over = true
		w.fail("there are more resources of a kind than are read")
		return
	}
	at, ok := w.offset(address)
	if !ok {
		w.fail("resource lies outside the sections")
		return
	}
	if block := w.cut(at, size); block != nil && !w.visit(w.id, block) {
		w.over = true
	}
}

// limitsOf is how many blocks and bytes of one kind of resource are read.
// Pictures are only listed, which costs nothing.
func limitsOf(kind uint32) (blocks int, bytes uint64) {
	if kind == typeIcon {
		return maxPictures, 64 << 20
	}
	return maxVersions, maxBlockBytes
}

// versionNode is one node of a version block: they all have the same head, and
// differ in what their value and children are.
type versionNode struct {
	key         string
	valueLength int
	rest        []byte // value and children
}

// nextVersionNode splits the first node off b. It takes a length that points
// behind b as the rest of b, as Windows does.
func nextVersionNode(b []byte) (node versionNode, rest []byte, ok bool) {
	v := little(b)
	length := int(v.u16(0))
	if length < 6 || len(b) < 6 {
		return node, nil, false
	}
	end := min(length, len(b))
	node.valueLength = int(v.u16(2))
	at := 6
	for at+2 <= end && v.u16(uint64(at)) != 0 {
		at += 2
	}
	node.key = decodeUTF16(b[6:at], v.order)
	node.rest = b[min(align4(at+2), end):end]
	return node, b[min(align4(length), len(b)):], true
}

func align4(n int) int { return (n + 3) &^ 3 }

// versionClaims reads VS_VERSIONINFO → StringFileInfo → StringTable → String.
func versionClaims(block []byte, c *collector) bool {
	root, _, ok := nextVersionNode(block)
	if !ok || root.key != "VS_VERSION_INFO" {
		return false
	}
	children := root.rest[min(align4(root.valueLength), len(root.rest)):]
	return eachVersionNode(children, func(info versionNode) bool {
		return info.key != "StringFileInfo" || eachVersionNode(info.rest, func(table versionNode) bool {
			return eachVersionNode(table.rest, func(s versionNode) bool {
				if source := versionSource(s.key); source != "" {
					c.claim(source, decodeUTF16(s.rest, little(nil).order))
				}
				return true
			})
		})
	})
}

// eachVersionNode calls do for the nodes in b until one fails. Zeros behind the
// last are padding.
func eachVersionNode(b []byte, do func(versionNode) bool) bool {
	for len(b) >= 6 && (b[0] != 0 || b[1] != 0) {
		node, rest, ok := nextVersionNode(b)
		if !ok || !do(node) {
			return false
		}
		b = rest
	}
	return true
}

// versionSource is the claim that a string of a version block makes, or "".
func versionSource(key string) string {
	switch key {
	case "ProductName":
		return meetguard.ClaimProductName
	case "CompanyName":
		return meetguard.ClaimCompanyName
	case "FileDescription":
		return meetguard.ClaimDescription
	case "OriginalFilename":
		return meetguard.ClaimOriginal
	case "InternalName":
		return meetguard.ClaimInternal
	}
	return ""
}
