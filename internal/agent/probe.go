package agent

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"meetguard"
	"meetguard/internal/config"
	"meetguard/internal/device"
)

// ProbeCollector goes to the collector that cfg, or this machine's identity,
// names: step by step, sending nothing of this machine. Without one it gives no
// steps. skew is the collector's clock minus ours, nil if it did not tell.
func ProbeCollector(ctx context.Context, cfg config.Config) (steps []device.Step, skew *time.Duration, err error) {
	if cfg.Collector == "" {
		if cfg.Collector, err = device.Collector(cfg.State); err != nil || cfg.Collector == "" {
			return nil, nil, err
		}
	}
	d, err := openDevice(cfg, meetguard.Host{OS: runtime.GOOS}, "", slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	defer d.CloseIdleConnections()
	steps, date := d.Probe(ctx)
	if !date.IsZero() {
		off := date.Sub(time.Now().Truncate(time.Second))
		skew = &off
	}
	return steps, skew, nil
}

// TryLure has the inspection judge the test lure, in a folder of its own that is
// removed again. found says whether it was recognised.
func (in *Inspector) TryLure(ctx context.Context) (found bool, err error) {
	dir, err := os.MkdirTemp("", "meetguard-doctor-")
	if err != nil {
		return false, fmt.Errorf("make a folder for the test lure: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "test-lure.txt")
	if err := os.WriteFile(path, []byte(TestLure), 0o600); err != nil {
		return false, fmt.Errorf("write the test lure: %w", err)
	}
	facts, _, err := in.Inspect(ctx, path)
	if err != nil {
		return false, err
	}
	v := in.Judge(facts)
	return len(v.Findings) == 1 && v.Findings[0].Rule == RuleTest, nil
}
