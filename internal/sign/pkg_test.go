package sign

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"meetguard"
)

func TestPKG(t *testing.T) {
	p := developerID(t)
	good := signedPKG(t, p.installer(t).relic())
	classic := p.relicRSA(t)
	both := signedPKG(t, classic)
	old := classicPKG(t, classic)
	name := nameOfPKG(t, good)
	ticket := ticketFor(t, p, digestName{2}, name)
	member := bytes.Index(good, []byte("meeting "))
	toc, err := readTOC(input{bytes.NewReader(both), int64(len(both))})
	must(t, err)
	valid := expect{sOK, ChainOK, "", zoomTeam, KindDeveloperID, ""}
	bad := expect{sBad, ChainBadDigest, "", "", "", ""}
	or := func(e expect, remarks, ticket string) expect {
		e.remarks, e.ticket = remarks, ticket
		return e
	}
	cases := []struct {
		name string
		file []byte
		want expect
	}{
		{"signed", good, valid},
		{"signed twice", both, valid},
		{"RSA alone", old, valid},
		{"made-up authority", signedPKG(t, developerID(t).installer(t).relic()), expect{sUntrusted, ChainUnknownRoot, "", "", "", ""}},
		{"certificate for programs", signedPKG(t, p.application(t).relic()), expect{sUntrusted, ChainWrongUsage, "", "", "", ""}},
		{"unsigned", plainPKG(t), expect{sUnsigned, "", "", "", "", ""}},
		{"unsigned, appended", with(plainPKG(t), "payload"), expect{sUnsigned, "", RemarkTrailing, "", "", TicketMalformed}},
		{"member changed", flipped(good, member+10000), bad},
		{"first member changed", flipped(good, bytes.Index(good, []byte("<pkg-info"))+1), bad},
		{"RSA signature changed", flipped(both, int(toc.heap+toc.rsa.off)+9), bad},
		{"CMS signature changed", flipped(both, int(toc.heap+toc.cms.off)+600), expect{sBad, ChainMalformed, "", "", "", ""}},
		{"padding of the CMS signature", flipped(both, int(toc.heap+toc.cms.off+toc.cms.size)-1), or(valid, RemarkHiddenBytes, "")},
		{"digest of the table changed", flipped(both, int(toc.heap)), bad},
		{"appended", with(good, "payload"), or(valid, RemarkTrailing, TicketMalformed)},
		{"stapled", with(good, string(trailer(ticket))), or(valid, "", TicketStapled)},
		{"stapled twice", with(good, strings.Repeat(string(trailer(ticket)), 2)), or(valid, "", TicketStapled)},
		{"stapled for another", with(good, string(trailer(ticketFor(t, p, digestName{2})))), or(valid, RemarkTicketForeign, TicketMalformed)},
		{"garbage in a record", with(good, string(trailer(bytes.Repeat([]byte("payload "), 300)))), or(valid, RemarkTrailing, TicketMalformed)},
		{"empty ticket", with(good, string(trailer(nil))), or(valid, RemarkTrailing, TicketMalformed)},
		{"payload in front of a ticket", with(with(good, "payload"), string(trailer(ticket))), or(valid, RemarkTrailing, TicketMalformed)},
		{"payload behind a ticket", with(with(good, string(trailer(ticket))), "payload"), or(valid, RemarkTrailing, TicketMalformed)},
	}
	v := p.verifier(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sig, gaps := verify(v, c.file, meetguard.FormatPKG)
			c.want.check(t, sig, gaps)
		})
	}
	sig, _ := verify(v, old, meetguard.FormatPKG)
	if sig.Subject != zoom || sig.NotBefore != issued || sig.LifeDays != 365 || sig.Serial == "" {
		t.Errorf("got %+v", sig)
	}
}

// tableOf takes a package apart.
func tableOf(t testing.TB, file []byte) (table string, heap []byte) {
	t.Helper()
	toc, err := readTOC(input{bytes.NewReader(file), int64(len(file))})
	must(t, err)
	z, err := zlib.NewReader(bytes.NewReader(toc.packed))
	must(t, err)
	text, err := io.ReadAll(z)
	must(t, err)
	return string(text), bytes.Clone(file[toc.heap:])
}

// Tables that lie.
func TestHostilePKG(t *testing.T) {
	p := developerID(t)
	v := p.verifier(t)
	good := signedPKG(t, p.installer(t).relic())
	text, heap := tableOf(t, good)
	for name, change := range map[string]func(s string) string{
		"two signatures of one kind": func(s string) string { return strings.Replace(s, "<x-signature", "<x-signature/><x-signature", 1) },
		"two digests":                func(s string) string { return strings.Replace(s, "</toc>", `<checksum style="sha256"/></toc>`, 1) },
		"no digest":                  func(s string) string { return strings.Replace(s, "<checksum", "<checksam", 1) },
		"member outside":             func(s string) string { return strings.Replace(s, "<length>40000<", "<length>4000000000000<", 1) },
		"negative length":            func(s string) string { return strings.Replace(s, "<length>40000<", "<length>-1<", 1) },
		"members that overlap":       func(s string) string { return strings.Replace(s, "<length>36<", "<length>37<", 1) },
		"member without digest":      func(s string) string { return strings.ReplaceAll(s, "archived-checksum", "other-checksum") },
		"root of another name":       func(s string) string { return strings.ReplaceAll(s, "xar>", "rax>") },
		"not closed":                 func(s string) string { return s[:len(s)-6] },
	} {
		file := packXAR(t, change(text), bytes.Clone(heap))
		sig, gaps := verify(v, file, meetguard.FormatPKG)
		if sig.Status == sOK || len(gaps) > 0 {
			t.Errorf("%s: got %+v, gaps %v", name, sig, gaps)
		}
	}
	lying := bytes.Clone(good)
	binary.BigEndian.PutUint64(lying[16:], uint64(len(text)-1))
	if sig, _ := verify(v, lying, meetguard.FormatPKG); sig.Chain != ChainMalformed {
		t.Errorf("wrong size of the table: got %+v", sig)
	}
	for name, file := range map[string][]byte{
		"bomb":       packXAR(t, strings.Repeat(" ", 9<<20), nil),
		"deep":       packXAR(t, strings.Repeat("<a>", 100), nil),
		"odd digest": packXAR(t, strings.Replace(text, `style="sha256"`, `style="md5"`, 1), bytes.Clone(heap)),
	} {
		sig, gaps := verify(v, file, meetguard.FormatPKG)
		if sig.Status != meetguard.SignatureUnknown || len(gaps) != 1 || !gaps[0].Blinding {
			t.Errorf("%s: got %+v, gaps %v", name, sig, gaps)
		}
	}
}

// No byte of the table and of the members may change.
func TestEveryByteOfPKGIsCovered(t *testing.T) {
	p := developerID(t)
	v := p.verifier(t)
	good := classicPKG(t, p.relicRSA(t))
	for at := 0; at < len(good); at += 53 {
		if sig, _ := verify(v, flipped(good, at), meetguard.FormatPKG); sig.Status == sOK && len(sig.Remarks) == 0 {
			t.Errorf("byte %d of %d may be changed: %+v", at, len(good), sig)
		}
	}
}
