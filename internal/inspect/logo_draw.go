package inspect

import (
	"fmt"
	"image"
	"math"
	"strings"
)

// LogosOf takes a drawing of a logo apart into the shapes that are worth
// comparing: those that are no plain tile and have a colour. It fills in what is
// seen; whose logo it is, the caller knows.
func LogosOf(img image.Image) []Logo {
	p := newPicture(img)
	if p == nil {
		return nil
	}
	var out []Logo
	for _, s := range shapesOf(p) {
		if l, ok := s.logo(); ok {
			out = append(out, l)
		}
	}
	return out
}

func (s *shape) logo() (Logo, bool) {
	l := Logo{Aspect: math.Round(float64(s.aspect)*1000) / 1000}
	for _, c := range s.cover {
		l.Shape += fmt.Sprintf("%x", int(c*15+0.5))
	}
	if s.single {
		key := s.mark
		if s.ground.alpha > 0 && s.ground.chroma() >= neutral {
			key = s.ground
		}
		l.Colours = []string{key.hex()}
		return l, key.chroma() >= neutral && !s.plain()
	}
	palette, which := s.palette()
	for _, c := range palette {
		l.Colours = append(l.Colours, c.hex())
	}
	l.Cells = which
	return l, true
}

// plain tells a shape that says nothing: a rectangle, with round corners or
// without, an ellipse, or what is between them.
func (s *shape) plain() bool {
	for _, power := range []float64{2, 3, 4, 6, 100} {
		var off float64
		for i, c := range s.cover {
			x, y := math.Abs(float64(i%grid)-7.5)/8, math.Abs(float64(i/grid)-7.5)/8
			inside := 0.0
			if math.Pow(x, power)+math.Pow(y, power) <= 1 {
				inside = 1
			}
			off += math.Abs(float64(c) - inside)
		}
		if off/(grid*grid) < 0.08 {
			return true
		}
	}
	return false
}

// palette gathers the colours of the cells into at most 16.
func (s *shape) palette() ([]pixel, string) {
	var sums []weighted
	var which strings.Builder
	nearest := func(c pixel) (int, float32) {
		best, far := 0, float32(math.MaxFloat32)
		for i := range sums {
			if d := c.distance(sums[i].mean()); d < far {
				best, far = i, d
			}
		}
		return best, far
	}
	for i, c := range s.cells {
		if s.cover[i] < 0.5 {
			continue
		}
		if at, far := nearest(c); far > 6 && len(sums) < 16 {
			sums = append(sums, weighted{c.l, c.a, c.b, 1})
		} else {
			sums[at].add(c, 1)
		}
	}
	var out []pixel
	for _, w := range sums {
		out = append(out, w.mean())
	}
	for _, c := range s.cells {
		at, _ := nearest(c)
		fmt.Fprintf(&which, "%x", at)
	}
	return out, which.String()
}

// hex is the colour as RRGGBB in sRGB.
func (p pixel) hex() string {
	lab := [3]float64{float64(p.l) / 100, float64(p.a) / 100, float64(p.b) / 100}
	l := math.Pow(lab[0]+0.3963377774*lab[1]+0.2158037573*lab[2], 3)
	m := math.Pow(lab[0]-0.1055613458*lab[1]-0.0638541728*lab[2], 3)
	s := math.Pow(lab[0]-0.0894841775*lab[1]-1.2914855480*lab[2], 3)
	r := 4.0767416621*l - 3.3077115913*m + 0.2309699292*s
	g := -1.2684380046*l + 2.6097574011*m - 0.3413193965*s
	b := -0.0041960863*l - 0.7034186147*m + 1.7076147010*s
	return fmt.Sprintf("%02x%02x%02x", curved(r), curved(g), curved(b))
}

// curved puts the transfer curve of sRGB back.
func curved(c float64) int {
	if c <= 0.0031308 {
		c *= 12.92
	} else {
		c = 1.055*math.Pow(c, 1/2.4) - 0.055
	}
	return int(min(max(c, 0), 1)*255 + 0.5)
}
