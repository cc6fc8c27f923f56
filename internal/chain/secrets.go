package chain

import (
	"strings"

	"meetguard"
)

// secretWords tell the secrets of others by the names of their stores. A name
// that begins or ends with a letter counts as a word: testdata is no tdata.
var secretWords = []struct {
	kind  string
	words []string
}{
	{"telegram", []string{"tdata", "6n38vws5bx.ru.keepcoder", "telegram-data", "org.telegram.desktop/data"}},
	{"keychain", []string{"login.keychain", "/library/keychains", `\microsoft\credentials`, `\microsoft\vault`, `\microsoft\protect`, "/.local/share/keyrings", "kwallet", "kwalletd", "hklm\\sam", "org.freedesktop.secrets", "hklm\\security", "lsass"}},
	{"browser", []string{"login data", "cookies.sqlite", "logins.json", "key4.db", "local extension settings", "/web data", `\web data`, "local state", "/cookies ", "/cookies'", `/cookies"`, `\network\cookies`, "/network/cookies", "chrome/default/history", `\default\history`, "user data/default", `user data\default`, "google/chrome/default ", "google-chrome/default ", ".mozilla/firefox", "library/application support/firefox", `mozilla\firefox\profiles`, "library/application support/google/chrome", "library/application support/microsoft edge", "library/application support/arc", "library/application support/com.operasoftware", "library/application support/vivaldi", "bravesoftware/brave-browser", `bravesoftware\brave-browser`, ".config/google-chrome", ".config/chromium", ".config/microsoft-edge", "library/safari", "cookies.binarycookies", "library/cookies", `google\chrome\user data`, `microsoft\edge\user data`, `opera software\opera`}},
	{"wallet", []string{"exodus", "ledger live", "electrum", "atomic/local storage", `atomic\local storage`, "wallet.dat", "metamask", "nkbihfbeogaeaoehlefnkodbefgpgknn", "bfnaelmomeimhlpmgjnjophhpkkoljpa", "trezor suite", "coinomi", "/.config/solana", "phantom wallet", ".bitcoin/", "/wasabi", "walletwasabi", "sparrow/wallets", "guarda", "/monero", "seed phrase", "mnemonic", "keystore/utc--"}},
	{"messages", []string{"library/messages", "chat.db", "support/signal", ".config/signal", "roaming/signal", `roaming\signal`, `appdata%\signal`, `env:appdata\signal`, "discord/local storage", `discord\local storage`, "slack/local storage", `slack\local storage`, "/whatsapp", "group.net.whatsapp", `\whatsapp`, "library/mail/", "thunderbird", "wechat", "com.tencent.xin", `microsoft\outlook`, "support/element", ".config/element", "roaming/element", `roaming\element`, `appdata%\element`, `env:appdata\element`, "session/attachments", "viber"}},
	{"vault", []string{".kdbx", "bitwarden", "1password", "/.password-store", "keepass", "keepassxc", "lastpass", "/nordpass", "dashlane"}},
	{"ssh", []string{"/.ssh", `\.ssh`, "id_rsa", "id_ed25519", "id_ecdsa"}},
	{"history", []string{".zsh_history", ".bash_history", "consolehost_history", ".python_history", "fish_history"}},
	{"notes", []string{"group.com.apple.notes", "notestore.sqlite", "stickynotes", "plum.sqlite", "obsidian", "com.apple.stickies", "com~apple~clouddocs"}},
	{"cloud", []string{"/.aws", "/.kube/config", "/.config/gcloud", `\.aws`, "/.azure", `\.azure`, ".docker/config.json", "/.netrc", "/.npmrc", "/.git-credentials", "/.gnupg", "/.config/gh", "/.terraform.d", "/.vault-token", "msal_token_cache", `\nuget.config`, "/nuget.config", "/.cargo/credentials", "/glab-cli/", "/gh/hosts.yml", "/.gradle/gradle.properties", "/.m2/settings.xml", "/.pypirc", "application_default_credentials"}},
}

