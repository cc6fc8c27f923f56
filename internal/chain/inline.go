package chain

import (
	"strings"

	"meetguard"
)

// Code in the command line of an interpreter is read by what it says, not by
// whose it is: every language has words for bringing something from an address,
// for running a text or a program, and for sending.

// plainTool is the name of a program without its version and its twins, so that
// python3.12, pythonw and python are one.
func plainTool(name string) string {
	switch {
	case strings.HasPrefix(name, "python"), strings.HasPrefix(name, "pypy"):
		return "python"
	case strings.HasPrefix(name, "ruby"), strings.HasPrefix(name, "perl"), strings.HasPrefix(name, "php"):
		return strings.TrimRight(name, "-.0123456789")
	case name == "nodejs":
		return "node"
	case name == "texlua" || name == "luajit" || strings.HasPrefix(name, "lua5"):
		return "lua"
	case name == "gcurl":
		return "curl"
	}
	return name
}

// inlineHosts take code from a pipe as shells do.
var inlineHosts = set(`osascript python python3 perl ruby node php lua tclsh deno bun pwsh powershell swift`)

// codeFlag says whether the argument behind an option is code.
func codeFlag(name, a string) bool {
	switch a {
	case "-c", "-e", "--eval", "-p", "--print", "-pe":
		return a != "-c" || name == "python" || name == "lua" || name == "tclsh"
	case "eval":
		return name == "deno"
	case "-r", "-R":
		return name == "php"
	}
	if name == "perl" || name == "ruby" { // -ne, -wle, -MLWP::Simple comes before
		return len(a) > 2 && len(a) < 7 && a[0] == '-' && a[1] != '-' && a[1] != 'M' && a[1] != 'r' && a[1] != 'I' && strings.HasSuffix(a, "e")
	}
	return false
}

var (
	connectWords = []string{"io::socket", "socket.socket", "socket.create_connection", "tcpsocket", "fsockopen", "stream_socket_client", "net.connect", "net.createconnection", "net.socket(", "/dev/tcp/", "socket.tcp", "deno.connect", "pf_inet"}
	shellWordsIn = []string{"/bin/sh", "/bin/bash", "/bin/zsh", "cmd.exe", "powershell", "pty.spawn", "`#{", "os.popen(", "subprocess.getoutput"}
	bringWords   = []string{"urlopen", "urlretrieve", "urllib", "requests.get", "httpx.", "http.client", "aiohttp", "open-uri", "uri.open", "open(\"http", "open('http", "open(%q(http", "net::http", "file_get_contents", "curl_exec", "curl_init", "readfile(", "copy(\"http", "copy('http",
		"fopen(", "lwp::", "http::tiny", "getstore", "getprint", "get(\"http", "get('http", "get(q", "fetch(", "http.get", "https.get", ".request(", "require('http", "require(\"http", "import('http", "import(\"http", "import \"http", "axios", "got(", "socket.http", "http.request", "nsurl", "datawithcontentsofurl", "stringwithcontentsofurl", "urlsession", "data(contentsof", "string(contentsof",
		"include 'http", "include \"http", "include('http", "include(\"http", "require 'http", "require \"http", "curl ", "wget ", "webclient", "xmlhttp", "winhttp"}
	runWords = []string{"eval(", "(eval)", "eval ", "eval{", "exec(", "exec ", "exec_module", "execfile", "system(", "system ", "popen", "spawn", "subprocess", "child_process", "execsync", "new function", "function(", "vm.runin", "runinthiscontext", "instance_eval", "module_eval", "shell_exec", "passthru", "proc_open", "assert(",
		"include ", "include(", "include'", "include\"", "load ", "load(", "loadstring", "dofile", "doshellscript", "nstask", "process()", "compile(", "__import__", "runpy", "import(", "os.startfile", "qx", "| sh", "|sh", "| bash", "|bash", "pcntl_exec", "execv"}
	sendWords = []string{".post(", "requests.post", "requests.put", "post_form", "post(", "curlopt_post", "method:'post'", "method: 'post'", "method:\"post\"", "method: \"post\"", "'post'", "\"post\"", "sendall", "data=open", "files={", "upload"}
)

