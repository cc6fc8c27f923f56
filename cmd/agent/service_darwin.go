package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/kardianos/service"

	"meetguard/installer"
)

const (
	serviceName = "com.meetguard.agent"
	logHint     = "`log show --last 5m --predicate 'process == \"meetguard\"'` says why"

	plistFile = "/Library/LaunchDaemons/" + serviceName + ".plist"
)

// serviceConfig is the property list of the package with another program, "" for
// its own.
func serviceConfig(program string) *service.Config {
	plist := installer.Plist
	if program != "" {
		plist = strings.ReplaceAll(plist, installer.ProgramMac, "{{Path | html}}")
	}
	return &service.Config{Name: serviceName, DisplayName: "meetguard", Description: "Catches fake meeting software before it runs",
		Executable: program, Option: service.KeyValue{"LaunchdConfig": plist}}
}

func knownManager() error { return nil }

func permitted(verb string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("that needs root: sudo meetguard service %s", verb)
	}
	return nil
}

func prepareInstall() error { return nil }

// forgetInstall takes out what an install that did not end has left.
func forgetInstall() { _ = os.Remove(plistFile) }

// finishInstall gives the property list the mode that launchd asks for,
// whatever the umask took from it.
func finishInstall() error { return os.Chmod(plistFile, 0o644) }

// forgetEnrolment does nothing: enroll adds nothing to the service.
func forgetEnrolment() error { return nil }
