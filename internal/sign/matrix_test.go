package sign

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sassoftware/relic/v8/lib/authenticode"
	"github.com/sassoftware/relic/v8/lib/pkcs7"
	"github.com/sassoftware/relic/v8/lib/pkcs9"

	"meetguard"
)

// fixture is one generated file and what has to be said of it.
type fixture struct {
	name    string
	format  meetguard.Format
	file    []byte
	status  meetguard.SignatureStatus
	chain   string
	subject string
	remarks string // sorted, joined by commas
	others  string // joined by |
}

// people are the identities that the fixtures are signed by.
type people struct {
	ca, tsa, strangeTSA        *identity
	good, second, short, early *identity
	web, self, foreign, trial  *identity
	oldSHA1, newSHA1, service  *identity
}

func newPeople(t testing.TB) people {
	ca := newCA(t)
	stamping := func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "Test Time"}
		c.NotBefore, c.NotAfter = issued.AddDate(-9, 0, 0), issued.AddDate(9, 0, 0)
		usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
		must(t, err)
		c.ExtKeyUsage = nil // RFC 3161, 2.3, wants it to be critical
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}}
	}
	named := func(name string) func(c *x509.Certificate) {
		return func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: name, Organization: []string{name}} }
	}
	sub := issue(t, ca, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "Microsoft ID Verified CS EOC CA 02"}
		c.NotBefore, c.NotAfter = issued.AddDate(-1, 0, 0), issued.AddDate(5, 0, 0)
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign
	})
	weak := func(from time.Time) func(c *x509.Certificate) {
		return func(c *x509.Certificate) {
			c.SignatureAlgorithm = x509.ECDSAWithSHA1
			c.NotBefore, c.NotAfter = from, issued.AddDate(1, 0, 0)
		}
	}
	return people{
		ca:         ca,
		tsa:        issue(t, ca, stamping),
		strangeTSA: issue(t, newCA(t), stamping),
		good:       issue(t, ca, func(*x509.Certificate) {}),
		second:     issue(t, ca, named("Second Ltd")),
		short:      issue(t, ca, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(72 * time.Hour) }),
		early:      issue(t, ca, func(c *x509.Certificate) { c.NotBefore = today.AddDate(0, 1, 0) }),
		web:        issue(t, ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
		self:       issue(t, nil, named("Zoom Communications, Inc.")),
		foreign:    issue(t, newCA(t), func(*x509.Certificate) {}),
		trial: issue(t, ca, func(c *x509.Certificate) {
			c.NotAfter = c.NotBefore.Add(72 * time.Hour)
			c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{oidLifetimeSigning}
		}),
		oldSHA1: issue(t, ca, weak(time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC))),
		newSHA1: issue(t, ca, weak(issued)),
		service: issue(t, sub, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(72 * time.Hour) }),
	}
}

const (
	valid     = meetguard.SignatureValid
	invalid   = meetguard.SignatureInvalid
	untrusted = meetguard.SignatureUntrusted
	unsigned  = meetguard.SignatureUnsigned
)

// inPE puts signatures into the certificate table of plainPE.
func inPE(t testing.TB, list ...*sealed) []byte {
	var entries [][]byte
	for _, s := range list {
		entries = append(entries, certEntry(certTypePKCS, s.der(t)))
	}
	return withTable(plainPE(), entryAt, entries...)
}

func flipped(file []byte, at int) []byte {
	out := bytes.Clone(file)
	out[at] ^= 1
	return out
}

func with32(file []byte, at int, n uint32) []byte {
	out := bytes.Clone(file)
	binary.LittleEndian.PutUint32(out[at:], n)
	return out
}

// fixtures is every fixture of PE, MSI and CAB files.
func fixtures(t testing.TB, p people) []fixture {
	t.Helper()
	all := fixturesPE(t, p)
	all = append(all, fixturesHostile(t, p)...)
	return append(all, fixturesOther(t, p)...)
}

