package watch

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows/registry"
)

// Where Windows keeps the profiles of the users and where each user's folders
// are (Known Folders). The GUID is FOLDERID_Downloads.
const (
	profileList   = `SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`
	shellFolders  = `\Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders`
	downloadsGUID = "{374DE290-123F-4565-9164-39C4925E467B}"
)

// downloadFolders are those of every profile of a person: local and domain
// accounts have S-1-5-21, Entra accounts S-1-12-1.
func downloadFolders() []string {
	var dirs []string
	for _, id := range profiles() {
		dirs = append(dirs, profileFolders(id)...)
	}
	return dirs
}

// profiles are the ids of the persons who have a profile.
func profiles() (persons []string) {
	list, err := registry.OpenKey(registry.LOCAL_MACHINE, profileList, registry.ENUMERATE_SUB_KEYS)
	if err != nil {
		return nil
	}
	defer list.Close()
	ids, _ := list.ReadSubKeyNames(-1)
	for _, id := range ids {
		if strings.HasPrefix(id, "S-1-5-21-") || strings.HasPrefix(id, "S-1-12-1-") {
			persons = append(persons, id)
		}
	}
	return persons
}

func homeDirs() (homes []string) {
	for _, id := range profiles() {
		if home := profileHome(id); home != "" {
			homes = append(homes, home)
		}
	}
	return homes
}

// profileHome is the folder of a profile, "" if it is not known.
func profileHome(id string) string {
	home := registryString(registry.LOCAL_MACHINE, profileList+`\`+id, "ProfileImagePath")
	home, err := registry.ExpandString(home) // %SystemDrive% only
	if err != nil || !filepath.IsAbs(home) {
		return ""
	}
	return home
}

// profileFolders are the usual folders of a profile, and those that its owner
// moved; the latter are known only while the owner is logged on.
func profileFolders(id string) []string {
	home := profileHome(id)
	if home == "" {
		return nil
	}
	dirs := usualFolders(home)
	for _, name := range []string{downloadsGUID, "Desktop"} {
		dir := registryString(registry.USERS, id+shellFolders, name)
		dir = strings.Replace(dir, "%USERPROFILE%", home, 1) // not that of the service
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// registryString reads a value without expanding it, "" if there is none.
func registryString(root registry.Key, path, name string) string {
	k, err := registry.OpenKey(root, path, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer k.Close()
	value, _, _ := k.GetStringValue(name)
	return value
}
