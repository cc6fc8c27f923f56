package owner

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// database reads a SQLite file without writing, locking or running anything of
// SQLite: exactly what a lookup by key needs (file format: sqlite.org,
// fileformat2). A library would cost every process of the product some 3 MB and
// 2 ms at start, for a question that is asked once an alert.
type database struct {
	r      io.ReaderAt
	pages  uint32
	size   int // bytes of a page
	usable int // bytes of a page that hold content
	budget int // pages that may still be read
}

// Limits of one lookup.
const (
	maxPages   = 200_000
	maxDepth   = 24
	maxPayload = 64 << 20 // bytes of one row
)

var (
	errNoSQLite = errors.New("it is no SQLite database in UTF-8")
	errDamaged  = errors.New("the database is damaged")
)

// The kinds of page of a b-tree.
const (
	innerIndex = 0x02
	innerTable = 0x05
	leafIndex  = 0x0a
	leafTable  = 0x0d
)

func openDatabase(r io.ReaderAt, size int64) (*database, error) {
	var h [100]byte
	if _, err := r.ReadAt(h[:], 0); err != nil || !bytes.HasPrefix(h[:], []byte("SQLite format 3\x00")) || binary.BigEndian.Uint32(h[56:]) != 1 {
		return nil, errNoSQLite
	}
	d := &database{r: r, size: int(binary.BigEndian.Uint16(h[16:])), budget: maxPages}
	if d.size == 1 {
		d.size = 65536
	}
	d.usable = d.size - int(h[20])
	if d.size < 512 || d.size&(d.size-1) != 0 || d.usable < 480 {
		return nil, errNoSQLite
	}
	d.pages = uint32(min(size/int64(d.size), math.MaxUint32))
	return d, nil
}

// page is one page of a b-tree.
type page struct {
	kind  byte
	data  []byte // the whole page
	cells []byte // offsets of its cells, two bytes each
	right uint32 // last child of an inner page
}

func (d *database) raw(n uint32) ([]byte, error) {
	if d.budget--; d.budget < 0 {
		return nil, errors.New("the database has too many pages")
	}
	if n == 0 || n > d.pages {
		return nil, errDamaged
	}
	data := make([]byte, d.size)
	if _, err := d.r.ReadAt(data, int64(n-1)*int64(d.size)); err != nil {
		return nil, fmt.Errorf("read a page: %w", err)
	}
	return data, nil
}

func (d *database) page(n uint32) (page, error) {
	data, err := d.raw(n)
	if err != nil {
		return page{}, err
	}
	at := 0
	if n == 1 {
		at = 100 // behind the header of the file
	}
	p, head := page{kind: data[at], data: data}, 8
	switch p.kind {
	case innerIndex, innerTable:
		head, p.right = 12, binary.BigEndian.Uint32(data[at+8:])
	case leafIndex, leafTable:
	default:
		return page{}, errDamaged
	}
	count := int(binary.BigEndian.Uint16(data[at+3:]))
	if at+head+2*count > len(data) {
		return page{}, errDamaged
	}
	p.cells = data[at+head : at+head+2*count]
	return p, nil
}

func (p page) count() int { return len(p.cells) / 2 }

// cell is one cell of a page: the child left of it, its row number and where
// its content begins, as far as the kind of page has them.
type cell struct {
	child uint32
	row   int64
	size  int64  // bytes of its content
	begin []byte // of its content, to the end of the page
	table bool
}

func (p page) cell(i int) (cell, error) {
	at := int(binary.BigEndian.Uint16(p.cells[2*i:]))
	c := cell{table: p.kind == innerTable || p.kind == leafTable}
	if at+4 > len(p.data) {
		return c, errDamaged
	}
	c.begin = p.data[at:]
	if p.kind == innerIndex || p.kind == innerTable {
		c.child, c.begin = binary.BigEndian.Uint32(c.begin), c.begin[4:]
	}
	if p.kind != innerTable {
		c.size, c.begin = varint(c.begin)
	}
	if c.table {
		c.row, c.begin = varint(c.begin)
	}
	return c, nil
}

// record reads the columns of a cell's content.
func (d *database) record(c cell) ([]any, error) {
	content, err := d.payload(c.begin, c.size, c.table)
	if err != nil {
		return nil, err
	}
	return columns(content)
}

// payload gives the content of a cell. What does not fit a page goes on in a
// chain of further ones.
func (d *database) payload(b []byte, size int64, table bool) ([]byte, error) {
	if size < 0 || size > maxPayload || size > int64(d.pages)*int64(d.size) {
		return nil, errDamaged
	}
	local := d.local(int(size), table)
	if local > len(b) {
		return nil, errDamaged
	}
	if local == int(size) {
		return b[:local], nil
	}
	if local+4 > len(b) {
		return nil, errDamaged
	}
	out := append(make([]byte, 0, size), b[:local]...)
	for next := binary.BigEndian.Uint32(b[local:]); len(out) < int(size); {
		data, err := d.raw(next)
		if err != nil {
			return nil, err
		}
		next = binary.BigEndian.Uint32(data)
		out = append(out, data[4:4+min(d.usable-4, int(size)-len(out))]...)
	}
	return out, nil
}

