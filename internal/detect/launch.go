package detect

import (
	"fmt"
	"strings"

	"meetguard"
)

// Programs by what they are, as base names in lower case without ".exe".
var (
	shells       = set(`sh bash zsh dash ksh fish`)
	interpreters = set(`sh bash zsh dash ksh osascript python python3 perl ruby node php powershell pwsh cmd wscript cscript mshta rundll32 regsvr32 msiexec`)
	terminals    = set(`terminal iterm2 iterm gnome-terminal-server gnome-terminal konsole xterm alacritty kitty wezterm-gui warp hyper windowsterminal xfce4-terminal`)
)

// program is the plain name of an executable: lower case, no folder, no .exe.
func program(exe string) string {
	return strings.TrimSuffix(strings.ToLower(baseName(exe)), ".exe")
}

func parent(p *meetguard.Process) string {
	if p == nil || len(p.Ancestors) == 0 {
		return ""
	}
	return program(p.Ancestors[0].Exe)
}

// scriptEditor: nothing honest fetches and runs code from Script Editor.
func scriptEditor(s *subject) string {
	if s.Process == nil || !hasAncestor(s.Process, "script editor") {
		return ""
	}
	switch name := program(s.Process.Exe); {
	case name == "curl" || name == "wget" || name == "nscurl" || name == "osacompile":
		return fmt.Sprintf("Script Editor led to %s: a script that somebody ran by hand fetches something.", name)
	case interpreters[name] && s.code != nil && len(s.code.Fetches) > 0:
		return fmt.Sprintf("Script Editor started %s, which fetches something.", name)
	}
	return ""
}

func hasAncestor(p *meetguard.Process, name string) bool {
	for _, a := range p.Ancestors {
		if program(a.Exe) == name {
			return true
		}
	}
	return false
}

// runBox: Explorer starts a script host with an address: Win+R, or a shortcut.
func runBox(s *subject) string {
	if s.Process == nil || parent(s.Process) != "explorer" {
		return ""
	}
	name := program(s.Process.Exe)
	if s.code == nil || len(s.code.Fetches) == 0 || !interpreters[name] && name != "curl" {
		return ""
	}
	f := s.code.Fetches[0]
	if f.RunBy == "" && name != "mshta" {
		return ""
	}
	return fmt.Sprintf("Windows Explorer started %s with a command that fetches%s: somebody was told to paste it.", name, from(f))
}

// pasted: a line typed into a terminal that fetches and runs, with a mark that
// installers of well-known tools do not have.
func pasted(s *subject) string {
	if s.Process == nil || !s.code.interpreted() {
		return ""
	}
	p := parent(s.Process)
	if !shells[p] && !terminals[p] && p != "login" {
		return ""
	}
	f, _ := s.code.cradle()
	_, troubles := s.code.trouble()
	if !f.Insecure && s.code.rawIP == "" && s.code.lookalike.Host == "" && troubles == 0 {
		return ""
	}
	return fmt.Sprintf("A line in a terminal fetches%s and runs what it gets.", from(f))
}
