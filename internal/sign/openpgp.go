package sign

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"meetguard"
)

// RemarkWeakDigest is a signature over a digest that is no longer safe.
const RemarkWeakDigest = "weak_digest"

// maxOpenPGP bounds one OpenPGP signature. They have 0.1 to 2 kB; those of
// dpkg-sig hold a list of files as well.
const maxOpenPGP = 64 << 10 // bytes

// openPGP is what an OpenPGP signature says of itself (RFC 9580, 5.2, and RFC
// 4880 for version 3, which RPM wrote for decades). Nothing of it is proven:
// the keys of packagers are not pinned here.
type openPGP struct {
	key       string // fingerprint if the signature has it, else key id; hexadecimal, "" if it has none
	algorithm byte
	hash      byte
}

// describe writes the facts into the signature that is reported.
func (p openPGP) describe(sig *meetguard.Signature) {
	if sig.Detail != "" { // RPM often has two signatures of one key
		if other := "OpenPGP key " + cmp.Or(p.key, "unknown"); p.key != sig.Serial && !slices.Contains(sig.OtherSigners, other) {
			sig.OtherSigners = append(sig.OtherSigners, other)
		}
		return
	}
	sig.Serial = p.key
	sig.Detail = fmt.Sprintf("an OpenPGP signature of key %s with %s and %s", cmp.Or(p.key, "unknown"), pgpName(pgpAlgorithms, p.algorithm), pgpName(pgpHashes, p.hash))
	if p.hash <= 3 { // MD5, SHA-1, RIPEMD-160
		remark(sig, RemarkWeakDigest)
	}
}

// RFC 9580, 9.1 and 9.5.
const (
	pgpAlgorithms = "1 RSA,3 RSA,17 DSA,19 ECDSA,22 EdDSA,27 Ed25519,28 Ed448"
	pgpHashes     = "1 MD5,2 SHA-1,3 RIPEMD-160,8 SHA-256,9 SHA-384,10 SHA-512,11 SHA-224,12 SHA3-256,14 SHA3-512"
)

func pgpName(registry string, id byte) string {
	for entry := range strings.SplitSeq(registry, ",") {
		if number, name, _ := strings.Cut(entry, " "); number == fmt.Sprint(id) {
			return name
		}
	}
	return fmt.Sprintf("algorithm %d", id)
}

// readOpenPGP reads the first packet of b, which is armored or not and which
// has to be a signature.
func readOpenPGP(b []byte) (openPGP, error) {
	if len(b) > maxOpenPGP {
		return openPGP{}, limit("the OpenPGP signature is larger than 64 KiB")
	}
	if bytes.Contains(b, []byte(armorBegin)) {
		var err error
		if b, err = dearmor(b); err != nil {
			return openPGP{}, err
		}
	}
	const tagSignature = 2
	tag, body, err := readPacket(b)
	if err != nil {
		return openPGP{}, err
	}
	if tag != tagSignature || len(body) == 0 {
		return openPGP{}, malformed("the OpenPGP signature is none")
	}
	switch body[0] {
	case 3:
		return readVersion3(body)
	case 4:
		return readVersion4(body, 2)
	case 6:
		return readVersion4(body, 4)
	}
	return openPGP{}, unproven("the OpenPGP signature is of an unknown version")
}

const armorBegin = "-----BEGIN PGP SIGNATURE-----"

// dearmor decodes the ASCII form (RFC 9580, 6.2): lines of headers, an empty
// line, base64, a checksum.
func dearmor(text []byte) ([]byte, error) {
	_, text, _ = bytes.Cut(text, []byte(armorBegin))
	_, text, _ = bytes.Cut(text, []byte("\n")) // the rest of that line
	var encoded strings.Builder
	headers := true
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case headers:
			headers = line != ""
		case strings.HasPrefix(line, "="), strings.HasPrefix(line, "-"):
			packet, err := base64.StdEncoding.DecodeString(encoded.String())
			if err != nil {
				return nil, malformed("the armor of the OpenPGP signature is no base64")
			}
			return packet, nil
		default:
			encoded.WriteString(line)
		}
	}
	return nil, malformed("the armor of the OpenPGP signature does not end")
}

