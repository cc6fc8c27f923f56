package chain

import (
	"strings"

	"meetguard"
)

// startPlaces are folders and files that others start from, as parts of a path
// in lower case with forward slashes.
var startPlaces = []struct{ part, what string }{
	{"/launchagents/", "launch agent"}, {"/launchdaemons/", "launch daemon"}, {"/library/startupitems/", "startup item"}, {"/etc/periodic/", "periodic"}, {"/library/scripts/folder action", "folder action"},
	{"/autostart/", "autostart"}, {"/systemd/user/", "user unit"}, {"/etc/systemd/system/", "unit"}, {"/lib/systemd/system/", "unit"}, {"/etc/init.d/", "unit"}, {"/etc/rc.local", "unit"},
	{"/etc/cron", "cron"}, {"/var/spool/cron", "cron"}, {"/usr/lib/cron/tabs", "cron"}, {"/etc/profile.d/", "profile"}, {"/etc/ld.so.preload", "preload"}, {"/etc/udev/rules.d/", "udev"}, {"/etc/xdg/autostart", "autostart"},
	{"/start menu/programs/startup/", "startup folder"}, {"/microsoft/windows/start menu/programs/startup", "startup folder"}, {"/nativemessaginghosts/", "native messaging host"}, {"/native-messaging-hosts/", "native messaging host"},
	{"/.config/environment.d/", "environment"}, {"/.ssh/authorized_keys", "authorized keys"}, {"/.ssh/rc", "ssh"}, {"/etc/emond.d/", "emond"}, {"/etc/sudoers.d/", "sudoers"},
	{"/windowspowershell/profile.ps1", "profile"}, {"/powershell/profile.ps1", "profile"}, {"microsoft.powershell_profile.ps1", "profile"}, {"/word/startup/", "office startup"}, {"/excel/xlstart/", "office startup"}, {"/.git/hooks/", "git hook"},
	{"/.gradle/init.d/", "build hook"}, {"/.gradle/init.gradle", "build hook"}, {"/.m2/extensions.xml", "build hook"}, {"/.cargo/config", "build hook"}, {"/site-packages/sitecustomize.py", "build hook"}, {"/usercustomize.py", "build hook"}, {"/etc/apt/apt.conf.d/", "build hook"},
	{"/etc/pam.d/", "login"}, {"/dbus-1/services/", "bus service"}, {"/dbus-1/system-services/", "bus service"}, {"/etc/modules-load.d/", "module"}, {"/.config/fish/conf.d/", "profile"},
	{"/library/colorpickers/", "plug-in"}, {"/library/quicklook/", "plug-in"}, {"/library/spotlight/", "plug-in"}, {"/library/input methods/", "plug-in"}, {"/library/screen savers/", "plug-in"}, {"/library/audio/plug-ins/", "plug-in"}, {"/library/internet plug-ins/", "plug-in"}, {"/library/printers/", "plug-in"}, {"/library/securityagentplugins/", "plug-in"}, {"/library/directoryservices/plugins/", "plug-in"},
	{"/lib/cups/filter/", "plug-in"}, {"/lib/cups/backend/", "plug-in"}, {"/.local/share/gnome-shell/extensions/", "plug-in"}, {"/.local/share/nautilus-python/", "plug-in"}, {"/.local/share/nautilus/scripts/", "plug-in"}, {"/kio/servicemenus/", "plug-in"}, {"/microsoft/addins/", "plug-in"}, {"/obs-studio/plugins/", "plug-in"},
}

// profiles are the start files of shells. Their owners write into them all the
// time: only a line that starts a program by itself counts.
var profiles = set(`.bashrc .bash_profile .profile .zshrc .zshenv .zprofile .zlogin .bash_login .bash_logout .zlogout .xprofile .xinitrc .xsessionrc .pam_environment .login config.fish profile`)

