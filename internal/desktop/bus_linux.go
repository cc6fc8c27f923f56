package desktop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"
)

// The names of the Desktop Notifications Specification 1.2.
const (
	notifications     = "org.freedesktop.Notifications"
	notificationsPath = "/org/freedesktop/Notifications"
)

// The urgencies of the specification. What is critical stays until it is closed.
const (
	urgencyNormal   = byte(1)
	urgencyCritical = byte(2)
)

// shownFor is how long a notice that is not urgent stays, in milliseconds: time
// to read it twice.
const shownFor = int32(60_000)

// usual completes the places for the calling user.
func (s Surroundings) usual() Surroundings {
	if s.Bus == "" {
		s.Bus = runtimeFolder + "/" + strconv.Itoa(os.Getuid()) + "/bus"
	}
	if s.System == "" {
		s.System = "/run/dbus/system_bus_socket"
	}
	if s.Locales == nil {
		s.Locales = []string{"/etc/locale.conf", "/etc/default/locale"}
	}
	return s
}

// show speaks to the notification server on the session bus. It refuses to speak to a user's bus with any right of the system: a bus is the
// user's own program, and may answer what it likes.
func show(ctx context.Context, s Surroundings, l Letter) error {
	if err := unprivileged(); err != nil {
		return err
	}
	s = s.usual()
	bus, err := connect(ctx, s.Bus)
	if err != nil {
		return err
	}
	defer bus.Close()
	return notify(ctx, bus, l, s.locales(ctx, bus))
}

// unprivileged fails for root, and for whoever holds a capability.
func unprivileged() error {
	if os.Geteuid() == 0 {
		return errors.New("show a notice: run it as the person at the desktop, not as root")
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return fmt.Errorf("show a notice: %w", err)
	}
	for line := range bytes.Lines(status) {
		if set, ok := bytes.CutPrefix(line, []byte("CapPrm:")); ok && strings.Trim(string(set), " \t\n0") != "" {
			return errors.New("show a notice: this process holds rights of the system")
		}
	}
	return nil
}

// connect opens a bus as the calling user. The socket is closed when ctx ends.
func connect(ctx context.Context, socket string) (*dbus.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNobody, err)
	}
	if until, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(until)
	}
	bus, err := dbus.ConnectUnix(c.(*net.UnixConn), dbus.WithContext(ctx), dbus.WithAuth(dbus.AuthExternal(strconv.Itoa(os.Geteuid()))))
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("open the bus: %w", err)
	}
	return bus, nil
}

// notify calls the notification server, and waits for its answer.
func notify(ctx context.Context, bus *dbus.Conn, l Letter, locales []string) error {
	server := bus.Object(notifications, notificationsPath)
	var can []string
	if err := server.CallWithContext(ctx, notifications+".GetCapabilities", 0).Store(&can); err != nil {
		return fmt.Errorf("%w: %w", ErrNobody, err)
	}
	text := l.For(locales)
	body := text.Body
	for _, c := range can {
		if c == "body-markup" {
			body = markup.Replace(body)
		}
	}
	hints := map[string]dbus.Variant{"urgency": dbus.MakeVariant(urgencyNormal), "suppress-sound": dbus.MakeVariant(true)}
	timeout := shownFor
	if l.Urgent {
		hints["urgency"], timeout = dbus.MakeVariant(urgencyCritical), 0
	}
	var id uint32
	err := server.CallWithContext(ctx, notifications+".Notify", 0,
		"meetguard", uint32(0), "dialog-warning", text.Title, body, []string{}, hints, timeout).Store(&id)
	if err != nil {
		return fmt.Errorf("show a notice: %w", err)
	}
	return nil
}
