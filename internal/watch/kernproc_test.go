package watch

import (
	"encoding/binary"
	"slices"
	"testing"
)

// procArgs is what kern.procargs2 tells.
func procArgs(count uint32, text string) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, count), text...)
}

func TestParseProcArgs(t *testing.T) {
	const whole = "/bin/sh\x00\x00\x00\x00sh\x00-c\x00\x00HOME=/Users/joe\x00"
	cases := []struct {
		name string
		raw  []byte
		exe  string
		args []string
		ok   bool
	}{
		{"whole", procArgs(2, whole), "/bin/sh", []string{"sh", "-c"}, true},
		{"an empty argument", procArgs(3, whole), "/bin/sh", []string{"sh", "-c", ""}, true},
		{"no arguments", procArgs(0, "/bin/sh\x00\x00"), "/bin/sh", nil, true},
		{"more arguments than there are", procArgs(1<<31-1, whole), "/bin/sh", nil, false},
		{"less than none", procArgs(1<<31, whole), "", nil, false},
		{"path not closed", procArgs(1, "/bin/sh"), "", nil, false},
		{"nothing", nil, "", nil, false},
	}
	for _, c := range cases {
		exe, args, ok := parseProcArgs(c.raw)
		if exe != c.exe || !slices.Equal(args, c.args) || ok != c.ok {
			t.Errorf("%s: %q %q %v", c.name, exe, args, ok)
		}
	}
}

func FuzzParseProcArgs(f *testing.F) {
	f.Add(procArgs(2, "/bin/sh\x00\x00sh\x00-c\x00HOME=/\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		exe, args, ok := parseProcArgs(raw)
		if size := len(exe); ok && (size > len(raw) || len(args) > argsMost) {
			t.Fatalf("path of %d bytes, %d arguments, out of %d bytes", size, len(args), len(raw))
		}
	})
}
