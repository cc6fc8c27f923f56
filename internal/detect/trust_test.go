package detect_test

import (
	"slices"
	"strings"
	"testing"

	"meetguard"
	"meetguard/internal/detect"
	"meetguard/signatures"
)

const (
	today    = "2026-11-22"
	someHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)

// friend is a good entry, changed by each case.
func friend(change func(*meetguard.Friend)) meetguard.Friend {
	f := meetguard.Friend{Name: "IT packaging", Brands: []string{"zoom"}, Why: "we repackage Zoom MSI with our settings", Who: "jane@acme.example", Expires: "2027-06-30"}
	change(&f)
	return f
}

func judgeWith(t *testing.T, friends ...meetguard.Friend) *detect.Judge {
	t.Helper()
	brands, err := signatures.Brands()
	if err != nil {
		t.Fatal(err)
	}
	return detect.NewWith(brands, friends)
}

func byCertificate(f *meetguard.Friend) {
	f.Certificate = &meetguard.Certificate{Issuer: "Acme Issuing CA 2", Serial: "0A:1B:2C"}
}

func byTeam(f *meetguard.Friend)   { f.TeamID = "ACME123456" }
func byHash(f *meetguard.Friend)   { f.SHA256, f.Brands = strings.ToUpper(someHash), nil }
func byFolder(f *meetguard.Friend) { f.Folder = "/srv/packages" }

// packaged is the signature of the department that the friends are about.
var packaged = meetguard.Signature{Status: meetguard.SignatureValid, Chain: "ok", Subject: "Acme Corp", CommonName: "Acme Corp", Issuer: "Acme Issuing CA 2", Serial: "0a1b2c", TeamID: "ACME123456"}

func changed(s meetguard.Signature, change func(*meetguard.Signature)) meetguard.Signature {
	change(&s)
	return s
}

