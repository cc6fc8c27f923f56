package detect_test

import (
	"testing"

	"meetguard"
)

func TestPaperName(t *testing.T) {
	j := judge(t)
	maker := named(meetguard.ClaimProductName, "Atlas")
	for _, tc := range []struct {
		name  string
		facts meetguard.Facts
		fires bool
	}{
		{"underscore", file("Agenda_PDF.exe", meetguard.FormatPE, none), true},
		{"brackets", file("Interview (docx).scr", meetguard.FormatPE, none), true},
		{"dated", file("Board meeting minutes 2026-11-20 pdf (1).exe", meetguard.FormatPE, none), true},
		{"full width", file("Offer　PDF.exe", meetguard.FormatPE, none), true},
		{"Russian", file("Договор pdf.exe", meetguard.FormatPE, none), true},
		{"double extension", file("Agenda.pdf.exe", meetguard.FormatPE, none), true},

		{"names its maker", file("Agenda_PDF.exe", meetguard.FormatPE, none, maker), false},
		{"signed", file("Agenda_PDF.exe", meetguard.FormatPE, firm), false},
		{"signature unknown", file("Agenda_PDF.exe", meetguard.FormatPE, unknown), false},
		{"no program", file("Agenda_PDF.exe", meetguard.FormatOther, none), false},
		{"library", file("contract_pdf.dll", meetguard.FormatPE, none), false},
		{"no type", file("meeting-notes.exe", meetguard.FormatPE, none), false},
		{"no paper", file("pdf.exe", meetguard.FormatPE, none), false},
		{"type alone, numbered", file("pdf-2.exe", meetguard.FormatPE, none), false},
		{"type first", file("pdf-notes.exe", meetguard.FormatPE, none), false},
		{"a tool", file("Invoice PDF Maker.exe", meetguard.FormatPE, none), false},
		{"a converter", file("notes-to-pdf.exe", meetguard.FormatPE, none), false},
		{"an editor", file("resume-editor-docx.exe", meetguard.FormatPE, none), false},
	} {
		if v := j.Judge(tc.facts); hasRule(v, "MG-NAME-PAPER") != tc.fires {
			t.Errorf("%s: %s %v, want fires %v", tc.name, v.Level, v.Findings, tc.fires)
		}
	}
}
