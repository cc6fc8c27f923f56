package sign

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"meetguard"
)

// What osslsigncode says of a file, as far as its words are stable.
const (
	refOK       = "ok"       // "Succeeded"
	refMismatch = "mismatch" // a digest that does not fit
	refFailed   = "failed"   // no signature, no chain, or nothing that it reads
)

// difference is a fixture that osslsigncode judges otherwise, and why.
type difference struct{ says, why string }

var differences = map[string]difference{
	"for tests, time stamp inside":          {refOK, "it does not know the usage of lifetime signing, with which Windows ends a signature with its certificate"},
	"old certificate on SHA-1":              {refOK, "OpenSSL believes certificates that are signed with SHA-1"},
	"new certificate on SHA-1":              {refOK, "OpenSSL believes certificates that are signed with SHA-1"},
	"nested of another file":                {refMismatch, "it wants every signature to fit; here one that fits names its signer, and the other is a remark"},
	"nested that fits in one that does not": {refMismatch, "it wants every signature to fit; here one that fits names its signer, and the other is a remark"},
	"two signers":                           {refFailed, "it wants all signers to have a chain; here the one that has is reported, and the number is a remark"},
	"MSI with two signers":                  {refFailed, "it wants all signers to have a chain; here the one that has is reported, and the number is a remark"},
	"CAB with two signers":                  {refFailed, "it wants all signers to have a chain; here the one that has is reported, and the number is a remark"},
	"MSI made of the bytes of a program":    {refOK, "it does not ask what a signature is of, so that any signed program can be turned into a signed MSI"},
	"stuffed behind the signers":            {refFailed, "it does not parse the signature; decoders that skip unknown fields do, and here such a field is a remark"},
	"stuffed certificates":                  {refFailed, "it does not parse the signature; here what is no certificate is a remark"},
	"MSI digest in a program":               {refFailed, "it does not parse the signature; here the signer stays visible"},
	"overlay":                               {refFailed, "it sees no signature in front of an overlay; here its signer stays visible, with a remark"},
	"overlay, tampered":                     {refFailed, "it sees no signature in front of an overlay; here its signer stays visible, with a remark"},
	"a few zeros behind the table":          {refFailed, "it sees no signature in front of an overlay; here less than eight zeros are padding"},
	"hidden behind the entries":             {refFailed, "it refuses a table with anything but one entry; here its signer stays visible, with a remark"},
	"foreign entry":                         {refFailed, "it refuses a table with anything but one entry; here its signer stays visible, with a remark"},
	"foreign entry first":                   {refFailed, "it refuses a table with anything but one entry; here its signer stays visible, with a remark"},
	"second entry of another signer":        {refFailed, "it refuses a table with anything but one entry; here both signers are reported, with a remark"},
	"no optional header":                    {refMismatch, "it reads the directory beyond the header; such a file does not load, and here it has no signature"},
	"CAB appended":                          {refFailed, "it does not read such a cabinet; here its signer stays visible, with a remark"},
	"CAB appended and tampered":             {refFailed, "it does not read such a cabinet; here its signer stays visible, with a remark"},
}

// unnoticed are fixtures that osslsigncode accepts without a word, and what it
// passes over.
var unnoticed = map[string]string{
	"SHA-1 only":                           "a digest of SHA-1",
	"MSI with SHA-1":                       "a digest of SHA-1",
	"CAB with SHA-1":                       "a digest of SHA-1",
	"page digests of SHA-1":                "a digest of SHA-1",
	"nested nonsense":                      "a nested signature that is none",
	"six nested in one another":            "the depth",
	"stuffed attribute":                    "1 kB that nothing covers",
	"MSI with a stuffed attribute":         "1 kB that nothing covers",
	"CAB with a stuffed attribute":         "1 kB that nothing covers",
	"a large certificate of no chain":      "9 kB that nothing covers",
	"stuffed time stamp":                   "1 kB that nothing covers",
	"hidden in the entry":                  "8 kB behind the structure (CVE-2013-3900)",
	"MSI appended":                         "40 kB behind the last sector",
	"MSI appended, sectors marked as used": "40 kB behind the last sector",
}

