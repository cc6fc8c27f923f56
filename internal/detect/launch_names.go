package detect

import (
	"strings"

	"meetguard"
)

// Programs by what they are, as plain names: see program.
var (
	shells       = set(`sh bash zsh dash ksh fish`)
	interpreters = set(`sh bash zsh dash ksh osascript python python3 perl ruby node php powershell pwsh cmd wscript cscript mshta rundll32 regsvr32 msiexec`)
	terminals    = set(`terminal iterm2 iterm gnome-terminal-server gnome-terminal konsole xterm alacritty kitty wezterm-gui warp hyper windowsterminal xfce4-terminal mintty ghostty tilix ptyxis kgx foot terminator mate-terminal lxterminal qterminal rio tabby guake yakuake`)
	fetchers     = set(`curl wget nscurl aria2c`)
	// programs that start another one, so that it has another parent
	launchers = set(`conhost forfiles pcalua wt ssh wmic hh control cmstp mmc certutil bitsadmin ftp scriptrunner installutil regasm regsvcs odbcconf`)
	// programs of Windows that have no reason to start a shell
	oddParents   = set(`wmic hh control cmstp regsvr32 rundll32 mshta certutil bitsadmin ftp installutil regasm regsvcs odbcconf forfiles pcalua scriptrunner presentationhost msdt eqnedt32`)
	builders     = set(`brew ruby make xcodebuild cargo npm node gradle bazel git`)
	opensScripts = set(`wscript cscript`)
	windowsHosts = set(`mshta wscript cscript`)
	lolbins      = set(`powershell pwsh curl certutil bitsadmin mshta rundll32 regsvr32 msiexec wscript cscript`)
	browsers     = set(`chrome msedge firefox brave safari opera arc chromium vivaldi iexplore`)
	// programs that hand over what somebody else sent
	handlers = set(`winrar 7zfm 7zg unarchiver winzip64 winzip peazip bandizip outlook olk thunderbird mail telegram whatsapp discord slack teams ms-teams skype signal
		winword excel powerpnt acrord32 acrobat foxitpdfreader keybase`)
	// agents of software management and configuration, and what the system runs for its administrators
	managers = set(`ccmexec ccmsetup intunemanagementextension microsoft.management.services.intunewindowsagent agentexecutor omadmclient tsmanager tsprogressui
		jamf jamfagent jamfdaemon jamfmanagementservice managedsoftwareupdate munki installhelper supervisor ansible ansible-playbook puppet puppet-agent chef-client chef cinc-client salt-minion salt-call salt
		taniumclient taniumexecwrapper taniumcx besclient besagent besclientui qnaagent kaceagent ampagent kandji kandji-daemon kandji-library-manager mosyleagent addigy auditor fleetd orbit osqueryd workspaceone intelligent_hub
		pdqdeployrunner pdqdeployservice pdq-runner ninjarmmagent atera_agent ateraagent datto aemagent labtechservice ltsvc screenconnect.clientservice kaseya agentmon nable rmmagent
		gpscript gpupdate userinit wsmprovhost winrshost mdmclient installomator intunemdmagent intunemdmdaemon wuauclt tiworker trustedinstaller usoclient mousocoreworker
		runner.worker runner.listener agent.worker agent.listener gitlab-runner buildkite-agent teamcity-agent drone-runner woodpecker-agent act_runner forgejo-runner
		sshd-ansible cloud-init waagent google_guest_agent amazon-ssm-agent ssm-agent-worker ssm-document-worker unattended-upgrade autopkg chocolateyguicli jumpcloud-agent falconctl falcond malwarebytes rtprotectiondaemon sentineld`)
	// backup programs and the owners of what they copy
	backups = set(`restic borg borgmatic duplicity duplicati rdiff-backup bup attic rustic tarsnap urbackupclientctl unison bacula-fd timeshift backupd arq arqagent kopia rclone backblaze bztransmit carboncopycloner ccc syncthing onedrive dropbox googledrivefs rsnapshot deja-dup backintime vorta usmtutils scanstate loadstate migwiz
		telegram chrome google-chrome firefox brave msedge exodus keychain-access`)
	windowsNames = set(`svchost lsass csrss winlogon services smss taskhostw spoolsv dllhost runtimebroker sihost fontdrvhost dwm ctfmon wininit conhost explorer searchindexer securityhealthservice msmpeng wudfhost`)
	macNames     = set(`launchd kernel_task windowserver mds mdworker loginwindow cfprefsd trustd syspolicyd xprotectservice softwareupdated systemstats securityd notifyd distnoted`)
	// daemons of macOS whose names nobody else has, and what a session of a Linux desktop runs
	macDaemons   = set(`remoted tccd opendirectoryd coreaudiod sysmond mediaremoted nsurlsessiond mdnsresponder fseventsd amfid apsd rapportd sharingd locationd diskarbitrationd airportd coreservicesd xpcproxy usernoted runningboardd trustd syspolicyd cfprefsd loginwindow windowserver`)
	sessionParts = set(`gnome-keyring-daemon gvfsd gnome-shell dbus-broker at-spi2-registryd xdg-desktop-portal ibus-daemon networkmanager wpa_supplicant udisksd upowerd accounts-daemon kwalletd5 kwalletd6 gsd-media-keys gsd-power goa-daemon pipewire wireplumber pulseaudio packagekitd`)
	linuxNames   = set(`systemd systemd-journald systemd-udevd systemd-logind systemd-resolved dbus-daemon kworker kthreadd rsyslogd udevd crond polkitd`)
	// hosts that give out tools of developers: a bad one may lie there, so they only spare what is ordinary
	toolHosts = []string{"github.com", "githubusercontent.com", "gitlab.com", "k8s.io", "helm.sh", "hashicorp.com", "nodejs.org", "go.dev", "golang.org", "npmjs.org", "npmjs.com", "pypi.org", "pythonhosted.org",
		"rustup.rs", "rust-lang.org", "brew.sh", "docker.com", "microsoft.com", "aka.ms", "apple.com", "google.com", "googleapis.com", "chocolatey.org", "scoop.sh", "debian.org", "ubuntu.com", "fedoraproject.org",
		"deno.land", "bun.sh", "sdkman.io", "nvm.sh", "astral.sh", "python.org", "amazonaws.com", "amazon.com", "azure.com", "jetbrains.com", "tailscale.com", "ohmyz.sh", "nixos.org", "conda.io", "anaconda.com", "php.net", "ruby-lang.org", "rvm.io", "poetry.org", "yarnpkg.com", "pnpm.io", "volta.sh"}
)

