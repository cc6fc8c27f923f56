package sign

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/sassoftware/relic/v8/lib/pkcs7"
	"github.com/sassoftware/relic/v8/lib/x509tools"

	"meetguard"
)

// Further values of Signature.Remarks, of Apple's formats.
const (
	RemarkAppended        = "appended"           // bytes behind the signature or the trailer that no signature covers
	RemarkTeamDiffers     = "team_differs"       // a team is named that the certificate does not prove
	RemarkPlistDiffers    = "plist_differs"      // the Info.plist inside of the program is not the one that was signed: usual in a program of a bundle
	RemarkPlistUnbound    = "plist_unbound"      // the signature does not cover the Info.plist of the bundle
	RemarkUnsealed        = "resources_unsealed" // the signature does not cover the resources of the bundle
	RemarkResourceChanged = "resource_changed"   // a sealed file of the bundle has other bytes
	RemarkResourceMissing = "resource_missing"   // a sealed file of the bundle is not there
	RemarkResourceAdded   = "resource_added"     // a file that the seal does not know and should
	RemarkTrailing        = "pkg_trailing"       // bytes behind a package that are no notary ticket
	RemarkTicketForeign   = "ticket_foreign"     // an intact ticket that names other software than this
)

// ChainUnbound is a further value of Signature.Chain: intact and from a pinned
// anchor, but a signature of the program alone and not of the bundle around it.
const ChainUnbound = "not_bound"

// The values of Signature.Kind. They are set only if the chain ends in Apple's
// root. The last two prove no publisher: a free account gets a certificate for
// development, with a name of its own choice, and in-house distribution is not
// looked at by Apple. That marker is the one of distribution for iOS, too.
const (
	KindDeveloperID = "developer_id"
	KindAppStore    = "mac_app_store"
	KindApple       = "apple"
	KindDevelopment = "development"
	KindEnterprise  = "enterprise"
)

// appleKinds are the marker extensions of Apple's leaf certificates, from the
// "Apple WWDR" and "Developer ID" Certification Practice Statements. A
// certificate with several is the first of them.
var appleKinds = []struct {
	marker    asn1.ObjectIdentifier
	kind      string
	installer bool // for packages, not for code
}{
	{asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 13}, KindDeveloperID, false},
	{asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 18}, KindDeveloperID, false}, // kernel extensions
	{asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 14}, KindDeveloperID, true},
	{asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 7}, KindAppStore, false}, // submission
	{asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 9}, KindAppStore, false}, // signed by the store
	{asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 8}, KindAppStore, true},  // submission
	{asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 10}, KindAppStore, true}, // signed by the store
	{asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 22}, KindApple, false},
	{asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 22}, KindApple, true},
	{asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 12}, KindDevelopment, false},
	{asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 2}, KindDevelopment, false}, // iOS
	{asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 4}, KindEnterprise, false},
}

// oidDeveloperIDCA marks the authority that issues for Developer ID; the
// marker of its leaves counts only below it.
var oidDeveloperIDCA = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 2, 6}

// oidApple is the arc of Apple's extensions of certificates.
var oidApple = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6}

// Signed attributes that list the code directories: with the digest in full,
// and as a property list with digests cut to 20 bytes.
var (
	oidDirectories    = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 9, 2}
	oidDirectoryPlist = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 9, 1}
)

// image is something that code directories cover: a Mach-O image or a disk
// image.
type image struct {
	input
	at    int64  // where the signature begins and what is covered ends
	blob  []byte // the superblob and its padding
	plist []byte // section __info_plist of a program that stands alone, or nil
	outer *outer // nil for a program that stands alone
}

// outer is what a signature covers outside of the image, and what its caller
// learns from it.
type outer struct {
	parts map[int][]byte // by slot; nil is a part that is missing
	names []digestName   // out: every code directory that was read
}

// checkCode judges an embedded code signature.
func (v *Verifier) checkCode(im image, now time.Time) (meetguard.Signature, error) {
	var sig meetguard.Signature
	c, err := parseCode(im.blob)
	if err != nil {
		return sig, err
	}
	c.describe(im, &sig)
	if len(c.cms) == 0 {
		return c.checkAdhoc(im, sig)
	}
	s, err := c.openCMS()
	if s != nil {
		s.describe(&sig)
		sig.NotBefore = s.leaf.NotBefore.UTC()
	}
	if err == nil {
		err = c.checkCovered(s)
	}
	if err == nil {
		err = c.checkContent(im)
	}
	if err != nil {
		return settleEarly(sig, err)
	}
	s.judge(v.apple, now, &sig)
	v.judgeApple(s, c.dirs[0].team, false, &sig)
	return sig, nil
}

