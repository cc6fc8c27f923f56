package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"meetguard"
)

// Canary has the agent prove to itself, again and again, that it detects: it
// drops the test lure into a folder of its own below the state folder and makes
// a test launch, and both must come back through the same sources, inspection
// and judgement as everything else. Neither becomes an alert. See
// docs/service.md.
type Canary struct {
	Every  time.Duration // from one proof to the next; 0: none is made
	Limit  time.Duration // within which a proof has to come
	Launch []string      // argv of what makes the test launch, without the word that names it; nil: launches are not proved

	Proved func(how string) // called after each proof
	Failed func(why string) // called when there was none: the agent is alive and blind
}

const (
	// canaryFolder lies in the state folder. Only what is there and is nothing but
	// the test lure is kept from becoming an alert.
	canaryFolder = "canary"
	// canaryWord begins the word of every test launch of a canary, and no other.
	canaryWord = "canary-"
	// canaryPatience is how many limits a proof may wait behind files or launches
	// that are being judged: a burst is no failure, an endless one is.
	canaryPatience = 10
	// canarySave is how long the status may take to be written before a failure is
	// told: what hangs may hold what the status needs.
	canarySave = 2 * time.Second
)

// canary is the running Canary, which lives in the private folder.
type canary struct {
	Canary
	dir string

	mu     sync.Mutex
	flight *flight // the one under way
	status meetguard.SourceStatus
}

// flight is one drop and one launch. A channel is closed when its part came back.
type flight struct {
	word         string
	file, launch chan struct{}
	began        time.Time
}

func newFlight() (*flight, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, fmt.Errorf("name a proof: %w", err)
	}
	return &flight{word: canaryWord + hex.EncodeToString(b[:]), file: make(chan struct{}), launch: make(chan struct{}), began: time.Now()}, nil
}

// openPrivate makes the folder that the agent watches for itself, and takes out
// what a killed agent left there. It is the canary's, and that of whoever asks how
// the agent is, see ask. An agent without a canary does without it if need be.
func (a *Agent) openPrivate() error {
	dir, err := makePrivate(a.opts.Config.State)
	if a.opts.Canary.Every <= 0 {
		if err != nil {
			a.log.Debug("Nobody can ask how the agent is", "err", err)
			return nil
		}
		a.private = dir
		return nil
	}
	if err != nil {
		return err
	}
	a.private, a.canary = dir, &canary{Canary: a.opts.Canary, dir: dir}
	a.canary.tell(meetguard.SourceOK, "the first proof is under way")
	return nil
}

func makePrivate(state string) (dir string, err error) {
	if state, err = filepath.Abs(state); err != nil {
		return "", fmt.Errorf("find the folder of the canary: %w", err)
	}
	dir = filepath.Join(state, canaryFolder)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("make the folder of the canary: %w", err)
	}
	if fi, err := os.Lstat(dir); err != nil || !fi.IsDir() {
		return "", fmt.Errorf("use the folder of the canary: %s is no folder; remove it", dir)
	}
	for _, word := range []string{canaryWord, askWord} {
		left, err := filepath.Glob(filepath.Join(dir, word+"*"))
		for _, path := range left {
			err = errors.Join(err, os.Remove(path))
		}
		if err != nil {
			return "", fmt.Errorf("empty the folder of the canary: %w", err)
		}
	}
	return dir, nil
}

// owns tells whether a file that landed may be the canary.
func (c *canary) owns(path string) bool { return c != nil && filepath.Dir(path) == c.dir }

// landed takes a file of the canary's folder, if it is the test lure and nothing
// else: what somebody else puts there is judged as anywhere.
func (c *canary) landed(path string, v meetguard.Verdict) bool {
	if !onlyTest(v) {
		return false
	}
	word, _, _ := strings.Cut(filepath.Base(path), ".")
	c.came(word, func(p *flight) chan struct{} { return p.file })
	return true
}

// launched takes the test launch of the proof under way.
func (c *canary) launched(word string) bool {
	return c != nil && c.came(word, func(p *flight) chan struct{} { return p.launch })
}

// came closes the channel of one part, if word names the proof under way.
func (c *canary) came(word string, part func(*flight) chan struct{}) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight == nil || c.flight.word != word {
		return false
	}
	if ch := part(c.flight); !done(ch) {
		close(ch)
	}
	return true
}

