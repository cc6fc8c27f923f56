package sign

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/sassoftware/relic/v8/lib/fruit/csblob"

	"meetguard"
)

func TestMachO(t *testing.T) {
	ca := newCA(t)
	team := func(c *x509.Certificate) { c.Subject.OrganizationalUnit = []string{"BJ4HAAB9B3"} }
	good := machO(t, code{by: issue(t, ca, team), team: "BJ4HAAB9B3", pages: 5})
	stranger := machO(t, code{by: issue(t, newCA(t), team), team: "BJ4HAAB9B3", flags: 0x10000, pages: 5})
	other := machO(t, code{by: issue(t, ca, func(c *x509.Certificate) { c.Subject.Organization = []string{"Other"} }), pages: 3})
	adhoc := machO(t, code{flags: csFlagAdhoc, pages: 5})
	bare := machO(t, code{pages: 5})
	unsigned := bytes.Clone(adhoc)
	unsigned[32] = 0x1b // another load command
	flip := func(file []byte, at int) []byte {
		out := bytes.Clone(file)
		out[at] ^= 1
		return out
	}
	// The authority is the operator's: it proves a publisher and no team.
	const slice, differ, appended, team0 = RemarkSliceUnsigned, RemarkSlicesDiffer, RemarkAppended, RemarkTeamDiffers
	cases := []struct {
		name    string
		file    []byte
		status  meetguard.SignatureStatus
		chain   string
		remarks string
	}{
		{"signed", good, sOK, ChainOK, team0},
		{"made-up Zoom", stranger, sUntrusted, ChainUnknownRoot, team0},
		{"ad-hoc", adhoc, sAdhoc, "", ""},
		{"unsigned", unsigned, sUnsigned, "", ""},
		{"signer taken out", bare, sBad, ChainMalformed, ""},
		{"signed, first page changed", flip(good, 28), sBad, ChainBadDigest, ""},
		{"signed, last page changed", flip(good, 4096*5-101), sBad, ChainBadDigest, ""},
		{"ad-hoc, page changed", flip(adhoc, 9000), sBad, ChainBadDigest, ""},
		{"signed, appended", append(bytes.Clone(good), "payload"...), sOK, ChainOK, team0 + "," + appended},
		{"cut off", good[:len(good)-1], sBad, ChainMalformed, ""},
		{"fat", fat(good, good), sOK, ChainOK, team0},
		{"fat, appended", append(fat(good, good), "payload"...), sOK, ChainOK, team0 + "," + appended},
		{"fat, ad-hoc and unsigned", fat(unsigned, adhoc), sAdhoc, "", slice},
		{"fat, valid and unsigned", fat(good, unsigned), sUnsigned, "", team0 + "," + slice},
		{"fat, one changed", fat(good, flip(good, 9000)), sBad, ChainBadDigest, team0},
		{"fat, two signers", fat(good, other), sUntrusted, ChainUnknownRoot, team0 + "," + differ},
		{"fat, overlapping", func() []byte { f := fat(good, good); copy(f[28:40], f[8:20]); return append(f[:4096:4096], good...) }(), sBad, ChainMalformed, ""},
		{"fat of 2^32 slices", func() []byte { f := fat(good); copy(f[4:], "\xff\xff\xff\xff"); return f }(), sBad, ChainMalformed, ""},
		{"short", good[:20], sUnsigned, "", ""},
	}
	v := newVerifier(t, ca)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sig, gaps := verify(v, c.file, meetguard.FormatMachO)
			if sig.Status != c.status || sig.Chain != c.chain || strings.Join(sig.Remarks, ",") != c.remarks || len(gaps) > 0 {
				t.Errorf("got %+v, gaps %v", sig, gaps)
			}
			if sig.TeamID != "" {
				t.Errorf("a certificate that is not Apple's proves the team %s", sig.TeamID)
			}
		})
	}
}

// The fixture is one that relic understands too.
func TestMachOAgreesWithRelic(t *testing.T) {
	file := machO(t, code{by: newCA(t), pages: 3})
	l, err := readLoads(input{bytes.NewReader(file), int64(len(file))})
	must(t, err)
	at, length := l.at, l.length
	b, err := csblob.Verify(file[at:at+length], csblob.VerifyParams{})
	must(t, err)
	must(t, b.Blob.VerifyPages(bytes.NewReader(file[:at])))
}

// Lengths that made other parsers ask for gigabytes or fall over.
func TestHostileCodeSignature(t *testing.T) {
	good := machO(t, code{flags: csFlagAdhoc, pages: 3})
	super := bytes.Index(good, []byte{0xfa, 0xde, 0x0c, 0xc0})
	dir := bytes.Index(good, []byte{0xfa, 0xde, 0x0c, 0x02})
	v := newVerifier(t)
	for name, at := range map[string]int{
		"blobs": super + 8, "offset of a blob": super + 16, "length of the superblob": super + 4,
		"length of the directory": dir + 4, "offset of the digests": dir + 16, "offset of the name": dir + 20,
		"special digests": dir + 24, "digests": dir + 28, "limit": dir + 32,
	} {
		for _, n := range []uint32{0, 1, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff} {
			file := bytes.Clone(good)
			if binary.BigEndian.Uint32(file[at:]) == n {
				continue
			}
			binary.BigEndian.PutUint32(file[at:], n)
			sig, gaps := verify(v, file, meetguard.FormatMachO)
			harmless := name == "length of the superblob" && n < 2 || name == "offset of the name" && n < 2 || name == "special digests" && n < 2
			if len(gaps) > 0 || !harmless && sig.Status != meetguard.SignatureInvalid {
				t.Errorf("%s %#x: got %+v, gaps %v", name, n, sig, gaps)
			}
		}
	}
	for name, change := range map[string]func([]byte){
		"load command of length 0": func(b []byte) { binary.LittleEndian.PutUint32(b[36:], 0) },
		"load commands of 4 GB":    func(b []byte) { binary.LittleEndian.PutUint32(b[20:], 0xffffffff) },
		"signature beyond":         func(b []byte) { binary.LittleEndian.PutUint32(b[40:], 0xffffffff) },
		"signature of 4 GB":        func(b []byte) { binary.LittleEndian.PutUint32(b[44:], 0xffffffff) },
		"page of 2^255":            func(b []byte) { b[dir+39] = 255 },
		"digest of size 0":         func(b []byte) { b[dir+36] = 0 },
	} {
		file := bytes.Clone(good)
		change(file)
		if sig, gaps := verify(v, file, meetguard.FormatMachO); sig.Status != meetguard.SignatureInvalid || len(gaps) > 0 {
			t.Errorf("%s: got %+v, gaps %v", name, sig, gaps)
		}
	}
}
