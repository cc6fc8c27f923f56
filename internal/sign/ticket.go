package sign

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"slices"

	"meetguard"
)

// The values of Signature.Ticket.
const (
	TicketStapled   = "stapled"   // intact, and names this software
	TicketMalformed = "malformed" // something stands where a ticket belongs, and is none for this software
)

// A notary ticket, as Apple's stapler attaches it: Contents/CodeResources of a
// bundle, a slot in the signature of a disk image, a record behind a package.
// Apple does not document it; the layout is the one that public studies of the
// format agree on, and a real ticket was checked against this code. Numbers are
// little-endian.
//
//	"s8ch", version 1, size of the certificates, size of the content
//	certificates: one DER sequence, the signer first
//	content: "g8tk", version 2, size of a digest (16 bits each), number of
//	    digests, flags, time (64 bits, seconds); then for each digest its kind
//	    as in a code directory (8 bits) and its first 20 bytes
//	signature: ECDSA over SHA-256 of everything before it, DER, with zeros to
//	    72 bytes
const (
	ticketMagic, ticketHead        = "s8ch", 16
	ticketContent, ticketBody      = "g8tk", 24
	ticketDigest                   = 20      // bytes kept of a digest
	ticketSeal                     = 72      // bytes of the signature with its padding
	maxTicket                      = 4 << 20 // bytes: room for 200,000 programs
	ticketVersion, contentVersion  = 1, 2
	maxTicketCerts, maxTicketChain = 16, 64 << 10
)

// digestName is how a ticket names software: kind and first 20 bytes of the
// digest of a code directory, or of the table of contents of a package.
type digestName [1 + ticketDigest]byte

func nameOf(kind byte, sum []byte) digestName {
	n := digestName{kind}
	copy(n[1:], sum)
	return n
}

// judgeTicket writes down what a stapled ticket is worth.
//
// Checked are the layout, that the signature is that of the first certificate
// over these bytes, that the certificates issued one another, and that the
// ticket names one of the digests of this software. Not checked is that the
// chain ends in Apple's root for tickets ("Apple Root CA - G3", which is not
// among the anchors), when the ticket was made, and whether Apple withdrew it
// since. Anybody can make a ticket that passes: it proves nothing, while one
// that does not pass was never made by Apple for this software.
func judgeTicket(raw []byte, names []digestName, sig *meetguard.Signature) {
	sig.Ticket = TicketMalformed
	digests, ok := openTicket(raw)
	switch {
	case !ok:
	case slices.ContainsFunc(names, func(n digestName) bool { return listed(digests, n) }):
		sig.Ticket = TicketStapled
	default:
		remark(sig, RemarkTicketForeign)
	}
}

// listed tells whether the list of digests holds n.
func listed(digests []byte, n digestName) bool {
	for ; len(digests) >= len(n); digests = digests[len(n):] {
		if bytes.Equal(digests[:len(n)], n[:]) {
			return true
		}
	}
	return false
}

// openTicket checks a ticket and returns its list of digests.
func openTicket(raw []byte) (digests []byte, ok bool) {
	if len(raw) < ticketHead+ticketBody+ticketSeal || len(raw) > maxTicket || string(raw[:4]) != ticketMagic {
		return nil, false
	}
	word := func(at int) int64 { return int64(binary.LittleEndian.Uint32(raw[at:])) }
	chain, size := word(8), word(12)
	if word(4) != ticketVersion || chain > maxTicketChain || ticketHead+chain+size+ticketSeal != int64(len(raw)) {
		return nil, false
	}
	signed, seal := raw[:len(raw)-ticketSeal], raw[len(raw)-ticketSeal:]
	if !sealedBy(signed, seal, raw[ticketHead:ticketHead+chain]) {
		return nil, false
	}
	return ticketDigests(signed[ticketHead+chain:])
}

// ticketDigests reads the content of a ticket.
func ticketDigests(content []byte) ([]byte, bool) {
	if len(content) < ticketBody || string(content[:4]) != ticketContent {
		return nil, false
	}
	version, width := binary.LittleEndian.Uint16(content[4:]), binary.LittleEndian.Uint16(content[6:])
	count := int64(binary.LittleEndian.Uint32(content[8:]))
	digests := content[ticketBody:]
	fits := version == contentVersion && width == ticketDigest && count > 0 && count*(1+ticketDigest) == int64(len(digests))
	return digests, fits
}

// sealedBy checks the signature of a ticket by the first of its certificates.
func sealedBy(signed, seal, chain []byte) bool {
	certs := ticketCerts(chain)
	if len(certs) == 0 {
		return false
	}
	key, ok := certs[0].PublicKey.(*ecdsa.PublicKey)
	e, err := readElement(seal)
	if !ok || err != nil || e.indefinite || !onlyZeros(seal[e.header+e.length:]) {
		return false
	}
	sum := sha256.Sum256(signed)
	return ecdsa.VerifyASN1(key, sum[:], seal[:e.header+e.length])
}

// ticketCerts parses the certificates of a ticket, which have to be a chain.
func ticketCerts(chain []byte) []*x509.Certificate {
	outer, rest, err := splitDER(chain)
	if err != nil || len(rest) > 0 || outer[0] != 0x30 {
		return nil
	}
	e, _ := readElement(outer)
	certs, err := x509.ParseCertificates(outer[e.header:])
	if err != nil || len(certs) > maxTicketCerts {
		return nil
	}
	for i := 1; i < len(certs); i++ {
		if !sensibleKey(certs[i]) || certs[i-1].CheckSignatureFrom(certs[i]) != nil {
			return nil
		}
	}
	return certs
}
