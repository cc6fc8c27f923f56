// Package sign checks code signatures without the help of the operating
// system, so that the agent, the collector and the tests come to the same
// answer on every platform.
//
// The cryptography (CMS, countersignatures) is that of sassoftware/relic's lib
// packages. Everything that reads a hostile length is written here and checks
// it against the size of the input first: the walk over PE and Mach-O headers,
// compound files, code directories and the guard before every ASN.1 decoder.
//
// Nothing is fetched: no revocation list, no issuer, no OCSP. A revoked
// certificate is therefore noticed only if it stands on the list of abused
// certificates (AddAbused). A signature that lives outside of the file (a
// Windows catalog) is not looked for; VerifyCatalog reads a catalog that the
// caller has found. No OpenPGP key is pinned: of the packages of Linux the
// signer is told and never proven.
package sign

import (
	"errors"
	"fmt"
	"io"
	"time"

	"meetguard"
)

// The values of Signature.Chain.
const (
	ChainOK          = "ok"
	ChainExpired     = "expired"       // a certificate had run out at the time that counts
	ChainNotYetValid = "not_yet_valid" // a certificate was not valid yet at the time that counts
	ChainUnknownRoot = "unknown_root"  // no pinned anchor; includes self-signed, which Detail then says
	ChainWrongUsage  = "wrong_usage"   // no certificate for signing code
	ChainWeak        = "weak_sha1"     // rests on SHA-1 or MD5 signatures
	ChainRevoked     = "revoked"       // the leaf is on the list of abused certificates; Abused says why
	ChainBadDigest   = "bad_digest"    // the signature is not of these bytes
	ChainMalformed   = "malformed"
)

// The values of Signature.Remarks. None of them changes what a signature
// proves: they tell what else was found in a place that nothing covers, where
// honest installers keep campaign names and dishonest ones their payload.
const (
	RemarkOverlay        = "overlay"             // bytes after the signed part of the file
	RemarkHiddenBytes    = "hidden_bytes"        // bytes inside the signature area that nothing covers (CVE-2013-3900)
	RemarkExtraEntry     = "extra_entry"         // a further entry in the certificate table
	RemarkUnauthBlob     = "unauth_blob"         // 1 kB or more in unsigned attributes, or 8 kB of certificates of no chain
	RemarkMSITrailing    = "msi_trailing"        // bytes behind the last sector that the MSI uses
	RemarkCabTrailing    = "cab_trailing"        // bytes behind the signature of the cabinet
	RemarkMultiSigner    = "multi_signer"        // several signers of one structure, where there must be one
	RemarkOtherInvalid   = "other_invalid"       // a further signature that does not fit the file, or is nested too deep to look at
	RemarkSHA1           = "sha1"                // the signature rests on a digest of SHA-1 or MD5
	RemarkSliceUnsigned  = "slice_unsigned"      // a fat file with a slice without signature
	RemarkSlicesDiffer   = "slices_differ"       // a fat file with slices of different signers
	RemarkStampInvalid   = "timestamp_invalid"   // a countersignature that does not fit
	RemarkStampUntrusted = "timestamp_untrusted" // a countersignature without pinned anchor
)

// maxFile bounds the files that are looked at. PE and MSI hold 32-bit offsets;
// nothing that is signed in a meaningful way is larger.
const maxFile = 4 << 30 // bytes

// maxBlob bounds one signature (a certificate table, a Mach-O superblob) in
// memory. It leaves room for the page digests of a program of 600 MB: 36 bytes
// for a page of 4096 in a PE file, 52 in a Mach-O file with SHA-1 and SHA-256.
const maxBlob = 8 << 20 // bytes

// input is a file whose size is known: every offset is checked against it
// before a read, so that a failing read is a fault of the disk and not of the
// file.
type input struct {
	r    io.ReaderAt
	size int64
}

// bytes reads n bytes at off. The caller has bounded n.
func (in input) bytes(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > in.size || n > in.size-off {
		return nil, malformed("a length points outside of the file")
	}
	buf := make([]byte, n)
	if _, err := in.r.ReadAt(buf, off); err != nil && !(err == io.EOF && n == 0) {
		return nil, fmt.Errorf("read %d bytes at %d: %w", n, off, err)
	}
	return buf, nil
}

