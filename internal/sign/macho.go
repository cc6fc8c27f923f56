package sign

import (
	"encoding/binary"
	"slices"
	"time"

	"meetguard"
)

// Mach-O, from <mach-o/loader.h> and <mach-o/fat.h>.
const (
	machMagic32, machMagic64 = 0xfeedface, 0xfeedfacf
	fatMagic32, fatMagic64   = 0xcafebabe, 0xcafebabf
	fatArch32, fatArch64     = 20, 32 // bytes of one slice entry

	loadCodeSignature = 0x1d

	maxSlices   = 32
	maxCommands = 4 << 20 // bytes of load commands; 100 kB is much
)

// checkMachO judges a thin or fat Mach-O file.
func (v *Verifier) checkMachO(in input, now time.Time) (meetguard.Signature, error) {
	slices, end, err := readSlices(in)
	if err != nil {
		return meetguard.Signature{}, err
	}
	var all []meetguard.Signature
	for _, s := range slices {
		sig, err := v.checkSlice(s, now)
		sig, gaps := settle(sig, err)
		if len(gaps) > 0 {
			return meetguard.Signature{}, limit(gaps[0].Reason)
		}
		all = append(all, sig)
	}
	sig := join(all)
	if end < in.size {
		remark(&sig, RemarkOverlay)
	}
	return sig, nil
}

// join is what the slices of a fat file prove together. The system runs
// whichever fits its processor, so a file is as good as its worst slice: an
// unsigned one beside a valid one makes an unsigned file.
func join(all []meetguard.Signature) meetguard.Signature {
	order := []meetguard.SignatureStatus{meetguard.SignatureValid, meetguard.SignatureUnsigned,
		meetguard.SignatureAdhoc, meetguard.SignatureUntrusted, meetguard.SignatureInvalid}
	worst := slices.MaxFunc(all, func(a, b meetguard.Signature) int {
		return slices.Index(order, a.Status) - slices.Index(order, b.Status)
	})
	sig := worst
	sig.Remarks = nil
	var first *meetguard.Signature
	for i, s := range all {
		for _, r := range s.Remarks {
			remark(&sig, r)
		}
		if s.Subject != "" && s.Subject != worst.Subject && !slices.Contains(sig.OtherSigners, s.Subject) {
			sig.OtherSigners = append(sig.OtherSigners, s.Subject)
		}
		switch {
		case s.Status == meetguard.SignatureUnsigned && len(all) > 1:
			remark(&sig, RemarkSliceUnsigned)
		case first == nil:
			first = &all[i]
		case s.Subject != first.Subject || s.TeamID != first.TeamID:
			remark(&sig, RemarkSlicesDiffer)
		}
	}
	if sig.Status == meetguard.SignatureValid && slices.Contains(sig.Remarks, RemarkSlicesDiffer) {
		sig.Status, sig.Chain = meetguard.SignatureUntrusted, ChainUnknownRoot
		sig.Detail = "the slices of the file have different signers"
	}
	return sig
}

// readSlices returns the slices of a fat file, or the file itself, and where
// the last one ends.
func readSlices(in input) ([]input, int64, error) {
	if in.size < 8 {
		return nil, 0, errUnsigned
	}
	head, err := in.bytes(0, 8)
	if err != nil {
		return nil, 0, err
	}
	magic, count := binary.BigEndian.Uint32(head), int64(binary.BigEndian.Uint32(head[4:]))
	if magic != fatMagic32 && magic != fatMagic64 {
		return []input{in}, in.size, nil
	}
	entry := int64(fatArch32)
	if magic == fatMagic64 {
		entry = fatArch64
	}
	if count == 0 || count > maxSlices {
		return nil, 0, malformed("the fat file has an impossible number of slices")
	}
	table, err := in.bytes(8, count*entry)
	if err != nil {
		return nil, 0, err
	}
	return cutSlices(in, table, entry)
}

// cutSlices makes one input of every entry. Slices that overlap would cost
// the time of many files, and are of no use.
func cutSlices(in input, table []byte, entry int64) (all []input, end int64, err error) {
	var sum int64
	for ; len(table) > 0; table = table[entry:] {
		off, size := int64(binary.BigEndian.Uint32(table[8:])), int64(binary.BigEndian.Uint32(table[12:]))
		if entry == fatArch64 {
			off, size = int64(binary.BigEndian.Uint64(table[8:])), int64(binary.BigEndian.Uint64(table[16:]))
		}
		if off < 0 || size < 0 || off > in.size || size > in.size-off {
			return nil, 0, malformed("a slice points outside of the file")
		}
		if sum += size; sum > in.size {
			return nil, 0, malformed("the slices of the file overlap")
		}
		all = append(all, input{in.section(off, off+size), size})
		end = max(end, off+size)
	}
	return all, end, nil
}

// checkSlice judges one thin Mach-O image.
func (v *Verifier) checkSlice(in input, now time.Time) (meetguard.Signature, error) {
	at, length, err := findCodeSignature(in)
	if err != nil {
		return meetguard.Signature{}, err
	}
	if at > in.size || length > in.size-at {
		return meetguard.Signature{}, malformed("the code signature points outside of the file")
	}
	if length > maxBlob {
		return meetguard.Signature{}, limit("the code signature is larger than 8 MiB")
	}
	blob, err := in.bytes(at, length)
	if err != nil {
		return meetguard.Signature{}, err
	}
	sig, err := v.checkCode(in, at, blob, now)
	if at+length < in.size {
		remark(&sig, RemarkOverlay)
	}
	return sig, err
}

// findCodeSignature walks the load commands. debug/macho would load the symbol
// tables on its way.
func findCodeSignature(in input) (at, length int64, err error) {
	if in.size < 28 {
		return 0, 0, errUnsigned
	}
	head, err := in.bytes(0, 28)
	if err != nil {
		return 0, 0, err
	}
	order, start := machHeader(head)
	if order == nil {
		return 0, 0, errUnsigned
	}
	size := int64(order.Uint32(head[20:]))
	if size > maxCommands || start+size > in.size {
		return 0, 0, malformed("the load commands are larger than the file")
	}
	cmds, err := in.bytes(start, size)
	if err != nil {
		return 0, 0, err
	}
	for len(cmds) >= 8 {
		n := int64(order.Uint32(cmds[4:]))
		if n < 8 || n > int64(len(cmds)) {
			return 0, 0, malformed("a load command has an impossible length")
		}
		if order.Uint32(cmds) == loadCodeSignature && n >= 16 {
			return int64(order.Uint32(cmds[8:])), int64(order.Uint32(cmds[12:])), nil
		}
		cmds = cmds[n:]
	}
	return 0, 0, errUnsigned
}

// machHeader tells byte order and size of the header; order is nil if it is
// none of a Mach-O image.
func machHeader(head []byte) (order binary.ByteOrder, size int64) {
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch o.Uint32(head) {
		case machMagic32:
			return o, 28
		case machMagic64:
			return o, 32
		}
	}
	return nil, 0
}
