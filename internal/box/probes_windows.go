package box

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// ownProbes are what only Windows has. Each asks for a right or a handle and gives
// it back at once.
func ownProbes() []Probe {
	in := func(name string, call func(path string) error) func(string) error {
		return func(scratch string) error { return call(filepath.Join(scratch, name)) }
	}
	at := func(path string, call func(path string) error) func(string) error {
		return func(string) error { return call(path) }
	}
	parent := func(rights uint32) func(string) error {
		return func(string) error { return process(uint32(os.Getppid()), rights) }
	}
	return []Probe{
		{"read a file of the system", func(string) error {
			dir, err := windows.GetSystemDirectory()
			if err != nil {
				return err
			}
			return open(os.O_RDONLY)(filepath.Join(dir, "kernel32.dll"))
		}},
		{"write to a stream of a file", in("file:stream", open(os.O_WRONLY|os.O_CREATE))},
		{"change the attributes of a file", in("file", func(p string) error { return os.Chmod(p, 0o400) })},
		{"change its folder", in("", os.Chdir)},
		{"open the empty device", at(`\\.\NUL`, open(os.O_RDWR))},
		{"open a volume", at(`\\.\C:`, device)},
		{"open a disk", at(`\\.\PhysicalDrive0`, device)},
		{"connect to a named pipe", at(`\\.\pipe\svcctl`, open(os.O_RDWR))},
		{"make a named pipe", func(string) error {
			name, err := windows.UTF16PtrFromString(`\\.\pipe\meetguard-probe`)
			if err != nil {
				return err
			}
			return closed(windows.CreateNamedPipe(name, windows.PIPE_ACCESS_DUPLEX, windows.PIPE_TYPE_BYTE, 1, 512, 512, 0, nil))
		}},
		{"make a named event", func(string) error {
			name, err := windows.UTF16PtrFromString("meetguard-probe")
			if err != nil {
				return err
			}
			return closed(windows.CreateEvent(nil, 1, 0, name))
		}},
		{"share memory with others", func(string) error {
			name, err := windows.UTF16PtrFromString("meetguard-probe-memory")
			if err != nil {
				return err
			}
			return closed(windows.CreateFileMapping(windows.InvalidHandle, nil, windows.PAGE_READWRITE, 0, 4096, name))
		}},
		{"read the registry of the machine", func(string) error { return key(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Windows NT\CurrentVersion`) }},
		{"read the registry of the user", func(string) error { return key(registry.CURRENT_USER, `Software`) }},
		{"write to the registry of the machine", func(string) error { return newKey(registry.LOCAL_MACHINE) }},
		{"write to the registry of the user", func(string) error { return newKey(registry.CURRENT_USER) }},
		{"ask for the services", func(string) error {
			h, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
			if err == nil {
				err = windows.CloseServiceHandle(h)
			}
			return unreachable(err)
		}},
		{"load a library", func(string) error {
			h, err := windows.LoadLibraryEx("winhttp.dll", 0, windows.LOAD_LIBRARY_SEARCH_SYSTEM32)
			if err == nil {
				err = windows.FreeLibrary(h)
			}
			if errors.Is(err, windows.ERROR_MOD_NOT_FOUND) { // every Windows has it
				err = fs.ErrPermission
			}
			return err
		}},
		{"connect by TCP", func(string) error { return connect(windows.SOCK_STREAM, windows.IPPROTO_TCP) }},
		{"send by UDP", func(string) error { return connect(windows.SOCK_DGRAM, windows.IPPROTO_UDP) }},
		{"listen", func(string) error {
			s, err := windows.Socket(windows.AF_INET, windows.SOCK_STREAM, windows.IPPROTO_TCP)
			if err != nil {
				return err
			}
			defer windows.Closesocket(s)
			return errors.Join(windows.Bind(s, &windows.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), windows.Listen(s, 1))
		}},
		{"make memory that runs", func(string) error { return memory(windows.PAGE_EXECUTE_READWRITE) }},
		{"make memory run", func(string) error {
			return withMemory(windows.PAGE_READWRITE, func(at uintptr) error {
				var old uint32
				return windows.VirtualProtect(at, 4096, windows.PAGE_EXECUTE_READ, &old)
			})
		}},
		{"write to its parent", parent(windows.PROCESS_VM_WRITE | windows.PROCESS_VM_OPERATION)},
		{"read its parent's memory", parent(windows.PROCESS_VM_READ)},
		{"take a handle from its parent", parent(windows.PROCESS_DUP_HANDLE)},
		{"start a thread in its parent", parent(windows.PROCESS_CREATE_THREAD)},
		{"be a child of another process", parent(windows.PROCESS_CREATE_PROCESS)},
		{"stop its parent", parent(windows.PROCESS_SUSPEND_RESUME)},
		{"end its parent", parent(windows.PROCESS_TERMINATE)},
		{"take its parent's token", func(string) error {
			h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(os.Getppid()))
			if err != nil {
				return err
			}
			defer windows.CloseHandle(h)
			var t windows.Token
			if err = windows.OpenProcessToken(h, windows.TOKEN_DUPLICATE, &t); err == nil {
				err = t.Close()
			}
			return err
		}},
		{"copy its own token", func(string) error {
			t, err := ownToken(windows.TOKEN_DUPLICATE | windows.TOKEN_IMPERSONATE)
			if err == nil {
				err = t.Close()
			}
			return err
		}},
		{"have a privilege", func(string) error { return privilege("SeDebugPrivilege") }},
		{"raise its integrity", func(string) error {
			t, err := ownToken(windows.TOKEN_ADJUST_DEFAULT)
			if err != nil {
				return err
			}
			defer t.Close()
			return setIntegrity(t, "S-1-16-12288") // that of administrators
		}},
		{"make calls to the window system again", func(string) error { return loosen(4) }},
		{"make code at run time again", func(string) error { return loosen(2) }},
	}
}

// closed gives back what a probe got.
func closed(h windows.Handle, err error) error {
	if err == nil || errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		err = windows.CloseHandle(h)
	}
	return err
}

func process(id, rights uint32) error { return closed(windows.OpenProcess(rights, false, id)) }

// device opens one for reading, as what looks for deleted files does.
func device(path string) error {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE
	return closed(windows.CreateFile(name, windows.GENERIC_READ, share, nil, windows.OPEN_EXISTING, 0, 0))
}

func key(root registry.Key, path string) error {
	k, err := registry.OpenKey(root, path, registry.QUERY_VALUE)
	if err == nil {
		err = k.Close()
	}
	return err
}

// newKey makes one where everybody's settings lie, and removes it.
func newKey(root registry.Key) error {
	const path = `Software\meetguard-probe`
	k, _, err := registry.CreateKey(root, path, registry.SET_VALUE)
	if err != nil {
		return err
	}
	return errors.Join(k.Close(), registry.DeleteKey(root, path))
}

// unreachable takes for a refusal that a service of the system which always runs
// cannot be reached.
func unreachable(err error) error {
	if errors.Is(err, windows.RPC_S_SERVER_UNAVAILABLE) {
		return fs.ErrPermission
	}
	return err
}

func memory(protect uint32) error {
	return withMemory(protect, func(uintptr) error { return nil })
}

func withMemory(protect uint32, call func(at uintptr) error) error {
	at, err := windows.VirtualAlloc(0, 4096, windows.MEM_COMMIT|windows.MEM_RESERVE, protect)
	if err != nil {
		return err
	}
	return errors.Join(call(at), windows.VirtualFree(at, 0, windows.MEM_RELEASE))
}

func privilege(name string) error {
	t, err := ownToken(windows.TOKEN_ADJUST_PRIVILEGES | windows.TOKEN_QUERY)
	if err != nil {
		return err
	}
	defer t.Close()
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	want := windows.Tokenprivileges{PrivilegeCount: 1}
	want.Privileges[0].Attributes = windows.SE_PRIVILEGE_ENABLED
	if err := windows.LookupPrivilegeValue(nil, text, &want.Privileges[0].Luid); err != nil {
		return unreachable(err)
	}
	// that succeeds without giving what is not there to give: look what it gave
	if err := windows.AdjustTokenPrivileges(t, false, &want, 0, nil, nil); err != nil {
		return err
	}
	held, err := privileges(t)
	if err != nil {
		return err
	}
	for _, p := range held.AllPrivileges() {
		if p.Luid == want.Privileges[0].Luid && p.Attributes&windows.SE_PRIVILEGE_ENABLED != 0 {
			return nil
		}
	}
	return windows.ERROR_NOT_ALL_ASSIGNED
}

// loosen tries to take a policy back.
func loosen(which uintptr) error {
	set := windows.NewLazySystemDLL("kernel32.dll").NewProc("SetProcessMitigationPolicy")
	if err := set.Find(); err != nil {
		return err
	}
	var none uint32
	if ok, _, err := set.Call(which, uintptr(unsafe.Pointer(&none)), unsafe.Sizeof(none)); ok == 0 {
		return err
	}
	return nil
}
