//go:build unix

package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"meetguard"
	"meetguard/internal/config"
)

const (
	zoomName = "Zoom Communications, Inc."
	zoomID   = "us.zoom.xos"
)

// proof is a set of identities below one authority, and an Inspector whose
// worker trusts it.
type proof struct {
	in     *Inspector
	folder string // of the anchors and abused certificates

	zoom, slack, other         *identity // known makers and a stranger
	web, old, fresh            *identity // Zoom's for web servers, Zoom's and a stranger's that have run out
	self, foreign, stolen, own *identity // by itself, by an unknown authority, abused, a department's
	rented                     *identity
}

func newProof(t *testing.T) *proof {
	t.Helper()
	ca := issue(t, nil, "Test CA", authority)
	service := issue(t, ca, "Microsoft ID Verified CS EOC CA 09", authority)
	gone := func(c *x509.Certificate) { c.NotAfter = time.Now().AddDate(0, 0, -1) }
	p := &proof{folder: t.TempDir(),
		zoom:    issue(t, ca, zoomName, nil),
		slack:   issue(t, ca, "Slack Technologies, LLC", nil),
		other:   issue(t, ca, "Fourth State Oy", nil),
		web:     issue(t, ca, zoomName, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
		old:     issue(t, ca, zoomName, gone),
		fresh:   issue(t, ca, "Fourth State Oy", gone),
		self:    issue(t, nil, zoomName, nil),
		foreign: issue(t, issue(t, nil, "Other CA", authority), zoomName, nil),
		stolen:  issue(t, ca, "Driver Works Ltd", nil),
		own:     issue(t, ca, "Acme Corp", nil),
		rented:  issue(t, service, "Fifth State Oy", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(48 * time.Hour) }),
	}
	put(t, filepath.Join(p.folder, "ca.pem"), ca.pem())
	put(t, filepath.Join(p.folder, "abused.csv"), fmt.Appendf(nil, "issuer,serial,reason,source\nTest CA,%x,signed a thief,a report\n", p.stolen.cert.SerialNumber))
	p.in = inspector(t, workerArg, p.folder)
	return p
}

// row is a file and what has to be said of it.
type row struct {
	what, file string
	data       []byte
	level      meetguard.Level
	rules      string // ids that must be among the findings; "" for none at all
	says       string // a piece of what the findings say
	remarks    string // of the signature
}

const (
	clean      = meetguard.Clean
	suspicious = meetguard.Suspicious
	malicious  = meetguard.Malicious
	incomplete = meetguard.Incomplete
)

func (p *proof) check(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.what, func(t *testing.T) {
			f, v := verdict(t, p.in, put(t, filepath.Join(t.TempDir(), r.file), r.data))
			r.compare(t, f, v)
		})
	}
}

func (r row) compare(t *testing.T, f meetguard.Facts, v meetguard.Verdict) {
	t.Helper()
	var ids []string
	for _, found := range v.Findings {
		ids = append(ids, found.Rule)
	}
	missing := slices.ContainsFunc(strings.Fields(r.rules), func(id string) bool { return !slices.Contains(ids, id) })
	if v.Level != r.level || missing || r.rules == "" && len(ids) > 0 || !strings.Contains(sentences(v), r.says) || strings.Join(f.Signature.Remarks, " ") != r.remarks {
		t.Errorf("level %s, want %s; rules %v, want %q; says %q, want %q\n%s, signature %+v\nclaims %v, gaps %v", v.Level, r.level, ids, r.rules, sentences(v), r.says, f.Format, f.Signature, f.Claims, f.Gaps)
	}
}

