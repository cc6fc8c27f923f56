package box

import "os/exec"

// Starter starts processes that will Enter. Some systems take rights only from a
// process that is born without them: there it has them born so, in the strictest
// way that they live in, which it finds out with the first. The zero value is
// ready. It is safe for concurrent use.
type Starter struct{ births births }

// Start is cmd.Start for a process that will Enter. The standard streams must be
// files or nil.
func (s *Starter) Start(cmd *exec.Cmd) error { return s.births.start(cmd) }

// Milder has the next processes born in a milder way than the last, and says
// whether there is one: for processes that live to Enter and die of their work.
func (s *Starter) Milder() bool { return s.births.milder() }

// OnTrial says whether the starter of this process waits for it to Enter, and
// takes its end before that as a reason to have the next one born in another way.
func OnTrial() bool { return onTrial() }
