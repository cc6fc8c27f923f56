package script

import (
	"strings"
	"sync"
)

// rule gives a trait to a statement that holds a word of every group. Words of
// a group are separated by "|"; see pattern for < and >.
type rule struct {
	trait     string
	languages string // "" for any
	groups    []string
}

// statementRules are the traits that one statement is enough for.
var statementRules = []rule{
	{TraitPasswordPrompt, "", []string{"hidden answer"}},
	{TraitPasswordPrompt, "", []string{"<dscl>", "-authonly|authonly"}},
	{TraitPasswordPrompt, langShell, []string{"<read>", " -s| -rs| -sp|-ers|-rsp", "passw|sudo|contrase|passwort|senha|пароль"}},
	{TraitPasswordPrompt, langPowerShell, []string{"get-credential|promptforcredential|-assecurestring"}},
	{TraitPasswordPrompt, langPython, []string{"getpass("}},
	{TraitDequarantine, "", []string{"<xattr>", "quarantine| -c | -cr | -rc |-c -r"}},
	{TraitDequarantine, "", []string{"<spctl>", "master-disable|global-disable|--add"}},
	{TraitDequarantine, "", []string{"unblock-file"}},
	{TraitDequarantine, "", []string{"zone.identifier"}},
	{TraitResign, "", []string{"<codesign>", " -s - | --sign - |-s -|--sign -|--deep"}},
	{TraitDefenderExclusion, "", []string{"add-mppreference"}},
	{TraitDefenderExclusion, "", []string{"set-mppreference", "-disable|exclusion"}},
	{TraitDefenderExclusion, "", []string{"windows defender", "exclusions|disableantispyware|disablerealtime"}},
	{TraitHiddenWindow, "", []string{"<nohup>"}},
	{TraitHiddenWindow, "", []string{"-windowstyle hidden|-windowstyle h |-w hidden|-win hidden|-w h |windowstyle = 0|showwindow = 0|creationflags=0x08000000|create_no_window|--headless"}},
	{TraitHiddenFiles, "", []string{"<attrib>", "+h|+s"}},
	{TraitHiddenFiles, "", []string{"<chflags>", "hidden"}},
	{TraitPersistence, "", []string{"launchagents|launchdaemons"}},
	{TraitPersistence, "", []string{"<launchctl>", "<load>|bootstrap|<submit>"}},
	{TraitPersistence, langShell, []string{"<crontab>"}},
	{TraitPersistence, "", []string{"<schtasks>", "/create"}},
	{TraitPersistence, "", []string{"register-scheduledtask|new-scheduledtask"}},
	{TraitPersistence, "", []string{`currentversion\run`}},
	{TraitPersistence, "", []string{`start menu\programs\startup|getfolderpath('startup')|specialfolders("startup")|shell:startup|\startup\`}},
	{TraitPersistence, "", []string{".config/systemd/user|systemctl --user enable|.config/autostart"}},
	{TraitPersistence, "", []string{"make login item|login item"}},
	{TraitFakePlatformName, "", []string{"launchagents/|launchdaemons/|/library/caches/|/library/fonts/|/tmp/|/users/shared/|/library/application support/|/library/google/|<label>|<label>", "com.apple.|com.google.|com.zoom|com.microsoft.|us.zoom.|com.adobe."}},
	{TraitFakePlatformName, "", []string{"appdata|programdata|temp|public", "svchost.exe|csrss.exe|csshost.exe|lsass.exe|services.exe|runtimebroker.exe|explorer.exe|nvidia.py|msedgeupdate|googleupdate|microsoftedgeupdate|windowsupdate"}},
	{TraitTelegramData, "", []string{"telegram desktop|<tdata>|ru.keepcoder.telegram|tempkeyencrypted"}},
	{TraitTelegramBot, "", []string{"api.telegram.org"}},
	{TraitKeychain, "", []string{"login.keychain|keychain-db|find-generic-password|find-internet-password|dump-keychain|unlock-keychain|vaultcmd|credenumerate|library/keychains"}},
	{TraitBrowserData, "", []string{"login data|local extension settings|web data|cookies.sqlite|logins.json|key4.db|local state|network/cookies|default/cookies|user data"}},
	{TraitWalletData, "", []string{"nkbihfbeogaeaoehlefnkodbefgpgknn|ledger live|exodus|<electrum>|atomic/local storage|wallet.dat|trezor|bfnaelmomeimhlpmgjnjophhpkkoljpa|ibnejdfjmmkpcnlpebklmnkoeoihofec|metamask|phantom wallet"}},
	{TraitShellHistory, "", []string{".zsh_history|.bash_history|consolehost_history"}},
	{TraitSSHKeys, "", []string{".ssh/id_|id_rsa|id_ed25519|.ssh/*|/.ssh |~/.ssh\"|.ssh/ |\".ssh\"|'.ssh'"}},
	{TraitProfileData, "", []string{"library/application support/|library/group containers/|library/containers/|library/keychains|%appdata%\\|%localappdata%\\|env:appdata|env:localappdata|.config/|.local/share/|.ssh|.gnupg"}},
	{TraitPacksFiles, langShell, []string{"<zip -|<tar c|<tar zc|<tar -c|<tar -zc|<tar -jc|<tar --create|<ditto -c|<7z a|<7zz a"}},
	{TraitPacksFiles, langBatch, []string{"<tar -c|<tar -ac|tar.exe -c|tar.exe -ac|<7z a|7z.exe a"}},
	{TraitPacksFiles, "", []string{"compress-archive|createfromdirectory|make_archive|zipfile.zipfile(|tarfile.open("}},
	{TraitUpload, langShell, []string{"<curl>", " -f |--form|--upload-file| -t |--data-binary|-d @|--data @|--data-urlencode", "@|--upload-file| -t "}},
	{TraitUpload, "powershell batch", []string{"<curl>|curl.exe", " -t |--upload-file| -f |-d @|--data-binary"}},
	{TraitUpload, "", []string{"uploadfile|uploadstring|uploaddata"}},
	{TraitUpload, langPowerShell, []string{"<iwr>|<irm>|invoke-restmethod|invoke-webrequest", "-infile|-body|-form", "<post>|<put>|-infile"}},
	{TraitUpload, langPython, []string{"requests.post", "files="}},
	{TraitUpload, langPython, []string{"urlopen|<request(|requests.put|requests.post|httpx.post", "data=|files=|content=", "<open(|.read("}},
	{TraitDynamicEval, "", []string{"<iex>|invoke-expression|executeglobal|[scriptblock]::create"}},
	{TraitDynamicEval, langVBScript, []string{"<execute>|<eval>"}},
	{TraitDynamicEval, "jscript javascript jxa", []string{"<eval>|new function(|<function('|<function(\""}},
	{TraitDynamicEval, langPython, []string{"<exec(|<eval(", "decode|decompress|.read(|.text|b64|chr|fromhex|.content"}},
	{TraitDynamicEval, langAppleScript, []string{"run script"}},
	{TraitDynamicEval, langAppleScript, []string{"do shell script (the clipboard|do shell script the clipboard"}},
	{TraitRunScriptOfResult, langAppleScript, []string{"run script|load script"}},
	{TraitRunScriptOfResult, "", []string{"<osacompile>"}},
	{TraitKillSecurity, "", []string{"<taskkill>|<pkill>|<killall>|<kill>|stop-service|stop-process|launchctl unload|launchctl bootout|sc stop|sc delete|net stop|systemctl stop|systemctl disable", "defend|<msmpeng>|crowdstrike|falcon|sentinelone|<santa>|littlesnitch|little snitch|lulu|xprotect|sophos|<avp>|kaspersky|mcafee|symantec|carbonblack|cbagent|jamf|<wdav>|blockblock|knockknock|bitdefender|malwarebytes|eset|windefend|<sense>|notificationcenter"}},
	{TraitAdminPrivileges, "", []string{"with administrator privileges|-verb runas|sudo -s |sudo --stdin|\"runas\"|, \"runas\"|start-process -verb"}},
	{TraitCaffeinate, "", []string{"<caffeinate>|setthreadexecutionstate"}},
	{TraitTCCEdit, "", []string{"com.apple.tcc|<tccutil>|tcc.db"}},
	{TraitClipboard, "", []string{"<pbcopy>|<pbpaste>|set-clipboard|get-clipboard|set the clipboard|the clipboard|<xclip>|<xsel>|clip.exe|clipboarddata"}},
	{TraitSelfDelete, langShell, []string{"<rm>|<unlink>|<shred>", "$0|bash_source|\"$self|$script_path|$scriptpath"}},
	{TraitSelfDelete, langBatch, []string{"<del>|<erase>", "%~f0|%~0|%0|%~dpnx0"}},
	{TraitSelfDelete, langPowerShell, []string{"remove-item|<del>|<rm>", "$mypscommandpath|$pscommandpath|$myinvocation"}},
	{TraitSelfDelete, "vbscript jscript", []string{"deletefile", "scriptfullname"}},
	{TraitSelfDelete, langPython, []string{"os.remove|os.unlink", "__file__|argv[0]"}},
	{TraitSelfDelete, langAppleScript, []string{"path to me", "delete|<rm>"}},
	{TraitChecksDownload, "", []string{"sha256sum|sha512sum|sha1sum|md5sum|b2sum|<shasum>|get-filehash|-hashfile|gpg --verify|--verify |gpgv|cosign verify|<minisign>|codesign -v|codesign --verify|codesign -dv|codesign -d|spctl -a|spctl --assess|--check-signature|get-authenticodesignature|signtool verify|--require-hashes|hashlib.|sha256]::|sha512]::|computehash|sha256managed|dgst -sha|slsa-verifier|checksumtype|-checksum |-checksum64"}},
	{TraitOptions, langShell, []string{"<getopts>|<getopt>|usage:|--help|--version|${1:-|shift 2"}},
	{TraitOptions, langPowerShell, []string{"<param(|<param (|[cmdletbinding|[parameter"}},
	{TraitOptions, langPython, []string{"argparse|optparse|sys.argv|click.command"}},
	{TraitSleeps, "", []string{"<sleep |start-sleep|<delay |timeout /t|wscript.sleep|time.sleep|ping -n|ping 127.0.0.1"}},
	{TraitDecodedThenRun, langPowerShell, []string{"<iex>|invoke-expression|[scriptblock]::create", "frombase64string|-bxor|[char]"}},
	{TraitDecodedThenRun, langPython, []string{"<exec(|<eval(|os.system(|subprocess.|s.run(|popen(", "b64decode|b32decode|b85decode|a85decode|decompress(|fromhex|chr(int"}},
	{TraitGateOff, "", []string{"<spctl>", "master-disable|global-disable"}},
	{TraitPathFromWritable, "applescript jxa", []string{"launchedtaskwith|<nstask>", "/tmp/|library/caches|temporary"}},
	{TraitEncodedCommand, "", []string{"-encodedcommand| -enc | -ec "}},
}

// wordsAskedFor are words that code asks a statement for by name.
var wordsAskedFor = []string{
	"<iex>", "invoke-expression", "run script", "load script", "<exec>", "<eval>", "<execute>", "executeglobal", "do shell script", "start-process", "invoke-item", ".run>",
	"shellexecute", "<popen>", "subprocess.", "startfile", "os.system", "os.execv", "os.execl", "os.spawn", "launchedtaskwith", "installutil", ".exec>", "process]::start", "<spawn>", "<softwareupdate>", "open location", "display dialog", "display alert",
	"display notification", "msgbox", ".popup", "wscript.echo", "write-host", "write-output", "messagebox", "print>", "<alert>", "write-progress", "doshellscript", "on error", "<try>", "-erroraction silentlycontinue",
	"[scriptblock]::create", "invokescript(", "newscriptblock(", "<function('", "<function(\"", "assembly]::load", "appdomain]::currentdomain.load", "<add-type>", "new function(",
	"2>/dev/null", "on error resume next", "erroractionpreference",
}

// compiled is a rule as sets of word numbers.
type compiled struct {
	trait     string
	languages string
	groups    []bits
}

// ruleBook finds all words in one pass and derives traits from them.
type ruleBook struct {
	words   *matcher
	numbers map[string]int
	rules   []compiled
}

// behaviours builds the rule book once: it never changes.
var behaviours = sync.OnceValue(func() *ruleBook {
	b := &ruleBook{numbers: map[string]int{}}
	var list []string
	number := func(w string) int {
		n, ok := b.numbers[w]
		if !ok {
			n = len(list)
			b.numbers[w] = n
			list = append(list, w)
		}
		return n
	}
	for _, r := range statementRules {
		c := compiled{trait: r.trait, languages: r.languages}
		for _, g := range r.groups {
			var set bits
			for w := range strings.SplitSeq(g, "|") {
				set.set(number(w))
			}
			c.groups = append(c.groups, set)
		}
		b.rules = append(b.rules, c)
	}
	for _, w := range wordsAskedFor {
		number(w)
	}
	for _, t := range objectTools {
		number(t.word)
	}
	b.words = newMatcher(list)
	return b
})

// hits returns the words that text holds.
func (b *ruleBook) hits(text string) bits {
	var set bits
	b.words.scan(text, func(id, _ int) { set.set(id) })
	return set
}

// word tells whether a word of the book is in a set of hits.
func (b *ruleBook) word(hits *bits, w string) bool {
	n, ok := b.numbers[w]
	return ok && hits.has(n)
}

// ruleTraits collects the traits of one statement that the book knows by words.
func (a *analysis) ruleTraits(n int) {
	s := &a.stmts[n]
	if s.hits.empty() {
		return
	}
	b := a.rules
	for i := range b.rules {
		r := &b.rules[i]
		if r.languages != "" && s.lang != "data" && !hasWord(r.languages, s.lang) || !r.holds(&s.hits) {
			continue
		}
		if !a.traits[r.trait] && a.meant(r, n) {
			a.traits[r.trait] = true
		}
	}
}

// gives tells whether a rule finds a trait in the words of a statement.
func (b *ruleBook) gives(trait string, s *stmt) bool {
	for i := range b.rules {
		if r := &b.rules[i]; r.trait == trait && r.holds(&s.hits) {
			return true
		}
	}
	return false
}

func (r *compiled) holds(hits *bits) bool {
	for i := range r.groups {
		if !r.groups[i].meets(hits) {
			return false
		}
	}
	return true
}
