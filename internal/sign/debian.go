package sign

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"meetguard"
)

// Layout of an ar archive (deb(5), ar(5)): a magic, then members of a header
// of 60 bytes and content that begins at an even offset.
const (
	arMagic      = "!<arch>\n"
	arHeaderSize = 60
	arHeaderEnd  = "`\n"
	maxArMembers = 64 // dpkg writes three, each signature is one more
)

// arMember is one member of an ar archive.
type arMember struct {
	name     string
	from, to int64
}

// checkDeb tells who signed a Debian package. dpkg-sig and debsigs add members
// whose names begin with _gpg. Those of dpkg-sig list sums of the others, which
// are checked; who made them is not proven.
//
// A package without such a member is not unsigned: its repository signs the
// list that it is in.
func (v *Verifier) checkDeb(in input, _ time.Time) (meetguard.Signature, error) {
	sig := meetguard.Signature{Status: meetguard.SignatureUnknown}
	members, err := readAr(in)
	if err != nil {
		return sig, err
	}
	d := debPackage{in: in, members: members}
	for _, m := range members {
		if !isDebSignature(m) {
			continue
		}
		if err := d.check(m, &sig); err != nil {
			return sig, err
		}
		d.signed = true
	}
	if !d.signed {
		return sig, unproven("a Debian package is signed by its repository and not in itself")
	}
	return sig, unproven("there is no key to check the OpenPGP signature of the package with")
}

// debPackage is a Debian package under check.
type debPackage struct {
	in      input
	members []arMember
	signed  bool
	sums    map[string]string // SHA-1 of the members by name, once they are needed
}

func isDebSignature(m arMember) bool { return strings.HasPrefix(m.name, "_gpg") }

// check reads one signature, and the list in it if it has one.
func (d *debPackage) check(m arMember, sig *meetguard.Signature) error {
	if m.to-m.from > maxOpenPGP {
		return limit("the OpenPGP signature is larger than 64 KiB")
	}
	text, err := d.in.bytes(m.from, m.to-m.from)
	if err != nil {
		return err
	}
	p, err := readOpenPGP(text)
	if err != nil {
		return err
	}
	p.describe(sig)
	if list, ok := bytes.CutPrefix(text, []byte("-----BEGIN PGP SIGNED MESSAGE-----")); ok {
		return d.compare(string(list))
	}
	return nil
}

func readAr(in input) ([]arMember, error) {
	magic, err := in.bytes(0, int64(len(arMagic)))
	if err != nil || string(magic) != arMagic {
		return nil, unproven("the package is no ar archive")
	}
	var list []arMember
	for at := int64(len(arMagic)); at < in.size; {
		m, err := readArMember(in, at)
		if err != nil {
			return nil, err
		}
		if len(list) == maxArMembers {
			return nil, limit("the package has more than 64 members")
		}
		list = append(list, m)
		at = (m.to + 1) &^ 1
	}
	return list, nil
}

func readArMember(in input, at int64) (arMember, error) {
	var m arMember
	if in.size-at < arHeaderSize {
		return m, unproven("the package ends within a header")
	}
	head, err := in.bytes(at, arHeaderSize)
	if err != nil {
		return m, err
	}
	size, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
	if err != nil || string(head[58:]) != arHeaderEnd || size < 0 || size > in.size-at-arHeaderSize {
		return m, unproven("a member of the package is damaged")
	}
	m.name = strings.TrimRight(string(head[:16]), " /")
	m.from = at + arHeaderSize
	m.to = m.from + size
	return m, nil
}

// compare holds the members against the list in a signature of dpkg-sig: under
// "Files:" a line for each with MD5, SHA-1, size and name. SHA-1 is the better
// one of the two, and without a key neither proves more than a damage.
func (d *debPackage) compare(text string) error {
	_, text, _ = strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "\nFiles:")
	listed := map[string]string{}
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 4 && len(f[1]) == 2*sha1.Size {
			listed[f[3]] = strings.ToLower(f[1])
		}
	}
	if err := d.sum(); err != nil {
		return err
	}
	if !maps.Equal(listed, d.sums) {
		return badDigest("the OpenPGP signature lists other files than these")
	}
	return nil
}

// sum reads the members that are no signatures, once.
func (d *debPackage) sum() error {
	if d.sums != nil {
		return nil
	}
	d.sums = map[string]string{}
	for _, m := range d.members {
		if isDebSignature(m) {
			continue
		}
		if _, twice := d.sums[m.name]; twice {
			return badDigest("the package has two members of one name")
		}
		sum := sha1.New()
		if err := copyAll(sum, d.in.section(m.from, m.to)); err != nil {
			return fmt.Errorf("read a member of the package: %w", err)
		}
		d.sums[m.name] = hex.EncodeToString(sum.Sum(nil))
	}
	return nil
}
