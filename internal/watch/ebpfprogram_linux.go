// SPDX-License-Identifier: Dual MIT/GPL

package watch

import (
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// This file is the text of the programs that run in the kernel, made
// instruction by instruction, so that no compiler and no object file is
// needed. Where the fields of the kernel's structures lie is read from its own
// type information when the agent starts. The programs observe: they return 0
// and change nothing.
//
// The kernel lends its reading functions only to programs under a licence that
// goes with its own.
const programLicence = "Dual MIT/GPL"

// Names of the maps.
const (
	mapRing    = "meetguard_ring"
	mapScratch = "meetguard_buf"
	mapState   = "meetguard_state"
)

// The value of mapState, which both sides see.
const (
	stateDropped = 0 // u64, launches that found no room
	stateBell    = 8 // u64, which launches wake the reader: one of the ring… values
	stateSize    = 16

	ringAll   = 0 // each
	ringSome  = 1 // those that may matter, see wakes
	ringNever = 2
)

const (
	ringSize    = 4 << 20 // bytes: some 15,000 launches wait there without loss
	ringWake    = 1 << 20 // bytes of forks and ends that wait before the reader is woken
	scratchSize = 16 << 10

	nameMost  = 256  // bytes of one name with its zero byte: NAME_MAX
	namesMost = 48   // names and mounts on the way from a file to the root
	exeMost   = 1800 // bytes of names from which no more are read
	bothMost  = 3600 // the same for both paths together
	pathsMask = 4095 // bothMost + nameMost fits
	argsMask  = 8191 // bytes of arguments read
	linkMost  = 512  // bytes of them that are searched for an address
)

// topUsr and topBin are what the names of a path end with whose topmost folder
// holds the system's own programs.
var topUsr, topBin = nameEnd("usr"), nameEnd("bin")

func nameEnd(name string) int32 { return int32(binary.NativeEndian.Uint32([]byte(name + "\x00"))) }

// Flags of bpf_ringbuf_output and bpf_ringbuf_query, from the kernel's bpf.h.
// The kernel's own choice of when to wake looks only at whether all was read
// that came before, which silent records spoil: hence always an explicit one.
const (
	ringNoWake    = 1
	ringForceWake = 2
	ringWaiting   = 0 // ask for the bytes that wait
)

// Where things lie below the frame pointer.
const (
	slotKey    = -8
	slotA      = -16
	slotB      = -24
	slotMount  = -32
	slotDentry = -40
	slotUp     = -48
	slotRoot   = -56
	slotTop    = -64
	slotRecord = -64 - recordHead // of forks and ends
)

// layout is where the fields lie that the programs read.
type layout struct {
	pid, tgid, parent, leader, born, mm, fs, cred, signal int16 // task_struct
	uid, live, pwd, file, path                            int16 // cred, signal_struct, fs_struct, linux_binprm, file
	argStart, argEnd                                      int16 // mm_struct
	pathMount, pathDentry, root, up, name                 int16 // path, vfsmount, dentry
	mountParent, mountPoint, mountMnt                     int16 // mount
}

// readLayout finds the fields in the kernel's type information.
func readLayout(kernel *btf.Spec) (layout, error) {
	var l layout
	for _, f := range []struct {
		to           *int16
		owner, field string
	}{
		{&l.pid, "task_struct", "pid"}, {&l.tgid, "task_struct", "tgid"}, {&l.parent, "task_struct", "real_parent"},
		{&l.leader, "task_struct", "group_leader"}, {&l.born, "task_struct", "start_boottime"}, {&l.mm, "task_struct", "mm"},
		{&l.fs, "task_struct", "fs"}, {&l.cred, "task_struct", "cred"}, {&l.signal, "task_struct", "signal"},
		{&l.uid, "cred", "uid"}, {&l.live, "signal_struct", "live"}, {&l.pwd, "fs_struct", "pwd"},
		{&l.file, "linux_binprm", "file"}, {&l.path, "file", "f_path"},
		{&l.argStart, "mm_struct", "arg_start"}, {&l.argEnd, "mm_struct", "arg_end"},
		{&l.pathMount, "path", "mnt"}, {&l.pathDentry, "path", "dentry"}, {&l.root, "vfsmount", "mnt_root"},
		{&l.up, "dentry", "d_parent"}, {&l.mountParent, "mount", "mnt_parent"}, {&l.mountPoint, "mount", "mnt_mountpoint"}, {&l.mountMnt, "mount", "mnt"},
	} {
		var err error
		if *f.to, err = fieldOffset(kernel, f.owner, f.field); err != nil {
			return l, err
		}
	}
	inner, err := fieldOffset(kernel, "qstr", "name")
	if err != nil {
		return l, err
	}
	outer, err := fieldOffset(kernel, "dentry", "d_name")
	l.name = outer + inner
	return l, err
}

// fieldOffset is where a field lies in a structure, in bytes.
func fieldOffset(kernel *btf.Spec, owner, field string) (int16, error) {
	var s *btf.Struct
	if err := kernel.TypeByName(owner, &s); err != nil {
		return 0, fmt.Errorf("find %s in the kernel's types: %w", owner, err)
	}
	offset, found := memberOffset(s.Members, field)
	if !found || offset > 1<<15-1 {
		return 0, fmt.Errorf("find %s.%s in the kernel's types: no such field", owner, field)
	}
	return int16(offset), nil
}

// memberOffset looks into nameless structures and unions too, as C does.
func memberOffset(members []btf.Member, field string) (uint32, bool) {
	for _, m := range members {
		if m.Name == field {
			return m.Offset.Bytes(), true
		}
		if m.Name != "" {
			continue
		}
		var within []btf.Member
		switch t := btf.UnderlyingType(m.Type).(type) {
		case *btf.Struct:
			within = t.Members
		case *btf.Union:
			within = t.Members
		}
		if offset, found := memberOffset(within, field); found {
			return m.Offset.Bytes() + offset, true
		}
	}
	return 0, false
}

// programs are the three programs and their maps.
func programs(l layout, ring int) *ebpf.CollectionSpec {
	program := func(name, tracepoint string, text asm.Instructions) *ebpf.ProgramSpec {
		return &ebpf.ProgramSpec{Name: name, Type: ebpf.Tracing, AttachType: ebpf.AttachTraceRawTp, AttachTo: tracepoint,
			License: programLicence, Instructions: text}
	}
	return &ebpf.CollectionSpec{
		Maps: map[string]*ebpf.MapSpec{
			mapRing:    {Name: mapRing, Type: ebpf.RingBuf, MaxEntries: uint32(ring)},
			mapScratch: {Name: mapScratch, Type: ebpf.PerCPUArray, KeySize: 4, ValueSize: scratchSize, MaxEntries: 1},
			mapState:   {Name: mapState, Type: ebpf.Array, KeySize: 4, ValueSize: stateSize, MaxEntries: 1, Flags: unix.BPF_F_MMAPABLE},
		},
		Programs: map[string]*ebpf.ProgramSpec{
			"exec": program("meetguard_exec", "sched_process_exec", execProgram(l)),
			"fork": program("meetguard_fork", "sched_process_fork", forkProgram(l)),
			"exit": program("meetguard_exit", "sched_process_exit", exitProgram(l)),
		},
	}
}

// join makes one program of its pieces.
func join(pieces ...asm.Instructions) asm.Instructions {
	var all asm.Instructions
	for _, p := range pieces {
		all = append(all, p...)
	}
	return all
}

// read copies size bytes of the kernel's memory from src+from to dst+to. It
// spoils R0 to R5.
func read(dst asm.Register, to int32, size int32, src asm.Register, from int16) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R3, src), // first: src may be R1
		asm.Add.Imm(asm.R3, int32(from)),
		asm.Mov.Reg(asm.R1, dst),
		asm.Add.Imm(asm.R1, to),
		asm.Mov.Imm(asm.R2, size),
		asm.FnProbeReadKernel.Call(),
	}
}

