package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

type point struct{ x, y float64 }

// outline is closed polygons; a path or a basic shape made straight.
type outline [][]point

// pen draws the commands of SVG path data (SVG 1.1, 8.3) as straight lines.
type pen struct {
	out       outline
	at, start point
	control   point // of the last curve, for the smooth forms
	curve     byte  // the last command in upper case
	steps     int   // lines of a curve
	tokens    []string
	position  int
}

// parsePath turns path data into polygons.
func parsePath(d string) (outline, error) {
	p := pen{steps: 16, tokens: tokens(d)}
	var command byte
	for p.position < len(p.tokens) {
		if t := p.tokens[p.position]; len(t) == 1 && strings.Contains("MmLlHhVvCcSsQqTtAaZz", t) {
			command = t[0]
			p.position++
		} else if command == 'M' {
			command = 'L'
		} else if command == 'm' {
			command = 'l'
		}
		if err := p.do(command); err != nil {
			return nil, err
		}
	}
	return p.out, nil
}

// arguments is how many numbers a command takes.
var arguments = map[byte]int{'M': 2, 'L': 2, 'H': 1, 'V': 1, 'C': 6, 'S': 4, 'Q': 4, 'T': 2, 'A': 7, 'Z': 0}

func (p *pen) do(command byte) error {
	upper := command &^ 0x20
	n, known := arguments[upper]
	if !known || p.position+n > len(p.tokens) {
		return fmt.Errorf("read path data: command %q at %d", command, p.position)
	}
	v := make([]float64, n)
	for i := range v {
		var err error
		if v[i], err = strconv.ParseFloat(p.tokens[p.position+i], 64); err != nil {
			return fmt.Errorf("read path data: %w", err)
		}
	}
	p.position += n
	if command != upper {
		p.absolute(upper, v)
	}
	p.draw(upper, v)
	p.curve = upper
	return nil
}

// absolute adds the current point to relative coordinates.
func (p *pen) absolute(upper byte, v []float64) {
	switch upper {
	case 'H':
		v[0] += p.at.x
	case 'V':
		v[0] += p.at.y
	case 'A':
		v[5], v[6] = v[5]+p.at.x, v[6]+p.at.y
	default:
		for i := range v {
			v[i] += [2]float64{p.at.x, p.at.y}[i%2]
		}
	}
}

func (p *pen) draw(upper byte, v []float64) {
	mirrored := point{2*p.at.x - p.control.x, 2*p.at.y - p.control.y}
	switch upper {
	case 'M':
		p.at = point{v[0], v[1]}
		p.start = p.at
		p.out = append(p.out, []point{p.at})
	case 'Z':
		p.at = p.start
		p.out = append(p.out, []point{p.at})
	case 'L':
		p.line(point{v[0], v[1]})
	case 'H':
		p.line(point{v[0], p.at.y})
	case 'V':
		p.line(point{p.at.x, v[0]})
	case 'C':
		p.cubic(point{v[0], v[1]}, point{v[2], v[3]}, point{v[4], v[5]})
	case 'S':
		if p.curve != 'C' && p.curve != 'S' {
			mirrored = p.at
		}
		p.cubic(mirrored, point{v[0], v[1]}, point{v[2], v[3]})
	case 'Q':
		p.quadratic(point{v[0], v[1]}, point{v[2], v[3]})
	case 'T':
		if p.curve != 'Q' && p.curve != 'T' {
			mirrored = p.at
		}
		p.quadratic(mirrored, point{v[0], v[1]})
	case 'A':
		p.arc(v[0], v[1], v[2]*math.Pi/180, v[3] != 0, v[4] != 0, point{v[5], v[6]})
	}
}

func (p *pen) line(to point) {
	if len(p.out) == 0 {
		p.out = append(p.out, []point{p.at})
	}
	last := len(p.out) - 1
	p.out[last] = append(p.out[last], to)
	p.at = to
}

