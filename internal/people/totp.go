package people

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // RFC 6238; SHA-1 is sound within HMAC, and all that many authenticators know
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// One-time codes by time, RFC 6238, with what every authenticator knows: SHA-1,
// steps of 30 seconds, six digits.
const (
	totpStep     = 30 // seconds
	totpDigits   = 6
	totpModulus  = 1_000_000
	totpSkew     = 1  // steps that a clock may be off, RFC 6238 section 5.2
	totpSecret   = 20 // bytes, the size of the hash, RFC 4226 section 4
	totpCodeSize = 64 // bytes of input that are looked at
)

// NewTOTPSecret makes the secret of a new authenticator.
func NewTOTPSecret() []byte {
	secret := make([]byte, totpSecret)
	rand.Read(secret) // never fails, see crypto/rand
	return secret
}

// TOTPStep is the number of the step at a time.
func TOTPStep(at time.Time) int64 { return at.Unix() / totpStep }

// TOTPCode is the code of a step.
func TOTPCode(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f // RFC 4226 section 5.3
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", totpDigits, n%totpModulus)
}

// MatchTOTP tells whether the code is that of now or of the step before or
// after, and of which: the caller must refuse a step that was used before.
func MatchTOTP(secret []byte, code string, now time.Time) (step int64, ok bool) {
	if len(code) > totpCodeSize {
		return 0, false
	}
	code = strings.Join(strings.Fields(code), "")
	middle := TOTPStep(now)
	for s := middle - totpSkew; s <= middle+totpSkew; s++ {
		if subtle.ConstantTimeCompare([]byte(TOTPCode(secret, s)), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok
}

// TOTPText is the secret as it is typed into an authenticator, in groups of four.
func TOTPText(secret []byte) string {
	return grouped(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret), " ")
}

// grouped puts a separator after every four characters.
func grouped(text, separator string) string {
	var b strings.Builder
	for i, r := range text {
		if i > 0 && i%4 == 0 {
			b.WriteString(separator)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// TOTPURI is the secret as an authenticator reads it from a QR code. Spaces are
// written %20, as some authenticators show a + as it is and some as a space.
func TOTPURI(issuer, account string, secret []byte) string {
	q := url.Values{
		"secret":    {strings.ReplaceAll(TOTPText(secret), " ", "")},
		"issuer":    {issuer},
		"algorithm": {"SHA1"},
		"digits":    {fmt.Sprint(totpDigits)},
		"period":    {fmt.Sprint(totpStep)},
	}
	label := url.QueryEscape(issuer) + ":" + url.QueryEscape(account)
	return "otpauth://totp/" + strings.ReplaceAll(label+"?"+q.Encode(), "+", "%20")
}
