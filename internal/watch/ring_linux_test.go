package watch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// fakeRing is a ring that the test writes as the kernel does.
type fakeRing struct {
	*ring
	end uint64
}

func newFakeRing(t *testing.T, size int) *fakeRing {
	t.Helper()
	fd, err := unix.MemfdCreate("ring", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	page := os.Getpagesize()
	if err := unix.Ftruncate(fd, int64(2*page+size)); err != nil {
		t.Fatal(err)
	}
	r, err := openRingMap(fd, size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	if err := unix.Munmap(r.all); err != nil {
		t.Fatal(err)
	}
	if r.all, err = unix.Mmap(fd, int64(page), page+size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		t.Fatal(err)
	}
	r.data = r.all[page:]
	return &fakeRing{ring: r}
}

// write puts a record there, with flags in its length.
func (r *fakeRing) write(record []byte, flags uint32) {
	raw := binary.NativeEndian.AppendUint64(nil, uint64(uint32(len(record))|flags))
	raw = append(append(raw, record...), make([]byte, (8-len(record)%8)%8)...)
	for i, b := range raw {
		r.data[(r.end+uint64(i))%uint64(len(r.data))] = b
	}
	r.end += uint64(len(raw))
	position(r.all).Store(r.end)
}

// TestRing: each record comes once and whole, also where it goes on at the
// beginning; one that was given up does not come, and one that is being written
// holds up those behind it.
func TestRing(t *testing.T) {
	r := newFakeRing(t, os.Getpagesize())
	for n := range 1000 {
		want := bytes.Repeat([]byte{byte(n)}, n%300)
		if n%5 == 0 {
			r.write(want, ringDiscard)
		}
		r.write(want, 0)
		got, err := r.next()
		if err != nil || got == nil || !bytes.Equal(got, want) {
			t.Fatalf("record %d: %v, %v, want %d bytes", n, got, err, len(want))
		}
		if got, err := r.next(); got != nil || err != nil {
			t.Fatalf("behind record %d: %v, %v", n, got, err)
		}
	}
	at := r.end
	r.write([]byte("busy"), ringBusy)
	r.write([]byte("behind"), 0)
	if got, err := r.next(); got != nil || err != nil {
		t.Errorf("while it is written: %q, %v", got, err)
	}
	r.data[(at+3)%uint64(len(r.data))] &^= 0x80 // the kernel commits
	for _, want := range []string{"busy", "behind"} {
		if got, err := r.next(); string(got) != want || err != nil {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	r.write(nil, uint32(len(r.data)+8))
	if _, err := r.next(); !errors.Is(err, errRing) {
		t.Errorf("a length beyond the ring: %v", err)
	}
	r.close()
	if _, err := r.next(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
