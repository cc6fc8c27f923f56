package detect

import (
	"fmt"
	"sort"
	"strings"

	"meetguard"
)

// Rules over Script Editor, the window in which lures for Macs are run.

// scriptEditor: nothing honest fetches and runs code from Script Editor. One
// that only shows what it fetched is a hobby.
func scriptEditor(s *subject) string {
	l := s.run
	if l == nil || !l.hasAbove("script editor") {
		return ""
	}
	if found := castOf(l, editorCast); len(found) >= 2 && s.badCast(editorCast) && (editorCast[l.name] != "" || l.acts()) {
		return fmt.Sprintf("Script Editor led to %s: a script that somebody ran by hand does more than show something.", strings.Join(found, ", "))
	}
	for _, d := range l.own {
		if d.Kind == meetguard.DeedChmod && ownFolder(d.File) || (d.Kind == meetguard.DeedDequarantine && l.freesInstalled() || d.Kind == meetguard.DeedPersist && ownAgent(d.File)) && l.alone() {
			continue
		}
		switch d.Kind {
		case meetguard.DeedFetch:
			if d.What == "share" && ownFolder(d.File) && !s.strangeness(d.Host).hostile() {
				continue // what lies on it tells the rest, where it is run
			}
			if d.File != "" && !s.fetchesPaper(d) || len(d.Mark) > 0 && d.Mark[0] == "insecure" {
				return fmt.Sprintf("Script Editor led to %s: a script that somebody ran by hand fetches something.", l.shownRun())
			}
		case meetguard.DeedFetchRun, meetguard.DeedDequarantine, meetguard.DeedResign, meetguard.DeedChmod, meetguard.DeedPrompt, meetguard.DeedCheck, meetguard.DeedSecret, meetguard.DeedUpload, meetguard.DeedPersist:
			return fmt.Sprintf("Script Editor led to %s (%s): a script that somebody ran by hand does that.", l.shownRun(), d.Kind)
		case meetguard.DeedUnpack:
			if d.What == "osacompile" && !(l.known() && ownFolder(d.File) && ownFolder(d.From)) {
				return "Script Editor led to osacompile: a script that somebody ran by hand makes another one."
			}
		case meetguard.DeedRun:
			if tempPlace(d.File) {
				return "Script Editor led to a program in a temporary folder."
			}
		}
	}
	return ""
}

// alone says whether nothing was brought, asked for or taken in the chain.
func (l *launch) alone() bool {
	_, more := l.deed(meetguard.DeedFetch, meetguard.DeedFetchRun, meetguard.DeedPrompt, meetguard.DeedCheck, meetguard.DeedUpload, meetguard.DeedEncoded, meetguard.DeedUnpack)
	return !more
}

// freesInstalled says whether all that the launch takes a mark off is installed.
func (l *launch) freesInstalled() bool {
	any := false
	for _, d := range l.own {
		if d.Kind == meetguard.DeedDequarantine && d.File != "" {
			if !installedPlace(d.File) {
				return false
			}
			any = true
		}
	}
	return any
}

// ownAgent says whether a launch agent is one that its user has, under no name of a
// maker whom everybody trusts.
func ownAgent(file string) bool {
	low := slashed(file)
	for _, m := range makerNames {
		if strings.HasPrefix(baseName(low), m) {
			return false
		}
	}
	return home(low) && bareIn(low, "/library/launchagents/") && !hiddenName(baseName(low))
}

// sheetExt are endings of what people read, look at and count with.
var sheetExt = set(`.csv .tsv .json .xml .rss .txt .md .ics .pdf .jpg .jpeg .png .gif .webp .svg .mp3 .xlsx`)

// fetchesPaper says whether what is fetched is put, under the name of something to
// read or look at, where its owner keeps such things, and comes from a host of
// which there is nothing to say.
func (s *subject) fetchesPaper(d meetguard.Deed) bool {
	if !sheetExt[pathExt(slashed(d.File))] || !ownFolder(d.File) && !bareInTemp(d.File) || hiddenName(baseName(slashed(d.File))) || d.Host == "" {
		return false
	}
	c := s.strangeness(d.Host)
	return (c.points == 0 || c.mere) && !contains(d.Mark, "insecure")
}

// ownFolder says whether a path lies where people keep what they write.
func ownFolder(p string) bool {
	return p != "" && home(slashed(p)) && !landingPlace(p) && !coveredPlace(p)
}

// editorCast: programs in groups that a lure needs several of.
var editorCast = map[string]string{"curl": "curl", "wget": "curl", "nscurl": "curl", "osascript": "osascript", "osacompile": "osacompile", "chmod": "chmod", "xattr": "xattr", "codesign": "xattr",
	"unzip": "unzip", "ditto": "unzip", "nohup": "nohup", "launchctl": "launchctl", "dscl": "dscl", "security": "security", "zip": "zip", "caffeinate": "caffeinate", "softwareupdate": "softwareupdate", "sqlite3": "sqlite3"}

// castOf are the groups of programs that one tree ran, in order of name.
func castOf(l *launch, groups map[string]string) []string {
	have := map[string]bool{}
	for name := range l.cast {
		if g := groups[name]; g != "" {
			have[g] = true
		}
	}
	var out []string
	for g := range have {
		out = append(out, g)
	}
	sort.Strings(out)
	return out
}

// badCast says whether those programs do more than any app may: two of which one
// does something that is known to be strange, or three of which nothing is known.
func (s *subject) badCast(groups map[string]string) bool {
	bad, blind := s.sortCast(groups)
	return len(bad) > 0 && len(bad)+len(blind) > 1 || len(blind) > 2
}

// sortCast are the groups of which one does something that is known to be strange, and
// of the others those of which nothing is known.
func (s *subject) sortCast(groups map[string]string) (bad, blind map[string]bool) {
	bad, blind = map[string]bool{}, map[string]bool{}
	for _, st := range append([]meetguard.Step{{Exe: s.run.Exe, Deeds: s.run.own}}, s.run.chain...) {
		group := groups[program(st.Exe)]
		if group == "" || st.Link == meetguard.LinkFile {
			continue
		}
		for _, d := range st.Deeds {
			switch {
			case contains(d.Mark, "arguments unknown"):
				if program(st.Exe) != "ditto" { // setups copy with it
					blind[group] = true
				}
			case d.Kind == meetguard.DeedUpload && len(s.run.kinds) == 0 && s.toMaker(d.Host), d.Kind == meetguard.DeedRun, d.Kind == meetguard.DeedOrigin, d.Kind == meetguard.DeedFetch && (s.ownUpdate(d.Host) || d.File == "" && s.strangeness(d.Host).mere && !s.piped()):
			case d.Kind == meetguard.DeedProbe, d.Kind == meetguard.DeedDecoy, d.Kind == meetguard.DeedErase, d.Kind == meetguard.DeedPack && !coveredPlace(d.File), d.Kind == meetguard.DeedUnpack && ownFolder(d.File) && ownFolder(d.From), d.Kind == meetguard.DeedChmod && ownFolder(d.File):
			case (d.Kind == meetguard.DeedDequarantine || d.Kind == meetguard.DeedPersist) && audioPlugIn(slashed(d.File)):
			default:
				bad[group] = true
			}
		}
	}
	for g := range bad {
		delete(blind, g)
	}
	return bad, blind
}

func (l *launch) hasAbove(name string) bool {
	for _, a := range l.above {
		if a == name {
			return true
		}
	}
	return false
}
