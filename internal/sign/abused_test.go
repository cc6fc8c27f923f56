package sign

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"meetguard"
)

// listOf is a list that names one certificate.
func listOf(id *identity, issuer string) []byte {
	return fmt.Appendf(nil, "# a comment\nserial,issuer,reason,source\n%X,\"%s\",signed a lure,a report\n", id.cert.SerialNumber, issuer)
}

func TestAbused(t *testing.T) {
	p := newPeople(t)
	inside := issued.AddDate(0, 0, 1)
	cases := []struct {
		name   string
		by     *identity
		issuer string
		status meetguard.SignatureStatus
		chain  string
		was    string // chain by itself, if it is revoked
	}{
		{"good", p.good, "Test CA", invalid, ChainRevoked, ChainOK},
		{"good, by whole name", p.good, "CN=Test CA", invalid, ChainRevoked, ChainOK},
		{"three days, countersigned", p.short, "Test CA", invalid, ChainRevoked, ChainOK},
		{"self-signed", p.self, "Zoom Communications, Inc.", invalid, ChainRevoked, ChainUnknownRoot},
		{"other issuer", p.good, "Test CA 2", valid, ChainOK, ""},
		{"issuer in other case", p.good, "test ca", valid, ChainOK, ""},
		{"part of the issuer", p.good, "Test", valid, ChainOK, ""},
		{"other whole name", p.good, "CN=Test CA,O=Other", valid, ChainOK, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := newVerifier(t, p.ca)
			must(t, v.AddAbused(listOf(c.by, c.issuer)))
			s := sealPE(t, c.by, plainPE()).token(t, p.tsa, inside)
			sig, gaps := verify(v, inPE(t, s), meetguard.FormatPE)
			if sig.Status != c.status || sig.Chain != c.chain || len(gaps) > 0 {
				t.Fatalf("got %+v, gaps %v", sig, gaps)
			}
			if sig.Subject == "" || sig.Serial == "" || !sig.SignedAt.Equal(inside) {
				t.Errorf("the list hides facts: %+v", sig)
			}
			if c.was == "" && sig.Abused != "" {
				t.Errorf("abused: %q", sig.Abused)
			}
			if c.was != "" && (sig.Abused != "signed a lure (a report)" || !strings.HasSuffix(sig.Detail, "by itself is "+c.was)) {
				t.Errorf("abused %q, detail %q", sig.Abused, sig.Detail)
			}
		})
	}
}

// A signature that does not fit stays one that does not fit; and of two signers
// the abused one is told, whichever is reported.
func TestAbusedBesides(t *testing.T) {
	p := newPeople(t)
	v := newVerifier(t, p.ca)
	must(t, v.AddAbused(listOf(p.good, "Test CA")))
	sig, _ := verify(v, flipped(inPE(t, sealPE(t, p.good, plainPE())), 1000), meetguard.FormatPE)
	if sig.Chain != ChainBadDigest || sig.Abused == "" {
		t.Errorf("tampered: got %+v", sig)
	}
	both := inPE(t, sealPE(t, p.good, plainPE()).nest(t, sealPE(t, p.second, plainPE())))
	sig, _ = verify(v, both, meetguard.FormatPE)
	if sig.Status != valid || sig.Subject != "Second Ltd" || !strings.Contains(sig.Abused, zoom) || !strings.Contains(sig.Abused, "signed a lure") {
		t.Errorf("nested: got %+v", sig)
	}
	sig, _ = verify(v, machO(t, code{by: p.good, pages: 2}), meetguard.FormatMachO)
	if sig.Abused == "" || sig.Status == valid {
		t.Errorf("Mach-O: got %+v", sig)
	}
}

