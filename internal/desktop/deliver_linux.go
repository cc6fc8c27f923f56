package desktop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// The folders of the system: one for each user who is logged in, with the socket
// of the session bus in it (XDG Base Directory Specification; the place is
// systemd's), and the spool, which the unit of the service makes and from which
// sessions take their letters.
const (
	runtimeFolder = "/run/user"
	spoolFolder   = "/run/meetguard/notices"
)

// deliver has a process that has become the person show the letter. What cannot
// be shown so, because the service may not become others or nobody is there yet,
// goes into the spool, if sessions take letters from one.
func (c *Courier) deliver(ctx context.Context, to Person, l Letter) error {
	uid, err := strconv.ParseUint(string(to), 10, 32)
	if err != nil {
		return fmt.Errorf("deliver a notice: %q is no user id", to)
	}
	if len(c.Helper) == 0 {
		return ErrNobody
	}
	err = c.help(ctx, uint32(uid), l)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, ErrNobody) {
		return c.spool(uint32(uid), l)
	}
	return err
}

// help runs the helper as the user, and waits for its end. It gets nothing but
// the letter: no environment, no groups, no files.
func (c *Courier) help(ctx context.Context, uid uint32, l Letter) error {
	folder := c.Runtime
	if folder == "" {
		folder = runtimeFolder
	}
	bus := filepath.Join(folder, strconv.FormatUint(uint64(uid), 10), "bus")
	st, err := os.Stat(bus)
	if errors.Is(err, os.ErrNotExist) {
		return ErrNobody
	}
	if err == nil && st.Mode()&os.ModeSocket == 0 {
		return fmt.Errorf("deliver a notice: %s is no socket", bus)
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c.Helper[0], append(c.Helper[1:len(c.Helper):len(c.Helper)], "--bus", bus)...)
	cmd.Dir, cmd.Env, cmd.Stdin = "/", []string{}, bytes.NewReader(text)
	var said bytes.Buffer
	cmd.Stderr = &limited{buf: &said, left: 1024}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() != int(uid) {
		// no group of theirs either: the bus asks for the user alone
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: nobody}
	}
	cmd.WaitDelay = deliveryTime
	return outcome(ctx, cmd.Run(), said.String())
}

// outcome reads how the helper ended: 1 is its word for nobody.
func outcome(ctx context.Context, err error, said string) error {
	var ended *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("deliver a notice: the desktop did not answer: %w", ctx.Err())
	case errors.As(err, &ended) && ended.ExitCode() == ExitNobody:
		return ErrNobody
	case errors.As(err, &ended):
		return fmt.Errorf("deliver a notice: %s", plain(strings.TrimSpace(said)))
	}
	return fmt.Errorf("deliver a notice: %w", err)
}

// limited keeps the beginning of what is written to it.
type limited struct {
	buf  *bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.buf.Write(p[:n])
	l.left -= n
	return len(p), nil
}
