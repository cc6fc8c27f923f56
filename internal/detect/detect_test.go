package detect_test

import (
	"strings"
	"testing"

	"meetguard"
	"meetguard/internal/detect"
	"meetguard/signatures"
)

func judge(t testing.TB) *detect.Judge {
	t.Helper()
	brands, err := signatures.Brands()
	if err != nil {
		t.Fatal(err)
	}
	sources, err := signatures.Distributors()
	if err != nil {
		t.Fatal(err)
	}
	j := detect.New(brands)
	j.Know(sources)
	return j
}

func named(source, text string) meetguard.Claim { return meetguard.Claim{Source: source, Text: text} }

func file(name string, format meetguard.Format, sig meetguard.Signature, more ...meetguard.Claim) meetguard.Facts {
	return meetguard.Facts{Path: "/home/ana/Downloads/" + name, Format: format, Signature: sig,
		Claims: append([]meetguard.Claim{named(meetguard.ClaimFileName, name)}, more...)}
}

func signed(status meetguard.SignatureStatus, subject string) meetguard.Signature {
	return meetguard.Signature{Status: status, Subject: subject, CommonName: subject, Chain: "ok"}
}

var (
	none       = meetguard.Signature{Status: meetguard.SignatureUnsigned}
	unknown    = meetguard.Signature{Status: meetguard.SignatureUnknown}
	zoom       = signed(meetguard.SignatureValid, "Zoom Video Communications, Inc.")
	ms         = signed(meetguard.SignatureValid, "Microsoft Corporation")
	selfSigned = meetguard.Signature{Status: meetguard.SignatureUntrusted, Chain: "unknown_root", Subject: "Zoom Video Communications, Inc.",
		CommonName: "Zoom Video Communications, Inc.", Issuer: "Zoom Video Communications, Inc."}
	invented = meetguard.Signature{Status: meetguard.SignatureUntrusted, Chain: "unknown_root", Subject: "Zoom Video Communications, Inc.",
		CommonName: "Zoom Video Communications, Inc.", Issuer: "Trusted Signing Authority G7"}
	firm = signed(meetguard.SignatureValid, "4th State Oy")
)

