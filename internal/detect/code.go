package detect

import (
	"net/netip"

	"meetguard"
)

// code is a script with the questions that rules ask of it.
type code struct {
	*meetguard.Script
	run        []meetguard.Fetch // cradles whose result is run
	lookalike  HostVerdict       // the first lookalike host in the text
	rawIP      string            // the first host that is an address outside private and loopback ranges
	brought    meetguard.Fetch   // the first fetch of a strange source that nothing is seen to run
	written    meetguard.Fetch   // the same of a command that only stands in the text
	reaches    bool              // it fetches something from a host that is not known
	strange    meetguard.Fetch   // the first of them whose source nobody answers for
	sources    []source          // of each of run
	outside    bool              // something fetched and run comes from no official host of a brand
	traits     map[string]bool
	pretexts   map[string]bool
	theftCount int
}

// theft names the traits of reading what is nobody's business.
var theft = []string{"telegram-data", "keychain", "browser-data", "wallet-data", "ssh-keys", "shell-history"}

// troubles are the pretexts that speak of a meeting and its devices; mending is
// what they promise. An installer that says "update" is ordinary, and so is one
// that mends something; one that mends your camera is not.
var (
	troubles = []string{"audio", "microphone", "camera", "codec", "sdk", "meeting", "conference", "interview", "driver", "call", "press-run", "paste-terminal"}
	mending  = []string{"fix", "repair", "troubleshoot", "deprecated", "outdated", "update", "upgrade", "verify", "extension", "compatibility", "support"}
)

func newCode(j *Judge, s *meetguard.Script) *code {
	c := &code{Script: s, traits: boolSet(s.Traits), pretexts: boolSet(s.Pretexts)}
	for _, f := range s.Fetches {
		switch k := j.source(f); {
		case f.To == "text":
			if k.strange() && c.written.Tool == "" {
				c.written = f
			}
			continue
		case k != sourceKnown && k != sourceInside:
			c.reaches = true
			if k.strange() && f.RunBy == "" && c.brought.Tool == "" {
				c.brought = f
			}
		}
		if f.RunBy == "" {
			continue
		}
		c.run = append(c.run, f)
		c.sources = append(c.sources, j.source(f))
		if c.strange.Tool == "" && c.sources[len(c.sources)-1].strange() {
			c.strange = f
		}
		if f.Host == "" || !j.official(f.Host) {
			c.outside = true
		}
	}
	hosts := append([]string{}, s.Hosts...)
	for _, f := range s.Fetches {
		if f.To != "text" && !contains(hosts, f.Host) {
			hosts = append(hosts, f.Host)
		}
	}
	for _, h := range hosts {
		if h == "" {
			continue
		}
		if a, err := netip.ParseAddr(h); err == nil {
			if c.rawIP == "" && !ownAddress(a) {
				c.rawIP = h
			}
			continue
		}
		if v := j.Host(h); v.Level != meetguard.Clean && c.lookalike.Host == "" {
			c.lookalike = v
		}
	}
	for _, t := range theft {
		if c.traits[t] {
			c.theftCount++
		}
	}
	return c
}

func boolSet(list []string) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, s := range list {
		out[s] = true
	}
	return out
}

// cradle is the first fetch whose result is run, preferring one that an
// interpreter runs to one that an installer takes.
func (c *code) cradle() (meetguard.Fetch, bool) {
	if c == nil || len(c.run) == 0 {
		return meetguard.Fetch{}, false
	}
	for _, f := range c.run {
		if f.RunBy != "installer" && f.RunBy != "package" {
			return f, true
		}
	}
	return c.run[0], true
}

// interpreted says whether something fetched is run by an interpreter or
// directly, from a host that is no brand's own.
func (c *code) interpreted() bool {
	f, ok := c.cradle()
	return ok && f.RunBy != "installer" && f.RunBy != "package" && c.outside
}

// remoteInstall says whether an installer is given an address to fetch from:
// administrators give it a file.
func (c *code) remoteInstall() bool {
	f, ok := c.cradle()
	return ok && f.Tool == "msiexec" && c.outside
}

// ordinary says whether all that is run comes from known sources.
func (c *code) ordinary() bool {
	for _, k := range c.sources {
		if k != sourceKnown && k != sourceInside {
			return false
		}
	}
	return len(c.run) > 0
}

// published says whether all that is run comes from a forge or a known source.
func (c *code) published() bool {
	for _, k := range c.sources {
		if k != sourceForge && k != sourceKnown && k != sourceInside {
			return false
		}
	}
	return len(c.run) > 0
}

// settled says whether the manner of a fetch is nobody's worry: all that is run
// comes from known sources, or the script is a program that brings it from a
// forge, or that checks what it brings, and brings nothing from a stranger. So is
// a library of functions that are told by their callers what to fetch, and a program
// with options of its own.
func (c *code) settled() bool {
	return c.ordinary() || c.published() && c.Steps > errand || len(c.run) > 0 && c.strange.Tool == "" && (c.Steps > product || c.Steps > grown && c.traits["options"]) || len(c.run) > 0 && c.Steps > errand && c.traits["checks-download"] && (c.strange.Tool == "" || c.Steps > product)
}

// trouble counts the words of trouble, and of mending beside them. Without a
// word of trouble there is none.
func (c *code) trouble() (string, int) {
	first, n := "", 0
	for _, t := range troubles {
		if c.pretexts[t] {
			if first == "" {
				first = t
			}
			n++
		}
	}
	for _, m := range mending {
		if n > 0 && c.pretexts[m] {
			n++
		}
	}
	return first, n
}

func (c *code) isAppleScript() bool {
	return c != nil && (c.Language == "applescript" || c.Language == "applescript-compiled" || c.Language == "jxa")
}

// isWSH: languages that the Windows Script Host or mshta runs on a double click.
func (c *code) isWSH() bool {
	if c == nil {
		return false
	}
	switch c.Language {
	case "vbscript", "jscript", "hta", "wsf":
		return true
	}
	return false
}
