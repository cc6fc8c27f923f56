//go:build unix

package agent

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sassoftware/relic/v8/lib/authenticode"
	"github.com/sassoftware/relic/v8/lib/binpatch"
	"github.com/sassoftware/relic/v8/lib/certloader"
	"github.com/sassoftware/relic/v8/lib/fruit/csblob"
	"github.com/sassoftware/relic/v8/lib/fruit/dmg"
	"github.com/sassoftware/relic/v8/lib/fruit/machos"
	"github.com/sassoftware/relic/v8/lib/fruit/xar"

	"meetguard/signatures"
)

// The files of these tests are signed by other people's programs, so that
// nothing is checked against the code under test alone.

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// identity is a certificate, its key and who issued it.
type identity struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	by   *identity
}

// issue makes an identity that is valid since a month; change may say more.
func issue(t testing.TB, by *identity, name string, change func(c *x509.Certificate)) *identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	must(t, err)
	now := time.Now()
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{name}}, NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}
	if change != nil {
		change(c)
	}
	id := &identity{key: key, by: by}
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	must(t, err)
	id.cert, err = x509.ParseCertificate(der)
	must(t, err)
	return id
}

func authority(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid = true, true
	c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageCertSign, nil
	c.NotBefore, c.NotAfter = c.NotBefore.AddDate(-10, 0, 0), c.NotAfter.AddDate(10, 0, 0)
}

func (id *identity) chain() []*x509.Certificate {
	if id.by == nil {
		return []*x509.Certificate{id.cert}
	}
	return append([]*x509.Certificate{id.cert}, id.by.chain()...)
}

