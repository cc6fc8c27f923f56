package script

import (
	"strings"

	"meetguard"
)

// A package manager that is told where to take a package from runs what a
// stranger wrote, as a cradle does: install steps are code. One that is told
// nothing takes from its own index.

// runByPackage is Fetch.RunBy of what a package manager installs or starts.
const runByPackage = "package"

// manager says how a package manager is told a source of its own.
type manager struct {
	verbs string // of which the arguments hold one; "" for none
	takes string // options whose value is the source
	plain bool   // a plain argument may be an address
}

// managers, by the name of the program, from their own manuals.
var managers = map[string]manager{
	"pip": {"install download", "-i --index-url --extra-index-url -f --find-links", true}, "pipx": {"install run", "-i --index-url --pip-args --spec", true},
	"uv": {"install add run", "-i --index-url --default-index --index --extra-index-url --with --from", true}, "uvx": {"", "--index-url --default-index --index --from --with", true},
	"npm": {"install i add exec x create init ci", "--registry", true}, "npx": {"", "--registry -p --package", true}, "pnpm": {"install i add dlx exec", "--registry", true},
	"yarn": {"install add dlx global", "--registry", true}, "bunx": {"", "--registry", true}, "bun": {"install add x run", "--registry", true},
	"brew": {"tap install", "", true}, "cargo": {"install", "--git --index --registry", false}, "gem": {"install sources source", "--source -s -a --add", true},
	"go":    {"run install get", "", true},
	"choco": {"install upgrade source sources", "-s --source -source", false}, "cinst": {"", "-s --source -source", false},
	"winget": {"add install", "-a --arg -m --manifest", true}, "scoop": {"install add", "", true},
	"apt-add-repository": {"", "", true}, "add-apt-repository": {"", "-U --uri", true},
	"rpm": {"-i -ivh -uvh -U -Uvh --install --import", "", true}, "dnf": {"install localinstall config-manager", "--add-repo --repofrompath", true}, "yum": {"install localinstall", "", true}, "yum-config-manager": {"", "--add-repo", true},
	"zypper": {"addrepo ar install in", "", true}, "flatpak": {"install remote-add", "--from", true}, "snap": {"install", "", true},
	"hdiutil":         {"attach mount", "", true},
	"add-appxpackage": {"", "-path -appinstallerfile", true}, "register-psrepository": {"", "-sourcelocation", true}, "register-packagesource": {"", "-location", true},
	"composer": {"config require create-project global", "--repository --repository-url", true}, "luarocks": {"install", "--server --only-server", true},
}

// packageFetch recognises a package manager that is given a source. A company
// with an index of its own is told so too: it counts as run if the source is a
// package and no index, if nobody is to see it, or if the script starts what it
// installed.
func (a *analysis) packageFetch(i int) (fetching, bool) {
	s := &a.stmts[i]
	f, ok := packageSource(s)
	if !ok || f.RunBy != "" {
		return f, ok
	}
	if s.quiet || f.Hidden || isPackageAddress(f.url) || a.startsLater(i) {
		f.RunBy = runByPackage
	}
	return f, true
}

// isPackageAddress holds for an address of code, and not of an index or a git
// repository that needs a key.
func isPackageAddress(address string) bool {
	low := strings.ToLower(address)
	for _, end := range []string{".git", ".tgz", ".tar.gz", ".zip", ".whl", ".rpm", ".deb", ".dmg", ".flatpakref", ".snap", ".appx", ".msix", ".rb", ".ts", ".js", ".nupkg", ".yaml"} {
		if strings.HasSuffix(low, end) {
			return strings.Contains(low, "://")
		}
	}
	return strings.HasPrefix(low, "git+http")
}

// startsLater tells whether a later statement runs something that the package
// manager brought: the word stands among its arguments.
func (a *analysis) startsLater(i int) bool {
	names := map[string]bool{}
	for _, w := range a.stmts[i].words {
		if w = strings.ToLower(w); len(w) > 2 && !strings.HasPrefix(w, "-") && !strings.Contains(w, "://") {
			names[w] = true
		}
	}
	for k := i + 1; k < min(len(a.stmts), i+40); k++ {
		s := &a.stmts[k]
		if len(s.cmd) == 0 || s.head == a.stmts[i].head || !a.look(s) {
			continue
		}
		if names[s.head] || s.head == "python" && len(s.cmd) > 2 && s.cmd[1] == "-m" && names[strings.ToLower(s.cmd[2])] {
			return true
		}
	}
	return false
}

// packageSource reads the source that a package manager is given.
func packageSource(s *stmt) (fetching, bool) {
	head, args := s.head, s.cmd
	if s.lang == langPowerShell && len(s.words) > 0 {
		head, args = programName(s.words[0]), s.words
	}
	if len(args) < 2 {
		return registryFetch(s)
	}
	if head == "python" && len(args) > 3 && args[1] == "-m" && (args[2] == "pip" || args[2] == "pipx") {
		head, args = args[2], args[2:]
	}
	if head == "docker" || head == "podman" || head == "nerdctl" {
		return imageFetch(head, args[1:])
	}
	m, ok := managers[head]
	if !ok {
		return registryFetch(s)
	}
	host, address := m.source(head, args[1:])
	f := fetching{Fetch: meetguard.Fetch{Tool: head, Host: host, To: "pipe", Hidden: saysNothing(args)}, url: address}
	if head == "cargo" || head == "go" || head == "hdiutil" || head == "npx" || head == "bunx" || head == "uvx" {
		f.RunBy = runByPackage
	}
	return f, host != ""
}

