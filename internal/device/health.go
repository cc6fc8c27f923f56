package device

import (
	"fmt"
	"time"

	"meetguard"
)

// Health tells who this agent is to the collector, and what is wrong with that.
func (d *Device) Health() meetguard.SourceStatus {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := meetguard.SourceStatus{Name: "identity", State: meetguard.SourceOK}
	switch {
	case d.plain():
		s.Detail = "not enrolled: the collector is on this machine"
	case d.cfg.Certificate != "":
		s.Detail = "certificate of the operator's own CA"
		if d.gate.why != nil {
			s.State, s.Detail = meetguard.SourceDegraded, s.Detail+"; "+d.gate.why.Error()
		}
	default:
		s.Detail, s.State = d.describe()
	}
	if d.proxies.system.script {
		s.Detail += "; the system finds its proxy by a script, which is not run: set HTTPS_PROXY if there is no other way out"
	}
	return s
}

// describe tells an identity of ours. d.mu is held.
func (d *Device) describe() (string, meetguard.SourceState) {
	if !d.enrolled() {
		return d.missing(d.trouble).Error(), meetguard.SourceDegraded
	}
	until := d.active().pair.Leaf.NotAfter
	text := fmt.Sprintf("enrolled as %s, certificate until %s", d.id.AgentUID, until.UTC().Format(time.DateOnly))
	switch {
	case d.again && d.trouble == nil:
		return text + "; the identity counts no more, enrol this machine again with `meetguard enroll`", meetguard.SourceDegraded
	case d.gate.why != nil:
		return text + "; " + d.gate.why.Error(), meetguard.SourceDegraded
	case d.foreignMachine():
		return text + "; it was made on another machine, enrol this one again with `meetguard enroll`", meetguard.SourceDegraded
	case d.trouble != nil:
		return text + "; " + d.trouble.Error(), meetguard.SourceDegraded
	}
	return text, meetguard.SourceOK
}

// missing says why there is no identity for this collector. d.mu is held.
func (d *Device) missing(trouble error) error {
	switch {
	case trouble != nil:
		return trouble
	case d.id.Current != nil:
		return fmt.Errorf("this agent is enrolled at %s and not at %s: run `meetguard enroll %s TOKEN`", d.id.Collector, d.cfg.Collector, d.cfg.Collector)
	}
	return fmt.Errorf("this agent is not enrolled: run `meetguard enroll %s TOKEN`, or name a file with the token as enroll_token_file", d.cfg.Collector)
}
