package signatures

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"meetguard"
)

func TestBrands(t *testing.T) {
	brands, err := Brands()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, b := range brands {
		ids = append(ids, b.ID)
	}
	// the contract names the first four; alerts and configurations refer to all
	for _, want := range []string{"zoom", "msteams", "googlemeet", "webex", "slack", "goto", "ringcentral", "bluejeans", "lark",
		"skype", "discord", "telegram", "tencentmeeting", "jitsi", "whereby", "chime"} {
		if !slices.Contains(ids, want) {
			t.Errorf("the catalogue has no %q", want)
		}
	}
}

func brandByID(t *testing.T, id string) meetguard.Brand {
	t.Helper()
	brands, err := Brands()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range brands {
		if b.ID == id {
			return b
		}
	}
	t.Fatalf("no brand %q", id)
	return meetguard.Brand{}
}

// The facts below decide verdicts; each would be costly to lose in an edit.
func TestBrandFacts(t *testing.T) {
	if b := brandByID(t, "msteams"); !slices.Equal(b.Subjects, []string{"Microsoft Corporation"}) || len(b.Companies) != 0 {
		t.Errorf("msteams is proven by %q and claimed by the makers %q: want Microsoft Corporation alone, and none", b.Subjects, b.Companies)
	}
	if b := brandByID(t, "googlemeet"); !b.NeverNative || slices.Contains(b.Hosts, "google.com") {
		t.Error("googlemeet must be never native, and google.com holds files of strangers")
	}
	if b := brandByID(t, "bluejeans"); b.RetiredOn != "2024-06-22" {
		t.Errorf("bluejeans is retired on %q", b.RetiredOn)
	}
	if b := brandByID(t, "zoom"); !slices.Contains(b.TeamIDs, "BJ4HAAB9B3") || !slices.Contains(b.Exclusions, "zoomit") {
		t.Error("zoom has lost its Team ID or the exclusion of ZoomIt")
	}
}

// Hosts where anybody may put files prove nothing about where a file is from.
func TestNoStrangersHosts(t *testing.T) {
	brands, err := Brands()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range brands {
		for _, h := range []string{"github.com", "github.io", "google.com", "live.com", "amazonaws.com", "windows.net", "sharepoint.com", "dropbox.com"} {
			if slices.Contains(b.Hosts, h) {
				t.Errorf("%s lists %s, where strangers put files", b.ID, h)
			}
		}
	}
}

const valid = `
- id: acme
  name: Acme Meet
  aliases: [acmemeet, acmemeetings]
  weak_aliases: [acme]
  files: [acmemeet.exe]
  exclusions: [acmefoundry]
  subjects: ["Acme, Inc."]
  team_ids: [ABCDE12345]
  bundle_ids: [com.acme.meet*]
  hosts: [acme.invalid]
  retired_on: "2024-06-22"
  sources: [a manifest]
  lookalike_stems: [acme]
`

