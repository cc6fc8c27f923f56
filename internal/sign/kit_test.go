package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sassoftware/relic/v8/lib/authenticode"
	"github.com/sassoftware/relic/v8/lib/cabfile"
	"github.com/sassoftware/relic/v8/lib/comdoc"
	"github.com/sassoftware/relic/v8/lib/pkcs7"
	"github.com/sassoftware/relic/v8/lib/pkcs9"
	"github.com/sassoftware/relic/v8/lib/x509tools"

	"meetguard"
)

// The fixtures are signed with relic's side of the house, so that digests and
// layouts are not checked against the code under test.

const zoom = "Zoom Video Communications, Inc."

var (
	today  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	issued = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
)

// identity is a certificate with its key and what it was issued by.
type identity struct {
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
	above []*x509.Certificate
}

func issue(t testing.TB, by *identity, change func(c *x509.Certificate)) *identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: zoom, Organization: []string{zoom}},
		NotBefore:    issued,
		NotAfter:     issued.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	change(c)
	parent, signer := c, key
	id := &identity{key: key}
	if by != nil {
		parent, signer = by.cert, by.key
		id.above = append([]*x509.Certificate{by.cert}, by.above...)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	if id.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return id
}

func newCA(t testing.TB) *identity {
	return issue(t, nil, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "Test CA"}
		c.NotBefore, c.NotAfter = issued.AddDate(-10, 0, 0), issued.AddDate(10, 0, 0)
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageCertSign, nil
	})
}

func (id *identity) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.cert.Raw})
}

func (id *identity) certs() []*x509.Certificate {
	return append([]*x509.Certificate{id.cert}, id.above...)
}

// sealed is a signature under construction.
type sealed struct {
	psd *pkcs7.ContentInfoSignedData
}

func (id *identity) seal(t testing.TB, ctype asn1.ObjectIdentifier, content any, attrs ...any) *sealed {
	t.Helper()
	return id.sealWith(t, crypto.SHA256, ctype, content, attrs...)
}

func (id *identity) sealWith(t testing.TB, h crypto.Hash, ctype asn1.ObjectIdentifier, content any, attrs ...any) *sealed {
	t.Helper()
	b := pkcs7.NewBuilder(id.key, id.certs(), h)
	if raw, ok := content.([]byte); ok && !ctype.Equal(authenticode.OidSpcIndirectDataContent) {
		sum := sha256.Sum256(raw)
		must(t, b.SetDetachedContent(ctype, sum[:]))
	} else {
		must(t, b.SetContent(ctype, content))
	}
	must(t, b.AddAuthenticatedAttribute(pkcs7.OidAttributeSigningTime, issued.AddDate(0, 1, 0)))
	for i := 0; i < len(attrs); i += 2 {
		must(t, b.AddAuthenticatedAttribute(attrs[i].(asn1.ObjectIdentifier), attrs[i+1]))
	}
	psd, err := b.Sign()
	must(t, err)
	return &sealed{psd}
}

// stamp adds a PKCS#9 countersignature of the given time.
func (s *sealed) stamp(t testing.TB, by *identity, at time.Time) *sealed {
	t.Helper()
	b := pkcs7.NewBuilder(by.key, by.certs(), crypto.SHA256)
	must(t, b.SetContentData(s.psd.Content.SignerInfos[0].EncryptedDigest))
	must(t, b.AddAuthenticatedAttribute(pkcs7.OidAttributeSigningTime, at))
	counter, err := b.Sign()
	must(t, err)
	s.unsigned(t, pkcs9.OidAttributeCounterSign, counter.Content.SignerInfos[0])
	s.psd.Content.Certificates = append(s.psd.Content.Certificates, counter.Content.Certificates...)
	return s
}

