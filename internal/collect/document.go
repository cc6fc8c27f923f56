package collect

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// document is a decoded record. Its readers take a path of keys and give the
// zero value for what is absent or of another type: a record is kept for what
// it does say.
type document map[string]any

// decodeObject decodes one JSON object; numbers keep their digits.
func decodeObject(raw []byte) (document, bool) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil, false
	}
	m, ok := v.(map[string]any)
	return m, ok
}

func (d document) at(path ...string) any {
	var v any = map[string]any(d)
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func (d document) text(path ...string) string {
	s, _ := d.at(path...).(string)
	return s
}

// number returns the digits of a number as they were written, or "".
func (d document) number(path ...string) string {
	n, _ := d.at(path...).(json.Number)
	return n.String()
}

// list returns the members of an array, or nil.
func (d document) list(path ...string) []any {
	l, _ := d.at(path...).([]any)
	return l
}

// maxMillis is the last millisecond of the year 9999, the end of RFC 3339.
const maxMillis = 253402300799999

// millis reads an OCSF timestamp_t: milliseconds since 1970 in UTC.
func (d document) millis(path ...string) time.Time { return millis(d.number(path...)) }

func millis(digits string) time.Time {
	ms, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || ms <= 0 || ms > maxMillis {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// score reads a whole number and brings it into 0…100.
func score(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return min(max(n, 0), 100)
}

// severity reads an OCSF severity_id: 0…6, or 99 for others; anything else is 0,
// unknown.
func severity(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || n > 6 && n != 99 {
		return 0
	}
	return n
}

// count reads a whole number from 0 to what every store can keep.
func count(digits string) uint64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return uint64(n)
}
