package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"meetguard"
)

// Notify says whether and how the person at the keyboard is told of what was
// found, see docs/notices.md.
type Notify struct {
	Enabled  bool                             `yaml:"enabled"`
	Contact  string                           `yaml:"contact"`  // whom to call: a name, a number, a room
	Language string                           `yaml:"language"` // for everybody, "" for each person's own
	Text     map[string]meetguard.NoticeWords `yaml:"text"`     // sentences in the place of ours, by language
}

// What notices can hold. The languages are those of internal/desktop.
var (
	noticeLanguages = []string{"en", "de", "fr", "es", "ja", "ko", "zh"}
	noticeBlanks    = []string{"{file}", "{brand}", "{site}", "{contact}"}
	reBlank         = regexp.MustCompile(`\{[^{}]*\}`)
)

// Limits of the administrator's own words, in characters.
const (
	maxNoticeContact  = 120
	maxNoticeSentence = 300
)

// NoticeLanguages lists the languages that the keys of notify may name.
func NoticeLanguages() []string { return slices.Clone(noticeLanguages) }

// problems returns everything that is wrong with n.
func (n Notify) problems() []error {
	var all []error
	if utf8.RuneCountInString(n.Contact) > maxNoticeContact || strings.ContainsAny(n.Contact, "\r\n") {
		all = append(all, fmt.Errorf("notify.contact: one line of at most %d characters", maxNoticeContact))
	}
	if n.Language != "" && !slices.Contains(noticeLanguages, n.Language) {
		all = append(all, fmt.Errorf("notify.language: %q is not one of %v", n.Language, noticeLanguages))
	}
	for _, lang := range sortedKeys(n.Text) {
		if !slices.Contains(noticeLanguages, lang) {
			all = append(all, fmt.Errorf("notify.text: %q is not one of %v", lang, noticeLanguages))
		}
		all = append(all, sentenceProblems(lang, n.Text[lang])...)
	}
	return all
}

func sortedKeys(m map[string]meetguard.NoticeWords) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func sentenceProblems(lang string, w meetguard.NoticeWords) []error {
	var all []error
	v := reflect.ValueOf(w)
	for i := range v.NumField() {
		where := "notify.text." + lang + "." + keyOf(v.Type().Field(i))
		if err := checkSentence(v.Field(i).String()); err != nil {
			all = append(all, fmt.Errorf("%s: %w", where, err))
		}
	}
	return all
}

func checkSentence(s string) error {
	if utf8.RuneCountInString(s) > maxNoticeSentence || strings.ContainsAny(s, "\r\n") {
		return fmt.Errorf("one line of at most %d characters", maxNoticeSentence)
	}
	for _, blank := range reBlank.FindAllString(s, -1) {
		if !slices.Contains(noticeBlanks, blank) {
			return fmt.Errorf("%s is not one of %v", blank, noticeBlanks)
		}
	}
	if strings.Count(s, "{") != len(reBlank.FindAllString(s, -1)) {
		return errors.New("a { is not closed")
	}
	return nil
}
