package sign

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sassoftware/relic/v8/lib/binpatch"
	"github.com/sassoftware/relic/v8/lib/certloader"
	"github.com/sassoftware/relic/v8/lib/fruit/csblob"
	"github.com/sassoftware/relic/v8/lib/fruit/dmg"
	"github.com/sassoftware/relic/v8/lib/fruit/machos"
	"github.com/sassoftware/relic/v8/lib/fruit/xar"
	"github.com/sassoftware/relic/v8/lib/pkcs7"
	"github.com/sassoftware/relic/v8/lib/x509tools"

	"meetguard"
)

const zoomTeam = "BJ4HAAB9B3"

// Short names for tables.
const (
	sOK, sBad, sAdhoc     = meetguard.SignatureValid, meetguard.SignatureInvalid, meetguard.SignatureAdhoc
	sUnsigned, sUntrusted = meetguard.SignatureUnsigned, meetguard.SignatureUntrusted
)

func appleOID(tail ...int) asn1.ObjectIdentifier {
	return append(asn1.ObjectIdentifier{1, 2, 840, 113635, 100}, tail...)
}

var oidCodeUse = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}

// pki is an authority built like Apple's: a root, and one that issues.
type pki struct {
	root, issuer *identity
}

// newPKI makes an authority whose issuer carries the given marker.
func newPKI(t testing.TB, marker ...int) pki {
	t.Helper()
	root := newCA(t)
	return pki{root, issue(t, root, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "Test Issuer"}
		c.NotBefore, c.NotAfter = root.cert.NotBefore, root.cert.NotAfter
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageCertSign, nil
		c.ExtraExtensions = []pkix.Extension{{Id: appleOID(marker...), Value: asn1.NullBytes}}
	})}
}

func developerID(t testing.TB) pki { return newPKI(t, 6, 2, 6) }

// verifier trusts p as if its root were Apple's.
func (p pki) verifier(t testing.TB) *Verifier {
	t.Helper()
	v := newVerifier(t, p.root)
	v.appleRoots[string(p.root.cert.Raw)] = true
	return v
}

// leaf issues a certificate with markers for a use.
func (p pki) leaf(t testing.TB, use asn1.ObjectIdentifier, markers ...asn1.ObjectIdentifier) *identity {
	t.Helper()
	return issue(t, p.issuer, func(c *x509.Certificate) { appleLeaf(c, use, markers) })
}

func appleLeaf(c *x509.Certificate, use asn1.ObjectIdentifier, markers []asn1.ObjectIdentifier) {
	c.Subject.OrganizationalUnit = []string{zoomTeam}
	c.ExtKeyUsage, c.UnknownExtKeyUsage = nil, []asn1.ObjectIdentifier{use}
	for _, m := range markers {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: m, Critical: true, Value: asn1.NullBytes})
	}
}

// application is a Developer ID for programs.
func (p pki) application(t testing.TB) *identity {
	return p.leaf(t, oidCodeUse, appleOID(6, 1, 13))
}

// installer is a Developer ID for packages.
func (p pki) installer(t testing.TB) *identity {
	return p.leaf(t, appleOID(4, 13), appleOID(6, 1, 14))
}

// relic is the identity as relic's writers take it.
func (id *identity) relic() *certloader.Certificate {
	return &certloader.Certificate{Leaf: id.cert, Certificates: id.certs(), PrivateKey: id.key}
}

// rsaKey is made once: it takes long.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// relicRSA is a leaf with an RSA key, which packages are also signed with.
func (p pki) relicRSA(t testing.TB) *certloader.Certificate {
	t.Helper()
	key, err := rsaKey()
	must(t, err)
	c := bytesOf(t, p.installer(t).cert)
	appleLeaf(c, appleOID(4, 13), []asn1.ObjectIdentifier{appleOID(6, 1, 14)})
	der, err := x509.CreateCertificate(rand.Reader, c, p.issuer.cert, &key.PublicKey, p.issuer.key)
	must(t, err)
	leaf, err := x509.ParseCertificate(der)
	must(t, err)
	return &certloader.Certificate{Leaf: leaf, Certificates: []*x509.Certificate{leaf, p.issuer.cert, p.root.cert}, PrivateKey: key}
}

// bytesOf is a template with the names and dates of a certificate.
func bytesOf(t testing.TB, c *x509.Certificate) *x509.Certificate {
	t.Helper()
	return &x509.Certificate{SerialNumber: c.SerialNumber, Subject: c.Subject, NotBefore: c.NotBefore, NotAfter: c.NotAfter, KeyUsage: c.KeyUsage}
}

