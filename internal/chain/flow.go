package chain

import (
	"strings"

	"meetguard"
)

// redirected takes the redirections out of a command of a shell and notes what
// they write: the download that goes to a file, the line that is added to a file
// which others start from.
func (r *reader) redirected(name string, words []string) []string {
	out := words[:0:0]
	to, from := "", ""
	for i := 0; i < len(words); i++ {
		w := words[i]
		at := strings.IndexAny(w, "<>")
		if at < 0 || at > 1 || i == 0 || strings.HasPrefix(w, "<(") || strings.HasPrefix(w, ">(") {
			out = append(out, w)
			continue
		}
		file := strings.TrimLeft(w[at:], "<>|")
		if file == "" && i+1 < len(words) {
			i++
			file = words[i]
		}
		switch {
		case strings.HasPrefix(file, "&"), file == "/dev/null", strings.HasPrefix(w, "<<"):
		case w[at] == '<':
			from = file
		case w[0] != '2':
			to = file
		}
	}
	if from != "" {
		r.took(name, from)
	}
	if to != "" {
		r.wrote(name, to, out)
	}
	return out
}

// took notes the file that a program reads its input from.
func (r *reader) took(name, file string) {
	if wrapper[name] || inlineHosts[name] {
		r.add(meetguard.Deed{Kind: meetguard.DeedRun, File: file, What: name})
	}
}

// wrote notes the file that the output of a command goes to.
func (r *reader) wrote(name, file string, words []string) {
	all := " " + strings.ToLower(strings.Join(words[min(1, len(words)):], " ")) + " "
	switch name {
	case "curl", "wget", "nscurl", "dig", "nslookup", "openssl", "nc", "ncat":
		if host, _ := split(urlIn(words)); !containsAny(all, "=@", " -t ", " --upload-file") { // the answer to what is sent is no download
			r.add(meetguard.Deed{Kind: meetguard.DeedFetch, What: name, File: file, Host: host})
		}
	case "base64", "xxd", "gunzip", "uudecode":
		r.add(meetguard.Deed{Kind: meetguard.DeedEncoded, What: name, File: file, From: lastPlain(words[1:])})
	case "cat", "dd", "tail", "head":
		r.add(meetguard.Deed{Kind: meetguard.DeedPack, What: "copy", File: file, From: lastPlain(words[1:])})
	}
	r.writesStart(file, all)
}

func lastPlain(args []string) string {
	for i := len(args) - 1; i >= 0; i-- {
		if args[i] != "" && args[i][0] != '-' && strings.ContainsAny(args[i], `/\.`) {
			return args[i]
		}
	}
	return ""
}

// copies reads tools that make one file of another: copies, links and moves.
func (r *reader) copies(name string, plain []string, all string) {
	if len(plain) == 0 {
		return
	}
	d := meetguard.Deed{Kind: meetguard.DeedPack, File: plain[len(plain)-1], What: "copy"}
	if len(plain) > 1 {
		d.From = plain[len(plain)-2]
	}
	switch {
	case name == "robocopy" && len(plain) > 1:
		d.From, d.File = plain[0], plain[1]
	case (name == "xcopy" || name == "copy" || name == "move") && len(plain) > 1:
		d.From, d.File = plain[0], plain[1]
		for _, p := range plain[1:] {
			if !strings.HasPrefix(p, "/") {
				d.File = p
				break
			}
		}
	}
	if d.From != "" && strings.HasSuffix(d.File, "/") && remoteOf(name, d.File) == "" { // into a folder: by the name of the original
		d.File += base(d.From)
	}
	r.add(d)
	if strings.HasSuffix(strings.ToLower(d.From), "/tcc.db") || strings.HasSuffix(strings.ToLower(d.File), "/com.apple.tcc/tcc.db") {
		r.add(meetguard.Deed{Kind: meetguard.DeedAdmit, What: privacyList})
	}
	if host := remoteOf(name, d.File); host != "" {
		r.add(meetguard.Deed{Kind: meetguard.DeedUpload, What: name, Host: host, File: d.From})
	} else if host := remoteOf(name, d.From); host != "" {
		r.add(meetguard.Deed{Kind: meetguard.DeedFetch, What: name, Host: host, File: d.File})
	}
	r.writesStart(d.File, all)
	if last := len(r.out) - 1; last >= 0 && r.out[last].Kind == meetguard.DeedPersist && r.out[last].From == "" && d.From != "" {
		r.out[last].From = r.path(d.From)
	}
}

// remoteOf is the other machine that a copy of the network goes to or comes from.
func remoteOf(name, file string) string {
	at := strings.IndexByte(file, ':')
	if name != "rsync" && name != "scp" && name != "sftp" || at < 2 || strings.ContainsAny(file[:at], `/\`) {
		return ""
	}
	host := file[:at]
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	return strings.ToLower(host)
}

func base(p string) string {
	p = strings.TrimRight(p, `/\`)
	return p[strings.LastIndexAny(p, `/\`)+1:]
}

// privacyList is the list of what programs may see and steer on macOS, which
// nobody copies but to change it or to read it elsewhere.
const privacyList = "privacy list"
