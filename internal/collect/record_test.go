package collect

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"meetguard/internal/store"
)

func TestParseRecord(t *testing.T) {
	for name, c := range map[string]struct{ raw, uid, refused string }{
		"good":              {`{"class_uid":2004,"metadata":{"uid":"r1"}}`, "r1", ""},
		"null":              {`null`, "", reasonNotObject},
		"number":            {`42`, "", reasonNotObject},
		"list":              {`[{"class_uid":2004,"metadata":{"uid":"r1"}}]`, "", reasonNotObject},
		"text":              {`"{}"`, "", reasonNotObject},
		"empty":             {`{}`, "", reasonNoUID},
		"uid empty":         {`{"class_uid":2004,"metadata":{"uid":""}}`, "", reasonNoUID},
		"uid number":        {`{"class_uid":2004,"metadata":{"uid":7}}`, "", reasonNoUID},
		"uid with newline":  {`{"class_uid":2004,"metadata":{"uid":"a\nb"}}`, "", reasonNoUID},
		"uid with bidi":     {`{"class_uid":2004,"metadata":{"uid":"a\u202eb"}}`, "", reasonNoUID},
		"uid long":          {`{"class_uid":2004,"metadata":{"uid":"` + strings.Repeat("a", maxUID+1) + `"}}`, "", reasonNoUID},
		"uid longest":       {`{"class_uid":2004,"metadata":{"uid":"` + strings.Repeat("a", maxUID) + `"}}`, strings.Repeat("a", maxUID), ""},
		"metadata list":     {`{"class_uid":2004,"metadata":[{"uid":"r1"}]}`, "", reasonNoUID},
		"other class":       {`{"class_uid":2005,"metadata":{"uid":"r1"}}`, "r1", reasonClass},
		"class as text":     {`{"class_uid":"2004","metadata":{"uid":"r1"}}`, "r1", reasonClass},
		"no class":          {`{"metadata":{"uid":"r1"}}`, "r1", reasonClass},
		"not UTF-8":         {"{\"class_uid\":2004,\"metadata\":{\"uid\":\"r1\"},\"x\":\"\xff\"}", "", reasonNotUTF8},
		"odd types ignored": {`{"class_uid":2004,"metadata":{"uid":"r1"},"time":"x","unmapped":[1],"device":3}`, "r1", ""},
	} {
		got := ParseRecord([]byte(c.raw))
		if got.UID != c.uid || got.Refused != c.refused {
			t.Errorf("%s: uid %q refused %q, want %q %q", name, got.UID, got.Refused, c.uid, c.refused)
		}
	}
}

func TestRecordSizeLimit(t *testing.T) {
	fill := MaxRecord - len(record("r1", `"x":""`))
	if got := ParseRecord(record("r1", `"x":"`+strings.Repeat("y", fill)+`"`)); got.Refused != "" || got.Size != MaxRecord {
		t.Errorf("the largest record: size %d, refused %q", got.Size, got.Refused)
	}
	got := ParseRecord(record("r1", `"x":"`+strings.Repeat("y", fill+1)+`"`))
	if got.Refused != reasonTooLarge || got.UID != "r1" || got.Size != MaxRecord+1 || len(got.Raw) != MaxRecord {
		t.Errorf("one byte more: size %d, uid %q, kept %d, refused %q", got.Size, got.UID, len(got.Raw), got.Refused)
	}
}

// The digest of a record is the hash that the next line of the log carries.
func TestDigestIsThatOfTheLogLine(t *testing.T) {
	line := record("r1", `"message":"a <b> & c","n":1.50`)
	sum := sha256.Sum256(line)
	got := ParseRecord([]byte("\n " + string(line) + " "))
	if got.Digest != hex.EncodeToString(sum[:]) || !bytes.Equal(got.Raw, line) {
		t.Errorf("digest %s of %s", got.Digest, got.Raw)
	}
}

func TestColumnsAreBoundedAndVisible(t *testing.T) {
	path, _ := json.Marshal("C:\\Users\\\u202egpj.exe\x1b[31m\n" + strings.Repeat("é", maxPath))
	got := ParseRecord(record("r1", fmt.Sprintf(`"time":99999999999999999,"unmapped":{"mg_path":%s,"mg_score":1e9,"mg_level":"\u0000"}`, path)))
	if !strings.HasPrefix(got.Path, `C:\Users\\u202egpj.exe\u001b[31m\u000aé`) || len(got.Path) > maxPath || !utf8.ValidString(got.Path) {
		t.Errorf("path of %d bytes: %.60s", len(got.Path), got.Path)
	}
	if got.Level != `\u0000` || got.Score != 0 || !got.Time.IsZero() {
		t.Errorf("level %q, score %d, time %v", got.Level, got.Score, got.Time)
	}
	for raw, want := range map[string]int{"-5": 0, "0": 0, "77": 77, "100": 100, "101": 100, "7.5": 0, `"9"`: 0} {
		if got := ParseRecord(record("r1", `"unmapped":{"mg_score":`+raw+`}`)); got.Score != want {
			t.Errorf("score %s: %d, want %d", raw, got.Score, want)
		}
	}
}

