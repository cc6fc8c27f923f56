package desktop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// sendMessage is WTSSendMessageW: a message box in another session, without a
// process of ours there.
var sendMessage = windows.NewLazySystemDLL("wtsapi32.dll").NewProc("WTSSendMessageW")

// messageTime is how long a notice that is not urgent stays, in seconds.
const messageTime = 300

// OwnerOf is the person whom a file belongs to: its owner or, if that is the
// system or the administrators, the owner of the nearest folder above it that is
// a person's. It is "" if there is none.
func OwnerOf(path string) Person {
	for {
		sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
		if err == nil {
			if sid, _, err := sd.Owner(); err == nil && isPerson(sid.String()) {
				return Person(sid.String())
			}
		}
		above := filepath.Dir(path)
		if above == path {
			return ""
		}
		path = above
	}
}

// Named is the person of an account's name, as DOMAIN\name, or of its SID.
func Named(account string) Person {
	if isPerson(account) {
		return Person(account)
	}
	sid, _, _, err := windows.LookupSID("", account)
	if account == "" || err != nil || !isPerson(sid.String()) {
		return ""
	}
	return Person(sid.String())
}

// isPerson knows the SIDs of people: local and domain accounts, and those of
// Entra.
func isPerson(sid string) bool {
	return strings.HasPrefix(sid, "S-1-5-21-") || strings.HasPrefix(sid, "S-1-12-1-")
}

// deliver sends a message to every session of the person.
func (c *Courier) deliver(_ context.Context, to Person, l Letter) error {
	var all []error
	sent := false
	for _, s := range sessions() {
		if s.person == to {
			err := message(s.id, l.For(localesFor(to)), l.Urgent)
			sent, all = sent || err == nil, append(all, err)
		}
	}
	if sent {
		return nil
	}
	if err := errors.Join(all...); err != nil {
		return err
	}
	return ErrNobody
}

func (c *Courier) active(context.Context) []Person {
	var found []Person
	for _, s := range sessions() {
		if s.active {
			found = append(found, s.person)
		}
	}
	return found
}

// seat is a session with the person in it.
type seat struct {
	id     uint32
	person Person
	active bool
}

// sessions lists the sessions of people. Who is in another session only the
// system may ask; a process of a user knows its own.
func sessions() []seat {
	var first *windows.WTS_SESSION_INFO
	var count uint32
	if err := windows.WTSEnumerateSessions(0, 0, 1, &first, &count); err != nil {
		return own()
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(first)))
	var found []seat
	for _, s := range unsafe.Slice(first, count) {
		var token windows.Token
		if s.State != windows.WTSActive && s.State != windows.WTSDisconnected || windows.WTSQueryUserToken(s.SessionID, &token) != nil {
			continue
		}
		if p := personOf(token); p != "" {
			found = append(found, seat{s.SessionID, p, s.State == windows.WTSActive})
		}
		token.Close()
	}
	if len(found) == 0 {
		return own()
	}
	return found
}

func own() []seat {
	var id uint32
	p := personOf(windows.GetCurrentProcessToken())
	if p == "" || windows.ProcessIdToSessionId(uint32(os.Getpid()), &id) != nil {
		return nil
	}
	return []seat{{id, p, true}}
}

func personOf(token windows.Token) Person {
	u, err := token.GetTokenUser()
	if err != nil || !isPerson(u.User.Sid.String()) {
		return ""
	}
	return Person(u.User.Sid.String())
}

// message shows a box with one button and no sign that has a sound, and does not
// wait for anybody to close it.
func message(session uint32, t Text, urgent bool) error {
	title, err := windows.UTF16FromString(t.Title)
	if err != nil {
		return err
	}
	body, err := windows.UTF16FromString(strings.ReplaceAll(t.Body, "\n", "\r\n\r\n"))
	if err != nil {
		return err
	}
	timeout := messageTime
	if urgent {
		timeout = 0 // until it is closed
	}
	var answer uint32
	const bytesOf = 2 // of a UTF-16 unit; the lengths are in bytes, without the end
	ok, _, err := sendMessage.Call(0, uintptr(session), uintptr(unsafe.Pointer(&title[0])), uintptr((len(title)-1)*bytesOf),
		uintptr(unsafe.Pointer(&body[0])), uintptr((len(body)-1)*bytesOf), windows.MB_OK, uintptr(timeout), uintptr(unsafe.Pointer(&answer)), 0)
	if ok == 0 {
		return fmt.Errorf("show a notice in session %d: %w", session, err)
	}
	return nil
}

func show(_ context.Context, _ Surroundings, l Letter) error {
	for _, s := range own() {
		return message(s.id, l.For(localesFor(s.person)), l.Urgent)
	}
	return ErrNobody
}

// receive has nothing to do: messages come to a session from outside.
func receive(context.Context, string, string, func(context.Context, Letter) error) error {
	return errors.New("read notices: on Windows the service shows them by itself")
}

// localesFor are those of a person's settings, best first: the languages of the
// desktop, and the region.
func localesFor(p Person) []string {
	var found []string
	if k, err := registry.OpenKey(registry.USERS, string(p)+`\Control Panel\Desktop`, registry.QUERY_VALUE); err == nil {
		found, _, _ = k.GetStringsValue("PreferredUILanguages")
		k.Close()
	}
	if k, err := registry.OpenKey(registry.USERS, string(p)+`\Control Panel\International`, registry.QUERY_VALUE); err == nil {
		if region, _, err := k.GetStringValue("LocaleName"); err == nil {
			found = append(found, region)
		}
		k.Close()
	}
	return found
}
