package collect

import (
	"fmt"
	"math"
	"strings"

	"meetguard/internal/store"
)

// Sizes of a chart, in the units of its view box.
const (
	chartWidth  = 560
	chartHeight = 170
	chartLeft   = 34 // of the axis
	chartBottom = 150
	chartTop    = 14
)

// columnChart is a chart of stacked columns, drawn on the server as SVG. A table
// with the same numbers stands beside it.
type columnChart struct {
	ID, Title, Desc string
	Series          []string
	Columns         []chartColumn
	Ticks           []chartTick
	Bars            []chartBar
}

// chartColumn is one column: a number for each series.
type chartColumn struct {
	Name, Short string
	N           []int
}

// Sum of the column.
func (c chartColumn) Sum() int {
	sum := 0
	for _, n := range c.N {
		sum += n
	}
	return sum
}

type chartTick struct {
	Y    float64
	Text string
}

type chartBar struct {
	X, Y, Width, Height float64
	Class, Text         string // Text stands above the column, for the topmost bar
	TextX, TextY        float64
	Name                string // below the column
}

// seriesClasses are the classes of style.css by series.
var seriesClasses = []string{"a", "b", "c"}

// newColumnChart lays out the columns.
func newColumnChart(id, title string, series []string, columns []chartColumn) columnChart {
	c := columnChart{ID: id, Title: title, Series: series, Columns: columns}
	most, peak := 0, ""
	for _, col := range columns {
		if col.Sum() > most {
			most, peak = col.Sum(), col.Name
		}
	}
	c.Desc = fmt.Sprintf("%d columns. ", len(columns))
	if most > 0 {
		c.Desc += fmt.Sprintf("The highest is %s with %d.", peak, most)
	} else {
		c.Desc += "All are empty."
	}
	top := niceTop(most)
	scale := float64(chartBottom-chartTop) / float64(top)
	for i := 0; i <= 2; i++ {
		n := top * i / 2
		c.Ticks = append(c.Ticks, chartTick{chartBottom - float64(n)*scale, fmt.Sprint(n)})
	}
	step := float64(chartWidth-chartLeft) / float64(max(len(columns), 1))
	for i, col := range columns {
		c.Bars = append(c.Bars, columnBars(col, chartLeft+float64(i)*step, step, scale)...)
	}
	return c
}

func columnBars(col chartColumn, x, step, scale float64) []chartBar {
	y := float64(chartBottom)
	var bars []chartBar
	width := math.Min(step*0.64, 34)
	for i, n := range col.N {
		h := float64(n) * scale
		y -= h
		bars = append(bars, chartBar{X: x + (step-width)/2, Y: y, Width: width, Height: h, Class: seriesClasses[i%len(seriesClasses)]})
	}
	mark := chartBar{X: x + step/2, Name: col.Short, TextX: x + step/2, TextY: y - 4}
	if col.Sum() > 0 {
		mark.Text = fmt.Sprint(col.Sum())
	}
	return append(bars, mark)
}

// niceTop is the upper end of an axis: even, and a little above.
func niceTop(most int) int {
	for unit := 1; ; unit *= 10 {
		for _, n := range []int{2, 4, 6, 10, 14} {
			if n*unit >= most {
				return n * unit
			}
		}
	}
}

// barChart is a chart of lying bars, one for each value.
type barChart struct {
	ID, Title, Desc string
	Column          string // heading of the values
	Rows            []barRow
	Height          int
}

type barRow struct {
	Name  string
	N     int
	Y     int
	Width float64
	Link  string
}

const (
	barLine  = 22
	barLeft  = 190
	barRight = 50
)

// newBarChart lays out counts, the greatest first; empty values are named.
func newBarChart(id, title, column, none string, counts []store.Count, most int) barChart {
	c := barChart{ID: id, Title: title, Column: column}
	greatest, sum := 1, 0
	for _, n := range counts {
		greatest, sum = max(greatest, n.N), sum+n.N
	}
	for i, n := range counts[:min(len(counts), most)] {
		row := barRow{Name: firstOf(n.Value, none), N: n.N, Y: i * barLine, Width: float64(n.N) / float64(greatest) * (chartWidth - barLeft - barRight)}
		c.Rows = append(c.Rows, row)
	}
	c.Height = max(len(c.Rows)*barLine, barLine)
	c.Desc = fmt.Sprintf("%d values, %d alerts.", len(counts), sum)
	if len(c.Rows) > 0 {
		c.Desc += " The greatest is " + c.Rows[0].Name + " with " + fmt.Sprint(c.Rows[0].N) + "."
	}
	return c
}

// Short is the name as the chart has room for it; the table has all of it.
func (r barRow) Short() string {
	if text := []rune(r.Name); len(text) > 28 {
		return strings.TrimSpace(string(text[:27])) + "…"
	}
	return r.Name
}

// TextY is the line of the text of the row.
func (r barRow) TextY() int { return r.Y + 15 }

// ValueX is where the number stands.
func (r barRow) ValueX() float64 { return barLeft + r.Width + 6 }
