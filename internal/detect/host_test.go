package detect_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"meetguard"
	"meetguard/internal/detect"
)

// lines gives the fields of each line of a file of test hosts, without remarks.
func lines(t testing.TB, name string) [][]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "hosts", name))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		if fields := strings.Fields(line); len(fields) > 0 {
			out = append(out, fields)
		}
	}
	return out
}

func TestLookalikes(t *testing.T) {
	j := judge(t)
	list := lines(t, "lookalikes.txt")
	if len(list) < 238 {
		t.Errorf("only %d lookalikes", len(list))
	}
	for _, f := range list {
		v := j.Host(f[0])
		if brand := strings.Replace(f[1], "-", "", 1); v.Brand != brand || string(v.Level) != f[2] {
			t.Errorf("Host(%q) = %s %q: %s; want %s %s", f[0], v.Level, v.Brand, v.Evidence, f[2], f[1])
		}
		if v.Level != meetguard.Clean && (!strings.HasSuffix(v.Evidence, ".") || !strings.Contains(v.Evidence, "The real host is ")) {
			t.Errorf("Host(%q) says %q, which names no real host", f[0], v.Evidence)
		}
	}
}

func TestOtherHosts(t *testing.T) {
	j := judge(t)
	for _, f := range lines(t, "others.txt") {
		want := ""
		if len(f) == 3 && f[1] == "own" {
			want = f[2]
		}
		if v := j.Host(f[0]); v.Level != meetguard.Clean || v.Brand != want {
			t.Errorf("Host(%q) = %s %q: %s; want clean %q", f[0], v.Level, v.Brand, v.Evidence, want)
		}
	}
}

// TestNeighbours: names that begin like a brand's stay clean under every suffix
// that they are known or could be registered under.
func TestNeighbours(t *testing.T) {
	j := judge(t)
	suffixes := strings.Fields("com net org io co eu de uk co.uk us jp co.jp fr es it nl be ch at se dk pl ru cn in com.br com.au ca info biz xyz online live app dev top me tv")
	for _, name := range strings.Fields(`zoominfo zoomcar zoomcorp zoomlion zoomtext teamviewer teamspeak teamwork teamsnap teamsters meetup meetic
		webextension webextensions webextension-addons slackware slackline chimera larkspur signalr signalhire gotohub discordant telegraph roomzoom
		meetinghouse steamcommunity skylark jitsu whatsonstage`) {
		for _, suffix := range suffixes {
			for _, sub := range []string{"", "www.", "download.", "addons.", "us02web."} {
				if v := j.Host(sub + name + "." + suffix); v.Level != meetguard.Clean {
					t.Errorf("%s: %s", v.Level, v.Evidence)
				}
			}
		}
	}
}

// TestOwnSubdomains: whatever stands before a brand's own host is the brand's.
func TestOwnSubdomains(t *testing.T) {
	j := judge(t)
	for _, f := range lines(t, "others.txt") {
		if len(f) != 3 {
			continue
		}
		for _, sub := range []string{"us02web.", "download.", "zoom-meeting.", "teams.microsoft.com.", "xn--zm-fmca.", "a.b.c.d.e.f."} {
			if v := j.Host(sub + f[0]); v.Level != meetguard.Clean || v.Brand != f[2] {
				t.Errorf("Host(%q) = %s %q: %s", sub+f[0], v.Level, v.Brand, v.Evidence)
			}
		}
	}
}