func TestEscapes(t *testing.T) {
	for in, want := range map[string]string{
		"Zoom é 会議":          "Zoom é 会議",
		"a\u202eb":           `a\u202eb`,
		"a\u2028b\x7f\u0085": `a\u2028b\u007f\u0085`,
		"tag\U000e0041":      `tag\U000e0041`,
		"\xff\xfe":           `\xff\xfe`,
		"\ufffd":             "\ufffd",
	} {
		if got := visible(in); got != want {
			t.Errorf("visible(%q) = %s, want %s", in, got, want)
		}
		plain, _ := json.Marshal(in)
		var back string
		escaped := escapeJSON(plain)
		if err := json.Unmarshal(escaped, &back); err != nil || back != strings.ToValidUTF8(strings.ReplaceAll(in, "\xff\xfe", "\ufffd\ufffd"), "") {
			t.Errorf("escapeJSON(%q) = %s: %v", in, escaped, err)
		}
		if strings.ContainsFunc(string(escaped), deceptive) {
			t.Errorf("escapeJSON(%q) left something: %q", in, escaped)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add(record("r1", `"time":1,"unmapped":{"mg_path":"a\u202eb","mg_score":3}`))
	f.Add([]byte(`{"class_uid":2004,"metadata":{"uid":"r1","UID":"r2"},"metadata":{}}`))
	f.Add([]byte(`[[[[{}]]]]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		got := ParseRecord(raw)
		if (got.Refused == "") && (!validUID(got.UID) || len(got.Raw) > MaxRecord || !json.Valid(got.Raw)) {
			t.Errorf("taken: %+v", got)
		}
		for _, text := range []string{got.UID, got.Path, got.Level, got.Brand, got.Rule, got.Hostname, got.SHA256} {
			if strings.ContainsFunc(text, deceptive) || !utf8.ValidString(text) || len(text) > maxPath {
				t.Errorf("column %q", text)
			}
		}
		if again := ParseRecord(got.Raw); got.Refused == "" && again.Digest != got.Digest {
			t.Error("canonical bytes are not stable")
		}
		view := newAlertView(store.Alert{Record: got.Raw, Path: got.Path})
		if strings.ContainsFunc(view.Title+fmt.Sprint(view.Why, view.Story, view.Process)+view.Agent, deceptive) {
			t.Errorf("view %+v", view)
		}
	})
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add([]byte(`{"agent":{"uid":"a"},"heartbeat":{},"alerts":[{"class_uid":2004,"metadata":{"uid":"r"}},1]}`), false)
	f.Add(pack([]byte(`{"agent":{"uid":"a"},"alerts":[]}`)), true)
	f.Add([]byte{0x1f, 0x8b, 8, 0}, true)
	f.Fuzz(func(t *testing.T, body []byte, packed bool) {
		b, err := decodeBatch(body, packed)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("error %q", err)
			}
			return
		}
		if !validUID(b.Agent.UID) || len(b.Records) > MaxAlerts || (b.Beat != nil && !json.Valid(b.Beat.Body)) {
			t.Errorf("batch %+v", b)
		}
	})
}

func FuzzBeat(f *testing.F) {
	f.Add([]byte(`{"seq":1,"head":"aa","interval_s":60,"machine_id":"m","boot_id":"b","status":{"sources":[{"name":"files","state":"failed","detail":"x"}]}}`))
	f.Add([]byte(`{"interval_s":1e300,"stopping":"no"}`))
	f.Add([]byte(`{"interval_s":-1,"head":"\u202e\n","status":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := parseBeat(body)
		if err != nil {
			wantRefusalOf(t, err, 400, 413)
			return
		}
		if b != nil && (b.Interval < minInterval || b.Interval > maxInterval || strings.ContainsFunc(b.Head+b.BootID+b.MachineID+b.Trouble, deceptive)) {
			t.Errorf("%+v", b)
		}
	})
}

// A large number of seconds is no duration, and not the shortest one either.
func TestIntervalIsBounded(t *testing.T) {
	for text, want := range map[string]time.Duration{"1e300": maxInterval, "1e-9": minInterval, "60": time.Minute, "0": DefaultInterval, "-5": DefaultInterval} {
		b, err := parseBeat([]byte(`{"interval_s":` + text + `}`))
		if err != nil || b.Interval != want {
			t.Errorf("%s: %v, %v", text, b.Interval, err)
		}
	}
}

func wantRefusalOf(t *testing.T, err error, codes ...int) {
	t.Helper()
	var refused *refusal
	if !errors.As(err, &refused) || !slices.Contains(codes, refused.status) {
		t.Errorf("%v", err)
	}
}

// A record that tells of another one is a note by somebody at the machine, who
// cannot pass for anybody else.
func TestParseNote(t *testing.T) {
	note := func(fields string) *store.Note {
		return ParseRecord(record("n1", `"comment":"a\u202eb","time":1000,"unmapped":{`+fields+`}`)).Note
	}
	if n := note(`"mg_level":"malicious"`); n != nil {
		t.Errorf("an alert is the note %+v", n)
	}
	n := note(`"mg_about":"r1","mg_state":"resolved","mg_disposition":"testing","mg_actor":"admin"`)
	if n == nil || n.About != "r1" || *n.Status != store.StatusClosed || *n.Disposition != store.Testing || n.Who != "local:admin" || n.Note != `a\u202eb` {
		t.Errorf("%+v", n)
	}
	if n := note(`"mg_about":"r1","mg_state":"odd","mg_disposition":"odd","mg_actor":"local:ana"`); n.Status != nil || n.Disposition != nil || n.Who != "local:ana" {
		t.Errorf("%+v", n)
	}
}
