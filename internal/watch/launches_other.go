//go:build !linux

package watch

import "time"

// kernelSources has nothing better than polling here.
func kernelSources() []source { return nil }

// newProcesses belongs to one goroutine.
func newProcesses() processes { return systemProcesses{} }

// startJitter is how far two tellings of one start may be apart.
const startJitter = 3 * time.Second
