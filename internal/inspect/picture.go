package inspect

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"math"
)

// The limits of pictures. Windows' largest icon is 256 pixels wide, Apple's
// 1024; features are read at no more than workSide, where a logo is still sharp.
const (
	maxSide   = 1024 // pixels of a side of a picture that is decoded
	workSide  = 128  // pixels of a side of a picture that is looked at
	smallSide = 60   // pixels of the longer side below which a picture is drawn larger, and matched less strictly
)

// pixel is a colour in OKLab (Ottosson 2020, scaled by 100 so that a distance of
// about 2 is just seen) with its opacity from 0 to 1.
type pixel struct{ l, a, b, alpha float32 }

// picture is a small image.
type picture struct {
	w, h  int
	pix   []pixel
	small bool // it was drawn larger than it was
}

func (p *picture) at(x, y int) pixel { return p.pix[y*p.w+x] }

// distance is how different two colours look, whatever their opacity.
func (p pixel) distance(q pixel) float32 {
	l, a, b := p.l-q.l, p.a-q.a, p.b-q.b
	return float32(math.Sqrt(float64(l*l + a*a + b*b)))
}

// chroma is how far a colour is from grey.
func (p pixel) chroma() float32 { return float32(math.Hypot(float64(p.a), float64(p.b))) }

// oklab converts one sRGB colour with components from 0 to 1.
func oklab(r, g, b float64) pixel {
	r, g, b = linear(r), linear(g), linear(b)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return pixel{
		l: float32(100 * (0.2104542553*l + 0.7936177850*m - 0.0040720468*s)),
		a: float32(100 * (1.9779984951*l - 2.4285922050*m + 0.4505937099*s)),
		b: float32(100 * (0.0259040371*l + 0.7827717662*m - 0.8086757660*s)),
	}
}

// linear takes the transfer curve of sRGB away (IEC 61966-2-1).
func linear(c float64) float64 {
	if c <= 0.04045 {
		return c / 12.92
	}
	return math.Pow((c+0.055)/1.055, 2.4)
}

// newPicture shrinks an image to at most workSide pixels by averaging areas.
func newPicture(from image.Image) *picture {
	img, ok := from.(image.RGBA64Image) // as every decoder's image is; the plain interface allocates for each pixel
	if !ok {
		return nil
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if w < 1 || h < 1 || w > maxSide || h > maxSide {
		return nil
	}
	scale := max(1, (max(w, h)+workSide-1)/workSide)
	p := &picture{w: (w + scale - 1) / scale, h: (h + scale - 1) / scale}
	p.pix = make([]pixel, p.w*p.h)
	for y := range p.h {
		for x := range p.w {
			area := image.Rect(x*scale, y*scale, (x+1)*scale, (y+1)*scale).Add(b.Min).Intersect(b)
			p.pix[y*p.w+x] = mean(img, area)
		}
	}
	if max(w, h) < smallSide {
		return p.larger((workSide/2 + max(w, h) - 1) / max(w, h))
	}
	return p
}

// larger draws a picture times as large, with what lies between two pixels in
// between them: the edge of a mark then lies where it did, within a pixel.
func (p *picture) larger(times int) *picture {
	out := &picture{w: p.w * times, h: p.h * times, small: true}
	for y := range out.h {
		for x := range out.w {
			out.pix = append(out.pix, p.between((float32(x)+0.5)/float32(times)-0.5, (float32(y)+0.5)/float32(times)-0.5))
		}
	}
	return out
}

// between is the colour at a place between pixels.
func (p *picture) between(x, y float32) pixel {
	x, y = min(max(x, 0), float32(p.w-1)), min(max(y, 0), float32(p.h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, p.w-1), min(y0+1, p.h-1)
	fx, fy := x-float32(x0), y-float32(y0)
	var sum weighted
	var alpha float32
	for _, c := range [4]struct {
		px pixel
		by float32
	}{{p.at(x0, y0), (1 - fx) * (1 - fy)}, {p.at(x1, y0), fx * (1 - fy)}, {p.at(x0, y1), (1 - fx) * fy}, {p.at(x1, y1), fx * fy}} {
		sum.add(c.px, c.by*c.px.alpha)
		alpha += c.by * c.px.alpha
	}
	out := sum.mean()
	out.alpha = alpha
	return out
}

// mean is the average colour of an area, weighted by opacity.
func mean(img image.RGBA64Image, area image.Rectangle) pixel {
	var r, g, b, a float64
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			c := img.RGBA64At(x, y) // premultiplied
			r, g, b, a = r+float64(c.R), g+float64(c.G), b+float64(c.B), a+float64(c.A)
		}
	}
	if a == 0 {
		return pixel{}
	}
	p := oklab(min(r/a, 1), min(g/a, 1), min(b/a, 1))
	p.alpha = float32(a / (0xffff * float64(area.Dx()*area.Dy())))
	return p
}

