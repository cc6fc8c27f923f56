package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Garbage is let grow to what the collector has in use, as Go does by itself, but
// beyond enough memory only to a third of that: many connections that are kept
// hold much, of which a copy in garbage helps nobody.
const (
	enough       = 400 << 20 // bytes
	garbageEvery = 10 * time.Second
)

// boundGarbage keeps the bound until ctx is done. GOMEMLIMIT overrides it.
func boundGarbage(ctx context.Context) error {
	if os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	tick := time.NewTicker(garbageEvery)
	defer tick.Stop()
	for {
		debug.SetMemoryLimit(max(enough, inUse()/3*4))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// inUse is what was found in use when garbage was collected last, in bytes.
func inUse() int64 {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}, {Name: "/memory/classes/metadata/other:bytes"}}
	metrics.Read(samples)
	var sum uint64
	for _, s := range samples {
		sum += s.Value.Uint64()
	}
	return int64(sum)
}
