package signatures

import (
	"errors"
	"fmt"
	"slices"

	"meetguard"
)

// Merge adds an operator's own brands to a catalogue. One whose id is known
// adds the entries of its lists to that brand; any other is a brand of its own,
// which needs no sources. The laws of the catalogue hold for the result, and
// everything that breaks them is reported together.
func Merge(known, own []meetguard.Brand) ([]meetguard.Brand, error) {
	if len(own) == 0 {
		return known, nil
	}
	out := slices.Clone(known)
	var problems []error
	seen := map[string]bool{}
	for _, b := range own {
		if seen[b.ID] {
			problems = append(problems, fmt.Errorf("brand %q: it stands there twice", b.ID))
		}
		seen[b.ID] = true
		at := slices.IndexFunc(known, func(k meetguard.Brand) bool { return k.ID == b.ID })
		if at < 0 {
			out = append(out, withSource(b))
			continue
		}
		if b.NeverNative || b.RetiredOn != "" || b.Name != "" && b.Name != known[at].Name {
			problems = append(problems, fmt.Errorf("brand %q: it is known, so only entries of lists can be added to it", b.ID))
		}
		out[at] = extend(out[at], b)
	}
	if err := check(out); err != nil {
		problems = append(problems, err)
	}
	return out, errors.Join(problems...)
}

func withSource(b meetguard.Brand) meetguard.Brand {
	if len(b.Sources) == 0 {
		b.Sources = []string{"the operator's configuration"}
	}
	return b
}

// extend gives known with the entries of more that it lacks.
func extend(known, more meetguard.Brand) meetguard.Brand {
	for _, l := range []struct {
		to   *[]string
		from []string
	}{
		{&known.Aliases, more.Aliases}, {&known.WeakAliases, more.WeakAliases}, {&known.Files, more.Files},
		{&known.Exclusions, more.Exclusions}, {&known.Companies, more.Companies}, {&known.Subjects, more.Subjects},
		{&known.TeamIDs, more.TeamIDs}, {&known.BundleIDs, more.BundleIDs}, {&known.Hosts, more.Hosts},
		{&known.Sources, more.Sources}, {&known.LookalikeStems, more.LookalikeStems},
	} {
		*l.to = slices.Clone(*l.to) // the catalogue is shared
		for _, e := range l.from {
			if !slices.Contains(*l.to, e) {
				*l.to = append(*l.to, e)
			}
		}
	}
	return known
}