// patched applies one of relic's patches.
func patched(t testing.TB, file []byte, p *binpatch.PatchSet) []byte {
	t.Helper()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	must(t, os.WriteFile(from, file, 0o600))
	f, err := os.Open(from)
	must(t, err)
	defer f.Close()
	must(t, p.Apply(f, to))
	out, err := os.ReadFile(to)
	must(t, err)
	return out
}

// realSlices are the x86_64 slice (unsigned) and the arm64 slice (signed by its
// linker) of a real file.
func realSlices(t testing.TB) (intel, arm []byte) {
	t.Helper()
	file, err := os.ReadFile("../../build/samples/fsevents-2.3.3/package/fsevents.node")
	if err != nil {
		t.Fatalf("a sample is missing, run make samples: %v", err)
	}
	cuts, _, err := readSlices(input{bytes.NewReader(file), int64(len(file))})
	must(t, err)
	for i, into := range []*[]byte{&intel, &arm} {
		*into = file[cuts[i].off : cuts[i].off+cuts[i].size]
	}
	return intel, arm
}

// resign signs a real image with relic.
func resign(t testing.TB, file []byte, id *identity, change func(p *csblob.SignatureParams)) []byte {
	t.Helper()
	p := csblob.SignatureParams{HashFunc: crypto.SHA256, SigningIdentity: "us.zoom.xos", TeamIdentifier: zoomTeam,
		Flags: csFlagRuntime, Entitlement: []byte("<plist/>"), EntitlementDER: []byte{0x70, 0}}
	change(&p)
	patch, _, err := machos.Sign(context.Background(), bytes.NewReader(file), id.relic(), &p)
	must(t, err)
	return patched(t, file, patch)
}

// layers describes a hand-made signature: directories of several digests.
type layers struct {
	by     *identity
	kinds  []byte // digests as in the file, the primary one first
	named  int    // how many of them the signature names
	change func(i int, dir []byte)
	blobs  map[uint32][]byte
}

// layered is the image of machO with the directories of l.
func layered(t testing.TB, l layers) []byte {
	t.Helper()
	file := machO(t, code{by: l.by, team: zoomTeam, pages: 3})
	loads, err := readLoads(input{bytes.NewReader(file), int64(len(file))})
	must(t, err)
	img := file[:loads.at]
	var slots []uint32
	var blobs [][]byte
	var attrs []any
	for i, kind := range l.kinds {
		dir := directoryOf(img, kind)
		if l.change != nil {
			l.change(i, dir)
		}
		slot := uint32(csSlotDirectory)
		if i > 0 {
			slot = csSlotAlternate + uint32(i-1)
		}
		slots, blobs = append(slots, slot), append(blobs, dir)
		if i < l.named {
			h := digestKinds[kind]
			sum := h.New()
			sum.Write(dir)
			alg, _ := x509tools.PkixDigestAlgorithm(h)
			attrs = append(attrs, oidDirectories, namedDirectory{alg.Algorithm, sum.Sum(nil)})
		}
	}
	cms := l.by.seal(t, pkcs7.OidData, blobs[0], attrs...).der(t)
	slots, blobs = append(slots, csSlotSignature), append(blobs, wrapped(cms))
	for slot, b := range l.blobs {
		slots, blobs = append(slots, slot), append(blobs, b)
	}
	area := make([]byte, loads.length)
	copy(area, superBlob(slots, blobs))
	return append(bytes.Clone(img), area...)
}

var digestKinds = map[byte]crypto.Hash{1: crypto.SHA1, 2: crypto.SHA256, 4: crypto.SHA384}

// wrapped puts a blob into Apple's wrapper.
func wrapped(data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, csBlobWrapper)
	return append(binary.BigEndian.AppendUint32(b, uint32(8+len(data))), data...)
}

// directoryOf is codeDirectory with another digest.
func directoryOf(img []byte, kind byte) []byte {
	h := digestKinds[kind]
	pages := (len(img) + 4095) / 4096
	dir := codeDirectory(code{team: zoomTeam, pages: pages}, img)
	dir = dir[:binary.BigEndian.Uint32(dir[16:])]
	dir[36], dir[37] = byte(h.Size()), kind
	for len(img) > 0 {
		n := min(4096, len(img))
		sum := h.New()
		sum.Write(img[:n])
		dir = sum.Sum(dir)
		img = img[n:]
	}
	binary.BigEndian.PutUint32(dir[4:], uint32(len(dir)))
	return dir
}

