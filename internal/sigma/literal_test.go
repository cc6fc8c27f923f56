package sigma

import (
	"fmt"
	"regexp"
	"testing"
)

func TestLiterals(t *testing.T) {
	for re, want := range map[string]string{
		`curl.*\| *bash`:           "[[curl] [bash]]",
		`\b(curl|wget)\s[^|]*://`:  "[[curl wget]]",
		`(?i)zoom|TEAMS`:           "[[zoom team]]", // the s may be another letter
		`(?i)skype`:                "[]",
		`(?i)weeKend`:              "[]",
		`(curl|x)`:                 "[]", // x is too short
		`(curl)?`:                  "[]",
		`(curl)+(wget){2}(head)*`:  "[[curl] [wget]]",
		`[c]url`:                   "[[curl]]",
		`öffnen`:                   "[[ffnen]]",
		`^/(home/[^/]+/Desktop)/x`: "[[home/] [/desktop]]",
		``:                         "[]",
	} {
		if got := fmt.Sprint(literals(regexp.MustCompile(re))); got != want {
			t.Errorf("%s: %s, want %s", re, got, want)
		}
	}
}
