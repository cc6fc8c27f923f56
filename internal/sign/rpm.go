package sign

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"time"

	"meetguard"
)

// Layout of an RPM of the versions 3, 4 and 6 (rpm.org, "RPM Package format"):
// a lead, the header of signatures, padding to eight bytes, the header, the
// payload. A header is 16 bytes, an index of 16 bytes a tag, and a store.
const (
	rpmLeadSize    = 96
	rpmLeadMagic   = "\xed\xab\xee\xdb"
	rpmHeaderMagic = "\x8e\xad\xe8\x01"
	rpmIndexSize   = 16
	maxRPMTags     = 65535     // as rpm itself
	maxRPMStore    = 256 << 20 // bytes, as rpm itself; it is hashed and not loaded
	maxRPMSigners  = 8
)

// Tags of the header of signatures (rpmtag.h).
const (
	rpmSigDSA     = 267  // of the header
	rpmSigRSA     = 268  // of the header
	rpmSHA1       = 269  // of the header
	rpmSHA256     = 273  // of the header
	rpmSigOpenPGP = 278  // of the header, any number of them in base64
	rpmSigPGP     = 1002 // of header and payload
	rpmMD5        = 1004 // of header and payload
	rpmSigGPG     = 1005 // of header and payload
)

// Tags of the header itself.
const (
	rpmPayloadDigest    = 5092
	rpmPayloadAlgorithm = 5093
)

// Types of a tag's value.
const (
	rpmInt32  = 4
	rpmString = 6
	rpmBytes  = 7
	rpmArray  = 8 // of strings
)

// rpmHeader is one header of an RPM.
type rpmHeader struct {
	in       input
	from, to int64
	store    int64
	tags     map[uint32]rpmTag
}

type rpmTag struct {
	kind       uint32
	at, amount int64 // offset in the store; bytes, or values of other kinds
}

// checkRPM tells who signed an RPM and holds header and payload against the
// digests in it. Digests that do not fit make a signature invalid; digests that
// fit prove nothing without the key.
func (v *Verifier) checkRPM(in input, _ time.Time) (meetguard.Signature, error) {
	sig := meetguard.Signature{Status: meetguard.SignatureUnknown}
	lead, err := in.bytes(0, rpmLeadSize)
	if err != nil || string(lead[:4]) != rpmLeadMagic {
		return sig, errUnsigned
	}
	signatures, err := readRPMHeader(in, rpmLeadSize)
	if err != nil {
		return sig, unsignedIf(err)
	}
	packets, err := signatures.packets()
	if err != nil {
		return sig, err
	}
	if len(packets) == 0 {
		return sig, errUnsigned
	}
	for _, packet := range packets {
		p, err := readOpenPGP(packet)
		if err != nil {
			return sig, err
		}
		p.describe(&sig)
	}
	header, err := readRPMHeader(in, (signatures.to+7)&^7)
	if err != nil {
		return sig, err
	}
	if err := checkRPMDigests(signatures, header); err != nil {
		return sig, err
	}
	return sig, unproven("there is no key to check the OpenPGP signature of the package with")
}

func readRPMHeader(in input, at int64) (*rpmHeader, error) {
	head, err := in.bytes(at, rpmIndexSize)
	if err != nil {
		return nil, err
	}
	count, size := int64(binary.BigEndian.Uint32(head[8:])), int64(binary.BigEndian.Uint32(head[12:]))
	if string(head[:4]) != rpmHeaderMagic || count > maxRPMTags || size > maxRPMStore {
		return nil, malformed("a header of the package is damaged")
	}
	index, err := in.bytes(at+rpmIndexSize, count*rpmIndexSize)
	if err != nil {
		return nil, err
	}
	h := &rpmHeader{in: in, from: at, store: at + rpmIndexSize*(count+1), tags: map[uint32]rpmTag{}}
	h.to = h.store + size
	if h.to > in.size {
		return nil, malformed("a header of the package is larger than the file")
	}
	for ; len(index) > 0; index = index[rpmIndexSize:] {
		field := func(i int) uint32 { return binary.BigEndian.Uint32(index[4*i:]) }
		if _, twice := h.tags[field(0)]; !twice {
			h.tags[field(0)] = rpmTag{field(1), int64(field(2)), int64(field(3))}
		}
	}
	return h, nil
}

