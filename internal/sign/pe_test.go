package sign

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"meetguard"
)

func TestChains(t *testing.T) {
	ca := newCA(t)
	tsa := issue(t, ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping} })
	stranger := issue(t, newCA(t), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping} })
	good := issue(t, ca, func(*x509.Certificate) {})
	short := issue(t, ca, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(72*time.Hour - time.Second) })
	early := issue(t, ca, func(c *x509.Certificate) { c.NotBefore = today.AddDate(0, 1, 0) })
	web := issue(t, ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	silent := issue(t, ca, func(c *x509.Certificate) { c.ExtKeyUsage = nil })
	self := issue(t, nil, func(*x509.Certificate) {})
	oldSelf := issue(t, nil, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 3) })

	const (
		valid, invalid, untrusted = meetguard.SignatureValid, meetguard.SignatureInvalid, meetguard.SignatureUntrusted
	)
	inside := issued.AddDate(0, 0, 1)
	cases := []struct {
		name    string
		by      *identity
		tsa     *identity
		at      time.Time
		status  meetguard.SignatureStatus
		chain   string
		remarks string
	}{
		{"good", good, nil, inside, valid, ChainOK, ""},
		{"good and countersigned", good, tsa, inside, valid, ChainOK, ""},
		{"self-signed Zoom", self, nil, inside, untrusted, ChainUnknownRoot, ""},
		{"self-signed Zoom, run out", oldSelf, nil, inside, untrusted, ChainUnknownRoot, ""},
		{"run out", short, nil, inside, invalid, ChainExpired, ""},
		{"three days, countersigned inside", short, tsa, inside, valid, ChainOK, ""},
		{"three days, countersigned afterwards", short, tsa, inside.AddDate(0, 1, 0), invalid, ChainExpired, ""},
		{"three days, stranger countersigned", short, stranger, inside, untrusted, ChainUnknownRoot, RemarkStampUntrusted},
		{"countersigned with a certificate for code", short, good, inside, untrusted, ChainUnknownRoot, RemarkStampUntrusted},
		{"not valid yet", early, nil, inside, invalid, ChainNotYetValid, ""},
		{"for web servers", web, nil, inside, invalid, ChainWrongUsage, ""},
		{"for nothing in particular", silent, nil, inside, invalid, ChainWrongUsage, ""},
	}
	v := newVerifier(t, ca)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file := plainPE()
			s := sealPE(t, c.by, file)
			if c.tsa != nil {
				s.stamp(t, c.tsa, c.at)
			}
			sig, gaps := verify(v, withTable(file, entryAt, certEntry(certTypePKCS, s.der(t))), meetguard.FormatPE)
			if sig.Status != c.status || sig.Chain != c.chain || strings.Join(sig.Remarks, ",") != c.remarks || len(gaps) > 0 {
				t.Errorf("got %+v, gaps %v", sig, gaps)
			}
			if sig.Subject != zoom {
				t.Errorf("subject %q", sig.Subject)
			}
			if proven := c.tsa == tsa && c.tsa != nil; proven != sig.SignedAt.Equal(c.at) {
				t.Errorf("signed at %v, countersigned at %v", sig.SignedAt, c.at)
			}
			if (sig.Detail == "") != (c.status == valid) {
				t.Errorf("detail %q", sig.Detail)
			}
		})
	}
	if sig, _ := verify(v, signedPE(t, short), meetguard.FormatPE); sig.LifeDays != 3 {
		t.Errorf("life of %d days, want 3", sig.LifeDays)
	}
}

// A countersignature over another signature is as good as none.
func TestForeignCountersignature(t *testing.T) {
	ca := newCA(t)
	tsa := issue(t, ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping} })
	short := issue(t, ca, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 3) })
	file := plainPE()
	donor := sealPE(t, short, file).stamp(t, tsa, issued.AddDate(0, 0, 1))
	s := sealPE(t, short, file)
	s.psd.Content.Certificates = donor.psd.Content.Certificates
	s.psd.Content.SignerInfos[0].UnauthenticatedAttributes = donor.psd.Content.SignerInfos[0].UnauthenticatedAttributes
	sig, _ := verify(newVerifier(t, ca), withTable(file, entryAt, certEntry(certTypePKCS, s.der(t))), meetguard.FormatPE)
	if sig.Status != meetguard.SignatureInvalid || sig.Chain != ChainExpired || !contains(sig.Remarks, RemarkStampInvalid) || !sig.SignedAt.IsZero() {
		t.Errorf("got %+v", sig)
	}
}

