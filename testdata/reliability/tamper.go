//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"meetguard"
	"meetguard/internal/alert"
	"meetguard/internal/device"
	"meetguard/internal/store"
)

// tamperResult is what the collector knew of changed logs.
type tamperResult struct {
	Name     string         `json:"name"`
	Seed     uint64         `json:"seed"`
	Changes  map[string]int `json:"changes"` // logs that were changed, by the way
	Total    int            `json:"total"`
	Detected int            `json:"detected"` // by an alarm of the collector
	Missed   []string       `json:"missed"`
	Controls int            `json:"controls"` // logs that nobody changed
	False    int            `json:"false_alarms"`
}

func (r tamperResult) failed() bool { return r.Detected != r.Total || r.False > 0 || r.Total == 0 }

// changes are what somebody with the rights of an administrator does to a log of
// lines. twin is a log with the same lines but one, whose checksum is right.
var changes = []struct {
	name string
	do   func(lines [][]byte, twin []byte, k int, rng *rand.Rand) [][]byte
}{
	{"deleted", func(l [][]byte, _ []byte, k int, _ *rand.Rand) [][]byte { return slices.Delete(l, k, k+1) }},
	{"altered", func(l [][]byte, _ []byte, k int, rng *rand.Rand) [][]byte {
		at := rng.IntN(len(l[k]))
		l[k][at] ^= 1 << rng.IntN(7)
		return l
	}},
	{"altered with a right checksum", func(l [][]byte, twin []byte, k int, _ *rand.Rand) [][]byte {
		l[k] = twin
		return l
	}},
	{"reordered", func(l [][]byte, _ []byte, k int, _ *rand.Rand) [][]byte {
		other := (k + 1) % len(l)
		l[k], l[other] = l[other], l[k]
		return l
	}},
	{"cut back", func(l [][]byte, _ []byte, k int, _ *rand.Rand) [][]byte { return l[:k] }},
	{"cut within a record", func(l [][]byte, _ []byte, k int, rng *rand.Rand) [][]byte {
		l[k] = l[k][:1+rng.IntN(len(l[k])-2)]
		return l[:k+1]
	}},
	{"doubled", func(l [][]byte, _ []byte, k int, _ *rand.Rand) [][]byte { return slices.Insert(l, k, l[k]) }},
}

// runTamper changes the logs of many agents, one each, and has them report.
func runTamper(collector string, count int, seed uint64) (r tamperResult, err error) {
	r = tamperResult{Name: "tamper", Seed: seed, Changes: map[string]int{}}
	dir, hub, end, err := scratchHub("tamper", collector)
	if err != nil {
		return r, err
	}
	defer func() { end(r) }()
	token, err := hub.token()
	if err != nil {
		return r, err
	}
	rng := rand.New(rand.NewPCG(seed, 7))
	want := map[string]string{} // by agent: what was done to its log
	for n := range count + count/10 {
		m := machine{hub: hub, state: filepath.Join(dir, "agent"), host: meetguard.Host{UID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), Name: fmt.Sprintf("m%d", n), OS: "linux"}}
		how := "nothing"
		if n < count {
			how = changes[n%len(changes)].name
		}
		uid, err := m.report(token, how, rng)
		if err != nil {
			return r, fmt.Errorf("agent %d, %s: %w", n, how, err)
		}
		want[uid] = how
		if err := os.RemoveAll(m.state); err != nil {
			return r, err
		}
		if n%100 == 99 {
			fmt.Fprintln(os.Stderr, n+1, "agents")
		}
	}
	hub.kill()
	return r, r.compare(hub, want)
}

// compare holds what was done against the alarms that the collector has.
func (r *tamperResult) compare(hub *server, want map[string]string) error {
	st, err := store.Open(context.Background(), hub.storeURL())
	if err != nil {
		return err
	}
	defer st.Close()
	accused := map[string]bool{}
	for seq := int64(0); ; {
		page, err := st.Since(context.Background(), store.Everything, seq, 1000)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, a := range page {
			if strings.HasPrefix(a.Rule, "MG-FLEET-") {
				accused[a.AgentUID] = true
			}
			seq = a.Seq
		}
	}
	for uid, how := range want {
		switch {
		case how == "nothing":
			r.Controls++
			if accused[uid] {
				r.False++
			}
			continue
		case accused[uid]:
			r.Detected++
		default:
			r.Missed = append(r.Missed, how)
		}
		r.Changes[how]++
		r.Total++
	}
	return nil
}

