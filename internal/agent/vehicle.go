package agent

import (
	"path"
	"slices"
	"strings"

	"meetguard"
	"meetguard/internal/inspect"
	"meetguard/internal/script"
)

// mail adds what a mail calls itself, where its links lead and what its text has
// its reader run.
func mail(f *meetguard.Facts, data []byte) {
	m := inspect.ReadMail(data)
	f.Claims = append(f.Claims, m.Claims...)
	s, user := script.Instructions("mail.txt", []byte(m.Text))
	if s != nil {
		take(f, s, user)
	}
	if len(m.Hosts) == 0 && len(m.Misled) == 0 {
		return
	}
	if f.Script == nil {
		f.Script = &meetguard.Script{Language: "mail"}
	}
	addHosts(f.Script, m.Hosts)
	if len(m.Misled) > 0 {
		tell(f, m.Text)
		f.Script.Traits = sortedSet(f.Script.Traits, []string{inspect.TraitLinkMisleads})
	}
}

// instructive are texts for people.
var instructive = extensions("txt text md rtf ics log readme nfo asc url webloc")

// vehicle adds what a file does that is no script, but has the machine or its
// reader run something.
func vehicle(f *meetguard.Facts, name string, data []byte) {
	ext := strings.ToLower(path.Ext(name))
	if f.Script == nil && (instructive[ext] || ext == "") || f.Format == meetguard.FormatICS {
		text := data
		if f.Format == meetguard.FormatICS {
			text = []byte(inspect.CalendarText(data))
		}
		if s, user := script.Instructions(name, text); s != nil {
			hosts := hostsOf(f.Script)
			take(f, s, user)
			addHosts(f.Script, hosts)
		}
	}
	if f.Format == meetguard.FormatHTML && f.Script == nil {
		if s, user := script.Instructions("page.md", []byte(inspect.PageText(data))); s != nil {
			take(f, s, user)
			pageLinks(f, data)
		}
	}
	v := inspect.ReadVehicle(name, data)
	if v.Kind == "" {
		return
	}
	f.Claims = append(f.Claims, v.Claims...)
	for _, c := range v.Commands {
		if s, _ := script.Analyse("command."+c.Shell, []byte(c.Text)); s != nil {
			join(f, s)
		}
	}
	if f.Script == nil {
		f.Script = &meetguard.Script{}
	}
	f.Script.Language = v.Kind
	tell(f, v.Story)
	addHosts(f.Script, v.Hosts)
	f.Script.Traits = sortedSet(f.Script.Traits, v.Traits)
}

// tell adds what a reader is told, as if it stood in the comment of a script.
func tell(f *meetguard.Facts, story string) {
	if story = strings.Join(strings.Fields(clipText(story, 2*maxUserText)), " "); story == "" {
		return
	}
	if s, user := script.Analyse("story.sh", []byte("# "+story+"\ntrue\n")); s != nil {
		f.Script.Pretexts = sortedSet(f.Script.Pretexts, s.Pretexts)
		f.Claims = append(f.Claims, meetguard.Claim{Text: clipText(user, maxUserText), Source: meetguard.ClaimBanner})
	}
}

// take makes a script that of the facts.
func take(f *meetguard.Facts, s *meetguard.Script, user string) {
	f.Script = s
	if user != "" {
		f.Claims = append(f.Claims, meetguard.Claim{Text: clipText(user, maxUserText), Source: meetguard.ClaimBanner})
	}
}

// join adds a command to what else a file runs.
func join(f *meetguard.Facts, s *meetguard.Script) {
	if f.Script == nil {
		f.Script = s
		return
	}
	old := f.Script
	old.Fetches = append(old.Fetches, s.Fetches...)
	old.Layers, old.Concat = max(old.Layers, s.Layers), max(old.Concat, s.Concat)
	old.Traits, old.Pretexts = sortedSet(old.Traits, s.Traits), sortedSet(old.Pretexts, s.Pretexts)
	if len(old.Tail)+len(s.Tail) <= maxInMemory {
		old.Tail += "\n" + s.Tail
	}
	addHosts(old, s.Hosts)
}

func hostsOf(s *meetguard.Script) []string {
	if s == nil {
		return nil
	}
	return s.Hosts
}

func addHosts(s *meetguard.Script, hosts []string) {
	for _, h := range hosts {
		if !contains(s.Hosts, h) {
			s.Hosts = append(s.Hosts, h)
		}
	}
}

func sortedSet(a, b []string) []string {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}
