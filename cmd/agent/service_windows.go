package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kardianos/service"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

const (
	serviceName = "meetguard"
	logHint     = "the event log, source meetguard, says why"
)

// serviceConfig describes the service that starts program, "" for this one.
func serviceConfig(program string) *service.Config {
	return &service.Config{Name: serviceName, DisplayName: "MeetGuard", Description: "Catches fake meeting software before it runs",
		Executable: program, Arguments: []string{"run", "--service"}, Option: service.KeyValue{"StartType": "automatic"}}
}

func knownManager() error { return nil }

func permitted(verb string) error {
	if !windows.GetCurrentProcessToken().IsElevated() {
		return fmt.Errorf("that needs an administrator: run meetguard service %s in an elevated prompt", verb)
	}
	return nil
}

func prepareInstall() error { return nil }

// forgetInstall does nothing: Windows makes a service as a whole or not.
func forgetInstall() {}

// ownProgram is the file of this program, in a folder that only administrators
// can write to.
func ownProgram() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program's own file: %w", err)
	}
	for _, root := range []string{os.Getenv("ProgramFiles"), os.Getenv("SystemRoot")} {
		if rel, err := filepath.Rel(root, self); root != "" && err == nil && !strings.HasPrefix(rel, "..") {
			return self, nil
		}
	}
	return "", fmt.Errorf("%s may be changed by others: put the program below %s first", self, os.Getenv("ProgramFiles"))
}

// finishInstall has the service started again two seconds after any end that
// nobody asked for, also one that it reported itself. kardianos/service knows
// one action and not the second kind of end.
func finishInstall() error {
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("open the service manager: %w", err)
	}
	defer m.Disconnect()
	s, err := m.OpenService(serviceName)
	if err != nil {
		return fmt.Errorf("open the service: %w", err)
	}
	defer s.Close()
	again := mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: 2 * time.Second}
	return errors.Join(s.SetRecoveryActions([]mgr.RecoveryAction{again, again, again}, 24*60*60), s.SetRecoveryActionsOnNonCrashFailures(true))
}

// forgetEnrolment does nothing: enroll adds nothing to the service.
func forgetEnrolment() error { return nil }
