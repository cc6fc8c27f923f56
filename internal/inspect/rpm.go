package inspect

import (
	"bytes"

	"meetguard"
)

const (
	rpmLead     = "\xed\xab\xee\xdb"
	rpmLeadSize = 96
	rpmHeader   = "\x8e\xad\xe8\x01"
	maxTags     = 4096 // RPM itself allows 65,535
)

// rpmClaims reads name, summary, vendor and packager from the header of an RPM
// (version 3 and 4 of the format): lead, signature header, header. A header is
// 16 bytes with the number of tags and the size of their data, then 16 bytes a
// tag, then the data.
func rpmClaims(data []byte, c *collector) error {
	v := big(data)
	at, err := v.rpmHeaderEnd(rpmLeadSize)
	if err != nil {
		return err
	}
	at = (at + 7) &^ 7 // the header is aligned to eight bytes
	if _, err := v.rpmHeaderEnd(at); err != nil {
		return err
	}
	tags, size := uint64(v.u32(at+8)), uint64(v.u32(at+12))
	store := v.cut(at+16+16*tags, size)
	for i := range tags {
		tag := at + 16 + 16*i
		if offset := v.u32(tag + 8); isRPMName(v.u32(tag), v.u32(tag+4)) && uint64(offset) < size {
			c.claim(meetguard.ClaimPackageName, untilNUL(store[offset:]))
		}
	}
	return v.err()
}

// rpmHeaderEnd checks the header at off and tells where it ends.
func (v *view) rpmHeaderEnd(off uint64) (uint64, error) {
	tags, size := uint64(v.u32(off+8)), uint64(v.u32(off+12))
	if string(v.cut(off, 4)) != rpmHeader {
		return 0, malformed("magic is wrong")
	}
	if tags > maxTags {
		return 0, malformed("more tags than are read")
	}
	v.cut(off+16, 16*tags+size)
	return off + 16 + 16*tags + size, v.err()
}

// isRPMName tells the tags NAME, SUMMARY, VENDOR and PACKAGER of a string type.
func isRPMName(tag, kind uint32) bool {
	const text, translated = 6, 9
	switch tag {
	case 1000, 1004, 1011, 1015:
		return kind == text || kind == translated
	}
	return false
}

// untilNUL is the text before the first NUL, at most as much as makes a name.
func untilNUL(b []byte) string {
	b, _, _ = bytes.Cut(b[:min(len(b), 4*maxClaimText)], []byte{0})
	return string(b)
}
