package agent

import (
	"context"
	"fmt"

	"meetguard/internal/config"
)

// Reloadable lists the keys of the configuration that Reload takes. The others
// belong to parts that would lose events if they were opened anew.
func Reloadable() []string {
	return []string{"rules", "process_rules", "anchors", "abused", "brands", "friends", "notify"}
}

// Reload judges from now on with the rules, anchors, brands and friends of cfg,
// and tells persons of it as cfg says; worker is the argv of a worker that reads
// them. No event is lost: the sources go on, and what they see waits for the end
// of one inspection. If anything is wrong the agent goes on as it was.
func (a *Agent) Reload(ctx context.Context, cfg config.Config, worker []string) error {
	next, err := NewInspector(InspectorConfig{Command: worker, Unboxed: Unboxed(worker), Workers: a.opts.Config.Workers, Spare: spareWorkers, Log: a.log})
	if err != nil {
		return err
	}
	count, err := prepareInspector(ctx, next, cfg, a)
	if err == nil {
		err = a.notices.configure(cfg)
	}
	if err != nil {
		next.Close()
		return fmt.Errorf("reload: %w; the agent goes on as it was", err)
	}
	next.folders = a.roots
	open := loose(cfg, a.opts.File)
	a.judging.Lock()
	old := a.insp
	a.insp, a.rules = next, count
	a.own, a.loose = ownRules(cfg), open
	a.spent = a.spent.Plus(old.pool.Deaths())
	a.judging.Unlock()
	old.Close()
	a.touch()
	return nil
}

// prepareInspector gives an inspector what to judge by, proves that its worker
// starts and its rules compile, and counts them.
func prepareInspector(ctx context.Context, in *Inspector, cfg config.Config, a *Agent) (int, error) {
	if err := in.Configure(cfg, a.log); err != nil {
		return 0, err
	}
	harmless := rehearsalFile()
	if err := in.settle(ctx, harmless.request, harmless); err != nil {
		return 0, err
	}
	rules, err := in.Rules(ctx)
	if err != nil {
		return 0, err
	}
	launchRules, err := in.sigma.list()
	if err != nil {
		return 0, err
	}
	return len(rules) + len(launchRules), nil
}
