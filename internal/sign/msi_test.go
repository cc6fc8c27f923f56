package sign

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"testing"

	"meetguard"
)

func TestMSI(t *testing.T) {
	ca := newCA(t)
	id := issue(t, ca, func(*x509.Certificate) {})
	plain, extended := signedMSI(t, id, false), signedMSI(t, id, true)
	stream := bytes.Index(plain, []byte("meeting "))
	put := func(file []byte, at int, n uint32) []byte {
		out := bytes.Clone(file)
		binary.LittleEndian.PutUint32(out[at:], n)
		return out
	}
	flip := func(file []byte, at int) []byte {
		out := bytes.Clone(file)
		out[at] ^= 1
		return out
	}
	name := bytes.Index(extended, utf16le("Property")) + 2
	const valid, invalid, unsigned = meetguard.SignatureValid, meetguard.SignatureInvalid, meetguard.SignatureUnsigned
	cases := []struct {
		what   string
		file   []byte
		status meetguard.SignatureStatus
		chain  string
		remark string
	}{
		{"good", plain, valid, ChainOK, ""},
		{"good with metadata", extended, valid, ChainOK, ""},
		{"unsigned", plainMSI(), unsigned, "", ""},
		{"changed", flip(plain, stream+4000), invalid, ChainBadDigest, ""},
		{"renamed stream", flip(extended, name), invalid, ChainBadDigest, ""},
		{"with 40 kB appended", append(bytes.Clone(plain), make([]byte, 40000)...), valid, ChainOK, RemarkMSITrailing},
		{"2^31 allocation sectors named", put(plain, 44, 1<<31-1), valid, ChainOK, ""},
		{"allocation chain in a circle", put(plain, 512+4*11, 2), valid, ChainOK, ""},
		{"directory chain in a circle", put(plain, 512+4*1, 1), unsigned, "", ""},
		{"directory tree in a circle", put(plain, 1024+128+68, 1), unsigned, "", ""},
		{"sector beyond the file", put(plain, 48, 5000), unsigned, "", ""},
		{"sector size of 2^28", put(plain, 30, 28), unsigned, "", ""},
		{"no compound file", []byte("MSI"), unsigned, "", ""},
	}
	v := newVerifier(t, ca)
	for _, c := range cases {
		sig, gaps := verify(v, c.file, meetguard.FormatMSI)
		if sig.Status != c.status || sig.Chain != c.chain || len(gaps) > 0 {
			t.Errorf("%s: got %+v, gaps %v", c.what, sig, gaps)
		}
		if c.remark != "" && !contains(sig.Remarks, c.remark) || c.remark == "" && len(sig.Remarks) > 0 {
			t.Errorf("%s: remarks %v, want %q", c.what, sig.Remarks, c.remark)
		}
	}
}

func TestCab(t *testing.T) {
	ca := newCA(t)
	good := signedCab(t, issue(t, ca, func(*x509.Certificate) {}))
	change := func(at int, b byte) []byte {
		out := bytes.Clone(good)
		out[at] ^= b
		return out
	}
	const valid, invalid, unsigned = meetguard.SignatureValid, meetguard.SignatureInvalid, meetguard.SignatureUnsigned
	cases := []struct {
		what   string
		file   []byte
		status meetguard.SignatureStatus
		chain  string
		remark string
	}{
		{"good", good, valid, ChainOK, ""},
		{"appended", append(bytes.Clone(good), "payload"...), valid, ChainOK, RemarkCabTrailing},
		{"changed content", change(300, 1), invalid, ChainBadDigest, ""},
		{"changed header", change(26, 2), invalid, ChainBadDigest, ""},
		{"signature of 4 GB", change(51, 0xff), meetguard.SignatureUnknown, "", ""},
		{"cabinet beyond the file", change(10, 0xff), invalid, ChainMalformed, ""},
		{"no reserved area", change(30, 4), unsigned, "", ""},
		{"cut off", good[:30], unsigned, "", ""},
	}
	v := newVerifier(t, ca)
	for _, c := range cases {
		sig, _ := verify(v, c.file, meetguard.FormatCab)
		if sig.Status != c.status || sig.Chain != c.chain {
			t.Errorf("%s: got %+v", c.what, sig)
		}
		if c.remark != "" && !contains(sig.Remarks, c.remark) {
			t.Errorf("%s: remarks %v, want %q", c.what, sig.Remarks, c.remark)
		}
	}
}

func TestRawNameOrder(t *testing.T) {
	order := []string{"a", "aa", "b", "\u0162"} // the last ends in the byte 01 and begins with 62
	for i := range order {
		for j := range order {
			if got := rawLess(utf16le(order[i]), utf16le(order[j])); got != (i < j) {
				t.Errorf("rawLess(%q, %q) = %v", order[i], order[j], got)
			}
		}
	}
}
