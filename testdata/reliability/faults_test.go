//go:build linux

package main

import (
	"math/rand/v2"
	"testing"
)

func fixed() *rand.Rand { return rand.New(rand.NewPCG(1, 8)) }

// TestFlipsShort is a short form of -flips: every 997th byte.
func TestFlipsShort(t *testing.T) {
	r, err := runFlips(997)
	if err != nil || r.failed() {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestNastyNames holds that the names of -names can be names of files.
func TestNastyNames(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range nastyNames(1000, fixed()) {
		if seen[name] || len(name) > 255 || name == "" {
			t.Errorf("%q", name)
		}
		seen[name] = true
	}
}
