package detect

import (
	"fmt"
	"strings"
	"testing"
)

// TestNamesAreReadOnce: the book is asked again and again for the names of a few
// programs, and is full of others at no time.
func TestNamesAreReadOnce(t *testing.T) {
	var b nameBook
	read := 0
	ask := func(name string) []reading {
		return b.of(name, func() []reading {
			read++
			return []reading{{words: []string{name}}}
		})
	}
	for range 3 {
		if got := ask("zoom.exe"); len(got) != 1 || got[0].words[0] != "zoom.exe" {
			t.Errorf("%+v", got)
		}
	}
	if read != 1 {
		t.Errorf("one name was read %d times", read)
	}
	long := strings.Repeat("x", nameMost+1)
	ask(long)
	if ask(long); read != 3 {
		t.Errorf("a long name is kept")
	}
	for i := range 3 * namesMost {
		ask(fmt.Sprint(i))
		if len(b.known) > namesMost {
			t.Fatalf("%d names are kept", len(b.known))
		}
	}
}
