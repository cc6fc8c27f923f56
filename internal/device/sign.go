package device

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// signs says whether requests prove the device in headers: a proxy that opens TLS
// keeps the client certificate to itself. d.mu is held.
func (d *Device) signs() bool {
	return d.cfg.Trust != "" && d.cfg.Certificate == "" && !d.plain()
}

// sign returns the request with the headers that prove the device. d.mu is held.
func (d *Device) sign(req *http.Request, cred *credential) (*http.Request, error) {
	body, err := bodyOf(req)
	if err != nil {
		return req, fmt.Errorf("sign request: %w", err)
	}
	date := strconv.FormatInt(d.now().Add(d.skew).Unix(), 10)
	sig, err := signature(cred.pair.PrivateKey, signedText(req.Method, req.URL.EscapedPath(), date, body))
	if err != nil {
		return req, fmt.Errorf("sign request: %w", err)
	}
	out := req.Clone(req.Context())
	out.Header.Set("Authorization", "Bearer "+d.id.Bearer)
	out.Header.Set("X-MG-Certificate", base64.StdEncoding.EncodeToString(cred.pair.Leaf.Raw))
	out.Header.Set("X-MG-Date", date)
	out.Header.Set("X-MG-Signature", base64.StdEncoding.EncodeToString(sig))
	return out, nil
}

// bodyOf reads a copy of the body.
func bodyOf(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	if req.GetBody == nil {
		return nil, errors.New("its body can be read only once")
	}
	r, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// signedText is written down in the package comment.
func signedText(method, path, date string, body []byte) []byte {
	sum := sha256.Sum256(body)
	return []byte("meetguard request v1\n" + method + "\n" + path + "\n" + date + "\n" + hex.EncodeToString(sum[:]) + "\n")
}

func signature(key crypto.PrivateKey, text []byte) ([]byte, error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the key cannot sign")
	}
	if _, ok := key.(ed25519.PrivateKey); ok {
		return signer.Sign(rand.Reader, text, crypto.Hash(0))
	}
	sum := sha256.Sum256(text)
	return signer.Sign(rand.Reader, sum[:], crypto.SHA256)
}
