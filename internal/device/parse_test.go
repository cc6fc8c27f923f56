package device

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"meetguard/internal/pki"
)

func TestParseToken(t *testing.T) {
	secret, pin := pki.NewSecret(), pki.NewSecret()
	for word, want := range map[string][2]string{
		pki.FormatToken(secret, pin):                {secret, pin},
		pki.FormatToken(secret, ""):                 {secret, ""},
		" " + pki.FormatToken(secret, pin) + "\r\n": {secret, pin},
	} {
		if s, p, err := parseToken(word); s != want[0] || p != want[1] || err != nil {
			t.Errorf("%q: %q %q %v", word, s, p, err)
		}
	}
	for _, bad := range []string{"", "mgenroll_", secret, "mgenroll_" + secret + "_", "mgenroll_" + secret + "_" + pin + "_", strings.ToUpper(pki.FormatToken(secret, pin)), "mgenroll_" + secret[1:], "mgenroll_" + secret + " " + pin} {
		if s, p, err := parseToken(bad); err == nil || s != "" || p != "" {
			t.Errorf("%q: %q %q", bad, s, p)
		}
	}
}

func TestReadToken(t *testing.T) {
	word := pki.FormatToken(pki.NewSecret(), pki.NewSecret())
	file := filepath.Join(t.TempDir(), "token")
	for text, good := range map[string]bool{word: true, word + "\n": true, "\r\n" + word + "\r\nsecond line\n": true, "": false, "x": false, word + strings.Repeat(" ", maxTokenFile): false} {
		os.WriteFile(file, []byte(text), 0o600)
		if got, err := ReadToken(file); (err == nil) != good || good && got != word {
			t.Errorf("%q: %q, %v", text, got, err)
		} else if err != nil && strings.Contains(err.Error(), "second") {
			t.Errorf("the error shows what the file holds: %v", err)
		}
	}
	if _, err := ReadToken(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
}

// winHTTP builds the value that netsh winhttp set proxy writes.
func winHTTP(flags uint32, proxy, bypass string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0x28)
	b = binary.LittleEndian.AppendUint32(b, 7)
	b = binary.LittleEndian.AppendUint32(b, flags)
	for _, s := range []string{proxy, bypass} {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	return append(b, make([]byte, 16)...)
}

const scutil = `<dictionary> {
  ExceptionsList : <array> {
    0 : *.local
    1 : 169.254/16
    2 : intranet.corp.invalid
  }
  ExcludeSimpleHostnames : 1
  FTPPassive : 1
  HTTPEnable : 1
  HTTPPort : 3128
  HTTPProxy : web.corp.invalid
  HTTPSEnable : 1
  HTTPSPort : 8080
  HTTPSProxy : proxy.corp.invalid
  __SCOPED__ : <dictionary> {
    en0 : <dictionary> {
      HTTPSEnable : 0
      HTTPSProxy : other.invalid
    }
  }
}
`

func TestProxyRules(t *testing.T) {
	parsed := func(b []byte) proxyRules { r, _ := parseWinHTTP(b); return r }
	for name, tt := range map[string]struct {
		rules  proxyRules
		host   string
		proxy  string
		script bool
	}{
		"direct":             {parsed(winHTTP(1, "", "")), "a.invalid", "", false},
		"one for all":        {parsed(winHTTP(3, "proxy:8080", "")), "a.invalid", "http://proxy:8080", false},
		"by scheme":          {parsed(winHTTP(3, "http=a:80;https=b:443;ftp=c:21", "")), "a.invalid", "http://b:443", false},
		"not for https":      {parsed(winHTTP(3, "http=a:80", "")), "a.invalid", "", false},
		"switched off":       {parsed(winHTTP(1, "proxy:8080", "")), "a.invalid", "", false},
		"a script":           {parsed(winHTTP(5, "", "")), "a.invalid", "", true},
		"past by pattern":    {parsed(winHTTP(3, "proxy:8080", "10.*;*.corp.invalid;<local>")), "x.CORP.invalid", "", false},
		"past by address":    {parsed(winHTTP(3, "proxy:8080", "10.*")), "10.1.2.3", "", false},
		"past as local":      {parsed(winHTTP(3, "proxy:8080", "<local>")), "collector", "", false},
		"not local":          {parsed(winHTTP(3, "proxy:8080", "<local>")), "c.invalid", "http://proxy:8080", false},
		"this machine":       {parsed(winHTTP(3, "proxy:8080", "")), "127.0.0.1", "", false},
		"this machine, name": {parsed(winHTTP(3, "proxy:8080", "")), "localhost", "", false},
		"a proxy over TLS":   {parsed(winHTTP(3, "https://proxy:8080", "")), "a.invalid", "", false},
		"macOS":              {parseScutil([]byte(scutil)), "a.invalid", "http://proxy.corp.invalid:8080", false},
		"macOS, exception":   {parseScutil([]byte(scutil)), "intranet.corp.invalid", "", false},
		"macOS, pattern":     {parseScutil([]byte(scutil)), "a.local", "", false},
		"macOS, network":     {parseScutil([]byte(scutil)), "169.254.7.7", "", false},
		"macOS, other net":   {parseScutil([]byte(scutil)), "169.253.7.7", "http://proxy.corp.invalid:8080", false},
		"macOS, simple":      {parseScutil([]byte(scutil)), "collector", "", false},
		"macOS, none":        {parseScutil([]byte("<dictionary> {\n}\n")), "a.invalid", "", false},
		"macOS, script":      {parseScutil([]byte("<dictionary> {\n  ProxyAutoConfigEnable : 1\n}\n")), "a.invalid", "", true},
	} {
		got := ""
		if u := tt.rules.url(tt.host); u != nil {
			got = u.String()
		}
		if got != tt.proxy || tt.rules.script != tt.script {
			t.Errorf("%s: %q, %+v", name, got, tt.rules)
		}
	}
	for _, bad := range [][]byte{nil, winHTTP(3, "proxy:8080", "")[:11], winHTTP(3, "proxy:8080", "")[:14], winHTTP(3, "proxy:8080", "")[:18], append(winHTTP(3, "", "")[:12], 0xff, 0xff, 0xff, 0xff)} {
		if r, err := parseWinHTTP(bad); err == nil || !reflect.DeepEqual(r, proxyRules{}) {
			t.Errorf("%x: %+v", bad, r)
		}
	}
}

func TestMachine(t *testing.T) {
	m := ThisMachine()
	for _, id := range []string{m.ID, m.Boot} {
		if id != "" && len(id) != 64 {
			t.Errorf("%q", id)
		}
	}
	if m != ThisMachine() || m.ID != "" && m.ID == m.Boot {
		t.Errorf("%+v", m)
	}
	a, b := hide("machine", "0123456789abcdef0123456789abcdef\n"), hide("machine", "0123456789ABCDEF0123456789ABCDEF")
	if a != b || a == hide("boot", "0123456789abcdef0123456789abcdef") || strings.Contains(a, "0123456789abcdef") {
		t.Errorf("%s %s", a, b)
	}
	for _, none := range []string{"", "\n", "uninitialized\n"} {
		if hide("machine", none) != "" {
			t.Errorf("%q is taken for an id", none)
		}
	}
}

func TestParseIOReg(t *testing.T) {
	const text = `+-o J314sAP  <class IOPlatformExpertDevice, id 0x10000022f, registered, matched, active, busy 0 (144 ms), retain 39>
    {
      "IOPlatformSerialNumber" = "C02XXXXXXXXX"
      "IOPlatformUUID" = "564D3E7A-0000-5C6B-9C3E-0123456789AB"
      "manufacturer" = <"Apple Inc.">
    }
`
	for in, want := range map[string]string{
		text: "564D3E7A-0000-5C6B-9C3E-0123456789AB", "": "", `"IOPlatformUUID" = "short"`: "",
		`"IOPlatformUUID" = "564D3E7A-0000-5C6B-9C3E-0123456789AX"`: "", `"IOPlatformUUID"`: "",
	} {
		if got := parseIOReg([]byte(in)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(pki.FormatToken(pki.NewSecret(), pki.NewSecret()))
	f.Add("mgenroll__")
	f.Fuzz(func(t *testing.T, word string) {
		secret, pin, err := parseToken(word)
		theirSecret, theirPin, theirs := pki.ParseToken(strings.TrimSpace(word))
		if (err == nil) != (theirs == nil) || secret != theirSecret || pin != theirPin {
			t.Errorf("%q: %q %q %v, the collector reads %q %q %v", word, secret, pin, err, theirSecret, theirPin, theirs)
		}
	})
}

func FuzzIdentity(f *testing.F) {
	f.Add([]byte(`{"version":1,"current":{"key":"","certificate":""}}`))
	f.Add([]byte(`{"version":1,"agent_uid":"a","bearer":"bbbbbbbbbbbbbbbbbbbb","ca":"","current":{},"next":{},"pending":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if id, err := parseIdentity(data); err == nil && id.Current != nil && id.Current.pair == nil {
			t.Error("an identity without certificate")
		}
	})
}

func FuzzProxySettings(f *testing.F) {
	f.Add(winHTTP(3, "proxy:8080", "<local>;10.*"))
	f.Add([]byte(scutil))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, _ := parseWinHTTP(data)
		for _, r := range []proxyRules{a, parseScutil(data)} {
			for _, host := range []string{"a.invalid", "10.1.2.3", "::1"} {
				if u := r.url(host); u != nil && (u.Scheme != "http" || u.Host == "" || u.User != nil || host == "::1") {
					t.Errorf("%s goes through %v", host, u)
				}
			}
		}
		parseIOReg(data)
	})
}
