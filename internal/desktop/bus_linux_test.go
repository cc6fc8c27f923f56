package desktop

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNotice brings letters over a real bus to a server that notes its calls.
func TestNotice(t *testing.T) {
	s := newStage(t)
	s.daemon()
	calls := s.desktop("ms")
	l := writer(t, Settings{Contact: "IT <4711> & Co"}).Write(Finding{File: `<img src=x>&amp;.exe`, Brand: brand(t, "zoom"), Sure: true})
	if err := s.courier().Deliver(t.Context(), s.person(), l); err != nil {
		t.Fatal(err)
	}
	got := next(t, calls)
	if got.App != "meetguard" || got.Replaces != 0 || len(got.Actions) != 0 || got.Urgency != urgencyNormal || !got.Quiet || got.Timeout != shownFor {
		t.Errorf("%+v", got)
	}
	if want := l.Texts["ja"]; got.Title != want.Title || got.Body != markup.Replace(want.Body) {
		t.Errorf("in the language of the session: %+v", got)
	}
	if strings.ContainsAny(got.Body, "<>") || !strings.Contains(got.Body, "&lt;img src=x&gt;&amp;amp;.exe") || !strings.Contains(got.Body, "IT &lt;4711&gt; &amp; Co") {
		t.Errorf("markup: %q", got.Body)
	}
	l = writer(t, Settings{}).Write(Finding{File: "Zoom.exe", Brand: brand(t, "zoom"), Ran: true})
	if err := s.courier().Deliver(t.Context(), s.person(), l); err != nil {
		t.Fatal(err)
	}
	if got := next(t, calls); got.Urgency != urgencyCritical || !got.Quiet || got.Timeout != 0 {
		t.Errorf("what was started stays: %+v", got)
	}
}

// TestPlainServer: a server that reads no markup gets none, and the language of
// the login counts where the session tells none.
func TestPlainServer(t *testing.T) {
	s := newStage(t)
	s.daemon()
	calls := s.desktop("a")
	l := writer(t, Settings{}).Write(Finding{File: "a&b.exe"})
	if err := s.courier().Deliver(t.Context(), s.person(), l); err != nil {
		t.Fatal(err)
	}
	if got := next(t, calls); got.Body != l.Texts["fr"].Body || !strings.Contains(got.Body, "a&b.exe") {
		t.Errorf("%+v", got)
	}
}