func TestProofOfPrograms(t *testing.T) {
	p := newProof(t)
	const name = "ZoomInstaller.exe"
	pe := plainPE(nil)
	exe := func(id *identity) []byte { return ossl(t, id, "a.exe", pe) }
	good := exe(p.zoom)
	nested := func(outer, inner *identity) []byte { return ossl(t, inner, "a.exe", exe(outer), "-nest") }
	rtl := "Zoom_Meeting_\u202efdp.exe"
	p.check(t, []row{
		{"the brand's own", name, good, clean, "", "", ""},
		{"the brand's own, second download", "ZoomInstaller (1).exe", good, clean, "", "", ""},
		{"unsigned", name, pe, malicious, "MG-BRAND-UNSIGNED", "nobody signed it", ""},
		{"of another", name, exe(p.other), malicious, "MG-BRAND-SIGNER", "signed by “Fourth State Oy”", ""},
		{"of another brand", name, exe(p.slack), malicious, "MG-BRAND-SIGNER", "signed by “Slack Technologies, LLC”", ""},
		{"of another, without a brand's name", "tool.exe", exe(p.other), clean, "", "", ""},
		{"unsigned, without a brand's name", "tool.exe", pe, clean, "", "", ""},
		{"changed", name, flipped(good, inCode), malicious, "MG-BRAND-BROKEN MG-SIGNATURE-BROKEN", "does not fit its content", ""},
		{"of the brand for web servers", name, exe(p.web), malicious, "MG-BRAND-UNTRUSTED", "no known authority vouches", ""},
		{"of the brand, run out without a time stamp", name, exe(p.old), clean, "", "", ""},
		{"of another, run out without a time stamp", name, exe(p.fresh), malicious, "MG-BRAND-SIGNER", "signed by “Fourth State Oy”", ""},
		{"of a rented certificate", name, exe(p.rented), malicious, "MG-BRAND-SIGNER MG-BRAND-SHORT-CERT", "rents his certificates from Microsoft Trusted Signing", ""},
		{"of a rented certificate, without a brand's name", "tool.exe", exe(p.rented), clean, "", "", ""},
		{"self-signed in the brand's name", name, exe(p.self), malicious, "MG-BRAND-FORGED", "in the name of “" + zoomName + "”", ""},
		{"self-signed in the brand's name, as a tool", "tool.exe", exe(p.self), malicious, "MG-BRAND-FORGED", "no known authority", ""},
		{"of the brand by an unknown authority", name, exe(p.foreign), malicious, "MG-BRAND-FORGED", "no known authority", ""},
		{"of the brand by an unknown authority, as a tool", "tool.exe", exe(p.foreign), clean, "", "", ""},

		{"with bytes behind it", name, append(bytes.Clone(good), make([]byte, 64)...), clean, "MG-SIGNATURE-UNCOVERED", "does not cover", "overlay"},
		{"with bytes hidden beside the signature", name, grown(t, good), clean, "MG-SIGNATURE-UNCOVERED", "does not cover", "hidden_bytes"},
		{"of another, with bytes behind it", "tool.exe", append(exe(p.other), make([]byte, 64)...), clean, "", "", "overlay"},
		{"nested, both good", name, nested(p.zoom, p.other), clean, "", "", ""},
		{"nested, the brand inside of a self-signed one", name, nested(p.self, p.zoom), clean, "", "", ""},
		{"nested, changed", name, flipped(nested(p.zoom, p.other), inCode), malicious, "MG-BRAND-BROKEN", "does not fit its content", "other_invalid"},

		{"abused certificate", "tool.exe", exe(p.stolen), malicious, "MG-SIGNATURE-ABUSED", "known to be abused (signed a thief", ""},
		{"abused certificate with the brand's name", name, exe(p.stolen), malicious, "MG-SIGNATURE-ABUSED MG-BRAND-UNTRUSTED", "known to be abused", ""},

		{"turned name", rtl, exe(p.other), malicious, "MG-NAME-BIDI MG-BRAND-SIGNER", "turns the reading direction", ""},
		{"turned name, unsigned", rtl, pe, malicious, "MG-NAME-BIDI MG-BRAND-UNSIGNED", "nobody signed it", ""},
		{"document and program", "Zoom_Setup.pdf.exe", pe, malicious, "MG-NAME-DOUBLE-EXT MG-BRAND-UNSIGNED", "ends like a document", ""},
		{"document and program, honest", "Manual.exe", exe(p.other), clean, "", "", ""},
	})
}

// inCode is where plainPE has code.
const inCode = 1000

func flipped(data []byte, at int) []byte {
	out := bytes.Clone(data)
	out[at] ^= 1
	return out
}

