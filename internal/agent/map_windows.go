package agent

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapFile maps a file for reading.
func mapFile(f *os.File, size int64) ([]byte, func(), error) {
	h, err := windows.CreateFileMapping(windows.Handle(f.Fd()), nil, windows.PAGE_READONLY, uint32(size>>32), uint32(size), nil)
	if err != nil {
		return nil, nil, err
	}
	addr, err := windows.MapViewOfFile(h, windows.FILE_MAP_READ, 0, 0, uintptr(size))
	if err != nil {
		_ = windows.CloseHandle(h)
		return nil, nil, err
	}
	p := *(*unsafe.Pointer)(unsafe.Pointer(&addr)) // the address is not the garbage collector's
	return unsafe.Slice((*byte)(p), size), func() {
		_ = windows.UnmapViewOfFile(addr)
		_ = windows.CloseHandle(h)
	}, nil
}

// reserve gives zeroed memory. Large pieces come from the system, which gives
// room to what is written to only.
func reserve(size int) ([]byte, func(), error) { return make([]byte, size), func() {}, nil }
