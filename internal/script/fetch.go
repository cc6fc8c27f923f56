package script

import (
	"slices"
	"strings"

	"meetguard"
)

const (
	maxFetches  = 64
	maxFollowed = 2048 // cradles whose results are followed
	maxHosts    = 256
)

// fetching is one download cradle and what is needed to follow its result.
type fetching struct {
	meetguard.Fetch
	stmt      int
	output    string // name of the file or variable
	word      string // the word of the language by which it fetches, lower case
	url       string
	commanded bool // by a command of a shell, whose result is always followed
	agent     string
}

// fetches finds the download cradles of all statements. Where there are too
// many, those whose result nothing runs make room: harmless ones must not hide
// the one that matters.
func (a *analysis) fetches() []fetching {
	var all []fetching
	idle := 0 // before it, every kept cradle is run
	for i, followed := 0, 0; i < len(a.stmts); i++ {
		f, ok := a.fetchOf(i)
		if !ok {
			continue
		}
		if followed++; followed > maxFollowed {
			a.cutShort()
			break
		}
		f.stmt = i
		f.commanded = a.stmts[i].lang == langShell || a.stmts[i].lang == langBatch
		if isForge(f.Host) {
			f.Owner = forgeOwner(f.url)
		}
		f.Hidden = f.Hidden || a.stmts[i].hidden || a.stmts[i].behind
		a.follow(&f)
		if len(all) < maxFetches {
			all = append(all, f)
			continue
		}
		for idle < len(all) && all[idle].RunBy != "" {
			idle++
		}
		if f.RunBy != "" && idle < len(all) {
			all[idle] = f
		}
	}
	return all
}

func (a *analysis) fetchOf(i int) (fetching, bool) {
	s := &a.stmts[i]
	switch s.lang {
	case langShell, langBatch:
		if s.head == "curl" {
			return curlFetch(s, a.configured(s))
		}
		if f, ok := commandFetch(s); ok {
			return f, true
		}
		if f, ok := a.packageFetch(i); ok {
			return f, true
		}
		return a.channelFetch(i)
	case langPowerShell:
		if f, ok := a.powerFetch(i); ok {
			return f, true
		}
		return a.packageFetch(i)
	case "data":
		return fetching{}, false
	}
	return a.objectFetch(i)
}

// commandFetch recognises the programs that fetch.
func commandFetch(s *stmt) (fetching, bool) {
	if len(s.cmd) < 2 {
		return fetching{}, false
	}
	head, args := s.head, s.cmd[1:]
	switch head {
	case "wget":
		return wgetFetch(s, args)
	case "nscurl", "fetch", "aria2c", "axel", "http":
		f, ok := urlArgument(head, args)
		f.output = optionValue(args, "-o", "--output", "-O")
		if f.output == "" && s.out != "" {
			f.output = s.out
		}
		return f, ok
	case "bitsadmin":
		f, ok := urlArgument(head, args)
		f.output = args[len(args)-1]
		return f, ok
	case "certutil":
		if !strings.Contains(strings.ToLower(s.text), "urlcache") && !strings.Contains(strings.ToLower(s.text), "verifyctl") {
			return fetching{}, false
		}
		f, ok := urlArgument(head, args)
		f.output = args[len(args)-1]
		return f, ok
	case "mshta", "regsvr32", "rundll32", "hh", "msiexec", "wmic", "cscript", "wscript":
		f, ok := urlArgument(head, args)
		f.RunBy, f.To = head, "pipe"
		if head == "msiexec" {
			f.RunBy = "installer"
		}
		return f, ok
	case "deno":
		f, ok := urlArgument(head, args)
		f.RunBy, f.To = head, "pipe"
		return f, ok
	}
	return fetching{}, false
}

