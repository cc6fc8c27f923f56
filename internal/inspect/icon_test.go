package inspect

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"testing"

	"meetguard"
)

var (
	blue  = color.NRGBA{11, 92, 255, 255}
	red   = color.NRGBA{220, 40, 40, 255}
	white = color.NRGBA{255, 255, 255, 255}
)

// arrow draws a mark that is no plain shape, in a square of side pixels: a bar
// with a triangle above it.
func arrow(side int, mark, ground color.Color) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			u, v := float64(x)/float64(side), float64(y)/float64(side)
			inside := v > 0.7 && v < 0.85 && u > 0.1 && u < 0.9 || v > 0.1 && v <= 0.5 && u > 0.5-v && u < 0.5+v
			if inside {
				img.Set(x, y, mark)
			} else {
				img.Set(x, y, ground)
			}
		}
	}
	return img
}

// arrowLogo is a set with that mark as the logo of a brand.
func arrowLogo(t testing.TB) *Logos {
	t.Helper()
	list := LogosOf(arrow(96, blue, color.NRGBA{}))
	if len(list) != 1 {
		t.Fatalf("%d shapes", len(list))
	}
	list[0].Brand, list[0].Name = "acme", "Acme"
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	logos, err := ParseLogos(text)
	if err != nil {
		t.Fatal(err)
	}
	return logos
}

func pngOf(img image.Image) []byte {
	var buf bytes.Buffer
	_ = png.Encode(&buf, img)
	return buf.Bytes()
}

