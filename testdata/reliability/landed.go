//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// landed kills the whole agent, its watchers with it, while files land.
type landed struct {
	server
	agent string
	kills int
	bad   int
	clean int
	seed  uint64
}

// landedResult is what became of the files.
type landedResult struct {
	Name    string         `json:"name"`
	Seed    uint64         `json:"seed"`
	Kills   int            `json:"kills"`
	Unready int            `json:"killed_unready"` // of these, before it said that it watched
	Bad     int            `json:"bad"`
	Clean   int            `json:"clean"`
	Dead    int            `json:"landed_while_dead"` // of all
	Ways    map[string]int `json:"ways"`
	Missed  int            `json:"missed"`
	Twice   int            `json:"twice"`
	Renamed int            `json:"under_two_names"` // not twice: the file was there under both
	False   int            `json:"false"`
	Stored  int            `json:"stored"`  // bad ones that the collector has
	Orphans int            `json:"orphans"` // processes of agents that were killed, in the end
	Log     string         `json:"log"`     // what the agent says of its log in the end
	Took    time.Duration  `json:"took_ns"`
	Load    string         `json:"load"`
}

func (r landedResult) failed() bool {
	return r.Missed+r.Twice+r.False+r.Orphans > 0 || r.Stored != r.Bad || r.Log != "whole"
}

// badOnes are lures by the hash of their content, and the files that are none.
type badOnes struct {
	lures map[string]string // hash ─► path that it landed under first
	clean map[string]bool   // paths
}

func (l *landed) run() (r landedResult, err error) {
	r = landedResult{Name: "landed", Seed: l.seed, Bad: l.bad, Clean: l.clean, Ways: map[string]int{}}
	end, err := l.begin("landed", l.seed)
	if err != nil {
		return r, err
	}
	defer end()
	w, err := newWhole(l.agent, filepath.Join(l.dir, "agent"))
	if err != nil {
		return r, err
	}
	if err := w.enrol(&l.server); err != nil {
		return r, err
	}
	land, err := newLander(w.watch[0], filepath.Join(l.dir, "elsewhere"), l.seed)
	if err != nil {
		return r, err
	}
	begin := time.Now()
	files := &badOnes{lures: map[string]string{}, clean: map[string]bool{}}
	if err := l.killing(w, land, files, &r); err != nil {
		return r, err
	}
	if err := w.start(); err != nil {
		return r, err
	}
	_, err = w.tells(files.lures, 20*time.Minute) // what is missing is counted below
	err = errors.Join(err, w.rest(20*time.Minute), w.delivered(5*time.Minute))
	r.Orphans = strangers(w)
	r.Load = load()
	if err := errors.Join(err, w.stop()); err != nil {
		return r, err
	}
	r.Took = time.Since(begin)
	l.server.kill()
	return r, l.count(w, files, &r)
}

// killing lets the agent die again and again while files land all the time.
func (l *landed) killing(w *whole, land *lander, files *badOnes, r *landedResult) error {
	var kills atomic.Int64
	var dead atomic.Bool
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- l.landAll(ctx, land, files, r, &kills, &dead) }()
	rng := rand.New(rand.NewPCG(l.seed, 6))
	for r.Kills < l.kills {
		life, gap := time.Duration(rng.Int64N(int64(time.Second))), time.Duration(0)
		if rng.IntN(3) == 0 {
			gap = time.Duration(rng.Int64N(int64(500 * time.Millisecond)))
		}
		begin := w.start // until it watches, and then to its end
		if rng.IntN(4) == 0 {
			begin = w.begin // dies as it starts
		}
		dead.Store(false)
		if err := begin(); err != nil {
			return errors.Join(err, stopped(stop, ended))
		}
		time.Sleep(life)
		if !w.lives() {
			said, _ := w.says()
			return errors.Join(fmt.Errorf("it ended before it was killed: %s", said), stopped(stop, ended))
		}
		dead.Store(true)
		w.kill()
		if said, err := w.says(); err == nil && !strings.Contains(string(said), "msg=Watching") {
			r.Unready++
		}
		r.Kills++
		kills.Store(int64(r.Kills))
		if r.Kills%50 == 0 {
			fmt.Fprintln(os.Stderr, r.Kills, "kills,", r.Unready, "of them before it watched, load", load())
		}
		time.Sleep(gap)
	}
	return <-ended
}