// token adds a time stamp after RFC 3161 under Microsoft's number.
func (s *sealed) token(t testing.TB, by *identity, at time.Time) *sealed {
	t.Helper()
	sum := sha256.Sum256(s.psd.Content.SignerInfos[0].EncryptedDigest)
	alg, _ := x509tools.PkixDigestAlgorithm(crypto.SHA256)
	info, err := asn1.Marshal(struct {
		Version int
		Policy  asn1.ObjectIdentifier
		Imprint pkcs9.MessageImprint
		Serial  int
		Time    time.Time `asn1:"generalized"`
	}{1, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 2}, pkcs9.MessageImprint{HashAlgorithm: alg, HashedMessage: sum[:]}, 7, at})
	must(t, err)
	leaf := sha256.Sum256(by.cert.Raw)
	b := pkcs7.NewBuilder(by.key, by.certs(), crypto.SHA256)
	must(t, b.SetContent(pkcs9.OidTSTInfo, info))
	must(t, b.AddAuthenticatedAttribute(pkcs7.OidAttributeSigningTime, at))
	must(t, b.AddAuthenticatedAttribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}, // signingCertificateV2
		struct{ Certs []struct{ Hash []byte } }{[]struct{ Hash []byte }{{leaf[:]}}}))
	token, err := b.Sign()
	must(t, err)
	return s.unsigned(t, pkcs9.OidSpcTimeStampToken, *token)
}

// beside puts the signer of another signature of the same content into this
// one.
func (s *sealed) beside(other *sealed) *sealed {
	s.psd.Content.SignerInfos = append(s.psd.Content.SignerInfos, other.psd.Content.SignerInfos...)
	s.psd.Content.Certificates = append(s.psd.Content.Certificates, other.psd.Content.Certificates...)
	return s
}

// nest puts another signature into this one.
func (s *sealed) nest(t testing.TB, inner *sealed) *sealed {
	t.Helper()
	return s.unsigned(t, oidNested, *inner.psd)
}

func (s *sealed) unsigned(t testing.TB, oid asn1.ObjectIdentifier, value any) *sealed {
	t.Helper()
	must(t, s.psd.Content.SignerInfos[0].UnauthenticatedAttributes.Add(oid, value))
	return s
}

