package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
)

// Where the uid of an agent stands in a certificate.
const (
	uidCN  = "cn"  // the common name
	uidDNS = "dns" // the one DNS name
	uidURI = "uri" // the one URI that begins with the prefix
)

// oidCommonName is id-at-commonName (RFC 5280, appendix A.1).
var oidCommonName = asn1.ObjectIdentifier{2, 5, 4, 3}

// uidForm says where the uid of an agent stands in a certificate.
type uidForm struct {
	where  string
	prefix string // of uidURI
}

// Accept makes client certificates of the operator's own CAs count, which
// devices have from elsewhere. from says where they name the agent: "cn" (also
// ""), "dns", or "uri:PREFIX". Who signs with such a CA decides who an agent is.
func (a *Authority) Accept(cas []*x509.Certificate, from string) error {
	form, err := parseForm(from)
	if err != nil {
		return err
	}
	if len(cas) == 0 {
		return errors.New("accept client CAs: none is given")
	}
	for _, c := range cas {
		if !c.IsCA {
			return fmt.Errorf("accept client CAs: %q is none of a CA", c.Subject.CommonName)
		}
	}
	a.foreign, a.uidFrom = poolOf(cas), form
	a.offered = poolOf(append(append([]*x509.Certificate{}, a.cas...), cas...))
	return nil
}

func parseForm(from string) (uidForm, error) {
	where, prefix, _ := strings.Cut(from, ":")
	switch {
	case from == "" || from == uidCN:
		return uidForm{where: uidCN}, nil
	case from == uidDNS:
		return uidForm{where: uidDNS}, nil
	case where == uidURI && prefix != "":
		return uidForm{uidURI, prefix}, nil
	}
	return uidForm{}, fmt.Errorf("read where certificates name the agent: %q is not cn, dns or uri:PREFIX", from)
}

// uid reads the name. Two that fit are none: it must not depend on their order.
func (f uidForm) uid(c *x509.Certificate) (string, error) {
	var found []string
	switch f.where {
	case uidCN:
		for _, name := range c.Subject.Names {
			if text, ok := name.Value.(string); ok && name.Type.Equal(oidCommonName) {
				found = append(found, text)
			}
		}
	case uidDNS:
		found = c.DNSNames
	case uidURI:
		for _, u := range c.URIs {
			if rest, ok := strings.CutPrefix(u.String(), f.prefix); ok {
				found = append(found, rest)
			}
		}
	}
	if len(found) != 1 || !reUID.MatchString(found[0]) {
		return "", errors.New("it does not name one agent")
	}
	return found[0], nil
}
