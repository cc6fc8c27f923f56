package inspect

import (
	"encoding/binary"
	"strings"
	"testing"

	"howett.net/plist"

	"meetguard"
)

func TestHostOf(t *testing.T) {
	for url, want := range map[string]string{
		"https://zoom.invalid/client/Zoom.exe?token=secret#x": "zoom.invalid",
		"HTTPS://User:Pa@ss@Zoom.INVALID:8443/":               "zoom.invalid",
		" http://zoom.invalid.\r\n":                           "zoom.invalid",
		"https://zoom.invalid":                                "zoom.invalid",
		"https://zoom.invalid?x=https://other.invalid/":       "zoom.invalid",
		`https:\\zoom.invalid\a@other.invalid`:                "zoom.invalid",
		"blob:https://zoom.invalid/9115d58c-bcda-ff47":        "zoom.invalid",
		"BLOB:filesystem:https://zoom.invalid/x":              "zoom.invalid",
		"blob:null/9115d58c":                                  "",
		"https://[2001:DB8::1%25eth0]:443/x":                  "2001:db8::1",
		"https://[2001:DB8::1]:443/x":                         "2001:db8::1",
		"https://[zoom.invalid]/":                             "",
		"https://[::1]zoom.invalid/":                          "",
		"http://192.0.2.7:8000/x":                             "192.0.2.7",
		"https://zооm.invalid/":                               "zооm.invalid",
		"https://xn--zm-emcc.invalid/":                        "xn--zm-emcc.invalid",
		"https://zoom\u202e.invalid/":                         "",
		"https://zoom.in\x1bvalid/":                           "",
		"https://zoom%2einvalid/":                             "zoom.invalid",
		"https://zoom%2Finvalid/":                             "",
		"https://zoom%1b.invalid/":                            "",
		"https://zoom%zz.invalid/":                            "",
		"https://zoom。invalid/":                               "zoom.invalid",
		"https://\xff.invalid/":                               "",
		"https://" + strings.Repeat("a", 300) + "/":           "",
		"https:///x":                           "",
		"https:zoom.invalid":                   "",
		"data:text/html;base64,aHR0cHM6Ly8=":   "",
		"data:text/html,https://zoom.invalid/": "",
		"file:///home/a/x":                     "",
		"file://server/share/x":                "",
		"about:internet":                       "",
		"zoom.invalid/x":                       "",
		"":                                     "",
	} {
		if got := hostOf(url); got != want {
			t.Errorf("hostOf(%q) = %q, want %q", url, got, want)
		}
	}
}

func TestParseOrigin(t *testing.T) {
	zone := "[ZoneTransfer]\r\nZoneId=3\r\nReferrerUrl=https://meet.invalid/j/123?pwd=secret\r\nHostUrl=https://cdn.invalid/Zoom.exe?token=secret\r\n"
	both := meetguard.Origin{Host: "cdn.invalid", ReferrerHost: "meet.invalid", Zone: "3"}
	froms := []string{"https://cdn.invalid/Zoom.dmg?token=secret", "https://meet.invalid/j/123"}
	for _, c := range []struct {
		test string
		raw  RawOrigin
		want meetguard.Origin
	}{
		{"nothing", RawOrigin{}, meetguard.Origin{}},
		{"Chromium on Linux", RawOrigin{XDGURL: []byte("https://cdn.invalid/Zoom.deb?x=1"), XDGReferrer: []byte("https://meet.invalid/")},
			meetguard.Origin{Host: "cdn.invalid", ReferrerHost: "meet.invalid"}},
		{"Zone.Identifier", RawOrigin{ZoneIdentifier: []byte(zone)}, both},
		{"with a UTF-8 mark", RawOrigin{ZoneIdentifier: []byte("\ufeff" + zone)}, both},
		{"in UTF-16LE", RawOrigin{ZoneIdentifier: utf16File(binary.LittleEndian, zone)}, both},
		{"in UTF-16BE", RawOrigin{ZoneIdentifier: utf16File(binary.BigEndian, zone)}, both},
		{"line feeds", RawOrigin{ZoneIdentifier: []byte(strings.ReplaceAll(zone, "\r\n", "\n"))}, both},
		{"carriage returns", RawOrigin{ZoneIdentifier: []byte(strings.ReplaceAll(zone, "\r\n", "\r"))}, both},
		{"spaces and case", RawOrigin{ZoneIdentifier: []byte(" [zonetransfer] \n ZONEID = 3 \n HOSTURL = https://cdn.invalid/ \n referrerurl=https://meet.invalid/")}, both},
		{"about:internet", RawOrigin{ZoneIdentifier: []byte("[ZoneTransfer]\r\nZoneId=3\r\nHostUrl=about:internet\r\n")}, meetguard.Origin{Zone: "3"}},
		{"store app", RawOrigin{ZoneIdentifier: []byte("[ZoneTransfer]\r\nLastWriterPackageFamilyName=Microsoft.Edge_8wekyb3d8bbwe\r\nZoneId=3\r\n")},
			meetguard.Origin{Zone: "3", App: "Microsoft.Edge_8wekyb3d8bbwe"}},
		{"another section", RawOrigin{ZoneIdentifier: []byte("ZoneId=3\n[Other]\nZoneId=3\nHostUrl=https://cdn.invalid/\n")}, meetguard.Origin{}},
		{"zone that is none", RawOrigin{ZoneIdentifier: []byte("[ZoneTransfer]\nZoneId=3; rm\n")}, meetguard.Origin{}},
		{"macOS", RawOrigin{Quarantine: []byte("0083;65a1b2c3;Safari;7A1E6C7C-0000-4000-8000-000000000000"), WhereFroms: encodePlist(t, froms, plist.BinaryFormat)},
			meetguard.Origin{Host: "cdn.invalid", ReferrerHost: "meet.invalid", App: "Safari"}},
		{"macOS, one URL", RawOrigin{WhereFroms: encodePlist(t, froms[:1], plist.BinaryFormat)}, meetguard.Origin{Host: "cdn.invalid"}},
		{"macOS, sent by AirDrop", RawOrigin{WhereFroms: encodePlist(t, []string{"", "Somebody's Mac"}, plist.BinaryFormat)}, meetguard.Origin{}},
		{"macOS, a URL and a count", RawOrigin{WhereFroms: encodePlist(t, []any{7, froms[0]}, plist.BinaryFormat)}, meetguard.Origin{ReferrerHost: "cdn.invalid"}},
		{"macOS, damaged", RawOrigin{Quarantine: []byte("0083;65a1b2c3"), WhereFroms: []byte("bplist00")}, meetguard.Origin{}},
	} {
		t.Run(c.test, func(t *testing.T) {
			got := ParseOrigin(c.raw)
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
