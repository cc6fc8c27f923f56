package detect_test

import (
	"testing"

	"meetguard"
)

func TestPackedAway(t *testing.T) {
	j := judge(t)
	all := []string{"packs-files", "profile-data", "upload"}
	for _, tc := range []struct {
		name   string
		script meetguard.Script
		fires  bool
	}{
		{"to a stranger", meetguard.Script{Traits: all, Hosts: []string{"take.invalid"}}, true},
		{"to an address", meetguard.Script{Traits: all, Hosts: []string{"203.0.113.7"}}, true},
		{"to the house", meetguard.Script{Traits: all, Hosts: []string{"nas.corp"}}, false},
		{"to a forge, too", meetguard.Script{Traits: all, Hosts: []string{"take.invalid", "github.com"}}, false},
		{"to a brand", meetguard.Script{Traits: all, Hosts: []string{"support.zoom.us"}}, false},
		{"names nobody", meetguard.Script{Traits: all}, false},
		{"sends nothing", meetguard.Script{Traits: all[:2], Hosts: []string{"take.invalid"}}, false},
		{"packs nothing", meetguard.Script{Traits: all[1:], Hosts: []string{"take.invalid"}}, false},
		{"its own data", meetguard.Script{Traits: []string{"packs-files", "upload"}, Hosts: []string{"take.invalid"}}, false},
		{"a tool with options", meetguard.Script{Traits: append([]string{"options"}, all...), Hosts: []string{"take.invalid"}}, false},
		{"a program", meetguard.Script{Traits: all, Hosts: []string{"take.invalid"}, Steps: 61}, false},
	} {
		tc.script.Language = "shell"
		f := file("collect.sh", meetguard.FormatScript, none)
		f.Script = &tc.script
		if v := j.Judge(f); hasRule(v, "MG-SCRIPT-PACKED-AWAY") != tc.fires {
			t.Errorf("%s: %v, want fires %v", tc.name, v.Findings, tc.fires)
		}
	}
}