// takers are programs that copy, pack, read or send what they are given.
var takers = set(`type gdbus dbus-send busctl gh glab croc wormhole aa yaa pax robocopy xxd hdiutil rar sftp ftp aws gsutil az php lua http https dd sqlite tail head jar makecab expand gpg ln cpio bzip2 xz zstd 7zip mimikatz procdump reg cp mv rsync zip ditto tar bsdtar 7z 7za 7zz 7zr rar secret-tool copy xcopy robocopy move cat sqlite3 find curl scp python perl ruby node osascript powershell pwsh strings base64 rclone nc dd openssl gzip install ln sh bash zsh cmd security tee less grep wget makecab esentutl`)

// ownProfile says whether a browser is given the profile that its user works
// with: those who test pages give it an empty one.
func ownProfile(all string) bool {
	return containsAny(all, `google\chrome\user data`, `microsoft\edge\user data`, `brave-browser\user data`, "application support/google/chrome", "application support/microsoft edge", "application support/brave", ".config/google-chrome", ".config/chromium", ".config/microsoft-edge", ".config/brave", "%localappdata%", "$env:localappdata")
}

// visited says whether of a browser's store only what was visited and marked is
// taken, which launchers and notebooks read.
func visited(all string) bool {
	return containsAny(all, "/history", "/bookmarks", `\history`, `\bookmarks`, "places.sqlite") &&
		!containsAny(all, "login data", "cookies", "local extension", "web data", "local state", "key4", "logins.json", "_history", "keychain", "wallet", "/tdata", `\tdata`, ".ssh")
}

// public is a command line without those files of ssh that are no secret.
func public(all string) string {
	if !strings.Contains(all, ".ssh") {
		return all
	}
	var out []string
	for _, w := range strings.Fields(all) {
		if !strings.HasSuffix(w, ".pub") && !strings.HasSuffix(w, "/.ssh/config") && !strings.HasSuffix(w, "known_hosts") && !strings.HasSuffix(w, "authorized_keys") {
			out = append(out, w)
		}
	}
	return " " + strings.Join(out, " ") + " "
}

// secrets reads whether a command handles the secrets of another program.
func (r *reader) secrets(name, all string) {
	all = withoutLeftOut(name, all)
	if strings.Contains(all, "--load-extension=") && !strings.Contains(all, "--user-data-dir") {
		_, file, _ := strings.Cut(all, "--load-extension=")
		r.add(meetguard.Deed{Kind: meetguard.DeedSecret, What: "browser", Mark: []string{"extension"}})
		r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: "extension", File: firstWord(file)})
		return
	}
	if strings.Contains(all, "--remote-debugging-p") && (!strings.Contains(all, "--user-data-dir") || ownProfile(all)) {
		r.add(meetguard.Deed{Kind: meetguard.DeedSecret, What: "browser", Mark: []string{"debugging port"}})
		return
	}
	if !takers[name] || name == "security" && containsAny(all, "trusted-cert", " -t certs ") || name == "ssh" || wrapper[name] || name == "cmd" {
		return
	}
	if name == "security" && ownKeychain(all) || name == "find" && clears(all) {
		return
	}
	if name == "rsync" || name == "scp" || name == "tar" || name == "zip" || name == "rclone" {
		for _, w := range strings.Fields(all) {
			if homeRoot(w) || strings.HasSuffix(w, "/") && homeRoot(strings.TrimSuffix(w, "/")) {
				r.add(meetguard.Deed{Kind: meetguard.DeedSecret, What: "home", Mark: []string{name}})
			}
		}
	}
	if copiers[name] && r.otherDisk(all) {
		return
	}
	r.stores(name, all)
}

// withoutLeftOut is a command line without what a copy is told to leave out.
func withoutLeftOut(name, all string) string {
	robo := name == "robocopy" && containsAny(all, " /xd ", " /xf ")
	if !robo && !(strings.Contains(all, " --exclude") || name == "tar" && strings.Contains(all, " -x ")) {
		return all
	}
	var out []string
	skip, list := false, false
	for _, w := range strings.Fields(all) {
		switch {
		case robo && (w == "/xd" || w == "/xf"):
			list = true
		case robo && strings.HasPrefix(w, "/") && strings.Trim(w[1:], "abcdefghijklmnopqrstuvwxyz0123456789:") == "":
			list = false
			out = append(out, w)
		case list, skip:
			skip = false
		case w == "--exclude" || w == "--exclude-from":
			skip = true
		case strings.HasPrefix(w, "--exclude="):
		default:
			out = append(out, w)
		}
	}
	return " " + strings.Join(out, " ") + " "
}

