package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/kardianos/service"

	"meetguard/installer"
)

const (
	serviceName = "meetguard"
	logHint     = "`journalctl -u meetguard -n 20` says why"

	unitFile    = "/etc/systemd/system/meetguard.service"
	packageUnit = "/lib/systemd/system/meetguard.service" // /lib leads to /usr/lib
)

// serviceConfig is the unit of the packages with another program, "" for theirs.
func serviceConfig(program string) *service.Config {
	unit := installer.Unit
	if program != "" {
		unit = strings.ReplaceAll(unit, installer.Program, "{{Path | cmdEscape}}")
	}
	return &service.Config{Name: serviceName, DisplayName: serviceName, Description: "Catches fake meeting software before it runs",
		Executable: program, Option: service.KeyValue{"SystemdScript": unit}}
}

func knownManager() error {
	if service.Platform() != "linux-systemd" {
		return errors.New("this machine is not run by systemd: have its own service manager start `meetguard run --service`, and again whenever it ends")
	}
	return nil
}

func permitted(verb string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("that needs root: sudo meetguard service %s", verb)
	}
	return nil
}

// prepareInstall makes the account that the unit runs as.
func prepareInstall() error {
	if _, err := os.Stat(packageUnit); err == nil {
		return fmt.Errorf("the package brings the service: systemctl enable --now %s", serviceName)
	}
	cmd := exec.Command("systemd-sysusers", "-")
	cmd.Stdin = strings.NewReader(installer.Sysusers)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the account meetguard: %w: %s", err, oneLine(strings.TrimSpace(string(out))))
	}
	return nil
}

// forgetInstall takes out the unit that an install which did not end has left.
func forgetInstall() { _ = os.Remove(unitFile) }

// finishInstall mends what the umask took from the unit, which everybody may
// read.
func finishInstall() error { return os.Chmod(unitFile, 0o644) }

// forgetEnrolment takes out what enroll added to the unit.
func forgetEnrolment() error {
	err := os.Remove(dropInFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	_ = os.Remove(dropInFolder) // unless an administrator put something there
	return err
}
