package desktop

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"meetguard"
)

// The languages that there are words for. The first is the one for everybody
// else.
var languages = []string{"en", "de", "fr", "es", "ja", "ko", "zh"}

// Languages lists the languages that there are words for, by their ISO 639
// codes; zh is simplified Chinese.
func Languages() []string { return append([]string(nil), languages...) }

// Limits of what goes into a sentence, in characters.
const (
	maxFile    = 48
	maxBrand   = 40
	maxSite    = 64
	maxContact = 120
)

// Finding is what has to be said to somebody.
type Finding struct {
	ID    string           // the same for everything that is to be said once
	File  string           // base name of the file or program
	Brand *meetguard.Brand // what it claims to be; nil for nothing known
	Sure  bool             // it is malicious, and not only suspicious
	Ran   bool             // it was started
	Test  bool             // somebody tries what a notice looks like
}

// Text is a notice in one language: plain text, without markup.
type Text struct {
	Title string `json:"title"`
	Body  string `json:"body"` // sentences, one a line
}

// Letter is a notice in every language that may be needed.
type Letter struct {
	Urgent bool            `json:"urgent"` // it stays until it is closed
	Texts  map[string]Text `json:"texts"`
}

// For gives the text for a reader of the given locales, best first; English for
// one whose languages are not there.
func (l Letter) For(locales []string) Text {
	offered := make([]string, 0, len(l.Texts))
	for _, lang := range languages {
		if _, ok := l.Texts[lang]; ok {
			offered = append(offered, lang)
		}
	}
	return l.Texts[choose(locales, offered)]
}

//go:embed words.yaml
var wordsFile []byte

// Settings are those of the administrator.
type Settings struct {
	Contact  string                           // whom to call, "" for nobody in particular
	Language string                           // for everybody, "" for each reader's own
	Words    map[string]meetguard.NoticeWords // sentences in the place of ours, by language
}

// Writer makes letters.
type Writer struct {
	contact string
	words   map[string]meetguard.NoticeWords
}

// NewWriter prepares the sentences. It fails if a language is not known.
func NewWriter(s Settings) (*Writer, error) {
	var words map[string]meetguard.NoticeWords
	dec := yaml.NewDecoder(bytes.NewReader(wordsFile))
	dec.KnownFields(true)
	if err := dec.Decode(&words); err != nil {
		return nil, fmt.Errorf("read the words of notices: %w", err)
	}
	for lang, own := range s.Words {
		ours, known := words[lang]
		if !known {
			return nil, fmt.Errorf("words of notices: there is no language %q", lang)
		}
		words[lang] = replaced(ours, own)
	}
	if s.Language != "" {
		only, known := words[s.Language]
		if !known {
			return nil, fmt.Errorf("words of notices: there is no language %q", s.Language)
		}
		words = map[string]meetguard.NoticeWords{s.Language: only}
	}
	return &Writer{contact: s.Contact, words: words}, nil
}

// replaced gives ours with every sentence that own has in its place.
func replaced(ours, own meetguard.NoticeWords) meetguard.NoticeWords {
	to, from := reflect.ValueOf(&ours).Elem(), reflect.ValueOf(own)
	for i := range to.NumField() {
		if s := from.Field(i).String(); s != "" {
			to.Field(i).SetString(s)
		}
	}
	return ours
}

// Write makes the letter about a finding.
func (w *Writer) Write(f Finding) Letter {
	if f.Brand != nil && strings.TrimSpace(plain(f.Brand.Name)) == "" {
		f.Brand = nil // a claim that nobody could read
	}
	l := Letter{Urgent: f.Ran && !f.Test, Texts: make(map[string]Text, len(w.words))}
	for lang, words := range w.words {
		fill := w.filler(f, words)
		lines := sentences(f, words)
		for i := range lines {
			lines[i] = plain(fill.Replace(lines[i]))
		}
		l.Texts[lang] = Text{Title: plain(fill.Replace(title(f, words))), Body: strings.Join(lines, "\n")}
	}
	return l
}

// filler puts what a sentence is about into it. What comes from a file or from
// the administrator is made plain and short before.
func (w *Writer) filler(f Finding, words meetguard.NoticeWords) *strings.Replacer {
	contact := w.contact
	if contact == "" {
		contact = words.Helper
	}
	brand, site := "", ""
	if f.Brand != nil {
		brand, site = f.Brand.Name, siteOf(f.Brand)
	}
	return strings.NewReplacer("{file}", name(f.File), "{brand}", clip(plain(brand), maxBrand), "{site}", clip(plain(site), maxSite),
		"{contact}", strings.TrimRight(clip(plain(contact), maxContact), ". "))
}

func title(f Finding, w meetguard.NoticeWords) string {
	switch {
	case f.Test:
		return w.Test
	case f.Ran:
		return w.Ran
	case f.Brand == nil:
		return w.Other
	case f.Sure:
		return w.Fake
	}
	return w.Maybe
}

// sentences says what to tell, the most urgent first.
func sentences(f Finding, w meetguard.NoticeWords) []string {
	if f.Ran {
		return []string{w.HasRun, w.Call, w.Secure}
	}
	is := w.IsOther
	if f.Brand != nil {
		is = w.IsFake
	}
	out := []string{is, w.Do}
	if source := sourceOf(f.Brand, w); source != "" {
		out = append(out, source)
	}
	return append(out, w.Opened)
}

// sourceOf says where the brand's own software is to be had, "" if that is not
// known.
func sourceOf(b *meetguard.Brand, w meetguard.NoticeWords) string {
	switch {
	case b == nil:
		return ""
	case b.RetiredOn != "":
		return w.Gone
	case siteOf(b) == "":
		return ""
	case b.NeverNative:
		return w.Web
	}
	return w.Get
}

// siteOf is the brand's own site: the first of its hosts in the catalogue.
func siteOf(b *meetguard.Brand) string {
	if len(b.Hosts) == 0 {
		return ""
	}
	return b.Hosts[0]
}

// ReadLetter reads a letter as it travels. What is in it is made plain again: it
// may come from anybody.
func ReadLetter(r io.Reader) (Letter, error) {
	var l Letter
	dec := json.NewDecoder(io.LimitReader(r, MaxLetter))
	if err := dec.Decode(&l); err != nil {
		return l, fmt.Errorf("read a notice: %w", err)
	}
	for lang, t := range l.Texts {
		lines := strings.Split(t.Body, "\n")
		for i := range lines {
			lines[i] = plain(lines[i])
		}
		l.Texts[lang] = Text{plain(t.Title), strings.Join(lines, "\n")}
	}
	return l, nil
}
