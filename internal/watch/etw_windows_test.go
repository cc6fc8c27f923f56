package watch

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"meetguard"
)

// The sizes are those of evntrace.h and evntcons.h on machines of 64 bits.
func TestETWLayout(t *testing.T) {
	var p etwProperties
	var r etwRecord
	var f etwLogfile
	sizes := []struct {
		name      string
		got, want uintptr
	}{
		{"WNODE_HEADER", unsafe.Sizeof(p.Node), 48},
		{"EVENT_TRACE_PROPERTIES", unsafe.Offsetof(p.Name), 120},
		{"EVENT_HEADER", unsafe.Sizeof(r.Header), 80},
		{"EVENT_RECORD", unsafe.Sizeof(r), 112},
		{"UserData", unsafe.Offsetof(r.Data), 96},
		{"EVENT_TRACE_LOGFILEW", unsafe.Sizeof(f), 448},
		{"BufferCallback", unsafe.Offsetof(f.OnBuffer), 400},
		{"EventRecordCallback", unsafe.Offsetof(f.OnEvent), 424},
	}
	for _, s := range sizes {
		if s.got != s.want {
			t.Errorf("%s: %d, want %d", s.name, s.got, s.want)
		}
	}
}

// This very process is read by its handle.
func TestProcessIsRead(t *testing.T) {
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &kernel, &user); err != nil {
		t.Fatal(err)
	}
	w := newWindowsProcesses()
	d := meetguard.Process{PID: os.Getpid(), Started: time.Unix(0, created.Nanoseconds())}
	switch err := w.complete(&d); {
	case errors.Is(err, windows.STATUS_INVALID_INFO_CLASS):
		t.Log("REDUCED: THIS SYSTEM TELLS NO COMMAND LINES (Windows before 8.1, wine), so that reading them was not tested")
	case err != nil:
		t.Fatal(err)
	default:
		want, err := windows.DecomposeCommandLine(d.CommandLine)
		if err != nil || !slices.Equal(d.Args, want) || !slices.Equal(d.Args[1:], os.Args[1:]) {
			t.Errorf("process %+v, want arguments %q %v", d, want, err)
		}
	}
	if d.User == "" {
		t.Errorf("process %+v has no user", d)
	}
	d.Started = d.Started.Add(-time.Hour)
	if w.complete(&d) == nil {
		t.Error("another process of that number is taken")
	}
	image := imageName(windows.CurrentProcess())
	device := listDrives()
	if i := slices.IndexFunc(device, func(d drive) bool { return strings.EqualFold(d.name, image[:2]) }); i < 0 {
		t.Errorf("no drive of %s among %+v", image, device)
	} else if got := w.path(device[i].device + image[2:]); !strings.EqualFold(got, image) {
		t.Errorf("path %s, want %s", got, image)
	}
}

// Whatever this system has, launches are seen, and the status names the source.
func TestSomeSourceWorks(t *testing.T) {
	l, err := NewLaunches(LaunchesConfig{Poll: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	r, why := l.best(t.Context(), l.all)
	if r == nil {
		t.Fatal(why)
	}
	r.stop()
	if err := <-r.ended; err != nil {
		t.Errorf("stopped: %v", err)
	}
	t.Logf("%s works here; before it: %v", r.name, why)
}
