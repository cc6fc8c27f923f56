package box

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// jobMemory is what the process may commit, in bytes: what a worker may have on
// other systems.
const jobMemory = 768 << 20

// What the job is for: one process with bounded memory, which ends with whoever
// holds the job, and cannot reach the clipboard, the desktop and other windows.
const (
	jobBounds  = windows.JOB_OBJECT_LIMIT_ACTIVE_PROCESS | windows.JOB_OBJECT_LIMIT_PROCESS_MEMORY
	jobFlags   = jobBounds | windows.JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION | windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	jobDesktop = 0xff // every JOB_OBJECT_UILIMIT_ of winnt.h
)

// newJob makes a job, with or without the limits of the desktop.
func newJob(desktop bool) (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	limits.BasicLimitInformation.LimitFlags = jobFlags
	limits.BasicLimitInformation.ActiveProcessLimit = 1
	limits.ProcessMemoryLimit = jobMemory
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err == nil && desktop {
		ui := windows.JOBOBJECT_BASIC_UI_RESTRICTIONS{UIRestrictionsClass: jobDesktop}
		_, err = windows.SetInformationJobObject(job, windows.JobObjectBasicUIRestrictions, uintptr(unsafe.Pointer(&ui)), uint32(unsafe.Sizeof(ui)))
	}
	if err != nil {
		windows.CloseHandle(job)
		return 0, fmt.Errorf("set the limits: %w", err)
	}
	return job, nil
}

// job sees to it that the process is in such a job. One that it was born into is
// out of its reach; of one that it has to make for itself it holds the handle,
// because the job ends it when that is closed.
func job() error {
	if jobHolds() == nil {
		return nil
	}
	job, err := newJob(true)
	if err == nil && windows.AssignProcessToJobObject(job, windows.CurrentProcess()) != nil {
		windows.CloseHandle(job) // it may be in another one that does not let this lie within it
		if job, err = newJob(false); err == nil {
			err = windows.AssignProcessToJobObject(job, windows.CurrentProcess())
		}
	}
	if err != nil {
		return err
	}
	return jobHolds()
}

// jobHolds asks the system for the bounds of the job that the process is in.
func jobHolds() error {
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	if err := windows.QueryInformationJobObject(0, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)), nil); err != nil {
		return fmt.Errorf("ask for its bounds: %w", err)
	}
	basic := limits.BasicLimitInformation
	if basic.LimitFlags&jobBounds != jobBounds || basic.ActiveProcessLimit != 1 || limits.ProcessMemoryLimit > jobMemory {
		return errors.New("it is in none of these bounds")
	}
	return nil
}

// noDesktop asks for the other half.
func noDesktop() error {
	var ui windows.JOBOBJECT_BASIC_UI_RESTRICTIONS
	if err := windows.QueryInformationJobObject(0, windows.JobObjectBasicUIRestrictions, uintptr(unsafe.Pointer(&ui)), uint32(unsafe.Sizeof(ui)), nil); err != nil {
		return fmt.Errorf("ask for it: %w", err)
	}
	if ui.UIRestrictionsClass&jobDesktop != jobDesktop {
		return errors.New("its job does not shut it off")
	}
	return nil
}
