package sign

import (
	"bytes"
	"crypto"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"meetguard"
)

// Limits of one bundle. Of the programs for meetings the largest has 6,000
// files and 1.2 GB, most of it in frameworks with signatures of their own.
const (
	maxBundleFiles = 50000
	maxBundleBytes = 1 << 30 // bytes of resources that are hashed
)

// Bundle is an app bundle as its caller read it. Nothing in it is opened but
// through Files.
type Bundle struct {
	Executable io.ReaderAt // the main executable, Contents/MacOS/…
	Size       int64       // of the executable, bytes
	Program    string      // its path below Contents, with slashes: "MacOS/zoom.us"

	// The bytes of these files, all of them; nil says that there is none.
	InfoPlist []byte // Contents/Info.plist
	Resources []byte // Contents/_CodeSignature/CodeResources
	Ticket    []byte // Contents/CodeResources: a stapled notary ticket

	// Files are the files and links below Contents; nil if they are not known.
	// At most 50,000 are looked at and 1 GiB of them is read.
	Files []BundleFile
	All   bool // Files is all of them, so that what is not among them is missing
}

// BundleFile is a file or link of a bundle.
type BundleFile struct {
	Path string // below Contents, with slashes
	Size int64  // bytes
	Link string // where a symbolic link points to; "" for a regular file
	Open func() (io.ReadCloser, error)
}

// VerifyApp checks the signature of an app bundle: that of its main executable
// with everything that it covers. It is the signature of the bundle, in place
// of what Verify says of the executable alone.
//
// Info.plist and the list of resources are compared with the code directories
// of every slice, and the files given with the list: a changed one makes the
// signature invalid, one that is missing or added is a remark. A valid
// signature that does not cover Info.plist and resources is one of a program
// that somebody put into a bundle of his own; it is untrusted and its chain
// not_bound. Nested code (frameworks, helpers) carries signatures of its own and
// is not looked into, which is a gap, as is a bundle without Files; neither
// blinds. The ticket is judged as in every format and proves nothing.
//
// VerifyApp has the limits of Verify. A list of resources may take 16 MiB and
// hold 262,144 values, which then take 100 MB of memory.
func (v *Verifier) VerifyApp(b Bundle, now time.Time) (sig meetguard.Signature, gaps []meetguard.Gap) {
	defer func() {
		if recover() != nil {
			sig, gaps = stopped("the signature parser crashed")
		}
	}()
	if b.Size > maxFile {
		return stopped("the file is larger than 4 GiB")
	}
	o := &outer{parts: map[int][]byte{csSlotInfo: b.InfoPlist, csSlotResources: b.Resources}}
	sig, err := v.checkSlices(input{b.Executable, b.Size}, o, now)
	sig, gaps = settle(sig, err)
	if b.Ticket != nil {
		judgeTicket(b.Ticket, o.names, &sig)
	}
	switch sig.Status {
	case meetguard.SignatureUnknown, meetguard.SignatureUnsigned, meetguard.SignatureInvalid:
		return sig, gaps
	}
	if !slices.Contains(sig.Remarks, RemarkUnsealed) {
		gaps = append(gaps, b.checkResources(&sig)...)
	}
	demandBound(&sig)
	return sig, gaps
}

// demandBound takes the proof from a signature that is not of the bundle.
func demandBound(sig *meetguard.Signature) {
	loose := slices.Contains(sig.Remarks, RemarkPlistUnbound) || slices.Contains(sig.Remarks, RemarkUnsealed)
	if loose && sig.Status == meetguard.SignatureValid {
		sig.Status, sig.Chain, sig.TeamID = meetguard.SignatureUntrusted, ChainUnbound, ""
		sig.Detail = "the signature is of the program alone and not of the bundle around it"
	}
}

// openGap is a gap that does not blind: the program itself was judged.
func openGap(reason string) meetguard.Gap {
	return meetguard.Gap{Fact: "signature", Reason: reason}
}