// follow reads the pointer at slot and then size bytes behind it at from into
// dst+to.
func follow(dst asm.Register, to int32, size int32, slot, from int16) asm.Instructions {
	return join(asm.Instructions{asm.LoadMem(asm.R1, asm.RFP, slot, asm.DWord)}, read(dst, to, size, asm.R1, from))
}

// execProgram tells of a launch: sched_process_exec(task, old pid, bprm).
//
// R6 is the size of what stands behind the head, R7 the task, R8 what is at
// hand, R9 the record.
func execProgram(l layout) asm.Instructions {
	const task, bprm = 0, 16
	return join(
		asm.Instructions{
			asm.LoadMem(asm.R7, asm.R1, task, asm.DWord),
			asm.LoadMem(asm.R8, asm.R1, bprm, asm.DWord),
			asm.StoreImm(asm.RFP, slotKey, 0, asm.Word),
			asm.LoadMapPtr(asm.R1, 0).WithReference(mapScratch),
			asm.Mov.Reg(asm.R2, asm.RFP),
			asm.Add.Imm(asm.R2, slotKey),
			asm.FnMapLookupElem.Call(),
			asm.JEq.Imm(asm.R0, 0, "end"),
			asm.Mov.Reg(asm.R9, asm.R0),
			asm.StoreImm(asm.R9, recordKind, recordExec, asm.Word),
			asm.StoreImm(asm.R9, recordFlags, 0, asm.Word),
			asm.FnKtimeGetBootNs.Call(),
			asm.StoreMem(asm.R9, recordAt, asm.R0, asm.DWord),
			asm.Mov.Imm(asm.R6, 0),
		},
		read(asm.R9, recordPID, 4, asm.R7, l.tgid),
		read(asm.R9, recordBorn, 8, asm.R7, l.born),
		read(asm.RFP, slotA, 8, asm.R7, l.parent),
		follow(asm.R9, recordParent, 4, slotA, l.tgid),
		read(asm.RFP, slotA, 8, asm.R7, l.cred),
		follow(asm.R9, recordUser, 4, slotA, l.uid),

		read(asm.RFP, slotA, 8, asm.R8, l.file),
		asm.Instructions{asm.LoadMem(asm.R8, asm.RFP, slotA, asm.DWord)},
		pathNames(l, "exe", l.path, exeMost, recordExeCut),
		asm.Instructions{asm.StoreMem(asm.R9, recordPathsExe, asm.R6, asm.Word)},
		topFolder(),

		read(asm.RFP, slotA, 8, asm.R7, l.fs),
		asm.Instructions{asm.LoadMem(asm.R8, asm.RFP, slotA, asm.DWord)},
		pathNames(l, "cwd", l.pwd, bothMost, recordCwdCut),
		asm.Instructions{asm.StoreMem(asm.R9, recordPathsBoth, asm.R6, asm.Word)},

		arguments(l),
		wakes(),
		asm.Instructions{
			asm.Mov.Reg(asm.R3, asm.R6),
			asm.Add.Imm(asm.R3, recordHead),
			asm.Mov.Reg(asm.R2, asm.R9),
			asm.LoadMapPtr(asm.R1, 0).WithReference(mapRing),
			asm.FnRingbufOutput.Call(),
		},
		countDropped(),
		end(),
	)
}

