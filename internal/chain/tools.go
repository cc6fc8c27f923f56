package chain

import (
	"regexp"
	"slices"
	"strings"

	"meetguard"
)

// windowsTool reads programs of Windows that can bring or run other code.
func (r *reader) windowsTool(name string, args []string, all string) {
	host, _ := split(urlIn(args))
	file := ""
	for _, a := range args {
		if !strings.HasPrefix(a, "/") && !strings.HasPrefix(a, "-") && file == "" {
			file = a
		}
	}
	remote := strings.Contains(all, "http://") || strings.Contains(all, "https://")
	if to := shareHost(file); to != "" && name != "msiexec" && name != "certutil" && name != "bitsadmin" {
		r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: name, Host: to, Mark: []string{"share"}})
		return
	}
	switch name {
	case "mshta":
		switch {
		case notice.MatchString(all):
		case remote || strings.Contains(all, " vbscript:") || strings.Contains(all, " javascript:"):
			r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: name, Host: host})
		case file != "":
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: name, File: file})
		}
	case "regsvr32", "installutil":
		if remote || strings.Contains(all, "scrobj") {
			r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: name, Host: host})
			return
		}
		r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: name, File: file})
	case "rundll32":
		if strings.Contains(all, "javascript:") || remote && strings.Contains(all, "mshtml") {
			r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: name, Host: host})
			return
		}
		dll, _, _ := strings.Cut(file, ",")
		if containsAny(all, "shellexec_rundll", "fileprotocolhandler", "routethecall", "launchapplication", "openurl", "launchinfsection", "regisocxb") && len(args) > 1 && !remote && !(strings.Contains(all, "launchinfsection") && selfExtracted.MatchString(all)) {
			r.detour(args[1])
		}
		r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: name, File: dll})
	case "msiexec":
		if remote {
			d := meetguard.Deed{Kind: meetguard.DeedFetchRun, What: name, Host: host}
			if strings.Contains(all, " /q") {
				d.Mark = []string{"hidden"}
			}
			r.add(d)
			return
		}
		if strings.Contains(all, "/i") || strings.Contains(all, "/package") || strings.Contains(all, "-i") {
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: name, File: file})
		}
	case "certutil", "bitsadmin":
		if remote {
			d := meetguard.Deed{Kind: meetguard.DeedFetch, What: name, Host: host}
			if last := args[len(args)-1]; !strings.Contains(last, "://") {
				d.File = last
			}
			r.add(d)
		} else if strings.Contains(all, "-decode") && len(args) > 1 {
			r.add(meetguard.Deed{Kind: meetguard.DeedUnpack, What: name, File: args[len(args)-1]})
		}
	}
}

// selfExtracted is a folder to which the system's own maker of setups unpacks them.
var selfExtracted = regexp.MustCompile(`\\ixp[0-9]{3}\.tmp\\[^\\]+\.inf`)

// notice is code that shows one text in a window and closes, as scripts for logons
// have it.
var notice = regexp.MustCompile(`^ "?(javascript|vbscript):\s*(alert|msgbox|close)\s*\(?["'][^"']*["']\)?[\s;:]*((window\.)?close\(?\)?)?[\s;)"]*$`)

// shareHost is the host of a file that lies on a share, by WebDAV or not; empty
// for a file of this machine.
func shareHost(file string) string {
	rest, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(strings.Trim(file, `"`), "/", `\`)), `\\`)
	if !ok {
		return ""
	}
	host, _, share := strings.Cut(rest, `\`) // //nologo is an option
	host, _, _ = strings.Cut(host, "@")
	if !share || host == "?" || host == "." || len(host) > 253 {
		return ""
	}
	return host
}

// windowsSetting reads programs that change settings of Windows.
func (r *reader) windowsSetting(name string, args []string, all string) {
	switch {
	case name == "attrib" && strings.Contains(all, "+h"):
		r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: "attrib", File: args[len(args)-1]})
		r.writesStart(args[len(args)-1], all)
	case name == "schtasks" && strings.Contains(all, "/create"):
		d := meetguard.Deed{Kind: meetguard.DeedPersist, What: "task", File: after(args, "/tr"), Mark: hiddenScript(all)}
		if strings.HasPrefix(strings.ToLower(strings.TrimPrefix(after(args, "/tn"), `\`)), `microsoft\`) {
			d.Mark = append(d.Mark, "false name")
		}
		r.add(d)
	case name == "reg" && strings.Contains(all, " add ") && strings.Contains(all, `\currentversion\run`):
		d := meetguard.Deed{Kind: meetguard.DeedPersist, What: "run key", File: after(args, "/d"), Mark: hiddenScript(all)}
		if called := after(args, "/v"); called != "" {
			d.Mark = append(d.Mark, "called "+called)
		}
		r.add(d)
	case name == "reg" && strings.Contains(all, "windows defender"):
		r.add(meetguard.Deed{Kind: meetguard.DeedBlind, What: name})
	case name == "sc" && strings.Contains(all, " create "):
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: "service", File: serviceFile(args)})
	}
}

// serviceFile is the program of a service, behind binPath= or in one word with it.
func serviceFile(args []string) string {
	for i, a := range args {
		if len(a) < len("binpath=") || !strings.EqualFold(a[:len("binpath=")], "binpath=") {
			continue
		}
		if file := strings.Trim(a[len("binpath="):], `"`); file != "" {
			return file
		}
		if i+1 < len(args) {
			return strings.Trim(args[i+1], `"`)
		}
	}
	return ""
}

