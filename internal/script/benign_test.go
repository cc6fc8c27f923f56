package script

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"meetguard"
)

// notScripts are texts that quote commands or hold code of other languages.
var notScripts = map[string]string{
	"README.md":   "# Tool\n\nInstall it with:\n\n    curl -fsSL https://get.example.invalid | sh\n\nThen run `tool --help` and read the notes below, which explain everything.\n",
	"x.h":         "/* Copyright */\n#ifndef X\n#define X\nint set(int a);\n#endif\n",
	"main.go":     "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"curl x | sh\") }\n",
	"Makefile":    ".PHONY: all\nall:\n\tcurl -o x https://a.invalid/x\n\tsh x\n",
	"recipes":     "all: x y\n\tcurl -o x https://a.invalid/x\n\tsh x\n\tchmod +x y\n",
	"Dockerfile":  "FROM debian:12\nRUN apt-get update && apt-get install -y curl\nCOPY . /src\nCMD [\"sh\"]\n",
	"ci.yml":      "jobs:\n  build:\n    steps:\n      - run: curl -fsSL https://a.invalid | sh\n      - run: make\n",
	"a.json":      "{\n \"scripts\": {\"postinstall\": \"curl x | sh\"}\n}\n",
	"notes.txt":   "Set the volume to low.\nIf the call fails, open the settings.\nFor more help read the manual.\nTest it, then find a friend.\n",
	"notes":       "Dear all,\n\nplease update Zoom before the call.\nOpen the link and set your name to Guest.\n",
	"lib.js":      "'use strict';\nmodule.exports = function (a, b) { return a + b; };\n",
	"page.js":     "function f(x){var s='a'+x+'b';return document.title+s}\nwindow.onload=f;\n",
	"config.ini":  "[main]\nname=value\nset=1\n",
	"env":         "A=1\nB=2\nC=three\n",
	"hosts":       "# local\n127.0.0.1 localhost\n::1 localhost\n",
	"invite.ics":  "BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n",
	"binary":      "\x7fELF\x02\x01\x01\x00\x00\x00curl",
	"only-blank":  strings.Repeat("\n", 5000),
	"changelog":   "tool (1.2) unstable; urgency=low\n\n  * Set the default to on.\n  * Use curl instead of wget.\n\n -- A B <a@b.invalid>  Mon, 1 Jan 2024 00:00:00 +0000\n",
	"table.csv":   "name,command\nx,curl\ny,wget\n",
	"index.html":  "<!doctype html><html><body><pre>curl https://a.invalid | sh</pre><script>var a = 1</script></body></html>",
	"query.sql":   "SELECT 1;\nSET x = 2;\nUPDATE t SET a = 1;\n",
	"module.java": "import java.util.List;\npublic class A {\n  int x = 1;\n}\n",
}

func TestNotScripts(t *testing.T) {
	for name, text := range notScripts {
		if s, user := Analyse(name, []byte(text)); s != nil || user != "" {
			t.Errorf("%s is taken for %s", name, s.Language)
		}
	}
}

const itScript = `#!/bin/zsh
# Installs the meeting client by the management system
# shellcheck disable=SC2034
set -euo pipefail
appName="zoom.us.app"
downloadURL="https://zoom.us/client/latest/ZoomInstallerIT.pkg"
expectedTeamID="BJ4HAAB9B3"
tmpDir=$(mktemp -d)
trap 'rm -rf "$tmpDir"' EXIT
if ! curl -fL --silent --show-error -o "$tmpDir/Zoom.pkg" "$downloadURL"; then
  echo "error downloading $downloadURL" >&2
  exit 1
fi
teamID=$(spctl -a -vv -t install "$tmpDir/Zoom.pkg" 2>&1 | awk '/origin=/ {print $NF }' | tr -d '()')
if [[ "$expectedTeamID" != "$teamID" ]]; then
  exit 5
fi
installer -pkg "$tmpDir/Zoom.pkg" -target /
`

const rustupLike = `#!/bin/sh
# shellcheck shell=dash
set -u
RUSTUP_UPDATE_ROOT="${RUSTUP_UPDATE_ROOT:-https://static.example.invalid/rustup}"
main() {
    need_cmd curl
    local _url="${RUSTUP_UPDATE_ROOT}/dist/${_arch}/rustup-init"
    local _dir
    _dir="$(mktemp -d)"
    local _file="${_dir}/rustup-init"
    ensure mkdir -p "$_dir"
    ensure downloader "$_url" "$_file" "$_arch"
    ensure chmod u+x "$_file"
    ignore "$_file" "$@" < /dev/tty
}
downloader() {
    curl --proto '=https' --tlsv1.2 --silent --show-error --fail --location "$1" --output "$2"
}
main "$@" || exit 1
`

