package specimens

import "strings"

// maxWrapped bounds how many wrapped lures there are, so that one evaluation
// stays a matter of minutes.
const maxWrapped = 2300

// pair is a value of an axis together with a wrapper.
type pair struct{ axis, value, wrapper string }

// pairsOf are the pairs that s in w would be an example of.
func pairsOf(s Specimen, w wrapper) [4]pair {
	return [4]pair{{"family", group(s.Family), w.name}, {"platform", s.Platform, w.name}, {"language", s.Language, w.name}, {"obfuscation", s.Obfuscation, w.name}}
}

// group is a family, or all stories of one batch: those are many.
func group(family string) string {
	if strings.HasPrefix(family, "fresh") {
		return family[:strings.LastIndexByte(family, '-')]
	}
	return family
}

// wrapped puts lures into every wrapper. It takes the first lure of each family
// that adds most pairs that are not there yet, family after family, until every
// family, platform and language was in every wrapper that fits it; the ways of
// hiding come on top as far as there is room.
func (b *kit) wrapped() {
	seeds, all := b.seeds(), wrappers()
	missing := map[pair]bool{}
	for _, w := range all {
		for _, s := range seeds {
			if w.fits(s) {
				for _, p := range pairsOf(s, w) {
					missing[p] = true
				}
			}
		}
	}
	left := maxWrapped
	for _, axes := range []int{3, 4} { // obfuscation last
		for more := true; more; {
			more = false
			for _, w := range all { // in turns, so that no wrapper takes all the room
				if left > 0 && b.wrapNext(seeds, w, missing, axes) {
					left, more = left-1, true
				}
			}
		}
	}
}

// wrapNext adds the lure in w that adds most of what is missing on the first
// axes, and says whether there was one.
func (b *kit) wrapNext(seeds []Specimen, w wrapper, missing map[pair]bool, axes int) bool {
	best, most := -1, 0
	for i, s := range seeds {
		if !w.fits(s) {
			continue
		}
		n := 0
		for a, p := range pairsOf(s, w) {
			switch {
			case !missing[p]:
			case a < axes:
				n += 100 // what counts
			default:
				n++ // what comes with it
			}
		}
		if n > most && n >= 100 {
			best, most = i, n
		}
	}
	if best < 0 {
		return false
	}
	s := seeds[best]
	for _, p := range pairsOf(s, w) {
		delete(missing, p)
	}
	b.list = append(b.list, dress(s, w))
	return true
}

// seeds are the lures that are worth wrapping: those that lie bare, or are a
// bundle of macOS, and are small.
func (b *kit) seeds() []Specimen {
	var out []Specimen
	for _, s := range b.list {
		if (s.Wrapper == "plain" || s.Wrapper == "app" || s.Wrapper == "scptd") && s.Size() < 64<<10 {
			out = append(out, s)
		}
	}
	return out
}

// dress gives s in w, with all that is known of s.
func dress(s Specimen, w wrapper) Specimen {
	out := w.wrap(s, entriesOf(s))
	out.Family, out.Platform, out.Language, out.Obfuscation = s.Family, s.Platform, s.Language, s.Obfuscation
	out.Wrapper, out.Mode = w.name, 0o644
	if len(out.Members) > 0 {
		out.Mode = 0o755
	}
	out.clear = append([]string{string(s.Data)}, s.clear...)
	for _, m := range s.Members {
		out.clear = append(out.clear, string(m.Data))
	}
	return out
}
