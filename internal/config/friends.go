package config

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"meetguard"
)

// The friends of a configuration name who may carry a brand's name without
// being the brand:
//
//	friends:
//	  - name: IT packaging
//	    certificate: {issuer: Acme Issuing CA 2, serial: "0a:1b:2c"}
//	    # or one of these instead:
//	    # team_id: ACME123456
//	    # sha256: 9f86d081…
//	    # folder: /srv/packages
//	    brands: [zoom]
//	    why: we repackage Zoom's MSI with our settings
//	    who: jane@acme.example
//	    expires: 2027-06-30
//
// certificate and team_id count only on a valid signature; for an in-house
// authority add its certificate to the anchors. They and folder allow a brand's
// name and nothing else; sha256 allows everything of exactly one file. brands
// may be left out, for every brand. name, why, who and expires are required, so
// that whoever finds an entry later knows whether it is still needed; an entry
// counts to the end of its last day, in UTC, and then says that it stopped.

var (
	hexDigits = regexp.MustCompile(`^[0-9a-f]+$`)
	sha256Hex = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	teamID    = regexp.MustCompile(`^[A-Z0-9]{10}$`)
	drivePath = regexp.MustCompile(`^[A-Za-z]:[\\/]`)
)

// checkFriends returns every problem of the entries, one error each.
func checkFriends(friends []meetguard.Friend) []error {
	var all []error
	seen := map[string]bool{}
	for i, f := range friends {
		problems := checkFriend(f)
		if f.Name != "" && seen[f.Name] {
			problems = append(problems, errors.New("name: another entry is called so"))
		}
		seen[f.Name] = true
		for _, p := range problems {
			all = append(all, fmt.Errorf("friends: %s: %w", entry(i, f), p))
		}
	}
	return all
}

// entry names an entry for a message.
func entry(i int, f meetguard.Friend) string {
	if f.Name == "" {
		return fmt.Sprintf("entry %d", i+1)
	}
	return fmt.Sprintf("%q", f.Name)
}

func checkFriend(f meetguard.Friend) []error {
	var all []error
	for _, field := range []struct{ key, value string }{{"name", f.Name}, {"why", f.Why}, {"who", f.Who}} {
		if err := checkText(field.value); err != nil {
			all = append(all, fmt.Errorf("%s: %w", field.key, err))
		}
	}
	if _, err := time.Parse(time.DateOnly, f.Expires); err != nil {
		all = append(all, fmt.Errorf("expires: %q is not a date like 2027-06-30", f.Expires))
	}
	return append(all, checkProof(f)...)
}

// checkText: these texts are shown in verdicts and logs, on one line.
func checkText(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("it is required")
	case len(s) > 200:
		return fmt.Errorf("it has %d bytes, more than 200", len(s))
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("it holds a character that cannot be shown")
	}
	return nil
}

// checkProof holds an entry to exactly one way of knowing its files.
func checkProof(f meetguard.Friend) []error {
	var all []error
	ways := 0
	way := func(set bool, check func() error) {
		if !set {
			return
		}
		ways++
		if err := check(); err != nil {
			all = append(all, err)
		}
	}
	way(f.Certificate != nil, func() error { return checkCertificate(*f.Certificate) })
	way(f.TeamID != "", func() error {
		return unless(teamID.MatchString(f.TeamID), "team_id: %q is not ten capitals and digits", f.TeamID)
	})
	way(f.SHA256 != "", func() error { return checkHash(f) })
	way(f.Folder != "", func() error {
		return unless(isFolder(f.Folder), "folder: %q is not an absolute path below the root, without . and ..", f.Folder)
	})
	if ways != 1 {
		all = append(all, fmt.Errorf("it needs exactly one of certificate, team_id, sha256 and folder, and has %d", ways))
	}
	return all
}

func unless(good bool, format string, args ...any) error {
	if good {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func checkCertificate(c meetguard.Certificate) error {
	serial := strings.NewReplacer(":", "", " ", "").Replace(strings.ToLower(c.Serial))
	if strings.TrimSpace(c.Issuer) == "" || !hexDigits.MatchString(strings.TrimLeft(serial, "0")) {
		return errors.New("certificate: it needs the common name of its issuer and a hexadecimal serial number, as `meetguard scan --json` shows the issuer")
	}
	return nil
}

func checkHash(f meetguard.Friend) error {
	if !sha256Hex.MatchString(f.SHA256) {
		return fmt.Errorf("sha256: %q is not 64 hexadecimal digits", f.SHA256)
	}
	return unless(len(f.Brands) == 0, "brands: an entry by sha256 allows everything of its file, so it names no brands")
}

// isFolder accepts absolute paths of any system, for a file is often checked on
// another machine than it is made for.
func isFolder(name string) bool {
	if drivePath.MatchString(name) {
		name = strings.ReplaceAll(name[2:], `\`, "/")
	}
	name = strings.TrimSuffix(name, "/")
	return strings.HasPrefix(name, "/") && path.Clean(name) == name
}

// CheckBrands returns every brand of a friend that is not in the catalogue,
// joined. The catalogue is the one in use, with the brands of c.
func (c Config) CheckBrands(catalogue []meetguard.Brand) error {
	var ids []string
	for _, b := range catalogue {
		ids = append(ids, b.ID)
	}
	var all []error
	for i, f := range c.Friends {
		for _, b := range f.Brands {
			if !slices.Contains(ids, b) {
				all = append(all, fmt.Errorf("friends: %s: brands: no brand is called %q, known are %s", entry(i, f), b, strings.Join(ids, ", ")))
			}
		}
	}
	return errors.Join(all...)
}

// Stopped lists the friends that no longer count at a time. They are no
// problem of the file: on the day after their last the agent must still start.
func (c Config) Stopped(now time.Time) []meetguard.Friend {
	day := now.UTC().Format(time.DateOnly)
	var out []meetguard.Friend
	for _, f := range c.Friends {
		if f.Expires < day {
			out = append(out, f)
		}
	}
	return out
}
