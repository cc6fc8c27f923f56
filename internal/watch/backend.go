package watch

import (
	"errors"
	"sync"
	"time"
)

// How long a file must stay unchanged where no close or rename says that it is
// complete.
const (
	quietWrite  = 500 * time.Millisecond // the system tells of writes, not of closes
	quietOpen   = 2 * time.Second        // created, and the close will be told
	quietBundle = time.Second            // all of a bundle
)

var (
	errOverflow   = errors.New("the kernel's queue overflowed")
	errWatchLimit = errors.New("the limit of watches is reached")
)

// backend tells of changes in single directories. Recursion, settling and
// listing are not its business.
type backend interface {
	// name is the source of its events.
	name() string
	// watch begins to tell of changes in the directory, or confirms it.
	// Only a root may be a symbolic link.
	watch(dir string, root bool) error
	// anchor begins to tell of names that appear in the directory, without
	// taking away from what watch does.
	anchor(dir string) error
	// unwatch ends it. A directory that is not watched is no error.
	unwatch(dir string)
	// read tells what the kernel says until close is called.
	read(ears ears) error
	close() error
}

// ears is what a backend's reader calls. Neither blocks for long.
type ears struct {
	changed func(path string, quiet time.Duration) // quiet 0: complete, or gone, or a directory
	lost    func(err error)                        // anything may have happened unheard
	pause   func()                                 // before each read; nil but in tests
}

// blind is the backend that is left where no other can be opened: it refuses
// every watch, so that the folders are listed from time to time.
type blind struct {
	why    error
	closed chan struct{}
	once   sync.Once
}

func newBlind(why error) backend { return &blind{why: why, closed: make(chan struct{})} }

func (b *blind) name() string             { return SourceSweep }
func (b *blind) watch(string, bool) error { return b.why }
func (b *blind) anchor(string) error      { return nil }
func (b *blind) unwatch(string)           {}

func (b *blind) read(ears) error {
	<-b.closed
	return nil
}

func (b *blind) close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}
