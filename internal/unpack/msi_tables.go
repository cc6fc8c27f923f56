package unpack

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// How an MSI stores its tables is not published by Microsoft. What stands here
// was learned from the database that Wine's msi.dll and msitools write, and is
// held against packages made by them in the tests.
const (
	maxMSITable   = 8 << 20  // bytes of one table
	maxMSIStrings = 16 << 20 // bytes of all strings
	maxMSIPool    = 4 << 20  // bytes of the list of their lengths: a million strings
	maxMSIRows    = 1 << 17  // rows looked at

	msiColumnString = 0x0800 // bits of the type of a column, as in _Columns
	msiColumnValid  = 0x0100
	msiColumnNull   = 0x1000
)

// msiDatabase is one database of tables: an installer package, or one that is
// stored in another.
type msiDatabase struct {
	file    *compoundFile
	streams map[string]compoundEntry // by decoded name
	texts   []byte                   // of all strings
	ends    []uint32                 // where string number i+1 ends in texts
	refSize int                      // bytes that a table takes to refer to a string
	page    *charmap.Charmap         // nil: ASCII and UTF-8 only
	columns map[string][]msiColumn   // by table
	decoded map[int]string           // strings that were asked for
}

type msiColumn struct {
	name        string
	text        bool
	width, from int // bytes a row, and of all columns before
}

// msiTable is one table, stored column by column.
type msiTable struct {
	db      *msiDatabase
	columns []msiColumn
	data    []byte
	rows    int
}

// each are the rows that are looked at.
func (t *msiTable) each() int { return min(t.rows, maxMSIRows) }

// openMSIDatabase reads the strings and the list of columns.
func openMSIDatabase(f *compoundFile, entries []compoundEntry) (*msiDatabase, error) {
	db := &msiDatabase{file: f, streams: map[string]compoundEntry{}, columns: map[string][]msiColumn{}, decoded: map[int]string{}}
	for _, e := range entries {
		if e.kind == cfbStream {
			db.streams[msiStreamName(e.name)] = e
		}
	}
	if err := db.readStrings(); err != nil {
		return db, err
	}
	return db, db.readColumns()
}

// readStrings reads _StringPool, which is the code page and then length and
// reference count of each string, and _StringData, the texts.
func (db *msiDatabase) readStrings() error {
	pool, err := db.stream("!_StringPool", maxMSIPool)
	if err != nil || len(pool) < 4 {
		return errCFB
	}
	if db.texts, err = db.stream("!_StringData", maxMSIStrings); err != nil {
		return err
	}
	head := binary.LittleEndian.Uint32(pool)
	db.page, db.refSize = windowsCodePage(head&^(1<<31)), 2
	if head>>31 != 0 {
		db.refSize = 3
	}
	end := uint64(0)
	for pool = pool[4:]; len(pool) >= 4; pool = pool[4:] {
		length := uint64(binary.LittleEndian.Uint16(pool))
		if used := binary.LittleEndian.Uint16(pool[2:]) != 0; length == 0 && used && len(pool) >= 8 {
			pool = pool[4:] // 64 KiB or longer: the length takes the next entry
			length = uint64(binary.LittleEndian.Uint32(pool))
		}
		if end += length; end > uint64(len(db.texts)) {
			return nil // what comes before is good
		}
		db.ends = append(db.ends, uint32(end))
	}
	return nil
}

func (db *msiDatabase) stream(name string, limit int64) ([]byte, error) {
	e, ok := db.streams[name]
	if !ok {
		return nil, errCFB
	}
	return db.file.whole(e, limit)
}

// raw is string number id, as stored.
func (db *msiDatabase) raw(id int) []byte {
	if id < 1 || id > len(db.ends) {
		return nil
	}
	start := uint32(0)
	if id > 1 {
		start = db.ends[id-2]
	}
	return db.texts[start:db.ends[id-1]]
}

// text is string number id in UTF-8. It is decoded once, however many rows of a
// hostile table repeat it.
func (db *msiDatabase) text(id int) string {
	text, ok := db.decoded[id]
	if !ok {
		text = db.decode(db.raw(id))
		db.decoded[id] = text
	}
	return text
}

