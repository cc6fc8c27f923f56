//go:build unix

package config

import (
	"path/filepath"
	"strings"
	"testing"

	"meetguard"
)

func TestFriendsByFolderNeedAGuardedOne(t *testing.T) {
	open := t.TempDir() // below a folder where everybody may write
	c := Config{Friends: []meetguard.Friend{{Name: "system", Folder: "/usr/lib"}, {Name: "open", Folder: filepath.Join(open, "x")}, {Name: "below open", Folder: open}, {Name: "team", TeamID: "ACME123456"}}}
	good, err := c.GuardedFriends()
	if len(good) != 2 || good[0].Name != "system" || good[1].Name != "team" {
		t.Errorf("good: %+v", good)
	}
	if err == nil || !strings.Contains(err.Error(), `"open": does not count`) || !strings.Contains(err.Error(), `"below open": does not count`) {
		t.Errorf("%v", err)
	}
}