// hiddenScript marks a line that starts PowerShell out of sight, with a file
// that any program of the user may write.
func hiddenScript(all string) []string {
	if scriptInProfile(all) {
		return []string{"hidden script"}
	}
	if strings.Contains(all, "powershell") && containsAny(all, " -w h", " -windowstyle h", " -w 1 ") && containsAny(all, `\appdata\`, "%appdata%", "%temp%", `\programdata\`, `\users\public\`) {
		return []string{"hidden script"}
	}
	return nil
}

// scriptInProfile says whether a line names a script, or what only an
// interpreter reads, in a folder that any program of the user may write to.
func scriptInProfile(all string) bool {
	for _, w := range strings.FieldsFunc(all, func(c rune) bool { return c == '"' || c == '\'' || c == ' ' }) {
		switch extension(strings.TrimRight(w, `\`)) {
		case ".js", ".jse", ".vbs", ".vbe", ".ps1", ".py", ".pyw", ".au3", ".a3x", ".ahk", ".lua", ".jar", ".dat", ".hta", ".wsf", ".bat", ".cmd", ".php", ".rb", ".sct":
			if containsAny(w, `\appdata\`, "%appdata%", "%localappdata%", "%temp%", `\users\public\`, "%public%", `\temp\`) {
				return true
			}
		}
	}
	return false
}

// after is the argument behind an option, without what the program in it is
// given.
func after(args []string, option string) string {
	for i, a := range args {
		if strings.EqualFold(a, option) && i+1 < len(args) {
			return strings.Trim(args[i+1], `"'\`)
		}
	}
	return ""
}

// password reads programs that ask for passwords or check them.
func (r *reader) password(name string, args []string, all string) {
	switch {
	case name == "dscl" && strings.Contains(all, "authonly"):
		r.add(meetguard.Deed{Kind: meetguard.DeedCheck, What: name})
	case name == "security" && strings.Contains(all, " add-trusted-cert"):
		r.add(meetguard.Deed{Kind: meetguard.DeedTrust, What: name, File: args[len(args)-1]})
	case name == "security" && (strings.Contains(all, " dump-keychain") || strings.Contains(all, " export ") && !containsAny(all, " -t certs ", " -t pubkeys ")):
		r.add(meetguard.Deed{Kind: meetguard.DeedSecret, What: "keychain"})
	case name == "security" && (strings.Contains(all, "find-generic-password") || strings.Contains(all, "find-internet-password")) && (strings.Contains(all, "chrome") || strings.Contains(all, "safe storage")):
		r.add(meetguard.Deed{Kind: meetguard.DeedSecret, What: "browser"})
	case name == "security" && strings.Contains(all, "verify-password"), name == "security" && strings.Contains(all, " authorize"):
		r.add(meetguard.Deed{Kind: meetguard.DeedCheck, What: name})
	case (name == "zenity" || name == "kdialog" || name == "yad") && (strings.Contains(all, "--password") || strings.Contains(all, "--hide-text")):
		r.add(meetguard.Deed{Kind: meetguard.DeedPrompt, What: name})
	}
}

