package config

import (
	"errors"
	"fmt"

	"meetguard"
)

// GuardedFriends returns the friends that may count on this machine, and one
// error for each that may not: a friend by folder needs a folder that exists
// and where only administrators can write, or anybody could put a lure there.
// What lies below that folder is the operator's to keep in order.
func (c Config) GuardedFriends() ([]meetguard.Friend, error) {
	var good []meetguard.Friend
	var all []error
	for i, f := range c.Friends {
		if f.Folder != "" {
			if err := guarded(f.Folder); err != nil {
				all = append(all, fmt.Errorf("friends: %s: does not count: %w", entry(i, f), err))
				continue
			}
		}
		good = append(good, f)
	}
	return good, errors.Join(all...)
}

// Guarded says whether nobody but administrators can write to a file or folder
// and to every folder above it. The error names one where others can.
func Guarded(path string) error { return guarded(path) }
