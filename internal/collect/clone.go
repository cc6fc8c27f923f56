package collect

import (
	"context"
	"sync"

	"meetguard/internal/store"
)

// cloneWatch remembers the last two boots of each agent. A machine that boots
// again has a new boot id and never the old one; an identity whose boot id goes
// from A to B and back to A is used on two machines.
type cloneWatch struct {
	mu    sync.Mutex
	boots map[string][2]string // agent uid: the boot before, the last one
}

func newCloneWatch() *cloneWatch { return &cloneWatch{boots: map[string][2]string{}} }

// seen notes a boot id and tells whether it came back.
func (c *cloneWatch) seen(uid, boot string) bool {
	if boot == "" {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.boots[uid]
	if last[1] == boot {
		return false
	}
	c.boots[uid] = [2]string{last[1], boot}
	return last[0] == boot
}

// watchClone looks for two machines behind one identity: by the machine id that
// it enrolled with, and by boot ids for machines whose ids were copied too. The
// alerts of both are taken: nothing is lost by it. The agent is shown as cloned
// until somebody restores or revokes it.
func (s *Server) watchClone(ctx context.Context, a store.AgentStatus, beat *store.Beat) ([]breach, error) {
	found := s.cloneOf(a, beat)
	if len(found) == 0 || a.State != store.AgentActive {
		return found, nil
	}
	_, err := s.store.SetState(ctx, store.Everything, []string{a.UID}, store.AgentCloned, s.now())
	return found, err
}

func (s *Server) cloneOf(a store.AgentStatus, beat *store.Beat) []breach {
	if beat == nil || a.UID == "" {
		return nil
	}
	switch {
	case a.MachineID != "" && beat.MachineID != "" && a.MachineID != beat.MachineID:
		return []breach{{ruleClone, "machine " + beat.MachineID,
			"It enrolled on one machine and now reports from another one, " + cut(beat.MachineID, 12) + "…: the machine was copied with its agent, or the key was."}}
	case s.clones.seen(a.UID, beat.BootID):
		return []breach{{ruleClone, "boot " + beat.BootID,
			"It reports from two running machines in turn: their boot ids alternate."}}
	}
	return nil
}