// chainsToIssuer are real files whose pinned anchor is an issuing authority:
// OpenSSL goes on to look for the root above it, which is in no file.
var chainsToIssuer = []string{"vsce-sign.exe", "msalruntime.dll", "msalruntime_arm64.dll", "msalruntime_x86.dll", "conpty.dll", "OpenConsole.exe"}

// expected is what osslsigncode has to say if it agrees.
func expected(f fixture) string {
	switch {
	case f.status == valid:
		return refOK
	case f.chain == ChainBadDigest:
		return refMismatch
	}
	return refFailed
}

// reference asks osslsigncode. Revocation lists are not fetched: it would
// follow the addresses in the certificates.
func reference(t *testing.T, path, roots, stamps string) (verdict, output string) {
	t.Helper()
	tool, err := exec.LookPath("osslsigncode")
	if err != nil {
		t.Fatalf("osslsigncode is missing, run make deps: %v", err)
	}
	out, err := exec.Command(tool, "verify", "-ignore-cdp", "-ignore-crl", "-time", strconv.FormatInt(today.Unix(), 10),
		"-CAfile", roots, "-TSA-CAfile", stamps, "-in", path).CombinedOutput()
	switch {
	case bytes.Contains(out, []byte("MISMATCH")):
		return refMismatch, string(out)
	case err == nil:
		return refOK, string(out)
	}
	return refFailed, string(out)
}

func TestAgainstReference(t *testing.T) {
	p := newPeople(t)
	dir := t.TempDir()
	roots := filepath.Join(dir, "roots.pem")
	must(t, os.WriteFile(roots, p.ca.pem(), 0o600))
	seen := 0
	for i, f := range fixtures(t, p) {
		path := filepath.Join(dir, strconv.Itoa(i)+"."+string(f.format))
		must(t, os.WriteFile(path, f.file, 0o600))
		got, output := reference(t, path, roots, roots)
		want := expected(f)
		if d, ok := differences[f.name]; ok {
			seen++
			if d.says == want {
				t.Errorf("%s: the difference is none", f.name)
			}
			want = d.says
		}
		if got != want {
			t.Errorf("%s: osslsigncode says %s, want %s:\n%s", f.name, got, want, output)
		}
		if _, listed := unnoticed[f.name]; listed != (got == refOK && f.remarks != "") {
			t.Errorf("%s: osslsigncode says %s of a file with the remarks %q, listed as unnoticed: %v", f.name, got, f.remarks, listed)
		}
	}
	if seen != len(differences) {
		t.Errorf("%d differences are listed, %d fixtures have one", len(differences), seen)
	}
}

