package watch

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	firstUser   = 1000    // UID_MIN of login.defs: lower ones are the system's
	nobody      = 65534   // the overflow user owns nothing
	settingMost = 1 << 20 // bytes read of a settings file
)

// downloadFolders are those of every person in /etc/passwd, and of whoever
// runs this.
func downloadFolders() []string {
	var dirs []string
	for _, home := range homeDirs() {
		dirs = append(dirs, homeFolders(home)...)
	}
	return dirs
}

func homeDirs() []string { return homes("/etc/passwd") }

// homes reads the homes of persons from a passwd file, and adds the own one.
func homes(passwd string) []string {
	var found []string
	if f, err := os.Open(passwd); err == nil {
		defer f.Close()
		found = passwdHomes(f)
	}
	if own, err := os.UserHomeDir(); err == nil && filepath.IsAbs(own) {
		found = append(found, own)
	}
	return found
}

// passwdHomes reads passwd(5): name:password:uid:gid:comment:home:shell.
func passwdHomes(r io.Reader) []string {
	var found []string
	lines := bufio.NewScanner(io.LimitReader(r, 16*settingMost))
	for lines.Scan() {
		f := strings.Split(lines.Text(), ":")
		if len(f) < 7 || !filepath.IsAbs(f[5]) || f[5] == "/" {
			continue
		}
		if uid, err := strconv.Atoi(f[2]); err == nil && uid >= firstUser && uid != nobody {
			found = append(found, f[5])
		}
	}
	return found
}

// homeFolders are the folders that user-dirs.dirs names, and the usual ones.
// The file belongs to the user, so it is opened like a hostile one.
func homeFolders(home string) []string {
	dirs := usualFolders(home)
	f, err := openSettings(filepath.Join(home, ".config", "user-dirs.dirs"))
	if err != nil {
		return dirs
	}
	defer f.Close()
	return append(dirs, userDirs(home, io.LimitReader(f, settingMost))...)
}

// userDirs reads the format of xdg-user-dirs: XDG_DOWNLOAD_DIR="$HOME/path" or
// an absolute path. Home itself means that there is no such folder.
func userDirs(home string, r io.Reader) []string {
	var dirs []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		if name != "XDG_DOWNLOAD_DIR" && name != "XDG_DESKTOP_DIR" {
			continue
		}
		dir := strings.Trim(value, `"`)
		if rest, ok := strings.CutPrefix(dir, "$HOME"); ok {
			dir = home + "/" + rest
		}
		if dir = filepath.Clean(dir); filepath.IsAbs(dir) && dir != filepath.Clean(home) && within(home, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// openSettings opens a regular file that a user may have replaced by anything.
func openSettings(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
		f.Close()
		return nil, os.ErrInvalid
	}
	return f, nil
}