// readPacket reads the packet at the front of b (RFC 9580, 4.2). Partial
// lengths are for streams and do not occur in signatures.
func readPacket(b []byte) (tag byte, body []byte, err error) {
	if len(b) < 2 || b[0]&0x80 == 0 {
		return 0, nil, malformed("the OpenPGP signature is none")
	}
	var size, header int
	if b[0]&0x40 != 0 {
		tag = b[0] & 0x3f
		size, header = pgpLength(b[1:])
	} else {
		tag = b[0] >> 2 & 0xf
		size, header = oldLength(b[1:], b[0]&3)
	}
	if header == 0 || size > len(b)-1-header {
		return 0, nil, malformed("the OpenPGP signature is cut off")
	}
	return tag, b[1+header : 1+header+size], nil
}

// pgpLength reads a length of the newer form and tells its own size, 0 if it
// cannot be read.
func pgpLength(b []byte) (length, size int) {
	switch {
	case len(b) >= 1 && b[0] < 192:
		return int(b[0]), 1
	case len(b) >= 2 && b[0] < 224:
		return (int(b[0])-192)<<8 + int(b[1]) + 192, 2
	case len(b) >= 5 && b[0] == 255 && b[1] < 0x80:
		return int(binary.BigEndian.Uint32(b[1:])), 5
	}
	return 0, 0
}

// oldLength reads a length of the older form. Its kind 3 runs to the end.
func oldLength(b []byte, kind byte) (length, size int) {
	switch {
	case kind == 0 && len(b) >= 1:
		return int(b[0]), 1
	case kind == 1 && len(b) >= 2:
		return int(binary.BigEndian.Uint16(b)), 2
	case kind == 2 && len(b) >= 4 && b[0] < 0x80:
		return int(binary.BigEndian.Uint32(b)), 4
	}
	return 0, 0
}

// readVersion3 reads version, the length 5, type and time, the key id, the
// algorithms.
func readVersion3(b []byte) (openPGP, error) {
	if len(b) < 19 || b[1] != 5 {
		return openPGP{}, malformed("the OpenPGP signature is cut off")
	}
	return openPGP{hex.EncodeToString(b[7:15]), b[15], b[16]}, nil
}

// readVersion4 reads version, type, algorithms, then the signed and the
// unsigned subpackets, each list behind its size in width bytes.
func readVersion4(b []byte, width int) (openPGP, error) {
	if len(b) < 4 {
		return openPGP{}, malformed("the OpenPGP signature is cut off")
	}
	p := openPGP{algorithm: b[2], hash: b[3]}
	rest := b[4:]
	for range 2 {
		if len(rest) < width {
			return openPGP{}, malformed("the OpenPGP signature is cut off")
		}
		size := int(binary.BigEndian.Uint16(rest[width-2:])) // a longer list is none that anybody writes
		if width == 4 && binary.BigEndian.Uint16(rest) != 0 || size > len(rest)-width {
			return openPGP{}, malformed("the OpenPGP signature is cut off")
		}
		if err := p.readSubpackets(rest[width : width+size]); err != nil {
			return openPGP{}, err
		}
		rest = rest[width+size:]
	}
	return p, nil
}

// readSubpackets looks for the fingerprint of the key, else for its id.
func (p *openPGP) readSubpackets(b []byte) error {
	const issuer, fingerprint = 16, 33
	for len(b) > 0 {
		size, header := subpacketLength(b)
		if header == 0 || size < 1 || size > len(b)-header {
			return malformed("a part of the OpenPGP signature is cut off")
		}
		kind, value := b[header]&0x7f, b[header+1:header+size]
		switch {
		case kind == fingerprint && (len(value) == 21 || len(value) == 33): // behind the version of the key
			p.key = hex.EncodeToString(value[1:])
		case kind == issuer && len(value) == 8 && p.key == "":
			p.key = hex.EncodeToString(value)
		}
		b = b[header+size:]
	}
	return nil
}

// subpacketLength differs from pgpLength in that it knows no partial ones (RFC
// 9580, 5.2.3.7).
func subpacketLength(b []byte) (length, size int) {
	if len(b) >= 2 && b[0] >= 192 && b[0] < 255 {
		return (int(b[0])-192)<<8 + int(b[1]) + 192, 2
	}
	return pgpLength(b)
}
