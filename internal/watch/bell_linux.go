package watch

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// bell is the ring of launches as the runtime waits on it: a thread that waits
// by itself costs several times as much.
type bell struct {
	file *os.File
	wait syscall.RawConn
}

// newBell rings when the map of that descriptor has something new that wakes.
func newBell(ring int) (*bell, error) {
	own, err := unix.FcntlInt(uintptr(ring), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the ring a second time: %w", err)
	}
	if err := unix.SetNonblock(own, true); err != nil { // or the runtime would not wait on it
		unix.Close(own)
		return nil, err
	}
	b := &bell{file: os.NewFile(uintptr(own), "ring of launches")}
	if b.wait, err = b.file.SyscallConn(); err == nil {
		err = b.file.SetReadDeadline(time.Time{}) // an error if the runtime does not wait on it
	}
	if err != nil {
		b.file.Close()
		return nil, err
	}
	return b, nil
}

// Launches that come one by one are heard at once. To be woken for each costs
// whoever launches, and the reader, several times what all the rest does, so that
// a storm is read in gulps. What may matter in it wakes all the same, as long as
// there are alarms.
const (
	gulp       = 5 * time.Millisecond       // from one look to the next when a storm begins
	gulpMost   = 40 * time.Millisecond      // while it lasts
	alarms     = 64                         // times in a row that the reader may be woken
	alarmAgain = time.Second / (alarms / 2) // until it may be once more
)

// storm says when the reader looks, and for which launches it is woken.
type storm struct {
	each pace          // of launches that come one by one
	some pace          // of those in a storm that may matter
	bell uint64        // one of the ring… values
	nap  time.Duration // until it looks by itself; 0 is never
}

// heard takes note of what was read, and gives the bell from then on.
func (s *storm) heard(launches int, rang bool, now time.Time) uint64 {
	switch calm := s.bell == ringAll; {
	case calm && launches == 0:
		s.nap = 0
	case calm && s.each.alarm(now):
	case calm:
		s.bell, s.nap = s.low(now), gulp
	case launches == 0:
		// The last look comes later: a launch may have read the bell before it
		// was set, and be told after it was.
		s.bell, s.nap = ringAll, gulpMost
	case rang:
		s.some.alarm(now)
		s.bell = s.low(now)
	default:
		s.bell, s.nap = s.low(now), min(2*s.nap, gulpMost)
	}
	return s.bell
}

// low is the bell of a storm.
func (s *storm) low(now time.Time) uint64 {
	if s.some.left(now) {
		return ringSome
	}
	return ringNever
}

// pace says when a storm has begun. It is full to begin with.
type pace struct {
	spent int
	since time.Time // when spent was last right
}

// left says whether there is an alarm to spend.
func (p *pace) left(now time.Time) bool {
	if back := int(now.Sub(p.since) / alarmAgain); back > 0 {
		p.spent, p.since = max(0, p.spent-back), now
	}
	return p.spent < alarms
}

// alarm spends one waking, or says that there is none left.
func (p *pace) alarm(now time.Time) bool {
	if !p.left(now) {
		return false
	}
	p.spent++
	return true
}
