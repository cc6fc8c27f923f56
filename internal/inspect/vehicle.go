package inspect

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"meetguard"
)

// Limits of one vehicle.
const (
	maxVehicle         = 1 << 20   // bytes of one that are read
	maxVehicleCommands = 24        // command lines of one
	maxStory           = 4 << 10   // bytes of what its reader sees
	pageBytes          = 256 << 10 // bytes of a page that are read
)

// Command is a command line, and the extension of the language it is in.
type Command struct{ Text, Shell string }

// Vehicle is what a file that is no script has the machine of its reader do when
// it is opened: a table with a formula that starts a program, settings with a
// command, a link to a program on somebody else's machine.
type Vehicle struct {
	Kind     string // one of the Vehicle… constants, "" if the file is none
	Commands []Command
	Hosts    []string          // hosts that it opens, loads from or sends to
	Traits   []string          // of the Trait… constants
	Claims   []meetguard.Claim // names that it shows
	Story    string            // what its reader sees
}

// The kinds. They stand for the language of a script in the facts.
const (
	VehicleRegistry   = "registry"
	VehicleSetup      = "setup-information"
	VehicleConsole    = "console"
	VehicleTable      = "table"
	VehicleDocument   = "document"
	VehicleDeployment = "deployment"
	VehicleDesktop    = "remote-desktop"
	VehicleSearch     = "search"
	VehicleLink       = "link"
	VehicleProfile    = "profile"
	VehicleAgent      = "launch-agent"
	VehicleBuild      = "build"
	VehicleExtension  = "extension"
	VehicleProgram    = "program-text"
	VehicleMacro      = "macro"
	VehiclePage       = "page"
	VehicleInvitation = "invitation"
)

// The traits. Each states what a file does, not that it is bad.
const (
	TraitLoadsTemplate  = "loads-template"       // a document that loads its template or a part from a host
	TraitOpensProgram   = "opens-remote-program" // a link to a program on another machine
	TraitWebFolder      = "web-folder"           // shows a folder of the Internet as one of the house: host@SSL, DavWWWRoot
	TraitScriptEngine   = "script-by-other-name" // has a script engine read a file that is not named as a script
	TraitFeignedIcon    = "feigned-icon"         // shows the icon of a document program
	TraitLoadsScriptlet = "loads-scriptlet"      // registers or runs a scriptlet or page from an address
	TraitBuildFetches   = "build-fetches"        // builds code that loads a program and runs it
	TraitWebQuery       = "web-query"            // fills a table from an address
	TraitDeploys        = "deploys"              // installs a program from the hosts that it names
	TraitManages        = "manages-device"       // puts the device under the management of the hosts that it names
	TraitRootProxy      = "root-and-proxy"       // adds a root certificate and leads traffic through a host
	TraitLeadsTraffic   = "leads-traffic"        // leads traffic through the hosts that it names
	TraitSharesDrives   = "shares-drives"        // a remote desktop that is given every drive
	TraitRemoteApp      = "remote-app"           // a remote desktop that looks like a program
	TraitSendsCookies   = "sends-cookies"        // sends the cookies of the browser to a host
	TraitShowsOtherHost = "shows-other-host"     // an address that shows one host and leads to another
	TraitAttachProgram  = "attaches-program"     // an invitation whose attachment is a program at a host
	TraitOpensHandler   = "opens-handler"        // a page that has an installer or a script editor take something from it
	TraitConsole        = "page-console"         // a page that has its reader paste code into the developer tools
	TraitSendsLogin     = "sends-login"          // a page whose password goes to the hosts that it names
	TraitDropsProgram   = "drops-program"        // a page that starts the download of a program by itself
	TraitHandsProgram   = "hands-program"        // a page that makes a program out of its own text
	TraitDeviceCode     = "device-code"          // a page that has its reader enter a code for another device
	TraitWallet         = "asks-wallet"          // a page that has a wallet sign or send
	TraitPictureMoves   = "picture-leads-away"   // a picture whose script leads to an address
)

