package box

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// jobMemory is what the process may commit, in bytes: what a worker may have on
// other systems.
const jobMemory = 768 << 20

// enter takes from the process what it can give up by itself: other processes,
// its privileges, writing to whatever is of a higher integrity (which is
// everything), code that it did not come with. Windows takes the right to read
// files and to use the network only from a process that is born without it: both
// are tried, and named as missing where they work.
func enter() Level {
	var l Level
	_, _ = time.Now().Zone() // has the library read the zone of the machine while it can
	l.add("job", job())
	l.add("no privileges", dropPrivileges())
	l.add("mitigations", mitigate())
	l.add("untrusted integrity", lower())
	l.add("no files", shut(ownFile()))
	l.add("no network", shut(connect()))
	return l
}

// shut makes of what came of a try whether that is shut off: what works is not,
// and what fails in another way than by a refusal proves nothing.
func shut(err error) error {
	switch {
	case err == nil:
		return errors.New("it can still use what everybody may")
	case refused(err):
		return nil
	}
	return fmt.Errorf("not known: %w", err)
}

// ownFile reads what every process may: its own program.
func ownFile() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return open(os.O_RDONLY)(self)
}

// connect names a port of this machine as the other end of a datagram socket,
// which sends nothing.
func connect() error {
	var data windows.WSAData
	if err := windows.WSAStartup(0x0202, &data); err != nil { // version 2.2
		return err
	}
	s, err := windows.Socket(windows.AF_INET, windows.SOCK_DGRAM, windows.IPPROTO_UDP)
	if err != nil {
		return err
	}
	defer windows.Closesocket(s)
	return windows.Connect(s, &windows.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}})
}

// job puts the process into a job of its own: alone, with bounded memory, and
// without the clipboard, the desktop and the other windows.
func job() error {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return err
	}
	// the handle stays open: the job lives as long as the process
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_ACTIVE_PROCESS | windows.JOB_OBJECT_LIMIT_PROCESS_MEMORY | windows.JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION
	limits.BasicLimitInformation.ActiveProcessLimit = 1
	limits.ProcessMemoryLimit = jobMemory
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits))); err != nil {
		return fmt.Errorf("set the limits: %w", err)
	}
	ui := windows.JOBOBJECT_BASIC_UI_RESTRICTIONS{UIRestrictionsClass: 0xff} // every JOB_OBJECT_UILIMIT_ of winnt.h
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectBasicUIRestrictions, uintptr(unsafe.Pointer(&ui)), uint32(unsafe.Sizeof(ui))); err != nil {
		return fmt.Errorf("shut off the desktop: %w", err)
	}
	return windows.AssignProcessToJobObject(job, windows.CurrentProcess())
}

func ownToken(rights uint32) (windows.Token, error) {
	var t windows.Token
	err := windows.OpenProcessToken(windows.CurrentProcess(), rights, &t)
	return t, err
}

// dropPrivileges removes every privilege for good.
func dropPrivileges() error {
	token, err := ownToken(windows.TOKEN_QUERY | windows.TOKEN_ADJUST_PRIVILEGES)
	if err != nil {
		return err
	}
	defer token.Close()
	var size uint32
	_ = windows.GetTokenInformation(token, windows.TokenPrivileges, nil, 0, &size) // asks for the size only
	buf := make([]uint64, size/8+1)                                                // aligned as the structure wants it
	if err := windows.GetTokenInformation(token, windows.TokenPrivileges, (*byte)(unsafe.Pointer(&buf[0])), size, &size); err != nil {
		return err
	}
	held := (*windows.Tokenprivileges)(unsafe.Pointer(&buf[0]))
	for i := range held.AllPrivileges() {
		held.AllPrivileges()[i].Attributes = windows.SE_PRIVILEGE_REMOVED
	}
	return windows.AdjustTokenPrivileges(token, false, held, 0, nil, nil)
}

