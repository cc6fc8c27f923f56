package detect

import (
	"testing"

	"meetguard"
)

func TestTestLure(t *testing.T) {
	j := New(nil)
	for name, tc := range map[string]struct {
		facts meetguard.Facts
		found bool
	}{
		"the lure":           {meetguard.Facts{Path: "/d/x.txt", SHA256: testLureHash()}, true},
		"another file":       {meetguard.Facts{Path: "/d/x.txt", SHA256: "00"}, false},
		"the launch":         {meetguard.Facts{Path: "/m", Process: &meetguard.Process{Exe: "/m", Args: []string{"m", TestMark, "1"}}}, true},
		"as text":            {meetguard.Facts{Path: "/m", Process: &meetguard.Process{Exe: "/m", CommandLine: `m "` + TestMark + `" 1`}}, true},
		"a part of the mark": {meetguard.Facts{Path: "/m", Process: &meetguard.Process{Exe: "/m", Args: []string{"m", TestMark[:30]}}}, false},
		"a launch of it":     {meetguard.Facts{Path: "/m", SHA256: testLureHash(), Process: &meetguard.Process{Exe: "/m"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := j.Judge(tc.facts)
			if got := v.Level == meetguard.Suspicious && len(v.Findings) == 1 && v.Findings[0].Rule == RuleTest; got != tc.found {
				t.Errorf("%+v", v)
			}
		})
	}
}