// Files that osslsigncode signs are valid here: neither its digests nor its
// layouts are those of the fixtures.
func TestFilesSignedByReference(t *testing.T) {
	p := newPeople(t)
	v := newVerifier(t, p.ca)
	dir := t.TempDir()
	key, certs := p.good.files(t, dir, "good")
	short, shortCerts := p.short.files(t, dir, "short")
	tsa, tsaCerts := p.tsa.files(t, dir, "tsa")
	sign := func(name string, file []byte, args ...string) []byte {
		t.Helper()
		in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
		must(t, os.WriteFile(in, file, 0o600))
		os.Remove(out)
		args = append(append([]string{"sign"}, args...), "-in", in, "-out", out)
		if text, err := exec.Command("osslsigncode", args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		signed, err := os.ReadFile(out)
		must(t, err)
		return signed
	}
	at := strconv.FormatInt(issued.AddDate(0, 0, 1).Unix(), 10)
	good := []string{"-certs", certs, "-key", key, "-h", "sha256"}
	stamped := []string{"-certs", shortCerts, "-key", short, "-h", "sha256", "-TSA-certs", tsaCerts, "-TSA-key", tsa, "-TSA-time", at}
	with := func(list []string, more ...string) []string { return append(slices.Clone(list), more...) }
	cases := []struct {
		name    string
		format  meetguard.Format
		file    []byte
		args    []string
		remarks string
		others  int
	}{
		{"PE", meetguard.FormatPE, plainPE(), good, "", 0},
		{"PE with page digests", meetguard.FormatPE, plainPE(), with(good, "-ph"), "", 0},
		{"PE, large, with page digests", meetguard.FormatPE, largePE(100<<10 + 512), with(good, "-ph"), "", 0},
		{"real PE with page digests", meetguard.FormatPE, named(t, "win32-x64/winpty.dll"), with(good, "-ph"), "", 0},
		{"PE with time stamp", meetguard.FormatPE, plainPE(), stamped, "", 0},
		{"PE with a stuffed attribute", meetguard.FormatPE, plainPE(), with(good, "-addUnauthenticatedBlob"), RemarkUnauthBlob, 0},
		{"PE nested", meetguard.FormatPE, signedPE(t, p.second), with(good, "-nest"), "", 1},
		{"MSI", meetguard.FormatMSI, plainMSI(), good, "", 0},
		{"MSI with metadata", meetguard.FormatMSI, plainMSI(), with(good, "-add-msi-dse"), "", 0},
		{"MSI with time stamp", meetguard.FormatMSI, plainMSI(), stamped, "", 0},
		{"MSI nested", meetguard.FormatMSI, signedMSI(t, p.second, false), with(good, "-nest"), "", 1},
		{"CAB", meetguard.FormatCab, plainCab(), good, "", 0},
		{"CAB with time stamp", meetguard.FormatCab, plainCab(), stamped, "", 0},
	}
	for _, c := range cases {
		sig, gaps := verify(v, sign(c.name, c.file, c.args...), c.format)
		if sig.Status != valid || strings.Join(sig.Remarks, ",") != c.remarks || len(sig.OtherSigners) != c.others || len(gaps) > 0 {
			t.Errorf("%s: got %+v, gaps %v", c.name, sig, gaps)
		}
	}
}

// files writes key and certificates for osslsigncode.
func (id *identity) files(t *testing.T, dir, name string) (key, certs string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(id.key)
	must(t, err)
	key, certs = filepath.Join(dir, name+".key"), filepath.Join(dir, name+".pem")
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	var text []byte
	for _, c := range id.certs() {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	must(t, os.WriteFile(certs, text, 0o600))
	return key, certs
}

// pemOf joins the pinned anchors of a folder.
func pemOf(t *testing.T, dir string) string {
	t.Helper()
	var all []byte
	names, err := fs.Glob(rootFiles, dir+"/*.pem")
	must(t, err)
	for _, name := range names {
		text, err := rootFiles.ReadFile(name)
		must(t, err)
		all = append(append(all, text...), '\n')
	}
	path := filepath.Join(t.TempDir(), "roots.pem")
	must(t, os.WriteFile(path, all, 0o600))
	return path
}

func TestRealFilesAgainstReference(t *testing.T) {
	roots, stamps := pemOf(t, "roots/code"), pemOf(t, "roots/timestamp")
	for _, s := range samples(t) {
		file := s.read(t)
		if formatOf(file) != meetguard.FormatPE {
			continue
		}
		got, output := reference(t, s.path, roots, stamps)
		want := expected(fixture{status: s.status, chain: s.chain})
		if slices.Contains(chainsToIssuer, filepath.Base(s.path)) {
			want = refFailed
			if !strings.Contains(output, "unable to get issuer certificate") {
				t.Errorf("%s: osslsigncode has another reason:\n%s", s.path, output)
			}
		}
		if got != want {
			t.Errorf("%s: osslsigncode says %s, want %s:\n%s", s.path, got, want, lastLines(output))
		}
	}
}

func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-25):], "\n")
}
