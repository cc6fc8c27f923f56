package detect_test

import (
	"testing"

	"meetguard"
	"meetguard/internal/detect"
	"meetguard/signatures"
)

// cradle is a script of one fetch whose result a shell runs.
func cradle(name, host string, steps int, traits ...string) meetguard.Facts {
	return meetguard.Facts{Path: "/home/ana/Downloads/" + name, Format: meetguard.FormatScript, Script: &meetguard.Script{
		Language: "shell", Lines: steps, Steps: steps, Traits: traits, Hosts: []string{host},
		Fetches: []meetguard.Fetch{{Tool: "curl", Host: host, To: "pipe", RunBy: "sh"}}}}
}

func TestStrangeSources(t *testing.T) {
	j := judge(t)
	owned := func(owner string) meetguard.Facts {
		f := cradle("setup.command", "raw.githubusercontent.com", 3)
		f.Script.Fetches[0].Owner = owner
		return f
	}
	with := func(f meetguard.Facts, change func(*meetguard.Fetch)) meetguard.Facts {
		change(&f.Script.Fetches[0])
		return f
	}
	postinst := cradle("postinst", "call.invalid", 2)
	postinst.Role = "install script"
	written := func(fetch *meetguard.Fetch) { fetch.To, fetch.RunBy = "text", "" }
	brought := func(fetch *meetguard.Fetch) { fetch.To, fetch.RunBy = "file", "" }
	for _, tc := range []struct {
		name  string
		facts meetguard.Facts
		rule  string // that must fire; "" if the unit must be clean
	}{
		{"clicked, a stranger", cradle("start.command", "call.invalid", 2), "MG-SCRIPT-CLICK-CRADLE"},
		{"clicked, anybody's", cradle("start.command", "gist.githubusercontent.com", 2), "MG-SCRIPT-FREE-HOST"},
		{"clicked, longer", cradle("start.bat", "call.invalid", 59), "MG-SCRIPT-CLICK-CRADLE"},
		{"installer script", postinst, "MG-SCRIPT-CLICK-CRADLE"},
		{"clicked, written out", with(cradle("start.vbs", "call.invalid", 2), written), "MG-SCRIPT-CLICK-CRADLE"},
		{"clicked, brought and marked", with(cradle("start.command", "call.invalid", 2, "dequarantine"), brought), "MG-SCRIPT-CLICK-CRADLE"},
		{"typed, an errand", cradle("join.sh", "call.invalid", 3), "MG-SCRIPT-STRANGE-CRADLE"},
		{"gate off", cradle("open.command", "", 3, "gatekeeper-off"), "MG-SCRIPT-GATE-OFF"},
		{"decoded", cradle("open.command", "", 3, "decoded-then-run"), "MG-SCRIPT-CLICK-DECODED"},

		{"clicked, a distributor", cradle("start.command", "get.docker.com", 2), ""},
		{"clicked, a known owner", owned("homebrew"), ""},
		{"clicked, an owner on a forge", owned("someone"), ""},
		{"clicked, of the house", cradle("start.command", "intranet", 2), ""},
		{"clicked, private address", cradle("start.command", "10.1.2.3", 2), ""},
		{"clicked, an example", cradle("start.command", "bootstrap.example.com", 2), ""},
		{"clicked, checked", cradle("start.command", "bootstrap.example-corp.com", 2, "checks-download"), ""},
		{"clicked, a program", cradle("manage.command", "updates.some-studio.dev", 61), ""},
		{"clicked, brought only", with(cradle("start.command", "photos.some-studio.dev", 2), brought), ""},
		{"typed, with options", cradle("install.sh", "get.some-studio.dev", 3, "options"), ""},
		{"typed, a build", cradle("build.sh", "src.some-studio.dev", 15), ""},
		{"typed, checked", cradle("install.sh", "get.some-studio.dev", 3, "checks-download"), ""},
		{"typed, gate off", cradle("baseline.sh", "", 3, "gatekeeper-off"), ""},
	} {
		v := j.Judge(tc.facts)
		if tc.rule == "" {
			if v.Level != meetguard.Clean {
				t.Errorf("%s: %s: %v", tc.name, v.Level, v.Findings)
			}
			continue
		}
		if v.Level == meetguard.Clean || !fires(v, tc.rule) {
			t.Errorf("%s: %s without %s: %v", tc.name, v.Level, tc.rule, v.Findings)
		}
	}
}

func fires(v meetguard.Verdict, rule string) bool {
	for _, f := range v.Findings {
		if f.Rule == rule {
			return true
		}
	}
	return false
}

func TestWithoutSourcesNobodyIsStrange(t *testing.T) {
	brands, err := signatures.Brands()
	if err != nil {
		t.Fatal(err)
	}
	if v := detect.New(brands).Judge(cradle("start.command", "call.invalid", 2)); fires(v, "MG-SCRIPT-CLICK-CRADLE") {
		t.Errorf("fires without a list of sources: %v", v.Findings)
	}
}
