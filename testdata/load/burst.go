//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite"

	"meetguard/internal/pki"
)

// barBurst is how many times the floor's time the collector may take for the
// same alerts.
const barBurst = 1.5

// bare is the floor: TLS, net/http, read the body, one insert with the same
// promise (on disk when it is answered), answer. It prints its address.
func bare(args []string) {
	if err := serveBare(args[0]); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(2)
	}
}

func serveBare(dir string) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "bare.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE bodies (n INTEGER PRIMARY KEY, body BLOB)`); err != nil {
		return err
	}
	a, _, err := pki.Open(filepath.Join(dir, "bare-ca"))
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	srv := &http.Server{
		ReadHeaderTimeout: time.Minute,
		TLSConfig:         a.TLSConfig([]string{"127.0.0.1"}, time.Now),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
			if err == nil {
				_, err = db.Exec(`INSERT INTO bodies (body) VALUES (?)`, body)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			io.WriteString(w, `{"results":[{"uid":"x","status":"stored"}]}`)
		}),
	}
	return srv.ServeTLS(ln, "", "")
}

// compare sends the same number of single alerts to the collector and to the
// floor, in turns, over connections that are open already.
func compare(ctx context.Context, p plan) (bool, error) {
	dir, err := os.MkdirTemp("", "meetguard-burst")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	p.dir = dir
	s, err := startServer(ctx, p)
	if err != nil {
		return false, err
	}
	defer s.stop()
	p.agents = 64
	fleet, err := enrolAll(ctx, p, s)
	if err != nil {
		return false, err
	}
	self, err := os.Executable()
	if err != nil {
		return false, err
	}
	floor := exec.CommandContext(ctx, self, "bare", dir)
	out, err := floor.StdoutPipe()
	if err != nil {
		return false, err
	}
	floor.Stderr = os.Stderr
	if err := floor.Start(); err != nil {
		return false, err
	}
	defer floor.Process.Kill()
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return false, fmt.Errorf("the floor did not start: %w", err)
	}
	others := make([]*agent, len(fleet))
	for i := range others {
		others[i] = &agent{n: i, addr: strings.TrimSpace(addr), uid: fmt.Sprint("bare-", i), prev: "0",
			tls: &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true}} // the floor proves nothing to anybody
	}
	burst(fleet, 200)
	burst(others, 200)
	var wall, work []float64
	for range p.rounds {
		a, err := measureBurst(s.cmd.Process.Pid, fleet)
		if err != nil {
			return false, err
		}
		b, err := measureBurst(floor.Process.Pid, others)
		if err != nil {
			return false, err
		}
		wall = append(wall, a.wall.Seconds()/b.wall.Seconds())
		work = append(work, a.cpu.Seconds()/b.cpu.Seconds())
		fmt.Printf("collector %v, floor %v, load %s\n", a, b, loadAverage())
	}
	mid := median(wall)
	fmt.Printf("burst intake %.2f times the floor (bar %.1f), CPU %.2f times\n", mid, barBurst, median(work))
	return mid <= barBurst, nil
}

// burstAlerts is the number of alerts of one round.
const burstAlerts = 2000

// effort is what a server took for one round.
type effort struct{ wall, cpu time.Duration }

func (e effort) String() string {
	return fmt.Sprintf("%.0f alerts a second at %.0f µs of CPU each", burstAlerts/e.wall.Seconds(), float64(e.cpu.Microseconds())/burstAlerts)
}

func measureBurst(pid int, fleet []*agent) (effort, error) {
	before := usageOf(pid)
	wall, err := burst(fleet, burstAlerts)
	return effort{wall, usageOf(pid).cpu - before.cpu}, err
}

// loadAverage is that of the machine over the last minute.
func loadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg")
	one, _, _ := strings.Cut(string(text), " ")
	return one
}

func median(all []float64) float64 {
	t := &tally{}
	for _, f := range all {
		t.took = append(t.took, time.Duration(f*1e9))
	}
	return float64(t.percentile(0.5)) / 1e9
}

// burst sends n alerts as fast as they are answered.
func burst(fleet []*agent, n int) (time.Duration, error) {
	start := time.Now()
	errs := make(chan error, len(fleet))
	var wait sync.WaitGroup
	for _, a := range fleet {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range n / len(fleet) {
				if _, err := a.beat(time.Minute, true, false); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	wait.Wait()
	select {
	case err := <-errs:
		return 0, err
	default:
	}
	return time.Since(start), nil
}
