package sign

import (
	"crypto/x509"
	"embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
)

// The pinned anchors. Their provenance is in roots/README.md and their
// fingerprints in anchors_test.go. Certificates for code, for countersignatures
// and Apple's are kept apart, because being trusted to tell the time is not
// being trusted to name a publisher.
//
//go:embed roots/code/*.pem roots/timestamp/*.pem roots/apple/*.pem
var rootFiles embed.FS

// Verifier checks signatures against pinned anchors and nothing else; the
// store of the operating system is never asked. It may be used from several
// goroutines once every AddAnchors and AddAbused is done.
type Verifier struct {
	authenticode anchors // PE, MSI, CAB
	apple        anchors // Mach-O
	appleRoots   map[string]bool
}

// anchors is what one signature system ends in.
type anchors struct {
	code   *x509.CertPool
	stamp  *x509.CertPool
	abused *abusedList // the same for all systems
}

// New returns a Verifier with the anchors that are part of the program.
func New() (*Verifier, error) {
	code, err := load("roots/code")
	if err != nil {
		return nil, err
	}
	stamp, err := load("roots/timestamp")
	if err != nil {
		return nil, err
	}
	apple, err := load("roots/apple")
	if err != nil {
		return nil, err
	}
	abused := &abusedList{}
	v := &Verifier{
		authenticode: anchors{pool(code), pool(stamp), abused},
		apple:        anchors{pool(apple), pool(apple), abused},
		appleRoots:   map[string]bool{},
	}
	for _, c := range apple {
		v.appleRoots[string(c.Raw)] = true
	}
	return v, nil
}

// AddAnchors adds the certificates of an operator's PEM file, for publishers
// and for countersignatures of every format. An Apple Team ID is still proven
// by Apple's own root alone. It must not run beside Verify.
func (v *Verifier) AddAnchors(text []byte) error {
	certs, err := parsePEM(text)
	if err != nil {
		return fmt.Errorf("add anchors: %w", err)
	}
	for _, c := range certs {
		for _, p := range []*x509.CertPool{v.authenticode.code, v.authenticode.stamp, v.apple.code, v.apple.stamp} {
			p.AddCert(c)
		}
	}
	return nil
}

func load(dir string) ([]*x509.Certificate, error) {
	names, err := fs.Glob(rootFiles, dir+"/*.pem")
	if err != nil {
		return nil, fmt.Errorf("list anchors of %s: %w", dir, err)
	}
	var all []*x509.Certificate
	for _, name := range names {
		text, err := rootFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read anchor %s: %w", name, err)
		}
		certs, err := parsePEM(text)
		if err != nil {
			return nil, fmt.Errorf("parse anchor %s: %w", name, err)
		}
		all = append(all, certs...)
	}
	return all, nil
}

func parsePEM(text []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return nil, errors.New("no certificate in the text")
	}
	return certs, nil
}

func pool(certs []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certs {
		p.AddCert(c)
	}
	return p
}