func fixturesPE(t testing.TB, p people) []fixture {
	inside, after := issued.AddDate(0, 0, 1), issued.AddDate(0, 1, 0)
	plain := plainPE()
	seal := func(id *identity) *sealed { return sealPE(t, id, plain) }
	sha1 := func(id *identity) *sealed { return sealPEWith(t, id, plain, crypto.SHA1, false) }
	paged := func(h crypto.Hash) *sealed { return sealPEWith(t, p.good, plain, h, true) }
	other := plainPE()
	other[1000] ^= 1
	lie := func() *sealed { // the digest of the file, and page digests of another one
		d, err := authenticode.DigestPE(bytes.NewReader(plain), crypto.SHA256, true)
		must(t, err)
		wrong, err := authenticode.DigestPE(bytes.NewReader(other), crypto.SHA256, true)
		must(t, err)
		d.PageHashes = wrong.PageHashes
		ind, err := d.GetIndirect()
		must(t, err)
		return p.good.seal(t, authenticode.OidSpcIndirectDataContent, ind)
	}
	blob := bytes.Repeat([]byte("campaign"), 128)
	junk := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}
	six := seal(p.good)
	for range 5 {
		six = seal(p.good).nest(t, six)
	}
	const pe = meetguard.FormatPE
	return []fixture{
		{"good", pe, inPE(t, seal(p.good)), valid, ChainOK, zoom, "", ""},
		{"unsigned", pe, plain, unsigned, "", "", "", ""},
		{"tampered", pe, flipped(inPE(t, seal(p.good)), 1000), invalid, ChainBadDigest, zoom, "", ""},
		{"pasted from another file", pe, inPE(t, sealPE(t, p.good, other)), invalid, ChainBadDigest, zoom, "", ""},
		{"expired", pe, inPE(t, seal(p.short)), invalid, ChainExpired, zoom, "", ""},
		{"expired, countersigned inside", pe, inPE(t, seal(p.short).stamp(t, p.tsa, inside)), valid, ChainOK, zoom, "", ""},
		{"expired, time stamp inside", pe, inPE(t, seal(p.short).token(t, p.tsa, inside)), valid, ChainOK, zoom, "", ""},
		{"expired, countersigned afterwards", pe, inPE(t, seal(p.short).stamp(t, p.tsa, after)), invalid, ChainExpired, zoom, "", ""},
		{"expired, time stamp afterwards", pe, inPE(t, seal(p.short).token(t, p.tsa, after)), invalid, ChainExpired, zoom, "", ""},
		{"expired, time stamp by a stranger", pe, inPE(t, seal(p.short).token(t, p.strangeTSA, inside)), untrusted, ChainUnknownRoot, zoom, RemarkStampUntrusted, ""},
		{"expired, time stamp by a signer of code", pe, inPE(t, seal(p.short).token(t, p.good, inside)), untrusted, ChainUnknownRoot, zoom, RemarkStampUntrusted, ""},
		{"for tests, time stamp inside", pe, inPE(t, seal(p.trial).token(t, p.tsa, inside)), invalid, ChainExpired, zoom, "", ""},
		{"not valid yet", pe, inPE(t, seal(p.early)), invalid, ChainNotYetValid, zoom, "", ""},
		{"wrong usage", pe, inPE(t, seal(p.web)), invalid, ChainWrongUsage, zoom, "", ""},
		{"self-signed", pe, inPE(t, seal(p.self)), untrusted, ChainUnknownRoot, "Zoom Communications, Inc.", "", ""},
		{"own authority", pe, inPE(t, seal(p.foreign)), untrusted, ChainUnknownRoot, zoom, "", ""},
		{"old certificate on SHA-1", pe, inPE(t, seal(p.oldSHA1)), untrusted, ChainWeak, zoom, "", ""},
		{"new certificate on SHA-1", pe, inPE(t, seal(p.newSHA1)), untrusted, ChainUnknownRoot, zoom, "", ""},
		{"SHA-1 only", pe, inPE(t, sha1(p.good)), valid, ChainOK, zoom, RemarkSHA1, ""},
		{"dual", pe, inPE(t, sha1(p.good).nest(t, seal(p.second))), valid, ChainOK, "Second Ltd", "", zoom},
		{"dual, tampered", pe, flipped(inPE(t, sha1(p.good).nest(t, seal(p.second))), 1000), invalid, ChainBadDigest, zoom, RemarkOtherInvalid + "," + RemarkSHA1, "Second Ltd"},
		{"nested", pe, inPE(t, seal(p.good).nest(t, seal(p.second))), valid, ChainOK, zoom, "", "Second Ltd"},
		{"nested in a self-signed one", pe, inPE(t, seal(p.self).nest(t, seal(p.good))), valid, ChainOK, zoom, "", "Zoom Communications, Inc."},
		{"nested of another file", pe, inPE(t, seal(p.good).nest(t, sealPE(t, p.second, other))), valid, ChainOK, zoom, RemarkOtherInvalid, "Second Ltd"},
		{"nested that fits in one that does not", pe, inPE(t, sealPE(t, p.good, other).nest(t, seal(p.second))), valid, ChainOK, "Second Ltd", RemarkOtherInvalid, zoom},
		{"nested nonsense", pe, inPE(t, seal(p.good).unsigned(t, oidNested, blob)), valid, ChainOK, zoom, RemarkOtherInvalid, ""},
		{"two nested", pe, inPE(t, seal(p.good).nest(t, seal(p.second)).nest(t, seal(p.self))), valid, ChainOK, zoom, "", "Second Ltd|Zoom Communications, Inc."},
		{"six nested in one another", pe, inPE(t, six), valid, ChainOK, zoom, RemarkOtherInvalid, zoom},
		// SignerInfos are a set, which has no order: one of them must prove more.
		{"two signers", pe, inPE(t, seal(p.good).beside(seal(p.self))), valid, ChainOK, zoom, RemarkMultiSigner, "Zoom Communications, Inc."},
		{"page digests", pe, inPE(t, paged(crypto.SHA256)), valid, ChainOK, zoom, "", ""},
		{"page digests of SHA-1", pe, inPE(t, paged(crypto.SHA1)), valid, ChainOK, zoom, RemarkSHA1, ""},
		{"page digests, tampered", pe, flipped(inPE(t, paged(crypto.SHA256)), 1000), invalid, ChainBadDigest, zoom, "", ""},
		{"page digests of another file", pe, inPE(t, lie()), invalid, ChainBadDigest, zoom, "", ""},
		{"stuffed attribute", pe, inPE(t, seal(p.good).unsigned(t, junk, blob)), valid, ChainOK, zoom, RemarkUnauthBlob, ""},
		{"small attribute", pe, inPE(t, seal(p.good).unsigned(t, junk, blob[:200])), valid, ChainOK, zoom, "", ""},
		{"stuffed certificates", pe, inPE(t, stuffedCerts(seal(p.good))), valid, ChainOK, zoom, RemarkUnauthBlob, ""},
		{"with a purpose in place of its kind", pe, inPE(t, p.good.seal(t, authenticode.OidSpcIndirectDataContent, purposeKind(t, plain))), valid, ChainOK, zoom, "", ""},
		{"a large certificate of no chain", pe, inPE(t, largeCert(t, seal(p.good))), valid, ChainOK, zoom, RemarkUnauthBlob, ""},
		{"stuffed behind the signers", pe, withTable(plain, entryAt, certEntry(certTypePKCS, behindSigners(t, seal(p.good).der(t), blob))), valid, ChainOK, zoom, RemarkUnauthBlob, ""},
		{"stuffed time stamp", pe, inPE(t, stuffedToken(t, seal(p.good).token(t, p.tsa, inside), blob)), valid, ChainOK, zoom, RemarkUnauthBlob, ""},
		{"MSI digest in a program", pe, inPE(t, p.good.seal(t, authenticode.OidSpcIndirectDataContent, msiKind(t, plain))), invalid, ChainBadDigest, zoom, "", ""},
	}
}

