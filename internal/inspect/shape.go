package inspect

import "math"

// How a picture is taken apart. An icon is a mark on a ground: a coloured mark
// on nothing or on white, a white mark on a coloured tile, a tile on white. So
// it is peeled: what stands out from the ground at its corners is a shape, and
// what stands out within that shape is another. None of this depends on the
// size of the picture, on the space around the mark or on the ground's colour.
const (
	grid       = 16   // cells of a side of a shape
	maxPeels   = 3    // shapes of one picture
	minShape   = 6    // pixels of the shorter side of a shape that can be told
	minArea    = 0.02 // share of the pixels of a picture that a shape takes at least
	singleTone = 11   // mean distance from the mean colour up to which a mark is of one colour
	neutral    = 4.5  // chroma up to which a colour is white, grey or black
	ringTone   = 22   // distance from the middle colour of the rim that still belongs to the ground
)

// shape is a mark: where it is, cell by cell, in the box that just holds it.
type shape struct {
	aspect float32 // width of the box by its height
	cover  [grid * grid]float32
	cells  [grid * grid]pixel // mean colour of the mark in each cell
	mark   pixel              // mean colour of the mark
	single bool               // the mark is of one colour
	ground pixel              // what the mark stands on; alpha 0 is nothing
}

// layer is the part of a picture that is looked at: for each pixel how much of
// it is mark.
type layer struct {
	*picture
	cover  []float32
	ground pixel
}

// shapesOf peels a picture.
func shapesOf(p *picture) []shape {
	var out []shape
	l := outerLayer(p)
	for range maxPeels {
		box, ok := l.box()
		if !ok {
			break
		}
		out = append(out, l.shape(box))
		inner, ok := l.inner(box)
		if !ok {
			break
		}
		l = inner
	}
	return out
}

// outerLayer is what stands out from the corners of the picture.
func outerLayer(p *picture) layer {
	l := layer{picture: p, cover: make([]float32, len(p.pix)), ground: cornerGround(p)}
	if l.ground.alpha == 0 {
		for i, px := range p.pix {
			l.cover[i] = ramp(px.alpha)
		}
		return l
	}
	l.standOut(func(int) bool { return true })
	return l
}

// cornerGround is the colour that most corners share, with alpha 0 if they are
// transparent.
func cornerGround(p *picture) pixel {
	corners := []pixel{p.at(0, 0), p.at(p.w-1, 0), p.at(0, p.h-1), p.at(p.w-1, p.h-1)}
	clear := 0
	best, bestVotes := corners[0], 0
	for _, c := range corners {
		if c.alpha < 0.5 {
			clear++
			continue
		}
		votes := 0
		for _, d := range corners {
			if d.alpha >= 0.5 && c.distance(d) < 12 {
				votes++
			}
		}
		if votes > bestVotes {
			best, bestVotes = c, votes
		}
	}
	if clear >= 2 {
		return pixel{}
	}
	best.alpha = 1
	return best
}

// standOut sets the cover of the pixels that are within to how far their colour
// is from the ground, measured by that of the mark itself.
func (l *layer) standOut(within func(int) bool) {
	var far float32
	for i, px := range l.pix {
		if within(i) && px.alpha > 0.5 {
			far = max(far, px.distance(l.ground))
		}
	}
	sum, n := float32(0), float32(0)
	for i, px := range l.pix {
		if d := px.distance(l.ground); within(i) && px.alpha > 0.5 && d > far/2 {
			sum, n = sum+d, n+1
		}
	}
	if n == 0 || sum/n < 10 {
		return // nothing can be seen
	}
	for i, px := range l.pix {
		if within(i) {
			l.cover[i] = ramp(px.distance(l.ground) / (sum / n) * px.alpha)
		}
	}
}

// ramp sharpens an edge: shadows and noise are nothing, most of a mark is all.
func ramp(v float32) float32 { return min(max((v-0.3)/0.4, 0), 1) }

// box is a rectangle of pixels, the far sides not included.
type box struct{ x0, y0, x1, y1 int }

// box is the smallest that holds the mark, but for specks.
func (l *layer) box() (box, bool) {
	columns, rows := make([]float32, l.w), make([]float32, l.h)
	var all float32
	for y := range l.h {
		for x := range l.w {
			c := l.cover[y*l.w+x]
			columns[x], rows[y], all = columns[x]+c, rows[y]+c, all+c
		}
	}
	var b box
	b.x0, b.x1 = extent(columns)
	b.y0, b.y1 = extent(rows)
	return b, min(b.x1-b.x0, b.y1-b.y0) >= minShape && all >= minArea*float32(len(l.cover))
}

// extent is from where to where the sums are more than specks.
func extent(sums []float32) (from, to int) {
	speck := max(0.5, float32(len(sums))/100)
	for to = len(sums); to > 0 && sums[to-1] < speck; to-- {
	}
	for from < to && sums[from] < speck {
		from++
	}
	return from, to
}

// shape reads the mark in the box into the cells of a grid.
func (l *layer) shape(b box) shape {
	s := shape{aspect: float32(b.x1-b.x0) / float32(b.y1-b.y0), ground: l.ground}
	var total weighted
	for cy := range grid {
		for cx := range grid {
			c := l.cell(b, cx, cy)
			s.cover[cy*grid+cx], s.cells[cy*grid+cx] = c.weight, c.mean()
			total.add(c.mean(), c.weight)
		}
	}
	s.mark = total.mean()
	var spread weighted
	for i, c := range s.cells {
		spread.add(pixel{l: c.distance(s.mark)}, s.cover[i])
	}
	s.single = spread.mean().l < singleTone
	return s
}

