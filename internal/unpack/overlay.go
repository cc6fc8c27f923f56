package unpack

import (
	"bytes"
	"encoding/binary"
)

// The structures here are those of Microsoft's "PE Format".
const (
	peMaxSections    = 96 // what the Windows loader accepts
	peDirResource    = 2  // IMAGE_DIRECTORY_ENTRY_RESOURCE
	peDirCertificate = 4  // IMAGE_DIRECTORY_ENTRY_SECURITY, which holds an offset in the file
	peTypeData       = 10 // RT_RCDATA
	peSubdirectory   = 1 << 31
	maxPEResources   = 1024 // entries of the directory of resources looked at
)

// walkPE visits what a program carries behind or inside itself, if it is a
// self-extractor, an installer, or holds a container. Anything else is no
// container, and costs a look at its headers only.
func walkPE(data []byte, opt Options, visit Visit) error {
	p := openProgram(data)
	if p == nil {
		return ErrUnsupported
	}
	kind := p.kind()
	if walk := programWalkers(kind); walk != nil {
		return walk(p, opt, visit)
	}
	return p.walkHidden(opt, visit)
}

// programWalkers is the reader for what a kind of wrapper carries, or nil.
func programWalkers(kind string) func(*program, Options, Visit) error {
	switch kind {
	case wrapper7z:
		return walk7zStub
	case wrapperRar:
		return walkRarStub
	case wrapperIExpress:
		return walkIExpress
	case wrapperBurn:
		return walkBurn
	case wrapperNSIS:
		return walkNSIS
	case wrapperInno:
		return walkInno
	case wrapperPyInstaller:
		return walkPyInstaller
	}
	return nil
}

// program is a PE with the parts that matter here.
type program struct {
	data      []byte
	sections  []programSection
	resources uint32 // address of the directory of resources, or zero
	overlay   []byte // what stands between the last section and the signature
	start     int    // where the overlay starts
	isNamed   bool   // resources were listed
	named     []programResource
}

type programSection struct {
	name                  string
	address, size, offset uint32 // of the part that the file holds
}

// programResource is raw data among the resources.
type programResource struct {
	kind, name string // as text; numbers in decimal
	data       []byte
}

// openProgram reads the headers. It returns nil if data is no PE.
func openProgram(data []byte) *program {
	le := binary.LittleEndian
	if len(data) < 0x40 || data[0] != 'M' || data[1] != 'Z' {
		return nil
	}
	header := uint64(le.Uint32(data[0x3c:]))
	if header+24 > uint64(len(data)) || string(data[header:header+4]) != "PE\x00\x00" {
		return nil
	}
	h := data[header:]
	count, optionalSize := int(le.Uint16(h[6:])), int(le.Uint16(h[20:]))
	table := 24 + optionalSize
	if count > peMaxSections || table+40*count > len(h) {
		return nil
	}
	p := &program{data: data, start: int(header) + table + 40*count} // #nosec G115 -- 32 bits
	for i := range count {
		p.section(h[table+40*i:])
	}
	end := p.directories(h[24:table])
	if p.start > len(data) {
		p.start = len(data)
	}
	p.overlay = data[p.start:max(p.start, end)]
	return p
}

// section adds a section. The loader rounds the offset in the file down to a
// disk sector, whatever the header says.
func (p *program) section(h []byte) {
	le := binary.LittleEndian
	name, _, _ := bytes.Cut(h[:8], []byte{0})
	s := programSection{string(name), le.Uint32(h[12:]), le.Uint32(h[16:]), le.Uint32(h[20:]) &^ 0x1ff}
	p.sections = append(p.sections, s)
	if end := uint64(le.Uint32(h[20:])) + uint64(s.size); s.size > 0 && end <= uint64(len(p.data)) {
		p.start = max(p.start, int(end)) // #nosec G115 -- within the file
	} else if s.size > 0 {
		p.start = len(p.data)
	}
}

// directories notes where the resources are, and returns where the signature
// starts, which is the end of the file if there is none.
func (p *program) directories(optional []byte) (end int) {
	le, first := binary.LittleEndian, 96 // PE32
	if len(optional) > 2 && le.Uint16(optional) == 0x20b {
		first = 112 // PE32+
	}
	at := func(n int) (uint32, uint32) {
		if len(optional) < first+8*n+8 || le.Uint32(optional[first-4:]) <= uint32(n) {
			return 0, 0
		}
		return le.Uint32(optional[first+8*n:]), le.Uint32(optional[first+8*n+4:])
	}
	p.resources, _ = at(peDirResource)
	if offset, size := at(peDirCertificate); size > 0 && int64(offset) >= int64(p.start) && int64(offset) <= int64(len(p.data)) {
		return int(offset)
	}
	return len(p.data)
}

