package unpack

import (
	"bytes"
	"cmp"
	"compress/bzip2"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"slices"

	"github.com/klauspost/compress/zlib"
)

// The Universal Disk Image Format: a trailer "koly", a property list with a
// table "mish" for each partition, and runs of sectors in one of these
// encodings. Apple has not published it; it is written here as it is commonly
// described, and as dmg2img and 7-Zip read it. Numbers are big-endian.
const (
	runZero   = 0
	runStored = 1
	runIgnore = 2 // free space, zero
	runADC    = 0x80000004
	runZlib   = 0x80000005
	runBzip2  = 0x80000006
	runLZFSE  = 0x80000007
	runXZ     = 0x80000008
	runNote   = 0x7ffffffe
	runEnd    = 0xffffffff

	mishHead = 204 // bytes before the runs of a table
	mishRun  = 40  // bytes of a run

	maxUDIFList = 12 << 20 // bytes of the property list; that of an image of 9 GB has 1 MB
	maxUDIFRuns = 1 << 18  // runs of an image
	maxUDIFRun  = 16 << 20 // bytes of a compressed run, unpacked; Apple's tools make them of 1 MiB at most
	maxUDIFKept = 16 << 20 // bytes of unpacked runs that are kept, if there is more than one
)

var (
	errUDIFHead = errors.New("the disk image is damaged: its list of blocks is malformed or lies outside of the file")
	errUDIFRun  = errors.New("a block of the disk image is damaged")
	errUDIFKind = errors.New("a block of the disk image is compressed in an unknown way")
)

// disk gives the bytes of a disk whose image may be compressed.
type disk struct {
	data  []byte
	runs  []udifRun // by start; nil if the image is the disk itself
	parts []part    // one for each table
	size  int64
	meter *meter
	kept  []udifBlock // unpacked runs, the last used first
	xz    xzReader
	zlib  io.ReadCloser
}

// udifRun is a run of sectors.
type udifRun struct {
	kind        uint32
	start, size int64 // bytes on the disk
	off, packed int64 // bytes in the file
}

type udifBlock struct {
	run   int
	plain []byte
}

// openDisk reads the tables of an image. With an error and a disk, a part of
// the tables could be read.
func openDisk(data []byte, budget *Budget) (*disk, error) {
	d := &disk{data: data, size: int64(len(data)), meter: &meter{budget: budget}}
	if len(data) < sectorSize || string(data[len(data)-sectorSize:][:4]) != "koly" {
		return d, nil
	}
	koly := data[len(data)-sectorSize:]
	fork := binary.BigEndian.Uint64(koly[24:])
	off, size := binary.BigEndian.Uint64(koly[216:]), binary.BigEndian.Uint64(koly[224:])
	if size == 0 || off > uint64(len(data)) || size > uint64(len(data))-off || fork > uint64(len(data)) {
		return nil, errUDIFHead
	}
	if size > maxUDIFList {
		return nil, &LimitError{"the list of blocks of the disk image is larger than 12 MiB"}
	}
	d.runs, d.size = []udifRun{}, 0
	err := d.tables(data[off:off+size], int64(fork)) // #nosec G115 -- within the file, see above
	slices.SortStableFunc(d.runs, func(a, b udifRun) int { return cmp.Compare(a.start, b.start) })
	return d, err
}

// tables reads the tables in the property list: the values "Data" of the
// dictionaries in the array "blkx" of the dictionary "resource-fork".
func (d *disk) tables(list []byte, fork int64) error {
	type level struct{ element, key string }
	var open []level
	var text []byte
	x := xml.NewDecoder(bytes.NewReader(list))
	x.Strict = false
	for {
		token, err := x.RawToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errUDIFHead
		}
		switch token := token.(type) {
		case xml.StartElement:
			if len(open) > 16 {
				return errUDIFHead
			}
			open, text = append(open, level{element: token.Name.Local}), text[:0]
		case xml.CharData:
			text = append(text, token...)
		case xml.EndElement:
			n := len(open) - 1
			if n < 0 {
				return errUDIFHead
			}
			switch last := open[n].element; {
			case last == "key" && n > 0:
				open[n-1].key = string(text)
			case last == "data" && n >= 4 && open[n-1].key == "Data" && open[n-3].key == "blkx":
				if err := d.table(text, fork); err != nil {
					return err
				}
			}
			open, text = open[:n], text[:0]
		}
	}
}