// inline reads such code: whether it opens a connection, brings something and
// runs it, sends something, or decodes what it runs.
func (r *reader) inline(name, code string, depth int) {
	low := strings.ToLower(clip(code))
	if containsAny(low, connectWords...) {
		d := meetguard.Deed{Kind: meetguard.DeedConnect, What: name, Host: hostIn(low)}
		if containsAny(low, shellWordsIn...) {
			d.Mark = []string{"shell"}
		}
		r.add(d)
	}
	if containsAny(low, "base64", "atob(", "fromhex", "b64decode", "unpack('m", "unpack(\"m", "pack('h", "decode64", "marshal.loads", "zlib.decompress", "rot13", "unhexlify") && containsAny(low, "eval", "exec", "function(", "system", "spawn") {
		r.add(meetguard.Deed{Kind: meetguard.DeedEncoded, What: "inline"})
	}
	url := urlText(code)
	literals := quotedIn(code)
	if url != "" && containsAny(low, bringWords...) {
		host, _ := split(url)
		d := meetguard.Deed{Kind: meetguard.DeedFetch, Host: host, What: name, File: pathAmong(literals)}
		if containsAny(low, runWords...) && !containsAny(low, "print(eval") {
			d.Kind, d.File = meetguard.DeedFetchRun, ""
		}
		if containsAny(low, "_create_unverified", "cert_none", "verify=false", "rejectunauthorized:false", "rejectunauthorized: false", "verify_none", "ssl_verify_peer") {
			d.Mark = []string{"insecure"}
		}
		if containsAny(low, sendWords...) && d.Kind == meetguard.DeedFetch {
			d.Kind = meetguard.DeedUpload
		}
		r.add(d)
	}
	if containsAny(low, runWords...) {
		for i, text := range literals {
			if i < 16 && strings.ContainsRune(text, ' ') && knownTool[plainTool(Program(firstWord(text)))] {
				r.line(text, depth+1)
			}
		}
	}
}

// knownTool are the first words of a text that is a command line.
var knownTool = set(`curl wget sh bash zsh chmod osascript cp mv zip tar open launchctl nohup cmd powershell pwsh python node rm mkdir cat base64 xattr security defaults crontab start certutil bitsadmin reg schtasks ditto unzip scp rsync nc perl ruby php sudo env`)

func firstWord(text string) string {
	w, _, _ := strings.Cut(strings.TrimLeft(text, " ("), " ")
	return w
}

// urlText is the first address in a text.
func urlText(text string) string {
	low := lowered(text)
	for _, scheme := range []string{"https://", "http://", "ftp://"} {
		if i := strings.Index(low, scheme); i >= 0 {
			end := strings.IndexAny(text[i:], " \t\n'\"`)<>|;,\\")
			if end < 0 {
				end = len(text) - i
			}
			return text[i : i+end]
		}
	}
	return ""
}

// hostIn is the first literal in lower-case code that is an address or a name
// with a dot and no path.
func hostIn(low string) string {
	for _, l := range quotedIn(low) {
		if _, rest, ok := strings.Cut(l, "://"); ok {
			l = rest
		}
		host, _, _ := strings.Cut(l, ":")
		if strings.Count(host, ".") > 0 && !strings.ContainsAny(host, "/\\ ();=") && len(host) < 254 && !strings.HasPrefix(host, ".") {
			return host
		}
	}
	return ""
}

// quotedIn are the literals of a text of code, at most 64.
func quotedIn(code string) []string {
	var out []string
	for i := 0; i < len(code) && len(out) < 64; i++ {
		c := code[i]
		if c == '(' && i > 1 && code[i-1] == 'q' && (code[i-2] == '%' || code[i-2] == ' ' || code[i-2] == 'q') {
			c = ')'
		} else if c != '\'' && c != '"' && c != '`' {
			continue
		}
		end := i + 1
		for end < len(code) && code[end] != c {
			if code[end] == '\\' {
				end++
			}
			end++
		}
		if end > len(code) {
			break
		}
		out = append(out, strings.ReplaceAll(code[i+1:min(end, len(code))], `\"`, `"`))
		i = end
	}
	return out
}

// pathAmong is the first literal that is the name of a file with a folder.
func pathAmong(literals []string) string {
	for _, l := range literals {
		if len(l) > 3 && len(l) < 512 && !strings.Contains(l, "://") && !strings.ContainsAny(l, " ()") && (l[0] == '/' || l[0] == '~' || len(l) > 3 && l[1] == ':' || strings.HasPrefix(l, "%")) {
			return l
		}
	}
	return ""
}