func (id *identity) pem() []byte {
	var out []byte
	for _, c := range id.chain() {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// relic is the identity as relic's writers take it.
func (id *identity) relic() *certloader.Certificate {
	return &certloader.Certificate{Leaf: id.cert, Certificates: id.chain(), PrivateKey: id.key}
}

// ossl signs a file with osslsigncode, which knows the format by its name.
func ossl(t testing.TB, id *identity, name string, data []byte, more ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(id.key)
	must(t, err)
	at := func(name string, data []byte) string { return put(t, filepath.Join(dir, name), data) }
	out := filepath.Join(dir, "signed-"+name)
	args := append([]string{"sign", "-h", "sha256", "-certs", at("leaf.pem", id.pem()), "-key", at("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))}, more...)
	said, err := exec.Command("osslsigncode", append(args, "-in", at(name, data), "-out", out)...).CombinedOutput()
	if err != nil {
		t.Fatalf("sign %s, for which osslsigncode must be installed (make deps): %v: %s", name, err, said)
	}
	signed, err := os.ReadFile(out)
	must(t, err)
	return signed
}

// patched applies one of relic's patches.
func patched(t testing.TB, file []byte, p *binpatch.PatchSet, err error) []byte {
	t.Helper()
	must(t, err)
	dir := t.TempDir()
	to := filepath.Join(dir, "to")
	f, err := os.Open(put(t, filepath.Join(dir, "from"), file))
	must(t, err)
	defer f.Close()
	must(t, p.Apply(f, to))
	out, err := os.ReadFile(to)
	must(t, err)
	return out
}

// signPS signs a PowerShell script.
func signPS(t testing.TB, id *identity, text string) []byte {
	t.Helper()
	d, err := authenticode.DigestPowershell(strings.NewReader(text), authenticode.SigStyleHash, crypto.SHA256)
	must(t, err)
	p, _, err := d.Sign(context.Background(), id.relic(), &authenticode.OpusParams{})
	return patched(t, []byte(text), p, err)
}

// signCode signs a Mach-O image that calls itself ident.
func signCode(t testing.TB, id *identity, ident string, file, plist, seal []byte) []byte {
	t.Helper()
	p, _, err := machos.Sign(context.Background(), bytes.NewReader(file), id.relic(), &csblob.SignatureParams{HashFunc: crypto.SHA256, SigningIdentity: ident,
		Entitlement: []byte("<plist/>"), EntitlementDER: []byte{0x70, 0}, InfoPlist: plist, Resources: seal})
	return patched(t, file, p, err)
}

func signDMG(t testing.TB, id *identity, ident string, file []byte) []byte {
	t.Helper()
	p, _, err := dmg.Sign(context.Background(), file[len(file)-512:], bytes.NewReader(file), id.relic(), &dmg.SignatureParams{HashFunc: crypto.SHA256, SigningIdentity: ident})
	return patched(t, file, p, err)
}

func signPKG(t testing.TB, id *identity, file []byte) []byte {
	t.Helper()
	p, _, err := xar.Sign(context.Background(), bytes.NewReader(file), id.relic(), crypto.SHA256)
	return patched(t, file, p, err)
}

// plainPE is a program without code, with resources if there are any.
func plainPE(resources []byte) []byte {
	le := binary.LittleEndian
	const header, address = 128, 4096
	size := max(1536, (len(resources)+511)/512*512)
	b := make([]byte, 512+size)
	copy(b, "MZ")
	le.PutUint32(b[60:], header)
	h := b[header:]
	copy(h, "PE\x00\x00\x64\x86\x01\x00")
	le.PutUint16(h[20:], 240)
	le.PutUint16(h[22:], 0x22) // runs, large addresses
	o := h[24:]
	le.PutUint16(o, 0x20b)
	le.PutUint32(o[32:], address) // alignment of sections, in memory and in the file
	le.PutUint32(o[36:], 512)
	le.PutUint32(o[56:], 2*address)
	le.PutUint32(o[60:], 512) // size of headers
	le.PutUint32(o[108:], 16)
	s := o[240:]
	copy(s, ".rsrc")
	le.PutUint32(s[8:], uint32(size))
	le.PutUint32(s[12:], address)
	le.PutUint32(s[16:], uint32(size))
	le.PutUint32(s[20:], 512)
	if resources != nil {
		le.PutUint32(o[112+16:], address)
		le.PutUint32(o[112+20:], uint32(len(resources)))
	}
	copy(b[512:], resources)
	return b
}

// iconResources is a resource section of one icon, a PNG picture.
func iconResources(picture []byte, side int) []byte {
	const icon, group, address, first = 3, 14, 4096, 32
	var b []byte
	put := func(list ...uint32) {
		for _, n := range list {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
	}
	dir := func(entries ...uint32) { put(append([]uint32{0, 0, 0, uint32(len(entries)/2) << 16}, entries...)...) }
	const sub, chain = 1 << 31, 64
	entry := []byte{0, 0, 1, 0, 1, 0, byte(side), byte(side), 0, 0, 1, 0, 32, 0, 0, 0, 0, 0, 1, 0}
	binary.LittleEndian.PutUint32(entry[14:], uint32(len(picture)))
	data := uint32(address + first + 2*chain)
	dir(icon, sub|first, group, sub|(first+chain))
	dir(1, sub|(first+24))
	dir(1033, first+48)
	put(data+uint32(len(entry)), uint32(len(picture)), 0, 0)
	dir(1, sub|(first+chain+24))
	dir(1033, first+chain+48)
	put(data, uint32(len(entry)), 0, 0)
	return append(append(b, entry...), picture...)
}

// logo draws the first logo of a brand that the program knows.
func logo(t testing.TB, brand string, side int) []byte {
	t.Helper()
	text, err := signatures.Icons()
	must(t, err)
	var list []struct {
		Brand, Shape string
		Aspect       float64
		Colours      []string
	}
	must(t, json.Unmarshal(text, &list))
	for _, l := range list {
		if l.Brand == brand && len(l.Colours) == 1 {
			return drawn(t, l.Shape, l.Colours[0], l.Aspect, side)
		}
	}
	t.Fatalf("no logo of %s", brand)
	return nil
}

// drawn paints a shape of 16 by 16 cells, each as dense as its digit says.
func drawn(t testing.TB, shape, ink string, aspect float64, side int) []byte {
	t.Helper()
	var c color.NRGBA
	_, err := fmt.Sscanf(ink, "%02x%02x%02x", &c.R, &c.G, &c.B)
	must(t, err)
	wide, high := side, side
	if aspect > 1 {
		high = int(float64(side) / aspect)
	} else {
		wide = int(float64(side) * aspect)
	}
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range high {
		for x := range wide {
			var dense byte
			_, err := fmt.Sscanf(shape[y*16/high*16+x*16/wide:][:1], "%x", &dense)
			must(t, err)
			c.A = dense * 17
			img.SetNRGBA(x+(side-wide)/2, y+(side-high)/2, c)
		}
	}
	var out bytes.Buffer
	must(t, png.Encode(&out, img))
	return out.Bytes()
}

func icns(picture []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte("icns"), uint32(len(picture)+16))
	b = binary.BigEndian.AppendUint32(append(b, "ic07"...), uint32(len(picture)+8))
	return append(b, picture...)
}

// plainDMG is a disk image: some data, a property list, the trailer.
func plainDMG() []byte {
	data, list := bytes.Repeat([]byte("meeting "), 1000), []byte("<plist/>")
	koly := make([]byte, 512)
	copy(koly, "koly\x00\x00\x00\x04\x00\x00\x02\x00")
	binary.BigEndian.PutUint64(koly[32:], uint64(len(data)))
	binary.BigEndian.PutUint64(koly[216:], uint64(len(data)))
	binary.BigEndian.PutUint64(koly[224:], uint64(len(list)))
	return bytes.Join([][]byte{data, list, koly}, nil)
}

// plainPKG is an installer package with one member.
func plainPKG(t testing.TB) []byte {
	t.Helper()
	info := []byte(`<pkg-info identifier="us.zoom.pkg.videomeeting"/>`)
	toc := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><xar><toc><checksum style="sha1"><offset>0</offset><size>20</size></checksum>`+
		`<file><data><length>%d</length><offset>20</offset><size>%[1]d</size><encoding style="application/octet-stream"/>`+
		`<archived-checksum style="sha256">%x</archived-checksum></data><type>file</type><name>PackageInfo</name></file></toc></xar>`, len(info), sha256.Sum256(info))
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, err := z.Write([]byte(toc))
	must(t, err)
	must(t, z.Close())
	head := append([]byte("xar!"), 0, 28, 0, 1)
	head = binary.BigEndian.AppendUint64(head, uint64(packed.Len()))
	head = binary.BigEndian.AppendUint64(head, uint64(len(toc)))
	head = binary.BigEndian.AppendUint32(head, 1)
	h := crypto.SHA1.New()
	h.Write(packed.Bytes())
	return bytes.Join([][]byte{head, packed.Bytes(), h.Sum(nil), info}, nil)
}

// plainMachO is the slice of a real file that nobody signed.
func plainMachO(t *testing.T) []byte {
	t.Helper()
	fat := sample(t, "fsevents-2.3.3/package/fsevents.node")
	at, size := binary.BigEndian.Uint32(fat[16:]), binary.BigEndian.Uint32(fat[20:])
	return fat[at : at+size]
}

// bundle is an app bundle on its way to the disk, by paths below Contents.
type bundle map[string][]byte

// newBundle is a bundle whose Info.plist and list of resources are written.
func newBundle(plist string, resources bundle) bundle {
	b := bundle{"Info.plist": []byte(`<?xml version="1.0"?><plist version="1.0"><dict><key>CFBundleExecutable</key><string>zoom.us</string>` + plist + `</dict></plist>`)}
	var list strings.Builder
	for name, data := range resources {
		b[name] = data
		sum := sha256.Sum256(data)
		fmt.Fprintf(&list, "<key>%s</key><dict><key>hash2</key><data>%s</data></dict>", name, base64.StdEncoding.EncodeToString(sum[:]))
	}
	b["_CodeSignature/CodeResources"] = []byte(`<?xml version="1.0"?><plist version="1.0"><dict><key>files2</key><dict>` + list.String() +
		`</dict><key>rules2</key><dict><key>^.*</key><true/><key>^Info\.plist$</key><dict><key>omit</key><true/><key>weight</key><real>20</real></dict></dict></dict></plist>`)
	return b
}

// signed signs the main program over the bundle, under an identifier.
func (b bundle) signed(t *testing.T, id *identity, ident string) bundle {
	t.Helper()
	return b.with("MacOS/zoom.us", signCode(t, id, ident, plainMachO(t), b["Info.plist"], b["_CodeSignature/CodeResources"]))
}

// with is the bundle with another content of one file.
func (b bundle) with(name string, data []byte) bundle {
	out := bundle{name: data}
	for n, d := range b {
		if n != name {
			out[n] = d
		}
	}
	return out
}

// below are the files of the bundle as members of a container.
func (b bundle) below(folder string) map[string][]byte {
	out := map[string][]byte{}
	for name, data := range b {
		out[folder+name] = data
	}
	return out
}

func (b bundle) write(t testing.TB, dir string) string {
	t.Helper()
	for name, data := range b {
		put(t, filepath.Join(dir, "Contents", filepath.FromSlash(name)), data)
	}
	return dir
}