// pathNames appends the names of a path to the record, from the file up to the
// root, over mounts. R8 is what holds the struct path, at from. It stops with a
// flag at a limit.
func pathNames(l layout, name string, from int16, most int32, flag int32) asm.Instructions {
	label := func(s string) string { return name + " " + s }
	return join(
		read(asm.RFP, slotMount, 8, asm.R8, from+l.pathMount),
		read(asm.RFP, slotDentry, 8, asm.R8, from+l.pathDentry),
		asm.Instructions{asm.Mov.Imm(asm.R8, 0)},

		labelled(label("next"), asm.Instructions{
			asm.Add.Imm(asm.R8, 1),
			asm.JGT.Imm(asm.R8, namesMost, label("cut")),
			asm.JGT.Imm(asm.R6, most, label("cut")),
		}),
		follow(asm.RFP, slotUp, 8, slotDentry, l.up),
		follow(asm.RFP, slotRoot, 8, slotMount, l.root),
		asm.Instructions{
			asm.LoadMem(asm.R1, asm.RFP, slotDentry, asm.DWord),
			asm.LoadMem(asm.R2, asm.RFP, slotRoot, asm.DWord),
			asm.JEq.Reg(asm.R1, asm.R2, label("mount")),
		},
		follow(asm.RFP, slotA, 8, slotDentry, l.name),
		asm.Instructions{
			asm.LoadMem(asm.R3, asm.RFP, slotA, asm.DWord),
			asm.And.Imm(asm.R6, pathsMask), // for the verifier
			asm.Mov.Reg(asm.R1, asm.R9),
			asm.Add.Reg(asm.R1, asm.R6),
			asm.Add.Imm(asm.R1, recordHead),
			asm.Mov.Imm(asm.R2, nameMost),
			asm.FnProbeReadKernelStr.Call(),
			asm.JSLT.Imm(asm.R0, 1, label("cut")),
			asm.JGT.Imm(asm.R0, nameMost, label("cut")),
			asm.Add.Reg(asm.R6, asm.R0),
			asm.LoadMem(asm.R1, asm.RFP, slotDentry, asm.DWord),
			asm.LoadMem(asm.R2, asm.RFP, slotUp, asm.DWord),
			asm.StoreMem(asm.RFP, slotDentry, asm.R2, asm.DWord),
			asm.JEq.Reg(asm.R1, asm.R2, label("done")), // a file system that hangs nowhere, as of memfd
			asm.Ja.Label(label("next")),
		},

		labelled(label("mount"), follow(asm.RFP, slotA, 8, slotMount, l.mountParent-l.mountMnt)),
		follow(asm.RFP, slotDentry, 8, slotMount, l.mountPoint-l.mountMnt),
		asm.Instructions{
			asm.LoadMem(asm.R1, asm.RFP, slotA, asm.DWord),
			asm.Add.Imm(asm.R1, int32(l.mountMnt)),
			asm.LoadMem(asm.R2, asm.RFP, slotMount, asm.DWord),
			asm.StoreMem(asm.RFP, slotMount, asm.R1, asm.DWord),
			asm.JEq.Reg(asm.R1, asm.R2, label("done")), // the root of all
			asm.Ja.Label(label("next")),
		},

		labelled(label("cut"), asm.Instructions{
			asm.LoadMem(asm.R1, asm.R9, recordFlags, asm.Word),
			asm.Or.Imm(asm.R1, flag),
			asm.StoreMem(asm.R9, recordFlags, asm.R1, asm.Word),
		}),
		labelled(label("done"), asm.Instructions{asm.And.Imm(asm.R6, pathsMask)}),
	)
}