func stopped(stop func(), ended <-chan error) error {
	stop()
	return <-ended
}

// landAll lets files land as fast as the agent dies.
func (l *landed) landAll(ctx context.Context, land *lander, files *badOnes, r *landedResult, kills *atomic.Int64, dead *atomic.Bool) error {
	all := l.bad + l.clean
	lures := 0
	for n := 0; n < all; {
		if ctx.Err() != nil {
			return nil
		}
		if int64(n)*int64(l.kills) > int64(all)*(kills.Load()+1) {
			time.Sleep(time.Millisecond)
			continue
		}
		n++
		if dead.Load() {
			r.Dead++
		}
		bad := land.rng.IntN(all-n+1) < l.bad-lures
		way, err := land.one(n, bad, files)
		if err != nil {
			return err
		}
		if bad {
			lures++
		}
		r.Ways[way]++
		time.Sleep(time.Duration(land.rng.IntN(20)) * time.Millisecond)
	}
	return nil
}

// one lets one file land, in one of more ways than land knows.
func (l *lander) one(n int, bad bool, files *badOnes) (way string, err error) {
	data, ext := l.clean(n)
	name := fmt.Sprintf("Minutes (%d)%s", n, ext)
	if bad {
		name = fmt.Sprintf("Zoom update (%d).scpt", n)
		data = lure(name)
	}
	path := filepath.Join(l.dir, name)
	switch l.rng.IntN(8) {
	case 0: // in a folder that is moved in
		away := filepath.Join(l.outside, fmt.Sprint("folder-", n))
		way, path = "folder", filepath.Join(l.dir, fmt.Sprint("folder-", n), "in", name)
		err = errors.Join(os.MkdirAll(filepath.Join(away, "in"), 0o755), os.WriteFile(filepath.Join(away, "in", name), data, 0o644),
			os.Rename(away, filepath.Join(l.dir, fmt.Sprint("folder-", n))))
	case 1: // under another name first
		way = "renamed"
		path = filepath.Join(l.dir, "renamed "+name)
		err = renamed(filepath.Join(l.dir, name), path, data)
	case 2: // as a hard link
		way = "linked"
		away := filepath.Join(l.outside, name)
		err = errors.Join(os.WriteFile(away, data, 0o644), os.Link(away, path))
	default:
		path, way, err = l.land(name, data)
	}
	if bad {
		sum := sha256.Sum256(data)
		files.lures[hex.EncodeToString(sum[:])] = path
	} else {
		files.clean[path] = true
	}
	return way, err
}

// count compares what landed with what was told.
func (l *landed) count(w *whole, files *badOnes, r *landedResult) error {
	alerts, err := w.alerts()
	if err != nil {
		return err
	}
	told, names := map[string]int{}, map[string][]string{}
	for _, a := range alerts {
		_, lure := files.lures[a.sha256]
		switch {
		case lure:
			told[a.sha256]++
			names[a.sha256] = append(names[a.sha256], filepath.Base(a.path))
		case strings.HasPrefix(a.path, w.watch[0]):
			r.False++
			fmt.Fprintf(os.Stderr, "false: %q, %s\n", a.path, a.sha256)
		}
	}
	have := map[string]bool{}
	err = l.storedHashes(have)
	for sum, path := range files.lures {
		switch {
		case told[sum] == 0:
			r.Missed++
			fmt.Fprintf(os.Stderr, "missed: %q\n", path)
		case told[sum] == 1:
		case told[sum] == 2 && names[sum][0] != names[sum][1]:
			r.Renamed++ // it was there under both names, complete
		default:
			r.Twice++
			fmt.Fprintf(os.Stderr, "told %d times: %q as %q\n", told[sum], path, names[sum])
		}
		if have[sum] {
			r.Stored++
		}
	}
	r.Log = "whole"
	if out, bad := exec.Command(w.program, "alerts", "verify", "--state", w.state()).CombinedOutput(); bad != nil {
		r.Log = fmt.Sprintf("%v: %s", bad, out)
	}
	return err
}

// strangers counts the processes of this agent's program that are no descendants
// of the one that runs.
func strangers(w *whole) (n int) {
	own := map[string]bool{}
	for _, pid := range family(w.cmd.Process.Pid) {
		own[fmt.Sprintf("/proc/%d/exe", pid)] = true
	}
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if exe, err := os.Readlink(link); err == nil && exe == w.program && !own[link] {
			n++
		}
	}
	return n
}
