package unpack

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// lzSamples are texts that need all kinds of code.
func lzSamples() []string {
	var words strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&words, "word %d of %x;", i%701, i*i)
	}
	far := noise(50000)
	return []string{"a", "abcd", strings.Repeat("a", 5000), "abc" + strings.Repeat("abc", 400) + "x", words.String(),
		far + far[:30000], strings.Repeat("\x00", 300000), noise(7) + strings.Repeat("xyzw", 3) + noise(300)}
}

func TestLZVN(t *testing.T) {
	for _, plain := range lzSamples() {
		packed := packLZVN([]byte(plain))
		got, err := unpackLZVN(packed, len(plain))
		if err != nil || !bytes.Equal(got, []byte(plain)) {
			t.Errorf("%d bytes: got %d, %v", len(plain), len(got), err)
		}
	}
}

func TestLZFSE(t *testing.T) {
	for _, kind := range []string{lzfseStored, lzfseLZVN, lzfseV1, lzfseV2} {
		for _, plain := range lzSamples() {
			packed := packLZFSE(kind, []byte(plain))
			got, err := unpackLZFSE(packed, len(plain))
			if err != nil || !bytes.Equal(got, []byte(plain)) {
				t.Errorf("%s, %d bytes: got %d, %v", kind, len(plain), len(got), err)
			}
			if _, err := unpackLZFSE(packed, len(plain)-1); err == nil {
				t.Errorf("%s, %d bytes: no error with too little room", kind, len(plain))
			}
			for n := 0; n < len(packed); n += 1 + len(packed)/15 {
				if _, err := unpackLZFSE(packed[:n], len(plain)); err == nil {
					t.Errorf("%s, %d bytes, cut at %d: no error", kind, len(plain), n)
				}
			}
		}
	}
}

func FuzzLZFSE(f *testing.F) {
	for _, kind := range []string{lzfseStored, lzfseLZVN, lzfseV1, lzfseV2} {
		for _, plain := range lzSamples()[:4] {
			f.Add(packLZFSE(kind, []byte(plain)))
		}
		f.Add(packLZFSE(kind, []byte(noise(100)+strings.Repeat("text ", 20)+noise(50))))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, unpack := range []func([]byte, int) ([]byte, error){unpackLZFSE, unpackLZVN, unpackADC} {
			if plain, _ := unpack(data, 1<<16); len(plain) > 1<<16 || cap(plain) > 1<<17 {
				t.Errorf("%d bytes, %d kept", len(plain), cap(plain))
			}
		}
	})
}
