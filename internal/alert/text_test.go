package alert

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSafeText(t *testing.T) {
	tests := []struct{ in, want string }{
		{"ZoomInstaller.exe", "ZoomInstaller.exe"},
		{"Besprechung für Zoë 会議 🎥.dmg", "Besprechung für Zoë 会議 🎥.dmg"},
		{`C:\Users\x41\a.exe`, `C:\Users\x41\a.exe`},
		{"zoom\u202eexe.pdf", `zoom\u{202e}exe.pdf`},
		{"a\nb\r\x1b[31m\x7f", `a\x0ab\x0d\x1b[31m\x7f`},
		{"\u0085\u2028\u2029\u200b\ufeff\u2066", `\u{85}\u{2028}\u{2029}\u{200b}\u{feff}\u{2066}`},
		{"\xff\xfezoom", `\xff\xfezoom`},
		{"\U000e0041", `\u{e0041}`},
		{"", ""},
	}
	for _, tt := range tests {
		got, changed := SafeText(tt.in)
		if got != tt.want || changed != (tt.in != tt.want) {
			t.Errorf("SafeText(%q) = %q, %v, want %q", tt.in, got, changed, tt.want)
		}
	}
}

func TestSafeTextIsInjectiveOnBadNames(t *testing.T) {
	a, _ := SafeText("zoom\xff")
	b, _ := SafeText("zoom\xfe")
	if a == b {
		t.Errorf("two names became one: %q", a)
	}
}

func FuzzSafeText(f *testing.F) {
	f.Add("zoom\u202e\xff\n")
	f.Fuzz(func(t *testing.T, s string) {
		got, changed := SafeText(s)
		if !utf8.ValidString(got) || firstUnsafe(got) >= 0 {
			t.Errorf("SafeText(%q) = %q is not safe", s, got)
		}
		if changed != (got != s) {
			t.Errorf("SafeText(%q) says changed %v", s, changed)
		}
		if cut := safe(s, 64); len(cut) > 64 || firstUnsafe(cut) >= 0 {
			t.Errorf("safe(%q) = %q", s, cut)
		}
	})
}

func TestBase(t *testing.T) {
	for in, want := range map[string]string{
		`C:\a\b.exe`: "b.exe", "/a/b c.dmg": "b c.dmg", "x": "x", "/Volumes/Zoom.app/": "Zoom.app", "": "", "/": "",
	} {
		if got := base(in); got != want {
			t.Errorf("base(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestClipKeepsCharactersWhole(t *testing.T) {
	for n := 4; n < 40; n++ {
		got := clip(strings.Repeat("ö会", 20), n)
		if len(got) > n || !utf8.ValidString(got) {
			t.Errorf("clip to %d = %q (%d bytes)", n, got, len(got))
		}
	}
}
