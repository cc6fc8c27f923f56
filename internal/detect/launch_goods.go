package detect

import (
	"regexp"
	"strings"

	"meetguard"
)

// Names that have a brand's in them for another reason than to claim it.

// otherGoods says whether a unit that has the name of a brand is, by where it
// lies or by who signed it, something else: a tool that somebody made, an edition
// for a stick, a part of a device for meeting rooms, an installed program that is
// about teams.
func (s *subject) otherGoods() bool {
	if s.claim.source.Source != meetguard.ClaimFileName {
		return false
	}
	low := slashed(s.Path)
	if s.run != nil {
		low = slashed(s.run.Exe)
	}
	if s.run != nil && (s.run.builtHere() || pageApp(low) || inHouse(shareIn(low))) {
		return true
	}
	if s.Signature.Status == meetguard.SignatureValid && s.Signature.Abused == "" {
		return portableEdition(low) || roomDevice(baseName(low)) || s.run != nil && s.inOtherPrograms(low)
	}
	if s.run != nil && s.Signature.Status == meetguard.SignatureUnknown && s.inOtherPrograms(low) {
		return true
	}
	return s.run != nil && s.claim.brand.weak[strings.TrimSuffix(baseName(low), ".exe")] && s.inOtherPrograms(low)
}

// freesApp says whether a line of a terminal puts an app from a forge where apps are,
// in plain sight, and takes the mark off it there: the pages of those who pay for no
// certificate say so.
func (s *subject) freesApp() bool {
	if s.run == nil || !s.code.published() || !s.run.pastedBelow() || s.claim != nil || s.secretive() {
		return false
	}
	if _, troubles := s.code.trouble(); troubles > 0 {
		return false
	}
	freed := false
	for _, d := range s.run.own {
		if d.Kind == meetguard.DeedDequarantine && d.File != "" {
			if !strings.HasPrefix(slashed(d.File), "/applications/") {
				return false
			}
			freed = true
		}
	}
	return freed
}

// pageApp says whether a program is the one that a browser makes for a page which
// its user wants to have among his apps.
func pageApp(low string) bool {
	_, rest, ok := strings.Cut(low, "/applications/")
	if !ok || !home(low) || strings.Contains(rest, "/.") {
		return false
	}
	folder, inside, _ := strings.Cut(rest, "/")
	return strings.HasSuffix(low, "/contents/macos/app_mode_loader") && (strings.HasSuffix(folder, " apps.localized") || strings.HasSuffix(folder, " apps")) && strings.Contains(inside, ".app/") ||
		strings.HasSuffix(folder, ".app") && inside == "contents/macos/web app"
}

// portableEdition says whether a program is the starter of an edition for a stick:
// its name ends with that, it lies in a folder of the same name, and no download
// is run from there.
func portableEdition(low string) bool {
	name := strings.TrimSuffix(baseName(low), ".exe")
	return strings.HasSuffix(name, "portable") && baseName(strings.TrimSuffix(folderOf(low), "/")) == name && !landingPlace(low)
}

// roomDevice finds names of parts of devices for the rooms of meeting software, as
// their makers sign them. Lures speak to one person, and of his own camera.
var roomDevices = regexp.MustCompile(`rooms?[ _-]?(control|device|audio|video|usb|hid|panel|touch|scheduler|firmware)?[ _-]?(usb|hid|audio|video)?[ _-]?(driver|firmware|control|device|plugin|service|updater)s?\b`)

func roomDevice(name string) bool { return roomDevices.MatchString(name) }

// inOtherPrograms says whether an installed program lies in a folder that does not
// speak of the brand, and did not come there as a download.
func (s *subject) inOtherPrograms(low string) bool {
	_, rest, ok := strings.Cut(low, ":/program files")
	if !ok || s.run.OriginHost != "" {
		return false
	}
	for _, c := range s.judge.claimsOf([]meetguard.Claim{{Text: strings.ReplaceAll(folderOf(rest), "/", " "), Source: meetguard.ClaimProductName}}) {
		if c.brand == s.claim.brand {
			return false
		}
	}
	return true
}
