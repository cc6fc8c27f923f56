package opinion

import (
	"strconv"
	"strings"
	"unicode"

	"meetguard"
)

// codesignArgs: codesign alone is content with any signature that fits, also
// one that names nobody. The requirement asks for a chain to Apple.
func codesignArgs(name string) []string {
	return []string{"--verify", "--strict", "-v", "-R=anchor apple generic", name}
}

// spctlArgs asks as the Finder would when the file is opened.
func spctlArgs(name string, format meetguard.Format) []string {
	switch format {
	case meetguard.FormatPKG:
		return []string{"-a", "-vv", "-t", "install", name}
	case meetguard.FormatDMG:
		return []string{"-a", "-vv", "-t", "open", "--context", "context:primary-signature", name}
	}
	return []string{"-a", "-vv", "-t", "exec", name}
}

// codesignWords are parts of codesign's complaints, the more telling first, and
// what they mean in one word.
var codesignWords = []struct{ part, code string }{
	{"code object is not signed at all", "unsigned"},
	{"CSSMERR_TP_CERT_REVOKED", "revoked"},
	{"CSSMERR_TP_CERT_EXPIRED", "expired"},
	{"CSSMERR_TP_NOT_TRUSTED", "not_trusted"},
	{"failed to satisfy specified code requirement", "not_apple"},
	{"invalid signature", "modified"},
	{"a sealed resource is missing or invalid", "modified"},
	{"code has no resources but signature indicates they must be present", "modified"},
	{"main executable failed strict validation", "modified"},
	{"invalid Info.plist", "modified"},
	{"invalid resource directory", "modified"},
	{"code object is not", "unsigned"},
	{"resource envelope is obsolete", "obsolete"},
	{"does not satisfy its designated", "not_designated"},
	{"bundle format unrecognized", "unrecognized"},
	{"No such file or directory", "gone"},
}

// readCodesign reads what `codesign --verify -v` printed and its exit code: 0
// if the signature holds, 1 if not, 3 if only the requirement fails.
func readCodesign(name, text string, exit int) meetguard.OSVerdict {
	v := meetguard.OSVerdict{Source: "codesign", Trusted: exit == 0, Code: "exit " + strconv.Itoa(exit)}
	if exit == 0 {
		v.Code = "valid"
		return v
	}
	lines := statements(name, text)
	for _, w := range codesignWords {
		for _, line := range lines {
			if strings.Contains(line, w.part) {
				v.Code, v.Detail = w.code, clause(line)
				return v
			}
		}
	}
	if len(lines) > 0 {
		v.Detail = clause(lines[0])
	}
	return v
}

// readSpctl reads what `spctl -a -vv` printed and its exit code: "accepted" or
// "rejected", then the rule that decided (source) and the signer (origin).
func readSpctl(name, text string, exit int) meetguard.OSVerdict {
	v := meetguard.OSVerdict{Source: "spctl", Code: "exit " + strconv.Itoa(exit)}
	facts := map[string]string{}
	verdict := ""
	for _, line := range statements(name, text) {
		key, value, isFact := strings.Cut(line, "=")
		switch {
		case verdict == "" && (strings.HasPrefix(line, "accepted") || strings.HasPrefix(line, "rejected")):
			verdict = line
		case isFact && facts[key] == "":
			facts[key] = value
		case verdict == "" && v.Detail == "":
			v.Detail = clause(line)
		}
	}
	if verdict == "" {
		return v
	}
	v.Trusted = exit == 0 && strings.HasPrefix(verdict, "accepted")
	v.Code = clause(verdict)
	if facts["source"] != "" {
		v.Code = clause(facts["source"])
	}
	v.Detail = clause(facts["origin"])
	if facts["override"] != "" { // "security disabled": everything is accepted
		v.Trusted, v.Detail = false, "Gatekeeper does not judge: "+clause(facts["override"])
	}
	return v
}

// statements are the lines of a tool's output, without the path that the first
// begins with.
func statements(name, text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimRight(line, "\r\n"), name+": ")
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// clause is text of a tool for an analyst: short, on one line, without paths.
func clause(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if i := strings.Index(" "+s, " /"); i >= 0 {
		s = strings.TrimSpace(s[:i])
	}
	if rs := []rune(s); len(rs) > 160 {
		s = string(rs[:160]) + "…"
	}
	return s
}
