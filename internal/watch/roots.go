package watch

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"meetguard"
)

// health is what Status reports.
type health struct {
	roots   map[string]string // what is wrong with each root, "" if nothing
	folders int
	overCap bool   // more directories than may be watched
	tooDeep bool   // directories below the depth limit
	refused string // why the kernel refused a watch
	unread  string // why a directory could not be listed
	listed  time.Time
	sweeps  map[string]time.Time // since when a root is being listed
}

func newHealth() health {
	return health{roots: map[string]string{}, listed: time.Now(), sweeps: map[string]time.Time{}}
}

// partial tells that something can only be listed.
func (h *health) partial() bool { return h.overCap || h.refused != "" }

func (f *Files) note(change func(*health)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.health)
}

func (f *Files) setRoot(root string, err error) {
	f.note(func(h *health) {
		if h.roots[root] = ""; err != nil {
			h.roots[root] = fmt.Sprintf("%+q: %v", root, reason(err))
		}
	})
}

// anchor watches the nearest existing folder above a root, so that a root that
// is removed, moved away or not there yet is seen when it comes.
func (f *Files) anchor(root string) {
	const tries = 8 // against folders that come and go meanwhile
	for range tries {
		child, dir := root, filepath.Dir(root)
		for f.backend.anchor(dir) != nil && dir != filepath.Dir(dir) {
			child, dir = dir, filepath.Dir(dir)
		}
		if child == root {
			return
		}
		if _, err := os.Lstat(child); err != nil {
			return // its coming will be told
		}
	}
}

// watchTree watches a root and all below it without looking at any file.
func (f *Files) watchTree(ctx context.Context, root string) error {
	if err := readable(root); err != nil {
		return err
	}
	w := newWalk(root, root)
	w.watchOnly = true
	return f.walkAll(ctx, w)
}

// lookRoot sees whether a root is still, or again, in its place.
func (f *Files) lookRoot(ctx context.Context, h *hint) error {
	root := h.path
	f.anchor(root)
	err := readable(root)
	f.setRoot(root, err)
	if err != nil {
		if f.folders[root] != nil {
			f.log.Warn("Watched folder is gone", "folder", shown(root), "reason", err)
		}
		f.forget(root)
		return nil
	}
	if fi, err := os.Stat(root); err == nil && h.quiet > 0 && f.folders[root].same(fi) {
		return nil // a write to the folder itself, see look
	}
	if err := f.watchTree(ctx, root); err != nil {
		return err
	}
	f.pending.mark(root, true)
	return nil
}

// upkeep asks for the roots again, verifies them, and lists what cannot be
// watched.
func (f *Files) upkeep(ctx context.Context) {
	if !f.cfg.Fixed {
		f.renewRoots(ctx)
		f.watchAbove()
	}
	for _, root := range *f.roots.Load() {
		if fi, err := os.Stat(root); err != nil || !f.folders[root].same(fi) {
			f.pending.add(root, root, SourceSweep, time.Now(), 0)
		}
	}
	f.listPartial()
}

// listPartial lists everything if that is the only way to see some of it.
func (f *Files) listPartial() {
	f.mu.Lock()
	due := f.health.partial() && time.Since(f.health.listed)+rootsEvery >= listEvery
	if due {
		f.health.listed = time.Now()
		f.health.overCap, f.health.refused, f.health.unread = false, "", ""
	}
	f.mu.Unlock()
	if !due {
		return
	}
	for _, root := range *f.roots.Load() {
		f.pending.mark(root, false)
	}
}

// renewRoots takes new roots in and lets old ones go.
func (f *Files) renewRoots(ctx context.Context) {
	before := *f.roots.Load()
	roots, err := f.askRoots()
	if err != nil || slices.Equal(before, roots) {
		return
	}
	f.roots.Store(&roots)
	for _, root := range before {
		if !slices.Contains(roots, root) {
			f.forget(root)
			f.note(func(h *health) { delete(h.roots, root) })
		}
	}
	for _, root := range roots {
		if !slices.Contains(before, root) {
			f.anchor(root)
			f.setRoot(root, f.watchTree(ctx, root))
			f.pending.mark(root, false)
		}
	}
}

// Status is one line, named "files". It may be called at any time.
func (f *Files) Status() []meetguard.SourceStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := &f.health
	roots, folders := len(*f.roots.Load()), h.folders
	if slices.Contains(*f.roots.Load(), f.cfg.Private) {
		roots, folders = roots-1, max(folders-1, 0)
	}
	state, remarks := h.judge(roots, f.cfg.Private)
	if behind := f.behind(time.Now()); len(behind) > 0 && state != meetguard.SourceFailed {
		state, remarks = meetguard.SourceDegraded, append(remarks, behind...)
	}
	if len(remarks) == 0 {
		remarks = []string{fmt.Sprintf("%d folders below %d roots are watched", folders, roots)}
	}
	return []meetguard.SourceStatus{{Name: "files", State: state, Detail: strings.Join(remarks, "; ")}}
}

// behindAfter is how late a look may be without being told.
const behindAfter = 10 * time.Second

// behind says what waits for so long that it has to be told. f.mu is held.
func (f *Files) behind(now time.Time) (remarks []string) {
	if waiting, root, most, lag := f.pending.backlog(now); lag >= behindAfter {
		remarks = append(remarks, fmt.Sprintf("%d files wait to be looked at, %d of them in %+q, the first for %s", waiting, most, root, lag.Round(time.Second)))
	}
	for _, root := range slices.Sorted(maps.Keys(f.health.sweeps)) {
		if lag := now.Sub(f.health.sweeps[root]); lag >= behindAfter {
			remarks = append(remarks, fmt.Sprintf("%+q has been listed for %s and is not done", root, lag.Round(time.Second)))
		}
	}
	return remarks
}

// judge says how well the source sees, and what keeps it from seeing all. A
// private root does not count.
func (h *health) judge(roots int, private string) (meetguard.SourceState, []string) {
	var remarks []string
	for _, root := range slices.Sorted(maps.Keys(h.roots)) {
		if h.roots[root] != "" && root != private {
			remarks = append(remarks, "not watched: "+h.roots[root])
		}
	}
	if roots == 0 {
		return meetguard.SourceFailed, []string{"there is no folder to watch"}
	}
	if len(remarks) == roots {
		return meetguard.SourceFailed, remarks
	}
	const instead = ": listed every 10 minutes instead"
	if h.overCap {
		remarks = append(remarks, fmt.Sprintf("more than %d folders%s", watchesMost, instead))
	}
	if h.refused != "" {
		remarks = append(remarks, "some folders cannot be watched ("+h.refused+")"+instead)
	}
	if h.unread != "" {
		remarks = append(remarks, "some folders cannot be read ("+h.unread+")")
	}
	if h.tooDeep {
		remarks = append(remarks, fmt.Sprintf("folders more than %d levels down are not watched", depthMost))
	}
	if len(remarks) > 0 {
		return meetguard.SourceDegraded, remarks
	}
	return meetguard.SourceOK, nil
}
