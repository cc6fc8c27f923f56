package sign

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sassoftware/relic/v8/lib/authenticode"

	"meetguard"
)

// sample is one line of testdata/samples.txt.
type sample struct {
	path    string
	sum     string
	status  meetguard.SignatureStatus
	chain   string
	remarks string
	subject string
}

func samples(t *testing.T) []sample {
	t.Helper()
	text, err := os.ReadFile("testdata/samples.txt")
	must(t, err)
	var all []sample
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		folder := strings.ReplaceAll(strings.TrimPrefix(f[0], "@"), "/", "-")
		at := strings.LastIndex(folder, "@")
		folder = folder[:at] + "-" + folder[at+1:]
		dash := func(s string) string { return strings.TrimPrefix(s, "-") }
		all = append(all, sample{
			path: filepath.Join("../../build/samples", folder, "package", filepath.FromSlash(f[1])),
			sum:  f[2], status: meetguard.SignatureStatus(f[3]),
			chain: dash(f[4]), remarks: dash(f[5]), subject: dash(strings.Join(f[6:], " ")),
		})
	}
	if len(all) < 20 {
		t.Fatalf("the list holds %d samples", len(all))
	}
	return all
}

func (s sample) read(t *testing.T) []byte {
	t.Helper()
	file, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatalf("a sample is missing, run make samples: %v", err)
	}
	if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != s.sum {
		t.Fatalf("%s is another file than the one listed", s.path)
	}
	return file
}

func formatOf(file []byte) meetguard.Format {
	if bytes.HasPrefix(file, []byte("MZ")) {
		return meetguard.FormatPE
	}
	return meetguard.FormatMachO
}

// named finds a sample by the end of its path.
func named(t *testing.T, end string) []byte {
	t.Helper()
	for _, s := range samples(t) {
		if strings.HasSuffix(filepath.ToSlash(s.path), end) {
			return s.read(t)
		}
	}
	t.Fatalf("no sample %s in the list", end)
	return nil
}

func TestRealFiles(t *testing.T) {
	v := newVerifier(t)
	for _, s := range samples(t) {
		t.Run(filepath.Base(s.path), func(t *testing.T) {
			file := s.read(t)
			sig, gaps := verify(v, file, formatOf(file))
			if sig.Status != s.status || sig.Chain != s.chain || sig.Subject != s.subject || strings.Join(sig.Remarks, ",") != s.remarks {
				t.Errorf("got %+v", sig)
			}
			if len(gaps) > 0 {
				t.Errorf("gaps %v", gaps)
			}
			if sig.Status == meetguard.SignatureValid && (sig.SignedAt.IsZero() || sig.LifeDays < 3 || sig.Serial == "" || sig.Issuer == "") {
				t.Errorf("incomplete: %+v", sig)
			}
		})
	}
}

// One changed bit, and the signature is of another file; the
// signer it names stays visible.
func TestRealFilesTampered(t *testing.T) {
	v := newVerifier(t)
	for _, s := range samples(t) {
		if s.status == meetguard.SignatureUnsigned {
			continue
		}
		t.Run(filepath.Base(s.path), func(t *testing.T) {
			file := s.read(t)
			file[len(file)*3/4] ^= 1 // past the unsigned slice of the fat sample
			sig, gaps := verify(v, file, formatOf(file))
			if sig.Status != meetguard.SignatureInvalid || sig.Chain != ChainBadDigest || len(gaps) > 0 {
				t.Errorf("got %+v, gaps %v", sig, gaps)
			}
			if sig.Subject != s.subject {
				t.Errorf("subject %q, want %q", sig.Subject, s.subject)
			}
		})
	}
}

