package collect

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"unicode/utf8"

	"meetguard/internal/store"
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

// ParseRecord judges one record, given as valid JSON. The canonical bytes are
// the JSON without insignificant white space: for a line of the alert log those
// are the bytes of the line, so the digest is also the mg_prev of the next line.
func ParseRecord(raw []byte) store.Record {
	canonical := compact(raw)
	sum := sha256.Sum256(canonical)
	rec := store.Record{Digest: hex.EncodeToString(sum[:]), Size: len(canonical), Raw: canonical}
	if len(canonical) > MaxRecord {
		rec.UID = uidOf(canonical)
		rec.Raw = bytes.Clone(canonical[:MaxRecord])
		rec.Refused = reasonTooLarge
		return rec
	}
	rec.Refused = fill(&rec, canonical)
	return rec
}

// fill sets the columns from the canonical bytes and returns why the record
// cannot be stored, or "".
func fill(r *store.Record, canonical []byte) (refused string) {
	if !utf8.Valid(canonical) {
		return reasonNotUTF8
	}
	f, ok := pick(canonical)
	if !ok {
		return reasonNotObject
	}
	uid := f.text(fieldUID)
	if !validUID(uid) {
		return reasonNoUID
	}
	r.UID = uid
	if f.number(fieldClass) != classDetectionFinding {
		return reasonClass
	}
	fillColumns(r, f)
	if f.text(fieldAbout) != "" { // notes are rare: what they say is read from the whole
		if doc, ok := decodeObject(canonical); ok {
			r.Note = noteOf(doc)
		}
	}
	return ""
}

// fillColumns takes what people filter on from the record. What is absent or of
// another type stays zero.
func fillColumns(r *store.Record, f *facts) {
	r.Time = millis(f.number(fieldTime))
	r.Landed = millis(f.number(fieldLanded))
	r.Hostname = f.column(fieldHostname, maxLabel)
	r.FindingID = f.column(fieldFindingID, maxLabel)
	r.Severity = severity(f.number(fieldSeverity))
	r.Level = f.column(fieldLevel, maxLabel)
	r.Brand = f.column(fieldBrand, maxLabel)
	r.Rule = f.column(fieldRule, maxLabel)
	r.Score = score(f.number(fieldScore))
	r.Path = f.column(fieldPath, maxPath)
	r.SHA256 = f.column(fieldSHA256, maxLabel)
	r.User = f.column(fieldUser, maxLabel)
	r.Host = f.column(fieldHost, maxLabel)
	r.Signer = f.column(fieldSigner, maxLabel)
	r.Seq = count(f.number(fieldSeq))
	r.Prev = f.column(fieldPrev, maxLabel)
}

// compact returns valid JSON without insignificant white space: the same bytes if
// there is none, as in the lines of an agent.
func compact(raw []byte) []byte {
	if isTight(raw) {
		return raw
	}
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
