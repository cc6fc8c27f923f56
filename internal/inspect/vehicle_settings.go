package inspect

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"path"
	"regexp"
	"strings"

	"meetguard"
)

func unescapeMarkup(s string) string { return html.UnescapeString(s) }

// starters are keys of the registry whose values Windows runs.
var starters = regexp.MustCompile(`(?i)\\(run|runonce|runservices|runonceex|policies\\explorer\\run)\\?\]?$|\\shell\\[^\\]+\\command\]?$|\\command processor\]?$|\\winlogon\]?$|\\environment\]?$|\\image file execution options\\|\\inprocserver32\]?$|\\shellnew\\command|\\active setup\\|\\telemetrycontroller\\|\\silentprocessexit\\`)

// readRegistry reads the values of a .reg file that Windows runs: those of keys
// that start programs. The format is that of regedit since Windows 2000.
func readRegistry(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleRegistry
	text := strings.ReplaceAll(strings.ReplaceAll(textOf(data), "\\\r\n", ""), "\\\n", "")
	counts := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			counts = starters.MatchString(strings.TrimSuffix(line, "]"))
			continue
		}
		if strings.HasPrefix(line, ";") {
			v.Story += " " + line[1:]
		}
		if !counts || !strings.HasPrefix(line, `"`) && !strings.HasPrefix(line, "@") {
			continue
		}
		v.run("bat", registryValue(line))
	}
}

// registryValue is the text of a value: quoted, or the bytes of an expanding
// string in UTF-16.
func registryValue(line string) string {
	at := strings.Index(line, "=")
	if strings.HasPrefix(line, `"`) {
		if end := strings.Index(line[1:], `"=`); end >= 0 {
			at = end + 2
		}
	}
	if at < 0 {
		return ""
	}
	value := strings.TrimSpace(line[at+1:])
	if rest, ok := strings.CutPrefix(value, `"`); ok {
		return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(strings.TrimSuffix(rest, `"`))
	}
	if rest, ok := cutPrefixFold(value, "hex(2):"); ok {
		raw, err := hex.DecodeString(strings.NewReplacer(",", "", " ", "").Replace(rest))
		if err != nil {
			return ""
		}
		return decodeUTF16(raw, little(nil).order)
	}
	return ""
}

// readSetup reads the commands of an .inf: the sections that RunPreSetupCommands
// and its like name, and scriptlets that registering its controls loads.
func readSetup(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleSetup
	text := textOf(data)
	named := map[string]bool{}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		switch asciiLower(strings.TrimSpace(key)) {
		case "open", "shellexecute": // of an autorun.inf
			if looksLikeCommand(value) {
				v.run("bat", value)
			}
		case "runpresetupcommands", "runpostsetupcommands", "addreg", "unregisterocxs", "registerocxs", "registerdlls":
			for _, section := range strings.Split(value, ",") {
				section, _, _ = strings.Cut(section, ":")
				named[asciiLower(strings.TrimSpace(section))] = true
			}
		}
	}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = asciiLower(strings.Trim(line, "[]"))
			continue
		}
		if !named[section] || line == "" || line[0] == ';' {
			continue
		}
		low := asciiLower(line)
		switch {
		case containsAll(low, "scrobj.dll", "://"):
			v.has(TraitLoadsScriptlet)
			v.leads(textHosts(line))
		case strings.HasPrefix(low, "hkcu,") || strings.HasPrefix(low, "hklm,"):
			if parts := strings.SplitN(line, ",", 5); len(parts) == 5 && strings.Contains(asciiLower(parts[1]), "\\run") {
				v.run("bat", strings.ReplaceAll(strings.Trim(strings.TrimSpace(parts[4]), `"`), `""`, `"`))
			}
		default:
			v.run("bat", line)
		}
	}
}

// readConsole reads the tasks of a file of the Management Console, and the
// address by which such a file has script run in a component of Windows.
func readConsole(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleConsole
	text := textOf(data)
	low := asciiLower(text)
	if !strings.Contains(low, "<mmc_consolefile") {
		return
	}
	if containsAll(low, "apds.dll/redirect") || containsAll(low, "res://", "javascript:") || strings.Contains(low, "target=javascript:") {
		v.has(TraitLoadsScriptlet)
	}
	for rest := text; len(v.Commands) < maxVehicleCommands; {
		at := strings.Index(asciiLower(rest), "<commandline")
		if at < 0 {
			break
		}
		command := ""
		if task := strings.LastIndex(asciiLower(rest[:at]), "<task"); task >= 0 {
			command = first(quotedAfter(rest[task:at], " command", 1))
		}
		end := indexAnyOr(rest[at:], ">")
		v.run("bat", command+" "+first(quotedAfter(rest[at:at+end], " params", 1)))
		rest = rest[at+end:]
	}
	for _, s := range elements(text, "String", 64) {
		v.Story += " " + s
		if looksLikeCommand(s) {
			v.run("bat", s)
		}
	}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// commandHeads begin the command lines that other files hold.
var commandHeads = regexp.MustCompile(`(?i)^["']?([%$\w:.\\/{}-]*[\\/])?(cmd|powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|certutil|bitsadmin|msiexec|curl|wget|bash|sh|zsh|osascript|python3?|conhost|forfiles|explorer|start)(\.exe)?["']?\s+\S`)

func looksLikeCommand(s string) bool { return commandHeads.MatchString(strings.TrimSpace(s)) }

// readDesktop reads a remote desktop file: what it gives the other machine, and
// what it looks like.
func readDesktop(v *Vehicle, name string, data []byte) {
	v.Kind = VehicleDesktop
	for line := range strings.Lines(textOf(data)) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		_, value, _ := strings.Cut(rest, ":")
		switch asciiLower(key) {
		case "full address", "alternate full address", "gatewayhostname":
			v.leads(hostList("https://" + value))
		case "drivestoredirect", "devicestoredirect":
			if strings.Contains(value, "*") || strings.Contains(asciiLower(value), "c:") {
				v.has(TraitSharesDrives)
			}
		case "remoteapplicationmode":
			if value == "1" {
				v.has(TraitRemoteApp)
			}
		case "remoteapplicationname":
			v.Story += " " + value
			v.shows(meetguard.ClaimShortcut, value)
		}
	}
	v.Story += " " + spaced(name)
}

