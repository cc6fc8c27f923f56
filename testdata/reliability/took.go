//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// took is how long something took.
type took struct {
	d    time.Duration
	what string
}

// slowest are the n that took longest, as text.
func slowest(all []took, n int) []string {
	slices.SortFunc(all, func(a, b took) int { return cmp.Compare(b.d, a.d) })
	var out []string
	for _, t := range all[:min(n, len(all))] {
		out = append(out, fmt.Sprintf("%.1f s, %s", t.d.Seconds(), t.what))
	}
	return out
}

func median(all []int) int {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}
