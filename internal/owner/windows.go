package owner

import (
	"slices"
	"strings"

	"meetguard"
)

// windows: packages of the App Installer and the Store lie in WindowsApps, where
// not even administrators write; other installers leave an entry that names
// their folder.
func (o *Owner) windows(name string) (*meetguard.Package, error) {
	if len(name) < 3 || name[1] != ':' {
		return nil, nil
	}
	if p := appInstaller(name, programFiles()); p != nil {
		return p, nil
	}
	entries, err := uninstallEntries()
	if err != nil {
		return nil, err
	}
	return pick(entries, name), nil
}

// appInstaller reads the name from the folder of a package, which is called
// NAME_VERSION_ARCHITECTURE_RESOURCE_PUBLISHER.
func appInstaller(name, programFiles string) *meetguard.Package {
	home, parts := folders(programFiles), folders(name)
	n := len(home)
	if n == 0 || len(parts) < n+3 || !slices.EqualFunc(home, parts[:n], strings.EqualFold) || !strings.EqualFold(parts[n], "WindowsApps") {
		return nil
	}
	full := strings.Split(parts[n+1], "_")
	if len(full) != 5 || full[0] == "" {
		return nil
	}
	return &meetguard.Package{Manager: "appinstaller", Name: full[0]}
}

// folders cuts a path of Windows into its elements, the drive first; nil if it
// goes up again.
func folders(name string) []string {
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '\\' || r == '/' })
	if slices.Contains(parts, "..") {
		return nil
	}
	return parts
}

// entry is one entry of the list of installed programs.
type entry struct {
	name   string // as people see it
	winget string // identifier of winget, where winget installed it
	folder string // InstallLocation
	loose  bool   // from a part of the registry that its user may write
}

// pick gives the entry with the longest folder that a path lies in.
func pick(entries []entry, name string) *meetguard.Package {
	parts := folders(name)
	var best *entry
	depth := 0
	for i, e := range entries {
		dir := folders(strings.Trim(e.folder, `"`))
		if !specific(dir) || len(parts) <= len(dir) || len(dir) <= depth || !slices.EqualFunc(dir, parts[:len(dir)], strings.EqualFold) {
			continue
		}
		best, depth = &entries[i], len(dir)
	}
	switch {
	case best == nil:
		return nil
	case best.winget != "":
		return &meetguard.Package{Manager: "winget", Name: best.winget, Loose: best.loose}
	}
	return &meetguard.Package{Manager: "uninstall", Name: best.name, Loose: best.loose}
}

// specific says whether a folder can be that of one program: entries exist that
// name a drive, all programs or a whole profile.
func specific(dir []string) bool {
	if len(dir) < 3 {
		return false
	}
	return !strings.EqualFold(dir[1], "Users") || len(dir) >= 5
}
