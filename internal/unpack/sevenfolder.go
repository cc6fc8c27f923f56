package unpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/bodgit/sevenzip"
)

// sevenFolder is one packed stream of a 7z archive, which may hold several
// files one after the other.
type sevenFolder struct {
	coders      []sevenCoder
	bond        []int // for each input, the coder that feeds it, or -1
	packed      []int // inputs that are fed by packed streams, in their order
	sizes       []int64
	offset      int64 // of the first packed stream, from the signature
	packedSizes []int64
	cut         bool // the packed streams go beyond the end of the data
	crc         uint32
	hasCRC      bool
	subs        []sevenSub
	divided     bool
}

type sevenCoder struct {
	method string
	inputs int
	props  []byte
}

type sevenSub struct {
	size   int64
	crc    uint32
	hasCRC bool
}

// Methods of Methods.txt of the LZMA SDK. The short ids of branch filters stand
// for the same filters as the long ones.
const (
	sevenCopy  = "\x00"
	sevenDelta = "\x03"
	sevenLZMA  = "\x03\x01\x01"
	sevenPPMd  = "\x03\x04\x01"
	sevenBCJ   = "\x03\x03\x01\x03"
	sevenBCJ2  = "\x03\x03\x01\x1B"
	sevenPPC   = "\x03\x03\x02\x05"
	sevenARM   = "\x03\x03\x05\x01"
	sevenSPARC = "\x03\x03\x08\x05"
	sevenARM64 = "\x0A"
	sevenFlate = "\x04\x01\x08"
	sevenBzip2 = "\x04\x02\x02"
	sevenAES   = "\x06\xF1\x07\x01"
	sevenLZMA2 = "\x21"
)

var sevenMethods = map[string]string{
	sevenCopy: sevenCopy, sevenDelta: sevenDelta, sevenLZMA: sevenLZMA, sevenPPMd: sevenPPMd,
	sevenBCJ: sevenBCJ, "\x04": sevenBCJ, sevenBCJ2: sevenBCJ2, sevenPPC: sevenPPC, "\x05": sevenPPC,
	sevenARM: sevenARM, "\x07": sevenARM, sevenSPARC: sevenSPARC, "\x09": sevenSPARC,
	sevenARM64: sevenARM64, sevenFlate: sevenFlate, sevenBzip2: sevenBzip2,
	sevenAES: sevenAES, sevenLZMA2: sevenLZMA2,
}

// sevenDictionary is the memory that decoders of one stream may take in all.
const sevenDictionary = 128 << 20

func errDictionary() error {
	return &LimitError{"the content needs a dictionary of more than 128 MiB"}
}

// main is the coder whose output is the content: the one that feeds no other.
func (f *sevenFolder) main() int {
	for c := len(f.coders) - 1; c >= 0; c-- {
		feeds := false
		for _, out := range f.bond {
			feeds = feeds || out == c
		}
		if !feeds {
			return c
		}
	}
	return -1
}

// size of the content, bytes.
func (f *sevenFolder) size() int64 {
	if c := f.main(); c >= 0 && c < len(f.sizes) {
		return f.sizes[c]
	}
	return 0
}

// settle makes the folder one content if the list does not divide it, and hands
// its checksum to an only content.
func (f *sevenFolder) settle() {
	if !f.divided {
		f.subs = []sevenSub{{size: f.size()}}
	}
	if len(f.subs) == 1 && f.hasCRC {
		f.subs[0].crc, f.subs[0].hasCRC = f.crc, true
	}
}

// whole reads all of r as the content of the folder.
func (f *sevenFolder) whole(r io.Reader) io.Reader {
	c := checkedReader(r, f.size())
	if f.hasCRC {
		c.crc(f.crc)
	}
	return c
}

func (f *sevenFolder) encrypted() bool { return f.uses(sevenAES) }

// compressed tells if a decoder would trip over data that is none.
func (f *sevenFolder) compressed() bool {
	return f.uses(sevenLZMA) || f.uses(sevenLZMA2) || f.uses(sevenFlate) || f.uses(sevenBzip2)
}

func (f *sevenFolder) uses(method string) bool {
	for _, c := range f.coders {
		if c.method == method {
			return true
		}
	}
	return false
}