// A second signature inside of the first proves as much as the first.
func TestNestedSignature(t *testing.T) {
	ca := newCA(t)
	unknown := issue(t, nil, func(c *x509.Certificate) { c.Subject.Organization = []string{"Nobody"} })
	file := plainPE()
	inner := sealPE(t, issue(t, ca, func(*x509.Certificate) {}), file)
	outer := sealPE(t, unknown, file).unsigned(t, oidNested, *inner.psd)
	v := newVerifier(t, ca)
	signed := withTable(file, entryAt, certEntry(certTypePKCS, outer.der(t)))
	sig, _ := verify(v, signed, meetguard.FormatPE)
	if sig.Status != meetguard.SignatureValid || sig.Subject != zoom || len(sig.OtherSigners) != 1 || sig.OtherSigners[0] != "Nobody" {
		t.Errorf("got %+v", sig)
	}
	signed[1000] ^= 1
	if sig, _ = verify(v, signed, meetguard.FormatPE); sig.Status != meetguard.SignatureInvalid || sig.Chain != ChainBadDigest {
		t.Errorf("tampered: got %+v", sig)
	}
}

func TestStuffedAttributes(t *testing.T) {
	ca := newCA(t)
	file := plainPE()
	s := sealPE(t, issue(t, ca, func(*x509.Certificate) {}), file).
		unsigned(t, []int{1, 3, 6, 1, 4, 1, 99999, 1}, bytes.Repeat([]byte("host.invalid "), 100))
	sig, _ := verify(newVerifier(t, ca), withTable(file, entryAt, certEntry(certTypePKCS, s.der(t))), meetguard.FormatPE)
	if sig.Status != meetguard.SignatureValid || !contains(sig.Remarks, RemarkUnauthBlob) {
		t.Errorf("got %+v", sig)
	}
}

// Names with control and bidi characters reach nobody's terminal.
func TestNamesAreClean(t *testing.T) {
	id := issue(t, nil, func(c *x509.Certificate) {
		c.Subject.Organization = []string{"Zoom\u202e\x1b[2J\nInc." + strings.Repeat("x", 500)}
	})
	sig, _ := verify(newVerifier(t), signedPE(t, id), meetguard.FormatPE)
	if strings.ContainsAny(sig.Subject, "\u202e\x1b\n") || !strings.HasPrefix(sig.Subject, "Zoom\uFFFD\uFFFD[2J\uFFFDInc.") || len([]rune(sig.Subject)) > 201 {
		t.Errorf("subject %q", sig.Subject)
	}
}

func TestHostilePE(t *testing.T) {
	ca := newCA(t)
	good := signedPE(t, issue(t, ca, func(*x509.Certificate) {}))
	put16 := func(at int, n uint16) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint16(b[at:], n); return b }
	}
	put32 := func(at int, n uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[at:], n); return b }
	}
	const unsigned, invalid = meetguard.SignatureUnsigned, meetguard.SignatureInvalid
	cases := []struct {
		name   string
		change func([]byte) []byte
		status meetguard.SignatureStatus
		chain  string
	}{
		{"no optional header", put16(128+20, 0), unsigned, ""},
		{"optional header beyond the file", put16(128+20, 65535), unsigned, ""},
		{"header beyond the file", put32(60, 0xfffffff0), unsigned, ""},
		{"no directories", put32(128+24+108, 4), unsigned, ""},
		{"other magic", put16(128+24, 0x107), unsigned, ""},
		{"table of 4 GB", put32(entryAt+4, 0xffffffff), invalid, ChainMalformed},
		{"table beyond the file", put32(entryAt, 0xfffffff0), invalid, ChainMalformed},
		{"table over the header", put32(entryAt, 16), invalid, ChainMalformed},
		{"entry of length 0", put32(2048, 0), invalid, ChainMalformed},
		{"entry of 4 GB", put32(2048, 0xffffffff), invalid, ChainMalformed},
		{"signature cut off", put32(2048, 100), invalid, ChainMalformed},
		{"signature of zeros", func(b []byte) []byte { clear(b[2056:]); return b }, invalid, ChainMalformed},
		{"file cut off", func(b []byte) []byte { return b[:len(b)-100] }, invalid, ChainMalformed},
		{"empty", func(b []byte) []byte { return nil }, unsigned, ""},
		{"DOS program", func(b []byte) []byte { return b[:64] }, unsigned, ""},
		{"changed", func(b []byte) []byte { b[700] ^= 1; return b }, invalid, ChainBadDigest},
		{"changed entry point", func(b []byte) []byte { b[128+24+16] ^= 1; return b }, invalid, ChainBadDigest},
	}
	v := newVerifier(t, ca)
	if sig, _ := verify(v, good, meetguard.FormatPE); sig.Status != meetguard.SignatureValid {
		t.Fatalf("the fixture is not valid: %+v", sig)
	}
	for _, c := range cases {
		sig, gaps := verify(v, c.change(bytes.Clone(good)), meetguard.FormatPE)
		if sig.Status != c.status || sig.Chain != c.chain || len(gaps) > 0 {
			t.Errorf("%s: got %+v, gaps %v", c.name, sig, gaps)
		}
	}
}

