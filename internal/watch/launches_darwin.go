package watch

import "time"

// kernelSources are the sources that see every launch, best first.
func kernelSources() []source { return []source{esloggerSource(esloggerPath, "exec")} }

// newProcesses belongs to one goroutine.
func newProcesses() processes { return kernProcesses{} }

// startJitter is how far two tellings of one start may be apart: all come from
// the kernel, in microseconds.
const startJitter = 500 * time.Millisecond

// proofProgram waits for its input to end. Its last argument is the word.
func proofProgram(word string) []string { return []string{"/bin/sh", "-c", "read line", word} }
