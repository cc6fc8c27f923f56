package main

import (
	"fmt"
	"strings"
)

// signature has the keys of the contract.
type signature struct {
	Status    string `json:"status"`
	Subject   string `json:"subject,omitempty"`
	Issuer    string `json:"issuer,omitempty"`
	TeamID    string `json:"team_id,omitempty"`
	SigningID string `json:"signing_id,omitempty"`
}

// signedBy tells the signature that a word of a source stands for:
//
//	unsigned, adhoc, unknown, invalid, untrusted, none
//	apple, win (a part of Windows), ms (another product of Microsoft)
//	dev:TEAM:Name[:signing id]   an Apple Developer ID
//	cert:Subject                 an Authenticode certificate of a public CA
//	trusted:Subject              one of the signing service with certificates of three days
func signedBy(word, base string) (*signature, error) {
	kind, rest, _ := strings.Cut(word, ":")
	switch kind {
	case "none":
		return nil, nil
	case "unsigned", "unknown", "invalid", "untrusted":
		return &signature{Status: kind}, nil
	case "adhoc":
		return &signature{Status: kind, SigningID: base}, nil
	case "apple":
		return &signature{Status: "valid", Subject: "Software Signing", Issuer: "Apple Code Signing Certification Authority", SigningID: "com.apple." + strings.ReplaceAll(base, " ", "")}, nil
	case "win":
		return &signature{Status: "valid", Subject: "Microsoft Windows", Issuer: "Microsoft Windows Production PCA 2011"}, nil
	case "ms":
		return &signature{Status: "valid", Subject: "Microsoft Corporation", Issuer: "Microsoft Code Signing PCA 2011"}, nil
	case "dev":
		return developerID(rest, base)
	case "cert":
		return &signature{Status: "valid", Subject: rest, Issuer: "DigiCert Trusted G4 Code Signing RSA4096 SHA384 2021 CA1"}, nil
	case "trusted":
		return &signature{Status: "valid", Subject: rest, Issuer: "Microsoft ID Verified CS EOC CA 02"}, nil
	}
	return nil, fmt.Errorf("what signature is %q", word)
}

func developerID(text, base string) (*signature, error) {
	parts := strings.SplitN(text, ":", 3)
	if len(parts) < 2 {
		return nil, fmt.Errorf("a Developer ID needs a team and a name: %q", text)
	}
	s := &signature{Status: "valid", Subject: parts[1], Issuer: "Developer ID Certification Authority", TeamID: parts[0], SigningID: base}
	if len(parts) == 3 {
		s.SigningID = parts[2]
	}
	return s, nil
}

// program is where a short name lies and who signed it.
type program struct {
	path, sig string
}

// find tells the program that is meant by the first word of a launch.
func find(system, word string) program {
	if p, ok := programs[system][word]; ok {
		return p
	}
	switch system {
	case "windows":
		return findWindows(word)
	case "darwin":
		return findDarwin(word)
	}
	if !strings.Contains(word, "/") {
		word = "/usr/bin/" + word
	}
	return program{word, "none"} // files of Linux carry no signature
}