func toolHost(host string) bool {
	for _, h := range toolHosts {
		if host == h || strings.HasSuffix(host, "."+h) {
			return true
		}
	}
	return false
}

// managedBy says whether software management is among the ancestors, from a
// folder that no ordinary user may write to, as far as it is told.
func managedBy(p *meetguard.Process) bool {
	for i := -1; i < len(p.Ancestors); i++ {
		exe := p.Exe
		if i >= 0 {
			exe = p.Ancestors[i].Exe
		}
		if managers[program(exe)] && !userPlace(exe) {
			return true
		}
		if i >= 0 && atRoot(p.Ancestors[i+1:]) && (agentOfIT(exe) || signedService(p.Ancestors[i:])) {
			return true
		}
		if i >= 0 && runsManaged(p.Ancestors[i]) {
			return true
		}
	}
	return runsManaged(*p) || servedBy(p)
}

// atRoot says whether there is nothing above a program but what starts the services
// of a system.
func atRoot(above []meetguard.Process) bool {
	for _, a := range above {
		if name := program(a.Exe); !serviceRoots[name] || userPlace(a.Exe) {
			return false
		}
	}
	return true
}

// serviceRoots start the services of a system.
var serviceRoots = set(`launchd systemd init services wininit`)

// systemDoors start what an administrator has put into their lists.
var systemDoors = set(`systemd cron crond launchd services taskeng`)

// servedBy: the system runs, with all rights, a script from where only an
// administrator may write, and that is not hidden there.
func servedBy(p *meetguard.Process) bool {
	chain := append([]meetguard.Process{*p}, p.Ancestors...)
	for i := range chain[:len(chain)-1] {
		file := scriptOf(chain[i])
		if file == "" || chain[i].User != "root" || !interpreters[program(chain[i].Exe)] || !systemDoors[program(chain[i+1].Exe)] {
			continue
		}
		low := slashed(file)
		for _, place := range []string{"/opt/", "/usr/local/sbin/", "/usr/local/bin/", "/usr/lib/", "/usr/share/", "/etc/cron."} {
			if strings.HasPrefix(low, place) && !coveredPlace(low) {
				return true
			}
		}
	}
	return false
}

// agentNames are words with which programs that work for administrators end.
var agentNames = []string{"agent", "daemon", "service", "svc", "runner", "listener", "supervisor"}