func TestRealIdentities(t *testing.T) {
	v := newVerifier(t)
	cases := []struct{ file, team, id, issuer, cn string }{
		{"libmsalruntime_arm64.dylib", "UBF8T346G9", "libmsalruntime_arm64", "Apple Worldwide Developer Relations Certification Authority", "3rd Party Mac Developer Application: Microsoft Corporation (UBF8T346G9)"},
		{"src/dart", "S8QB4VV633", "dartaotruntime", "Developer ID Certification Authority", "Developer ID Application: FLUTTER.IO LLC (S8QB4VV633)"},
		{"x64/conpty/conpty.dll", "", "", "Microsoft Code Signing PCA 2011", "Microsoft Corporation"},
		{"fsevents.node", "", "fsevents.node", "", ""},
	}
	for _, c := range cases {
		file := named(t, c.file)
		sig, _ := verify(v, file, formatOf(file))
		if sig.TeamID != c.team || sig.SigningID != c.id || sig.Issuer != c.issuer || sig.CommonName != c.cn {
			t.Errorf("%s: got %+v", c.file, sig)
		}
	}
}

// relic's own verifier, on files that are no danger to it, must agree with the
// digest that is computed here.
func TestRealFilesAgreeWithRelic(t *testing.T) {
	for _, s := range samples(t) {
		file := s.read(t)
		if s.status == meetguard.SignatureUnsigned || formatOf(file) != meetguard.FormatPE {
			continue
		}
		sigs, err := authenticode.VerifyPE(bytes.NewReader(file), false)
		if err != nil || len(sigs) != 1 || sigs[0].Certificate.Subject.Organization[0] != s.subject {
			t.Errorf("%s: relic says %d signatures, %v", s.path, len(sigs), err)
		}
	}
}

// A Microsoft signature on another program (the trick of SigThief).
func TestBorrowedSignature(t *testing.T) {
	v := newVerifier(t)
	donor := named(t, "x64/conpty/conpty.dll")
	l, err := readPE(input{bytes.NewReader(donor), int64(len(donor))})
	must(t, err)
	sig, _ := verify(v, withTable(plainPE(), entryAt, donor[l.table:l.table+l.length]), meetguard.FormatPE)
	if sig.Status != meetguard.SignatureInvalid || sig.Chain != ChainBadDigest || sig.Subject != "Microsoft Corporation" {
		t.Errorf("got %+v", sig)
	}
}

// Data that was put behind or into a real signature does not change who made
// the program, and is told.
func TestRealSignatureWithPassengers(t *testing.T) {
	v := newVerifier(t)
	file := named(t, "x64/conpty/conpty.dll")
	l, err := readPE(input{bytes.NewReader(file), int64(len(file))})
	must(t, err)
	table := file[l.table : l.table+l.length]
	secret := bytes.Repeat([]byte("payload "), 1000)
	cases := []struct {
		name string
		file []byte
		want string
	}{
		{"overlay", append(bytes.Clone(file), secret...), RemarkOverlay},
		{"behind the structure", withTable(file, int(l.entry), certEntry(certTypePKCS, append(bytes.Clone(table[8:]), secret...))), RemarkHiddenBytes},
		{"behind the entries", withTable(file, int(l.entry), table, secret), RemarkHiddenBytes},
		{"entry of another type", withTable(file, int(l.entry), table, certEntry(0x0ef1, secret)), RemarkExtraEntry},
		{"entry of another type first", withTable(file, int(l.entry), certEntry(0x0ef1, secret), table), RemarkExtraEntry},
		{"the same entry twice", withTable(file, int(l.entry), table, table), RemarkExtraEntry},
	}
	for _, c := range cases {
		sig, gaps := verify(v, c.file, meetguard.FormatPE)
		if sig.Status != meetguard.SignatureValid || sig.Subject != "Microsoft Corporation" || len(gaps) > 0 {
			t.Errorf("%s: got %+v, gaps %v", c.name, sig, gaps)
		}
		if !contains(sig.Remarks, c.want) {
			t.Errorf("%s: remarks %v, want %s", c.name, sig.Remarks, c.want)
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