// urlArgument takes the first URL among the arguments, or a first argument that
// is a variable.
func urlArgument(tool string, args []string) (fetching, bool) {
	for _, w := range args {
		if host, scheme, ok := urlHost(w); ok {
			return fetching{Fetch: meetguard.Fetch{Tool: tool, Host: host, Insecure: scheme == "http" || scheme == "ftp"}, url: w}, true
		}
	}
	return fetching{}, false
}

func optionValue(args []string, names ...string) string {
	for i, w := range args {
		for _, n := range names {
			if w == n && i+1 < len(args) {
				return args[i+1]
			}
			if len(n) > 2 && strings.HasPrefix(w, n+"=") {
				return w[len(n)+1:]
			}
		}
	}
	return ""
}

// curlTakes are the short options of curl that take a value (curl.1).
const curlTakes = "AbCcDdEeFHhKmoPQrTtUuwXxYyz"

// curlLongTakes are its long options with a value that scripts use.
var curlLongTakes = map[string]bool{
	"--output": true, "--user-agent": true, "--header": true, "--data": true, "--data-binary": true, "--data-raw": true, "--data-urlencode": true, "--form": true, "--request": true,
	"--max-time": true, "--connect-timeout": true, "--retry": true, "--retry-delay": true, "--referer": true, "--cookie": true, "--cookie-jar": true, "--user": true, "--proxy": true,
	"--write-out": true, "--upload-file": true, "--cacert": true, "--capath": true, "--cert": true, "--key": true, "--proto": true, "--tlsv1": false, "--output-dir": true, "--range": true, "--interface": true, "--resolve": true, "--json": true,
	"--retry-max-time": true, "--ciphers": true, "--tls-max": true, "--config": true, "--speed-limit": true, "--speed-time": true, "--limit-rate": true, "--max-redirs": true,
}

// configured are the arguments of curl with those that it is told to take from
// its input or from a file that the script has written: lines of the long
// options, with = or a blank before the value (curl.1, --config).
func (a *analysis) configured(s *stmt) []string {
	args := s.cmd[1:]
	file := optionValue(args, "-K", "--config")
	if file == "" {
		return args
	}
	orders := s.here
	switch {
	case file != "-":
		orders = a.written(file)
	case s.producer > 0:
		orders = a.printedTogether(s.producer - 1)
	}
	args = slices.Clone(args)
	for line := range strings.SplitSeq(orders, "\n") {
		line = strings.TrimSpace(line)
		end := strings.IndexAny(line, "=: \t")
		if end <= 0 || line[0] == '#' || len(args) > 64 {
			continue
		}
		name, v := line[:end], strings.Trim(strings.TrimLeft(line[end:], "=: \t"), `"`)
		if name[0] != '-' {
			name = "--" + name
		}
		args = append(args, name, v)
	}
	return args
}

// printedTogether is what statement n prints, and before it the others of its
// group: (echo a& echo b) | curl.
func (a *analysis) printedTogether(n int) string {
	text, _ := a.printed(n)
	for k := n - 1; k >= max(0, n-8); k-- {
		s := &a.stmts[k]
		if s.head != "echo" && s.head != "printf" || s.consumer > 0 || s.out != "" {
			break
		}
		line, _ := a.printed(k)
		text = line + "\n" + text
	}
	return text
}

// curlFetch reads a curl command line.
func curlFetch(s *stmt, args []string) (fetching, bool) {
	f := fetching{Fetch: meetguard.Fetch{Tool: "curl"}}
	var targets []string
	silent, upload, remote := false, false, false
	for i := 0; i < len(args); i++ {
		w := args[i]
		next := ""
		if i+1 < len(args) {
			next = args[i+1]
		}
		switch {
		case w == "--url":
			targets = append(targets, next)
			i++
		case strings.HasPrefix(w, "--"):
			f.curlLong(w, next, &silent, &upload, &remote)
			if curlLongTakes[w] {
				i++
			}
		case len(w) > 1 && w[0] == '-':
			if f.curlShort(w[1:], next, &silent, &upload, &remote) {
				i++
			}
		case w != "":
			targets = append(targets, w)
		}
	}
	if len(targets) == 0 {
		return f, false
	}
	f.target(targets[0])
	for _, t := range targets {
		if _, _, ok := urlHost(t); ok {
			f.target(t)
			break
		}
	}
	if f.url == "" || upload && f.output == "" && s.consumer == 0 {
		return f, false
	}
	f.settleOutput(s, remote)
	f.Hidden = s.behind && (silent || s.quiet)
	return f, true
}

