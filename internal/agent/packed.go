package agent

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"

	"meetguard"
	"meetguard/internal/inspect"
	"meetguard/internal/sign"
	"meetguard/internal/unpack"
)

// Limits of the bundles of one container.
const (
	maxPackedBundles = 32       // further ones are looked at file by file
	maxPackedFiles   = 4000     // files and links that are remembered of one
	maxPackedPart    = 1 << 20  // bytes of a file that is kept for the comparison with the seal
	maxPackedParts   = 16 << 20 // bytes of all such files
	maxPackedMain    = 64 << 20 // bytes of a main program
)

// packed is a bundle within a container. It is one unit, as on a disk: who it
// says it is, who signed it as a whole, what the scripts in it do. Since a
// container may hold its files in any order, what the judgement needs is kept
// until the container ends.
type packed struct {
	facts    meetguard.Facts
	base     string                     // its path in the container
	parts    map[string][]byte          // files that are kept, by their path below Contents
	links    map[string]string          // where links lead, likewise
	order    []string                   // keys of both
	programs map[string]meetguard.Facts // digest and signature of those in Contents/MacOS, by base name
	first    string                     // of these
	kept     int                        // bytes of parts, without programs
	inspects int                        // programs and scripts so far
	more     bool                       // there are more of them than are inspected
	left     bool                       // some files are not kept
}

// bundlePrefix is the length of a path up to and with the name of the outermost
// bundle in it, 0 if it is in none.
func bundlePrefix(name string) int {
	for from := 0; ; {
		slash := strings.IndexByte(name[from:], '/')
		if slash < 0 {
			return 0
		}
		at := from + slash
		inside := name[at+1:]
		switch folder := name[from:at]; {
		case hasFold(folder, ".app") || hasFold(folder, ".prefpane") || hasFold(folder, ".workflow") || hasFold(folder, ".action") || hasFold(folder, ".pkg") || hasFold(folder, ".mpkg") || hasFold(folder, ".saver"):
			if strings.HasPrefix(inside, "Contents/") {
				return at
			}
		case hasFold(folder, ".scptd") && inside != "":
			return at
		}
		from = at + 1
	}
}