// badDisk fails from an offset on.
type badDisk struct {
	*bytes.Reader
	from int64
}

func (d badDisk) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > d.from {
		return 0, errors.New("input/output error")
	}
	return d.Reader.ReadAt(p, off)
}

// What could not be read or is beyond a limit is unknown and blinds; it is
// neither unsigned nor invalid.
func TestUnknownIsNotUnsigned(t *testing.T) {
	v := newVerifier(t)
	file := signedPE(t, newCA(t))
	cases := []struct {
		name   string
		verify func() (meetguard.Signature, []meetguard.Gap)
	}{
		{"disk fails at the header", func() (meetguard.Signature, []meetguard.Gap) {
			return v.Verify(badDisk{bytes.NewReader(file), 0}, int64(len(file)), meetguard.FormatPE, today)
		}},
		{"disk fails in the middle", func() (meetguard.Signature, []meetguard.Gap) {
			return v.Verify(badDisk{bytes.NewReader(file), 1024}, int64(len(file)), meetguard.FormatPE, today)
		}},
		{"file shrank", func() (meetguard.Signature, []meetguard.Gap) {
			return v.Verify(bytes.NewReader(file[:1500]), int64(len(file)), meetguard.FormatPE, today)
		}},
		{"too large", func() (meetguard.Signature, []meetguard.Gap) {
			return v.Verify(bytes.NewReader(file), maxFile+1, meetguard.FormatPE, today)
		}},
		{"reader crashes", func() (meetguard.Signature, []meetguard.Gap) {
			return v.Verify(nil, 5000, meetguard.FormatMachO, today)
		}},
	}
	for _, c := range cases {
		sig, gaps := c.verify()
		if sig.Status != meetguard.SignatureUnknown || len(gaps) != 1 || !gaps[0].Blinding || gaps[0].Fact != "signature" {
			t.Errorf("%s: got %+v, gaps %v", c.name, sig, gaps)
		}
	}
}

func TestOtherFormats(t *testing.T) {
	v := newVerifier(t)
	for _, format := range []meetguard.Format{meetguard.FormatZip, meetguard.FormatScript, meetguard.FormatISO, meetguard.FormatHTML} {
		sig, got := verify(v, []byte("x"), format)
		if sig.Status != meetguard.SignatureUnknown || len(got) != 0 {
			t.Errorf("%s: got %+v, gaps %v", format, sig, got)
		}
	}
}

// Every byte that a signature is meant to cover is covered: with any of them
// changed, the file is never valid.
func TestEveryByteIsCovered(t *testing.T) {
	ca := newCA(t)
	id := issue(t, ca, func(*x509.Certificate) {})
	msiFile := signedMSI(t, id, true)
	streams := bytes.Index(msiFile, []byte("meeting "))
	cases := []struct {
		format   meetguard.Format
		file     []byte
		from, to int
		step     int
		free     func(at int) bool // bytes that are left out by design
	}{
		{meetguard.FormatPE, signedPE(t, id), 0, 2048, 1, func(at int) bool { return at >= 128+24+64 && at < 128+24+68 }},
		{meetguard.FormatMachO, machO(t, code{by: id, pages: 3}), 0, 3*4096 - 100, 13, func(int) bool { return false }},
		{meetguard.FormatMSI, msiFile, streams, streams + 5000, 7, func(int) bool { return false }},
		{meetguard.FormatCab, signedCab(t, id), 8, 468, 1, func(at int) bool {
			return at >= cabNumber && at < cabReserve || at >= cabArea && at < cabArea+4 || at >= cabArea+12 && at < cabArea+16 || at == cabReserve+2 || at == cabReserve+3
		}},
	}
	v := newVerifier(t, ca)
	for _, c := range cases {
		for at := c.from; at < c.to; at += c.step {
			c.file[at] ^= 0x40
			sig, _ := verify(v, c.file, c.format)
			c.file[at] ^= 0x40
			if valid := sig.Status == meetguard.SignatureValid; valid != c.free(at) {
				t.Errorf("%s with byte %d changed: %s", c.format, at, sig.Status)
			}
		}
	}
}
