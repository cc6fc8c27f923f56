package people

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// RFC 6238, appendix B, SHA-1; the codes there have eight digits, of which the
// last six are the code of six.
var rfc6238 = map[int64]string{
	59: "94287082", 1111111109: "07081804", 1111111111: "14050471",
	1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
}

func TestTOTPOfRFC6238(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, code := range rfc6238 {
		if got := TOTPCode(secret, TOTPStep(time.Unix(at, 0))); got != code[2:] {
			t.Errorf("at %d: %s, want %s", at, got, code[2:])
		}
	}
}

func TestMatchTOTP(t *testing.T) {
	secret := NewTOTPSecret()
	now := time.Date(2026, 11, 22, 10, 0, 15, 0, time.UTC)
	step := TOTPStep(now)
	for offset, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		code := TOTPCode(secret, step+offset)
		if got, ok := MatchTOTP(secret, code, now); ok != want || ok && got != step+offset {
			t.Errorf("step %+d: step %d, %v; want %v", offset, got-step, ok, want)
		}
	}
	code := TOTPCode(secret, step)
	for typed, want := range map[string]bool{
		code[:3] + " " + code[3:]: true, " " + code + "\n": true,
		"": false, code[:5]: false, code + "0": false, "x" + code[1:]: false, strings.Repeat(" ", 100) + code: false,
	} {
		if _, ok := MatchTOTP(secret, typed, now); ok != want {
			t.Errorf("typed %q: %v, want %v", typed, ok, want)
		}
	}
	if _, ok := MatchTOTP(NewTOTPSecret(), code, now); ok {
		t.Error("the code of another secret is good")
	}
}

func TestTOTPURI(t *testing.T) {
	secret := []byte("12345678901234567890")
	got := TOTPURI("MeetGuard: ö&", "ana+x@example.invalid/?#", secret)
	if strings.ContainsAny(got, " +#") || strings.Count(got, "?") != 1 {
		t.Errorf("authenticators misread %s", got)
	}
	u, err := url.Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got, "otpauth://totp/MeetGuard%3A%20%C3%B6%26:ana%2Bx%40example.invalid%2F%3F%23?") {
		t.Errorf("label: %s", got)
	}
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/MeetGuard: ö&:ana+x@example.invalid/?#" {
		t.Errorf("label: %q", u.Path)
	}
	want := "algorithm=SHA1&digits=6&issuer=MeetGuard%3A+%C3%B6%26&period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	if q := u.Query().Encode(); q != want {
		t.Errorf("\n got %s\nwant %s", q, want)
	}
	if text := TOTPText(secret); text != "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ" {
		t.Errorf("text: %q", text)
	}
}
