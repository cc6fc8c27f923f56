package box

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// enter takes from the process what it still has, and asks the system what it has
// left. Most was decided at its birth, see Starter: a process can give up its
// privileges, its integrity, code that it did not come with and the desktop, but
// not the right to read files and to use the network. Nothing is told as held
// because a call for it succeeded: what can be asked back is, and files and the
// network are tried.
func enter() Level {
	defer runtime.UnlockOSThread()
	var l Level
	_, _ = time.Now().Zone() // has the library read the zone of the machine while it can
	network := readyNetwork()
	rung, ready, why := born()
	jobErr := job()
	token, err := ownToken(windows.TOKEN_QUERY | windows.TOKEN_ADJUST_PRIVILEGES | windows.TOKEN_ADJUST_DEFAULT)
	if err == nil {
		defer token.Close()
		err = errors.Join(dropPrivileges(token), setIntegrity(token, untrustedSID))
	}
	if err := putOff(); err != nil {
		l.add("one token for every thread", err)
	}
	l.token(windows.GetCurrentProcessToken(), rung, why)
	l.add("no privileges", noPrivileges(err))
	l.add("untrusted integrity", untrusted(err))
	l.add("job", jobErr)
	l.add("no desktop", noDesktop())
	l.mitigate()
	l.add("no files", shut(ownFile()))
	l.add("no network", shut(network()))
	if ready != 0 {
		_ = windows.SetEvent(ready)
		_ = windows.CloseHandle(ready)
	}
	return l
}

// putOff gives up the token that the first thread was started with, for good: no
// thread has a handle of it.
func putOff() error {
	if err := windows.RevertToSelf(); err != nil {
		return err
	}
	var t windows.Token
	switch err := windows.OpenThreadToken(windows.CurrentThread(), windows.TOKEN_QUERY, true, &t); err {
	case windows.ERROR_NO_TOKEN:
		return nil
	case nil:
		t.Close()
		return errors.New("its thread has another")
	default:
		return err
	}
}

// token notes what the token of the process is.
func (l *Level) token(t windows.Token, rung int, why string) {
	held := kind(t)
	if held != "" {
		l.add(held, nil)
	}
	if held == partLockdown {
		return
	}
	if rung == 0 {
		why = errIgnored.Error()
	}
	l.add(partLockdown, errors.New(why))
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

// readyNetwork loads what it takes to use the network, and gives the try. A
// library that cannot be loaded in the box would prove nothing about the network.
func readyNetwork() (try func() error) {
	var data windows.WSAData
	if err := windows.WSAStartup(0x0202, &data); err != nil { // version 2.2
		return func() error { return err }
	}
	try = func() error { return connect(windows.SOCK_DGRAM, windows.IPPROTO_UDP) }
	_ = try()
	return try
}

// connect names a port of this machine where nobody listens as the other end of a
// socket. One for datagrams sends nothing.
func connect(kind, protocol int) error {
	s, err := windows.Socket(windows.AF_INET, kind, protocol)
	if err != nil {
		return err
	}
	defer windows.Closesocket(s)
	return windows.Connect(s, &windows.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}})
}