// describe notes what the directories say, and what they leave open.
func (c *codeBlobs) describe(im image, sig *meetguard.Signature) {
	main := c.dirs[0]
	sig.SigningID, sig.Hardened = main.ident, main.flags&csFlagRuntime != 0
	if main.limit < im.at || !onlyZeros(im.blob[c.length:]) {
		remark(sig, RemarkHiddenBytes)
	}
	if ticket, ok := c.bySlot[csSlotTicket]; ok {
		judgeTicket(ticket[8:], c.names(), sig)
	}
	if want := main.special(csSlotInfo); im.plist != nil && want != nil && !bytes.Equal(main.sum(im.plist), want) {
		remark(sig, RemarkPlistDiffers)
	}
	if im.outer == nil {
		return
	}
	im.outer.names = append(im.outer.names, c.names()...)
	unbound := map[int]string{csSlotInfo: RemarkPlistUnbound, csSlotResources: RemarkUnsealed, csSlotSpecific: RemarkHiddenBytes}
	for _, slot := range []int{csSlotInfo, csSlotResources, csSlotSpecific} {
		if _, asked := im.outer.parts[slot]; asked && main.special(slot) == nil {
			remark(sig, unbound[slot])
		}
	}
}

// names are the digests by which a notary ticket knows this code.
func (c *codeBlobs) names() []digestName {
	var all []digestName
	for _, d := range c.dirs {
		all = append(all, nameOf(d.kind, d.cdHash))
	}
	return all
}

// checkAdhoc judges digests without a signer.
func (c *codeBlobs) checkAdhoc(im image, sig meetguard.Signature) (meetguard.Signature, error) {
	if c.dirs[0].flags&csFlagAdhoc == 0 {
		return sig, malformed("the signature of the code directory is missing")
	}
	if err := c.checkContent(im); err != nil {
		return sig, err
	}
	if c.dirs[0].team != "" {
		remark(&sig, RemarkTeamDiffers)
	}
	sig.Status = meetguard.SignatureAdhoc
	return sig, nil
}

// openCMS checks the CMS signature over the primary directory.
func (c *codeBlobs) openCMS() (*signer, error) {
	if len(c.cms) > csMaxCMS {
		return nil, limit("the CMS signature is larger than 1 MiB")
	}
	der, err := berToDER(c.cms)
	if err != nil {
		return nil, err
	}
	s, err := openCMS(der, c.dirs[0].raw)
	if err != nil {
		return s, err
	}
	s.markApple()
	return s, nil
}

// markApple tells crypto/x509 that Apple's critical extensions are known; the
// ones that matter are looked at in judgeApple.
func (s *signer) markApple() {
	certs := s.certs
	if s.stamp != nil {
		certs = append(certs[:len(certs):len(certs)], s.stamp.Intermediates...)
	}
	for _, c := range certs {
		c.UnhandledCriticalExtensions = slices.DeleteFunc(c.UnhandledCriticalExtensions, func(oid asn1.ObjectIdentifier) bool {
			return len(oid) > len(oidApple) && oid[:len(oidApple)].Equal(oidApple)
		})
	}
}

// checkCovered demands that the signature names every directory, and that
// every one it names is there. Otherwise a stranger could add one with his own
// pages and a stronger digest, which a system prefers, or take a strong one
// away.
func (c *codeBlobs) checkCovered(s *signer) error {
	named, plist, err := directoriesIn(s)
	if err != nil {
		return err
	}
	if len(named) > csMaxBlobs {
		return malformed("the signature names an impossible number of code directories")
	}
	for i, d := range c.dirs {
		full := d.cdHash
		covered := i == 0 || bytes.Contains(plist, []byte(base64.StdEncoding.EncodeToString(full[:20])))
		for _, n := range named {
			covered = covered || n.is(d) && bytes.Equal(n.Digest, full)
		}
		if !covered {
			return badDigest("the signature does not cover a code directory")
		}
	}
	for _, n := range named {
		if !slices.ContainsFunc(c.dirs, func(d *directory) bool { return n.is(d) && bytes.Equal(n.Digest, d.cdHash) }) {
			return badDigest("the signature is of other code directories than these")
		}
	}
	return nil
}

// namedDirectory is one entry of the signed attribute that lists directories.
type namedDirectory struct {
	Algorithm asn1.ObjectIdentifier
	Digest    []byte
}

