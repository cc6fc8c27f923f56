package chain

import (
	"strings"

	"meetguard"
)

// fetchTools bring a file from the address that they are given.
var fetchTools = set(`axel lwp-request lwp-download http https xh httpie lftp links lynx w3m elinks wcurl curlie ftp tftp httrack
	mpcmdrun desktopimgdownldr certoc certreq cmdl32 configsecuritypolicy imewdbld mspub msohtmed winword excel powerpnt hh squirrel update winget xwizard pktmon
	get head fetch ftpget gsutil gcloud azcopy s3cmd mc aws extexport ieexplore`)

// codeTools run what they are given an address of.
var codeTools = set(`presentationhost ieexec javaws deno bun npx pipx uvx uv pwsh msxsl wmic pubprn scriptrunner appinstaller infdefaultinstall cmstp mavinject dfsvc`)

// packageTools bring a package and run what it says on installing it.
var packageTools = set(`pip pip3 npm yarn pnpm gem cargo go easy_install conda npx luarocks cpan cpanm brew snap flatpak code cursor codium winget dotnet nuget choco composer uv helm`)

// brings reads programs that bring or send something by their arguments alone,
// and no other function knows. It says whether there is nothing left to read.
func (r *reader) brings(name string, args []string, all string, depth int) bool {
	switch name {
	case "dig", "drill", "kdig", "host", "nslookup", "resolvectl", "resolve-dnsname":
		if strings.Contains(all, "txt") {
			r.add(meetguard.Deed{Kind: meetguard.DeedFetch, What: "name service", Host: domainAmong(args)})
		}
		return true
	case "mount", "mount_smbfs", "mount_webdav", "mount_nfs", "mount.cifs", "sshfs", "mount_afp":
		for _, a := range args {
			host, at := shareOf(a)
			if host == "" {
				continue
			}
			d := meetguard.Deed{Kind: meetguard.DeedFetch, What: "share", Host: host, File: last(args)}
			r.add(d)
			r.add(meetguard.Deed{Kind: meetguard.DeedUnpack, What: name, File: last(args), From: at})
		}
		return true
	case "go":
		for i, a := range args {
			if host, _, ok := strings.Cut(a, "/"); ok && i > 0 && strings.Contains(host, ".") && host[0] != '.' && (args[0] == "run" || args[0] == "install" || args[0] == "get") {
				r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: name, Host: strings.ToLower(host), Mark: []string{"package"}})
			}
		}
		return true
	case "finger":
		if _, host, ok := strings.Cut(strings.Join(args, " "), "@"); ok {
			r.add(meetguard.Deed{Kind: meetguard.DeedFetch, What: name, Host: strings.ToLower(firstWord(host))})
		}
		return true
	case "nc", "ncat", "netcat", "socat", "telnet", "openssl":
		return r.connects(name, args, all)
	case "scp", "sftp":
		r.copies(name, plainOf(args, "-i", "-P", "-o", "-F", "-l", "-c"), all)
		return true
	case "rclone", "aws", "gsutil", "azcopy", "s3cmd", "mc", "mega-put", "gdrive":
		if containsAny(all, " copy ", " sync ", " cp ", " mv ", " move ", " put ", " upload ", " rcat ", " copyto ", "mega") {
			host, _ := split(urlIn(args))
			r.add(meetguard.Deed{Kind: meetguard.DeedUpload, What: name, Host: host, File: localAmong(args)})
		}
		return true
	case "gdb", "lldb":
		if _, rest, ok := strings.Cut(all, `dlopen("`); ok {
			file, _, _ := strings.Cut(rest, `"`)
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: "library", File: file})
			r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: "detour", File: file})
		}
		return true
	case "git":
		if host, _ := split(urlIn(args)); host != "" && strings.Contains(all, " push ") {
			r.add(meetguard.Deed{Kind: meetguard.DeedUpload, What: name, Host: host})
			return true
		}
		if host, part := split(urlIn(args)); host != "" && strings.Contains(all, " clone ") {
			if to := last(args); !strings.Contains(to, "://") && !strings.HasPrefix(to, "-") {
				part = to
			}
			r.add(meetguard.Deed{Kind: meetguard.DeedFetch, What: name, Host: host, File: strings.TrimSuffix(part, ".git")})
		}
		return true
	case "wmic":
		if strings.Contains(all, " call ") && strings.Contains(all, " create ") {
			words := splitWindows(strings.Trim(last(args), `"'`))
			if len(words) > 0 {
				r.detour(words[0])
				r.run(words, depth+1)
			}
			return true
		}
	case "ftp":
		for _, a := range args {
			if file, ok := strings.CutPrefix(a, "-s:"); ok {
				r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: name, File: file})
			}
		}
	case "gh", "glab":
		if containsAny(all, "gist create", "snippet create") {
			r.add(meetguard.Deed{Kind: meetguard.DeedUpload, What: name, Host: "gist.github.com", File: lastPlain(args)})
		}
		return true
	case "croc", "wormhole", "ffsend", "transfer", "wormhole-william":
		if strings.Contains(all, " send ") || name == "transfer" || strings.Contains(all, " upload ") {
			r.add(meetguard.Deed{Kind: meetguard.DeedUpload, What: name, Host: domainAmong([]string{exactAfter(args, "--relay")}), File: lastPlain(args)})
		}
		return true
	case "snap":
		if strings.Contains(all, " install ") {
			r.snap(args, all)
		}
	case "gnome-extensions":
		if file := last(args); strings.Contains(all, " install ") && strings.HasSuffix(file, ".zip") {
			id := strings.TrimSuffix(strings.TrimSuffix(base(file), ".zip"), ".shell-extension")
			r.add(meetguard.Deed{Kind: meetguard.DeedUnpack, What: name, File: homeOf(r.cwd, r.user) + "/.local/share/gnome-shell/extensions/" + id, From: file})
		}
		return true
	case "mount-diskimage":
		r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: "hdiutil", File: lastPlain(args)})
		return true
	case "cmstp", "msbuild", "regasm", "regsvcs", "installutil", "odbcconf", "control", "hh", "mmc", "ie4uinit", "infdefaultinstall", "dnx", "csi", "fsi", "rcsi", "msxsl", "appvlp", "diskshadow":
		if file := lastPlain(args); file != "" && !strings.Contains(file, "://") {
			if name == "odbcconf" && strings.Contains(all, "regsvr") {
				name = "regsvr32"
			}
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: name, File: strings.Trim(file, `{}"`)})
		}
	}
	url := urlIn(args)
	if url == "" {
		return false
	}
	host, lastPart := split(url)
	switch {
	case name == "ansible-pull":
		r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: name, Host: host})
	case packageTools[name] && containsAny(all, " install ", " i ", " add ", " exec ", " run ", "--install-extension", " tap ", " create-project ", " require ", " configure ") || name == "npx":
		r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: name, Host: host, Mark: []string{"package"}})
	case codeTools[name], name == "python" && !strings.Contains(all, " -c "), name == "java":
		r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: name, Host: host})
	case name == "certreq" && strings.Contains(all, " -post"):
		r.add(meetguard.Deed{Kind: meetguard.DeedUpload, What: name, Host: host, File: lastPlain(args)})
	case fetchTools[name]:
		file := exactAfter(args, "-o") + exactAfter(args, "-O") + exactAfter(args, "-path") + exactAfter(args, "-Path") + exactAfter(args, "--output")
		if file == "" && lastPlain(args) != url && !strings.Contains(lastPlain(args), "://") {
			file = lastPlain(args)
		}
		if file == "" {
			file = lastPart
		}
		r.add(meetguard.Deed{Kind: meetguard.DeedFetch, What: name, Host: host, File: file})
	case exactAfter(args, "-o")+exactAfter(args, "--output")+exactAfter(args, "-O") != "" && !known[name]: // one of those, by another name
		r.add(meetguard.Deed{Kind: meetguard.DeedFetch, What: name, Host: host, File: exactAfter(args, "-o") + exactAfter(args, "--output") + exactAfter(args, "-O")})
	default:
		return false
	}
	return true
}

