package sign

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"testing"

	"github.com/sassoftware/relic/v8/lib/fruit/csblob"

	"meetguard"
)

func same(*csblob.SignatureParams) {}

// A real image, signed with relic's side of the house by an authority that is
// built like Apple's.
func TestAppleSignature(t *testing.T) {
	p := developerID(t)
	intel, arm := realSlices(t)
	good := resign(t, arm, p.application(t), same)
	good86 := resign(t, intel, p.application(t), same)
	strange := resign(t, arm, developerID(t).application(t), same)
	other := resign(t, intel, issue(t, p.issuer, func(c *x509.Certificate) {
		appleLeaf(c, oidCodeUse, []asn1.ObjectIdentifier{appleOID(6, 1, 13)})
		c.Subject.OrganizationalUnit, c.Subject.Organization = []string{"OTHERTEAM1"}, []string{"Other"}
	}), func(s *csblob.SignatureParams) { s.TeamIdentifier = "OTHERTEAM1" })
	posing := resign(t, arm, p.application(t), func(s *csblob.SignatureParams) { s.TeamIdentifier = "UBF8T346G9" })
	entitled := bytes.Index(good, []byte("<plist/>"))
	cases := []struct {
		name string
		file []byte
		want expect
	}{
		{"Developer ID", good, expect{sOK, ChainOK, "", zoomTeam, KindDeveloperID, ""}},
		{"made-up authority", strange, expect{sUntrusted, ChainUnknownRoot, RemarkTeamDiffers, "", "", ""}},
		{"team of somebody else", posing, expect{sOK, ChainOK, RemarkTeamDiffers, "", KindDeveloperID, ""}},
		{"page changed", flipped(good, 5000), expect{sBad, ChainBadDigest, "", "", "", ""}},
		{"entitlements changed", flipped(good, entitled), expect{sBad, ChainBadDigest, "", "", "", ""}},
		{"appended", with(good, "payload"), expect{sOK, ChainOK, RemarkAppended, zoomTeam, KindDeveloperID, ""}},
		{"in the padding of the signature", flipped(good, len(good)-1), expect{sOK, ChainOK, RemarkHiddenBytes, zoomTeam, KindDeveloperID, ""}},
		{"fat", fat(good86, good), expect{sOK, ChainOK, "", zoomTeam, KindDeveloperID, ""}},
		{"fat, one unsigned", fat(intel, good), expect{sUnsigned, "", RemarkSliceUnsigned, "", "", ""}},
		{"fat, one ad-hoc", fat(good86, arm), expect{sAdhoc, "", RemarkSlicesDiffer, "", "", ""}},
		{"fat, two signers", fat(other, good), expect{sUntrusted, ChainUnknownRoot, RemarkSlicesDiffer, "", KindDeveloperID, ""}},
		{"fat, one changed", fat(flipped(good86, 5000), good), expect{sBad, ChainBadDigest, "", "", "", ""}},
		{"fat, between the slices", flipped(fat(good86, good), 2000), expect{sOK, ChainOK, RemarkHiddenBytes, zoomTeam, KindDeveloperID, ""}},
	}
	v := p.verifier(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sig, gaps := verify(v, c.file, meetguard.FormatMachO)
			c.want.check(t, sig, gaps)
		})
	}
	sig, _ := verify(v, good, meetguard.FormatMachO)
	if !sig.Hardened || sig.NotBefore != issued || sig.LifeDays != 365 || sig.SigningID != "us.zoom.xos" {
		t.Errorf("got %+v", sig)
	}
	if sig, _ := verify(v, fat(good86, arm), meetguard.FormatMachO); sig.Hardened {
		t.Error("one slice without hardened runtime is enough to have none")
	}
}

