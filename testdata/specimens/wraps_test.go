package specimens

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"crypto/md5"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"testing"

	"github.com/bodgit/sevenzip"
	"github.com/klauspost/compress/zstd"
	"github.com/nwaples/rardecode/v2"
	"github.com/richardlehane/mscfb"
	"github.com/ulikunitz/xz"
)

// The images and packages that no reader of Go takes were read by hand with
// 7z (iso, img, dmg with its HFS Plus volume, pkg, self-extractors), cabextract,
// msiinfo and msiextract, dpkg-deb, rpm -K with rpm2cpio, and isoinfo.

// contents are what the round trips carry: text, nothing but blank lines, and
// bytes that do not compress.
func contents() []entry {
	noise := make([]byte, 0, 70000)
	for i := range 70000 / 16 {
		sum := md5.Sum(fmt.Append(nil, i))
		noise = append(noise, sum[:]...)
	}
	return []entry{{"Zoom Update é.scpt", []byte("do shell script \"true\"\n"), 0o644}, {"Update.app/Contents/MacOS/run", []byte(strings.Repeat("\n", 9000)), 0o755}, {"a.bin", noise, 0o644}}
}

func same(t *testing.T, name string, got []byte, list []entry) {
	t.Helper()
	for _, e := range list {
		if e.name == name {
			if !bytes.Equal(got, e.data) {
				t.Errorf("%s came back with %d bytes, had %d", name, len(got), len(e.data))
			}
			return
		}
	}
	t.Errorf("%q came back and was not there", name)
}

func all(t *testing.T, r io.Reader, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSevenZip(t *testing.T) {
	for _, compress := range []bool{false, true} {
		data := sevenZip(contents(), compress)
		r, err := sevenzip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if len(r.File) != 3 {
			t.Errorf("%d files", len(r.File))
		}
		for _, f := range r.File {
			rc, err := f.Open()
			same(t, f.Name, all(t, rc, err), contents())
		}
	}
}

func TestRar(t *testing.T) {
	r, err := rardecode.NewReader(bytes.NewReader(rarOf(contents())))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		same(t, h.Name, all(t, r, err), contents())
		n++
	}
	if n != 3 {
		t.Errorf("%d files", n)
	}
}

func TestTars(t *testing.T) {
	plain := tarOf(contents())
	for name, open := range map[string]func([]byte) (io.Reader, error){
		"gz":  func([]byte) (io.Reader, error) { return gzip.NewReader(bytes.NewReader(gz(plain, "kit.tar"))) },
		"xz":  func([]byte) (io.Reader, error) { return xz.NewReader(bytes.NewReader(xzOf(plain))) },
		"zst": func([]byte) (io.Reader, error) { return zstd.NewReader(bytes.NewReader(zstOf(plain))) },
		"bz2": func([]byte) (io.Reader, error) { return bzip2.NewReader(bytes.NewReader(bzip2Of(plain))), nil },
	} {
		r, err := open(plain)
		if !bytes.Equal(all(t, r, err), plain) {
			t.Errorf("%s did not give back what it was given", name)
		}
	}
	r := tar.NewReader(bytes.NewReader(plain))
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		same(t, h.Name, all(t, r, err), contents())
	}
	for _, text := range []string{"a", "ab", "aaaaa", strings.Repeat("abc\n", 3000), strings.Repeat("x", 700)} {
		if got := all(t, bzip2.NewReader(strings.NewReader(string(bzip2Of([]byte(text))))), nil); string(got) != text {
			t.Errorf("bzip2 of %.10q gave %.10q", text, got)
		}
	}
}

func TestZips(t *testing.T) {
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		data := zipOf(contents(), method)
		r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.File {
			rc, err := f.Open()
			same(t, f.Name, all(t, rc, err), contents())
		}
	}
	for _, strong := range []bool{false, true} {
		data := lockedZip(contents(), "a password", strong)
		r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil || len(r.File) != 3 || r.File[0].Flags&1 == 0 {
			t.Errorf("a locked archive is not one: %v", err)
		}
	}
}

func TestPackages(t *testing.T) {
	x := xarOf(contents()[:1])
	size := binary.BigEndian.Uint64(x[8:])
	r, err := zlib.NewReader(bytes.NewReader(x[28 : 28+size]))
	var toc struct {
		Files []struct {
			Name   string `xml:"name"`
			Length int    `xml:"data>length"`
			Offset int    `xml:"data>offset"`
		} `xml:"toc>file"`
	}
	if err := xml.Unmarshal(all(t, r, err), &toc); err != nil || len(toc.Files) != 1 {
		t.Fatalf("%v, %d files", err, len(toc.Files))
	}
	f := toc.Files[0]
	same(t, f.Name, x[28+int(size)+f.Offset:][:f.Length], contents())
	m, err := mail.ReadMessage(bytes.NewReader(mailOf(contents()[0])))
	if err != nil || !strings.HasPrefix(m.Header.Get("Content-Type"), "multipart/mixed") {
		t.Errorf("no mail: %v", err)
	}
}

// TestMSI reads the streams back: a script for the script host lies as it is,
// everything else in the cabinet.
func TestMSI(t *testing.T) {
	script := []byte("CreateObject(\"WScript.Shell\").Run \"x\"\r\n")
	for _, c := range []struct {
		name, stream string
		want         []byte
	}{{"a.vbs", "Binary.Update0", script}, {"a.bat", "cab1.cab", cabOf([]entry{{"File0", script, 0o644}}, true)}} {
		r, err := mscfb.New(bytes.NewReader(msiOf([]entry{{c.name, script, 0o644}}, "Update")))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for e, err := r.Next(); err == nil; e, err = r.Next() {
			if e.Name == msiName(c.stream, false) {
				found = bytes.Equal(all(t, e, nil), c.want)
			}
		}
		if !found {
			t.Errorf("%s is not in the stream %s", c.name, c.stream)
		}
	}
}

// TestEveryPair holds the choice to its promise: every family, platform and
// language was put into every wrapper that fits it.
func TestEveryPair(t *testing.T) {
	have, names := map[pair]bool{}, map[string]int{}
	var seeds kit
	for _, s := range made() {
		names[s.Wrapper]++
		for _, p := range pairsOf(s, wrapper{name: s.Wrapper}) {
			have[p] = true
		}
		if s.Wrapper == "plain" {
			seeds.list = append(seeds.list, s)
		}
	}
	hidings, hidden := 0, 0
	for _, w := range wrappers() {
		if names[w.name] < 5 {
			t.Errorf("only %d lures in %s", names[w.name], w.name)
		}
		told := map[pair]bool{}
		for _, s := range seeds.seeds() {
			for i, p := range pairsOf(s, w) {
				switch {
				case !w.fits(s) || told[p]:
				case i == 3:
					hidings++
					if have[p] {
						hidden++
					}
				case !have[p]:
					t.Errorf("no lure of %s %s in %s", p.axis, p.value, p.wrapper)
				}
				told[p] = true
			}
		}
	}
	t.Logf("%d lures; %d of %d pairs of hiding and wrapper", len(made()), hidden, hidings)
}
