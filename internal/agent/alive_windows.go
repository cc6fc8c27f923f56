package agent

import "golang.org/x/sys/windows"

// alive says whether a process with this id runs.
func alive(pid int) bool {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h)
	var code uint32
	const stillActive = 259 // STILL_ACTIVE, winbase.h
	return windows.GetExitCodeProcess(h, &code) == nil && code == stillActive
}
