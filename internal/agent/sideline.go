package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"meetguard"
	"meetguard/internal/alert"
	"meetguard/internal/watch"
	"meetguard/internal/worker"
)

// Files are judged one after the other, and most within milliseconds. One that
// takes longer than sidePatience goes on beside the others, in a process of its
// own. There is one such place: what takes long meanwhile is broken off and waits
// for it, and what is as large as sideSize waits for it at once. So whoever drops
// files that are slow to read holds up the slow files of others, each folder
// having its turn, and nobody's quick ones. Launches have such a place too, see
// launch_slow.go.
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

// sideWork says what a sideline is for: files or launches.
type sideWork[T any] struct {
	judge  func(context.Context, T) error
	ended  func(context.Context, T, error) // what was judged at the place is; nil for nothing
	others func() bool                     // does anything wait to be judged?
	lane   func(T) string                  // who shares a turn
	path   func(T) string                  // what the status names
	slow   func(T) bool                    // certain to take long, so that it waits at once
	same   func(a, b T) bool               // one of the two is enough to wait
	size   func(T) int64                   // of the room that one takes
	room   int64                           // for all that wait
	what   string                          // what the status calls those that wait
	stay   bool                            // what finds no room is judged to its end, and the others wait
}

// sideline is where what is slow is judged.
type sideline[T any] struct {
	sideWork[T]
	hasty    time.Duration // before the place is taken, if it is free
	patience time.Duration // before what finds it taken is broken off

	handed chan handed[T]
	wake   chan struct{}
	busy   atomic.Bool

	mu       sync.Mutex
	lanes    []*sideLane[T] // that have something waiting; the first is the next
	count    int
	used     int64     // of the room
	rests    bool      // run has nothing to do and takes what is handed over
	since    time.Time // when the one under way was begun
	underWay string    // its path, "" for nothing
}

// sideLane are those who share a turn.
type sideLane[T any] struct {
	name  string
	queue []T
}

// handed is something whose judgement is under way.
type handed[T any] struct {
	it    T
	began time.Time
	done  <-chan error
}

func newSideline[T any](work sideWork[T]) *sideline[T] {
	return &sideline[T]{sideWork: work, hasty: sidePatience, patience: sidePatience, handed: make(chan handed[T], 1), wake: make(chan struct{}, 1)}
}

// fileSideline is the place of slow files.
func fileSideline(judge func(context.Context, meetguard.Event) error, others func() bool, rootOf func(path string) string) *sideline[meetguard.Event] {
	var s *sideline[meetguard.Event]
	path := func(ev meetguard.Event) string { return ev.Path }
	s = newSideline(sideWork[meetguard.Event]{what: "files", judge: judge, others: others, path: path,
		ended: func(ctx context.Context, ev meetguard.Event, err error) { fileAgain(ctx, s, ev, err) },
		lane:  func(ev meetguard.Event) string { return rootOf(ev.Path) },
		slow:  func(ev meetguard.Event) bool { return large(ev.Path) },
		same:  func(a, b meetguard.Event) bool { return a.Path == b.Path }, // it is read when its turn comes, as it is then
		size:  func(meetguard.Event) int64 { return 1 }, room: sideWaiting})
	return s
}

// first judges something, here if that is soon done; aside says that it is not
// done yet. It gives watch.ErrLater if nobody could take it.
func (s *sideline[T]) first(ctx context.Context, it T) (aside bool, err error) {
	if s.busy.Load() && s.slow(it) && (!s.stay || s.fits(it)) {
		return true, s.wait(it)
	}
	own, cancel := context.WithCancel(worker.WithPatience(ctx, s.hasty)) // what may be handed over at once gives its process away as soon
	done := make(chan error, 1)
	began := time.Now()
	go func() {
		defer cancel()
		done <- s.judge(own, it)
	}()
	timer := time.NewTimer(s.hasty)
	defer timer.Stop()
	for {
		select {
		case err := <-done:
			return false, err
		case <-timer.C:
		}
		select {
		case err := <-done:
			return false, err
		default:
		}
		if s.handOver(handed[T]{it, began, done}) {
			return true, nil
		}
		if time.Since(began) >= s.patienceNow() && s.others() && ctx.Err() == nil && (!s.stay || s.fits(it)) {
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				return false, err
			}
			return true, s.wait(it)
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
func (s *sideline[T]) patienceNow() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.patience, min(s.patience*time.Duration(1+s.count), sideMost))
}