func findWindows(word string) program {
	lower := strings.ToLower(word)
	switch {
	case !strings.Contains(word, `\`) && !strings.Contains(word, "."):
		return program{`C:\Windows\System32\` + word + ".exe", "win"}
	case !strings.Contains(word, `\`):
		return program{`C:\Windows\System32\` + word, "win"}
	case strings.HasPrefix(lower, `c:\windows\system32\`), strings.HasPrefix(lower, `c:\windows\syswow64\`):
		return program{word, "win"}
	}
	return program{word, "unsigned"}
}

// binaries lie in /bin on macOS.
const binaries = " sh zsh bash cat cp mv rm ls chmod mkdir ps launchctl kill sleep echo date ln dd df test hostname pwd "

func findDarwin(word string) program {
	if !strings.Contains(word, "/") {
		if strings.Contains(binaries, " "+word+" ") {
			return program{"/bin/" + word, "apple"}
		}
		return program{"/usr/bin/" + word, "apple"}
	}
	for _, dir := range []string{"/System/", "/usr/bin/", "/usr/sbin/", "/usr/libexec/", "/bin/", "/sbin/"} {
		if strings.HasPrefix(word, dir) {
			return program{word, "apple"}
		}
	}
	if strings.HasPrefix(word, "/opt/homebrew/") || strings.HasPrefix(word, "/usr/local/") {
		return program{word, "adhoc"}
	}
	return program{word, "unsigned"}
}

const (
	zoomMac   = "dev:BJ4HAAB9B3:Zoom Video Communications, Inc."
	msMac     = "dev:UBF8T346G9:Microsoft Corporation"
	googleMac = "dev:EQHXZ8M8AV:Google LLC"
)

var programs = map[string]map[string]program{
	"darwin": {
		"ScriptEditor":      {"/System/Applications/Utilities/Script Editor.app/Contents/MacOS/Script Editor", "apple"},
		"Terminal":          {"/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal", "apple"},
		"iTerm":             {"/Applications/iTerm.app/Contents/MacOS/iTerm2", "dev:H7V7XYVQ7D:GEORGE NACHMAN:com.googlecode.iterm2"},
		"Warp":              {"/Applications/Warp.app/Contents/MacOS/stable", "dev:2BBY89MBSN:Denver Technologies, Inc.:dev.warp.Warp-Stable"},
		"Finder":            {"/System/Library/CoreServices/Finder.app/Contents/MacOS/Finder", "apple"},
		"Safari":            {"/Applications/Safari.app/Contents/MacOS/Safari", "apple"},
		"Chrome":            {"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", googleMac + ":com.google.Chrome"},
		"Firefox":           {"/Applications/Firefox.app/Contents/MacOS/firefox", "dev:43AQ936H96:Mozilla Corporation:org.mozilla.firefox"},
		"Zoom":              {"/Applications/zoom.us.app/Contents/MacOS/zoom.us", zoomMac + ":us.zoom.xos"},
		"CptHost":           {"/Applications/zoom.us.app/Contents/Frameworks/cpthost.app/Contents/MacOS/CptHost", zoomMac + ":us.zoom.CptHost"},
		"Teams":             {"/Applications/Microsoft Teams.app/Contents/MacOS/MSTeams", msMac + ":com.microsoft.teams2"},
		"msupdate":          {"/Library/Application Support/Microsoft/MAU2.0/Microsoft AutoUpdate.app/Contents/MacOS/msupdate", msMac + ":com.microsoft.msupdate"},
		"AutoUpdate":        {"/Library/Application Support/Microsoft/MAU2.0/Microsoft AutoUpdate.app/Contents/MacOS/Microsoft AutoUpdate", msMac + ":com.microsoft.autoupdate2"},
		"Webex":             {"/Applications/Webex.app/Contents/MacOS/Webex", "dev:DE8Y96K9QP:Cisco:Cisco-Systems.Spark"},
		"Slack":             {"/Applications/Slack.app/Contents/MacOS/Slack", "dev:BQR82RBBHL:SLACK TECHNOLOGIES L.L.C.:com.tinyspeck.slackmacgap"},
		"Discord":           {"/Applications/Discord.app/Contents/MacOS/Discord", "dev:53Q6R32WPB:Discord, Inc.:com.hnc.Discord"},
		"Telegram":          {"/Applications/Telegram.app/Contents/MacOS/Telegram", "dev:6N38VWS5BX:TELEGRAM MESSENGER LLP:ru.keepcoder.Telegram"},
		"GoTo":              {"/Applications/GoTo.app/Contents/MacOS/GoTo", "dev:GFNFVT632V:LogMeIn, Inc.:com.logmein.goto"},
		"RingCentral":       {"/Applications/RingCentral.app/Contents/MacOS/RingCentral", "dev:M932RC5J66:RingCentral, Inc.:com.ringcentral.glip"},
		"Code":              {"/Applications/Visual Studio Code.app/Contents/MacOS/Electron", msMac + ":com.microsoft.VSCode"},
		"Xcode":             {"/Applications/Xcode.app/Contents/MacOS/Xcode", "apple"},
		"Shortcuts":         {"/System/Applications/Shortcuts.app/Contents/MacOS/Shortcuts", "apple"},
		"ShortcutsRunner":   {"/System/Library/PrivateFrameworks/WorkflowKit.framework/XPCServices/ShortcutsMacHelper.xpc/Contents/MacOS/ShortcutsMacHelper", "apple"},
		"Automator":         {"/System/Applications/Automator.app/Contents/MacOS/Automator", "apple"},
		"AutomatorRunner":   {"/System/Library/Frameworks/Automator.framework/Versions/A/XPCServices/com.apple.automator.runner.xpc/Contents/MacOS/com.apple.automator.runner", "apple"},
		"Installer":         {"/System/Library/CoreServices/Installer.app/Contents/MacOS/Installer", "apple"},
		"package_script":    {"/System/Library/PrivateFrameworks/PackageKit.framework/Versions/A/XPCServices/package_script_service.xpc/Contents/MacOS/package_script_service", "apple"},
		"installd":          {"/System/Library/PrivateFrameworks/PackageKit.framework/Versions/A/Resources/installd", "apple"},
		"SystemSettings":    {"/System/Applications/System Settings.app/Contents/MacOS/System Settings", "apple"},
		"installer":         {"/usr/sbin/installer", "apple"},
		"spctl":             {"/usr/sbin/spctl", "apple"},
		"softwareupdate":    {"/usr/sbin/softwareupdate", "apple"},
		"system_profiler":   {"/usr/sbin/system_profiler", "apple"},
		"scutil":            {"/usr/sbin/scutil", "apple"},
		"screencapture":     {"/usr/sbin/screencapture", "apple"},
		"mdworker_shared":   {"/System/Library/Frameworks/CoreServices.framework/Frameworks/Metadata.framework/Versions/A/Support/mdworker_shared", "apple"},
		"networkquality":    {"/usr/bin/networkQuality", "apple"},
		"brew":              {"/opt/homebrew/bin/brew", "unsigned"},
		"node":              {"/opt/homebrew/bin/node", "adhoc"},
		"go":                {"/usr/local/go/bin/go", "adhoc"},
		"jamf":              {"/usr/local/jamf/bin/jamf", "dev:483DWKW443:JAMF Software:com.jamf.management.service"},
		"munki":             {"/usr/local/munki/managedsoftwareupdate", "dev:T4SK8ZXCXG:Mac Admins Open Source"},
		"intune":            {"/Library/Intune/Microsoft Intune Agent.app/Contents/MacOS/IntuneMdmDaemon", msMac + ":IntuneMdmDaemon"},
		"kandji":            {"/Library/Kandji/Kandji Agent.app/Contents/MacOS/kandji-daemon", "dev:P3FGV63VK7:Kandji, Inc.:io.kandji.KandjiAgent"},
		"addigy":            {"/Library/Addigy/go-agent", "dev:T9Y8Q4KRYX:Addigy Inc."},
		"mosyle":            {"/Library/Application Support/Mosyle/MosyleMDM.app/Contents/MacOS/MosyleMDM", "dev:K8P4G35D4V:Mosyle Corporation"},
		"GoogleUpdater":     {"/Library/Application Support/Google/GoogleUpdater/130.0.6679.0/GoogleUpdater.app/Contents/MacOS/GoogleUpdater", googleMac + ":com.google.GoogleUpdater"},
		"ksadmin":           {"/Library/Google/GoogleSoftwareUpdate/GoogleSoftwareUpdate.bundle/Contents/Helpers/ksadmin", googleMac + ":ksadmin"},
		"autoupdateSparkle": {"/Applications/Rectangle.app/Contents/Frameworks/Sparkle.framework/Versions/B/Autoupdate", "dev:XSYZ3E4B7D:Ryan Hanson:org.sparkle-project.Sparkle.Autoupdate"},
	},
	"windows": {
		"explorer":    {`C:\Windows\explorer.exe`, "win"},
		"powershell":  {`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, "win"},
		"pwsh":        {`C:\Program Files\PowerShell\7\pwsh.exe`, "ms"},
		"wmiprvse":    {`C:\Windows\System32\wbem\WmiPrvSE.exe`, "win"},
		"wmic":        {`C:\Windows\System32\wbem\WMIC.exe`, "win"},
		"chrome":      {`C:\Program Files\Google\Chrome\Application\chrome.exe`, "cert:Google LLC"},
		"msedge":      {`C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`, "ms"},
		"firefox":     {`C:\Program Files\Mozilla Firefox\firefox.exe`, "cert:Mozilla Corporation"},
		"brave":       {`C:\Program Files\BraveSoftware\Brave-Browser\Application\brave.exe`, "cert:Brave Software, Inc."},
		"outlook":     {`C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE`, "ms"},
		"excel":       {`C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE`, "ms"},
		"winword":     {`C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE`, "ms"},
		"ms-teams":    {`C:\Program Files\WindowsApps\MSTeams_25275.2601.4002.2815_x64__8wekyb3d8bbwe\ms-teams.exe`, "ms"},
		"webview2":    {`C:\Program Files (x86)\Microsoft\EdgeWebView\Application\141.0.3537.71\msedgewebview2.exe`, "ms"},
		"TeamsUpdate": {`$H\AppData\Local\Microsoft\Teams\Update.exe`, "ms"},
		"Teams":       {`$H\AppData\Local\Microsoft\Teams\current\Teams.exe`, "ms"},
		"Zoom":        {`$H\AppData\Roaming\Zoom\bin\Zoom.exe`, "cert:Zoom Communications, Inc."},
		"ZoomPF":      {`C:\Program Files\Zoom\bin\Zoom.exe`, "cert:Zoom Communications, Inc."},
		"WebexHost":   {`C:\Program Files\Cisco Spark\dependencies\WebexHost.exe`, "cert:Cisco Systems, Inc."},
		"CiscoCollab": {`C:\Program Files\Cisco Spark\CiscoCollabHost.exe`, "cert:Cisco Systems, Inc."},
		"slack":       {`$H\AppData\Local\slack\slack.exe`, "cert:Slack Technologies, LLC"},
		"discord":     {`$H\AppData\Local\Discord\app-1.0.9210\Discord.exe`, "cert:Discord Inc."},
		"goto":        {`$H\AppData\Local\goto\goto.exe`, "cert:GoTo Technologies USA, LLC"},
		"ringcentral": {`$H\AppData\Local\Programs\RingCentral\RingCentral.exe`, "cert:RingCentral, Inc."},
		"code":        {`$H\AppData\Local\Programs\Microsoft VS Code\Code.exe`, "ms"},
		"wt":          {`C:\Program Files\WindowsApps\Microsoft.WindowsTerminal_1.23.12811.0_x64__8wekyb3d8bbwe\WindowsTerminal.exe`, "ms"},
		"ccmexec":     {`C:\Windows\CCM\CcmExec.exe`, "ms"},
		"intune":      {`C:\Program Files (x86)\Microsoft Intune Management Extension\Microsoft.Management.Services.IntuneWindowsAgent.exe`, "ms"},
		"imeagent":    {`C:\Program Files (x86)\Microsoft Intune Management Extension\agentexecutor.exe`, "ms"},
		"tanium":      {`C:\Program Files (x86)\Tanium\Tanium Client\TaniumClient.exe`, "cert:Tanium Inc."},
		"bigfix":      {`C:\Program Files (x86)\BigFix Enterprise\BES Client\BESClient.exe`, "cert:HCL Technologies Limited"},
		"screenconn":  {`C:\Program Files (x86)\ScreenConnect Client (1f0c3a9d2b7e4456)\ScreenConnect.ClientService.exe`, "cert:Connectwise, LLC"},
		"ninja":       {`C:\Program Files (x86)\NinjaRMMAgent\ninjarmm-cli.exe`, "cert:NinjaRMM, LLC"},
		"datto":       {`C:\Program Files (x86)\CentraStage\AEMAgent.exe`, "cert:Datto, LLC"},
		"atera":       {`C:\Program Files\ATERA Networks\AteraAgent\AteraAgent.exe`, "cert:Atera Networks Ltd"},
		"git":         {`C:\Program Files\Git\cmd\git.exe`, "cert:Johannes Schindelin"},
		"gitbash":     {`C:\Program Files\Git\usr\bin\bash.exe`, "cert:Johannes Schindelin"},
		"node":        {`C:\Program Files\nodejs\node.exe`, "cert:OpenJS Foundation"},
		"python":      {`$H\AppData\Local\Programs\Python\Python312\python.exe`, "cert:Python Software Foundation"},
		"winget":      {`$H\AppData\Local\Microsoft\WindowsApps\winget.exe`, "ms"},
		"7z":          {`C:\Program Files\7-Zip\7z.exe`, "unsigned"},
		"7zFM":        {`C:\Program Files\7-Zip\7zFM.exe`, "unsigned"},
		"msiexec32":   {`C:\Windows\SysWOW64\msiexec.exe`, "win"},
		"cmd32":       {`C:\Windows\SysWOW64\cmd.exe`, "win"},
		"regsvr32":    {`C:\Windows\System32\regsvr32.exe`, "win"},
		"msbuild":     {`C:\Windows\Microsoft.NET\Framework64\v4.0.30319\MSBuild.exe`, "ms"},
		"installutil": {`C:\Windows\Microsoft.NET\Framework64\v4.0.30319\InstallUtil.exe`, "ms"},
		"regasm":      {`C:\Windows\Microsoft.NET\Framework64\v4.0.30319\RegAsm.exe`, "ms"},
		"c2r":         {`C:\Program Files\Common Files\microsoft shared\ClickToRun\OfficeClickToRun.exe`, "ms"},
		"edgeupdate":  {`C:\Program Files (x86)\Microsoft\EdgeUpdate\MicrosoftEdgeUpdate.exe`, "ms"},
		"gupdater":    {`C:\Program Files (x86)\Google\GoogleUpdater\141.0.7376.0\updater.exe`, "cert:Google LLC"},
		"defender":    {`C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.25090.3009-0\MpCmdRun.exe`, "ms"},
		"onedrive":    {`$H\AppData\Local\Microsoft\OneDrive\OneDrive.exe`, "ms"},
	},
	"linux": {
		"firefox":    {"/usr/lib/firefox/firefox", "none"},
		"chrome":     {"/opt/google/chrome/chrome", "none"},
		"zoom":       {"/opt/zoom/zoom", "none"},
		"ZoomLaunch": {"/opt/zoom/ZoomLauncher", "none"},
		"slack":      {"/usr/lib/slack/slack", "none"},
		"discord":    {"/usr/share/discord/Discord", "none"},
		"code":       {"/usr/share/code/code", "none"},
		"terminal":   {"/usr/libexec/gnome-terminal-server", "none"},
		"konsole":    {"/usr/bin/konsole", "none"},
		"shell":      {"/usr/bin/gnome-shell", "none"},
		"sshd":       {"/usr/sbin/sshd", "none"},
		"cron":       {"/usr/sbin/cron", "none"},
		"systemd":    {"/usr/lib/systemd/systemd", "none"},
	},
}
