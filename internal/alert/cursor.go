package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// cursor says how far the collector has the log: every line up to Seq is either
// acknowledged or dropped. It is written as {"cursor":{…,"mg_sum":"…"}}.
type cursor struct {
	File    string            `json:"file"`   // lasting name of the file that line Seq stands in; "" if not known
	Seq     uint64            `json:"seq"`    // the highest line settled, with all before it
	Offset  int64             `json:"offset"` // behind that line in File
	Hash    string            `json:"hash"`   // of that line; "" if it was never read
	Acked   uint64            `json:"acked"`
	Dropped map[string]uint64 `json:"dropped,omitempty"` // of the lines up to Seq, by reason
	Refused map[string]uint64 `json:"refused,omitempty"` // never written, by level
	Missed  map[string]uint64 `json:"missed,omitempty"`  // could not be written, by level
	Notes   int64             `json:"notes,omitempty"`   // bytes of acknowledgements that are in the log
	Mark    *checkpoint       `json:"mark,omitempty"`    // where Open reads on; nil: from the beginning
	First   uint64            `json:"first,omitempty"`   // of the oldest line that is held; 0 if not known
}

var errCursor = errors.New("read delivery cursor: it is damaged")

// maxCursor bounds the file that is read as a cursor, in bytes.
const maxCursor = 64 << 10

func (c *cursor) drop(reason string, n uint64) {
	dropped := map[string]uint64{}
	for k, v := range c.Dropped {
		dropped[k] = v
	}
	dropped[reason] += n
	c.Dropped = dropped
}

func (c cursor) encode() ([]byte, error) {
	plain, err := json.Marshal(struct {
		Cursor cursor `json:"cursor"`
	}{c})
	if err != nil {
		return nil, err
	}
	line, err := seal(plain)
	return append(line, '\n'), err
}

// parseCursor accepts only what encode wrote: a wrong cursor could skip records,
// a missing one only sends them again.
func parseCursor(data []byte) (cursor, error) {
	var doc struct {
		Cursor cursor `json:"cursor"`
	}
	line := bytes.TrimSuffix(data, []byte("\n"))
	if !sealed(line) || json.Unmarshal(line, &doc) != nil {
		return cursor{}, errCursor
	}
	c := doc.Cursor
	settled := c.Acked
	for _, n := range c.Dropped {
		if n > c.Seq {
			return cursor{}, errCursor
		}
		settled += n
	}
	if settled != c.Seq || c.Acked > c.Seq || c.Offset < 0 || c.Notes < 0 {
		return cursor{}, errCursor
	}
	if c.Mark != nil && !c.Mark.sound() {
		c.Mark = nil // it is worth less than the cursor
	}
	return c, nil
}

func loadCursor(root *os.Root) (cursor, error) {
	f, err := openPlain(root, cursorName, os.O_RDONLY)
	if err != nil {
		return cursor{}, err
	}
	defer f.Close()
	data := make([]byte, maxCursor)
	n, err := f.Read(data)
	if err != nil {
		return cursor{}, fmt.Errorf("read delivery cursor: %w", err)
	}
	return parseCursor(data[:n])
}

func (l *Log) saveCursor() error {
	data, err := l.cur.encode()
	if err == nil {
		err = writeAtomic(l.root, cursorName, data)
	}
	if err != nil {
		return fmt.Errorf("save delivery cursor: %w", err)
	}
	return nil
}
