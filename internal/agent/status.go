package agent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"time"

	"meetguard"
	"meetguard/internal/health"
)

// Names in the state folder.
const (
	hostFile   = "host.json"
	statusFile = "status.json"
)

// statusDelay is how long news are gathered before they are written, and
// statusLater how long when there is no other news than that something was clean:
// there is no end of that, and writing takes longer than judging does. Without
// news the status is written with each pulse and each heartbeat, and for whoever
// asks.
const (
	statusDelay = 200 * time.Millisecond
	statusLater = 2 * time.Second
)

// Status is what `meetguard status --json` prints.
type Status struct {
	Sources  []Source          `json:"sources"`
	Folders  []Folder          `json:"folders,omitempty"` // told on this machine only
	Rules    StatusRules       `json:"rules"`
	Counters map[string]uint64 `json:"counters"`
	Spool    StatusSpool       `json:"spool"`
	PID      int               `json:"pid"`
	Version  string            `json:"version"`
	Updated  time.Time         `json:"updated"`

	Late *StatusLate `json:"launch_alerts,omitempty"` // nil before the first

	Process *StatusProcess `json:"process,omitempty"` // told on this machine only

	Ended bool `json:"ended,omitempty"` // the agent was told to end, and did

	LaunchesOff bool `json:"launches_off,omitempty"` // switched off in the configuration

	Silent string `json:"silent,omitempty"` // set by ReadStatus: why the agent says nothing any more
}

// StatusRules tells the rules in use.
type StatusRules struct {
	Version string `json:"version"`
	Count   int    `json:"count"`
}

// StatusSpool tells what the collector has and has not.
type StatusSpool struct {
	Pending uint64 `json:"pending"`
	Acked   uint64 `json:"acked"`
	Dropped uint64 `json:"dropped"`
}

// StatusProcess tells what the agent's own process holds; its workers are others.
type StatusProcess struct {
	Goroutines uint64 `json:"goroutines"`
	HeapBytes  uint64 `json:"heap_bytes"`      // in use: objects, and what is free beside them
	LiveBytes  uint64 `json:"heap_live_bytes"` // that the last collection of garbage found in use
}

// readProcess stops nothing, unlike runtime.ReadMemStats.
func readProcess() *StatusProcess {
	s := []metrics.Sample{{Name: "/sched/goroutines:goroutines"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return &StatusProcess{Goroutines: s[0].Value.Uint64(), HeapBytes: s[1].Value.Uint64() + s[2].Value.Uint64(), LiveBytes: s[3].Value.Uint64()}
}

// Failed says whether any source sees nothing.
func (s Status) Failed() bool {
	for _, src := range s.Sources {
		if src.State == meetguard.SourceFailed {
			return true
		}
	}
	return false
}

func (a *Agent) status() Status {
	a.judging.RLock()
	rules := a.rules
	a.judging.RUnlock()
	sources := a.files.Status()
	for i := range sources {
		a.shortage.over(&sources[i])
		a.sideline.over(&sources[i])
	}
	s := Status{Rules: StatusRules{a.product.RulesVersion, rules}, PID: os.Getpid(), Version: a.opts.Version, Updated: time.Now().UTC()}
	fc := a.files.Counters()
	s.Counters = map[string]uint64{
		"file_events": uint64(fc.FileEvents), "files_judged": a.counts.judged.Load(), "files_pending": uint64(fc.Pending + a.looking.Load() + int64(a.sideline.waiting())),
		"overflows": uint64(fc.Overflows), "relists": uint64(fc.Relists), "files_dropped": uint64(fc.Dropped), "special_files": uint64(fc.Special),
		"exec_events": a.counts.launches.Load(), "exec_pending": uint64(len(a.queue) + a.slow.waiting()), "exec_lost": 0,
		"incomplete": a.counts.incomplete.Load(), "alerts": a.counts.alerts.Load(), "repeated": a.counts.known.Load(), "folded": a.counts.folded.Load(),
		"notices": a.notices.told.Load(), "notices_failed": a.notices.failed.Load(),
	}
	ends := a.deaths()
	s.Counters["workers_killed"], s.Counters["workers_too_large"], s.Counters["workers_crashed"], s.Counters["workers_slow"] = ends.Killed, ends.Memory, ends.Crashed, ends.Slow
	if a.launches == nil {
		s.LaunchesOff = true
		sources = append(sources, meetguard.SourceStatus{Name: "launches", State: meetguard.SourceDegraded, Detail: "switched off in the configuration"})
	} else {
		launches := a.launches.Status()
		a.slow.over(&launches)
		sources = append(sources, launches)
		lc := a.launches.Counters()
		s.Counters["exec_lost"] = uint64(lc.ExecLost)
		s.Counters["exec_unread"] = uint64(lc.ExecUnread) // over before they could be looked at
		s.Counters["exec_cut"] = uint64(lc.ExecCut)       // known in part
	}
	if err := a.alerts.Trouble(); err != nil {
		sources = append(sources, meetguard.SourceStatus{Name: "alert log", State: meetguard.SourceFailed, Detail: err.Error()})
	}
	sources = slices.Concat(sources, a.logDamage(), a.keepsake.sources(), a.canary.sources(), a.knowledge(), []meetguard.SourceStatus{a.boxed()}, shortMemory(ends, time.Now()), a.before, a.settings(), a.delivery())
	for i := range sources {
		if why, broken := a.trouble.Load(sources[i].Name); broken {
			sources[i].State, sources[i].Detail = meetguard.SourceFailed, fmt.Sprint(why)
		}
	}
	s.Sources = a.memory.tell(sources)
	s.Late = a.late.status()
	c := a.alerts.Counters()
	s.Spool = StatusSpool{Pending: c.Pending, Acked: c.Acked}
	for _, n := range c.Dropped {
		s.Spool.Dropped += n
	}
	return s
}

// touch asks for the status to be written soon.
func (a *Agent) touch() {
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// stir asks for the status to be written before long.
func (a *Agent) stir() {
	select {
	case a.stirred <- struct{}{}:
	default:
	}
}

// writeStatus keeps the status file true soon after news.
func (a *Agent) writeStatus(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.changed:
			pause(ctx, statusDelay, nil)
		case <-a.stirred:
			if pause(ctx, statusLater, a.changed) {
				pause(ctx, statusDelay, nil)
			}
		}
		a.saveStatus()
	}
}

// pause waits until ctx ends, the time is over or there is news, and tells
// whether there was.
func pause(ctx context.Context, d time.Duration, news <-chan struct{}) bool {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	case <-news:
		return true
	}
	return false
}

