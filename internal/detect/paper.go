package detect

import (
	"fmt"
	"strings"
	"unicode"

	"meetguard"
)

// Words of the names that people give to papers. Together they are read in
// paperName, which wants to know every word of a name: "Invoice PDF Maker.exe"
// is a tool, and nobody can list the words of tools.
var (
	paperTypes = set(`pdf doc docx xls xlsx ppt pptx rtf odt docm xlsm`)
	papers     = set(`agenda minutes notes note invite invitation interview offer contract invoice resume cv agreement proposal deck slides presentation questions questionnaire brief briefing schedule nda letter
		einladung rechnung vertrag lebenslauf protokoll angebot factura contrato invitacion entrevista facture contrat приглашение договор резюме счет`)
	paperTalk = set(`meeting call video conference board team job project the of for and your our my new final draft signed copy
		q1 q2 q3 q4 january february march april may june july august september october november december`)
)

// paperName: a Windows program that nobody signed and that names no maker, with
// a name that is that of a paper from the first word to the last, its type
// included, however the words are kept apart: "Agenda_PDF.exe",
// "Interview (docx).scr". A double extension is one way to write such a name.
func paperName(s *subject) string {
	if s.Format != meetguard.FormatPE || s.isLibrary() || s.Signature.Status != meetguard.SignatureUnsigned || s.saysMaker() || !isPaper(strings.TrimSuffix(strings.ToLower(s.name), s.ext)) {
		return ""
	}
	return fmt.Sprintf("It is a program, nobody signed it and it names no maker, but its name %s is that of a paper.", quoted(s.name))
}

// isPaper says whether a name without extension consists of words for papers,
// with the type of a document as the last.
func isPaper(stem string) bool {
	words := strings.FieldsFunc(stem, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) < 2 {
		return false
	}
	typed, paper := false, false
	for _, w := range words {
		switch {
		case isNumber(w): // a date, a version, a second download
		case paperTypes[w]:
			typed = true
		case typed:
			return false
		case papers[w]:
			paper = true
		case !paperTalk[w]:
			return false
		}
	}
	return typed && paper
}

// saysMaker says whether the resources of a program tell whose it is.
func (s *subject) saysMaker() bool {
	for _, c := range s.Claims {
		switch c.Source {
		case meetguard.ClaimProductName, meetguard.ClaimCompanyName, meetguard.ClaimDescription, meetguard.ClaimOriginal, meetguard.ClaimInternal:
			return true
		}
	}
	return false
}