// arguments appends what the launch is told on its command line. The pages were
// written a moment ago, so that they are there to be read.
func arguments(l layout) asm.Instructions {
	return join(
		read(asm.RFP, slotA, 8, asm.R7, l.mm),
		follow(asm.RFP, slotB, 8, slotA, l.argEnd),
		follow(asm.RFP, slotA, 8, slotA, l.argStart),
		asm.Instructions{
			asm.LoadMem(asm.R3, asm.RFP, slotA, asm.DWord),
			asm.LoadMem(asm.R8, asm.RFP, slotB, asm.DWord),
			asm.Sub.Reg(asm.R8, asm.R3),
			asm.StoreMem(asm.R9, recordArgsSize, asm.R8, asm.Word),
			asm.JLE.Imm(asm.R8, argsMask, "args fit"),
			asm.Mov.Imm(asm.R8, argsMask),
			asm.And.Imm(asm.R8, argsMask).WithSymbol("args fit"),
			asm.Mov.Reg(asm.R1, asm.R9),
			asm.Add.Reg(asm.R1, asm.R6),
			asm.Add.Imm(asm.R1, recordHead),
			asm.Mov.Reg(asm.R2, asm.R8),
			asm.FnProbeReadUser.Call(),
			asm.JEq.Imm(asm.R0, 0, "args read"),
			asm.LoadMem(asm.R1, asm.R9, recordFlags, asm.Word),
			asm.Or.Imm(asm.R1, recordArgsOff),
			asm.StoreMem(asm.R9, recordFlags, asm.R1, asm.Word),
			asm.Mov.Imm(asm.R8, 0),
			asm.And.Imm(asm.R8, argsMask).WithSymbol("args read"),
			asm.Add.Reg(asm.R6, asm.R8),
		},
	)
}

