package owner

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"meetguard"
)

// plainName is what flatpak, snap and Homebrew call packages. Elements of a
// path that look otherwise are none of theirs.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]*$`)

// flatpak: /var/lib/flatpak/app/ID/ARCH/BRANCH/COMMIT/files/…, with a file
// "deploy" beside files; the same below a user's ~/.local/share/flatpak.
func (o *Owner) flatpak(name string) (*meetguard.Package, error) {
	top, rest, ok := strings.Cut(name, "/flatpak/")
	if !ok || top != "/var/lib" && !strings.HasSuffix(top, "/.local/share") {
		return nil, nil
	}
	parts := strings.Split(rest, "/")
	if len(parts) < 5 || parts[0] != "app" && parts[0] != "runtime" || !plainName.MatchString(parts[1]) {
		return nil, nil
	}
	for n := 4; n <= 5 && n < len(parts); n++ { // "current/active" stands for three elements
		dir := o.at(top + "/flatpak/" + strings.Join(parts[:n], "/"))
		if exists(filepath.Join(dir, "deploy")) {
			return &meetguard.Package{Manager: "flatpak", Name: parts[1], Loose: loose(dir)}, nil
		}
	}
	return nil, nil
}

// snap: /snap/NAME/REVISION/…, mounted from /var/lib/snapd/snaps.
func (o *Owner) snap(name string) (*meetguard.Package, error) {
	for _, mounts := range []string{"/snap", "/var/lib/snapd/snap"} {
		parts := below(mounts, name)
		if len(parts) < 3 || !plainName.MatchString(parts[0]) {
			continue
		}
		revision := parts[1]
		if revision == "current" {
			to, err := os.Readlink(o.at(mounts + "/" + parts[0] + "/current"))
			if err != nil {
				continue
			}
			revision = filepath.Base(to)
		}
		image := o.at("/var/lib/snapd/snaps/" + parts[0] + "_" + revision + ".snap")
		if plainName.MatchString(revision) && exists(image) {
			return &meetguard.Package{Manager: "snap", Name: parts[0], Loose: loose(image)}, nil
		}
	}
	return nil, nil
}

// brewPrefixes are where Homebrew installs on Apple silicon, Intel and Linux.
var brewPrefixes = []string{"/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew"}

// homebrew: formulae lie in Cellar/NAME/VERSION with a receipt, casks in
// Caskroom/NAME/VERSION. An app that a cask installed was moved to a folder of
// applications, and a link to it left in the Caskroom.
func (o *Owner) homebrew(name string) (*meetguard.Package, error) {
	for _, prefix := range brewPrefixes {
		if parts := below(prefix+"/Cellar", name); len(parts) > 2 && plainName.MatchString(parts[0]) {
			dir := o.at(prefix + "/Cellar/" + parts[0] + "/" + parts[1])
			if isReceipt(filepath.Join(dir, "INSTALL_RECEIPT.json")) {
				return &meetguard.Package{Manager: "brew", Name: parts[0], Loose: loose(dir)}, nil
			}
		}
		if parts := below(prefix+"/Caskroom", name); len(parts) > 2 && plainName.MatchString(parts[0]) {
			dir := o.at(prefix + "/Caskroom/" + parts[0])
			if exists(filepath.Join(dir, ".metadata")) {
				return &meetguard.Package{Manager: "brew", Name: parts[0], Loose: loose(dir)}, nil
			}
		}
		if p := o.cask(prefix+"/Caskroom", appOf(name)); p != nil {
			return p, nil
		}
	}
	return nil, nil
}

// isReceipt says whether a receipt is one: JSON that names Homebrew's version.
func isReceipt(file string) bool {
	fi, err := os.Stat(file)
	if err != nil || fi.Size() > 4<<20 {
		return false
	}
	data, err := os.ReadFile(file)
	var r struct {
		Version string `json:"homebrew_version"`
	}
	return err == nil && json.Unmarshal(data, &r) == nil && r.Version != ""
}

// appOf is the outermost application bundle of a path, "" if there is none.
func appOf(name string) string {
	if i := strings.Index(strings.ToLower(name)+"/", ".app/"); i > 0 {
		return name[:i+len(".app")]
	}
	return ""
}

// maxCasks bounds how many casks are looked through.
const maxCasks = 5000

// cask finds the cask that installed an application.
func (o *Owner) cask(room, app string) *meetguard.Package {
	casks, err := os.ReadDir(o.at(room))
	if app == "" || err != nil || len(casks) > maxCasks {
		return nil
	}
	for _, c := range casks {
		versions, _ := os.ReadDir(o.at(room + "/" + c.Name()))
		for _, v := range versions[:min(len(versions), 16)] {
			dir := o.at(room + "/" + c.Name() + "/" + v.Name())
			if to, err := os.Readlink(filepath.Join(dir, filepath.Base(app))); err == nil && to == app {
				return &meetguard.Package{Manager: "brew", Name: c.Name(), Loose: loose(dir)}
			}
		}
	}
	return nil
}

// Receipt gives the package of macOS' installer with an identifier, nil if
// there is no receipt of it. That such a package was once installed says
// nothing of any file: an identifier is what a file says of itself.
func (o *Owner) Receipt(id string) *meetguard.Package {
	if !plainName.MatchString(id) || !exists(o.at("/var/db/receipts/"+id+".bom")) {
		return nil
	}
	return &meetguard.Package{Manager: "pkg", Name: id}
}
