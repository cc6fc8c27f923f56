package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"strconv"
	"strings"
)

// drawing is the filled shapes of an SVG file, in order. What logos are made of
// is understood: path, circle, rect and polygon, groups, use, transforms and
// gradients, which are drawn in their mean colour. Strokes, masks and filters
// are not: a drawing that needs them is left out.
type drawing struct {
	box    [4]float64 // x, y, width, height
	shapes []filled
}

type filled struct {
	outline outline
	colour  color.NRGBA
	evenOdd bool
}

// matrix is an affine transform: x' = a·x + c·y + e, y' = b·x + d·y + f.
type matrix [6]float64

func (m matrix) apply(p point) point {
	return point{m[0]*p.x + m[2]*p.y + m[4], m[1]*p.x + m[3]*p.y + m[5]}
}

func (m matrix) times(n matrix) matrix {
	return matrix{m[0]*n[0] + m[2]*n[1], m[1]*n[0] + m[3]*n[1], m[0]*n[2] + m[2]*n[3], m[1]*n[2] + m[3]*n[3],
		m[0]*n[4] + m[2]*n[5] + m[4], m[1]*n[4] + m[3]*n[5] + m[5]}
}

// node is an element of the file.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []node     `xml:",any"`
}

func (n *node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// style is what children inherit.
type style struct {
	fill    string
	rule    string
	opacity float64
	move    matrix
}

// reader draws nodes; byID are those that others refer to.
type reader struct {
	out  drawing
	byID map[string]*node
}

// parseSVG reads a drawing. A shape without a colour of its own gets ink.
func parseSVG(r io.Reader, ink string) (*drawing, error) {
	var root node
	if err := xml.NewDecoder(r).Decode(&root); err != nil {
		return nil, fmt.Errorf("read the drawing: %w", err)
	}
	rd := reader{byID: map[string]*node{}}
	rd.index(&root)
	fields := strings.Fields(strings.ReplaceAll(root.attr("viewBox"), ",", " "))
	if len(fields) != 4 {
		return nil, errors.New("read the drawing: it has no viewBox")
	}
	for i, f := range fields {
		rd.out.box[i], _ = strconv.ParseFloat(f, 64)
	}
	if rd.out.box[2] <= 0 || rd.out.box[3] <= 0 {
		return nil, errors.New("read the drawing: its viewBox is empty")
	}
	err := rd.children(&root, style{fill: ink, opacity: 1, move: matrix{1, 0, 0, 1, 0, 0}})
	return &rd.out, err
}

func (rd *reader) index(n *node) {
	if id := n.attr("id"); id != "" {
		rd.byID[id] = n
	}
	for i := range n.Children {
		rd.index(&n.Children[i])
	}
}

func (rd *reader) children(n *node, s style) error {
	for i := range n.Children {
		if err := rd.draw(&n.Children[i], s); err != nil {
			return err
		}
	}
	return nil
}

func (rd *reader) draw(n *node, s style) error {
	s, err := s.of(n)
	if err != nil {
		return err
	}
	switch n.XMLName.Local {
	case "g", "svg":
		return rd.children(n, s)
	case "use":
		if to := rd.byID[strings.TrimPrefix(n.attr("href"), "#")]; to != nil {
			return rd.draw(to, s)
		}
	case "path":
		o, err := parsePath(n.attr("d"))
		if err != nil {
			return err
		}
		rd.fill(o, s)
	case "circle", "ellipse", "rect":
		rd.fill(basic(n), s)
	case "polygon":
		o, err := parsePath("M" + n.attr("points"))
		if err != nil {
			return err
		}
		rd.fill(o, s)
	}
	return nil
}

// of is the style of a node within that of its parent.
func (s style) of(n *node) (style, error) {
	if n.attr("filter") != "" || n.attr("mask") != "" {
		return s, errors.New("draw: it needs filters or masks")
	}
	if f := n.attr("fill"); f != "" && f != "currentColor" {
		s.fill = f
	}
	if r := n.attr("fill-rule"); r != "" {
		s.rule = r
	}
	for _, name := range []string{"opacity", "fill-opacity"} {
		if o, err := strconv.ParseFloat(n.attr(name), 64); err == nil {
			s.opacity *= o
		}
	}
	m, err := parseTransform(n.attr("transform"))
	s.move = s.move.times(m)
	return s, err
}

func parseTransform(text string) (matrix, error) {
	out := matrix{1, 0, 0, 1, 0, 0}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimLeft(text, ", \n") {
		name, rest, ok := strings.Cut(text, "(")
		inside, after, closed := strings.Cut(rest, ")")
		if !ok || !closed {
			return out, fmt.Errorf("draw: transform %q", text)
		}
		var v []float64
		for _, f := range strings.FieldsFunc(inside, func(r rune) bool { return r == ' ' || r == ',' }) {
			x, _ := strconv.ParseFloat(f, 64)
			v = append(v, x)
		}
		switch name = strings.TrimSpace(name); {
		case name == "translate" && len(v) == 2:
			out = out.times(matrix{1, 0, 0, 1, v[0], v[1]})
		case name == "translate" && len(v) == 1:
			out = out.times(matrix{1, 0, 0, 1, v[0], 0})
		case name == "scale" && len(v) == 1:
			out = out.times(matrix{v[0], 0, 0, v[0], 0, 0})
		case name == "scale" && len(v) == 2:
			out = out.times(matrix{v[0], 0, 0, v[1], 0, 0})
		case name == "matrix" && len(v) == 6:
			out = out.times(matrix(v))
		case name == "rotate" && len(v) >= 1:
			sin, cos := math.Sincos(v[0] * math.Pi / 180)
			turn := matrix{cos, sin, -sin, cos, 0, 0}
			if len(v) == 3 {
				turn = matrix{1, 0, 0, 1, v[1], v[2]}.times(turn).times(matrix{1, 0, 0, 1, -v[1], -v[2]})
			}
			out = out.times(turn)
		default:
			return out, fmt.Errorf("draw: transform %q", name)
		}
		text = after
	}
	return out, nil
}

// basic is the outline of a circle, an ellipse or a rectangle.
func basic(n *node) outline {
	number := func(name string) float64 { v, _ := strconv.ParseFloat(n.attr(name), 64); return v }
	if n.XMLName.Local == "rect" {
		x, y, w, h, r := number("x"), number("y"), number("width"), number("height"), number("rx")
		d := fmt.Sprintf("M%g %gH%gA%g %g 0 0 1 %g %gV%gA%g %g 0 0 1 %g %gH%gA%g %g 0 0 1 %g %gV%gA%g %g 0 0 1 %g %gZ",
			x+r, y, x+w-r, r, r, x+w, y+r, y+h-r, r, r, x+w-r, y+h, x+r, r, r, x, y+h-r, y+r, r, r, x+r, y)
		o, _ := parsePath(d)
		return o
	}
	rx, ry := number("r"), number("r")
	if n.XMLName.Local == "ellipse" {
		rx, ry = number("rx"), number("ry")
	}
	var ring []point
	for i := range 64 {
		sin, cos := math.Sincos(float64(i) * math.Pi / 32)
		ring = append(ring, point{number("cx") + rx*cos, number("cy") + ry*sin})
	}
	return outline{ring}
}

func (rd *reader) fill(o outline, s style) {
	c, ok := rd.colour(s.fill)
	if !ok {
		return
	}
	c.A = uint8(float64(c.A)*s.opacity + 0.5)
	for _, ring := range o {
		for i := range ring {
			ring[i] = s.move.apply(ring[i])
		}
	}
	rd.out.shapes = append(rd.out.shapes, filled{o, c, s.rule == "evenodd"})
}

// colour reads #rgb, #rrggbb, a few names, and a gradient as its mean.
func (rd *reader) colour(text string) (color.NRGBA, bool) {
	switch text = strings.ToLower(strings.TrimSpace(text)); text {
	case "none", "transparent":
		return color.NRGBA{}, false
	case "white":
		text = "#fff"
	case "black", "currentcolor":
		text = "#000"
	}
	if id, ok := strings.CutPrefix(text, "url(#"); ok {
		return rd.gradient(strings.TrimSuffix(id, ")"))
	}
	if len(text) == 4 {
		text = string([]byte{'#', text[1], text[1], text[2], text[2], text[3], text[3]})
	}
	v, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 32)
	if err != nil || len(text) != 7 {
		return color.NRGBA{A: 255}, true
	}
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}, true
}

