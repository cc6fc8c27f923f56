// Package unpack reads containers: archives, disk images, packages and
// installers. It lists what is inside and streams each member; it writes
// nothing to disk, follows no link, and judges nothing.
//
// Every reader takes hostile bytes. One Budget bounds all layers of one unit:
// entries, unpacked bytes, the ratio of unpacked to packed bytes, and time.
package unpack

import (
	"errors"
	"fmt"
	"io"

	"meetguard"
)

// Roles of members: what the container itself does with them.
const (
	RoleScript = "install script"       // run by the installer: maintainer script, pre- or postinstall
	RoleAction = "custom action"        // run by Windows Installer
	RoleStream = "decompressed stream"  // the content of a file system that cannot be read, as one stream
	RoleAttach = "attachment"           // of a mail
	RoleLaunch = "started by the stub"  // what a self-extractor starts
	RoleFolder = "folder"               // an empty content; the name alone is a fact
	RoleLink   = "link"                 // symbolic or hard; Open gives its target as text
	RoleHidden = "behind the program"   // data behind the end of a program that is a container itself
	RoleNeeded = "needed for unpacking" // a part without meaning for people, such as a nested payload
)

// Member is one entry of a container.
type Member struct {
	Name     string // as stored, with slashes, in UTF-8; it may hold anything and is never used as a path
	Size     int64  // bytes, as the container says; -1 if it does not
	Role     string // one of the Role constants, or "" for an ordinary file
	Locked   bool   // encrypted, and none of the passwords fits
	Password string // the password of Options.Passwords that opened it
	// Open streams the content. It may be called once, before Visit returns,
	// and its reader is not valid after that.
	Open func() (io.Reader, error)
	// Head gives the first bytes (at most 4 KiB) cheaply. It is nil if that
	// costs as much as Open.
	Head func() []byte
}

// Visit is called for each member, in the order of the container. An error ends
// the walk and is returned as it is.
type Visit func(Member) error

// Options are what a reader may use besides the bytes.
type Options struct {
	Budget    *Budget
	Passwords []string // known ones, best first; nothing is guessed
}

// ErrUnsupported says that a container, or a part of it, is of a kind that
// cannot be read. What was visited until then is valid.
var ErrUnsupported = errors.New("this kind of container cannot be read")

// ErrPartial says that what can be known was visited, and that further content
// is packed in a way that is not read. Unlike with ErrUnsupported, what the
// container is and who made it can still be judged.
var ErrPartial = errors.New("not everything in it can be read")

// ErrLocked says that the list of members itself is encrypted.
var ErrLocked = errors.New("the container is encrypted")

// Walk visits what a container of the format holds. The error says why not
// everything was visited; what a caller gets from a Member it has to check
// itself. The bytes are only read, and may not change meanwhile.
func Walk(format meetguard.Format, data []byte, opt Options, visit Visit) error {
	walk := walkers[format]
	if walk == nil {
		return fmt.Errorf("%s: %w", format, ErrUnsupported)
	}
	return walk(data, opt, visit)
}

// CanWalk tells if there is a reader for the format.
func CanWalk(format meetguard.Format) bool { return walkers[format] != nil }

type walker func(data []byte, opt Options, visit Visit) error

var walkers = map[meetguard.Format]walker{
	meetguard.Format7z:  walk7z,
	meetguard.FormatRar: walkRar,
	meetguard.FormatISO: walkISO,
	meetguard.FormatCab: walkCab,
	meetguard.FormatDMG: walkDMG,
	meetguard.FormatPKG: walkPKG,
	meetguard.FormatRPM: walkRPM,
	meetguard.FormatMSI: walkMSI,
	meetguard.FormatPE:  walkPE,
}