// The kind is read off the markers, and only below Apple's root.
func TestAppleKinds(t *testing.T) {
	dev, wwdr := developerID(t), newPKI(t, 6, 2, 1)
	cases := []struct {
		name    string
		p       pki
		markers []asn1.ObjectIdentifier
		status  meetguard.SignatureStatus
		kind    string
	}{
		{"Developer ID", dev, []asn1.ObjectIdentifier{appleOID(6, 1, 13)}, sOK, KindDeveloperID},
		{"Developer ID of the wrong authority", wwdr, []asn1.ObjectIdentifier{appleOID(6, 1, 13)}, sUntrusted, ""},
		{"store, submission", wwdr, []asn1.ObjectIdentifier{appleOID(6, 1, 7)}, sOK, KindAppStore},
		{"store", wwdr, []asn1.ObjectIdentifier{appleOID(6, 1, 9)}, sOK, KindAppStore},
		{"distribution for both", wwdr, []asn1.ObjectIdentifier{appleOID(6, 1, 4), appleOID(6, 1, 7)}, sOK, KindAppStore},
		{"Apple", wwdr, []asn1.ObjectIdentifier{appleOID(6, 22)}, sOK, KindApple},
		{"development", wwdr, []asn1.ObjectIdentifier{appleOID(6, 1, 2), appleOID(6, 1, 12)}, sUntrusted, KindDevelopment},
		{"in-house", wwdr, []asn1.ObjectIdentifier{appleOID(6, 1, 4)}, sUntrusted, KindEnterprise},
		{"for packages", dev, []asn1.ObjectIdentifier{appleOID(6, 1, 14)}, sUntrusted, ""},
		{"no marker", dev, nil, sUntrusted, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file := machO(t, code{by: c.p.leaf(t, oidCodeUse, c.markers...), team: zoomTeam, pages: 2})
			sig, gaps := verify(c.p.verifier(t), file, meetguard.FormatMachO)
			if sig.Status != c.status || sig.Kind != c.kind || len(gaps) > 0 || (sig.TeamID != "") != (c.status == sOK) {
				t.Errorf("got %+v, gaps %v", sig, gaps)
			}
			sig, _ = verify(newVerifier(t, c.p.root), file, meetguard.FormatMachO)
			if sig.Kind != "" || sig.TeamID != "" || sig.Status != sOK {
				t.Errorf("an operator's anchor: got %+v", sig)
			}
		})
	}
}

// Directories with several digests: all are checked, and they must agree.
func TestSeveralDirectories(t *testing.T) {
	p := developerID(t)
	id := p.application(t)
	lastPage := func(n int) func(int, []byte) {
		return func(i int, dir []byte) {
			if i == n {
				dir[len(dir)-1] ^= 1
			}
		}
	}
	blob := wrapped([]byte("entitled"))
	valid := expect{sOK, ChainOK, "", zoomTeam, KindDeveloperID, ""}
	bad := expect{sBad, ChainBadDigest, "", "", "", ""}
	broken := expect{sBad, ChainMalformed, "", "", "", ""}
	cases := []struct {
		name string
		l    layers
		want expect
	}{
		{"SHA-1 and SHA-256", layers{id, []byte{1, 2}, 2, nil, nil}, valid},
		{"three", layers{id, []byte{1, 2, 4}, 3, nil, nil}, valid},
		{"weak one differs", layers{id, []byte{1, 2}, 2, lastPage(0), nil}, bad},
		{"strong one differs", layers{id, []byte{1, 2}, 2, lastPage(1), nil}, bad},
		{"one that is not named", layers{id, []byte{2, 4}, 1, nil, nil}, bad},
		{"same digest twice", layers{id, []byte{2, 2}, 2, nil, nil}, broken},
		{"different flags", layers{id, []byte{1, 2}, 2, func(i int, dir []byte) { dir[13] = byte(i) }, nil}, broken},
		{"entitlements that nothing covers", layers{id, []byte{2}, 1, nil, map[uint32][]byte{csSlotEntitlements: blob}}, bad},
		{"launch constraint that nothing covers", layers{id, []byte{2}, 1, nil, map[uint32][]byte{8: blob}}, bad},
	}
	v := p.verifier(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sig, gaps := verify(v, layered(t, c.l), meetguard.FormatMachO)
			c.want.check(t, sig, gaps)
		})
	}
}

