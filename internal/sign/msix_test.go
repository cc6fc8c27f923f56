package sign

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/sassoftware/relic/v8/lib/signappx"

	"meetguard"
)

// zoomPublisher is the subject of the test certificates as a manifest has it.
const zoomPublisher = `O=&quot;Zoom Video Communications, Inc.&quot;, CN=&quot;Zoom Video Communications, Inc.&quot;`

func TestMSIX(t *testing.T) {
	ca := newCA(t)
	id := issue(t, ca, func(*x509.Certificate) {})
	self := issue(t, nil, func(*x509.Certificate) {})
	files := msixFiles(zoomPublisher)
	good := signedMSIX(t, id, files)
	with := func(change func(f []msixFile) []msixFile) []byte { // changed after signing
		return zipOf(t, append(change(slices.Clone(files)), msixFile{msixSignature, sealMSIX(t, id, files)}))
	}
	set := func(i int, content string) []byte {
		return with(func(f []msixFile) []msixFile { f[i].content = []byte(content); return f })
	}
	flip := func(at int) []byte {
		out := bytes.Clone(good)
		out[at] ^= 1
		return out
	}
	put := func(fromEnd int, n uint32) []byte {
		out := bytes.Clone(good)
		binary.LittleEndian.PutUint32(out[len(out)-fromEnd:], n)
		return out
	}
	catalog := append(slices.Clone(files), msixFile{msixCatalog, []byte("catalog")})
	bundle := []msixFile{
		{"Meeting.msix", good},
		{msixBundleManifest, []byte(`<Bundle><Identity Name="Meeting" Publisher="` + zoomPublisher + `"/></Bundle>`)},
		{msixBlockMap, []byte("<BlockMap/>")}, {msixContentTypes, []byte("<Types/>")},
	}
	directory := int(binary.LittleEndian.Uint32(good[len(good)-6:]))
	between := slices.Concat(good[:directory], []byte("payload"), good[directory:])
	binary.LittleEndian.PutUint32(between[len(between)-6:], uint32(directory+7))

	const valid, invalid, unsigned, untrusted = meetguard.SignatureValid, meetguard.SignatureInvalid, meetguard.SignatureUnsigned, meetguard.SignatureUntrusted
	cases := []struct {
		what    string
		file    []byte
		status  meetguard.SignatureStatus
		chain   string
		remarks string
	}{
		{"good", good, valid, ChainOK, ""},
		{"good with a catalog", signedMSIX(t, id, catalog), valid, ChainOK, ""},
		{"good bundle", signedMSIX(t, id, bundle), valid, ChainOK, ""},
		{"self-signed", signedMSIX(t, self, files), untrusted, ChainUnknownRoot, ""},
		{"publisher in another order", signedMSIX(t, id, msixFiles(`CN=&quot;Zoom Video Communications, Inc.&quot;,O=&quot;Zoom Video Communications, Inc.&quot;`)), valid, ChainOK, ""},
		{"foreign publisher", signedMSIX(t, id, msixFiles("CN=Nobody")), valid, ChainOK, RemarkPublisher},
		{"no publisher", signedMSIX(t, id, msixFiles("")), valid, ChainOK, RemarkPublisher},
		{"bundle of a foreign publisher", signedMSIX(t, id, slices.Concat(bundle[:1], []msixFile{{msixBundleManifest, []byte(`<Bundle><Identity Publisher="CN=x"/></Bundle>`)}}, bundle[2:])), valid, ChainOK, RemarkPublisher},
		{"appended", append(bytes.Clone(good), "payload"...), valid, ChainOK, RemarkOverlay},
		{"bytes between signature and directory", between, valid, ChainOK, RemarkHiddenBytes},

		{"tampered file", set(0, "other program"), invalid, ChainBadDigest, ""},
		{"tampered block map", set(3, "<BlockMap/>"), invalid, ChainBadDigest, ""},
		{"tampered manifest", set(2, `<Package><Identity Publisher="CN=x"/></Package>`), invalid, ChainBadDigest, ""},
		{"renamed file", with(func(f []msixFile) []msixFile { f[0].name = "Meeting.bat"; return f }), invalid, ChainBadDigest, ""},
		{"added file", with(func(f []msixFile) []msixFile { return append(f, msixFile{"evil.exe", nil}) }), invalid, ChainBadDigest, ""},
		{"added catalog", with(func(f []msixFile) []msixFile { return append(f, msixFile{msixCatalog, nil}) }), invalid, ChainBadDigest, ""},
		{"removed file", with(func(f []msixFile) []msixFile { return f[1:] }), invalid, ChainBadDigest, ""},
		{"flipped time in the directory", flip(directory + 12), invalid, ChainBadDigest, ""},
		{"signature of another package", zipOf(t, append(slices.Clip(files), msixFile{msixSignature, sealMSIX(t, id, catalog)})), invalid, ChainBadDigest, ""},
		{"signature is not the last file", zipOf(t, append(append(slices.Clip(files), msixFile{msixSignature, sealMSIX(t, id, files)}), msixFile{"x", nil})), invalid, ChainMalformed, ""},
		{"signature of a program", zipOf(t, append(slices.Clip(files), msixFile{msixSignature, append([]byte(msixMagic), sealPE(t, id, plainPE()).der(t)...)})), invalid, ChainMalformed, ""},
		{"signature without its magic", zipOf(t, append(slices.Clip(files), msixFile{msixSignature, sealMSIX(t, id, files)[4:]})), invalid, ChainMalformed, ""},
		{"no manifest", signedMSIX(t, id, append(slices.Clone(files[:2]), files[3:]...)), invalid, ChainMalformed, ""},

		{"unsigned", zipOf(t, files), unsigned, "", ""},
		{"two files of one name", zipOf(t, append(slices.Clip(files), msixFile{"meeting.EXE", nil})), unsigned, "", ""},
		{"directory of 4 GB", put(10, 1<<32-2), unsigned, "", ""},
		{"directory elsewhere", put(6, 5), unsigned, "", ""},
		{"64-bit end is missing", put(6, 1<<32-1), unsigned, "", ""},
		{"cut off", good[:len(good)-10], unsigned, "", ""},
		{"empty", nil, unsigned, "", ""},
	}
	v := newVerifier(t, ca)
	for _, c := range cases {
		sig, gaps := verify(v, c.file, meetguard.FormatMSIX)
		if sig.Status != c.status || sig.Chain != c.chain || strings.Join(sig.Remarks, ",") != c.remarks || len(gaps) > 0 {
			t.Errorf("%s: got %+v, gaps %v", c.what, sig, gaps)
		}
		if (c.status == valid || c.chain == ChainBadDigest) && sig.Subject != zoom {
			t.Errorf("%s: subject %q", c.what, sig.Subject)
		}
	}
}

