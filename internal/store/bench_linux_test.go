package store

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// openBench opens an empty store of an engine with n agents. PostgreSQL is the
// server of the tests: its files are in memory, so no disk is measured.
func openBench(b *testing.B, engine string, n int) Store {
	b.Helper()
	var s Store
	if engine == "sqlite" {
		sqlite, err := OpenSQLite(b.Context(), b.TempDir()+"/store.db")
		if err != nil {
			b.Fatal(err)
		}
		s = sqlite
	} else {
		postgres, err := OpenPostgres(b.Context(), newDatabase(b))
		if err != nil {
			b.Fatal(err)
		}
		s = postgres
	}
	b.Cleanup(func() { s.Close() })
	for i := range n {
		if err := s.Admit(b.Context(), Agent{UID: fmt.Sprint("agent", i)}, "g", arrival); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// BenchmarkSave saves batches of 100 records of 4 KiB, one after the other and by
// 16 agents at once.
func BenchmarkSave(b *testing.B) {
	filler := strings.Repeat("x", 4000)
	batch := func(agent, n int) Batch {
		batch := batchOf(fmt.Sprint("agent", agent))
		for k := range 100 {
			batch.Records = append(batch.Records, sample(fmt.Sprint("r", n, "-", k), with(filler), about("malicious", "zoom", fmt.Sprint("R", k%20)),
				func(r *Record) {
					r.SHA256, r.Path, r.Host = fmt.Sprint(n), "/home/ana/Downloads/Zoom.deb", "zoom.invalid"
				}))
		}
		return batch
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine+"/alone", func(b *testing.B) {
			s, n := openBench(b, engine, 1), 0
			for b.Loop() {
				n++
				if _, err := s.Save(b.Context(), batch(0, n)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(100*n)/b.Elapsed().Seconds(), "records/s")
		})
		b.Run(engine+"/together", func(b *testing.B) {
			s := openBench(b, engine, 16)
			agents := make(chan int, 16)
			for i := range 16 {
				agents <- i
			}
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				agent := <-agents
				for n := 0; pb.Next(); n++ {
					if _, err := s.Save(b.Context(), batch(agent, n)); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkBeat takes a heartbeat of each of 10,000 agents.
func BenchmarkBeat(b *testing.B) {
	const agents = 10_000
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			s := openBench(b, engine, agents)
			n := 0
			for b.Loop() {
				n++
				var beats []Beat
				for i := range agents {
					beats = append(beats, beatOf(fmt.Sprint("agent", i), arrival.Add(time.Duration(n)*time.Minute)))
				}
				if err := s.Beat(b.Context(), beats); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(agents*n)/b.Elapsed().Seconds(), "beats/s")
		})
	}
}
