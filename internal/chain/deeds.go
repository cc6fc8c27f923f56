package chain

import (
	"slices"
	"strings"

	"meetguard"
)

// maxDeeds bounds what is told of one launch, maxLine the bytes of its command
// line that are looked at.
const (
	maxDeeds = 24
	maxLine  = 32 << 10
)

// Deeds tells what a launch does, from its command line and from what is known
// of the structure of the script in it.
func Deeds(f *meetguard.Facts) []meetguard.Deed {
	p := f.Process
	r := reader{cwd: p.Cwd, windows: p.OS == "windows", user: p.User}
	words := p.Args
	if len(words) == 0 {
		words = Split(p.OS, clip(p.CommandLine))
	}
	if strings.ContainsAny(p.Exe, `/\`) {
		d := meetguard.Deed{Kind: meetguard.DeedRun, File: p.Exe, What: "program"}
		if len(words) == 0 {
			d.Mark = []string{"arguments unknown"}
		}
		r.add(d)
	}
	if p.OriginHost != "" {
		r.add(meetguard.Deed{Kind: meetguard.DeedOrigin, Host: p.OriginHost, File: p.Exe})
	}
	if len(words) > 0 {
		words = append([]string{p.Exe}, words[1:]...)
		if rest, ok := behindC(p); ok {
			r.batch(rest, 0)
		} else {
			r.run(words, 0)
		}
		r.renamedControl(p.Exe, words[1:])
	}
	if f.Script != nil && !onlyLooks(words) {
		r.script(f.Script, Program(p.Exe))
	}
	if r.has(meetguard.DeedBlind) && sparesItself(strings.Join(words, " ")) {
		r.out = slices.DeleteFunc(r.out, func(d meetguard.Deed) bool { return d.Kind == meetguard.DeedBlind })
	}
	return r.out
}

// lookers tell of the files that they are given, and do nothing with them: what
// the names of a hundred files have in common with a script is chance.
var lookers = set(`find ls stat file du wc md5sum sha1sum sha256sum sha512sum readlink realpath basename dirname touch strip ldd`)

func onlyLooks(words []string) bool {
	if len(words) == 0 || !lookers[Program(words[0])] {
		return false
	}
	for _, w := range words[1:] {
		switch w {
		case "-exec", "-execdir", "-ok", "-okdir", "-delete":
			return false
		}
	}
	return true
}

// lowered is a text with the letters of ASCII in lower case, byte for byte: a place
// in it is the same place in the text. strings.ToLower makes three bytes of one that
// is no UTF-8, which anybody can put on a command line.
func lowered(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// behindC is what cmd runs, as it was written: it does not split its line as
// other programs do.
func behindC(p *meetguard.Process) (string, bool) {
	if Program(p.Exe) != "cmd" || p.CommandLine == "" {
		return "", false
	}
	low := lowered(p.CommandLine)
	i := strings.Index(low, " /c ")
	if i < 0 {
		i = strings.Index(low, ` /c"`)
	}
	if i < 0 {
		return "", false
	}
	rest := strings.TrimSpace(clip(p.CommandLine[i+3:]))
	if len(rest) > 1 && rest[0] == '"' && rest[len(rest)-1] == '"' {
		rest = rest[1 : len(rest)-1]
	}
	return rest, true
}

func clip(s string) string {
	return s[:min(len(s), maxLine)]
}

// reader gathers the deeds of one launch.
type reader struct {
	cwd     string
	user    string
	windows bool
	out     []meetguard.Deed
}

func (r *reader) add(d meetguard.Deed) {
	if len(r.out) >= maxDeeds {
		return
	}
	if d.File != "" {
		d.File = r.path(d.File)
	}
	if d.From != "" {
		d.From = r.path(d.From)
	}
	for _, had := range r.out {
		if had.Kind == d.Kind && had.File == d.File && had.Host == d.Host && had.What == d.What {
			return
		}
	}
	r.out = append(r.out, d)
}

