//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"meetguard/internal/device"
	"meetguard/internal/store"
)

// crash is the run.
type crash struct {
	server
	kills  int
	alerts int
	seed   uint64

	rng *rand.Rand
}

func (c *crash) run() (result, error) {
	r := result{Name: "crash", Seed: c.seed}
	c.rng = rand.New(rand.NewPCG(c.seed, 1))
	end, err := c.begin("crash", c.seed)
	if err != nil {
		return r, err
	}
	defer end()
	if err := c.enrol(); err != nil {
		return r, err
	}
	begin := time.Now()
	promised := map[string]bool{}
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- c.killCollectors(ctx, &r.CollectorKills) }()
	for n := 0; n < c.kills || len(promised) < c.alerts; n++ {
		if err := c.life(fmt.Sprint(n), promised); err != nil {
			stop()
			return r, errors.Join(fmt.Errorf("life %d: %w", n, err), <-ended)
		}
		r.AgentKills++
		if n%100 == 99 {
			fmt.Fprintf(os.Stderr, "%d kills of the agent, %d promised, %v\n", n+1, len(promised), time.Since(begin).Round(time.Second))
		}
	}
	stop()
	if err := <-ended; err != nil {
		return r, err
	}
	if err := c.drain(); err != nil {
		return r, err
	}
	r.Took, r.Promised = time.Since(begin), len(promised)
	return r, c.count(promised, &r)
}

// killCollectors kills the collector and starts it again, some four times slower
// than agents die.
func (c *crash) killCollectors(ctx context.Context, kills *int) error {
	moments := rand.New(rand.NewPCG(c.seed, 2))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(50*time.Millisecond + time.Duration(moments.Int64N(int64(700*time.Millisecond)))):
		}
		c.kill()
		*kills++
		if err := c.start(); err != nil {
			return err
		}
	}
}

// enrol makes the one identity that all lives of the agent have.
func (c *crash) enrol() error {
	token, err := c.token()
	if err != nil {
		return err
	}
	d, err := device.New(device.Config{State: c.state(), Collector: c.url(), Labels: device.Labels{UID: "crash-host", Hostname: "crash", OS: "linux"}, Machine: device.ThisMachine()})
	if err != nil {
		return err
	}
	defer d.CloseIdleConnections()
	return d.Enrol(context.Background(), token)
}

func (c *crash) state() string { return filepath.Join(c.dir, "agent") }

// life is one life of the agent: it writes, and dies at a random moment: one in
// five from its start on, the others from its first promise on.
func (c *crash) life(round string, promised map[string]bool) error {
	cmd := exec.Command("/proc/self/exe", "writer", c.state()+" "+c.url()+" "+round)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	end := time.Duration(c.rng.Int64N(int64(250 * time.Millisecond)))
	timer := time.AfterFunc(end, func() { cmd.Process.Kill() })
	defer timer.Stop()
	atStart := c.rng.IntN(5) == 0
	if !atStart {
		timer.Stop()
	}
	lines := bufio.NewScanner(out)
	var fault error
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "promised":
			if !atStart {
				timer.Reset(end)
				atStart = true
			}
			if len(rest) == uidLength { // the last line may be cut: then nobody was told
				promised[rest] = true
			}
		case "error":
			fault = errors.New(rest)
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return fault
	}
	return errors.Join(fault, err, errors.New("it ended before it was killed"))
}

// uidLength is that of metadata.uid, a UUID in text.
const uidLength = 36

// drain lets the agent deliver what is left.
func (c *crash) drain() error {
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Minute)
	defer stop()
	out, err := exec.CommandContext(ctx, "/proc/self/exe", "writer", c.state()+" "+c.url()+" drain").CombinedOutput()
	if err != nil {
		return fmt.Errorf("drain: %w: %s", err, out)
	}
	return nil
}

// count compares promises with the store.
func (c *crash) count(promised map[string]bool, r *result) error {
	c.kill()
	have := map[string]int{}
	err := c.stored(func(a store.Alert) {
		if strings.HasPrefix(a.Rule, fleetAlarm) {
			r.Alarms++
			fmt.Fprintf(os.Stderr, "alarm: %s\n", a.Record)
		}
		have[a.RecordUID]++
	})
	for uid := range promised {
		switch have[uid] {
		case 0:
			r.Lost++
		case 1:
		default:
			r.Twice++
		}
	}
	return err
}
