package alert

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"meetguard"
)

// smallDisk mounts a disk of a few MiB.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("FULL DISK NOT TESTED: only root can mount a disk of a few MiB; run this test as root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatalf("mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all room there is, as a foreign program does.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "foreign"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// fullDisk is a log whose disk was filled by somebody else, and what it promised.
type fullDisk struct {
	t        *testing.T
	l        *Log
	dir      string
	promised map[string]bool
	missed   map[string]Record
}

func (d *fullDisk) append(n int, level meetguard.Level) bool {
	d.t.Helper()
	r := leveled(n, level)
	ok, err := d.l.Append(r)
	if ok != (err == nil) {
		d.t.Fatalf("Append = %v, %v", ok, err)
	}
	if ok {
		d.promised[r.Metadata.UID] = true
	} else {
		d.missed[r.Metadata.UID] = r
	}
	if c := balance(d.t, d.l); c.Created != uint64(len(d.promised)+len(d.missed)) {
		d.t.Fatalf("%d were promised and %d missed, counters %+v", len(d.promised), len(d.missed), c)
	}
	return ok
}

// TestMaliciousFindingsFitOnAFullDisk: while the reserve holds none is lost, even
// if a foreign program takes every byte that is given back.
func TestMaliciousFindingsFitOnAFullDisk(t *testing.T) {
	t.Parallel()
	for _, thief := range []bool{false, true} {
		t.Run(fmt.Sprint("thief ", thief), func(t *testing.T) {
			dir := smallDisk(t, "9m")
			state := filepath.Join(dir, "state")
			d := &fullDisk{t, openTest(t, state, Options{}), dir, map[string]bool{}, map[string]Record{}}
			defer func() { d.l.Close() }() // before the disk is taken away
			if d.l.reserve != maxReserve {
				t.Fatalf("the reserve holds %d bytes", d.l.reserve)
			}
			d.append(0, meetguard.Malicious)
			fill(t, dir)
			if thief { // a start does not lose what is left of the reserve
				d.l.spendReserve()
				fill(t, dir)
				left := d.l.reserve
				d.l.Close()
				if d.l = openTest(t, state, Options{}); d.l.reserve != left || left == 0 {
					t.Errorf("the reserve held %d bytes, after a start %d", left, d.l.reserve)
				}
			}
			n := 1
			for d.append(n, meetguard.Suspicious) {
				n++ // the last page of the file
			}
			written := 0
			for d.append(1000+written, meetguard.Malicious) {
				if written++; thief || written >= 200 {
					fill(t, dir)
				}
			}
			if d.l.reserve != 0 || written < maxReserve/reserveStep-1 || !thief && written < 200 {
				t.Errorf("%d malicious findings were written, the reserve holds %d bytes", written, d.l.reserve)
			}
			t.Logf("%d malicious findings were written on a full disk", written)
			d.again(state)
		})
	}
}

// again makes room, writes what was missed, and reads everything.
func (d *fullDisk) again(state string) {
	d.t.Helper()
	if err := os.Remove(filepath.Join(d.dir, "foreign")); err != nil {
		d.t.Fatal(err)
	}
	for uid, r := range d.missed {
		mustAppend(d.t, d.l, r)
		d.promised[uid] = true
	}
	if c := balance(d.t, d.l); len(c.Dropped) > 0 || c.Created != uint64(len(d.promised)) {
		d.t.Errorf("with room again: %+v", c)
	}
	settleAll(d.t, d.l)
	if d.l.reserve != maxReserve {
		d.t.Errorf("the reserve was not filled again: %d bytes", d.l.reserve)
	}
	if err := d.l.Close(); err != nil {
		d.t.Error(err)
	}
	d.l = openTest(d.t, state, Options{})
	if r := d.l.Recovered(); r != (Recovery{}) {
		d.t.Errorf("%+v", r)
	}
	for _, e := range readAll(d.t, state, Filter{}) {
		delete(d.promised, e.Record.Metadata.UID)
	}
	if rep, err := Verify(state); err != nil || !rep.OK() || len(d.promised) > 0 {
		d.t.Errorf("%d are lost, %+v, %v", len(d.promised), rep, err)
	}
}

// TestMissedIsCountedOnce: a record that cannot be written is one drop however
// often it is tried, and none once it is written.
func TestMissedIsCountedOnce(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, Options{})
	real := l.write
	l.write = func(*os.File, []byte) error { return syscall.EIO }
	for range 3 {
		for n, level := range []meetguard.Level{meetguard.Suspicious, meetguard.Malicious} {
			if ok, err := l.Append(leveled(n, level)); ok || err == nil {
				t.Fatalf("Append = %v, %v", ok, err)
			}
		}
	}
	if c := balance(t, l); c.Dropped["disk/suspicious"] != 1 || c.Dropped["disk/malicious"] != 1 || c.Created != 2 {
		t.Errorf("%+v", c)
	}
	if l.reserve != maxReserve {
		t.Error("the reserve was spent on a disk that is not full")
	}
	l.write = real
	mustAppend(t, l, leveled(0, meetguard.Suspicious))
	if c := balance(t, l); c.Dropped["disk/suspicious"] != 0 || c.Created != 2 {
		t.Errorf("%+v", c)
	}
	l.Close()
	l = openTest(t, dir, Options{})
	if c := balance(t, l); c.Dropped["disk/malicious"] != 1 || c.Created != 2 {
		t.Errorf("after a restart: %+v", c)
	}
}