// cell averages the part of the picture that a cell of the grid covers; its
// weight is the share of it that is mark.
func (l *layer) cell(b box, cx, cy int) weighted {
	x0, x1 := cut(b.x0, b.x1, cx)
	y0, y1 := cut(b.y0, b.y1, cy)
	var c weighted
	var area float32
	for y := int(y0); y < b.y1 && float64(y) < y1; y++ {
		for x := int(x0); x < b.x1 && float64(x) < x1; x++ {
			part := float32((min(x1, float64(x+1)) - max(x0, float64(x))) * (min(y1, float64(y+1)) - max(y0, float64(y))))
			c.add(l.at(x, y), part*l.cover[y*l.w+x])
			area += part
		}
	}
	if area > 0 {
		c.share(1 / area)
	}
	return c
}

// cut is where the i-th of grid equal parts of a side begins and ends.
func cut(from, to, i int) (float64, float64) {
	step := float64(to-from) / grid
	return float64(from) + step*float64(i), float64(from) + step*float64(i+1)
}

// weighted is a sum of colours with weights.
type weighted struct{ l, a, b, weight float32 }

func (w *weighted) add(p pixel, by float32) {
	w.l, w.a, w.b, w.weight = w.l+by*p.l, w.a+by*p.a, w.b+by*p.b, w.weight+by
}

func (w *weighted) share(by float32) {
	w.l, w.a, w.b, w.weight = w.l*by, w.a*by, w.b*by, w.weight*by
}

func (w *weighted) mean() pixel {
	if w.weight == 0 {
		return pixel{}
	}
	return pixel{w.l / w.weight, w.a / w.weight, w.b / w.weight, 1}
}

// inner is what stands out within the mark, holes included, if the mark has one
// colour all along its rim.
func (l *layer) inner(b box) (layer, bool) {
	depth := l.depths()
	r := 1 + int32(min(b.x1-b.x0, b.y1-b.y0)/20)
	var rim weighted
	for i, d := range depth {
		if d > 1 && d <= 1+r {
			rim.add(l.pix[i], l.cover[i])
		}
	}
	in := layer{picture: l.onWhite(), cover: make([]float32, len(l.cover)), ground: rim.mean()}
	var same weighted
	for i, d := range depth {
		if d > 1 && d <= 1+r {
			isSame := float32(0)
			if l.cover[i] > 0.5 && l.pix[i].distance(in.ground) < ringTone {
				isSame = 1
			}
			same.add(pixel{l: isSame}, 1)
		}
	}
	if rim.weight == 0 || same.mean().l < 0.8 {
		return in, false
	}
	within := func(i int) bool { return depth[i] > 1 }
	in.standOut(within)
	for i := range in.cover {
		if within(i) {
			in.cover[i] = max(in.cover[i], 1-l.cover[i])
		}
	}
	return in, true
}

// onWhite is the picture with white where it is transparent: a mark that is cut
// out of a tile shows what is behind it, which mostly is light.
func (p *picture) onWhite() *picture {
	out := &picture{w: p.w, h: p.h, pix: make([]pixel, len(p.pix))}
	for i, px := range p.pix {
		if out.pix[i] = px; px.alpha < 0.5 {
			out.pix[i] = pixel{l: 100, alpha: 1}
		}
	}
	return out
}

// depths tells for each pixel how many steps it is inside the outline of the
// mark: 0 is outside. Holes that the mark encloses are inside.
func (l *layer) depths() []int32 {
	const unseen = math.MaxInt32
	depth := make([]int32, len(l.cover))
	var front []int
	for i := range depth {
		depth[i] = unseen
		x, y := i%l.w, i/l.w
		if (x == 0 || y == 0 || x == l.w-1 || y == l.h-1) && l.cover[i] <= 0.5 {
			depth[i] = 0
			front = append(front, i)
		}
	}
	front = l.spread(depth, front, func(i int) bool { return l.cover[i] <= 0.5 }, func(int32) int32 { return 0 })
	for i := range depth { // the mark may touch the edge of the picture
		x, y := i%l.w, i/l.w
		if (x == 0 || y == 0 || x == l.w-1 || y == l.h-1) && depth[i] == unseen {
			depth[i] = 1
			front = append(front, i)
		}
	}
	l.spread(depth, front, func(int) bool { return true }, func(d int32) int32 { return d + 1 })
	return depth
}

// spread gives every pixel that may be reached from the front its depth, and
// returns all that were reached.
func (l *layer) spread(depth []int32, front []int, may func(int) bool, next func(int32) int32) []int {
	for k := 0; k < len(front); k++ {
		i := front[k]
		x, y := i%l.w, i/l.w
		for _, n := range [4][2]int{{x - 1, y}, {x + 1, y}, {x, y - 1}, {x, y + 1}} {
			if n[0] < 0 || n[1] < 0 || n[0] >= l.w || n[1] >= l.h {
				continue
			}
			at := n[1]*l.w + n[0]
			if d := next(depth[i]); may(at) && depth[at] > d {
				depth[at] = d
				front = append(front, at)
			}
		}
	}
	return front
}
