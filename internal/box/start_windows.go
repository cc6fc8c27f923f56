package box

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
)

// birth is a way for a process to come into the world.
type birth struct {
	name   string
	tokens func() (primary, first windows.Token, err error) // nil for the starter's own
	alone  bool                                             // in an AppContainer
}

// ladder has the strictest birth first. The last one, which it does not name, is
// that of every process.
var ladder = []birth{
	{name: partLockdown, tokens: lockdown},
	{name: partContainer, alone: true},
	{name: partRestricted, tokens: denied},
}

// What a token can be, as a part of the Level.
const (
	partLockdown   = "lockdown token"
	partContainer  = "AppContainer"
	partRestricted = "restricted token"
)

const (
	birthTries = 2                // times that a process may die of a birth before the birth is blamed
	birthLimit = 60 * time.Second // for a process to load its rules and shut itself in
)

// births remembers how far down the ladder processes live.
type births struct {
	mu     sync.Mutex
	rung   int
	proven bool
	why    []string // what was wrong with the rungs above
}

func (b *births) start(cmd *exec.Cmd) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.proven {
		_, err := b.bear(cmd, b.rung, b.why, 0)
		return err
	}
	why := b.why
	for rung := b.rung; rung < len(ladder); rung++ {
		var err error
		for range birthTries {
			var ready bool
			if ready, err = b.try(cmd, rung, why); err == nil {
				b.rung, b.why, b.proven = rung, why, ready
				return nil
			}
		}
		why = because(why, rung, err.Error())
	}
	_, err := b.bear(cmd, len(ladder), why, 0) // nobody knows yet whether the births are to blame
	return err
}

func (b *births) milder() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung == len(ladder) {
		return false
	}
	b.why = because(b.why, b.rung, "the inspection does not work with it")
	b.rung++
	b.proven = b.rung == len(ladder)
	return true
}

// because adds what is wrong with a rung to what is wrong with those above. That of
// the first is told as the reason why it is missing, and needs no name.
func because(why []string, rung int, reason string) []string {
	if rung > 0 {
		reason = ladder[rung].name + ": " + reason
	}
	return append(slices.Clip(why), reason)
}

// try starts a process and waits until it has shut itself in. One that takes long,
// on a machine that has just started, is not known to live and goes on all the same.
func (b *births) try(cmd *exec.Cmd, rung int, why []string) (proven bool, err error) {
	ready, err := windows.CreateEvent(&windows.SecurityAttributes{Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), InheritHandle: 1}, 1, 0, nil)
	if err != nil {
		return false, err
	}
	defer windows.CloseHandle(ready)
	process, err := b.bear(cmd, rung, why, ready)
	if err != nil {
		return false, err
	}
	defer windows.CloseHandle(process)
	which, err := windows.WaitForMultipleObjects([]windows.Handle{ready, process}, false, uint32(birthLimit.Milliseconds()))
	if err == nil && which != windows.WAIT_OBJECT_0+1 {
		return which == windows.WAIT_OBJECT_0, nil
	}
	_ = cmd.Process.Kill()
	state, err := cmd.Process.Wait()
	cmd.Process = nil
	if err != nil {
		return false, err
	}
	return false, fmt.Errorf("a process ended with 0x%x before it was ready", uint32(state.ExitCode()))
}

// variable is how a process learns how it was born: the rung, the event that
// tells that it is ready (0 where nobody waits), and what was wrong with the rungs
// above.
const variable = "MEETGUARD_BIRTH"

// bear starts a process on a rung of the ladder. The handle is the caller's if
// somebody waits for ready.
func (b *births) bear(cmd *exec.Cmd, rung int, why []string, ready windows.Handle) (windows.Handle, error) {
	env := append(cmd.Environ(), fmt.Sprintf("%s=%d %d %s", variable, rung, ready, strings.Join(why, "; ")))
	if rung == len(ladder) {
		cmd.Env = env
		return 0, cmd.Start()
	}
	p, job, err := ladder[rung].spawn(cmd, env, ready)
	if err != nil {
		return 0, err
	}
	defer windows.CloseHandle(p.Thread)
	if cmd.Process, err = os.FindProcess(int(p.ProcessId)); err == nil {
		_, err = windows.ResumeThread(p.Thread)
	}
	if err != nil {
		_ = windows.TerminateProcess(p.Process, 1)
		cmd.Process = nil
	}
	if err != nil || ready == 0 {
		windows.CloseHandle(p.Process)
	}
	if job != 0 { // closing it ends the process, as should be when nobody has its cmd any more
		runtime.AddCleanup(cmd, func(h windows.Handle) { windows.CloseHandle(h) }, job)
	}
	return p.Process, err
}

// born is how this process was, as its starter told.
func born() (rung int, ready windows.Handle, why string) {
	words := strings.SplitN(os.Getenv(variable), " ", 3)
	if len(words) < 3 {
		return len(ladder), 0, "it was started by somebody else"
	}
	var event uintptr
	if _, err := fmt.Sscan(words[0], &rung); err != nil || rung < 0 || rung > len(ladder) {
		rung = len(ladder)
	}
	_, _ = fmt.Sscan(words[1], &event)
	return rung, windows.Handle(event), words[2]
}

func onTrial() bool { _, ready, _ := born(); return ready != 0 }

// init keeps the first goroutine on the first thread, the only one that may open
// files until the process has shut itself in: it is there that rules are loaded.
func init() {
	if rung, _, _ := born(); rung < len(ladder) {
		runtime.LockOSThread()
	}
}

