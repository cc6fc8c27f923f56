package inspect

import (
	"encoding/binary"
	"slices"
	"testing"
	"unicode/utf16"

	"meetguard"
)

// fullLink builds a .lnk with every string that is read.
func fullLink(name, relative, arguments, icon string) []byte {
	out := make([]byte, linkHeader)
	binary.LittleEndian.PutUint32(out, linkHeader)
	binary.LittleEndian.PutUint32(out[20:], linkHasName|linkHasRelative|linkHasArguments|linkHasIcon|linkIsUnicode)
	for _, s := range []string{name, relative, arguments, icon} {
		u := utf16.Encode([]rune(s))
		out = binary.LittleEndian.AppendUint16(out, uint16(len(u)))
		for _, c := range u {
			out = binary.LittleEndian.AppendUint16(out, c)
		}
	}
	return out
}

func TestTextClaims(t *testing.T) {
	for name, tc := range map[string]struct {
		format meetguard.Format
		data   string
		want   []string
	}{
		"title":            {meetguard.FormatHTML, "<!doctype html><html><head><TITLE>\n Zoom &amp; Friends\n</TITLE>", []string{"HTML title: Zoom & Friends"}},
		"site name":        {meetguard.FormatHTML, `<html><meta charset=utf-8><meta property='og:site_name' content="Microsoft Teams"><meta content=x name=other>`, []string{"HTML title: Microsoft Teams"}},
		"application":      {meetguard.FormatHTML, `<html><hta:application id=a applicationName="Zoom Update" border=none>`, []string{"HTML title: Zoom Update"}},
		"title cut off":    {meetguard.FormatHTML, "<html><title>Zoom", []string{"HTML title: Zoom"}},
		"no title":         {meetguard.FormatHTML, "<html><p>Zoom", nil},
		"shell link":       {meetguard.FormatShortcut, string(fullLink("Join Zoom Meeting", `C:\Users\ana\x\powershell.exe`, "-w hidden", `%APPDATA%\Zoom\bin\Zoom.exe`)), []string{"shortcut target: powershell.exe", "shortcut description: Join Zoom Meeting", "shortcut icon: Zoom.exe"}},
		"internet":         {meetguard.FormatShortcut, "[InternetShortcut]\r\nURL=https://a.invalid/x?pwd=1\r\nIconFile=C:\\Users\\ana\\Zoom.ico\r\n", []string{"shortcut icon: Zoom.ico"}},
		"desktop entry":    {meetguard.FormatShortcut, "[Desktop Entry]\nName=Zoom\nName[de]=Zoom Besprechung\nComment=Zoom Video\nExec=/bin/sh -c 'x'\nIcon=/home/ana/Zoom.png\n", []string{"shortcut description: Zoom", "shortcut description: Zoom Besprechung", "shortcut description: Zoom Video", "shortcut target: sh", "shortcut icon: Zoom.png"}},
		"invitation":       {meetguard.FormatICS, "BEGIN:VCALENDAR\r\nSUMMARY;LANGUAGE=en:Zoom\\, weekly\r\nLOCATION:https://us05web-zoom.invalid/j/1?pwd=2\r\nORGANIZER;CN=\"Zoom\r\n  Support\":mailto:a@b.invalid\r\n", []string{"invitation summary: Zoom, weekly", "invitation summary: us05web-zoom.invalid", "invitation summary: Zoom Support"}},
		"nothing to claim": {meetguard.FormatICS, "BEGIN:VCALENDAR\r\nDESCRIPTION:Zoom\r\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			claims, gaps := Claims(tc.format, []byte(tc.data))
			if got := claimLines(claims); !slices.Equal(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
			if len(gaps) > 0 {
				t.Errorf("gaps %v", gaps)
			}
		})
	}
}

func FuzzHTMLClaims(f *testing.F) {
	fuzzClaims(f, meetguard.FormatHTML, []byte("<html><title>Zoom</title><meta property='og:site_name' content=a>"), []byte("<hta:application applicationname=x>"))
}

func FuzzShortcutClaims(f *testing.F) {
	fuzzClaims(f, meetguard.FormatShortcut, fullLink("a", "b", "c", "d"), []byte("[Desktop Entry]\nName=Zoom\nIcon=x\n"))
}

func FuzzCalendarClaims(f *testing.F) {
	fuzzClaims(f, meetguard.FormatICS, []byte("SUMMARY:a\r\n b\r\nORGANIZER;CN=x:y\r\nLOCATION:https://a.invalid/\r\n"))
}