// What would cost too much to unpack is a limit and no accusation.
func TestMSIXBomb(t *testing.T) {
	ca := newCA(t)
	files := msixFiles(zoomPublisher)
	files[3].content = bytes.Repeat([]byte(" "), maxZipPart+1)
	lying := signedMSIX(t, ca, msixFiles(zoomPublisher))
	record := bytes.LastIndex(lying, []byte(zipEntryMagic))
	binary.LittleEndian.PutUint32(lying[record+24:], 7<<20)
	if sig, _ := verify(newVerifier(t, ca), lying, meetguard.FormatMSIX); sig.Status != meetguard.SignatureInvalid || sig.Chain != ChainMalformed {
		t.Errorf("a size that cannot be: got %+v", sig)
	}
	sig, gaps := verify(newVerifier(t, ca), signedMSIX(t, ca, files), meetguard.FormatMSIX)
	if sig.Status != meetguard.SignatureUnknown || len(gaps) != 1 || !gaps[0].Blinding {
		t.Errorf("got %+v, gaps %v", sig, gaps)
	}
}

// A package that Visual Studio made, with a 64-bit directory and a catalog.
func TestRealMSIX(t *testing.T) {
	file := relicFile(t, "packages/App1_1.0.3.0_x64.appx")
	theirs, err := signappx.Verify(bytes.NewReader(file), int64(len(file)), false)
	must(t, err)
	v := newVerifier(t)
	sig, gaps := verify(v, file, meetguard.FormatMSIX)
	if sig.Status != meetguard.SignatureUntrusted || sig.Chain != ChainUnknownRoot || len(sig.Remarks) > 0 || len(gaps) > 0 {
		t.Errorf("got %+v, gaps %v", sig, gaps)
	}
	if want := theirs.Signature.Certificate.Subject.CommonName; sig.CommonName != want {
		t.Errorf("common name %q, want %q", sig.CommonName, want)
	}
	for _, at := range []int{100, len(file) / 2, len(file) - 2500} {
		changed := bytes.Clone(file)
		changed[at] ^= 1
		if sig, _ := verify(v, changed, meetguard.FormatMSIX); sig.Status != meetguard.SignatureInvalid {
			t.Errorf("changed at %d: got %+v", at, sig)
		}
	}
}

