package collect

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// pairs are two collectors on one store, each with connections of its own.
func pairs(t *testing.T, test func(t *testing.T, a, b *fleetSite)) {
	for engine, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "pair.db") },
		"postgres": postgresURL,
	} {
		t.Run(engine, func(t *testing.T) {
			to := url(t)
			open := func() *fleetSite {
				st, err := store.Open(t.Context(), to)
				if err != nil {
					t.Fatal(err)
				}
				return fleetSiteOn(t, st)
			}
			a, b := open(), open()
			b.pass(a.clock().Sub(b.clock()))
			test(t, a, b)
		})
	}
}

// postgresURL starts a server of Debian's package for the length of the test.
func postgresURL(t *testing.T) string {
	t.Helper()
	bin, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(bin) == 0 {
		t.Fatal("PostgreSQL is not installed: apt-get install postgresql, or make test-deps")
	}
	dir, err := os.MkdirTemp("/dev/shm", "mgpair")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var who *syscall.Credential // the server refuses to run as root
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		who = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: who}
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := command(filepath.Join(bin[len(bin)-1], "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	// The shell ends the server when our end of its input is closed, also if this process is killed.
	cmd := command("/bin/sh", "-c", `"$@" & pid=$!; read -r _; kill -QUIT $pid; wait $pid`, "sh",
		filepath.Join(bin[len(bin)-1], "postgres"), "-D", data, "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", dir)
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	for range 300 {
		st, err := store.Open(t.Context(), url)
		if err == nil {
			st.Close()
			return url
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("PostgreSQL does not answer")
	return ""
}

// at is the device as it calls another collector.
func (d *testDevice) at(f *fleetSite) *testDevice {
	other := *d
	other.f = f
	other.connect([][]byte{d.cert.Raw})
	return &other
}

// What one collector commits about an agent counts for the next request at the
// other one, which remembers the agent's certificate.
func TestRevocationIsImmediate(t *testing.T) {
	pairs(t, func(t *testing.T, a, b *fleetSite) {
		ctx, path := t.Context(), "/v1/agent/batch"
		here := a.enrolled()
		there := here.at(b)
		for range 2 { // both remember it now
			here.want(200, "", path, batch(beatOf(0, "")))
			there.want(200, "", path, batch(beatOf(0, "")))
		}
		if len(a.srv.badges.all) != 1 || len(b.srv.badges.all) != 1 {
			t.Fatalf("%d and %d certificates are remembered: the test shows nothing", len(a.srv.badges.all), len(b.srv.badges.all))
		}
		set := func(st store.Store, state string) {
			t.Helper()
			if n, err := st.SetState(ctx, store.Everything, []string{here.uid}, state, a.clock()); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		for range 20 {
			set(a.store, store.AgentSuspended)
			there.want(403, "suspended", path, batch(beatOf(0, "")))
			set(b.store, store.AgentActive)
			here.want(200, "", path, batch(beatOf(0, "")))
		}
		set(a.store, store.AgentRevoked)
		there.want(401, "enroll_again", path, batch(beatOf(0, "")))
		here.want(401, "enroll_again", path, batch(beatOf(0, "")))

		// Forgotten, and enrolled anew with the same key: the old certificate is nobody's.
		if err := a.store.Forget(ctx, store.Everything, here.uid); err != nil {
			t.Fatal(err)
		}
		there.want(401, "enroll_again", path, batch(beatOf(0, "")))
		a.pass(time.Second)
		b.pass(time.Second)
		again := &testDevice{f: a, key: here.key}
		again.connect(nil)
		if status, text := again.enrol(a.token(0)); status != http.StatusOK || again.uid != here.uid {
			t.Fatalf("%d %s", status, text)
		}
		there.want(401, "enroll_again", path, batch(beatOf(0, "")))
		again.at(b).want(200, "", path, batch(beatOf(0, "")))
	})
}

// The log of an agent that calls one collector and then another is followed.
func TestLogIsFollowedByBoth(t *testing.T) {
	pairs(t, func(t *testing.T, a, b *fleetSite) {
		here := a.enrolled()
		there := here.at(b)
		prev := ""
		for i, d := range []*testDevice{here, there, here, there, there, here} {
			line, digest := logLine(fmt.Sprint("r", i), i+1, prev)
			d.want(200, "", "/v1/agent/batch", batch(beatOf(i+1, digest), line))
			prev = digest
		}
		if got := a.alarms(); got != "" {
			t.Errorf("alarms %q", got)
		}
		gap, digest := logLine("r9", 9, prev)
		there.want(200, "", "/v1/agent/batch", batch(beatOf(9, digest), gap))
		if got := a.alarms(); got != "GAP" {
			t.Errorf("alarms %q, want GAP", got)
		}
	})
}

// Collectors on one store count tries and used log-ins together.
func TestLogInsAreCountedTogether(t *testing.T) {
	pairs(t, func(t *testing.T, a, b *fleetSite) {
		ctx := t.Context()
		looked := 0
		for i := range 30 {
			srv := []*Server{a.srv, b.srv}[i%2]
			if srv.begin(ctx, people.Attempt{Account: "ana", Address: fmt.Sprint("192.0.2.", i)}) == nil {
				looked++
			}
		}
		if looked != 6 { // five are free, and the sixth begins the delay
			t.Errorf("%d tries were looked at", looked)
		}
		won := make(chan bool, 16)
		for i := range cap(won) {
			go func() {
				first, err := []*Server{a.srv, b.srv}[i%2].once(context.WithoutCancel(ctx), "flow x", a.clock())
				if err != nil {
					t.Error(err)
				}
				won <- first
			}()
		}
		n := 0
		for range cap(won) {
			if <-won {
				n++
			}
		}
		if n != 1 {
			t.Errorf("a log-in was ended %d times", n)
		}
	})
}