func TestFriends(t *testing.T) {
	pe, msi, macho := meetguard.FormatPE, meetguard.FormatMSI, meetguard.FormatMachO
	at := func(path string, f meetguard.Facts) meetguard.Facts { f.Path = path; return f }
	hashed := func(f meetguard.Facts) meetguard.Facts { f.SHA256 = someHash; return f }
	matched := func(severity string, f meetguard.Facts) meetguard.Facts {
		f.Matches = []meetguard.Match{{Rule: "r", Meta: map[string]string{"id": "MG-Y-9999", "severity": severity}}}
		return f
	}
	const name = "ZoomInstallerFull.msi"
	for label, tc := range map[string]struct {
		friend  meetguard.Friend
		facts   meetguard.Facts
		allowed bool
	}{
		"certificate":                   {friend(byCertificate), file(name, msi, packaged), true},
		"team":                          {friend(byTeam), file("zoom.us", macho, packaged, named(meetguard.ClaimBundleID, "us.zoom.xos")), true},
		"hash":                          {friend(byHash), hashed(file(name, msi, none)), true},
		"folder":                        {friend(byFolder), at("/srv/packages/zoom/6.1/"+name, file(name, msi, none)), true},
		"folder and an in-house signer": {friend(byFolder), at("/srv/packages/"+name, file(name, msi, invented)), false}, // in the brand's own name: forged

		"certificate of another issuer": {friend(byCertificate), file(name, msi, changed(packaged, func(s *meetguard.Signature) { s.Issuer = "Acme Issuing CA 3" })), false},
		"another serial":                {friend(byCertificate), file(name, msi, changed(packaged, func(s *meetguard.Signature) { s.Serial = "0a1b2d" })), false},
		"no serial":                     {friend(byCertificate), file(name, msi, changed(packaged, func(s *meetguard.Signature) { s.Serial = "" })), false},
		"untrusted":                     {friend(byCertificate), file(name, msi, changed(packaged, func(s *meetguard.Signature) { s.Status, s.Chain = meetguard.SignatureUntrusted, "unknown_root" })), false},
		"tampered":                      {friend(byCertificate), file(name, msi, changed(packaged, func(s *meetguard.Signature) { s.Status, s.Chain = meetguard.SignatureInvalid, "bad_digest" })), false},
		"abused certificate":            {friend(byCertificate), file(name, msi, changed(packaged, func(s *meetguard.Signature) { s.Abused = "stolen" })), false},
		"team of an untrusted chain":    {friend(byTeam), file(name, msi, changed(packaged, func(s *meetguard.Signature) { s.Status = meetguard.SignatureUntrusted })), false},
		"tampered in the folder":        {friend(byFolder), at("/srv/packages/"+name, file(name, msi, changed(packaged, func(s *meetguard.Signature) { s.Status, s.Chain = meetguard.SignatureInvalid, "bad_digest" }))), false},
		"another brand":                 {friend(byCertificate), file("MSTeamsSetup.exe", pe, packaged), false},
		"two brands, one allowed":       {friend(byCertificate), file(name, msi, packaged, named(meetguard.ClaimMSIProduct, "Cisco Webex Meetings")), false},
		"every brand":                   {friend(func(f *meetguard.Friend) { byCertificate(f); f.Brands = nil }), file("MSTeamsSetup.exe", pe, packaged), true},
		"other hash":                    {friend(byHash), file(name, msi, none), false},
		"beside the folder":             {friend(byFolder), at("/srv/packages2/"+name, file(name, msi, none)), false},
		"out of the folder again":       {friend(byFolder), at("/srv/packages/../tmp/"+name, file(name, msi, none)), false},
		"relative":                      {friend(byFolder), at("srv/packages/"+name, file(name, msi, none)), false},
		"folder of Windows":             {friend(func(f *meetguard.Friend) { f.Folder = `D:\Packages` }), at(`d:\packages\Zoom/`+name, file(name, msi, none)), true},
		"out of it again":               {friend(func(f *meetguard.Friend) { f.Folder = `D:\Packages` }), at(`d:\packages\..\x\`+name, file(name, msi, none)), false},
		"malicious content":             {friend(byCertificate), matched("high", file(name, msi, packaged)), false},
		"a weak reason beside":          {friend(byCertificate), matched("medium", file(name, msi, packaged)), true},
		"malicious content by hash":     {friend(byHash), hashed(matched("high", file(name, msi, packaged))), true},
		"from a lookalike":              {friend(byCertificate), func() meetguard.Facts { f := file(name, msi, packaged); f.Origin.Host = "us02webzoom.us"; return f }(), false},
		"expired yesterday":             {friend(func(f *meetguard.Friend) { byCertificate(f); f.Expires = "2026-11-21" }), file(name, msi, packaged), false},
		"expires today":                 {friend(func(f *meetguard.Friend) { byCertificate(f); f.Expires = today }), file(name, msi, packaged), true},
		"an empty entry":                {friend(func(*meetguard.Friend) {}), file(name, msi, none), false},
		"no team against no team":       {friend(byTeam), file(name, msi, changed(packaged, func(s *meetguard.Signature) { s.TeamID = "" })), false},
	} {
		t.Run(label, func(t *testing.T) {
			before := judge(t).Judge(tc.facts)
			if before.Level != meetguard.Malicious {
				t.Fatalf("without friends it is %s: this case shows nothing", before.Level)
			}
			v := judgeWith(t, tc.friend).JudgeOn(tc.facts, today)
			if !tc.allowed {
				if v.Level != before.Level || v.Allowed != "" || len(v.Findings) != len(before.Findings) {
					t.Errorf("allowed: %+v", v)
				}
				return
			}
			want := "IT packaging (jane@acme.example): we repackage Zoom MSI with our settings; until " + tc.friend.Expires
			if v.Level != meetguard.Clean || v.Allowed != want || v.Brand != before.Brand || slices.ContainsFunc(v.Findings, func(f meetguard.Finding) bool { return strings.HasPrefix(f.Rule, "MG-BRAND") }) {
				t.Errorf("not allowed: %+v", v)
			}
			if v := judgeWith(t, tc.friend).Judge(tc.facts); v.Level != before.Level {
				t.Error("allowed without a day")
			}
		})
	}
}

// TestFriendsSayWhyNot holds the notes that an operator needs.
func TestFriendsSayWhyNot(t *testing.T) {
	facts := file("ZoomInstallerFull.msi", meetguard.FormatMSI, packaged)
	old := friend(func(f *meetguard.Friend) { byCertificate(f); f.Name, f.Expires = "IT\x1b packaging", "2026-11-21" })
	v := judgeWith(t, old).JudgeOn(facts, today)
	if v.Level != meetguard.Malicious || v.Note != `The entry IT\x1b packaging stopped allowing this on 2026-11-21.` {
		t.Errorf("expired: %+v", v)
	}
	if v := judgeWith(t, old, friend(byTeam)).JudgeOn(facts, today); v.Level != meetguard.Clean || v.Note != "" {
		t.Errorf("a second entry still counts: %+v", v)
	}
	facts.Matches = []meetguard.Match{{Rule: "r", Meta: map[string]string{"severity": "high"}}}
	if v := judgeWith(t, friend(byTeam)).JudgeOn(facts, today); !strings.Contains(v.Note, "name of the brand only") {
		t.Errorf("more than a name: %+v", v)
	}
	facts.SHA256 = someHash
	if v := judgeWith(t, friend(func(f *meetguard.Friend) { byHash(f); f.Expires = "2026-01-01" })).JudgeOn(facts, today); !strings.Contains(v.Note, "stopped") || v.Level != meetguard.Malicious {
		t.Errorf("expired hash: %+v", v)
	}
}

func TestFriendsInContainers(t *testing.T) {
	lured := file("Zoom Update.command", meetguard.FormatScript, unknown)
	lured.Script = &meetguard.Script{Language: "shell", BlankRun: 200, CodeAfter: true, Fetches: []meetguard.Fetch{{Tool: "curl", Host: "x.invalid", To: "pipe", RunBy: "bash"}}}
	pack := meetguard.Facts{Path: "/srv/packages/pack.zip", Format: meetguard.FormatZip, Signature: unknown, SHA256: someHash,
		Members: []meetguard.Facts{{Path: "a/ZoomInstaller.exe", Format: meetguard.FormatPE, Signature: none, Claims: []meetguard.Claim{named(meetguard.ClaimFileName, "ZoomInstaller.exe")}}}}
	if v := judgeWith(t, friend(byFolder)).JudgeOn(pack, today); v.Level != meetguard.Clean {
		t.Errorf("an installer in a pack in the folder: %+v", v)
	}
	pack.Members = append(pack.Members, lured)
	if v := judgeWith(t, friend(byFolder)).JudgeOn(pack, today); v.Level != meetguard.Malicious || v.Inner != lured.Path[1:] && v.Inner != lured.Path {
		t.Errorf("a lure in a pack in the folder: %+v", v)
	}
	if v := judgeWith(t, friend(byHash)).JudgeOn(pack, today); v.Level != meetguard.Clean || v.Inner != "" || v.Allowed == "" {
		t.Errorf("the pack by its hash: %+v", v)
	}
	pack.Members[0].Gaps = []meetguard.Gap{{Fact: "content", Reason: "encrypted", Blinding: true}}
	if v := judgeWith(t, friend(byHash)).JudgeOn(pack, today); v.Level != meetguard.Incomplete {
		t.Errorf("a member that nobody could judge: %+v", v)
	}
}

// TestHashSpeaksOfOneFile: the hash of a launch is that of the interpreter, and
// that of a bundle is one of many files.
func TestHashSpeaksOfOneFile(t *testing.T) {
	script := &meetguard.Script{Language: "applescript", BlankRun: 200, CodeAfter: true}
	for label, f := range map[string]meetguard.Facts{
		"launch": {Path: "/bin/bash", Format: meetguard.FormatOther, Signature: unknown, SHA256: someHash, Script: script, Process: &meetguard.Process{Exe: "/bin/bash"}},
		"bundle": {Path: "/home/a/Zoom.app", Format: meetguard.FormatApp, Signature: none, SHA256: someHash, Members: []meetguard.Facts{{Path: "x.scpt", Format: meetguard.FormatScript, Signature: unknown, Script: script}}},
	} {
		if v := judgeWith(t, friend(byHash)).JudgeOn(f, today); v.Level != meetguard.Malicious || v.Allowed != "" {
			t.Errorf("%s: %+v", label, v)
		}
	}
}

// TestClaimRulesExist: a rule that is renamed would silently not be allowed.
func TestClaimRulesExist(t *testing.T) {
	var ids []string
	for _, r := range detect.Rules() {
		ids = append(ids, r.ID)
	}
	for _, id := range detect.ClaimRules() {
		if !slices.Contains(ids, id) {
			t.Errorf("no rule is called %s", id)
		}
	}
}