// spaced makes words of a name.
func spaced(name string) string {
	return strings.NewReplacer("_", " ", "-", " ", ".", " ").Replace(strings.TrimSuffix(name, path.Ext(name)))
}

// readProfile reads a configuration profile of Apple (signed ones too: their text
// stands in the signature as it is).
func readProfile(v *Vehicle, name string, data []byte) {
	v.Kind = VehicleProfile
	text := string(data)
	root := containsOne(text, ">com.apple.security.root<", ">com.apple.security.pem<", ">com.apple.security.pkcs1<")
	proxy := containsOne(text, ">com.apple.proxy.http.global<", ">com.apple.vpn.managed<", ">com.apple.webcontent-filter<", ">com.apple.dnsSettings.managed<", ">com.apple.relay.managed<")
	if root && proxy {
		v.has(TraitRootProxy)
	}
	if proxy {
		v.has(TraitLeadsTraffic)
	}
	if strings.Contains(text, ">com.apple.mdm<") {
		v.has(TraitManages)
	}
	if strings.Contains(text, ">com.apple.webClip.managed<") {
		v.has(TraitDeploys)
	}
	for _, key := range []string{"ServerURL", "CheckInURL", "URL", "PACURL", "ProxyServer", "ProxyPACURL", "HTTPProxy", "RemoteAddress"} {
		for _, place := range plistTexts(text, key, 8) {
			if !strings.Contains(place, "://") {
				place = "https://" + place
			}
			v.leads(hostList(place))
		}
	}
	for _, key := range []string{"PayloadDisplayName", "PayloadOrganization", "PayloadDescription", "Label"} {
		for _, s := range plistTexts(text, key, 4) {
			v.shows(meetguard.ClaimTitle, s)
			v.Story += " " + s
		}
	}
	v.Story += " " + spaced(name)
}

// readAgent reads the command of a property list for launchd (launchd.plist(5)).
func readAgent(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleAgent
	text := string(data)
	if !containsAll(text, "<key>Label</key>") || !containsOne(text, "<key>ProgramArguments</key>", "<key>Program</key>") {
		return
	}
	args := plistTexts(text, "ProgramArguments", 32)
	var line strings.Builder
	for _, a := range args {
		line.WriteString("'" + strings.ReplaceAll(a, "'", `'\''`) + "' ")
	}
	v.run("sh", line.String())
	v.shows(meetguard.ClaimPackageName, first(plistTexts(text, "Label", 1)))
}

// readInvitation reads what an invitation attaches (RFC 5545, 3.8.1.1).
func readInvitation(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleInvitation
	text := unfold(textOf(data))
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		property, value, ok := strings.Cut(line, ":")
		if ok && startsFold([]byte(property), "attach") {
			v.attached(property, value)
		}
	}
}

func (v *Vehicle) attached(property, value string) {
	low := asciiLower(property)
	if namesProgram(value) {
		v.has(TraitAttachProgram)
		v.leads(hostList(value))
		return
	}
	if !strings.Contains(low, "encoding=base64") {
		return
	}
	name := ""
	for _, p := range strings.Split(property, ";") {
		for _, key := range []string{"x-filename=", "filename=", "x-apple-filename="} {
			if n, ok := cutPrefixFold(p, key); ok {
				name = strings.Trim(n, `"`)
			}
		}
	}
	ext := strings.TrimPrefix(asciiLower(path.Ext(name)), ".")
	if !runsByName["."+ext] {
		return
	}
	body, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	if err == nil && len(body) > 0 {
		v.run(ext, string(body))
	}
}

// readSandbox reads the command that Windows Sandbox starts with.
func readSandbox(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleBuild
	for _, s := range elements(textOf(data), "Command", 8) {
		v.run("bat", s)
	}
}

// readService reads the commands of a unit of systemd (systemd.service(5)).
func readService(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleAgent
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && strings.HasPrefix(key, "Exec") {
			v.run("sh", strings.TrimLeft(value, "-@:+!"))
		}
	}
}
