//go:build unix

package agent

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"meetguard"
)

const samples = "../../build/samples"

func sample(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samples, path))
	if err != nil {
		t.Fatalf("%v: run `make samples`", err)
	}
	return data
}

// Really signed files of several makers.
const (
	microsoftExe = "node-pty-1.1.0/package/prebuilds/win32-arm64/conpty/OpenConsole.exe"
	kdeExe       = "node-notifier-10.0.1/package/vendor/snoreToast/snoretoast-x64.exe"
	unsignedExe  = "electron-winstaller-5.4.4/package/vendor/Setup.exe"
	googleMachO  = "sass-embedded-darwin-arm64-1.89.2/package/dart-sass/src/dart"
	adhocMachO   = "vscode-vsce-sign-darwin-arm64-2.0.6/package/bin/vsce-sign"
)

// TestRealSignedSoftwareIsQuiet: everything in the sample packages, as it is.
func TestRealSignedSoftwareIsQuiet(t *testing.T) {
	in := inspector(t, workerArg)
	n := 0
	err := filepath.WalkDir(samples, func(p string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, v := verdict(t, in, p)
		if v.Level != meetguard.Clean {
			t.Errorf("%s: %s %v, gaps %v", p, v.Level, v.Findings, f.Gaps)
		}
		n++
		return nil
	})
	if err != nil || n < 100 {
		t.Fatalf("%d sample files, %v: run `make samples`", n, err)
	}
}

// TestSignedSoftwareMisused: the same files tampered with, renamed to a brand,
// or given another's signature.
func TestSignedSoftwareMisused(t *testing.T) {
	in := inspector(t, workerArg)
	for _, tc := range []struct {
		name, file string
		data       []byte
		level      meetguard.Level
		sentence   string
	}{
		{"renamed to Zoom", "ZoomInstallerFull.exe", sample(t, kdeExe), meetguard.Malicious, "signed by “K Desktop Environment e.V.”"},
		{"Microsoft's renamed to Zoom", "ZoomInstallerFull.exe", sample(t, microsoftExe), meetguard.Malicious, "signed by “Microsoft Corporation”"},
		{"Microsoft's as Teams", "MSTeamsSetup.exe", sample(t, microsoftExe), meetguard.Clean, ""},
		{"tampered", "OpenConsole.exe", flip(sample(t, microsoftExe)), meetguard.Suspicious, "changed after signing"},
		{"tampered and renamed", "MSTeamsSetup.exe", flip(sample(t, microsoftExe)), meetguard.Malicious, "signature does not fit its content"},
		{"unsigned as Teams", "MSTeamsSetup.exe", sample(t, unsignedExe), meetguard.Malicious, "nobody signed it"},
		{"with Microsoft's signature pasted in", "tool.exe", paste(t, sample(t, microsoftExe), sample(t, unsignedExe)), meetguard.Suspicious, "taken from another file"},
		{"pasted and renamed", "MSTeamsSetup.exe", paste(t, sample(t, microsoftExe), sample(t, unsignedExe)), meetguard.Malicious, "signature does not fit its content"},
		{"Developer ID of another as Zoom", "zoom.us", sample(t, googleMachO), meetguard.Malicious, "signed by"},
		{"ad-hoc as Zoom", "ZoomInstaller", sample(t, adhocMachO), meetguard.Malicious, "nobody signed it"},
		{"document name", "Agenda.pdf", sample(t, kdeExe), meetguard.Suspicious, "it is a program"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), tc.file), tc.data))
			if v.Level != tc.level {
				t.Errorf("level %s, want %s; signature %+v; findings %v", v.Level, tc.level, f.Signature, v.Findings)
			}
			if !strings.Contains(sentences(v), tc.sentence) {
				t.Errorf("no finding says %q: %s", tc.sentence, sentences(v))
			}
		})
	}
}

func sentences(v meetguard.Verdict) string {
	var out []string
	for _, f := range v.Findings {
		out = append(out, f.Evidence)
	}
	return strings.Join(out, " ")
}

// flip changes one byte of code, far from headers and signature.
func flip(data []byte) []byte {
	out := bytes.Clone(data)
	out[len(out)/2] ^= 1
	return out
}

// paste gives victim the certificate table of donor, as the tool that steals
// signatures does.
func paste(t *testing.T, donor, victim []byte) []byte {
	t.Helper()
	at, size := certificates(t, donor)
	table := donor[at : at+size]
	out := bytes.Clone(victim)
	for len(out)%8 != 0 {
		out = append(out, 0)
	}
	entry := securityEntry(t, victim)
	binary.LittleEndian.PutUint32(out[entry:], uint32(len(out)))
	binary.LittleEndian.PutUint32(out[entry+4:], uint32(len(table)))
	return append(out, table...)
}

func certificates(t *testing.T, data []byte) (at, size int) {
	entry := securityEntry(t, data)
	return int(binary.LittleEndian.Uint32(data[entry:])), int(binary.LittleEndian.Uint32(data[entry+4:]))
}

// securityEntry is the offset of the security directory's entry in a PE.
func securityEntry(t *testing.T, data []byte) int {
	t.Helper()
	f, err := pe.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	optional := int(binary.LittleEndian.Uint32(data[0x3c:])) + 24
	if _, wide := f.OptionalHeader.(*pe.OptionalHeader64); wide {
		return optional + 112 + 4*8
	}
	return optional + 96 + 4*8
}
