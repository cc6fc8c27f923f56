package agent

import (
	"os"
	"strings"

	"meetguard"
	"meetguard/internal/config"
)

// loose names what a root agent reads and others than root may write: whoever
// can write there decides what the agent judges by.
func loose(cfg config.Config, configFile string) (why []string) {
	if os.Geteuid() != 0 {
		return nil // what a user's own agent reads is that user's; Windows has no such number, and its folders are the installer's
	}
	for _, p := range []struct{ what, path string }{
		{"configuration", configFile}, {"rules", cfg.Rules}, {"process_rules", cfg.ProcessRules}, {"anchors", cfg.Anchors}, {"abused", cfg.Abused},
	} {
		if p.path == "" {
			continue
		}
		if err := config.Guarded(p.path); err != nil {
			why = append(why, p.what+": "+err.Error())
		}
	}
	return why
}

// settings tells what of the managed layer could not be used, and which
// settings are not the administrator's alone.
func (a *Agent) settings() []meetguard.SourceStatus {
	a.judging.RLock()
	open := a.loose
	a.judging.RUnlock()
	var why []string
	for _, r := range a.opts.Refused {
		why = append(why, strings.TrimPrefix(r.Key+": ", ": ")+r.Why)
	}
	var parts []string
	if len(why) > 0 {
		parts = append(parts, "managed settings refused: "+strings.Join(why, "; "))
	}
	if len(open) > 0 {
		parts = append(parts, "not the administrator's alone: "+strings.Join(open, "; "))
	}
	if len(parts) == 0 {
		return nil
	}
	return []meetguard.SourceStatus{{Name: "settings", State: meetguard.SourceDegraded, Detail: strings.Join(parts, "; ")}}
}