func done(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func onlyTest(v meetguard.Verdict) bool {
	return len(v.Findings) == 1 && v.Findings[0].Rule == RuleTest
}

func (c *canary) tell(state meetguard.SourceState, detail string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = meetguard.SourceStatus{Name: "canary", State: state, Detail: detail}
}

// sources is the line of the status.
func (c *canary) sources() []meetguard.SourceStatus {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return []meetguard.SourceStatus{c.status}
}

// proveOnce makes one proof and tells what came of it. What could not even be
// tried because the volume takes no more is told as failed, but not to Failed:
// a new start would not mend it, and files are still seen.
func (a *Agent) proveOnce(ctx context.Context) {
	c := a.canary
	how, err := a.tryCanary(ctx)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		c.tell(meetguard.SourceOK, how)
		c.Proved(how)
	case volumeRefuses(err):
		c.tell(meetguard.SourceFailed, "no proof could be made: "+reason(err))
		a.log.Error("Canary could not be dropped", "err", err)
	default:
		c.tell(meetguard.SourceFailed, err.Error())
		a.log.Error("Canary failed", "err", err)
		a.saveStatusWithin(canarySave)
		c.Failed(err.Error())
	}
}

// saveStatusWithin does not wait for a lock that something hung may hold.
func (a *Agent) saveStatusWithin(d time.Duration) {
	saved := make(chan struct{})
	go func() {
		a.saveStatus()
		close(saved)
	}()
	select {
	case <-saved:
	case <-time.After(d):
	}
}

func (a *Agent) tryCanary(ctx context.Context) (how string, err error) {
	p, err := newFlight()
	if err != nil {
		return "", err
	}
	a.canary.begin(p)
	defer a.canary.begin(nil)
	path, err := dropCanary(a.canary.dir, p.word)
	if err != nil {
		return "", err
	}
	defer os.Remove(path)
	launched, end, err := a.launchCanary(ctx, p)
	if err != nil {
		return "", err
	}
	defer end()
	if err := a.await(ctx, p); err != nil {
		return "", err
	}
	how = fmt.Sprintf("a file and a launch came back in %s", time.Since(p.began).Round(time.Millisecond))
	if !launched {
		how = fmt.Sprintf("a file came back in %s; launches were not tried", time.Since(p.began).Round(time.Millisecond))
	}
	return how, nil
}

func (c *canary) begin(p *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight = p
}

// dropCanary writes the test lure as browsers write: under a temporary name,
// then renamed.
func dropCanary(dir, word string) (string, error) {
	path := filepath.Join(dir, word+".txt")
	part := filepath.Join(dir, word+".part")
	err := os.WriteFile(part, []byte(TestLure), 0o600)
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		_ = os.Remove(part)
		return "", fmt.Errorf("drop the canary: %w", err)
	}
	return path, nil
}

// launchCanary makes the test launch, unless launches are not looked at or are
// known not to be seen. end ends it.
func (a *Agent) launchCanary(ctx context.Context, p *flight) (made bool, end func(), err error) {
	if len(a.canary.Launch) == 0 || !a.seesLaunches() {
		close(p.launch)
		return false, func() {}, nil
	}
	argv := append(a.canary.Launch[:len(a.canary.Launch):len(a.canary.Launch)], p.word)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second
	cmd.Stderr = &bytes.Buffer{}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return false, nil, fmt.Errorf("launch the canary: %w", err)
	}
	return true, func() {
		in.Close() // its end: it ends its child, and then itself
		kill := time.AfterFunc(time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		kill.Stop()
	}, nil
}

func (a *Agent) seesLaunches() bool {
	return a.launches != nil && a.launches.Status().State != meetguard.SourceFailed
}

// await waits for both parts. While what is before a missing part is being
// judged it waits on, and counts that as a proof: a burst of downloads must not
// look like a hang.
func (a *Agent) await(ctx context.Context, p *flight) error {
	for turn, seen := 1, a.progress(p); ; turn++ {
		if back, err := p.wait(ctx, a.canary.Limit); back || err != nil {
			return err
		}
		now := a.progress(p)
		if now == seen || turn >= canaryPatience {
			return a.missing(p)
		}
		seen = now
		a.canary.Proved("waiting behind what is being judged")
	}
}

// wait waits for both parts, at most for d.
func (p *flight) wait(ctx context.Context, d time.Duration) (back bool, err error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for _, part := range []chan struct{}{p.file, p.launch} {
		select {
		case <-part:
		case <-timer.C:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	return true, nil
}

// progress counts what was judged of the kind whose part is missing. Files that
// could not be read are no progress.
func (a *Agent) progress(p *flight) uint64 {
	if done(p.file) {
		return a.counts.launchesJudged.Load()
	}
	return a.counts.read.Load()
}

// missing says what did not come back, nil if it is the launch and its source
// has found out meanwhile that it sees none.
func (a *Agent) missing(p *flight) error {
	waited := time.Since(p.began).Round(time.Second)
	switch {
	case !done(p.file):
		return fmt.Errorf("a file that was dropped for a test did not come back within %s: the agent runs and does not detect", waited)
	case a.seesLaunches():
		return fmt.Errorf("a program that was started for a test did not come back within %s: the agent runs and does not see launches", waited)
	}
	return nil
}