// ticketFor makes a notary ticket that names digests.
func ticketFor(t testing.TB, p pki, names ...digestName) []byte {
	t.Helper()
	content := []byte("g8tk\x02\x00\x14\x00")
	content = binary.LittleEndian.AppendUint32(content, uint32(len(names)))
	content = append(content, make([]byte, 12)...)
	for _, n := range names {
		content = append(content, n[:]...)
	}
	leaf := p.leaf(t, oidCodeUse)
	chain, err := asn1.Marshal(asn1.RawValue{Class: 0, Tag: 16, IsCompound: true, Bytes: append(bytes.Clone(leaf.cert.Raw), p.issuer.cert.Raw...)})
	must(t, err)
	out := []byte("s8ch\x01\x00\x00\x00")
	out = binary.LittleEndian.AppendUint32(out, uint32(len(chain)))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(content)))
	out = append(append(out, chain...), content...)
	sum := sha256.Sum256(out)
	seal, err := ecdsa.SignASN1(rand.Reader, leaf.key, sum[:])
	must(t, err)
	return append(out, append(seal, make([]byte, 72-len(seal))...)...)
}

// namesIn reads the names by which a ticket knows a signed Mach-O file.
func namesIn(t testing.TB, file []byte) []digestName {
	t.Helper()
	in := input{bytes.NewReader(file), int64(len(file))}
	l, err := readLoads(in)
	must(t, err)
	c, err := parseCode(file[l.at : l.at+l.length])
	must(t, err)
	return c.names()
}

// plainDMG is a disk image: some data, a property list, the trailer.
func plainDMG() []byte {
	data, list := bytes.Repeat([]byte("meeting "), 1000), []byte("<plist/>")
	koly := make([]byte, kolySize)
	copy(koly, kolyMagic)
	binary.BigEndian.PutUint64(koly[32:], uint64(len(data)))
	binary.BigEndian.PutUint64(koly[216:], uint64(len(data)))
	binary.BigEndian.PutUint64(koly[224:], uint64(len(list)))
	return bytes.Join([][]byte{data, list, koly}, nil)
}

func signedDMG(t testing.TB, id *identity) []byte {
	t.Helper()
	file := plainDMG()
	patch, _, err := dmg.Sign(context.Background(), file[len(file)-kolySize:], bytes.NewReader(file), id.relic(),
		&dmg.SignatureParams{HashFunc: crypto.SHA256, SigningIdentity: "us.zoom.xos", TeamIdentifier: zoomTeam})
	must(t, err)
	return patched(t, file, patch)
}

// stapledDMG adds a ticket to a signed image.
func stapledDMG(t testing.TB, file, ticket []byte) []byte {
	t.Helper()
	koly := bytes.Clone(file[len(file)-kolySize:])
	at, size := binary.BigEndian.Uint64(koly[kolySigAt:]), binary.BigEndian.Uint64(koly[kolySigLen:])
	blob := file[at : at+size]
	slots, blobs := []uint32{csSlotTicket}, [][]byte{wrapped(ticket)}
	for i := range int(binary.BigEndian.Uint32(blob[8:])) {
		part, err := subBlob(blob, binary.BigEndian.Uint32(blob[16+8*i:]))
		must(t, err)
		slots, blobs = append(slots, binary.BigEndian.Uint32(blob[12+8*i:])), append(blobs, part)
	}
	super := superBlob(slots, blobs)
	binary.BigEndian.PutUint64(koly[kolySigLen:], uint64(len(super)))
	return bytes.Join([][]byte{file[:at], super, koly}, nil)
}

// The members of the packages.
var (
	pkgInfo    = []byte("<pkg-info identifier=\"us.zoom.pkg\"/>")
	pkgPayload = bytes.Repeat([]byte("meeting "), 5000)
)

// tocFile is one file in a table of contents.
func tocFile(name string, off int, data []byte) string {
	sum := sha256.Sum256(data)
	return fmt.Sprintf(`<file><data><length>%d</length><offset>%d</offset><size>%d</size><encoding style="application/octet-stream"/>`+
		`<archived-checksum style="sha256">%s</archived-checksum></data><type>file</type><name>%s</name></file>`,
		len(data), off, len(data), hex.EncodeToString(sum[:]), name)
}

