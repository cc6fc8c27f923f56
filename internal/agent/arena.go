package agent

import "fmt"

// Limits of the memory for unpacked members.
const (
	arenaSize = 128 << 20 // bytes of all members that are held at one time
	arenaKept = 8 << 20   // bytes that stay for the next container
)

// arena holds the unpacked members of a unit, those of inner containers behind
// those of outer ones: a stack, since a container is open while its members are.
// So however deep containers are nested, their members together take no more
// than its size. It is no memory of the Go heap: what nobody wrote to does not
// exist.
type arena struct {
	mem     []byte
	release func()
	top     int // bytes in use
	high    int // most bytes in use since it was made
}

// room is the free part of the arena.
func (a *arena) room() ([]byte, error) {
	if a.mem == nil {
		mem, release, err := reserve(arenaSize)
		if err != nil {
			return nil, fmt.Errorf("reserve memory for members: %w", err)
		}
		a.mem, a.release = mem, release
	}
	return a.mem[a.top:], nil
}

// take marks the first n bytes of the free part as used and gives them.
func (a *arena) take(n int) []byte {
	from := a.top
	a.top += n
	a.high = max(a.high, a.top)
	return a.mem[from:a.top:a.top]
}

// tidy gives much memory back when a unit is done.
func (a *arena) tidy() {
	if a.top = 0; a.high > arenaKept {
		a.release()
		*a = arena{}
	}
}