// known are programs with functions of their own.
var known = set(`curl wget nscurl aria2c fetch powershell pwsh cmd sh bash zsh dash ksh fish osascript python node perl ruby php msiexec mshta regsvr32 rundll32 certutil bitsadmin open ssh tar git make gcc cc clang go ffmpeg`)

// connects reads programs that open a connection and hand it on.
func (r *reader) connects(name string, args []string, all string) bool {
	host := domainAmong(args)
	switch {
	case name == "openssl" && !strings.Contains(all, "s_client"):
		return false
	case name == "openssl" && strings.Contains(all, "-showcerts"):
		return true // somebody looks at a certificate
	case name == "openssl":
		host, _, _ = strings.Cut(strings.ToLower(exactAfter(args, "-connect")), ":")
		r.add(meetguard.Deed{Kind: meetguard.DeedFetch, What: name, Host: host})
		if strings.Contains(all, "-quiet") {
			r.add(meetguard.Deed{Kind: meetguard.DeedUpload, What: name, Host: host})
		}
	case containsAny(all, "exec:", "system:") || (name == "nc" || name == "ncat" || name == "netcat") && containsAny(all, " -e ", " -c ", " --exec ", " --sh-exec "):
		r.add(meetguard.Deed{Kind: meetguard.DeedConnect, What: name, Host: host, Mark: []string{"shell"}})
	case strings.Contains(shortFlags(args), "z") || strings.Contains(shortFlags(args), "l"):
	default:
		r.add(meetguard.Deed{Kind: meetguard.DeedFetch, What: name, Host: host})
		r.add(meetguard.Deed{Kind: meetguard.DeedUpload, What: name, Host: host})
	}
	return true
}

