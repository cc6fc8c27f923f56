package agent

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDropFilePages: most of the program's own pages are gone afterwards, and it
// runs on, with all that it had written.
func TestDropFilePages(t *testing.T) {
	readAllPages(t)
	before := fileResident(t)
	if err := dropFilePages(); err != nil {
		t.Fatal(err)
	}
	if after := fileResident(t); after > before*2/3 {
		t.Errorf("%d kB of files are resident, %d before", after, before)
	}
	put(t, t.TempDir()+"/x", []byte("it runs on"))
}

// readAllPages has all of the program in memory, whichever tests were run before.
func readAllPages(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if m, ok := parseMapping(line); ok && m.ofFile {
			if _, _, no := unix.Syscall(unix.SYS_MADVISE, m.from, m.size, unix.MADV_POPULATE_READ); no != 0 {
				t.Logf("pages not read: %v", no) // Linux before 5.14: those of the tests before are there
			}
		}
	}
}

func fileResident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(text, []byte("\nRssFile:"))
	kb, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" kB"))
	n, err := strconv.Atoi(string(kb))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestParseMapping(t *testing.T) {
	for line, want := range map[string]mapping{
		"00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/meetguard":  {0x400000, 0x52000, true},
		"00651000-00652000 r--p 00051000 08:02 173521      /usr/bin/meet guard": {0x651000, 0x1000, true},
		"00652000-00655000 rw-p 00052000 08:02 173521      /usr/bin/meetguard":  {0x652000, 0x3000, false},
		"7f2c0000-7f2c2000 r--s 00000000 08:02 173521      /usr/share/cache":    {0x7f2c0000, 0x2000, false},
		"7ffc9000-7ffcb000 r-xp 00000000 00:00 0           [vdso]":              {0x7ffc9000, 0x2000, false},
		"7f2c0000-7f2c2000 r--p 00000000 00:00 0 ":                              {0x7f2c0000, 0x2000, false},
	} {
		if got, ok := parseMapping(line); !ok || got != want {
			t.Errorf("%s: %+v, %v", line, got, ok)
		}
	}
	for _, line := range []string{"Rss:                 892 kB", "VmFlags: rd ex mr mw me dw sd", "", "Size: x y z w v"} {
		if _, ok := parseMapping(line); ok {
			t.Errorf("%q is a mapping", line)
		}
	}
}
