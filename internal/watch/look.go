package watch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"meetguard"
)

// look sees what a hint is about.
func (f *Files) look(ctx context.Context, h *hint) error {
	root := f.rootOf(h.path)
	if root == "" {
		return nil // no root any more
	}
	if h.path == root {
		return f.lookRoot(ctx, h)
	}
	fi, err := os.Lstat(h.path)
	if err != nil || !fi.IsDir() {
		f.forget(h.path)
	}
	switch {
	case err != nil:
		return nil // gone, or not for us to see
	case !fi.IsDir():
		return f.lookFile(ctx, h, fi)
	case bundleName(filepath.Base(h.path)):
		return f.lookBundle(ctx, root, h, fi)
	case h.quiet > 0 && f.folders[h.path].same(fi):
		return nil // Windows reports a write for a folder whose content changed
	}
	return f.lookFolder(ctx, root, h.path)
}

// lookFile emits a file whose content is complete and was not judged before.
func (f *Files) lookFile(ctx context.Context, h *hint, fi os.FileInfo) error {
	if !fi.Mode().IsRegular() {
		f.special.Add(1)
		return nil
	}
	if fi.Size() == 0 || temporary(fi.Name()) {
		return nil // the content or the final name is still to come
	}
	id := IdentityOf(fi)
	if f.judged(h.path, id) {
		return nil
	}
	if h.quiet > 0 && !complete(h, fi) && f.settle(h, id, time.Now()) {
		return nil
	}
	return f.handOver(ctx, h, id)
}

// complete tells a file that was created with its content: a hard link is, and
// no close will follow.
func complete(h *hint, fi os.FileInfo) bool {
	return h.quiet == quietOpen && links(fi) > 1
}

// settle puts the hint back until two looks see the same.
func (f *Files) settle(h *hint, id Identity, now time.Time) bool {
	if (h.looked && h.last == id) || h.overdue(now) {
		return false
	}
	h.looked, h.last = true, id
	return f.pending.postpone(h, now.Add(h.quiet))
}

// lookBundle watches the folders of a bundle and emits it as one unit once
// nothing in it has changed for a while.
func (f *Files) lookBundle(ctx context.Context, root string, h *hint, fi os.FileInfo) error {
	id := survey(h.path, fi, func(dir string, fi os.FileInfo) { f.watch(root, dir, fi) })
	now := time.Now() // not before: a change during the survey would lie ahead, as that of a wrong clock
	if age := now.Sub(time.Unix(0, latest(id))); age >= 0 && age < quietBundle && !h.overdue(now) {
		if h.quiet = quietBundle; f.pending.postpone(h, now.Add(quietBundle-age)) {
			return nil
		}
	}
	if id.Size == 0 || f.judged(h.path, id) {
		return nil
	}
	return f.handOver(ctx, h, id)
}

// latest is the time of the last change that an identity shows.
func latest(id Identity) int64 { return max(id.MTime, id.CTime) }

// judged tells a content that was handed over before.
func (f *Files) judged(path string, id Identity) bool {
	return f.recent.has(path, id) || f.cfg.Known(path, id)
}

func (f *Files) handOver(ctx context.Context, h *hint, id Identity) error {
	err := f.emit(ctx, meetguard.Event{Time: h.seen, Kind: meetguard.FileLanded, Path: h.path, Source: h.source})
	if errors.Is(err, ErrLater) {
		f.later(h)
		return nil
	}
	if err != nil {
		return err
	}
	f.emitted.Add(1)
	f.recent.add(h.path, id)
	return nil
}

// ErrLater is what emit returns for a file that it could not take now, for want of
// something that is not the file's. It is offered again.
var ErrLater = errors.New("offer the file again")

// How soon a file is offered again: after a second, then after two and four, and
// once it was tried for a minute, each minute.
const (
	laterMost  = 4 * time.Second
	laterTries = 15
	laterLong  = time.Minute
)

// later puts the hint back. Without room its root is listed again.
func (f *Files) later(h *hint) {
	wait := laterLong
	if h.tries < laterTries {
		wait = min(time.Second<<h.tries, laterMost)
	}
	h.tries++
	h.quiet = 0
	if !f.pending.postpone(h, time.Now().Add(wait)) {
		f.pending.mark(f.rootOf(h.path), true)
	}
}

// recentMost is the number of paths in one half of recent.
const recentMost = 8192

// recent remembers what was handed over lately. Until the receiver has judged
// it, Known does not tell; and the listing of a new folder finds the same files
// that the watch tells of.
type recent struct {
	young, old map[pathKey]digest // only whether they are equal is asked
}

func (r *recent) has(path string, id Identity) bool {
	key := keyOf(path)
	known, ok := r.young[key]
	if !ok {
		known, ok = r.old[key]
	}
	return ok && known == digestOf(id)
}

func (r *recent) add(path string, id Identity) {
	if r.young == nil || len(r.young) >= recentMost {
		r.young, r.old = map[pathKey]digest{}, r.young
	}
	r.young[keyOf(path)] = digestOf(id)
}
