package sign

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sassoftware/relic/v8/lib/fruit/csblob"

	"meetguard"
)

const appPlist = `<?xml version="1.0"?><plist version="1.0"><dict><key>CFBundleIdentifier</key><string>us.zoom.xos</string></dict></plist>`

// appRules are the rules that codesign writes.
const appRules = `<key>rules2</key><dict>
<key>.*\.dSYM($|/)</key><dict><key>weight</key><real>11</real></dict>
<key>^(.*/)?\.DS_Store$</key><dict><key>omit</key><true/><key>weight</key><real>2000</real></dict>
<key>^(Frameworks|SharedFrameworks|PlugIns|Plug-ins|XPCServices|Helpers|MacOS|Library/(Automator|Spotlight|LoginItems))/</key><dict><key>nested</key><true/><key>weight</key><real>10</real></dict>
<key>^.*</key><true/>
<key>^Info\.plist$</key><dict><key>omit</key><true/><key>weight</key><real>20</real></dict>
<key>^PkgInfo$</key><dict><key>omit</key><true/><key>weight</key><real>20</real></dict>
<key>^Resources/.*\.lproj/</key><dict><key>optional</key><true/><key>weight</key><real>1000</real></dict>
</dict>`

// appFiles are the resources of the bundles.
var appFiles = map[string]string{
	"Resources/zoom.icns":                   "icon",
	"Resources/en.lproj/InfoPlist.strings":  "strings",
	"Resources/scripts/caf\u00e9.sh":        "echo meeting",
	"Frameworks/Meeting.framework/Meeting":  "code",
	"Frameworks/Meeting.framework/Info.txt": "text",
	"PkgInfo":                               "APPL????",
}