// local is how much of a content lies in its own page.
func (d *database) local(size int, table bool) int {
	most := d.usable - 35
	if !table {
		most = (d.usable-12)*64/255 - 23
	}
	if size <= most {
		return size
	}
	least := (d.usable-12)*32/255 - 23
	if k := least + (size-least)%(d.usable-4); k <= most {
		return k
	}
	return least
}

// varint reads SQLite's own: up to nine bytes, high bits first, the ninth whole.
func varint(b []byte) (int64, []byte) {
	var v uint64
	for i := range min(len(b), 9) {
		if i == 8 {
			return int64(v<<8 | uint64(b[i])), b[9:] // #nosec G115 -- numbers of SQLite are signed
		}
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return int64(v), b[i+1:] // #nosec G115 -- 56 bits
		}
	}
	return -1, nil
}

// columns cuts the content of a cell into its columns: int64, []byte for text
// and blobs, nil for what is neither.
func columns(b []byte) ([]any, error) {
	size, rest := varint(b)
	header := int64(len(b) - len(rest))
	if size < header || size > int64(len(b)) {
		return nil, errDamaged
	}
	types, values := b[header:size], b[size:]
	var out []any
	for len(types) > 0 {
		var t int64
		t, types = varint(types)
		n := width(t)
		if n < 0 || n > int64(len(values)) {
			return nil, errDamaged
		}
		out, values = append(out, column(t, values[:n])), values[n:]
	}
	return out, nil
}

// width is how many bytes a column of a type has, -1 if there is no such type.
func width(t int64) int64 {
	switch {
	case t >= 12:
		return (t - 12) / 2
	case t >= 0 && t <= 9:
		return [10]int64{0, 1, 2, 3, 4, 6, 8, 8, 0, 0}[t]
	}
	return -1
}

func column(t int64, b []byte) any {
	switch {
	case t >= 12:
		return b
	case t == 8, t == 9:
		return t - 8
	case t >= 1 && t <= 6:
		v := int64(int8(b[0]))
		for _, c := range b[1:] {
			v = v<<8 | int64(c)
		}
		return v
	}
	return nil
}

// rows visits the rows of a small table in order.
func (d *database) rows(root uint32, depth int, visit func([]any)) error {
	p, err := d.page(root)
	if err != nil {
		return err
	}
	if depth > maxDepth || p.kind != innerTable && p.kind != leafTable {
		return errDamaged
	}
	for i := range p.count() {
		c, err := p.cell(i)
		if err == nil && p.kind == innerTable {
			err = d.rows(c.child, depth+1, visit)
		} else if err == nil {
			var row []any
			if row, err = d.record(c); err == nil {
				visit(row)
			}
		}
		if err != nil {
			return err
		}
	}
	if p.kind == innerTable {
		return d.rows(p.right, depth+1, visit)
	}
	return nil
}

// row finds one row of a table by its number; nil if there is none.
func (d *database) row(root uint32, number int64) ([]any, error) {
	for range maxDepth {
		p, err := d.page(root)
		if err != nil {
			return nil, err
		}
		c, found, err := p.reach(number)
		switch {
		case err != nil:
			return nil, err
		case p.kind == innerTable && found:
			root = c.child
		case p.kind == innerTable:
			root = p.right
		case found && c.row == number:
			return d.record(c)
		default:
			return nil, nil
		}
	}
	return nil, errDamaged
}

// reach finds the first cell of a table's page whose row number is not below
// the wanted one.
func (p page) reach(number int64) (cell, bool, error) {
	if p.kind != innerTable && p.kind != leafTable {
		return cell{}, false, errDamaged
	}
	for i := range p.count() {
		if c, err := p.cell(i); err != nil || c.row >= number {
			return c, true, err
		}
	}
	return cell{}, false, nil
}

// keys visits the numbers of the rows that an index has under a text.
func (d *database) keys(root uint32, depth int, text string, visit func(row int64) error) error {
	p, err := d.page(root)
	if err != nil {
		return err
	}
	if depth > maxDepth || p.kind != innerIndex && p.kind != leafIndex {
		return errDamaged
	}
	for i := range p.count() {
		c, err := p.cell(i)
		if err != nil {
			return err
		}
		entry, err := d.record(c)
		if err != nil || len(entry) != 2 {
			return errors.Join(err, errDamaged)
		}
		key, _ := entry[0].([]byte)
		row, _ := entry[1].(int64)
		order := bytes.Compare([]byte(text), key)
		if p.kind == innerIndex && order <= 0 {
			if err := d.keys(c.child, depth+1, text, visit); err != nil {
				return err
			}
		}
		if order < 0 {
			return nil
		}
		if order == 0 {
			if err := visit(row); err != nil {
				return err
			}
		}
	}
	if p.kind == innerIndex {
		return d.keys(p.right, depth+1, text, visit)
	}
	return nil
}
