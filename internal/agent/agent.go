package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"meetguard"
	"meetguard/internal/alert"
	"meetguard/internal/config"
	"meetguard/internal/device"
	"meetguard/internal/watch"
	"meetguard/internal/worker"
	"meetguard/signatures"
)

// launchQueue is how many launches may wait for judgement. A launch storm
// beyond it is counted as lost, never held up, and what of it lives is judged
// when there is room.
const launchQueue = 8192

// launchQueueBytes is how many bytes of arguments may wait with them, about: one
// launch may have 32 KiB, and a storm of such must not fill the memory.
const launchQueueBytes = 8 << 20

// Options of an Agent.
type Options struct {
	Config  config.Config
	Fixed   bool     // Config.Watch is all there is: no home folders
	Worker  []string // argv of the worker process
	Notify  []string // argv of the process that shows notices as the user, see desktop.Show
	Version string
	Refused []config.Refused // managed settings that could not be used, for the status
	File    string           // that the configuration was read from, "" for none
	Canary  Canary
	Live    func() // called once, when every source is live; may be nil
	Log     *slog.Logger
}

// Agent is the service: it watches, judges and alerts.
type Agent struct {
	opts      Options
	log       *slog.Logger
	host      meetguard.Host
	product   alert.Product
	judging   sync.RWMutex // held while something is judged; for writing while insp, rules and own are replaced
	rules     int
	own       owned
	loose     []string // settings that others than root may write
	insp      *Inspector
	before    []meetguard.SourceStatus // how the agent before this one ended, if not well
	spent     worker.Deaths            // of the processes of inspectors before this one
	memory    memory
	roots     func() []string
	second    *second
	journal   *watch.Journal
	alerts    *alert.Log
	sender    *alert.Sender  // nil without a collector
	device    *device.Device // who this agent is to the collector; nil without one
	nobody    error          // why the identity that there is cannot be read
	files     *watch.Files
	launches  *watch.Launches // nil if switched off
	queue     chan *meetguard.Event
	queued    atomic.Int64 // bytes of arguments in it
	chains    *chains
	counts    counts
	late      lateness
	private   string  // the folder that it watches for itself, "" for none
	canary    *canary // nil without one
	notices   *notices
	keepsake  keepsake
	shortage  shortage
	sideline  *sideline[meetguard.Event] // of files
	slow      *sideline[*gathering]      // of launches
	slowDone  chan *gathering            // whose facts are complete at last
	looking   atomic.Int64               // files that are looked at just now, but for those of the sideline
	rehearsed chan struct{}              // closed when the first verdict can be given
	live      chan struct{}              // closed when every source is live
	changed   chan struct{}              // holds a token when the status is to be written anew
	stirred   chan struct{}              // the same, when that may take its time
	statusMu  sync.Mutex                 // one writer of the status file at a time
	trouble   sync.Map                   // name of a source ─► why its Run ended
}

// counts are the agent's own counters; those of the sources are theirs.
type counts struct {
	judged, read, launches, launchesJudged, incomplete, alerts, known, folded atomic.Uint64
}

