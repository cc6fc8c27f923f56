package sign

import (
	"encoding/binary"
	"io"
)

// Compound files, after [MS-CFB]. The reader exists because a signature covers
// the raw directory entries, and because the readers at hand follow chains of
// sectors without an end.
const (
	cfbHeader     = 512
	cfbDirEntry   = 128
	cfbInHeader   = 109     // FAT sectors named by the header
	cfbMaxEntries = 1 << 16 // directory entries; a large MSI has some hundreds
	cfbMaxFile    = 2 << 30 // Windows Installer refuses more
	cfbMaxMini    = 1 << 20 // sectors of the mini stream: 64 MB of streams below 4 kB
	cfbSpare      = 8       // allocation sectors that a writer may have in store

	cfbStorage, cfbStream, cfbRoot = 1, 2, 5
)

var cfbMagic = [8]byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}

// cfbEntry is one raw directory entry.
type cfbEntry [cfbDirEntry]byte

func (e *cfbEntry) kind() byte     { return e[66] }
func (e *cfbEntry) left() int32    { return int32(binary.LittleEndian.Uint32(e[68:])) }
func (e *cfbEntry) right() int32   { return int32(binary.LittleEndian.Uint32(e[72:])) }
func (e *cfbEntry) child() int32   { return int32(binary.LittleEndian.Uint32(e[76:])) }
func (e *cfbEntry) class() []byte  { return e[80:96] }
func (e *cfbEntry) state() []byte  { return e[96:100] }
func (e *cfbEntry) times() []byte  { return e[100:116] }
func (e *cfbEntry) start() int32   { return int32(binary.LittleEndian.Uint32(e[116:])) }
func (e *cfbEntry) length() int64  { return int64(binary.LittleEndian.Uint32(e[120:])) }
func (e *cfbEntry) rawLen() []byte { return e[120:124] }

// name is the name as stored, UTF-16LE with its terminator.
func (e *cfbEntry) name() []byte {
	return e[:min(int(binary.LittleEndian.Uint16(e[64:])), 64)]
}

// cfb is an open compound file.
type cfb struct {
	in      input
	sector  int64 // bytes
	mini    int64 // bytes of a sector inside of the mini stream
	cutoff  int64 // streams below this size live in the mini stream
	fat     []int32
	miniFAT []int32
	// miniAt is where the sectors of the mini stream stand.
	miniAt  []int32
	entries []cfbEntry
	// last is the last sector that was read as part of something.
	last int64
}

func openCFB(in input) (*cfb, error) {
	if in.size > cfbMaxFile {
		return nil, limit("the compound file is larger than 2 GiB")
	}
	if in.size < cfbHeader {
		return nil, malformed("the compound file is cut off")
	}
	h, err := in.bytes(0, cfbHeader)
	if err != nil {
		return nil, err
	}
	shift, miniShift := binary.LittleEndian.Uint16(h[30:]), binary.LittleEndian.Uint16(h[32:])
	if [8]byte(h) != cfbMagic || shift != 9 && shift != 12 || miniShift != 6 {
		return nil, malformed("the file is no compound file of a known version")
	}
	c := &cfb{in: in, sector: 1 << shift, mini: 1 << miniShift, cutoff: int64(binary.LittleEndian.Uint32(h[56:]))}
	if err := c.readFAT(h); err != nil {
		return nil, err
	}
	if err := c.readDirectory(int32(binary.LittleEndian.Uint32(h[48:]))); err != nil {
		return nil, err
	}
	return c, c.readMini(int32(binary.LittleEndian.Uint32(h[60:])))
}

// sectors is the number of sectors that the file has room for, the last one
// possibly cut.
func (c *cfb) sectors() int64 { return (c.in.size + c.sector - 1) / c.sector }

// readSector returns a sector; what a cut file lacks of the last one is zero.
func (c *cfb) readSector(id int32) ([]byte, error) {
	off := (int64(id) + 1) * c.sector
	if id < 0 || off >= c.in.size {
		return nil, malformed("a sector of the compound file lies outside of it")
	}
	c.last = max(c.last, int64(id))
	buf, err := c.in.bytes(off, min(c.sector, c.in.size-off))
	if err != nil {
		return nil, err
	}
	return append(buf, make([]byte, c.sector-int64(len(buf)))...), nil
}