// msiKind is the digest of a program that says it is one of an MSI.
func msiKind(t testing.TB, file []byte) any {
	d, err := authenticode.DigestPE(bytes.NewReader(file), crypto.SHA256, false)
	must(t, err)
	pe, err := d.GetIndirect()
	must(t, err)
	var ind authenticode.SpcIndirectDataContentMsi
	ind.Data.Type = authenticode.OidSpcSipInfo
	ind.Data.Value = authenticode.SpcSipInfo{A: 1, UUID: authenticode.SpcUUIDSipInfoMsi}
	ind.MessageDigest = pe.MessageDigest
	return ind
}

// purposeKind is the digest of a program under the number of a purpose.
func purposeKind(t testing.TB, file []byte) any {
	d, err := authenticode.DigestPE(bytes.NewReader(file), crypto.SHA256, false)
	must(t, err)
	ind, err := d.GetIndirect()
	must(t, err)
	ind.Data.Type = oidIndividual
	return ind
}

// stuffedCerts puts something among the certificates that is none.
func stuffedCerts(s *sealed) *sealed {
	s.psd.Content.Certificates = append(s.psd.Content.Certificates, asn1.RawValue{
		Tag: asn1.TagSequence, IsCompound: true, Bytes: append([]byte{4, 0x82, 0x20, 0}, make([]byte, 8192)...)})
	return s
}