// path makes a name of the command line absolute, where the folder is known.
func (r *reader) path(name string) string {
	name = strings.Trim(name, `"'`)
	if len(name) > 1024 {
		name = name[:1024]
	}
	if r.cwd == "" || name == "" || strings.HasPrefix(name, "/") || strings.ContainsAny(name[:1], `~$%\`) || len(name) > 1 && name[1] == ':' {
		return name
	}
	slash := "/"
	if r.windows {
		slash = `\`
	}
	return strings.TrimSuffix(r.cwd, slash) + slash + strings.TrimPrefix(name, "./")
}

// maxNest bounds commands in commands.
const maxNest = 4

// unwrap takes the programs off a command that only start another one.
func (r *reader) unwrap(words []string) []string {
	for len(words) > 1 && unwraps[Program(words[0])] {
		p := Program(words[0])
		if (p == "sudo" || p == "doas") && strings.Contains(shortFlags(words[1:min(3, len(words))]), "S") {
			r.add(meetguard.Deed{Kind: meetguard.DeedPrompt, What: "sudo"})
		}
		if p == "conhost" && strings.EqualFold(words[1], "--headless") {
			r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: "headless"})
		}
		words = skipOptions(words[1:])
		if len(words) == 0 {
			return nil
		}
		if p == "pcalua" || p == "scriptrunner" {
			r.detour(words[0])
		} else if r.windows && strings.ContainsAny(words[0], `\%`) || strings.HasPrefix(words[0], "/") && !system(words[0]) {
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, File: words[0], What: "program"})
		}
	}
	return words
}

// detour notes that a program is started by another's hand, so that nobody sees
// who wanted it.
func (r *reader) detour(file string) {
	file = strings.Trim(file, `"'`)
	r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: "detour", File: file})
	if strings.ContainsAny(file, `\/%`) {
		r.add(meetguard.Deed{Kind: meetguard.DeedRun, File: file, What: "program"})
	}
}

// system says whether a path lies in a folder of the system's own programs.
func system(path string) bool {
	for _, f := range []string{"/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/", "/opt/homebrew/bin/"} {
		if strings.HasPrefix(path, f) {
			return true
		}
	}
	return false
}

// run reads one command with its arguments.
func (r *reader) run(words []string, depth int) {
	words = r.unwrap(words)
	if len(words) == 0 || depth > maxNest {
		return
	}
	name, args := plainTool(Program(words[0])), words[1:]
	all := " " + strings.ToLower(strings.Join(args, " ")) + " "
	r.secrets(name, all)
	r.probes(name, all)
	r.stays(name, args, all)
	r.opens(name, args, all)
	r.tunnels(name, args, all)
	r.configures(name, args, all)
	if r.brings(name, args, all, depth) {
		return
	}
	switch name {
	case "sh", "bash", "zsh", "dash", "ksh", "fish":
		r.shell(name, args, depth)
	case "cmd":
		r.cmd(args, depth)
	case "powershell", "pwsh":
		r.power(args, all)
	case "osascript":
		r.apple(args, all, depth)
	case "python", "perl", "ruby", "node", "php", "java", "deno", "bun", "lua", "tclsh", "swift", "groovy", "osacompile-run":
		r.interpreter(name, args, depth)
	case "wscript", "cscript":
		for _, a := range args {
			if to := shareHost(a); to != "" {
				r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: name, Host: to, Mark: []string{"share"}})
				return
			}
			if publishes(args[0]) && strings.Contains(a, ";") {
				r.publishes(args, all)
				return
			}
			if low := strings.ToLower(a); containsAny(low, "iex", "irm ", "invoke-", "i?x", "script:http", "downloadstring") {
				r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: "detour"})
				r.power(args, all)
				host, _ := split(urlText(all))
				r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: name, Host: host})
				return
			}
		}
		r.interpreter(name, args, depth)
	case publisher:
		if strings.Contains(all, ";") {
			r.publishes(args, all)
		}
	case "forfiles":
		r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: "detour"})
		r.batch(exactAfter(args, "/c"), depth+1)
	case "ssh", "plink":
		r.secureShell(args, depth)
	case "docker", "podman", "nerdctl":
		r.container(args, all, depth)
	case "networksetup":
		if containsAny(all, "-setautoproxyurl", "-setwebproxy", "-setsecurewebproxy") {
			host, _ := split(urlIn(args))
			r.add(meetguard.Deed{Kind: meetguard.DeedTrust, What: name, Host: host})
		}
	case "mshta", "regsvr32", "rundll32", "msiexec", "certutil", "bitsadmin", "installutil":
		r.windowsTool(name, args, all)
	case "curl", "wget", "nscurl", "aria2c", "fetch":
		r.fetch(name, args)
	case "attrib", "schtasks", "reg", "sc", "at", "net":
		r.windowsSetting(name, args, all)
	case "dscl", "security", "dseditgroup", "sysadminctl", "zenity", "kdialog", "yad", "su", "pkexec":
		r.password(name, args, all)
	case "launchctl", "crontab", "systemctl", "plutil", "defaults", "tee":
		r.persist(name, args, all)
	default:
		r.shapes(name, args, all)
		r.fileTool(name, args, all)
	}
}

