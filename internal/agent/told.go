package agent

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"meetguard"
	"meetguard/internal/alert"
	"meetguard/internal/config"
	"meetguard/internal/health"
	"meetguard/signatures"
)

// Source is one source with what a reader needs beside its state.
type Source struct {
	meetguard.SourceStatus
	Since time.Time `json:"since,omitzero"` // from when the state has been what it is
	Do    string    `json:"do,omitempty"`   // what to do, if it is not ok
}

// Folder is one watched folder. It is told on this machine only.
type Folder struct {
	Path  string                `json:"path"`
	User  string                `json:"user,omitempty"` // who owns it
	State meetguard.SourceState `json:"state"`
	Since time.Time             `json:"since,omitzero"`
	Why   string                `json:"detail,omitempty"`
	Do    string                `json:"do,omitempty"`
}

// foldersEvery is how often the folders are looked at, at most: a status is
// written much more often.
const foldersEvery = time.Minute

// memory keeps from when each source has been in its state.
type memory struct {
	mu      sync.Mutex
	since   map[string]remembered
	folders []Folder
	looked  time.Time
}

type remembered struct {
	state meetguard.SourceState
	at    time.Time
}

// from is when a source came into its state. The caller holds m.mu.
func (m *memory) from(name string, state meetguard.SourceState, now time.Time) time.Time {
	if m.since == nil {
		m.since = map[string]remembered{}
	}
	if r, ok := m.since[name]; ok && r.state == state {
		return r.at
	}
	m.since[name] = remembered{state, now}
	return now
}

// tell adds to each source from when and what to do.
func (m *memory) tell(sources []meetguard.SourceStatus) []Source {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now().UTC().Truncate(time.Second)
	out := make([]Source, len(sources))
	for i, s := range sources {
		out[i] = Source{SourceStatus: s, Since: m.from(s.Name, s.State, now), Do: health.Advice(s, runtime.GOOS)}
	}
	return out
}

// look tells whether each folder can be listed.
func (m *memory) look(roots []string) []Folder {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); now.Sub(m.looked) >= foldersEvery {
		m.looked, m.folders = now, nil
		for _, root := range roots {
			f := lookAt(root)
			f.Since = m.from("folder "+root, f.State, now.UTC().Truncate(time.Second))
			m.folders = append(m.folders, f)
		}
	}
	return m.folders
}

func lookAt(root string) Folder {
	shown, _ := alert.SafeText(root)
	f := Folder{Path: shown, State: meetguard.SourceOK}
	d, err := os.Open(root)
	if err == nil {
		defer d.Close()
		if fi, err := d.Stat(); err == nil {
			f.User = ownerOf(fi)
		}
		_, err = d.ReadDir(1)
		if err != nil && err.Error() == "EOF" {
			err = nil // an empty folder
		}
	}
	if err != nil {
		f.State, f.Why = meetguard.SourceFailed, reason(err)
		f.Do = health.Advice(meetguard.SourceStatus{Name: "folder", State: f.State, Detail: f.Why}, runtime.GOOS)
	}
	return f
}

// knowledge tells what files and launches are judged by.
func (a *Agent) knowledge() []meetguard.SourceStatus {
	a.judging.RLock()
	count, own := a.rules, a.own
	a.judging.RUnlock()
	rules := meetguard.SourceStatus{Name: "rules", State: meetguard.SourceOK, Detail: fmt.Sprintf("%d rules, version %s%s", count, a.product.RulesVersion, own.rules)}
	if age, old := health.RulesAge(signatures.Version(), time.Now()); old {
		rules.State = meetguard.SourceDegraded
		rules.Detail += fmt.Sprintf("; they are %d days old", age)
	}
	return []meetguard.SourceStatus{
		{Name: "signatures", State: meetguard.SourceOK, Detail: "trust anchors inside the program" + own.anchors},
		rules,
	}
}

// owned says in words what an operator added.
type owned struct{ rules, anchors string }

func ownRules(cfg config.Config) (o owned) {
	var rules []string
	if cfg.Rules != "" {
		rules = append(rules, "YARA")
	}
	if cfg.ProcessRules != "" {
		rules = append(rules, "Sigma")
	}
	if len(rules) > 0 {
		o.rules = ", with own ones in " + strings.Join(rules, " and ")
	}
	if cfg.Anchors != "" {
		o.anchors = " and those of the operator"
	}
	if cfg.Abused != "" {
		o.anchors += ", with a list of abused certificates"
	}
	return o
}