// section is the part [from, to) of the file.
func (in input) section(from, to int64) *io.SectionReader {
	return io.NewSectionReader(in.r, from, to-from)
}

// fault is a signature that is present and wrong. It is an answer, not an
// error of the checker.
type fault struct {
	chain  string
	detail string
}

func (f *fault) Error() string { return f.detail }

func malformed(detail string) error { return &fault{ChainMalformed, detail} }
func badDigest(detail string) error { return &fault{ChainBadDigest, detail} }

// limit is a signature that was not looked at because it is beyond what is
// sensible to handle. It accuses no one.
type limit string

func (l limit) Error() string { return string(l) }

// errUnsigned is a file that can carry a signature and has none.
var errUnsigned = errors.New("no signature")

// Verify checks the code signature of a file of the given format.
//
// It reads PE, Mach-O (thin and fat), MSI, CAB, MSIX, DMG and PKG files; VerifyApp
// reads app bundles, VerifyScript scripts. Of deb, RPM and AppImage (FormatELF)
// it tells the key id of the signer, with a gap that does not blind. Formats that
// cannot carry a signature (archives, HTML, …) and scripts give SignatureUnknown
// without a gap. A limit, a crash or a failing disk gives SignatureUnknown with
// a gap that blinds.
//
// now judges certificates without verified countersignature. Memory stays
// below 40 MB for files up to 200 MB, whatever they say; only the tables of an
// MSI grow with it, by 16 bytes for every kilobyte, and the directory of an MSIX
// with its files, by 64 MB at most. Time is that of one pass over the file with
// the digests that its signatures name; page digests count as one more.
func (v *Verifier) Verify(r io.ReaderAt, size int64, format meetguard.Format, now time.Time) (sig meetguard.Signature, gaps []meetguard.Gap) {
	check := v.checkOf(format)
	if check == nil {
		return meetguard.Signature{Status: meetguard.SignatureUnknown}, nil
	}
	defer func() {
		if recover() != nil {
			sig, gaps = stopped("the signature parser crashed")
		}
	}()
	if size > maxFile {
		return stopped("the file is larger than 4 GiB")
	}
	sig, err := check(input{r, size}, now)
	return settle(sig, err)
}

type checkFunc func(in input, now time.Time) (meetguard.Signature, error)

func (v *Verifier) checkOf(format meetguard.Format) checkFunc {
	switch format {
	case meetguard.FormatPE:
		return v.checkPE
	case meetguard.FormatMachO:
		return v.checkMachO
	case meetguard.FormatMSI:
		return v.checkMSI
	case meetguard.FormatCab:
		return v.checkCab
	case meetguard.FormatMSIX:
		return v.checkMSIX
	case meetguard.FormatDeb:
		return v.checkDeb
	case meetguard.FormatRPM:
		return v.checkRPM
	case meetguard.FormatELF:
		return v.checkELF
	case meetguard.FormatDMG:
		return v.checkDMG
	case meetguard.FormatPKG:
		return v.checkPKG
	}
	return nil
}

func stopped(reason string) (meetguard.Signature, []meetguard.Gap) {
	return meetguard.Signature{Status: meetguard.SignatureUnknown},
		[]meetguard.Gap{{Fact: "signature", Reason: reason, Blinding: true}}
}

// settle turns the error of a check into a status. What was learned of the
// signer before the fault stays, because the name a fake borrows is evidence.
func settle(sig meetguard.Signature, err error) (meetguard.Signature, []meetguard.Gap) {
	var f *fault
	var l limit
	var u unproven
	switch {
	case err == nil:
		return sig, nil
	case errors.Is(err, errUnsigned):
		sig.Status = meetguard.SignatureUnsigned
		return sig, nil
	case errors.As(err, &f):
		sig.Status, sig.Chain, sig.Detail = meetguard.SignatureInvalid, f.chain, f.detail
		return sig, nil
	case errors.As(err, &l):
		return stopped(string(l))
	case errors.As(err, &u):
		sig.Status = meetguard.SignatureUnknown
		return sig, []meetguard.Gap{{Fact: "signature", Reason: string(u)}}
	}
	return stopped("the file could not be read for its signature")
}

// remark adds a remark once.
func remark(sig *meetguard.Signature, name string) {
	for _, r := range sig.Remarks {
		if r == name {
			return
		}
	}
	sig.Remarks = append(sig.Remarks, name)
}
