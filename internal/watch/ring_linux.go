package watch

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring reads the ring of launches, a map of BPF_MAP_TYPE_RINGBUF, see the kernel's
// Documentation/bpf/ringbuf.rst and kernel/bpf/ringbuf.c. It maps the data once:
// libraries map them twice, one behind the other, so that no record wraps, and then
// each page counts twice as memory of the process. It never waits.
type ring struct {
	mu     sync.Mutex
	own    []byte // one page: how far it was read
	all    []byte // one page: how far it was written, and the data
	data   []byte
	record []byte // as copied
}

// What stands before each record: its length, and the page that it lies in.
const (
	ringHead    = 8
	ringBusy    = 1 << 31 // in the length: it is being written
	ringDiscard = 1 << 30 // it was given up
)

var errRing = errors.New("read the ring of launches: it makes no sense")

// openRingMap maps a ring of so many bytes.
func openRingMap(fd, size int) (*ring, error) {
	page := os.Getpagesize()
	own, err := unix.Mmap(fd, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the ring of launches: %w", err)
	}
	all, err := unix.Mmap(fd, int64(page), page+size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		_ = unix.Munmap(own)
		return nil, fmt.Errorf("map the ring of launches: %w", err)
	}
	return &ring{own: own, all: all, data: all[page:]}, nil
}

// close may be called while another goroutine reads, and twice.
func (r *ring) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.data != nil {
		_, _ = unix.Munmap(r.own), unix.Munmap(r.all)
		r.own, r.all, r.data = nil, nil, nil
	}
}

// next gives the next record, valid until the next call, or nil if there is none.
func (r *ring) next() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.data == nil {
		return nil, os.ErrClosed
	}
	read, written := position(r.own), position(r.all)
	at, end := read.Load(), written.Load()
	for at != end {
		if end-at < ringHead {
			return nil, errRing
		}
		// Atomically: what the record holds is there once its length is.
		size := (*atomic.Uint32)(unsafe.Pointer(&r.data[at%uint64(len(r.data))])).Load()
		if size&ringBusy != 0 {
			return nil, nil
		}
		n := uint64(size &^ ringDiscard)
		from := at + ringHead
		if at = from + (n+7)/8*8; n > uint64(len(r.data)) || end-from < at-from {
			return nil, errRing
		}
		if size&ringDiscard != 0 {
			read.Store(at)
			continue
		}
		r.copy(from%uint64(len(r.data)), n)
		read.Store(at)
		return r.record, nil
	}
	return nil, nil
}

// copy takes n bytes, which may go on at the beginning of the data.
func (r *ring) copy(from, n uint64) {
	if r.record == nil || uint64(cap(r.record)) < n { // nil is no record
		r.record = make([]byte, n)
	}
	r.record = r.record[:n]
	k := copy(r.record, r.data[from:])
	copy(r.record[k:], r.data)
}

// position is how far a ring was read or written, in bytes since it was made. The
// kernel counts in words of the machine; on the systems of 64 bits, which are those
// that have the programs, that is this.
func position(page []byte) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&page[0]))
}
