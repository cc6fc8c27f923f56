package device

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// identity is what the state folder keeps: everything in one file, so that key,
// certificate and trust always fit whatever moment a crash chooses.
type identity struct {
	Version   int         `json:"version"`
	Collector string      `json:"collector,omitempty"` // base URL that it counts for
	AgentUID  string      `json:"agent_uid,omitempty"`
	CA        string      `json:"ca,omitempty"`     // PEM: roots for the collector
	Bearer    string      `json:"bearer,omitempty"` // secret
	MachineID string      `json:"machine_id,omitempty"`
	Enrolled  time.Time   `json:"enrolled,omitzero"`
	Current   *credential `json:"current,omitempty"` // accepted by the collector
	Next      *credential `json:"next,omitempty"`    // of a renewal that is not yet proven; without certificate if no answer came
	Pending   *credential `json:"pending,omitempty"` // key of an enrolment that got no answer
}

// identityVersion is that of the file's form.
const identityVersion = 1

// credential is a key with its certificate.
type credential struct {
	Key         string `json:"key"`                   // PEM, PKCS #8; never leaves this machine
	Certificate string `json:"certificate,omitempty"` // PEM

	pair *tls.Certificate // set by load
}

var (
	reUID    = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	reBearer = regexp.MustCompile(`^[!-~]{16,256}$`)
)

func newCredential() (*credential, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return &credential{Key: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}, nil
}

func (c *credential) signer() (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(c.Key))
	if block == nil {
		return nil, errors.New("read key: it is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("read key: it is damaged")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("read key: it cannot sign")
	}
	return signer, nil
}

// request asks for a certificate. The name in it is for people who read it: the
// collector takes only the key.
func (c *credential) request() (string, error) {
	key, err := c.signer()
	if err != nil {
		return "", err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "meetguard agent"}}, key)
	if err != nil {
		return "", fmt.Errorf("make certificate request: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), nil
}

// load checks that key and certificate fit and that it is the agent's.
func (c *credential) load(uid string) error {
	pair, err := tls.X509KeyPair([]byte(c.Certificate), []byte(c.Key))
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	if pair.Leaf == nil {
		if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
			return fmt.Errorf("read certificate: %w", err)
		}
	}
	if pair.Leaf.Subject.CommonName != uid {
		return fmt.Errorf("read certificate: it is for agent %q, not for %q", clean(pair.Leaf.Subject.CommonName), uid)
	}
	c.pair = &pair
	return nil
}

// renewAt is when two thirds of a certificate's life are over, and a little
// later that differs from device to device: fleets are enrolled in one hour, and
// must not come back in one.
func renewAt(c *x509.Certificate) time.Time {
	life := c.NotAfter.Sub(c.NotBefore)
	spread := life / 20 / 256 * time.Duration(c.RawSubjectPublicKeyInfo[len(c.RawSubjectPublicKeyInfo)-1])
	return c.NotBefore.Add(life*2/3 + spread)
}

// parseIdentity accepts only an identity that can be used as it stands, or one
// that has a pending enrolment and nothing else.
func parseIdentity(data []byte) (*identity, error) {
	id := new(identity)
	if err := json.Unmarshal(data, id); err != nil {
		return nil, errors.New("it is damaged")
	}
	if id.Version != identityVersion {
		return nil, fmt.Errorf("it has version %d, this program knows %d", id.Version, identityVersion)
	}
	if id.Current == nil {
		return id, nil
	}
	if !reUID.MatchString(id.AgentUID) || !reBearer.MatchString(id.Bearer) {
		return nil, errors.New("it is damaged")
	}
	if err := id.Current.load(id.AgentUID); err != nil {
		return nil, err
	}
	if id.Next != nil && id.Next.Certificate != "" && id.Next.load(id.AgentUID) != nil {
		id.Next = nil // it was never proven: the current one goes on
	}
	_, err := parsePool(id.CA)
	return id, err
}

// parsePool reads a PEM bundle that holds certificates and nothing else.
func parsePool(text string) (*x509.CertPool, error) {
	pool, n := x509.NewCertPool(), 0
	for data := []byte(text); ; n++ {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		c, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			return nil, errors.New("read CA: it holds something besides certificates")
		}
		pool.AddCert(c)
	}
	if n == 0 {
		return nil, errors.New("read CA: it holds no certificate")
	}
	return pool, nil
}
