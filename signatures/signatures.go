// Package signatures carries the content of the product: the catalogue of
// meeting brands, the sources of ordinary software, the shapes of their logos,
// the YARA rules and the Sigma rules over launches. All are embedded
// in the program, so a binary and what it knows cannot come apart.
//
// README.md in this folder is for people who add a brand or a rule.
package signatures

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"meetguard"
)

//go:generate go run ./pack
//go:embed content.zip
var packed []byte

// content is what content.zip holds; see ./pack for why it is packed.
var content = sync.OnceValue(func() fs.FS {
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return broken{err}
	}
	return z
})

// broken stands for content that cannot be read.
type broken struct{ err error }

func (b broken) Open(string) (fs.File, error) { return nil, b.err }

// dated is the day of the last change to the catalogue or the rules.
const dated = "2026.11.23"

// RuleFile is one file of YARA rules.
type RuleFile struct {
	Set  string // the kind of file it is for: a sub-folder of yara/
	Name string // set and file name, for messages: "script/padding.yar"
	Text string
}

// sets are the kinds of file that rules are written for, each compiled by
// itself: no file pays for a module that it cannot use. Plain text has no set,
// because a document about lures is not a lure.
var sets = []string{"applescript", "macho", "msi", "other", "pe", "script"}

// Brands returns the embedded catalogue in the order of its file. An error
// means that the program was built from a broken catalogue.
func Brands() ([]meetguard.Brand, error) {
	data, err := fs.ReadFile(content(), "brands.yaml")
	if err != nil {
		return nil, fmt.Errorf("read the embedded catalogue: %w", err)
	}
	return ParseBrands(data)
}

// Icons returns the embedded logos, as `go run ./signatures/icons/generate`
// wrote them.
func Icons() ([]byte, error) {
	data, err := fs.ReadFile(content(), "icons.json")
	if err != nil {
		return nil, fmt.Errorf("read the embedded logos: %w", err)
	}
	return data, nil
}

// Abused returns the embedded list of abused certificates.
func Abused() ([]byte, error) {
	data, err := fs.ReadFile(content(), "abused.csv")
	if err != nil {
		return nil, fmt.Errorf("read the embedded list of abused certificates: %w", err)
	}
	return data, nil
}

// Rules returns the embedded rule files, sorted by name.
func Rules() ([]RuleFile, error) {
	return rulesIn(content())
}

// LaunchRules returns the embedded Sigma rules over launches, sorted by name.
// Their Set is "process".
func LaunchRules() ([]RuleFile, error) {
	names, err := fs.Glob(content(), "process/*.yml")
	if err != nil {
		return nil, fmt.Errorf("list the rules over launches: %w", err)
	}
	slices.Sort(names)
	out := make([]RuleFile, 0, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(content(), name)
		if err != nil {
			return nil, fmt.Errorf("read a rule over launches: %w", err)
		}
		out = append(out, RuleFile{Set: "process", Name: name, Text: string(text)})
	}
	return out, nil
}

func rulesIn(root fs.FS) ([]RuleFile, error) {
	names, err := fs.Glob(root, "yara/*/*")
	if err != nil {
		return nil, fmt.Errorf("list the rule files: %w", err)
	}
	slices.Sort(names)
	out := make([]RuleFile, 0, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return nil, fmt.Errorf("read rule file: %w", err)
		}
		set := path.Base(path.Dir(name))
		if !slices.Contains(sets, set) {
			return nil, fmt.Errorf("place rule file %s: no set is called %q, the sets are %s", name, set, strings.Join(sets, ", "))
		}
		out = append(out, RuleFile{Set: set, Name: strings.TrimPrefix(name, "yara/"), Text: string(text)})
	}
	return out, nil
}

// Version names the embedded content: the day of its last change and a hash
// over every name and byte of it, so that two builds which say the same
// version know the same things. It is asked for with every status that is
// written, so the content is unpacked for it once.
func Version() string { return version() }

var version = sync.OnceValue(func() string {
	hash := sha256.New()
	names := []string{"brands.yaml", "sources.yaml", "icons.json", "abused.csv"}
	rules, _ := fs.Glob(content(), "yara/*/*") // the patterns are constant: they cannot be malformed
	launches, _ := fs.Glob(content(), "process/*.yml")
	rules = append(rules, launches...)
	slices.Sort(rules)
	for _, name := range append(names, rules...) {
		data, _ := fs.ReadFile(content(), name) // listed a line above, and memory does not fail
		fmt.Fprintf(hash, "%s\n%d\n", name, len(data))
		hash.Write(data)
	}
	return dated + "-" + hex.EncodeToString(hash.Sum(nil))[:12]
})
