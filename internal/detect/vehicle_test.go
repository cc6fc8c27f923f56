package detect_test

import (
	"slices"
	"testing"

	"meetguard"
)

// TestVehicles judges what a person opens that is no script, and its honest
// neighbours.
func TestVehicles(t *testing.T) {
	j := judge(t)
	run := []meetguard.Fetch{{Tool: "mshta", Host: "a.invalid", RunBy: "mshta"}}
	script := func(kind string, s meetguard.Script) *meetguard.Script { s.Language = kind; return &s }
	claim := func(text string) []meetguard.Claim {
		return []meetguard.Claim{{Text: text, Source: meetguard.ClaimTitle}}
	}
	for name, tc := range map[string]struct {
		facts meetguard.Facts
		rule  string // "" for an honest file
	}{
		"settings that run":        {meetguard.Facts{Path: "a.reg", Script: script("registry", meetguard.Script{Fetches: run})}, "MG-VEHICLE-CRADLE"},
		"settings of a brand's":    {meetguard.Facts{Path: "a.reg", Script: script("registry", meetguard.Script{Fetches: []meetguard.Fetch{{Tool: "curl", Host: "zoom.us", RunBy: "sh"}}})}, ""},
		"template":                 {meetguard.Facts{Path: "settings.xml.rels", Script: script("document", meetguard.Script{Hosts: []string{"a.invalid"}, Traits: []string{"loads-template"}})}, "MG-VEHICLE-REMOTE"},
		"deployment":               {meetguard.Facts{Path: "Zoom Workplace.appinstaller", Claims: []meetguard.Claim{{Text: "Zoom Workplace Installer.exe", Source: meetguard.ClaimFileName}}, Script: script("deployment", meetguard.Script{Hosts: []string{"a.invalid"}, Traits: []string{"deploys"}})}, "MG-VEHICLE-DEPLOY"},
		"deployment of the brand":  {meetguard.Facts{Path: "Zoom Workplace.appinstaller", Claims: []meetguard.Claim{{Text: "Zoom Workplace Installer.exe", Source: meetguard.ClaimFileName}}, Script: script("deployment", meetguard.Script{Hosts: []string{"cdn.zoom.us"}, Traits: []string{"deploys"}})}, ""},
		"deployment of a house":    {meetguard.Facts{Path: "RoomFinder.appinstaller", Claims: claim("Room Finder"), Script: script("deployment", meetguard.Script{Hosts: []string{"apps.example-corp.com"}, Traits: []string{"deploys"}})}, ""},
		"profile":                  {meetguard.Facts{Path: "a.mobileconfig", Script: script("profile", meetguard.Script{Hosts: []string{"a.invalid"}, Traits: []string{"root-and-proxy"}, Pretexts: []string{"meeting"}})}, "MG-VEHICLE-PROFILE"},
		"profile of a house":       {meetguard.Facts{Path: "a.mobileconfig", Script: script("profile", meetguard.Script{Hosts: []string{"mdm.example-corp.com"}, Traits: []string{"manages-device"}})}, ""},
		"desktop":                  {meetguard.Facts{Path: "a.rdp", Format: meetguard.FormatShortcut, Script: script("remote-desktop", meetguard.Script{Hosts: []string{"a.invalid"}, Traits: []string{"remote-app", "shares-drives"}})}, "MG-VEHICLE-DESKTOP"},
		"desktop of a house":       {meetguard.Facts{Path: "a.rdp", Format: meetguard.FormatShortcut, Script: script("remote-desktop", meetguard.Script{Hosts: []string{"rds.example-corp.com"}, Traits: []string{"shares-drives"}})}, ""},
		"extension":                {meetguard.Facts{Path: "b.js", Script: script("extension", meetguard.Script{Hosts: []string{"a.invalid"}, Traits: []string{"sends-cookies"}})}, "MG-VEHICLE-SENDS"},
		"package":                  {meetguard.Facts{Path: "CallSetup.pkg", Format: meetguard.FormatPKG, Signature: meetguard.Signature{Status: meetguard.SignatureUnsigned}, Members: []meetguard.Facts{{Path: "Scripts/postinstall", Role: "install script", Script: script("shell", meetguard.Script{Steps: 200, Fetches: run})}}}, "MG-PACKAGE-CRADLE"},
		"package, long script":     {meetguard.Facts{Path: "Tools.pkg", Format: meetguard.FormatPKG, Signature: meetguard.Signature{Status: meetguard.SignatureUnsigned}, Members: []meetguard.Facts{{Path: "Scripts/postinstall", Script: script("shell", meetguard.Script{Lines: 80, Fetches: []meetguard.Fetch{{Tool: "curl", Host: "tools.example.org", RunBy: "direct"}}})}}}, ""},
		"package, signed":          {meetguard.Facts{Path: "CallSetup.pkg", Format: meetguard.FormatPKG, Signature: meetguard.Signature{Status: meetguard.SignatureValid}, Members: []meetguard.Facts{{Path: "Scripts/postinstall", Role: "install script", Script: script("shell", meetguard.Script{Fetches: run})}}}, ""},
		"text":                     {meetguard.Facts{Path: "a.txt", Script: script("instructions", meetguard.Script{Fetches: run, Traits: []string{"text-instructs"}})}, "MG-TEXT-INSTRUCTS"},
		"mail":                     {meetguard.Facts{Path: "a.eml", Script: script("mail", meetguard.Script{Hosts: []string{"a.invalid"}, Traits: []string{"link-misleads"}, Pretexts: []string{"meeting"}})}, "MG-MAIL-MISLEADS"},
		"newsletter":               {meetguard.Facts{Path: "a.eml", Script: script("mail", meetguard.Script{Hosts: []string{"click.example.com"}, Traits: []string{"link-misleads"}}), Claims: claim("Our spring sale")}, ""},
		"console":                  {meetguard.Facts{Path: "a.html", Format: meetguard.FormatHTML, Script: script("page", meetguard.Script{Traits: []string{"page-console"}})}, "MG-PAGE-CONSOLE"},
		"handler":                  {meetguard.Facts{Path: "a.html", Format: meetguard.FormatHTML, Script: script("page", meetguard.Script{Hosts: []string{"a.invalid"}, Traits: []string{"opens-handler"}})}, "MG-PAGE-OPENS"},
		"handler of the brand":     {meetguard.Facts{Path: "a.html", Format: meetguard.FormatHTML, Script: script("page", meetguard.Script{Hosts: []string{"teams.microsoft.com"}, Traits: []string{"opens-handler"}})}, ""},
		"drop":                     {meetguard.Facts{Path: "a.html", Format: meetguard.FormatHTML, Claims: claim("Download Microsoft Teams"), Script: script("page", meetguard.Script{Hosts: []string{"a.invalid"}, Traits: []string{"drops-program"}})}, "MG-PAGE-DROPS"},
		"drop of a tool":           {meetguard.Facts{Path: "a.html", Format: meetguard.FormatHTML, Claims: claim("Download Tool"), Script: script("page", meetguard.Script{Hosts: []string{"tool.example.org"}, Traits: []string{"drops-program"}})}, ""},
		"sign-in":                  {meetguard.Facts{Path: "a.html", Format: meetguard.FormatHTML, Claims: claim("Sign in to Microsoft Teams"), Script: script("page", meetguard.Script{Hosts: []string{"a.invalid"}, Traits: []string{"sends-login"}, Pretexts: []string{"meeting"}})}, "MG-PAGE-LOGIN"},
		"sign-in at a known place": {meetguard.Facts{Path: "a.html", Format: meetguard.FormatHTML, Claims: claim("Sign in to Microsoft Teams"), Script: script("page", meetguard.Script{Hosts: []string{"acme.okta.com"}, Traits: []string{"sends-login"}, Pretexts: []string{"meeting"}})}, ""},
		"code":                     {meetguard.Facts{Path: "a.html", Format: meetguard.FormatHTML, Claims: claim("Join Microsoft Teams meeting"), Script: script("page", meetguard.Script{Hosts: []string{"a.invalid"}, Traits: []string{"device-code"}, Pretexts: []string{"meeting"}})}, "MG-PAGE-CODE"},
		"code of the brand":        {meetguard.Facts{Path: "a.html", Format: meetguard.FormatHTML, Claims: claim("Join Microsoft Teams meeting"), Script: script("page", meetguard.Script{Hosts: []string{"microsoft.com"}, Traits: []string{"device-code"}, Pretexts: []string{"meeting"}})}, ""},
		"wallet":                   {meetguard.Facts{Path: "a.html", Format: meetguard.FormatHTML, Script: script("page", meetguard.Script{Hosts: []string{"a.invalid"}, Traits: []string{"asks-wallet"}, Pretexts: []string{"call"}})}, "MG-PAGE-WALLET"},
		"shop":                     {meetguard.Facts{Path: "a.html", Format: meetguard.FormatHTML, Script: script("page", meetguard.Script{Hosts: []string{"shop.example.org"}, Traits: []string{"asks-wallet"}})}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := j.Judge(tc.facts)
			var ids []string
			for _, f := range v.Findings {
				ids = append(ids, f.Rule)
			}
			if tc.rule == "" && v.Level != meetguard.Clean || tc.rule != "" && (!slices.Contains(ids, tc.rule) || v.Level == meetguard.Clean) {
				t.Errorf("%s with %q, want %q", v.Level, ids, tc.rule)
			}
		})
	}
}