// Taking the strong directory away leaves one that the signature does not name
// alone.
func TestDirectoryTakenAway(t *testing.T) {
	p := developerID(t)
	file := layered(t, layers{p.application(t), []byte{1, 2}, 2, nil, nil})
	l, err := readLoads(input{bytes.NewReader(file), int64(len(file))})
	must(t, err)
	c, err := parseCode(file[l.at : l.at+l.length])
	must(t, err)
	area := make([]byte, l.length)
	copy(area, superBlob([]uint32{csSlotDirectory, csSlotSignature}, [][]byte{c.dirs[0].raw, wrapped(c.cms)}))
	sig, gaps := verify(p.verifier(t), append(bytes.Clone(file[:l.at]), area...), meetguard.FormatMachO)
	expect{sBad, ChainBadDigest, "", "", "", ""}.check(t, sig, gaps)
}

// An Info.plist inside of a program is compared with what was signed. The pages
// cover it in any case, so that a difference is no fault.
func TestEmbeddedPlist(t *testing.T) {
	p := developerID(t)
	_, arm := realSlices(t)
	section := bytes.Index(arm, []byte("__cstring\x00\x00\x00\x00\x00\x00\x00__TEXT\x00"))
	if section < 0 {
		t.Fatal("the sample has no section to rename")
	}
	at, size := binary.LittleEndian.Uint32(arm[section+48:]), binary.LittleEndian.Uint64(arm[section+40:])
	arm = bytes.Clone(arm)
	copy(arm[section:], "__info_plist\x00\x00\x00\x00")
	for _, c := range []struct {
		name, remark string
		plist        []byte
	}{
		{"the signed one", "", arm[at : uint64(at)+size]},
		{"another one", RemarkPlistDiffers, []byte("<plist/>")},
		{"none signed", "", nil},
	} {
		file := resign(t, arm, p.application(t), func(s *csblob.SignatureParams) { s.InfoPlist = c.plist })
		sig, gaps := verify(p.verifier(t), file, meetguard.FormatMachO)
		t.Run(c.name, func(t *testing.T) {
			expect{sOK, ChainOK, c.remark, zoomTeam, KindDeveloperID, ""}.check(t, sig, gaps)
		})
	}
}

// A second signature command would leave it to the reader which one counts.
func TestTwoSignatureCommands(t *testing.T) {
	file := machO(t, code{flags: csFlagAdhoc, pages: 3})
	copy(file[48:64], file[32:48])
	binary.LittleEndian.PutUint32(file[20:], 32)
	sig, gaps := verify(newVerifier(t), file, meetguard.FormatMachO)
	expect{sBad, ChainMalformed, "", "", "", ""}.check(t, sig, gaps)
}

func TestRealKinds(t *testing.T) {
	v := newVerifier(t)
	for file, want := range map[string]expect{
		"libmsalruntime_arm64.dylib": {sOK, ChainOK, "", "UBF8T346G9", KindAppStore, ""},
		"src/dart":                   {sOK, ChainOK, "", "S8QB4VV633", KindDeveloperID, ""},
		"bin/vsce-sign":              {sAdhoc, "", "", "", "", ""},
		"fsevents.node":              {sAdhoc, "", RemarkSliceUnsigned, "", "", ""},
	} {
		data := named(t, file)
		sig, gaps := verify(v, data, meetguard.FormatMachO)
		t.Run(file, func(t *testing.T) { want.check(t, sig, gaps) })
		if want.kind == KindDeveloperID && !sig.Hardened {
			t.Errorf("%s has a hardened runtime", file)
		}
		sig, gaps = verify(v, with(data, "payload"), meetguard.FormatMachO)
		if sig.Status != want.status || !contains(sig.Remarks, RemarkAppended) || len(gaps) > 0 {
			t.Errorf("%s, appended: got %+v", file, sig)
		}
	}
}
