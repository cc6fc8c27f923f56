package sign

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"meetguard"
)

// A package of Linux as it should be answered.
type packageCase struct {
	what   string
	file   []byte
	status meetguard.SignatureStatus
	chain  string
	key    bool // the key of the test is named
	reason string
}

func checkPackages(t *testing.T, format meetguard.Format, key string, cases []packageCase) {
	t.Helper()
	v := newVerifier(t)
	for _, c := range cases {
		sig, gaps := verify(v, c.file, format)
		if sig.Status != c.status || sig.Chain != c.chain || sig.Subject != "" {
			t.Errorf("%s: got %+v, gaps %v", c.what, sig, gaps)
		}
		if c.key != (sig.Serial == key) {
			t.Errorf("%s: key %q, want %q: %v", c.what, sig.Serial, key, c.key)
		}
		if c.key && c.status == meetguard.SignatureUnknown && !strings.HasSuffix(sig.Detail, "with EdDSA and SHA-256") {
			t.Errorf("%s: detail %q", c.what, sig.Detail)
		}
		if c.reason == "" && len(gaps) > 0 || c.reason != "" && (len(gaps) != 1 || gaps[0].Blinding || !strings.Contains(gaps[0].Reason, c.reason)) {
			t.Errorf("%s: gaps %v, want one that says %q", c.what, gaps, c.reason)
		}
	}
}

const (
	noKey      = "no key"
	repository = "signed by its repository"
	pgpUnknown = meetguard.SignatureUnknown
	pgpInvalid = meetguard.SignatureInvalid
	pgpMissing = meetguard.SignatureUnsigned
)

func TestDeb(t *testing.T) {
	by := newPGP(t)
	parts := []msixFile{{"debian-binary", []byte("2.0\n")}, {"control.tar.gz", []byte("control")}, {"data.tar.xz", []byte("data of odd size")}}
	signed := func(m ...msixFile) []byte { return debOf(append(slices.Clip(parts), m...)...) }
	all := []byte("2.0\ncontroldata of odd size")
	list := dpkgSig(t, by, parts...)
	changed := slices.Clone(parts)
	changed[2].content = []byte("other")
	checkPackages(t, meetguard.FormatDeb, hex.EncodeToString(by.PrimaryKey.Fingerprint), []packageCase{
		{"no signature", signed(), pgpUnknown, "", false, repository},
		{"debsigs", signed(msixFile{"_gpgorigin", sealPGP(t, by, all, false)}), pgpUnknown, "", true, noKey},
		{"debsigs, armored", signed(msixFile{"_gpgorigin", sealPGP(t, by, all, true)}), pgpUnknown, "", true, noKey},
		{"dpkg-sig", signed(list), pgpUnknown, "", true, noKey},
		{"dpkg-sig, changed", debOf(append(slices.Clip(changed), list)...), pgpInvalid, ChainBadDigest, true, ""},
		{"dpkg-sig, a member less", debOf(parts[0], parts[1], list), pgpInvalid, ChainBadDigest, true, ""},
		{"dpkg-sig, a member more", signed(list, msixFile{"data.tar.gz", nil}), pgpInvalid, ChainBadDigest, true, ""},
		{"dpkg-sig, a member twice", signed(list, parts[0]), pgpInvalid, ChainBadDigest, true, ""},
		{"no OpenPGP", signed(msixFile{"_gpgorigin", []byte("hello")}), pgpInvalid, ChainMalformed, false, ""},
		{"signature cut off", signed(msixFile{"_gpgorigin", sealPGP(t, by, all, false)[:20]}), pgpInvalid, ChainMalformed, false, ""},
		{"a key for a signature", signed(msixFile{"_gpgorigin", []byte{0x99, 0, 3, 4, 0, 0}}), pgpInvalid, ChainMalformed, false, ""},
		{"cut off", signed(list)[:100], pgpUnknown, "", false, "ends within a header"},
		{"no archive", []byte("!<arch>"), pgpUnknown, "", false, "no ar archive"},
	})
	v := newVerifier(t)
	mine, other := msixFile{"_gpgmaint", sealPGP(t, by, all, false)}, msixFile{"_gpgorigin", sealPGP(t, newPGP(t), all, false)}
	sig, _ := verify(v, signed(list, mine, other, other), meetguard.FormatDeb)
	if len(sig.OtherSigners) != 1 || !strings.HasPrefix(sig.OtherSigners[0], "OpenPGP key ") {
		t.Errorf("two signatures: got %+v", sig)
	}
	for what, m := range map[string][]msixFile{"65 members": slices.Repeat(parts[:1], 65), "100 kB": {{"_gpgorigin", make([]byte, 100_000)}}} {
		if sig, gaps := verify(v, debOf(m...), meetguard.FormatDeb); sig.Status != pgpUnknown || len(gaps) != 1 || !gaps[0].Blinding {
			t.Errorf("%s: got %+v, gaps %v", what, sig, gaps)
		}
	}
}

