package collect

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// where is the place of each field in a decoded record.
var where = map[field][]string{
	fieldClass: {"class_uid"}, fieldTime: {"time"}, fieldSeverity: {"severity_id"},
	fieldUID: {"metadata", "uid"}, fieldFindingID: {"finding_info", "uid"}, fieldLanded: {"finding_info", "first_seen_time"},
	fieldHostname: {"device", "hostname"}, fieldLevel: {"unmapped", "mg_level"}, fieldBrand: {"unmapped", "mg_brand"},
	fieldRule: {"unmapped", "mg_rule"}, fieldScore: {"unmapped", "mg_score"}, fieldPath: {"unmapped", "mg_path"},
	fieldSHA256: {"unmapped", "mg_sha256"}, fieldUser: {"unmapped", "mg_user"}, fieldHost: {"unmapped", "mg_source_host"},
	fieldSigner: {"unmapped", "mg_signer"}, fieldSeq: {"unmapped", "mg_seq"}, fieldPrev: {"unmapped", "mg_prev"}, fieldAbout: {"unmapped", "mg_about"},
}

// checkScan compares the scanner with encoding/json.
func checkScan(t *testing.T, raw []byte) {
	t.Helper()
	s := scanner{text: raw}
	s.space()
	if valid := s.skip() && s.rest(); valid != json.Valid(raw) {
		t.Fatalf("%q: valid is %v here", raw, valid)
	}
	if !json.Valid(raw) {
		return
	}
	if tight := isTight(raw); tight != (len(compact(raw)) == len(raw)) {
		t.Errorf("%q: tight is %v", raw, tight)
	}
	canonical := compact(raw)
	if !utf8.Valid(canonical) {
		return
	}
	f, ok := pick(canonical)
	doc, isObject := decodeObject(canonical)
	if ok != isObject {
		t.Fatalf("%q: object is %v here", raw, ok)
	}
	if !ok {
		return
	}
	for of, path := range where {
		if f.text(of) != doc.text(path...) || f.number(of) != doc.number(path...) {
			t.Errorf("%q: %v is %q %q, decoded %q %q", raw, path, f.text(of), f.number(of), doc.text(path...), doc.number(path...))
		}
	}
}

func scanSamples() []string {
	return []string{
		``, `{}`, ` { } `, `[]`, `[ ]`, `{"a":1,}`, `{"a":1 "b":2}`, `[1,2`, `[1 2]`, `nul`, `null`, `true `, `falsey`, `{a:1}`, `{"a"}`, `{"a":}`,
		`0`, `-0`, `01`, `-`, `1.`, `.5`, `1.5e+3`, `1e`, `1E-`, `1e5x`, `+1`, `"`, `"\u12g4"`, `"\ud83d\ude00"`, `"\x"`, "\"\n\"", "\"\xff\"", `"\`, `"a\u0000"`,
		string(record("r1", `"time":1754000000000,"severity_id":99,"device":{"hostname":"PC\u002d7"},"finding_info":{"uid":"f","first_seen_time":12}`)),
		`{"metadata":{"uid":"a"},"metadata":{"uid":7}}`, `{"metadata":{"uid":"a"},"metadata":3}`, `{"m\u0065tadata":{"\u0075id":"a"}}`,
		`{"metadata":{"UID":"a","uid":"b"},"Metadata":{"uid":"c"}}`, `{"unmapped":{"mg_path":"C:\\a\"b","mg_score":88,"mg_seq":-1,"mg_path2":{}}}`,
		`{"unmapped":{"mg_score":{"mg_score":1},"mg_level":["x"],"mg_user":null,"mg_signer":true}}`, `{"time":"1","time":2}`, `{"class_uid":2004.0}`, `{} {}`, `[[[[{}]]]]`,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
		strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth), strings.Repeat("[", 100000),
	}
}

// A batch is read by a scanner of our own: it must see what encoding/json sees.
func TestScannerAgrees(t *testing.T) {
	if len(where) != int(fields)-1 {
		t.Fatalf("%d fields are compared of %d", len(where), fields-1)
	}
	for _, raw := range scanSamples() {
		checkScan(t, []byte(raw))
	}
}

func FuzzScanner(f *testing.F) {
	for _, raw := range scanSamples() {
		if len(raw) < 1000 {
			f.Add([]byte(raw))
		}
	}
	f.Fuzz(checkScan)
}

func BenchmarkParseRecord(b *testing.B) {
	raw := record("r1", `"time":1754000000000,"message":"`+strings.Repeat("x", 4000)+`","unmapped":{"mg_path":"C:\\Users\\a.exe","mg_seq":7}`)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		ParseRecord(raw)
	}
}