// New prepares an agent: rules, state, log and sources are opened, so that
// whatever is wrong is told at once and nothing is half started.
func New(ctx context.Context, opts Options) (_ *Agent, err error) {
	a := &Agent{opts: opts, log: opts.Log, second: newSecond(), queue: make(chan *meetguard.Event, launchQueue), chains: newChains(), rehearsed: make(chan struct{}), live: make(chan struct{}), changed: make(chan struct{}, 1), stirred: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	lived := a.keepsake.tidy(opts.Config.State, opts.Log)
	a.before = endedUnasked(opts.Config.State)
	a.findCollector()
	cfg := a.opts.Config
	if a.insp, err = NewInspector(InspectorConfig{Command: opts.Worker, Unboxed: Unboxed(opts.Worker), Workers: cfg.Workers, Spare: spareWorkers, Log: opts.Log}); err != nil {
		return a, err
	}
	if a.rules, err = prepareInspector(ctx, a.insp, cfg, a); err != nil {
		return a, err
	}
	a.own, a.loose = ownRules(cfg), loose(cfg, opts.File)
	a.product = alert.Product{Version: opts.Version, RulesVersion: signatures.Version()}
	if a.alerts, err = alert.Open(cfg.State, alert.Options{MaxTotal: int64(cfg.LogMiB) << 20, Standalone: cfg.Collector == "", Logger: opts.Log}); err != nil {
		return a, err
	}
	var made bool
	if a.host, made, err = identify(cfg.State); err != nil {
		return a, err
	}
	if a.journal, err = watch.OpenJournal(cfg.State); err != nil {
		return a, err
	}
	a.tellLosses(lived, made)
	a.notices = newNotices(opts.Notify, cfg.State, opts.Log)
	if err = a.notices.configure(cfg); err != nil {
		return a, err
	}
	if err = a.openPrivate(); err != nil {
		return a, err
	}
	if err = a.openSources(); err != nil {
		return a, err
	}
	a.insp.folders = a.roots
	a.sideline = fileSideline(a.judgeFile, func() bool { return a.files.Counters().Pending > 0 }, func(path string) string { return rootOf(a.roots(), path) })
	a.slowDone = make(chan *gathering)
	a.slow = a.launchSideline(a.slowDone)
	return a, a.openSender()
}

func (a *Agent) openSources() (err error) {
	cfg := a.opts.Config
	a.roots = func() []string { return append(watch.Downloads(), cfg.Watch...) }
	if a.opts.Fixed {
		a.roots = func() []string { return cfg.Watch }
	}
	files := watch.FilesConfig{Roots: a.roots, Private: a.private, Fixed: a.opts.Fixed, Paced: true, Known: a.known, Backend: auto(cfg.Files), Log: a.log}
	if !a.opts.Fixed {
		files.Above = watch.DownloadsAbove
	}
	a.files, err = watch.NewFiles(files)
	if err != nil {
		return err
	}
	if cfg.Launches == "off" {
		return nil
	}
	a.launches, err = watch.NewLaunches(watch.LaunchesConfig{Source: auto(cfg.Launches), Paced: true, Log: a.log})
	return err
}

func auto(choice string) string {
	if choice == "auto" {
		return ""
	}
	return choice
}

// Run watches until ctx ends. The error is nil then. Run may be called once.
func (a *Agent) Run(ctx context.Context) error {
	defer a.close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.keep(ctx, "files", func() error { return a.files.Run(ctx, a.fileEvent) }) })
	if a.launches != nil {
		g.Go(func() error {
			return a.keep(ctx, "launches", func() error { return a.launches.Run(ctx, a.launchEvent) })
		})
	}
	g.Go(func() error { return a.sideline.run(ctx) })
	g.Go(func() error { return a.slow.run(ctx) })
	g.Go(func() error { return a.judgeLaunches(ctx) })
	if a.sender != nil {
		g.Go(func() error { return a.keep(ctx, "collector", func() error { return a.sender.Run(ctx) }) })
	}
	g.Go(func() error { return a.reviewLog(ctx) })
	g.Go(func() error { return a.notices.run(ctx) })
	g.Go(func() error { return a.writeStatus(ctx) })
	g.Go(func() error { return a.announce(ctx) })
	g.Go(func() error { return a.pulse(ctx) })
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	a.saveStatusOf(err == nil)
	a.log.Info("Stopped")
	return err
}

// keep runs a part again if it ends by itself, later each time. A source that
// breaks must not end the others; status says that it is broken.
func (a *Agent) keep(ctx context.Context, name string, run func() error) error {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		started := time.Now()
		err := run()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.log.Error("Restarting source", "source", name, "err", err, "in", wait)
		a.trouble.Store(name, fmt.Sprint(err))
		a.touch()
		if time.Since(started) > time.Minute {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
			a.trouble.Delete(name)
		}
	}
}

// reviewLog reads once what the alert log's checkpoint spared the start.
func (a *Agent) reviewLog(ctx context.Context) error {
	if _, err := a.alerts.Review(ctx); err != nil && ctx.Err() == nil {
		a.log.Warn("Could not review alert log", "err", err)
	}
	return nil
}

