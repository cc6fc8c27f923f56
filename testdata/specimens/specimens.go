// Package specimens makes inert lures and honest scripts, always the same ones,
// for the evaluation.
//
// A lure only looks like one. Every host that it would fetch from ends in
// .invalid, which RFC 2606 keeps from ever existing, or is a published lookalike
// name that stands in a text and is never spoken to; what would take private
// data or change a setting stands behind a fetch that cannot succeed. Programs
// are built byte by byte here and return at once. The shapes follow published
// reports on campaigns (families A1 to G), and for the families "unseen-…"
// nothing at all: they were made up to see what the rules do with what no
// report describes.
package specimens

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Specimen is one file, or one bundle with its files.
type Specimen struct {
	Name        string // base name as a user would see it
	Family      string // A1 … G, brandless, pe, macho, unseen-tool, …
	Platform    string // macos, windows, linux or web
	Wrapper     string // plain, zip, app, …
	Obfuscation string // plain, or how the commands are hidden or pushed out of sight
	Language    string // of the code: applescript, shell, …; "none" for programs
	Data        []byte
	Mode        fs.FileMode
	Members     []Member // set for a bundle, which is then a folder without Data

	clear []string // what Data hides, before it was hidden
}

// Member is one file of a bundle.
type Member struct {
	Name string // path in the bundle
	Data []byte
	Mode fs.FileMode
}

// Write writes s below dir, which it makes.
func (s Specimen) Write(dir string) error {
	members := s.Members
	if len(members) == 0 {
		members = []Member{{Data: s.Data, Mode: s.Mode}}
	}
	for _, m := range members {
		p := filepath.Join(dir, s.Name, filepath.FromSlash(m.Name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return fmt.Errorf("make the folder of %s: %w", s.Name, err)
		}
		if err := os.WriteFile(p, m.Data, m.Mode); err != nil {
			return fmt.Errorf("write %s: %w", s.Name, err)
		}
	}
	return nil
}

// Size is the number of bytes of s, over all its files.
func (s Specimen) Size() int {
	n := len(s.Data)
	for _, m := range s.Members {
		n += len(m.Data)
	}
	return n
}

// Lures makes every lure. The order and each byte are the same in every run.
func Lures() []Specimen {
	var b kit
	b.campaigns()
	b.windows()
	b.brandless()
	b.thieves()
	b.shortcuts()
	b.programs()
	b.unseen()
	b.fresh()
	b.archives()
	b.wrapped()
	return b.list
}

// kit collects specimens while they are made.
type kit struct{ list []Specimen }

// script adds a lure that is a text. hidden is what its text hides.
func (b *kit) script(family, platform, language, obfuscation, name, text string, hidden ...string) {
	mode := fs.FileMode(0o644)
	switch path.Ext(name) {
	case ".sh", ".command", ".desktop":
		mode = 0o755
	}
	b.list = append(b.list, Specimen{Name: name, Family: family, Platform: platform, Wrapper: "plain", Obfuscation: obfuscation,
		Language: language, Data: []byte(text), Mode: mode, clear: hidden})
}

// program adds a lure that is no text.
func (b *kit) program(family, platform, wrapper, name string, data []byte) {
	b.list = append(b.list, Specimen{Name: name, Family: family, Platform: platform, Wrapper: wrapper, Obfuscation: "plain",
		Language: "none", Data: data, Mode: 0o755})
}

// lines joins the lines of a text.
func lines(list ...string) string { return strings.Join(list, "\n") + "\n" }

// host makes a host name that cannot exist.
func host(label string) string { return label + ".invalid" }
