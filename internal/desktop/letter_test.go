package desktop

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/width"

	"meetguard"
	"meetguard/internal/config"
	"meetguard/signatures"
)

func brands(t *testing.T) []meetguard.Brand {
	t.Helper()
	all, err := signatures.Brands()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func brand(t *testing.T, id string) *meetguard.Brand {
	t.Helper()
	all := brands(t)
	at := slices.IndexFunc(all, func(b meetguard.Brand) bool { return b.ID == id })
	if at < 0 {
		t.Fatalf("the catalogue has no %s", id)
	}
	return &all[at]
}

func writer(t *testing.T, s Settings) *Writer {
	t.Helper()
	w, err := NewWriter(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var reBlank = regexp.MustCompile(`\{[^}]*\}`)

// TestWords: every sentence is there in every language, and has the same blanks
// as the English one.
func TestWords(t *testing.T) {
	var words map[string]meetguard.NoticeWords
	if err := yaml.Unmarshal(wordsFile, &words); err != nil {
		t.Fatal(err)
	}
	if len(words) != len(languages) || !slices.Equal(Languages(), config.NoticeLanguages()) {
		t.Errorf("words of %d languages, %v here and %v in the configuration", len(words), languages, config.NoticeLanguages())
	}
	blanks := func(s string) []string {
		found := reBlank.FindAllString(s, -1)
		slices.Sort(found)
		return slices.Compact(found)
	}
	english := reflect.ValueOf(words["en"])
	for _, lang := range languages {
		own := reflect.ValueOf(words[lang])
		for i := range own.NumField() {
			key := own.Type().Field(i).Name
			text, model := own.Field(i).String(), english.Field(i).String()
			if strings.TrimSpace(text) == "" || text != plain(text) {
				t.Errorf("%s %s: %q", lang, key, text)
			}
			if !slices.Equal(blanks(text), blanks(model)) {
				t.Errorf("%s %s has %v, the English one %v", lang, key, blanks(text), blanks(model))
			}
			if lang != "en" && text == model {
				t.Errorf("%s %s is English", lang, key)
			}
		}
		if !strings.Contains(words[lang].Secure, "Telegram") {
			t.Errorf("%s does not say what of Telegram is to be secured", lang)
		}
	}
}

// columns is how wide a text is: a character of East Asia takes two.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}

// TestLettersFit: what desktops show of a notification is about four lines of a
// hundred columns; titles are cut first.
func TestLettersFit(t *testing.T) {
	w := writer(t, Settings{Contact: "IT Service Desk, +49 30 901820"})
	all := brands(t)
	for i := range all {
		for _, f := range []Finding{
			{File: "ZoomInstallerFull.exe", Brand: &all[i], Sure: true}, {File: "ZoomInstallerFull.exe", Brand: &all[i]},
			{File: "ZoomInstallerFull.exe"}, {File: "ZoomInstallerFull.exe", Brand: &all[i], Ran: true},
		} {
			l := w.Write(f)
			if len(l.Texts) != len(languages) || l.Urgent != f.Ran {
				t.Fatalf("%d languages, urgent %v", len(l.Texts), l.Urgent)
			}
			for lang, text := range l.Texts {
				if n := columns(text.Title); n > 72 {
					t.Errorf("%s, %d columns: %s", lang, n, text.Title)
				}
				if n := columns(text.Body); n > 430 {
					t.Errorf("%s, %d columns: %s", lang, n, text.Body)
				}
				if strings.ContainsAny(text.Title+text.Body, "{}") {
					t.Errorf("%s: a blank is left in %q", lang, text)
				}
			}
			if data, err := json.Marshal(l); err != nil || len(data) > MaxLetter/4 {
				t.Errorf("%d bytes, %v", len(data), err)
			}
		}
	}
}

// TestSites: each brand's notice names the brand's own site, and no other.
func TestSites(t *testing.T) {
	want := map[string]string{"zoom": "zoom.us", "msteams": "teams.microsoft.com", "googlemeet": "meet.google.com", "webex": "webex.com", "slack": "slack.com",
		"goto": "goto.com", "ringcentral": "ringcentral.com", "bluejeans": "", "lark": "larksuite.com", "skype": "", "skypeforbusiness": "microsoft.com",
		"discord": "discord.com", "telegram": "telegram.org", "tencentmeeting": "meeting.tencent.com", "jitsi": "jitsi.org", "whereby": "whereby.com",
		"chime": "chime.aws", "whatsapp": "whatsapp.com", "signal": "signal.org", "8x8": "8x8.com"}
	w := writer(t, Settings{})
	all := brands(t)
	for i, b := range all {
		site, known := want[b.ID]
		if !known {
			t.Errorf("%s: say here which site is the brand's own", b.ID)
		}
		for lang, text := range w.Write(Finding{File: "a", Brand: &all[i]}).Texts {
			hosts := regexp.MustCompile(`[a-z0-9]+(\.[a-z0-9]+)+`).FindAllString(text.Body, -1)
			if site == "" && len(hosts) > 0 || site != "" && !slices.Equal(hosts, []string{site}) {
				t.Errorf("%s, %s: %v in %q", b.ID, lang, hosts, text.Body)
			}
			if !strings.Contains(text.Body, b.Name) {
				t.Errorf("%s, %s: %q does not name it", b.ID, lang, text.Body)
			}
		}
	}
	if got := w.Write(Finding{File: "a", Brand: brand(t, "googlemeet")}).Texts["en"].Body; !strings.Contains(got, "needs no program") {
		t.Errorf("a brand without programs: %q", got)
	}
	if got := w.Write(Finding{File: "a", Brand: brand(t, "skype")}).Texts["en"].Body; !strings.Contains(got, "no longer offered") {
		t.Errorf("a brand that is gone: %q", got)
	}
}

func TestSettings(t *testing.T) {
	f := Finding{File: "Zoom.exe", Brand: brand(t, "zoom"), Sure: true}
	own := map[string]meetguard.NoticeWords{"de": {Do: "Bitte {contact} anrufen, es geht um {file}."}}
	l := writer(t, Settings{Contact: "Hotline 4711.", Words: own}).Write(f)
	if got := l.Texts["de"].Body; !strings.Contains(got, "Bitte Hotline 4711 anrufen, es geht um Zoom.exe.") || !strings.Contains(got, "kann es nicht belegen") {
		t.Errorf("German: %q", got)
	}
	if got := l.Texts["en"].Body; !strings.Contains(got, "Contact at once: Hotline 4711.") {
		t.Errorf("English: %q", got)
	}
	l = writer(t, Settings{Language: "ko"}).Write(f)
	if got := l.For([]string{"de_DE.UTF-8"}); len(l.Texts) != 1 || got != l.Texts["ko"] {
		t.Errorf("one language for all: %v", l.Texts)
	}
	for _, wrong := range []Settings{{Language: "tlh"}, {Words: map[string]meetguard.NoticeWords{"tlh": {}}}} {
		if _, err := NewWriter(wrong); err == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
	if test := writer(t, Settings{}).Write(Finding{File: "a", Ran: true, Test: true}); test.Urgent || test.Texts["en"].Title != "A test: nothing has happened" {
		t.Errorf("a test: %+v", test)
	}
}

// TestHostileNames: a name cannot end its quotation marks, add a line, hide, turn
// the direction of the text, push it out of sight or become a word of ours.
func TestHostileNames(t *testing.T) {
	w := writer(t, Settings{Contact: "IT\u202e\n4711"})
	for _, file := range []string{
		"Zoom\u202egpj.exe", "Zoom\n\nCall 555 instead", "a\u200bb\u2066\U000e0041", "x” is safe. Call “555", "x« »„“「」『』", "{contact}{site}",
		strings.Repeat("A", 5000) + ".exe", "\xff\xfe\x00\x1b[31m", "<b>x</b> & <a href=\"http://x.invalid\">y</a>", "",
	} {
		for lang, text := range w.Write(Finding{File: file, Brand: brand(t, "zoom")}).Texts {
			lines := strings.Split(text.Body, "\n")
			if len(lines) != 4 || columns(text.Body) > 520 {
				t.Errorf("%q, %s: %d lines, %d columns", file, lang, len(lines), columns(text.Body))
			}
			for _, l := range lines {
				if l != plain(l) {
					t.Errorf("%q, %s: %q", file, lang, l)
				}
			}
			if marks := strings.Count(text.Body, "“") + strings.Count(text.Body, "”"); marks > 2 {
				t.Errorf("%q, %s: %q", file, lang, text.Body)
			}
		}
	}
	if got := name("{contact}"); got != "{contact}" {
		t.Errorf("%q", got)
	}
	if got := w.Write(Finding{File: "{contact}"}).Texts["en"].Body; !strings.Contains(got, "“{contact}”") {
		t.Errorf("a name that looks like a blank was filled in: %q", got)
	}
	if got := name(strings.Repeat("A", 60) + ".exe"); !strings.HasSuffix(got, "AAA.exe") || len([]rune(got)) != maxFile {
		t.Errorf("a long name: %q", got)
	}
}

func TestReadLetter(t *testing.T) {
	l, err := ReadLetter(strings.NewReader(`{"urgent":true,"texts":{"en":{"title":"a\u202eb\nc","body":"one\ntwo\u001b"}}}`))
	if want := (Text{"a\uFFFDb c", "one\ntwo\uFFFD"}); err != nil || l.Texts["en"] != want || !l.Urgent {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := ReadLetter(bytes.NewReader(append([]byte(`{"texts":{"en":{"title":"`), bytes.Repeat([]byte("x"), MaxLetter)...))); err == nil {
		t.Error("a letter without an end was read")
	}
}

func TestChoose(t *testing.T) {
	for _, tc := range []struct {
		locales []string
		want    string
	}{
		{nil, "en"}, {[]string{"C"}, "en"}, {[]string{"POSIX", "C.UTF-8"}, "en"}, {[]string{"de_AT.UTF-8@euro"}, "de"}, {[]string{"pt_BR.UTF-8"}, "en"},
		{[]string{"fr-CA"}, "fr"}, {[]string{"es_419"}, "es"}, {[]string{"ja_JP.eucJP"}, "ja"}, {[]string{"ko-KR"}, "ko"},
		{[]string{"zh_CN.UTF-8"}, "zh"}, {[]string{"zh-Hans-SG"}, "zh"}, {[]string{"nl_NL", "ja_JP"}, "ja"}, {[]string{"sv", "de"}, "de"}, {[]string{"en_GB", "de_DE"}, "en"},
		{[]string{"../../etc", "\x00", strings.Repeat("a-", 999)}, "en"},
	} {
		if got := choose(tc.locales, languages); got != tc.want {
			t.Errorf("%q: %s, want %s", tc.locales, got, tc.want)
		}
	}
	if got := choose([]string{"de"}, nil); got != "" {
		t.Errorf("without an offer: %q", got)
	}
}

func TestLocalesOf(t *testing.T) {
	for _, tc := range []struct{ env, want []string }{
		{[]string{"LANG=de_DE.UTF-8"}, []string{"de_DE.UTF-8"}},
		{[]string{"LANG=de_DE.UTF-8", "LC_MESSAGES=ko_KR.UTF-8"}, []string{"ko_KR.UTF-8"}},
		{[]string{"LANGUAGE=fr:es", "LANG=\"de_DE.UTF-8\""}, []string{"fr", "es", "de_DE.UTF-8"}},
		{[]string{"LANGUAGE=fr", "LC_ALL=C", "LANG=de_DE.UTF-8"}, nil},
		{[]string{"LANGUAGE=fr"}, nil},
		{nil, nil},
	} {
		if got := localesOf(tc.env); !slices.Equal(got, tc.want) {
			t.Errorf("%q: %q, want %q", tc.env, got, tc.want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"", "Zoom.exe", "a\u202eb", "“”", "{file}", "\xff\x00\n"} {
		f.Add(s)
	}
	w, err := NewWriter(Settings{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, text := range w.Write(Finding{File: s, Brand: &meetguard.Brand{Name: s, Hosts: []string{s}}}).Texts {
			if text.Title != plain(text.Title) || strings.Count(text.Body, "\n") < 2 || strings.Count(text.Body, "\n") > 3 || columns(text.Body) > 1200 {
				t.Errorf("%q: %q", s, text)
			}
		}
	})
}