func TestMSIXWithOsslsigncode(t *testing.T) {
	ca := newCA(t)
	id := issue(t, ca, func(*x509.Certificate) {})
	o := newOsslsigncode(t, id, ca)
	if o == nil {
		return
	}
	v := newVerifier(t, ca)
	files := msixFiles(zoomPublisher)
	sig, gaps := verify(v, o.sign(t, "theirs.appx", zipOf(t, files)), meetguard.FormatMSIX)
	if sig.Status != meetguard.SignatureValid || len(sig.Remarks) > 0 {
		t.Errorf("signed by the tool: got %+v, gaps %v", sig, gaps)
	}
	if ok, said := o.verify(t, "ours.appx", signedMSIX(t, id, files)); !ok {
		t.Errorf("judged by the tool: %s", said)
	}
}

// Every byte before the signature and of the directory is covered.
func TestEveryByteOfMSIX(t *testing.T) {
	ca := newCA(t)
	file := signedMSIX(t, issue(t, ca, func(*x509.Certificate) {}), msixFiles(zoomPublisher))
	signature := bytes.LastIndex(file, []byte(zipLocalMagic))
	directory := int(binary.LittleEndian.Uint32(file[len(file)-6:]))
	record := bytes.LastIndex(file, []byte(zipEntryMagic)) // of the signature itself
	v := newVerifier(t, ca)
	for _, part := range [][2]int{{0, signature}, {directory, record}, {len(file) - zipEndSize, len(file)}} {
		for at := part[0]; at < part[1]; at += 11 {
			changed := bytes.Clone(file)
			changed[at] ^= 0x10
			if sig, _ := verify(v, changed, meetguard.FormatMSIX); sig.Status == meetguard.SignatureValid && !contains(sig.Remarks, RemarkOverlay) {
				t.Fatalf("changed at %d of %d: got %+v", at, len(file), sig)
			}
		}
	}
}

func TestSameName(t *testing.T) {
	cases := []struct {
		a, b string
		same bool
	}{
		{"CN=Zoom, O=Zoom, S=California, C=US", "C=US,ST=California,O=Zoom,CN=Zoom", true},
		{`CN="Zoom, Inc.", C=US`, `CN="Zoom, Inc." , C=US`, true},
		{`CN="a ""b"" c"`, `CN="a ""b"" c"`, true},
		{`CN=Zoom, OID.2.5.4.5=1`, `CN=Zoom, SERIALNUMBER=1`, true},
		{"CN=Zoom", "CN=Zoom, O=Zoom", false},
		{"CN=Zoom", "O=Zoom", false},
		{"CN=zoom", "CN=Zoom", false},
		{`CN="Zoom, O=x"`, `CN=Zoom, O=x`, false},
		{"", "", false},
	}
	for _, c := range cases {
		if got := sameName(c.a, c.b); got != c.same {
			t.Errorf("sameName(%q, %q) = %v", c.a, c.b, got)
		}
	}
}
