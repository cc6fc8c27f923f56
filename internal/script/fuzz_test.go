package script

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzAnalyse holds what every caller relies on, whatever the bytes are.
func FuzzAnalyse(f *testing.F) {
	for _, l := range lures {
		f.Add(l.file, []byte(l.text))
	}
	for _, l := range reaches {
		f.Add(l.file, []byte(l.text))
	}
	for name, text := range notScripts {
		f.Add(name, []byte(text))
	}
	f.Add("x.scpt", compiledLure())
	f.Add("x.scpt", []byte("JsOsaDAS1.001.00bplist00\x5f\x10\x05hello"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		s, user := Analyse(name, data)
		if s == nil {
			if user != "" {
				t.Fatal("words of something that is no script")
			}
			return
		}
		if s.Language == "" || strings.Contains(s.Language, "?") {
			t.Fatalf("language %q", s.Language)
		}
		if len(s.Tail) > maxTail || len(user) > maxBanner || !utf8.ValidString(user) {
			t.Fatalf("tail %d bytes, user text %d bytes, valid %v", len(s.Tail), len(user), utf8.ValidString(user))
		}
		if s.BlankRun > s.Lines && s.Language != langCompiled || len(s.Fetches) > maxFetches || len(s.Hosts) > maxHosts {
			t.Fatalf("%d blank of %d lines, %d fetches, %d hosts", s.BlankRun, s.Lines, len(s.Fetches), len(s.Hosts))
		}
	})
}
