package agent

import (
	"encoding/binary"
	"hash/maphash"
	"time"

	"meetguard"
)

// ordinary remembers launches that were clean, so that the same again is not
// judged again: most launches of a machine are a few programs that do the same
// over and over. Only a launch is remembered that does nothing but run, of a
// program that was inspected, and that no rule over launches or content says a
// word of.
//
// Everything that the judge is told goes into the key, but for what names one
// launch among its like: process ids (as far as they say who started whom, they
// do), moments (as far as they are near or far, they do), and the digits in
// words of the command line that are neither paths nor names of hosts. It
// belongs to the goroutine that judges launches.
type ordinary struct {
	seed maphash.Seed
	seen map[uint64]bool
}

// maxOrdinary bounds the launches that are remembered. Then all are forgotten:
// what is ordinary is soon known again.
const maxOrdinary = 8192

func newOrdinary() *ordinary {
	return &ordinary{seed: maphash.MakeSeed(), seen: map[uint64]bool{}}
}

// likeness names a launch in two ways: same with its very words, alike without
// the digits in plain ones.
type likeness struct{ same, alike uint64 }

// of gives the likeness of a launch as judge is to see it, unless there is more
// to it than that it runs.
func (o *ordinary) of(judge *Inspector, f *meetguard.Facts, now time.Time) (likeness, bool) {
	p := f.Process
	if f.SHA256 == "" || f.Script != nil || f.Landed != nil || len(f.Matches)+len(f.Members) > 0 || len(f.Story) == 0 || !plainRun(&f.Story[len(f.Story)-1]) {
		return likeness{}, false
	}
	var k key
	k.h.SetSeed(o.seed)
	if !k.process(p) {
		return likeness{}, false
	}
	for i := range p.Ancestors {
		if !k.process(&p.Ancestors[i]) {
			return likeness{}, false
		}
		k.words(p.Ancestors[i].Args)
	}
	maphash.WriteComparable(&k.h, judge)
	k.number(now.Unix() / (24 * 60 * 60)) // friends have a last day
	k.file(f)
	for i := range f.Story {
		k.step(&f.Story[i], p)
	}
	k.plain(p.Args)
	alike := k.h.Sum64()
	k.words(p.Args)
	return likeness{same: k.h.Sum64(), alike: alike}, true
}

func (o *ordinary) knows(k uint64) bool { return o.seen[k] }

func (o *ordinary) remember(k likeness) {
	if len(o.seen) >= maxOrdinary {
		clear(o.seen)
	}
	o.seen[k.same], o.seen[k.alike] = true, true
}

// key gathers what goes into a likeness. Each text stands behind its length.
type key struct{ h maphash.Hash }

func (k *key) number(n int64) {
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], uint64(n))
	k.h.Write(b[:])
}

func (k *key) text(s string) {
	k.number(int64(len(s)))
	k.h.WriteString(s)
}

func (k *key) words(list []string) {
	k.number(int64(len(list)))
	for _, w := range list {
		k.text(w)
	}
}

func (k *key) yes(b bool) {
	var n byte
	if b {
		n = 1
	}
	k.h.WriteByte(n)
}

// process adds what a process is, without its arguments, unless its source told
// of a signature, which is not gone through here.
func (k *key) process(p *meetguard.Process) bool {
	for _, s := range []string{p.OS, p.Exe, p.CommandLine, p.Cwd, p.User, p.Source, p.OriginHost} {
		k.text(s)
	}
	return p.Signature == nil
}

// file adds what is known of the executable. Facts of one content, name and
// version of the rules are the same but for where the file came from.
func (k *key) file(f *meetguard.Facts) {
	for _, s := range []string{f.Path, f.SHA256, f.Origin.Host, f.Origin.ReferrerHost, f.Origin.Zone, f.Origin.App} {
		k.text(s)
	}
	k.number(int64(len(f.Claims)))
	for _, c := range f.Claims {
		k.text(c.Source)
		k.text(c.Text)
	}
	k.number(int64(len(f.Gaps)))
	for _, g := range f.Gaps {
		k.text(g.Fact)
		k.text(g.Reason)
		k.yes(g.Blinding)
	}
}

// Spans within which the judge takes two launches for parts of one pipe, and of
// one deed.
const (
	pipeSpan = 20 * time.Second
	deedSpan = 10 * time.Minute
)

func (k *key) step(s *meetguard.Step, p *meetguard.Process) {
	k.text(s.Exe)
	k.text(s.Link)
	k.yes(s.PPID == p.PPID)
	k.yes(s.PPID == p.PID)
	k.yes(s.PID == p.PPID)
	unknown := s.Time.IsZero() || p.Started.IsZero()
	apart := p.Started.Sub(s.Time).Abs()
	k.yes(unknown || apart < pipeSpan)
	k.yes(unknown || apart < deedSpan)
	k.number(int64(len(s.Deeds)))
	for i := range s.Deeds {
		d := &s.Deeds[i]
		for _, t := range []string{d.Kind, d.File, d.From, d.Host, d.What} {
			k.text(t)
		}
		k.words(d.Mark)
	}
}

// plain adds words without their digits, where they are letters, digits, hyphens
// and underscores only: no path, no host, no address.
func (k *key) plain(words []string) {
	k.number(int64(len(words)))
	for _, w := range words {
		if !isPlain(w) {
			k.text(w)
			continue
		}
		from := 0
		for i := 0; i < len(w); i++ {
			if isDigit(w[i]) {
				k.h.WriteString(w[from:i])
				if i == 0 || !isDigit(w[i-1]) {
					k.h.WriteByte('0')
				}
				from = i + 1
			}
		}
		k.h.WriteString(w[from:])
		k.h.WriteByte(0) // no plain word has one
	}
}

func isPlain(w string) bool {
	for i := 0; i < len(w); i++ {
		if c := w[i]; !isDigit(c) && c != '-' && c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