func TestLinks(t *testing.T) {
	j := judge(t)
	for name, tc := range map[string]struct {
		text string
		want string // of each link: host, brand and level
	}{
		"link":                  {"https://us02web.zoom.us/j/1?pwd=2", "us02web.zoom.us zoom clean"},
		"defanged":              {"hxxps://us05web-zoom[.]biz/j/9", "us05web-zoom.biz zoom malicious"},
		"defanged all over":     {"hxxps[:]//teams-live[.]cn[.]com/x", "teams-live.cn.com msteams suspicious"},
		"defanged with words":   {"zoom-tech[dot]us", "zoom-tech.us zoom suspicious"},
		"brand before an @":     {"https://zoom.us@evil.invalid/", "evil.invalid zoom malicious"},
		"escaped before an @":   {"https://zoom.us%2Fj%2F1@evil.invalid/x", "evil.invalid zoom malicious"},
		"two @":                 {"https://a@zoom.us@evil.invalid/", "evil.invalid  clean"},
		"brand's own after @":   {"https://ana@zoom.us/", "zoom.us zoom clean"},
		"ports":                 {"https://zoom.us:443/ zoom-tech.us:8443", "zoom.us zoom clean|zoom-tech.us zoom suspicious"},
		"backslashes":           {`https:\\us02webzoom.us\j`, "us02webzoom.us zoom malicious"},
		"backslash for a path":  {`https://evil.invalid\@zoom.us/`, "evil.invalid  clean"},
		"one slash":             {"https:/us02webzoom.us/j", "us02webzoom.us zoom malicious"},
		"no slash":              {"https:us02webzoom.us/j", "us02webzoom.us zoom malicious"},
		"percent":               {"https://z%6f%6fm.us/j", "zoom.us zoom clean"},
		"wide letters":          {"ｚｏｏｍ.us", "zoom.us zoom clean"},
		"other dots":            {"zoom-tech。us", "zoom-tech.us zoom suspicious"},
		"Cyrillic":              {"https://zооm.us/j/1", "xn--zm-fmca.us zoom malicious"},
		"capitals":              {"HTTPS://US02WEBZOOM.US/J", "us02webzoom.us zoom malicious"},
		"IPv6":                  {"https://[2001:db8::1]:8080/x", "2001:db8::1  clean"},
		"IPv4":                  {"http://192.0.2.1:80/zoom.us", "192.0.2.1  clean"},
		"address and @":         {"https://zoom.us@192.0.2.1/", "192.0.2.1 zoom malicious"},
		"mail":                  {"ana@us05web-zoom.biz", "us05web-zoom.biz zoom malicious"},
		"mailto":                {"mailto:ana@us05web-zoom.biz", "us05web-zoom.biz zoom malicious"},
		"opens Zoom":            {"zoommtg://zoom.us/join?confno=1", "zoom.us zoom clean"},
		"opens Zoom, elsewhere": {"zoommtg://us05web-zoom.biz/join?confno=1", "us05web-zoom.biz zoom malicious"},
		"opens Teams":           {"msteams:/l/meetup-join/19:meeting", " msteams clean"},
		"opens Telegram":        {"tg://resolve?domain=x", " telegram clean"},
		"mail filter":           {"https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fus05web-zoom.biz%2Fj%2F1&data=05", "eur01.safelinks.protection.outlook.com  clean|us05web-zoom.biz zoom malicious"},
		"redirection":           {"https://www.google.com/url?q=https://zoom-join.invalid/x&sa=D", "www.google.com  clean|zoom-join.invalid zoom suspicious"},
		"Markdown":              {"[Join](https://zoom-join.invalid/a)", "zoom-join.invalid zoom suspicious"},
		"HTML":                  {`<a href="https://zoom-join.invalid/a">https://zoom.us/j/1</a>`, "zoom-join.invalid zoom suspicious|zoom.us zoom clean"},
		"invitation":            {"Ana is inviting you. Join Zoom Meeting: https://zoom.us/j/1. Meeting ID: 123 4567, passcode 5.17.2, see www.zoom-meeting.invalid.", "zoom.us zoom clean|www.zoom-meeting.invalid zoom suspicious"},
		"single word":           {"localhost", "localhost  clean"},
		"running text":          {"Join the Zoom meeting now", ""},
		"nothing":               {"  ", ""},
		"no host":               {"https:///", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, v := range j.Links(tc.text) {
				got = append(got, v.Host+" "+v.Brand+" "+string(v.Level))
			}
			if got := strings.Join(got, "|"); got != tc.want {
				t.Errorf("Links(%q):\n got %s\nwant %s", tc.text, got, tc.want)
			}
		})
	}
}

func TestHostsIn(t *testing.T) {
	text := "see https://a.example/x?u=http://b.example/ and hxxp://c[.]example, again https://A.example. readme.notatld, tg://resolve"
	if got := strings.Join(detect.HostsIn(text), " "); got != "a.example b.example c.example" {
		t.Errorf("%s", got)
	}
	many := strings.Repeat("https://x.example/ ", 5) + strings.Repeat("y", 1<<17) + " https://z.example/"
	if got := strings.Join(detect.HostsIn(many), " "); got != "x.example" {
		t.Errorf("%s", got)
	}
}

func FuzzHost(f *testing.F) {
	for _, name := range []string{"lookalikes.txt", "others.txt"} {
		for i, line := range lines(f, name) {
			if i%7 == 0 {
				f.Add(line[0])
			}
		}
	}
	for _, s := range []string{"xn--", "xn--zoom-.us", "xn--80ak6aa92e.com", "a\u00adb.us", "%", "%zz", "[", "[::1%eth0]", "..", "-.-", "zoom.us..", "\u202ezoom.us", "ß.de", "İ.com", "中文.zооm.us", "zoom.us.中文.中国", strings.Repeat("zoom-", 50) + ".us", strings.Repeat("%7a", 3000), "1.2.3.4.5"} {
		f.Add(s)
	}
	j := judge(f)
	f.Fuzz(func(t *testing.T, host string) {
		v := j.Host(host)
		if again := j.Host(v.Host); again != v {
			t.Errorf("Host(%q) = %+v, and again %+v", host, v, again)
		}
		if v.Evidence == "" || strings.ContainsFunc(v.Host+v.Evidence, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r != '…' }) {
			t.Errorf("Host(%q) = %q", host, v.Evidence)
		}
		for _, l := range j.Links(host) {
			if j.Host(l.Host).Host != l.Host {
				t.Errorf("Links(%q) has the host %q", host, l.Host)
			}
		}
	})
}

func BenchmarkHost(b *testing.B) {
	j := judge(b)
	list := append(lines(b, "others.txt"), lines(b, "lookalikes.txt")...)
	for i := 0; b.Loop(); i++ {
		j.Host(list[i%len(list)][0])
	}
}
