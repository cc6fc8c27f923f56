package script

import (
	"regexp"
	"slices"
	"strings"
)

// Some words of the rule book have an ordinary meaning as well: curl's -f is
// not its -F, "user data" is not the folder of a browser, and who prepares
// ~/.ssh reads no key. For these the words of the statement decide.

// meant tells whether statement n does what a rule takes its words for.
func (a *analysis) meant(r *compiled, n int) bool {
	s := &a.stmts[n]
	command := s.lang == langShell || s.lang == langBatch
	switch r.trait {
	case TraitUpload:
		return r.languages != langShell && (r.languages != "powershell batch" || s.lang != langBatch) || !command || curlSends(s.words)
	case TraitSSHKeys:
		return s.lang != langShell || readsKeys(s)
	case TraitBrowserData:
		return s.lang == "data" || namesBrowserStore(s)
	case TraitKillSecurity:
		return !signalsOnly(s)
	case TraitResign:
		return !verifiesSignature(s)
	case TraitPasswordPrompt:
		return r.languages != langShell || a.asksOwnPassword(n)
	}
	return true
}

// curlSends tells whether a command line holds curl with an option by which it
// sends a file (curl.1). Small -f and -t are others.
func curlSends(words []string) bool {
	at := slices.IndexFunc(words, func(w string) bool { return programName(w) == "curl" })
	if at < 0 {
		return false
	}
	args := words[at+1:]
	for i, w := range args {
		next := ""
		if i+1 < len(args) {
			next = args[i+1]
		}
		if name, v, ok := strings.Cut(w, "="); ok && strings.HasPrefix(w, "--") {
			w, next = name, v
		}
		switch w {
		case "--upload-file":
			return true
		case "--form", "--data", "--data-binary", "--data-urlencode", "--json":
			if strings.ContainsAny(next, "@<") {
				return true
			}
		}
		if len(w) > 1 && w[0] == '-' && w[1] != '-' && bundleSends(w[1:], next) {
			return true
		}
	}
	return false
}

// bundleSends reads a bundle of short options: the first that takes a value
// ends it.
func bundleSends(bundle, next string) bool {
	for k := range len(bundle) {
		v := bundle[k+1:]
		if v == "" {
			v = next
		}
		switch c := bundle[k]; {
		case c == 'T':
			return true
		case c == 'F' || c == 'd':
			return strings.ContainsAny(v, "@<")
		case strings.IndexByte(curlTakes, c) >= 0:
			return false
		}
	}
	return false
}

// keyKeepers are programs that prepare the folder of keys, or use a key for
// what it is there for.
const keyKeepers = "mkdir chmod chown touch rmdir ls cd test [ [[ ssh ssh-keygen ssh-copy-id ssh-keyscan ssh-add restorecon"

// readsKeys tells whether a command of the shell reads private keys. A sentence
// about them is one word with blanks in it.
func readsKeys(s *stmt) bool {
	if namesKey(s.in) {
		return true
	}
	if s.head != "" && hasWord(keyKeepers, s.head) {
		return false
	}
	return slices.ContainsFunc(s.words, namesKey) || len(s.words) == 0 && slices.ContainsFunc(strings.Fields(s.text), namesKey)
}

func namesKey(word string) bool {
	low := strings.ToLower(strings.TrimRight(word, ")"))
	if strings.ContainsAny(low, " \n") || !strings.Contains(low, ".ssh") && !strings.Contains(low, "id_rsa") && !strings.Contains(low, "id_ed25519") {
		return false
	}
	return !strings.HasSuffix(low, ".pub") && !strings.Contains(low, "authorized_keys") && !strings.Contains(low, "known_hosts") && !strings.HasSuffix(low, ".ssh/config")
}

// storeWords are the names of browsers' stores that are ordinary words too.
var storeWords = []string{"login data", "web data", "local state", "user data"}

// plainStores are those that mean nothing else.
var plainStores = []string{"local extension settings", "cookies.sqlite", "logins.json", "key4.db", "network/cookies", "default/cookies"}

// namesBrowserStore tells whether one of them stands as a name, and not in a
// sentence: between the signs of a path, a list or a string.
func namesBrowserStore(s *stmt) bool {
	low := strings.ToLower(s.text)
	for _, w := range plainStores {
		if strings.Contains(low, w) {
			return true
		}
	}
	for _, w := range s.words {
		if holdsName(strings.ToLower(w), storeWords) {
			return true
		}
	}
	return (s.lang != langShell || s.here != "") && holdsName(low+"\n"+strings.ToLower(s.here), storeWords)
}

func holdsName(text string, names []string) bool {
	const before, after = "/\\\"'`,;|=(\n", "/\\\"'`,;|*)\n"
	for _, name := range names {
		for at := 0; ; {
			i := strings.Index(text[at:], name)
			if i < 0 {
				break
			}
			i += at
			at = i + len(name)
			if (i == 0 || strings.IndexByte(before, text[i-1]) >= 0) && (at == len(text) || strings.IndexByte(after, text[at]) >= 0) {
				return true
			}
		}
	}
	return false
}

