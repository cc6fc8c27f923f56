package detect_test

import (
	"testing"

	"meetguard"
)

// TestNoClaim holds that a brand's name claims something only where it is meant:
// each honest script has a lure beside it that runs the same.
func TestNoClaim(t *testing.T) {
	j := judge(t)
	script := func(name, text string, change func(*meetguard.Script)) meetguard.Facts {
		f := cradle(name, "raw.githubusercontent.com", 30)
		f.Claims = []meetguard.Claim{named(meetguard.ClaimFileName, name), named(meetguard.ClaimBanner, text)}
		f.Script.Fetches[0].Owner = "someone"
		if change != nil {
			change(f.Script)
		}
		return f
	}
	trouble := func(s *meetguard.Script) { s.Pretexts = []string{"call"} }
	inside := func(s *meetguard.Script) { s.Fetches[0].Host, s.Fetches[0].Owner = "deploy", "" }
	grown := func(s *meetguard.Script) { s.Steps, s.Pretexts = 400, []string{"audio", "update"} }
	for _, tc := range []struct {
		name  string
		facts meetguard.Facts
		rule  string // that must fire; "" if the unit must be clean
	}{
		{"its makers", script("install.sh", "Maintainer: the Editor and Cloud Teams\nSyntax: ./install.sh [version] [install path]\n", nil), ""},
		{"its subject", script("install.sh", "Teams update\n", nil), "MG-SCRIPT-BRAND-CRADLE"},
		{"another line", script("install.sh", "splits the users into teams\ninstalls the tool\n", nil), ""},
		{"a verb", script("list.sh", "Whenever you go to the questions page, a call of the API is made to install it\n", trouble), ""},
		{"a verb and a noun", script("list.sh", "Go to meeting settings to install the tool\n", nil), ""},
		{"a name", script("list.sh", "GoTo update\n", trouble), "MG-SCRIPT-BRAND-CRADLE"},
		{"one of a collection", script("jitsi-meet.sh", "", nil), ""},
		{"an update", script("jitsi-meet-update.sh", "", nil), "MG-SCRIPT-BRAND-CRADLE"},
		{"clicked", script("jitsi-meet.command", "", nil), "MG-SCRIPT-BRAND-CRADLE"},
		{"from the house", script("notify.ps1", "Discord alert about the install\n", inside), ""},
		{"the history of a program", script("clean.ps1", "Microsoft Teams chat fix\n", grown), ""},
	} {
		v := j.Judge(tc.facts)
		if tc.rule == "" {
			if v.Level != meetguard.Clean {
				t.Errorf("%s: %s %d %v", tc.name, v.Level, v.Score, v.Findings)
			}
			continue
		}
		check(t, v, v.Level, tc.rule)
	}
}

// TestClipboard holds that what is fetched may be shown and copied, if nothing runs it.
func TestClipboard(t *testing.T) {
	j := judge(t)
	copied := func(name string, traits ...string) meetguard.Facts {
		f := cradle(name, "api.some-studio.dev", 5, traits...)
		f.Script.Fetches[0].To, f.Script.Fetches[0].RunBy = "variable", ""
		return f
	}
	for _, name := range []string{"resolve.sh", "address.applescript"} {
		if v := j.Judge(copied(name, "clipboard")); v.Level != meetguard.Clean {
			t.Errorf("%s: %s %v", name, v.Level, v.Findings)
		}
		if v := j.Judge(copied(name, "clipboard", "dynamic-eval")); v.Level == meetguard.Clean {
			t.Errorf("%s that runs what it copied is clean", name)
		}
	}
}