// open decodes the folder. The library gets an archive of this folder alone,
// with numbers that were checked, so it never allocates by what a file claims.
func (f *sevenFolder) open(data []byte, password string) (r io.Reader, err error) {
	header, err := f.alone()
	if err != nil {
		return nil, err
	}
	var packed int64
	for _, n := range f.packedSizes {
		packed += n
	}
	archive := &joined{parts: [][]byte{startOf(packed, header), data[f.offset:][:packed], header}}
	defer func() {
		if e := recovered(recover()); e != nil {
			r, err = nil, e
		}
	}()
	z, err := sevenzip.NewReaderWithPassword(archive, archive.size(), password)
	if err != nil {
		return nil, fmt.Errorf("decode 7z stream: %w", err)
	}
	rc, err := z.File[0].Open()
	if err != nil {
		return nil, fmt.Errorf("decode 7z stream: %w", err)
	}
	return &guarded{r: rc}, nil
}

// startOf makes the start header of an archive of one folder.
func startOf(packed int64, header []byte) []byte {
	b := make([]byte, sevenStart)
	copy(b, sevenMagic)
	b[7] = 4 // minor version, as 7-Zip writes it
	binary.LittleEndian.PutUint64(b[12:], uint64(packed))
	binary.LittleEndian.PutUint64(b[20:], uint64(len(header)))
	binary.LittleEndian.PutUint32(b[28:], crc32.ChecksumIEEE(header))
	binary.LittleEndian.PutUint32(b[8:], crc32.ChecksumIEEE(b[12:]))
	return b
}

// alone makes the list of an archive that holds the folder as one file.
func (f *sevenFolder) alone() ([]byte, error) {
	if f.cut {
		return nil, errCutShort
	}
	order, err := f.order()
	if err != nil {
		return nil, err
	}
	coders, err := f.boundedCoders()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Write([]byte{sevenHeader, sevenMainStreams, sevenPackInfo, 0, byte(len(f.packed)), sevenSize})
	for _, n := range f.packedSizes {
		putSeven(&b, n)
	}
	b.Write([]byte{sevenEnd, sevenUnpackInfo, sevenFolderID, 1, 0, byte(len(coders))})
	inputs := f.writeCoders(&b, coders, order)
	f.writeBonds(&b, order, inputs)
	b.WriteByte(sevenUnpackSize)
	for _, c := range order {
		putSeven(&b, f.sizes[c])
	}
	b.Write([]byte{sevenEnd, sevenEnd, sevenFilesInfo, 1, sevenNames, 5, 0, 'x', 0, 0, 0, sevenEnd, sevenEnd})
	return b.Bytes(), nil
}

// order lists the coders so that each comes after those that feed it, as the
// library wants them; the main coder is the last.
func (f *sevenFolder) order() ([]int, error) {
	var order []int
	state := make([]int, len(f.coders)) // 1: being visited, 2: in the order
	var add func(c int) bool
	add = func(c int) bool {
		if state[c] != 0 {
			return false // a loop, or one output for two inputs
		}
		state[c] = 1
		first := f.firstInput(c)
		for in := first; in < first+f.coders[c].inputs; in++ {
			if f.bond[in] >= 0 && !add(f.bond[in]) {
				return false
			}
		}
		state[c] = 2
		order = append(order, c)
		return true
	}
	main := f.main()
	if main < 0 || !add(main) || len(order) != len(f.coders) {
		return nil, errors.New("the coders of the 7z stream are joined in a way that cannot be")
	}
	return order, nil
}

func (f *sevenFolder) firstInput(coder int) int {
	n := 0
	for _, c := range f.coders[:coder] {
		n += c.inputs
	}
	return n
}

// writeCoders writes the coders in the new order, and tells the new number of
// each input.
func (f *sevenFolder) writeCoders(b *bytes.Buffer, coders []sevenCoder, order []int) []int {
	inputs := make([]int, len(f.bond))
	next := 0
	for _, c := range order {
		coder := coders[c]
		flags := byte(len(coder.method)) | 0x10 | 0x20
		if len(coder.props) == 0 {
			flags &^= 0x20
		}
		b.WriteByte(flags)
		b.WriteString(coder.method)
		b.Write([]byte{byte(coder.inputs), 1})
		if len(coder.props) > 0 {
			b.WriteByte(byte(len(coder.props)))
			b.Write(coder.props)
		}
		first := f.firstInput(c)
		for i := range coder.inputs {
			inputs[first+i] = next
			next++
		}
	}
	return inputs
}

