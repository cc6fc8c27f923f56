package watch

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// bell is the ring of launches as the runtime waits on it: a thread that waits
// by itself costs several times as much. Between the two stands an epoll, from
// which the ring can be taken for a while, so that launches wake nobody.
type bell struct {
	ring, epoll int
	file        *os.File // epoll
	wait        syscall.RawConn
}

// newBell rings when the map of that descriptor has something new.
func newBell(ring int) (*bell, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(epoll, true); err != nil { // or the runtime would not wait on it
		unix.Close(epoll)
		return nil, err
	}
	b := &bell{ring: ring, epoll: epoll, file: os.NewFile(uintptr(epoll), "ring of launches")}
	if b.wait, err = b.file.SyscallConn(); err == nil {
		err = b.heed()
	}
	if err != nil {
		b.file.Close()
		return nil, err
	}
	return b, nil
}

// heed has the ring ring again. What came before rings too.
func (b *bell) heed() error {
	ready := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(b.ring)}
	if err := unix.EpollCtl(b.epoll, unix.EPOLL_CTL_ADD, b.ring, &ready); err != nil {
		return fmt.Errorf("wait for launches: %w", err)
	}
	return nil
}

// silence keeps the ring from ringing.
func (b *bell) silence() error {
	if err := unix.EpollCtl(b.epoll, unix.EPOLL_CTL_DEL, b.ring, nil); err != nil {
		return fmt.Errorf("wait for launches: %w", err)
	}
	return nil
}

// Launches that come one by one are heard at once. To be woken for each costs
// several times what reading it does, so that a storm is read in gulps.
const (
	gulp       = 5 * time.Millisecond       // from one look to the next when a storm begins
	gulpMost   = 20 * time.Millisecond      // while it lasts
	alarms     = 64                         // times in a row that the reader may be woken
	alarmAgain = time.Second / (alarms / 2) // until it may be once more
)

// pace says when a storm has begun. It is full to begin with.
type pace struct {
	spent int
	since time.Time // when spent was last right
}

// alarm spends one waking, or says that there is none left.
func (p *pace) alarm(now time.Time) bool {
	if back := int(now.Sub(p.since) / alarmAgain); back > 0 {
		p.spent, p.since = max(0, p.spent-back), now
	}
	if p.spent == alarms {
		return false
	}
	p.spent++
	return true
}