func (p *pen) cubic(a, b, to point) {
	from := p.at
	for i := 1; i <= p.steps; i++ {
		t := float64(i) / float64(p.steps)
		u := 1 - t
		p.line(point{
			u*u*u*from.x + 3*u*u*t*a.x + 3*u*t*t*b.x + t*t*t*to.x,
			u*u*u*from.y + 3*u*u*t*a.y + 3*u*t*t*b.y + t*t*t*to.y,
		})
	}
	p.control = b
}

func (p *pen) quadratic(a, to point) {
	from := p.at
	p.cubic(point{from.x + (a.x-from.x)*2/3, from.y + (a.y-from.y)*2/3}, point{to.x + (a.x-to.x)*2/3, to.y + (a.y-to.y)*2/3}, to)
	p.control = a
}

// arc draws an elliptical arc (SVG 1.1, F.6.5: from end points to the centre).
func (p *pen) arc(rx, ry, turn float64, large, sweep bool, to point) {
	rx, ry = math.Abs(rx), math.Abs(ry)
	if rx == 0 || ry == 0 || p.at == to {
		p.line(to)
		return
	}
	sin, cos := math.Sincos(turn)
	dx, dy := (p.at.x-to.x)/2, (p.at.y-to.y)/2
	x, y := cos*dx+sin*dy, cos*dy-sin*dx
	if big := x*x/(rx*rx) + y*y/(ry*ry); big > 1 {
		rx, ry = rx*math.Sqrt(big), ry*math.Sqrt(big)
	}
	k := math.Sqrt(max(0, (rx*rx*ry*ry-rx*rx*y*y-ry*ry*x*x)/(rx*rx*y*y+ry*ry*x*x)))
	if large == sweep {
		k = -k
	}
	cx, cy := k*rx*y/ry, -k*ry*x/rx
	first := math.Atan2((y-cy)/ry, (x-cx)/rx)
	angle := math.Atan2((-y-cy)/ry, (-x-cx)/rx) - first
	if sweep && angle < 0 {
		angle += 2 * math.Pi
	}
	if !sweep && angle > 0 {
		angle -= 2 * math.Pi
	}
	mx, my := cos*cx-sin*cy+(p.at.x+to.x)/2, sin*cx+cos*cy+(p.at.y+to.y)/2
	for i := 1; i <= 2*p.steps; i++ {
		s, c := math.Sincos(first + angle*float64(i)/float64(2*p.steps))
		p.line(point{mx + cos*rx*c - sin*ry*s, my + sin*rx*c + cos*ry*s})
	}
}

// tokens splits path data into commands and numbers. Two numbers may stand
// together where the second begins with a sign or a second point, and the flags
// of an arc are one digit each.
func tokens(d string) []string {
	var out []string
	flags := 0 // numbers of the arc that were read, or -1
	for i := 0; i < len(d); {
		c := d[i]
		switch {
		case strings.IndexByte(" \t\r\n,", c) >= 0:
			i++
			continue
		case c|0x20 >= 'a' && c|0x20 <= 'z' && c|0x20 != 'e':
			out = append(out, d[i:i+1])
			flags = -1
			if c|0x20 == 'a' {
				flags = 0
			}
			i++
			continue
		}
		end := i + 1
		if flags < 0 || flags%7 != 3 && flags%7 != 4 {
			end = numberEnd(d, i)
		}
		out = append(out, d[i:end])
		if flags >= 0 {
			flags++
		}
		i = end
	}
	return out
}

func numberEnd(d string, i int) int {
	point, start := false, i
	for ; i < len(d); i++ {
		switch c := d[i]; {
		case c >= '0' && c <= '9':
		case c == '.' && !point:
			point = true
		case (c == '-' || c == '+') && (i == start || d[i-1]|0x20 == 'e'):
		case c|0x20 == 'e' && i > start:
			point = true // no second point behind the exponent
		default:
			return max(i, start+1)
		}
	}
	return i
}
