package sign

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/sassoftware/relic/v8/lib/authenticode"
	"github.com/sassoftware/relic/v8/lib/signappx"
	"github.com/sassoftware/relic/v8/lib/x509tools"
)

// sealSIP makes the signature of a digest that a subject interface package of
// Windows computes: that of scripts, MSI and MSIX.
func sealSIP(t testing.TB, id *identity, uuid, digest []byte) *sealed {
	t.Helper()
	var ind authenticode.SpcIndirectDataContentMsi
	ind.Data.Type = authenticode.OidSpcSipInfo
	ind.Data.Value = authenticode.SpcSipInfo{A: 65536, UUID: uuid}
	ind.MessageDigest.DigestAlgorithm, _ = x509tools.PkixDigestAlgorithm(crypto.SHA256)
	ind.MessageDigest.Digest = digest
	return id.seal(t, authenticode.OidSpcIndirectDataContent, ind)
}

// signedPS signs a PowerShell script with relic's side, in the encoding that
// it has.
func signedPS(t testing.TB, id *identity, style authenticode.PsSigStyle, script []byte) []byte {
	t.Helper()
	d, err := authenticode.DigestPowershell(bytes.NewReader(script), style, crypto.SHA256)
	must(t, err)
	patch, err := d.MakePatch(sealSIP(t, id, authenticode.SpcUUIDSipInfoPs, d.Imprint).der(t))
	must(t, err)
	path := filepath.Join(t.TempDir(), "script")
	must(t, os.WriteFile(path, script, 0o600))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	must(t, patch.Apply(f, path))
	must(t, f.Close())
	out, err := os.ReadFile(path)
	must(t, err)
	return out
}

// blockOf writes a signature block in the style of a language.
func blockOf(style blockStyle, cms []byte) string {
	var b strings.Builder
	b.WriteString("\r\n" + style.begin + "\r\n")
	for text := base64.StdEncoding.EncodeToString(cms); text != ""; {
		n := min(64, len(text))
		b.WriteString(style.prefix + text[:n] + style.suffix + "\r\n")
		text = text[n:]
	}
	b.WriteString(style.end + "\r\n")
	return b.String()
}

func utf16file(text string, big bool) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune("\uFEFF" + text)) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return b
}

// osslsigncode runs the tool on files of a folder of its own and returns what
// it says; ok is its exit status.
type osslsigncode struct {
	dir string
}

// newOsslsigncode writes the key of an identity for the tool. It returns nil
// where the tool is not installed, which is told in the log.
func newOsslsigncode(t testing.TB, id, ca *identity) *osslsigncode {
	t.Helper()
	if _, err := exec.LookPath("osslsigncode"); err != nil {
		t.Log("OSSLSIGNCODE IS NOT INSTALLED: the answers are not compared with a second program")
		return nil
	}
	o := &osslsigncode{t.TempDir()}
	key, err := x509.MarshalPKCS8PrivateKey(id.key)
	must(t, err)
	o.write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	o.write(t, "leaf.pem", append(id.pem(), ca.pem()...))
	o.write(t, "ca.pem", ca.pem())
	return o
}

func (o *osslsigncode) write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(o.dir, name)
	must(t, os.WriteFile(path, data, 0o600))
	return path
}

func (o *osslsigncode) sign(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	in, out := o.write(t, name, data), filepath.Join(o.dir, "signed-"+name)
	said, err := exec.Command("osslsigncode", "sign", "-h", "sha256", "-certs", filepath.Join(o.dir, "leaf.pem"),
		"-key", filepath.Join(o.dir, "key.pem"), "-in", in, "-out", out).CombinedOutput()
	if err != nil {
		t.Fatalf("sign %s: %v: %s", name, err, said)
	}
	signed, err := os.ReadFile(out)
	must(t, err)
	must(t, os.Remove(out))
	return signed
}

func (o *osslsigncode) verify(t testing.TB, name string, data []byte) (ok bool, said string) {
	t.Helper()
	out, err := exec.Command("osslsigncode", "verify", "-ignore-cdp", "-ignore-crl", "-time", strconv.FormatInt(today.Unix(), 10), "-CAfile", filepath.Join(o.dir, "ca.pem"),
		"-in", o.write(t, name, data)).CombinedOutput()
	return err == nil, string(out)
}

