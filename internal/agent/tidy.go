package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"

	"meetguard"
)

// reOwn is every name that the agent gives to a file in its state folder, those
// that a file has for a moment among them.
var reOwn = regexp.MustCompile(`^(alerts(-[0-9]{12,20})?\.jsonl|alerts\.(lock|uids|reserve)|acks\.jsonl|journal(\.new)?|(cursor|device|host|status|notices)\.json(\.tmp)?)$`)

// asideMost is how many things of one name are set aside.
const asideMost = 100

// keepsake is what the status tells of the state folder as this start found it.
type keepsake struct {
	mu   sync.Mutex
	told []string
}

func (k *keepsake) tell(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.told = append(k.told, fmt.Sprintf(format, args...))
}

// sources is the line of the status, none if everything was as it should be.
func (k *keepsake) sources() []meetguard.SourceStatus {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.told) == 0 {
		return nil
	}
	return []meetguard.SourceStatus{{Name: "state folder", State: meetguard.SourceDegraded, Detail: "found at the start: " + strings.Join(k.told, "; ")}}
}

// tidy sets aside whatever bears the name of one of the agent's files in the state
// folder and is none, or that of the canary's folder and is no folder: a link that
// would lead writing elsewhere, a pipe that would hold the start up, a folder that
// would refuse to be replaced. It keeps everything, under another name, and says
// so. lived is true if an agent has worked with this folder before. A folder that
// cannot be tidied is told by whatever cannot be opened there.
func (k *keepsake) tidy(state string, log *slog.Logger) (lived bool) {
	if info, err := os.Lstat(state); err != nil || !info.IsDir() {
		return false
	}
	root, err := os.OpenRoot(state)
	if err != nil {
		return false
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return false
	}
	for _, e := range entries {
		name := e.Name()
		lived = lived || name == statusFile || name == noticeDiary
		if reOwn.MatchString(name) == e.Type().IsRegular() && (name == canaryFolder) == e.IsDir() {
			continue
		}
		if !reOwn.MatchString(name) && name != canaryFolder {
			continue
		}
		aside, err := setAside(root, name)
		if err != nil {
			log.Error("Could not set aside what bears the name of a state file", "name", name, "err", err)
			continue
		}
		log.Warn("Set aside what bore the name of a state file", "name", name, "kind", kindOf(e.Type()), "to", aside)
		k.tell("%s was %s, it is %s now", name, kindOf(e.Type()), aside)
	}
	return lived
}

// setAside gives something another name. A link is renamed, not followed.
func setAside(root *os.Root, name string) (string, error) {
	for n := 1; n <= asideMost; n++ {
		to := fmt.Sprintf("%s.aside-%d", name, n)
		if _, err := root.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			return to, root.Rename(name, to)
		}
	}
	return "", fmt.Errorf("there are %d already; remove them", asideMost)
}
