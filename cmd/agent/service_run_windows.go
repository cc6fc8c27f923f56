package main

import (
	"fmt"
	"os"
	"time"

	"github.com/kardianos/service"
	"golang.org/x/sys/windows/svc"
)

// runUnseen is run by a service control manager that kardianos/service does not
// recognise, as that of wine.
func runUnseen(p *program) error {
	h := &handler{p: p}
	if err := svc.Run(serviceName, h); err != nil {
		return fmt.Errorf("become a service: %w", err)
	}
	return h.err
}

// lingering is how long the process may go on after the service has stopped. The
// dispatcher of Windows returns at once, that of wine a minute later, and until
// then an installer cannot replace the program.
const lingering = 2 * time.Second

// handler answers the service control manager.
type handler struct {
	p   *program
	err error
}

// Execute is the life of the service, and soon after it that of the process.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, state chan<- svc.Status) (specific bool, code uint32) {
	specific, code = h.live(requests, state)
	time.AfterFunc(lingering, func() {
		tellEnd(h.err, true)
		os.Exit(int(code))
	})
	return specific, code
}

func (h *handler) live(requests <-chan svc.ChangeRequest, state chan<- svc.Status) (specific bool, code uint32) {
	state <- svc.Status{State: svc.StartPending}
	if h.err = h.p.Start(service.Service(nil)); h.err != nil {
		return true, exitError
	}
	state <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	for r := range requests {
		switch r.Cmd {
		case svc.Interrogate:
			state <- r.CurrentStatus
		case svc.Stop, svc.Shutdown:
			state <- svc.Status{State: svc.StopPending}
			if h.err = h.p.Stop(service.Service(nil)); h.err != nil {
				return true, exitError
			}
			return false, 0
		}
	}
	return false, 0
}