func (f *sevenFolder) writeBonds(b *bytes.Buffer, order, inputs []int) {
	place := make([]int, len(order))
	for i, c := range order {
		place[c] = i
	}
	for in, out := range f.bond {
		if out >= 0 {
			b.Write([]byte{byte(inputs[in]), byte(place[out])})
		}
	}
	if len(f.packed) > 1 {
		for _, in := range f.packed {
			b.WriteByte(byte(inputs[in]))
		}
	}
}

// putSeven writes a number in its longest form.
func putSeven(b *bytes.Buffer, n int64) {
	b.WriteByte(0xFF)
	b.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

// boundedCoders gives the coders with dictionaries no larger than the content,
// and fails if all together need more than sevenDictionary.
func (f *sevenFolder) boundedCoders() ([]sevenCoder, error) {
	coders := make([]sevenCoder, len(f.coders))
	var total int64
	for i, c := range f.coders {
		method, known := sevenMethods[c.method]
		if !known {
			return nil, fmt.Errorf("7z method %x: %w", c.method, ErrUnsupported)
		}
		c.method = method
		memory, err := c.bound(f.sizes[i], i == f.main())
		if err != nil {
			return nil, err
		}
		if total += memory; total > sevenDictionary {
			return nil, errDictionary()
		}
		coders[i] = c
	}
	return coders, nil
}

var errProperties = errors.New("the parameters of the 7z stream are broken")

// maxCycles bounds the work of making a key of a password: 7-Zip takes 2^19
// rounds, and 0x3F stands for none.
const maxCycles = 22

// bound checks and lowers the parameters of a coder whose output has size
// bytes, and tells the memory it takes.
func (c *sevenCoder) bound(size int64, last bool) (int64, error) {
	props := len(c.props)
	switch c.method {
	case sevenLZMA:
		if props != 5 {
			return 0, errProperties
		}
		dict := max(min(int64(binary.LittleEndian.Uint32(c.props[1:])), size), 4096)
		c.props = binary.LittleEndian.AppendUint32([]byte{c.props[0]}, uint32(dict))
		return dict, nil
	case sevenLZMA2:
		return c.boundLZMA2(size)
	case sevenPPMd:
		if props != 5 {
			return 0, errProperties
		}
		return int64(binary.LittleEndian.Uint32(c.props[1:])), nil
	case sevenDelta:
		// The library's filter turns endlessly at distance 256, and at the end
		// of a short stream unless the guard reads it itself.
		if props != 1 || c.props[0] == 0xFF || !last {
			return 0, fmt.Errorf("7z delta filter: %w", ErrUnsupported)
		}
	case sevenAES:
		if props == 0 || c.props[0]&0x3F > maxCycles && c.props[0]&0x3F != 0x3F {
			return 0, errProperties
		}
	}
	if props > 127 { // more than one byte of its number
		return 0, errProperties
	}
	return 1 << 16, nil
}

// boundLZMA2 chooses the smallest dictionary that holds the content.
func (c *sevenCoder) boundLZMA2(size int64) (int64, error) {
	if len(c.props) != 1 || c.props[0] > 40 {
		return 0, errProperties
	}
	for p := byte(0); p < c.props[0]; p++ {
		if lzma2Dictionary(p) >= size {
			c.props = []byte{p}
		}
	}
	return lzma2Dictionary(c.props[0]), nil
}

// lzma2Dictionary is the size that a property byte means (Lzma2Dec.c).
func lzma2Dictionary(p byte) int64 { return int64(2|p&1) << (p/2 + 11) }

// joined is parts read as one file.
type joined struct{ parts [][]byte }

func (j *joined) size() int64 {
	var n int64
	for _, p := range j.parts {
		n += int64(len(p))
	}
	return n
}

func (j *joined) ReadAt(b []byte, off int64) (int, error) {
	n := 0
	for _, p := range j.parts {
		if off >= int64(len(p)) {
			off -= int64(len(p))
			continue
		}
		n += copy(b[n:], p[off:])
		off = 0
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