// readFAT reads the allocation table, whose sectors are named by the header
// and by a chain of further sectors.
func (c *cfb) readFAT(h []byte) error {
	ids := numbers(h[76 : 76+4*cfbInHeader])
	next := int32(binary.LittleEndian.Uint32(h[68:]))
	most := c.sectors()*4/c.sector + cfbSpare + cfbInHeader
	for int64(len(ids)) < most && next >= 0 {
		s, err := c.readSector(next)
		if err != nil {
			return err
		}
		n := numbers(s)
		ids, next = append(ids, n[:len(n)-1]...), n[len(n)-1]
	}
	for _, id := range ids {
		if id < 0 {
			continue
		}
		if int64(len(c.fat)) > c.sectors()+cfbSpare*c.sector/4 {
			return malformed("the compound file has more allocation sectors than it can need")
		}
		s, err := c.readSector(id)
		if err != nil {
			return err
		}
		c.fat = append(c.fat, numbers(s)...)
	}
	return nil
}

func numbers(b []byte) []int32 {
	n := make([]int32, len(b)/4)
	for i := range n {
		n[i] = int32(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return n
}

// chain follows a chain of sectors for at most most steps.
func chain(fat []int32, start int32, most int64) ([]int32, error) {
	var ids []int32
	for id := start; id >= 0; id = fat[id] {
		if int64(len(ids)) >= most || int64(id) >= int64(len(fat)) {
			return nil, malformed("a chain of sectors of the compound file is too long")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (c *cfb) readDirectory(start int32) error {
	ids, err := chain(c.fat, start, c.sectors())
	if err != nil {
		return err
	}
	for _, id := range ids {
		s, err := c.readSector(id)
		if err != nil {
			return err
		}
		for ; len(s) > 0; s = s[cfbDirEntry:] {
			c.entries = append(c.entries, cfbEntry(s[:cfbDirEntry]))
		}
		if len(c.entries) > cfbMaxEntries {
			return limit("the compound file has more than 65536 entries")
		}
	}
	if len(c.entries) == 0 || c.entries[0].kind() != cfbRoot {
		return malformed("the compound file has no root entry")
	}
	return nil
}

// readMini reads the table of the mini stream and where its sectors stand.
func (c *cfb) readMini(start int32) error {
	ids, err := chain(c.fat, start, 4*cfbMaxMini/c.sector)
	if err != nil {
		return err
	}
	for _, id := range ids {
		s, err := c.readSector(id)
		if err != nil {
			return err
		}
		c.miniFAT = append(c.miniFAT, numbers(s)...)
	}
	c.miniAt, err = chain(c.fat, c.entries[0].start(), c.mini*cfbMaxMini/c.sector)
	for _, id := range c.miniAt {
		c.last = max(c.last, int64(id))
	}
	return err
}

// children lists a storage. The directory is a search tree, of which nothing
// but the set of nodes is believed; seen stops a node from standing in two
// places.
func (c *cfb) children(parent *cfbEntry, seen map[int32]bool) ([]*cfbEntry, error) {
	var all []*cfbEntry
	stack := []int32{parent.child()}
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if id < 0 {
			continue
		}
		if int(id) >= len(c.entries) || seen[id] {
			return nil, malformed("the directory of the compound file is no tree")
		}
		seen[id] = true
		e := &c.entries[id]
		all = append(all, e)
		stack = append(stack, e.left(), e.right())
	}
	return all, nil
}

// writeStream copies a stream into w.
func (c *cfb) writeStream(e *cfbEntry, w io.Writer) error {
	fat, size := c.fat, c.sector
	if e.length() < c.cutoff {
		fat, size = c.miniFAT, c.mini
	}
	count := (e.length() + size - 1) / size
	id := e.start()
	for left := e.length(); left > 0; count-- {
		if id < 0 || int64(id) >= int64(len(fat)) || count <= 0 {
			return malformed("a stream of the compound file is cut off")
		}
		off, err := c.place(id, size)
		if err != nil {
			return err
		}
		n := min(left, size)
		// Sectors that follow one another on disk are read in one step.
		for n < left && n < copyBuffer && int64(id)+1 < int64(len(fat)) && fat[id] == id+1 && size == c.sector {
			id++
			count--
			n = min(left, n+size)
		}
		c.last = max(c.last, (off+n-1)/c.sector-1)
		buf, err := c.in.bytes(off, n)
		if err != nil {
			return err
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
		left -= n
		id = fat[id]
	}
	return nil
}

// place is where a sector of the file or of the mini stream begins.
func (c *cfb) place(id int32, size int64) (int64, error) {
	if size == c.sector {
		return (int64(id) + 1) * c.sector, nil
	}
	per := c.sector / c.mini
	i := int64(id) / per
	if i >= int64(len(c.miniAt)) {
		return 0, malformed("a sector of the compound file lies outside of it")
	}
	return (int64(c.miniAt[i])+1)*c.sector + int64(id)%per*c.mini, nil
}

// end is where the last sector ends that belongs to something, once everything
// has been read. The allocation table is not asked: whoever appends data can
// mark its sectors as used.
func (c *cfb) end() int64 { return (c.last + 2) * c.sector }
