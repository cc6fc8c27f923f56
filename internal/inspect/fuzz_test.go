package inspect

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"howett.net/plist"

	"meetguard"
)

// checkClaims holds what every parser promises, whatever it is given.
func checkClaims(t *testing.T, claims []meetguard.Claim, gaps []meetguard.Gap) {
	t.Helper()
	seen := map[meetguard.Claim]bool{}
	for _, c := range claims {
		if c.Text == "" || len(c.Text) > maxClaimText || !utf8.ValidString(c.Text) || c.Source == "" || seen[c] {
			t.Errorf("claim %+q", c)
		}
		seen[c] = true
	}
	if len(claims) > maxClaims {
		t.Errorf("%d claims", len(claims))
	}
	for _, g := range gaps {
		if g.Fact != "names" || g.Reason == "" || g.Blinding {
			t.Errorf("gap %+v", g)
		}
	}
}

func fuzzClaims(f *testing.F, format meetguard.Format, seeds ...[]byte) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		claims, gaps := Claims(format, data)
		checkClaims(t, claims, gaps)
	})
}

func FuzzSniff(f *testing.F) {
	msi, err := os.ReadFile("testdata/lure.msi")
	if err != nil {
		f.Fatal(err)
	}
	names := []string{"a", "a.dmg", "a.tar.xz", "a.webloc", "a.url", "a.htm", "a.hta"}
	for i, seed := range [][]byte{makePE(nil), makeFat(true, makeMachO(binary.LittleEndian, true, nil)), msi, makeZip64("AppxManifest.xml", "x"),
		encodePlist(f, map[string]string{"URL": "x"}, plist.BinaryFormat), makeTar(f, "a", "b"), gzipped(f, makeTar(f, "a", "b")),
		utf16File(binary.LittleEndian, "[InternetShortcut]\r\n"), []byte("<!-- x --><!doctype html>"), []byte("#!/bin/sh")} {
		f.Add(names[i%len(names)], seed)
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		format := Sniff(name, data)
		if format == "" || format == meetguard.FormatApp {
			t.Errorf("format %q", format)
		}
		claims, gaps := Claims(format, data)
		checkClaims(t, claims, gaps)
	})
}

func FuzzPEClaims(f *testing.F) {
	fuzzClaims(f, meetguard.FormatPE, makePE(nil), makePE([]versionBlock{{language: 1031, strings: map[string]string{"ProductName": "a"}}, {language: 1033, strings: map[string]string{"InternalName": "b"}}}))
}

func FuzzMachOClaims(f *testing.F) {
	info := encodePlist(f, map[string]string{"CFBundleName": "Zoom"}, plist.BinaryFormat)
	fuzzClaims(f, meetguard.FormatMachO, makeMachO(binary.LittleEndian, true, info), makeFat(false, makeMachO(binary.BigEndian, false, info)))
}

func FuzzMSIClaims(f *testing.F) {
	msi, err := os.ReadFile("testdata/lure.msi")
	if err != nil {
		f.Fatal(err)
	}
	fuzzClaims(f, meetguard.FormatMSI, msi, makeCompound(9, named("x", make([]byte, 5000))), makeCompound(12, named("x", make([]byte, 5000))))
}

func FuzzMSIXClaims(f *testing.F) {
	fuzzClaims(f, meetguard.FormatMSIX, makeZip64("AppxManifest.xml", "<Package><Identity Name='a'/></Package>"), makeZip(f, "AppxManifest.xml", "<Package/>"))
}

func FuzzDeb(f *testing.F) {
	archive := makeTar(f, "./control", control)
	fuzzClaims(f, meetguard.FormatDeb, makeAr("control.tar", string(archive)), makeAr("control.tar.gz", string(gzipped(f, archive))),
		makeAr("control.tar.xz", string(xzipped(f, archive, 1<<20))), makeAr("control.tar.zst", string(zstded(f, archive))))
}

func FuzzRPM(f *testing.F) {
	fuzzClaims(f, meetguard.FormatRPM, makeRPM(map[uint32]string{1000: "zoom", 1004: "Zoom"}))
}

func FuzzXar(f *testing.F) {
	fuzzClaims(f, meetguard.FormatPKG, makeXar("<x><title>a</title></x>", "<pkg-info identifier='b'/>"))
}

func FuzzPlist(f *testing.F) {
	value := map[string]any{"CFBundleName": "Zoom", "CFBundleExecutable": "会议", "list": []int{1, 70000}}
	f.Add(encodePlist(f, value, plist.BinaryFormat))
	f.Add(encodePlist(f, value, plist.XMLFormat))
	f.Fuzz(func(t *testing.T, data []byte) {
		claims, gaps := PlistClaims(data)
		checkClaims(t, claims, gaps)
		if name := PlistExecutable(data); len(name) > maxClaimText || !utf8.ValidString(name) {
			t.Errorf("executable %q", name)
		}
	})
}

func FuzzOrigin(f *testing.F) {
	f.Add([]byte("https://zoom.invalid/x"), []byte("0083;0;Safari;x"), []byte("[ZoneTransfer]\nZoneId=3\nHostUrl=http://[::1]/\n"))
	f.Add([]byte("blob:https://a@b:1/"), encodePlist(f, []string{"https://zoom.invalid/", "x"}, plist.BinaryFormat), utf16File(binary.LittleEndian, "[ZoneTransfer]\n"))
	f.Fuzz(func(t *testing.T, url, second, zone []byte) {
		for _, raw := range []RawOrigin{{XDGURL: url, XDGReferrer: second}, {Quarantine: second, WhereFroms: second}, {ZoneIdentifier: zone}} {
			o := ParseOrigin(raw)
			for _, host := range []string{o.Host, o.ReferrerHost} {
				if len(host) > 253 || !utf8.ValidString(host) || strings.ContainsAny(host, "/?#@\\ \n\x1b%") {
					t.Errorf("host %q", host)
				}
			}
			if len(o.Zone) > 5 || len(o.App) > maxClaimText {
				t.Errorf("origin %+v", o)
			}
		}
	})
}
