package watch

import (
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
)

// kernelSources are the sources that see every launch, best first.
func kernelSources() []source { return []source{etwSource(), sysmonSource(), auditSource()} }

// newProcesses belongs to one goroutine.
func newProcesses() processes { return systemProcesses{} }

// startJitter is how far two tellings of one start may be apart: the logs tell
// when they heard of it.
const startJitter = 3 * time.Second

// proofProgram waits for its input to end. Its last argument is the word.
func proofProgram(word string) []string {
	system, err := windows.GetSystemDirectory()
	if err != nil {
		system = `C:\Windows\System32`
	}
	return []string{filepath.Join(system, "findstr.exe"), word}
}