// signalsOnly holds for kill and its kin with a signal that ends nothing: HUP
// has a service read its settings again.
func signalsOnly(s *stmt) bool {
	if s.head != "kill" && s.head != "killall" && s.head != "pkill" {
		return false
	}
	for i, w := range s.cmd[1:] {
		switch strings.TrimPrefix(strings.TrimPrefix(w, "-"), "SIG") {
		case "HUP", "USR1", "USR2", "0", "CONT", "WINCH":
			return w[0] == '-' || s.cmd[i] == "-s"
		case "1":
			return w == "-1"
		}
	}
	return false
}

// verifiesSignature holds for codesign where it looks and does not sign.
func verifiesSignature(s *stmt) bool {
	low := strings.ToLower(s.text)
	if !strings.Contains(low, " -v") && !strings.Contains(low, "--verify") && !strings.Contains(low, " -d") && !strings.Contains(low, "--display") {
		return false
	}
	return !strings.Contains(low, "--sign") && !strings.Contains(low, " -s ") && !strings.Contains(low, " -s-") && !strings.Contains(low, "force") && !strings.Contains(low, " -f")
}

// passwordTakers are programs to which a script hands the password of the user
// who runs it: to see whether it is right, to use it, or to send it away.
const passwordTakers = "sudo su dscl security wget nc ncat openssl base64 expect osascript python perl ruby"

// asksOwnPassword tells whether the secret that read takes in statement n is
// the user's own. That of a service which the script sets up goes into its
// settings, or to its client, and nowhere else.
func (a *analysis) asksOwnPassword(n int) bool {
	s := &a.stmts[n]
	if s.head != "read" && (s.onlyShows() || !slices.Contains(s.words, "read")) {
		return false
	}
	if len(s.words) < 2 {
		return true
	}
	name, _, _ := strings.Cut(s.words[len(s.words)-1], "?")
	if !isName([]byte(name)) {
		return true
	}
	names, used := []string{"$" + name}, false
	for k := n + 1; k < len(a.stmts); k++ {
		next := &a.stmts[k]
		if !a.look(next) {
			return true
		}
		if !speaksOf(next, names) {
			continue
		}
		used = true
		if next.assign != "" && len(names) < 8 {
			names = append(names, "$"+next.assign)
		}
		if a.takesPassword(next) {
			return true
		}
	}
	return !used
}

// speaksOf tells whether a statement of the shell, or its here-document, holds
// one of the variables, also where a constant was put for it.
func speaksOf(s *stmt, names []string) bool {
	if mentioned(s, names) != "" {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool {
		braced := "${" + name[1:]
		return strings.Contains(s.here, name) || strings.Contains(s.here, braced) || strings.Contains(s.raw, name) || strings.Contains(s.raw, braced)
	})
}

// takesPassword tells what a statement that mentions the password does with it.
func (a *analysis) takesPassword(s *stmt) bool {
	switch {
	case slices.ContainsFunc(s.words, func(w string) bool { return hasWord(passwordTakers, programName(w)) }):
		return true
	case s.head == "curl":
		return !slices.Contains(s.cmd, "-u") && !slices.Contains(s.cmd, "--user")
	case isTempPath(s.out) || strings.HasPrefix(fileWord(s.out), "."):
		return true
	}
	if s.consumer > 0 && s.consumer-1 < len(a.stmts) {
		reader := &a.stmts[s.consumer-1]
		return reader.head == "curl" || slices.ContainsFunc(reader.words, func(w string) bool { return hasWord(passwordTakers, programName(w)) })
	}
	return false
}

// vendorDisplays are the parts of security products that only show something: an
// update of the product ends them first.
var vendorDisplays = regexp.MustCompile(`\b(crowdstrike|falcon|sentinelone|sophos|kaspersky|mcafee|symantec|carbonblack|jamf|bitdefender|malwarebytes|eset) ?(ui|gui|menu|menubar|tray|menulet)(server|agent|app)?\b`)

// replacesVendor tells whether a script ends no more than the display of a
// product, and what it fetches and runs is an installer of that name.
func (a *analysis) replacesVendor(found []fetching) bool {
	vendor := ""
	for i := range a.stmts {
		s := &a.stmts[i]
		if s.hits.empty() || !a.rules.gives(TraitKillSecurity, s) || signalsOnly(s) {
			continue
		}
		m := vendorDisplays.FindStringSubmatch(strings.ToLower(s.text))
		if m == nil || vendor != "" && vendor != m[1] {
			return false
		}
		vendor = m[1]
	}
	runs := false
	for i := range found {
		f := &found[i]
		if f.RunBy == "" {
			continue
		}
		if f.RunBy != "installer" || !strings.Contains(strings.ToLower(fileWord(f.output)), vendor) {
			return false
		}
		runs = true
	}
	return runs && vendor != ""
}