// largeCert adds a certificate that carries 9 kB, as some installers do to tell
// from which page they were downloaded.
func largeCert(t testing.TB, s *sealed) *sealed {
	carrier := issue(t, nil, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 3}, Value: make([]byte, 9000)}}
	})
	s.psd.Content.Certificates = append(s.psd.Content.Certificates, asn1.RawValue{FullBytes: carrier.cert.Raw})
	return s
}

// behindSigners adds a field to the end of a SignedData structure.
func behindSigners(t testing.TB, der, data []byte) []byte {
	var outer struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	_, err := asn1.Unmarshal(der, &outer)
	must(t, err)
	var fields asn1.RawValue
	_, err = asn1.Unmarshal(outer.Content.Bytes, &fields)
	must(t, err)
	more, err := asn1.Marshal(data)
	must(t, err)
	inner, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: append(fields.Bytes, more...)})
	must(t, err)
	outer.Content = asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: inner}
	out, err := asn1.Marshal(outer)
	must(t, err)
	return out
}

// stuffedToken puts data into the part of a time stamp that nothing covers.
func stuffedToken(t testing.TB, s *sealed, data []byte) *sealed {
	attrs := s.psd.Content.SignerInfos[0].UnauthenticatedAttributes
	var token pkcs7.ContentInfoSignedData
	must(t, attrs.GetOne(pkcs9.OidSpcTimeStampToken, &token))
	info := &token.Content.SignerInfos[0]
	info.RawContent = nil
	must(t, info.UnauthenticatedAttributes.Add(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, data))
	s.psd.Content.SignerInfos[0].UnauthenticatedAttributes = nil
	return s.unsigned(t, pkcs9.OidSpcTimeStampToken, token)
}

// programAsMSI is an MSI whose streams are the signed bytes of a program, cut
// so that the digests of both are the same, with the signature of the program.
func programAsMSI(t testing.TB, by *identity) []byte {
	const streams, class = 60 + 5000, 16
	program := append(plainPE(), make([]byte, streams+class+12-2048)...)
	copy(program[2048:], bytes.Repeat([]byte("meeting "), 400))
	signed := slices.Concat(program[:128+24+64], program[128+24+68:entryAt], program[entryAt+8:])
	file := plainMSI()
	copy(file[512*13:], signed[:60])        // Icon, in the mini stream
	copy(file[512*3:], signed[60:streams])  // Property
	copy(file[512*2+80:], signed[streams:]) // the class of the root
	return insertMSI(t, file, sealPE(t, by, program).der(t), nil)
}

