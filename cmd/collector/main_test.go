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
		"every address": {[]string{"serve", "--listen", ":8765"}, "loopback"},
		"0.0.0.0":       {[]string{"serve", "--listen", "0.0.0.0:0"}, "loopback"},
		"::":            {[]string{"serve", "--listen", "[::]:0"}, "loopback"},
		"other address": {[]string{"serve", "--listen", "192.0.2.1:0"}, "loopback"},
		"no port":       {[]string{"serve", "--listen", "127.0.0.1"}, "HOST:PORT"},
		"port in use":   {[]string{"serve", "--listen", busy.Addr().String()}, "in use"},
		"postgres":      {[]string{"serve", "--listen", "127.0.0.1:0", "--store", "postgres://u:secret@h/d"}, "SQLite only"},
		"unknown store": {[]string{"serve", "--listen", "127.0.0.1:0", "--store", "alerts.db"}, "sqlite:PATH"},
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
		if entries, err := os.ReadDir(filepath.Dir(store)); err != nil || len(entries) != 1 {
			t.Errorf("%v left journals behind: %v, %v", sig, entries, err)
		}
	}
}