// topFolder keeps the end of the topmost folder's name, or something that is
// none.
func topFolder() asm.Instructions {
	return join(
		asm.Instructions{
			asm.StoreImm(asm.RFP, slotTop, 0, asm.Word),
			asm.JLT.Imm(asm.R6, 4, "no top"),
			asm.Mov.Reg(asm.R1, asm.R9),
			asm.Add.Reg(asm.R1, asm.R6),
		},
		read(asm.RFP, slotTop, 4, asm.R1, recordHead-4),
		labelled("no top", asm.Instructions{asm.Mov.Imm(asm.R1, 0)}),
	)
}

// wakes leaves in R4 whether the launch wakes the reader. To wake somebody takes
// the launch several times what all the rest of this program does, so that in a
// storm only those do that may matter: of a program that is none of the system's
// own, or with an address in its arguments. R8 is the size of these.
func wakes() asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, 0).WithReference(mapState),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, slotKey),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "end"),
		asm.LoadMem(asm.R1, asm.R0, stateBell, asm.DWord),
		asm.JEq.Imm(asm.R1, ringAll, "wake"),
		asm.JNE.Imm(asm.R1, ringSome, "asleep"),

		asm.LoadMem(asm.R1, asm.RFP, slotTop, asm.Word),
		asm.JEq.Imm(asm.R1, topUsr, "own"),
		asm.JNE.Imm(asm.R1, topBin, "wake"),

		asm.LoadMem(asm.R1, asm.R9, recordPathsBoth, asm.Word).WithSymbol("own"),
		asm.And.Imm(asm.R1, pathsMask),
		asm.Mov.Reg(asm.R2, asm.R9),
		asm.Add.Reg(asm.R2, asm.R1),
		asm.Mov.Imm(asm.R3, 0),
		asm.JGE.Reg(asm.R3, asm.R8, "asleep").WithSymbol("search"),
		asm.JGE.Imm(asm.R3, linkMost, "asleep"),
		asm.Mov.Reg(asm.R1, asm.R2),
		asm.Add.Reg(asm.R1, asm.R3),
		asm.Add.Imm(asm.R3, 1),
		asm.LoadMem(asm.R0, asm.R1, recordHead, asm.Byte),
		asm.JNE.Imm(asm.R0, ':', "search"),
		asm.LoadMem(asm.R0, asm.R1, recordHead+1, asm.Byte), // behind the last byte lies what nobody cares for
		asm.JNE.Imm(asm.R0, '/', "search"),
		asm.LoadMem(asm.R0, asm.R1, recordHead+2, asm.Byte),
		asm.JNE.Imm(asm.R0, '/', "search"),

		asm.LoadMem(asm.R1, asm.R9, recordFlags, asm.Word).WithSymbol("wake"),
		asm.Or.Imm(asm.R1, recordRang),
		asm.StoreMem(asm.R9, recordFlags, asm.R1, asm.Word),
		asm.Mov.Imm(asm.R4, ringForceWake),
		asm.Ja.Label("told"),
		asm.Mov.Imm(asm.R4, ringNoWake).WithSymbol("asleep"),
		asm.Mov.Reg(asm.R3, asm.R6).WithSymbol("told"),
	}
}