func (rd *reader) gradient(id string) (color.NRGBA, bool) {
	for name, n := range rd.byID {
		if !strings.EqualFold(name, id) {
			continue
		}
		var r, g, b, count int
		for i := range n.Children {
			if c, ok := rd.colour(n.Children[i].attr("stop-color")); ok {
				r, g, b, count = r+int(c.R), g+int(c.G), b+int(c.B), count+1
			}
		}
		if count > 0 {
			return color.NRGBA{uint8(r / count), uint8(g / count), uint8(b / count), 255}, true
		}
	}
	return color.NRGBA{}, false
}

// render draws into a square of side pixels with pad pixels left free, centred.
func (d *drawing) render(side int, pad float64) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	scale := (float64(side) - 2*pad) / max(d.box[2], d.box[3])
	dx, dy := (float64(side)-scale*d.box[2])/2, (float64(side)-scale*d.box[3])/2
	move := matrix{scale, 0, 0, scale, dx - scale*d.box[0], dy - scale*d.box[1]}
	for _, f := range d.shapes {
		paint(img, f, move)
	}
	return img
}

const samples = 4 // lines and columns of samples of each pixel

// paint fills one shape by scan lines, with samples × samples points a pixel.
func paint(img *image.NRGBA, f filled, move matrix) {
	side := img.Rect.Dx()
	edges := edgesOf(f.outline, move)
	for y := range img.Rect.Dy() {
		cover := make([]int, side)
		for s := range samples {
			crossings(edges, float64(y)+(float64(s)+0.5)/samples, f.evenOdd, func(from, to float64) {
				for i := max(0, int(math.Ceil(from*samples-0.5))); i < side*samples && float64(i)+0.5 < to*samples; i++ {
					cover[i/samples]++
				}
			})
		}
		for x, c := range cover {
			if c > 0 {
				blend(img, x, y, f.colour, float64(c)/(samples*samples))
			}
		}
	}
}

// blend lays a colour over a pixel.
func blend(img *image.NRGBA, x, y int, c color.NRGBA, cover float64) {
	under := img.NRGBAAt(x, y)
	a := float64(c.A) / 255 * cover
	b := float64(under.A) / 255 * (1 - a)
	mix := func(over, under uint8) uint8 { return uint8((a*float64(over)+b*float64(under))/(a+b) + 0.5) }
	if a+b > 0 {
		img.SetNRGBA(x, y, color.NRGBA{mix(c.R, under.R), mix(c.G, under.G), mix(c.B, under.B), uint8((a+b)*255 + 0.5)})
	}
}
