package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"meetguard"
)

// Limits and times of the file source.
const (
	depthMost     = 16               // levels below a root
	watchesMost   = 20_000           // directories watched
	rootsEvery    = 60 * time.Second // Roots is asked again, and the roots are verified, at most so often
	verifyEvery   = 15 * time.Minute // roots that never change are verified
	listEvery     = 10 * time.Minute // listing of what cannot be watched
	hintsPerPiece = 64               // hints looked at before a waiting listing goes on by one piece
)

// SourceSweep is the source of events that a listing found.
const SourceSweep = "sweep"

// FilesConfig says what Files watches.
type FilesConfig struct {
	// Roots returns the folders to watch, recursively. It is asked again every
	// 60 s, or as Paced says. A root may be a symbolic link; below it none is
	// followed. Roots inside other roots are covered by these.
	Roots func() []string
	// Above returns folders in which a new name may mean new roots: when it comes
	// they are asked for, unless it begins with a dot. It may be nil.
	Above func() []string
	// Paced leaves it to whoever calls Upkeep when the roots are asked for again and
	// verified, so that the source at rest has no timer of its own. It is to be
	// called every ten minutes at least: what cannot be watched is listed then.
	Paced bool
	// Private is a further root, of whoever asks, that Status does not count; ""
	// for none. It must exist.
	Private string
	// Fixed says that Roots never changes. Each root must then exist.
	Fixed bool
	// Known tells whether this content of path was judged before. It may be
	// nil.
	Known func(path string, id Identity) bool
	// Backend is "inotify" (Linux) or "fsnotify"; "" is the best one.
	Backend string
	Log     *slog.Logger
}

// FileCounters is what Files has counted since it was made.
type FileCounters struct {
	FileEvents int64 // changes below the roots that the kernel told of
	Emitted    int64 // events handed over
	Overflows  int64 // times that the kernel lost changes
	Relists    int64 // listings made because something was lost
	Dropped    int64 // hints that found no room; a listing made good for each
	Special    int64 // looks that ended at a FIFO, device, socket or symbolic link
	Pending    int64 // hints that wait now
	InHand     int64 // 1 while a hint is looked at, which waits no more
}

// Files watches folders for files that land in them.
type Files struct {
	cfg     FilesConfig
	log     *slog.Logger
	backend backend
	pending *pending
	roots   atomic.Pointer[[]string]        // read by the backend's reader
	above   atomic.Pointer[map[string]bool] // what Above returned last, as watched; read by the reader
	due     chan struct{}                   // holds a token when upkeep was asked for
	ready   chan struct{}
	pause   func() // see ears

	events, emitted, overflows, relists, special atomic.Int64

	// Owned by the goroutine of Run.
	emit    func(context.Context, meetguard.Event) error
	folders map[string]*folder
	recent  recent
	sweeps  []*walk // listings under way, at most one of each root
	watches int     // most directories to watch

	sweepTurn int

	mu     sync.Mutex
	health health
}