// msixFiles are the files of a package, with a block map that fits them.
func msixFiles(publisher string) []msixFile {
	files := []msixFile{
		{"Meeting.exe", plainPE()},
		{"Assets/Logo.png", bytes.Repeat([]byte("meeting "), 20000)},
		{msixManifest, []byte(`<?xml version="1.0" encoding="utf-8"?><Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10">` +
			`<Identity Name="Meeting" Publisher="` + publisher + `" Version="1.0.0.0"/></Package>`)},
	}
	return append(files, msixFile{msixBlockMap, blockMapOf(files)},
		msixFile{msixContentTypes, []byte(`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="exe" ContentType="application/x-msdownload"/>` +
			`<Default Extension="png" ContentType="image/png"/><Default Extension="xml" ContentType="application/vnd.ms-appx.manifest+xml"/>` +
			`<Override PartName="/AppxBlockMap.xml" ContentType="application/vnd.ms-appx.blockmap+xml"/>` +
			`<Override PartName="/AppxSignature.p7x" ContentType="application/vnd.ms-appx.signature"/></Types>`)})
}

type msixFile struct {
	name    string
	content []byte
}

func blockMapOf(files []msixFile) []byte {
	var b strings.Builder
	b.WriteString(`<BlockMap xmlns="http://schemas.microsoft.com/appx/2010/blockmap" HashMethod="http://www.w3.org/2001/04/xmlenc#sha256">`)
	for _, f := range files {
		fmt.Fprintf(&b, `<File Name="%s" Size="%d" LfhSize="%d">`, strings.ReplaceAll(f.name, "/", `\`), len(f.content), 30+len(f.name))
		for rest := f.content; len(rest) > 0; {
			n := min(64<<10, len(rest))
			sum := sha256.Sum256(rest[:n])
			fmt.Fprintf(&b, `<Block Hash="%s"/>`, base64.StdEncoding.EncodeToString(sum[:]))
			rest = rest[n:]
		}
		b.WriteString("</File>")
	}
	b.WriteString("</BlockMap>")
	return []byte(b.String())
}

// zipOf packs files in their order.
func zipOf(t testing.TB, files []msixFile) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		part, err := w.Create(f.name)
		must(t, err)
		_, err = part.Write(f.content)
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

// signedMSIX signs a package. The digests are taken from the package without
// a signature: what lies before its directory, and the directory itself.
func signedMSIX(t testing.TB, id *identity, files []msixFile) []byte {
	t.Helper()
	return zipOf(t, append(slices.Clip(files), msixFile{msixSignature, sealMSIX(t, id, files)}))
}

func sealMSIX(t testing.TB, id *identity, files []msixFile) []byte {
	t.Helper()
	unsigned := zipOf(t, files)
	directory := binary.LittleEndian.Uint32(unsigned[len(unsigned)-6:])
	list := []byte("APPX")
	add := func(tag string, content []byte) {
		sum := sha256.Sum256(content)
		list = append(append(list, tag...), sum[:]...)
	}
	add("AXPC", unsigned[:directory])
	add("AXCD", unsigned[directory:])
	for _, f := range files {
		if tag := map[string]string{msixContentTypes: "AXCT", msixBlockMap: "AXBM", msixCatalog: "AXCI"}[f.name]; tag != "" {
			add(tag, f.content)
		}
	}
	return append([]byte(msixMagic), sealSIP(t, id, signappx.SpcUUIDSipInfoAppx, list).der(t)...)
}

// relicFile reads one of the really signed files that come with the source of
// the library that checks CMS here.
func relicFile(t testing.TB, name string) []byte {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sassoftware/relic/v8").Output()
	must(t, err)
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "functest", name))
	must(t, err)
	return data
}

// newPGP makes an OpenPGP key with another project's hands.
func newPGP(t testing.TB) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity("Packager", "", "packager@host.invalid", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	must(t, err)
	return e
}

// sealPGP makes a detached signature.
func sealPGP(t testing.TB, by *openpgp.Entity, content []byte, armored bool) []byte {
	t.Helper()
	var b bytes.Buffer
	if armored {
		must(t, openpgp.ArmoredDetachSign(&b, by, bytes.NewReader(content), nil))
	} else {
		must(t, openpgp.DetachSign(&b, by, bytes.NewReader(content), nil))
	}
	return b.Bytes()
}

// debOf joins members to a package.
func debOf(members ...msixFile) []byte {
	b := []byte(arMagic)
	for _, m := range members {
		b = fmt.Appendf(b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", m.name, 0, 0, 0, 0o100644, len(m.content))
		if b = append(b, m.content...); len(b)%2 == 1 {
			b = append(b, '\n')
		}
	}
	return b
}

// dpkgSig makes the member that dpkg-sig adds.
func dpkgSig(t testing.TB, by *openpgp.Entity, members ...msixFile) msixFile {
	t.Helper()
	var b bytes.Buffer
	w, err := clearsign.Encode(&b, by.PrivateKey, nil)
	must(t, err)
	fmt.Fprintf(w, "Version: 4\nSigner: Packager\nRole: builder\nFiles: \n")
	for _, m := range members {
		fmt.Fprintf(w, "\t%x %x %d %s\n", md5.Sum(m.content), sha1.Sum(m.content), len(m.content), m.name)
	}
	must(t, w.Close())
	return msixFile{"_gpgbuilder", b.Bytes()}
}

// tagged is a value of an RPM header.
type tagged struct {
	tag, kind uint32
	value     []byte
}

func rpmText(tag uint32, text string) tagged {
	return tagged{tag, rpmString, append([]byte(text), 0)}
}

func rpmHeaderOf(values ...tagged) []byte {
	var index, store []byte
	for _, v := range values {
		amount := len(v.value)
		if v.kind != rpmBytes {
			amount = 1
		}
		for _, n := range []uint32{v.tag, v.kind, uint32(len(store)), uint32(amount)} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
		store = append(store, v.value...)
	}
	head := []byte(rpmHeaderMagic + "\x00\x00\x00\x00")
	head = binary.BigEndian.AppendUint32(head, uint32(len(values)))
	head = binary.BigEndian.AppendUint32(head, uint32(len(store)))
	return slices.Concat(head, index, store)
}

const rpmPayload = "payload of an inert package"

// rpmMain is the header of a package with that payload.
func rpmMain() []byte {
	sum := sha256.Sum256([]byte(rpmPayload))
	return rpmHeaderOf(rpmText(1000, "meeting"), tagged{rpmPayloadDigest, rpmArray, append(hex.AppendEncode(nil, sum[:]), 0)},
		tagged{rpmPayloadAlgorithm, rpmInt32, []byte{0, 0, 0, 8}})
}

// rpmOf puts a package together.
func rpmOf(main []byte, payload string, signatures ...tagged) []byte {
	lead := append([]byte(rpmLeadMagic), make([]byte, rpmLeadSize-4)...)
	head := rpmHeaderOf(signatures...)
	head = append(head, make([]byte, (8-len(head)%8)%8)...)
	return slices.Concat(lead, head, main, []byte(payload))
}

// rpmDigests are the digests that rpmbuild puts beside a signature.
func rpmDigests(main []byte) []tagged {
	long, short := sha256.Sum256(main), sha1.Sum(main)
	return []tagged{rpmText(rpmSHA256, hex.EncodeToString(long[:])), rpmText(rpmSHA1, hex.EncodeToString(short[:]))}
}

// appImageOf builds an ELF file of the given class with sections.
func appImageOf(wide bool, sections ...msixFile) []byte {
	l := elf32
	if wide {
		l = elf64
	}
	file := make([]byte, l.header)
	copy(file, "\x7fELF\x01\x01\x01\x00AI\x02")
	if wide {
		file[4] = 2
	}
	names := []byte{0}
	table := make([]byte, l.entry)
	add := func(name string, content []byte) {
		entry := make([]byte, l.entry)
		binary.LittleEndian.PutUint32(entry, uint32(len(names)))
		l.put(entry, l.offsetAt, len(file))
		l.put(entry, l.sizeAt, len(content))
		names = append(append(names, name...), 0)
		file = append(file, content...)
		table = append(table, entry...)
	}
	for _, s := range sections {
		add(s.name, append(bytes.Clone(s.content), make([]byte, 100)...))
	}
	add(".shstrtab", append(names, ".shstrtab\x00"...))
	l.put(file, l.tableAt, len(file))
	binary.LittleEndian.PutUint16(file[l.countAt:], uint16(len(sections)+2))
	binary.LittleEndian.PutUint16(file[l.namesAt:], uint16(len(sections)+1))
	return append(file, table...)
}

func (l elfLayout) put(b []byte, at, n int) {
	if l.wide {
		binary.LittleEndian.PutUint64(b[at:], uint64(n))
	} else {
		binary.LittleEndian.PutUint32(b[at:], uint32(n))
	}
}

func md5Of(text string) []byte {
	sum := md5.Sum([]byte(text))
	return sum[:]
}