// machine is one agent's log and identity.
type machine struct {
	hub   *server
	state string
	host  meetguard.Host
}

// report lets the machine deliver, has its log changed while nobody has it open,
// and lets it report again. It returns who the collector takes it for.
func (m machine) report(token, how string, rng *rand.Rand) (uid string, err error) {
	lines := 4 + rng.IntN(9)
	k := rng.IntN(lines)
	d, err := device.New(device.Config{State: m.state, Collector: m.hub.url(), Labels: device.Labels{UID: m.host.UID, Hostname: m.host.Name, OS: "linux"}, Machine: device.ThisMachine()})
	if err != nil {
		return "", err
	}
	defer d.CloseIdleConnections()
	if err := d.Enrol(context.Background(), token); err != nil {
		return "", err
	}
	detail := strings.Fields(d.Health().Detail) // enrolled as UID,
	if len(detail) < 3 {
		return "", fmt.Errorf("who is it: %v", detail)
	}
	uid = strings.TrimSuffix(detail[2], ",")
	twin, err := m.live(d, lines, k)
	if err != nil {
		return uid, err
	}
	for _, c := range changes {
		if c.name == how {
			if err := m.change(func(l [][]byte) [][]byte { return c.do(l, twin, k, rng) }); err != nil {
				return uid, err
			}
		}
	}
	l, err := alert.Open(m.state, alert.Options{})
	if err != nil {
		return uid, err
	}
	defer l.Close()
	if _, err := l.Review(context.Background()); err != nil {
		return uid, err
	}
	return uid, m.beat(l, d)
}

// live writes lines and delivers them. The twin of line k has the same place and
// other words.
func (m machine) live(d *device.Device, lines, k int) (twin []byte, err error) {
	l, err := alert.Open(m.state, alert.Options{})
	if err != nil {
		return nil, err
	}
	other, err := alert.Open(m.state+".twin", alert.Options{})
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(m.state + ".twin")
	defer other.Close()
	for n := range lines {
		rec := alert.NewRecord(m.host, alert.Product{Version: "tamper"}, madeAlert(m.host.Name, n))
		if ok, err := l.Append(rec); err != nil || !ok {
			return nil, errors.Join(err, errors.New("not appended"))
		}
		if n == k {
			rec.Message = "Nothing happened here."
		}
		if n <= k {
			if _, err := other.Append(rec); err != nil {
				return nil, err
			}
		}
	}
	if err := m.beat(l, d); err != nil {
		return nil, err
	}
	all, err := os.ReadFile(filepath.Join(m.state+".twin", "alerts.jsonl"))
	if err != nil {
		return nil, err
	}
	return bytes.SplitAfter(all, []byte("\n"))[k], l.Close()
}

// change replaces the lines of the log.
func (m machine) change(do func([][]byte) [][]byte) error {
	path := filepath.Join(m.state, "alerts.jsonl")
	all, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := bytes.SplitAfter(all, []byte("\n"))
	return os.WriteFile(path, bytes.Join(do(lines[:len(lines)-1]), nil), 0o600)
}

// beat delivers everything that is owed, with a heartbeat before and one after it.
func (m machine) beat(l *alert.Log, d *device.Device) error {
	for range 2 {
		s, err := alert.NewSender(alert.SenderConfig{URL: m.hub.url(), Log: l, Host: m.host, Client: d.Client(), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		for ctx.Err() == nil && (l.Counters().Pending > 0 || s.Health().Detail != "") {
			time.Sleep(2 * time.Millisecond)
		}
		late := ctx.Err()
		stop()
		if err := errors.Join(<-ended, late); err != nil {
			text, _ := json.Marshal(s.Health())
			return fmt.Errorf("report: %w: %s", err, text)
		}
	}
	return nil
}