func (s *sealed) der(t testing.TB) []byte {
	t.Helper()
	der, err := s.psd.Marshal()
	must(t, err)
	return der
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// plainPE is a PE file without code: headers and one section.
func plainPE() []byte {
	b := make([]byte, 2048)
	copy(b, "MZ")
	binary.LittleEndian.PutUint32(b[60:], 128)
	h := b[128:]
	copy(h, "PE\x00\x00")
	binary.LittleEndian.PutUint16(h[4:], 0x8664)
	binary.LittleEndian.PutUint16(h[6:], 1)
	binary.LittleEndian.PutUint16(h[20:], 240)
	o := h[24:]
	binary.LittleEndian.PutUint16(o, pe32plus)
	binary.LittleEndian.PutUint32(o[32:], 4096) // section alignment
	binary.LittleEndian.PutUint32(o[36:], 512)  // file alignment
	binary.LittleEndian.PutUint32(o[60:], 512)  // size of headers
	binary.LittleEndian.PutUint32(o[108:], 16)  // data directories
	s := o[240:]
	copy(s, ".text")
	binary.LittleEndian.PutUint32(s[16:], 1536)
	binary.LittleEndian.PutUint32(s[20:], 512)
	copy(b[512:], bytes.Repeat([]byte("meeting "), 192))
	return b
}

const entryAt = 128 + 24 + 144 // of the certificate table in plainPE

// sealPE makes the signature of a PE file.
func sealPE(t testing.TB, id *identity, file []byte) *sealed {
	t.Helper()
	return sealPEWith(t, id, file, crypto.SHA256, false)
}

func sealPEWith(t testing.TB, id *identity, file []byte, h crypto.Hash, pages bool) *sealed {
	t.Helper()
	d, err := authenticode.DigestPE(bytes.NewReader(file), h, pages)
	must(t, err)
	ind, err := d.GetIndirect()
	must(t, err)
	return id.sealWith(t, h, authenticode.OidSpcIndirectDataContent, ind)
}

// certEntry is one WIN_CERTIFICATE, padded.
func certEntry(kind uint16, blob []byte) []byte {
	e := make([]byte, (8+len(blob)+7)/8*8)
	binary.LittleEndian.PutUint32(e, uint32(len(e)))
	binary.LittleEndian.PutUint16(e[4:], 0x200)
	binary.LittleEndian.PutUint16(e[6:], kind)
	copy(e[8:], blob)
	return e
}

// withTable puts a certificate table behind a PE file, in place of the one it
// has. at is where the directory entry stands.
func withTable(file []byte, at int, entries ...[]byte) []byte {
	table := bytes.Join(entries, nil)
	end := uint32(len(file))
	if old := binary.LittleEndian.Uint32(file[at:]); old != 0 {
		end = old
	}
	out := append(bytes.Clone(file[:end]), table...)
	binary.LittleEndian.PutUint32(out[at:], end)
	binary.LittleEndian.PutUint32(out[at+4:], uint32(len(table)))
	return out
}

func signedPE(t testing.TB, id *identity) []byte {
	t.Helper()
	file := plainPE()
	return withTable(file, entryAt, certEntry(certTypePKCS, sealPE(t, id, file).der(t)))
}

// plainMSI is a compound file with a stream of 5000 bytes and one of 60, which
// lives in the mini stream.
func plainMSI() []byte {
	const sectors = 14 // FAT, directory, ten of the stream, mini stream, mini FAT
	b := make([]byte, 512*(sectors+1))
	copy(b, cfbMagic[:])
	binary.LittleEndian.PutUint16(b[24:], 0x3e)
	binary.LittleEndian.PutUint16(b[26:], 3)
	binary.LittleEndian.PutUint16(b[28:], 0xfffe)
	binary.LittleEndian.PutUint16(b[30:], 9)
	binary.LittleEndian.PutUint16(b[32:], 6)
	put := func(at int, n int32) { binary.LittleEndian.PutUint32(b[at:], uint32(n)) }
	put(44, 1) // FAT sectors
	put(48, 1) // directory
	put(56, 4096)
	put(60, 13)
	put(64, 1) // mini FAT sectors
	put(68, -2)
	for i := range cfbInHeader {
		put(76+4*i, -1)
	}
	put(76, 0)
	for i := range 128 {
		next := int32(-1)
		switch {
		case i == 0:
			next = -3
		case i == 1 || i >= 11 && i < sectors:
			next = -2
		case i < 11:
			next = int32(i + 1)
		}
		put(512+4*i, next)
	}
	for i := range 128 {
		put(512*14+4*i, -1)
	}
	put(512*14, -2)
	dir := func(i int, name string, kind byte, child, start, size int32) {
		at := 1024 + 128*i
		copy(b[at:], utf16le(name))
		binary.LittleEndian.PutUint16(b[at+64:], uint16(len(utf16le(name))))
		b[at+66] = kind
		put(at+68, -1)
		put(at+72, -1)
		put(at+76, child)
		put(at+116, start)
		put(at+120, size)
	}
	dir(0, "Root Entry", cfbRoot, 1, 12, 64)
	dir(1, "Property", cfbStream, -1, 2, 5000)
	dir(2, "Icon", cfbStream, -1, 0, 60)
	put(1024+128+68, 2) // Icon is left of Property
	copy(b[512*13:], bytes.Repeat([]byte("small "), 10))
	copy(b[1536:], bytes.Repeat([]byte("meeting "), 625))
	return b
}

// signedMSI signs plainMSI, with or without its metadata.
func signedMSI(t testing.TB, id *identity, extended bool) []byte {
	t.Helper()
	return sealedMSI(t, crypto.SHA256, extended, func(ind any) *sealed {
		return id.seal(t, authenticode.OidSpcIndirectDataContent, ind)
	})
}

// sealedMSI puts what seal makes of the digest into plainMSI.
func sealedMSI(t testing.TB, h crypto.Hash, extended bool, seal func(ind any) *sealed) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fixture.msi")
	must(t, os.WriteFile(path, plainMSI(), 0o600))
	doc, err := comdoc.WritePath(path)
	must(t, err)
	imprint, ex, err := authenticode.DigestMSI(doc, h, extended)
	must(t, err)
	var ind authenticode.SpcIndirectDataContentMsi
	ind.Data.Type = authenticode.OidSpcSipInfo
	ind.Data.Value = authenticode.SpcSipInfo{A: 1, UUID: authenticode.SpcUUIDSipInfoMsi}
	ind.MessageDigest.DigestAlgorithm, _ = x509tools.PkixDigestAlgorithm(h)
	ind.MessageDigest.Digest = imprint
	must(t, doc.Close())
	return insertMSI(t, plainMSI(), seal(ind).der(t), ex)
}

