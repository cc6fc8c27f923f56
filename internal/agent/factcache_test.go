package agent

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"meetguard"
	"meetguard/internal/watch"
)

const rulesV1, rulesV2 = "rules 1, anchors 1", "rules 1, anchors 2"

func known(path, sum string, claims ...string) meetguard.Facts {
	f := meetguard.Facts{Path: path, SHA256: sum, Format: meetguard.FormatPE, Origin: meetguard.Origin{Host: "a.invalid"},
		Gaps: []meetguard.Gap{{Fact: "origin", Reason: "unreadable"}, {Fact: "names", Reason: "odd"}},
		OS:   []meetguard.OSVerdict{{Source: "wintrust"}}, Package: &meetguard.Package{Name: "x"}}
	for _, c := range claims {
		f.Claims = append(f.Claims, meetguard.Claim{Text: c})
	}
	return f
}

func ident(n int) watch.Identity { return watch.Identity{Ino: uint64(n)} }

func TestFactStore(t *testing.T) {
	s := newFactStore(10, 1<<20)
	s.put(ident(1), rulesV1, known("/a/Zoom.exe", "h1", "Zoom"))
	f, ok := s.byIdentity(ident(1), "/a/Zoom.exe", rulesV1)
	if !ok || f.Path != "/a/Zoom.exe" || f.Origin.Host != "a.invalid" || len(f.Gaps) != 2 || len(f.Claims) != 1 {
		t.Errorf("by identity: %+v, %v", f, ok)
	}
	if f.OS != nil || f.Package != nil {
		t.Error("what others say of a file was kept")
	}
	for label, ok := range map[string]bool{
		"another identity": has(s.byIdentity(ident(2), "/a/Zoom.exe", rulesV1)),
		"another path":     has(s.byIdentity(ident(1), "/a/Zoom.pdf", rulesV1)),
		"other anchors":    has(s.byIdentity(ident(1), "/a/Zoom.exe", rulesV2)),
	} {
		if ok {
			t.Errorf("%s is known", label)
		}
	}
}

func has[T any](_ T, ok bool) bool { return ok }

// TestStoreRefuses: facts that do not hold, or whose hash is not that of all.
func TestStoreRefuses(t *testing.T) {
	s := newFactStore(10, 1<<20)
	blind := []meetguard.Gap{{Fact: "content", Reason: "time-out", Blinding: true}}
	for label, change := range map[string]func(*meetguard.Facts){
		"cut short":          func(f *meetguard.Facts) { f.Gaps = blind },
		"a member cut short": func(f *meetguard.Facts) { f.Members = []meetguard.Facts{{Gaps: blind}} },
		"no hash":            func(f *meetguard.Facts) { f.SHA256 = "" },
		"a bundle":           func(f *meetguard.Facts) { f.Format = meetguard.FormatApp },
		"a launch":           func(f *meetguard.Facts) { f.Process = &meetguard.Process{} },
		"too large":          func(f *meetguard.Facts) { f.Claims = []meetguard.Claim{{Text: strings.Repeat("x", 1<<18)}} },
	} {
		f := known("/a/x", "h")
		change(&f)
		s.put(ident(1), rulesV1, f)
		if len(s.contents)+len(s.files) != 0 {
			t.Errorf("%s was kept", label)
		}
	}
}

func TestStoreForgetsTheOldest(t *testing.T) {
	s := newFactStore(3, 1<<20)
	for i := range 5 {
		s.put(ident(i), rulesV1, known("/a/x", fmt.Sprint("h", i)))
		s.byIdentity(ident(0), "/a/x", rulesV1) // the first stays in use
	}
	for i, want := range []bool{true, false, false, true, true} {
		if _, ok := s.byIdentity(ident(i), "/a/x", rulesV1); ok != want {
			t.Errorf("file %d: known %v", i, ok)
		}
	}
	if len(s.contents) != 3 || len(s.files) != 3 || inOrder(s) != 3 {
		t.Errorf("%d contents, %d files, %d in order", len(s.contents), len(s.files), inOrder(s))
	}
}

// inOrder counts the contents in their order of use, from both ends.
func inOrder(s *factStore) (n int) {
	for c := s.newest; c != nil; c = c.older {
		n++
	}
	for c := s.oldest; c != nil; c = c.newer {
		n--
	}
	if n != 0 {
		return -1
	}
	for c := s.newest; c != nil; c = c.older {
		n++
	}
	return n
}

func TestStoreIsBoundInBytes(t *testing.T) {
	const limit = 64 << 10
	s := newFactStore(10_000, limit)
	for i := range 500 {
		s.put(ident(i), rulesV1, known("/a/x", fmt.Sprint("h", i), strings.Repeat("c", i)))
		if s.used > limit {
			t.Fatalf("%d bytes after %d files", s.used, i+1)
		}
	}
	if n := len(s.contents); n < 20 || n > 200 {
		t.Errorf("%d contents in %d bytes", n, limit)
	}
	var sum int64
	for c := s.newest; c != nil; c = c.older {
		sum += c.size
	}
	if sum != s.used {
		t.Errorf("counts %d bytes, has %d", s.used, sum)
	}
}