// table is a table of contents of a package.
func table(front string, files ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><xar><toc>` + front + strings.Join(files, "") + `</toc></xar>`
}

// plainPKG is an unsigned package with a member at the top and one in a folder.
func plainPKG(t testing.TB) []byte {
	t.Helper()
	toc := table(`<checksum style="sha1"><offset>0</offset><size>20</size></checksum>`, tocFile("PackageInfo", 20, pkgInfo),
		`<file><type>directory</type><name>zoom.pkg</name>`+tocFile("Payload", 20+len(pkgInfo), pkgPayload)+`</file>`)
	return packXAR(t, toc, bytes.Join([][]byte{make([]byte, 20), pkgInfo, pkgPayload}, nil))
}

// classicPKG is a package with an RSA signature alone, as Apple's old tools made
// it. Two members share their bytes.
func classicPKG(t testing.TB, by *certloader.Certificate) []byte {
	t.Helper()
	const heapHead = 32 + 256
	var certs strings.Builder
	for _, c := range by.Certificates {
		fmt.Fprintf(&certs, "<X509Certificate>%s\n</X509Certificate>", base64.StdEncoding.EncodeToString(c.Raw))
	}
	front := `<checksum style="sha256"><offset>0</offset><size>32</size></checksum><signature style="RSA"><offset>32</offset><size>256</size>` +
		`<KeyInfo><X509Data>` + certs.String() + `</X509Data></KeyInfo></signature>`
	toc := table(front, tocFile("PackageInfo", heapHead, pkgInfo), tocFile("Distribution", heapHead, pkgInfo),
		tocFile("Payload", heapHead+len(pkgInfo), pkgPayload))
	out := packXAR(t, toc, bytes.Join([][]byte{make([]byte, heapHead), pkgInfo, pkgPayload}, nil))
	resignClassic(t, out, by)
	return out
}

// resignClassic writes digest and RSA signature of a table to their places.
func resignClassic(t testing.TB, file []byte, by *certloader.Certificate) {
	t.Helper()
	start := xarHeader + binary.BigEndian.Uint64(file[8:])
	sum := sha256.Sum256(file[xarHeader:start])
	raw, err := by.Signer().Sign(rand.Reader, sum[:], crypto.SHA256)
	must(t, err)
	copy(file[start:], append(sum[:], raw...))
}

// packXAR joins header, table and heap, and writes the digest of the table to
// the front of the heap.
func packXAR(t testing.TB, toc string, heap []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, err := z.Write([]byte(toc))
	must(t, err)
	must(t, z.Close())
	head := append([]byte(xarMagic), 0, xarHeader, 0, 1)
	head = binary.BigEndian.AppendUint64(head, uint64(packed.Len()))
	head = binary.BigEndian.AppendUint64(head, uint64(len(toc)))
	head = binary.BigEndian.AppendUint32(head, 1)
	h := crypto.SHA1.New()
	h.Write(packed.Bytes())
	copy(heap, h.Sum(nil))
	return bytes.Join([][]byte{head, packed.Bytes(), heap}, nil)
}

func signedPKG(t testing.TB, by *certloader.Certificate) []byte {
	t.Helper()
	file := plainPKG(t)
	patch, _, err := xar.Sign(context.Background(), bytes.NewReader(file), by, crypto.SHA256)
	must(t, err)
	return patched(t, file, patch)
}

// nameOfPKG is what a ticket calls a package.
func nameOfPKG(t testing.TB, file []byte) digestName {
	t.Helper()
	in := input{bytes.NewReader(file), int64(len(file))}
	toc, err := readTOC(in)
	must(t, err)
	sum, kind, err := toc.sum(in)
	must(t, err)
	return nameOf(kind, sum)
}

// trailer puts a ticket behind a package.
func trailer(ticket []byte) []byte {
	record := func(kind byte, n int) []byte {
		r := append([]byte(trailerMagic), 1, 0, kind, 0)
		return append(binary.LittleEndian.AppendUint32(r, uint32(n)), 0, 0, 0, 0)
	}
	return bytes.Join([][]byte{record(trailerTerminator, 0), ticket, record(trailerTicket, len(ticket))}, nil)
}

// with is file with something behind it.
func with(file []byte, more string) []byte { return append(bytes.Clone(file), more...) }

// expect is what a test wants to see of a signature.
type expect struct {
	status  meetguard.SignatureStatus
	chain   string
	remarks string
	team    string
	kind    string
	ticket  string
}

func (e expect) check(t *testing.T, sig meetguard.Signature, gaps []meetguard.Gap) {
	t.Helper()
	got := expect{sig.Status, sig.Chain, strings.Join(sig.Remarks, ","), sig.TeamID, sig.Kind, sig.Ticket}
	if got != e || len(gaps) > 0 {
		t.Errorf("got  %+v\nwant %+v\n%s, gaps %v", got, e, sig.Detail, gaps)
	}
}