// insertMSI puts a signature into an MSI.
func insertMSI(t testing.TB, file, blob, ex []byte) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fixture.msi")
	must(t, os.WriteFile(path, file, 0o600))
	doc, err := comdoc.WritePath(path)
	must(t, err)
	must(t, authenticode.InsertMSISignature(doc, blob, ex))
	must(t, doc.Close())
	out, err := os.ReadFile(path)
	must(t, err)
	return out
}

// signedCab signs a cabinet with one folder.
func signedCab(t testing.TB, id *identity) []byte {
	t.Helper()
	return sealedCab(t, crypto.SHA256, func(ind any) *sealed {
		return id.seal(t, authenticode.OidSpcIndirectDataContent, ind)
	})
}

// plainCab is a cabinet with one stored file.
func plainCab() []byte {
	data := bytes.Repeat([]byte("meeting "), 50)
	name := []byte("readme.txt\x00")
	b := make([]byte, 36)
	copy(b, "MSCF")
	put := func(n uint32) { b = binary.LittleEndian.AppendUint32(b, n) }
	files := uint32(36 + 8)
	content := files + 16 + uint32(len(name))
	binary.LittleEndian.PutUint32(b[8:], content+8+uint32(len(data)))
	binary.LittleEndian.PutUint32(b[16:], files)
	binary.LittleEndian.PutUint16(b[24:], 0x103)
	binary.LittleEndian.PutUint16(b[26:], 1) // folders
	binary.LittleEndian.PutUint16(b[28:], 1) // files
	put(content)
	put(1) // one block, stored
	put(uint32(len(data)))
	put(0)
	put(0) // folder, date
	put(0x20 << 16)
	b = append(b, name...)
	put(0)
	put(uint32(len(data))<<16 | uint32(len(data)))
	return append(b, data...)
}

// sealedCab puts what seal makes of the digest behind plainCab.
func sealedCab(t testing.TB, h crypto.Hash, seal func(ind any) *sealed) []byte {
	t.Helper()
	plain := plainCab()
	d, err := cabfile.Digest(bytes.NewReader(plain), h)
	must(t, err)
	var ind authenticode.SpcIndirectDataContentPe
	ind.Data.Type = authenticode.OidSpcCabImageData
	ind.MessageDigest.DigestAlgorithm, _ = x509tools.PkixDigestAlgorithm(h)
	ind.MessageDigest.Digest = d.Imprint
	blob := seal(ind).der(t)
	d.MakePatch(blob) // writes the size of the signature into d.Patched
	padded := make([]byte, (len(blob)+7)/8*8)
	copy(padded, blob)
	return bytes.Join([][]byte{d.Patched, plain[36+8:], padded}, nil)
}

// code describes a Mach-O fixture.
type code struct {
	by    *identity // nil: ad-hoc
	team  string
	flags uint32
	pages int
}

