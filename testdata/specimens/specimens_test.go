package specimens

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// made are the lures, made once for all tests that only read them.
var made = sync.OnceValue(Lures)

// sum is one hash over everything that a list of specimens would write.
func sum(list []Specimen) string {
	h := sha256.New()
	for _, s := range list {
		fmt.Fprintf(h, "%s|%s|%s|%s|%s|%s|%o|%d|", s.Name, s.Family, s.Platform, s.Wrapper, s.Obfuscation, s.Language, s.Mode, len(s.Data))
		h.Write(s.Data)
		for _, m := range s.Members {
			fmt.Fprintf(h, "%s|%o|%d|", m.Name, m.Mode, len(m.Data))
			h.Write(m.Data)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func TestSameEveryTime(t *testing.T) {
	for what, list := range map[string]func() []Specimen{"lures": Lures, "honest specimens": Benign} {
		if first, second := sum(list()), sum(list()); first != second {
			t.Errorf("two runs made different %s", what)
		}
	}
}

func TestEnough(t *testing.T) {
	lures, unseen := made(), map[string]bool{}
	for _, s := range lures {
		if rest, ok := strings.CutPrefix(s.Family, "unseen-"); ok {
			unseen[rest+" "+s.Obfuscation] = true
		}
	}
	if n := len(lures); n < 1500 || n > 4000 {
		t.Errorf("%d lures, want 1500 to 4000", n)
	}
	if len(unseen) < 8 {
		t.Errorf("%d unseen variants, want at least 8", len(unseen))
	}
	if n := len(Benign()); n < 60 {
		t.Errorf("%d honest specimens, want at least 60", n)
	}
}

func TestComplete(t *testing.T) {
	for _, s := range append(slices.Clone(made()), Benign()...) {
		if s.Name == "" || s.Family == "" || s.Platform == "" || s.Wrapper == "" || s.Obfuscation == "" || s.Language == "" || s.Mode == 0 {
			t.Errorf("%+q lacks something: %s, %s, %s, %s, %s", s.Name, s.Family, s.Platform, s.Wrapper, s.Obfuscation, s.Language)
		}
		if (len(s.Data) == 0) == (len(s.Members) == 0) {
			t.Errorf("%+q: want either data or members", s.Name)
		}
		if strings.ContainsAny(s.Name, "/\\\x00") || s.Size() > 1<<20 {
			t.Errorf("%+q: bad name or %d bytes", s.Name, s.Size())
		}
	}
}

// decoys are the real hosts that a lure may show its reader, and what only
// looks like a host: the address that starts Script Editor, names of schemas.
var decoys = map[string]bool{"com.apple.scripteditor": true, "schemas.microsoft.com": true, "schemas.openxmlformats.org": true, "www.w3.org": true, "learn.microsoft.com": true, "zoom.us": true, "www.apple.com": true}

var (
	anyURL  = regexp.MustCompile(`(?i)(?:https?|ftp|ssh|wss?|script):(?:https?:)?//([^/\s"'\\)<>;|,]+)`)
	account = regexp.MustCompile(`\w@([\w.-]+\.[a-z]+)`)
	share   = regexp.MustCompile(`\\\\([\w.-]+\.[a-z]+)[@\\]`)
)

// strangers are the hosts in text that exist, or may.
func strangers(text string) []string {
	forms := []*regexp.Regexp{anyURL, account, share}
	if strings.Count(text, "\x00")+strings.Count(strings.ToValidUTF8(text, "\x00"), "\x00") > len(text)/100 {
		forms = forms[:1] // packed bytes look like the short forms now and then; what they hold is checked in the clear
	}
	var out []string
	for _, re := range forms {
		for _, m := range re.FindAllStringSubmatch(text, -1) {
			h := m[1]
			if u, err := url.Parse("https://" + h); err == nil {
				h = u.Hostname()
			}
			if !strings.HasSuffix(strings.ToLower(h), ".invalid") && !decoys[h] {
				out = append(out, h)
			}
		}
	}
	return out
}

// TestInert holds every lure to hosts that cannot exist, in what it shows and
// in what it hides.
func TestInert(t *testing.T) {
	for _, s := range made() {
		texts := append([]string{string(s.Data), string(bytes.ReplaceAll(s.Data, []byte{0}, nil))}, s.clear...)
		for _, m := range s.Members {
			texts = append(texts, string(m.Data))
		}
		for _, text := range texts {
			for _, h := range strangers(text) {
				if hiddenOnPurpose[s.Obfuscation] {
					continue
				}
				t.Errorf("%s %q (%s) names the host %q", s.Family, s.Name, s.Obfuscation, h)
			}
		}
	}
}

// hiddenOnPurpose are hidings that break a URL apart in sight: what they hide
// is checked in the clear.
var hiddenOnPurpose = map[string]bool{"joined": true, "alias": true, "marks removed by sed": true, "text item delimiters": true, "quoted-printable": true, "pairs joined": true, "variables": true,
	"set pieces": true, "format operator": true, "array joined": true, "Replace": true, "replaced marks": true, "split": true}

func TestStrangersAreSeen(t *testing.T) {
	for _, text := range []string{"curl https://example.com/x", "guest@example.com", `\\files.example.com\pub`, "GET HTTP://a.invalid.example.org"} {
		if len(strangers(text)) == 0 {
			t.Errorf("no host seen in %q", text)
		}
	}
	if got := strangers("curl https://a.b.invalid:8443/x https://zoom.us/j/1"); len(got) > 0 {
		t.Errorf("inert text is said to name %q", got)
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	for i, s := range append(slices.Clone(made()), Benign()...) {
		if i%5 > 0 && len(s.Members) == 0 { // every bundle, and enough of the files
			continue
		}
		to := filepath.Join(dir, fmt.Sprint(i))
		if err := s.Write(to); err != nil {
			t.Fatal(err)
		}
		fi, err := os.Stat(filepath.Join(to, s.Name))
		if err != nil || fi.IsDir() != (len(s.Members) > 0) {
			t.Errorf("%+q was not written as it is: %v", s.Name, err)
		}
	}
}