// shareOf is the machine of a share as mount names it: //guest@host/share,
// https://host/dav, user@host:dir.
func shareOf(a string) (host, rest string) {
	switch {
	case strings.HasPrefix(a, "//"):
		host = a[2:]
	case strings.Contains(a, "://"):
		_, host, _ = strings.Cut(a, "://")
	case strings.Contains(a, ":") && !strings.HasPrefix(a, "/") && !strings.HasPrefix(a, "-"):
		host, _, _ = strings.Cut(a, ":")
	default:
		return "", ""
	}
	host, rest, _ = strings.Cut(host, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	return strings.ToLower(host), rest
}

// domainAmong is the first argument that is a name with a dot, or an address.
func domainAmong(args []string) string {
	for i, a := range args {
		if i > 0 && (args[i-1] == "-o" || args[i-1] == "-f") || strings.HasPrefix(a, "-") || strings.HasPrefix(a, "@") || strings.ContainsAny(a, `/\=`) { // #nosec G602 -- i > 0
			continue
		}
		if _, rest, ok := strings.Cut(a, "@"); ok {
			a = rest
		}
		parts := strings.Split(a, ":")
		if len(parts) > 1 && !strings.Contains(parts[0], ".") {
			parts = parts[1:]
		}
		if a = strings.TrimSuffix(parts[0], "."); strings.Contains(a, ".") && len(a) < 254 {
			return strings.ToLower(a)
		}
	}
	return ""
}

// localAmong is the first argument that is a path of this machine.
func localAmong(args []string) string {
	for _, a := range args {
		if strings.ContainsAny(a, `/\`) && !strings.Contains(a, ":/") && !strings.HasPrefix(a, "-") && (len(a) < 3 || a[1] == ':' || !strings.Contains(a, ":")) && !strings.HasSuffix(a, ".conf") {
			return a
		}
	}
	return ""
}

// plainOf are the arguments without options and what the named ones are given.
func plainOf(args []string, valued ...string) []string {
	var out []string
next:
	for i, a := range args {
		if strings.HasPrefix(a, "-") {
			continue
		}
		for _, v := range valued {
			if i > 0 && args[i-1] == v {
				continue next
			}
		}
		out = append(out, a)
	}
	return out
}

func last(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[len(args)-1]
}

// snap reads the installation of a package that was not looked at by its store.
func (r *reader) snap(args []string, all string) {
	file := last(args)
	if !strings.HasSuffix(file, ".snap") {
		return
	}
	name, _, _ := strings.Cut(strings.TrimSuffix(base(file), ".snap"), "_")
	r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: "package", File: file})
	r.add(meetguard.Deed{Kind: meetguard.DeedUnpack, What: "snap", File: "/snap/" + name + "/x1", From: file})
	if containsAny(all, "--devmode", "--dangerous") {
		r.add(meetguard.Deed{Kind: meetguard.DeedDequarantine, What: "unchecked", File: file})
	}
}

// homeOf is the home of a user of Linux, by the folder that something runs in or
// by the name.
func homeOf(cwd, user string) string {
	if parts := strings.SplitN(cwd, "/", 4); len(parts) > 2 && parts[1] == "home" {
		return "/home/" + parts[2]
	}
	if user == "root" {
		return "/root"
	}
	return "/home/" + user
}
