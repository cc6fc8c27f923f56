package people

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzClaims: an identity provider passes on what people call themselves. No name
// forges what others see.
func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"preferred_username":"ana","email":["a@b.invalid"],"groups":["soc"]}`), "s")
	f.Add([]byte(`{"name":"\u202eana\n","groups":"soc"}`), "\xff")
	f.Add([]byte(`{"email":{"a":1},"preferred_username":[[]]}`), "\u200b")
	f.Fuzz(func(t *testing.T, raw []byte, subject string) {
		var claims map[string]json.RawMessage
		if json.Unmarshal(raw, &claims) != nil {
			return
		}
		name := personName(claims, subject)
		odd := func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }
		if strings.ContainsFunc(name, odd) || !utf8.ValidString(name) || utf8.RuneCountInString(name) > 100 {
			t.Errorf("%q", name)
		}
		texts(claims["groups"])
	})
}
