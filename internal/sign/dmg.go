package sign

import (
	"bytes"
	"encoding/binary"
	"time"

	"meetguard"
)

// A disk image ends in a trailer of 512 bytes, the "koly" block of UDIF (see
// diskimagerep.cpp of Apple's Security project). Numbers are big-endian. The
// code signature stands in front of it.
const (
	kolyMagic  = "koly\x00\x00\x00\x04\x00\x00\x02\x00" // with version 4 and its own size
	kolySize   = 512
	kolySigAt  = 296
	kolySigLen = 304

	kolySearch = 1 << 20 // bytes at the end in which a trailer is looked for
)

// checkDMG judges a disk image. A signature covers everything in front of
// itself, and the trailer with the length of the signature blanked out. An
// image without a trailer (raw or encrypted) cannot carry one.
func (v *Verifier) checkDMG(in input, now time.Time) (meetguard.Signature, error) {
	var sig meetguard.Signature
	at, err := findKoly(in)
	if err != nil {
		return sig, err
	}
	sig, err = v.checkImage(in, at, now)
	if at+kolySize < in.size {
		remark(&sig, RemarkAppended)
	}
	return sig, err
}

// checkImage judges the disk image whose trailer stands at at.
func (v *Verifier) checkImage(in input, at int64, now time.Time) (meetguard.Signature, error) {
	var sig meetguard.Signature
	koly, err := in.bytes(at, kolySize)
	if err != nil {
		return sig, err
	}
	off, length := binary.BigEndian.Uint64(koly[kolySigAt:]), binary.BigEndian.Uint64(koly[kolySigLen:])
	if length == 0 {
		return sig, errUnsigned
	}
	if off > uint64(at) || length > uint64(at)-off {
		return sig, malformed("the code signature points outside of the image")
	}
	im := image{input: in, at: int64(off)}                               // #nosec G115 -- off and length are within the file, see above
	if im.blob, err = in.signatureAt(im.at, int64(length)); err != nil { // #nosec G115 -- as above
		return sig, err
	}
	clear(koly[kolySigLen:][:8])
	im.outer = &outer{parts: map[int][]byte{csSlotSpecific: koly}}
	sig, err = v.checkCode(im, now)
	if im.at+int64(length) < at { // #nosec G115 -- as above
		remark(&sig, RemarkHiddenBytes)
	}
	return sig, err
}

// findKoly finds the trailer. A system mounts an image only if it is at the
// very end; an image that has grown since is still to be recognised.
func findKoly(in input) (int64, error) {
	from := max(0, in.size-kolySearch)
	tail, err := in.bytes(from, in.size-from)
	if err != nil {
		return 0, err
	}
	if end := len(tail) - kolySize; end >= 0 && bytes.HasPrefix(tail[end:], []byte(kolyMagic)) {
		return from + int64(end), nil
	}
	i := bytes.LastIndex(tail, []byte(kolyMagic))
	if i < 0 || len(tail)-i < kolySize {
		return 0, errUnsigned
	}
	return from + int64(i), nil
}
