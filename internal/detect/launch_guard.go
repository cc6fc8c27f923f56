package detect

import (
	"fmt"
	"strings"

	"meetguard"
)

// Rules over what passes for a part of the system, what stays, and what keeps the
// scanner from looking.

// noProgramPlace says whether a path lies where the system keeps no programs.
// What caches and fonts are called on macOS has folders of its own, with apps
// of updaters in it: only what lies in the folder itself counts.
func noProgramPlace(low string) bool {
	switch folderOf(low) {
	case "/library/caches/", "/library/fonts/", "/library/osrecovery/", "/library/logs/", "/library/preferences/", "c:/windows/fonts/", "c:/windows/debug/", "c:/windows/media/":
		return true
	}
	return strings.HasPrefix(baseName(low), "com.apple.") && folderOf(low) == "/library/privilegedhelpertools/"
}

// systemPart: a program that calls itself a part of the system, where anybody
// can put it.
func systemPart(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	if p := l.wrongParent(); p != "" {
		return fmt.Sprintf("%s is a part of the system that services start, and %s started it.", l.shownRun(), clip(p))
	}
	if s.Signature.Status == meetguard.SignatureValid && !l.does(meetguard.DeedFetch) {
		return ""
	}
	for _, d := range l.own {
		if low := slashed(d.File); d.Kind == meetguard.DeedFetch && strings.HasPrefix(baseName(low), "com.apple.") && strings.HasPrefix(low, "/library/") && !inHouse(d.Host) && !toolHost(d.Host) {
			return fmt.Sprintf("Something is fetched%s to %s, under the name of the platform's own.", fromHost(d.Host), quoted(baseName(d.File)))
		}
	}
	if s.Signature.Status == meetguard.SignatureValid {
		return ""
	}
	name := strings.TrimLeft(l.name, ".")
	if low := slashed(l.Exe); noProgramPlace(low) && (strings.HasPrefix(name, "com.apple.") || s.Signature.Status == meetguard.SignatureAdhoc || s.Signature.Status == meetguard.SignatureUnsigned) {
		return fmt.Sprintf("%s runs from a folder that holds no programs.", quoted(baseName(l.Exe)))
	}
	if l.OS == "linux" && sessionParts[name] && bareInTemp(l.Exe) {
		return fmt.Sprintf("%s is named like a part of the desktop and lies in a temporary folder.", quoted(baseName(l.Exe)))
	}
	part := partOf(l.OS, name) || l.OS == "windows" && nearSystemName(name) || strings.HasPrefix(name, "com.apple.") || strings.HasPrefix(name, "kworker")
	if !part || l.builtHere() || ownService(l.Exe) || !userPlace(l.Exe) || otherRoot(l.OS, slashed(l.Exe)) || strings.Contains(slashed(l.Exe), ".app/contents/") && !strings.HasPrefix(name, "com.apple.") {
		return ""
	}
	return fmt.Sprintf("%s is named like a part of the system and runs from where any program may write.", quoted(baseName(l.Exe)))
}

// ownService says whether a program is a service within a framework or a cache, in
// a bundle of its own name: makers of browsers build theirs of Apple's sources, and
// nothing starts such a bundle by itself.
func ownService(exe string) bool {
	bundle, name, ok := strings.Cut(slashed(exe), ".xpc/contents/macos/")
	return ok && baseName(bundle) == name && !tempPlace(exe) && !coveredPlace(exe) && (strings.Contains(bundle, ".framework/") || strings.Contains(bundle, "/library/caches/"))
}

// nearNames are parts of Windows that no program has a name like by chance.
var nearNames = []string{"svchost", "conhost", "dllhost", "spoolsv", "winlogon", "taskhostw", "rundll32", "runtimebroker"}

// nearSystemName says whether a name is one letter away from that of a part of
// Windows.
func nearSystemName(name string) bool {
	for _, want := range nearNames {
		if name != want && oneAway(name, want) {
			return true
		}
	}
	return false
}

// oneAway says whether one letter more, less, changed or swapped with the next
// makes one word of another.
func oneAway(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		return i < len(a) && (a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:])
	case 1:
		return a[i:] == b[i+1:]
	}
	return false
}

// persisted: something that was just fetched, or lies in a temporary folder, or
// is named like the platform's own, is arranged to start by itself.
func persisted(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	for _, d := range l.own {
		if d.Kind != meetguard.DeedPersist {
			continue
		}
		low := slashed(d.File)
		switch {
		case strings.Contains(low, "/users/") && strings.Contains(low, "launchagents/com.apple."), strings.HasPrefix(low, "~/library/launchagents/com.apple."):
			return fmt.Sprintf("%s is to start by itself under the name of the platform's own.", quoted(baseName(d.File)))
		case tempPlace(d.File):
			return "Something in a temporary folder is to start by itself."
		}
		if f, ok := l.deed(meetguard.DeedFetch, meetguard.DeedFetchRun); ok && !toolHost(f.Host) && !s.ownNet(f.Host) && !s.namesake(f.Host, d.File) && !s.installsService(f, d) {
			return "What was fetched just before is to start by itself."
		}
	}
	return ""
}

// installsService says whether what starts is a service of the whole machine that
// an installer of a maker nobody knows has put where services belong, under a name
// of its own: administrators' rights were asked for, and nothing hides.
func (s *subject) installsService(f, d meetguard.Deed) bool {
	low := slashed(d.File)
	place := strings.HasPrefix(low, "/library/launchdaemons/") || strings.HasPrefix(low, "/etc/systemd/system/") || strings.HasPrefix(low, "/lib/systemd/system/")
	if !place || hiddenName(baseName(low)) || systemLike(baseName(low)) || f.Host == "" || contains(f.Mark, "insecure") || s.soundsLike(d.File) {
		return false
	}
	if c := s.strangeness(f.Host); c.points > 0 && !c.mere {
		return false
	}
	for _, m := range makerNames {
		if strings.HasPrefix(baseName(low), m) {
			return false
		}
	}
	return true
}

func blinds(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.does(meetguard.DeedBlind) || s.code != nil && s.trait("defender-exclusion", "kill-security") && defender(s) != "" {
		return ""
	}
	return fmt.Sprintf("%s keeps the virus scanner from looking.", l.shownRun())
}

// strayDaemon says whether a program has the name of a daemon of macOS and lies in
// none of the folders that only Apple writes to.
func strayDaemon(p meetguard.Process) bool {
	if !macDaemons[program(p.Exe)] || signedWell(p.Signature) {
		return false
	}
	low := slashed(p.Exe)
	for _, folder := range []string{"/system/", "/usr/libexec/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/library/apple/"} {
		if strings.HasPrefix(low, folder) {
			return false
		}
	}
	return strings.HasPrefix(low, "/") && !strings.Contains(low, ".app/contents/") && !ownService(p.Exe)
}