// publisher is a program of Windows that hands the name of a server, which it is
// given, to PowerShell as it is. What stands behind a semicolon there is code.
// https://lolbas-project.github.io/lolbas/Binaries/Syncappvpublishingserver/
const publisher = "syncappvpublishingserver"

// publishes says whether a script is the twin of that program.
func publishes(script string) bool {
	return strings.TrimSuffix(Program(script), ".vbs") == publisher
}

// publishes notes code that is run in the name of that program.
func (r *reader) publishes(args []string, all string) {
	r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: "detour"})
	r.add(meetguard.Deed{Kind: meetguard.DeedEncoded, What: "split"})
	r.power(args, all)
	if host, _ := split(urlText(all)); host != "" {
		r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: publisher, Host: host})
	}
}

var unwraps = set(`sudo doas nohup env exec nice ionice timeout setsid time command xargs arch caffeinate stdbuf busybox conhost wt pcalua scriptrunner`)

func skipOptions(words []string) []string {
	for len(words) > 0 {
		w := words[0]
		switch {
		case strings.HasPrefix(w, "-"):
			if (w == "-u" || w == "-n" || w == "-k" && false) && len(words) > 1 {
				words = words[1:]
			}
		case strings.Contains(w, "=") && !strings.ContainsAny(w, "/ "):
		case w != "" && strings.Trim(w, "0123456789smh") == "":
		default:
			return words
		}
		words = words[1:]
	}
	return nil
}

// interpreter reads which file an interpreter runs.
func (r *reader) interpreter(name string, args []string, depth int) {
	for i, a := range args {
		switch {
		case codeFlag(name, a) && i+1 < len(args):
			r.inline(name, args[i+1], depth)
			return
		case a == "-jar" && i+1 < len(args):
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, File: args[i+1], What: name})
			return
		case a == "-":
			r.add(meetguard.Deed{Kind: meetguard.DeedRead, What: name})
			return
		case (a == "-cp" || a == "-classpath") && i+1 < len(args):
			jar, _, _ := strings.Cut(args[i+1], ";")
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, File: jar, What: name})
			return
		case a == "-m":
			return
		case strings.HasPrefix(a, "-"), strings.HasPrefix(a, "//"), i > 0 && givenTo[name+args[i-1]]:
		default:
			if name == "java" {
				return
			}
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, File: a, What: name})
			return
		}
	}
	if len(args) == 0 {
		r.add(meetguard.Deed{Kind: meetguard.DeedRead, What: name})
	}
}

// givenTo are options of interpreters that are given something which is not the
// script.
var givenTo = set(`php-d php-S php-t php-c python-W python-X node-r node--require node--import ruby-r ruby-I perl-I lua-l deno--import-map`)