func TestParseBrandsRefuses(t *testing.T) {
	if _, err := ParseBrands([]byte(valid)); err != nil {
		t.Fatalf("the valid catalogue: %v", err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown field", "name: Acme Meet", "title: Acme Meet", "title"},
		{"upper-case id", "id: acme", "id: Acme", "lower-case letters and digits"},
		{"no name", "name: Acme Meet", "name: ''", "no name"},
		{"alias not folded", "[acmemeet, acmemeetings]", "[Acme-Meet]", `aliases: "Acme-Meet" is not folded`},
		{"no alias", "aliases: [acmemeet, acmemeetings]", "aliases: []", "no aliases"},
		{"alias twice", "[acmemeet, acmemeetings]", "[acmemeet, acmemeet]", "twice"},
		{"weak and strong", "weak_aliases: [acme]", "weak_aliases: [acmemeet]", "both an alias and a weak alias"},
		{"file with capitals", "[acmemeet.exe]", "[AcmeMeet.exe]", "files"},
		{"file without extension", "[acmemeet.exe]", "[acmemeet]", "files"},
		{"file with a folder", "[acmemeet.exe]", "[bin/acmemeet.exe]", "files"},
		{"useless exclusion", "[acmefoundry]", "[foundry]", "holds none of its aliases"},
		{"exclusion that hides the brand", "[acmefoundry]", "[acmemeetin]", `would hide the brand's own name "acmemeetings"`},
		{"subject with a blank", `"Acme, Inc."`, `"Acme, Inc. "`, "subjects"},
		{"short team id", "ABCDE12345", "ABCDE", "team_ids"},
		{"star in the middle", "com.acme.meet*", "com.*.meet", "bundle_ids"},
		{"star alone", "com.acme.meet*", `"*"`, "bundle_ids"},
		{"host with a scheme", "acme.invalid", "https://acme.invalid", "hosts"},
		{"host in capitals", "acme.invalid", "Acme.invalid", "hosts"},
		{"no hosts", "[acme.invalid]", "[]", "no hosts"},
		{"no date", `"2024-06-22"`, `"June 2024"`, "retired_on"},
		{"no sources", "[a manifest]", "[]", "no sources"},
		{"nothing proves it", "subjects: [\"Acme, Inc.\"]\n  team_ids: [ABCDE12345]", "subjects: []", "nothing could prove"},
		{"never native with files", "retired_on:", "never_native: true\n  retired_on:", "never native"},
		{"no list", valid, "acme: meet", "read the brand catalogue"},
		{"no brand", valid, "[]", "no brand"},
		{"nothing", valid, "", "read the brand catalogue"},
		{"two documents", valid, valid + "\n---\n[]\n", "more than one document"},
		{"the same id", valid, valid + valid, "used twice"},
		{"a shared alias", valid, valid + strings.ReplaceAll(valid, "id: acme", "id: other"), "belongs to both"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(valid, c.old, c.new, 1)
			if text == valid {
				t.Fatal("the case changes nothing")
			}
			brands, err := ParseBrands([]byte(text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %d brands and %v, want an error with %q", len(brands), err, c.want)
			}
		})
	}
}

func TestParseBrandsReportsEveryProblem(t *testing.T) {
	text := strings.NewReplacer("ABCDE12345", "short", "acme.invalid", "ACME", "[a manifest]", "[]").Replace(valid)
	_, err := ParseBrands([]byte(text))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"team_ids", "hosts", "sources"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not speak of %s", err, want)
		}
	}
}

func FuzzParseBrands(f *testing.F) {
	f.Add([]byte(valid))
	f.Add([]byte("- {id: a, aliases: [&x a, *x]}"))
	f.Add([]byte("---\n---\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		brands, err := ParseBrands(data)
		if err == nil && len(brands) == 0 {
			t.Error("an empty catalogue without an error")
		}
	})
}

func TestRules(t *testing.T) {
	files, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range files {
		seen[f.Set] = true
		if !strings.HasPrefix(f.Name, f.Set+"/") || f.Text == "" {
			t.Errorf("rule file %q of set %q has %d bytes", f.Name, f.Set, len(f.Text))
		}
	}
	for _, set := range sets {
		if !seen[set] {
			t.Errorf("the set %q has no rules", set)
		}
	}
	if seen["text"] {
		t.Error("plain text must have no rules")
	}
}

func TestRulesRefuseUnknownSet(t *testing.T) {
	root := fstest.MapFS{"yara/text/a.yar": {Data: []byte("rule a { condition: true }")}}
	if _, err := rulesIn(root); err == nil || !strings.Contains(err.Error(), "text") {
		t.Errorf("got %v, want an error that names the set", err)
	}
}

func TestVersion(t *testing.T) {
	v := Version()
	if !regexp.MustCompile(`^\d{4}\.\d\d\.\d\d-[0-9a-f]{12}$`).MatchString(v) {
		t.Errorf("version %q", v)
	}
	if n := testing.AllocsPerRun(10, func() { Version() }); n > 0 {
		t.Errorf("it unpacks the content each time: %v allocations", n)
	}
	if v != Version() {
		t.Error("the version changes between two calls")
	}
}

// What the program carries is what lies in this folder: whoever changes a rule
// runs go generate.
func TestContentIsPacked(t *testing.T) {
	held := map[string]bool{}
	err := fs.WalkDir(content(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		held[name] = true
		text, err := fs.ReadFile(content(), name)
		if err != nil {
			return err
		}
		if file, err := os.ReadFile(filepath.FromSlash(name)); err != nil || !bytes.Equal(text, file) {
			t.Errorf("%s was changed: run `go generate ./signatures` (%v)", name, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"*.yaml", "*.csv", "icons.json", "yara/*/*", "process/*"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			if !held[filepath.ToSlash(name)] {
				t.Errorf("%s is not packed: run `go generate ./signatures`", name)
			}
		}
	}
	if bytes.Contains(packed, []byte("Add-MpPreference")) {
		t.Error("the rules stand in the open")
	}
}