// The package of a distribution carries no signature of its own.
func TestRealDeb(t *testing.T) {
	sig, gaps := verify(newVerifier(t), relicFile(t, "packages/zlib1g_1.2.8.dfsg-5_i386.deb"), meetguard.FormatDeb)
	if sig.Status != meetguard.SignatureUnknown || len(gaps) != 1 || !strings.Contains(gaps[0].Reason, repository) {
		t.Errorf("got %+v, gaps %v", sig, gaps)
	}
}

func TestRPM(t *testing.T) {
	by := newPGP(t)
	main := rpmMain()
	rsa := tagged{rpmSigRSA, rpmBytes, sealPGP(t, by, main, false)}
	modern := tagged{rpmSigOpenPGP, rpmArray, append([]byte(base64.StdEncoding.EncodeToString(rsa.value)), 0)}
	digests := append(rpmDigests(main), rsa)
	old := rpmHeaderOf(rpmText(1000, "meeting"))
	sum := tagged{rpmMD5, rpmBytes, md5Of(string(old) + rpmPayload)}
	renamed := bytes.Replace(main, []byte("meeting"), []byte("greeter"), 1)
	good := rpmOf(main, rpmPayload, digests...)
	checkPackages(t, meetguard.FormatRPM, hex.EncodeToString(by.PrimaryKey.Fingerprint), []packageCase{
		{"good", good, pgpUnknown, "", true, noKey},
		{"version 6", rpmOf(main, rpmPayload, append(rpmDigests(main), modern)...), pgpUnknown, "", true, noKey},
		{"of old", rpmOf(old, rpmPayload, sum, tagged{rpmSigGPG, rpmBytes, rsa.value}), pgpUnknown, "", true, noKey},
		{"without digests", rpmOf(main, rpmPayload, rsa), pgpUnknown, "", true, noKey},
		{"renamed", rpmOf(renamed, rpmPayload, digests...), pgpInvalid, ChainBadDigest, true, ""},
		{"another payload", rpmOf(main, "evil", digests...), pgpInvalid, ChainBadDigest, true, ""},
		{"appended", append(bytes.Clone(good), "x"...), pgpInvalid, ChainBadDigest, true, ""},
		{"of old, another payload", rpmOf(old, "evil", sum, tagged{rpmSigPGP, rpmBytes, rsa.value}), pgpInvalid, ChainBadDigest, true, ""},
		{"unsigned", rpmOf(main, rpmPayload, rpmDigests(main)...), pgpMissing, "", false, ""},
		{"no OpenPGP", rpmOf(main, rpmPayload, tagged{rpmSigRSA, rpmBytes, []byte("hello")}), pgpInvalid, ChainMalformed, false, ""},
		{"header cut off", good[:len(good)-len(rpmPayload)-10], pgpInvalid, ChainMalformed, true, ""},
		{"lead alone", good[:100], pgpMissing, "", false, ""},
		{"nothing", nil, pgpMissing, "", false, ""},
	})
}

// A package of Rocky Linux 9. The key id is that of its release key.
func TestRealRPM(t *testing.T) {
	file := relicFile(t, "packages/rocky-basesystem-11-13.el9.noarch.rpm")
	v := newVerifier(t)
	sig, gaps := verify(v, file, meetguard.FormatRPM)
	if sig.Status != meetguard.SignatureUnknown || !strings.HasSuffix(sig.Serial, "702d426d350d275d") || len(gaps) != 1 || gaps[0].Blinding {
		t.Errorf("got %+v, gaps %v", sig, gaps)
	}
	// The middle of this file is space that rpm reserves for more signatures.
	for _, at := range []int{len(file) - 10, len(file) - 1500} {
		changed := bytes.Clone(file)
		changed[at] ^= 1
		if sig, _ := verify(v, changed, meetguard.FormatRPM); sig.Status != meetguard.SignatureInvalid || sig.Chain != ChainBadDigest {
			t.Errorf("changed at %d: got %+v", at, sig)
		}
	}
}

