package signatures

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"meetguard"
)

// ParseBrands reads a catalogue in YAML: a list of brands. Unknown fields, a
// second document and every broken law of the catalogue are errors; all of
// them are reported together.
func ParseBrands(data []byte) ([]meetguard.Brand, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	var brands []meetguard.Brand
	if err := dec.Decode(&brands); err != nil {
		return nil, fmt.Errorf("read the brand catalogue: %w", err)
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("read the brand catalogue: it holds more than one document")
	}
	if err := check(brands); err != nil {
		return nil, fmt.Errorf("check the brand catalogue: %w", err)
	}
	return brands, nil
}

func check(brands []meetguard.Brand) error {
	if len(brands) == 0 {
		return errors.New("it holds no brand")
	}
	var problems []error
	for _, b := range brands {
		for _, p := range checkBrand(b) {
			problems = append(problems, fmt.Errorf("brand %q: %w", b.ID, p))
		}
	}
	return errors.Join(append(problems, checkShared(brands)...)...)
}

func checkBrand(b meetguard.Brand) []error {
	out := slices.Concat(checkIdentity(b), checkNames(b), checkExclusions(b))
	for _, f := range fields(b) {
		out = append(out, checkList(f)...)
	}
	return out
}

// field is one list of a brand, and the form that its entries must have.
type field struct {
	name    string
	entries []string
	form    func(string) bool
	want    string
}

func fields(b meetguard.Brand) []field {
	return []field{
		{"aliases", b.Aliases, folded, "folded: lower case, letters and digits only"},
		{"weak_aliases", b.WeakAliases, folded, "folded: lower case, letters and digits only"},
		{"exclusions", b.Exclusions, folded, "folded: lower case, letters and digits only"},
		{"lookalike_stems", b.LookalikeStems, folded, "folded: lower case, letters and digits only"},
		{"files", b.Files, isFileName, "a lower-case file name with an extension"},
		{"companies", b.Companies, isText, "a name without blanks at its ends"},
		{"subjects", b.Subjects, isText, "a name without blanks at its ends"},
		{"team_ids", b.TeamIDs, teamID.MatchString, "an Apple Team ID: ten capitals and digits"},
		{"bundle_ids", b.BundleIDs, bundleID.MatchString, "a bundle id, with at most one * at its end"},
		{"hosts", b.Hosts, host.MatchString, "a lower-case host name"},
		{"sources", b.Sources, isText, "a name without blanks at its ends"},
	}
}

var (
	brandID  = regexp.MustCompile(`^[a-z0-9]+$`)
	teamID   = regexp.MustCompile(`^[A-Z0-9]{10}$`)
	bundleID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{2,}\*?$`)
	host     = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$`)
)

func folded(s string) bool {
	return s != "" && fold(s) == s
}

// fold keeps the letters and digits of s in lower case.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

func isFileName(s string) bool {
	ext := path.Ext(s)
	return isText(s) && s == strings.ToLower(s) && len(ext) > 1 && len(ext) < len(s) && !strings.ContainsAny(s, `/\`)
}

func isText(s string) bool {
	return s != "" && s == strings.TrimSpace(s)
}

func checkList(f field) []error {
	var out []error
	seen := map[string]bool{}
	for _, e := range f.entries {
		if !f.form(e) {
			out = append(out, fmt.Errorf("%s: %q is not %s", f.name, e, f.want))
		}
		if seen[e] {
			out = append(out, fmt.Errorf("%s: %q stands there twice", f.name, e))
		}
		seen[e] = true
	}
	return out
}

// checkIdentity holds a brand to what every entry must say: who it is, where
// the facts come from, and what would prove its software.
func checkIdentity(b meetguard.Brand) []error {
	var out []error
	if !brandID.MatchString(b.ID) {
		out = append(out, errors.New("its id is not made of lower-case letters and digits"))
	}
	if !isText(b.Name) {
		out = append(out, errors.New("it has no name"))
	}
	if len(b.Sources) == 0 {
		out = append(out, errors.New("it has no sources"))
	}
	if len(b.Hosts) == 0 {
		out = append(out, errors.New("it has no hosts"))
	}
	if !b.NeverNative && len(b.Subjects)+len(b.TeamIDs) == 0 {
		out = append(out, errors.New("nothing could prove its software: it has neither subjects nor team_ids"))
	}
	if b.NeverNative && len(b.Files) > 0 {
		out = append(out, errors.New("it is never native and yet lists installer files"))
	}
	if _, err := time.Parse(time.DateOnly, b.RetiredOn); b.RetiredOn != "" && err != nil {
		out = append(out, fmt.Errorf("retired_on: %q is not a date like 2024-06-22", b.RetiredOn))
	}
	return out
}

func checkNames(b meetguard.Brand) []error {
	if len(b.Aliases) == 0 {
		return []error{errors.New("it has no aliases")}
	}
	var out []error
	for _, w := range b.WeakAliases {
		if slices.Contains(b.Aliases, w) {
			out = append(out, fmt.Errorf("%q is both an alias and a weak alias", w))
		}
	}
	return out
}

// checkExclusions refuses exclusions that cannot do their work and exclusions
// that would do too much: one that holds no alias excludes nothing, and one
// that stands inside the brand's own names would hide the brand.
func checkExclusions(b meetguard.Brand) []error {
	var out []error
	own := ownNames(b)
	for _, e := range b.Exclusions {
		if !slices.ContainsFunc(slices.Concat(b.Aliases, b.WeakAliases), func(a string) bool { return strings.Contains(e, a) }) {
			out = append(out, fmt.Errorf("exclusions: %q holds none of its aliases", e))
		}
		for _, name := range own {
			if strings.Contains(name, e) {
				out = append(out, fmt.Errorf("exclusions: %q would hide the brand's own name %q", e, name))
			}
		}
	}
	return out
}

func ownNames(b meetguard.Brand) []string {
	names := slices.Concat(b.Aliases, b.WeakAliases)
	for _, f := range b.Files {
		names = append(names, fold(strings.TrimSuffix(f, path.Ext(f))))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkShared refuses what two brands cannot share: ids, and the names by
// which one of them is recognised.
func checkShared(brands []meetguard.Brand) []error {
	var out []error
	ids, names := map[string]bool{}, map[string]string{}
	for _, b := range brands {
		if ids[b.ID] {
			out = append(out, fmt.Errorf("the id %q is used twice", b.ID))
		}
		ids[b.ID] = true
		for _, name := range slices.Concat(b.Aliases, b.WeakAliases) {
			if other, taken := names[name]; taken && other != b.ID {
				out = append(out, fmt.Errorf("the alias %q belongs to both %q and %q", name, other, b.ID))
			}
			names[name] = b.ID
		}
	}
	return out
}