func (f *fetching) curlLong(w, next string, silent, upload, remote *bool) {
	if name, v, ok := strings.Cut(w, "="); ok {
		w, next = name, v
	}
	switch w {
	case "--insecure", "--proxy-insecure":
		f.Insecure = true
	case "--output":
		f.output = next
	case "--remote-name", "--remote-name-all", "--remote-header-name":
		*remote = true
	case "--silent":
		*silent = true
	case "--user-agent":
		f.agent = next
	case "--form", "--upload-file":
		*upload = true
	case "--data", "--data-binary", "--data-urlencode":
		*upload = *upload || strings.Contains(next, "@")
	}
}

// curlShort reads a bundle of short options; true if the last took next.
func (f *fetching) curlShort(bundle, next string, silent, upload, remote *bool) bool {
	for k := range len(bundle) {
		c := bundle[k]
		v, took := bundle[k+1:], false
		if v == "" {
			v, took = next, true
		}
		switch c {
		case 'k':
			f.Insecure = true
		case 'O', 'J':
			*remote = true
		case 's':
			*silent = true
		case 'o':
			f.output = v
		case 'A':
			f.agent = v
		case 'F', 'T':
			*upload = true
		case 'd':
			*upload = *upload || strings.HasPrefix(v, "@")
		}
		if strings.IndexByte(curlTakes, c) >= 0 {
			return took
		}
	}
	return false
}

// target takes a positional argument for the URL. Without a scheme curl and
// wget use plain HTTP.
func (f *fetching) target(w string) {
	if host, scheme, ok := urlHost(w); ok {
		f.url, f.Host = w, host
		f.Insecure = f.Insecure || scheme == "http" || scheme == "ftp"
		return
	}
	if strings.ContainsAny(w[:1], "$%!`") {
		f.url = w
		return
	}
	if host := hostOf(w); strings.Contains(host, ".") && !strings.HasPrefix(w, "/") {
		f.url, f.Host, f.Insecure = w, host, true
	}
}

// settleOutput tells where the result goes.
func (f *fetching) settleOutput(s *stmt, remote bool) {
	if f.output == "" && s.out != "" {
		f.output = s.out
	}
	if f.output == "" && remote {
		f.output = lastSegment(f.url)
	}
	if f.output == "-" || f.output == "/dev/stdout" {
		f.output = ""
	}
}

func lastSegment(u string) string {
	u, _, _ = strings.Cut(u, "?")
	return u[strings.LastIndexByte(u, '/')+1:]
}

func wgetFetch(s *stmt, args []string) (fetching, bool) {
	f := fetching{Fetch: meetguard.Fetch{Tool: "wget"}}
	stdout, silent := false, false
	target := ""
	for i := 0; i < len(args); i++ {
		w := args[i]
		switch {
		case w == "--no-check-certificate":
			f.Insecure = true
		case strings.HasPrefix(w, "--output-document="):
			f.output = w[len("--output-document="):]
		case strings.HasPrefix(w, "--"):
		case len(w) > 1 && w[0] == '-':
			silent = silent || strings.Contains(w, "q")
			if n := strings.IndexAny(w, "OPUoaTtie"); n > 0 {
				v := w[n+1:]
				if v == "" && i+1 < len(args) {
					i++
					v = args[i]
				}
				if w[n] == 'O' {
					f.output, stdout = v, v == "-"
				}
				if w[n] == 'U' {
					f.agent = v
				}
			}
		case target == "":
			target = w
		}
	}
	if target == "" {
		return f, false
	}
	f.target(target)
	if f.url == "" {
		return f, false
	}
	f.settleOutput(s, !stdout && f.output == "")
	f.Hidden = s.behind && (silent || s.quiet)
	return f, true
}

