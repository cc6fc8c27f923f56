package sign

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"encoding/binary"
	"encoding/xml"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/sassoftware/relic/v8/lib/x509tools"

	"meetguard"
)

// RemarkPublisher is a package whose manifest names another publisher than its
// signer. Windows does not install it.
const RemarkPublisher = "publisher_differs"

// The files of a package that its signature speaks of.
const (
	msixSignature      = "AppxSignature.p7x"
	msixMagic          = "PKCX" // before the PKCS#7 structure
	msixBlockMap       = "AppxBlockMap.xml"
	msixContentTypes   = "[Content_Types].xml"
	msixCatalog        = "AppxMetadata/CodeIntegrity.cat"
	msixManifest       = "AppxManifest.xml"
	msixBundleManifest = "AppxMetadata/AppxBundleManifest.xml"
	maxManifest        = 4 << 20 // bytes
)

// checkMSIX judges the signature of an MSIX or APPX package, or of a bundle of
// them.
//
// What is signed is a list of digests: AXPC is that of every byte before the
// signature, AXCD that of the directory as it was without it, and AXCT, AXBM
// and AXCI repeat three of the files unpacked. The first two leave nothing of
// the file out, so the digests in the block map, which are of the same files
// again for an installer that streams them, are not repeated: nothing has to be
// unpacked that could be a bomb. Packages in a bundle are covered likewise.
func (v *Verifier) checkMSIX(in input, now time.Time) (meetguard.Signature, error) {
	var sig meetguard.Signature
	z, err := openZip(in)
	if err != nil {
		return sig, unsignedIf(err)
	}
	e, remarks, err := z.openSignature()
	if err != nil {
		return sig, err
	}
	if e.signer != nil {
		e.signer.describe(&sig)
	}
	if e.err != nil {
		return settleEarly(sig, e.err)
	}
	if err := z.checkDigests(e.hash, e.digest); err != nil {
		return sig, err
	}
	publisher, err := z.publisher()
	if err != nil {
		return sig, err
	}
	sig, err = v.judgeEmbedded(e, e.same(), now)
	if !sameName(publisher, x509tools.FormatPkixName(e.signer.leaf.RawSubject, x509tools.NameStyleMsOsco)) {
		remark(&sig, RemarkPublisher)
	}
	if z.end < in.size {
		remark(&sig, RemarkOverlay)
	}
	for _, r := range remarks {
		remark(&sig, r)
	}
	if !z.filledBy(&z.entries[len(z.entries)-1]) {
		remark(&sig, RemarkHiddenBytes)
	}
	return sig, err
}

func (z *zipDir) openSignature() (embedded, []string, error) {
	file := z.find(msixSignature)
	if file == nil {
		return embedded{}, nil, errUnsigned
	}
	if file != &z.entries[len(z.entries)-1] {
		return embedded{}, nil, malformed("the package has files behind its signature")
	}
	blob, err := z.read(file, maxBlob)
	if err != nil {
		return embedded{}, nil, err
	}
	if !bytes.HasPrefix(blob, []byte(msixMagic)) {
		return embedded{}, nil, malformed("the signature of the package begins in an unknown way")
	}
	e, remarks := openEmbedded(blob[len(msixMagic):])
	return e, remarks, nil
}

// filledBy tells whether the last file reaches up to the directory. The
// signature does not cover what lies between.
func (z *zipDir) filledBy(last *zipEntry) bool {
	at, err := z.data(last)
	if err != nil {
		return false
	}
	gap := z.at - at - last.packed
	if last.flags&8 != 0 { // a descriptor of one of these sizes follows
		return slices.Contains([]int64{12, 16, 20, 24}, gap)
	}
	return gap == 0
}

// checkDigests holds the package against the list in its signature: "APPX",
// then for each digest four letters and its value.
func (z *zipDir) checkDigests(h crypto.Hash, list []byte) error {
	signed := map[string][]byte{}
	rest, found := bytes.CutPrefix(list, []byte("APPX"))
	for ; found && len(rest) >= 4+h.Size(); rest = rest[4+h.Size():] {
		signed[string(rest[:4])] = rest[4 : 4+h.Size()]
	}
	if !found || len(rest) > 0 {
		return malformed("the signature holds no digests of a package")
	}
	parts := []struct {
		tag, what string
		digest    func(into hash.Hash) (present bool, err error)
	}{
		{"AXPC", "files", z.digestFiles},
		{"AXCD", "directory", z.digestDirectory},
		{"AXCT", "content types", z.digestPart(msixContentTypes)},
		{"AXBM", "block map", z.digestPart(msixBlockMap)},
		{"AXCI", "catalog", z.digestPart(msixCatalog)},
	}
	for _, p := range parts {
		into := h.New()
		present, err := p.digest(into)
		if err != nil {
			return err
		}
		want, named := signed[p.tag]
		if present != named || present && !hmac.Equal(into.Sum(nil), want) {
			return badDigest("the signature is of another " + p.what + " than this package has")
		}
	}
	return nil
}