// TestStoreTwins: many copies of one content take no room without end, and a
// file that is written anew leaves its old content.
func TestStoreTwins(t *testing.T) {
	s := newFactStore(storeEntries, storeBytes)
	for i := range 50 {
		s.put(ident(i), rulesV1, known(fmt.Sprintf("/%d/x", i), "h"))
	}
	if len(s.contents) != 1 || len(s.files) != maxTwins {
		t.Errorf("%d contents, %d files", len(s.contents), len(s.files))
	}
	s.put(ident(49), rulesV1, known("/49/x", "h"))
	s.put(ident(49), rulesV1, known("/49/x", "h2"))
	if f, ok := s.byIdentity(ident(49), "/49/x", rulesV1); !ok || f.SHA256 != "h2" {
		t.Errorf("%+v, %v", f, ok)
	}
	for s.oldest != nil {
		s.drop(s.oldest)
	}
	if s.newest != nil || len(s.files) != 0 || s.used != 0 {
		t.Errorf("%d files and %d bytes are left of nothing", len(s.files), s.used)
	}
}

// TestStoreIsNotChangedFromOutside: whoever gets facts appends to them.
func TestStoreIsNotChangedFromOutside(t *testing.T) {
	s := newFactStore(10, 1<<20)
	f := known("/a/x", "h", "one", "two")
	f.Claims = append(make([]meetguard.Claim, 0, 8), f.Claims...) // with room to spare
	s.put(ident(1), rulesV1, f)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			f, _ := s.byIdentity(ident(1), "/a/x", rulesV1)
			f.Claims = append(f.Claims, meetguard.Claim{Text: fmt.Sprint(i)})
			f.Gaps = append(f.Gaps, meetguard.Gap{Reason: fmt.Sprint(i)})
			if len(f.Claims) != 3 || f.Claims[2].Text != fmt.Sprint(i) || f.Gaps[2].Reason != fmt.Sprint(i) {
				t.Errorf("%+v", f)
			}
			s.put(ident(10+i), rulesV1, known("/a/x", fmt.Sprint("h", i)))
		})
	}
	wg.Wait()
}

// TestPlainFacts: of a file with nothing but a name all is known again, and it
// takes a fraction of what others do; and nothing of any other is lost.
func TestPlainFacts(t *testing.T) {
	plainly := unknownFacts()
	plainly.Path, plainly.SHA256, plainly.Size, plainly.Format = "/a/notes.txt", "h1", 7, meetguard.FormatOther
	plainly.Claims = []meetguard.Claim{{Text: "notes.txt", Source: meetguard.ClaimFileName}}
	s := newFactStore(10, 1<<20)
	s.put(ident(1), rulesV1, plainly)
	if s.newest.more != nil {
		t.Error("plain facts are kept in full")
	}
	if f, ok := s.byIdentity(ident(1), "/a/notes.txt", rulesV1); !ok || !reflect.DeepEqual(f, plainly) {
		t.Errorf("known again: %+v, %v, want %+v", f, ok, plainly)
	}
	plainly.Path, plainly.SHA256 = "/a/notes.txt", strings.Repeat("a0", 32) // as it is in earnest
	s.put(ident(2), rulesV1, plainly)
	if f, ok := s.byIdentity(ident(2), "/a/notes.txt", rulesV1); !ok || !reflect.DeepEqual(f, plainly) || len(s.newest.plain.text) != 32+len("notes.txt") {
		t.Errorf("known again: %+v, %v, want %+v", f, ok, plainly)
	}
	for label, change := range map[string]func(*meetguard.Facts){
		"a claim more": func(f *meetguard.Facts) { f.Claims = append(f.Claims, meetguard.Claim{Text: "Zoom"}) },
		"another claim": func(f *meetguard.Facts) {
			f.Claims = []meetguard.Claim{{Text: "Zoom", Source: meetguard.ClaimFileName}}
		},
		"a gap":           func(f *meetguard.Facts) { f.Gaps = []meetguard.Gap{{Fact: "names"}} },
		"a match":         func(f *meetguard.Facts) { f.Matches = []meetguard.Match{{}} },
		"a script":        func(f *meetguard.Facts) { f.Script = &meetguard.Script{} },
		"a signature":     func(f *meetguard.Facts) { f.Signature.Status = meetguard.SignatureUnsigned },
		"a member":        func(f *meetguard.Facts) { f.Members = []meetguard.Facts{{SHA256: "m"}} },
		"no claim at all": func(f *meetguard.Facts) { f.Claims = nil },
	} {
		f := plainly
		change(&f)
		s := newFactStore(10, 1<<20)
		s.put(ident(1), rulesV1, f)
		got, ok := s.byIdentity(ident(1), f.Path, rulesV1)
		got.Gaps, f.Gaps = slices.Clip(got.Gaps), slices.Clip(f.Gaps)
		if !ok || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", f) {
			t.Errorf("%s: %+v, %v", label, got, ok)
		}
	}
}
