// Package box shuts the process that parses hostile bytes in: no files, no
// network, no new programs, and no rights that it does not need.
//
// The process does it to itself when everything is loaded, and for good. What
// then comes in are open read-only descriptors, what goes out is a reply.
// Limits of memory, of output and of time are the business of whoever started
// it. A system that lacks a part of the box loses that part and no sight: the
// rest is used, and the Level names what is missing.
package box

import "strings"

// Level says which box a process is in.
type Level struct {
	Parts   []string `json:"parts,omitempty"`   // what holds it, as "seccomp" or "uid 65534"
	Missing []string `json:"missing,omitempty"` // what the system could have given and did not, with the reason
}

// Full says whether nothing is missing.
func (l Level) Full() bool { return len(l.Parts) > 0 && len(l.Missing) == 0 }

// String is the level as people read it.
func (l Level) String() string {
	text := "not boxed"
	if len(l.Parts) > 0 {
		text = "boxed: " + strings.Join(l.Parts, ", ")
	}
	if len(l.Missing) > 0 {
		text += "; missing: " + strings.Join(l.Missing, ", ")
	}
	return text
}

// add notes a part, or why it is missing.
func (l *Level) add(part string, err error) {
	if err != nil {
		l.Missing = append(l.Missing, part+" ("+err.Error()+")")
		return
	}
	l.Parts = append(l.Parts, part)
}

// Enter shuts the calling process in, with all its threads, and says how far
// that went. There is no way back, and no need to call it twice.
func Enter() Level { return enter() }

// Probe is something that a boxed process must not be able to do.
type Probe struct {
	Name string
	try  func(scratch string) error
}

// Outcome is what came of a probe.
type Outcome struct {
	Name    string `json:"name"`
	Refused bool   `json:"refused"`          // the system said that it is not allowed
	Detail  string `json:"detail,omitempty"` // what the system said
}

// Try runs every probe, one after another, in the calling process. scratch is a
// folder made by Scratch, before the process was boxed.
func Try(scratch string) []Outcome {
	list := probes()
	out := make([]Outcome, len(list))
	for i, p := range list {
		err := p.try(scratch)
		out[i] = Outcome{Name: p.Name, Refused: refused(err)}
		if err != nil {
			out[i].Detail = err.Error()
		}
	}
	return out
}
