package sign

import (
	"encoding/binary"
	"io"
	"time"

	"meetguard"
)

// Offsets in a signed cabinet: CFHEADER ([MS-CAB] 2.2.1), then four bytes that
// size the reserved areas, then 20 reserved bytes that Authenticode fills with
// the size of the cabinet, the size of the signature behind it and a field
// that is signed.
const (
	cabTotal    = 8
	cabFlags    = 30
	cabNumber   = 34 // number within a set of cabinets: not signed
	cabReserve  = 36
	cabArea     = 40
	cabAreaSize = 20
	cabSigned   = cabArea + cabAreaSize
	cabReserved = 4 // flag: a reserved area follows the header
)

// checkCab judges the signature behind a cabinet.
func (v *Verifier) checkCab(in input, now time.Time) (meetguard.Signature, error) {
	var sig meetguard.Signature
	if in.size < cabSigned {
		return sig, errUnsigned
	}
	head, err := in.bytes(0, cabSigned)
	if err != nil {
		return sig, err
	}
	total, length, err := readCab(head, in.size)
	if err != nil {
		return sig, err
	}
	blob, err := in.bytes(total, length)
	if err != nil {
		return sig, err
	}
	sig, err = v.authenticodeOf([][]byte{blob}, func(into io.Writer) error {
		return digestCab(in, head, total, into)
	}, now, form{kind: oidCabinet})
	if err := in.remarkTail(&sig, total+length, RemarkCabTrailing); err != nil {
		return sig, err
	}
	return sig, err
}

// readCab returns the sizes of the cabinet and of the signature behind it.
func readCab(head []byte, size int64) (total, length int64, err error) {
	total = int64(binary.LittleEndian.Uint32(head[cabTotal:]))
	area := binary.LittleEndian.Uint16(head[cabReserve:])
	length = int64(binary.LittleEndian.Uint32(head[cabArea+8:]))
	flags := binary.LittleEndian.Uint16(head[cabFlags:])
	switch {
	case string(head[:4]) != "MSCF", flags&cabReserved == 0, area != cabAreaSize, length == 0:
		return 0, 0, errUnsigned
	case length > maxBlob:
		return 0, 0, limit("the signature of the cabinet is larger than 8 MiB")
	case total < cabSigned, total > size, length > size-total, int64(binary.LittleEndian.Uint32(head[cabArea+4:])) != total:
		return 0, 0, malformed("a length of the cabinet points outside of it")
	}
	return total, length, nil
}

// digestCab feeds what a cabinet signature covers: the header without its
// checksum, its number and the sizes of the reserved area, then the rest.
func digestCab(in input, head []byte, total int64, into io.Writer) error {
	for _, part := range [][]byte{head[:4], head[cabTotal:cabNumber], head[cabSigned-4:]} {
		if _, err := into.Write(part); err != nil {
			return err
		}
	}
	return copyAll(into, in.section(cabSigned, total))
}
