package agent

import (
	"testing"

	"meetguard"
)

func TestTestLaunchWord(t *testing.T) {
	for name, tc := range map[string]struct {
		p    meetguard.Process
		want bool
	}{
		"arguments":    {meetguard.Process{Args: []string{"meetguard", TestLaunch, TestMark, "x1"}}, true},
		"command line": {meetguard.Process{CommandLine: `"C:\Program Files\MeetGuard\meetguard.exe" ` + TestLaunch + " " + TestMark + " x1"}, true},
		"one more":     {meetguard.Process{Args: []string{"meetguard", TestLaunch, TestMark, "x1", "x2"}}, false},
		"the mark":     {meetguard.Process{Args: []string{"sh", "-c", TestMark, "x1"}}, false},
		"nothing":      {meetguard.Process{}, false},
	} {
		if word, got := testLaunchWord(&tc.p); got != tc.want || got != (word == "x1") {
			t.Errorf("%s: %q %v", name, word, got)
		}
	}
}
