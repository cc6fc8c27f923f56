// Package inspect tells what a file is, which names it gives itself, and where
// it says it came from. It judges nothing.
//
// Everything here reads hostile bytes. Each parser takes the whole file as a
// []byte, usually a read-only memory map, so it copies no more than the strings
// it returns. Each keeps to the limits below, checks every offset it reads
// against the input, and follows no chain further than a counted number of
// steps. What cannot be read becomes a meetguard.Gap. None of these gaps is
// blinding: a file can be judged without the names it gives itself.
package inspect

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"meetguard"
)

// The limits of one call. They are far above what real installers hold, and
// low enough that a file made to be slow costs milliseconds.
const (
	maxClaims    = 128     // names of one file
	maxClaimText = 512     // bytes of one name
	maxDocument  = 1 << 20 // bytes of one property list or compressed control archive
	maxWindow    = 8 << 20 // bytes of history a decompressor may ask for; `xz -6`, which dpkg-deb uses, needs 8 MiB
)

// malformed is why a structure could not be read. It never quotes the file.
type malformed string

func (m malformed) Error() string { return string(m) }

// collector gathers the names of one file, each once.
type collector struct {
	claims []meetguard.Claim
	gaps   []meetguard.Gap
	full   bool // maxClaims was reached and reported
	tokens int  // XML tokens read so far
}

// claim records text as a name found at source. Empty text is no name.
func (c *collector) claim(source, text string) {
	if c.full {
		return
	}
	claim := meetguard.Claim{Text: cleanName(text), Source: source}
	if claim.Text == "" {
		return
	}
	for _, known := range c.claims {
		if known == claim {
			return
		}
	}
	if len(c.claims) < maxClaims {
		c.claims = append(c.claims, claim)
		return
	}
	c.full = true
	c.gap("names", malformed("there are more than are read"))
}

// gap records that what could not be read, if err is not nil.
func (c *collector) gap(what string, err error) {
	if err != nil {
		c.gaps = append(c.gaps, meetguard.Gap{Fact: "names", Reason: fmt.Sprintf("read %s: %v", what, err)})
	}
}

// cleanName copies text up to its first NUL, as the programs that show these
// names do, trims the space around it, makes it valid UTF-8 and cuts it at
// maxClaimText bytes. Control and bidirectional characters stay: they are part
// of the deceit, and whoever prints a name escapes it.
func cleanName(text string) string {
	text, _, _ = strings.Cut(text, "\x00")
	if len(text) > 4*maxClaimText {
		text = text[:4*maxClaimText]
	}
	text = strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > maxClaimText {
		text = text[:maxClaimText]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	return strings.Clone(text)
}

// FileNameClaim is the claim that a file makes by its own name: the last
// element of path, whichever system's separators it has.
func FileNameClaim(path string) meetguard.Claim {
	path = strings.TrimRight(path, `/\`)
	if i := strings.LastIndexAny(path, `/\`); i >= 0 {
		path = path[i+1:]
	}
	return meetguard.Claim{Text: cleanName(path), Source: meetguard.ClaimFileName}
}

// Claims lists every name that the file gives itself beyond its file name, in
// the order found and each once, and says what could not be read. Formats that
// carry no names give none. For a MSIX bundle the names are those of the
// bundle, not of the packages in it.
func Claims(format meetguard.Format, data []byte) ([]meetguard.Claim, []meetguard.Gap) {
	var c collector
	switch format {
	case meetguard.FormatPE:
		c.gap("PE version resource", peClaims(data, &c))
	case meetguard.FormatMachO:
		c.gap("Info.plist of the Mach-O file", machoClaims(data, &c))
	case meetguard.FormatMSI:
		msiClaims(data, &c)
	case meetguard.FormatMSIX:
		c.gap("MSIX manifest", msixClaims(data, &c))
	case meetguard.FormatDeb:
		c.gap("deb control file", debClaims(data, &c))
	case meetguard.FormatRPM:
		c.gap("RPM header", rpmClaims(data, &c))
	case meetguard.FormatPKG:
		c.gap("xar archive", xarClaims(data, &c))
	case meetguard.FormatDMG:
		c.gap("volume of the disk image", dmgClaims(data, &c))
	case meetguard.FormatHTML:
		htmlClaims(data, &c)
	case meetguard.FormatShortcut:
		shortcutClaims(data, &c)
	case meetguard.FormatICS:
		calendarClaims(data, &c)
	}
	return c.claims, c.gaps
}
