package watch

import (
	"path/filepath"
	"time"
)

// upkeepPause is the least time between two runs of upkeep: a folder above may
// see many names come.
const upkeepPause = 2 * time.Second

// Upkeep has the roots asked for again and verified, and what cannot be watched
// listed if it is time, soon. It never waits and may be called at any time.
func (f *Files) Upkeep() {
	select {
	case f.due <- struct{}{}:
	default:
	}
}

// keeper knows when upkeep is due. It belongs to the goroutine of Run.
type keeper struct {
	every time.Duration // 0: when it is asked for
	next  time.Time     // zero: not before that
	last  time.Time
}

func (f *Files) keeper() keeper {
	k := keeper{every: rootsEvery}
	if f.cfg.Fixed {
		k.every = verifyEvery
	}
	if f.cfg.Paced {
		k.every = 0
	}
	k.after(time.Now())
	return k
}

// after plans the run behind one that is made now.
func (k *keeper) after(now time.Time) {
	if k.last, k.next = now, (time.Time{}); k.every > 0 {
		k.next = now.Add(k.every)
	}
}

// ask plans a run for now, or for soon after the last one.
func (k *keeper) ask(now time.Time) {
	at := now
	if soon := k.last.Add(upkeepPause); soon.After(now) {
		at = soon
	}
	if k.next.IsZero() || at.Before(k.next) {
		k.next = at
	}
}

// due says whether it is time, and plans the next run then.
func (k *keeper) due(now time.Time) bool {
	if k.next.IsZero() || now.Before(k.next) {
		return false
	}
	k.after(now)
	return true
}

// sooner is the shorter of a wait and of that for the next run; negative is none.
func (k *keeper) sooner(wait time.Duration, now time.Time) time.Duration {
	if k.next.IsZero() {
		return wait
	}
	left := max(k.next.Sub(now), 0)
	if wait < 0 {
		return left
	}
	return min(wait, left)
}

// watchAbove watches the folders in which something new may mean new roots.
// There the kernel tells of names that come, and of nothing else.
func (f *Files) watchAbove() {
	if f.cfg.Above == nil {
		return
	}
	above := map[string]bool{}
	for _, dir := range f.cfg.Above() {
		dir = filepath.Clean(dir)
		if f.rootOf(dir) == "" && f.backend.anchor(dir) == nil {
			above[dir] = true
		}
	}
	if before := f.above.Swap(&above); before != nil {
		for dir := range *before {
			if !above[dir] && f.folders[dir] == nil && !f.anchors(dir) {
				f.backend.unwatch(dir)
			}
		}
	}
}

// anchors tells whether a folder is watched because a root, or the way to it, may
// appear there.
func (f *Files) anchors(dir string) bool {
	for _, root := range *f.roots.Load() {
		if within(dir, root) {
			return true
		}
	}
	return false
}
