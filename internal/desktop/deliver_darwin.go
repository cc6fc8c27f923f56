package desktop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"howett.net/plist"
)

// spoolFolder is where the LaunchAgent takes its letters from. It belongs to root. It is not in the state folder, which users cannot
// look into.
const spoolFolder = "/Library/Application Support/MeetGuard Notices"

// deliver puts the letter into the spool, which the LaunchAgent of the user
// watches. An agent that runs as the user shows it by itself.
func (c *Courier) deliver(ctx context.Context, to Person, l Letter) error {
	uid, err := strconv.ParseUint(string(to), 10, 32)
	if err != nil {
		return fmt.Errorf("deliver a notice: %q is no user id", to)
	}
	if os.Geteuid() == int(uid) {
		return show(ctx, Surroundings{}, l)
	}
	return c.spool(uint32(uid), l)
}

// active is whoever the console belongs to.
func (c *Courier) active(context.Context) []Person {
	fi, err := os.Stat("/dev/console")
	if err != nil {
		return nil
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok && isPerson(st.Uid) {
		return []Person{personOf(st.Uid)}
	}
	return nil
}

// showScript shows what it is given. The text is never part of a script.
const showScript = `on run argv
display notification (item 2 of argv) with title (item 1 of argv)
end run`

// show has the system's own interpreter show it: a notification needs a program
// with a bundle.
func show(ctx context.Context, _ Surroundings, l Letter) error {
	t := l.For(appleLanguages())
	cmd := exec.CommandContext(ctx, "/usr/bin/osascript", "-e", showScript, "--", t.Title, t.Body)
	cmd.Env = []string{}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("show a notice: %w: %.200s", err, plain(string(out)))
	}
	return nil
}

// appleLanguages are those of the user's settings, best first.
func appleLanguages() []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(home, "Library", "Preferences", ".GlobalPreferences.plist"))
	if err != nil {
		return nil
	}
	var settings struct {
		AppleLanguages []string
	}
	if _, err := plist.Unmarshal(data, &settings); err != nil {
		return nil
	}
	return settings.AppleLanguages
}