// dibOf encodes img as the bitmap of an icon with depth bits a pixel. Eight bits
// and fewer have a palette of the three colours of these tests.
func dibOf(img *image.NRGBA, depth int) []byte {
	side := img.Rect.Dx()
	out := make([]byte, 40)
	binary.LittleEndian.PutUint32(out, 40)
	binary.LittleEndian.PutUint32(out[4:], uint32(side))
	binary.LittleEndian.PutUint32(out[8:], uint32(2*side))
	binary.LittleEndian.PutUint16(out[12:], 1)
	binary.LittleEndian.PutUint16(out[14:], uint16(depth))
	palette := []color.NRGBA{{}, blue, red, white}
	if depth <= 8 {
		for i := range 1 << depth {
			c := palette[i%len(palette)]
			out = append(out, c.B, c.G, c.R, 0)
		}
	}
	row, maskRow := (side*depth+31)/32*4, (side+31)/32*4
	bits, mask := make([]byte, row*side), make([]byte, maskRow*side)
	for y := range side {
		for x := range side {
			c, at := img.NRGBAAt(x, side-1-y), y*row
			switch depth {
			case 32:
				copy(bits[at+4*x:], []byte{c.B, c.G, c.R, c.A})
			case 24:
				copy(bits[at+3*x:], []byte{c.B, c.G, c.R})
			default:
				for i, p := range palette {
					if p == c {
						bits[at+x*depth/8] |= byte(i << (8 - depth - x*depth%8))
					}
				}
			}
			if c.A == 0 {
				mask[y*maskRow+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	return append(append(out, bits...), mask...)
}

// icoOf is an .ico file with pictures of the sides that are given.
func icoOf(pictures map[int][]byte) []byte {
	head := []byte{0, 0, 1, 0, byte(len(pictures)), 0}
	var body []byte
	for side, p := range pictures {
		entry := make([]byte, 16)
		entry[0], entry[1], entry[6] = byte(side), byte(side), 32
		binary.LittleEndian.PutUint32(entry[8:], uint32(len(p)))
		binary.LittleEndian.PutUint32(entry[12:], uint32(6+16*len(pictures)+len(body)))
		head, body = append(head, entry...), append(body, p...)
	}
	return append(head, body...)
}

func icnsOf(pictures ...[]byte) []byte {
	var body []byte
	for _, p := range pictures {
		body = append(body, "ic07"...)
		body = binary.BigEndian.AppendUint32(body, uint32(len(p)+8))
		body = append(body, p...)
	}
	return append(binary.BigEndian.AppendUint32([]byte("icns"), uint32(len(body)+8)), body...)
}

func TestIconClaims(t *testing.T) {
	logos := arrowLogo(t)
	ours, other := arrow(64, blue, color.NRGBA{}), image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for name, tc := range map[string]struct {
		data []byte
		want bool
	}{
		"png":                      {pngOf(ours), true},
		"256 pixels":               {pngOf(arrow(256, blue, white)), true},
		"24 pixels":                {pngOf(arrow(24, blue, white)), true},
		"white on a tile":          {pngOf(arrow(64, white, blue)), true},
		"another colour":           {pngOf(arrow(64, red, white)), false},
		"red on blue":              {pngOf(arrow(64, red, blue)), false},
		"nothing on it":            {pngOf(other), false},
		"ico of PNG":               {icoOf(map[int][]byte{64: pngOf(ours)}), true},
		"ico of 32 bits":           {icoOf(map[int][]byte{64: dibOf(ours, 32)}), true},
		"ico of 24 bits":           {icoOf(map[int][]byte{64: dibOf(ours, 24)}), true},
		"ico of 8 bits":            {icoOf(map[int][]byte{64: dibOf(ours, 8)}), true},
		"ico of 4 bits":            {icoOf(map[int][]byte{64: dibOf(ours, 4)}), true},
		"the largest counts":       {icoOf(map[int][]byte{64: dibOf(ours, 32), 16: dibOf(arrow(16, red, white), 32)}), true},
		"a broken one is no cover": {icoOf(map[int][]byte{128: []byte("\x89PNG\r\n\x1a\nbroken"), 64: dibOf(ours, 32)}), true},
		"icns":                     {icnsOf([]byte("old"), pngOf(ours)), true},
		"program":                  {makeIconPE(ours), true},
		"text":                     {[]byte("Acme"), false},
	} {
		t.Run(name, func(t *testing.T) {
			claims, gaps := logos.IconClaims(tc.data)
			if got := len(claims) == 1 && claims[0] == (meetguard.Claim{Source: meetguard.ClaimIcon, Text: "Acme logo"}); got != tc.want || len(claims) > 1 {
				t.Errorf("claims %v, gaps %v", claims, gaps)
			}
		})
	}
}

// makeIconPE is a program with a manifest and an icon of one picture, as its
// only resources.
func makeIconPE(img *image.NRGBA) []byte {
	group := make([]byte, 6+14)
	group[2], group[4] = 1, 1
	group[6], group[7], group[6+6], group[6+12] = byte(img.Rect.Dx()), byte(img.Rect.Dy()), 32, 7
	manifest := []byte(`<assembly><assemblyIdentity name="Acme.Meet"/><description>Acme Meetings</description><dependency><assemblyIdentity name="Common-Controls"/></dependency></assembly>`)
	return peOf([]resource{{typeIcon, 7, dibOf(img, 32)}, {typeGroup, 1, group}, {typeManifest, 1, manifest}})
}

type resource struct {
	kind, id uint32
	data     []byte
}

// peOf puts resources, each of a type of its own, into the smallest PE file.
func peOf(list []resource) []byte {
	le := binary.LittleEndian
	out := makePE([]versionBlock{{language: 1033, strings: map[string]string{"ProductName": "x"}}})[:peSection0]
	dir := func(entries ...[2]uint32) []byte {
		b := make([]byte, 16+8*len(entries))
		le.PutUint16(b[14:], uint16(len(entries)))
		for i, e := range entries {
			le.PutUint32(b[16+8*i:], e[0])
			le.PutUint32(b[20+8*i:], e[1])
		}
		return b
	}
	address := le.Uint32(out[peHeader+24+112+16:])
	const chain = 2*(16+8) + 16 // id, language, data entry
	var root [][2]uint32
	var chains, blobs []byte
	first := uint32(16 + 8*len(list))
	data := first + uint32(len(list))*chain
	for i, r := range list {
		at := first + uint32(i)*chain
		root = append(root, [2]uint32{r.kind, at | subdirectory})
		chains = append(chains, dir([2]uint32{r.id, (at + 24) | subdirectory})...)
		chains = append(chains, dir([2]uint32{1033, at + 48})...)
		entry := make([]byte, 16)
		le.PutUint32(entry, address+data+uint32(len(blobs)))
		le.PutUint32(entry[4:], uint32(len(r.data)))
		chains, blobs = append(chains, entry...), append(blobs, r.data...)
	}
	section := append(append(dir(root...), chains...), blobs...)
	table := peHeader + 24 + int(le.Uint16(out[peHeader+20:]))
	le.PutUint32(out[table+8:], uint32(len(section)))
	le.PutUint32(out[table+16:], uint32(len(section)))
	return append(out, section...)
}

func TestPEManifest(t *testing.T) {
	claims, gaps := Claims(meetguard.FormatPE, makeIconPE(arrow(32, blue, white)))
	want := []string{"PE manifest: Acme.Meet", "PE manifest: Acme Meetings"}
	if got := claimLines(claims); len(got) != 2 || got[0] != want[0] || got[1] != want[1] || len(gaps) > 0 {
		t.Errorf("%q %v, want %q", got, gaps, want)
	}
}

// TestIconLimits: a picture that promises more than it holds costs nothing.
func TestIconLimits(t *testing.T) {
	logos := arrowLogo(t)
	huge := dibOf(arrow(16, blue, white), 32)
	binary.LittleEndian.PutUint32(huge[4:], 1024)
	binary.LittleEndian.PutUint32(huge[8:], 2048)
	wide := pngOf(image.NewGray(image.Rect(0, 0, maxSide+1, 1)))
	largest := pngOf(arrow(maxSide, blue, white))
	for name, data := range map[string][]byte{"bitmap": icoOf(map[int][]byte{64: huge}), "picture": wide, "largest": largest} {
		var claims []meetguard.Claim
		if got := allocated(func() { claims, _ = logos.IconClaims(data) }); got > 24<<20 {
			t.Errorf("%s: %d bytes allocated", name, got)
		}
		if (len(claims) == 1) != (name == "largest") {
			t.Errorf("%s: claims %v", name, claims)
		}
	}
}

func TestParseLogosRefuses(t *testing.T) {
	good := LogosOf(arrow(96, blue, color.NRGBA{}))[0]
	good.Brand, good.Name = "acme", "Acme"
	for name, spoil := range map[string]func(*Logo){
		"no brand":      func(l *Logo) { l.Brand = "" },
		"short shape":   func(l *Logo) { l.Shape = l.Shape[1:] },
		"no digits":     func(l *Logo) { l.Shape = "x" + l.Shape[1:] },
		"no colours":    func(l *Logo) { l.Colours = nil },
		"odd colour":    func(l *Logo) { l.Colours = []string{"blue"} },
		"no such cells": func(l *Logo) { l.Cells = l.Shape },
		"no aspect":     func(l *Logo) { l.Aspect = 0 },
	} {
		bad := good
		spoil(&bad)
		text, _ := json.Marshal([]Logo{bad})
		if _, err := ParseLogos(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := ParseLogos([]byte("{")); err == nil {
		t.Error("no JSON: no error")
	}
}

func FuzzIcon(f *testing.F) {
	logos := arrowLogo(f)
	ours := arrow(32, blue, color.NRGBA{})
	for _, seed := range [][]byte{pngOf(ours), icoOf(map[int][]byte{32: dibOf(ours, 32)}), icoOf(map[int][]byte{32: dibOf(ours, 4)}), icoOf(map[int][]byte{32: dibOf(ours, 24)}), icnsOf(pngOf(ours)), makeIconPE(ours)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		claims, gaps := logos.IconClaims(data)
		checkClaims(t, claims, gaps)
		if len(claims) > 1 {
			t.Errorf("%d claims", len(claims))
		}
	})
}
