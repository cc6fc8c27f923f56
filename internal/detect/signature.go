package detect

import (
	"fmt"
	"strings"

	"meetguard"
)

// The rules over signatures: what a file claims and cannot prove, and
// signatures that are not what they look like.

func brandProof(want proof, format string) func(*subject) string {
	return func(s *subject) string {
		if s.claim == nil || s.proof != want || !s.carriesProof() || want == unsigned && !s.isProgram() {
			return ""
		}
		return fmt.Sprintf(format, s.shownName(), s.claim.brand.Name, s.claim.shown())
	}
}

func brandSigner(s *subject) string {
	if s.claim == nil || s.proof != otherSigner || !s.carriesProof() {
		return ""
	}
	return fmt.Sprintf("%s calls itself %s software (%s), but it is signed by %s.", s.shownName(), s.claim.brand.Name, s.claim.shown(), quoted(s.Signature.Subject))
}

// brandForged: the signer's name is the claim. A chain that merely ends outside
// the pinned set accuses nobody, so it takes a name that the file itself
// claims, or a certificate that its owner issued to himself. A chain that rests
// on SHA-1 can be made by anybody who finds a collision, or backdates.
func brandForged(s *subject) string {
	sig := s.Signature
	if sig.Status != meetguard.SignatureUntrusted || sig.Chain != "unknown_root" && sig.Chain != "weak_sha1" {
		return ""
	}
	for _, b := range s.judge.brands {
		claimed := s.claim != nil && s.claim.brand == b && s.carriesProof()
		if b.proof(sig) == untrustedSelf && (claimed || sig.Chain == "unknown_root" && sig.Issuer == sig.CommonName) {
			return fmt.Sprintf("It is signed in the name of %s, but no known authority vouches for that signature.", quoted(sig.Subject))
		}
	}
	return ""
}

func shortCert(s *subject) string {
	if s.claim == nil || s.proof != otherSigner || !s.carriesProof() {
		return ""
	}
	switch sig := s.Signature; {
	case sig.Service != "":
		return fmt.Sprintf("Its signer rents his certificates from %s, where anybody gets one for a few days.", clip(sig.Service))
	case sig.LifeDays > 0 && sig.LifeDays <= 7:
		return fmt.Sprintf("Its signer's certificate lives only %s, as those of pay-as-you-go signing services do.", count(sig.LifeDays, "day"))
	}
	return ""
}

// freshCert: who signs his first program on the day that he got his certificate
// is no maker of software that millions have.
func freshCert(s *subject) string {
	sig := s.Signature
	if s.claim == nil || s.proof != otherSigner || !s.carriesProof() || sig.Service != "" || sig.LifeDays <= 7 || sig.SignedAt.IsZero() || sig.NotBefore.IsZero() {
		return ""
	}
	if hours := int(sig.SignedAt.Sub(sig.NotBefore).Hours()); hours >= 0 && hours < 48 {
		return fmt.Sprintf("It was signed %s after its signer got the certificate.", count(hours, "hour"))
	}
	return ""
}

// unbound: the brand's own program, taken out of its bundle and put into
// another, whose other files the signature does not cover.
func unbound(s *subject) string {
	if s.Signature.Chain != "not_bound" && !s.remarked("plist_unbound") || s.claim == nil || s.Format != meetguard.FormatApp {
		return ""
	}
	return fmt.Sprintf("%s calls itself %s software (%s), but the signature is that of one program in it and not of the bundle around it.", s.shownName(), s.claim.brand.Name, s.claim.shown())
}

func (s *subject) remarked(names ...string) bool {
	for _, r := range s.Signature.Remarks {
		for _, n := range names {
			if r == n {
				return true
			}
		}
	}
	return false
}

func abused(s *subject) string {
	if s.Signature.Abused == "" {
		return ""
	}
	return fmt.Sprintf("It is signed with a certificate that is known to be abused (%s).", clip(s.Signature.Abused))
}

// falseTeam: a Team ID in the signature that the certificate does not hold.
func falseTeam(s *subject) string {
	if !s.remarked("team_differs") {
		return ""
	}
	for _, b := range s.judge.brands {
		if b.teams[strings.ToLower(s.Signature.ClaimedTeam)] {
			return fmt.Sprintf("Its signature names the team of %s, but its certificate belongs to %s.", b.Name, quoted(s.Signature.Subject))
		}
	}
	return ""
}

func codeAfter(s *subject) string {
	if !s.remarked("code_after_block") {
		return ""
	}
	return "Code stands behind its signature block, which does not cover it."
}

func publisherDiffers(s *subject) string {
	if !s.remarked("publisher_differs") {
		return ""
	}
	return fmt.Sprintf("The package names another publisher than %s, who signed it.", quoted(s.Signature.Subject))
}

func badTicket(s *subject) string {
	if s.Signature.Ticket != "malformed" && !s.remarked("ticket_foreign") {
		return ""
	}
	return "It carries a notary ticket that Apple did not make for it."
}

func oddSignature(s *subject) string {
	switch {
	case s.remarked("multi_signer"):
		return "Several signers stand in one signature, which no signing tool makes."
	case s.remarked("second_block"):
		return "A second signature block stands behind the first."
	case s.remarked("resource_added") && s.claim != nil:
		return "Files were added to the bundle that its signature does not know."
	}
	return ""
}

// uncovered: bytes that a signature leaves out, where honest vendors keep tags
// and others a payload. It is a reason beside others only.
func uncovered(s *subject) string {
	if s.Signature.Status == meetguard.SignatureUnsigned || s.Signature.Status == meetguard.SignatureAdhoc || s.claim == nil {
		return ""
	}
	if !s.remarked("overlay", "hidden_bytes", "msi_trailing", "cab_trailing", "pkg_trailing", "appended", "unauth_blob", "other_invalid") {
		return ""
	}
	return "It holds bytes that its signature does not cover."
}

// signatureBroken accuses only content that changed after somebody with a name
// signed it. Ad-hoc signatures of stripped binaries break every day.
func signatureBroken(s *subject) string {
	if s.Signature.Status != meetguard.SignatureInvalid || s.Signature.Chain != "bad_digest" || s.Signature.Subject == "" || s.remarked("line_ends_changed") {
		return ""
	}
	return fmt.Sprintf("Its content does not fit the signature of %s that it carries: it was changed after signing, or the signature was taken from another file.", quoted(s.Signature.Subject))
}
