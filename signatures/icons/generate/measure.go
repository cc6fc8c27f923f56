package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"meetguard/internal/inspect"
)

// ink is the colour in which drawings without one are drawn and compared: that
// of a blue logo. Each logo of one colour is given it too, so that one drawing
// tells whether the shape is that of any of them.
const ink = "1b64ef"

// meter counts what the logos match.
type meter struct {
	logos *inspect.Logos
	inked *inspect.Logos // the same, those of one colour in ink
	files int
	drawn int // pictures drawn of drawings
	found int
}

// measure matches every picture below the folders and prints those that match.
func measure(logos string, folders []string) error {
	data, err := os.ReadFile(logos)
	if err != nil {
		return fmt.Errorf("read the logos: %w", err)
	}
	m := meter{}
	if m.logos, err = inspect.ParseLogos(data); err != nil {
		return err
	}
	if m.inked, err = inInk(data); err != nil {
		return err
	}
	for _, dir := range folders {
		before := m
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				m.file(path)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("walk %s: %w", dir, err)
		}
		fmt.Printf("%s: %d pictures, %d drawn in a logo's colour, %d match\n", dir, m.files-before.files, m.drawn-before.drawn, m.found-before.found)
	}
	return nil
}

func inInk(data []byte) (*inspect.Logos, error) {
	var list []inspect.Logo
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("read the logos: %w", err)
	}
	for i := range list {
		if list[i].Cells == "" {
			list[i].Colours = []string{ink}
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("write the logos: %w", err)
	}
	return inspect.ParseLogos(text)
}

func (m *meter) file(path string) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".png", ".ico", ".icns", ".exe":
		data, err := os.ReadFile(path)
		if err != nil {
			return
		}
		m.files++
		claims, _ := m.logos.IconClaims(data)
		for _, c := range claims {
			m.tell(path, c.Text)
		}
	case ".svg":
		if data, err := os.ReadFile(path); err == nil {
			m.drawing(path, string(data))
		}
	case ".json":
		if filepath.Base(path) == "icons.json" {
			m.iconSet(path)
		}
	}
}

func (m *meter) tell(path, what string) {
	m.found++
	fmt.Printf("%s: %s\n", path, what)
}

// iconSet draws every icon of a set in the JSON form of Iconify.
func (m *meter) iconSet(path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		return
	}
	type icon struct {
		Body          string
		Width, Height float64
	}
	var set struct {
		Width, Height float64
		Icons         map[string]icon
	}
	if json.Unmarshal(data, &set) != nil {
		return
	}
	side := func(own, all float64) float64 {
		if own > 0 {
			return own
		}
		if all > 0 {
			return all
		}
		return 16
	}
	for name, i := range set.Icons {
		m.drawing(path+" "+name, fmt.Sprintf(`<svg viewBox="0 0 %g %g">%s</svg>`, side(i.Width, set.Width), side(i.Height, set.Height), i.Body))
	}
}

// drawing draws one icon as it is and, if it has no colour of its own, in ink
// and in white on a tile of ink.
func (m *meter) drawing(name, svg string) {
	m.files++
	colourless := strings.Contains(svg, "currentColor") || !strings.Contains(svg, "fill=")
	d, err := parseSVG(strings.NewReader(svg), "#"+ink)
	if err != nil {
		return
	}
	if !colourless {
		m.compare(m.logos, name, d.render(64, 3))
		return
	}
	m.compare(m.inked, name, d.render(64, 3))
	if w, err := parseSVG(strings.NewReader(svg), "#ffffff"); err == nil {
		m.compare(m.inked, name+" on a tile", onTile(w.render(64, 12), "#"+ink))
	}
}

func (m *meter) compare(logos *inspect.Logos, name string, img image.Image) {
	m.drawn++
	if l := logos.Match(img); l != nil {
		m.tell(name, l.Name+" "+l.Source)
	}
}

// onTile lays a picture on a tile with round corners.
func onTile(img *image.NRGBA, ink string) *image.NRGBA {
	side := float64(img.Rect.Dx())
	c, _ := (&reader{}).colour(ink)
	o, _ := parsePath(fmt.Sprintf("M%g 0H%gA%g %g 0 0 1 %g %gV%gA%g %g 0 0 1 %g %gH%gA%g %g 0 0 1 0 %gV%gA%g %g 0 0 1 %g 0Z",
		side*.2, side*.8, side*.2, side*.2, side, side*.2, side*.8, side*.2, side*.2, side*.8, side, side*.2, side*.2, side*.2, side*.8, side*.2, side*.2, side*.2, side*.2))
	out := image.NewNRGBA(img.Rect)
	paint(out, filled{outline: o, colour: c}, matrix{1, 0, 0, 1, 0, 0})
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			p := img.NRGBAAt(x, y)
			blend(out, x, y, color.NRGBA{p.R, p.G, p.B, 255}, float64(p.A)/255)
		}
	}
	return out
}