// persist reads programs that arrange for others to be started.
func (r *reader) persist(name string, args []string, all string) {
	file := ""
	for _, a := range args {
		if low := strings.ToLower(a); strings.Contains(low, "launchagents") || strings.Contains(low, "launchdaemons") || strings.Contains(low, "autostart") || strings.HasSuffix(low, ".plist") {
			file = a
		}
	}
	switch {
	case name == "launchctl" && file == "" && strings.Contains(all, " submit "):
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: name, File: exactAfter(args, "--")})
	case name == "launchctl" && (strings.Contains(all, " load ") || strings.Contains(all, " bootstrap ") || strings.Contains(all, " submit ")):
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: name, File: file})
	case name == "crontab" && !strings.Contains(all, " -l "):
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: name})
	case name == "systemctl" && strings.Contains(all, " enable "):
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: name})
	case name == "plutil" && shows(args):
	case (name == "plutil" || name == "tee" || name == "defaults") && (strings.Contains(all, "launchagents") || strings.Contains(all, "launchdaemons") || strings.Contains(all, "autostart")):
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: name, File: file})
	}
}

// shows says whether plutil writes what it is asked for to its output, or only
// looks at it.
func shows(args []string) bool {
	return len(args) > 0 && (args[0] == "-p" || args[0] == "-lint" || args[0] == "-extract" || args[0] == "-type" || exactAfter(args, "-o") == "-")
}

// fileTool reads what is left: tools that handle files.
func (r *reader) fileTool(name string, args []string, all string) {
	end := ""
	var plain []string
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			plain = append(plain, a)
		}
	}
	if len(plain) > 0 {
		end = plain[len(plain)-1]
	}
	switch name {
	case "chmod":
		if len(plain) > 1 && (strings.Contains(plain[0], "x") || strings.ContainsAny(plain[0], "1357")) || strings.Contains(all, " +x ") {
			d := meetguard.Deed{Kind: meetguard.DeedChmod}
			if mode := plain[0]; len(mode) == 4 && mode[0] >= '4' && mode[0] <= '7' || strings.Contains(mode, "+s") || strings.Contains(all, " u+s ") || strings.Contains(all, " +s ") {
				d.Mark = []string{"setuid"}
			}
			r.each(plain[min(1, len(plain)):], d)
		}
	case "xattr":
		if flags := shortFlags(args); strings.Contains(all, "quarantine") && strings.Contains(flags, "d") || strings.Contains(flags, "c") {
			r.add(meetguard.Deed{Kind: meetguard.DeedDequarantine, File: end})
		}
	case "spctl":
		if strings.Contains(all, "disable") {
			r.add(meetguard.Deed{Kind: meetguard.DeedDequarantine, What: name})
		}
	case "codesign":
		if strings.Contains(all, " -s - ") || strings.Contains(all, "--sign - ") || strings.Contains(all, " -fs - ") {
			r.add(meetguard.Deed{Kind: meetguard.DeedResign, File: end})
		}
	case "unzip", "7z", "7za", "7zz", "7zr", "bsdtar", "tar", "gunzip", "ditto", "expand", "cpio", "hdiutil", "aa", "yaa", "7zip", "unar", "unrar", "xz", "unxz", "bunzip2", "zstd", "extrac32", "unsquashfs", "gzip", "bzip2", "jar":
		r.archive(name, args, plain, all)
	case "zip", "rar", "makecab", "lha", "arj":
		if name == "rar" && len(plain) > 1 {
			plain = plain[1:]
		}
		if name == "makecab" && len(plain) > 1 {
			plain[0], plain[1] = plain[1], plain[0]
		}
		if len(plain) > 0 {
			d := meetguard.Deed{Kind: meetguard.DeedPack, File: plain[0], What: name}
			if len(plain) > 1 {
				d.From = plain[1]
			}
			r.add(d)
		}
	case "cp", "mv", "rsync", "install", "copy", "xcopy", "robocopy", "move", "ln", "pax":
		if name == "install" {
			plain = plainOf(args, "-m", "-o", "-g")
		}
		r.copies(name, plain, all)
		if mode := after(args, "-m"); name == "install" && len(mode) == 4 && mode[0] >= '4' && mode[0] <= '7' {
			r.add(meetguard.Deed{Kind: meetguard.DeedChmod, File: end, Mark: []string{"setuid"}})
		}
	case "dd":
		for _, a := range args {
			if to, ok := strings.CutPrefix(a, "of="); ok {
				r.add(meetguard.Deed{Kind: meetguard.DeedPack, File: to, What: "copy"})
				r.writesStart(to, all)
			}
		}
	case "sqlite3":
		if strings.Contains(all, "/tcc.db") && containsAny(all, "insert ", "replace ", "update ") {
			r.add(meetguard.Deed{Kind: meetguard.DeedAdmit, What: privacyList})
		}
		if containsAny(all, ".backup", ".dump", ".output", ".clone", "vacuum into") && len(plain) > 0 {
			r.add(meetguard.Deed{Kind: meetguard.DeedPack, What: name, File: pathAmong(strings.FieldsFunc(args[len(args)-1], func(c rune) bool { return c == ' ' || c == '\'' || c == '"' }))})
		}
	case "eval":
		r.line(strings.Join(args, " "), 2)
	case "open":
		r.open(args, plain)
	case "mklink", "new-item":
		if len(plain) > 0 {
			for _, p := range plain {
				r.writesStart(p, all)
			}
		}
	case "dpkg", "apt", "apt-get", "rpm", "dnf", "yum", "zypper", "pacman":
		for _, a := range plain {
			if e := extension(a); (e == ".deb" || e == ".rpm") && strings.ContainsAny(a, "/") {
				r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: "package", File: a})
			}
		}
	case "installer":
		r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: name, File: after(args, "-pkg")})
	case "killall", "pkill":
		if strings.Contains(all, "terminal") || strings.Contains(all, "notificationcenter") {
			r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: name})
		}
	case "findstr", "grep", "find", "dir", "mdfind", "locate", "where":
		if containsAny(all, "seed phrase", "mnemonic", "password", "passwort", "*seed*", "seed*", "*phrase*", "*.wallet", "*wallet*", "*.kdb", "id_rsa", "keystore*", "wallet*", "*wallet", ".kdbx", "*.ovpn", "*.ppk", "*.rdg", "recovery phrase", "private key") {
			r.add(meetguard.Deed{Kind: meetguard.DeedSecret, What: "passwords", Mark: []string{name}})
		}
	case "chflags":
		if strings.Contains(all, " hidden") {
			r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: name, File: end})
		}
	case "rm", "del", "unlink", "shred":
		r.each(plain, meetguard.Deed{Kind: meetguard.DeedErase})
	case "osacompile":
		r.add(meetguard.Deed{Kind: meetguard.DeedUnpack, What: name, File: after(args, "-o"), From: lastPlain(args)})
		r.writesStart(after(args, "-o"), all)
	case "base64", "openssl", "xxd", "uudecode", "gbase64":
		if name == "openssl" && strings.Contains(all, " enc ") && !strings.Contains(all, " -d ") {
			r.add(meetguard.Deed{Kind: meetguard.DeedPack, What: name, File: exactAfter(args, "-out"), From: exactAfter(args, "-in")})
		} else if strings.Contains(strings.ToLower(all), " -d") || strings.Contains(all, "--decode") || name == "xxd" && strings.Contains(all, " -r") || name == "uudecode" {
			r.add(meetguard.Deed{Kind: meetguard.DeedEncoded, What: name, File: strings.TrimPrefix(after(args, "-out")+after(args, "-o"), " "), From: after(args, "-in") + exactAfter(args, "-i")})
		}
	case "ftp":
		if strings.Contains(all, ":") {
			r.add(meetguard.Deed{Kind: meetguard.DeedUpload, What: name})
		}
	case "softwareupdate":
		if !strings.Contains(all, " -") {
			r.add(meetguard.Deed{Kind: meetguard.DeedDecoy, What: name})
		}
	}
}

