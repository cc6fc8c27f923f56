package script

import (
	"strings"

	"meetguard"
)

// channelFetch recognises the ways to bring something that are no downloads:
// network shares, connections, remote shells, copies, repositories and names.
// Those that honest scripts use all the time count only if what comes is run.
func (a *analysis) channelFetch(i int) (fetching, bool) {
	s := &a.stmts[i]
	if f, ok := a.socketFetch(i); ok {
		return f, true
	}
	if len(s.cmd) == 0 {
		return fetching{}, false
	}
	if f, ok := shareFetch(s); ok {
		return f, true
	}
	if len(s.cmd) < 2 {
		return fetching{}, false
	}
	args := s.cmd[1:]
	switch s.head {
	case "nc", "ncat", "netcat", "telnet", "ssh", "socat", "finger":
		if shell := a.shellBehind(s); shell != "" {
			return fetching{Fetch: meetguard.Fetch{Tool: s.head, Host: peerOf(args), Insecure: true, To: "pipe", RunBy: shell}}, true
		}
		return a.ifRun(i, fetching{Fetch: meetguard.Fetch{Tool: s.head, Host: peerOf(args), Insecure: s.head != "ssh"}})
	case "openssl":
		if args[0] == "s_client" {
			return a.ifRun(i, fetching{Fetch: meetguard.Fetch{Tool: s.head, Host: hostOf(optionValue(args, "-connect"))}})
		}
	case "dig", "host", "nslookup", "drill", "kdig":
		return a.ifRun(i, fetching{Fetch: meetguard.Fetch{Tool: "dns", Host: peerOf(args)}})
	case "scp", "rsync", "sftp":
		if f, ok := copyFetch(s.head, args); ok || s.head != "sftp" {
			return f, ok
		}
		host := peerOf(args) // told by its input what to get
		return fetching{Fetch: meetguard.Fetch{Tool: s.head, Host: host, To: "file"}}, host != "" && s.producer > 0
	case "ztcp": // zsh/net/tcp
		host := peerOf(args)
		return fetching{Fetch: meetguard.Fetch{Tool: s.head, Host: host, Insecure: true, To: "variable"}}, host != ""
	case "git":
		return cloneFetch(args)
	case "ftp", "tftp":
		return a.ftpFetch(s, args)
	}
	return fetching{}, false
}

// ifRun keeps a fetch if something executes what comes.
func (a *analysis) ifRun(i int, f fetching) (fetching, bool) {
	f.stmt = i
	if s := &a.stmts[i]; s.out != "" {
		f.output = s.out
		a.follow(&f)
	} else {
		a.followOutput(&f)
	}
	if f.RunBy == "" && (f.To == "file" || f.To == "temp") {
		return fetching{}, false
	}
	return f, f.RunBy != ""
}

// shellBehind is the shell that takes its commands from a connection: the
// program is told to start it, or its output is what a shell prints that reads
// the file into which the connection writes.
func (a *analysis) shellBehind(s *stmt) string {
	if s.head == "ssh" || s.head == "finger" {
		return ""
	}
	for i, w := range s.cmd[1:] {
		if (w == "-e" || w == "-c" || w == "--exec" || w == "--sh-exec") && i+2 < len(s.cmd) {
			return programs[programName(s.cmd[i+2])]
		}
	}
	if s.producer == 0 || s.out == "" {
		return ""
	}
	shell := &a.stmts[s.producer-1]
	if programs[shell.head] != "sh" && programs[shell.head] != "bash" && programs[shell.head] != "zsh" || shell.keepsToItself(false) {
		return ""
	}
	from := shell.in
	if shell.producer > 0 && len(a.stmts[shell.producer-1].cmd) == 2 { // cat FILE |
		from = a.stmts[shell.producer-1].cmd[1]
	}
	if from != s.out {
		return ""
	}
	return programs[shell.head]
}

