package people

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// KeySize is the size of a sealing key in bytes (AES-256).
const KeySize = 32

// errSealed tells nothing of why, as whoever made it up would like to know.
var errSealed = errors.New("open what was sealed: it is damaged, or was sealed with another key or for another use")

// Sealer keeps short secrets and tickets unreadable and unchanged, with
// AES-256-GCM under a key that the caller keeps apart from what is sealed.
type Sealer struct{ aead cipher.AEAD }

// NewKey makes a sealing key.
func NewKey() []byte {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails, see crypto/rand
	return key
}

// NewSealer returns a Sealer with the key of KeySize bytes.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("sealing key has %d bytes, not %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &Sealer{aead}, err
}

// Seal seals a secret for a use, as in "totp of 0193…": it can be opened for
// the same use only, so a secret that was moved to another account is refused.
func (s *Sealer) Seal(use string, secret []byte) []byte {
	return s.aead.Seal(nil, nil, secret, []byte(use)) // #nosec G407 -- NewGCMWithRandomNonce makes the nonce
}

// Open returns a secret that Seal sealed for the use.
func (s *Sealer) Open(use string, sealed []byte) ([]byte, error) {
	secret, err := s.aead.Open(nil, nil, sealed, []byte(use))
	if err != nil {
		return nil, errSealed
	}
	return secret, nil
}

// ticket is what a browser holds for us for a while.
type ticket struct {
	Until int64           `json:"u"` // seconds since 1970
	Body  json.RawMessage `json:"b"`
}

// SealTicket seals a value for a use until a time, as text that fits a cookie.
func (s *Sealer) SealTicket(use string, value any, until time.Time) (string, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("seal ticket: %w", err)
	}
	plain, err := json.Marshal(ticket{until.Unix(), body})
	if err != nil {
		return "", fmt.Errorf("seal ticket: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(s.Seal("ticket: "+use, plain)), nil
}

// OpenTicket reads the value of a ticket for the use that has not expired.
func (s *Sealer) OpenTicket(use, text string, now time.Time, value any) error {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return errSealed
	}
	plain, err := s.Open("ticket: "+use, sealed)
	if err != nil {
		return err
	}
	var t ticket
	if err := json.Unmarshal(plain, &t); err != nil {
		return errSealed
	}
	if now.Unix() >= t.Until {
		return errors.New("open ticket: it has expired")
	}
	return json.Unmarshal(t.Body, value)
}