// table reads the table of one partition.
func (d *disk) table(encoded []byte, fork int64) error {
	table, err := decodeList(encoded)
	if err != nil || len(table) < mishHead || string(table[:4]) != "mish" {
		return errUDIFHead
	}
	first, count := binary.BigEndian.Uint64(table[8:]), binary.BigEndian.Uint64(table[16:])
	base := binary.BigEndian.Uint64(table[24:])
	runs := uint64(binary.BigEndian.Uint32(table[200:]))
	if runs > uint64(len(table)-mishHead)/mishRun || base > uint64(len(d.data)) {
		return errUDIFHead
	}
	if uint64(len(d.runs))+runs > maxUDIFRuns {
		return &LimitError{"the disk image has more blocks than are looked at"}
	}
	p := sectors(first, count)
	if len(d.parts) < maxParts {
		d.parts = append(d.parts, p)
	}
	for i := range runs {
		if err := d.run(table[mishHead+i*mishRun:], p.start, fork+int64(base)); err != nil { // #nosec G115 -- within the file, see above
			return err
		}
	}
	return nil
}

// decodeList decodes base64 in lines. The text is changed.
func decodeList(encoded []byte) ([]byte, error) {
	encoded = slices.DeleteFunc(encoded, func(c byte) bool { return c <= ' ' })
	plain := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Decode(plain, encoded)
	return plain[:n], err
}

// run takes in one run.
func (d *disk) run(entry []byte, start, base int64) error {
	r := udifRun{kind: binary.BigEndian.Uint32(entry)}
	if r.kind == runNote || r.kind == runEnd {
		return nil
	}
	at := sectors(binary.BigEndian.Uint64(entry[8:]), binary.BigEndian.Uint64(entry[16:]))
	off, packed := binary.BigEndian.Uint64(entry[24:]), binary.BigEndian.Uint64(entry[32:])
	r.start, r.size = start+at.start, at.size
	if r.start < 0 || r.start > 1<<60 || r.size == 0 {
		return nil
	}
	room := int64(len(d.data)) - base
	if r.kind != runZero && r.kind != runIgnore && (room < 0 || off > uint64(room) || packed > uint64(room)-off) {
		return errUDIFHead
	}
	r.off, r.packed = base+int64(off), int64(packed) // #nosec G115 -- within the file, but for runs of zeros, of which nothing is read
	d.runs = append(d.runs, r)
	d.size = max(d.size, r.start+r.size)
	return nil
}

// stores tells whether anything of a partition is not zero by itself.
func (d *disk) stores(p part) bool {
	if d.runs == nil {
		return true
	}
	for _, r := range d.runs {
		if r.kind != runZero && r.kind != runIgnore && p.overlaps(part{start: r.start, size: r.size}) {
			return true
		}
	}
	return false
}

