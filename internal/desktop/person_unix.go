//go:build unix

package desktop

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// OwnerOf is the person whom a file belongs to: its owner or, if that is the
// system, the owner of the nearest folder above it that is a person's. It is ""
// if there is none.
func OwnerOf(path string) Person {
	if !filepath.IsAbs(path) {
		return ""
	}
	for {
		if fi, err := os.Lstat(path); err == nil {
			if st, ok := fi.Sys().(*syscall.Stat_t); ok && isPerson(st.Uid) {
				return personOf(st.Uid)
			}
		}
		above := filepath.Dir(path)
		if above == path {
			return ""
		}
		path = above
	}
}

// Named is the person of an account's name or number, "" if it is an account of
// the system or none.
func Named(account string) Person {
	if _, err := strconv.ParseUint(account, 10, 32); err != nil {
		u, err := user.Lookup(account)
		if err != nil {
			return ""
		}
		account = u.Uid
	}
	uid, err := strconv.ParseUint(account, 10, 32)
	if err != nil || !isPerson(uint32(uid)) {
		return ""
	}
	return personOf(uint32(uid))
}

func isPerson(uid uint32) bool { return uid >= firstPerson && uid != nobody }

func personOf(uid uint32) Person { return Person(strconv.FormatUint(uint64(uid), 10)) }

// nobody is the user, and the group, of what a system has no owner for.
const nobody = 65534
