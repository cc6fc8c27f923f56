//go:build linux

package main

import "sort"

// series is a number of measurements of the same thing.
type series []float64

// quantile is the value below which a part q of the series lies.
func (s series) quantile(q float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := append(series{}, s...)
	sort.Float64s(sorted)
	return sorted[int(q*float64(len(sorted)-1))]
}

func (s series) median() float64 { return s.quantile(0.5) }
func (s series) min() float64    { return s.quantile(0) }
func (s series) max() float64    { return s.quantile(1) }
