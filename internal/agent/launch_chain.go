package agent

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"meetguard"
	"meetguard/internal/chain"
	"meetguard/internal/watch"
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
	track    *chain.Tracker
	told     *recent[teller]
	ordinary *ordinary

	mu    sync.Mutex
	files *recent[meetguard.Landing]
}

// teller is the alert that was made of a chain.
type teller struct {
	level  meetguard.Level
	folded int // launches of the chain that made no alert of their own since
}

func newChains() *chains {
	return &chains{track: chain.New(), ordinary: newOrdinary(), told: newRecent[teller](maxTold), files: newRecent[meetguard.Landing](maxLanded)}
}

// landed notes a file, for the launches that will run it.
func (c *chains) landed(path string, l meetguard.Landing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files.put(path, l)
}

func (c *chains) seen(path string) (meetguard.Landing, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.files.get(path)
}

// land notes a file that came to a watched folder. A listing finds files that
// nobody saw land: those are as old as the file system says.
func (a *Agent) land(ev meetguard.Event, id watch.Identity, host string) {
	l := meetguard.Landing{Time: ev.Time, Host: host, By: meetguard.LandedSeen}
	if ev.Source == watch.SourceSweep {
		if l = a.bygone(ev.Path, id, host); ev.Time.Sub(l.Time) >= landedSpan {
			return
		}
	} else if err := a.journal.Land(ev.Path, id, ev.Time); err != nil {
		a.log.Warn("Journal not written", "err", err)
	}
	a.chains.landed(ev.Path, l)
}

// bygone is how a file landed that this run of the agent did not see.
func (a *Agent) bygone(path string, id watch.Identity, host string) meetguard.Landing {
	l := meetguard.Landing{Host: host}
	if at, known := a.journal.Landed(path, id); known {
		l.Time, l.By = at, meetguard.LandedJournal
	} else if at, by, err := watch.Born(path); err == nil {
		l.Time, l.By = at, by
	}
	return l
}

// landing is when the executable of a launch, or a file that it was given to
// run, landed in a watched folder; nil if it did not, or long ago.
func (a *Agent) landing(f *meetguard.Facts, now time.Time) *meetguard.Landing {
	if l := a.landingOf(f, now); l != nil {
		return l
	}
	for i := range f.Members {
		if m := &f.Members[i]; m.Role == roleArgument {
			if l := a.landingOf(m, now); l != nil {
				return l
			}
		}
	}
	return nil
}

func (a *Agent) landingOf(f *meetguard.Facts, now time.Time) *meetguard.Landing {
	l, known := a.chains.seen(f.Path)
	if !known {
		if !a.files.Holds(f.Path) {
			return nil
		}
		id, err := watch.Identify(f.Path)
		if err != nil {
			return nil
		}
		l = a.bygone(f.Path, id, f.Origin.Host)
	}
	if l.Time.IsZero() || now.Sub(l.Time) >= landedSpan {
		return nil
	}
	return &l
}

// judgeLaunch judges a launch with its chain, or puts it aside if that takes long:
// then it has its place in the chain, and its verdict comes later.
func (a *Agent) judgeLaunch(ctx context.Context, ev meetguard.Event) error {
	g := &gathering{ev: ev}
	a.chains.track.Ancestry(ev.Process)
	if !a.recall(g) {
		aside, err := a.slow.first(ctx, g)
		if err != nil {
			return err
		}
		if aside {
			f := g.early()
			g.aside, g.place = true, a.chains.track.Hold(&f)
			return nil
		}
	}
	return a.concludeLaunch(ctx, g)
}

// concludeLaunch gives the verdict over a launch of which all is known. Of one
// chain there is one alert, and another only if its level rises; the rest is
// counted.
func (a *Agent) concludeLaunch(ctx context.Context, g *gathering) error {
	a.judging.RLock()
	defer a.judging.RUnlock()
	defer a.counts.launchesJudged.Add(1)
	ev, f := g.ev, g.facts
	f.Landed = a.landing(&f, ev.Time)
	if f.Landed != nil && f.Origin.Host == "" && f.Path == ev.Process.Exe {
		f.Origin.Host = f.Landed.Host
	}
	if g.aside {
		a.chains.track.Complete(g.place, &f)
	} else {
		a.chains.track.Add(&f)
	}
	whole := f.Story
	f.Story = untilItself(whole) // what a launch is worth does not depend on how long it took to read
	v := a.weighLaunch(&f, ev.Time)
	f.Story = whole
	judged := time.Now()
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
	a.late.note(judged.Sub(ev.Time), time.Since(ev.Time))
	return nil
}

// untilItself is a story up to the launch that it is told of.
func untilItself(story []meetguard.Step) []meetguard.Step {
	for i := len(story) - 1; i >= 0; i-- {
		if story[i].Link == meetguard.LinkSelf {
			return story[:i+1]
		}
	}
	return story
}

// weighLaunch gives the verdict over a launch, and adds the rules that match it
// to its facts. One that is like another that was clean is not judged again, and
// one that is the same is not matched again.
func (a *Agent) weighLaunch(f *meetguard.Facts, now time.Time) meetguard.Verdict {
	known := a.chains.ordinary
	shown := withoutRepeats(*f)
	like, plain := known.of(a.insp, &shown, now)
	if plain && known.knows(like.same) {
		return meetguard.Verdict{Level: meetguard.Clean}
	}
	a.insp.matchLaunch(f)
	shown.Matches = f.Matches
	plain = plain && len(f.Matches) == 0
	if plain && known.knows(like.alike) {
		known.remember(like)
		return meetguard.Verdict{Level: meetguard.Clean}
	}
	v := a.insp.Judge(shown)
	if plain && v.Level == meetguard.Clean {
		known.remember(like)
	}
	return v
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

// recent remembers the newest values by their names, of which it keeps 64 bits: with
// a secret seed nobody makes two that are equal.
type recent[T any] struct {
	seed   maphash.Seed
	values map[uint64]T
	names  []uint64 // ring
	next   int
}

func newRecent[T any](most int) *recent[T] {
	return &recent[T]{seed: maphash.MakeSeed(), values: map[uint64]T{}, names: make([]uint64, most)}
}

func (r *recent[T]) get(name string) (T, bool) {
	v, ok := r.values[maphash.String(r.seed, name)]
	return v, ok
}

func (r *recent[T]) put(name string, v T) {
	key := maphash.String(r.seed, name)
	if _, ok := r.values[key]; !ok {
		delete(r.values, r.names[r.next])
		r.names[r.next] = key
		r.next = (r.next + 1) % len(r.names)
	}
	r.values[key] = v
}
