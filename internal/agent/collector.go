package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"meetguard"
	"meetguard/internal/alert"
	"meetguard/internal/config"
	"meetguard/internal/device"
	"meetguard/signatures"
)

// openDevice prepares who this agent is to the collector.
func openDevice(cfg config.Config, host meetguard.Host, version string, log *slog.Logger) (*device.Device, error) {
	name, _ := alert.SafeText(host.Name)
	return device.New(device.Config{
		State: cfg.State, Collector: cfg.Collector, Trust: cfg.CollectorCA, TokenFile: cfg.EnrollTokenFile,
		Certificate: cfg.ClientCertificate, Key: cfg.ClientKey,
		Labels:  device.Labels{UID: host.UID, Hostname: name, OS: host.OS, Version: version, RulesVersion: signatures.Version()},
		Machine: device.ThisMachine(), Logger: log,
	})
}

// openSender prepares the delivery, if there is a collector.
func (a *Agent) openSender() (err error) {
	if a.nobody != nil {
		a.log.Error("Alerts stay on this machine", "err", a.nobody)
	}
	cfg := a.opts.Config
	if cfg.Collector == "" {
		return nil
	}
	if a.device, err = openDevice(cfg, a.host, a.opts.Version, a.log); err != nil {
		return err
	}
	machine := device.ThisMachine()
	a.sender, err = alert.NewSender(alert.SenderConfig{URL: cfg.Collector, Log: a.alerts, Host: a.host, Product: a.product, Client: a.device.Client(),
		Logger: a.log, Status: func() any { return a.status() }, Asked: a.heartbeat, Machine: machine.ID, Boot: machine.Boot})
	return err
}

// findCollector takes the collector that this agent is enrolled at if the
// configuration names none. An identity that cannot be read is told by the
// status: watching does not depend on it.
func (a *Agent) findCollector() {
	if a.opts.Config.Collector != "" {
		return
	}
	a.opts.Config.Collector, a.nobody = device.Collector(a.opts.Config.State)
}

// delivery tells how it stands with the collector.
func (a *Agent) delivery() []meetguard.SourceStatus {
	if a.sender != nil {
		return []meetguard.SourceStatus{a.sender.Health(), a.device.Health()}
	}
	if a.nobody != nil {
		return []meetguard.SourceStatus{{Name: "identity", State: meetguard.SourceDegraded, Detail: a.nobody.Error() + "; enrol this machine again with `meetguard enroll`"}}
	}
	if a.alerts.Counters().Acked > 0 {
		return []meetguard.SourceStatus{{Name: "identity", State: meetguard.SourceDegraded,
			Detail: "alerts were delivered to a collector before, and no collector and no identity (device.json) is known now; enrol this machine again with `meetguard enroll`, or name the key collector"}}
	}
	return nil
}

// Enrol enrols this machine at the collector that cfg names, in the place of any
// identity it had. A running agent on the same state folder takes the new one by
// itself. The result is what Health says then.
func Enrol(ctx context.Context, cfg config.Config, version, token string, log *slog.Logger) (string, error) {
	if err := os.MkdirAll(cfg.State, 0o700); err != nil {
		return "", fmt.Errorf("make state folder: %w", err)
	}
	host, _, err := identify(cfg.State)
	if err != nil {
		return "", err
	}
	if cfg.ClientCertificate != "" {
		return "", errors.New("the configuration has a client_certificate: such a machine need not enrol")
	}
	d, err := openDevice(cfg, host, version, log)
	if err != nil {
		return "", err
	}
	if err := d.Enrol(ctx, token); err != nil {
		return "", err
	}
	return d.Health().Detail, nil
}