// clears says whether a search only removes what it finds, as the start of a
// browser does with old crash reports.
func clears(all string) bool {
	return strings.Count(all, " -exec") == strings.Count(all, " -exec rm ") && containsAny(all, " -delete ", " -exec rm ")
}

// ownKeychain says whether the keychain that is handled is one that was made for
// the purpose, as build machines have them for their certificates, and nothing is
// read out of it.
func ownKeychain(all string) bool {
	return containsAny(all, " unlock-keychain ", " import ", " create-keychain ", " delete-keychain ", " set-keychain-settings ", " list-keychains ", " default-keychain ", " set-key-partition-list ") &&
		!containsAny(all, "login.keychain", "system.keychain")
}

// copiers make one file of another where both are named.
var copiers = set(`cp rsync ditto tar robocopy xcopy copy move mv`)

// otherDisk says whether what is copied lies on another disk: that of an old
// machine.
func (r *reader) otherDisk(all string) bool {
	for _, w := range strings.Fields(all) {
		w = strings.ReplaceAll(strings.Trim(w, `"'`), `\`, "/")
		if strings.HasPrefix(w, "-") {
			continue
		}
		return strings.HasPrefix(w, "/volumes/") || strings.HasPrefix(w, "/mnt/") || strings.HasPrefix(w, "/media/") || strings.HasPrefix(w, "/run/media/") || len(w) > 2 && w[1] == ':' && w[0] > 'c' && w[0] <= 'z'
	}
	return false
}

// stores tells whose secrets a command line names.
func (r *reader) stores(name, all string) {
	all = withoutGoods(public(all))
	if visited(all) {
		r.add(meetguard.Deed{Kind: meetguard.DeedSecret, What: "history", Mark: []string{name}})
		return
	}
	for _, s := range secretWords {
		for _, w := range s.words {
			if names(all, w) {
				r.add(meetguard.Deed{Kind: meetguard.DeedSecret, What: s.kind, Mark: []string{name}})
				break
			}
		}
	}
}

// goods are endings of what makers give out and developers build: a wallet's
// installer is no wallet.
var goods = set(`.dmg .pkg .exe .msi .msix .appimage .deb .rpm .snap .apk .crx .xpi .asc .sig .sha256 .sha512 .js .ts .map .css .md .git .go .rs .java .yml .yaml`)

// buildFolders are where projects put what they make.
var buildFolders = []string{"dist/", "build/", "builds/", "out/", "release/", "releases/", "artifacts/", "target/"}

// withoutGoods is a command line without the names of such files, as far as they lie
// in no profile.
func withoutGoods(all string) string {
	var out []string
	for _, w := range strings.Fields(all) {
		path := strings.ReplaceAll(strings.Trim(w, `"'`), `\`, "/")
		_, path, _ = strings.Cut(" "+path, "@") // file=@name
		if path == "" {
			path = strings.ReplaceAll(strings.Trim(w, `"'`), `\`, "/")
		}
		if containsAny(path, "/library/", "/appdata/", "/.", "application support", "/tmp/") || strings.HasPrefix(path, ".") || !goods[extension(base(path))] && !(extension(base(path)) == ".zip" && builtIn(path)) {
			out = append(out, w)
		}
	}
	return " " + strings.Join(out, " ") + " "
}

// builtIn says whether a path lies in a folder where a project puts what it makes.
func builtIn(path string) bool {
	for _, f := range buildFolders {
		if strings.HasPrefix(path, f) || strings.Contains(path, "/"+f) {
			return true
		}
	}
	return false
}

// names says whether name stands in text and is no part of a longer word. Both
// are in lower case.
func names(text, name string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		i += at
		end := i + len(name)
		if !(i > 0 && letter(text[i-1]) && letter(name[0])) && !(end < len(text) && letter(text[end]) && letter(name[len(name)-1])) {
			return true
		}
		at = i + 1
	}
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' }
