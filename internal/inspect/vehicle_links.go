package inspect

import (
	"path"
	"regexp"
	"strings"
)

// readInternetShortcut reads a .url: an address of a program on another machine,
// a folder of the Internet to work in, and an address that shows another host.
func readInternetShortcut(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleLink
	for line := range strings.Lines(textOf(data)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch asciiLower(strings.TrimSpace(key)) {
		case "url":
			v.place(value)
		case "workingdirectory", "iconfile":
			if host, web := remotePlace(value); host != "" && (web || asciiLower(key) == "workingdirectory") {
				v.has(TraitWebFolder)
				v.leads([]string{host})
			}
		}
	}
}

// place reads one address that a link opens.
func (v *Vehicle) place(address string) {
	low := asciiLower(address)
	host, web := remotePlace(address)
	shared := startsFold([]byte(address), "file:") || startsFold([]byte(address), "smb:") || strings.HasPrefix(address, `\\`) || startsFold([]byte(address), "afp:") || startsFold([]byte(address), "ftp:") || startsFold([]byte(address), "nfs:")
	switch {
	case host == "":
	case web && shared:
		v.has(TraitWebFolder)
	case shared && namesProgram(strings.Replace(address, `\\`, "//", 1)):
		v.has(TraitOpensProgram)
	case strings.HasPrefix(low, "http") && shownBefore(address):
		v.has(TraitShowsOtherHost)
	}
	if host != "" {
		v.leads([]string{host})
	}
	for _, scheme := range handlerSchemes {
		if strings.HasPrefix(low, scheme) && (strings.Contains(low, "http") || strings.Contains(low, "script=") || strings.Contains(low, `\\`)) {
			v.has(TraitOpensHandler)
			v.leads(textHosts(address[len(scheme):]))
		}
	}
}

// handlerSchemes open an installer, a script editor or a document straight from
// an address.
var handlerSchemes = []string{"ms-appinstaller:", "applescript:", "ms-msdt:", "ms-officecmd:", "ms-cxh-full:", "search-ms:", "search:", "itms-services:", "x-apple.systempreferences:", "ms-word:ofe|u|", "ms-excel:ofe|u|", "ms-powerpoint:ofe|u|", "shell:", "jnlp:", "jnlps:", "vnc:"}

// shownBefore tells an address whose user part looks like a host.
func shownBefore(address string) bool {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		return false
	}
	authority := rest[:indexAnyOr(rest, "/?#")]
	user, _, ok := strings.Cut(authority, "@")
	return ok && userHost.MatchString(user)
}

var userHost = regexp.MustCompile(`(?i)^[a-z0-9-]+(\.[a-z0-9-]+)*\.(com|us|net|org|io|me|live|ru|cn|de|fr|app)([.:-].*)?$`)

// readFinderLink reads the link files of the Finder. One to a local file is made
// by no program; the letters of its scheme do not matter to the Finder.
func readFinderLink(v *Vehicle, name string, data []byte) {
	v.Kind = VehicleLink
	address := plistValue(data, "URL")
	v.place(address)
	low := asciiLower(address)
	if rest, ok := cutPrefixFold(address, "file:"); ok && (!strings.HasPrefix(address, "file:") || !strings.HasSuffix(asciiLower(name), ".fileloc")) && namesProgram("//x/"+rest) {
		v.has(TraitOpensProgram)
	}
	if strings.HasPrefix(low, "smb:") || strings.HasPrefix(low, "afp:") {
		if host, _ := remotePlace(address); host != "" && namesProgram(address) {
			v.has(TraitOpensProgram)
		}
	}
}

// documentIcons are the programs and libraries whose icons make a shortcut look
// like a document or a system thing.
var documentIcons = regexp.MustCompile(`(?i)(powerpnt|winword|excel|acrord32|acrobat|wmplayer|vlc|notepad|photos|msedge|chrome|zoom|teams|shell32|imageres|explorer)\.(exe|dll)$`)

// scriptArguments have a script engine read a file by another name.
var scriptArguments = regexp.MustCompile(`(?i)//?e:(jscript|vbscript|javascript)\S*\s+"?([^"\s]+)`)

// readShellLinkVehicle reads what a .lnk does that no command line says: the
// share that its program lies on, and scripts by another name.
func readShellLinkVehicle(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleLink
	if !starts(data, lnkHead) {
		return
	}
	l := readShellLink(data)
	if m := scriptArguments.FindStringSubmatch(l.arguments); m != nil && !runsByName[asciiLower(path.Ext(m[2]))] {
		v.has(TraitScriptEngine)
	}
	place := shellLinkPlace(data)
	if host, web := remotePlace(place); host != "" {
		v.leads([]string{host})
		switch {
		case web:
			v.has(TraitWebFolder)
		case runsByName[asciiLower(path.Ext(place))] && documentIcons.MatchString(lastElement(l.icon)):
			v.has(TraitFeignedIcon)
		}
	}
	for _, word := range strings.FieldsFunc(l.arguments, func(r rune) bool { return r == ' ' || r == '"' || r == ',' || r == '\'' }) {
		if host, web := remotePlace(word); strings.HasPrefix(word, `\\`) && host != "" && (web || runsByName[asciiLower(path.Ext(word))]) {
			v.leads([]string{host})
			v.has(TraitOpensProgram)
		}
	}
}

// shellLinkPlace is the whole target of a shell link.
func shellLinkPlace(data []byte) string {
	v := little(data)
	flags := v.u32(20)
	off := uint64(linkHeader)
	if flags&linkHasIDList != 0 {
		off += 2 + uint64(v.u16(off))
	}
	if flags&linkHasInfo != 0 {
		off += uint64(v.u32(off))
	}
	for _, bit := range []uint32{linkHasName, linkHasRelative} {
		text := ""
		if flags&bit != 0 {
			text, off = linkText(v, off, flags&linkIsUnicode != 0)
		}
		if bit == linkHasRelative {
			return text
		}
	}
	return ""
}

// readSearch reads a saved search or library: the folder that it shows.
func readSearch(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleSearch
	text := textOf(data)
	places := append(elements(text, "url", 16), quotedAfter(text, " path", 16)...)
	for _, place := range places {
		if host, web := remotePlace(strings.TrimSpace(place)); host != "" {
			v.leads([]string{host})
			if web || strings.HasPrefix(asciiLower(strings.TrimSpace(place)), "http") {
				v.has(TraitWebFolder)
			}
		}
	}
}
