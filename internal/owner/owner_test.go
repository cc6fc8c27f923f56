package owner

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"meetguard"
)

// tree makes files below a fresh root. A name with " -> " is a link.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		put(t, root, name, content)
	}
	return root
}

func put(t *testing.T, root, name, content string) {
	t.Helper()
	name, to, link := strings.Cut(name, " -> ")
	file := filepath.Join(root, name)
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if err == nil && link {
		err = os.Symlink(to, file)
	} else if err == nil {
		err = os.WriteFile(file, []byte(content), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// rpmdb is a database that rpm 4.18 made of the two packages whose specs lie
// beside it.
func rpmdb(t testing.TB) []byte {
	t.Helper()
	packed, err := os.ReadFile("testdata/rpmdb.sqlite.gz")
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOf(t *testing.T) {
	receipt := `{"homebrew_version":"4.6.1","poured_from_bottle":true}`
	root := tree(t, map[string]string{
		"bin -> usr/bin":                        "",
		"usr/lib/sysimage/rpm/rpmdb.sqlite":     string(rpmdb(t)),
		"var/lib/dpkg/info/zoom.list":           "/.\n/opt\n/opt/zoom\n/opt/zoom/zoom\n/opt/zoom/Qt\n/opt/zoom/Qt/lib.so\n",
		"var/lib/dpkg/info/libc6:amd64.list":    "/.\n/lib\n/lib/ld.so\n/bin/zdump\n",
		"var/lib/dpkg/info/dash.list":           "/bin/dash\n/usr/share/man/sh.1\n",
		"var/lib/dpkg/info/bash.list":           "/usr/share/man/sh.1\n",
		"var/lib/dpkg/info/local-victim.list":   "/usr/bin/tool\n",
		"var/lib/dpkg/info/zoom.md5sums":        "x  opt/other\n",
		"var/lib/dpkg/diversions":               "/usr/share/man/sh.1\n/usr/share/man/sh.distrib.1\ndash\n/usr/bin/tool\n/usr/bin/tool.real\n:\n",
		"var/lib/pacman/local/ALPM_DB_VERSION":  "9\n",
		"var/lib/pacman/local/webex-4-1-2/desc": "%NAME%\nwebex-4\n",
		"var/lib/pacman/local/webex-4-1-2/files": "%FILES%\nopt/\nopt/webex/\nopt/webex/bin/CiscoCollabHost\n\n" +
			"%BACKUP%\netc/webex.conf\t0123\n",
		"var/lib/flatpak/app/us.zoom.Zoom/x86_64/stable/0abc/deploy":                 "",
		"var/lib/flatpak/app/us.zoom.Zoom/current -> x86_64/stable":                  "",
		"var/lib/flatpak/app/us.zoom.Zoom/x86_64/stable/active -> 0abc":              "",
		"home/ana/.local/share/flatpak/app/us.fake.App/x86_64/stable/0def/deploy":    "",
		"var/lib/snapd/snaps/zoom-client_241.snap":                                   "",
		"snap/zoom-client/current -> 241":                                            "",
		"opt/homebrew/Cellar/jq/1.7.1/INSTALL_RECEIPT.json":                          receipt,
		"opt/homebrew/Cellar/forged/1/INSTALL_RECEIPT.json":                          "{}",
		"opt/homebrew/Caskroom/zoom/.metadata/6.2.11/x.json":                         "{}",
		"opt/homebrew/Caskroom/zoom/6.2.11/zoom.us.app -> /Applications/zoom.us.app": "",
		"opt/homebrew/Caskroom/evil/1/Other.app -> /Applications/Another.app":        "",
		"var/db/receipts/us.zoom.pkg.videomeeting.bom":                               "",
	})
	o := New(root)
	for name, want := range map[string]string{
		"/opt/zoom/zoom":              "dpkg zoom",
		"/opt/zoom/../zoom/zoom":      "dpkg zoom",
		"/opt/zoom/Qt/lib.so":         "dpkg zoom",
		"/opt/zoom/Qt":                "", // a folder
		"/opt/zoom/zoom2":             "",
		"/opt/other":                  "",
		"/lib/ld.so":                  "dpkg libc6",
		"/usr/lib/ld.so":              "", // here lib is no link
		"/bin/zdump":                  "dpkg libc6",
		"/usr/bin/zdump":              "dpkg libc6",
		"/usr/share/man/sh.1":         "dpkg dash",
		"/usr/share/man/sh.distrib.1": "dpkg bash",
		"/usr/bin/tool":               "", // the administrator put another one there
		"/usr/bin/tool.real":          "dpkg local-victim",

		"/opt/webex/bin/CiscoCollabHost": "pacman webex-4",
		"/etc/webex.conf":                "",

		"/opt/acme/share/part-1.txt":   "rpm acme-meet",
		"/opt/acme/share/part-300.txt": "rpm acme-meet",
		"/opt/acme/share/part-301.txt": "",
		"/opt/acme/README":             "rpm acme-meet",
		"/opt/help/README":             "rpm acme-help",
		"/opt/else/README":             "",
		"/bin/acmehelp":                "rpm acme-help",

		"/var/lib/flatpak/app/us.zoom.Zoom/x86_64/stable/0abc/files/bin/zoom": "flatpak us.zoom.Zoom",
		"/var/lib/flatpak/app/us.zoom.Zoom/current/active/files/bin/zoom":     "flatpak us.zoom.Zoom",
		"/var/lib/flatpak/app/us.zoom.Zoom/x86_64/stable/0ffe/files/bin/zoom": "",
		"/tmp/flatpak/app/us.zoom.Zoom/x86_64/stable/0abc/files/bin/zoom":     "",
		"/snap/zoom-client/241/zoom/zoom":                                     "snap zoom-client",
		"/snap/zoom-client/current/zoom/zoom":                                 "snap zoom-client",
		"/snap/zoom-client/242/zoom/zoom":                                     "",
		"/opt/homebrew/Cellar/jq/1.7.1/bin/jq":                                "brew jq",
		"/opt/homebrew/Cellar/forged/1/bin/x":                                 "",
		"/opt/homebrew/Caskroom/zoom/6.2.11/zoomusInstallerFull.pkg":          "brew zoom",
		"/Applications/zoom.us.app/Contents/MacOS/zoom.us":                    "brew zoom",
		"/Applications/zoom.us.app":                                           "brew zoom",
		"/Applications/Other.app/Contents/MacOS/x":                            "",
		`C:\Users\ana\Downloads\Zoom.exe`:                                     "",
	} {
		p, err := o.Of(name)
		got := ""
		if p != nil {
			got = p.Manager + " " + p.Name
		}
		if err != nil && !strings.Contains(name, `\`) || got != want {
			t.Errorf("Of(%s) = %q, %v; want %q", name, got, err, want)
		}
	}
	if p := o.Receipt("us.zoom.pkg.videomeeting"); p == nil || p.Manager != "pkg" {
		t.Errorf("Receipt: %+v", p)
	}
	if p := o.Receipt("../receipts/us.zoom.pkg.videomeeting"); p != nil || o.Receipt("us.other") != nil {
		t.Errorf("Receipt of what is none: %+v", p)
	}
	if _, err := o.Of("relative/zoom"); err == nil {
		t.Error("a relative path has an owner")
	}
}

// TestLoose: what an ordinary user can write is told as such.
func TestLoose(t *testing.T) {
	const app = "home/ana/.local/share/flatpak/app/us.fake.App/x86_64/stable/0def"
	root := tree(t, map[string]string{app + "/deploy": ""})
	if err := os.Chmod(filepath.Join(root, app), 0o777); err != nil {
		t.Fatal(err)
	}
	p, err := New(root).Of("/" + app + "/files/bin/zoom")
	if err != nil || p == nil || !p.Loose {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestInstallIsSeen: records are read again when they changed, by many at once.
func TestInstallIsSeen(t *testing.T) {
	root := tree(t, map[string]string{"var/lib/dpkg/info/a.list": "/opt/a\n"})
	o := New(root)
	ask := func(want string) {
		t.Helper()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				p, err := o.Of("/opt/zoom")
				if got := ""; err != nil || p != nil && p.Name != want || p == nil && want != got {
					t.Errorf("Of: %+v, %v; want %q", p, err, want)
				}
			})
		}
		wg.Wait()
	}
	info := filepath.Join(root, "var/lib/dpkg/info")
	ask("")
	put(t, root, "var/lib/dpkg/info/zoom.list", "/opt/zoom\n")
	touch(t, info, 1)
	ask("zoom")
	if err := os.Remove(filepath.Join(info, "zoom.list")); err != nil {
		t.Fatal(err)
	}
	ask("") // the folder may not show the change yet, but the list is looked into
	touch(t, info, 2)
	ask("")
}

// touch sets the time of a folder to what no earlier state had: two changes
// within one tick of the file system's clock are one.
func touch(t *testing.T, dir string, hours int) {
	t.Helper()
	at := time.Now().Add(time.Duration(hours) * time.Hour)
	if err := os.Chtimes(dir, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestUnreadableIsUnknown(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"rpm in another form":      {"var/lib/rpm/Packages": "x"},
		"rpm that is no database":  {"var/lib/rpm/rpmdb.sqlite": strings.Repeat("x", 200)},
		"rpm in the middle of it":  {"var/lib/rpm/rpmdb.sqlite": "x", "var/lib/rpm/rpmdb.sqlite-wal": "x"},
		"cut":                      {"var/lib/rpm/rpmdb.sqlite": string(rpmdb(t)[:8192])},
		"diversions that are none": {"var/lib/dpkg/diversions": "/a\n/b\n"},
	} {
		if p, err := New(tree(t, files)).Of("/opt/acme/README"); p != nil || err == nil {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if p, err := New(t.TempDir()).Of("/opt/x"); p != nil || err != nil {
		t.Errorf("no manager at all: %+v, %v", p, err)
	}
}

// TestListingStaysSmall counts what is kept: 8 bytes a path, whatever its
// length.
func TestListingStaysSmall(t *testing.T) {
	var list strings.Builder
	const paths = 20_000
	for i := range paths {
		fmt.Fprintf(&list, "/usr/share/doc/some-package-with-a-long-name/examples/%d\n", i)
	}
	o := New(tree(t, map[string]string{"var/lib/dpkg/info/p.list": list.String()}))
	if p, err := o.Of("/usr/share/doc/some-package-with-a-long-name/examples/19999"); err != nil || p == nil {
		t.Fatalf("%+v, %v", p, err)
	}
	if l := o.dpkg.lists; len(l.slots) != paths || cap(l.slots) > paths*5/4 || len(l.lists) != 1 {
		t.Errorf("%d slots, %d in reserve, %d lists", len(l.slots), cap(l.slots), len(l.lists))
	}
}

// TestFalseHitIsFoundOut gives every path the same hash.
func TestFalseHitIsFoundOut(t *testing.T) {
	o := New(tree(t, map[string]string{"var/lib/dpkg/info/a.list": "/opt/a\n", "var/lib/dpkg/info/b.list": "/opt/b\n"}))
	if _, err := o.Of("/opt/a"); err != nil {
		t.Fatal(err)
	}
	l := o.dpkg.lists
	for i := range l.slots {
		l.slots[i].hash = l.hash([]byte("/opt/b"))
	}
	if p, err := o.Of("/opt/b"); err != nil || p == nil || p.Name != "b" {
		t.Errorf("%+v, %v", p, err)
	}
	for i := range l.slots {
		l.slots[i].hash = l.hash([]byte("/opt/c"))
	}
	if p, err := o.Of("/opt/c"); err != nil || p != nil {
		t.Errorf("a false hit was believed: %+v, %v", p, err)
	}
}

func TestWindows(t *testing.T) {
	const programs = `C:\Program Files`
	entries := []entry{
		{name: "everything", folder: `C:\`}, {name: "programs", folder: programs}, {name: "profile", folder: `C:\Users\ana\AppData`},
		{name: "Zoom Workplace", folder: `"C:\Program Files\Zoom\bin\"`}, {name: "Suite", folder: `C:\Program Files\Zoom`},
		{name: "Slack", winget: "SlackTechnologies.Slack", folder: `C:\Users\ana\AppData\Local\slack`, loose: true},
	}
	for name, want := range map[string]*meetguard.Package{
		`C:\Program Files\Zoom\bin\Zoom.exe`:          {Manager: "uninstall", Name: "Zoom Workplace"},
		`c:/program files/zoom/x.exe`:                 {Manager: "uninstall", Name: "Suite"},
		`C:\Users\ana\AppData\Local\slack\slack.exe`:  {Manager: "winget", Name: "SlackTechnologies.Slack", Loose: true},
		`C:\Users\ana\Downloads\Zoom.exe`:             nil,
		`C:\Program Files\Zoomer\x.exe`:               nil,
		`C:\Program Files\Zoom`:                       nil,
		`C:\Program Files\Zoom\..\..\Users\ana\x.exe`: nil,
	} {
		if got := pick(entries, name); (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("pick(%s) = %+v, want %+v", name, got, want)
		}
	}
	for name, want := range map[string]string{
		`C:\Program Files\WindowsApps\MSTeams_24295.605.3225.8804_x64__8wekyb3d8bbwe\ms-teams.exe`: "MSTeams",
		`c:\program files\windowsapps\MSTeams_24295.605.3225.8804_x64__8wekyb3d8bbwe\ms-teams.exe`: "MSTeams",
		`C:\Program Files\WindowsApps\MSTeams\ms-teams.exe`:                                        "",
		`C:\Program Files\WindowsApps\a_b_c_d_e`:                                                   "",
		`D:\WindowsApps\MSTeams_1_x64__8wekyb3d8bbwe\ms-teams.exe`:                                 "",
		`C:\Users\a\WindowsApps\MSTeams_1_x64__8wekyb3d8bbwe\ms-teams.exe`:                         "",
	} {
		p := appInstaller(name, programs)
		if got := ""; p != nil && p.Name != want || p == nil && want != got {
			t.Errorf("appInstaller(%s) = %+v, want %q", name, p, want)
		}
	}
}

func TestShownForgesNothing(t *testing.T) {
	if got := shown("Zo\x1b[2Jom\n\u202e" + strings.Repeat("x", 500)); strings.ContainsAny(got, "\x1b\n\u202e") || len(got) != maxName {
		t.Errorf("%q", got)
	}
}

func FuzzRPMDatabase(f *testing.F) {
	whole := rpmdb(f)
	// a small database: the header page and the first pages of the tables
	f.Add(whole[:12*4096], "README")
	f.Add(whole[:100], "x")
	f.Add(whole, "part-77.txt")
	f.Fuzz(func(t *testing.T, data []byte, base string) {
		db, err := openDatabase(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		_, _ = rpmOwner(db, "/opt/acme/share/"+base)
		_, _ = rpmHeader(data).owns("/"+base, int64(len(base)))
	})
}

func FuzzLists(f *testing.F) {
	f.Add([]byte("/.\n/opt\n/opt/zoom\n"), []byte("%FILES%\nopt/\nopt/zoom\n"))
	f.Fuzz(func(t *testing.T, deb, arch []byte) {
		lines := bytes.Count(deb, []byte("\n")) + 1
		eachFile(deb, func([]byte) bool { lines--; return lines >= 0 })
		if lines < 0 {
			t.Error("more files than lines")
		}
		pacmanPaths(arch, func(p []byte) bool { return p[0] == '/' })
	})
}