// vehicles reads each kind by the extension of its name.
var vehicles = map[string]func(v *Vehicle, name string, data []byte){
	".reg": readRegistry, ".inf": readSetup, ".msc": readConsole,
	".slk": readSymbolic, ".csv": readTable, ".tsv": readTable, ".iqy": readQuery,
	".xml": readFlatDocument, ".rels": readRelations, ".bin": readMacros, ".doc": readMacros, ".dot": readMacros, ".xls": readMacros, ".xlt": readMacros, ".ppt": readMacros, ".pdf": readPDF, ".rtf": readRichText,
	".appinstaller": readDeployment, ".application": readDeployment, ".appref-ms": readReference, ".flatpakref": readFlatpak, ".flatpakrepo": readFlatpak, ".wsb": readSandbox, ".service": readService, ".yaml": readYAML, ".yml": readYAML, ".jnlp": readDeployment,
	".rdp": readDesktop, ".search-ms": readSearch, ".library-ms": readSearch, ".searchconnector-ms": readSearch,
	".url": readInternetShortcut, ".website": readInternetShortcut, ".lnk": readShellLinkVehicle,
	".webloc": readFinderLink, ".inetloc": readFinderLink, ".fileloc": readFinderLink,
	".mobileconfig": readProfile, ".plist": readAgent,
	".csproj": readBuild, ".vbproj": readBuild, ".proj": readBuild, ".targets": readBuild,
	".js": readJavaScript, ".json": readPackageSettings, ".class": readClass, ".exe": readStub,
	".html": readPage, ".htm": readPage, ".xhtml": readPage, ".shtml": readPage, ".mht": readPage, ".svg": readPage,
	".ics": readInvitation,
}

// IsVehicleName tells by a name whether a member of a container may be a vehicle
// although nothing in it is run by itself.
func IsVehicleName(name string) bool {
	switch base := asciiLower(path.Base(name)); base {
	case "vbaproject.bin", "tasks.json", "package.json", "devcontainer.json", "document.xml":
		return true
	default:
		if strings.HasPrefix(base, "externallink") {
			return true
		}
	}
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".xml", ".json", ".yaml", ".yml", ".bin", ".js", ".exe", ".class", ".html", ".htm", ".pdf":
		return false
	default:
		return vehicles[ext] != nil
	}
}

// MayBeVehicle tells the same of a name that programs give to other files too.
func MayBeVehicle(name string) bool { return vehicles[asciiLower(path.Ext(name))] != nil }

// ReadVehicle tells what a file does that is no script. It reads at most 1 MiB,
// of a program all of it.
func ReadVehicle(name string, data []byte) Vehicle {
	var v Vehicle
	read := vehicles[strings.ToLower(path.Ext(name))]
	if read == nil || len(data) == 0 {
		return v
	}
	if len(data) > maxVehicle && !starts(data, "MZ") {
		data = data[:maxVehicle]
	}
	read(&v, name, data)
	if len(v.Commands) == 0 && len(v.Traits) == 0 {
		return Vehicle{}
	}
	v.Story = clipStory(v.Story)
	slices.Sort(v.Traits)
	v.Traits = slices.Compact(v.Traits)
	return v
}

func (v *Vehicle) run(shell, text string) {
	if text = strings.TrimSpace(text); text != "" && len(v.Commands) < maxVehicleCommands {
		v.Commands = append(v.Commands, Command{cleanCommand(text), shell})
	}
}

// cleanCommand is one line: a command that is data holds no other.
func cleanCommand(text string) string {
	return strings.ToValidUTF8(strings.NewReplacer("\x00", "", "\r", " ").Replace(text[:min(len(text), 32<<10)]), "")
}

func (v *Vehicle) has(trait string) { v.Traits = append(v.Traits, trait) }

func (v *Vehicle) leads(hosts []string) { v.Hosts = merged(v.Hosts, hosts) }

func (v *Vehicle) shows(source, text string) {
	if text = cleanName(oneLine(text)); text != "" && len(v.Claims) < 8 {
		v.Claims = append(v.Claims, meetguard.Claim{Text: text, Source: source})
	}
}

func clipStory(s string) string {
	s = oneLine(s)
	if len(s) > maxStory {
		s = strings.ToValidUTF8(s[:maxStory], "")
	}
	return s
}