func TestBrandAgainstSigner(t *testing.T) {
	j := judge(t)
	pe, macho, msi := meetguard.FormatPE, meetguard.FormatMachO, meetguard.FormatMSI
	for _, tc := range []struct {
		name  string
		facts meetguard.Facts
		level meetguard.Level
		rule  string // that must be among the findings
	}{
		{"unsigned official name", file("ZoomInstallerFull.exe", pe, none), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"second download of it", file("ZoomInstallerFull (2).exe", pe, none), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"signed by another", file("MSTeamsSetup.exe", pe, firm), meetguard.Malicious, "MG-BRAND-SIGNER"},
		{"Microsoft as Zoom", file("ZoomInstallerFull.exe", pe, ms), meetguard.Malicious, "MG-BRAND-SIGNER"},
		{"self-signed as Zoom", file("a.exe", pe, selfSigned), meetguard.Malicious, "MG-BRAND-FORGED"},
		{"Zoom by an invented authority", file("ZoomInstaller.exe", pe, invented), meetguard.Malicious, "MG-BRAND-FORGED"},
		{"tampered", file("vsce-sign.exe", pe, meetguard.Signature{Status: meetguard.SignatureInvalid, Chain: "bad_digest", Subject: "Microsoft Corporation"}), meetguard.Suspicious, "MG-SIGNATURE-BROKEN"},
		{"zeros for letters", file("Z00mInstaller.exe", pe, none), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"Cyrillic o", file("Zоom_Setup.exe", pe, none), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"spaces", file("Microsoft Teams Installer.exe", pe, none), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"run together", file("zoommeetingupdate.exe", pe, none), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"Turkish", file("Zoom Güncelleme.exe", pe, none), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"Russian", file("Zoom обновление.exe", pe, none), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"Chinese", file("Zoom更新程序.exe", pe, none), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"German", file("Teams-Aktualisierung.exe", pe, none), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"recorder driver", file("handy.exe", pe, none, named(meetguard.ClaimProductName, "ZOOM H6 Audio Driver")), meetguard.Clean, ""},
		{"expired but the brand's own", file("ZoomInstaller.exe", pe, meetguard.Signature{Status: meetguard.SignatureInvalid, Chain: "expired", Subject: "Zoom Video Communications, Inc."}), meetguard.Clean, ""},
		{"expired and another's", file("ZoomInstaller.exe", pe, meetguard.Signature{Status: meetguard.SignatureInvalid, Chain: "expired", Subject: "4th State Oy"}), meetguard.Malicious, "MG-BRAND-SIGNER"},
		{"version resource only", file("setup.exe", pe, none, named(meetguard.ClaimProductName, "Zoom Meetings")), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"company only", file("x.exe", pe, none, named(meetguard.ClaimCompanyName, "Zoom Video Communications, Inc.")), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"MSI product", file("client.msi", msi, none, named(meetguard.ClaimMSIProduct, "Cisco Webex Meetings")), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"ad-hoc Mach-O with Zoom's id", file("launcher", macho, meetguard.Signature{Status: meetguard.SignatureAdhoc}, named(meetguard.ClaimBundleID, "us.zoom.xos")), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"Google Meet has no installer", file("GoogleMeetSetup.exe", pe, firm), meetguard.Malicious, "MG-BRAND-NEVER-NATIVE"},
		{"nor a disk image", file("Google Meet.dmg", meetguard.FormatDMG, unknown), meetguard.Malicious, "MG-BRAND-NEVER-NATIVE"},
		{"double extension", file("Offer.pdf.exe", pe, none), meetguard.Malicious, "MG-NAME-DOUBLE-EXT"},
		{"program as a document", file("agenda.pdf", pe, none), meetguard.Suspicious, "MG-TYPE-DISGUISED"},

		{"real Zoom", file("ZoomInstallerFull.exe", pe, zoom), meetguard.Clean, ""},
		{"real Zoom under a generated name", file("Zoom_cm_fo42mnktZ9.exe", pe, zoom), meetguard.Clean, ""},
		{"old Microsoft chain outside the pinned set", file("signtool.exe", pe, meetguard.Signature{Status: meetguard.SignatureUntrusted, Chain: "weak_sha1", Subject: "Microsoft Corporation"}), meetguard.Clean, ""},
		{"Microsoft library by a root that is not pinned", file("ClrCompression.dll", pe, meetguard.Signature{Status: meetguard.SignatureUntrusted, Chain: "unknown_root", Subject: "Microsoft Corporation", CommonName: "Microsoft Corporation", Issuer: "Microsoft Code Signing PCA 2010"}), meetguard.Clean, ""},
		{"real Teams", file("MSTeamsSetup.exe", pe, ms), meetguard.Clean, ""},
		{"real Zoom on a Mac", file("zoom.us", macho, meetguard.Signature{Status: meetguard.SignatureValid, Subject: "Zoom Video Communications, Inc. (BJ4HAAB9B3)", TeamID: "BJ4HAAB9B3"}, named(meetguard.ClaimBundleID, "us.zoom.xos")), meetguard.Clean, ""},
		{"unknown signature accuses nobody", file("ZoomInstallerFull.exe", pe, unknown), meetguard.Clean, ""},
		{"ZoomIt", file("ZoomIt64.exe", pe, ms), meetguard.Clean, ""},
		{"unsigned ZoomIt-like tool", file("zoomit.exe", pe, none), meetguard.Clean, ""},
		{"TeamViewer", file("TeamViewer_Setup.exe", pe, signed(meetguard.SignatureValid, "TeamViewer Germany GmbH")), meetguard.Clean, ""},
		{"teamspeak unsigned", file("TeamSpeak3-Client-win64.exe", pe, none), meetguard.Clean, ""},
		{"plug-in for Zoom", file("Krisp.exe", pe, signed(meetguard.SignatureValid, "Krisp Technologies, Inc."), named(meetguard.ClaimDescription, "Krisp for Zoom")), meetguard.Clean, ""},
		{"library", file("discord_game_sdk.dll", pe, none), meetguard.Clean, ""},
		{"a package of a map library", file("d3-zoom.min.js", meetguard.FormatOther, unknown), meetguard.Clean, ""},
		{"a text about Zoom", file("Zoom meeting notes.txt", meetguard.FormatOther, unknown), meetguard.Clean, ""},
		{"another signed program", file("node.exe", pe, signed(meetguard.SignatureValid, "OpenJS Foundation")), meetguard.Clean, ""},
		{"unsigned program", file("hello.exe", pe, none), meetguard.Clean, ""},
		{"stripped Mach-O", file("tool", macho, meetguard.Signature{Status: meetguard.SignatureInvalid, Chain: "bad_digest"}), meetguard.Clean, ""},
	} {
		t.Run(tc.name, func(t *testing.T) { check(t, j.Judge(tc.facts), tc.level, tc.rule) })
	}
}

