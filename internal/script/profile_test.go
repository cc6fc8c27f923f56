package script

import (
	"slices"
	"testing"
)

// TestPacksAndProfiles holds which statements make an archive, and which name
// what programs keep in the user's profile.
func TestPacksAndProfiles(t *testing.T) {
	for _, c := range []struct {
		file, text     string
		packs, profile bool
	}{
		{"a.sh", "zip -qr /tmp/a.zip ~/Documents\n", true, false},
		{"a.sh", "tar czf /tmp/a.tgz \"$HOME/.config/Signal\"\n", true, true},
		{"a.sh", "/usr/bin/ditto -c -k \"$HOME/Library/Application Support/Signal\" /tmp/a.zip\n", true, true},
		{"a.sh", "tar -xzf a.tgz -C /opt\nunzip -o b.zip\nditto -x -k c.zip /tmp\n", false, false},
		{"a.sh", "cp -R /usr/share/applications /tmp\n", false, false},
		{"a.applescript", "do shell script \"cd /tmp && zip -qr t.zip \" & quoted form of (u & \"Library/Group Containers/x\")\n", true, true},
		{"a.ps1", "Compress-Archive \"$env:APPDATA\\Signal\" C:\\t.zip\n", true, true},
		{"a.ps1", "Expand-Archive C:\\t.zip C:\\Tools\n", false, false},
		{"a.bat", "tar -cf %TEMP%\\a.tar \"%APPDATA%\\Signal\"\r\n", true, true},
		{"a.py", "import os, shutil, urllib.request\nurllib.request.urlopen('https://a.invalid/ok')\nshutil.make_archive('/tmp/o', 'zip', os.path.expanduser('~/.config/Signal'))\n", true, true},
	} {
		s, _ := Analyse(c.file, []byte(c.text))
		if s == nil {
			t.Errorf("%q is not taken for a script", c.text)
			continue
		}
		if packs := slices.Contains(s.Traits, TraitPacksFiles); packs != c.packs {
			t.Errorf("%q: packs %v, want %v (%v)", c.text, packs, c.packs, s.Traits)
		}
		if profile := slices.Contains(s.Traits, TraitProfileData); profile != c.profile {
			t.Errorf("%q: profile %v, want %v (%v)", c.text, profile, c.profile, s.Traits)
		}
	}
}