// TestNobody: no folder of the user, no server on the bus, no helper.
func TestNobody(t *testing.T) {
	s := newStage(t)
	l := writer(t, Settings{}).Write(Finding{File: "a"})
	c := s.courier()
	if err := c.Deliver(t.Context(), s.person(), l); !errors.Is(err, ErrNobody) {
		t.Errorf("without a bus: %v", err)
	}
	s.daemon()
	if err := c.Deliver(t.Context(), s.person(), l); !errors.Is(err, ErrNobody) {
		t.Errorf("without a server: %v", err)
	}
	if err := os.Mkdir(c.Spool, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.Deliver(t.Context(), s.person(), l); err != nil {
		t.Errorf("it waits for the session: %v", err)
	}
	if waits, err := os.ReadDir(c.Spool); err != nil || len(waits) != 1 {
		t.Errorf("%d letters wait, %v", len(waits), err)
	}
	if err := os.RemoveAll(c.Spool); err != nil {
		t.Fatal(err)
	}
	if err := (&Courier{Runtime: s.runtime}).Deliver(t.Context(), s.person(), l); !errors.Is(err, ErrNobody) {
		t.Errorf("without a helper: %v", err)
	}
	if err := c.Deliver(t.Context(), "../../etc", l); err == nil {
		t.Error("a person who is a path was taken")
	}
	if err := os.Remove(s.bus()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.bus(), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.Deliver(t.Context(), s.person(), l); err == nil || errors.Is(err, ErrNobody) {
		t.Errorf("a bus that is a file: %v", err)
	}
}

// TestStuckDesktop: whoever never answers holds up nobody.
func TestStuckDesktop(t *testing.T) {
	s := newStage(t)
	s.daemon()
	s.desktop("h")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err := s.courier().Deliver(ctx, s.person(), writer(t, Settings{}).Write(Finding{File: "a"}))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// TestActive asks a logind for who sits at a desktop.
func TestActive(t *testing.T) {
	s := newStage(t)
	s.daemon()
	s.desktop("l")
	out, err := s.command(s.program, activeArg, s.bus()).Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != "[1000 1003]" {
		t.Errorf("%s, %v", got, err)
	}
}

// TestHelperRefusesRights: a process that could do more than its user does not
// speak to the user's bus.
func TestHelperRefusesRights(t *testing.T) {
	if os.Getuid() != 0 {
		if err := unprivileged(); err != nil {
			t.Error(err)
		}
		return
	}
	s := newStage(t)
	s.daemon()
	s.desktop("")
	for name, attr := range map[string]*syscall.SysProcAttr{
		"root": nil,
		"a capability": {Credential: &syscall.Credential{Uid: s.uid, Gid: nobody}, AmbientCaps: []uintptr{
			0}}, // CAP_CHOWN
	} {
		cmd := exec.Command(s.program, helperArg, s.bus())
		cmd.SysProcAttr, cmd.Stdin = attr, strings.NewReader(`{"texts":{"en":{"title":"a"}}}`)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "root") && !strings.Contains(string(out), "rights") {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

// TestSpool: what the service may not show itself waits for the session, once,
// and for nobody else.
func TestSpool(t *testing.T) {
	s := newStage(t)
	c := s.courier()
	l := writer(t, Settings{}).Write(Finding{File: "a"})
	if err := c.spool(s.uid, l); !errors.Is(err, ErrNobody) {
		t.Errorf("a machine without a spool: %v", err)
	}
	if err := os.Mkdir(c.Spool, 0o755); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(c.Spool, letterName(s.uid, time.Now().Add(-25*time.Hour)))
	if err := os.WriteFile(old, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, uid := range []uint32{s.uid, s.uid + 1, s.uid} {
		if err := c.spool(uid, l); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(c.Spool)
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d letters, %v", len(entries), err)
	}
	for _, e := range entries {
		mine := strings.HasPrefix(e.Name(), string(s.person())+"-")
		err := s.command("cat", filepath.Join(c.Spool, e.Name())).Run()
		if own := os.Getuid() != 0; (err == nil) != (mine || own) {
			t.Errorf("%s read: %v", e.Name(), err)
		}
	}
	names, err := waiting(c.Spool, s.uid+1, time.Now())
	if err != nil || len(names) != 1 {
		t.Errorf("of another user: %v, %v", names, err)
	}
	if names, _ := waiting(c.Spool, s.uid+1, time.Now().Add(25*time.Hour)); len(names) != 0 {
		t.Errorf("a day later: %v", names)
	}
}

// TestReceive is the side of the session. A folder of the reader's own is no
// spool, so it is tried as root for the letters of root.
func TestReceive(t *testing.T) {
	folder, seen := t.TempDir(), filepath.Join(t.TempDir(), "state", "seen")
	if os.Getuid() != 0 {
		if err := Receive(t.Context(), folder, seen, nil); err == nil {
			t.Error("a folder that the reader can write to was taken")
		}
		return
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	var shown []string
	show := func(_ context.Context, l Letter) error { shown = append(shown, l.Texts["en"].Title); return nil }
	now := time.Now()
	for i, title := range []string{"one", "two"} {
		if err := post(folder, 0, []byte(`{"texts":{"en":{"title":"`+title+`"}}}`), now.Add(time.Duration(i))); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := Receive(t.Context(), folder, seen, show); err != nil || !slices.Equal(shown, []string{"one", "two"}) {
			t.Fatalf("%v, %v", shown, err)
		}
	}
	if err := post(folder, 0, []byte(`{"texts":{"en":{"title":"three"}}}`), now.Add(2)); err != nil {
		t.Fatal(err)
	}
	if err := Receive(t.Context(), folder, seen, func(context.Context, Letter) error { return ErrNobody }); !errors.Is(err, ErrNobody) {
		t.Errorf("%v", err)
	}
	if err := Receive(t.Context(), folder, seen, show); err != nil || !slices.Equal(shown, []string{"one", "two", "three"}) {
		t.Errorf("what was not shown comes again: %v, %v", shown, err)
	}
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Receive(t.Context(), folder, seen, show); err == nil {
		t.Error("a folder that everybody can write to was taken")
	}
	if err := Receive(t.Context(), filepath.Join(folder, "none"), seen, show); err != nil {
		t.Errorf("a machine without a spool: %v", err)
	}
}

func TestOwnerOf(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "Zoom.exe")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	me := uint32(os.Getuid())
	if os.Getuid() == 0 {
		me = 54321
		if err := os.Chown(dir, int(me), -1); err != nil {
			t.Fatal(err)
		}
	}
	if got := OwnerOf(file); got != personOf(me) {
		t.Errorf("a file of the system in a person's folder: %q", got)
	}
	if got := OwnerOf(filepath.Join(dir, "gone", "Zoom.exe")); got != personOf(me) {
		t.Errorf("a file that is gone: %q", got)
	}
	if got := OwnerOf("/usr/bin/env"); got != "" {
		t.Errorf("a file of the system: %q", got)
	}
	if got := OwnerOf("C:\\Users\\ana\\Zoom.exe"); got != "" {
		t.Errorf("a path of another system: %q", got)
	}
	for account, want := range map[string]Person{"1000": "1000", "54321": "54321", "0": "", "root": "", "999": "", "65534": "", "nobody": "", "": "", "no such account": "", "-1": ""} {
		if got := Named(account); got != want {
			t.Errorf("%q: %q, want %q", account, got, want)
		}
	}
}