// bytes reads a binary value of at most maxOpenPGP bytes, nil if there is none.
func (h *rpmHeader) bytes(tag uint32) ([]byte, error) {
	t, ok := h.tags[tag]
	if !ok || t.kind != rpmBytes {
		return nil, nil
	}
	if t.amount > maxOpenPGP {
		return nil, limit("the OpenPGP signature is larger than 64 KiB")
	}
	if t.at+t.amount > h.to-h.store {
		return nil, malformed("a value of the package lies outside of its header")
	}
	return h.in.bytes(h.store+t.at, t.amount)
}

// texts reads a string, or an array of at most most strings, each of at most
// maxOpenPGP bytes.
func (h *rpmHeader) texts(tag uint32, most int64) ([]string, error) {
	t, ok := h.tags[tag]
	if !ok || t.kind != rpmString && t.kind != rpmArray {
		return nil, nil
	}
	if t.at > h.to-h.store {
		return nil, malformed("a value of the package lies outside of its header")
	}
	most = min(most, t.amount)
	rest, err := h.in.bytes(h.store+t.at, min(h.to-h.store-t.at, most*maxOpenPGP))
	if err != nil {
		return nil, err
	}
	var list []string
	for range most {
		text, after, ended := bytes.Cut(rest, []byte{0})
		if !ended {
			return nil, malformed("a value of the package does not end")
		}
		list, rest = append(list, string(text)), after
	}
	return list, nil
}

// text reads the first string of a tag.
func (h *rpmHeader) text(tag uint32) (string, error) {
	list, err := h.texts(tag, 1)
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0], nil
}

// packets lists the signatures.
func (h *rpmHeader) packets() ([][]byte, error) {
	var list [][]byte
	for _, tag := range []uint32{rpmSigRSA, rpmSigDSA, rpmSigPGP, rpmSigGPG} {
		packet, err := h.bytes(tag)
		if err != nil {
			return nil, err
		}
		if packet != nil {
			list = append(list, packet)
		}
	}
	encoded, err := h.texts(rpmSigOpenPGP, maxRPMSigners)
	if err != nil {
		return nil, err
	}
	for _, text := range encoded {
		packet, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, malformed("an OpenPGP signature of the package is no base64")
		}
		list = append(list, packet)
	}
	return list, nil
}

// checkRPMDigests holds the header, then the payload, against every digest
// that there is of them.
func checkRPMDigests(signatures, header *rpmHeader) error {
	for tag, h := range map[uint32]hash.Hash{rpmSHA256: sha256.New(), rpmSHA1: sha1.New()} {
		want, err := signatures.text(tag)
		if err != nil {
			return err
		}
		if want != "" {
			if err := header.compare(h, want, header.from, header.to, "header"); err != nil {
				return err
			}
		}
	}
	want, err := header.text(rpmPayloadDigest)
	if err != nil {
		return err
	}
	if algorithm := header.int32(rpmPayloadAlgorithm); want != "" && algorithm == 8 { // SHA-256, RFC 9580, 9.5
		return header.compare(sha256.New(), want, header.to, header.in.size, "payload")
	}
	sum, err := signatures.bytes(rpmMD5) // before 2017 the payload had no other
	if err != nil || sum == nil {
		return err
	}
	return header.compare(md5.New(), hex.EncodeToString(sum), header.from, header.in.size, "payload")
}

func (h *rpmHeader) int32(tag uint32) uint32 {
	t := h.tags[tag]
	if t.kind != rpmInt32 || t.amount < 1 || t.at+4 > h.to-h.store {
		return 0
	}
	b, err := h.in.bytes(h.store+t.at, 4)
	if err != nil {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

func (h *rpmHeader) compare(into hash.Hash, want string, from, to int64, what string) error {
	if err := copyAll(into, h.in.section(from, to)); err != nil {
		return fmt.Errorf("read the %s of the package: %w", what, err)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(into.Sum(nil))), []byte(strings.ToLower(want))) {
		return badDigest("the signature is of another " + what + " than this package has")
	}
	return nil
}
