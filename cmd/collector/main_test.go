package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every start that cannot succeed ends at once with 2 and one line, and leaves
// no file behind.
func TestRefusals(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	notes := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notes, []byte("these are notes"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"other address": {[]string{"serve", "--listen", "192.0.2.1:0"}, "--listen"},
		"no port":       {[]string{"serve", "--listen", "127.0.0.1"}, "HOST:PORT"},
		"port in use":   {[]string{"serve", "--listen", busy.Addr().String()}, "in use"},
		"postgres":      {[]string{"serve", "--listen", "127.0.0.1:0", "--store", "postgres://u:secret@127.0.0.1:1/d"}, "open store"},
		"unknown store": {[]string{"serve", "--listen", "127.0.0.1:0", "--store", "alerts.db"}, "sqlite:PATH"},
		"settings":      {[]string{"serve", "--listen", "127.0.0.1:0", "--config", notes}, "notes.txt"},
		"foreign file":  {[]string{"serve", "--listen", "127.0.0.1:0", "--store", "sqlite:" + notes}, "not a SQLite database"},
		"no folder":     {[]string{"serve", "--listen", "127.0.0.1:0", "--store", "sqlite:" + notes + "/x.db"}, "open store"},
		"state a file":  {[]string{"serve", "--listen", "127.0.0.1:0", "--state", notes}, "--state"},
		"unknown flag":  {[]string{"serve", "--bogus"}, "--help"},
		"argument":      {[]string{"serve", "now"}, "now"},
		"no command":    {[]string{"frob"}, "frob"},
	} {
		t.Run(name, func(t *testing.T) {
			state := filepath.Join(t.TempDir(), "state")
			args := c.args
			if !strings.Contains(strings.Join(args, " "), "--state") && args[0] == "serve" {
				args = append(args, "--state", state)
			}
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), args, &stdout, &stderr); code != exitError {
				t.Errorf("exit code %d", code)
			}
			text := stderr.String()
			if strings.Count(text, "\n") != 1 || !strings.Contains(text, c.want) || strings.Contains(text, "secret") || stdout.Len() > 0 {
				t.Errorf("stderr %q, stdout %q, want one line with %q", text, &stdout, c.want)
			}
			if _, err := os.Stat(state); err == nil {
				t.Error("a state folder was made")
			}
		})
	}
}

func TestVersionAndCompletion(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"version", "--json"}, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	var b buildInfo
	if err := json.Unmarshal(stdout.Bytes(), &b); err != nil || b.Version != version || b.Go != runtime.Version() {
		t.Errorf("%s: %v", &stdout, err)
	}
	for _, args := range [][]string{{"version"}, {"completion", "bash"}, {"completion", "powershell"}, {"--help"}} {
		stdout.Reset()
		if code := run(t.Context(), args, &stdout, &stderr); code != exitOK || stdout.Len() == 0 {
			t.Errorf("%v: exit code %d, %d bytes", args, code, stdout.Len())
		}
	}
}

// A cancelled context is what a signal makes of it in main.
func TestServeEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--state", t.TempDir()}, io.Discard, w)
		w.Close()
	}()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "msg=Listening") {
			cancel()
		}
	}
	cancel()
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d", got)
	}
}

// collector is the real binary, running.
type collector struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	client *http.Client
	stderr *bufio.Scanner
}

func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "meetguard-collector")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	cmd := exec.Command("go", "build", "-o", bin, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

var listening = regexp.MustCompile(`msg=Listening address=(\S+)`)

// start runs the binary and returns when it listens.
func start(t *testing.T, bin, store string) *collector {
	t.Helper()
	c := &collector{t: t, cmd: exec.Command(bin, "serve", "--listen", "127.0.0.1:0", "--store", "sqlite:"+store)}
	pipe, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.cmd.Process.Kill() })
	c.stderr = bufio.NewScanner(pipe)
	for c.stderr.Scan() {
		if m := listening.FindStringSubmatch(c.stderr.Text()); m != nil {
			c.url = "http://" + m[1]
			c.client = &http.Client{Transport: &http.Transport{}}
			return c
		}
	}
	t.Fatalf("it ended before it listened: %v", c.cmd.Wait())
	return nil
}

// end waits for the process after it was told to stop, and returns its exit code.
func (c *collector) end() int {
	for c.stderr.Scan() { // drain, so that it can write its last lines
	}
	c.cmd.Wait()
	c.client.CloseIdleConnections()
	return c.cmd.ProcessState.ExitCode()
}

