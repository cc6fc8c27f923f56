package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"meetguard/internal/inspect"
)

func logosFor(t testing.TB) *inspect.Logos {
	t.Helper()
	data, err := os.ReadFile("../../icons.json")
	if err != nil {
		t.Fatal(err)
	}
	logos, err := inspect.ParseLogos(data)
	if err != nil {
		t.Fatal(err)
	}
	return logos
}

// TestGenerated: icons.json is what the drawings give.
func TestGenerated(t *testing.T) {
	out := filepath.Join(t.TempDir(), "icons.json")
	if err := generate("..", out); err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile("../../icons.json")
	if got, _ := os.ReadFile(out); !bytes.Equal(got, want) {
		t.Error("icons.json differs from what the drawings give: run go run ./signatures/icons/generate")
	}
}

// guises are the ways in which an icon may show a logo.
var guises = []struct {
	name string
	make func(d *drawing, side int) image.Image
}{
	{"bare", func(d *drawing, side int) image.Image { return d.render(side, 0) }},
	{"padded", func(d *drawing, side int) image.Image { return d.render(side, float64(side)/8) }},
	{"on white", func(d *drawing, side int) image.Image {
		return on(color.NRGBA{255, 255, 255, 255}, d.render(side, float64(side)/10))
	}},
	{"on grey", func(d *drawing, side int) image.Image {
		return on(color.NRGBA{228, 228, 230, 255}, d.render(side, float64(side)/10))
	}},
	{"on black", func(d *drawing, side int) image.Image {
		return on(color.NRGBA{20, 20, 20, 255}, d.render(side, float64(side)/10))
	}},
	{"on a white tile", func(d *drawing, side int) image.Image { return onTile(d.render(side, float64(side)/6), "#ffffff") }},
	{"noisy", func(d *drawing, side int) image.Image {
		return noisy(on(color.NRGBA{255, 255, 255, 255}, d.render(side, float64(side)/10)))
	}},
	{"lossy", func(d *drawing, side int) image.Image {
		return lossy(on(color.NRGBA{255, 255, 255, 255}, d.render(side, float64(side)/10)))
	}},
	{"shifted in colour", func(d *drawing, side int) image.Image { return shifted(d.render(side, float64(side)/12)) }},
}

func on(c color.NRGBA, img *image.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(img.Rect)
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			out.SetNRGBA(x, y, c)
			p := img.NRGBAAt(x, y)
			blend(out, x, y, color.NRGBA{p.R, p.G, p.B, 255}, float64(p.A)/255)
		}
	}
	return out
}

func each(img *image.NRGBA, change func(*color.NRGBA)) *image.NRGBA {
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			c := img.NRGBAAt(x, y)
			change(&c)
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func noisy(img *image.NRGBA) image.Image {
	r := rand.New(rand.NewSource(1))
	add := func(v uint8) uint8 { return uint8(min(max(int(v)+r.Intn(33)-16, 0), 255)) }
	return each(img, func(c *color.NRGBA) { c.R, c.G, c.B = add(c.R), add(c.G), add(c.B) })
}

func shifted(img *image.NRGBA) image.Image {
	return each(img, func(c *color.NRGBA) {
		c.R, c.G, c.B = uint8(min(int(c.R)+14, 255)), uint8(float64(c.G)*0.95), uint8(float64(c.B)*0.93)
	})
}

func lossy(img image.Image) image.Image {
	var buf bytes.Buffer
	_ = jpeg.Encode(&buf, img, &jpeg.Options{Quality: 55})
	out, _ := jpeg.Decode(&buf)
	return out
}

// found counts how many guises of all drawings at a size are recognised as
// their brand.
func found(t *testing.T, logos *inspect.Logos, side int) (hits, all int, missed []string) {
	sources, err := readSources("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		d, err := s.drawing("..")
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range guises {
			all++
			l := logos.Match(g.make(d, side))
			switch {
			case l == nil:
				missed = append(missed, s.File+" "+g.name)
			case l.Brand != s.Brand:
				t.Errorf("%s, %s, %d pixels: taken for %s", s.File, g.name, side, l.Brand)
			default:
				hits++
			}
		}
	}
	return hits, all, missed
}

// TestLogosAreFound holds how many must be recognised at each size. The word
// "zoom" in an icon of 16 pixels is three pixels high: that is nobody's logo.
func TestLogosAreFound(t *testing.T) {
	logos := logosFor(t)
	for side, least := range map[int]float64{16: 0.45, 32: 0.8, 48: 0.85, 64: 0.95, 128: 0.98} {
		t.Run(fmt.Sprint(side), func(t *testing.T) {
			hits, all, missed := found(t, logos, side)
			t.Logf("%d of %d", hits, all)
			if float64(hits) < least*float64(all) {
				slices.Sort(missed)
				t.Errorf("%d of %d are recognised, missed: %q", hits, all, missed)
			}
		})
	}
}