// checkResources compares the files of the bundle with the list, whose own
// bytes are known to be the signed ones.
func (b *Bundle) checkResources(sig *meetguard.Signature) []meetguard.Gap {
	s, err := readSeal(b.Resources)
	if err != nil {
		return []meetguard.Gap{openGap(err.Error())}
	}
	if b.Files == nil {
		return []meetguard.Gap{openGap("the resources of the bundle were not given")}
	}
	c := sealCheck{seal: s, sig: sig, program: plainPath(b.Program), seen: map[string]bool{}, left: maxBundleBytes, buf: make([]byte, copyBuffer)}
	for i, f := range b.Files {
		if i == maxBundleFiles {
			c.gap("the bundle has more files than are checked")
			break
		}
		c.file(f)
	}
	if b.All && len(b.Files) <= maxBundleFiles {
		c.missing()
	}
	if s.hasNested() {
		c.gap("the nested code of the bundle is not checked with it")
	}
	return c.gaps
}

// plainPath is the spelling of a path that is compared: file systems of Apple
// take accents apart, lists of resources do not.
func plainPath(p string) string { return norm.NFC.String(p) }

// sealCheck compares files with a seal.
type sealCheck struct {
	*seal
	sig     *meetguard.Signature
	program string
	seen    map[string]bool
	left    int64 // bytes that may still be read
	buf     []byte
	gaps    []meetguard.Gap
}

func (c *sealCheck) gap(reason string) {
	if g := openGap(reason); !slices.Contains(c.gaps, g) {
		c.gaps = append(c.gaps, g)
	}
}

// file compares one file.
func (c *sealCheck) file(f BundleFile) {
	name := plainPath(f.Path)
	e, known := c.files[name]
	switch {
	case known && e.nested || c.inNested(name) || c.excluded(name):
	case !known:
		c.added(name)
	case f.Link != e.link:
		c.changed()
	case e.link == "":
		c.content(f, e)
	}
	c.seen[name] = true
}

// excluded tells the files that the list never holds: the program, Info.plist,
// and what comes with or after signing.
func (c *sealCheck) excluded(name string) bool {
	return name == c.program || name == "Info.plist" || name == "CodeResources" ||
		strings.HasPrefix(name, "_CodeSignature/") || strings.HasPrefix(name, "_MASReceipt/")
}

// inNested tells whether a folder above name is nested code.
func (c *sealCheck) inNested(name string) bool {
	for i, r := range name {
		if r == '/' && c.files[name[:i]].nested {
			return true
		}
	}
	return false
}

// added remarks a file that the rules of the list would have put into it.
func (c *sealCheck) added(name string) {
	covered, err := c.covers(name)
	if err != nil {
		c.gap(err.Error())
	}
	if covered {
		remark(c.sig, RemarkResourceAdded)
	}
}

func (c *sealCheck) changed() {
	remark(c.sig, RemarkResourceChanged)
	c.sig.Status, c.sig.Chain, c.sig.TeamID = meetguard.SignatureInvalid, ChainBadDigest, ""
	c.sig.Detail = "a file of the bundle is another one than was signed"
}

// content compares the bytes of a regular file.
func (c *sealCheck) content(f BundleFile, e sealedFile) {
	h, want := crypto.SHA256, e.sha256
	if want == nil {
		h, want = crypto.SHA1, e.sha1
	}
	if want == nil || f.Open == nil {
		c.gap("a file of the bundle could not be compared")
		return
	}
	if c.left -= f.Size; c.left < 0 {
		c.gap("the bundle has more resources than are read")
		return
	}
	r, err := f.Open()
	if err != nil {
		c.gap("a file of the bundle could not be read")
		return
	}
	defer r.Close()
	sum := h.New()
	// One byte more shows a file that has grown since it was listed.
	n, err := io.CopyBuffer(struct{ io.Writer }{sum}, io.LimitReader(r, f.Size+1), c.buf)
	switch {
	case err != nil || n != f.Size:
		c.gap("a file of the bundle could not be read")
	case !bytes.Equal(sum.Sum(nil), want):
		c.changed()
	}
}

// missing remarks files of the list that the bundle does not have.
func (c *sealCheck) missing() {
	for name, e := range c.files {
		if !c.seen[name] && !e.optional && !e.nested {
			remark(c.sig, RemarkResourceMissing)
			return
		}
	}
}
