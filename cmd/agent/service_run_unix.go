//go:build unix

package main

// runUnseen is run where kardianos/service sees no service manager, as in a
// container whose systemd it does not recognise: SIGTERM ends the agent anyway.
func runUnseen(p *program) error { return p.foreground() }
