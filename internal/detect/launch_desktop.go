package detect

import (
	"fmt"

	"meetguard"
)

// Rules over the desktops of Linux.

// desktops open what somebody clicks on Linux.
var desktops = set(`nautilus dolphin nemo thunar pcmanfm caja gnome-shell plasmashell krunner xfce4-panel xfce4-appfinder`)

// fileManagers start what somebody clicks twice, and nothing by a key.
var fileManagers = set(`nautilus dolphin nemo thunar pcmanfm caja`)

// entries start what an icon says, where a script is started by itself.
var entries = set(`gio gio-launch-desktop exo-open xdg-open`)

// desktopFetch: the desktop starts a shell, and the shell fetches something: an
// icon or a line in the run window that is a script.
func desktopFetch(s *subject) string {
	l := s.run
	if l == nil || l.managed || !fetchers[l.name] || l.known() && (!l.outsideFetch() || s.trustedOnly()) {
		return ""
	}
	if l.known() && (l.onlyAsks() && s.merelyAsks() || s.onlyPapers()) || !l.known() && l.ownScript() {
		return ""
	}
	shell := false
	for _, a := range l.above {
		if desktops[a] && shell {
			return fmt.Sprintf("%s started a shell that fetches something with %s.", clip(a), l.shownRun())
		}
		if !shells[a] && a != "gio" && a != "env" && a != "setsid" && a != "nohup" {
			return ""
		}
		shell = shell || shells[a]
	}
	return ""
}

// onlyPapers says whether all that the launch fetches is something to read or look
// at, for a folder of its owner.
func (s *subject) onlyPapers() bool {
	any := false
	for _, d := range s.run.own {
		switch d.Kind {
		case meetguard.DeedFetchRun:
			return false
		case meetguard.DeedFetch:
			if d.File == "" && d.What == "powershell" {
				continue // its words tell the file in a second deed
			}
			if !s.fetchesPaper(d) {
				return false
			}
			any = true
		}
	}
	return any
}

// onlyAsks says whether what the launch fetches is put nowhere and nothing beside
// it takes it.
func (l *launch) onlyAsks() bool {
	for _, d := range l.own {
		if d.Kind == meetguard.DeedFetch && d.File != "" || d.Kind == meetguard.DeedFetchRun {
			return false
		}
	}
	told := len(l.Ancestors) > 0 && len(l.Ancestors[0].Args) > 2 // the line that all of it stands in
	for _, st := range l.chain {
		if takesPipe(st.Deeds) || interpreters[program(st.Exe)] && st.Link != meetguard.LinkAncestor && !told && !ownWords(st.Deeds) {
			return false
		}
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedFetchRun {
				return false
			}
		}
	}
	return true
}

// ownWords says whether an interpreter was given its code in its own command line:
// what comes through a pipe is what it works on.
func ownWords(list []meetguard.Deed) bool {
	for _, d := range list {
		if contains(d.Mark, "arguments unknown") || d.Kind == meetguard.DeedRun && d.What != "program" || d.Kind == meetguard.DeedEncoded || d.Kind == meetguard.DeedConnect {
			return false
		}
	}
	return true
}

// ownScript says whether the shell above a launch runs a script from where its
// user keeps such things, or nothing is known of it and nothing beside the launch
// would take what it brings.
func (l *launch) ownScript() bool {
	for i, a := range l.above {
		if !shells[a] {
			continue
		}
		file := scriptOf(l.Ancestors[i])
		if file == "" {
			if i == 0 && len(l.Ancestors[0].Args) > 2 {
				return l.lineAsks()
			}
			return len(l.Ancestors[i].Args) == 0 && l.onlyAsks() && !entries[l.above[min(i+1, len(l.above)-1)]]
		}
		return (!landingPlace(file) || ownDesktop(file) || l.onlyAsks() && !tempPlace(file)) && !coveredPlace(file)
	}
	return false
}

// lineAsks says whether the line of the shell above a launch is known, and fetches
// something over a checked connection only to show it.
func (l *launch) lineAsks() bool {
	asks := false
	for _, st := range l.chain {
		if st.PID != l.Ancestors[0].PID {
			continue
		}
		for _, d := range st.Deeds {
			switch d.Kind {
			case meetguard.DeedFetch:
				if d.File != "" || publicAddress(d.Host) || contains(d.Mark, "insecure") || contains(d.Mark, "plain") {
					return false
				}
				asks = true
			case meetguard.DeedRun, meetguard.DeedOrigin:
			default:
				return false
			}
		}
	}
	return asks
}

// ownDesktop says whether a script lies on somebody's desktop itself, where people
// keep those that they have written.
func ownDesktop(file string) bool {
	low := slashed(file)
	return home(low) && bareIn(low, "/desktop/") && pathExt(low) != ".desktop"
}

// merelyAsks says whether nothing is to be said of the hosts that a launch speaks
// to but that no list has them.
func (s *subject) merelyAsks() bool {
	for _, d := range s.run.own {
		if d.Host != "" && !s.strangeness(d.Host).mere {
			return false
		}
	}
	return true
}
