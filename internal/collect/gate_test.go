package collect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
)

// One address that opens hundreds of connections holds up another one by one
// turn, and no more are computed at the same time than may be.
func TestGateIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{free: 1, lines: map[string][]chan struct{}{}}
		if err := g.enter(t.Context(), "busy"); err != nil {
			t.Fatal(err)
		}
		var order []string
		running := 1
		stand := func(address string) {
			go func() {
				if err := g.enter(t.Context(), address); err != nil {
					t.Error(err)
				}
				if running++; running > 1 {
					t.Error("two at the same time")
				}
				order = append(order, address)
				running--
				g.leave()
			}()
			synctest.Wait()
		}
		for range 300 {
			stand("busy")
		}
		for i := range 3 {
			stand(fmt.Sprint("honest", i))
		}
		running--
		g.leave()
		synctest.Wait()
		if len(order) != 303 {
			t.Fatalf("%d had their turn", len(order))
		}
		for i := range 3 {
			if at := slices.Index(order, fmt.Sprint("honest", i)); at > 6 {
				t.Errorf("honest%d had to wait for %d others", i, at)
			}
		}
		if g.free != 1 || len(g.lines)+len(g.next) > 0 {
			t.Errorf("left behind: %d free, %d lines", g.free, len(g.lines))
		}
	})
}

// Who gives up leaves no hole, and a line has an end.
func TestGateIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{free: 1, lines: map[string][]chan struct{}{}}
		if err := g.enter(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, maxQueued)
		for range maxQueued {
			go func() { gone <- g.enter(ctx, "a") }()
		}
		synctest.Wait()
		if err := g.enter(t.Context(), "a"); !errors.Is(err, errQueue) {
			t.Errorf("beyond the end of the line: %v", err)
		}
		last := make(chan error)
		go func() { last <- g.enter(t.Context(), "b") }()
		synctest.Wait()
		cancel()
		for range maxQueued {
			if err := <-gone; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		g.leave()
		if err := <-last; err != nil {
			t.Error(err)
		}
		g.leave()
		if g.free != 1 || len(g.lines)+len(g.next) > 0 {
			t.Errorf("left behind: %d free, %d lines", g.free, len(g.lines))
		}
	})
}