// grown is a signed program whose certificate table is a few bytes longer than
// the signature in it.
func grown(t *testing.T, file []byte) []byte {
	out := append(bytes.Clone(file), bytes.Repeat([]byte("campaign"), 2)...)
	at, size := certificates(t, file)
	binary.LittleEndian.PutUint32(out[securityEntry(t, file)+4:], uint32(size+16))
	binary.LittleEndian.PutUint32(out[at:], uint32(size+16))
	return out
}

func TestProofOfIcons(t *testing.T) {
	p := newProof(t)
	pe := plainPE(iconResources(logo(t, "zoom", 128), 128))
	sign := func(id *identity) []byte { return ossl(t, id, "a.exe", pe) }
	p.check(t, []row{
		{"a name of its own", "Quarterly.exe", pe, clean, "MG-BRAND-ICON", "Its icon is the logo of Zoom", ""},
		{"no name at all", "setup.exe", pe, malicious, "MG-BRAND-UNSIGNED", "its icon is the logo", ""},
		{"no name, signed by another", "setup.exe", sign(p.other), malicious, "MG-BRAND-SIGNER", "its icon is the logo", ""},
		{"no name, the brand's", "setup.exe", sign(p.zoom), clean, "", "", ""},
		{"a name of its own, the brand's", "Quarterly.exe", sign(p.zoom), clean, "", "", ""},
		{"a name of its own, signed by another", "Quarterly.exe", sign(p.other), clean, "MG-BRAND-ICON", "who did not sign it", ""},
	})
}

func TestProofOfScripts(t *testing.T) {
	p := newProof(t)
	const text = "# settings of the meeting room\r\n$room = 'A1'\r\nWrite-Host $room\r\n"
	good, own := signPS(t, p.zoom, text), signPS(t, p.own, text)
	pasted := append([]byte("Write-Host 'other'\r\n"), good[len(text):]...)
	p.check(t, []row{
		{"signed", "room.ps1", own, clean, "", "", ""},
		{"unsigned", "room.ps1", []byte(text), clean, "", "", ""},
		{"signed by the brand", "Zoom Update.ps1", good, clean, "", "", ""},
		{"code behind the block", "room.ps1", append(bytes.Clone(own), "Write-Host 'more'\r\n"...), suspicious, "MG-SIGNATURE-CODE-AFTER", "behind its signature block", "code_after_block"},
		{"a remark behind the block", "room.ps1", append(bytes.Clone(own), "# more\r\n"...), clean, "", "", ""},
		{"changed", "room.ps1", bytes.Replace(own, []byte("A1"), []byte("A2"), 1), suspicious, "MG-SIGNATURE-BROKEN", "changed after signing", ""},
		{"block of another script", "room.ps1", pasted, suspicious, "MG-SIGNATURE-BROKEN", "taken from another file", ""},
		{"line ends changed", "room.ps1", bytes.ReplaceAll(own, []byte("\r\n"), []byte("\n")), clean, "", "", "line_ends_changed"},
		{"self-signed", "room.ps1", signPS(t, p.self, text), malicious, "MG-BRAND-FORGED", "in the name of", ""},
		{"a second block", "room.ps1", append(bytes.Clone(own), good[len(text):]...), clean, "MG-SIGNATURE-ODD", "second signature block", "second_block"},
		{"abused", "room.ps1", signPS(t, p.stolen, text), malicious, "MG-SIGNATURE-ABUSED", "known to be abused", ""},
	})
}

// msix is a package of Windows that calls itself name and says who publishes it.
func msix(t *testing.T, name, publisher string) []byte {
	t.Helper()
	return archive(t, map[string][]byte{
		"Meeting.exe": plainPE(nil),
		"AppxManifest.xml": []byte(`<?xml version="1.0" encoding="utf-8"?><Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10">` +
			`<Identity Name="x" Publisher="` + publisher + `" Version="1.0.0.0"/><Properties><DisplayName>` + name + `</DisplayName></Properties></Package>`),
		"AppxBlockMap.xml":    []byte(`<BlockMap xmlns="http://schemas.microsoft.com/appx/2010/blockmap" HashMethod="http://www.w3.org/2001/04/xmlenc#sha256"></BlockMap>`),
		"[Content_Types].xml": []byte(`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="exe" ContentType="application/x-msdownload"/></Types>`),
	})
}

