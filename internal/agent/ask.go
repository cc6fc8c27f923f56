package agent

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Asking how the agent is: whoever may read its state folder puts a file into the
// folder that it watches for itself, and it writes its status. So it need not
// write one each minute in case somebody looks, what it says is of this moment, and
// that it says something proves that it sees files.
const (
	askWord     = "ask-"
	askAfter    = 2 * time.Second // a status that old is not of this moment
	askPatience = 3 * time.Second // for the answer
	askLook     = 10 * time.Millisecond
	silentMost  = 3 * time.Minute  // an agent whose status is that old, and who does not answer, hangs
	unaskedMost = 15 * time.Minute // the same if it could not be asked: longer than a pulse and its canary take
)

// asked tells whether a file that landed is nothing but a question.
func (a *Agent) asked(path string) bool {
	return a.private != "" && filepath.Dir(path) == a.private && strings.HasPrefix(filepath.Base(path), askWord)
}

// hangs judges an agent by the age of its status, and by whether it was asked for
// a new one just before.
func hangs(age time.Duration, asked bool) bool {
	if asked {
		return age > silentMost
	}
	return age > unaskedMost
}

// ask has the agent write its status, takes that over if it comes in time, and
// tells whether the agent could be asked. Of one that is hindered not much is hoped
// for.
func ask(state string, s *Status, hindered bool) (asked bool) {
	root, err := os.OpenRoot(state) // it may belong to another account than this process
	if err != nil {
		return false
	}
	defer root.Close()
	name := filepath.Join(canaryFolder, askWord+rand.Text())
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false
	}
	defer root.Remove(name)
	_, err = f.WriteString("?") // an empty file is one that is still to be written
	if closed := f.Close(); err != nil || closed != nil {
		return false
	}
	for end := time.Now().Add(patience(s, hindered)); time.Now().Before(end); time.Sleep(askLook) {
		if now, err := lastStatus(state); err == nil && now.Updated.After(s.Updated) {
			*s = now
			break
		}
	}
	return true
}

// patience is longest where no answer means that the agent hangs.
func patience(s *Status, hindered bool) time.Duration {
	switch {
	case hindered:
		return askPatience / 3
	case time.Since(s.Updated) > silentMost:
		return 3 * askPatience
	}
	return askPatience
}
