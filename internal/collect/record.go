package collect

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// MaxRecord is the most bytes that one canonical record may have.
const MaxRecord = 64 << 10

// classDetectionFinding is the class_uid of OCSF 1.8.0 Detection Finding.
const classDetectionFinding = "2004"

// Bounds of the flat columns, in bytes.
const (
	maxUID   = 256
	maxLabel = 256
	maxPath  = 4096
)

// Reasons for which a record is rejected.
const (
	reasonTooLarge  = "larger than 64 KiB"
	reasonNotUTF8   = "not valid UTF-8"
	reasonNotObject = "not an object"
	reasonNoUID     = "metadata.uid is missing or not 1 to 256 visible ASCII characters"
	reasonClass     = "class_uid is not 2004"
)

// Record is one record of a batch after it was judged by ParseRecord.
type Record struct {
	UID     string // metadata.uid, or ""
	Refused string // why it cannot be stored, or ""
	Digest  string // SHA-256 of the canonical bytes, lower-case hexadecimal
	Size    int    // canonical bytes, also if Raw was cut
	Raw     []byte // canonical bytes; of a refused record the first MaxRecord at most

	Time     time.Time
	Hostname string
	Level    string
	Brand    string
	Rule     string
	Score    int
	Path     string
	SHA256   string
}

// ParseRecord judges one record, given as valid JSON. The canonical bytes are
// the JSON without insignificant white space: for a line of the alert log those
// are the bytes of the line, so the digest is also the mg_prev of the next line.
func ParseRecord(raw []byte) Record {
	canonical := compact(raw)
	sum := sha256.Sum256(canonical)
	rec := Record{Digest: hex.EncodeToString(sum[:]), Size: len(canonical), Raw: canonical}
	if len(canonical) > MaxRecord {
		rec.UID = uidOf(canonical)
		rec.Raw = bytes.Clone(canonical[:MaxRecord])
		rec.Refused = reasonTooLarge
		return rec
	}
	rec.Refused = rec.fill(canonical)
	return rec
}

// fill sets the columns from the canonical bytes and returns why the record
// cannot be stored, or "".
func (r *Record) fill(canonical []byte) (refused string) {
	if !utf8.Valid(canonical) {
		return reasonNotUTF8
	}
	doc, ok := decodeObject(canonical)
	if !ok {
		return reasonNotObject
	}
	uid := doc.text("metadata", "uid")
	if !validUID(uid) {
		return reasonNoUID
	}
	r.UID = uid
	if doc.number("class_uid") != classDetectionFinding {
		return reasonClass
	}
	r.Time = doc.millis("time")
	r.Hostname = column(doc.text("device", "hostname"), maxLabel)
	r.Level = column(doc.text("unmapped", "mg_level"), maxLabel)
	r.Brand = column(doc.text("unmapped", "mg_brand"), maxLabel)
	r.Rule = column(doc.text("unmapped", "mg_rule"), maxLabel)
	r.Score = doc.score("unmapped", "mg_score")
	r.Path = column(doc.text("unmapped", "mg_path"), maxPath)
	r.SHA256 = column(doc.text("unmapped", "mg_sha256"), maxLabel)
	return ""
}

// compact returns valid JSON without insignificant white space.
func compact(raw []byte) []byte {
	var buf bytes.Buffer
	if err := json.Compact(&buf, raw); err != nil {
		return raw
	}
	return buf.Bytes()
}

// uidOf returns the uid of a record too large to be decoded as a whole, so that
// its sender can tell which one was refused. It keeps nothing else in memory.
func uidOf(canonical []byte) string {
	var doc struct {
		Metadata struct {
			UID string `json:"uid"`
		} `json:"metadata"`
	}
	if json.Unmarshal(canonical, &doc) != nil || !validUID(doc.Metadata.UID) {
		return ""
	}
	return doc.Metadata.UID
}

// validUID says whether s can be a key: it is short and the same text in every
// encoding, log and URL.
func validUID(s string) bool {
	if s == "" || len(s) > maxUID {
		return false
	}
	for _, b := range []byte(s) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return true
}

// alertID is the public id of an alert: 32 hexadecimal digits made from its key.
// It is the same in every store and after every restore, needs no escaping in a
// URL, and cannot be counted through.
func alertID(agentUID, recordUID string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(agentUID), agentUID, recordUID))
	return hex.EncodeToString(sum[:16])
}