func TestAbusedSerials(t *testing.T) {
	ca := newCA(t)
	id := issue(t, ca, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(0x0a1b2c) })
	for _, serial := range []string{"0a1b2c", "A1B2C", "00:0a:1b:2c", " 0A 1B 2C "} {
		v := newVerifier(t, ca)
		must(t, v.AddAbused([]byte("\xef\xbb\xbfIssuer,Serial\nTest CA,"+serial+"\n")))
		if sig, _ := verify(v, signedPE(t, id), meetguard.FormatPE); sig.Chain != ChainRevoked || sig.Abused != "listed as abused" {
			t.Errorf("serial %q: got %+v", serial, sig)
		}
	}
}

func TestAbusedErrors(t *testing.T) {
	cases := []struct{ name, list, want string }{
		{"empty", "", "no header"},
		{"comments only", "# nothing\n", "no header"},
		{"no serial column", "issuer,number\nX,1\n", "line 1: the columns"},
		{"serial of letters", "issuer,serial\nX,1\nX,zz\n", "line 3: the serial"},
		{"serial with a sign", "issuer,serial\nX,-1\n", "line 2: the serial"},
		{"serial 0", "issuer,serial\nX,0\n", "line 2: the serial"},
		{"serial of 21 bytes", "issuer,serial\nX,1" + strings.Repeat("00", 20) + "\n", "line 2: the serial"},
		{"no issuer", "issuer,serial\n,1\n", "line 2: the issuer"},
		{"a column short", "issuer,serial\nX,1\n\n# comment\nX\n", "line 5"},
		{"open quote", "issuer,serial\n\"X,1\n", "line 2"},
		{"not UTF-8", "issuer,serial\n\xff,1\n", "UTF-8"},
	}
	for _, c := range cases {
		v := newVerifier(t)
		err := v.AddAbused([]byte(c.list))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		if len(v.authenticode.abused.bySerial) > 0 {
			t.Errorf("%s: a faulty list was added", c.name)
		}
	}
}

// The list of the product has to be readable, or no agent would start.
func TestShippedList(t *testing.T) {
	text, err := os.ReadFile("../../signatures/abused.csv")
	must(t, err)
	must(t, newVerifier(t).AddAbused(text))
}

func TestService(t *testing.T) {
	p := newPeople(t)
	v := newVerifier(t, p.ca)
	inside := issued.AddDate(0, 0, 1)
	own := issue(t, issue(t, nil, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "Microsoft ID Verified CS EOC CA 01"}
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	}), func(*x509.Certificate) {})
	const name = "Microsoft Trusted Signing"
	cases := []struct {
		what    string
		sealed  *sealed
		service string
		status  meetguard.SignatureStatus
	}{
		{"countersigned", sealPE(t, p.service, plainPE()).token(t, p.tsa, inside), name, valid},
		{"run out", sealPE(t, p.service, plainPE()), name, invalid},
		{"countersigned by a stranger", sealPE(t, p.service, plainPE()).token(t, p.strangeTSA, inside), name, untrusted},
		{"of another authority", sealPE(t, p.good, plainPE()), "", valid},
		{"of an authority that borrows the name", sealPE(t, own, plainPE()), "", untrusted},
	}
	for _, c := range cases {
		sig, _ := verify(v, inPE(t, c.sealed), meetguard.FormatPE)
		if sig.Service != c.service || sig.Status != c.status {
			t.Errorf("%s: got %+v", c.what, sig)
		}
	}
	sig, _ := verify(v, inPE(t, cases[0].sealed), meetguard.FormatPE)
	if sig.LifeDays > 4 || !sig.NotBefore.Equal(issued) || sig.SignedAt.Sub(sig.NotBefore) != 24*time.Hour {
		t.Errorf("age of the certificate: %+v", sig)
	}
}

// A self-signed certificate is an unknown root, and says so.
func TestSelfSignedSaysSo(t *testing.T) {
	p := newPeople(t)
	v := newVerifier(t, p.ca)
	for id, want := range map[*identity]bool{p.self: true, p.foreign: false} {
		sig, _ := verify(v, signedPE(t, id), meetguard.FormatPE)
		if sig.Chain != ChainUnknownRoot || strings.Contains(sig.Detail, "self-signed") != want {
			t.Errorf("got %+v", sig)
		}
	}
}
