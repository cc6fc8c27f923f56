package sign

import (
	"bytes"
	"cmp"
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

	loadSegment, loadSegment64 = 0x01, 0x19
	loadCodeSignature          = 0x1d

	maxSlices   = 32
	maxCommands = 4 << 20 // bytes of load commands; 100 kB is much
	maxPlist    = 1 << 20 // bytes of an embedded Info.plist
	maxPadding  = 1 << 20 // bytes between two slices; they are aligned to 16 KiB
)

// slice is one thin image of a file, and where it stands in it.
type slice struct {
	input
	off int64
}

// checkMachO judges a thin or fat Mach-O file that stands alone.
func (v *Verifier) checkMachO(in input, now time.Time) (meetguard.Signature, error) {
	return v.checkSlices(in, nil, now)
}

// checkSlices judges every slice of a file, each with the same outer parts.
func (v *Verifier) checkSlices(in input, o *outer, now time.Time) (meetguard.Signature, error) {
	cuts, head, err := readSlices(in)
	if err != nil {
		return meetguard.Signature{}, err
	}
	var all []meetguard.Signature
	for _, s := range cuts {
		sig, err := v.checkSlice(s.input, o, now)
		sig, gaps := settle(sig, err)
		if len(gaps) > 0 {
			return meetguard.Signature{}, limit(gaps[0].Reason)
		}
		all = append(all, sig)
	}
	sig := join(all)
	err = remarkBetween(in, cuts, head, &sig)
	return sig, err
}

// remarkBetween tells of bytes in a fat file that belong to no slice: behind
// the last one, and in the padding between two.
func remarkBetween(in input, all []slice, head int64, sig *meetguard.Signature) error {
	slices.SortFunc(all, func(a, b slice) int { return cmp.Compare(a.off, b.off) })
	at := head
	for _, s := range all {
		empty, err := in.onlyZeros(at, s.off)
		if err != nil {
			return err
		}
		if !empty {
			remark(sig, RemarkHiddenBytes)
		}
		at = max(at, s.off+s.size)
	}
	if at < in.size {
		remark(sig, RemarkAppended)
	}
	return nil
}

// onlyZeros tells whether [from, to) is padding. More than maxPadding is not,
// whatever it holds.
func (in input) onlyZeros(from, to int64) (bool, error) {
	if from >= to {
		return true, nil
	}
	if to-from > maxPadding {
		return false, nil
	}
	b, err := in.bytes(from, to-from)
	return onlyZeros(b), err
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
	sig.Remarks, sig.Hardened = nil, true
	var first *meetguard.Signature
	for i, s := range all {
		sig.Hardened = sig.Hardened && s.Hardened
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
		case s.Subject != first.Subject || s.CommonName != first.CommonName:
			remark(&sig, RemarkSlicesDiffer)
		}
	}
	if sig.Status == meetguard.SignatureValid && slices.Contains(sig.Remarks, RemarkSlicesDiffer) {
		sig.Status, sig.Chain, sig.TeamID = meetguard.SignatureUntrusted, ChainUnknownRoot, ""
		sig.Detail = "the slices of the file have different signers"
	}
	return sig
}

