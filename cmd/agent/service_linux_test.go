package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestUnitOfAnotherProgram: the unit is that of the packages but for its program.
func TestUnitOfAnotherProgram(t *testing.T) {
	unit := serviceConfig("/opt/mg/meetguard").Option["SystemdScript"].(string)
	if !strings.Contains(unit, "ExecStart={{Path | cmdEscape}} run --service\n") || strings.Contains(unit, "/usr/bin/meetguard") {
		t.Error(unit)
	}
}

// TestElsewhere: the network is opened for a collector on another machine only.
func TestElsewhere(t *testing.T) {
	for collector, want := range map[string]bool{"": false, "http://127.0.0.1:8765": false, "https://[::1]:8765": false, "http://localhost:1": false,
		"https://collector.invalid:8443": true, "https://192.0.2.7": true, "https://localhost.invalid": true, "::": false} {
		if got := elsewhere(collector); got != want {
			t.Errorf("%q: %t", collector, got)
		}
	}
}

// TestIsJournal: only the file that JOURNAL_STREAM names leads to the journal.
func TestIsJournal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	st := fi.Sys().(*syscall.Stat_t)
	for stream, want := range map[string]bool{fmt.Sprintf("%d:%d", st.Dev, st.Ino): true, fmt.Sprintf("%d:%d", st.Dev, st.Ino+1): false, "": false, "x": false} {
		if got := isJournal(f, stream); got != want {
			t.Errorf("%q: %v", stream, got)
		}
	}
}

// TestHandOver: the service's account gets what root made in its folder, and
// neither what a link leads to nor what has a second name.
func TestHandOver(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: only root can give files away")
	}
	const account = 12345
	dir, outside := t.TempDir(), t.TempDir()
	secret := write(t, filepath.Join(outside, "secret"), "x")
	plain := write(t, filepath.Join(dir, "device.json"), "x")
	for _, err := range []error{os.Symlink(secret, filepath.Join(dir, "link")), os.Link(secret, filepath.Join(dir, "twin")), os.Chown(dir, account, account)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := handOver(dir); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]uint32{plain: account, secret: 0} {
		fi, err := os.Stat(path)
		if err != nil || fi.Sys().(*syscall.Stat_t).Uid != want {
			t.Errorf("%s: %+v, %v", path, fi, err)
		}
	}
}

// TestServiceStatus asks whatever this machine is run by: a state that is named,
// or an error that says what to do.
func TestServiceStatus(t *testing.T) {
	r := command(t, "service", "status", "--json")
	var st serviceState
	if r.code == exitError {
		if !strings.Contains(r.errOut, "meetguard run --service") {
			t.Errorf("exit %d: %s", r.code, r.errOut)
		}
		return
	}
	if err := json.Unmarshal([]byte(r.out), &st); err != nil || st.Name != serviceName || (st.State == "running") != (r.code == exitClean) {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.errOut)
	}
}

// TestRunAsService: told to be a service it proves itself, and says so.
func TestRunAsService(t *testing.T) {
	s := startWhole(t, stateDir(t), "--watch", t.TempDir(), "--service")
	deadline := time.Now().Add(3 * time.Minute)
	for {
		r := command(t, "status", "--state", s.state)
		if strings.Contains(r.out, "came back in") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no proof:\n%s%s\n%s", r.out, r.errOut, s.log)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if n := len(s.own(t)); n != 0 {
		t.Errorf("%d alerts of a canary", n)
	}
	s.stop(t)
}

// listen is a systemd that hears what is sent to NOTIFY_SOCKET.
func listen(t *testing.T) (socket string, heard func() string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "mg") // a name for a socket has a hundred bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return socket, func() string {
		buf := make([]byte, 4096)
		if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
}

// TestSystemdIsTold: what it is told at each turn of a service's life, and that
// the watchdog is fed by a proof and by nothing else.
func TestSystemdIsTold(t *testing.T) {
	socket, heard := listen(t)
	m := &manager{socket: socket, watchdog: time.Minute, service: true, log: slog.New(slog.DiscardHandler), exit: func(int) { t.Error("it ended itself under systemd") }}
	c := m.canary([]string{"x"})
	for name, tc := range map[string]struct {
		do   func()
		want string
	}{
		"live":     {m.live, "READY=1"},
		"reload":   {m.reloading, "RELOADING=1"},
		"stop":     {m.stopping, "STOPPING=1"},
		"proved":   {func() { c.Proved("in 1s") }, "WATCHDOG=1"},
		"no proof": {func() { c.Failed("blind") }, "WATCHDOG=trigger"},
	} {
		tc.do()
		got := strings.Split(heard(), "\n")
		if !slices.Contains(got, tc.want) {
			t.Errorf("%s: %q lacks %s", name, got, tc.want)
		}
		if slices.Contains(got, "WATCHDOG=1") != (name == "proved") {
			t.Errorf("%s: %q feeds the watchdog, or does not", name, got)
		}
	}
}