// announce tells once that every source is live, and that what they tell can be
// judged at once.
func (a *Agent) announce(ctx context.Context) error {
	ready := []<-chan struct{}{a.rehearsed, a.files.Ready()}
	if a.launches != nil {
		ready = append(ready, a.launches.Ready())
	}
	for _, r := range ready {
		select {
		case <-r:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	args := []any{"version", a.opts.Version, "rules", a.product.RulesVersion, "state", a.opts.Config.State}
	for _, s := range a.status().Sources {
		args = append(args, s.Name, strings.TrimSuffix(string(s.State)+": "+s.Detail, ": "))
	}
	giveBack()     // what starting needed is not needed again
	a.saveStatus() // whoever waits for the line below may ask for the status
	a.log.Info("Watching", args...)
	if a.opts.Live != nil {
		a.opts.Live()
	}
	close(a.live)
	return nil
}

func (a *Agent) close() {
	if a.device != nil {
		a.device.CloseIdleConnections()
	}
	if a.insp != nil {
		a.insp.Close()
	}
	if a.journal != nil {
		if err := a.journal.Close(); err != nil {
			a.log.Warn("Journal not written", "err", err)
		}
	}
	if a.alerts != nil {
		if err := a.alerts.Close(); err != nil {
			a.log.Warn("Alert log not closed", "err", err)
		}
	}
}

// fileEvent takes a file that landed. It may take its time: the source holds
// further names back without losing them. But a file that takes long does so
// beside the others.
func (a *Agent) fileEvent(ctx context.Context, ev meetguard.Event) error {
	if a.asked(ev.Path) {
		a.saveStatus()
		return nil
	}
	a.looking.Add(1)
	defer a.looking.Add(-1)
	_, err := a.sideline.first(ctx, ev)
	if a.sideline.waiting() > 0 {
		a.touch() // the status tells what is looked at elsewhere from now on
	}
	return err
}

// unbroken judges, and survives what is wrong with the judging: that costs one file
// or launch its verdict, is said, and never ends the agent, which whoever knew how
// would do again and again.
func (a *Agent) unbroken(ctx context.Context, ev meetguard.Event, judge func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			a.log.Error("Judging broke off", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = a.report(ctx, ev, meetguard.Facts{Path: ev.Path, Process: ev.Process, Gaps: []meetguard.Gap{blinding(string(ev.Kind), "the judging of it failed")}},
				meetguard.Verdict{Level: meetguard.Incomplete}, false)
		}
	}()
	return judge()
}

// judgeFile judges a file that landed. Two may be judged at the same time.
func (a *Agent) judgeFile(ctx context.Context, ev meetguard.Event) error {
	return a.unbroken(ctx, ev, func() error { return a.judgeLanded(ctx, ev) })
}

func (a *Agent) judgeLanded(ctx context.Context, ev meetguard.Event) error {
	a.judging.RLock()
	defer a.judging.RUnlock()
	f, id, err := a.insp.Inspect(ctx, ev.Path)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, fs.ErrNotExist) {
		a.shortage.gone(ev.Path)
		return nil // gone again: a temporary file
	}
	if a.canary.owns(ev.Path) && a.canary.landed(ev.Path, a.insp.Judge(f)) {
		return nil // the status is written when all of the proof is back
	}
	defer a.touch()
	a.counts.judged.Add(1)
	if f.SHA256 != "" {
		a.counts.read.Add(1)
	}
	a.land(ev, id, f.Origin.Host)
	if err := a.judge(ctx, ev, f); err != nil {
		a.log.Error("Alert not written", "err", err)
		return watch.ErrLater
	}
	if why := a.shortage.of(ev.Path, f); why != "" {
		return watch.ErrLater
	}
	if len(f.Gaps) > 0 && f.SHA256 == "" && f.Format != meetguard.FormatApp {
		return nil // it could not be read at all: the next listing tries again
	}
	if err := a.journal.Record(a.journalKey(ev.Path), id); err != nil {
		a.log.Warn("Journal not written", "err", err)
	}
	return nil
}