// objectTools are the calls and objects by which the other languages fetch.
var objectTools = []struct{ word, tool, languages string }{
	{"xmlhttp", "MSXML2.XMLHTTP", "vbscript jscript"}, {"winhttp.winhttprequest", "WinHttp", "vbscript jscript"},
	{"urlopen", "urllib", "python"}, {"urlretrieve", "urllib", "python"}, {"requests.get", "requests", "python"}, {"requests.post", "requests", "python"}, {"httpx.get", "httpx", "python"},
	{"http.client.httpsconnection", "http.client", "python"},
	{"<inetget>", "InetGet", langAutoIt}, {"<inetread>", "InetRead", langAutoIt}, {"urldownloadtofile", "UrlDownloadToFile", langAutoHotkey}, {"<download>", "Download", langAutoHotkey},
	{"mount volume", "smb", "applescript"},
	{"url access scripting", "URL Access Scripting", "applescript"},
	{"contentsofurl", "NSURL", "applescript jxa"}, {"nsurl's", "NSURL", "applescript"}, {"urlwithstring", "NSURL", "applescript jxa"},
	{"https.get", "https.get", "javascript"}, {"http.get", "https.get", "javascript"}, {"<fetch>", "fetch", "javascript"}, {"axios", "axios", "javascript"},
	{"http::tiny", "HTTP::Tiny", "perl"}, {"lwp::", "LWP", "perl"}, {"getstore", "LWP", "perl"}, {"get(\"http", "LWP", "perl"}, {"get('http", "LWP", "perl"}, {"get \"http", "LWP", "perl"}, {"get 'http", "LWP", "perl"},
	{"uri.open", "open-uri", "ruby"}, {"open-uri", "open-uri", "ruby"}, {"net::http", "Net::HTTP", "ruby"},
	{"file_get_contents", "file_get_contents", "php"}, {"curl_init", "curl", "php"},
	{"'https').get", "https.get", "javascript"}, {"\"https\").get", "https.get", "javascript"}, {"'http').get", "https.get", "javascript"}, {"\"http\").get", "https.get", "javascript"},
}

// objectFetch recognises cradles that are calls.
func (a *analysis) objectFetch(i int) (fetching, bool) {
	s := &a.stmts[i]
	if s.hits.empty() || s.lang == "perl" && len(s.text) > 2000 { // quotes that were taken for others
		return fetching{}, false
	}
	for _, t := range objectTools {
		if !a.rules.word(&s.hits, t.word) || !strings.Contains(t.languages, s.lang) {
			continue
		}
		if s.lang == langPython && strings.Contains(s.text, "import ") {
			continue
		}
		f, ok := urlArgument(t.tool, s.words)
		if t.tool == "MSXML2.XMLHTTP" || t.tool == "WinHttp" {
			return a.hostObjectFetch(i, t.tool)
		}
		f.Tool, f.word = t.tool, strings.Trim(t.word, "<>")
		f.Insecure = f.Insecure || strings.Contains(s.text, "verify=False") || strings.Contains(s.text, "_create_unverified_context")
		if a.evaluates(s) {
			f.To, f.RunBy = "pipe", s.lang
		}
		if f.RunBy == "" && s.lang == langJavaScript && a.laterEval(i) {
			f.To, f.RunBy = "pipe", "node"
		}
		if s.lang == langAutoIt || s.lang == langAutoHotkey {
			f.output = s.words[len(s.words)-1]
		}
		if t.word == "urlretrieve" || t.word == "getstore" || t.word == "url access scripting" {
			f.output = wordAfterURL(s.words)
		}
		if t.tool == "smb" {
			f.output, f.Insecure = lastSegment(strings.TrimRight(f.url, "/")), false
			f.To, f.RunBy = "file", a.opensFile(i, f.output)
		}
		if f.output == "" && f.RunBy == "" && s.lang == langPython && strings.Contains(s.text, ".write(") {
			if f.output = a.fileOfWrite(i); f.output == "" && len(s.words) > 2 && s.words[0] == "os.write" {
				f.output = s.words[1] // a file of memory has no name but that of its number
			}
		}
		return f, ok || s.lang == langPython || s.lang == langJavaScript && strings.Contains(s.text, "(")
	}
	return fetching{}, false
}

