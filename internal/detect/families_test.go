package detect

import (
	"regexp"
	"testing"

	"meetguard"
)

func TestFamiliesAreOfRules(t *testing.T) {
	known := map[string]bool{}
	for _, r := range Rules() {
		known[r.ID] = true
	}
	name := regexp.MustCompile(`^[A-G]\d*$`)
	for id, list := range families {
		if !known[id] {
			t.Errorf("families of %s, which is no rule", id)
		}
		for _, f := range Families(list) {
			if !name.MatchString(f) {
				t.Errorf("%s was made from %q, which is no family", id, f)
			}
		}
	}
	if Families("generic") != nil || Families("") != nil {
		t.Error("a rule from no report has a family")
	}
}

func TestWithout(t *testing.T) {
	f := meetguard.Facts{Path: "Agenda.pdf.exe", Format: meetguard.FormatPE, Matches: []meetguard.Match{
		{Rule: "Named", Meta: map[string]string{"id": "MG-Y-9", "severity": "high"}}, {Rule: "Bare", Meta: map[string]string{"severity": "medium"}}}}
	whole := New(nil)
	for _, c := range []struct {
		without []string
		score   int
	}{{nil, 100}, {[]string{"MG-NAME-DOUBLE-EXT"}, 95}, {[]string{"MG-Y-9", "Bare"}, 70}, {[]string{"MG-NAME-DOUBLE-EXT", "MG-Y-9", "Bare"}, 0}} {
		v := whole.Without(c.without).Judge(f)
		if v.Score != c.score {
			t.Errorf("without %v: score %d, want %d: %v", c.without, v.Score, c.score, v.Findings)
		}
	}
	if v := whole.Judge(f); v.Score != 100 {
		t.Errorf("the judge that was asked lost rules too: %d", v.Score)
	}
}
