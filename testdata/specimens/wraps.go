package specimens

import (
	"path"
	"strings"
)

// wrapper is one way in which a lure is sent.
type wrapper struct {
	name string
	fits func(Specimen) bool
	wrap func(s Specimen, list []entry) Specimen // Name, Data or Members of the result count
}

// single says that s is one file, which all wrappers of one file ask.
func single(s Specimen) bool { return len(s.Members) == 0 }

func anything(Specimen) bool { return true }

// onSystems says that s is for one of the systems.
func onSystems(list string) func(Specimen) bool {
	return func(s Specimen) bool { return strings.Contains(list, s.Platform) }
}

// nameless says that s is a lure also under another name: some wrappers give
// what they hold names of their own.
func nameless(s Specimen) bool { return s.Family != "double-extension" }

func withExt(list string) func(Specimen) bool {
	return func(s Specimen) bool { return single(s) && strings.Contains(" "+list+" ", " "+path.Ext(s.Name)+" ") }
}

func also(a, b func(Specimen) bool) func(Specimen) bool {
	return func(s Specimen) bool { return a(s) && b(s) }
}

// plainly makes a wrapper that gives one file of a fixed name.
func plainly(name, file string, fits func(Specimen) bool, wrap func([]entry) []byte) wrapper {
	return wrapper{name: name, fits: fits, wrap: func(_ Specimen, list []entry) Specimen { return Specimen{Name: file, Data: wrap(list)} }}
}

// layered wraps in one wrapper after another, the innermost first.
func layered(name, file string, fits func(Specimen) bool, steps ...func([]entry) entry) wrapper {
	return wrapper{name: name, fits: fits, wrap: func(_ Specimen, list []entry) Specimen {
		for _, step := range steps {
			list = []entry{step(list)}
		}
		return Specimen{Name: file, Data: list[0].data}
	}}
}

func step(name string, wrap func([]entry) []byte) func([]entry) entry {
	return func(list []entry) entry { return entry{name, wrap(list), 0o644} }
}

func zipped(list []entry) []byte { return zipOf(list, 8) }

// pretextFile is an honest read-me beside a lure.
var pretextFile = entry{"meeting files/README.txt", []byte("Open the update and follow the steps. See you in the call.\n"), 0o644}

func inFolder(list []entry) []entry {
	out := []entry{pretextFile}
	for _, e := range list {
		out = append(out, entry{"meeting files/" + e.name, e.data, e.mode})
	}
	return out
}

// noteOf tells a password as a sender does.
func noteOf(password string) entry {
	return entry{"Password.txt", []byte("Password: " + password + "\n"), 0o644}
}

// besideNote is a folder with a locked archive and the note.
func besideNote(_ Specimen, list []entry) Specimen {
	note := noteOf("Join-88!")
	return Specimen{Name: "For the call", Members: []Member{{"package.zip", lockedZip(list, "Join-88!", true), 0o644}, {note.name, note.data, note.mode}}}
}

