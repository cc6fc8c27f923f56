package collect

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
)

// errSealed says that a ticket was not made here, was changed, or is too old.
var errSealed = errors.New("the ticket does not hold")

// seal writes a value so that only collectors with the same secret can read or
// make it. The purpose keeps a ticket of one kind from being shown as another.
func (s *Server) seal(purpose string, v any) (string, error) {
	box, err := s.box(purpose)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, box.NonceSize())
	rand.Read(nonce) // never fails, see its documentation
	return base64.RawURLEncoding.EncodeToString(box.Seal(nonce, nonce, text, []byte(purpose))), nil
}

// unseal reads what seal wrote.
func (s *Server) unseal(purpose, sealed string, into any) error {
	box, err := s.box(purpose)
	if err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) < box.NonceSize() {
		return errSealed
	}
	text, err := box.Open(nil, raw[:box.NonceSize()], raw[box.NonceSize():], []byte(purpose))
	if err != nil || json.Unmarshal(text, into) != nil {
		return errSealed
	}
	return nil
}

// box is AES-256-GCM with a key of its own for each purpose (HKDF, RFC 5869).
func (s *Server) box(purpose string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, s.cfg.Secret, nil, "meetguard collector "+purpose, secretSize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// ticket is a step of a log-in or of setting up TOTP that the client carries.
type ticket struct {
	UserID  string    `json:"user"`
	Print   string    `json:"print"` // of the password then: a change ends all tickets
	Secret  []byte    `json:"secret,omitempty"`
	Expires time.Time `json:"expires"`
}

// ticketLife is how long a person may take for the next step.
const ticketLife = 5 * time.Minute