func TestAppImage(t *testing.T) {
	by := newPGP(t)
	signature := msixFile{appImageSignature, sealPGP(t, by, []byte("digest"), true)}
	key := msixFile{appImageKey, []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----")}
	none := msixFile{appImageSignature, nil}
	plain := appImageOf(true, signature)
	copy(plain[8:], make([]byte, 3))
	damaged := appImageOf(true, signature)
	damaged[elf64.namesAt] = 0xff
	checkPackages(t, meetguard.FormatELF, hex.EncodeToString(by.PrimaryKey.Fingerprint), []packageCase{
		{"signed", appImageOf(true, signature, key), pgpUnknown, "", true, noKey},
		{"signed, 32 bit", appImageOf(false, signature), pgpUnknown, "", true, noKey},
		{"not signed", appImageOf(true, none, key), pgpMissing, "", false, ""},
		{"no sections", appImageOf(true), pgpMissing, "", false, ""},
		{"damaged table", damaged, pgpMissing, "", false, ""},
		{"no OpenPGP", appImageOf(true, msixFile{appImageSignature, []byte("hello")}), pgpInvalid, ChainMalformed, false, ""},
		{"another program", plain, pgpUnknown, "", false, ""},
		{"nothing", nil, pgpUnknown, "", false, ""},
	})
	if sig, _ := verify(newVerifier(t), appImageOf(true, signature, key), meetguard.FormatELF); !slices.Equal(sig.Remarks, []string{RemarkOwnKey}) {
		t.Errorf("remarks %v", sig.Remarks)
	}
}

func TestAppImageUpdateHost(t *testing.T) {
	for text, want := range map[string]string{
		"zsync|https://Meeting.invalid/latest.zsync?token=1": "meeting.invalid",
		"gh-releases-zsync|user|repo|latest|x.zsync":         "github.com",
		"zsync|":            "",
		"zsync|http://[::1": "",
		"":                  "",
	} {
		file := appImageOf(true, msixFile{appImageUpdate, []byte(text)})
		if got := AppImageUpdateHost(bytes.NewReader(file), int64(len(file))); got != want {
			t.Errorf("%q: host %q, want %q", text, got, want)
		}
	}
	if got := AppImageUpdateHost(bytes.NewReader(plainPE()), 100); got != "" {
		t.Errorf("a program of Windows has the host %q", got)
	}
}

// What RPM wrote until 2017, and lengths of every form.
func TestOpenPGP(t *testing.T) {
	v3 := append([]byte{3, 5, 0, 1, 2, 3, 4, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0, 1, 17, 2}, 0, 0)
	v3 = append(v3, 0, 8, 1)
	v4 := []byte{4, 0, 1, 8, 0, 0, 0, 10, 9, 16, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0}
	cases := []struct {
		what   string
		packet []byte
		key    string
		hash   byte
	}{
		{"version 3, old form", append([]byte{0x88, byte(len(v3))}, v3...), "aabbccddeeff0001", 2},
		{"version 4, two bytes of length", append([]byte{0x89, 0, byte(len(v4))}, v4...), "0102030405060708", 8},
		{"version 4, four bytes of length", append([]byte{0x8a, 0, 0, 0, byte(len(v4))}, v4...), "0102030405060708", 8},
		{"version 4, new form", append([]byte{0xc2, byte(len(v4))}, v4...), "0102030405060708", 8},
		{"version 4, five bytes of length", append([]byte{0xc2, 0xff, 0, 0, 0, byte(len(v4))}, v4...), "0102030405060708", 8},
		{"cut off", append([]byte{0xc2, byte(len(v4))}, v4[:10]...), "", 0},
		{"length of 4 GB", append([]byte{0xc2, 0xff, 0xff, 0xff, 0xff, 0xff}, v4...), "", 0},
		{"length 0", []byte{0xc2, 0}, "", 0},
		{"nothing", nil, "", 0},
	}
	for _, c := range cases {
		p, err := readOpenPGP(c.packet)
		if p.key != c.key || p.hash != c.hash || (err == nil) != (c.key != "") {
			t.Errorf("%s: got %+v, %v", c.what, p, err)
		}
	}
	var sig meetguard.Signature
	openPGP{"00", 17, 2}.describe(&sig)
	if sig.Detail != "an OpenPGP signature of key 00 with DSA and SHA-1" || !slices.Equal(sig.Remarks, []string{RemarkWeakDigest}) {
		t.Errorf("got %+v", sig)
	}
}
