package chain

import (
	"strings"

	"meetguard"
)

// relays are programs that let somebody reach this machine from outside by way
// of a host of others.
var relays = set(`cloudflared chisel frpc bore rathole gost zrok gs-netcat revsocks pinggy tmate upterm sshx ttyd devtunnel localtunnel lt tailscale netbird zerotier-cli code code-insiders code-tunnel cursor codium ngrok playit loophole pagekite telebit wstunnel nps npc ligolo-agent iox stowaway`)

// tunnels reads programs that open a way in from outside through a relay, and
// switches of the system that let others in. What only shows a page of this
// machine to others, as developers do, is marked "web".
func (r *reader) tunnels(name string, args []string, all string) {
	admit := func(what, host string, marks ...string) {
		r.add(meetguard.Deed{Kind: meetguard.DeedAdmit, What: what, Host: host, Mark: marks})
	}
	switch name {
	case "ngrok", "loophole", "playit":
		if containsAny(all, " tcp ", " start ", " --all ") {
			admit("relay", "")
		} else if containsAny(all, " http ", " https ") {
			admit("relay", "", "web")
		}
	case "chisel", "frpc", "bore", "rathole", "gost", "gs-netcat", "revsocks", "wstunnel", "npc", "iox", "stowaway", "ligolo-agent":
		host, _ := split(urlIn(args))
		if host == "" {
			host = domainAmong(args)
		}
		if !containsAny(all, " server ", " --version ", " --help ") {
			admit("relay", host)
		}
	case "tmate", "upterm", "sshx":
		admit("terminal", "")
	case "tailscale":
		if containsAny(all, " --ssh", "funnel ") {
			admit("relay", "")
		}
	case "sc":
		if strings.Contains(all, "sshd") && containsAny(all, "auto", " start ") {
			admit("remote login", "")
		}
	case "ssh", "sshd", "autossh", "plink", "git", "npm", "node", "curl":
	default:
		if !strings.Contains(all, "tunnel") {
			return
		}
		switch {
		case containsAny(all, " tunnel service install", " tunnel user login", " tunnel --accept-server-license", " tunnel --name", " tunnel rename"):
			admit("relay", "")
		case strings.Contains(all, " tunnel ") && containsAny(all, " run ", "--url ssh://", "--url tcp://", "--url rdp://", "--url smb://"):
			admit("relay", "")
		case strings.Contains(all, " tunnel ") && strings.Contains(all, "--url "):
			admit("relay", "", "web")
		default:
			return
		}
	}
	if n := len(r.out); n > 0 && !relays[name] && r.out[n-1].Kind == meetguard.DeedAdmit && r.out[n-1].What == "relay" {
		r.out[n-1].Mark = append(r.out[n-1].Mark, renamed)
	}
}

// renamed marks a tool that is told what only one tool understands, and has
// another name.
const renamed = "renamed"

// shapes reads what a program is by what it is told, whatever its name: virtual
// machines, recorders, and tools that copy to a store of others.
func (r *reader) shapes(name string, args []string, all string) {
	if len(args) < 2 || known[name] || takers[name] && name != "az" {
		return
	}
	switch {
	case containsAny(all, " -drive file=", " -hda ", ".qcow2 ", ".qcow2,", " -startvm ", " startvm ") && containsAny(all, " -nographic", " -display none", "-netdev ", "-vnc ", " -daemonize", "--type headless", "hostfwd="):
		d := meetguard.Deed{Kind: meetguard.DeedHide, What: "machine", File: imageOf(args)}
		if !strings.HasPrefix(name, "qemu") && !strings.HasPrefix(name, "vbox") {
			d.Mark = []string{renamed}
		}
		r.add(d)
	case containsAny(all, " -f avfoundation ", " -f dshow ", " -f gdigrab ", " -f x11grab ", " -f alsa ", " -f pulse ") && strings.Contains(all, " -i ") && !strings.Contains(all, "list_devices"):
		d := meetguard.Deed{Kind: meetguard.DeedSpy, What: "screen", File: last(args)}
		if containsAny(all, "-f alsa ", "-f pulse ", " -i :", " -i audio=", " none:") {
			d.What = "microphone"
		}
		if name != "ffmpeg" {
			d.Mark = []string{renamed}
		}
		r.add(d)
	case containsAny(all, " send ") && containsAny(all, " --relay ", " --code "):
		r.add(meetguard.Deed{Kind: meetguard.DeedUpload, What: name, Host: domainAmong([]string{exactAfter(args, "--relay")}), File: lastPlain(args), Mark: []string{renamed}})
	case containsAny(all, " config create "):
		host, _ := split(urlIn(args))
		r.add(meetguard.Deed{Kind: meetguard.DeedUpload, What: name, Host: host})
	case containsAny(all, " copy ", " sync ", " move ", " copyto ", " upload ", " push ") && len(args) > 2 && remoteStore(args):
		r.add(meetguard.Deed{Kind: meetguard.DeedUpload, What: name, File: localAmong(args), Mark: []string{renamed}})
		r.stores(name, all)
	}
}

// imageOf is the file of the disk of a virtual machine.
func imageOf(args []string) string {
	for _, a := range args {
		if _, file, ok := strings.Cut(a, "file="); ok {
			file, _, _ = strings.Cut(file, ",")
			return file
		}
		if strings.HasSuffix(a, ".qcow2") {
			return a
		}
	}
	return ""
}

// remoteStore says whether one of the arguments names a folder of a store, as in
// name:folder, and one a path of this machine.
func remoteStore(args []string) bool {
	remote, local := false, false
	for _, a := range args {
		at := strings.IndexByte(a, ':')
		switch {
		case strings.HasPrefix(a, "-"):
		case at > 1 && !strings.ContainsAny(a[:at], `/\. `) && !strings.HasPrefix(a[at:], "://"):
			remote = true
		case strings.HasPrefix(a, "/"), strings.HasPrefix(a, "~"), at == 1:
			local = true
		}
	}
	return remote && local
}