// forkProgram tells of a new process: sched_process_fork(parent, child).
// Threads are left out.
func forkProgram(l layout) asm.Instructions {
	const parent, child = 0, 8
	return join(
		asm.Instructions{
			asm.LoadMem(asm.R6, asm.R1, parent, asm.DWord),
			asm.LoadMem(asm.R7, asm.R1, child, asm.DWord),
		},
		read(asm.RFP, slotA, 4, asm.R7, l.pid),
		read(asm.RFP, slotB, 4, asm.R7, l.tgid),
		asm.Instructions{
			asm.LoadMem(asm.R1, asm.RFP, slotA, asm.Word),
			asm.LoadMem(asm.R2, asm.RFP, slotB, asm.Word),
			asm.JNE.Reg(asm.R1, asm.R2, "end"),
		},
		emptyRecord(recordFork),
		read(asm.RFP, slotRecord+recordPID, 4, asm.R7, l.tgid),
		read(asm.RFP, slotRecord+recordParent, 4, asm.R6, l.tgid),
		read(asm.RFP, slotRecord+recordBorn, 8, asm.R7, l.born),
		sendRecord(),
		end(),
	)
}

// exitProgram tells of the end of a process, with its last thread:
// sched_process_exit(task).
func exitProgram(l layout) asm.Instructions {
	return join(
		asm.Instructions{asm.LoadMem(asm.R6, asm.R1, 0, asm.DWord)},
		read(asm.RFP, slotA, 8, asm.R6, l.signal),
		follow(asm.RFP, slotB, 4, slotA, l.live),
		asm.Instructions{
			asm.LoadMem(asm.R1, asm.RFP, slotB, asm.Word),
			asm.JNE.Imm(asm.R1, 0, "end"),
		},
		emptyRecord(recordExit),
		read(asm.RFP, slotRecord+recordPID, 4, asm.R6, l.tgid),
		read(asm.RFP, slotA, 8, asm.R6, l.leader),
		follow(asm.RFP, slotRecord+recordBorn, 8, slotA, l.born),
		sendRecord(),
		end(),
	)
}

// emptyRecord is a head without anything but its kind.
func emptyRecord(kind int64) asm.Instructions {
	var text asm.Instructions
	for at := int16(0); at < recordHead; at += 4 {
		text = append(text, asm.StoreImm(asm.RFP, slotRecord+at, 0, asm.Word))
	}
	text = append(text, asm.StoreImm(asm.RFP, slotRecord+recordKind, kind, asm.Word))
	return text
}

// sendRecord hands over a record without waking the reader, who reads it
// before the next launch, unless many wait. One that finds no room is not
// counted: a launch names its parent itself.
func sendRecord() asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, 0).WithReference(mapRing),
		asm.Mov.Imm(asm.R2, ringWaiting),
		asm.FnRingbufQuery.Call(),
		asm.Mov.Imm(asm.R4, ringNoWake),
		asm.JLE.Imm(asm.R0, ringWake, "few"),
		asm.Mov.Imm(asm.R4, ringForceWake),
		asm.LoadMapPtr(asm.R1, 0).WithReference(mapRing).WithSymbol("few"),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, slotRecord),
		asm.Mov.Imm(asm.R3, recordHead),
		asm.FnRingbufOutput.Call(),
	}
}

// countDropped counts a launch that found no room in the ring.
func countDropped() asm.Instructions {
	return asm.Instructions{
		asm.JEq.Imm(asm.R0, 0, "end"),
		asm.LoadMapPtr(asm.R1, 0).WithReference(mapState),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, slotKey),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "end"),
		asm.Mov.Imm(asm.R1, 1),
		asm.AddAtomic.Mem(asm.R0, asm.R1, asm.DWord, 0),
	}
}

func end() asm.Instructions {
	return asm.Instructions{asm.Mov.Imm(asm.R0, 0).WithSymbol("end"), asm.Return()}
}

func labelled(name string, text asm.Instructions) asm.Instructions {
	text[0] = text[0].WithSymbol(name)
	return text
}
