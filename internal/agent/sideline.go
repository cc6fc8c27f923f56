package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"meetguard"
	"meetguard/internal/alert"
	"meetguard/internal/watch"
)

// Files are judged one after the other, and most within milliseconds. One that
// takes longer than sidePatience goes on beside the others, in a process of its
// own. There is one such place: what takes long meanwhile is broken off and waits
// for it, and what is as large as sideSize waits for it at once. So whoever drops
// files that are slow to read holds up the slow files of others, each folder
// having its turn, and nobody's quick ones.
const (
	sidePatience = 2 * time.Second
	sideMost     = 8 * time.Second // patience while many wait: a machine so busy that all is slow must not begin everything twice
	sideSize     = 64 << 20        // bytes
	sideWaiting  = 4096            // files that may wait
	sideAgain    = 100 * time.Millisecond

	// spareWorkers work while others are slow: one in place of that of the sideline,
	// and one in place of that which a slow launch has.
	spareWorkers = 2
)

// sideline is where slow files are judged.
type sideline struct {
	judge    func(context.Context, meetguard.Event) error
	others   func() bool // does anything wait to be judged?
	rootOf   func(path string) string
	patience time.Duration

	handed chan handed
	wake   chan struct{}
	busy   atomic.Bool

	mu    sync.Mutex
	lanes []*sideLane // of the roots that have something waiting; the first is the next
	count int
	rests bool      // run has nothing to do and takes what is handed over
	since time.Time // when the one under way was begun
	path  string    // of it
}

// sideLane are the files of one root.
type sideLane struct {
	root  string
	files []meetguard.Event
}

// handed is a file whose judgement is under way.
type handed struct {
	ev    meetguard.Event
	began time.Time
	done  <-chan error
}

func newSideline(judge func(context.Context, meetguard.Event) error, others func() bool, rootOf func(string) string) *sideline {
	return &sideline{judge: judge, others: others, rootOf: rootOf, patience: sidePatience, handed: make(chan handed, 1), wake: make(chan struct{}, 1)}
}

// first judges a file, here if that is soon done. It gives watch.ErrLater if
// nobody could take it.
func (s *sideline) first(ctx context.Context, ev meetguard.Event) error {
	if s.busy.Load() && large(ev.Path) {
		return s.wait(ev)
	}
	own, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	began := time.Now()
	go func() {
		defer cancel()
		done <- s.judge(own, ev)
	}()
	timer := time.NewTimer(s.patienceNow())
	defer timer.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-timer.C:
		}
		select {
		case err := <-done:
			return err
		default:
		}
		if s.handOver(handed{ev, began, done}) {
			return nil
		}
		if s.others() && ctx.Err() == nil {
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				return err
			}
			return s.wait(ev)
		}
		timer.Reset(sideAgain)
	}
}

// large says whether a file is of a size that takes long.
func large(path string) bool {
	fi, err := os.Lstat(path)
	return err == nil && fi.Mode().IsRegular() && fi.Size() >= sideSize
}

// patienceNow grows with the number of those that wait.
func (s *sideline) patienceNow() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.patience, min(s.patience*time.Duration(1+s.count), sideMost))
}

// wait puts a file among those that wait for the place.
func (s *sideline) wait(ev meetguard.Event) error {
	root := s.rootOf(ev.Path)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count >= sideWaiting {
		return watch.ErrLater
	}
	lane := s.lane(root)
	for _, other := range lane.files {
		if other.Path == ev.Path {
			return nil // it is read when its turn comes, as it is then
		}
	}
	lane.files = append(lane.files, ev)
	s.count++
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

func (s *sideline) lane(root string) *sideLane {
	for _, l := range s.lanes {
		if l.root == root {
			return l
		}
	}
	l := &sideLane{root: root}
	s.lanes = append(s.lanes, l)
	return l
}

// handOver gives a file whose judgement is under way to run, if that rests. From
// then on it is the one under way.
func (s *sideline) handOver(h handed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.rests {
		return false
	}
	s.begin(h.ev, h.began)
	s.handed <- h
	return true
}

// next takes the first file of the next root out and makes it the one under way in
// the same moment, so that it is counted at any time. Without one run rests.
func (s *sideline) next() (ev meetguard.Event, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.path != "" {
		return ev, false // handed over
	}
	if len(s.lanes) == 0 {
		s.rests = true
		return ev, false
	}
	l := s.lanes[0]
	ev, l.files = l.files[0], l.files[1:]
	s.lanes = append(s.lanes[:0:0], s.lanes[1:]...)
	if len(l.files) > 0 {
		s.lanes = append(s.lanes, l)
	}
	s.count--
	s.begin(ev, time.Now())
	return ev, true
}

// run judges what waits until ctx ends, one after the other.
func (s *sideline) run(ctx context.Context) error {
	for {
		if ev, ok := s.next(); ok {
			s.again(ctx, ev, s.judge(ctx, ev))
			s.end()
			continue
		}
		select {
		case h := <-s.handed:
			s.again(ctx, h.ev, <-h.done)
			s.end()
		case <-s.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// begin notes the one under way. The caller holds the lock.
func (s *sideline) begin(ev meetguard.Event, at time.Time) {
	s.busy.Store(true)
	s.rests, s.since, s.path = false, at, ev.Path
}

func (s *sideline) end() {
	s.mu.Lock()
	s.path = ""
	s.mu.Unlock()
	s.busy.Store(false)
}

// sideRest is how long a file rests that could not be judged for want of something.
const sideRest = 4 * time.Second

// again takes back a file that nobody could take.
func (s *sideline) again(ctx context.Context, ev meetguard.Event, err error) {
	if !errors.Is(err, watch.ErrLater) {
		return
	}
	if _, err := os.Lstat(ev.Path); errors.Is(err, fs.ErrNotExist) {
		return
	}
	time.AfterFunc(sideRest, func() {
		if ctx.Err() == nil {
			_ = s.wait(ev) // without room the next listing brings it back
		}
	})
}

// waiting is how many files are here, the one under way as well.
func (s *sideline) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.path != "" {
		return s.count + 1
	}
	return s.count
}

// over says it of the line of the status about files.
func (s *sideline) over(src *meetguard.SourceStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.path == "" && s.count == 0 {
		return
	}
	if s.path != "" {
		shown, _ := alert.SafeText(s.path)
		src.Detail += fmt.Sprintf("; %s has been inspected for %s", shown, time.Since(s.since).Round(time.Second))
	}
	if s.count > 0 {
		src.Detail += fmt.Sprintf("; %d more files that take long wait behind it", s.count)
		if src.State == meetguard.SourceOK {
			src.State = meetguard.SourceDegraded
		}
	}
}

// rootOf is the longest of some folders that a path lies in, "" if it is in none.
func rootOf(roots []string, path string) (root string) {
	for _, r := range roots {
		if len(r) > len(root) && strings.HasPrefix(path, r) {
			root = r
		}
	}
	return root
}
