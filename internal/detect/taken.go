package detect

import (
	"fmt"

	"meetguard"
)

// packedAway: a short script that packs what another program keeps in its
// user's profile and sends it to a stranger. It knows no program by name: the
// profile is private whoever wrote into it. Support tools send to the maker, and
// backups to a house or a known store.
func packedAway(s *subject) string {
	c := s.code
	if c == nil || !c.traits["profile-data"] || !c.traits["packs-files"] || !c.traits["upload"] || c.traits["options"] || c.Steps > errand {
		return ""
	}
	host := ""
	for _, h := range c.Hosts {
		switch k := s.judge.source(meetguard.Fetch{Host: h}); {
		case !k.strange():
			return ""
		case host == "":
			host = h
		}
	}
	if host == "" {
		return ""
	}
	return fmt.Sprintf("It packs what other programs keep in the user's profile and sends it to %s, which nobody knows.", clip(host))
}
