package chain

import (
	"time"
)

// opened is a package that somebody opened: another process runs its scripts.
type opened struct {
	host string
	at   time.Time
}

// packSpan is how long after a package was opened its scripts run.
const packSpan = 15 * time.Minute

// packages notes where an opened package came from, and passes it on to the
// service that runs the scripts of packages.
func (t *Tracker) packages(n *node) {
	switch name := Program(n.proc.Exe); {
	case name == "msiexec" && n.proc.OriginHost != "":
		t.pack = opened{n.proc.OriginHost, n.proc.Started}
	case name == "msiexec" && t.ofServices(n.proc.PPID) && n.proc.Started.Sub(t.pack.at).Abs() < packSpan:
		n.proc.OriginHost = t.pack.host
	case (name == "installer" || name == "installd") && n.proc.OriginHost != "":
		t.pack = opened{n.proc.OriginHost, n.proc.Started}
	case name == "package_script_service" && n.proc.OriginHost == "" && n.proc.Started.Sub(t.pack.at).Abs() < packSpan:
		n.proc.OriginHost = t.pack.host
	}
}

// ofServices says whether a parent is what starts the services of Windows, or is
// not known.
func (t *Tracker) ofServices(pid int) bool {
	n := t.nodes[pid]
	return n == nil || Program(n.proc.Exe) == "services"
}