// container reads what a container is given of this machine, and where its image
// comes from. What is run in it is run elsewhere: only what it takes and sends
// counts.
func (r *reader) container(args []string, all string, depth int) {
	inner := reader{cwd: r.cwd, user: r.user}
	inner.secrets("cat", all)
	for i, a := range args {
		if (a == "-v" || a == "--volume" || a == "--mount") && i+1 < len(args) {
			from, _, _ := strings.Cut(strings.TrimPrefix(args[i+1], "type=bind,source="), ":")
			if homeRoot(from) || from == "/" {
				inner.add(meetguard.Deed{Kind: meetguard.DeedSecret, What: "home", Mark: []string{"container"}})
			}
		}
		if host, _, ok := strings.Cut(a, "/"); ok && i > 0 && !strings.HasPrefix(a, "-") && !strings.HasPrefix(args[i-1], "-") && strings.Contains(host, ".") && (args[0] == "run" || args[0] == "pull") {
			host, _, _ = strings.Cut(host, ":")
			r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: "container", Host: strings.ToLower(host), Mark: []string{"package"}})
		}
		if strings.HasSuffix(a, "c") && i > 0 && i+1 < len(args) && wrapper[Program(args[i-1])] {
			inner.line(args[i+1], depth+1)
		}
	}
	for _, d := range inner.out {
		if d.Kind == meetguard.DeedSecret || d.Kind == meetguard.DeedUpload {
			r.add(d)
		}
	}
}

// homeRoot says whether a path is the folder of a user as a whole.
func homeRoot(p string) bool {
	p = strings.TrimRight(strings.ReplaceAll(p, `\`, "/"), "/")
	switch {
	case p == "~", p == "$HOME", p == "%USERPROFILE%", p == "/root":
		return true
	case strings.HasPrefix(strings.ToLower(p), "/users/"), strings.HasPrefix(p, "/home/"):
		return strings.Count(p, "/") == 2
	}
	return len(p) > 9 && strings.EqualFold(p[1:9], ":/users/") && strings.Count(p, "/") == 2
}

// secureShell reads which commands ssh runs on this machine, and whether it asks
// another for a text.
func (r *reader) secureShell(args []string, depth int) {
	syntax := "linux"
	if r.windows {
		syntax = "windows"
	}
	if plain := plainOf(args, "-o", "-i", "-p", "-l", "-F", "-J", "-L", "-R", "-D", "-b", "-c", "-m"); len(plain) > 1 {
		_, host, ok := strings.Cut(plain[0], "@")
		if !ok {
			host = plain[0]
		}
		r.add(meetguard.Deed{Kind: meetguard.DeedFetch, What: "ssh", Host: strings.ToLower(host), Mark: []string{"answer"}})
	}
	for _, a := range args {
		low := lowered(a)
		for _, option := range []string{"proxycommand=", "localcommand="} {
			if at := strings.Index(low, option); at == 0 || at == 2 && strings.HasPrefix(low, "-o") {
				if !strings.Contains(low, "%h") {
					r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: "detour"})
				}
				r.run(Split(syntax, clip(a[at+len(option):])), depth+1)
			}
		}
	}
}

func containsAny(text string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// apple reads osascript: the file, or what its texts say.
func (r *reader) apple(args []string, all string, depth int) {
	file := true
	for i, a := range args {
		switch {
		case a == "-e" && i+1 < len(args):
			file = false
			text := args[i+1]
			for rest := text; ; {
				_, after, ok := strings.Cut(rest, `do shell script "`)
				if !ok {
					break
				}
				inner, _, _ := strings.Cut(strings.ReplaceAll(after, `\"`, `'`), `"`)
				r.line(inner, depth+1)
				rest = after
			}
		case a == "-":
			file = false
			r.add(meetguard.Deed{Kind: meetguard.DeedRead, What: "osascript"})
		case strings.HasPrefix(a, "-"):
		case file && (i == 0 || args[i-1] != "-l"):
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, File: a, What: "osascript"})
			file = false
		}
	}
	if len(args) == 0 {
		r.add(meetguard.Deed{Kind: meetguard.DeedRead, What: "osascript"})
	}
	if strings.Contains(all, "hidden answer") {
		r.add(meetguard.Deed{Kind: meetguard.DeedPrompt, What: "osascript", Host: serverIn(all)})
	}
	if strings.Contains(all, "com.apple.tcc") && containsAny(all, "set name of", "set the name of", "move folder", "delete folder") {
		r.add(meetguard.Deed{Kind: meetguard.DeedAdmit, What: "privacy list"})
	}
	if strings.Contains(all, "folder action") && containsAny(all, "make new", "attach action") {
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: "folder action", File: pathAmong(quotedIn(strings.Join(args, " ")))})
	}
	if strings.Contains(all, "login item") && strings.Contains(all, "make") {
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: "login item"})
	}
}