// wrappers are all of them, in the order of the tables.
func wrappers() []wrapper {
	script := withExt(".sh .command .scpt .applescript .ps1 .bat .cmd .vbs .js .jse .hta .py .wsf")
	windows, mac, unix := onSystems("windows"), onSystems("macos"), onSystems("linux macos")
	var desktop = onSystems("windows macos linux")
	return []wrapper{
		plainly("zip stored", "package.zip", anything, func(l []entry) []byte { return zipOf(l, 0) }),
		plainly("zip in folder", "meeting_files.zip", anything, func(l []entry) []byte { return zipped(inFolder(l)) }),
		{name: "zip, password in its name (ZipCrypto)", fits: anything, wrap: func(_ Specimen, l []entry) Specimen {
			return Specimen{Name: "Meeting_update_pass_Zm2026.zip", Data: lockedZip(l, "Zm2026", false)}
		}},
		{name: "zip, password in its name (AES)", fits: anything, wrap: func(_ Specimen, l []entry) Specimen {
			return Specimen{Name: "Interview kit (password 4471).zip", Data: lockedZip(l, "4471", true)}
		}},
		plainly("zip, password in a note inside (AES)", "package.zip", anything, func(l []entry) []byte {
			return lockedZip(l, "call2026", true, noteOf("call2026"))
		}),
		plainly("zip and note with its password in a zip", "files.zip", anything, func(l []entry) []byte {
			return zipped([]entry{{"package.zip", lockedZip(l, "call2026", false), 0o644}, noteOf("call2026")})
		}),
		{name: "zip beside a note with its password", fits: anything, wrap: besideNote},
		plainly("7z stored", "package.7z", anything, func(l []entry) []byte { return sevenZip(l, false) }),
		plainly("7z LZMA", "package.7z", anything, func(l []entry) []byte { return sevenZip(l, true) }),
		plainly("rar", "package.rar", anything, rarOf),
		plainly("tar", "package.tar", desktop, tarOf),
		plainly("tar.gz", "package.tar.gz", desktop, func(l []entry) []byte { return gz(tarOf(l), "") }),
		plainly("tar.xz", "package.tar.xz", desktop, func(l []entry) []byte { return xzOf(tarOf(l)) }),
		plainly("tar.zst", "package.tar.zst", desktop, func(l []entry) []byte { return zstOf(tarOf(l)) }),
		plainly("tar.bz2", "package.tar.bz2", desktop, func(l []entry) []byte { return bzip2Of(tarOf(l)) }),
		{name: "gz of one file", fits: also(single, desktop), wrap: func(s Specimen, l []entry) Specimen {
			return Specimen{Name: s.Name + ".gz", Data: gz(l[0].data, s.Name)}
		}},
		plainly("iso", "Meeting.iso", desktop, func(l []entry) []byte { return isoOf(l, "Meeting") }),
		plainly("img", "Meeting.img", windows, func(l []entry) []byte { return isoOf(l, "Meeting") }),
		plainly("cab stored", "update.cab", windows, func(l []entry) []byte { return cabOf(l, false) }),
		plainly("cab MSZIP", "update.cab", windows, func(l []entry) []byte { return cabOf(l, true) }),
		plainly("msi", "update.msi", also(windows, withExt(".vbs .js .jse .ps1 .bat .cmd .hta .wsf")), func(l []entry) []byte { return msiOf(l, "Client Update") }),
		plainly("msix", "update.msix", windows, func(l []entry) []byte { return msixOf(l, "ClientUpdate") }),
		plainly("deb", "meeting-client_1.0_all.deb", onSystems("linux"), func(l []entry) []byte { return debOf(l, "meeting-client") }),
		plainly("rpm", "meeting-client-1.0-1.noarch.rpm", onSystems("linux"), func(l []entry) []byte { return rpmOf(l, "meeting-client") }),
		plainly("pkg", "Setup.pkg", also(mac, nameless), func(l []entry) []byte { return pkgOf(l, "com.meeting.update") }),
		plainly("dmg", "Setup.dmg", mac, func(l []entry) []byte { return dmgOf(hfsOf(l, "Setup")) }),
		plainly("7z self-extractor", "setup.exe", also(windows, single), func(l []entry) []byte { return extractor(sevenZip(l, true), l[0]) }),
		plainly("zip self-extractor", "setup.exe", also(windows, single), func(l []entry) []byte { return extractor(zipped(l), l[0]) }),
		{name: "mail", fits: single, wrap: func(_ Specimen, l []entry) Specimen {
			return Specimen{Name: "Our call today.eml", Data: mailOf(l[0])}
		}},
		{name: "app", fits: also(also(mac, nameless), withExt(".scpt .applescript .command .sh")), wrap: func(_ Specimen, l []entry) Specimen {
			return Specimen{Name: "Update.app", Members: appletOf(l[0], "Update")}
		}},
		{name: "scptd", fits: also(also(mac, nameless), withExt(".scpt .applescript")), wrap: func(_ Specimen, l []entry) Specimen {
			return Specimen{Name: "Update.scptd", Members: scriptBundle(l[0], "Update")}
		}},
		layered("7z in zip", "package.zip", anything, step("files.7z", func(l []entry) []byte { return sevenZip(l, true) }), step("", zipped)),
		layered("zip in iso", "Meeting.iso", windows, step("files.zip", zipped), step("", func(l []entry) []byte { return isoOf(l, "Meeting") })),
		layered("tar.gz in 7z in zip", "package.zip", unix, step("kit.tar.gz", func(l []entry) []byte { return gz(tarOf(l), "") }),
			step("kit.7z", func(l []entry) []byte { return sevenZip(l, true) }), step("", zipped)),
		layered("app in dmg in zip", "Setup.zip", also(also(mac, nameless), withExt(".scpt .applescript .command .sh")), func(l []entry) entry {
			return entry{"Setup.dmg", dmgOf(hfsOf(entriesOf(Specimen{Name: "Update.app", Members: appletOf(l[0], "Update")}), "Setup")), 0o644}
		}, step("", zipped)),
		layered("cab in iso in zip in a mail", "Our call today.eml", windows, step("update.cab", func(l []entry) []byte { return cabOf(l, true) }),
			step("Meeting.iso", func(l []entry) []byte { return isoOf(l, "Meeting") }), step("files.zip", zipped), step("", func(l []entry) []byte { return mailOf(l[0]) })),
		layered("cab in msi in rar", "update.rar", also(windows, script), step("update.msi", func(l []entry) []byte { return msiOf(l, "Client Update") }), step("", rarOf)),
		layered("rar in tar.xz in zip", "package.zip", desktop, step("kit.rar", rarOf), step("kit.tar.xz", func(l []entry) []byte { return xzOf(tarOf(l)) }), step("", zipped)),
		layered("iso in rar in tar.zst in 7z", "package.7z", desktop, step("disk.iso", func(l []entry) []byte { return isoOf(l, "Meeting") }), step("disk.rar", rarOf),
			step("disk.tar.zst", func(l []entry) []byte { return zstOf(tarOf(l)) }), step("", func(l []entry) []byte { return sevenZip(l, false) })),
	}
}
