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
	"sync"
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

// postgres is a server of Debian's package, which the first test that needs it
// starts and TestMain stops. Every test has a database of its own.
var postgres struct {
	sync.Mutex
	as        *syscall.Credential // the server refuses to run as root
	dir, bin  string
	url       func(database string) string
	databases int
}

// postgresURL is an empty store.
func postgresURL(t *testing.T) string {
	t.Helper()
	postgres.Lock()
	defer postgres.Unlock()
	if postgres.url == nil {
		startPostgres(t)
	}
	postgres.databases++
	name := fmt.Sprint("t", postgres.databases)
	if out, err := postgresCommand("psql", postgres.url("template1"), "-c", "CREATE DATABASE "+name+" TEMPLATE migrated").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return postgres.url(name)
}

func postgresCommand(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(postgres.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: postgres.as}
	return cmd
}

// startPostgres starts the server and makes the template of all stores: to
// migrate a new one takes longer than most tests.
func startPostgres(t *testing.T) {
	t.Helper()
	bin, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(bin) == 0 {
		t.Fatal("PostgreSQL is not installed: apt-get install postgresql, or make test-deps")
	}
	dir, err := makeInMemory("mgpair")
	if err != nil {
		dir, err = os.MkdirTemp("", "mgpair")
	}
	if err != nil {
		t.Fatal(err)
	}
	postgres.bin, postgres.dir = bin[len(bin)-1], dir
	atEnd = append(atEnd, func() { os.RemoveAll(dir) })
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		postgres.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(dir, "data")
	if out, err := postgresCommand("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pid := os.Getpid() // nobody else uses this address: what is free now is free when the server starts
	host := fmt.Sprintf("127.77.%d.%d", pid>>8&255, pid&255)
	free, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	runPostgres(t, data, host, port)
	url := func(database string) string {
		return fmt.Sprintf("postgres://postgres@%s:%d/%s?sslmode=disable", host, port, database)
	}
	var out []byte
	for range 300 {
		if out, err = postgresCommand("psql", url("template1"), "-c", "CREATE DATABASE migrated").CombinedOutput(); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		t.Fatalf("PostgreSQL does not answer: %v: %s", err, out)
	}
	st, err := store.Open(t.Context(), url("migrated"))
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	postgres.url = url
}

// runPostgres starts the server by a shell that ends it when our end of its input
// is closed, also if this process is killed.
func runPostgres(t *testing.T, data, host string, port int) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `"$@" & pid=$!; read -r _; kill -QUIT $pid; wait $pid`, "sh",
		filepath.Join(postgres.bin, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-h", host, "-k", postgres.dir,
		"-c", "fsync=off") // a machine that dies takes the test with it
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: postgres.as}
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	atEnd = append([]func(){func() { stdin.Close(); cmd.Wait() }}, atEnd...)
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
