package sigma

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// kind is what a test asks of a field.
type kind byte

const (
	kindText kind = iota // patterns
	kindNull             // nothing is known of it
	kindRegex
	kindNetwork
	kindExists
	kindField  // it stands to another field as shape says
	kindNumber // it stands to a number as order says
)

// test is one question to one field. Of a field with several values one that
// answers yes is enough. A field that is null answers no to all but kindNull
// and kindExists.
type test struct {
	field    int
	other    int // of kindField, else noField
	kind     kind
	shape    shape
	cased    bool
	not      bool
	exists   bool
	patterns []pattern // one is enough
	regex    *regexp.Regexp
	network  netip.Prefix
	order    string
	number   float64
}

func (t *test) holds(l *launch) bool {
	if t.field == anyField {
		for id := range l.values {
			if t.ask(l, l.value(id)) {
				return true
			}
		}
		return false
	}
	return t.ask(l, l.value(t.field))
}

func (t *test) ask(l *launch, v *value) bool {
	switch t.kind {
	case kindNull:
		return len(v.raw) == 0
	case kindExists:
		return t.exists == (len(v.raw) > 0)
	}
	for i := range v.raw {
		if t.one(l, v, i) {
			return !t.not
		}
	}
	return t.not && len(v.raw) > 0
}

// one asks one value of a field.
func (t *test) one(l *launch, v *value, i int) bool {
	switch t.kind {
	case kindRegex:
		return t.regex.MatchString(v.raw[i])
	case kindNetwork:
		addr, err := netip.ParseAddr(v.raw[i])
		return err == nil && t.network.Contains(addr.Unmap())
	case kindNumber:
		n, err := strconv.ParseFloat(v.raw[i], 64)
		return err == nil && t.compares(n)
	case kindField:
		return t.relates(v.text(i, t.cased), l.value(t.other))
	}
	s := v.text(i, t.cased)
	for k := range t.patterns {
		if t.patterns[k].matches(s) {
			return true
		}
	}
	return false
}

func (t *test) compares(n float64) bool {
	switch t.order {
	case "gt":
		return n > t.number
	case "gte":
		return n >= t.number
	case "lt":
		return n < t.number
	}
	return n <= t.number
}

func (t *test) relates(s string, other *value) bool {
	for i := range other.raw {
		o := other.text(i, t.cased)
		switch {
		case t.shape == equal && s == o,
			t.shape == contain && strings.Contains(s, o),
			t.shape == begin && strings.HasPrefix(s, o),
			t.shape == end && strings.HasSuffix(s, o):
			return true
		}
	}
	return false
}
