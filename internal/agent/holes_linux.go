package agent

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mostSeeks bounds what a file of countless holes costs.
const mostSeeks = 4096

// dataOf lists where a file has data (lseek(2)). A system that does not know says
// that all of it is.
func dataOf(f *os.File, size int64) (spans []span) {
	fd := int(f.Fd())
	for at := int64(0); at < size; {
		from, err := unix.Seek(fd, at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return spans // nothing but a hole follows
		}
		if err != nil || len(spans) == mostSeeks/2 {
			return append(spans, span{at, size})
		}
		to, err := unix.Seek(fd, from, unix.SEEK_HOLE)
		if err != nil || to <= from {
			return append(spans, span{from, size})
		}
		spans = append(spans, span{from, min(to, size)})
		at = to
	}
	return spans
}

// mapSparse maps a file so that its holes come from nowhere, instead of filling
// the page cache with zeros, which whoever made the holes did not pay for. It is
// nil for a file that has few.
func mapSparse(f *os.File, size int64) (*sparse, func()) {
	page := int64(os.Getpagesize())
	if size < leastHoles {
		return nil, nil
	}
	parts, holes := gather(dataOf(f, size), size, page)
	if holes < leastHoles || len(parts) > mostParts {
		return nil, nil
	}
	var away []func()
	release := func() {
		for _, free := range away {
			free()
		}
	}
	lay := func(size int64, place func(i int) int64) []byte {
		mem, err := unix.MmapPtr(-1, 0, nil, uintptr(size), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
		if err != nil {
			return nil
		}
		away = append(away, func() { _ = unix.MunmapPtr(mem, uintptr(size)) })
		_ = unix.Madvise(unsafe.Slice((*byte)(mem), size), unix.MADV_HUGEPAGE) // a hole is read with few faults
		for i, p := range parts {
			if _, err := unix.MmapPtr(int(f.Fd()), p.from, unsafe.Add(mem, place(i)), uintptr(p.to-p.from), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_FIXED); err != nil {
				return nil
			}
		}
		return unsafe.Slice((*byte)(mem), size)
	}
	s := &sparse{parts: parts}
	s.data = lay(size, func(i int) int64 { return parts[i].from })
	at, places := denseParts(parts, size)
	s.dense = lay(at, func(i int) int64 { return places[i] })
	if s.data == nil || s.dense == nil {
		release()
		return nil, nil
	}
	return s, release
}

// denseParts is where the parts lie when of each hole only holeLeft is left, and
// how long that is. All but the last part are whole pages.
func denseParts(parts []span, size int64) (length int64, places []int64) {
	at, end := int64(0), int64(0)
	for _, p := range parts {
		at += min(p.from-end, holeLeft)
		places = append(places, at)
		at += p.to - p.from
		end = p.to
	}
	return at + min(size-end, holeLeft), places
}