// peerOf is the host that a connecting program is told.
func peerOf(args []string) string {
	for k := 0; k < len(args); k++ {
		w := args[k]
		if strings.HasPrefix(w, "-") {
			if len(w) == 2 && strings.IndexByte("obiplFJwqsExD", w[1]) >= 0 {
				k++
			}
			continue
		}
		if n := strings.LastIndexByte(w, '@'); n >= 0 {
			w = w[n+1:]
		}
		for _, kind := range []string{"tcp:", "TCP:", "openssl:", "OPENSSL:", "ssh://"} {
			w = strings.TrimPrefix(w, kind)
		}
		if host := hostOf(w); strings.Contains(host, ".") {
			return host
		}
	}
	return ""
}

// socketFetch reads the shell's own connections: /dev/tcp/HOST/PORT.
func (a *analysis) socketFetch(i int) (fetching, bool) {
	s := &a.stmts[i]
	if s.lang != langShell {
		return fetching{}, false
	}
	target := s.in
	if !isSocket(target) {
		target = s.out
	}
	if !isSocket(target) {
		return fetching{}, false
	}
	host, _, _ := strings.Cut(target[len("/dev/tcp/"):], "/")
	f := fetching{Fetch: meetguard.Fetch{Tool: "/dev/tcp", Host: hostOf(host), Insecure: true, To: "pipe"}, stmt: i}
	if f.RunBy = programs[s.head]; f.RunBy != "" {
		return f, true
	}
	if s.in == target && s.consumer > 0 {
		a.followOutput(&f)
		return f, true
	}
	if len(s.words) > 0 {
		a.followDescriptor(&f, s.words[len(s.words)-1])
	}
	return f, true
}

func isSocket(path string) bool {
	return strings.HasPrefix(path, "/dev/tcp/") || strings.HasPrefix(path, "/dev/udp/")
}

// followDescriptor looks for the command that reads an open file by its number.
func (a *analysis) followDescriptor(f *fetching, number string) {
	for k := f.stmt + 1; k < min(len(a.stmts), f.stmt+200); k++ {
		s := &a.stmts[k]
		if s.in != number || s.lang != langShell {
			continue
		}
		if f.RunBy = programs[s.head]; f.RunBy == "" {
			from := f.stmt
			f.stmt = k
			a.followOutput(f)
			f.stmt = from
		}
		if f.RunBy != "" {
			return
		}
	}
}

