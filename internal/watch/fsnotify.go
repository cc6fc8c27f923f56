package watch

import (
	"errors"
	"fmt"
	"os"

	"github.com/fsnotify/fsnotify"
)

const nameFsnotify = "fsnotify"

// notifyBuffer is the number of events between fsnotify and the reader.
const notifyBuffer = 4096

// portable watches single directories with fsnotify. fsnotify tells of writes
// and not of closes, so a file is complete when it stays unchanged for
// quietWrite. On macOS it is built on kqueue, which opens every file of a
// watched folder, lists the folder again at each change and has no word for an
// overflow: a folder with more files than the process may open is watched in
// part, which shows as an error here and so as a listing.
type portable struct {
	watcher *fsnotify.Watcher
}

func openFsnotify() (backend, error) {
	w, err := fsnotify.NewBufferedWatcher(notifyBuffer)
	if err != nil {
		return nil, fmt.Errorf("open fsnotify: %w", err)
	}
	return &portable{watcher: w}, nil
}

func (p *portable) name() string { return nameFsnotify }

// watch looks before it adds, because fsnotify follows symbolic links.
func (p *portable) watch(dir string, root bool) error {
	fi, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !root && !fi.IsDir() {
		return &os.PathError{Op: "watch", Path: dir, Err: errors.New("not a directory")}
	}
	return p.watcher.Add(dir)
}

func (p *portable) anchor(dir string) error { return p.watcher.Add(dir) }

func (p *portable) unwatch(dir string) { _ = p.watcher.Remove(dir) }

func (p *portable) close() error { return p.watcher.Close() }

// read drains both channels: fsnotify stands still if one of them is left.
func (p *portable) read(ears ears) error {
	for {
		if ears.pause != nil {
			ears.pause()
		}
		select {
		case e, ok := <-p.watcher.Events:
			if !ok {
				return nil
			}
			hearFsnotify(e, ears)
		case err, ok := <-p.watcher.Errors:
			if !ok {
				return nil
			}
			ears.lost(err)
		}
	}
}

// hearFsnotify passes one event on. A change of attributes alone is none.
func hearFsnotify(e fsnotify.Event, ears ears) {
	switch {
	case e.Has(fsnotify.Create) || e.Has(fsnotify.Write):
		ears.changed(e.Name, quietWrite)
	case e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename):
		ears.changed(e.Name, 0)
	}
}