func startPlace(file string) string {
	low := strings.ToLower(strings.ReplaceAll(file, `\`, "/"))
	if strings.HasPrefix(low, "/etc/apt/apt.conf.d/") && strings.Contains(base(low), "proxy") || low == "/etc/profile.d/proxy.sh" {
		return "proxy setting"
	}
	for _, p := range startPlaces {
		if strings.Contains(low, p.part) {
			return p.what
		}
	}
	return ""
}

// writesStart notes a file that is written where others start from. all is what
// is known of its content.
func (r *reader) writesStart(file, all string) {
	if what := startPlace(file); what != "" {
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: what, File: file})
		return
	}
	name := strings.ToLower(base(file))
	if profiles[name] && (name != "profile" || file == "/etc/profile") && startsByItself(all) {
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: "profile", File: file, From: startedBy(all)})
	}
}

// startsByItself: a line for a profile that starts a program out of sight, or
// brings one. Paths, completions and greetings are what people put there.
func startsByItself(all string) bool {
	text := strings.TrimSpace(strings.TrimRight(strings.TrimSpace(all), `'")`))
	return shadows(all) || strings.HasSuffix(text, "&") && !strings.HasSuffix(text, "&&") || strings.Contains(all, "&)") || strings.Contains(all, "& disown") ||
		containsAny(all, "nohup ", "setsid ", "curl ", "wget ", "/tmp/", "/dev/shm/", "base64 ", "python -c", "python3 -c", "osascript ", "disown", "/dev/tcp/")
}

// shadows says whether a line gives a command of every day another meaning, so
// that something else runs before it.
func shadows(all string) bool {
	for _, word := range []string{"git", "sudo", "ssh", "su", "docker", "kubectl", "npm", "pip", "zoom", "gpg", "aws", "ls", "cd"} {
		_, rest, ok := strings.Cut(all, "alias "+word+"=")
		if ok && strings.Contains(rest, "/") && (strings.Contains(rest, ";") || strings.Contains(rest, "&&")) {
			return true
		}
	}
	return false
}

// startedBy is the first path in a line for a profile.
func startedBy(all string) string {
	for _, w := range strings.Fields(all) {
		if _, value, ok := strings.Cut(w, "="); ok {
			w = value
		}
		if w = strings.Trim(w, `'"();&`); strings.Contains(w, "/") && !strings.HasPrefix(w, "/dev/") && !system(w) && !strings.Contains(w, "://") {
			return w
		}
	}
	return ""
}

// runKeys are parts of the registry that programs are started from.
var runKeys = []string{`\currentversion\run`, `\currentversion\policies\explorer\run`, `\winlogon`, `\image file execution options\`, `\appinit_dlls`, `\userinitmprlogonscript`, `\environment /v userinit`, `\command processor`, `\inprocserver32`, `\localserver32`, `\shell\open\command`, `\active setup\`, `\session manager`, `\office test\`, `\silentprocessexit\`, `\currentcontrolset\services\`, `\print\monitors`, `\security packages`, `scrnsave.exe`, `windows nt\currentversion\windows`}

// hijackKeys make Windows run a program in the place of another, or in every
// process: no installer of an application has a reason to set them to a file of
// a user.
var hijackKeys = []string{`\image file execution options\`, `\silentprocessexit\`, `\appinit_dlls`, "scrnsave.exe", `\command processor`, `\winlogon`, `\userinitmprlogonscript`, `\session manager`, `\print\monitors`}

// stays reads what arranges for something to be started again, whatever tool
// does it.
func (r *reader) stays(name string, args []string, all string) {
	persist := func(what, file string) {
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: what, File: file, Mark: hiddenScript(all)})
	}
	switch name {
	case "at", "batch":
		if !r.windows && !containsAny(all, " -l ", " -q ", " -c ", " -r ", " -d ") {
			persist("at", exactAfter(args, "-f"))
		}
	case "defaults", "plistbuddy", "plutil":
		switch {
		case containsAny(all, "loginhook", "logouthook"):
			persist("login hook", lastPlain(args))
		case strings.Contains(all, "launchagents") || strings.Contains(all, "launchdaemons"):
			if !containsAny(all, " read ", " -p ", " print") && !(name == "plutil" && shows(args)) {
				persist(name, plistOf(args))
			}
		case strings.Contains(all, "com.apple.loginitems") && strings.Contains(all, " write "):
			persist("login item", "")
		}
	case "xdg-mime", "xdg-settings":
		if s := meetingScheme(all); s != "" && containsAny(all, " default ", " set ") && !strings.Contains(all, " query ") && !ownHandler[strings.ToLower(firstDesktop(args))] {
			persist("link handler", firstDesktop(args))
		}
	case "launchctl":
		if containsAny(all, " load ", " enable ", " bootstrap ", " kickstart ") {
			switch {
			case containsAny(all, "/ssh.plist", "com.openssh.sshd"):
				r.add(meetguard.Deed{Kind: meetguard.DeedAdmit, What: "remote login"})
			case containsAny(all, "com.apple.smbd", "com.apple.screensharing"):
				r.add(meetguard.Deed{Kind: meetguard.DeedAdmit, What: "sharing"})
			}
		}
		if strings.Contains(all, " setenv ") && containsAny(all, "dyld_insert") {
			persist("preload", lastPlain(args))
		}
	case "loginctl":
		if strings.Contains(all, "enable-linger") {
			persist("linger", "")
		}
	case "systemd-run":
		if containsAny(all, "--on-", "--timer") {
			persist("timer", lastPlain(args))
		}
	case "update-rc.d", "chkconfig", "rc-update":
		persist(name, "")
	case "crontab":
		if file := lastPlain(args); file != "" && !containsAny(all, " -l ", " -e ", " -r ") {
			persist(name, file)
		}
	case "tee":
		if file := lastPlain(args); file != "" {
			r.writesStart(file, all)
			if n := len(r.out); n > 0 && r.out[n-1].Kind == meetguard.DeedPersist {
				r.out[n-1].Mark = append(r.out[n-1].Mark, "pipe")
			}
		}
	case "ln", "install", "cp", "mv", "rsync", "ditto":
	case "reg":
		if s := meetingScheme(all); s != "" && strings.Contains(all, " add ") && strings.Contains(all, `\classes\`+s) && strings.Contains(all, `\command`) && inProfile(after(args, "/d")) {
			persist("link handler", after(args, "/d"))
		}
		if strings.Contains(all, " add ") && !strings.Contains(all, `\currentversion\run`) && containsAny(all, runKeys...) && containsAny(all, `\appdata\`, "%appdata%", "%localappdata%", `\temp\`, "%temp%", `\users\public`, `\programdata\`, `c:\users\`, "powershell", "mshta", "wscript", "rundll32", "cmd ", "script", "explorer.exe,") {
			what := "registry"
			if containsAny(all, hijackKeys...) || strings.Contains(all, `\inprocserver32`) && containsAny(all, `\appdata\roaming\`, `\users\public\`, `\temp\`) {
				what = "hijack"
			}
			persist(what, after(args, "/d"))
		} else if strings.Contains(all, " add ") && containsAny(all, "hkcu\\", "hkey_current_user\\") && strings.Contains(all, `\inprocserver32`) && strings.Contains(all, "threadingmodel") {
			persist("registry", "") // what goes with the library of a class that a user gets
		}
		if strings.Contains(all, " import ") {
			persist("registry", lastPlain(args))
		}
	case "schtasks":
		if strings.Contains(all, "/change") && strings.Contains(all, "/tr") {
			persist("task", after(args, "/tr"))
		}
	case "sc":
		if strings.Contains(all, " config ") && strings.Contains(all, "binpath") {
			persist("service", "")
		}
	case "bitsadmin":
		if strings.Contains(all, "/setnotifycmdline") {
			persist("transfer job", "")
		}
	case "wmic", "mofcomp":
		if containsAny(all, "commandlineeventconsumer", "__eventfilter", "activescripteventconsumer") || name == "mofcomp" {
			persist("event", lastPlain(args))
		}
	case "nssm", "winsw":
		if strings.Contains(all, " install ") {
			persist("service", lastPlain(args))
		}
	case "setx":
		if strings.Contains(all, "userinitmprlogonscript") {
			persist("logon script", "")
		}
	}
}

func plistOf(args []string) string {
	for _, a := range args {
		if low := strings.ToLower(a); strings.Contains(low, "launchagents") || strings.Contains(low, "launchdaemons") {
			return a
		}
	}
	return ""
}

// opens reads what lets somebody else in, or takes what is seen and heard here.
func (r *reader) opens(name string, args []string, all string) {
	admit := func(what string) { r.add(meetguard.Deed{Kind: meetguard.DeedAdmit, What: what}) }
	spy := func(what string) {
		r.add(meetguard.Deed{Kind: meetguard.DeedSpy, What: what, File: lastPlain(args)})
	}
	switch name {
	case "net", "net1":
		switch {
		case strings.Contains(all, " user ") && strings.Contains(all, " /add "):
			admit("account")
		case strings.Contains(all, " localgroup ") && strings.Contains(all, " /add "):
			admit("group")
		}
	case "useradd", "adduser":
		if !containsAny(all, " -r ", " --system ", " -rm ", " -rs ", "nologin", "/bin/false") { // accounts of services
			admit("account")
		}
	case "usermod", "gpasswd":
		if containsAny(all, "sudo", "wheel", "admin", " root") {
			admit("group")
		}
	case "dscl":
		if containsAny(all, " -create /users/_", "/usr/bin/false", "nologin") { // accounts of services
			break
		}
		if strings.Contains(all, " -create /users/") && containsAny(all, "usershell", "realname", "uniqueid") || strings.Contains(all, "groupmembership") && strings.Contains(all, "admin") {
			admit("account")
		}
	case "sysadminctl":
		if strings.Contains(all, "-adduser") {
			admit("account")
		}
	case "dseditgroup":
		if strings.Contains(all, " -a ") && strings.Contains(all, "admin") {
			admit("group")
		}
	case "reg":
		if strings.Contains(all, "fdenytsconnections") && strings.Contains(all, "/d 0") {
			admit("remote desktop")
		}
		if strings.Contains(all, "consentpromptbehavioradmin") || strings.Contains(all, "enablelua") && strings.Contains(all, " add ") {
			r.add(meetguard.Deed{Kind: meetguard.DeedBlind, What: "consent"})
		}
	case "defaults":
		if strings.Contains(all, "hiddenuserslist") {
			r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: "account"})
			admit("hidden account")
		}
	case "perl":
		if strings.Contains(all, "remotemanagement") && strings.Contains(all, "-activate") {
			admit("remote management")
		}
	case "systemsetup":
		if strings.Contains(all, "-setremotelogin on") {
			admit("remote login")
		}
	case "kickstart":
		if strings.Contains(all, "-activate") {
			admit("remote management")
		}
	case "ssh", "autossh", "plink":
		if host := tunnelHost(args); host != "" {
			r.add(meetguard.Deed{Kind: meetguard.DeedAdmit, What: "tunnel", Host: host})
		}
	case "screencapture":
		if strings.Contains(all, " -x") || strings.Contains(shortFlags(args), "x") {
			spy("screen")
		}
	case "scrot", "maim", "gnome-screenshot", "spectacle", "grim", "import":
		spy("screen")
	case "ffmpeg":
		if containsAny(all, "x11grab", "gdigrab", "-f avfoundation", "kmsgrab") && !strings.Contains(all, "list_devices") {
			spy("screen")
		}
	case "xinput":
		if strings.Contains(all, " test") {
			spy("keyboard")
		}
	case "pbpaste", "xclip", "xsel", "wl-paste":
		spy("clipboard")
	}
	r.remoteControl(name, all)
}

// tunnelHost is the machine that ssh is to open a way back from.
func tunnelHost(args []string) string {
	back := false
	for i, a := range args {
		if len(a) > 1 && a[0] == '-' && a[1] != '-' && len(a) < 7 && strings.Contains(a, "R") {
			back = true
		}
		if at := strings.LastIndexByte(a, '@'); back && at > 0 && i > 0 && !strings.HasPrefix(a, "-") {
			host, _, _ := strings.Cut(a[at+1:], ":")
			return strings.ToLower(host)
		}
	}
	return ""
}

// remoteControl: programs for help at a distance, told to let somebody in
// without asking.
func (r *reader) remoteControl(name, all string) {
	if containsAny(name, "anydesk", "rustdesk", "teamviewer", "screenconnect", "ultraviewer", "splashtop", "meshagent", "meshcentral", "supremo", "dwagent", "tightvnc", "winvnc", "getscreen", "ammyy", "remoteutilities", "rutserv", "netsupport", "client32", "connectwise", "atera", "simplehelp", "tacticalagent", "zohoassist", "logmein", "parsec") &&
		containsAny(all, "--set-password", "--password", "--silent", "-silent", "/silent", "--install", "--unattended", "-fullinstall", "/s ", "--noui") {
		r.add(meetguard.Deed{Kind: meetguard.DeedAdmit, What: "remote control"})
	}
}

// meshService is what only the agent of MeshCentral is told, by whatever name: how its
// service is to be called.
const meshService = "--meshservicename="

// renamedControl: a program in a temporary folder is told what only RustDesk is, a
// password and the settings of a server, and nothing else.
// https://rustdesk.com/docs/en/self-host/client-configuration/
func (r *reader) renamedControl(exe string, args []string) {
	low := strings.ToLower(strings.ReplaceAll(exe, `\`, "/"))
	for _, a := range args {
		if name, ok := strings.CutPrefix(strings.ToLower(a), meshService); ok && Program(exe) != "sudo" {
			r.add(meetguard.Deed{Kind: meetguard.DeedAdmit, What: "remote control", Mark: []string{"called " + name}})
		}
	}
	if !containsAny(low, "/tmp/", "/temp/", "/downloads/") || len(args) != 4 {
		return
	}
	if a, b := args[0], args[2]; a == "--password" && b == "--config" || a == "--config" && b == "--password" {
		r.add(meetguard.Deed{Kind: meetguard.DeedAdmit, What: "remote control", Host: domainAmong([]string{exactAfter(args, "--config")}), Mark: []string{"renamed"}})
	}
}

// probes notes that a command asks what machine this is and who uses it.
func (r *reader) probes(name, all string) {
	switch name {
	case "whoami", "systeminfo", "sw_vers", "system_profiler", "ioreg", "ipconfig", "ifconfig", "tasklist", "qwinsta", "quser", "nltest", "dsregcmd", "hostnamectl", "lscpu", "scutil", "uname", "id", "arp", "netstat", "nbtstat", "gpresult", "vssadmin", "ps", "csrutil", "hostname", "dmidecode":
		r.add(meetguard.Deed{Kind: meetguard.DeedProbe, What: name})
	case "net":
		if containsAny(all, " view ", " user ", " localgroup ", " group ") && !strings.Contains(all, "/add") {
			r.add(meetguard.Deed{Kind: meetguard.DeedProbe, What: name})
		}
	case "wmic":
		if containsAny(all, "computersystem", "antivirusproduct", "csproduct", " os ", "logicaldisk", "baseboard") && !strings.Contains(all, "/format:") {
			r.add(meetguard.Deed{Kind: meetguard.DeedProbe, What: name})
		}
	}
}

// meetingSchemes are the schemes of links that open meeting software and
// messengers.
var meetingSchemes = []string{"zoommtg", "zoomus", "zoomphonecall", "msteams", "ms-teams", "webex", "wbx", "ciscospark", "gotomeeting", "slack", "discord", "skype", "tg", "whatsapp", "jitsi-meet", "bluejeans", "ringcentral"}

// meetingScheme is the scheme of such links that a command line names.
func meetingScheme(all string) string {
	if !containsAny(all, "x-scheme-handler/", `\classes\`) {
		return ""
	}
	for _, s := range meetingSchemes {
		if strings.Contains(all, "x-scheme-handler/"+s) || strings.Contains(all, `\classes\`+s+`\`) {
			return s
		}
	}
	return ""
}

// ownHandler are the entries of the programs that such links are made for.
var ownHandler = set(`zoom.desktop us.zoom.zoom.desktop teams.desktop teams-for-linux.desktop com.github.ismaelmartinez.teams_for_linux.desktop webex.desktop com.cisco.webex.desktop slack.desktop com.slack.slack.desktop discord.desktop com.discordapp.discord.desktop org.telegram.desktop.desktop telegramdesktop.desktop skypeforlinux.desktop jitsi-meet.desktop ringcentral.desktop firefox.desktop google-chrome.desktop`)

func firstDesktop(args []string) string {
	for _, a := range args {
		if strings.HasSuffix(a, ".desktop") {
			return a
		}
	}
	return ""
}

// inProfile says whether a path is one that a user's programs may write to.
func inProfile(p string) bool {
	return containsAny(strings.ToLower(p), `\appdata\local\temp`, `\users\public`, `\programdata\`, "%temp%", "%appdata%", `\appdata\roaming\`, "powershell", "mshta", "wscript")
}
