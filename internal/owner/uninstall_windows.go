package owner

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows/registry"
)

func programFiles() string { return os.Getenv("ProgramFiles") }

// maxEntries bounds how many entries of one list are read.
const maxEntries = 10_000

// uninstallEntries reads the lists of installed programs of the machine and of
// the user that the process runs as.
func uninstallEntries() ([]entry, error) {
	const list = `SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`
	var out []entry
	for _, at := range []struct {
		hive  registry.Key
		view  uint32
		loose bool
	}{
		{registry.LOCAL_MACHINE, registry.WOW64_64KEY, false},
		{registry.LOCAL_MACHINE, registry.WOW64_32KEY, false},
		{registry.CURRENT_USER, 0, true},
	} {
		found, err := readEntries(at.hive, list, at.view, at.loose)
		if err != nil && !errors.Is(err, registry.ErrNotExist) {
			return nil, fmt.Errorf("read the installed programs: %w", err)
		}
		out = append(out, found...)
	}
	return out, nil
}

func readEntries(hive registry.Key, list string, view uint32, loose bool) ([]entry, error) {
	k, err := registry.OpenKey(hive, list, registry.ENUMERATE_SUB_KEYS|view)
	if err != nil {
		return nil, err
	}
	defer k.Close()
	names, _ := k.ReadSubKeyNames(maxEntries) // the error says that there are fewer
	var out []entry
	for _, name := range names {
		sub, err := registry.OpenKey(hive, list+`\`+name, registry.QUERY_VALUE|view)
		if err != nil {
			continue // removed since, or not for this user
		}
		e := entry{loose: loose}
		for value, to := range map[string]*string{"DisplayName": &e.name, "WinGetPackageIdentifier": &e.winget, "InstallLocation": &e.folder} {
			*to, _, _ = sub.GetStringValue(value) // most entries lack some
		}
		sub.Close()
		if e.name == "" {
			e.name = name
		}
		if e.folder != "" {
			out = append(out, e)
		}
	}
	return out, nil
}
