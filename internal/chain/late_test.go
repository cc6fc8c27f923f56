package chain

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"meetguard"
)

// TestLateLaunchKeepsItsPlace: a launch of which all is known only after others were
// added stands where it started, in its own story and in theirs, and what it is then
// known to have done is known of it from then on.
func TestLateLaunchKeepsItsPlace(t *testing.T) {
	tr := New()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	take := func(pid, ppid int, exe string, args ...string) *meetguard.Facts {
		at = at.Add(time.Second)
		p := &meetguard.Process{OS: "linux", PID: pid, PPID: ppid, Exe: exe, Args: append([]string{exe}, args...), Started: at}
		tr.Ancestry(p)
		return &meetguard.Facts{Path: exe, Process: p}
	}
	add := func(f *meetguard.Facts) *meetguard.Facts {
		tr.Add(f)
		return f
	}
	pids := func(f *meetguard.Facts) (out []string) {
		for _, s := range f.Story {
			out = append(out, fmt.Sprint(s.PID, " ", s.Link))
		}
		return out
	}
	add(take(10, 1, "/opt/a/setup"))
	late := take(11, 10, "/opt/a/slow")
	place := tr.Hold(late)
	first := add(take(12, 11, "/opt/a/child"))
	if want := []string{"10 ancestor", "11 ancestor", "12 self"}; !slices.Equal(pids(first), want) {
		t.Errorf("a child before the verdict over its parent: %q, want %q", pids(first), want)
	}
	add(take(11, 9, "/opt/b/another")) // the same number, another process

	late.Script = &meetguard.Script{Fetches: []meetguard.Fetch{{Host: "files.invalid"}}}
	tr.Complete(place, late)
	if want := []string{"10 ancestor", "11 self", "12 tree"}; !slices.Equal(pids(late), want) || late.Chain != first.Chain {
		t.Errorf("the late one: %q in %s, want %q in %s", pids(late), late.Chain, want, first.Chain)
	}
	last := add(take(13, 12, "/opt/a/grandchild"))
	if want := []string{"10 ancestor", "11 ancestor", "12 ancestor", "13 self"}; !slices.Equal(pids(last), want) {
		t.Errorf("behind it: %q, want %q", pids(last), want)
	}
	if told, own := last.Story[1].Deeds, late.Story[1].Deeds; !slices.ContainsFunc(told, func(d meetguard.Deed) bool { return d.Host == "files.invalid" }) || len(told) != len(own) {
		t.Errorf("what it did is told as %+v, by itself as %+v", told, own)
	}
}

// TestLateLaunchOfLongAgo: one whose place was given up meanwhile takes no memory
// back that is in no account, and has its story all the same.
func TestLateLaunchOfLongAgo(t *testing.T) {
	tr := New()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	take := func(pid, ppid int) *meetguard.Facts {
		at = at.Add(time.Millisecond)
		p := &meetguard.Process{OS: "linux", PID: pid, PPID: ppid, Exe: "/opt/a/slow", Args: []string{"slow"}, Started: at}
		tr.Ancestry(p)
		return &meetguard.Facts{Path: p.Exe, Process: p}
	}
	late := take(100, 1)
	place := tr.Hold(late)
	for i := range maxNodes {
		tr.Add(take(1000+i, 100))
	}
	used := tr.told.used
	late.Script = &meetguard.Script{Fetches: []meetguard.Fetch{{Host: "files.invalid"}}}
	tr.Complete(place, late)
	if tr.told.used != used {
		t.Errorf("%d bytes of deeds, %d before", tr.told.used, used)
	}
	if len(late.Story) == 0 || len(late.Story) > maxStory || late.Story[0].Link != meetguard.LinkSelf {
		t.Errorf("its story has %d steps and begins with %+v", len(late.Story), late.Story[:min(1, len(late.Story))])
	}
	tr.Complete(nil, late) // of one that was never known
}