// endedUnasked tells of an agent before this one that came to no end of its own: a
// kernel that lacks memory kills without a word, and whoever is started again would
// show a status that knows of nothing.
func endedUnasked(state string) []meetguard.SourceStatus {
	var s Status
	data, err := os.ReadFile(filepath.Join(state, statusFile))
	if err != nil || json.Unmarshal(data, &s) != nil || s.Ended || s.PID == 0 || s.Updated.IsZero() {
		return nil
	}
	return []meetguard.SourceStatus{{Name: "earlier", State: meetguard.SourceOK,
		Detail: fmt.Sprintf("the agent before this one told its state at %s and then ended without a word: it was killed, by the kernel for want of memory or by somebody, or the machine lost power", s.Updated.Format(time.RFC3339))}}
}

func (a *Agent) saveStatus() { a.saveStatusOf(false) }

func (a *Agent) saveStatusOf(ended bool) {
	a.statusMu.Lock()
	defer a.statusMu.Unlock()
	s := a.status()
	s.Ended = ended
	s.Folders, s.Process = a.memory.look(a.roots()), readProcess()
	if err := writeJSON(filepath.Join(a.opts.Config.State, statusFile), s); err != nil {
		a.log.Warn("Status not written", "err", err)
	}
}

// writeJSON replaces a file in one step. It is not synced: a status that is
// lost in a crash is one that was wrong.
func writeJSON(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	tmp := path + ".tmp"
	_ = os.Remove(tmp) // a link somebody put there must not be followed
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// ReadStatus asks the agent on this state folder how it is, and reads what it
// says. Of an agent that does not run any more, or does not answer, every source
// has failed: silence is not health.
func ReadStatus(state string) (Status, error) {
	s, err := lastStatus(state)
	if err != nil {
		return s, err
	}
	if !alive(s.PID) {
		s.fail(fmt.Sprintf("the agent does not run; it was last seen at %s", s.Updated.Format(time.RFC3339)))
		return s, nil
	}
	why := hindrances(s.PID, state)
	asked := time.Since(s.Updated) > askAfter && ask(state, &s, len(why) > 0)
	if age := time.Since(s.Updated); hangs(age, asked) {
		s.fail(fmt.Sprintf("the agent hangs: its status is %s old%s", age.Round(time.Second), prefixed("; ", strings.Join(why, "; "))))
		return s, nil
	}
	s.hinder(why)
	return s, nil
}

// lastStatus is what the agent wrote last.
func lastStatus(state string) (Status, error) {
	var s Status
	data, err := os.ReadFile(filepath.Join(state, statusFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("no agent has run with the state folder %s: start one with `meetguard run`, or name its folder with --state", state)
	}
	if err != nil {
		return s, fmt.Errorf("read the status: %w", err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("read the status: %w", err)
	}
	return s, nil
}

// hinder adds what can be seen from outside of why the agent may not work as it
// says: what keeps it from working keeps it from saying so as well.
func (s *Status) hinder(why []string) {
	if len(why) == 0 {
		return
	}
	src := meetguard.SourceStatus{Name: "system", State: meetguard.SourceDegraded, Detail: strings.Join(why, "; ")}
	s.Sources = append(s.Sources, Source{SourceStatus: src, Do: health.Advice(src, runtime.GOOS)})
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func (s *Status) fail(why string) {
	s.Silent = why
	for i := range s.Sources {
		s.Sources[i].State, s.Sources[i].Detail = meetguard.SourceFailed, why
		s.Sources[i].Since, s.Sources[i].Do = s.Updated, "start the agent again, and see why it ended in the log of the service"
	}
}

// identify gives this machine's identity, making one at the first start. The
// name is a label; the identity is random and says nothing of the machine.
func identify(state string) (h meetguard.Host, made bool, err error) {
	h.OS = runtime.GOOS
	h.Name, _ = os.Hostname()
	var kept struct {
		UID string `json:"uid"`
	}
	path := filepath.Join(state, hostFile)
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err == nil && len(kept.UID) == 36 {
		h.UID = kept.UID
		return h, false, nil
	}
	if h.UID, err = newUID(); err != nil {
		return h, false, err
	}
	kept.UID = h.UID
	if err := writeJSON(path, kept); err != nil {
		return h, false, fmt.Errorf("keep the identity of this machine: %w", err)
	}
	return h, true, nil
}

// newUID makes a random UUID, version 4 (RFC 9562).
func newUID() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make an identity: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}
