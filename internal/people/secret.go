package people

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
)

// tokenPrefix marks an API token, so that scanners for leaked secrets can find it.
const tokenPrefix = "mgt_"

// NewSecret makes the secret of a session, 256 bits, and the hash under which
// it is kept.
func NewSecret() (secret, hash string) {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails, see crypto/rand
	secret = base64.RawURLEncoding.EncodeToString(raw)
	return secret, HashSecret(secret)
}

// NewAPIToken makes an API token, mgt_ and 256 bits, and the hash under which it
// is kept.
func NewAPIToken() (token, hash string) {
	secret, _ := NewSecret()
	token = tokenPrefix + secret
	return token, HashSecret(token)
}

// HashSecret is the SHA-256 of a secret in hexadecimal. What it is made of has
// 80 bits or more, so it needs no salt and no cost.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// BearerToken returns the API token of a request, or "" if it shows none.
func BearerToken(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(token, tokenPrefix) {
		return ""
	}
	return token
}

// recoveryCodes is how many an account gets.
const recoveryCodes = 10

// NewRecoveryCodes makes codes for the day the authenticator is lost, 80 bits
// each, and the hashes under which they are kept. Each is good for one log-in.
func NewRecoveryCodes() (codes, hashes []string) {
	for range recoveryCodes {
		raw := make([]byte, 10)
		rand.Read(raw) // never fails, see crypto/rand
		code := grouped(strings.ToLower(base32.StdEncoding.EncodeToString(raw)), "-")
		codes, hashes = append(codes, code), append(hashes, HashRecoveryCode(code))
	}
	return codes, hashes
}

// HashRecoveryCode is the hash of a code as somebody typed it: case, dashes and
// spaces do not count, and what is no letter of base32 is read as the letter
// that looks like it.
func HashRecoveryCode(code string) string {
	code = strings.Map(func(r rune) rune {
		switch r {
		case '-', ' ', '\t':
			return -1
		case '0':
			return 'o'
		case '1':
			return 'i'
		case '8':
			return 'b'
		}
		return r
	}, strings.ToLower(code))
	return HashSecret("recovery:" + code)
}
