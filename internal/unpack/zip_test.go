package unpack

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"meetguard"
)

// SHA-256 of the files that the archives of testdata were made of, as sha256sum
// gives them.
const (
	sumA    = "0cb42bbdf016ecafd6c21ac6c4b1760bf5b346c70c4f96ba890ef3d74883c8c2" // a.sh
	sumB    = "079c7f8c11c1f937511ef9b17fdcc14345730c69d29d3d269175eb545ce02f45" // b.txt
	sumC    = "8b5b9db0c13db24256c829aa364aa90c6d2eba318b9232a4ab9313b954d3555f" // d/ü c.txt
	sumPost = "270e30b1b421fd6db4f5e1bf39cfc805f928ebbac9fb719261da06ec667657a7" // postinst
)

func wideBudget() *Budget {
	return &Budget{Entries: 1 << 20, Bytes: 1 << 30, Packed: math.MaxInt64, Now: time.Now}
}

func coreFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// coreList walks a container and tells each member in one word: the digest of
// its content, or its role, or what is wrong with it.
func coreList(format meetguard.Format, data []byte, opt Options) (map[string]string, error) {
	out := map[string]string{}
	err := Walk(format, data, opt, func(m Member) error {
		if m.Locked {
			out[m.Name] = "locked"
			return nil
		}
		if m.Head != nil {
			m.Head()
		}
		r, err := m.Open()
		if err == nil {
			sum := sha256.New()
			if _, err = io.Copy(sum, r); err == nil {
				out[m.Name] = strings.TrimSpace(m.Role + " " + hex.EncodeToString(sum.Sum(nil)))
				if m.Role == RoleFolder {
					out[m.Name] = RoleFolder
				}
			}
		}
		if err != nil {
			out[m.Name] = err.Error()
		}
		var limit *LimitError
		if errors.As(err, &limit) {
			return err
		}
		return nil
	})
	return out, err
}

var linkSum = RoleLink + " " + fmt.Sprintf("%x", sha256.Sum256([]byte("../a.sh")))

func TestZipsOfOtherPrograms(t *testing.T) {
	ab := map[string]string{"a.sh": sumA, "b.txt": sumB}
	for name, tc := range map[string]struct {
		passwords []string
		want      map[string]string
	}{
		"plain.zip":     {nil, map[string]string{"a.sh": sumA, "b.txt": sumB, "d/": RoleFolder, "d/ü c.txt": sumC, "d/link": linkSum}},
		"zip64.zip":     {nil, ab},
		"bzip2.zip":     {nil, map[string]string{"b.txt": sumB}},
		"lzma.zip":      {nil, map[string]string{"b.txt": sumB}},
		"xz.zip":        {nil, map[string]string{"b.txt": sumB}},
		"zipcrypto.zip": {[]string{"wrong", "1234"}, ab},
		"aes256.zip":    {[]string{"wrong", "1234"}, ab},
		"aes128.zip":    {[]string{"1234"}, map[string]string{"a.sh": sumA}},
	} {
		data := coreFile(t, "zip/"+name)
		got, err := coreList(meetguard.FormatZip, data, Options{Budget: wideBudget(), Passwords: tc.passwords})
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if before, err := coreList(meetguard.FormatZip, append([]byte("MZ in front of it"), data...), Options{Budget: wideBudget(), Passwords: tc.passwords}); err != nil || !reflect.DeepEqual(before, tc.want) {
			t.Errorf("%s behind a program: %v, %v", name, before, err)
		}
	}
	if c := ZipComment(coreFile(t, "zip/plain.zip")); c != "the comment" {
		t.Errorf("comment %q", c)
	}
}