// send posts one batch and returns the status of each record, or an error if it
// was not acknowledged.
func (c *collector) send(agent string, uids []string) ([]string, error) {
	var raws []string
	for _, uid := range uids {
		raws = append(raws, fmt.Sprintf(`{"class_uid":2004,"metadata":{"uid":%q}}`, uid))
	}
	body := fmt.Sprintf(`{"agent":{"uid":%q},"alerts":[%s]}`, agent, strings.Join(raws, ","))
	res, err := c.client.Post(c.url+"/v1/agent/batch", "application/json", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var answer struct {
		Results []struct{ UID, Status string }
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return nil, err
	}
	var statuses []string
	for _, r := range answer.Results {
		statuses = append(statuses, r.Status)
	}
	return statuses, nil
}

// stored counts the alerts of each agent and uid that the collector has.
func (c *collector) stored() map[string]int {
	c.t.Helper()
	counts := map[string]int{}
	for cursor := ""; ; {
		res, err := c.client.Get(c.url + "/v1/alerts?limit=200&cursor=" + cursor)
		if err != nil {
			c.t.Fatal(err)
		}
		var page struct {
			Alerts []struct {
				Agent  string `json:"agent_uid"`
				Record struct{ Metadata struct{ UID string } }
			}
			Next string `json:"next_cursor"`
		}
		err = json.NewDecoder(res.Body).Decode(&page)
		res.Body.Close()
		if err != nil {
			c.t.Fatal(err)
		}
		for _, a := range page.Alerts {
			counts[a.Agent+" "+a.Record.Metadata.UID]++
		}
		if cursor = page.Next; cursor == "" {
			return counts
		}
	}
}

// load sends batches from several senders until the collector does not answer,
// and returns what was acknowledged and what was tried last.
func (c *collector) load(round int, enough func(acked int)) (acked, tried map[string][]string) {
	const senders = 6
	acked, tried = map[string][]string{}, map[string][]string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for n := range senders {
		wg.Go(func() {
			agent := fmt.Sprint("agent", n)
			for i := 0; ; i++ {
				uids := []string{fmt.Sprintf("r%d-%d-0", round, i), fmt.Sprintf("r%d-%d-1", round, i)}
				_, err := c.send(agent, uids)
				mu.Lock()
				if err != nil {
					tried[agent] = uids
					mu.Unlock()
					return
				}
				acked[agent] = append(acked[agent], uids...)
				total := 0
				for _, list := range acked {
					total += len(list)
				}
				mu.Unlock()
				enough(total)
			}
		})
	}
	wg.Wait()
	return acked, tried
}

// What was acknowledged before a SIGKILL is there after it, once; what was not
// can be sent again.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	bin, store := build(t), filepath.Join(t.TempDir(), "alerts.db")
	want := map[string]int{}
	for round := range 5 {
		c := start(t, bin, store)
		var once sync.Once
		acked, tried := c.load(round, func(n int) {
			if n > 100+37*round {
				once.Do(func() { c.cmd.Process.Kill() })
			}
		})
		if code := c.end(); runtime.GOOS != "windows" && code != -1 {
			t.Fatalf("round %d: it ended by itself with %d", round, code)
		}
		c = start(t, bin, store)
		for agent, uids := range acked {
			for _, uid := range uids {
				want[agent+" "+uid]++
			}
		}
		have := c.stored()
		for key := range want {
			if have[key] != 1 {
				t.Errorf("round %d: %s is stored %d times", round, key, have[key])
			}
		}
		for agent, uids := range tried {
			statuses, err := c.send(agent, uids)
			if err != nil || (statuses[0] != "stored" && statuses[0] != "duplicate") || statuses[0] != statuses[1] {
				t.Errorf("round %d: sent again: %v, %v", round, statuses, err)
			}
			want[agent+" "+uids[0]], want[agent+" "+uids[1]] = 1, 1
		}
		if got := len(c.stored()); got != len(want) {
			t.Errorf("round %d: %d alerts, want %d", round, got, len(want))
		}
		c.cmd.Process.Kill()
		c.end()
	}
	t.Logf("%d alerts over 5 kills: 0 lost, 0 twice", len(want))
}

func TestSignalsEndCleanly(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there are no signals to send
	}
	bin := build(t)
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		store := filepath.Join(t.TempDir(), "alerts.db")
		c := start(t, bin, store)
		if _, err := c.send("a", []string{"r1"}); err != nil {
			t.Fatal(err)
		}
		if err := c.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if code := c.end(); code != exitOK {
			t.Errorf("%v: exit code %d", sig, code)
		}
		if entries, err := os.ReadDir(filepath.Dir(store)); err != nil || len(entries) != 2 { // the store and the first log-in
			t.Errorf("%v left journals behind: %v, %v", sig, entries, err)
		}
	}
}

// The first start prints the line that enrols and where the first log-in stands,
// once, and no password into what may be a log.
func TestFirstStart(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there are no signals to send
	}
	bin, store := build(t), filepath.Join(t.TempDir(), "c.db")
	serve := func() string {
		var out bytes.Buffer
		cmd := exec.Command(bin, "serve", "--listen", "127.0.0.1:0", "--metrics", "off", "--store", "sqlite:"+store)
		cmd.Stdout = &out
		pipe, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			if listening.MatchString(lines.Text()) {
				cmd.Process.Signal(syscall.SIGTERM)
			}
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	first := serve()
	if !regexp.MustCompile(`meetguard enroll https://127\.0\.0\.1:\d+ mgenroll_[a-z2-7]{32}_[a-z2-7]{32}\n`).MatchString(first) {
		t.Errorf("the first start prints %q", first)
	}
	login, err := os.ReadFile(filepath.Join(filepath.Dir(store), firstLogin))
	if err != nil {
		t.Fatal(err)
	}
	_, password, _ := strings.Cut(strings.TrimSpace(string(login)), "password: ")
	if len(password) < 20 || strings.Contains(first, password) {
		t.Errorf("the password is told in %q", first)
	}
	if again := serve(); again != "" {
		t.Errorf("the second start prints %q", again)
	}
}

