package detect

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"meetguard"
)

// NewWith prepares a judge for a catalogue and the operator's friends. Friends
// count in JudgeOn only.
func NewWith(brands []meetguard.Brand, friends []meetguard.Friend) *Judge {
	j := New(brands)
	j.friends = friends
	return j
}

// JudgeOn is Judge with the friends that count on a day, written like
// 2027-06-30, in UTC. The day is given because a judgement has no clock: the
// same facts on the same day always get the same verdict. Without a day, "",
// no friend counts.
//
// A friend allows a name and nothing else: findings that say "it claims the
// brand and cannot prove it" are left out, and Verdict.Allowed says who allowed
// them. What a file does is never allowed that way, nor is a signature that
// does not fit its content or that forges a brand's own: if that, together,
// still makes the unit suspicious, every finding stays and Verdict.Note says
// so. Only a friend that names the SHA-256 of a file allows all of it.
//
// A friend by folder is believed: whoever calls makes sure that only
// administrators can write there.
func (j *Judge) JudgeOn(f meetguard.Facts, day string) meetguard.Verdict {
	t := trust{day: day, path: f.Path}
	if day != "" {
		t.friends = j.friends
	}
	return j.judge(f, 0, t)
}

// trust is what the friends of a judge say on one day of one unit.
type trust struct {
	vouched bool // within a package with a valid signature
	friends []meetguard.Friend
	day     string
	path    string // of the unit: its members lie where it lies
}

// claimRules are the rules that accuse a name and not a deed.
var claimRules = set(`MG-BRAND-UNSIGNED MG-BRAND-SIGNER MG-BRAND-UNTRUSTED MG-BRAND-SHORT-CERT MG-BRAND-FRESH-CERT MG-BRAND-ICON MG-BRAND-NEVER-NATIVE MG-BRAND-RETIRED`)

// allowClaim leaves out of a verdict what a friend allows. v is the verdict
// over s alone, without its members.
func (t trust) allowClaim(s *subject, v meetguard.Verdict) meetguard.Verdict {
	if len(t.friends) == 0 || !slices.ContainsFunc(v.Findings, isClaim) {
		return v
	}
	claimed := s.claimedBrands()
	for _, f := range t.friends {
		switch {
		case !t.knows(f, s) || !covers(f, claimed):
		case t.day > f.Expires:
			v.Note = stopped(f)
		default:
			return t.withoutClaims(f, s, v)
		}
	}
	return v
}

func isClaim(f meetguard.Finding) bool { return claimRules[f.Rule] }

// withoutClaims is v as if the unit claimed nothing, unless even then somebody
// would have to see it: then all of it is shown.
func (t trust) withoutClaims(f meetguard.Friend, s *subject, v meetguard.Verdict) meetguard.Verdict {
	rest, score := []meetguard.Finding{}, 0
	for _, found := range v.Findings {
		if !isClaim(found) {
			rest, score = append(rest, found), score+found.Weight
		}
	}
	if score >= suspiciousFrom {
		v.Note = fmt.Sprintf("The entry %s allows the name of the brand only, and there is more against it.", printable(f.Name))
		return v
	}
	v.Findings, v.Score, v.Level = rest, score, levelOf(score, blinded(s.Gaps))
	v.Allowed, v.Note = allowedBy(f), ""
	return v
}

// allowContent clears a file whose SHA-256 a friend names, with all its
// members. What could not be judged stays so. The hash of a bundle is that of
// its main program, and the hash of a launch that of its executable: neither
// speaks for the rest.
func (t trust) allowContent(f meetguard.Facts, v meetguard.Verdict) meetguard.Verdict {
	if len(v.Findings) == 0 || f.SHA256 == "" || f.Process != nil || f.Format == meetguard.FormatApp {
		return v
	}
	for _, friend := range t.friends {
		switch {
		case !strings.EqualFold(friend.SHA256, f.SHA256):
		case t.day > friend.Expires:
			v.Note = stopped(friend)
		default:
			return meetguard.Verdict{Level: levelOf(0, blindedWithin(f, 0)), Brand: v.Brand, Findings: []meetguard.Finding{}, Allowed: allowedBy(friend)}
		}
	}
	return v
}

// blindedWithin says whether a unit or one of its members could not be judged.
func blindedWithin(f meetguard.Facts, depth int) bool {
	return blinded(f.Gaps) || depth < maxDepth && slices.ContainsFunc(f.Members, func(m meetguard.Facts) bool { return blindedWithin(m, depth+1) })
}

// knows says whether a friend speaks of this unit. A signature counts only if
// it is valid and its certificate is not known to be abused.
func (t trust) knows(f meetguard.Friend, s *subject) bool {
	sig := s.Signature
	proven := sig.Status == meetguard.SignatureValid && sig.Abused == ""
	switch {
	case f.Certificate != nil:
		return proven && f.Certificate.Issuer == sig.Issuer && sig.Serial != "" && plainSerial(f.Certificate.Serial) == plainSerial(sig.Serial)
	case f.TeamID != "":
		return proven && f.TeamID == sig.TeamID
	case f.SHA256 != "":
		return strings.EqualFold(f.SHA256, s.SHA256)
	case f.Folder != "":
		return inside(f.Folder, t.path)
	}
	return false
}

// covers says whether a friend may carry every one of the brands.
func covers(f meetguard.Friend, brands []string) bool {
	if len(f.Brands) == 0 {
		return true
	}
	for _, b := range brands {
		if !slices.Contains(f.Brands, b) {
			return false
		}
	}
	return true
}

// claimedBrands are the ids of every brand that the unit plainly claims.
func (s *subject) claimedBrands() []string {
	var ids []string
	for _, c := range s.judge.claimsOf(s.Claims) {
		if s.plainly(c) {
			ids = append(ids, c.brand.ID)
		}
	}
	return ids
}

// plainSerial writes a serial number so that all spellings of it are equal.
func plainSerial(s string) string {
	s = strings.NewReplacer(":", "", " ", "").Replace(strings.ToLower(s))
	return strings.TrimLeft(s, "0")
}

// inside says whether name lies below folder, both absolute and of the same
// system. What is not written plainly is not inside.
func inside(folder, name string) bool {
	f, n := elements(folder), elements(name)
	return f != nil && len(n) > len(f) && slices.Equal(f, n[:len(f)])
}

// elements cuts an absolute path of any system into its elements, the root
// first; nil if it is none or goes up again. Case and the kind of slash do not
// matter on Windows.
func elements(name string) []string {
	switch {
	case len(name) > 2 && name[1] == ':' && (name[2] == '\\' || name[2] == '/'):
		name = strings.ReplaceAll(strings.ToLower(name), `\`, "/")
	case strings.HasPrefix(name, "/"):
	default:
		return nil
	}
	if slices.Contains(strings.Split(name, "/"), "..") {
		return nil
	}
	return strings.Split(path.Clean(name), "/")
}

func allowedBy(f meetguard.Friend) string {
	return printable(fmt.Sprintf("%s (%s): %s; until %s", f.Name, f.Who, f.Why, f.Expires))
}

func stopped(f meetguard.Friend) string {
	return fmt.Sprintf("The entry %s stopped allowing this on %s.", printable(f.Name), f.Expires)
}