// ReadAt reads bytes of the disk. What no run covers is zero.
func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) {
		if off >= d.size || off < 0 {
			return done, io.EOF
		}
		n, err := d.readRun(p[done:min(int64(len(p)), int64(done)+d.size-off)], off)
		done, off = done+n, off+int64(n)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// readRun reads what one run has of p, which is not empty.
func (d *disk) readRun(p []byte, off int64) (int, error) {
	if d.runs == nil {
		n := copy(p, d.data[off:])
		return n, d.meter.unpacked(n)
	}
	// The last run that begins at off or before it.
	i, _ := slices.BinarySearchFunc(d.runs, off, func(r udifRun, off int64) int {
		if r.start <= off {
			return -1
		}
		return 1
	})
	if i < len(d.runs) {
		p = p[:min(int64(len(p)), d.runs[i].start-off)]
	}
	if i--; i < 0 || off >= d.runs[i].start+d.runs[i].size {
		return d.zero(p)
	}
	r := &d.runs[i]
	skip := off - r.start
	p = p[:min(int64(len(p)), r.size-skip)]
	switch r.kind {
	case runZero, runIgnore:
		return d.zero(p)
	case runStored:
		if skip >= r.packed {
			return 0, errUDIFRun
		}
		n := copy(p, d.data[r.off : r.off+r.packed][skip:])
		return n, d.meter.unpacked(n)
	}
	block, err := d.block(i)
	if err != nil {
		return 0, err
	}
	return copy(p, block[skip:]), nil
}

func (d *disk) zero(p []byte) (int, error) {
	clear(p)
	return len(p), d.meter.unpacked(len(p))
}

// block unpacks a run, or finds it unpacked.
func (d *disk) block(run int) ([]byte, error) {
	for i, b := range d.kept {
		if b.run == run {
			copy(d.kept[1:i+1], d.kept[:i])
			d.kept[0] = b
			return b.plain, nil
		}
	}
	r := &d.runs[run]
	if r.size > maxUDIFRun {
		return nil, &LimitError{"a block of the disk image is larger than 16 MiB"}
	}
	if err := d.meter.unpacked(int(r.size)); err != nil {
		return nil, err
	}
	plain, err := d.unpack(r)
	if err != nil {
		return nil, err
	}
	d.kept = slices.Insert(d.kept, 0, udifBlock{run, plain})
	for sum, i := len(plain), 1; i < len(d.kept); i++ {
		if sum += len(d.kept[i].plain); sum > maxUDIFKept {
			d.kept = slices.Delete(d.kept, i, len(d.kept))
		}
	}
	return plain, nil
}

// unpack decompresses a run to its whole size.
func (d *disk) unpack(r *udifRun) ([]byte, error) {
	packed := d.data[r.off : r.off+r.packed]
	var from io.Reader
	var err error
	switch r.kind {
	case runADC:
		return whole(unpackADC(packed, int(r.size)))(r.size)
	case runLZFSE:
		return whole(unpackLZFSE(packed, int(r.size)))(r.size)
	case runZlib:
		from, err = d.inflate(packed)
	case runBzip2:
		from = bzip2.NewReader(bytes.NewReader(packed))
	case runXZ:
		from, err = d.xz.open(bytes.NewReader(packed))
	default:
		return nil, errUDIFKind
	}
	if err != nil {
		return nil, errUDIFRun
	}
	plain := make([]byte, r.size)
	if _, err := io.ReadFull(from, plain); err != nil {
		return nil, errUDIFRun
	}
	return plain, nil
}

// whole demands that a block was unpacked to its size.
func whole(plain []byte, err error) func(size int64) ([]byte, error) {
	return func(size int64) ([]byte, error) {
		if err != nil || int64(len(plain)) != size {
			return nil, errUDIFRun
		}
		return plain, nil
	}
}

// inflate opens a zlib stream with the decompressor of the one before.
func (d *disk) inflate(packed []byte) (io.Reader, error) {
	r := bytes.NewReader(packed)
	if d.zlib != nil {
		return d.zlib, d.zlib.(zlib.Resetter).Reset(r, nil)
	}
	z, err := zlib.NewReader(r)
	if err == nil {
		d.zlib = z
	}
	return z, err
}

// meter counts in the budget what a disk unpacks and what its files give. Both
// are mostly the same bytes, so the larger of the two counts.
type meter struct {
	budget             *Budget
	disk, given, spent int64 // bytes
	over               error // what spending ended with
}

// unpacked counts bytes of the disk.
func (m *meter) unpacked(n int) error {
	m.disk += int64(n)
	return m.spend()
}

func (m *meter) spend() error {
	if m.over != nil {
		return m.over
	}
	if m.over = m.budget.Time(); m.over == nil {
		most := max(m.disk, m.given)
		n := most - m.spent
		m.spent = most
		m.over = m.budget.Spend(n)
	}
	return m.over
}

// reader counts what is read from r as content of files.
func (m *meter) reader(r io.Reader) io.Reader { return &metered{r, m} }

type metered struct {
	r io.Reader
	m *meter
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.r.Read(p[:min(len(p), 1<<20)])
	m.m.given += int64(n)
	if over := m.m.spend(); over != nil {
		return 0, over
	}
	return n, err
}