// refused knows the ways in which Windows says no: by rights, by the job, by a
// mitigation (winerror.h).
func refused(err error) bool {
	const dynamicCodeBlocked, childBlocked, badImage = windows.Errno(1655), windows.Errno(367), windows.Errno(577)
	for _, no := range []error{fs.ErrPermission, windows.ERROR_NOT_ENOUGH_QUOTA, windows.ERROR_PRIVILEGE_NOT_HELD, windows.ERROR_NOT_ALL_ASSIGNED, windows.WSAEACCES,
		dynamicCodeBlocked, childBlocked, badImage} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// dropPrivileges removes every privilege for good.
func dropPrivileges(token windows.Token) error {
	held, err := privileges(token)
	if err != nil {
		return err
	}
	for i := range held.AllPrivileges() {
		held.AllPrivileges()[i].Attributes = windows.SE_PRIVILEGE_REMOVED
	}
	return windows.AdjustTokenPrivileges(token, false, held, 0, nil, nil)
}

func privileges(token windows.Token) (*windows.Tokenprivileges, error) {
	buf, err := tokenInfo(token, windows.TokenPrivileges)
	if err != nil {
		return nil, err
	}
	return (*windows.Tokenprivileges)(unsafe.Pointer(&buf[0])), nil
}

// noPrivileges asks whether the token of the process has none; dropped is what came
// of taking them.
func noPrivileges(dropped error) error {
	held, err := privileges(windows.GetCurrentProcessToken())
	if err != nil {
		return err
	}
	if held.PrivilegeCount > 0 {
		return fmt.Errorf("%d are left: %w", held.PrivilegeCount, orIgnored(dropped))
	}
	return nil
}

// setIntegrity gives the process another integrity. It may lower its own and never
// raise it.
func setIntegrity(token windows.Token, name string) error {
	sid, err := windows.StringToSid(name)
	if err != nil {
		return err
	}
	label := windows.Tokenmandatorylabel{Label: windows.SIDAndAttributes{Sid: sid, Attributes: windows.SE_GROUP_INTEGRITY}}
	return windows.SetTokenInformation(token, windows.TokenIntegrityLevel, (*byte)(unsafe.Pointer(&label)), label.Size())
}

// untrusted asks whether the process has the lowest integrity, with which it may
// write to nothing that has a higher one, which is everything; lowered is what came
// of lowering it.
func untrusted(lowered error) error {
	buf, err := tokenInfo(windows.GetCurrentProcessToken(), windows.TokenIntegrityLevel)
	if err != nil {
		return err
	}
	label := (*windows.Tokenmandatorylabel)(unsafe.Pointer(&buf[0]))
	if got := label.Label.Sid.String(); got != untrustedSID {
		return fmt.Errorf("it is %s: %w", got, orIgnored(lowered))
	}
	return nil
}

// errIgnored says that a system takes a call and does nothing about it.
var errIgnored = errors.New("it was asked for, and the system does not hold it")

// orIgnored is why something is missing although nothing failed.
func orIgnored(err error) error {
	if err == nil {
		return errIgnored
	}
	return err
}

// tokenInfo reads what a token tells of one kind, as the structures want it aligned.
func tokenInfo(token windows.Token, class uint32) ([]uint64, error) {
	var size uint32
	_ = windows.GetTokenInformation(token, class, nil, 0, &size) // asks for the size only
	buf := make([]uint64, size/8+1)
	err := windows.GetTokenInformation(token, class, (*byte)(unsafe.Pointer(&buf[0])), size, &size)
	return buf, err
}

// policy is one of SetProcessMitigationPolicy (winnt.h).
type policy struct {
	name  string
	which uintptr
	flags uint32
}

var policies = []policy{
	{"no code made at run time", 2, 1},
	{"no calls to the window system", 4, 1},
	{"no extension points", 6, 1},
	{"no foreign libraries", 8, 1},             // signed by others than Microsoft
	{"no foreign fonts", 9, 1},                 // that are no files of the system
	{"no libraries from low or remote", 10, 3}, // of other machines, of low integrity
	{"no processes", 13, 1},
}

// mitigate has the system take each policy, and asks it which it holds.
func (l *Level) mitigate() {
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	set, get := kernel.NewProc("SetProcessMitigationPolicy"), kernel.NewProc("GetProcessMitigationPolicy")
	if err := errors.Join(set.Find(), get.Find()); err != nil {
		l.add("mitigations", err)
		return
	}
	var held []string
	missing := map[string][]string{} // by the reason
	for _, p := range policies {
		asked := p.flags
		took, _, why := set.Call(p.which, uintptr(unsafe.Pointer(&asked)), unsafe.Sizeof(asked))
		if took != 0 {
			why = errIgnored
		}
		var has uint32
		told, _, _ := get.Call(uintptr(windows.CurrentProcess()), p.which, uintptr(unsafe.Pointer(&has)), unsafe.Sizeof(has))
		if told != 0 && has&p.flags == p.flags {
			held = append(held, p.name)
		} else {
			missing[why.Error()] = append(missing[why.Error()], p.name)
		}
	}
	if len(held) > 0 {
		l.add("mitigations: "+strings.Join(held, ", "), nil)
	}
	for _, why := range slices.Sorted(maps.Keys(missing)) {
		l.add(strings.Join(missing[why], ", "), errors.New(why))
	}
}
