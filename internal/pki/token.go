package pki

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"strings"
)

// tokenPrefix begins every enrolment token, so that scanners for leaked secrets
// know one.
const tokenPrefix = "mgenroll_"

// secretSize is the size of a token's secret and of a pin, in bytes: 160 bits,
// which base32 writes without padding.
const secretSize = 20

// letters are RFC 4648 base32 in lower case: one word, whatever selects it, and
// no letter that looks like a digit of it.
var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

var errToken = errors.New("it is no enrolment token: that is mgenroll_, 32 letters, and _ with 32 more")

// NewSecret makes the secret of a token, 32 letters. It is shown once; what is
// kept is its HashSecret.
func NewSecret() string {
	var b [secretSize]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return letters.EncodeToString(b[:])
}

// HashSecret is what the collector keeps of a secret or a bearer: SHA-256 in
// hexadecimal. The secrets are random and long, so nothing slower is needed.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// NewBearer makes the bearer of a device, 64 hexadecimal digits.
func NewBearer() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// FormatToken writes the word that an agent enrols with. pin is "" if agents
// trust the collector by other means.
func FormatToken(secret, pin string) string {
	if pin == "" {
		return tokenPrefix + secret
	}
	return tokenPrefix + secret + "_" + pin
}

// ParseToken reads what FormatToken wrote, and nothing else.
func ParseToken(word string) (secret, pin string, err error) {
	rest, ok := strings.CutPrefix(word, tokenPrefix)
	secret, pin, pinned := strings.Cut(rest, "_")
	if !ok || !ValidSecret(secret) || pinned && !ValidSecret(pin) {
		return "", "", errToken
	}
	return secret, pin, nil
}

// ValidSecret says whether text has the form of a secret or a pin.
func ValidSecret(text string) bool {
	b, err := letters.DecodeString(text)
	return err == nil && len(b) == secretSize && len(text) == letters.EncodedLen(secretSize)
}

// EnrolLine is the command that enrols an agent. url is the collector's.
func (a *Authority) EnrolLine(url, secret string) string {
	return "meetguard enroll " + url + " " + FormatToken(secret, a.Pin())
}
