package health

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"meetguard"
)

var day = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// well is a machine on which everything works.
func well() Observed {
	skew := time.Second
	return Observed{
		OS: "linux", Now: day, Agent: Agent{Running: true}, Rules: "2026.11.22-abc",
		Sources: []meetguard.SourceStatus{{Name: "files", State: "ok"}, {Name: "launches", State: "ok", Detail: "ebpf"}, {Name: "rules", State: "ok"}},
		Folders: []Folder{{"/home/ada/Downloads", "ada", "ok", ""}}, Inotify: &Inotify{524288, 128, 40}, Kernel: &Kernel{true, 1<<41 - 1, true},
		Collector: []Step{{"name", true, "1"}, {"tcp", true, ""}, {"tls", true, ""}, {"certificate", true, ""}, {"answer", true, ""}}, Skew: &skew,
		State: &StateFolder{Path: "/var/lib/meetguard", Free: 1 << 40, Needs: 1 << 28}, Worker: &Worker{Found: true},
	}
}

func TestJudge(t *testing.T) {
	source := func(name, state, detail string) func(*Observed) {
		return func(o *Observed) {
			o.Sources = append(o.Sources, meetguard.SourceStatus{Name: name, State: meetguard.SourceState(state), Detail: detail})
		}
	}
	for name, tc := range map[string]struct {
		change func(*Observed)
		id     string
		grade  Grade
		do     string
	}{
		"no agent":        {func(o *Observed) { o.Agent = Agent{Why: "it does not run"} }, IDAgent, Blind, "start the service"},
		"broken config":   {func(o *Observed) { o.ConfigError = "workers" }, IDConfig, Blind, "config validate"},
		"refused policy":  {func(o *Observed) { o.Refused = []string{"workers"} }, IDConfig, Warn, "policy"},
		"files failed":    {source("files", "failed", "there is no folder to watch"), IDFiles, Blind, "the key watch"},
		"files limited":   {source("files", "degraded", "some folders cannot be watched (no space left on device)"), IDFiles, Warn, "max_user_watches"},
		"launches polled": {source("launches", "degraded", "poll"), IDLaunches, Warn, "CAP_BPF"},
		"launches off":    {source("launches", "degraded", "switched off in the configuration"), IDLaunches, Note, "auto"},
		"canary lost":     {source("canary", "failed", "a file did not come back"), IDCanary, Blind, "selftest"},
		"canary not made": {source("canary", "failed", "no proof could be made: no space left"), IDCanary, Blind, "make room"},
		"log broken":      {source("alert log", "failed", "disk full"), IDAlertLog, Blind, "volume"},
		"not enrolled":    {source("identity", "degraded", "run `meetguard enroll x`"), IDIdentity, Warn, "enrol"},
		"no delivery":     {source("collector", "degraded", "no delivery since"), IDDelivery, Warn, "doctor"},
		"rules told old":  {source("rules", "degraded", "90 days old"), IDRules, Warn, "newer version"},
		"settings":        {source("settings", "degraded", "refused"), IDSettings, Warn, "policy"},
		"signatures":      {source("signatures", "degraded", "x"), IDSignatures, Warn, "log"},
		"a new source":    {source("kettle", "failed", "cold"), IDOther, Blind, "log"},
		"folder":          {func(o *Observed) { o.Folders[0].State, o.Folders[0].Why = "failed", "permission denied" }, IDFolders, Blind, "service"},
		"folder on a Mac": {func(o *Observed) {
			o.OS = "darwin"
			o.Folders[0].State, o.Folders[0].Why = "failed", "operation not permitted"
		}, IDFolders, Blind, "Full Disk Access"},
		"few watches":     {func(o *Observed) { o.Inotify.Watches = 100 }, IDWatches, Warn, "sysctl"},
		"watches used up": {func(o *Observed) { o.Inotify.Watches = 40 }, IDWatches, Blind, "sysctl"},
		"few instances":   {func(o *Observed) { o.Inotify.Instances = 1 }, IDInstances, Warn, "sysctl"},
		"no BTF":          {func(o *Observed) { o.Kernel.BTF = false }, IDBTF, Warn, "CONFIG_DEBUG_INFO_BTF"},
		"no rights":       {func(o *Observed) { o.Kernel.Caps = 0 }, IDRights, Warn, "root"},
		"no disk access":  {func(o *Observed) { o.DiskAccess = &Access{} }, IDDiskAccess, Blind, "PPPC"},
		"audit off":       {func(o *Observed) { o.Audit = &Audit{Known: true, CommandLine: true} }, IDAuditPolicy, Note, "auditpol"},
		"audit needed":    {func(o *Observed) { o.Audit = &Audit{Known: true}; o.Sources[1].Detail = "security-log" }, IDAuditPolicy, Blind, "auditpol"},
		"no command lines": {func(o *Observed) {
			o.Audit = &Audit{Known: true, ProcessCreation: true}
			o.Sources[1].Detail = "security-log"
		}, IDAuditCommand, Warn, "command line"},
		"old rules":           {func(o *Observed) { o.Sources, o.Rules = o.Sources[:2], "2026.01.01-x" }, IDRules, Warn, "newer"},
		"no name":             {func(o *Observed) { o.Collector[0].OK = false }, "collector-name", Warn, "resolve"},
		"refused":             {func(o *Observed) { o.Collector[1].OK = false }, "collector-tcp", Warn, "firewall"},
		"no TLS":              {func(o *Observed) { o.Collector[2].OK = false }, "collector-tls", Warn, "collector_ca"},
		"foreign":             {func(o *Observed) { o.Collector[3].OK = false }, "collector-certificate", Warn, "enrol again"},
		"no answer":           {func(o *Observed) { o.Collector[4].OK = false }, "collector-answer", Warn, "readyz"},
		"clock":               {func(o *Observed) { *o.Skew = -time.Hour }, IDClock, Warn, "set the clock"},
		"state unreadable":    {func(o *Observed) { o.State.Err = "permission denied" }, IDStateFolder, Blind, "root"},
		"state open":          {func(o *Observed) { o.State.Problem = "others may write" }, IDStateFolder, Warn, "chmod 700"},
		"little space":        {func(o *Observed) { o.State.Free = 1 << 27 }, IDStateSpace, Warn, "log_mib"},
		"no space":            {func(o *Observed) { o.State.Free = 1 }, IDStateSpace, Blind, "free space"},
		"worker dead":         {func(o *Observed) { o.Worker.Err = "exit 2" }, IDWorker, Blind, "anew"},
		"worker sees no test": {func(o *Observed) { o.Worker.Found = false }, IDWorker, Blind, "anew"},
		"rival":               {func(o *Observed) { o.Rivals = []int{7} }, IDRival, Warn, "end it"},
	} {
		t.Run(name, func(t *testing.T) {
			o := well()
			tc.change(&o)
			all := Judge(o)
			i := slices.IndexFunc(all, func(f Finding) bool { return f.ID == tc.id && f.Grade == tc.grade })
			if i < 0 {
				t.Fatalf("no %s %s in %+v", tc.grade, tc.id, all)
			}
			if !strings.Contains(all[i].Do, tc.do) || strings.Contains(all[i].Do, "\n") {
				t.Errorf("what to do: %q, want %q in it", all[i].Do, tc.do)
			}
			if got := Blinded(all); got != (tc.grade == Blind) {
				t.Errorf("Blinded is %v", got)
			}
			if rank(all[0].Grade) < rank(tc.grade) {
				t.Errorf("the worst does not come first: %+v", all[0])
			}
			for _, f := range all {
				if !slices.Contains(IDs(), f.ID) {
					t.Errorf("%s is not in IDs", f.ID)
				}
				if (f.Grade == OK) != (f.Do == "") {
					t.Errorf("%+v", f)
				}
			}
		})
	}
	for _, f := range Judge(well()) {
		if f.Grade != OK {
			t.Errorf("a machine on which all is well: %+v", f)
		}
	}
}