// is tells whether n is of the digest that d uses.
func (n namedDirectory) is(d *directory) bool {
	h, ok := x509tools.PkixDigestToHash(pkix.AlgorithmIdentifier{Algorithm: n.Algorithm})
	return ok && h == d.hash
}

// directoriesIn reads the two signed attributes that list directories: the
// present one, and a property list with digests cut to 20 bytes in base64.
func directoriesIn(s *signer) (named []namedDirectory, plist []byte, err error) {
	attrs := s.info.AuthenticatedAttributes
	err = attrs.GetAll(oidDirectories, &named)
	if err != nil && !errors.As(err, &pkcs7.ErrNoAttribute{}) {
		return nil, nil, malformed("the signed list of code directories cannot be read")
	}
	err = attrs.GetOne(oidDirectoryPlist, &plist)
	if err != nil && !errors.As(err, &pkcs7.ErrNoAttribute{}) {
		return nil, nil, malformed("the signed list of code directories cannot be read")
	}
	return named, plist, nil
}

// checkContent compares the pages, the blobs beside the directories and the
// parts outside of the image with every directory.
func (c *codeBlobs) checkContent(im image) error {
	for _, d := range c.dirs {
		if err := d.checkSpecials(c.bySlot); err != nil {
			return err
		}
		if err := im.outer.check(d); err != nil {
			return err
		}
	}
	return checkPages(im.input, c.dirs)
}

// check compares the parts that the directory covers. Those it does not cover
// are remarks.
func (o *outer) check(d *directory) error {
	if o == nil {
		return nil
	}
	names := map[int]string{csSlotInfo: "Info.plist", csSlotResources: "list of resources", csSlotSpecific: "trailer"}
	for _, slot := range []int{csSlotInfo, csSlotResources, csSlotSpecific} {
		part, asked := o.parts[slot]
		want := d.special(slot)
		switch {
		case !asked || want == nil:
		case part == nil:
			return badDigest("the " + names[slot] + " that was signed is missing")
		case !bytes.Equal(d.sum(part), want):
			return badDigest("the signature is of another " + names[slot] + " than this")
		}
	}
	return nil
}

// judgeApple adds what only Apple's root can prove: the team, and that the
// certificate is of a kind whose holder is known. team is the one that the
// signed thing names.
func (v *Verifier) judgeApple(s *signer, team string, installer bool, sig *meetguard.Signature) {
	chain := v.appleChain(s)
	ou := s.leaf.Subject.OrganizationalUnit
	proven := chain != nil && len(ou) == 1 && ou[0] == team
	if team != "" && !proven {
		remark(sig, RemarkTeamDiffers)
		sig.ClaimedTeam = team
	}
	if chain == nil {
		return
	}
	sig.Kind = kindOf(chain, installer)
	if sig.Status != meetguard.SignatureValid {
		return
	}
	switch sig.Kind {
	case KindDeveloperID, KindAppStore, KindApple:
	default:
		sig.Status, sig.Chain = meetguard.SignatureUntrusted, ChainWrongUsage
		sig.Detail = "the certificate is one of Apple's that prove no publisher of such software"
		return
	}
	if team != "" && proven {
		sig.TeamID = team
	}
}

// appleChain is the chain of s if it ends in Apple's root and not in an anchor
// of the operator.
func (v *Verifier) appleChain(s *signer) []*x509.Certificate {
	chains, err := s.leaf.Verify(x509.VerifyOptions{
		Roots:         v.apple.code,
		Intermediates: pool(s.certs),
		CurrentTime:   s.leaf.NotBefore.Add(time.Second),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
	if err != nil {
		return nil
	}
	for _, chain := range chains {
		if v.appleRoots[string(chain[len(chain)-1].Raw)] {
			return chain
		}
	}
	return nil
}

// kindOf reads the markers of a chain that ends in Apple's root.
func kindOf(chain []*x509.Certificate, installer bool) string {
	for _, k := range appleKinds {
		if k.installer != installer || !marked(chain[0], k.marker) {
			continue
		}
		if k.kind != KindDeveloperID || len(chain) > 1 && marked(chain[1], oidDeveloperIDCA) {
			return k.kind
		}
	}
	return ""
}

func marked(c *x509.Certificate, marker asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(marker) })
}

// readFull is io.ReadFull with the error of a file that shrank under our hands.
func readFull(r io.Reader, buf []byte) error {
	_, err := io.ReadFull(r, buf)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
