package detect

import (
	"fmt"
	"path"
	"strings"

	"meetguard"
)

// vehicleKinds are the files that are no scripts and yet run something, by what
// stands for their language.
var vehicleKinds = map[string]string{
	"registry": "settings for the registry", "setup-information": "setup information", "console": "a file of the Management Console",
	"table": "a table", "document": "a document", "deployment": "a file that installs a program", "remote-desktop": "a remote desktop file",
	"search": "a saved search", "link": "a link", "profile": "a configuration profile", "launch-agent": "a launch agent", "build": "a build file",
	"extension": "a part of a browser extension", "program-text": "a program", "macro": "a document with macros", "page": "a page", "invitation": "an invitation",
}

func (s *subject) vehicle() (string, bool) {
	if s.code == nil {
		return "", false
	}
	if what, ok := vehicleKinds[s.code.Language]; ok {
		return what, true
	}
	switch {
	case s.Format == meetguard.FormatShortcut:
		return "a shortcut", true
	case strings.Contains(s.Path, ".git/hooks/"):
		return "a hook of git that came with an archive or folder", true
	case s.ext == ".appimage":
		return "a script by the name of a program", true
	case s.name == "document.wflow":
		return "a workflow of Automator", true
	}
	return "", false
}

// vehicleCradle: a file that is no script has something fetched and run. Scripts
// are written for that; tables, settings and links are not.
func vehicleCradle(s *subject) string {
	what, ok := s.vehicle()
	if !ok || !s.code.interpreted() && !s.code.remoteInstall() || s.code.Language == "page" {
		return ""
	}
	f, _ := s.code.cradle()
	return fmt.Sprintf("It is %s and has something fetched with %s%s and run.", what, clip(f.Tool), from(f))
}

// vehicleCommand: one that fetches, run or not, or decodes what it runs.
func vehicleCommand(s *subject) string {
	what, ok := s.vehicle()
	if !ok || vehicleCradle(s) != "" || s.code.Language == "page" || s.code.Language == "build" || s.Format == meetguard.FormatShortcut {
		return ""
	}
	if len(s.code.Fetches) == 0 && !s.trait("decoded-then-run", "encoded-command") || len(s.code.Fetches) > 0 && s.judge.official(s.code.Fetches[0].Host) {
		return ""
	}
	return fmt.Sprintf("It is %s and holds a command that fetches or decodes something.", what)
}

// remoteDeeds are what no honest file that is sent to somebody does.
var remoteDeeds = []struct{ trait, deed string }{
	{"loads-template", "loads a part of itself"},
	{"opens-remote-program", "opens a program that lies"},
	{"web-folder", "shows a folder of the Internet as one of the house,"},
	{"script-by-other-name", "has a script engine read a file by another name"},
	{"feigned-icon", "shows the icon of a document and opens a program"},
	{"loads-scriptlet", "has Windows load a script"},
	{"build-fetches", "builds code that loads a program"},
	{"web-query", "fills itself with what it gets"},
	{"attaches-program", "attaches a program"},
	{"shows-other-host", "shows one host and leads elsewhere, not to it but"},
	{"picture-leads-away", "is a picture and leads its reader away"},
}

func vehicleRemote(s *subject) string {
	if s.code == nil {
		return ""
	}
	for _, d := range remoteDeeds {
		if !s.trait(d.trait) || s.hostsOfficial() && d.trait != "script-by-other-name" {
			continue
		}
		return fmt.Sprintf("It %s%s.", d.deed, s.fromHosts())
	}
	return ""
}

// hostsOfficial: there are hosts, and all of them are those of brands.
func (s *subject) hostsOfficial() bool {
	for _, h := range s.code.Hosts {
		if !s.judge.official(h) {
			return false
		}
	}
	return len(s.code.Hosts) > 0
}

// stranger is the first host that is no brand's.
func (s *subject) stranger() string {
	for _, h := range s.code.Hosts {
		if !s.judge.official(h) {
			return h
		}
	}
	return ""
}

func (s *subject) fromHosts() string {
	if h := s.stranger(); h != "" {
		return " at " + clip(h)
	}
	return ""
}

// storefronts are where others publish the programs of brands with their
// consent.
var storefronts = []string{"flathub.org", "microsoft.com", "github.com", "snapcraft.io", "apple.com", "windowsupdate.com"}

// vehicleDeploy: a file that installs a program from an address shows a brand's
// name, and the address is not the brand's.
func vehicleDeploy(s *subject) string {
	if !s.trait("deploys") || s.proof == proven {
		return ""
	}
	if b, h := s.borrowed(); b != nil && s.claim == nil {
		return fmt.Sprintf("It installs something in the name of %s from %s, which is not %s's host.", b.Name, clip(h), b.Name)
	}
	if s.claim == nil {
		return ""
	}
	for _, h := range s.code.Hosts {
		if s.judge.official(h) || below(h, storefronts) {
			continue
		}
		return fmt.Sprintf("It installs what it calls %s (%s) from %s, which is not %s's host.", s.claim.brand.Name, s.claim.shown(), clip(h), s.claim.brand.Name)
	}
	return ""
}

func below(host string, domains []string) bool {
	for _, d := range domains {
		if host == d || strings.HasSuffix(host, "."+d) {
			return true
		}
	}
	return false
}

