package watch

import (
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"meetguard"
)

const commandLineMost = 64<<10 + 64 // bytes: a command line has at most 32,767 characters, behind a head

// windowsProcesses reads processes by their handle. It belongs to one goroutine.
type windowsProcesses struct {
	drives  []drive
	windows string
	looked  time.Time
	users   map[string]string // security identifier ─► name
	buf     []uint64
}

func newWindowsProcesses() *windowsProcesses {
	w := &windowsProcesses{users: map[string]string{}, buf: make([]uint64, commandLineMost/8)}
	w.windows, _ = windows.GetSystemWindowsDirectory()
	return w
}

// path makes a path of programs of one of the kernel. Drives come and go: if one
// is not known they are asked for again, at most once a second.
func (w *windowsProcesses) path(image string) string {
	path, known := dosPath(image, w.drives, w.windows)
	if !known && time.Since(w.looked) > time.Second {
		w.drives, w.looked = listDrives(), time.Now()
		path, _ = dosPath(image, w.drives, w.windows)
	}
	return path
}

// listDrives asks for the device behind each letter.
func listDrives() (all []drive) {
	mask, err := windows.GetLogicalDrives()
	if err != nil {
		return nil
	}
	buf := make([]uint16, windows.MAX_PATH)
	for i := range 26 {
		name := string(rune('A'+i)) + ":"
		words, err := windows.UTF16PtrFromString(name)
		if err != nil || mask>>i&1 == 0 {
			continue
		}
		if _, err := windows.QueryDosDevice(words, &buf[0], uint32(len(buf))); err == nil {
			all = append(all, drive{device: windows.UTF16ToString(buf), name: name})
		}
	}
	return all
}

var errOther = errors.New("the process has ended")

// complete reads command line and user, if the process is the one that started
// then, and its path if the kernel's is of no use.
func (w *windowsProcesses) complete(d *meetguard.Process) error {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(d.PID))
	if err != nil {
		return fmt.Errorf("open process %d: %w", d.PID, err)
	}
	defer windows.CloseHandle(h)
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil || !sameStart(time.Unix(0, created.Nanoseconds()), d.Started) {
		return errOther
	}
	d.User = w.user(h)
	if _, known := dosPath(d.Exe, nil, w.windows); !known {
		if path := imageName(h); path != "" {
			d.Exe = path
		}
	}
	if d.CommandLine, err = w.commandLine(h); err != nil {
		return err
	}
	d.Args = splitCommandLine(d.CommandLine)
	return nil
}

// commandLine asks for ProcessCommandLineInformation, known since Windows 8.1: a
// UNICODE_STRING and its text behind it, in the same buffer.
func (w *windowsProcesses) commandLine(h windows.Handle) (string, error) {
	var used uint32
	err := windows.NtQueryInformationProcess(h, windows.ProcessCommandLineInformation, unsafe.Pointer(&w.buf[0]), uint32(len(w.buf)*8), &used)
	if err != nil {
		return "", fmt.Errorf("read command line: %w", err)
	}
	text := (*windows.NTUnicodeString)(unsafe.Pointer(&w.buf[0])).String()
	runtime.KeepAlive(w)
	return text, nil
}

func imageName(h windows.Handle) string {
	buf := make([]uint16, windows.MAX_LONG_PATH)
	size := uint32(len(buf))
	if windows.QueryFullProcessImageName(h, 0, &buf[0], &size) != nil {
		return ""
	}
	return windows.UTF16ToString(buf[:size])
}

// user names the user of a process. Names are kept, because a server may have
// to be asked for them.
func (w *windowsProcesses) user(h windows.Handle) string {
	var token windows.Token
	if windows.OpenProcessToken(h, windows.TOKEN_QUERY, &token) != nil {
		return ""
	}
	defer token.Close()
	u, err := token.GetTokenUser()
	if err != nil {
		return ""
	}
	id := u.User.Sid.String()
	name, known := w.users[id]
	if !known {
		name = id
		if account, domain, _, err := u.User.Sid.LookupAccount(""); err == nil {
			name = domain + `\` + account
		}
		if len(w.users) < usersMost {
			w.users[id] = name
		}
	}
	return name
}