// opensFile tells whether a later statement opens a file, and not a folder, of
// the disk that statement n mounts.
func (a *analysis) opensFile(n int, disk string) string {
	for k := n + 1; k < min(len(a.stmts), n+40); k++ {
		low := strings.ToLower(a.stmts[k].text)
		if disk != "" && strings.Contains(low, strings.ToLower(disk)) && (strings.Contains(low, "open file") || strings.Contains(low, "open document") || strings.Contains(low, "open application file") || a.rules.word(&a.stmts[k].hits, "do shell script")) {
			return "direct"
		}
	}
	return ""
}

// laterEval looks for the evaluation of a response in the functions that stand
// behind the call: they are statements of their own.
func (a *analysis) laterEval(i int) bool {
	for k := i + 1; k < min(len(a.stmts), i+16); k++ {
		s := &a.stmts[k]
		if s.lang == langJavaScript && s.pos-a.stmts[i].pos < 2000 && (a.rules.word(&s.hits, "<eval>") || a.rules.word(&s.hits, "new function(")) {
			return true
		}
	}
	return false
}

func wordAfterURL(words []string) string {
	for i, w := range words {
		if strings.Contains(w, "://") && i+1 < len(words) {
			if words[i+1] == "to" && i+2 < len(words) {
				return words[i+2]
			}
			return words[i+1]
		}
	}
	return words[len(words)-1]
}

// hostObjectFetch reads what an XMLHTTP object is told by the statements behind
// its creation: the address to open, the file to save to.
func (a *analysis) hostObjectFetch(i int, tool string) (fetching, bool) {
	f := fetching{Fetch: meetguard.Fetch{Tool: tool}, word: "http"}
	opened := false
	for k := i; k < len(a.stmts) && k < i+200; k++ {
		s := &a.stmts[k]
		low := strings.ToLower(s.text)
		if k > i && strings.Contains(low, "createobject(") && strings.Contains(low, "xmlhttp") {
			break
		}
		if strings.Contains(low, ".open") && !opened && len(s.words) > 1 {
			opened = true
			if u, ok := urlArgument(tool, s.words); ok {
				f.Host, f.url, f.Insecure = u.Host, u.url, u.Insecure
			}
		}
		for n, w := range s.words {
			if strings.HasSuffix(strings.ToLower(w), "savetofile") && n+1 < len(s.words) && f.output == "" {
				f.output = s.words[n+1]
			}
		}
		if strings.Contains(low, "responsetext") && (a.rules.word(&s.hits, "<execute>") || a.rules.word(&s.hits, "executeglobal") || a.rules.word(&s.hits, "<eval>") || a.rules.word(&s.hits, "new function(")) {
			f.To, f.RunBy = "variable", "execute"
		}
		if s.lang == langPowerShell && f.RunBy == "" && (strings.Contains(low, ".responsetext") || strings.Contains(low, ".responsebody")) {
			if f.RunBy = a.powerRunner(s); f.RunBy != "" {
				f.To = "variable"
			}
		}
		if strings.Contains(low, "ignore") && strings.Contains(low, "option") || strings.Contains(low, "setoption 2") {
			f.Insecure = true
		}
	}
	return f, opened
}

// evaluates tells whether a statement executes text of its own language.
func (a *analysis) evaluates(s *stmt) bool {
	return a.rules.word(&s.hits, "<eval>") || a.rules.word(&s.hits, "<exec>") && s.lang == langPython
}
