package chain

import (
	"time"

	"meetguard"
)

// opened is a package that somebody opened: another process runs its scripts.
type opened struct {
	host string
	at   time.Time
}

// packSpan is how long after a package was opened its scripts run.
const packSpan = 15 * time.Minute

// packages notes where an opened package came from, and passes it on to the
// service that runs the scripts of packages: the launch with that origin comes
// back.
func (t *Tracker) packages(p *meetguard.Process) *meetguard.Process {
	with := func() *meetguard.Process {
		c := *p
		c.OriginHost = t.pack.host
		return &c
	}
	switch name := Program(p.Exe); {
	case name == "msiexec" && p.OriginHost != "":
		t.pack = opened{p.OriginHost, p.Started}
	case name == "msiexec" && t.ofServices(p.PPID) && p.Started.Sub(t.pack.at).Abs() < packSpan:
		return with()
	case (name == "installer" || name == "installd") && p.OriginHost != "":
		t.pack = opened{p.OriginHost, p.Started}
	case name == "package_script_service" && p.OriginHost == "" && p.Started.Sub(t.pack.at).Abs() < packSpan:
		return with()
	}
	return p
}

// ofServices says whether a parent is what starts the services of Windows, or is
// not known.
func (t *Tracker) ofServices(pid int) bool {
	n := t.nodes[pid]
	return n == nil || Program(n.exe()) == "services"
}