// remotePlace is the host of an address or share on another machine. Names
// without a dot are machines of the house, and so are bare addresses.
func remotePlace(place string) (host string, web bool) {
	low := asciiLower(place)
	if !strings.HasPrefix(low, `\\`) && !strings.HasPrefix(low, "//") && !strings.Contains(low, "://") && !strings.HasPrefix(low, "file:") {
		return "", false
	}
	web = strings.Contains(low, "davwwwroot") || strings.Contains(low, "@ssl") || strings.Contains(low, "@80") || strings.Contains(low, "@443")
	if rest, ok := cutPrefixFold(place, "file:"); ok {
		place = `\\` + strings.TrimLeft(rest, `/\`)
		place = strings.Replace(place, `\\net/`, `\\`, 1) // the folder of automatic mounts on macOS
		place = strings.Replace(place, `\\localhost/`, `C:\`, 1)
	}
	if strings.HasPrefix(place, `\\`) || strings.HasPrefix(place, "//") {
		first := strings.TrimLeft(place, `/\`)
		first = first[:max(0, indexAnyOr(first, `/\`))]
		first, _, _ = strings.Cut(first, "@")
		if host = cleanHost(first); !strings.Contains(host, ".") {
			host = ""
		}
		return host, web
	}
	for _, h := range hostList(place) {
		return h, web
	}
	if rest, ok := cutPrefixFold(place, "smb://"); ok {
		first, _, _ := strings.Cut(rest, "/")
		if host = cleanHost(first[strings.LastIndexByte(first, '@')+1:]); strings.Contains(host, ".") {
			return host, web
		}
	}
	return "", web
}

func indexAnyOr(s, chars string) int {
	if at := strings.IndexAny(s, chars); at >= 0 {
		return at
	}
	return len(s)
}

// runsByName are the extensions of what runs or installs when it is opened.
var runsByName = map[string]bool{".exe": true, ".com": true, ".scr": true, ".pif": true, ".msi": true, ".msix": true, ".appx": true, ".appinstaller": true, ".application": true,
	".bat": true, ".cmd": true, ".js": true, ".jse": true, ".vbs": true, ".vbe": true, ".wsf": true, ".hta": true, ".lnk": true, ".url": true, ".ps1": true, ".jar": true, ".scf": true,
	".app": true, ".command": true, ".terminal": true, ".tool": true, ".scpt": true, ".applescript": true, ".pkg": true, ".mpkg": true, ".dmg": true, ".iso": true, ".workflow": true,
	".deb": true, ".rpm": true, ".appimage": true, ".run": true, ".cpl": true, ".msc": true, ".chm": true, ".mobileconfig": true, ".inetloc": true, ".fileloc": true, ".xll": true}

// namesProgram tells whether an address ends in the name of something that runs.
func namesProgram(address string) bool {
	address, _, _ = strings.Cut(address, "?")
	address, _, _ = strings.Cut(address, "#")
	address = strings.TrimRight(strings.ReplaceAll(address, `\`, "/"), "/ ")
	_, rest, ok := strings.Cut(address, "//")
	return ok && strings.Contains(rest, "/") && runsByName[asciiLower(path.Ext(address))]
}

// quotedAfter lists the texts between marks that follow a name: attribute values.
func quotedAfter(text, name string, limit int) []string {
	var out []string
	low, name := asciiLower(text), asciiLower(name)
	for len(out) < limit {
		at := strings.Index(low, name)
		if at < 0 {
			break
		}
		at += len(name)
		text, low = text[at:], low[at:]
		value := strings.TrimLeft(text, " \t\r\n=")
		if value == "" || value[0] != '"' && value[0] != '\'' {
			continue
		}
		end := strings.IndexByte(value[1:], value[0])
		if end < 0 {
			break
		}
		out = append(out, unescapeMarkup(value[1:1+end]))
	}
	return out
}

// elements lists the texts of the elements of a name without children.
func elements(text, name string, limit int) []string {
	var out []string
	low := asciiLower(text)
	open, end := "<"+asciiLower(name), "</"+asciiLower(name)
	for len(out) < limit {
		at := strings.Index(low, open)
		if at < 0 {
			break
		}
		text, low = text[at+len(open):], low[at+len(open):]
		if low == "" || !isBlank(low[0]) && low[0] != '>' {
			continue
		}
		from, to := strings.IndexByte(low, '>'), strings.Index(low, end)
		if from < 0 || to < from {
			break
		}
		out = append(out, unescapeMarkup(text[from+1:to]))
		text, low = text[to:], low[to:]
	}
	return out
}

// plistTexts lists the strings that follow a key of a property list in XML: one,
// or those of an array.
func plistTexts(text, key string, limit int) []string {
	var out []string
	mark := "<key>" + key + "</key>"
	for len(out) < limit {
		_, rest, ok := strings.Cut(text, mark)
		if !ok {
			break
		}
		text = rest
		rest = strings.TrimLeft(rest, " \t\r\n")
		part := ""
		switch {
		case strings.HasPrefix(rest, "<string>"):
			part, _, _ = strings.Cut(rest, "</string>")
			part += "</string>"
		case strings.HasPrefix(rest, "<array>"):
			part, _, _ = strings.Cut(rest, "</array>")
		}
		out = append(out, elements(part, "string", limit-len(out))...)
	}
	return out
}

func containsAll(text string, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

func containsOne(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

func hasAny(data []byte, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(data, []byte(w)) })
}
