package alert

import (
	"strings"
	"testing"
	"unicode/utf8"

	"meetguard"
)

func TestRedact(t *testing.T) {
	tests := []struct{ in, want string }{
		{`curl -fsSL https://zoom.invalid/j/123?pwd=abcd -o /tmp/z`, `curl -fsSL https://zoom.invalid/… -o /tmp/z`},
		{`curl http://bob:hunter2@zoom.invalid:8080/x`, `curl http://zoom.invalid:8080/…`},
		{`open https://zoom.invalid`, `open https://zoom.invalid`},
		{`open "https://zoom.invalid/"`, `open "https://zoom.invalid/"`},
		{`x https://zoom.invalid?token=1`, `x https://zoom.invalid/…`},
		{`app --token abc --name Bob`, `app --token ‹redacted› --name Bob`},
		{`app --access-token=abc`, `app --access-token=‹redacted›`},
		{`app /password:abc /quiet`, `app /password:‹redacted› /quiet`},
		{`app -Password "a b c" -x`, `app -Password ‹redacted› -x`},
		{`API_KEY=abc ./run`, `API_KEY=‹redacted› ./run`},
		{`curl -H "Authorization: Bearer abc def" zoom.invalid`, `curl -H "Authorization: ‹redacted›" zoom.invalid`},
		{`curl -H 'Cookie: a=b; c=d' zoom.invalid`, `curl -H 'Cookie: ‹redacted›' zoom.invalid`},
		{`curl -u bob:hunter2 zoom.invalid`, `curl -u bob:‹redacted› zoom.invalid`},
		{`powershell -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAKQA=`, `powershell -w hidden -enc ‹redacted›`},
		{`x 9f86d081884c7d659a2feaa0c55ad015`, `x ‹redacted›`},
		{`x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x`, `x ‹redacted›.‹redacted›.x`},
		{`x aGVsbG8gd29ybGQ/aGVsbG8gd29ybGQ+MTIzNDU2`, `x ‹redacted›`},
		{`C:\Users\ana\Downloads\ZoomInstallerFullPackage.exe /quiet`, `C:\Users\ana\Downloads\ZoomInstallerFullPackage.exe /quiet`},
		{`/Applications/zoom.us.app/Contents/MacOS/zoom.us -x`, `/Applications/zoom.us.app/Contents/MacOS/zoom.us -x`},
		{`/bin/bash /Volumes/Zoom/Install-Zoom-Meeting-Client.command`, `/bin/bash /Volumes/Zoom/Install-Zoom-Meeting-Client.command`},
		{`/var/folders/zz/zyx1vp2xvq6csfx4vn_n0000/T/install.sh`, `/var/folders/zz/‹redacted›/T/install.sh`},
		{`msiexec /i ZoomInstaller.msi /qn`, `msiexec /i ZoomInstaller.msi /qn`},
		{`curl -H "X-Auth-Token:abc def" zoom.invalid`, `curl -H "X-Auth-Token:‹redacted›" zoom.invalid`},
		{`x Authorization:Bearer abc -v`, `x Authorization:‹redacted› -v`},
		{``, ``},
	}
	for _, tt := range tests {
		if got := Redact(tt.in); got != tt.want {
			t.Errorf("Redact(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}

// secrets are the places where a secret is put, and must not come out of.
var secretPlaces = []string{
	"curl https://u:%@zoom.invalid/x", "curl 'https://zoom.invalid/a/b?k=%'", "x --password %", "x --password=%", "x /token:%",
	"x -Secret '%'", `x --api-key "%"`, "TOKEN=% y", `curl -H "Authorization: Bearer %"`, "curl -u name:%", "wscript //x --auth-token %",
	"x -H 'X-Api-Key: %'", "ftp://a:%@files.invalid", "export MY_SECRET=%; x", "https://zoom.invalid/%",
}

func TestRedactLeavesNoSecret(t *testing.T) {
	for _, secret := range []string{"hunter2", "S3cr3t!", "Tr0ub4dor&3", "correct-horse"} {
		for _, place := range secretPlaces {
			in := strings.ReplaceAll(place, "%", secret)
			if got := Redact(in); strings.Contains(got, secret) {
				t.Errorf("Redact(%q) = %q", in, got)
			}
		}
	}
}

func TestRedactSeesWhereArgumentsEnd(t *testing.T) {
	p := &meetguard.Process{Args: []string{"curl", "-H", "Authorization: Bearer abc", "--password", "a b", "zoom.invalid"}}
	want := `curl -H "Authorization: ‹redacted›" --password ‹redacted› zoom.invalid`
	if got := Redact(commandLine(p)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("curl https://zoom.invalid/x?y=z", "abc", "")
	f.Add(`app "x`, "hunter2", `' --quiet`)
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		out := Redact(before + " --token=" + secret + " " + after)
		if len(out) > 8*(len(before)+len(secret)+len(after)+16) {
			t.Errorf("the answer is %d bytes long", len(out))
		}
		if utf8.ValidString(before) && utf8.ValidString(secret) && utf8.ValidString(after) && !utf8.ValidString(out) {
			t.Errorf("the answer is no UTF-8: %q", out)
		}
		// A word that stands nowhere else must be gone, wherever it is put.
		const word = "Zq7-private-word"
		if strings.Contains(before+after, word) || strings.ContainsAny(before, "\"'") {
			return
		}
		if out := Redact(before + " --token=" + word + " " + after); strings.Contains(out, word) {
			t.Errorf("Redact left the secret in %q", out)
		}
	})
}