func check(t *testing.T, v meetguard.Verdict, level meetguard.Level, rule string) {
	t.Helper()
	if v.Level != level {
		t.Errorf("level %s (%d), want %s; findings %v", v.Level, v.Score, level, v.Findings)
	}
	found := rule == ""
	for _, f := range v.Findings {
		found = found || f.Rule == rule
		if f.Evidence == "" || !strings.HasSuffix(f.Evidence, ".") {
			t.Errorf("%s has the evidence %q, which is no sentence", f.Rule, f.Evidence)
		}
	}
	if !found {
		t.Errorf("no finding of %s in %v", rule, v.Findings)
	}
}

func TestHost(t *testing.T) {
	j := judge(t)
	for host, want := range map[string]string{
		// the brands' own
		"zoom.us": "clean", "us02web.zoom.us": "clean", "cdn.zoom.us": "clean", "www.zoomgov.com": "clean", "teams.microsoft.com": "clean", "teams.live.com": "clean",
		"statics.teams.cdn.office.net": "clean", "meet.google.com": "clean", "dl.google.com": "clean", "acme.webex.com": "clean", "binaries.webex.com": "clean",
		// published lookalikes
		"uk04webzoom.us": "found", "uu01webzoom.us": "found", "web071zoom.us": "found", "us05web-zoom.biz": "found", "us01web-zoom.us": "found", "web05-zoom.us": "found",
		"webroom-zoom.us": "found", "teams-install.top": "found", "teams-download.buzz": "found", "ms-teams.us": "found", "updatesdk.ms-teams.us": "found",
		"zoom-tech.us": "found", "teams02live.com": "found", "meet.google.us-join.com": "found", "meet.google.web-join.com": "found", "meet.googie.com-join.us": "found",
		"zoom.us.join-call.example": "found", "support.us05web-zoom.biz": "found", "teams-live.cn.com": "found", "zооm.us": "found", "xn--zm-fmca.us": "found",
		"teamsmeeting.live": "found", "zoom-sdk-update.invalid": "found", "webex-download.invalid": "found",
		// other people
		"zoominfo.com": "clean", "teamviewer.com": "clean", "meetup.com": "clean", "zoomcar.com": "clean", "teamwork.com": "clean", "zoom.com.br": "clean", "slack-hq.io": "clean",
		"github.com": "clean", "example.org": "clean", "zoom.stanford.edu": "clean", "meet.jit.si": "clean", "teamspeak.com": "clean", "webextension.org": "clean",
		"localhost": "clean", "10.0.0.1": "clean", "get.rustup.rs": "clean", "download.docker.com": "clean", "update.code.visualstudio.com": "clean",
		"meeting-rooms.example.org": "clean", "goto.com": "clean", "support.google.com": "clean", "app.link": "clean", "live.com": "clean", "login.live.com": "clean",
	} {
		v := j.Host(host)
		if (v.Level == meetguard.Clean) != (want == "clean") {
			t.Errorf("Host(%q) = %s %s: %s; want %s", host, v.Level, v.Brand, v.Evidence, want)
		}
	}
}

func TestIncompleteIsNotClean(t *testing.T) {
	f := file("big.zip", meetguard.FormatZip, unknown)
	f.Gaps = []meetguard.Gap{{Fact: "members", Reason: "encrypted", Blinding: true}}
	if v := judge(t).Judge(f); v.Level != meetguard.Incomplete {
		t.Errorf("level %s", v.Level)
	}
	f.Gaps[0].Blinding = false
	if v := judge(t).Judge(f); v.Level != meetguard.Clean {
		t.Errorf("a gap that does not blind: level %s", v.Level)
	}
}

func TestWorstMemberCounts(t *testing.T) {
	f := file("pack.zip", meetguard.FormatZip, unknown)
	f.Members = []meetguard.Facts{
		{Path: "readme.txt", Format: meetguard.FormatOther, Signature: unknown},
		{Path: "a/ZoomInstaller.exe", Format: meetguard.FormatPE, Signature: none, Claims: []meetguard.Claim{named(meetguard.ClaimFileName, "ZoomInstaller.exe")}},
	}
	v := judge(t).Judge(f)
	if v.Level != meetguard.Malicious || v.Inner != "a/ZoomInstaller.exe" || v.Brand != "zoom" {
		t.Errorf("%+v", v)
	}
}

func TestEvidenceForgesNothing(t *testing.T) {
	f := file("Zoom\x1b[2J\nSetup\u202e.exe", meetguard.FormatPE, none, named(meetguard.ClaimProductName, "Zoom Meetings\nlevel=clean\x07"))
	for _, finding := range judge(t).Judge(f).Findings {
		if strings.ContainsAny(finding.Evidence, "\n\r\x1b\x07\u202e") {
			t.Errorf("%s: %q", finding.Rule, finding.Evidence)
		}
	}
}