// machO is an arm64 image of some pages with a code signature.
func machO(t testing.TB, c code) []byte {
	t.Helper()
	limit := c.pages*4096 - 100
	image := make([]byte, limit)
	put := func(at int, n uint32) { binary.LittleEndian.PutUint32(image[at:], n) }
	put(0, machMagic64)
	put(4, 0x0100000c)
	put(12, 2)
	put(16, 1)  // load commands
	put(20, 16) // their size
	put(32, loadCodeSignature)
	put(36, 16)
	put(40, uint32(limit))
	const area = 16384
	put(44, area)
	copy(image[4096:], bytes.Repeat([]byte("meeting "), 100))
	return append(image, append(signCode(t, c, image), make([]byte, area)...)[:area]...)
}

// signCode makes the superblob of an image.
func signCode(t testing.TB, c code, image []byte) []byte {
	t.Helper()
	dir := codeDirectory(c, image)
	blobs := [][]byte{dir}
	slots := []uint32{csSlotDirectory}
	if c.by != nil {
		sum := sha256.Sum256(dir)
		cms := c.by.seal(t, pkcs7.OidData, dir,
			asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 9, 2},
			namedDirectory{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, sum[:]}).der(t)
		wrapped := binary.BigEndian.AppendUint32(nil, csBlobWrapper)
		wrapped = binary.BigEndian.AppendUint32(wrapped, uint32(8+len(cms)))
		blobs = append(blobs, append(wrapped, cms...))
		slots = append(slots, csSlotSignature)
	}
	return superBlob(slots, blobs)
}

func superBlob(slots []uint32, blobs [][]byte) []byte {
	head := binary.BigEndian.AppendUint32(nil, csSuperBlob)
	at := uint32(12 + 8*len(blobs))
	head = binary.BigEndian.AppendUint32(head, at+uint32(len(bytes.Join(blobs, nil))))
	head = binary.BigEndian.AppendUint32(head, uint32(len(blobs)))
	for i, b := range blobs {
		head = binary.BigEndian.AppendUint32(head, slots[i])
		head = binary.BigEndian.AppendUint32(head, at)
		at += uint32(len(b))
	}
	return append(head, bytes.Join(blobs, nil)...)
}

func codeDirectory(c code, image []byte) []byte {
	const header = 52
	names := "us.zoom.xos\x00" + c.team + "\x00"
	dir := make([]byte, header, header+len(names)+32*(c.pages+1))
	dir = append(dir, names...)
	put := func(at int, n int) { binary.BigEndian.PutUint32(dir[at:], uint32(n)) }
	put(0, csDirectory)
	put(8, 0x20200)
	put(12, int(c.flags))
	put(16, len(dir))
	put(20, header)
	put(28, c.pages)
	put(32, len(image))
	dir[36], dir[37], dir[39] = 32, 2, 12
	if c.team != "" {
		put(48, header+len("us.zoom.xos")+1)
	}
	for len(image) > 0 {
		n := min(4096, len(image))
		sum := sha256.Sum256(image[:n])
		dir = append(dir, sum[:]...)
		image = image[n:]
	}
	binary.BigEndian.PutUint32(dir[4:], uint32(len(dir)))
	return dir
}

// fat joins images.
func fat(images ...[]byte) []byte {
	out := make([]byte, 4096)
	binary.BigEndian.PutUint32(out, fatMagic32)
	binary.BigEndian.PutUint32(out[4:], uint32(len(images)))
	for i, m := range images {
		at := 8 + fatArch32*i
		binary.BigEndian.PutUint32(out[at:], uint32(0x01000007+5*i))
		binary.BigEndian.PutUint32(out[at+8:], uint32(len(out)))
		binary.BigEndian.PutUint32(out[at+12:], uint32(len(m)))
		out = append(out, m...)
	}
	return out
}

func newVerifier(t testing.TB, anchors ...*identity) *Verifier {
	t.Helper()
	v, err := New()
	must(t, err)
	for _, a := range anchors {
		must(t, v.AddAnchors(a.pem()))
	}
	return v
}

// verify checks bytes and tells the gaps apart from the signature.
func verify(v *Verifier, file []byte, format meetguard.Format) (meetguard.Signature, []meetguard.Gap) {
	return v.Verify(bytes.NewReader(file), int64(len(file)), format, today)
}
