package box

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// allowed are the system calls of the Go runtime, of the C library's memory and
// threads, and of reading what was handed over. They act on what the process
// has and reach nothing else.
var allowed = []uint32{
	unix.SYS_READ, unix.SYS_READV, unix.SYS_PREAD64, unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_RECVMSG, unix.SYS_SENDMSG,
	unix.SYS_FUTEX, unix.SYS_MADVISE, unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_BRK, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_LSEEK,
	unix.SYS_PPOLL, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_CREATE1, unix.SYS_EVENTFD2,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_GETTIMEOFDAY, unix.SYS_SCHED_YIELD,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_GETRANDOM, unix.SYS_RSEQ, unix.SYS_SET_ROBUST_LIST,
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
}

// Flags of clone(2) that a new thread has, and those that it may have.
const (
	threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD
	threadMay   = threadFlags | unix.CLONE_SYSVSEM | unix.CLONE_SETTLS | unix.CLONE_PARENT_SETTID | unix.CLONE_CHILD_CLEARTID | unix.CLONE_CHILD_SETTID | unix.CLONE_DETACHED
)

// Answers of the filter. What is not allowed fails as a thing without
// permission, and kills nobody: a C library that tries something new after an
// update goes on without it, and no file stays unread.
const (
	pass    = unix.SECCOMP_RET_ALLOW
	kill    = unix.SECCOMP_RET_KILL_PROCESS
	deny    = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	unknown = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS) // a C library falls back on an older call
)

// Offsets in struct seccomp_data (linux/seccomp.h). Both processors that have a
// filter are little endian: the low half of an argument is its first.
const (
	atNumber = 0
	atArch   = 4
	atArgs   = 16
)

// filter installs the list of what is allowed on every thread, present and
// future.
func filter() error {
	if auditArch == 0 {
		return errors.New("there is no list for this processor")
	}
	raw, err := bpf.Assemble(program(auditArch, uint32(os.Getpid())))
	if err != nil {
		return fmt.Errorf("assemble the filter: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("install the filter: %w", errno)
	}
	if thread != 0 {
		return fmt.Errorf("install the filter: thread %d has another one", thread)
	}
	return nil
}

// program is the filter for one processor and one process.
func program(arch, pid uint32) []bpf.Instruction {
	code := []bpf.Instruction{
		bpf.LoadAbsolute{Off: atArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arch, SkipTrue: 1},
		bpf.RetConstant{Val: kill}, // a call of another kind of program, whose numbers mean something else
		bpf.LoadAbsolute{Off: atNumber, Size: 4},
	}
	for i, number := range allowed {
		code = append(code, bpf.JumpIf{Cond: bpf.JumpEqual, Val: number, SkipTrue: uint8(len(allowed) - i)})
	}
	code = append(code, bpf.Jump{Skip: 1}, bpf.RetConstant{Val: pass})
	for _, c := range []struct {
		number uint32
		body   []bpf.Instruction
	}{
		{unix.SYS_MMAP, without(2, unix.PROT_EXEC)},
		{unix.SYS_MPROTECT, without(2, unix.PROT_EXEC)},
		{unix.SYS_CLONE, thread()},
		{unix.SYS_CLONE3, []bpf.Instruction{bpf.RetConstant{Val: unknown}}}, // its flags lie in memory, where a filter cannot look
		{unix.SYS_TGKILL, oneOf(0, pid)},
		{unix.SYS_FCNTL, oneOf(1, unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL)},
	} {
		code = append(code, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: c.number, SkipTrue: uint8(len(c.body))})
		code = append(code, c.body...)
	}
	return append(code, bpf.RetConstant{Val: deny})
}

// argument loads the low half of an argument: all of what is asked for here is
// an int or a flag below 2³².
func argument(n uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: atArgs + 8*n, Size: 4} }

// without allows a call whose argument has none of some flags.
func without(n, flags uint32) []bpf.Instruction {
	return []bpf.Instruction{argument(n), bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: flags, SkipTrue: 1}, bpf.RetConstant{Val: pass}, bpf.RetConstant{Val: deny}}
}

// oneOf allows a call whose argument is one of some values.
func oneOf(n uint32, values ...uint32) []bpf.Instruction {
	code := []bpf.Instruction{argument(n)}
	for i, v := range values {
		code = append(code, bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: uint8(len(values) - i)})
	}
	return append(code, bpf.RetConstant{Val: deny}, bpf.RetConstant{Val: pass})
}

// thread allows clone(2) for a thread of this process and for nothing else.
func thread() []bpf.Instruction {
	return []bpf.Instruction{
		argument(0),
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: ^uint32(threadMay), SkipTrue: 3},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: threadFlags},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: threadFlags, SkipTrue: 1},
		bpf.RetConstant{Val: pass},
		bpf.RetConstant{Val: deny},
	}
}