// decodePicture reads a PNG file or a device-independent bitmap as it stands in
// an icon.
func decodePicture(data []byte) (image.Image, error) {
	if !starts(data, "\x89PNG\r\n\x1a\n") {
		return decodeDIB(data)
	}
	head, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil || head.Width > maxSide || head.Height > maxSide {
		return nil, malformed("picture is malformed or too large")
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, malformed("picture is malformed")
	}
	return img, nil
}

// decodeDIB reads the bitmap of an icon: a BITMAPINFOHEADER with twice the
// height, rows from the bottom up, and behind them one bit a pixel that makes it
// transparent (Win32, "Icons"). 4, 8, 24 and 32 bits a pixel, not compressed.
func decodeDIB(data []byte) (image.Image, error) {
	v := little(data)
	size, w, h, depth := uint64(v.u32(0)), int(int32(v.u32(4))), int(int32(v.u32(8)))/2, int(v.u16(14))
	if v.short || size < 40 || v.u32(16) != 0 || w < 1 || h < 1 || w > maxSide || h > maxSide {
		return nil, malformed("bitmap is malformed, too large or compressed")
	}
	var palette []byte
	if depth <= 8 {
		colours := uint64(v.u32(32))
		if colours == 0 || colours > 256 {
			colours = 1 << depth
		}
		palette = v.cut(size, 4*colours)
		size += 4 * colours
	}
	row, maskRow := (w*depth+31)/32*4, (w+31)/32*4
	bits := v.cut(size, uint64(row*h))
	if v.short {
		return nil, malformed("bitmap lies outside the file")
	}
	mask := v.cut(size+uint64(row*h), uint64(maskRow*h)) // some makers leave it out
	d := dib{w: w, h: h, depth: depth, row: row, maskRow: maskRow, bits: bits, mask: mask, palette: palette}
	return d.image()
}

// dib is a bitmap with its parts found.
type dib struct {
	w, h, depth, row, maskRow int
	bits, mask, palette       []byte
}

func (d *dib) image() (image.Image, error) {
	switch d.depth {
	case 1, 4, 8, 24, 32:
	default:
		return nil, malformed("bitmap has an unusual depth")
	}
	img := image.NewNRGBA(image.Rect(0, 0, d.w, d.h))
	opaque := d.depth != 32 || !d.hasAlpha()
	for y := range d.h {
		for x := range d.w {
			out := img.Pix[img.PixOffset(x, d.h-1-y):]
			b, g, r, a := d.pixel(x, y)
			out[0], out[1], out[2], out[3] = r, g, b, a
			if opaque {
				out[3] = 255
				if d.mask != nil && d.mask[y*d.maskRow+x/8]>>(7-x%8)&1 == 1 {
					out[3] = 0
				}
			}
		}
	}
	return img, nil
}

// pixel is the colour at x in row y, counted from the bottom.
func (d *dib) pixel(x, y int) (b, g, r, a byte) {
	row := d.bits[y*d.row:]
	switch d.depth {
	case 32:
		return row[4*x], row[4*x+1], row[4*x+2], row[4*x+3]
	case 24:
		return row[3*x], row[3*x+1], row[3*x+2], 255
	}
	perByte := 8 / d.depth
	index := int(row[x/perByte]>>(8-d.depth-x%perByte*d.depth)) & (1<<d.depth - 1)
	if 4*index+3 > len(d.palette) {
		return 0, 0, 0, 255
	}
	return d.palette[4*index], d.palette[4*index+1], d.palette[4*index+2], 255
}

// hasAlpha tells a bitmap with an alpha channel from one that leaves it zero.
func (d *dib) hasAlpha() bool {
	for i := 3; i < len(d.bits); i += 4 {
		if d.bits[i] != 0 {
			return true
		}
	}
	return false
}

// icoPictures lists the pictures in an .ico file, the largest first.
func icoPictures(data []byte) [][]byte {
	v := little(data)
	var list []iconEntry
	for i := range uint64(min(v.u16(4), maxIcons)) {
		e := readIconEntry(v, 6+16*i)
		e.data = v.cut(uint64(v.u32(6+16*i+12)), uint64(v.u32(6+16*i+8)))
		list = append(list, e)
	}
	return largestFirst(list)
}

// icnsPictures lists the PNG files in an .icns file, the largest first. Other
// encodings are left out: each that macOS of the last ten years shows large is
// PNG or JPEG 2000.
func icnsPictures(data []byte) [][]byte {
	v := big(data)
	var list []iconEntry
	for off := uint64(8); off+8 < uint64(len(data)) && len(list) < maxIcons; {
		n := uint64(v.u32(off + 4))
		if n < 8 {
			break
		}
		if body := v.cut(off+8, n-8); starts(body, "\x89PNG") && len(body) > 24 {
			side := min(binary.BigEndian.Uint32(body[16:]), binary.BigEndian.Uint32(body[20:]))
			if side <= maxSide {
				list = append(list, iconEntry{side: int(side), depth: 32, data: body})
			}
		}
		off += n
	}
	return largestFirst(list)
}