func TestLockedZips(t *testing.T) {
	for _, name := range []string{"zipcrypto.zip", "aes256.zip"} {
		got, err := coreList(meetguard.FormatZip, coreFile(t, "zip/"+name), Options{Budget: wideBudget(), Passwords: []string{"123", "12345", "", "Zoom"}})
		if want := map[string]string{"a.sh": "locked", "b.txt": "locked"}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestManyLockedMembersAreFew: deriving keys for each member would be an attack.
func TestManyLockedMembersAreFew(t *testing.T) {
	one := coreFile(t, "zip/aes128.zip")
	at := bytes.Index(one, []byte(zipEntry))
	end := bytes.Index(one, []byte(zipEnd))
	many := append(bytes.Clone(one[:at]), bytes.Repeat(one[at:end], 20000)...)
	many = append(many, one[end:]...)
	le.PutUint16(many[len(many)-zipEndSize+8:], 20000)
	le.PutUint16(many[len(many)-zipEndSize+10:], 20000)
	le.PutUint32(many[len(many)-zipEndSize+12:], uint32(20000*(end-at)))
	z := &zipWalk{data: many, opt: Options{Budget: wideBudget(), Passwords: []string{"a", "b"}}}
	n, err := z.list(uint64(at), func(m Member) error { return nil })
	if err != nil || n != 20000 || z.keys.tries != 20000 {
		t.Fatal(n, err, z.keys.tries)
	}
	if c := z.candidates(); len(c) != 0 {
		t.Errorf("passwords %v are still tried", c)
	}
}

// makeZip builds an archive from headers, which may lie.
func makeZip(t testing.TB, files []zipKitFile) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, f := range files {
		out, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, NonUTF8: f.raw})
		if err == nil {
			_, err = out.Write(f.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// zipKitFile is a file to pack; raw says that its name is no UTF-8.
type zipKitFile struct {
	name string
	data []byte
	raw  bool
}

func TestNamesInZips(t *testing.T) {
	got, err := coreList(meetguard.FormatZip, makeZip(t, []zipKitFile{{"..\\..\\x.exe", nil, false}, {"/etc/\x1b[31m", nil, false}, {"\x81ber.txt", nil, true}}), Options{Budget: wideBudget()})
	empty := fmt.Sprintf("%x", sha256.Sum256(nil))
	if want := map[string]string{"../../x.exe": empty, "/etc/\x1b[31m": empty, "über.txt": empty}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

// TestBothListsOfAnAmbiguousZip: programs differ in whether they believe the
// place or the size of the list. Here both lead to a file.
func TestBothListsOfAnAmbiguousZip(t *testing.T) {
	shown, hidden := makeZip(t, []zipKitFile{{"shown1.txt", []byte("a"), false}}), makeZip(t, []zipKitFile{{"hidden.exe", []byte("M"), false}})
	both := append(bytes.Clone(shown[:bytes.Index(shown, []byte(zipEnd))]), hidden...)
	got, err := coreList(meetguard.FormatZip, both, Options{Budget: wideBudget()})
	if err != nil || len(got) != 2 || got["shown1.txt"] == "" || got["hidden.exe"] == "" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDamagedZips(t *testing.T) {
	data := coreFile(t, "zip/plain.zip")
	for n := range len(data) {
		if _, err := coreList(meetguard.FormatZip, data[:n], Options{Budget: wideBudget()}); err == nil && n < len(data)-len("the comment") {
			t.Errorf("cut at %d of %d: no error", n, len(data))
		}
	}
	for _, name := range []string{"plain.zip", "zip64.zip", "zipcrypto.zip", "aes256.zip", "lzma.zip", "xz.zip", "bzip2.zip"} {
		eachFlip(coreFile(t, "zip/"+name), func(data []byte) {
			_, _ = coreList(meetguard.FormatZip, data, Options{Budget: tightBudget(len(data)), Passwords: []string{"1234"}})
		})
	}
}

// eachFlip calls try with some 300 bytes turned over, one after the other.
func eachFlip(data []byte, try func([]byte)) {
	for i := 0; i < len(data); i += 1 + len(data)/300 {
		data[i] ^= 0xff
		try(data)
		data[i] ^= 0xff
	}
}

func tightBudget(size int) *Budget {
	return &Budget{Entries: 1000, Bytes: 8 << 20, Packed: int64(size), Ratio: 200, Free: 1 << 20, Now: time.Now}
}

func TestZipLimits(t *testing.T) {
	bomb := makeZip(t, []zipKitFile{{"zeros", make([]byte, 16<<20), false}})
	many := make([]zipKitFile, 3000)
	for i := range many {
		many[i].name = fmt.Sprint(i)
	}
	for name, tc := range map[string]struct {
		data   []byte
		budget Budget
		word   string
	}{
		"bytes":   {bomb, Budget{Entries: 10, Bytes: 8 << 20, Packed: 1 << 30}, "unpacks to more than what"},
		"ratio":   {bomb, Budget{Entries: 10, Bytes: 1 << 30, Packed: int64(len(bomb)), Ratio: 200, Free: 1 << 20}, "200 times"},
		"entries": {makeZip(t, many), Budget{Entries: 1000, Bytes: 1 << 30, Packed: 1 << 30}, "more entries"},
		"time":    {bomb, Budget{Entries: 10, Bytes: 1 << 30, Packed: 1 << 30, Deadline: time.Now().Add(-time.Second)}, "longer"},
	} {
		tc.budget.Now = time.Now
		_, err := coreList(meetguard.FormatZip, tc.data, Options{Budget: &tc.budget})
		var limit *LimitError
		if !errors.As(err, &limit) || !strings.Contains(err.Error(), tc.word) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWholeIsWhatIsStored(t *testing.T) {
	b := wideBudget()
	data := []byte("content")
	if got := Whole(b.Reader(bytes.NewReader(data))); string(got) != "content" || &got[0] != &data[0] || b.unpacked != 0 {
		t.Errorf("%q, %d bytes counted", got, b.unpacked)
	}
	if got := Whole(b.Reader(strings.NewReader("content"))); got != nil {
		t.Errorf("another reader gave %q", got)
	}
}

func fuzzWalk(f *testing.F, format meetguard.Format, names ...string) {
	for _, n := range names {
		f.Add(coreFile(f, n))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = coreList(format, data, Options{Budget: tightBudget(len(data)), Name: "x.gz", Passwords: []string{"1234"}})
	})
}

func FuzzZip(f *testing.F) {
	fuzzWalk(f, meetguard.FormatZip, "zip/plain.zip", "zip/zip64.zip", "zip/zipcrypto.zip", "zip/aes256.zip", "zip/lzma.zip", "zip/bzip2.zip", "zip/xz.zip")
}
