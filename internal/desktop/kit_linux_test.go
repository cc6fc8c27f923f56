package desktop

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// What the test program is when it is started again: the helper of the service,
// the programs of a desktop, or somebody who asks who sits there.
const (
	helperArg  = "helper-under-test"
	desktopArg = "desktop-under-test"
	activeArg  = "active-under-test"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case helperArg: // --bus SOCKET
			os.Exit(helper(os.Args[len(os.Args)-1]))
		case desktopArg:
			os.Exit(desktop(os.Args[2], os.Args[3]))
		case activeArg:
			os.Exit(active(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

func helper(bus string) int {
	l, err := ReadLetter(os.Stdin)
	if err == nil {
		err = Show(context.Background(), Surroundings{Bus: bus, System: bus, Locales: []string{}}, l)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	if strings.HasPrefix(err.Error(), ErrNobody.Error()) {
		return ExitNobody
	}
	return 2
}

// call is one call that the notification server got.
type call struct {
	App, Icon, Title, Body string
	Replaces               uint32
	Actions                []string
	Urgency                byte
	Quiet                  bool
	Timeout                int32
}

// desktop plays the programs of a session: a notification server that prints what
// it is called with, and whatever else the letters of kind name: (m)arkup,
// (s)ystemd with its environment, (a)ccounts, (l)ogind; (h)angs on each call.
func desktop(bus, kind string) int {
	conn, err := dbus.Connect("unix:path=" + bus)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	own := func(name string) {
		if r, err := conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
			fmt.Fprintln(os.Stderr, name, r, err)
			os.Exit(2)
		}
	}
	serve := func(path dbus.ObjectPath, iface string, methods map[string]any) {
		if err := conn.ExportMethodTable(methods, path, iface); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	serve(notificationsPath, notifications, map[string]any{
		"GetCapabilities": func() ([]string, *dbus.Error) {
			if strings.Contains(kind, "h") {
				time.Sleep(time.Hour)
			}
			if strings.Contains(kind, "m") {
				return []string{"body", "body-markup"}, nil
			}
			return []string{"body"}, nil
		},
		"Notify": func(app string, replaces uint32, icon, title, body string, actions []string, hints map[string]dbus.Variant, timeout int32) (uint32, *dbus.Error) {
			urgency, _ := hints["urgency"].Value().(byte)
			quiet, _ := hints["suppress-sound"].Value().(bool)
			_ = json.NewEncoder(os.Stdout).Encode(call{app, icon, title, body, replaces, actions, urgency, quiet, timeout})
			return 1, nil
		},
	})
	properties := func(all map[string]dbus.Variant) map[string]any {
		return map[string]any{
			"Get":    func(_, name string) (dbus.Variant, *dbus.Error) { return all[name], nil },
			"GetAll": func(string) (map[string]dbus.Variant, *dbus.Error) { return all, nil },
		}
	}
	const props = "org.freedesktop.DBus.Properties"
	if strings.Contains(kind, "s") {
		serve("/org/freedesktop/systemd1", props, properties(map[string]dbus.Variant{"Environment": dbus.MakeVariant([]string{"HOME=/x", "LANG=ja_JP.UTF-8"})}))
		own("org.freedesktop.systemd1")
	}
	if strings.Contains(kind, "a") {
		me := dbus.ObjectPath("/org/freedesktop/Accounts/User" + strconv.Itoa(os.Getuid()))
		serve("/org/freedesktop/Accounts", "org.freedesktop.Accounts", map[string]any{"FindUserById": func(id int64) (dbus.ObjectPath, *dbus.Error) {
			if id != int64(os.Getuid()) {
				return "", dbus.MakeFailedError(fmt.Errorf("nobody is %d", id))
			}
			return me, nil
		}})
		serve(me, props, properties(map[string]dbus.Variant{"Language": dbus.MakeVariant("fr_FR.UTF-8")}))
		own("org.freedesktop.Accounts")
	}
	if strings.Contains(kind, "l") {
		type line struct {
			ID   string
			UID  uint32
			User string
			Seat string
			Path dbus.ObjectPath
		}
		var sessions []line
		for i, s := range []struct {
			uid         uint32
			active      bool
			class, kind string
		}{{1000, true, "user", "wayland"}, {1001, false, "user", "x11"}, {1002, true, "user", "tty"}, {120, true, "greeter", "wayland"}, {1003, true, "user", "x11"}, {1000, true, "user", "x11"}} {
			path := dbus.ObjectPath("/org/freedesktop/login1/session/" + strconv.Itoa(i))
			sessions = append(sessions, line{strconv.Itoa(i), s.uid, "u", "seat0", path})
			serve(path, props, properties(map[string]dbus.Variant{"Active": dbus.MakeVariant(s.active), "Class": dbus.MakeVariant(s.class), "Type": dbus.MakeVariant(s.kind)}))
		}
		serve("/org/freedesktop/login1", "org.freedesktop.login1.Manager", map[string]any{"ListSessions": func() ([]line, *dbus.Error) { return sessions, nil }})
		own("org.freedesktop.login1")
	}
	own(notifications)
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
	return 0
}

func active(bus string) int {
	conn, err := connect(context.Background(), bus)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Println(activeOn(context.Background(), conn))
	return 0
}

// stage is a session bus of a user who is not root: of the one who runs the
// tests or, if that is root, of the account nobody.
type stage struct {
	t       *testing.T
	uid     uint32
	runtime string // the folder of the users' runtime folders
	program string // this program, where the user may run it
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, uid: uint32(os.Getuid()), program: os.Args[0]}
	top := t.TempDir()
	if s.uid == 0 {
		u, err := user.Lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		s.uid, s.program = uint32(uid), filepath.Join(top, "program")
		for _, dir := range []string{top, filepath.Dir(top)} {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		copyProgram(t, os.Args[0], s.program)
	}
	s.runtime = filepath.Join(top, "user")
	own := filepath.Join(s.runtime, strconv.Itoa(int(s.uid)))
	if err := os.MkdirAll(own, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(own, int(s.uid), -1); err != nil {
		t.Fatal(err)
	}
	return s
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	syscall.ForkLock.RLock() // nothing is started that another child holds open for writing
	defer syscall.ForkLock.RUnlock()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func (s *stage) person() Person { return personOf(s.uid) }
func (s *stage) bus() string    { return filepath.Join(s.runtime, string(s.person()), "bus") }
func (s *stage) courier() *Courier {
	return &Courier{Helper: []string{s.program, helperArg}, Runtime: s.runtime, Spool: filepath.Join(s.runtime, "spool")}
}

// command is a program that the user runs.
func (s *stage) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stderr = "/", []string{}, os.Stderr
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: s.uid, Gid: nobody}}
	}
	return cmd
}

// start runs a program until the test ends, and waits for its first line.
func (s *stage) start(cmd *exec.Cmd) *bufio.Scanner {
	s.t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("start %s: %v; the tests need the Debian package dbus", cmd.Path, err)
	}
	s.t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		s.t.Fatalf("%s ended before it was ready", cmd.Path)
	}
	return lines
}

// daemon starts a real session bus.
func (s *stage) daemon() {
	s.t.Helper()
	s.start(s.command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=unix:path="+s.bus(), "--print-address=1"))
}

// desktop starts the programs of the session; what the server is called with
// comes line by line.
func (s *stage) desktop(kind string) *bufio.Scanner {
	s.t.Helper()
	return s.start(s.command(s.program, desktopArg, s.bus(), kind))
}

func next(t *testing.T, calls *bufio.Scanner) call {
	t.Helper()
	var c call
	if !calls.Scan() {
		t.Fatal("the notification server ended")
	}
	if err := json.Unmarshal(calls.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	return c
}