// lower gives the process the lowest integrity (S-1-16-0). A process may lower
// its own and never raise it.
func lower() error {
	token, err := ownToken(windows.TOKEN_QUERY | windows.TOKEN_ADJUST_DEFAULT)
	if err != nil {
		return err
	}
	defer token.Close()
	sid, err := windows.StringToSid("S-1-16-0")
	if err != nil {
		return err
	}
	label := windows.Tokenmandatorylabel{Label: windows.SIDAndAttributes{Sid: sid, Attributes: windows.SE_GROUP_INTEGRITY}}
	return windows.SetTokenInformation(token, windows.TokenIntegrityLevel, (*byte)(unsafe.Pointer(&label)), label.Size())
}

// Policies of SetProcessMitigationPolicy and their flags (winnt.h).
const (
	policyDynamicCode     = 2
	policyExtensionPoints = 6
	policyFonts           = 9
	policyImageLoad       = 10

	prohibit       = 1 // of dynamic code, of extension points, of fonts that are no files
	noRemoteNoLow  = 3 // images of other machines and of low integrity
	policyArgBytes = 4
)

func mitigate() error {
	set := windows.NewLazySystemDLL("kernel32.dll").NewProc("SetProcessMitigationPolicy")
	if err := set.Find(); err != nil {
		return err
	}
	var errs []error
	for _, p := range []struct {
		name  string
		which uintptr
		flags uint32
	}{
		{"code made at run time", policyDynamicCode, prohibit},
		{"extension points", policyExtensionPoints, prohibit}, {"fonts", policyFonts, prohibit}, {"foreign images", policyImageLoad, noRemoteNoLow},
	} {
		if ok, _, err := set.Call(p.which, uintptr(unsafe.Pointer(&p.flags)), policyArgBytes); ok == 0 {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	return errors.Join(errs...)
}

// refused knows the ways in which Windows says no: by rights, by the job, by a
// mitigation (winerror.h).
func refused(err error) bool {
	const dynamicCodeBlocked = windows.Errno(1655)
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, windows.ERROR_NOT_ENOUGH_QUOTA) || errors.Is(err, dynamicCodeBlocked)
}

func ownProbes() []Probe {
	return []Probe{
		{"make memory run", func(string) error {
			at, err := windows.VirtualAlloc(0, 4096, windows.MEM_COMMIT|windows.MEM_RESERVE, windows.PAGE_EXECUTE_READWRITE)
			if err == nil {
				err = windows.VirtualFree(at, 0, windows.MEM_RELEASE)
			}
			return err
		}},
		{"write to its parent", func(string) error {
			p, err := windows.OpenProcess(windows.PROCESS_VM_WRITE|windows.PROCESS_VM_OPERATION, false, uint32(os.Getppid()))
			if err == nil {
				err = windows.CloseHandle(p)
			}
			return err
		}},
		{"end its parent", func(string) error {
			p, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, uint32(os.Getppid()))
			if err == nil {
				err = windows.CloseHandle(p)
			}
			return err
		}},
		{"raise its integrity", func(string) error { return raise() }},
	}
}

// raise tries to go back to medium integrity.
func raise() error {
	token, err := ownToken(windows.TOKEN_QUERY | windows.TOKEN_ADJUST_DEFAULT)
	if err != nil {
		return err
	}
	defer token.Close()
	sid, err := windows.StringToSid("S-1-16-8192")
	if err != nil {
		return err
	}
	label := windows.Tokenmandatorylabel{Label: windows.SIDAndAttributes{Sid: sid, Attributes: windows.SE_GROUP_INTEGRITY}}
	err = windows.SetTokenInformation(token, windows.TokenIntegrityLevel, (*byte)(unsafe.Pointer(&label)), label.Size())
	if errors.Is(err, windows.ERROR_PRIVILEGE_NOT_HELD) {
		return fs.ErrPermission
	}
	return err
}
