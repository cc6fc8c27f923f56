// Package desktop tells the person at the keyboard, once for each finding, in
// their own language, on the desktop that owns the file.
//
// A Finding is what has to be said. Writer makes a Letter of it: the same few
// sentences in every language that may be needed, because only the side that
// shows them knows the language of its user. Diary decides whether they are said
// at all. Courier brings a letter to the desktop of one Person, in the way of the
// system:
//
//   - Linux: to org.freedesktop.Notifications on the user's session bus, by a
//     short-lived process of this same program that has become that user (Show);
//     if the service may not become others, through the Spool, from which the
//     user's own session takes it;
//   - macOS: through the Spool, from which a LaunchAgent takes it;
//   - Windows: as a message to the user's session.
//
// No text is ever part of a command: it travels on standard input, in a file, or
// as an argument that is data.
package desktop

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Person is an account of the system: a decimal user id on Unix, a SID on
// Windows.
type Person string

// ErrNobody says that a person has no desktop to show anything on.
var ErrNobody = errors.New("no desktop of theirs is open")

// ExitNobody is the exit code of a helper for ErrNobody.
const ExitNobody = 1

// MaxLetter bounds a letter on its way, in bytes.
const MaxLetter = 64 << 10

// deliveryTime bounds one delivery. The desktop of a user may be stuck, or
// stalled on purpose.
const deliveryTime = 10 * time.Second

// Courier brings letters to desktops. Its zero value needs Helper on Linux;
// the folders are those of the system if they are "".
type Courier struct {
	Helper  []string // argv of the process that calls Show
	Runtime string   // folder of the users' runtime folders, /run/user
	Spool   string   // folder from which sessions take their letters
	Log     *slog.Logger
}

// Deliver shows a letter on the desktop of one person. It takes at most ten
// seconds. ErrNobody says that there is no desktop. A letter in the spool counts
// as delivered: it waits for the session for a day.
func (c *Courier) Deliver(ctx context.Context, to Person, l Letter) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	return c.deliver(ctx, to, l)
}

// Active lists the persons who sit at a desktop now, for what belongs to nobody.
func (c *Courier) Active(ctx context.Context) []Person {
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	return c.active(ctx)
}

// Surroundings say where the session of the calling user is, on Linux. What is ""
// is in its usual place.
type Surroundings struct {
	Bus     string   // socket of the session bus
	System  string   // socket of the system bus
	Locales []string // files with the locale of the machine
}

// Show shows a letter on the desktop of the calling user, in their language. The
// error is ErrNobody if there is nothing to show it on.
func Show(ctx context.Context, s Surroundings, l Letter) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	return show(ctx, s, l)
}

// Receive shows the letters of the calling user that lie in a spool and were not
// shown yet, oldest first; "" is the spool of the system. seen is the file that
// remembers the last one. A folder that the user or everybody can write to is no
// spool.
func Receive(ctx context.Context, folder, seen string, show func(context.Context, Letter) error) error {
	return receive(ctx, folder, seen, show)
}