// at is what the file holds of the memory from an address on, to the end of the
// section.
func (p *program) at(address uint32) []byte {
	for _, s := range p.sections {
		if address < s.address || address-s.address >= s.size {
			continue
		}
		off := uint64(s.offset) + uint64(address-s.address)
		end := min(uint64(s.offset)+uint64(s.size), uint64(len(p.data)))
		if off < end {
			return p.data[off:end]
		}
	}
	return nil
}

// raw lists the resources of type RCDATA and of types with a name. The others,
// such as pictures and dialogs, are of Windows' own types and are passed over.
func (p *program) raw() []programResource {
	if p.isNamed {
		return p.named
	}
	p.isNamed = true
	root := p.at(p.resources)
	if p.resources == 0 || root == nil {
		return nil
	}
	left := maxPEResources
	eachResource(root, 0, &left, func(kind, to uint32) {
		if kind&peSubdirectory == 0 && kind != peTypeData {
			return
		}
		eachResource(root, to, &left, func(name, to uint32) {
			eachResource(root, to, &left, func(_, leaf uint32) {
				p.leaf(root, resourceName(root, kind), resourceName(root, name), leaf)
			})
		})
	})
	return p.named
}

// leaf adds the data that a leaf of the directory points to.
func (p *program) leaf(root []byte, kind, name string, at uint32) {
	if uint64(at)+16 > uint64(len(root)) {
		return
	}
	address, size := binary.LittleEndian.Uint32(root[at:]), binary.LittleEndian.Uint32(root[at+4:])
	if data := p.at(address); uint64(size) <= uint64(len(data)) {
		p.named = append(p.named, programResource{kind, name, data[:size]})
	}
}

// eachResource visits the entries of one directory of resources: their number,
// or where their name stands, and where they point to.
func eachResource(root []byte, at uint32, left *int, visit func(id, to uint32)) {
	le := binary.LittleEndian
	at &^= peSubdirectory
	if uint64(at)+16 > uint64(len(root)) {
		return
	}
	list := root[at+16:]
	for range int(le.Uint16(root[at+12:])) + int(le.Uint16(root[at+14:])) {
		if *left--; *left < 0 || len(list) < 8 {
			return
		}
		visit(le.Uint32(list), le.Uint32(list[4:]))
		list = list[8:]
	}
}

// resource is the data of the raw resource with a name, or nil.
func (p *program) resource(name string) []byte {
	for _, r := range p.raw() {
		if r.name == name {
			return r.data
		}
	}
	return nil
}

// walkHidden visits containers behind the program and among its resources.
func (p *program) walkHidden(opt Options, visit Visit) error {
	found := false
	try := func(name string, data []byte) error {
		suffix := containerSuffix(data)
		if suffix == "" {
			return nil
		}
		found = true
		return visitSlice(name+suffix, RoleHidden, data, opt, visit)
	}
	if err := try("overlay", p.payload()); err != nil {
		return err
	}
	for _, r := range p.raw() {
		if err := try("resource/"+r.kind+"/"+r.name, r.data); err != nil {
			return err
		}
	}
	if !found {
		return ErrUnsupported
	}
	return nil
}

// payload is the container in the overlay: at its start, or a zip that ends
// with it, which may have anything before.
func (p *program) payload() []byte {
	if containerSuffix(p.overlay) != "" || len(p.overlay) < 22 {
		return p.overlay
	}
	tail := p.overlay[max(0, len(p.overlay)-stubZipEndMax):]
	if i := bytes.LastIndex(tail, []byte(stubZipEnd)); i >= 0 {
		if first := bytes.Index(p.overlay, []byte(stubZipLocal)); first >= 0 {
			return p.overlay[first:]
		}
	}
	return p.overlay
}

const (
	stubZipLocal  = "PK\x03\x04" // local file header, and end of the central directory (APPNOTE 4.3)
	stubZipEnd    = "PK\x05\x06"
	stubZipEndMax = 1<<16 + 22

	stubMagic7z  = "7z\xbc\xaf\x27\x1c"
	stubMagicRar = "Rar!\x1a\x07"
	stubMagicCab = "MSCF\x00\x00\x00\x00"
)

// containerSuffix names the format of a container by its first bytes, or is "".
// A program in a program is one too.
func containerSuffix(data []byte) string {
	for _, m := range [...]struct{ magic, suffix string }{
		{stubZipLocal, ".zip"}, {stubMagic7z, ".7z"}, {stubMagicRar, ".rar"}, {stubMagicCab, ".cab"}, {cfbMagic, ".msi"},
	} {
		if len(data) >= len(m.magic) && string(data[:len(m.magic)]) == m.magic {
			return m.suffix
		}
	}
	if p := openProgram(data); p != nil && len(p.sections) > 0 {
		return ".exe"
	}
	return ""
}