// digestFiles feeds everything up to the signature.
func (z *zipDir) digestFiles(into hash.Hash) (bool, error) {
	return true, copyAll(into, z.in.section(0, z.entries[len(z.entries)-1].at))
}

// digestDirectory feeds the directory as it was before the signature was
// added: without its record, and with an end that tells of one file less.
func (z *zipDir) digestDirectory(into hash.Hash) (bool, error) {
	last := z.entries[len(z.entries)-1]
	records := z.raw[:len(z.raw)-len(last.raw)]
	count, size := uint64(len(z.entries)-1), uint64(len(records))
	tail := bytes.Clone(z.tail)
	if len(tail) > zipEndSize {
		binary.LittleEndian.PutUint64(tail[24:], count)
		binary.LittleEndian.PutUint64(tail[32:], count)
		binary.LittleEndian.PutUint64(tail[40:], size)
		binary.LittleEndian.PutUint64(tail[48:], uint64(last.at))
		binary.LittleEndian.PutUint64(tail[zipEnd64Size+8:], uint64(last.at)+size)
	} else {
		binary.LittleEndian.PutUint16(tail[8:], uint16(count))
		binary.LittleEndian.PutUint16(tail[10:], uint16(count))
		binary.LittleEndian.PutUint32(tail[12:], uint32(size))
		binary.LittleEndian.PutUint32(tail[16:], uint32(last.at))
	}
	into.Write(records) // a hash never fails
	into.Write(tail)
	return true, nil
}

func (z *zipDir) digestPart(name string) func(into hash.Hash) (bool, error) {
	return func(into hash.Hash) (bool, error) {
		e := z.find(name)
		if e == nil {
			return false, nil
		}
		content, err := z.read(e, maxZipPart)
		into.Write(content)
		return true, err
	}
}

// publisher reads whom the manifest names: the attribute Publisher of the
// element Identity right below the root.
func (z *zipDir) publisher() (string, error) {
	e := z.find(msixBundleManifest)
	if e == nil {
		e = z.find(msixManifest)
	}
	if e == nil {
		return "", malformed("the package has no manifest")
	}
	manifest, err := z.read(e, maxManifest)
	if err != nil {
		return "", err
	}
	d := xml.NewDecoder(bytes.NewReader(manifest))
	for depth := 0; ; {
		token, err := d.RawToken()
		if err != nil {
			return "", nil // it names none
		}
		switch el := token.(type) {
		case xml.StartElement:
			if depth++; depth == 2 && el.Name.Local == "Identity" {
				return attribute(el, "Publisher"), nil
			}
		case xml.EndElement:
			depth--
		}
	}
}

func attribute(el xml.StartElement, name string) string {
	for _, a := range el.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// sameName compares two names of a subject as Windows writes them. Neither the
// order of the parts, nor which of two common names a kind of part has, nor the
// space around them makes a difference.
func sameName(a, b string) bool {
	x, y := nameParts(a), nameParts(b)
	return len(x) > 0 && slices.Equal(x, y)
}

// nameParts splits a name at the commas, semicolons and plus signs outside of
// quotes.
func nameParts(name string) []string {
	var parts []string
	var part strings.Builder
	quoted := false
	for _, r := range name + "," {
		switch {
		case r == '"':
			quoted = !quoted
			part.WriteRune(r)
		case !quoted && (r == ',' || r == ';' || r == '+'):
			if p := namePart(part.String()); p != "" {
				parts = append(parts, p)
			}
			part.Reset()
		default:
			part.WriteRune(r)
		}
	}
	slices.Sort(parts)
	return parts
}

func namePart(text string) string {
	kind, value, ok := strings.Cut(text, "=")
	if !ok {
		return strings.TrimSpace(text)
	}
	kind = strings.ToUpper(strings.TrimSpace(kind))
	if other, ok := map[string]string{"S": "ST", "OID.2.5.4.8": "ST", "EMAIL": "E", "TITLE": "T", "GIVENNAME": "G", "OID.2.5.4.5": "SERIALNUMBER", "OID.2.5.4.17": "POSTALCODE"}[kind]; ok {
		kind = other
	}
	value = strings.TrimSpace(value)
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = strings.ReplaceAll(value[1:len(value)-1], `""`, `"`)
	}
	return kind + "=" + value
}