// agentOfIT says whether a program at the root of a chain is a service that an
// administrator has installed: by its place, which only they may write to and
// where no programs of people lie, and what it calls itself.
func agentOfIT(exe string) bool {
	low := slashed(exe)
	switch {
	case strings.Contains(low, ".app/"), coveredPlace(low):
		return false
	case !strings.HasPrefix(low, "/opt/") && !strings.HasPrefix(low, "/usr/") && !strings.HasPrefix(low, "/library/") && !strings.Contains(low, ":/program files"):
		return false
	}
	name := strings.TrimSuffix(baseName(low), ".exe")
	for _, word := range agentNames {
		if strings.HasSuffix(name, word) {
			return true
		}
	}
	return false
}

// signedService says whether the first of some ancestors is a service of Windows
// that somebody vouches for, as far as is known, with all rights, in the folders of its maker and of the
// product: agents for firms that administrators hire lie there.
func signedService(chain []meetguard.Process) bool {
	p := chain[0]
	rest, ok := strings.CutPrefix(slashed(p.Exe), "c:/programdata/")
	return ok && len(chain) > 1 && program(chain[1].Exe) == "services" && strings.EqualFold(p.User, "SYSTEM") && strings.Count(rest, "/") > 1 && (p.Signature == nil || signedWell(p.Signature)) && p.OriginHost == "" && !coveredPlace(p.Exe) && !systemLike(program(p.Exe)) && !remoteTools[program(p.Exe)]
}