// fixturesHostile are tables and headers that no signer makes.
func fixturesHostile(t testing.TB, p people) []fixture {
	good := inPE(t, sealPE(t, p.good, plainPE()))
	der := sealPE(t, p.good, plainPE()).der(t)
	entry := certEntry(certTypePKCS, der)
	secret := bytes.Repeat([]byte("payload "), 1024)
	table := func(entries ...[]byte) []byte { return withTable(plainPE(), entryAt, entries...) }
	noHeader := bytes.Clone(good)
	binary.LittleEndian.PutUint16(noHeader[128+20:], 0)
	const pe = meetguard.FormatPE
	return []fixture{
		{"overlay", pe, append(bytes.Clone(good), secret...), valid, ChainOK, zoom, RemarkOverlay, ""},
		{"a few zeros behind the table", pe, append(bytes.Clone(good), 0, 0, 0), valid, ChainOK, zoom, "", ""},
		{"overlay, tampered", pe, flipped(append(bytes.Clone(good), secret...), 1000), invalid, ChainBadDigest, zoom, RemarkOverlay, ""},
		{"hidden in the entry", pe, table(certEntry(certTypePKCS, append(bytes.Clone(der), secret...))), valid, ChainOK, zoom, RemarkHiddenBytes, ""},
		{"hidden behind the entries", pe, table(entry, secret), valid, ChainOK, zoom, RemarkHiddenBytes, ""},
		{"foreign entry", pe, table(entry, certEntry(0x0ef1, secret)), valid, ChainOK, zoom, RemarkExtraEntry, ""},
		{"foreign entry first", pe, table(certEntry(0x0ef1, secret), entry), valid, ChainOK, zoom, RemarkExtraEntry, ""},
		{"second entry of another signer", pe, table(entry, certEntry(certTypePKCS, sealPE(t, p.second, plainPE()).der(t))), valid, ChainOK, zoom, RemarkExtraEntry, "Second Ltd"},
		{"truncated", pe, good[:len(good)-100], invalid, ChainMalformed, "", "", ""},
		{"table beyond the file", pe, with32(good, entryAt, 0x7ffffff0), invalid, ChainMalformed, "", "", ""},
		{"table of 4 GB", pe, with32(good, entryAt+4, 0xffffffff), invalid, ChainMalformed, "", "", ""},
		{"no optional header", pe, noHeader, unsigned, "", "", "", ""},
		{"entry cut off", pe, with32(good, 2048, 200), invalid, ChainMalformed, "", RemarkHiddenBytes, ""},
	}
}

