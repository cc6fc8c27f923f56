package inspect

import (
	"bytes"
	"path"
	"regexp"
	"strings"

	"meetguard"
)

// readDeployment reads a file that has Windows or Java install a program from an
// address: App Installer, ClickOnce, Web Start.
func readDeployment(v *Vehicle, name string, data []byte) {
	v.Kind = VehicleDeployment
	text := textOf(data)
	for _, attribute := range []string{" uri", " codebase", " href"} {
		for _, place := range quotedAfter(text, attribute+"=", 16) {
			v.leads(hostList(place))
		}
	}
	if len(v.Hosts) > 0 {
		v.has(TraitDeploys)
	}
	for _, attribute := range []string{" name=", "product=", "publisher=", "description="} {
		for _, s := range quotedAfter(text, attribute, 2) {
			v.shows(meetguard.ClaimMSIXDisplay, strings.NewReplacer(".", " ", "CN=", "").Replace(s))
		}
	}
	for _, s := range append(elements(text, "title", 2), elements(text, "vendor", 2)...) {
		v.shows(meetguard.ClaimMSIXDisplay, s)
	}
	v.Story = spaced(name)
}

// readReference reads a reference to a ClickOnce program: address#name, ….
func readReference(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleDeployment
	place, name, _ := strings.Cut(textOf(data), "#")
	if v.leads(hostList(strings.TrimSpace(place))); len(v.Hosts) > 0 {
		v.has(TraitDeploys)
	}
	name, _, _ = strings.Cut(name, ",")
	v.shows(meetguard.ClaimMSIXDisplay, strings.ReplaceAll(name, ".", " "))
}

// readFlatpak reads the reference of a Flatpak: the repository that it adds.
func readFlatpak(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleDeployment
	for line := range strings.Lines(textOf(data)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch asciiLower(key) {
		case "url":
			v.has(TraitDeploys)
			v.leads(hostList(value))
		case "title", "name":
			v.shows(meetguard.ClaimPackageName, value)
			v.shows(meetguard.ClaimBundleID, value)
		}
	}
}

// readYAML reads manifests and configurations of winget: where an installer comes
// from, and the scripts of a configuration. Other files in YAML are none.
func readYAML(v *Vehicle, _ string, data []byte) {
	switch {
	case hasAny(data, "PackageIdentifier:"):
		v.Kind = VehicleDeployment
		for line := range strings.Lines(textOf(data)) {
			key, value, _ := strings.Cut(strings.TrimLeft(strings.TrimSpace(line), "- "), ":")
			value = strings.Trim(strings.TrimSpace(value), `"'`)
			switch key {
			case "InstallerUrl":
				v.has(TraitDeploys)
				v.leads(hostList(value))
			case "PackageName", "Publisher":
				v.shows(meetguard.ClaimMSIXDisplay, value)
			case "PackageIdentifier":
				v.shows(meetguard.ClaimPackageName, value)
			}
		}
	case hasAny(data, "SetScript:", "TestScript:"):
		v.Kind = VehicleBuild
		for _, key := range []string{"SetScript:", "TestScript:", "GetScript:"} {
			v.run("ps1", yamlBlock(textOf(data), key))
		}
	case hasAny(data, "on-create-command", "postCreateCommand", "onStart"):
		v.Kind = VehicleBuild
	}
}

// yamlBlock is the value of a key: what stands on its line, or the lines that are
// indented deeper.
func yamlBlock(text, key string) string {
	at := strings.Index(text, key)
	if at < 0 {
		return ""
	}
	indent := at - (strings.LastIndexByte(text[:at], '\n') + 1)
	line, rest, _ := strings.Cut(text[at+len(key):], "\n")
	if line = strings.Trim(strings.TrimSpace(line), `"'`); line != "" && line[0] != '|' && line[0] != '>' {
		return line
	}
	var b strings.Builder
	for l := range strings.Lines(rest) {
		if strings.TrimSpace(l) != "" && len(l)-len(strings.TrimLeft(l, " ")) <= indent {
			break
		}
		b.WriteString(strings.TrimSpace(l) + "\n")
	}
	return b.String()
}

// readBuild reads a project of MSBuild: its commands, and code in it that loads a
// program.
func readBuild(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleBuild
	text := textOf(data)
	low := asciiLower(text)
	if containsOne(low, "codetaskfactory") && containsOne(low, "downloaddata", "downloadstring", "downloadfile", "httpclient", "webrequest") && containsOne(low, "assembly.load", "process.start", ".invoke(", "createthread", "virtualalloc") {
		v.has(TraitBuildFetches)
		v.leads(textHosts(between(text, "<code", "</code>")))
	}
	if !strings.Contains(low, "<exec") && !strings.Contains(low, "buildevent") {
		return
	}
	for rest := text; len(v.Commands) < maxVehicleCommands; {
		at := strings.Index(asciiLower(rest), "<exec ")
		if at < 0 {
			break
		}
		rest = rest[at+5:]
		v.run("bat", first(quotedAfter(rest[:indexAnyOr(rest, "\n")], " command", 1)))
	}
	for _, s := range append(elements(text, "PreBuildEvent", 4), elements(text, "PostBuildEvent", 4)...) {
		v.run("bat", s)
	}
}

