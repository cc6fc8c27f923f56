package alert

import (
	"strings"
	"testing"

	"meetguard"
)

// TestTitleOfTest: only what is a test and nothing else is called one.
func TestTitleOfTest(t *testing.T) {
	test := meetguard.Finding{Rule: testRule, Evidence: "It is a test.", Weight: 40}
	for name, tc := range map[string]struct {
		findings []meetguard.Finding
		want     bool
	}{
		"alone":        {[]meetguard.Finding{test}, true},
		"beside a sin": {[]meetguard.Finding{test, {Rule: "MG-SCRIPT-CRADLE", Evidence: "It fetches.", Weight: 30}}, false},
		"another":      {[]meetguard.Finding{{Rule: "MG-SCRIPT-CRADLE", Evidence: "It fetches.", Weight: 40}}, false},
	} {
		r := NewRecord(meetguard.Host{}, Product{}, meetguard.Alert{Verdict: meetguard.Verdict{Level: meetguard.Suspicious, Findings: tc.findings}})
		if got := strings.HasPrefix(r.Message, "Test lure: ") && strings.HasPrefix(r.Remediation.Desc, "Nothing:"); got != tc.want {
			t.Errorf("%s: %q, %q", name, r.Message, r.Remediation.Desc)
		}
	}
}
