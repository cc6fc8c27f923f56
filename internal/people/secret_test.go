package people

import (
	"encoding/base64"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestSecrets(t *testing.T) {
	secret, hash := NewSecret()
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil || len(raw) != 32 {
		t.Errorf("a secret of %d bytes, %v", len(raw), err)
	}
	if hash != HashSecret(secret) || !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(hash) {
		t.Errorf("hash %q", hash)
	}
	if HashSecret("abc") != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" { // FIPS 180-2, B.1
		t.Error("not SHA-256")
	}
	again, _ := NewSecret()
	token, tokenHash := NewAPIToken()
	if again == secret || !regexp.MustCompile(`^mgt_[A-Za-z0-9_-]{43}$`).MatchString(token) || tokenHash != HashSecret(token) {
		t.Errorf("token %q", token)
	}
}

func TestBearerToken(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer mgt_abc": "mgt_abc", "bearer mgt_abc": "mgt_abc",
		"": "", "Bearer": "", "Bearer abc": "", "Basic mgt_abc": "", "mgt_abc": "",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", header)
		if got := BearerToken(r); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

func TestRecoveryCodes(t *testing.T) {
	codes, hashes := NewRecoveryCodes()
	if len(codes) != 10 || len(hashes) != 10 {
		t.Fatalf("%d codes, %d hashes", len(codes), len(hashes))
	}
	seen := map[string]bool{}
	for i, code := range codes {
		if !regexp.MustCompile(`^[a-z2-7]{4}(-[a-z2-7]{4}){3}$`).MatchString(code) || seen[code] {
			t.Errorf("code %q", code)
		}
		seen[code] = true
		plain := strings.ReplaceAll(code, "-", "")
		for _, typed := range []string{code, plain, strings.ToUpper(code), " " + plain + " ",
			strings.NewReplacer("o", "0", "i", "1", "b", "8").Replace(code)} {
			if HashRecoveryCode(typed) != hashes[i] {
				t.Errorf("%q typed as %q is another code", code, typed)
			}
		}
	}
	if HashRecoveryCode(codes[0]) == HashRecoveryCode(codes[1]) || HashRecoveryCode("") == hashes[0] {
		t.Error("different codes have one hash")
	}
}