// serverIn is the server whose password a window asks for: the first word of its
// text that is the name of a machine.
func serverIn(all string) string {
	_, text, ok := strings.Cut(all, `display dialog "`)
	if !ok {
		return ""
	}
	text, _, _ = strings.Cut(text, `"`)
	for _, w := range strings.Fields(text) {
		w = strings.Trim(w, ".,:;!?()'\u201c\u201d")
		dot := strings.LastIndexByte(w, '.')
		if dot > 0 && dot+2 < len(w) && len(w) < 254 && strings.Trim(w, "abcdefghijklmnopqrstuvwxyz0123456789-.") == "" && !fileEndings[w[dot:]] {
			return w
		}
	}
	return ""
}

// fileEndings are endings of files that a window may speak of.
var fileEndings = set(`.app .pkg .dmg .zip .plist .mpkg .exe .sh .py .command .scpt .pdf .txt .log .keychain .kext`)

// script takes over what the structure of a script says.
// Of the program itself its arguments tell more than a line of script does.
func (r *reader) script(s *meetguard.Script, program string) {
	for _, f := range s.Fetches {
		if f.Tool == program && (program == "rundll32" || program == "regsvr32" || program == "mshta" || program == "msiexec" || program == "wscript" || program == "cscript") {
			continue
		}
		d := meetguard.Deed{Kind: meetguard.DeedFetch, Host: f.Host, What: f.Tool}
		if f.RunBy != "" {
			d.Kind = meetguard.DeedFetchRun
		}
		if f.Insecure {
			d.Mark = append(d.Mark, "insecure")
		}
		if f.Hidden {
			d.Mark = append(d.Mark, "hidden")
		}
		if d.Kind == meetguard.DeedFetchRun || !r.has(meetguard.DeedFetch) {
			r.add(d)
		}
	}
	for _, t := range s.Traits {
		if d, ok := traitDeeds[t]; ok && (t != "hidden-window" && t != "upload" || !r.has(d.Kind)) {
			r.add(d)
		}
	}
}

func (r *reader) has(kind string) bool {
	for _, d := range r.out {
		if d.Kind == kind {
			return true
		}
	}
	return false
}

// traitDeeds are the traits of scripts that are deeds.
var traitDeeds = map[string]meetguard.Deed{
	"password-prompt":    {Kind: meetguard.DeedPrompt, What: "script"},
	"dequarantine":       {Kind: meetguard.DeedDequarantine},
	"resign":             {Kind: meetguard.DeedResign},
	"defender-exclusion": {Kind: meetguard.DeedBlind},
	"kill-security":      {Kind: meetguard.DeedBlind},
	"hidden-window":      {Kind: meetguard.DeedHide},
	"upload":             {Kind: meetguard.DeedUpload, What: "script"},
	"telegram-bot":       {Kind: meetguard.DeedUpload, What: "telegram bot", Host: "api.telegram.org"},
	"persistence":        {Kind: meetguard.DeedPersist, What: "script"},
	"encoded-command":    {Kind: meetguard.DeedEncoded},
	"dynamic-eval":       {Kind: meetguard.DeedEncoded, What: "eval"},
	"decoded-then-run":   {Kind: meetguard.DeedEncoded, What: "decoded"},
	"decoy-url":          {Kind: meetguard.DeedDecoy},
}
