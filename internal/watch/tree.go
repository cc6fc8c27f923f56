package watch

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// folder is a directory that is watched.
type folder struct {
	id   os.FileInfo
	subs map[string]bool // watched directories in it, by path
}

// same tells that fi is the directory that is watched.
func (d *folder) same(fi os.FileInfo) bool { return d != nil && os.SameFile(d.id, fi) }

// watch begins to watch a directory, or confirms it. What cannot be watched is
// noted and listed from time to time instead.
func (f *Files) watch(root, dir string, fi os.FileInfo) {
	known := f.folders[dir]
	if known != nil && !known.same(fi) {
		f.forget(dir) // another directory took its place
		known = nil
	}
	if known == nil && len(f.folders) >= f.watches {
		f.note(func(h *health) { h.overCap = true })
		return
	}
	if err := f.backend.watch(dir, dir == root); err != nil {
		f.unwatched(dir, err)
		return
	}
	if known != nil {
		return
	}
	f.folders[dir] = &folder{id: fi}
	if above := f.folders[filepath.Dir(dir)]; above != nil && dir != root {
		if above.subs == nil {
			above.subs = map[string]bool{}
		}
		above.subs[dir] = true
	}
	f.note(func(h *health) { h.folders = len(f.folders) })
}

// unwatched notes a directory that exists and cannot be watched.
func (f *Files) unwatched(dir string, err error) {
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	f.note(func(h *health) { h.refused = reason(err).Error() })
	f.log.Debug("Folder not watched", "folder", shown(dir), "reason", reason(err))
}

// forget ends the watches of a directory and of all below it.
func (f *Files) forget(dir string) {
	d := f.folders[dir]
	if d == nil {
		return
	}
	for sub := range d.subs {
		f.forget(sub)
	}
	delete(f.folders, dir)
	if above := f.folders[filepath.Dir(dir)]; above != nil {
		delete(above.subs, dir)
	}
	f.backend.unwatch(dir)
	f.note(func(h *health) { h.folders = len(f.folders) })
}

const (
	piece        = 128 // names that a walk takes at a time
	piecesAtOnce = 8   // of a new folder
	sweepsMost   = 16  // listings under way at a time: each holds directories open
)

// walk lists a tree, depth first and a piece at a time. Each directory is
// watched before it is listed, so that nothing falls between. It holds at most
// one open directory a level.
type walk struct {
	root      string
	watchOnly bool
	stack     []step
}

type step struct {
	path string
	dir  *os.File // nil until its first piece
}

func newWalk(root, from string) *walk { return &walk{root: root, stack: []step{{path: from}}} }

// next works on one piece and tells whether there is more.
func (w *walk) next(ctx context.Context, f *Files) (more bool, err error) {
	top := &w.stack[len(w.stack)-1]
	if top.dir == nil {
		if top.dir = f.enter(w.root, top.path); top.dir == nil {
			w.pop()
			return len(w.stack) > 0, nil
		}
	}
	path := top.path
	entries, end := top.dir.ReadDir(piece)
	if end != nil {
		f.leave(path, end)
		w.pop()
	}
	for _, e := range entries {
		if err := w.entry(ctx, f, filepath.Join(path, e.Name()), e); err != nil {
			return false, err
		}
	}
	return len(w.stack) > 0, nil
}

// entry handles one name.
func (w *walk) entry(ctx context.Context, f *Files, path string, e os.DirEntry) error {
	if e.IsDir() {
		if bundleName(e.Name()) && !w.watchOnly {
			f.pending.add(w.root, path, SourceSweep, time.Now(), quietBundle)
		} else if depthBelow(w.root, path) > depthMost {
			f.note(func(h *health) { h.tooDeep = true })
		} else {
			w.stack = append(w.stack, step{path: path})
		}
		return nil
	}
	if w.watchOnly {
		return nil
	}
	fi, err := e.Info()
	if err != nil {
		return nil // gone
	}
	now := time.Now()
	h := &hint{root: w.root, path: path, source: SourceSweep, seen: now}
	if age := now.Sub(time.Unix(0, latest(IdentityOf(fi)))); age >= 0 && age < quietWrite {
		h.quiet = quietWrite // perhaps still being written
	}
	return f.lookFile(ctx, h, fi)
}

func (w *walk) pop() {
	last := len(w.stack) - 1
	if d := w.stack[last].dir; d != nil {
		d.Close()
	}
	w.stack = w.stack[:last]
}

func (w *walk) close() {
	for len(w.stack) > 0 {
		w.pop()
	}
}

// enter watches a directory and opens it, or returns nil.
func (f *Files) enter(root, path string) *os.File {
	d, err := openFolder(path, path == root)
	if err != nil {
		f.leave(path, err)
		return nil
	}
	fi, err := d.Stat()
	if err != nil {
		d.Close()
		return nil
	}
	f.watch(root, path, fi)
	return d
}

// leave notes why a listing ended, if it did so before its end.
func (f *Files) leave(path string, err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, os.ErrNotExist) {
		return
	}
	f.note(func(h *health) { h.unread = reason(err).Error() })
	f.log.Debug("Folder not read", "folder", shown(path), "reason", reason(err))
}

// walkAll walks to the end.
func (f *Files) walkAll(ctx context.Context, w *walk) error {
	defer w.close()
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = w.next(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// listing tells whether a listing is under way or due.
func (f *Files) listing() bool {
	for len(f.sweeps) < sweepsMost {
		root, lost, ok := f.pending.takeMark(func(root string) bool { return !f.swept(root) })
		if !ok {
			break
		}
		if f.rootOf(root) != root {
			continue // no root any more
		}
		if lost {
			f.relists.Add(1)
		}
		f.beginSweep(newWalk(root, root))
	}
	return len(f.sweeps) > 0
}

// swept tells whether a listing is under way in a root. There is one at a time,
// so that every root gets as many turns as any other.
func (f *Files) swept(root string) bool {
	return slices.ContainsFunc(f.sweeps, func(w *walk) bool { return w.root == root })
}

func (f *Files) beginSweep(w *walk) {
	f.sweeps = append(f.sweeps, w)
	f.note(func(h *health) { h.sweeps[w.root] = time.Now() })
}

// listPiece goes on with the listing whose turn it is.
func (f *Files) listPiece(ctx context.Context) error {
	at := f.sweepTurn % len(f.sweeps)
	w := f.sweeps[at]
	more, err := w.next(ctx, f)
	f.sweepTurn = at + 1
	if !more {
		w.close()
		f.sweeps, f.sweepTurn = slices.Delete(f.sweeps, at, at+1), at
		f.note(func(h *health) { delete(h.sweeps, w.root) })
	}
	return err
}

func (f *Files) endSweeps() {
	for _, w := range f.sweeps {
		w.close()
	}
	f.sweeps = nil
}

// lookFolder lists a folder that is new. What is not soon done goes on as a
// listing, in turns with everything else.
func (f *Files) lookFolder(ctx context.Context, root, dir string) error {
	w := newWalk(root, dir)
	for range piecesAtOnce {
		if more, err := w.next(ctx, f); err != nil || !more {
			w.close()
			return err
		}
	}
	if len(f.sweeps) >= sweepsMost || f.swept(root) {
		w.close()
		f.pending.mark(root, false)
		return nil
	}
	f.beginSweep(w)
	return nil
}
