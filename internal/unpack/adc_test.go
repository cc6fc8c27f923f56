package unpack

import (
	"bytes"
	"strings"
	"testing"
)

func TestADC(t *testing.T) {
	for _, plain := range []string{"a", "abc", strings.Repeat("ab", 100), noise(1000), strings.Repeat(noise(3000), 3), strings.Repeat("\x00", 70000)} {
		packed := packADC([]byte(plain))
		got, err := unpackADC(packed, len(plain))
		if err != nil || !bytes.Equal(got, []byte(plain)) {
			t.Errorf("%d bytes: %d, %v", len(plain), len(got), err)
		}
		for n := range min(len(packed), 100) {
			if got, err := unpackADC(packed[:n], len(plain)); err == nil && len(got) == len(plain) {
				t.Errorf("%d bytes cut at %d: no error", len(plain), n)
			}
		}
	}
}
