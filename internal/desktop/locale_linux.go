package desktop

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"

	"github.com/godbus/dbus/v5"
)

// locales are those of the calling user, best first: what the session manager of
// the session bus has in its environment, what AccountsService keeps for the
// user, and what the machine is set to.
func (s Surroundings) locales(ctx context.Context, session *dbus.Conn) []string {
	found := localesOf(managerEnvironment(ctx, session))
	found = append(found, accountLanguages(ctx, s.System)...)
	for _, path := range s.Locales {
		found = append(found, localesOf(linesOf(path))...)
	}
	return found
}

// managerEnvironment asks systemd's manager of the user, into which desktops put
// the variables of their session. It is not started for that.
func managerEnvironment(ctx context.Context, session *dbus.Conn) []string {
	var env dbus.Variant
	manager := session.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
	err := manager.CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", dbus.FlagNoAutoStart, "org.freedesktop.systemd1.Manager", "Environment").Store(&env)
	lines, ok := env.Value().([]string)
	if err != nil || !ok {
		return nil
	}
	return lines
}

// accountLanguages asks AccountsService, where display managers note what a user
// chose at the login.
func accountLanguages(ctx context.Context, socket string) []string {
	system, err := connect(ctx, socket)
	if err != nil {
		return nil
	}
	defer system.Close()
	const service = "org.freedesktop.Accounts"
	var user dbus.ObjectPath
	err = system.Object(service, "/org/freedesktop/Accounts").CallWithContext(ctx, service+".FindUserById", 0, int64(os.Getuid())).Store(&user)
	if err != nil {
		return nil
	}
	var lang dbus.Variant
	err = system.Object(service, user).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, service+".User", "Language").Store(&lang)
	text, ok := lang.Value().(string)
	if err != nil || !ok {
		return nil
	}
	return strings.FieldsFunc(text, func(r rune) bool { return r == ':' })
}

// linesOf reads a small file of assignments.
func linesOf(path string) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 16<<10))
	if err != nil {
		return nil
	}
	var lines []string
	for line := range bytes.Lines(data) {
		lines = append(lines, strings.TrimSpace(string(line)))
	}
	return lines
}

// active asks logind for the users of the sessions that somebody sits at.
func (c *Courier) active(ctx context.Context) []Person {
	system, err := connect(ctx, Surroundings{}.usual().System)
	if err != nil {
		return nil
	}
	defer system.Close()
	return activeOn(ctx, system)
}

// activeOn lists the users of active graphical sessions (org.freedesktop.login1).
func activeOn(ctx context.Context, system *dbus.Conn) []Person {
	var sessions []struct { // a(susso)
		ID   string
		UID  uint32
		User string
		Seat string
		Path dbus.ObjectPath
	}
	const service = "org.freedesktop.login1"
	err := system.Object(service, "/org/freedesktop/login1").CallWithContext(ctx, service+".Manager.ListSessions", 0).Store(&sessions)
	if err != nil {
		return nil
	}
	var found []Person
	seen := map[uint32]bool{}
	for _, s := range sessions {
		var p map[string]dbus.Variant
		err := system.Object(service, s.Path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.GetAll", 0, service+".Session").Store(&p)
		if err != nil || seen[s.UID] || !isPerson(s.UID) || !graphical(p) {
			continue
		}
		seen[s.UID] = true
		found = append(found, personOf(s.UID))
	}
	return found
}

func graphical(p map[string]dbus.Variant) bool {
	active, _ := p["Active"].Value().(bool)
	class, _ := p["Class"].Value().(string)
	kind, _ := p["Type"].Value().(string)
	return active && class == "user" && (kind == "x11" || kind == "wayland" || kind == "mir")
}