// appSeal writes the list of resources for appFiles.
func appSeal(entry func(name string, sum []byte) string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><!DOCTYPE plist><plist version="1.0"><dict><key>files</key><dict/><key>files2</key><dict>`)
	for _, name := range slices.Sorted(maps.Keys(appFiles)) {
		if strings.HasPrefix(name, "Resources/") {
			sum := sha256.Sum256([]byte(appFiles[name]))
			fmt.Fprintf(&b, "<key>%s</key>%s", name, entry(name, sum[:]))
		}
	}
	b.WriteString(`<key>Frameworks/Meeting.framework</key><dict><key>cdhash</key><data>AAAA</data><key>requirement</key><string>anchor apple</string></dict>`)
	b.WriteString(`<key>Resources/link</key><dict><key>symlink</key><string>zoom.icns</string></dict></dict>` + appRules + `</dict></plist>`)
	return b.String()
}

func present(name string, sum []byte) string {
	optional := ""
	if strings.Contains(name, ".lproj/") {
		optional = "<key>optional</key><true/>"
	}
	return "<dict><key>hash</key><data>AAAA</data><key>hash2</key><data>\n\t" + base64.StdEncoding.EncodeToString(sum) + "\n</data>" + optional + "</dict>"
}

// app is a whole bundle around an executable.
func app(exe []byte, seal string) Bundle {
	b := Bundle{Executable: bytes.NewReader(exe), Size: int64(len(exe)), Program: "MacOS/zoom.us", InfoPlist: []byte(appPlist), All: true}
	if seal != "" {
		b.Resources = []byte(seal)
	}
	for _, name := range slices.Sorted(maps.Keys(appFiles)) {
		b.Files = append(b.Files, regular(name, appFiles[name]))
	}
	b.Files = append(b.Files, regular("MacOS/zoom.us", "exe"), regular("Info.plist", appPlist),
		regular("_CodeSignature/CodeResources", seal), BundleFile{Path: "Resources/link", Link: "zoom.icns"})
	return b
}

func regular(name, content string) BundleFile {
	return BundleFile{Path: name, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

// edit replaces a file, or takes it away if the content is "".
func edit(b Bundle, name, content string) Bundle {
	b.Files = slices.DeleteFunc(slices.Clone(b.Files), func(f BundleFile) bool { return f.Path == name })
	if content != "" {
		b.Files = append(b.Files, regular(name, content))
	}
	return b
}

const nestedGap = "the nested code of the bundle is not checked with it"

func TestApp(t *testing.T) {
	p := developerID(t)
	intel, arm := realSlices(t)
	id := p.application(t)
	seal := appSeal(present)
	sealed := func(s *csblob.SignatureParams) { s.InfoPlist, s.Resources = []byte(appPlist), []byte(seal) }
	exe := resign(t, arm, id, sealed)
	exe86 := resign(t, intel, id, sealed)
	alone := resign(t, arm, id, same)
	half := resign(t, arm, id, func(s *csblob.SignatureParams) { s.InfoPlist = []byte(appPlist) })
	good := app(exe, seal)
	set := func(change func(b *Bundle)) Bundle {
		b := good
		change(&b)
		return b
	}
	ticket := ticketFor(t, p, namesIn(t, exe)...)
	valid := expect{sOK, ChainOK, "", zoomTeam, KindDeveloperID, ""}
	changed := expect{sBad, ChainBadDigest, RemarkResourceChanged, "", KindDeveloperID, ""}
	bad := expect{sBad, ChainBadDigest, "", "", "", ""}
	loose := expect{sUntrusted, ChainUnbound, RemarkPlistUnbound + "," + RemarkUnsealed, "", KindDeveloperID, ""}
	or := func(e expect, remarks, ticket string) expect {
		e.remarks, e.ticket = remarks, ticket
		return e
	}
	cases := []struct {
		name string
		b    Bundle
		want expect
		gaps string
	}{
		{"good", good, valid, nestedGap},
		{"fat", app(fat(exe86, exe), seal), valid, nestedGap},
		{"one slice of another bundle", app(fat(resign(t, intel, id, same), exe), seal), loose, ""},
		{"made-up authority", app(resign(t, arm, developerID(t).application(t), sealed), seal), expect{sUntrusted, ChainUnknownRoot, RemarkTeamDiffers, "", "", ""}, nestedGap},
		{"Info.plist changed", set(func(b *Bundle) { b.InfoPlist = []byte("<plist/>") }), bad, ""},
		{"Info.plist missing", set(func(b *Bundle) { b.InfoPlist = nil }), bad, ""},
		{"list changed", set(func(b *Bundle) { b.Resources = []byte(seal + " ") }), bad, ""},
		{"list missing", set(func(b *Bundle) { b.Resources = nil }), bad, ""},
		{"page changed", app(flipped(exe, 5000), seal), bad, ""},
		{"resource changed", edit(good, "Resources/zoom.icns", "evil"), changed, nestedGap},
		{"resource changed, same size", edit(good, "Resources/scripts/caf\u00e9.sh", "echo meetinG"), changed, nestedGap},
		{"name in the spelling of Apple's disks", edit(edit(good, "Resources/scripts/caf\u00e9.sh", ""), "Resources/scripts/cafe\u0301.sh", "echo meeting"), valid, nestedGap},
		{"resource is now a link", set(func(b *Bundle) {
			*b = edit(good, "Resources/zoom.icns", "")
			b.Files = append(b.Files, BundleFile{Path: "Resources/zoom.icns", Link: "elsewhere"})
		}), changed, nestedGap},
		{"link points elsewhere", set(func(b *Bundle) {
			*b = edit(good, "Resources/link", "")
			b.Files = append(b.Files, BundleFile{Path: "Resources/link", Link: "../../../evil"})
		}), changed, nestedGap},
		{"resource missing", edit(good, "Resources/zoom.icns", ""), or(valid, RemarkResourceMissing, ""), nestedGap},
		{"resource missing in a part of the files", set(func(b *Bundle) { *b = edit(good, "Resources/zoom.icns", ""); b.All = false }), valid, nestedGap},
		{"localization missing", edit(good, "Resources/en.lproj/InfoPlist.strings", ""), valid, nestedGap},
		{"resource added", edit(good, "Resources/evil.sh", "evil"), or(valid, RemarkResourceAdded, ""), nestedGap},
		{"program added", edit(good, "MacOS/evil", "evil"), or(valid, RemarkResourceAdded, ""), nestedGap},
		{"ignored file added", edit(good, "Resources/.DS_Store", "x"), valid, nestedGap},
		{"file of nested code", edit(good, "Frameworks/Meeting.framework/More", "x"), valid, nestedGap},
		{"no files", set(func(b *Bundle) { b.Files = nil }), valid, "the resources of the bundle were not given"},
		{"file cannot be read", set(func(b *Bundle) {
			*b = edit(good, "Resources/zoom.icns", "icon")
			b.Files[len(b.Files)-1].Open = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
		}), valid, "a file of the bundle could not be read," + nestedGap},
		{"file grows", set(func(b *Bundle) {
			*b = edit(good, "Resources/zoom.icns", "icon")
			b.Files[len(b.Files)-1].Size = 2
		}), valid, "a file of the bundle could not be read," + nestedGap},
		{"program of somebody in a stranger's bundle", app(alone, seal), loose, ""},
		{"resources not sealed", app(half, ""), expect{sUntrusted, ChainUnbound, RemarkUnsealed, "", KindDeveloperID, ""}, ""},
		{"signed by the linker", app(arm, ""), expect{sAdhoc, "", RemarkPlistUnbound + "," + RemarkUnsealed, "", "", ""}, ""},
		{"unsigned", app(intel, ""), expect{sUnsigned, "", "", "", "", ""}, ""},
		{"stapled", set(func(b *Bundle) { b.Ticket = ticket }), or(valid, "", TicketStapled), nestedGap},
		{"stapled for another", set(func(b *Bundle) { b.Ticket = ticketFor(t, p, digestName{2}) }), or(valid, RemarkTicketForeign, TicketMalformed), nestedGap},
		{"garbage for a ticket", set(func(b *Bundle) { b.Ticket = []byte("<plist/>") }), or(valid, "", TicketMalformed), nestedGap},
	}
	v := p.verifier(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sig, gaps := v.VerifyApp(c.b, today)
			var reasons []string
			for _, g := range gaps {
				if g.Blinding || g.Fact != "signature" {
					t.Errorf("gap %+v", g)
				}
				reasons = append(reasons, g.Reason)
			}
			c.want.check(t, sig, nil)
			if got := strings.Join(reasons, ","); got != c.gaps {
				t.Errorf("gaps %q, want %q", got, c.gaps)
			}
		})
	}
}

// A crash and a disk that fails blind; nothing is said of the signature.
func TestAppUnreadable(t *testing.T) {
	v := newVerifier(t)
	for name, b := range map[string]Bundle{
		"crash":     {Size: 5000},
		"too large": {Executable: bytes.NewReader(nil), Size: maxFile + 1},
		"shrank":    {Executable: bytes.NewReader(nil), Size: 5000},
	} {
		sig, gaps := v.VerifyApp(b, today)
		if sig.Status != meetguard.SignatureUnknown || len(gaps) != 1 || !gaps[0].Blinding {
			t.Errorf("%s: got %+v, gaps %v", name, sig, gaps)
		}
	}
}

// Lists of resources that cannot be used. They are the signer's own, so that
// none of this makes the signature wrong.
func TestOddSeals(t *testing.T) {
	p := developerID(t)
	_, arm := realSlices(t)
	v := p.verifier(t)
	list := func(s string) string { return `<plist><dict><key>files2</key>` + s + `</dict></plist>` }
	for name, c := range map[string]struct{ seal, gap string }{
		"no list":       {"hello", "the list of resources is no XML property list"},
		"binary":        {"bplist00", "the list of resources is no XML property list"},
		"array on top":  {"<plist><array/></plist>", "the list of resources is no XML property list"},
		"deep":          {list(strings.Repeat("<dict><key>a</key>", 20)), "the list of resources is nested too deeply"},
		"many":          {list("<array>" + strings.Repeat("<true/>", maxSealNodes) + "</array>"), "the list of resources has too many entries"},
		"bad digest":    {list("<dict><key>a</key><data>!</data></dict>"), "the list of resources is no XML property list"},
		"odd rule":      {list("<dict/><key>rules2</key><dict><key>(</key><true/></dict>"), "a rule of the list of resources is not understood"},
		"counting rule": {list("<dict/><key>rules2</key><dict><key>a{999}</key><true/></dict>"), "a rule of the list of resources is not understood"},
		"old form":      {`<plist><dict><key>files</key><dict><key>Resources/zoom.icns</key><data>EfJEtDYErYj2VrkQMWjcKVLW9Pc=</data></dict></dict></plist>`, ""},
	} {
		exe := resign(t, arm, p.application(t), func(s *csblob.SignatureParams) { s.InfoPlist, s.Resources = []byte(appPlist), []byte(c.seal) })
		b := Bundle{Executable: bytes.NewReader(exe), Size: int64(len(exe)), InfoPlist: []byte(appPlist), Resources: []byte(c.seal), Files: []BundleFile{}}
		sig, gaps := v.VerifyApp(b, today)
		if sig.Status != sOK || len(gaps) != min(1, len(c.gap)) || len(gaps) == 1 && (gaps[0].Reason != c.gap || gaps[0].Blinding) {
			t.Errorf("%s: got %+v, gaps %v", name, sig, gaps)
		}
	}
}
