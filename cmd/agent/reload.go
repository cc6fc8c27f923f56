package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"meetguard/internal/agent"
	"meetguard/internal/config"
)

// reloader has a running agent take a changed configuration.
type reloader struct {
	in      config.Inputs
	agent   *agent.Agent
	manager *manager
	config  config.Config // as the agent has it
	log     *slog.Logger
}

// run reloads at each request until ctx ends.
func (r *reloader) run(ctx context.Context) {
	requests, stop := reloadRequests()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-requests:
			r.manager.reloading()
			r.reload(ctx)
			r.manager.live()
		}
	}
}

// reload takes what can be taken while events go on, and names the rest. What
// does not work changes nothing.
func (r *reloader) reload(ctx context.Context) {
	eff, err := config.LoadLayers(r.in)
	if err != nil {
		r.log.Error("Configuration not reloaded", "err", oneLine(err.Error()))
		return
	}
	tellManaged(eff, r.log)
	var taken, restart []string
	next := r.config
	for _, key := range config.Changed(r.config, eff.Config) {
		if slices.Contains(agent.Reloadable(), key) {
			taken = append(taken, key)
		} else {
			restart = append(restart, key)
		}
	}
	next.Rules, next.ProcessRules, next.Anchors = eff.Config.Rules, eff.Config.ProcessRules, eff.Config.Anchors
	next.Abused, next.Brands, next.Friends = eff.Config.Abused, eff.Config.Brands, eff.Config.Friends
	next.Notify = eff.Config.Notify
	argv, err := workerArgs(next)
	if err == nil {
		err = r.agent.Reload(ctx, next, argv)
	}
	if err != nil {
		r.log.Error("Configuration not reloaded", "err", oneLine(err.Error()))
		return
	}
	r.config = next
	r.log.Info("Configuration reloaded", "changed", strings.Join(taken, " "), "needs_restart", strings.Join(restart, " "))
}

// tellManaged logs what the managed layer overrules and what of it was refused.
func tellManaged(eff config.Effective, log *slog.Logger) {
	for _, name := range eff.Over {
		log.Warn("Locked by a managed setting", "given", name)
	}
	for _, r := range eff.Refused {
		log.Warn("Managed setting refused", "key", r.Key, "from", r.From, "why", r.Why)
	}
}
