package sign

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"testing"

	"github.com/sassoftware/relic/v8/lib/authenticode"

	"meetguard"
)

// signedCatalog makes a catalog of the given files with relic's side.
func signedCatalog(t testing.TB, id *identity, h crypto.Hash, programs ...[]byte) []byte {
	t.Helper()
	c := authenticode.NewCatalog(h)
	for _, p := range programs {
		for _, h := range []crypto.Hash{crypto.SHA1, h} {
			d, err := authenticode.DigestPE(bytes.NewReader(p), h, false)
			must(t, err)
			ind, err := d.GetIndirect()
			must(t, err)
			must(t, c.Add(ind))
		}
	}
	list, err := c.Marshal()
	must(t, err)
	return sealRaw(t, id, authenticode.OidCertTrustList, list)
}

// sealRaw signs content that is DER already.
func sealRaw(t testing.TB, id *identity, oid asn1.ObjectIdentifier, content []byte) []byte {
	t.Helper()
	return id.seal(t, oid, asn1.RawValue{FullBytes: content}).der(t)
}

func TestCatalog(t *testing.T) {
	ca := newCA(t)
	id := issue(t, ca, func(*x509.Certificate) {})
	self := issue(t, nil, func(*x509.Certificate) {})
	program := plainPE()
	digests := map[crypto.Hash][]byte{}
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		d, err := authenticode.DigestPE(bytes.NewReader(program), h, false)
		must(t, err)
		digests[h] = d.Imprint
	}
	good := signedCatalog(t, id, crypto.SHA256, program)
	old := signedCatalog(t, id, crypto.SHA1, program)
	flip := func(marker []byte) []byte {
		out := bytes.Clone(good)
		out[bytes.Index(out, marker)] ^= 1
		return out
	}
	foreign, err := asn1.Marshal(struct{ Usage []asn1.ObjectIdentifier }{[]asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 311, 10, 3, 9}}})
	must(t, err)
	const valid, invalid, untrusted = meetguard.SignatureValid, meetguard.SignatureInvalid, meetguard.SignatureUntrusted
	cases := []struct {
		what     string
		file     []byte
		status   meetguard.SignatureStatus
		chain    string
		has      []crypto.Hash
		members  int
		unlisted bool
	}{
		{"good", good, valid, ChainOK, []crypto.Hash{crypto.SHA1, crypto.SHA256}, 2, false},
		{"first version", old, valid, ChainOK, []crypto.Hash{crypto.SHA1}, 1, false},
		{"empty", signedCatalog(t, id, crypto.SHA256), valid, ChainOK, nil, 0, false},
		{"self-signed", signedCatalog(t, self, crypto.SHA256, program), untrusted, ChainUnknownRoot, []crypto.Hash{crypto.SHA256}, 2, false},
		{"tampered", flip(digests[crypto.SHA256]), invalid, ChainBadDigest, nil, 0, true},
		{"list of another use", sealRaw(t, id, authenticode.OidCertTrustList, foreign), invalid, ChainMalformed, nil, 0, true},
		{"signature of a program", sealPE(t, id, program).der(t), invalid, ChainMalformed, nil, 0, true},
		{"cut off", good[:len(good)/2], invalid, ChainMalformed, nil, 0, true},
		{"nothing", nil, invalid, ChainMalformed, nil, 0, true},
	}
	v := newVerifier(t, ca)
	for _, c := range cases {
		sig, list, gaps := v.VerifyCatalog(c.file, today)
		if sig.Status != c.status || sig.Chain != c.chain || len(gaps) > 0 || (list == nil) != c.unlisted || list.Len() != c.members {
			t.Errorf("%s: got %+v with %d members, gaps %v", c.what, sig, list.Len(), gaps)
		}
		for _, h := range c.has {
			if !list.Has(digests[h]) {
				t.Errorf("%s: the %v digest of the program is not listed", c.what, h)
			}
		}
		if other := sha256.Sum256([]byte("other")); list.Has(other[:]) || list.Has(nil) {
			t.Errorf("%s: lists what is not in it", c.what)
		}
	}
	if sig, list, gaps := v.VerifyCatalog(make([]byte, maxBlob+1), today); sig.Status != meetguard.SignatureUnknown || list != nil || len(gaps) != 1 || !gaps[0].Blinding {
		t.Errorf("8 MiB: got %+v, gaps %v", sig, gaps)
	}
}

// A program is found whether or not it carries a signature as well, and whether
// or not its size is a multiple of eight.
func TestCatalogHasPE(t *testing.T) {
	ca := newCA(t)
	odd := append(plainPE(), "odd"...)
	changed := bytes.Clone(odd)
	changed[1000] ^= 1
	v := newVerifier(t, ca)
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		_, list, _ := v.VerifyCatalog(signedCatalog(t, ca, h, plainPE(), odd), today)
		for what, c := range map[string]struct {
			file []byte
			want bool
		}{"plain": {plainPE(), true}, "signed too": {signedPE(t, ca), true}, "odd": {odd, true}, "changed": {changed, false}, "no program": {[]byte("MZ"), false}} {
			got, err := list.HasPE(bytes.NewReader(c.file), int64(len(c.file)))
			if got != c.want || err != nil {
				t.Errorf("%v, %s: got %v, %v", h, what, got, err)
			}
		}
	}
	_, list, _ := v.VerifyCatalog(signedCatalog(t, ca, crypto.SHA256, odd), today)
	if _, err := list.HasPE(badDisk{bytes.NewReader(odd), 1024}, int64(len(odd))); err == nil {
		t.Error("a failing disk is no error")
	}
}

// A catalog of Windows itself, of the first version and with a chain of SHA-1.
func TestRealCatalog(t *testing.T) {
	v := newVerifier(t)
	sig, list, gaps := v.VerifyCatalog(relicFile(t, "packages/hyperv.cat"), today)
	if sig.CommonName != "Microsoft Windows" || sig.Status != meetguard.SignatureUntrusted || sig.Chain != ChainWeak || len(gaps) > 0 {
		t.Errorf("got %+v, gaps %v", sig, gaps)
	}
	first, err := hex.DecodeString("0eb0437fc77cdabf1b479d3e39e0fc1f4e3d0897") // as openssl asn1parse shows it
	must(t, err)
	if list.Len() != 22 || !list.Has(first) {
		t.Errorf("%d members, the first is listed: %v", list.Len(), list.Has(first))
	}
}