// TestEveryFindingIsExplained holds docs/troubleshooting.md to the ids.
func TestEveryFindingIsExplained(t *testing.T) {
	text, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, m := range regexp.MustCompile("(?m)^### `([a-z-]+)`$").FindAllStringSubmatch(string(text), -1) {
		have = append(have, m[1])
	}
	want := IDs()
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("the document explains\n%v\nthe findings are\n%v", have, want)
	}
}

func TestParsers(t *testing.T) {
	if caps, ok := ParseCaps([]byte("Name:\tx\nCapEff:\t000001ffffffffff\nCapBnd:\t0\n")); !ok || caps != 1<<41-1 {
		t.Error(caps, ok)
	}
	if _, ok := ParseCaps([]byte("CapEff: zz\n")); ok {
		t.Error("nonsense is a capability set")
	}
	if n := CountWatches([]byte("pos:\t0\ninotify wd:1 ino:2\ninotify wd:2 ino:3\n")); n != 2 {
		t.Error(n)
	}
	if n, ok := ParseNumber([]byte("8192\n")); !ok || n != 8192 {
		t.Error(n, ok)
	}
	for line, want := range map[string]string{
		"/usr/bin/meetguard\x00run\x00--state\x00/s\x00": "/s", "meetguard\x00run\x00--state=/t\x00": "/t", "meetguard\x00run\x00": "",
		"meetguard\x00status\x00": "no", "vim\x00run\x00": "no", "": "no",
	} {
		state, runs := RunsAgent([]byte(line))
		if runs != (want != "no") || runs && state != want {
			t.Errorf("%q: %q %v", line, state, runs)
		}
	}
}

func FuzzProc(f *testing.F) {
	f.Add([]byte("CapEff:\t000001ffffffffff\ninotify wd:1\n"))
	f.Add([]byte("meetguard\x00run\x00--state\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ParseCaps(data)
		ParseNumber(data)
		if n := CountWatches(data); n > len(data) {
			t.Error(n)
		}
		RunsAgent(data)
	})
}
