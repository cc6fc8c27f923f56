package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// postgresBin is where the newest server of Debian's packages is.
var postgresBin = func() string {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		return "/usr/lib/postgresql/15/bin"
	}
	return found[len(found)-1]
}()

// shared is the cluster of this test binary, started by the first test that
// needs it. Every test has a database of its own.
var shared struct {
	once sync.Once
	*server
	databases atomic.Int64
}

func TestMain(m *testing.M) {
	dir := inMemory()
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if shared.server != nil {
			shared.stop()
		}
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// inMemory lets the folders of tests be in memory where they can be: a killed
// process loses nothing there either, and flushes take no time.
func inMemory() string {
	dir, err := makeInMemory("mgstore")
	if err != nil {
		return ""
	}
	os.Setenv("TMPDIR", dir)
	return dir
}

// memoryNeeds is what three servers and the stores of tests hold, in bytes, and much
// more. Containers have a small file system in memory.
const memoryNeeds = 1 << 30

// makeInMemory makes a folder in memory, if there is room.
func makeInMemory(name string) (string, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &fs); err != nil {
		return "", err
	}
	if fs.Bavail*uint64(fs.Bsize) < memoryNeeds {
		return "", syscall.ENOSPC
	}
	return os.MkdirTemp("/dev/shm", name)
}

// server is one PostgreSQL server.
type server struct {
	dir   string
	host  string // see ownLoopback
	port  int
	cmd   *exec.Cmd
	stdin io.Closer // the server stops when it is closed, also if this process is killed
	log   *os.File
}

// postgresUser is whom the server runs as: it refuses to run as root.
func postgresUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w (apt-get install postgresql, or make test-deps)", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// postgresTool runs a program of the package.
func postgresTool(name string, args ...string) error {
	who, err := postgresUser()
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(postgresBin, name), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	cmd.Dir = "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s (apt-get install postgresql, or make test-deps)", name, err, out)
	}
	return nil
}

// newServer makes a server's folder, which is deleted when it stops. It is in
// memory where it can be: a killed process loses nothing there either.
func newServer() (*server, error) {
	dir, err := makeInMemory("mgpg")
	if err != nil {
		dir, err = os.MkdirTemp("", "mgpg")
	}
	if err != nil {
		return nil, err
	}
	who, err := postgresUser()
	if err == nil && who != nil {
		err = os.Chown(dir, int(who.Uid), int(who.Gid))
	}
	host := ownLoopback()
	listener, listenErr := net.Listen("tcp", host+":0")
	if err != nil || listenErr != nil {
		return nil, fmt.Errorf("make a server: %w %w", err, listenErr)
	}
	defer listener.Close()
	return &server{dir: dir, host: host, port: listener.Addr().(*net.TCPAddr).Port}, nil
}

// ownLoopback is an address of the loopback interface that nobody else uses, so that
// a port which is free now is free when the server starts, and starts again.
func ownLoopback() string {
	pid, n := os.Getpid(), servers.Add(1)
	return fmt.Sprintf("127.%d.%d.%d", 1+n%200, pid>>8&255, pid&255)
}

var servers atomic.Int64

// initialise makes an empty cluster. Its default collation is not ours, so that
// a column without one is found.
func (s *server) initialise() error {
	return postgresTool("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync",
		"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en")
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

// start runs the server under a shell that ends it when our end of the pipe is
// closed.
func (s *server) start(settings ...string) error {
	who, err := postgresUser()
	if err != nil {
		return err
	}
	args := []string{"-c", `"$@" & pid=$!; read -r _; kill -QUIT $pid; wait $pid`, "sh", filepath.Join(postgresBin, "postgres"),
		"-D", s.data(), "-p", strconv.Itoa(s.port), "-h", s.host, "-k", s.dir, "-c", "fsync=on", "-c", "max_connections=200"}
	for _, set := range settings {
		args = append(args, "-c", set)
	}
	s.cmd = exec.Command("/bin/sh", args...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setpgid: true}
	if s.log, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		return err
	}
	defer s.log.Close()
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = "/", s.log, s.log
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	return s.await()
}

// await waits until the server answers.
func (s *server) await() error {
	var err error
	for range 300 {
		var conn *pgx.Conn
		if conn, err = pgx.Connect(context.Background(), s.url("postgres")); err == nil {
			return conn.Close(context.Background())
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("the server does not answer: %w", err)
}

func (s *server) url(database string) string {
	return fmt.Sprintf("postgres://postgres@%s:%d/%s?sslmode=disable", s.host, s.port, database)
}

// exec runs statements on the server.
func (s *server) exec(database string, queries ...string) error {
	conn, err := pgx.Connect(context.Background(), s.url(database))
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	for _, q := range queries {
		if _, err := conn.Exec(context.Background(), q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	return nil
}

func (s *server) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		s.stdin.Close()
		s.cmd.Wait()
	}
	os.RemoveAll(s.dir)
}

// restart starts a server that was killed.
func (s *server) restart() error {
	s.stdin.Close()
	s.cmd.Wait()
	return s.start()
}

// kill ends the server as a power cut would, the processes of its sessions too.
func (s *server) kill() error {
	raw, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.SplitN(string(raw), "\n", 2)[0])
	if err != nil {
		return err
	}
	children := childrenOf(pid)
	for _, p := range append([]int{pid}, children...) {
		if err := syscall.Kill(p, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			return err
		}
	}
	return nil
}

// childrenOf reads the process table.
func childrenOf(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
		if ppid, _ := strconv.Atoi(fields[1]); ppid == parent {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// cluster returns the shared server.
func cluster(t testing.TB) *server {
	t.Helper()
	shared.once.Do(func() {
		s, err := newServer()
		if err != nil {
			t.Fatal(err)
		}
		shared.server = s
		if err := s.initialise(); err != nil {
			t.Fatal(err)
		}
		if err := s.start(); err != nil {
			log, _ := os.ReadFile(s.log.Name())
			t.Fatalf("%v\n%s", err, log)
		}
		// Tests copy a database that is migrated already.
		if err := s.exec("postgres", "CREATE DATABASE migrated"); err != nil {
			t.Fatal(err)
		}
		p, err := OpenPostgres(t.Context(), s.url("migrated"))
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
	})
	if shared.server == nil || shared.cmd == nil {
		t.Fatal("PostgreSQL did not start, see the first test that failed")
	}
	return shared.server
}

// newDatabase returns the URL of an empty store.
func newDatabase(t testing.TB) string {
	t.Helper()
	s := cluster(t)
	name := fmt.Sprint("t", shared.databases.Add(1))
	if err := s.exec("postgres", "CREATE DATABASE "+name+" TEMPLATE migrated"); err != nil {
		t.Fatal(err)
	}
	return s.url(name)
}

// openPostgres opens the store at the URL for the length of the test.
func openPostgres(t *testing.T, url string) *Postgres {
	t.Helper()
	p, err := OpenPostgres(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}
