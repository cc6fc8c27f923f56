package inspect

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"unicode/utf16"

	"meetguard"
)

// makeHFS builds the beginning of a HFS+ volume: the header, and a catalog with
// a header node and one leaf.
func makeHFS(name string) []byte {
	const block, node = 4096, 4096
	out := make([]byte, 4*block)
	copy(out[1024:], "H+")
	binary.BigEndian.PutUint32(out[1024+40:], block)
	binary.BigEndian.PutUint32(out[1024+272+16:], 2) // the catalog begins in block 2
	tree := out[2*block:]
	binary.BigEndian.PutUint32(tree[14+10:], 1) // first leaf
	binary.BigEndian.PutUint16(tree[14+18:], node)
	leaf := tree[node:]
	units := utf16.Encode([]rune(name))
	binary.BigEndian.PutUint16(leaf[14:], uint16(6+2*len(units)))
	binary.BigEndian.PutUint32(leaf[16:], 1)
	binary.BigEndian.PutUint16(leaf[20:], uint16(len(units)))
	for i, u := range units {
		binary.BigEndian.PutUint16(leaf[22+2*i:], u)
	}
	return out
}

// makeDMG packs volumes into a disk image, each in runs of 8 KiB.
func makeDMG(volumes ...[]byte) []byte {
	var fork, list bytes.Buffer
	for _, volume := range volumes {
		mish := make([]byte, 204)
		copy(mish, "mish")
		binary.BigEndian.PutUint32(mish[200:], uint32(len(volume)/8192))
		for off := 0; off < len(volume); off += 8192 {
			start := fork.Len()
			w := zlib.NewWriter(&fork)
			w.Write(volume[off : off+8192])
			w.Close()
			run := make([]byte, 40)
			binary.BigEndian.PutUint32(run, 0x80000005)
			binary.BigEndian.PutUint64(run[8:], uint64(off/512))
			binary.BigEndian.PutUint64(run[16:], 16)
			binary.BigEndian.PutUint64(run[24:], uint64(start))
			binary.BigEndian.PutUint64(run[32:], uint64(fork.Len()-start))
			mish = append(mish, run...)
		}
		fmt.Fprintf(&list, "<dict><key>Data</key><data>\n%s\n</data></dict>", base64.StdEncoding.EncodeToString(mish))
	}
	koly := make([]byte, 512)
	copy(koly, "koly\x00\x00\x00\x04")
	binary.BigEndian.PutUint64(koly[216:], uint64(fork.Len()))
	binary.BigEndian.PutUint64(koly[224:], uint64(list.Len()))
	return slices.Concat(fork.Bytes(), list.Bytes(), koly)
}

func TestDMGVolume(t *testing.T) {
	for name, tc := range map[string]struct {
		data []byte
		want []string
	}{
		"packed":           {makeDMG(makeHFS("Zoom Installer")), []string{"DMG volume name: Zoom Installer"}},
		"second partition": {makeDMG(make([]byte, 8192), makeHFS("Microsoft Teams")), []string{"DMG volume name: Microsoft Teams"}},
		"raw":              {makeHFS("Zоom"), []string{"DMG volume name: Zоom"}},
		"no HFS":           {makeDMG(make([]byte, 16384)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			claims, gaps := Claims(meetguard.FormatDMG, tc.data)
			if got := claimLines(claims); !slices.Equal(got, tc.want) || len(gaps) > 0 {
				t.Errorf("%q %v, want %q", got, gaps, tc.want)
			}
		})
	}
	broken := makeDMG(makeHFS("Zoom"))
	binary.BigEndian.PutUint64(broken[len(broken)-512+216:], 1<<60)
	_, gaps := Claims(meetguard.FormatDMG, broken)
	wantGap(t, gaps, "outside the file")
}

func FuzzDMGVolume(f *testing.F) {
	fuzzClaims(f, meetguard.FormatDMG, makeDMG(makeHFS("Zoom")), makeHFS("a"))
}