// dying is a context that is done after it was asked for its end so often: a
// signal that comes at a step of the start, and not at a time.
type dying struct {
	context.Context
	stop context.CancelFunc
	left atomic.Int64
}

func (d *dying) Done() <-chan struct{} {
	if d.left.Add(-1) == 0 {
		d.stop()
	}
	return d.Context.Done()
}

// serveUntil serves until the context is done or the collector listens. It tells
// what was printed, and whether it came so far.
func serveUntil(ctx context.Context, t *testing.T, stop context.CancelFunc, store string) (told string, served bool) {
	t.Helper()
	var out bytes.Buffer
	r, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--metrics", "off", "--store", "sqlite:" + store}, &out, w)
		w.Close()
	}()
	text := ""
	for lines := bufio.NewScanner(r); lines.Scan(); {
		text += lines.Text() + "\n"
		if listening.MatchString(lines.Text()) {
			served = true
			stop()
		}
	}
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d: %s", got, text)
	}
	return out.String(), served
}

// A first start that is stopped on its way ends as any other stop does, and the
// one after it goes on: the token and the log-in are told once, by one of them.
// They are made at the end of the start. MEETGUARD_LONG=1 takes many more steps.
func TestStoppedDuringFirstStart(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	count := &dying{Context: ctx, stop: stop}
	serveUntil(count, t, stop, filepath.Join(t.TempDir(), "c.db"))
	all := -count.left.Load()
	steps := []int64{1, all / 8, all / 2, all - 30, all - 15, all - 5}
	if os.Getenv("MEETGUARD_LONG") != "" {
		for step := all - 60; step < all; step++ {
			steps = append(steps, step)
		}
		for step := all / 100; step < all; step += all / 20 {
			steps = append(steps, step)
		}
	}
	stopped := 0
	for _, step := range steps {
		t.Run(fmt.Sprintf("%d of %d", step, all), func(t *testing.T) {
			store := filepath.Join(t.TempDir(), "c.db")
			ctx, stop := context.WithCancel(t.Context())
			d := &dying{Context: ctx, stop: stop}
			d.left.Store(step)
			first, served := serveUntil(d, t, stop, store)
			if !served {
				stopped++
			}
			ctx, stop = context.WithCancel(t.Context())
			again, servedThen := serveUntil(ctx, t, stop, store)
			if !servedThen || strings.Count(first+again, "Enrol agents with:") != 1 {
				t.Errorf("served %v, then %v; told %q, then %q", served, servedThen, first, again)
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(store), firstLogin)); err != nil {
				t.Errorf("no first log-in: %v", err)
			}
		})
	}
	if stopped < len(steps)/2 {
		t.Errorf("only %d of %d starts were stopped on their way", stopped, len(steps))
	}
	t.Logf("%d starts were stopped on their way", stopped)
}

// Tokens and accounts are made from the command line, and a backup is restored.
func TestCommandsOverTheStore(t *testing.T) {
	dir := t.TempDir()
	one, two, file := "sqlite:"+filepath.Join(dir, "1.db"), "sqlite:"+filepath.Join(dir, "2.db"), filepath.Join(dir, "backup")
	do := func(want int, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), args, &stdout, &stderr); code != want {
			t.Errorf("%v: exit code %d: %s", args, code, &stderr)
		}
		return stdout.String()
	}
	if line := do(exitOK, "token", "create", "--store", one, "--url", "https://c.example:8443", "--group", "sales", "--uses", "3"); !strings.HasPrefix(line, "meetguard enroll https://c.example:8443 mgenroll_") {
		t.Errorf("token create prints %q", line)
	}
	if password := do(exitOK, "user", "add", "kim", "--store", one, "--role", "analyst"); len(strings.TrimSpace(password)) < 20 {
		t.Errorf("user add prints %q", password)
	}
	do(exitError, "user", "add", "kim", "--store", one)
	do(exitError, "user", "add", "lee", "--store", one, "--role", "king")
	do(exitOK, "user", "reset", "kim", "--store", one)
	do(exitOK, "store", "backup", file, "--store", one)
	do(exitOK, "store", "restore", file, "--store", two)
	do(exitError, "store", "restore", file, "--store", two)
	do(exitError, "store", "distribute", "--store", two)
	for _, st := range []string{one, two} {
		if list := do(exitOK, "token", "list", "--store", st); !strings.Contains(list, "sales") || !strings.Contains(list, "0/3") {
			t.Errorf("token list: %s", list)
		}
		if list := do(exitOK, "user", "list", "--store", st); !strings.Contains(list, "kim") {
			t.Errorf("user list: %s", list)
		}
	}
}
