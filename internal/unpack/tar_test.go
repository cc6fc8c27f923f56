package unpack

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"meetguard"
)

func TestTarsOfOtherPrograms(t *testing.T) {
	all := map[string]string{"a.sh": sumA, "b.txt": sumB, "d/": RoleFolder, "d/ü c.txt": sumC, "d/link": linkSum}
	ab := map[string]string{"a.sh": sumA, "b.txt": sumB}
	sparse := fmt.Sprintf("%x", sha256.Sum256(append(make([]byte, 1<<20), "end"...)))
	for name, want := range map[string]map[string]string{
		"plain.tar": all, "gz.tar.gz": all, "zst.tar.zst": all, "bz2.tar.bz2": ab, "xz.tar.xz": ab, "v7.tar": {"a.sh": sumA}, "sparse.tar.gz": {"sparse": sparse},
		"a.sh.gz": {"a.sh": sumA}, "a.sh.bz2": {"a.sh": sumA}, "a.sh.xz": {"a.sh": sumA}, "a.sh.zst": {"a.sh": sumA},
	} {
		got, err := coreList(meetguard.FormatTar, coreFile(t, "tar/"+name), Options{Budget: wideBudget(), Name: name})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestDebian(t *testing.T) {
	got, err := coreList(meetguard.FormatDeb, coreFile(t, "tar/x.deb"), Options{Budget: wideBudget()})
	if err != nil || got["data.tar.xz/usr/bin/x"] != sumA || got["control.tar.xz/postinst"] != RoleScript+" "+sumPost {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSingleNames(t *testing.T) {
	for name, want := range map[string]string{"x.sh.gz": "x.sh", "X.SH.GZ": "X.SH", ".gz": ".gz", "plain": "plain", "a.zst": "a"} {
		if got := SingleName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestDamagedTars: nothing is lost without a word.
func TestDamagedTars(t *testing.T) {
	for _, name := range []string{"gz.tar.gz", "zst.tar.zst", "bz2.tar.bz2", "v7.tar", "a.sh.gz", "a.sh.xz", "a.sh.zst"} {
		data := coreFile(t, "tar/"+name)
		whole, _ := coreList(meetguard.FormatTar, data, Options{Budget: wideBudget()})
		for n := 8; n < len(data); n += max(1, len(data)/100) {
			got, err := coreList(meetguard.FormatTar, data[:n], Options{Budget: wideBudget()})
			if err == nil && !reflect.DeepEqual(got, whole) && !damageTold(got) {
				t.Errorf("%s cut at %d of %d: %v", name, n, len(data), got)
			}
		}
		if len(data) < 2000 {
			eachFlip(data, func(data []byte) { _, _ = coreList(meetguard.FormatTar, data, Options{Budget: tightBudget(len(data))}) })
		}
	}
	deb := coreFile(t, "tar/x.deb")
	eachFlip(deb, func(data []byte) {
		_, _ = coreList(meetguard.FormatDeb, data, Options{Budget: tightBudget(len(data))})
	})
	for n := 200; n < len(deb); n += 5 { // behind the control archive the list may end anywhere
		if got, err := coreList(meetguard.FormatDeb, deb[:n], Options{Budget: wideBudget()}); err == nil && got["data.tar.xz/usr/bin/x"] == "" && len(got) > 3 {
			t.Errorf("cut at %d of %d: %v", n, len(deb), got)
		}
	}
}

// damageTold says whether the content of a member could not be read.
func damageTold(got map[string]string) bool {
	for _, is := range got {
		if fields := strings.Fields(is); len(fields[len(fields)-1]) != 64 && is != RoleFolder {
			return true
		}
	}
	return false
}

// TestSkippedBytesCount: what is skipped of a compressed stream has to be
// unpacked, and what is a hole has to be made.
func TestSkippedBytesCount(t *testing.T) {
	b := &Budget{Entries: 10, Bytes: 600, Packed: 1 << 30}
	err := Walk(meetguard.FormatTar, coreFile(t, "tar/gz.tar.gz"), Options{Budget: b}, func(Member) error { return nil })
	var limit *LimitError
	if !errors.As(err, &limit) {
		t.Errorf("skipping: %v", err)
	}
	b = wideBudget()
	b.Bytes = 1 << 19
	if _, err := coreList(meetguard.FormatTar, coreFile(t, "tar/sparse.tar.gz"), Options{Budget: b}); !errors.As(err, &limit) {
		t.Errorf("hole: %v", err)
	}
}

// TestSizesThatLie: a header may claim any size.
func TestSizesThatLie(t *testing.T) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.WriteHeader(&tar.Header{Name: "huge", Size: 1<<63 - 1, Typeflag: tar.TypeReg, Format: tar.FormatGNU}); err != nil {
		t.Fatal(err)
	}
	buf.Write(make([]byte, 1024))
	got, err := coreList(meetguard.FormatTar, buf.Bytes(), Options{Budget: wideBudget()})
	if err == nil || !strings.Contains(got["huge"], "cut short") {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzTar(f *testing.F) {
	fuzzWalk(f, meetguard.FormatTar, "tar/gz.tar.gz", "tar/xz.tar.xz", "tar/zst.tar.zst", "tar/v7.tar", "tar/sparse.tar.gz", "tar/a.sh.gz")
}

func FuzzDeb(f *testing.F) { fuzzWalk(f, meetguard.FormatDeb, "tar/x.deb") }