func TestProofOfPackages(t *testing.T) {
	p := newProof(t)
	publisher := func(id *identity) string {
		return strings.ReplaceAll(fmt.Sprintf(`CN="%s", O="%[1]s"`, id.cert.Subject.CommonName), `"`, "&quot;")
	}
	app := func(by *identity, name string) []byte { return ossl(t, by, "a.msix", msix(t, name, publisher(by))) }
	dmg, pkg := plainDMG(), plainPKG(t)
	p.check(t, []row{
		{"MSIX of the brand", "Zoom Workplace.msix", app(p.zoom, "Zoom Workplace"), clean, "", "", ""},
		{"MSIX of another", "Zoom Workplace.msix", app(p.other, "Zoom Workplace"), malicious, "MG-BRAND-SIGNER", "signed by “Fourth State Oy”", ""},
		{"MSIX of another, named inside", "package.msix", app(p.other, "Zoom Workplace"), malicious, "MG-BRAND-SIGNER", "MSIX DisplayName", ""},
		{"MSIX of another, honest", "package.msix", app(p.other, "Room booking"), clean, "", "", ""},
		{"MSIX unsigned", "Zoom Workplace.msix", msix(t, "Zoom Workplace", "CN=x"), malicious, "MG-BRAND-UNSIGNED", "nobody signed it", ""},
		{"MSIX that names another publisher", "package.msix", ossl(t, p.other, "a.msix", msix(t, "Room booking", "CN=Somebody")), suspicious, "MG-SIGNATURE-PUBLISHER", "names another publisher than “Fourth State Oy”", "publisher_differs"},

		// What is inside of these two is not looked at, so that none is ever clean.
		{"DMG of the brand", "Zoom.dmg", signDMG(t, p.zoom, zoomID, dmg), clean, "", "", ""},
		{"DMG of another", "Zoom.dmg", signDMG(t, p.other, zoomID, dmg), malicious, "MG-BRAND-SIGNER", "signed by “Fourth State Oy”", ""},
		{"DMG unsigned, as most are", "Zoom.dmg", dmg, clean, "", "", ""},
		{"DMG self-signed", "Zoom.dmg", signDMG(t, p.self, zoomID, dmg), malicious, "MG-BRAND-FORGED", "in the name of", ""},
		{"DMG changed", "Zoom.dmg", flip(signDMG(t, p.zoom, zoomID, dmg)), malicious, "MG-BRAND-BROKEN", "does not fit its content", ""},
		{"DMG of another, with the brand's identifier", "Rooms.dmg", signDMG(t, p.other, zoomID, dmg), malicious, "MG-BRAND-SIGNER", "code signature identifier", ""},
		{"DMG of another, honest", "Rooms.dmg", signDMG(t, p.other, "com.room.booking", dmg), clean, "", "", ""},
		{"PKG of the brand", "Zoom.pkg", signPKG(t, p.zoom, pkg), clean, "", "", ""},
		{"PKG of another", "Zoom.pkg", signPKG(t, p.other, pkg), malicious, "MG-BRAND-SIGNER", "signed by “Fourth State Oy”", ""},
		{"PKG of another, named inside", "package.pkg", signPKG(t, p.other, pkg), malicious, "MG-BRAND-SIGNER", "PKG identifier", ""},
		{"PKG unsigned", "Zoom.pkg", pkg, malicious, "MG-BRAND-UNSIGNED", "nobody signed it", ""},
	})
}

const zoomPlist = `<key>CFBundleIdentifier</key><string>us.zoom.xos</string><key>CFBundleName</key><string>zoom.us</string><key>CFBundleIconFile</key><string>App</string>`

