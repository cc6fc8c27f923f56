package worker

import (
	"context"
	"testing"
	"time"
)

// BenchmarkReplacement is from the deadline of a request that hangs to the
// answer of the worker in its place.
func BenchmarkReplacement(b *testing.B) {
	const deadline = 500 * time.Millisecond
	p := pool(b, Config{Timeout: deadline})
	for b.Loop() {
		if _, err := p.Do(context.Background(), [][]byte{[]byte("hang")}); err == nil {
			b.Fatal("it answered")
		}
		if _, err := p.Do(context.Background(), [][]byte{[]byte("echo on")}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((b.Elapsed()/time.Duration(b.N) - deadline).Milliseconds()), "ms-late")
}
