package hostile

import (
	"bytes"
	"testing"
)

func TestItems(t *testing.T) {
	list, same := Items(7), Items(7)
	if len(list) < 500 {
		t.Errorf("only %d items", len(list))
	}
	seen, kinds := map[string]bool{}, map[string]int{}
	for i, it := range list {
		id := it.Kind + ": " + it.What
		if seen[id] {
			t.Errorf("%s is there twice", id)
		}
		seen[id] = true
		kinds[it.Kind]++
		if other := same[i]; other.Kind != it.Kind || other.What != it.What || other.Name != it.Name {
			t.Fatalf("the same seed gives %s and %s at %d", it.What, other.What, i)
		}
		if it.data != nil && (it.Kind == Flipped || it.Kind == Lying || it.Kind == Cut) && !bytes.Equal(it.data(), same[i].data()) {
			t.Errorf("%s: the same seed gives other bytes", id)
		}
	}
	t.Log(len(list), kinds)
	for _, kind := range []string{Bomb, Nested, Many, Cut, Flipped, Lying, Text, Special, Shape} {
		if kinds[kind] < 20 {
			t.Errorf("only %d of %q", kinds[kind], kind)
		}
	}
}