// NewFiles checks the configuration. It starts nothing. A Fixed root that is
// missing or cannot be read is an error that names it.
func NewFiles(cfg FilesConfig) (*Files, error) {
	f := &Files{
		cfg: cfg, log: cfg.Log, pending: newPending(), ready: make(chan struct{}), due: make(chan struct{}, 1),
		folders: map[string]*folder{}, watches: watchesMost, health: newHealth(),
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	if f.cfg.Known == nil {
		f.cfg.Known = func(string, Identity) bool { return false }
	}
	if !slices.Contains(backends, cfg.Backend) {
		return nil, fmt.Errorf("choose file backend: %q is none of %q", cfg.Backend, backends)
	}
	roots, err := f.askRoots()
	if err != nil {
		return nil, err
	}
	if cfg.Fixed {
		for _, root := range roots {
			if err := readable(root); err != nil {
				return nil, fmt.Errorf("watch folder %+q: %w", root, err)
			}
		}
	}
	f.roots.Store(&roots)
	return f, nil
}

// readable tells why a folder cannot be listed.
func readable(root string) error {
	fi, err := os.Stat(root)
	if err != nil {
		return reason(err)
	}
	if !fi.IsDir() {
		return errors.New("not a folder")
	}
	d, err := openFolder(root, true)
	if err != nil {
		return reason(err)
	}
	return d.Close()
}

// shown is a path in a form that no log or terminal obeys.
func shown(path string) string { return strconv.QuoteToASCII(path) }

// reason strips the path from an error: it is named by whoever reports it, in
// a form that no terminal obeys.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// askRoots asks for the roots and brings them into absolute, clean form.
func (f *Files) askRoots() ([]string, error) {
	var roots []string
	ask := f.cfg.Roots()
	if f.cfg.Private != "" {
		ask = append(ask[:len(ask):len(ask)], f.cfg.Private)
	}
	for _, root := range ask {
		abs, err := filepath.Abs(root)
		if err != nil {
			return nil, fmt.Errorf("watch folder %+q: %w", root, err)
		}
		roots = append(roots, abs)
	}
	return outermost(roots), nil
}

// Ready is closed when all watches stand and the first listing has been queued.
func (f *Files) Ready() <-chan struct{} { return f.ready }

// Counters may be called at any time.
func (f *Files) Counters() FileCounters {
	waiting, hand, lost := f.pending.sizes()
	return FileCounters{
		FileEvents: f.events.Load(), Emitted: f.emitted.Load(), Overflows: f.overflows.Load(),
		Relists: f.relists.Load(), Dropped: lost, Special: f.special.Load(), Pending: int64(waiting), InHand: int64(hand),
	}
}

// Run watches until ctx ends, then returns nil. It calls emit from one
// goroutine; emit may take its time, which fills the pending set and never
// keeps the reader waiting. An error of emit ends Run, but for ErrLater. Run is
// called once.
func (f *Files) Run(ctx context.Context, emit func(context.Context, meetguard.Event) error) error {
	backend, err := openBackend(f.cfg.Backend)
	if err != nil {
		f.log.Warn("Folders can only be listed", "reason", err)
		backend = newBlind(err)
	}
	f.backend, f.emit = backend, emit
	ended := make(chan error, 1)
	go func() {
		ended <- backend.read(ears{changed: f.changed, lost: f.lost, pause: f.pause})
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { backend.close() })
	err = f.run(ctx, ended)
	if stop() {
		backend.close()
	}
	if early := <-ended; err == nil {
		err = early
	}
	return err
}

// run looks at what is pending until ctx ends or the reader does. It hands the
// reader's end on to Run.
func (f *Files) run(ctx context.Context, ended chan error) error {
	f.start(ctx)
	defer f.endSweeps()
	timer := time.NewTimer(0)
	defer timer.Stop()
	next := f.keeper()
	for n := 0; ctx.Err() == nil; n++ {
		if next.due(time.Now()) {
			f.upkeep(ctx)
		}
		wait, err := f.work(ctx, n)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("hand over file event: %w", err)
		}
		if wait == 0 {
			continue
		}
		if wait = next.sooner(wait, time.Now()); wait >= 0 {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
		case <-f.pending.wake:
		case <-f.due:
			next.ask(time.Now())
		case <-timer.C:
		case err := <-ended:
			ended <- nil
			return err
		}
	}
	return nil
}

// work does the next thing: hints first, and between them a piece of a
// listing that waits, so that neither starves. It returns 0 if it did
// something, else how long there is to wait, a negative time for ever.
func (f *Files) work(ctx context.Context, n int) (time.Duration, error) {
	if n%hintsPerPiece == hintsPerPiece-1 && f.listing() {
		return 0, f.listPiece(ctx)
	}
	h, wait := f.pending.next(time.Now())
	if h != nil {
		return 0, f.look(ctx, h)
	}
	if f.listing() {
		return 0, f.listPiece(ctx)
	}
	return wait, nil
}

// start puts all watches in place and marks every root for its first listing.
func (f *Files) start(ctx context.Context) {
	for _, root := range *f.roots.Load() {
		f.anchor(root)
		f.setRoot(root, f.watchTree(ctx, root))
		f.pending.mark(root, false)
	}
	f.watchAbove()
	f.log.Debug("Folders watched", "backend", f.backend.name(), "roots", len(*f.roots.Load()), "folders", len(f.folders))
	close(f.ready)
}

// changed is called by the reader: it copies the path and nothing else.
func (f *Files) changed(path string, quiet time.Duration) {
	now := time.Now()
	for _, root := range *f.roots.Load() {
		switch {
		case within(root, path):
			f.events.Add(1)
			f.hint(root, path, f.backend.name(), now, quiet)
			return
		case within(path, root): // something happened to a folder above
			f.pending.add(root, root, f.backend.name(), now, 0)
		}
	}
	if above := f.above.Load(); above != nil && (*above)[filepath.Dir(path)] && filepath.Base(path)[0] != '.' {
		f.Upkeep()
	}
}

// hint adds path, or the bundle that it lies in.
func (f *Files) hint(root, path, source string, now time.Time, quiet time.Duration) {
	if bundle := bundleAbove(root, path); bundle != "" {
		path, quiet = bundle, quietBundle
	}
	f.pending.add(root, path, source, now, quiet)
}

// lost is called by the reader: any change may have gone unheard, so that every
// root is listed again.
func (f *Files) lost(err error) {
	f.overflows.Add(1)
	f.log.Warn("File events lost, listing the folders again", "reason", err)
	for _, root := range *f.roots.Load() {
		f.pending.mark(root, true)
	}
}

// rootOf returns the root that path lies in, or "".
func (f *Files) rootOf(path string) string {
	for _, root := range *f.roots.Load() {
		if within(root, path) {
			return root
		}
	}
	return ""
}