// fits says whether there is room for one more to wait.
func (s *sideline[T]) fits(it T) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used+s.size(it) <= s.room
}

// wait puts something among what waits for the place.
func (s *sideline[T]) wait(it T) error {
	name := s.lane(it)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used+s.size(it) > s.room {
		return watch.ErrLater
	}
	lane := s.laneOf(name)
	if slices.ContainsFunc(lane.queue, func(other T) bool { return s.same(it, other) }) {
		return nil
	}
	lane.queue = append(lane.queue, it)
	s.count++
	s.used += s.size(it)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

func (s *sideline[T]) laneOf(name string) *sideLane[T] {
	for _, l := range s.lanes {
		if l.name == name {
			return l
		}
	}
	l := &sideLane[T]{name: name}
	s.lanes = append(s.lanes, l)
	return l
}

// handOver gives something whose judgement is under way to run, if that rests. From
// then on it is the one under way.
func (s *sideline[T]) handOver(h handed[T]) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.rests {
		return false
	}
	s.begin(h.it, h.began)
	s.handed <- h
	return true
}

// next takes the first of the next lane out and makes it the one under way in the
// same moment, so that it is counted at any time. Without one run rests.
func (s *sideline[T]) next() (it T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underWay != "" {
		return it, false // handed over
	}
	if len(s.lanes) == 0 {
		s.rests = true
		return it, false
	}
	l := s.lanes[0]
	it, l.queue = l.queue[0], l.queue[1:]
	s.lanes = append(s.lanes[:0:0], s.lanes[1:]...)
	if len(l.queue) > 0 {
		s.lanes = append(s.lanes, l)
	}
	s.count--
	s.used -= s.size(it)
	s.begin(it, time.Now())
	return it, true
}

// run judges what waits until ctx ends, one after the other.
func (s *sideline[T]) run(ctx context.Context) error {
	for {
		if it, ok := s.next(); ok {
			s.ended(ctx, it, s.judge(worker.WithPatience(ctx, s.hasty), it))
			s.end()
			continue
		}
		select {
		case h := <-s.handed:
			s.ended(ctx, h.it, <-h.done)
			s.end()
		case <-s.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// begin notes the one under way. The caller holds the lock.
func (s *sideline[T]) begin(it T, at time.Time) {
	s.busy.Store(true)
	s.rests, s.since, s.underWay = false, at, s.path(it)
}

func (s *sideline[T]) end() {
	s.mu.Lock()
	s.underWay = ""
	s.mu.Unlock()
	s.busy.Store(false)
}

// sideRest is how long a file rests that could not be judged for want of something.
const sideRest = 4 * time.Second

// fileAgain takes back a file that nobody could take.
func fileAgain(ctx context.Context, s *sideline[meetguard.Event], ev meetguard.Event, err error) {
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

// has says whether something of a path is under way or waits.
func (s *sideline[T]) has(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.underWay == path || slices.ContainsFunc(s.lanes, func(l *sideLane[T]) bool {
		return slices.ContainsFunc(l.queue, func(it T) bool { return s.path(it) == path })
	})
}

// waiting is how many are here, the one under way as well.
func (s *sideline[T]) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underWay != "" {
		return s.count + 1
	}
	return s.count
}

// over says it of a line of the status.
func (s *sideline[T]) over(src *meetguard.SourceStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underWay == "" && s.count == 0 {
		return
	}
	if s.underWay != "" {
		shown, _ := alert.SafeText(s.underWay)
		src.Detail += fmt.Sprintf("; %s has been inspected for %s", shown, time.Since(s.since).Round(time.Second))
	}
	if s.count > 0 {
		src.Detail += fmt.Sprintf("; %d more %s that take long wait behind it", s.count, s.what)
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