// saysNothing holds for options that keep a package manager quiet or have it
// answer its own questions about trust.
func saysNothing(args []string) bool {
	for _, w := range args {
		if hasWord("-q -qq -s --quiet --silent --trusted-host --ignore-checksums --nogpgcheck --allow-unauthenticated --no-gpg-check --no-gpg-verify --dangerous --allow-untrusted --accept-source-agreements", strings.ToLower(w)) {
			return true
		}
	}
	return false
}

// source is the host that the arguments name, and the word that names it.
func (m *manager) source(head string, args []string) (host, address string) {
	verb := m.verbs == ""
	for i, w := range args {
		low := strings.ToLower(w)
		switch name, value, ok := strings.Cut(w, "="); {
		case hasWord(m.verbs, low) || hasWord(m.verbs, w):
			verb = true
		case ok && strings.HasPrefix(name, "-") && hasWord(m.takes, strings.ToLower(name)):
			host, address = sourceHost(head, value), value
		case strings.HasPrefix(w, "-") && i+1 < len(args) && (hasWord(m.takes, w) || hasWord(m.takes, low)):
			host, address = sourceHost(head, args[i+1]), args[i+1]
		case m.plain && host == "" && !strings.HasPrefix(w, "-"):
			if host = sourceHost(head, w); host != "" {
				address = w
			}
		}
	}
	if !verb {
		return "", ""
	}
	return host, address
}

// sourceHost is the host of an address as package managers take it: with a
// scheme, or in Go as a path that begins with it. user@host:path needs a key, so
// whoever writes it is known there.
func sourceHost(head, word string) string {
	if host, scheme, ok := urlHost(word); ok && scheme != "file" {
		return host
	}
	if head != "go" || strings.HasPrefix(word, ".") || strings.HasPrefix(word, "/") {
		return ""
	}
	first, _, ok := strings.Cut(word, "/")
	if !ok || !strings.Contains(first, ".") || strings.HasSuffix(first, ".go") {
		return ""
	}
	return hostOf(first)
}

// imageFetch reads the registry of a container that is started: the first part
// of its name, if that is a host.
func imageFetch(head string, args []string) (fetching, bool) {
	if args[0] != "run" {
		return fetching{}, false
	}
	taken := false // it is given the machine, or a home folder
	for i := 1; i < len(args); i++ {
		w := args[i]
		if strings.HasPrefix(w, "-") {
			rest := strings.Join(args[i:min(i+2, len(args))], " ")
			taken = taken || w == "--privileged" || strings.HasPrefix(w, "-v") && (strings.Contains(rest, "$HOME:") || strings.Contains(rest, "~:") || strings.Contains(rest, " /:"))
			if !strings.Contains(w, "=") && i+1 < len(args) && hasWord("-v --volume -e --env -p --publish --name -w --workdir -u --user --mount --network --net --entrypoint -h --hostname --device --label -l --platform --add-host --env-file --pull --restart --cap-add --security-opt --gpus --shm-size --memory -m --cpus", w) {
				i++
			}
			continue
		}
		first, _, ok := strings.Cut(w, "/")
		if host := hostOf(first); ok && strings.Contains(host, ".") {
			f := fetching{Fetch: meetguard.Fetch{Tool: head, Host: host, To: "pipe"}, url: w}
			if taken {
				f.RunBy = runByPackage
			}
			return f, true
		}
		return fetching{}, false
	}
	return fetching{}, false
}

// registryFetch recognises the settings by which package managers are turned to
// another index, and a list of packages that nobody signs.
func registryFetch(s *stmt) (fetching, bool) {
	for w := range strings.FieldsSeq(s.text) {
		w = strings.Trim(w, `"';`)
		name, value, ok := strings.Cut(w, "=")
		switch low := strings.ToLower(name); {
		case ok && (low == "npm_config_registry" || low == "pip_index_url" || low == "pip_extra_index_url" || low == "uv_index_url" || low == "goproxy" || low == "homebrew_artifact_domain"):
			if host, _, ok := urlHost(value); ok && host != "" {
				return fetching{Fetch: meetguard.Fetch{Tool: low, Host: host, To: "pipe", RunBy: runByPackage}, url: value}, true
			}
		case strings.Contains(low, "trusted") && strings.HasPrefix(strings.TrimLeft(value, `"' `), "yes"):
			if f, ok := urlArgument("apt", []string{s.text}); ok && f.Host != "" {
				f.Insecure, f.To, f.RunBy = true, "pipe", runByPackage
				return f, true
			}
		}
	}
	return fetching{}, false
}

func hasWord(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if w == word {
			return true
		}
	}
	return false
}
