//go:build linux

package main

import (
	"math"
	"slices"
)

// slopeBlocks is the number of means that a series is cut into before a line is
// laid through it: samples five seconds apart are no independent witnesses, as
// memory is given back in steps, while means of minutes nearly are.
const slopeBlocks = 20

// studentT is the 97.5 % quantile of Student's t with slopeBlocks−2 degrees of
// freedom: a two-sided interval of 95 %.
const studentT = 2.101

// slope is a line laid through a series by ordinary least squares.
type slope struct {
	PerMinute float64 `json:"per_minute"`
	Low       float64 `json:"low"` // of the 95 % confidence interval
	High      float64 `json:"high"`
	First     float64 `json:"first"` // means of the first and the last block
	Last      float64 `json:"last"`
	Lag1      float64 `json:"lag1"` // autocorrelation of what the line leaves of the blocks; the interval is widened for it
}

// holdsZero tells that the series may as well not rise or fall at all.
func (s slope) holdsZero() bool { return s.Low <= 0 && s.High >= 0 }

// slopeOf takes samples with their times in minutes, at least slopeBlocks of them.
func slopeOf(minutes, values []float64) slope {
	t, v := blockMeans(minutes), blockMeans(values)
	tm, vm := mean(t), mean(v)
	var stt, stv float64
	for i := range t {
		stt += (t[i] - tm) * (t[i] - tm)
		stv += (t[i] - tm) * (v[i] - vm)
	}
	b := stv / stt
	var square, lagged, before float64
	for i := range t {
		left := v[i] - vm - b*(t[i]-tm)
		square += left * left
		lagged += left * before
		before = left
	}
	s := slope{PerMinute: b, First: v[0], Last: v[len(v)-1]}
	if square > 0 {
		s.Lag1 = lagged / square
	}
	// The variance of a mean of a series of first order is (1+r)/(1−r) times that
	// of independent ones.
	wider := 1.0
	if r := min(s.Lag1, 0.9); r > 0 {
		wider = math.Sqrt((1 + r) / (1 - r))
	}
	half := studentT * wider * math.Sqrt(square/float64(len(t)-2)/stt)
	s.Low, s.High = b-half, b+half
	return s
}

func blockMeans(s []float64) []float64 {
	out := make([]float64, slopeBlocks)
	for i := range out {
		out[i] = mean(s[i*len(s)/slopeBlocks : (i+1)*len(s)/slopeBlocks])
	}
	return out
}

func mean(s []float64) (sum float64) {
	for _, v := range s {
		sum += v
	}
	return sum / float64(len(s))
}

// quantile is the value below which a part q of s lies, 0 of none.
func quantile(s []float64, q float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[int(q*float64(len(sorted)-1))]
}