// jsCommand is a command line in a call of JavaScript that starts a program.
var jsCommand = regexp.MustCompile("\\b(?:exec|execSync|spawn|spawnSync|execFile|execFileSync)\\(\\s*(?:'((?:[^'\\\\\\n]|\\\\.)+)'|\"((?:[^\"\\\\\\n]|\\\\.)+)\"|`([^`\\n]+)`)")

// readJavaScript reads the worker of a browser extension that sends cookies away,
// and the commands of a program made with Electron.
func readJavaScript(v *Vehicle, _ string, data []byte) {
	cookies := hasAny(data, "cookies.getAll(")
	electron := hasAny(data, "require('electron')", `require("electron")`, "from 'electron'", `from "electron"`) && hasAny(data, "child_process")
	if !cookies && !electron {
		return
	}
	v.Kind = VehicleExtension
	text := textOf(data)
	if cookies && containsOne(text, "chrome.cookies", "browser.cookies") && sendsAway(text) {
		v.has(TraitSendsCookies)
		v.leads(textHosts(text))
	}
	if electron {
		v.Kind = VehicleProgram
		for _, m := range jsCommand.FindAllStringSubmatch(text, maxVehicleCommands) {
			v.command(m[1] + m[2] + m[3])
		}
	}
}

// command adds a command line whose shell its first words tell.
func (v *Vehicle) command(line string) {
	line = strings.NewReplacer(`\'`, `'`, `\"`, `"`, `\\`, `\`).Replace(line)
	if windowsHead.MatchString(strings.TrimSpace(line)) {
		v.run("bat", line)
		return
	}
	v.run("sh", line)
}

var windowsHead = regexp.MustCompile(`(?i)^"?(cmd|powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|certutil|bitsadmin|msiexec|start)(\.exe)?"?\b`)

// sends are the calls of JavaScript that send something to an address.
var sends = regexp.MustCompile(`(?i)(fetch|sendBeacon|XMLHttpRequest|\.open\(\s*["']POST|axios|WebSocket|new Image|\.src\s*=)`)

func sendsAway(text string) bool {
	return sends.MatchString(text) && strings.Contains(text, "://") && containsOne(text, "POST", "sendBeacon", "btoa(", "JSON.stringify", "encodeURIComponent", "WebSocket")
}

// settingsKeys are the files in JSON whose commands run without being asked for,
// each with the names of these.
var settingsKeys = map[string][]string{
	"tasks.json":        {"command"}, // of Visual Studio Code, when a folder is opened
	"package.json":      {"preinstall", "install", "postinstall", "prepare", "prepublish", "preprepare", "postprepare"},
	"devcontainer.json": {"initializeCommand", "postCreateCommand", "onCreateCommand", "postStartCommand", "postAttachCommand", "updateContentCommand"},
}

// readPackageSettings reads what opening or installing a project runs.
func readPackageSettings(v *Vehicle, name string, data []byte) {
	base := path.Base(asciiLower(name))
	if base == "tasks.json" && !hasAny(data, "folderOpen") {
		return
	}
	for _, key := range settingsKeys[base] {
		v.Kind = VehicleBuild
		if !hasAny(data, `"`+key+`"`) {
			continue
		}
		for _, s := range jsonTexts(textOf(data), key, maxVehicleCommands) {
			if strings.Contains(s, " ") {
				v.command(s)
			}
		}
	}
}

// jsonTexts lists the strings of a name in JSON, wherever it stands.
func jsonTexts(text, key string, limit int) []string {
	var out []string
	for _, m := range regexp.MustCompile(`"`+regexp.QuoteMeta(key)+`"\s*:\s*"((?:[^"\\\n]|\\.)+)"`).FindAllStringSubmatch(text, limit) {
		out = append(out, strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(m[1]))
	}
	return out
}

// readClass reads the command lines among the texts of a Java class that starts
// programs.
func readClass(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleProgram
	if !starts(data, "\xca\xfe\xba\xbe") || !hasAny(data, "java/lang/Runtime", "java/lang/ProcessBuilder") {
		return
	}
	for _, piece := range bytes.FieldsFunc(data, func(r rune) bool { return r < ' ' && r != '\t' || r == 0xfffd }) {
		if s := strings.TrimLeft(string(piece), "'()*+,-.#$%&"); len(piece) >= 12 && looksLikeCommand(s) {
			v.command(s)
		}
	}
}

// selfExtractor is the setup of a 7-Zip self-extractor, as 7zS.sfx reads it.
var selfExtractor = regexp.MustCompile(`(?is);!@Install@!UTF-8!(.+?);!@InstallEnd@!`)

// readStub reads the commands of a self-extracting program.
func readStub(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleProgram
	if !starts(data, "MZ") || !bytes.Contains(data, []byte(";!@Install@!UTF-8!")) {
		return
	}
	at := bytes.LastIndex(data, []byte(";!@Install@!UTF-8!"))
	m := selfExtractor.FindSubmatch(data[at:min(len(data), at+16<<10)])
	if m == nil {
		return
	}
	for line := range strings.Lines(string(m[1])) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch asciiLower(strings.TrimSpace(key)) {
		case "title", "beginprompt":
			v.Story += " " + strings.Trim(value, `"`)
		case "runprogram", "executefile", "autoinstall":
			value = strings.Trim(strings.TrimSpace(value), `"`)
			for _, flag := range []string{"hidcon:", "nowait:", "forcenowait:", "fm0:"} {
				value = strings.TrimPrefix(value, flag)
			}
			v.run("bat", strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(value))
		}
	}
}
