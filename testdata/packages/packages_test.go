// Package packages tests what `make dist` and `make packages` made: who may write
// to what the service reads or runs, read out of each package; that programs say
// what they are; that bills of materials are complete.
//
// MEETGUARD_DIST is the folder, ../../dist if it is not set. `make test-packages`
// calls it; `make test` does not, for it needs the compilers of all systems.
package packages

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// entry is one file or folder of a package.
type entry struct {
	Path, Owner, Group string
	Mode               os.FileMode
	Link               bool
}

func dist(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("MEETGUARD_DIST")
	if dir == "" {
		dir = "../../dist"
	}
	if _, err := os.Stat(filepath.Join(dir, "build-info")); err != nil {
		t.Fatalf("nothing to test: run make packages first (%v)", err)
	}
	return dir
}

// found lists files of the folder, of which there must be at least one.
func found(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dist(t), pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return files
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return string(out)
}

// member returns one member of an ar archive (.deb): a header of 60 bytes each,
// name in the first 16, size in 10 from 48, contents padded to even (deb(5)).
func member(t *testing.T, archive []byte, name string) []byte {
	t.Helper()
	for at := 8; at+60 <= len(archive); {
		h := string(archive[at : at+60])
		size, err := strconv.Atoi(strings.TrimSpace(h[48:58]))
		if err != nil || at+60+size > len(archive) {
			t.Fatalf("no ar archive at %d: %v", at, err)
		}
		if strings.HasPrefix(h, name) {
			return archive[at+60 : at+60+size]
		}
		at += 60 + size + size%2
	}
	t.Fatalf("no member %s", name)
	return nil
}

func untar(t *testing.T, packed []byte, each func(*tar.Header, []byte)) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		each(h, data)
	}
}

func ofDeb(t *testing.T, file string) []entry {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []entry
	untar(t, member(t, data, "data.tar.gz"), func(h *tar.Header, _ []byte) {
		owner, group := h.Uname, h.Gname
		if h.Uid != 0 || h.Gid != 0 {
			owner, group = fmt.Sprint(h.Uid), fmt.Sprint(h.Gid)
		}
		all = append(all, entry{"/" + strings.Trim(strings.TrimPrefix(h.Name, "."), "/"), owner, group, h.FileInfo().Mode(), h.Typeflag == tar.TypeSymlink})
	})
	return all
}

func ofRPM(t *testing.T, file string) []entry {
	t.Helper()
	var all []entry
	for line := range strings.Lines(tool(t, "rpm", "-qp", "--qf", `[%{FILENAMES}\t%{FILEUSERNAME}\t%{FILEGROUPNAME}\t%{FILEMODES:octal}\t%{FILELINKTOS}\n]`, file)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		bits, err := strconv.ParseUint(f[3], 8, 32)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		mode := os.FileMode(bits & 0o777)
		if bits&0o170000 == 0o040000 {
			mode |= os.ModeDir
		}
		for bit, m := range map[uint64]os.FileMode{0o4000: os.ModeSetuid, 0o2000: os.ModeSetgid} {
			if bits&bit != 0 {
				mode |= m
			}
		}
		all = append(all, entry{f[0], f[1], f[2], mode, f[4] != ""})
	}
	return all
}

// TestOnlyRootWritesWhatIsInstalled: no file of a Linux package belongs to anybody
// else, none can be written by others, none lends its owner's rights.
func TestOnlyRootWritesWhatIsInstalled(t *testing.T) {
	for _, file := range append(found(t, "packages/*.deb"), found(t, "packages/*.rpm")...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			all := ofDeb
			if strings.HasSuffix(file, ".rpm") {
				all = ofRPM
			}
			entries := all(t, file)
			for _, e := range entries {
				if e.Owner != "root" || e.Group != "root" {
					t.Errorf("%s belongs to %s:%s", e.Path, e.Owner, e.Group)
				}
				if e.Mode.Perm()&0o022 != 0 || e.Mode&(os.ModeSetuid|os.ModeSetgid) != 0 {
					t.Errorf("%s has mode %v", e.Path, e.Mode)
				}
				if e.Link {
					t.Errorf("%s is a link", e.Path)
				}
				if strings.Contains(e.Path, "token") {
					t.Errorf("%s is in the package", e.Path)
				}
			}
			needs(t, file, entries)
		})
	}
}

// needs checks that a package holds the program, the unit and the papers.
func needs(t *testing.T, file string, entries []entry) {
	t.Helper()
	name := "meetguard"
	if strings.Contains(filepath.Base(file), "collector") {
		name += "-collector"
	}
	want := map[string]os.FileMode{
		"/usr/bin/" + name: 0o755,
		"/usr/lib/systemd/system/" + name + ".service": 0o644,
		"/usr/share/doc/" + name + "/LICENSES.txt":     0o644,
		"/etc/meetguard": os.ModeDir | 0o755,
	}
	for path, mode := range want {
		i := slices.IndexFunc(entries, func(e entry) bool { return e.Path == path })
		if i < 0 {
			t.Errorf("%s is missing", path)
		} else if entries[i].Mode != mode {
			t.Errorf("%s has mode %v, want %v", path, entries[i].Mode, mode)
		}
	}
}

