package script

import (
	"strconv"
	"strings"
)

// What counts as padding.
const (
	shortRun       = 4   // blank lines that a marker line may stand for
	lineGap        = 200 // blanks inside one line
	leadingBlank   = 40  // blank lines before the first text
	floodLines     = 300 // lines without code before code
	maxKeptRuns    = 4096
	markerChar     = "\x1e" // opens the marker lines of Script.Tail: no text has it
	markerBlank    = markerChar + "mg-blank "
	markerLayer    = markerChar + "mg-layer "
	maxTail        = 1 << 20
	maxLinePadding = 8 // blanks that a long gap is cut to
)

// run is one stretch of lines without code, as it stands between lines of text.
type run struct {
	lines    int
	comments int // how many of them are comments with text
	end      int // offset in the folded text of the line behind it
}

// page is a text whose white space has been measured and folded.
type page struct {
	text    string
	lines   int
	runs    []run // runs of shortRun lines and more
	flood   []run // runs of floodLines lines that are blank or comments
	leading int   // blank lines before the first text
	gap     bool  // a line has lineGap blanks before code
}

// foldPage measures the padding of a normalised text and folds it: a run of
// blank lines becomes one marker line.
func foldPage(s, language string) page {
	f := folder{comment: commentStarts(language)}
	f.out.Grow(len(s))
	for start := 0; start < len(s); {
		end := strings.IndexByte(s[start:], '\n')
		if end < 0 {
			end = len(s) - start
		}
		f.line(s[start : start+end])
		start += end + 1
	}
	f.page.text = f.out.String()
	return f.page
}

type folder struct {
	page    page
	out     strings.Builder
	comment []string
	blank   run // the open run of blank and filler lines
	quiet   run // the open run of blank lines and comments
	last    string
	// inFiller: the line before was blank or said nothing. The first ruler
	// under a text belongs to the text.
	inFiller bool
	text     bool // a line of text has been seen
}

func (f *folder) line(line string) {
	f.page.lines++
	bare := strings.Trim(line, " \t")
	comment, isComment := f.commentText(bare)
	switch {
	case bare == "":
		f.blank.lines++
		f.quiet.lines++
		f.inFiller = true
		return
	case isComment && f.inFiller && f.isFiller(bare, comment):
		f.blank.lines++
		f.quiet.lines++
		if f.blank.lines < shortRun {
			f.write(line)
		}
		return
	}
	f.closeBlank()
	if isComment {
		f.quiet.lines++
		f.quiet.comments++
	} else {
		f.closeQuiet()
	}
	f.text = true
	f.inFiller = isComment && f.isFiller(bare, comment)
	f.last = bare
	f.write(f.foldGap(line))
}

func (f *folder) write(line string) {
	f.out.WriteString(line)
	f.out.WriteByte('\n')
}

// commentText returns what a line says behind the sign of a comment.
func (f *folder) commentText(bare string) (text string, ok bool) {
	for _, c := range f.comment {
		if len(bare) >= len(c) && strings.EqualFold(bare[:len(c)], c) && !strings.HasPrefix(bare, "#!") {
			return bare[len(c):], true
		}
		if strings.EqualFold(bare, strings.TrimSpace(c)) {
			return "", true
		}
	}
	return "", false
}

// isFiller holds for comments that say nothing: rulers, lone signs, and the
// same line over again.
func (f *folder) isFiller(bare, comment string) bool {
	if bare == f.last {
		return true
	}
	for i := range len(comment) {
		if c := comment[i]; isWordByte(c) && c != comment[0] {
			return false
		}
	}
	return true
}

func (f *folder) closeBlank() {
	r := f.blank
	f.blank = run{}
	if r.lines == 0 {
		return
	}
	if !f.text {
		f.page.leading = r.lines
	}
	if r.lines < shortRun {
		f.out.WriteByte('\n')
		return
	}
	f.write(markerBlank + strconv.Itoa(r.lines))
	if f.text && len(f.page.runs) < maxKeptRuns {
		r.end = f.out.Len()
		f.page.runs = append(f.page.runs, r)
	}
}

func (f *folder) closeQuiet() {
	r := f.quiet
	f.quiet = run{}
	if r.lines >= floodLines && r.comments*2 > r.lines && len(f.page.flood) < maxKeptRuns {
		r.end = f.out.Len()
		f.page.flood = append(f.page.flood, r)
	}
}

// foldGap cuts a long stretch of blanks inside a line and remembers it.
func (f *folder) foldGap(line string) string {
	if len(line) < lineGap {
		return line
	}
	var b strings.Builder
	for {
		at, size := longGap(line)
		if size == 0 {
			break
		}
		if at+size < len(line) {
			f.page.gap = true
		}
		b.WriteString(line[:at+maxLinePadding])
		line = line[at+size:]
	}
	if b.Len() == 0 {
		return line
	}
	return b.String() + line
}

// longGap finds the first stretch of lineGap blanks: every window of that size
// ends in a blank, so looking at each lineGap-th byte finds it.
func longGap(s string) (at, size int) {
	for i := lineGap - 1; i < len(s); i += lineGap {
		if !isBlank(s[i]) {
			continue
		}
		from, to := i, i+1
		for from > 0 && isBlank(s[from-1]) {
			from--
		}
		for to < len(s) && isBlank(s[to]) {
			to++
		}
		if to-from >= lineGap {
			return from, to - from
		}
	}
	return 0, 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// commentStarts are the signs that open a comment line of a language.
func commentStarts(language string) []string {
	switch language {
	case langAppleScript:
		return []string{"--", "#"}
	case langBatch:
		return []string{"rem ", "::", "@rem "}
	case langVBScript:
		return []string{"'", "rem "}
	case langJScript, langJavaScript, langJXA:
		return []string{"//"}
	case langHTA, langWSF:
		return []string{"'", "//"}
	}
	return []string{"#"}
}

// longestRun picks the run that Script.BlankRun tells: the longest that has
// code behind it, or the longest of all if none of any size has.
func longestRun(runs []run, lastCode int) (lines int, codeAfter bool) {
	var hiding, all int
	for _, r := range runs {
		all = max(all, r.lines)
		if r.end <= lastCode {
			hiding = max(hiding, r.lines)
		}
	}
	if hiding > 0 && (hiding == all || hiding >= leadingBlank/2) {
		return hiding, true
	}
	return all, false
}