// story: the file speaks of a brand or of meetings.
func (s *subject) story() bool {
	return s.code.troubled() || s.claim != nil || len(s.judge.claimsOf(s.Claims)) > 0
}

// borrowed is a brand that the file mentions and whose name stands in the name of
// a host that is not the brand's.
func (s *subject) borrowed() (*brand, string) {
	for _, c := range s.judge.claimsOf(s.Claims) {
		for _, h := range s.code.Hosts {
			if s.judge.official(h) || below(h, storefronts) {
				continue
			}
			for _, word := range strings.FieldsFunc(h, func(r rune) bool { return r == '.' || r == '-' }) {
				if c.brand.aliases[word] || c.brand.weak[word] {
					return c.brand, h
				}
			}
		}
	}
	return nil, ""
}

// vehicleProfile: no meeting needs a certificate or the management of a device.
func vehicleProfile(s *subject) string {
	switch {
	case s.code == nil || s.code.Language != "profile" || s.stranger() == "" || !s.story():
		return ""
	case s.trait("root-and-proxy"):
		return "For the sake of a meeting it adds a root certificate and leads the traffic of this device through " + clip(s.stranger()) + ": whoever has that host reads all of it."
	case s.trait("manages-device"):
		return "For the sake of a meeting it puts this device under the management of " + clip(s.stranger()) + "."
	case s.trait("leads-traffic") && (s.claim != nil || s.code.troubled()):
		return "For the sake of a meeting it leads the traffic of this device through " + clip(s.stranger()) + "."
	case s.trait("deploys") && s.claim != nil:
		return fmt.Sprintf("It puts an icon called %s on the home screen that opens %s.", s.claim.brand.Name, clip(s.stranger()))
	}
	return ""
}

// vehicleDesktop: a remote desktop that looks like a meeting and is given the
// drives of the reader.
func vehicleDesktop(s *subject) string {
	if !s.trait("shares-drives") || s.stranger() == "" || !s.trait("remote-app") && !s.story() {
		return ""
	}
	return fmt.Sprintf("It opens a desktop on %s, looks like a program, and gives that machine every drive of this one.", clip(s.stranger()))
}

func vehicleSends(s *subject) string {
	if !s.trait("sends-cookies") || s.stranger() == "" {
		return ""
	}
	return fmt.Sprintf("It sends the cookies of the browser, and with them every open account, to %s.", clip(s.stranger()))
}

// packageCradle: the package of a stranger runs, with the rights of the system,
// code that it does not bring.
func packageCradle(s *subject) string {
	if !isInstaller(s.Format) && s.Format != meetguard.FormatApp && s.Format != meetguard.FormatISO && s.Format != meetguard.FormatPE {
		return ""
	}
	if s.Signature.Status == meetguard.SignatureValid || s.Package != nil {
		return ""
	}
	for _, m := range s.Members {
		if f, ok := s.judge.memberCradle(m); ok {
			return fmt.Sprintf("Nobody signed it, and its %s fetches something with %s%s and runs it.", quoted(path.Base(m.Path)), clip(f.Tool), from(f))
		}
	}
	return ""
}

// isInstaller names the packages that the system's own installer takes.
func isInstaller(f meetguard.Format) bool {
	switch f {
	case meetguard.FormatPKG, meetguard.FormatDeb, meetguard.FormatRPM, meetguard.FormatMSI, meetguard.FormatMSIX:
		return true
	}
	return false
}

// longInstaller is from how many lines on a script may have what it fetches
// installed: administrators write such, with their checks, and lures are short.
const longInstaller = 30

// installs tells the script of an administrator's package that brings a program
// from its maker.
func (c *code) installs(f meetguard.Fetch) bool {
	_, trouble := c.trouble()
	return c.Lines > longInstaller && (programRun[f.RunBy] || trouble == 0 && c.Layers == 0)
}

func (j *Judge) memberCradle(m meetguard.Facts) (meetguard.Fetch, bool) {
	if m.Script != nil && m.Signature.Status != meetguard.SignatureValid {
		c := newCode(j, m.Script)
		if f, ok := c.cradle(); ok && c.interpreted() && !c.installs(f) {
			return f, true
		}
	}
	for _, inner := range m.Members {
		if m.Format == meetguard.FormatOther || m.Format == meetguard.FormatTar || m.Format == meetguard.FormatZip || m.Format == meetguard.Format7z {
			if f, ok := j.memberCradle(inner); ok {
				return f, true
			}
		}
	}
	return meetguard.Fetch{}, false
}

// textInstructs: a text has its reader run a command, for the sake of a call.
func textInstructs(s *subject) string {
	if !s.trait("text-instructs") || !s.code.interpreted() && !s.code.remoteInstall() {
		return ""
	}
	f, _ := s.code.cradle()
	return fmt.Sprintf("It tells its reader to run a command for the sake of a call, and the command runs what it fetches%s.", from(f))
}

// mailMisleads: a link shows the host of a brand and leads to a host of nobody.
func mailMisleads(s *subject) string {
	if !s.trait("link-misleads") || s.claim == nil && !s.code.troubled() || s.stranger() == "" {
		return ""
	}
	return "A link in it shows the address of one host and leads to " + clip(s.stranger()) + "."
}

func (c *code) troubled() bool {
	_, n := c.trouble()
	return n > 0
}