// TestUnitRunsWhatThePackageInstalls: the program of the unit is that of the
// package, by its whole path.
func TestUnitRunsWhatThePackageInstalls(t *testing.T) {
	for _, file := range found(t, "packages/*.deb") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		installed, started := map[string]bool{}, ""
		untar(t, member(t, data, "data.tar.gz"), func(h *tar.Header, text []byte) {
			installed["/"+strings.TrimLeft(h.Name, "./")] = true
			if m := regexp.MustCompile(`(?m)^ExecStart=(\S+)`).FindSubmatch(text); m != nil && strings.HasSuffix(h.Name, ".service") {
				started = string(m[1])
			}
		})
		if !installed[started] {
			t.Errorf("%s: the unit starts %q, which is not in the package", filepath.Base(file), started)
		}
	}
}

// TestScriptsKeepAndPurge: removing keeps state and configuration, purging does
// not; nothing in a maintainer script takes what others may write.
func TestScriptsKeepAndPurge(t *testing.T) {
	for _, file := range found(t, "packages/*.deb") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scripts := map[string]string{}
		untar(t, member(t, data, "control.tar.gz"), func(h *tar.Header, text []byte) {
			scripts[strings.TrimPrefix(h.Name, "./")] = string(text)
		})
		for _, name := range []string{"postinst", "prerm", "postrm"} {
			if scripts[name] == "" {
				t.Errorf("%s has no %s", filepath.Base(file), name)
			}
			if strings.Contains(scripts[name], "/tmp") || strings.Contains(scripts[name], "@NAME@") {
				t.Errorf("%s of %s is not fit to run", name, filepath.Base(file))
			}
		}
		before, purge, ok := strings.Cut(scripts["postrm"], "= purge ]")
		if !ok || strings.Contains(before, "rm -rf") || !strings.Contains(purge, "rm -rf /var/lib/meetguard") {
			t.Errorf("%s: postrm is\n%s", filepath.Base(file), scripts["postrm"])
		}
	}
}

// table reads one table of an MSI: rows by their first column.
func table(t *testing.T, msi, name string) map[string][]string {
	t.Helper()
	rows := map[string][]string{}
	for i, line := range strings.Split(strings.ReplaceAll(tool(t, "msiinfo", "export", msi, name), "\r", ""), "\n") {
		if f := strings.Split(line, "\t"); i >= 3 && f[0] != "" {
			rows[f[0]] = f[1:]
		}
	}
	return rows
}

// TestMSI: the service runs as the system from Program Files, which nobody can
// choose to be elsewhere; the folder of state and configuration is protected
// before the service starts; the token is hidden.
func TestMSI(t *testing.T) {
	for _, msi := range found(t, "packages/*.msi") {
		dirs := table(t, msi, "Directory")
		if d := dirs["AgentFolder"]; len(d) != 2 || d[0] != "ProgramFiles64Folder" {
			t.Errorf("the program's folder is %v", d)
		}
		for id := range dirs {
			if id != "TARGETDIR" && id == strings.ToUpper(id) {
				t.Errorf("folder %s can be set from the command line", id)
			}
		}
		for id, c := range table(t, msi, "Component") {
			if c[1] != "AgentFolder" {
				t.Errorf("component %s lies in %s", id, c[1])
			}
		}
		checkService(t, msi)
		checkActions(t, msi)
		if tables := tool(t, "msiinfo", "tables", msi); strings.Contains(tables, "LockPermissions") {
			t.Errorf("rights are set in two places: %s", tables)
		}
	}
}

func checkService(t *testing.T, msi string) {
	t.Helper()
	// name, display name, type 16 own process, start 2 automatic, error control,
	// group, dependencies, account, password, arguments (Microsoft: ServiceInstall table)
	s := table(t, msi, "ServiceInstall")["Service"]
	if len(s) < 10 || s[2] != "16" || s[3] != "2" || s[7] != "LocalSystem" || s[9] != "run --service" {
		t.Errorf("the service is %q", s)
	}
	// start 1 and stop 2 when installing, stop 32 and delete 128 when removing
	if c := table(t, msi, "ServiceControl")["ServiceControl"]; len(c) < 2 || c[1] != "163" {
		t.Errorf("the service is controlled by %q", c)
	}
}