// shortFlags are the letters of all short options.
func shortFlags(args []string) string {
	out := ""
	for _, a := range args {
		if len(a) > 1 && len(a) < 8 && a[0] == '-' && a[1] != '-' {
			out += a[1:]
		}
	}
	return out
}

func (r *reader) each(files []string, d meetguard.Deed) {
	for i, f := range files {
		if i == 4 {
			return
		}
		d.File = f
		r.add(d)
	}
}

// archive reads tools that pack and unpack.
func (r *reader) archive(name string, args, plain []string, all string) {
	to := ""
	switch name {
	case "unzip":
		to = after(args, "-d")
		if to == "" {
			to = r.cwd
		}
	case "7z", "7za", "7zz", "7zr", "7zip":
		for _, a := range args {
			if strings.HasPrefix(a, "-o") {
				to = a[2:]
			}
		}
		if len(args) > 0 && args[0] == "a" && len(plain) > 1 {
			d := meetguard.Deed{Kind: meetguard.DeedPack, What: name, File: plain[1]}
			if len(plain) > 2 {
				d.From = plain[2]
			}
			r.add(d)
			return
		}
	case "tar", "bsdtar":
		if len(args) > 0 && (strings.Contains(args[0], "c") && !strings.HasPrefix(args[0], "--ex") || strings.Contains(shortFlags(args), "c") || slices.Contains(args, "--create")) { // -C is a folder
			if file := tarFile(args); file != "" && file != "-" {
				r.add(meetguard.Deed{Kind: meetguard.DeedPack, What: name, File: file, From: lastPlain(args)})
			}
			return
		}
		to = exactAfter(args, "-C")
	case "aa", "yaa":
		if len(args) > 0 && args[0] == "archive" {
			r.add(meetguard.Deed{Kind: meetguard.DeedPack, What: name, File: exactAfter(args, "-o"), From: exactAfter(args, "-d") + exactAfter(args, "-i")})
			return
		}
		to = exactAfter(args, "-d")
	case "ditto":
		if strings.Contains(all, " -c") && len(plain) > 0 {
			d := meetguard.Deed{Kind: meetguard.DeedPack, What: name, File: last(plain)}
			if len(plain) > 1 {
				d.From = plain[len(plain)-2]
			}
			r.add(d)
			return
		}
		if len(plain) > 0 {
			to = last(plain)
		}
		if !strings.Contains(all, " -x") { // a copy
			r.copies(name, plain, all)
			return
		}
	case "gzip", "xz", "bzip2", "zstd":
		if len(plain) == 0 {
			return
		}
		if !strings.Contains(shortFlags(args), "d") {
			r.add(meetguard.Deed{Kind: meetguard.DeedPack, What: name, File: last(plain) + "." + name[:2], From: last(plain)})
			return
		}
		to = strings.TrimSuffix(last(plain), extension(last(plain)))
	case "gunzip", "unxz", "bunzip2":
		to = strings.TrimSuffix(last(plain), extension(last(plain)))
	case "jar":
		if len(args) > 1 && strings.HasPrefix(args[0], "c") {
			r.add(meetguard.Deed{Kind: meetguard.DeedPack, What: name, File: args[1], From: last(plain)})
			return
		}
	case "expand", "extrac32":
		to = last(plain)
	case "hdiutil":
		r.image(args, plain, all)
		return
	}
	from := ""
	for _, a := range plain {
		if e := extension(a); e != "" && from == "" {
			from = a
		}
	}
	if from == "" && len(plain) > 0 && plain[0] != to && (name == "tar" || name == "unzip") {
		from = plain[0] // by the name of something else
	}
	if from != "" {
		r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: "unpack", File: from})
	}
	r.add(meetguard.Deed{Kind: meetguard.DeedUnpack, What: name, File: to, From: from})
}

