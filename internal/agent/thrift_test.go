package agent

import "testing"

// TestRoom: the limit leaves room for garbage beside what is in use, and is never
// below what is mapped already: the runtime would collect without end.
func TestRoom(t *testing.T) {
	const mib = 1 << 20
	r := Room{Least: 5 * mib, Most: 10 * mib}
	for name, tc := range map[string]struct {
		u    usage
		want int64
	}{
		"at rest":       {usage{mapped: 12 * mib, objects: 6 * mib, live: 6 * mib, free: 1 * mib}, 6*mib + 5*mib + 5*mib + spare},
		"in between":    {usage{mapped: 20 * mib, objects: 12 * mib, live: 12 * mib, free: 2 * mib}, 12*mib + 8*mib + 6*mib + spare},
		"full":          {usage{mapped: 42 * mib, objects: 30 * mib, live: 30 * mib, free: 4 * mib}, 30*mib + 10*mib + 8*mib + spare},
		"after a burst": {usage{mapped: 90 * mib, objects: 10 * mib, live: 10 * mib, free: 70 * mib}, 90 * mib},
	} {
		if got := tc.u.limit(r); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
	if u := readUsage(); u.mapped <= 0 || u.objects <= 0 || u.mapped < u.free {
		t.Errorf("this process has %+v", u)
	}
}
