package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kardianos/service"
	"github.com/spf13/cobra"
)

// serviceVerb is one of the commands below `meetguard service`.
type serviceVerb struct {
	name, short, done string
	do                func(service.Service) error
}

func serviceVerbs() []serviceVerb {
	return []serviceVerb{
		{"install", "Make the service, enable it and start nothing", "installed", installService},
		{"uninstall", "Stop the service and take it out; state and configuration stay", "uninstalled", uninstallService},
		{"start", "Start the service", "started", service.Service.Start},
		{"stop", "Stop the service; it comes back with the system", "stopped", service.Service.Stop},
		{"restart", "Stop and start the service", "restarted", service.Service.Restart},
	}
}

func (a *app) serviceCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "service",
		Short: "Install, start, stop and ask for the service of this system",
		Long: `Makes this very program a service of systemd, launchd or Windows, with the same
unit that the packages have: it starts with the system, is started again when it
ends, hangs or stops to detect, and may no more than it needs. A machine that has
the package needs no install. All but status need root or administrator.`,
		Example: "  sudo meetguard service install\n  sudo meetguard service start\n  meetguard service status --json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	for _, v := range serviceVerbs() {
		c.AddCommand(a.verbCommand(v))
	}
	c.AddCommand(a.serviceStatusCommand())
	return c
}

func (a *app) verbCommand(v serviceVerb) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     v.name,
		Short:   v.short,
		Example: "  sudo meetguard service " + v.name,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := openService()
			if err == nil {
				err = permitted(v.name)
			}
			if err == nil && v.name != "install" {
				err = needInstalled(s)
			}
			if err == nil {
				err = v.do(s)
			}
			if err != nil {
				return fmt.Errorf("%s the service: %w%s", v.name, err, whereToLook(err))
			}
			if asJSON {
				return a.printJSON(serviceState{Name: serviceName, Platform: s.Platform(), State: v.done})
			}
			_, err = fmt.Fprintf(a.out, "the service %s is %s\n", serviceName, v.done)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// whereToLook completes errors of systemctl and launchctl, whose words
// kardianos/service does not hand on.
func whereToLook(err error) string {
	if strings.Contains(err.Error(), "exit status") {
		return "; " + logHint
	}
	return ""
}

// serviceState is what `meetguard service … --json` prints.
type serviceState struct {
	Name     string `json:"service"`
	Platform string `json:"platform"` // linux-systemd, darwin-launchd or windows-service
	State    string `json:"state"`    // running, stopped, failed or not installed; or what was done
}

func (a *app) serviceStatusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "status",
		Short:   "Tell whether the service is installed and runs",
		Long:    "Tells what the service manager knows. What the agent sees is told by `meetguard status`.\n\nExit code 1: it does not run.",
		Example: "  meetguard service status --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := openService()
			if err != nil {
				return err
			}
			st := serviceState{Name: serviceName, Platform: s.Platform()}
			if st.State, err = stateOf(s); err != nil {
				return fmt.Errorf("ask for the service: %w", err)
			}
			if asJSON {
				err = a.printJSON(st)
			} else {
				_, err = fmt.Fprintf(a.out, "%s: %s (%s)\n", st.Name, st.State, st.Platform)
			}
			if err == nil && st.State != "running" {
				err = errFound
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// stateOf puts the answers of kardianos/service, some of which are errors, into
// words.
func stateOf(s service.Service) (string, error) {
	status, err := s.Status()
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		return "not installed", nil
	case err != nil && strings.Contains(err.Error(), "failed state"):
		return "failed", nil
	case err != nil:
		return "", err
	case status == service.StatusRunning:
		return "running", nil
	}
	return "stopped", nil
}

func needInstalled(s service.Service) error {
	state, err := stateOf(s)
	if err == nil && state == "not installed" {
		err = errors.New("it is not installed: install the package, or run `meetguard service install`")
	}
	return err
}

func openService() (service.Service, error) {
	if err := knownManager(); err != nil {
		return nil, err
	}
	s, err := service.New(&program{}, serviceConfig(""))
	if err != nil {
		return nil, fmt.Errorf("find the service manager: %w", err)
	}
	return s, nil
}

// installService makes the service of the program that runs now.
func installService(s service.Service) error {
	if state, err := stateOf(s); err != nil || state != "not installed" {
		return errors.Join(err, fmt.Errorf("it is installed already and %s: nothing was changed", state))
	}
	self, err := ownProgram()
	if err != nil {
		return err
	}
	if s, err = service.New(&program{}, serviceConfig(self)); err != nil {
		return err
	}
	if err := prepareInstall(); err != nil {
		return err
	}
	if err := s.Install(); err != nil {
		forgetInstall()
		return err
	}
	return finishInstall()
}

// uninstallService stops first: a unit that is taken from under a running agent
// leaves one that nobody watches.
func uninstallService(s service.Service) error {
	if state, err := stateOf(s); err != nil || state == "running" {
		if err := errors.Join(err, s.Stop()); err != nil {
			return err
		}
	}
	return errors.Join(s.Uninstall(), forgetEnrolment())
}
