package main

import "slices"

// edge is a line of an outline that is not level, from its upper to its lower
// end; way tells which of the two it was drawn from.
type edge struct {
	top, bottom point
	way         int
}

func edgesOf(o outline, move matrix) []edge {
	var out []edge
	for _, ring := range o {
		for i := range ring {
			a, b := move.apply(ring[i]), move.apply(ring[(i+1)%len(ring)])
			switch {
			case a.y < b.y:
				out = append(out, edge{a, b, 1})
			case a.y > b.y:
				out = append(out, edge{b, a, -1})
			}
		}
	}
	return out
}

// crossings calls span for every stretch of the line at height y that is inside.
func crossings(edges []edge, y float64, evenOdd bool, span func(from, to float64)) {
	type crossing struct {
		x   float64
		way int
	}
	var list []crossing
	for _, e := range edges {
		if e.top.y <= y && y < e.bottom.y {
			t := (y - e.top.y) / (e.bottom.y - e.top.y)
			list = append(list, crossing{e.top.x + t*(e.bottom.x-e.top.x), e.way})
		}
	}
	slices.SortFunc(list, func(a, b crossing) int {
		switch {
		case a.x < b.x:
			return -1
		case a.x > b.x:
			return 1
		}
		return 0
	})
	wind := 0
	for i := 0; i+1 < len(list); i++ {
		wind += list[i].way
		if evenOdd && i%2 == 0 || !evenOdd && wind != 0 {
			span(list[i].x, list[i+1].x)
		}
	}
}