// volumes is where images appear when nobody says where.
const volumes = "/Volumes"

// image reads the tool for disk images.
func (r *reader) image(args, plain []string, all string) {
	switch {
	case len(plain) < 2:
	case strings.Contains(all, " attach ") || strings.Contains(all, " mount "):
		image := plain[1]
		for _, p := range plain[1:] {
			if e := extension(p); e == ".dmg" || e == ".iso" || e == ".sparseimage" || e == ".img" || e == ".cdr" {
				image = p
			}
		}
		r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: "hdiutil", File: image})
		to := exactAfter(args, "-mountpoint") + exactAfter(args, "-mountroot")
		if to == "" {
			to = volumes
		}
		r.add(meetguard.Deed{Kind: meetguard.DeedUnpack, What: "hdiutil", File: to, From: image})
	case strings.Contains(all, " create ") && strings.Contains(all, "-srcfolder"):
		r.add(meetguard.Deed{Kind: meetguard.DeedPack, What: "hdiutil", File: last(plain), From: exactAfter(args, "-srcfolder")})
	}
}

func exactAfter(args []string, option string) string {
	for i, a := range args {
		if a == option && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

func tarFile(args []string) string {
	for i, a := range args {
		if (i == 0 || strings.HasPrefix(a, "-")) && !strings.HasPrefix(a, "--") && strings.HasSuffix(a, "f") && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// open reads the launcher of macOS and its like.
func (r *reader) open(args, plain []string) {
	for _, a := range plain {
		if strings.Contains(a, "://") {
			host, _ := split(a)
			r.add(meetguard.Deed{Kind: meetguard.DeedDecoy, What: "open", Host: host})
			continue
		}
		if strings.ContainsAny(a, "/.") && !(strings.HasPrefix(a, "/Applications/") || strings.HasPrefix(a, "/System/")) {
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: "open", File: a})
		}
	}
}
