package agent

import (
	"context"
	"slices"
	"sync"
	"time"

	"meetguard"
	"meetguard/internal/chain"
)

// Limits of what is remembered between launches.
const (
	maxLanded = 4096 // files that landed
	maxTold   = 1024 // chains that an alert was made of
)

// landedSpan is how long after it landed a file's launch is worth a word.
const landedSpan = 30 * time.Minute

// chains joins the launches of the running agent. Launches are judged in one
// goroutine; files land in others.
type chains struct {
	track *chain.Tracker
	told  *recent[teller]

	mu    sync.Mutex
	files *recent[meetguard.Landing]
}

// teller is the alert that was made of a chain.
type teller struct {
	level  meetguard.Level
	folded int // launches of the chain that made no alert of their own since
}

func newChains() *chains {
	return &chains{track: chain.New(), told: newRecent[teller](maxTold), files: newRecent[meetguard.Landing](maxLanded)}
}

// landed notes a file, for the launches that will run it.
func (c *chains) landed(path string, at time.Time, host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files.put(path, meetguard.Landing{Time: at, Host: host})
}

// landing is when the executable of a launch, or a file that it was given to
// run, landed; nil if that was not seen or is long ago.
func (c *chains) landing(f *meetguard.Facts, now time.Time) *meetguard.Landing {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := []string{f.Path}
	for _, m := range f.Members {
		if m.Role == roleArgument {
			names = append(names, m.Path)
		}
	}
	for _, name := range names {
		if l, ok := c.files.get(name); ok && now.Sub(l.Time) < landedSpan {
			return &l
		}
	}
	return nil
}

// judgeLaunch judges a launch with its chain. Of one chain there is one alert,
// and another only if its level rises; the rest is counted.
func (a *Agent) judgeLaunch(ctx context.Context, ev meetguard.Event) error {
	p := ev.Process
	a.chains.track.Ancestry(p)
	f := a.insp.Launch(ctx, p)
	f.Landed = a.chains.landing(&f, ev.Time)
	if f.Landed != nil && f.Origin.Host == "" && f.Path == p.Exe {
		f.Origin.Host = f.Landed.Host
	}
	a.chains.track.Add(&f)
	a.insp.matchLaunch(&f)
	v := a.insp.Judge(withoutRepeats(f))
	if v.Level != meetguard.Suspicious && v.Level != meetguard.Malicious {
		return a.report(ctx, ev, f, v, false)
	}
	before, again := a.chains.told.get(f.Chain)
	if again && (before.level == v.Level || before.level == meetguard.Malicious) {
		before.folded++
		a.chains.told.put(f.Chain, before)
		a.counts.folded.Add(1)
		return nil
	}
	about, v := a.insp.guilty(f, v)
	if err := a.report(ctx, ev, about, v, again); err != nil {
		return err
	}
	a.chains.told.put(f.Chain, teller{level: v.Level})
	return nil
}

// withoutRepeats gives facts whose story lacks what says nothing new: of the launches of
// one program by one parent that did nothing but run, the last stands for all.
// A storm would otherwise be judged again with each of its launches.
func withoutRepeats(f meetguard.Facts) meetguard.Facts {
	story := f.Story
	kept := make([]meetguard.Step, 0, 8)
	for i := len(story) - 1; i >= 0; i-- {
		if st := &story[i]; !plainRun(st) || !slices.ContainsFunc(kept, func(k meetguard.Step) bool {
			return k.Exe == st.Exe && k.PPID == st.PPID && k.Link == st.Link && plainRun(&k)
		}) {
			kept = append(kept, *st)
		}
	}
	slices.Reverse(kept)
	f.Story = kept
	return f
}

// plainRun says whether a launch is known for its program alone.
func plainRun(s *meetguard.Step) bool {
	return len(s.Deeds) == 0 || len(s.Deeds) == 1 && s.Deeds[0].Kind == meetguard.DeedRun && s.Deeds[0].File == s.Exe
}

// recent remembers the newest values by their names.
type recent[T any] struct {
	values map[string]T
	names  []string // ring
	next   int
}

func newRecent[T any](most int) *recent[T] {
	return &recent[T]{values: map[string]T{}, names: make([]string, most)}
}

func (r *recent[T]) get(name string) (T, bool) {
	v, ok := r.values[name]
	return v, ok
}

func (r *recent[T]) put(name string, v T) {
	if _, ok := r.values[name]; !ok {
		delete(r.values, r.names[r.next])
		r.names[r.next] = name
		r.next = (r.next + 1) % len(r.names)
	}
	r.values[name] = v
}
