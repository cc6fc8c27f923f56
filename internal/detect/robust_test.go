package detect

import (
	"strings"
	"testing"

	"meetguard"
)

// What a command line of software management says is set aside; the rules that
// ask for its traits must not look at what is no longer there.
func TestTraitsThatWereSetAside(t *testing.T) {
	j := New(nil)
	f := meetguard.Facts{Path: "/bin/sh", Script: &meetguard.Script{Language: "shell", Traits: []string{
		"decoded-then-run", "gatekeeper-off", "text-instructs", "disguised-command", "page-copies-command", "runs-computed-text",
		"run-script-of-result", "encoded-command", "leads-traffic", "link-misleads", "password-prompt", "upload", "dequarantine", "hidden-window",
	}}, Process: &meetguard.Process{OS: "darwin", PID: 811, PPID: 807, Exe: "/bin/sh", Args: []string{"sh", "-c", "echo eA== | base64 -d | sh"},
		Ancestors: []meetguard.Process{{PID: 807, Exe: "/Library/Addigy/go-agent"}}}}
	if s := j.subject(f); s.code != nil {
		t.Fatal("this launch is no longer one of software management: choose another parent")
	}
	for _, x := range j.Judge(f).Findings {
		t.Errorf("%s: %s", x.Rule, x.Evidence)
	}
}

// A rule that fails costs its own finding: the others are asked, and the
// verdict does not say clean.
func TestRuleThatFails(t *testing.T) {
	before := rules
	defer func() { rules = before }()
	rules = []rule{
		{id: "MG-TEST-PANIC", weight: 90, check: func(*subject) string { panic("a fault") }},
		{id: "MG-TEST-AFTER", weight: 10, check: func(*subject) string { return "It was asked." }},
	}
	v := New(nil).Judge(meetguard.Facts{Path: "/tmp/a"})
	if v.Level != meetguard.Incomplete || v.Score != 10 || len(v.Findings) != 2 || !strings.Contains(v.Findings[1].Evidence, "failed") {
		t.Errorf("got %+v", v)
	}
}
