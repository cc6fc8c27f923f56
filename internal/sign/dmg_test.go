package sign

import (
	"bytes"
	"encoding/binary"
	"testing"

	"meetguard"
)

func TestDMG(t *testing.T) {
	p := developerID(t)
	good := signedDMG(t, p.application(t))
	koly := len(good) - kolySize
	dir := bytes.Index(good, []byte{0xfa, 0xde, 0x0c, 0x02})
	c, err := parseCode(good[8008:koly])
	must(t, err)
	ticket := ticketFor(t, p, digestName{2}, c.names()[0])
	put := func(at int, n uint64) []byte {
		out := bytes.Clone(good)
		binary.BigEndian.PutUint64(out[at:], n)
		return out
	}
	valid := expect{sOK, ChainOK, "", zoomTeam, KindDeveloperID, ""}
	bad := expect{sBad, ChainBadDigest, "", "", "", ""}
	broken := expect{sBad, ChainMalformed, "", "", "", ""}
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
		{"made-up authority", signedDMG(t, developerID(t).application(t)), expect{sUntrusted, ChainUnknownRoot, RemarkTeamDiffers, "", "", ""}},
		{"certificate for packages", signedDMG(t, p.installer(t)), expect{sBad, ChainWrongUsage, RemarkTeamDiffers, "", "", ""}},
		{"unsigned", plainDMG(), expect{sUnsigned, "", "", "", "", ""}},
		{"unsigned, appended", with(plainDMG(), "payload"), expect{sUnsigned, "", RemarkAppended, "", "", ""}},
		{"image changed", flipped(good, 100), bad},
		{"property list changed", flipped(good, 8001), bad},
		{"trailer changed", flipped(good, koly+40), bad},
		{"offset of the signature changed", put(koly+kolySigAt, 8000), or(broken, RemarkHiddenBytes, "")},
		{"directory changed", flipped(good, dir+60), bad},
		{"appended", with(good, "payload"), or(valid, RemarkAppended, "")},
		{"between signature and trailer", append(with(good[:koly], "payload"), good[koly:]...), or(valid, RemarkHiddenBytes, "")},
		{"signature points outside", put(koly+kolySigAt, 1<<63), broken},
		{"signature is too long", put(koly+kolySigLen, 1<<62), broken},
		{"stapled", stapledDMG(t, good, ticket), or(valid, "", TicketStapled)},
		{"stapled for another", stapledDMG(t, good, ticketFor(t, p, digestName{2})), or(valid, RemarkTicketForeign, TicketMalformed)},
		{"garbage for a ticket", stapledDMG(t, good, []byte("s8ch")), or(valid, "", TicketMalformed)},
		{"no trailer", good[:koly], expect{sUnsigned, "", "", "", "", ""}},
		{"short", good[koly+1:], expect{sUnsigned, "", "", "", "", ""}},
	}
	v := p.verifier(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sig, gaps := verify(v, c.file, meetguard.FormatDMG)
			c.want.check(t, sig, gaps)
		})
	}
}

// No byte in front of the signature and none of the trailer may change; the
// length of the signature is the one field that is blanked out.
func TestEveryByteOfDMGIsCovered(t *testing.T) {
	p := developerID(t)
	v := p.verifier(t)
	good := signedDMG(t, p.application(t))
	koly := len(good) - kolySize
	for at := range good {
		if at >= 8008 && at < koly || at < koly && at%97 != 0 {
			continue
		}
		if sig, _ := verify(v, flipped(good, at), meetguard.FormatDMG); sig.Status == sOK && len(sig.Remarks) == 0 {
			t.Errorf("byte %d of %d (trailer at %d) may be changed: %+v", at, len(good), koly, sig)
		}
	}
}