// Attributes of a new process (winbase.h), and the value of the policy.
const (
	attributeJobs         = 0x2000D
	attributeCapabilities = 0x20009
	attributeChildren     = 0x2000E

	noChildren uint32 = 1
)

// spawn starts a process that does not run yet. What of its attributes the system
// does not know is left out: the process looks for itself what it has.
func (b birth) spawn(cmd *exec.Cmd, env []string, ready windows.Handle) (windows.ProcessInformation, windows.Handle, error) {
	job, jobErr := newJob(true)
	p, err := b.spawnIn(cmd, env, ready, job)
	if err != nil && jobErr == nil { // where the starter is in a job itself, one that shuts off the desktop may not lie within it
		windows.CloseHandle(job)
		if job, jobErr = newJob(false); jobErr == nil {
			p, err = b.spawnIn(cmd, env, ready, job)
		}
	}
	if err != nil && jobErr == nil {
		windows.CloseHandle(job)
		job = 0
		p, err = b.spawnIn(cmd, env, ready, 0)
	}
	return p, job, err
}

func (b birth) spawnIn(cmd *exec.Cmd, env []string, ready, job windows.Handle) (p windows.ProcessInformation, err error) {
	var primary, first windows.Token
	if b.tokens != nil {
		if primary, first, err = b.tokens(); err != nil {
			return p, err
		}
		defer primary.Close()
		defer first.Close()
	}
	streams, err := inherit(cmd.Stdin, cmd.Stdout, cmd.Stderr)
	defer closeAll(streams)
	if err != nil {
		return p, err
	}
	handed := streams
	if ready != 0 {
		handed = append(slices.Clip(streams), ready)
	}
	list, err := windows.NewProcThreadAttributeList(4)
	if err != nil {
		return p, err
	}
	defer list.Delete()
	if err := list.Update(windows.PROC_THREAD_ATTRIBUTE_HANDLE_LIST, unsafe.Pointer(&handed[0]), uintptr(len(handed))*unsafe.Sizeof(handed[0])); err != nil {
		return p, fmt.Errorf("name what it inherits: %w", err)
	}
	children := noChildren
	_ = list.Update(attributeChildren, unsafe.Pointer(&children), unsafe.Sizeof(children))
	if job != 0 {
		if err := list.Update(attributeJobs, unsafe.Pointer(&job), unsafe.Sizeof(job)); err != nil {
			return p, fmt.Errorf("name its job: %w", err)
		}
	}
	if b.alone {
		sid, err := containerSID()
		if err != nil {
			return p, err
		}
		nothing := securityCapabilities{container: sid}
		if err := list.Update(attributeCapabilities, unsafe.Pointer(&nothing), unsafe.Sizeof(nothing)); err != nil {
			return p, err
		}
		env = append(env, "LOCALAPPDATA="+os.Getenv("LOCALAPPDATA")) // the system makes of it the container's own
	}
	start := windows.StartupInfoEx{ProcThreadAttributeList: list.List()}
	start.Cb = uint32(unsafe.Sizeof(start))
	start.Flags = windows.STARTF_USESTDHANDLES
	start.StdInput, start.StdOutput, start.StdErr = streams[0], streams[1], streams[2]
	path, err1 := windows.UTF16PtrFromString(cmd.Path)
	line, err2 := windows.UTF16PtrFromString(windows.ComposeCommandLine(cmd.Args))
	dir, err3 := windows.GetSystemDirectory() // the folder that it can read if it can read any
	where, err4 := windows.UTF16PtrFromString(dir)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return p, err
	}
	// without a console, which would be a process of its own
	const flags = windows.CREATE_SUSPENDED | windows.CREATE_UNICODE_ENVIRONMENT | windows.EXTENDED_STARTUPINFO_PRESENT | windows.DETACHED_PROCESS
	vars := environment(env)
	if primary == 0 {
		err = windows.CreateProcess(path, line, nil, nil, true, flags, &vars[0], where, &start.StartupInfo, &p)
	} else {
		err = windows.CreateProcessAsUser(primary, path, line, nil, nil, true, flags, &vars[0], where, &start.StartupInfo, &p)
	}
	if err == nil && first != 0 {
		if err = windows.SetThreadToken(&p.Thread, first); err != nil {
			_ = windows.TerminateProcess(p.Process, 1)
			closeAll([]windows.Handle{p.Process, p.Thread})
		}
	}
	return p, err
}

// inherit makes handles of files that a child may get.
func inherit(streams ...any) (handles []windows.Handle, err error) {
	for _, s := range streams {
		f, ok := s.(*os.File)
		if s == nil {
			f, err = os.OpenFile(os.DevNull, os.O_RDWR, 0)
			defer f.Close()
		} else if !ok {
			err = errors.New("its standard streams are no files")
		}
		if err != nil {
			return handles, err
		}
		var h windows.Handle
		me := windows.CurrentProcess()
		if err := windows.DuplicateHandle(me, windows.Handle(f.Fd()), me, &h, 0, true, windows.DUPLICATE_SAME_ACCESS); err != nil {
			return handles, fmt.Errorf("hand over a stream: %w", err)
		}
		handles = append(handles, h)
	}
	return handles, nil
}

func closeAll(handles []windows.Handle) {
	for _, h := range handles {
		windows.CloseHandle(h)
	}
}

// environment is a block of variables as CreateProcess reads it: each ends with a
// zero, and so does the block.
func environment(vars []string) []uint16 {
	return utf16.Encode([]rune(strings.Join(vars, "\x00") + "\x00\x00"))
}