func fixturesOther(t testing.TB, p people) []fixture {
	inside := issued.AddDate(0, 0, 1)
	makeMSI := func(h crypto.Hash, extended bool, change func(s *sealed, again func(id *identity) *sealed) *sealed) []byte {
		return sealedMSI(t, h, extended, func(ind any) *sealed {
			again := func(id *identity) *sealed { return id.sealWith(t, h, authenticode.OidSpcIndirectDataContent, ind) }
			return change(again(p.good), again)
		})
	}
	makeCab := func(h crypto.Hash, change func(s *sealed, again func(id *identity) *sealed) *sealed) []byte {
		return sealedCab(t, h, func(ind any) *sealed {
			again := func(id *identity) *sealed { return id.sealWith(t, h, authenticode.OidSpcIndirectDataContent, ind) }
			return change(again(p.good), again)
		})
	}
	type maker = func(s *sealed, again func(id *identity) *sealed) *sealed
	same := func(s *sealed, _ func(id *identity) *sealed) *sealed { return s }
	nested := func(s *sealed, again func(id *identity) *sealed) *sealed { return s.nest(t, again(p.second)) }
	two := func(s *sealed, again func(id *identity) *sealed) *sealed { return s.beside(again(p.self)) }
	self := func(_ *sealed, again func(id *identity) *sealed) *sealed { return again(p.self) }
	short := func(_ *sealed, again func(id *identity) *sealed) *sealed {
		return again(p.short).token(t, p.tsa, inside)
	}
	expired := func(_ *sealed, again func(id *identity) *sealed) *sealed { return again(p.short) }
	blob := func(s *sealed, _ func(id *identity) *sealed) *sealed {
		return s.unsigned(t, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, make([]byte, minBlob))
	}
	const msi, cab = meetguard.FormatMSI, meetguard.FormatCab
	plain := makeMSI(crypto.SHA256, false, same)
	stream := bytes.Index(plain, []byte("meeting "))
	extended := makeMSI(crypto.SHA256, true, same)
	name := bytes.Index(extended, utf16le("Property")) + 2
	tail := bytes.Repeat([]byte("payload "), 5000)
	marked := append(bytes.Clone(plain), tail...) // and its sectors declared as used
	for i := len(plain)/512 - 1; i < len(marked)/512-1; i++ {
		binary.LittleEndian.PutUint32(marked[512+4*i:], 0xfffffffe)
	}
	good := makeCab(crypto.SHA256, same)
	of := func(format meetguard.Format, make func(change maker) []byte, prefix string) []fixture {
		return []fixture{
			{prefix + " nested", format, make(nested), valid, ChainOK, zoom, "", "Second Ltd"},
			{prefix + " with two signers", format, make(two), valid, ChainOK, zoom, RemarkMultiSigner, "Zoom Communications, Inc."},
			{prefix + " self-signed", format, make(self), untrusted, ChainUnknownRoot, "Zoom Communications, Inc.", "", ""},
			{prefix + " expired", format, make(expired), invalid, ChainExpired, zoom, "", ""},
			{prefix + " expired, time stamp inside", format, make(short), valid, ChainOK, zoom, "", ""},
			{prefix + " with a stuffed attribute", format, make(blob), valid, ChainOK, zoom, RemarkUnauthBlob, ""},
		}
	}
	all := []fixture{
		{"MSI good", msi, plain, valid, ChainOK, zoom, "", ""},
		{"MSI with DigitalSignatureEx", msi, extended, valid, ChainOK, zoom, "", ""},
		{"MSI with SHA-1", msi, makeMSI(crypto.SHA1, false, same), valid, ChainOK, zoom, RemarkSHA1, ""},
		{"MSI made of the bytes of a program", msi, programAsMSI(t, p.good), invalid, ChainBadDigest, zoom, "", ""},
		{"MSI unsigned", msi, plainMSI(), unsigned, "", "", "", ""},
		{"MSI tampered", msi, flipped(plain, stream+4000), invalid, ChainBadDigest, zoom, "", ""},
		{"MSI with DigitalSignatureEx, stream renamed", msi, flipped(extended, name), invalid, ChainBadDigest, zoom, "", ""},
		{"MSI appended", msi, append(bytes.Clone(plain), tail...), valid, ChainOK, zoom, RemarkMSITrailing, ""},
		{"MSI appended, sectors marked as used", msi, marked, valid, ChainOK, zoom, RemarkMSITrailing, ""},
		{"MSI appended and tampered", msi, flipped(append(bytes.Clone(plain), tail...), stream), invalid, ChainBadDigest, zoom, RemarkMSITrailing, ""},
		{"CAB good", cab, good, valid, ChainOK, zoom, "", ""},
		{"CAB with SHA-1", cab, makeCab(crypto.SHA1, same), valid, ChainOK, zoom, RemarkSHA1, ""},
		{"CAB unsigned", cab, plainCab(), unsigned, "", "", "", ""},
		{"CAB tampered", cab, flipped(good, 300), invalid, ChainBadDigest, zoom, "", ""},
		{"CAB appended", cab, append(bytes.Clone(good), tail...), valid, ChainOK, zoom, RemarkCabTrailing, ""},
		{"CAB appended and tampered", cab, flipped(append(bytes.Clone(good), tail...), 300), invalid, ChainBadDigest, zoom, RemarkCabTrailing, ""},
		{"CAB truncated", cab, good[:len(good)-100], invalid, ChainMalformed, "", "", ""},
	}
	all = append(all, of(msi, func(m maker) []byte { return makeMSI(crypto.SHA256, false, m) }, "MSI")...)
	return append(all, of(cab, func(m maker) []byte { return makeCab(crypto.SHA256, m) }, "CAB")...)
}

func TestMatrix(t *testing.T) {
	p := newPeople(t)
	v := newVerifier(t, p.ca)
	for _, f := range fixtures(t, p) {
		t.Run(f.name, func(t *testing.T) {
			sig, gaps := verify(v, f.file, f.format)
			if sig.Status != f.status || sig.Chain != f.chain || sig.Subject != f.subject || len(gaps) > 0 {
				t.Errorf("got %+v, gaps %v", sig, gaps)
			}
			slices.Sort(sig.Remarks)
			if got := strings.Join(sig.Remarks, ","); got != f.remarks {
				t.Errorf("remarks %q, want %q", got, f.remarks)
			}
			if got := strings.Join(sig.OtherSigners, "|"); got != f.others {
				t.Errorf("other signers %q, want %q", got, f.others)
			}
			if (sig.Detail == "") != (f.status == valid || f.status == unsigned) {
				t.Errorf("detail %q", sig.Detail)
			}
			if f.subject != "" && (sig.NotBefore.IsZero() || sig.LifeDays == 0 || sig.Serial == "" || sig.Issuer == "") {
				t.Errorf("incomplete: %+v", sig)
			}
		})
	}
}
