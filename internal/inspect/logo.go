package inspect

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"math"
)

// Logo is a brand's logo as it is compared: a shape in 16 × 16 cells and its
// colours. signatures/icons.json holds one record for each shape of each logo.
type Logo struct {
	Brand   string   `json:"brand"`           // catalogue id
	Name    string   `json:"name"`            // of the brand, as claims show it
	Source  string   `json:"source"`          // package@version and the name of the drawing
	License string   `json:"license"`         // of the drawing
	Aspect  float64  `json:"aspect"`          // width by height
	Shape   string   `json:"shape"`           // cover of the cells in sixteenths, one hexadecimal digit each, row by row
	Colours []string `json:"colours"`         // of a mark of one colour: that colour; else the colours that Cells tells of
	Cells   string   `json:"cells,omitempty"` // of a mark of several colours: which of Colours each cell has, one hexadecimal digit each
}

// Logos is the set that icons are compared with. It is safe for concurrent use.
type Logos struct{ list []logo }

// logo is a Logo made ready.
type logo struct {
	Logo
	shape
}

// How alike an icon has to be. Measured on the logos drawn at 16 to 256 pixels,
// padded, blurred, shifted in colour and on several grounds, against tens of
// thousands of other icons; see signatures/icons/README.md.
const (
	sameShape  = 0.92 // correlation of the covers
	sameSmall  = 0.87 // the same, of a small picture
	sameTone   = 11   // distance of the colours
	sameAspect = 1.16 // ratio of the ratios
)

// ParseLogos reads what `go run ./signatures/icons/generate` wrote.
func ParseLogos(data []byte) (*Logos, error) {
	var list []Logo
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("read the logos: %w", err)
	}
	out := &Logos{}
	for i, l := range list {
		s, err := l.ready()
		if err != nil {
			return nil, fmt.Errorf("read logo %d of %s: %w", i, l.Brand, err)
		}
		out.list = append(out.list, logo{l, s})
	}
	return out, nil
}

func (l Logo) ready() (shape, error) {
	s := shape{aspect: float32(l.Aspect), single: l.Cells == ""}
	cover, err := digits(l.Shape)
	if err != nil {
		return s, err
	}
	var colours []pixel
	for _, text := range l.Colours {
		c, err := parseColour(text)
		if err != nil {
			return s, err
		}
		colours = append(colours, c)
	}
	if len(colours) == 0 || l.Brand == "" || l.Name == "" || l.Aspect <= 0 {
		return s, malformed("brand, name, aspect or colours are missing")
	}
	var which []byte
	if !s.single {
		if which, err = digits(l.Cells); err != nil {
			return s, err
		}
	}
	for i, c := range cover {
		s.cover[i] = float32(c) / 15
		s.cells[i] = colours[0]
		if which != nil {
			if int(which[i]) >= len(colours) {
				return s, malformed("a cell has a colour that is not there")
			}
			s.cells[i] = colours[which[i]]
		}
	}
	s.mark = colours[0]
	return s, nil
}

func digits(text string) ([]byte, error) {
	if len(text) != grid*grid {
		return nil, malformed("it has not one digit for each cell")
	}
	out := make([]byte, 0, grid*grid)
	packed, err := hex.DecodeString(text)
	for _, b := range packed {
		out = append(out, b>>4, b&15)
	}
	return out, err
}

func parseColour(text string) (pixel, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 3 {
		return pixel{}, malformed("a colour is not RRGGBB")
	}
	return oklab(float64(b[0])/255, float64(b[1])/255, float64(b[2])/255), nil
}

// Match returns the logo that img shows, or nil.
func (l *Logos) Match(img image.Image) *Logo {
	p := newPicture(img)
	if p == nil {
		return nil
	}
	var best *Logo
	bestLike := float32(0)
	least := float32(sameShape)
	if p.small {
		least = sameSmall
	}
	for _, s := range shapesOf(p) {
		for i := range l.list {
			if like := s.like(&l.list[i].shape); like >= least && like > bestLike {
				best, bestLike = &l.list[i].Logo, like
			}
		}
	}
	return best
}

// like is how alike the shape of an icon is to that of a logo, or 0 if its
// proportions or colours are others.
func (s *shape) like(logo *shape) float32 {
	ratio := s.aspect / logo.aspect
	if ratio > sameAspect || ratio < 1/sameAspect {
		return 0
	}
	if s.toneFrom(logo) > sameTone {
		return 0
	}
	return s.correlation(logo)
}

// toneFrom is how far the colours of an icon are from those of a logo. A mark of
// one colour may stand in that colour on white, grey, black or nothing, or in
// white on that colour.
func (s *shape) toneFrom(logo *shape) float32 {
	if logo.single {
		switch colourless := s.ground.alpha == 0 || s.ground.chroma() < neutral; {
		case !s.single:
			return math.MaxFloat32
		case colourless:
			return s.mark.distance(logo.mark)
		case s.mark.chroma() < neutral && s.mark.l > 80:
			return s.ground.distance(logo.mark)
		}
		return math.MaxFloat32
	}
	var sum weighted
	for i := range s.cells {
		sum.add(pixel{l: s.cells[i].distance(logo.cells[i])}, min(s.cover[i], logo.cover[i]))
	}
	return sum.mean().l
}

// correlation is Pearson's, of the two covers.
func (s *shape) correlation(o *shape) float32 {
	a, b := blur(&s.cover), blur(&o.cover)
	var sa, sb, saa, sbb, sab float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		sa, sb, saa, sbb, sab = sa+x, sb+y, saa+x*x, sbb+y*y, sab+x*y
	}
	n := float64(len(a))
	va, vb := saa-sa*sa/n, sbb-sb*sb/n
	if va < 1e-6 || vb < 1e-6 {
		return 0
	}
	return float32((sab - sa*sb/n) / math.Sqrt(va*vb))
}

// blur lets neighbours flow into one another a little, so that half a cell of
// shift costs little.
func blur(in *[grid * grid]float32) (out [grid * grid]float32) {
	for y := range grid {
		for x := range grid {
			var sum, n float32
			for _, d := range [5][3]int{{0, 0, 4}, {1, 0, 1}, {-1, 0, 1}, {0, 1, 1}, {0, -1, 1}} {
				if u, v := x+d[0], y+d[1]; u >= 0 && v >= 0 && u < grid && v < grid {
					sum, n = sum+float32(d[2])*in[v*grid+u], n+float32(d[2])
				}
			}
			out[y*grid+x] = sum / n
		}
	}
	return out
}