func hasFold(s, suffix string) bool {
	return len(s) > len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

// bundleOf gives the bundle that a member belongs to, and its path within.
func (o *opening) bundleOf(name string) (*packed, string) {
	at := bundlePrefix(name)
	if at == 0 {
		return nil, ""
	}
	for _, b := range o.bundles {
		if b.base == name[:at] {
			return b, name[at+1:]
		}
	}
	if len(o.bundles) >= maxPackedBundles {
		return nil, ""
	}
	b := &packed{base: name[:at], parts: map[string][]byte{}, links: map[string]string{}, programs: map[string]meetguard.Facts{}}
	b.facts = meetguard.Facts{Path: clipText(b.base, maxText), Format: meetguard.FormatApp, Signature: meetguard.Signature{Status: meetguard.SignatureUnknown},
		Claims: []meetguard.Claim{{Text: clipText(path.Base(b.base), maxText), Source: meetguard.ClaimFileName}}}
	o.bundles = append(o.bundles, b)
	return b, name[at+1:]
}

// add takes a file of the bundle: a program or script is inspected, and what the
// signature covers is kept as far as there is room.
func (b *packed) add(o *opening, rel string, m unpack.Member) error {
	inside := strings.TrimPrefix(rel, "Contents/")
	if m.Role == unpack.RoleLink {
		return b.link(inside, m)
	}
	runs := runsInBundle(rel)
	if runs && b.inspects >= maxBundleFiles {
		runs, b.more = false, true
	}
	if !runs && (b.limit(inside) < m.Size || len(b.order) >= maxPackedFiles) {
		b.left = true
		return nil
	}
	arena := &o.ex.unit.arena
	mark := arena.top
	m.Head = nil
	data, err := o.loadPart(m)
	if err != nil {
		b.left = true
		return err
	}
	if isAppleDouble(rel, data) {
		arena.top = mark
		return nil
	}
	if runs {
		b.inspect(o, rel, inside, data)
	}
	if !b.keep(inside, data) {
		arena.top = mark
	}
	return nil
}

// loadPart gives a whole file, also one that would need no look by itself.
func (o *opening) loadPart(m unpack.Member) ([]byte, error) {
	if m.Role == "" {
		m.Role = unpack.RoleNeeded
	}
	return o.load(m)
}

func (b *packed) link(inside string, m unpack.Member) error {
	if len(b.order) >= maxPackedFiles {
		b.left = true
		return nil
	}
	r, err := m.Open()
	if err != nil {
		return err
	}
	var to [maxText]byte
	n, _ := fill(to[:], r)
	b.links[inside] = string(to[:n])
	b.order = append(b.order, inside)
	return nil
}

// inspect looks at a program or script as at any file.
func (b *packed) inspect(o *opening, rel, inside string, data []byte) {
	b.inspects++
	part := o.ex.content(path.Base(rel), "", data, o.depth+1)
	part.Path = clipText(rel, maxText)
	b.facts.Size += part.Size
	if part.Format == meetguard.FormatMachO && path.Base(path.Dir(rel)) == "MacOS" {
		base := path.Base(rel)
		if b.programs[base] = (meetguard.Facts{SHA256: part.SHA256, Signature: part.Signature}); b.first == "" || base < b.first {
			b.first = base
		}
	}
	keep(&b.facts, withoutBrandClaims(part))
}

// limit is how large a file may be to be kept, in bytes.
func (b *packed) limit(inside string) int64 {
	switch {
	case inside == appResources:
		return maxPackedParts
	case path.Dir(inside) == "MacOS":
		return maxPackedMain
	}
	return int64(min(maxPackedPart, max(0, maxPackedParts-b.kept)))
}

// keep holds a file until the container ends.
func (b *packed) keep(inside string, data []byte) bool {
	if int64(len(data)) > b.limit(inside) || len(b.order) >= maxPackedFiles {
		b.left = true
		return false
	}
	if path.Dir(inside) != "MacOS" {
		b.kept += len(data)
	}
	if b.parts[inside] == nil {
		b.order = append(b.order, inside)
	}
	b.parts[inside] = data
	return true
}

// judge completes the facts of the bundle as Inspector.bundle does.
func (b *packed) judge(ex *Examiner) meetguard.Facts {
	f := &b.facts
	names := bundleNames{}
	if info := b.parts[appPlist]; len(info) > 0 && len(info) <= maxPlistSize {
		stage(f, "names", false, func() {
			claims, gaps := inspect.PlistClaims(info)
			f.Claims, f.Gaps = append(f.Claims, claims...), append(f.Gaps, gaps...)
			names = namesOf(inspect.PlistExecutable(info), inspect.PlistIcon(info))
		})
	}
	main, named := b.programs[names.executable]
	if !named {
		main = b.programs[b.first]
	}
	if names.executable == "" {
		names.executable = b.first
	}
	program := "MacOS/" + names.executable
	if f.SHA256 = main.SHA256; f.SHA256 != "" {
		ex.judgeApp(f, b.signed(program), b.parts["Resources/"+names.icon])
	} else if len(f.Gaps) == 0 {
		f.Gaps = append(f.Gaps, meetguard.Gap{Fact: "signature", Reason: "the bundle has no main program that carries one"})
	}
	if named && b.parts[program] == nil {
		f.Gaps = append(f.Gaps, blinding("signature", "the main program of the bundle is larger than what is unpacked for inspection"))
	}
	if b.more {
		f.Gaps = append(f.Gaps, blinding("members", fmt.Sprintf("the bundle has more than %d files worth a look", maxBundleFiles)))
	}
	bound(f)
	return *f
}

// signed are the parts of the bundle that its signature may cover.
func (b *packed) signed(program string) sign.Bundle {
	s := sign.Bundle{Program: program, InfoPlist: b.parts[appPlist], Resources: b.parts[appResources], Ticket: b.parts[appTicket],
		Files: []sign.BundleFile{}, All: !b.left}
	if main := b.parts[program]; main != nil {
		s.Executable, s.Size = bytes.NewReader(main), int64(len(main))
	}
	for _, inside := range b.order {
		data, file := b.parts[inside]
		entry := sign.BundleFile{Path: inside, Link: b.links[inside]}
		if file {
			entry.Size, entry.Link = int64(len(data)), ""
			entry.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
		}
		s.Files = append(s.Files, entry)
	}
	return s
}
