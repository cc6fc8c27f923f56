package watch

import (
	"bytes"
	"encoding/binary"
)

// parseProcArgs reads what kern.procargs2 tells of a process on macOS, laid out
// as sysctl_procargsx of Apple's kernel does: the number of arguments in four
// bytes, the path that was launched, zero bytes up to a word, the arguments,
// each closed by a zero byte, and the environment, which is not read.
func parseProcArgs(b []byte) (exe string, args []string, ok bool) {
	const number = 4
	if len(b) < number {
		return "", nil, false
	}
	count := int32(binary.LittleEndian.Uint32(b))
	path, rest, closed := bytes.Cut(b[number:], []byte{0})
	if !closed || count < 0 {
		return "", nil, false
	}
	rest = bytes.TrimLeft(rest, "\x00")
	for range min(int(count), argsMost) {
		arg, behind, closed := bytes.Cut(rest, []byte{0})
		if !closed {
			return string(path), nil, false // it may hold the environment
		}
		args, rest = append(args, string(arg)), behind
	}
	return string(path), args, true
}
