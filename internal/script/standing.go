package script

import "strings"

// forgeOwner is the first part of the path of a URL, lower case: on a forge it
// names the account whose code it is. "" if there is none, or it is computed or
// too long to be a name.
func forgeOwner(address string) string {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		rest = address
	}
	parts := strings.SplitN(rest, "/", 4)
	if len(parts) < 3 {
		return ""
	}
	owner := parts[1]
	if owner == "repos" && strings.HasPrefix(rest, "api.github.com/") {
		owner = parts[2]
	}
	if len(owner) > 40 || strings.Trim(strings.ToLower(owner), "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return ""
	}
	return strings.ToLower(owner)
}

// isForge holds for the hosts whose paths begin with an account.
func isForge(host string) bool {
	return strings.HasPrefix(host, "github.") || strings.HasSuffix(host, ".github.com") || strings.HasSuffix(host, "githubusercontent.com") || strings.HasPrefix(host, "gitlab.") ||
		host == "bitbucket.org" || host == "codeberg.org" || host == "ghcr.io" || host == "gitee.com"
}

// deeds counts the statements of the text itself that do something: a dozen are
// an errand, a hundred a program.
func (a *analysis) deeds() int {
	n := 0
	for i := range a.stmts {
		if s := &a.stmts[i]; s.layer == 0 && a.executes(s) {
			n++
		}
	}
	return n
}
