package chain

import (
	"net/netip"
	"strconv"
	"strings"

	"meetguard"
)

// fetch reads curl and its like.
func (r *reader) fetch(name string, args []string) {
	d := meetguard.Deed{Kind: meetguard.DeedFetch, What: name}
	up, remote, url := false, false, ""
	for i := 0; i < len(args); i++ {
		a := args[i]
		next := ""
		if i+1 < len(args) {
			next = args[i+1]
		}
		switch {
		case strings.Contains(a, "://") && !strings.HasPrefix(a, "-"):
			if url == "" && (i == 0 || !valued[args[i-1]]) {
				url = a
			}
		case name == "wget" && strings.HasPrefix(a, "-") && strings.HasSuffix(a, "O-"):
			d.File = "-"
		case name == "wget" && len(a) > 2 && len(a) < 7 && a[0] == '-' && a[1] != '-' && strings.HasSuffix(a, "O"), a == "-o" || a == "-O" && name == "wget" || a == "--output" || a == "--output-document" || a == "-d" && name == "aria2c":
			d.File = next
			i++
		case strings.HasPrefix(a, "--output="), strings.HasPrefix(a, "--output-document="):
			_, d.File, _ = strings.Cut(a, "=")
		case a == "-O" || a == "--remote-name" || a == "-J":
			remote = true
		case a == "-T" || a == "--upload-file" || a == "--post-file" || strings.HasPrefix(a, "--post-file="):
			up = true
			if d.File = strings.TrimPrefix(a, "--post-file="); d.File == a {
				d.File = next
			}
			i++
		case a == "-F" || a == "--form" || a == "-d" || a == "--json" || strings.HasPrefix(a, "--data"):
			if containsAny(next, "$(env", "`env", "$(printenv") {
				up = true
				r.add(meetguard.Deed{Kind: meetguard.DeedSecret, What: "environment", Mark: []string{name}})
			} else if strings.Contains(next, "@") && !strings.Contains(next, "@json") {
				up = true
				_, d.File, _ = strings.Cut(next, "@")
				d.File, _, _ = strings.Cut(d.File, ";")
				d.File = strings.TrimPrefix(d.File, "-") // what comes through a pipe
			} else if len(next) > 0 {
				d.Mark = append(d.Mark, "post")
			}
			i++
		case a == "--netrc" || a == "-n": // https://everything.curl.dev/usingcurl/netrc.html
			d.Mark = append(d.Mark, "account")
		case a == "--insecure" || a == "--no-check-certificate":
			d.Mark = append(d.Mark, "insecure")
		case a == "-A" || a == "--user-agent" || a == "-H" || a == "--header" || a == "-u" || a == "-x" || a == "-e" || a == "-w" || a == "-m" || a == "--retry" || a == "-X":
			i++
		case strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && name == "curl":
			if strings.Contains(a, "k") {
				d.Mark = append(d.Mark, "insecure")
			}
			switch a[len(a)-1] {
			case 'o':
				d.File = next
				i++
			case 'O':
				remote = true
			case 'T':
				up, d.File = true, next
				i++
			case 'F', 'd':
				if _, file, ok := strings.Cut(next, "@"); ok {
					up = true
					d.File, _, _ = strings.Cut(file, ";")
				}
				i++
			}
		default:
			if url == "" && strings.Contains(a, ".") && !strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "/") && (i == 0 || !strings.HasPrefix(args[i-1], "-") || !valued[args[i-1]]) {
				url = "http://" + a
			}
		}
	}
	host, last := split(url)
	d.Host = host
	if strings.HasPrefix(url, "http://") && strings.Contains(strings.Join(args, " "), "http://") {
		d.Mark = append(d.Mark, "plain")
	}
	if (remote || name == "wget") && d.File == "" && !up && last != "" {
		d.File = last
	}
	if up {
		d.Kind = meetguard.DeedUpload
	}
	if url == "" && !up {
		return
	}
	if d.File == "-" || d.File == "/dev/null" || strings.EqualFold(d.File, "nul") {
		d.File = ""
	}
	if strings.Contains(url, "api.telegram.org/bot") {
		d.Kind, d.What = meetguard.DeedUpload, "telegram bot"
	}
	r.add(d)
}

var valued = set(`-A -H -e -x -u --user-agent --header --referer --proxy -X -w -m`)

// split gives the host of a URL and the last element of its path.
func split(url string) (host, last string) {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return "", ""
	}
	end := strings.IndexAny(rest, "/?#\"' ")
	if end < 0 {
		end = len(rest)
	}
	host = rest[:end]
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	if !strings.HasPrefix(host, "[") {
		host, _, _ = strings.Cut(host, ":")
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if strings.ContainsAny(host, "$`%{}()") || len(host) > 253 {
		host = ""
	}
	host = dotted(host)
	path, _, _ := strings.Cut(rest[end:], "?")
	last = path[strings.LastIndexByte(path, '/')+1:]
	return host, last
}

// dotted is a host as it is, or the address in four parts where somebody has
// written it as one number, which browsers and tools take as well.
// https://url.spec.whatwg.org/#concept-ipv4-parser
func dotted(host string) string {
	if len(host) < 8 {
		return host // a machine of the house may be called by a short number
	}
	n, err := strconv.ParseUint(host, 0, 32)
	if err != nil || strings.Contains(host, "_") {
		return host
	}
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String()
}

// urlIn finds the first URL of a command line.
func urlIn(args []string) string {
	for _, a := range args {
		if i := strings.Index(a, "://"); i > 2 {
			if s := lowered(a); strings.Contains(s, "http://") {
				return a[strings.Index(s, "http://"):]
			} else if strings.Contains(s, "https://") {
				return a[strings.Index(s, "https://"):]
			}
		}
	}
	return ""
}

// Public says whether a host is an address of the Internet and no name.
func Public(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && !a.IsPrivate() && !a.IsLoopback() && !a.IsUnspecified() && !a.IsLinkLocalUnicast()
}
