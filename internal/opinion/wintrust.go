package opinion

import (
	"fmt"

	"meetguard"
)

// wintrustWords are the results of WinVerifyTrust that mean something here, as
// winerror.h names and numbers them.
var wintrustWords = map[uint32]struct{ name, detail string }{
	0x00000000: {"OK", ""},
	0x80092012: {"CRYPT_E_NO_REVOCATION_CHECK", "nobody could say whether the certificate was revoked"},
	0x80092013: {"CRYPT_E_REVOCATION_OFFLINE", "nobody could say whether the certificate was revoked"},
	0x80092026: {"CRYPT_E_SECURITY_SETTINGS", "an administrator's settings forbid this signer"},
	0x80096002: {"TRUST_E_NO_SIGNER_CERT", "the certificate of the signer is missing or invalid"},
	0x80096003: {"TRUST_E_COUNTER_SIGNER", "a countersignature is invalid"},
	0x80096004: {"TRUST_E_CERT_SIGNATURE", "the signature of a certificate is invalid"},
	0x80096005: {"TRUST_E_TIME_STAMP", "the timestamp is invalid"},
	0x80096010: {"TRUST_E_BAD_DIGEST", "the signature does not fit the content"},
	0x80096011: {"TRUST_E_MALFORMED_SIGNATURE", "the signature is malformed"},
	0x80096019: {"TRUST_E_BASIC_CONSTRAINTS", "a certificate may not issue others"},
	0x8009601e: {"TRUST_E_FINANCIAL_CRITERIA", "a certificate does not meet the policy"},
	0x800b0001: {"TRUST_E_PROVIDER_UNKNOWN", "the system cannot judge this kind of signature"},
	0x800b0002: {"TRUST_E_ACTION_UNKNOWN", "the system cannot judge this kind of signature"},
	0x800b0003: {"TRUST_E_SUBJECT_FORM_UNKNOWN", "the system cannot judge this kind of file"},
	0x800b0004: {"TRUST_E_SUBJECT_NOT_TRUSTED", "the signer is not trusted"},
	0x800b0100: {"TRUST_E_NOSIGNATURE", "the file is not signed"},
	0x800b0101: {"CERT_E_EXPIRED", "a certificate has expired"},
	0x800b0102: {"CERT_E_VALIDITYPERIODNESTING", "the validity of the certificates does not nest"},
	0x800b0105: {"CERT_E_CRITICAL", "a certificate holds a critical extension that is unknown"},
	0x800b0106: {"CERT_E_PURPOSE", "a certificate is for another purpose"},
	0x800b0109: {"CERT_E_UNTRUSTEDROOT", "the chain ends in a root that this machine does not trust"},
	0x800b010a: {"CERT_E_CHAINING", "no chain to a trusted root was found"},
	0x800b010c: {"CERT_E_REVOKED", "the certificate was revoked"},
	0x800b010d: {"CERT_E_UNTRUSTEDTESTROOT", "the chain ends in a test root"},
	0x800b010e: {"CERT_E_REVOCATION_FAILURE", "nobody could say whether the certificate was revoked"},
	0x800b0110: {"CERT_E_WRONG_USAGE", "the certificate is not for signing code"},
	0x800b0111: {"TRUST_E_EXPLICIT_DISTRUST", "an administrator or a user of this machine forbade this signer"},
	0x800b0112: {"CERT_E_UNTRUSTEDCA", "an authority in the chain is not trusted"},
	0x800b0113: {"CERT_E_INVALID_POLICY", "a certificate does not meet the policy"},
	0x800b0114: {"CERT_E_INVALID_NAME", "a certificate may not carry its name"},
}

// wintrustVerdict puts a result of WinVerifyTrust into words. catalog is the
// base name of the catalog that was asked, "" for a signature in the file.
func wintrustVerdict(code uint32, catalog string) meetguard.OSVerdict {
	v := meetguard.OSVerdict{Source: "wintrust", Trusted: code == 0, Catalog: catalog}
	w, known := wintrustWords[code]
	if !known {
		w.name, w.detail = fmt.Sprintf("0x%08X", code), "the system gave a result without a name here"
	}
	v.Code, v.Detail = w.name, w.detail
	return v
}

// learned says whether a result is about the file at all. Plain errors of the
// system (a file that is gone or locked, an odd argument) and the failures of
// its providers say nothing.
func learned(code uint32) bool {
	facility := code >> 16 & 0x1fff // as winerror.h lays codes out
	const security, certificates = 9, 11
	switch {
	case code == 0:
		return true
	case code == 0x80092003, code == 0x80096001: // CRYPT_E_FILE_ERROR, TRUST_E_SYSTEM_ERROR
		return false
	}
	return code>>31 == 1 && (facility == security || facility == certificates)
}

// unsignedItself: the results after which a catalog may still vouch for a file.
func unsignedItself(code uint32) bool {
	switch code {
	case 0x800b0100, 0x800b0001, 0x800b0003:
		return true
	}
	return false
}

// memberTag is how a catalog calls a member: the hash in capitals.
func memberTag(hash []byte) string { return fmt.Sprintf("%X", hash) }