func (db *msiDatabase) decode(raw []byte) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	var out strings.Builder
	for _, b := range raw {
		switch {
		case b < 0x80:
			out.WriteByte(b)
		case db.page == nil:
			out.WriteRune(utf8.RuneError)
		default:
			out.WriteRune(db.page.DecodeByte(b))
		}
	}
	return out.String()
}

// readColumns reads _Columns: table, number, name and type of every column.
func (db *msiDatabase) readColumns() error {
	data, err := db.stream("!_Columns", maxMSITable)
	if err != nil {
		return err
	}
	t := msiTable{db: db, data: data}
	for _, name := range []string{"Table", "Number", "Name", "Type"} {
		t.add(name, name == "Table" || name == "Name", 2)
	}
	t.count()
	for row := range t.each() {
		kind := t.number(row, "Type")
		table := msiTable{db: db, columns: db.columns[t.text(row, "Table")]}
		table.add(t.text(row, "Name"), isMSIText(kind), msiWidth(kind))
		if len(table.columns) <= 255 { // Windows Installer allows 31
			db.columns[t.text(row, "Table")] = table.columns
		}
	}
	return nil
}

func isMSIText(kind int) bool {
	return kind&msiColumnString != 0 && kind&^msiColumnNull != msiColumnString|msiColumnValid
}

// msiWidth is what a number takes; what is neither number nor text is the name
// of a stream, of which two bytes say that it is there.
func msiWidth(kind int) int {
	if kind&msiColumnString == 0 && kind&0xff == 4 {
		return 4
	}
	return 2
}

// add appends a column.
func (t *msiTable) add(name string, text bool, width int) {
	if text {
		width = t.db.refSize
	}
	from := 0
	if n := len(t.columns); n > 0 {
		from = t.columns[n-1].from + t.columns[n-1].width
	}
	t.columns = append(t.columns, msiColumn{name, text, width, from})
}

// count derives the number of rows.
func (t *msiTable) count() {
	if n := len(t.columns); n > 0 {
		t.rows = len(t.data) / (t.columns[n-1].from + t.columns[n-1].width)
	}
}

// table opens the table of the name; one that is missing has no rows.
func (db *msiDatabase) table(name string) *msiTable {
	t := &msiTable{db: db, columns: db.columns[name]}
	t.data, _ = db.stream("!"+name, maxMSITable)
	t.count()
	return t
}

// cell is the stored number of a cell and whether it refers to a string.
func (t *msiTable) cell(row int, name string) (n int, text bool, width int) {
	for _, c := range t.columns {
		if c.name != name {
			continue
		}
		at := c.from*t.rows + row*c.width
		for i := range c.width {
			n |= int(t.data[at+i]) << (8 * i)
		}
		return n, c.text, c.width
	}
	return 0, false, 0
}

func (t *msiTable) text(row int, name string) string {
	if n, text, _ := t.cell(row, name); text {
		return t.db.text(n)
	}
	return ""
}

// number is the value of a numeric cell. Zero stands for null, and the sign bit
// is inverted.
func (t *msiTable) number(row int, name string) int {
	n, text, width := t.cell(row, name)
	if text || n == 0 {
		return 0
	}
	return n - 1<<(8*width-1)
}

// pairs reads two text columns as a map.
func (t *msiTable) pairs(key, value string) map[string]string {
	m := map[string]string{}
	for row := range t.each() {
		m[t.text(row, key)] = t.text(row, value)
	}
	return m
}

// windowsCodePage is the table of a code page with one byte a character, or
// nil. Zero stands for whatever the reader's system has.
func windowsCodePage(number uint32) *charmap.Charmap {
	pages := [...]*charmap.Charmap{charmap.Windows1250, charmap.Windows1251, charmap.Windows1252, charmap.Windows1253,
		charmap.Windows1254, charmap.Windows1255, charmap.Windows1256, charmap.Windows1257, charmap.Windows1258}
	switch {
	case number == 0:
		return charmap.Windows1252
	case number == 874:
		return charmap.Windows874
	case 1250 <= number && number <= 1258:
		return pages[number-1250]
	}
	return nil
}