// journalKey joins a path with the version of the rules and of the operator's
// own: under new ones every file is new, and what older ones let pass is judged
// again.
func (a *Agent) journalKey(path string) string {
	return path + "\x00" + a.product.RulesVersion + a.insp.Policy()
}

func (a *Agent) known(path string, id watch.Identity) bool {
	a.judging.RLock()
	defer a.judging.RUnlock()
	return a.journal.Known(a.journalKey(path), id)
}

// launchEvent never waits: losing a launch is better than holding up the
// source that sees all of them. What still runs a second later is offered again.
func (a *Agent) launchEvent(_ context.Context, ev meetguard.Event) error {
	size := launchSize(ev.Process)
	if a.queued.Add(size) > launchQueueBytes {
		a.queued.Add(-size)
		return watch.ErrBusy
	}
	select {
	case a.queue <- &ev:
		a.counts.launches.Add(1)
		return nil
	default:
		a.queued.Add(-size)
		return watch.ErrBusy
	}
}

// launchSize is what a launch takes in the queue, without its ancestors, whom it
// shares with others.
func launchSize(p *meetguard.Process) int64 {
	n := len(p.Exe) + len(p.CommandLine)
	for _, arg := range p.Args {
		n += len(arg) + int(unsafe.Sizeof(arg))
	}
	return int64(n)
}

// judgeLaunches rehearses first: launches wait in the queue meanwhile.
func (a *Agent) judgeLaunches(ctx context.Context) error {
	a.rehearse(ctx)
	for {
		var test bool
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case g := <-a.slowDone:
			err = a.unbroken(ctx, g.ev, func() error { return a.concludeLaunch(ctx, g) })
		case ev := <-a.queue:
			a.queued.Add(-launchSize(ev.Process))
			err = a.unbroken(ctx, *ev, func() (err error) {
				if test, err = a.judgeTest(ctx, *ev); !test {
					err = a.judgeLaunch(ctx, *ev)
				}
				return err
			})
		}
		if err != nil && ctx.Err() == nil {
			a.log.Error("Alert not written", "err", err)
		}
		if !test { // of the canary's the status is written when all of it is back
			a.stir()
		}
	}
}

// judge makes the verdict over facts and, if somebody has to see it, the alert.
func (a *Agent) judge(ctx context.Context, ev meetguard.Event, f meetguard.Facts) error {
	return a.report(ctx, ev, f, a.insp.Judge(f), false)
}

// report makes an alert of a verdict that somebody has to see; update says that
// its chain was told before.
func (a *Agent) report(ctx context.Context, ev meetguard.Event, f meetguard.Facts, v meetguard.Verdict, update bool) error {
	shown, _ := alert.SafeText(f.Path)
	switch v.Level {
	case meetguard.Clean:
		return nil
	case meetguard.Incomplete:
		a.counts.incomplete.Add(1)
		a.log.Warn("Could not judge", "path", shown, "why", whyIncomplete(f))
		return nil
	}
	defer a.touch()
	a.second.complete(ctx, ev.Kind, &f)
	rec := alert.NewRecord(a.host, a.product, meetguard.Alert{Time: time.Now(), Event: ev, Facts: f, Verdict: v, Update: update})
	appended, err := a.alerts.Append(rec)
	if err != nil {
		return err
	}
	if !appended {
		a.counts.known.Add(1)
		return nil
	}
	a.counts.alerts.Add(1)
	a.notices.offer(ev, f, v, rec.FindingInfo.UID)
	a.log.Warn("Alert", "level", string(v.Level), "path", shown, "brand", v.Brand, "rule", v.Findings[0].Rule, "why", v.Findings[0].Evidence)
	return nil
}

func whyIncomplete(f meetguard.Facts) string {
	for _, g := range f.Gaps {
		if g.Blinding {
			why, _ := alert.SafeText(g.Fact + ": " + g.Reason)
			return why
		}
	}
	return "a member could not be read"
}