// readSlices returns the slices of a fat file, or the file itself, and where
// the header ends that is in front of them.
func readSlices(in input) (all []slice, head int64, err error) {
	if in.size < 8 {
		return nil, 0, errUnsigned
	}
	b, err := in.bytes(0, 8)
	if err != nil {
		return nil, 0, err
	}
	magic, count := binary.BigEndian.Uint32(b), int64(binary.BigEndian.Uint32(b[4:]))
	if magic != fatMagic32 && magic != fatMagic64 {
		return []slice{{in, 0}}, 0, nil
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
	all, err = cutSlices(in, table, entry)
	return all, 8 + count*entry, err
}

// cutSlices makes one slice of every entry. Slices that overlap would cost
// the time of many files, and are of no use.
func cutSlices(in input, table []byte, entry int64) ([]slice, error) {
	var all []slice
	var sum int64
	for ; len(table) > 0; table = table[entry:] {
		off, size := int64(binary.BigEndian.Uint32(table[8:])), int64(binary.BigEndian.Uint32(table[12:]))
		if entry == fatArch64 {
			off, size = int64(binary.BigEndian.Uint64(table[8:])), int64(binary.BigEndian.Uint64(table[16:])) // #nosec G115 -- negative ones are refused below
		}
		if off < 0 || size < 0 || off > in.size || size > in.size-off {
			return nil, malformed("a slice points outside of the file")
		}
		if sum += size; sum > in.size {
			return nil, malformed("the slices of the file overlap")
		}
		all = append(all, slice{input{in.section(off, off+size), size}, off})
	}
	return all, nil
}

// checkSlice judges one thin Mach-O image.
func (v *Verifier) checkSlice(in input, o *outer, now time.Time) (meetguard.Signature, error) {
	l, err := readLoads(in)
	if err != nil {
		return meetguard.Signature{}, err
	}
	im := image{input: in, at: l.at, outer: o}
	if im.blob, err = in.signatureAt(l.at, l.length); err != nil {
		return meetguard.Signature{}, err
	}
	if o == nil && l.plistSize > 0 && l.plist+l.plistSize <= in.size {
		if im.plist, err = in.bytes(l.plist, l.plistSize); err != nil {
			return meetguard.Signature{}, err
		}
	}
	sig, err := v.checkCode(im, now)
	if l.at+l.length < in.size {
		remark(&sig, RemarkAppended)
	}
	return sig, err
}

// signatureAt reads a code signature.
func (in input) signatureAt(at, length int64) ([]byte, error) {
	if at < 0 || length < 0 || at > in.size || length > in.size-at {
		return nil, malformed("the code signature points outside of the file")
	}
	if length > maxBlob {
		return nil, limit("the code signature is larger than 8 MiB")
	}
	return in.bytes(at, length)
}

// loads is what the load commands of an image say.
type loads struct {
	at, length       int64 // of the code signature
	plist, plistSize int64 // of section __info_plist of segment __TEXT; size 0 if there is none
}

// readLoads walks the load commands. debug/macho would load the symbol tables
// on its way.
func readLoads(in input) (loads, error) {
	var l loads
	if in.size < 28 {
		return l, errUnsigned
	}
	head, err := in.bytes(0, 28)
	if err != nil {
		return l, err
	}
	order, start := machHeader(head)
	if order == nil {
		return l, errUnsigned
	}
	size := int64(order.Uint32(head[20:]))
	if size > maxCommands || start+size > in.size {
		return l, malformed("the load commands are larger than the file")
	}
	cmds, err := in.bytes(start, size)
	if err != nil {
		return l, err
	}
	return l, l.walk(order, cmds)
}

// walk reads the commands. A second signature is refused: systems might
// disagree on which one counts.
func (l *loads) walk(order binary.ByteOrder, cmds []byte) error {
	signed := false
	for len(cmds) >= 8 {
		n := int64(order.Uint32(cmds[4:]))
		if n < 8 || n > int64(len(cmds)) {
			return malformed("a load command has an impossible length")
		}
		switch kind := order.Uint32(cmds); {
		case kind == loadCodeSignature && signed:
			return malformed("the image has two code signatures")
		case kind == loadCodeSignature && n >= 16:
			signed = true
			l.at, l.length = int64(order.Uint32(cmds[8:])), int64(order.Uint32(cmds[12:]))
		case kind == loadSegment && n >= 56:
			l.findPlist(order, cmds[56:n], 68, int(order.Uint32(cmds[48:])))
		case kind == loadSegment64 && n >= 72:
			l.findPlist(order, cmds[72:n], 80, int(order.Uint32(cmds[64:])))
		}
		cmds = cmds[n:]
	}
	if !signed {
		return errUnsigned
	}
	return nil
}

// findPlist looks through the sections of one segment, each of width bytes.
// What lies outside of the file or is of absurd size is left to the pages.
func (l *loads) findPlist(order binary.ByteOrder, sections []byte, width, count int) {
	for i := 0; i < count && len(sections) >= width; i++ {
		if bytes.HasPrefix(sections, []byte("__info_plist\x00\x00\x00\x00__TEXT\x00")) {
			size, at := int64(order.Uint32(sections[36:])), int64(order.Uint32(sections[40:]))
			if width == 80 {
				size, at = int64(order.Uint64(sections[40:])), int64(order.Uint32(sections[48:])) // #nosec G115 -- negative ones are passed over below
			}
			if size > 0 && size <= maxPlist {
				l.plist, l.plistSize = at, size
			}
		}
		sections = sections[width:]
	}
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