// runsManaged: the scripts of software management, where an interpreter runs
// them.
func runsManaged(p meetguard.Process) bool {
	for i, a := range p.Args {
		if i == 0 || i > 8 {
			continue
		}
		low := strings.ToLower(strings.ReplaceAll(a, `\`, "/"))
		for _, place := range []string{"/usr/local/munki/", "/library/application support/jamf/", "c:/windows/ccmcache/", "c:/windows/ccm/", "c:/program files (x86)/microsoft intune management extension/", "c:/program files/puppet labs/",
			"/usr/local/installomator/", "/usr/bin/ansible", "/usr/local/bin/ansible", "/.ansible/tmp/", "/library/intune/", "/opt/puppetlabs/", "c:/windows/imecache/", "/var/lib/cloud/", "/sysvol/", "/netlogon/"} {
			if strings.Contains(low, place) {
				return true
			}
		}
	}
	return false
}

// isBackup: a backup program, or a copy to another disk or server.
func (l *launch) isBackup() bool {
	if backups[l.name] && !tempPlace(l.Exe) && !coveredPlace(l.Exe) {
		return true
	}
	if owner, ok := l.under(backups); ok && !(ownersOf[owner] && l.shellBelow(owner)) {
		return true
	}
	for _, p := range append([]meetguard.Process{*l.Process}, l.Ancestors...) {
		if file := scriptOf(p); portables[program(p.Exe)] && backups[program(file)] && installedPlace(file) && !coveredPlace(file) {
			return true // one that is written in a language of scripts
		}
	}
	if l.byPackage() && !l.does(meetguard.DeedUpload) {
		return true
	}
	for _, d := range l.own {
		if d.Kind != meetguard.DeedPack {
			continue
		}
		f := strings.ToLower(strings.ReplaceAll(d.File, `\`, "/"))
		for _, place := range []string{"/volumes/", "/mnt/", "/media/", "//", "/run/media/", "/backup", "d:", "e:", "f:", "g:", "h:", "z:"} {
			if strings.HasPrefix(f, place) || strings.Contains(f, "backup") && !tempPlace(f) {
				return true
			}
		}
		if strings.Contains(f, ":") && !strings.HasPrefix(f, "c:") && l.name == "rsync" && !l.bareUpload() {
			return true
		}
	}
	return false
}

// toDisk says whether a step copies what it handles to another disk of this machine,
// and no more.
func toDisk(list []meetguard.Deed) bool {
	found := false
	for _, d := range list {
		switch d.Kind {
		case meetguard.DeedPack:
			low := slashed(d.File)
			found = strings.HasPrefix(low, "/volumes/") || strings.HasPrefix(low, "/media/") || strings.HasPrefix(low, "/run/media/") || otherDrive(low)
		case meetguard.DeedUpload:
			return false
		}
	}
	return found
}

// byPackage says whether the system runs a script that a package of it brought, and
// that led to the launch: some keep the profiles of browsers in memory.
func (l *launch) byPackage() bool {
	for i, a := range l.Ancestors {
		file := slashed(scriptOf(a))
		if !shells[l.above[i]] && !portables[l.above[i]] || i+1 >= len(l.above) || !systemDoors[l.above[i+1]] {
			continue
		}
		return strings.HasPrefix(file, "/usr/bin/") || strings.HasPrefix(file, "/usr/lib/") || strings.HasPrefix(file, "/usr/share/")
	}
	return false
}

// ownersOf keep their own data. What a shell below one of them does is another's
// doing: a browser starts what it has brought.
var ownersOf = set(`telegram chrome google-chrome firefox brave msedge exodus`)

// shellBelow says whether there is a shell between the launch and a program above.
func (l *launch) shellBelow(name string) bool {
	for _, a := range l.above {
		if a == name {
			return shells[l.name]
		}
		if shells[a] {
			return true
		}
	}
	return false
}

// bareUpload says whether the launch sends something to an address of the
// Internet that has no name.
func (l *launch) bareUpload() bool {
	for _, d := range l.own {
		if d.Kind == meetguard.DeedUpload && publicAddress(d.Host) {
			return true
		}
	}
	return false
}

// tempPlace says whether a path lies where everybody puts what is not to stay.
func tempPlace(p string) bool {
	p = slashed(p)
	for _, t := range []string{"/tmp/", "/var/tmp/", "/dev/shm/", "/private/tmp/", "/private/var/tmp/", "/private/var/folders/", "/var/folders/", "/users/shared/"} {
		if strings.HasPrefix(p, t) {
			return true
		}
	}
	for _, t := range []string{"/appdata/local/temp/", "/windows/temp/", "%temp%", "%tmp%", "$env:temp", "$env:tmp", "/users/public/", "$tmpdir"} {
		if strings.Contains(p, t) {
			return true
		}
	}
	return false
}

// landingPlace says whether downloads are run from there.
func landingPlace(p string) bool {
	p = slashed(p)
	if rest, ok := strings.CutPrefix(p, "/home/"); ok {
		if parts := strings.SplitN(rest, "/", 3); len(parts) == 3 && homeFolders[parts[1]] {
			return true
		}
	}
	return tempPlace(p) || strings.Contains(p, "/downloads/") || strings.HasPrefix(p, "/volumes/") || strings.Contains(p, "/desktop/") || strings.Contains(p, "/apptranslocation/")
}

// homeFolders are what the folders for downloads and the desktop are called where
// a desktop of Linux speaks its user's language, in lower case.
// https://gitlab.freedesktop.org/xdg/xdg-user-dirs (po)
var homeFolders = boolSet([]string{"descargas", "téléchargements", "transferências", "transferencias", "downloads", "scaricati", "pobrane", "stažené", "stiahnuté", "letöltések", "hämtningar", "hentet", "nedlastinger", "overførsler", "lataukset", "descărcări", "изтегляния", "загрузки", "завантаження", "preuzimanja", "prenosi", "λήψεις", "i̇ndirilenler", "indirilenler", "下载", "下載", "ダウンロード", "다운로드", "التنزيلات", "baixades", "deskargak",
	"schreibtisch", "escritorio", "bureau", "área de trabalho", "ambiente de trabalho", "scrivania", "pulpit", "plocha", "asztal", "skrivbord", "skrivebord", "työpöytä", "рабочий стол", "стільниця", "masaüstü", "桌面", "デスクトップ", "바탕화면", "bureaublad", "escriptori"})

// userPlace says whether programs of a user may write there without asking.
func userPlace(p string) bool {
	p = slashed(p)
	if landingPlace(p) {
		return true
	}
	switch {
	case strings.Contains(p, ":/programdata/microsoft/windows defender/"): // only the system may write there
		return false
	case strings.Contains(p, "/appdata/"), strings.Contains(p, "%appdata%"), strings.Contains(p, "%localappdata%"), strings.Contains(p, "c:/programdata/"):
		return true
	case strings.HasPrefix(p, "/users/") && strings.Contains(p, "/library/"):
		return true
	case (strings.HasPrefix(p, "/home/") || strings.HasPrefix(p, "/root/") || strings.HasPrefix(p, "~/") || strings.HasPrefix(p, "/users/")) && strings.Contains(p, "/."):
		return true
	}
	return strings.HasPrefix(p, "~/library/")
}

func slashed(p string) string { return strings.ToLower(strings.ReplaceAll(p, `\`, "/")) }
