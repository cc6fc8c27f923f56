package agent

import (
	"slices"
	"sync"
	"time"
)

// StatusLate tells how late the launches were judged that made an alert, of the
// last 256 of them: from the launch to the verdict, and to the alert on the disk,
// synced. The moment of a launch is the kernel's where the source is eBPF;
// otherwise it is when the source was heard.
type StatusLate struct {
	Count   int      `json:"count"` // of which the times are
	Verdict Quantile `json:"verdict_ms"`
	Stored  Quantile `json:"stored_ms"`
}

// Quantile is what half and 99 of a hundred stay below, in milliseconds.
type Quantile struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// maxLate is how many launches are remembered for that.
const maxLate = 256

// lateness keeps the times of the last launches that made an alert.
type lateness struct {
	mu              sync.Mutex
	verdict, stored []time.Duration
	next            int
}

func (l *lateness) note(verdict, stored time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.verdict) < maxLate {
		l.verdict, l.stored = append(l.verdict, verdict), append(l.stored, stored)
		return
	}
	l.verdict[l.next], l.stored[l.next] = verdict, stored
	l.next = (l.next + 1) % maxLate
}

func (l *lateness) status() *StatusLate {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.verdict) == 0 {
		return nil
	}
	return &StatusLate{Count: len(l.verdict), Verdict: quantiles(l.verdict), Stored: quantiles(l.stored)}
}

func quantiles(times []time.Duration) Quantile {
	sorted := slices.Sorted(slices.Values(times))
	at := func(q float64) float64 {
		return float64(sorted[int(q*float64(len(sorted)-1))].Microseconds()) / 1000
	}
	return Quantile{P50: at(0.5), P99: at(0.99)}
}