func TestProofOfBundles(t *testing.T) {
	p := newProof(t)
	icon := icns(logo(t, "zoom", 128))
	plain := newBundle(zoomPlist, bundle{"Resources/App.icns": icon, "Resources/en.txt": []byte("hello")})
	nameless := newBundle(`<key>CFBundleIdentifier</key><string>com.room.helper</string><key>CFBundleIconFile</key><string>App</string>`, bundle{"Resources/App.icns": icon})
	rooms := newBundle(`<key>CFBundleIdentifier</key><string>com.room.booking</string><key>CFBundleName</key><string>Booking</string>`, bundle{"Resources/en.txt": []byte("hello")})
	good := plain.signed(t, p.zoom, zoomID)
	program := signCode(t, p.zoom, zoomID, plainMachO(t), nil, nil) // signed for no bundle
	for _, tc := range []struct {
		row
		b bundle
	}{
		{row{what: "the brand's own", file: "zoom.us.app", level: clean}, good},
		{row{what: "team of another", file: "zoom.us.app", level: malicious, rules: "MG-BRAND-SIGNER", says: "signed by “Fourth State Oy”"}, plain.signed(t, p.other, zoomID)},
		{row{what: "team of another under a name of its own", file: "Booking.app", level: malicious, rules: "MG-BRAND-SIGNER", says: "us.zoom.xos"}, plain.signed(t, p.other, zoomID)},
		{row{what: "unsigned", file: "zoom.us.app", level: malicious, rules: "MG-BRAND-UNSIGNED", says: "nobody signed it"}, plain.with("MacOS/zoom.us", plainMachO(t))},
		{row{what: "the brand's program in a stranger's bundle", file: "zoom.us.app", level: malicious, rules: "MG-BRAND-UNBOUND", says: "not of the bundle around it", remarks: "plist_unbound resources_unsealed"}, plain.with("MacOS/zoom.us", program)},
		{row{what: "the brand's program in a bundle of another name", file: "Booking.app", level: malicious, rules: "MG-BRAND-UNBOUND", says: "not of the bundle around it", remarks: "plist_unbound resources_unsealed"}, rooms.with("MacOS/zoom.us", program)},
		{row{what: "nothing but the identifier is the brand's", file: "Booking.app", level: malicious, rules: "MG-BRAND-SIGNER", says: "code signature identifier"}, rooms.signed(t, p.other, zoomID)},
		{row{what: "honest", file: "Booking.app", level: clean}, rooms.signed(t, p.other, "com.room.booking")},
		{row{what: "Info.plist changed", file: "zoom.us.app", level: malicious, rules: "MG-BRAND-BROKEN", says: "does not fit its content"}, good.with("Info.plist", append(good["Info.plist"], ' '))},
		{row{what: "resource changed", file: "zoom.us.app", level: malicious, rules: "MG-BRAND-BROKEN", says: "does not fit its content", remarks: "resource_changed"}, good.with("Resources/en.txt", []byte("other"))},
		{row{what: "resource added", file: "zoom.us.app", level: clean, rules: "MG-SIGNATURE-ODD", says: "Files were added", remarks: "resource_added"}, good.with("Resources/more.txt", []byte("more"))},
		{row{what: "ticket of nobody", file: "zoom.us.app", level: clean, rules: "MG-SIGNATURE-TICKET", says: "notary ticket"}, good.with("CodeResources", []byte("<plist/>"))},
		{row{what: "ticket of nobody, of another", file: "Booking.app", level: clean, rules: "MG-SIGNATURE-TICKET", says: "notary ticket"}, rooms.signed(t, p.own, "com.room.booking").with("CodeResources", []byte("<plist/>"))},
		{row{what: "the brand's icon alone", file: "Setup.app", level: malicious, rules: "MG-BRAND-SIGNER", says: "its icon is the logo"}, nameless.signed(t, p.other, "com.room.helper")},
	} {
		t.Run(tc.what, func(t *testing.T) {
			f, v := verdict(t, p.in, tc.b.write(t, filepath.Join(t.TempDir(), tc.file)))
			tc.compare(t, f, v)
			for wrapper, wrap := range map[string]func(testing.TB, map[string][]byte) []byte{"files.zip": archive, "files.tgz": tarball} {
				whole, outer := verdict(t, p.in, put(t, filepath.Join(t.TempDir(), wrapper), wrap(t, tc.b.below("in/"+tc.file+"/Contents/"))))
				if len(whole.Members) != 1 || whole.Members[0].Format != meetguard.FormatApp || outer.Level != tc.level {
					t.Fatalf("in %s: level %s, %+v", wrapper, outer.Level, whole)
				}
				packed := whole.Members[0]
				tc.compare(t, packed, p.in.Judge(packed))
				if packed.SHA256 != f.SHA256 || packed.Size != f.Size || len(packed.Claims) != len(f.Claims) || len(packed.Gaps) != len(f.Gaps) {
					t.Errorf("in %s %+v, on the disk %+v", wrapper, packed, f)
				}
			}
		})
	}
}