func TestOrdinaryScripts(t *testing.T) {
	it, _ := Analyse("install_zoom.sh", []byte(itScript))
	if it == nil || it.Language != "shell" {
		t.Fatalf("not a shell script: %+v", it)
	}
	wanted := meetguard.Fetch{Tool: "curl", Host: "zoom.us", To: "temp", RunBy: "installer"}
	if !slices.Contains(it.Fetches, wanted) {
		t.Errorf("fetches %+v, want %+v", it.Fetches, wanted)
	}
	refuse(t, it, TraitHiddenWindow, TraitPasswordPrompt, TraitPersistence, TraitDecoyURL, TraitSwallowErrors, TraitDequarantine, TraitUpload, TraitTempExec)
	if it.BlankRun != 0 || it.Concat > 3 || it.Layers != 0 {
		t.Errorf("padding %d, chain %d, layers %d in an ordinary script", it.BlankRun, it.Concat, it.Layers)
	}
	rust, _ := Analyse("rustup.sh", []byte(rustupLike))
	if rust == nil || len(rust.Fetches) != 1 || rust.Fetches[0].Host != "" || rust.Fetches[0].Insecure {
		t.Fatalf("the downloader function is not stated: %+v", rust)
	}
	choco, _ := Analyse("chocolateyInstall.ps1", []byte("$ErrorActionPreference = 'Stop'\n$packageArgs = @{\n  packageName = 'zoom'\n  url64bit = 'https://zoom.us/client/6.0/ZoomInstallerFull.msi'\n  checksum64 = 'aabb'\n}\nInstall-ChocolateyPackage @packageArgs\n"))
	if choco == nil || choco.Language != "powershell" || len(choco.Fetches) != 0 || len(choco.Traits) != 0 {
		t.Errorf("chocolatey script: %+v", choco)
	}
	tell, _ := Analyse("resize.applescript", []byte("tell application \"Finder\"\n\tactivate\n\tset bounds of window 1 to {0, 0, 800, 600}\nend tell\ndisplay notification \"Done\"\n"))
	if tell == nil || tell.Language != "applescript" || len(tell.Fetches)+len(tell.Traits) != 0 {
		t.Errorf("window script: %+v", tell)
	}
}

func refuse(t *testing.T, s *meetguard.Script, traits ...string) {
	t.Helper()
	for _, trait := range traits {
		if slices.Contains(s.Traits, trait) {
			t.Errorf("trait %s in an ordinary script", trait)
		}
	}
}

// TestMachineScripts reads the scripts of the machine: none may crash the
// analysis, and those with a #! line have to be taken for scripts.
func TestMachineScripts(t *testing.T) {
	read := 0
	for _, dir := range []string{"/etc/init.d", "/etc/cron.daily", "/usr/bin", "/usr/sbin", "/usr/share/perl5", "/var/lib/dpkg/info"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // not every system has each folder
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() || info.Size() > 1<<20 || read > 1500 {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil || len(data) < 2 || string(data[:2]) != "#!" {
				continue
			}
			read++
			s, _ := Analyse(e.Name(), data)
			if s == nil {
				t.Errorf("%s is not taken for a script", e.Name())
				continue
			}
			refuse(t, s, TraitPasswordPrompt, TraitTelegramBot, TraitDecoyURL, TraitDefenderExclusion, TraitPaddedLine, TraitLeadingPadding)
		}
	}
	t.Logf("%d scripts", read)
}

// TestModuleCache asserts how many documents and source files are taken for
// scripts: next to none.
func TestModuleCache(t *testing.T) {
	root := filepath.Join(os.Getenv("GOPATH"), "pkg", "mod")
	if os.Getenv("GOPATH") == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Fatal(err)
		}
		root = filepath.Join(home, "go", "pkg", "mod")
	}
	plain := map[string]bool{".go": true, ".md": true, ".txt": true, ".c": true, ".h": true, ".json": true, ".yml": true, ".yaml": true, ".mod": true, ".html": true, ".xml": true, "": true}
	total, taken := 0, 0
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !plain[filepath.Ext(p)] {
			return nil
		}
		if total >= 6000 {
			return fs.SkipAll
		}
		data, err := os.ReadFile(p)
		if err != nil || len(data) > 1<<20 || strings.HasPrefix(string(data), "#!") {
			return nil
		}
		total++
		if s, _ := Analyse(filepath.Base(p), data); s != nil {
			taken++
			t.Logf("%s is taken for %s", filepath.Base(p), s.Language)
		}
		return nil
	})
	if err != nil {
		t.Logf("no module cache to read: %v", err)
		return
	}
	if taken*500 > total {
		t.Errorf("%d of %d files are taken for scripts", taken, total)
	}
}