// shareHost reads the host of \\\\host\\share. A name without a dot is a machine
// of the house.
func shareHost(word string) (host, tool string) {
	if !strings.HasPrefix(word, `\\`) || len(word) < 5 {
		return "", ""
	}
	name, rest, _ := strings.Cut(word[2:], `\`)
	tool = "smb"
	if at := strings.IndexByte(name, '@'); at >= 0 || strings.HasPrefix(strings.ToLower(rest), "davwwwroot") {
		tool = "webdav"
		if at >= 0 {
			name = name[:at]
		}
	}
	if host = hostOf(name); !strings.Contains(host, ".") {
		return "", ""
	}
	return host, tool
}

// shareFetch recognises programs that are run from a share, and what is copied
// or mounted from one.
func shareFetch(s *stmt) (fetching, bool) {
	for k, w := range s.cmd {
		host, tool := shareHost(w)
		if host == "" {
			continue
		}
		f := fetching{Fetch: meetguard.Fetch{Tool: tool, Host: host, To: "pipe"}}
		switch {
		case k == 0:
			f.RunBy = "direct"
		case s.head == "net":
			f.output = driveOf(s.cmd)
		case s.head == "copy" || s.head == "xcopy" || s.head == "robocopy" || s.head == "cp":
			f.output = s.cmd[len(s.cmd)-1]
		default:
			f.RunBy = programs[s.head]
		}
		return f, f.RunBy != "" || f.output != "" && f.output != w
	}
	return fetching{}, false
}

// driveOf is the letter that "net use" gives a share.
func driveOf(words []string) string {
	for _, w := range words {
		if len(w) == 2 && w[1] == ':' {
			return w
		}
	}
	return ""
}

// copyFetch reads copies from another machine: scp user@host:file here.
func copyFetch(tool string, args []string) (fetching, bool) {
	var plain []string
	for k := 0; k < len(args); k++ {
		if w := args[k]; strings.HasPrefix(w, "-") {
			if len(w) == 2 && strings.IndexByte("oiPFJlcSe", w[1]) >= 0 {
				k++
			}
			continue
		}
		plain = append(plain, args[k])
	}
	if len(plain) < 2 {
		return fetching{}, false
	}
	if host, scheme, ok := urlHost(plain[0]); ok && scheme == "rsync" {
		return fetching{Fetch: meetguard.Fetch{Tool: tool, Host: host, Insecure: true}, url: plain[0], output: plain[len(plain)-1]}, true
	}
	name, file, remote := strings.Cut(plain[0], ":")
	if !remote || strings.Contains(name, "/") {
		return fetching{}, false
	}
	f := fetching{Fetch: meetguard.Fetch{Tool: tool, Host: hostOf(name)}, output: plain[len(plain)-1]}
	if f.output == "." || strings.HasSuffix(f.output, "/") {
		f.output += "/" + lastSegment(file)
	}
	return f, true
}

// cloneFetch reads "git clone URL [folder]".
func cloneFetch(args []string) (fetching, bool) {
	if !containsFold(args, "clone") {
		return fetching{}, false
	}
	f, ok := urlArgument("git", args)
	if last := args[len(args)-1]; last != f.url {
		f.output = last
	} else {
		f.output = strings.TrimSuffix(lastSegment(strings.TrimRight(f.url, "/")), ".git")
	}
	return f, ok
}

// hooked tells whether git is given the hooks of the repository that statement n
// clones, and then told to do what starts them. People who set the hooks of their
// own project leave it at the first.
func (a *analysis) hooked(n int) bool {
	set := false
	for k := n; k < min(len(a.stmts), n+40); k++ {
		s := &a.stmts[k]
		if s.head != "git" || !a.look(s) {
			continue
		}
		low := strings.ToLower(s.text)
		if strings.Contains(low, "core.hookspath") || strings.Contains(low, "core.fsmonitor") {
			set = true
			if !strings.Contains(low, " config ") {
				return true // git -c core.hooksPath=… clone
			}
			continue
		}
		if set && startsHooks(s.cmd[1:]) {
			return true
		}
	}
	return false
}

// startsHooks holds for the commands of git that run hooks (githooks(5)).
func startsHooks(args []string) bool {
	for _, w := range args {
		if hasWord("checkout switch commit merge pull rebase am push status worktree", w) {
			return true
		}
	}
	return false
}

// ftpFetch reads what an FTP client is told by options, by its input or by a
// file of commands that the script has written.
func (a *analysis) ftpFetch(s *stmt, args []string) (fetching, bool) {
	f := fetching{Fetch: meetguard.Fetch{Tool: s.head, Host: peerOf(args), Insecure: true}}
	orders := s.here
	if s.producer > 0 {
		if text, ok := a.printed(s.producer - 1); ok {
			orders = text
		}
	}
	for _, w := range args {
		if len(w) > 3 && strings.EqualFold(w[:3], "-s:") {
			orders = a.written(w[3:])
		}
	}
	if s.head == "tftp" {
		orders = strings.Join(args, " ")
		if n := strings.Index(strings.ToLower(orders), "get "); n >= 0 {
			orders = orders[n:]
		}
	}
	for line := range strings.SplitSeq(orders, "\n") {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch strings.ToLower(words[0]) {
		case "open":
			f.Host = hostOf(words[1])
		case "get", "recv", "mget":
			f.output = words[len(words)-1]
		}
	}
	return f, f.output != ""
}

// written is what echo and here-documents have put into a file.
func (a *analysis) written(name string) string {
	var b strings.Builder
	for i := range a.stmts {
		s := &a.stmts[i]
		if !a.look(s) {
			break
		}
		if s.out == "" || !strings.EqualFold(s.out, name) || b.Len() > maxValue {
			continue
		}
		if s.here != "" {
			b.WriteString(s.here)
		} else if text, ok := a.printed(i); ok {
			b.WriteString(text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