func checkActions(t *testing.T, msi string) {
	t.Helper()
	// 18 a program of the package, 1024 deferred, 2048 as the system, 8192 hidden
	// from the log, 64 go on after a failure (Microsoft: CustomAction table)
	actions, seq := table(t, msi, "CustomAction"), table(t, msi, "InstallExecuteSequence")
	if a := actions["Prepare"]; len(a) < 3 || a[0] != "11282" || a[1] != "AgentProgram" || !strings.Contains(a[2], "setup --service") {
		t.Errorf("Prepare is %q", a)
	}
	if a := actions["Purge"]; len(a) < 3 || a[0] != "3154" || a[1] != "AgentProgram" {
		t.Errorf("Purge is %q", a)
	}
	order := []string{"InstallInitialize", "RemoveExistingProducts", "StopServices", "DeleteServices", "Settle", "Purge", "RemoveFiles", "InstallFiles", "InstallServices", "Prepare", "StartServices", "InstallFinalize"}
	last := 0
	for _, name := range order {
		s := seq[name]
		if len(s) < 2 {
			t.Errorf("%s is not in the sequence", name)
			continue
		}
		n, err := strconv.Atoi(s[1])
		if err != nil || n <= last {
			t.Errorf("%s is at %s, before its predecessor at %d", name, s[1], last)
		}
		last = n
	}
	props := table(t, msi, "Property")
	if !strings.Contains(props["MsiHiddenProperties"][0], "TOKEN") {
		t.Errorf("hidden are %q", props["MsiHiddenProperties"])
	}
	for _, p := range []string{"COLLECTOR", "TOKEN", "PURGE"} {
		if !strings.Contains(props["SecureCustomProperties"][0], p) {
			t.Errorf("%s does not reach the part of the installer that has rights", p)
		}
	}
}

// TestBillsAreComplete compares each bill of materials with `go version -m`.
func TestBillsAreComplete(t *testing.T) {
	for _, bill := range found(t, "*/*.cdx.json") {
		program := strings.TrimSuffix(bill, ".cdx.json")
		t.Run(filepath.Base(filepath.Dir(program))+"/"+filepath.Base(program), func(t *testing.T) {
			data, err := os.ReadFile(bill)
			if err != nil {
				t.Fatal(err)
			}
			var doc struct {
				Components []struct{ Name, Version string }
			}
			if err := json.Unmarshal(data, &doc); err != nil {
				t.Fatal(err)
			}
			listed := map[string]bool{}
			for _, c := range doc.Components {
				listed[c.Name+" "+c.Version] = true
			}
			out := tool(t, "go", "version", "-m", program)
			n := 0
			for _, m := range regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(\S+)`).FindAllStringSubmatch(out, -1) {
				n++
				if !listed[m[1]+" "+m[2]] {
					t.Errorf("%s %s is not listed", m[1], m[2])
				}
			}
			if n < 10 || strings.Contains(out, "\t=>\t") {
				t.Errorf("%d modules, or a replaced one, which this test does not read", n)
			}
			if strings.Contains(out, "CGO_ENABLED=1") != slices.ContainsFunc(doc.Components, func(c struct{ Name, Version string }) bool { return c.Name == "libyara" }) {
				t.Error("libyara is listed where it is not, or not where it is")
			}
		})
	}
}

// TestProgramsSayWhatTheyAre runs those that can be run here: Linux, and arm64 in
// an emulator.
func TestProgramsSayWhatTheyAre(t *testing.T) {
	info, err := os.ReadFile(filepath.Join(dist(t), "build-info"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(info)) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[k] = v
	}
	for _, target := range []string{"linux-amd64", "linux-arm64"} {
		for _, name := range []string{"meetguard", "meetguard-collector"} {
			argv := []string{filepath.Join(dist(t), target, name), "version", "--json"}
			if target == "linux-arm64" {
				argv = append([]string{"qemu-aarch64-static"}, argv...)
			}
			var v struct{ Version, Commit, Rules string }
			if err := json.Unmarshal([]byte(tool(t, argv[0], argv[1:]...)), &v); err != nil {
				t.Fatal(err)
			}
			if v.Version != values["VERSION"] || v.Commit != values["COMMIT"] || name == "meetguard" && v.Rules == "" {
				t.Errorf("%s %s says %+v, built as %v", target, name, v, values)
			}
		}
	}
}

// TestProgramsAreNoLures: the agent knows what lures are made of, and must not
// take its own unsigned programs for some.
func TestProgramsAreNoLures(t *testing.T) {
	programs := append(found(t, "*/meetguard*"), found(t, "packages/*")...)
	cmd := exec.Command(filepath.Join(dist(t), "linux-amd64", "meetguard"), append([]string{"scan"}, programs...)...)
	cmd.Env = []string{} // MEETGUARD_DIST would be a setting of the agent
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestChecksums(t *testing.T) {
	for _, list := range found(t, "SHA256SUMS") {
		cmd := exec.Command("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")
		cmd.Dir = filepath.Dir(list)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", list, err, out)
		}
	}
}