func TestProofInsideArchives(t *testing.T) {
	p := newProof(t)
	pe := plainPE(nil)
	for name, tc := range map[string]struct {
		by    *identity
		level meetguard.Level
		inner string
	}{
		"the brand's": {p.zoom, clean, ""},
		"another's":   {p.other, malicious, "deep.zip/in/ZoomInstaller.exe"},
		"abused":      {p.stolen, malicious, "deep.zip/in/ZoomInstaller.exe"},
	} {
		deep := archive(t, map[string][]byte{"in/ZoomInstaller.exe": ossl(t, tc.by, "a.exe", pe), "in/readme.txt": []byte("hello")})
		_, v := verdict(t, p.in, put(t, filepath.Join(t.TempDir(), "files.zip"), archive(t, map[string][]byte{"deep.zip": deep})))
		if v.Level != tc.level || v.Inner != tc.inner {
			t.Errorf("%s: level %s, inner %q, findings %v", name, v.Level, v.Inner, v.Findings)
		}
	}
}

func TestProofAndFriends(t *testing.T) {
	p := newProof(t)
	pe := plainPE(nil)
	own, stolen := ossl(t, p.own, "a.exe", pe), ossl(t, p.stolen, "a.exe", pe)
	certificate := func(id *identity) func(f *meetguard.Friend) {
		return func(f *meetguard.Friend) {
			f.Certificate = &meetguard.Certificate{Issuer: "Test CA", Serial: strings.ToUpper(id.cert.SerialNumber.Text(16))}
		}
	}
	hash := func(f *meetguard.Friend) {
		sum := sha256.Sum256(pe)
		f.SHA256 = hex.EncodeToString(sum[:])
	}
	open := t.TempDir()
	must(t, os.Chmod(open, 0o777))
	for _, tc := range []struct {
		what   string
		data   []byte
		change func(f *meetguard.Friend)
		level  meetguard.Level
		word   string // of Allowed or Note
	}{
		{"certificate", own, certificate(p.own), clean, "Packaging"},
		{"certificate of another", own, certificate(p.other), malicious, ""},
		{"certificate of another, unsigned", pe, certificate(p.own), malicious, ""},
		{"certificate, changed file", flipped(own, inCode), certificate(p.own), malicious, ""},
		{"certificate, abused", stolen, certificate(p.stolen), malicious, ""},
		{"hash", pe, hash, clean, "Packaging"},
		{"hash of another", own, hash, malicious, ""},
		{"folder that anybody may write to", own, func(f *meetguard.Friend) { f.Folder = open }, malicious, ""},
		{"certificate that expired", own, func(f *meetguard.Friend) { certificate(p.own)(f); f.Expires = "2020-01-01" }, malicious, "Packaging"},
		{"certificate for another brand", own, func(f *meetguard.Friend) { certificate(p.own)(f); f.Brands = []string{"msteams"} }, malicious, ""},
	} {
		t.Run(tc.what, func(t *testing.T) {
			friend := meetguard.Friend{Name: "Packaging", Brands: []string{"zoom"}, Why: "settings", Who: "jane@acme.example", Expires: time.Now().AddDate(0, 6, 0).Format(time.DateOnly)}
			tc.change(&friend)
			in := inspector(t, workerArg, p.folder)
			must(t, in.Configure(config.Config{Friends: []meetguard.Friend{friend}, Anchors: p.folder}, slog.New(slog.DiscardHandler)))
			f, _, err := in.Inspect(context.Background(), put(t, filepath.Join(open, "ZoomInstaller.exe"), tc.data))
			must(t, err)
			v := in.Judge(f)
			if v.Level != tc.level || !strings.Contains(v.Allowed+v.Note, tc.word) || (v.Allowed != "") != (tc.level == clean) {
				t.Errorf("level %s, allowed %q, note %q, findings %v, signature %+v", v.Level, v.Allowed, v.Note, v.Findings, f.Signature)
			}
		})
	}
}
