package detect_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"meetguard"
)

// TestSignatureRules: each rule over signatures fires, and on its nearest honest
// neighbour it does not.
func TestSignatureRules(t *testing.T) {
	j := judge(t)
	pe, app, script, dmg, msix, macho := meetguard.FormatPE, meetguard.FormatApp, meetguard.FormatScript, meetguard.FormatDMG, meetguard.FormatMSIX, meetguard.FormatMachO
	with := func(s meetguard.Signature, change func(s *meetguard.Signature)) meetguard.Signature {
		change(&s)
		return s
	}
	remarked := func(s meetguard.Signature, names ...string) meetguard.Signature {
		s.Remarks = names
		return s
	}
	issued := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	aged := func(s meetguard.Signature, hours int) meetguard.Signature {
		return with(s, func(s *meetguard.Signature) {
			s.LifeDays, s.NotBefore, s.SignedAt = 365, issued, issued.Add(time.Duration(hours)*time.Hour)
		})
	}
	unbound := with(zoom, func(s *meetguard.Signature) {
		s.Status, s.Chain, s.Remarks = meetguard.SignatureUntrusted, "not_bound", []string{"plist_unbound"}
	})
	abused := with(firm, func(s *meetguard.Signature) {
		s.Status, s.Chain, s.Abused = meetguard.SignatureInvalid, "revoked", "signed a thief"
	})
	team := with(remarked(firm, "team_differs"), func(s *meetguard.Signature) { s.ClaimedTeam = "BJ4HAAB9B3" })
	rented := with(firm, func(s *meetguard.Signature) { s.LifeDays, s.Service = 3, "Microsoft Trusted Signing" })
	inBundle := named(meetguard.ClaimBundleID, "us.zoom.xos")
	const name = "ZoomInstallerFull.exe"
	for _, tc := range []struct {
		rule, what string
		facts      meetguard.Facts
		says       string // "" if the rule must not fire
	}{
		{"MG-BRAND-UNBOUND", "the brand's program in another bundle", file("zoom.us.app", app, unbound, inBundle), "not of the bundle around it"},
		{"MG-BRAND-UNBOUND", "of a bundle without a brand's name", file("Booking.app", app, unbound), ""},
		{"MG-BRAND-UNBOUND", "a program that stands alone", file("zoom.us", macho, unbound, inBundle), ""},
		{"MG-BRAND-UNBOUND", "the brand's bundle", file("zoom.us.app", app, zoom, inBundle), ""},

		{"MG-BRAND-FRESH-CERT", "signed within the hour", file(name, pe, aged(firm, 1)), "signed one hour after"},
		{"MG-BRAND-FRESH-CERT", "signed next week", file(name, pe, aged(firm, 200)), ""},
		{"MG-BRAND-FRESH-CERT", "the brand's new certificate", file(name, pe, aged(zoom, 1)), ""},
		{"MG-BRAND-FRESH-CERT", "without a brand's name", file("tool.exe", pe, aged(firm, 1)), ""},
		{"MG-BRAND-FRESH-CERT", "without a time stamp", file(name, pe, with(aged(firm, 1), func(s *meetguard.Signature) { s.SignedAt = time.Time{} })), ""},
		{"MG-BRAND-FRESH-CERT", "rented, where every certificate is new", file(name, pe, with(aged(rented, 1), func(s *meetguard.Signature) { s.LifeDays = 3 })), ""},

		{"MG-BRAND-SHORT-CERT", "rented", file(name, pe, rented), "rents his certificates from Microsoft Trusted Signing"},
		{"MG-BRAND-SHORT-CERT", "of three days", file(name, pe, with(rented, func(s *meetguard.Signature) { s.Service = "" })), "lives only 3 days"},
		{"MG-BRAND-SHORT-CERT", "of a year", file(name, pe, with(firm, func(s *meetguard.Signature) { s.LifeDays = 365 })), ""},
		{"MG-BRAND-SHORT-CERT", "rented, without a brand's name", file("tool.exe", pe, rented), ""},
		{"MG-BRAND-SHORT-CERT", "rented by the brand", file(name, pe, with(zoom, func(s *meetguard.Signature) { s.Service = rented.Service })), ""},

		{"MG-SIGNATURE-ABUSED", "on the list", file("tool.exe", pe, abused), "known to be abused (signed a thief)"},
		{"MG-SIGNATURE-ABUSED", "revoked, of which no list tells", file("tool.exe", pe, with(abused, func(s *meetguard.Signature) { s.Abused = "" })), ""},

		{"MG-SIGNATURE-TEAM", "names the brand's team", file("tool", macho, team), "names the team of Zoom"},
		{"MG-SIGNATURE-TEAM", "names some team", file("tool", macho, with(team, func(s *meetguard.Signature) { s.ClaimedTeam = "ACME123456" })), ""},
		{"MG-SIGNATURE-TEAM", "is of the brand's team", file("tool", macho, with(team, func(s *meetguard.Signature) { s.Remarks = nil; s.TeamID, s.ClaimedTeam = s.ClaimedTeam, "" })), ""},

		{"MG-SIGNATURE-CODE-AFTER", "code behind the block", file("room.ps1", script, remarked(firm, "code_after_block")), "behind its signature block"},
		{"MG-SIGNATURE-CODE-AFTER", "line ends changed", file("room.ps1", script, remarked(firm, "line_ends_changed")), ""},

		{"MG-SIGNATURE-PUBLISHER", "another publisher", file("room.msix", msix, remarked(firm, "publisher_differs")), "another publisher than “4th State Oy”"},
		{"MG-SIGNATURE-PUBLISHER", "its signer", file("room.msix", msix, remarked(firm, "overlay")), ""},

		{"MG-SIGNATURE-TICKET", "garbage", file("room.dmg", dmg, with(firm, func(s *meetguard.Signature) { s.Ticket = "malformed" })), "notary ticket"},
		{"MG-SIGNATURE-TICKET", "of other software", file("room.dmg", dmg, remarked(firm, "ticket_foreign")), "notary ticket"},
		{"MG-SIGNATURE-TICKET", "stapled", file("room.dmg", dmg, with(firm, func(s *meetguard.Signature) { s.Ticket = "stapled" })), ""},

		{"MG-SIGNATURE-ODD", "several signers", file("tool.exe", pe, remarked(firm, "multi_signer")), "Several signers"},
		{"MG-SIGNATURE-ODD", "a second block", file("room.ps1", script, remarked(firm, "second_block")), "second signature block"},
		{"MG-SIGNATURE-ODD", "files added under a brand's name", file("zoom.us.app", app, remarked(zoom, "resource_added"), inBundle), "Files were added"},
		{"MG-SIGNATURE-ODD", "files added, as updates do", file("Booking.app", app, remarked(firm, "resource_added")), ""},
		{"MG-SIGNATURE-ODD", "a further signature", file("tool.exe", pe, with(firm, func(s *meetguard.Signature) { s.OtherSigners = []string{"Second Oy"} })), ""},

		{"MG-SIGNATURE-UNCOVERED", "overlay under a brand's name", file(name, pe, remarked(zoom, "overlay")), "does not cover"},
		{"MG-SIGNATURE-UNCOVERED", "overlay of others", file("tool.exe", pe, remarked(firm, "overlay")), ""},
		{"MG-SIGNATURE-UNCOVERED", "overlay of a file that nobody signed", file(name, pe, remarked(none, "overlay")), ""},
		{"MG-SIGNATURE-UNCOVERED", "a digest of SHA-1", file(name, pe, remarked(zoom, "sha1")), ""},
	} {
		t.Run(tc.rule+"/"+tc.what, func(t *testing.T) {
			v := j.Judge(tc.facts)
			i := slices.IndexFunc(v.Findings, func(f meetguard.Finding) bool { return f.Rule == tc.rule })
			switch {
			case tc.says == "" && i >= 0:
				t.Errorf("fires: %s", v.Findings[i].Evidence)
			case tc.says != "" && (i < 0 || !strings.Contains(v.Findings[i].Evidence, tc.says)):
				t.Errorf("want %q, findings %v", tc.says, v.Findings)
			}
		})
	}
}

// TestWeakReasonsAlone: what honest makers do as well is no alert by itself,
// not even several of these together.
func TestWeakReasonsAlone(t *testing.T) {
	j := judge(t)
	sig := zoom
	sig.Remarks = []string{"overlay", "hidden_bytes", "unauth_blob", "other_invalid"}
	if v := j.Judge(file("ZoomInstallerFull.exe", meetguard.FormatPE, sig)); v.Level != meetguard.Clean || v.Score != 10 {
		t.Errorf("bytes that are not covered: %s, score %d, findings %v", v.Level, v.Score, v.Findings)
	}
	sig = zoom
	sig.Ticket = "malformed"
	if v := j.Judge(file("zoom.us.app", meetguard.FormatApp, sig, named(meetguard.ClaimBundleID, "us.zoom.xos"))); v.Level != meetguard.Clean || v.Score != 30 {
		t.Errorf("a ticket of nobody: %s, score %d, findings %v", v.Level, v.Score, v.Findings)
	}
}
