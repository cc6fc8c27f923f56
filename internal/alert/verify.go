package alert

import (
	"fmt"
	"io"
)

// The ways in which the log can be damaged.
const (
	LineChanged  = "changed"  // is not what was written
	LineMissing  = "missing"  // was cut out
	LineInserted = "inserted" // was put in, or stands in the wrong place
)

// Issue is one place where the log is not what was written.
type Issue struct {
	Kind   string `json:"kind"` // LineChanged, LineMissing or LineInserted
	File   string `json:"file"`
	Line   int    `json:"line"`          // in File, from 1; of a missing line: the one that follows the hole
	Seq    uint64 `json:"seq,omitempty"` // number of the line, where it can be told; of missing lines the first
	Detail string `json:"detail"`
}

func (i Issue) String() string {
	return fmt.Sprintf("%s line %d: %s: %s", i.File, i.Line, i.Kind, i.Detail)
}

// Report is the outcome of Verify.
type Report struct {
	Files     int     `json:"files"`
	Records   int     `json:"records"`   // whole and in their place
	FirstSeq  uint64  `json:"first_seq"` // of what is held; older lines were deleted after they were acknowledged
	LastSeq   uint64  `json:"last_seq"`
	Head      string  `json:"head"`       // SHA-256 of the newest line, to compare with what the collector saw
	TornBytes int64   `json:"torn_bytes"` // an unfinished line at an end: being written, or cut by a crash; no damage
	Issues    []Issue `json:"issues"`
}

// OK is true if nothing was changed, cut out or put in.
func (r Report) OK() bool { return len(r.Issues) == 0 }

// Verify walks the chain of the log in the state folder dir and says which lines
// were changed, cut out or put in. It may run beside the agent. Whoever can write
// the folder can also write a chain that fits: changes to the newest line made
// with a new checksum, and lines cut off the end that the collector never had,
// show only at the collector, which sees the number and hash of each head.
func Verify(dir string) (Report, error) {
	root, err := openState(dir)
	if err != nil {
		return Report{}, err
	}
	defer root.Close()
	// The cursor first: the log may grow while it is read, the cursor must not.
	cur, cursorErr := loadCursor(root)
	files, err := openLog(root)
	if err != nil {
		return Report{}, err
	}
	defer closeAll(files)
	v := verifier{report: Report{Files: len(files), Issues: []Issue{}}}
	for _, f := range files {
		if err := v.read(f, f.name, f.first); err != nil {
			return v.report, fmt.Errorf("read alert log %s: %w", f.name, err)
		}
	}
	v.dropUnpromised()
	v.walk()
	v.checkEnd(cur, cursorErr)
	return v.report, nil
}

// link is what Verify keeps of one line.
type link struct {
	file       string
	line       int
	seq        uint64
	prev, hash digest
	bad        bool
	joined     bool
	first      bool   // the first of its file
	named      uint64 // the number that the name of its file gives it, if it is the first; else 0
}

type verifier struct {
	report  Report
	links   []link
	last    link // the newest line in its place
	accused link // the newest line reported as changed
}

// read takes the lines of one file. named is the number that its name gives to
// its first line, or 0.
func (v *verifier) read(in io.Reader, name string, named uint64) error {
	r := newLineReader(in)
	first := true
	for {
		e, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if e.torn && e.bad {
			v.report.TornBytes += e.end - e.start
			return nil
		}
		// A newest line without a newline is one that is being written.
		joined := e.joined && !(e.torn && e.end == e.start+int64(len(e.raw)))
		v.links = append(v.links, link{name, e.line, e.seq, e.prev, e.hash(), e.bad, joined, first, named})
		first, named = false, 0
	}
}

// dropUnpromised takes out the lines at the end of a file whose numbers the next
// file begins with again: after a write error the agent goes on in a new file.
func (v *verifier) dropUnpromised() {
	kept := v.links[:0]
	for _, x := range v.links {
		for x.first && !x.bad && len(kept) > 0 {
			prior := kept[len(kept)-1]
			if prior.bad || prior.file == x.file || prior.seq < x.seq {
				break
			}
			kept = kept[:len(kept)-1]
		}
		kept = append(kept, x)
	}
	v.links = kept
}

func (v *verifier) walk() {
	bad := []link{}
	for i, x := range v.links {
		if x.joined {
			v.issue(LineChanged, x, x.seq, "the end of the line is damaged; its record is whole")
		}
		if x.bad {
			bad = append(bad, x)
			continue
		}
		if len(bad) > 0 {
			v.afterDamage(bad, x)
			bad = bad[:0]
		} else if !v.next(i, x) {
			continue
		}
		v.accept(x)
	}
	if len(bad) > 0 {
		v.issue(LineChanged, bad[0], v.last.seq+1, "the line is damaged")
	}
}

func (v *verifier) accept(x link) {
	if v.report.Records == 0 {
		v.report.FirstSeq = x.seq
	}
	v.report.Records++
	v.report.LastSeq, v.report.Head = x.seq, x.hash.String()
	v.last = x
}

// afterDamage judges unreadable lines by the number of the line behind them.
func (v *verifier) afterDamage(bad []link, x link) {
	from := v.last.seq + 1
	if v.report.Records == 0 {
		from = max(bad[0].named, 1)
	}
	switch lost := int64(x.seq - from); { // #nosec G115 -- may be negative, which is what is asked
	case lost <= 0:
		v.issue(LineInserted, bad[0], 0, "something that is no record was put in")
	case lost == 1:
		v.issue(LineChanged, bad[0], from, fmt.Sprintf("record %d is damaged", from))
	default:
		v.issue(LineChanged, bad[0], from, fmt.Sprintf("of records %d to %d some are damaged here and some may be missing", from, x.seq-1))
	}
}

// next judges a whole line by the one before it. It answers false if the line
// does not belong into the chain.
func (v *verifier) next(i int, x link) bool {
	if v.report.Records == 0 {
		v.checkFirst(x)
		return true
	}
	switch {
	case x.seq <= v.last.seq:
		v.issue(LineInserted, x, x.seq, fmt.Sprintf("record %d stands behind record %d", x.seq, v.last.seq))
		return false
	case x.seq > v.last.seq+1:
		v.missing(v.last.seq+1, x)
		return true
	case v.rival(i, x):
		v.issue(LineInserted, x, x.seq, fmt.Sprintf("there is another record %d, and the chain goes on from that one", x.seq))
		return false
	case x.prev != v.last.hash:
		v.blame(i, x)
	}
	return true
}

func (v *verifier) checkFirst(x link) {
	switch {
	case x.named > 0 && x.named < x.seq:
		v.missing(x.named, x)
	case x.seq == 1 && x.prev != digest{}:
		v.issue(LineChanged, x, 1, "the first record of all names a record before it")
	}
}

func (v *verifier) missing(from uint64, x link) {
	detail := fmt.Sprintf("record %d is missing before this line", from)
	if x.seq-from > 1 {
		detail = fmt.Sprintf("records %d to %d are missing before this line", from, x.seq-1)
	}
	v.issue(LineMissing, x, from, detail)
}

// rival tells whether the next line has the same number and is the one that the
// line behind both goes on from.
func (v *verifier) rival(i int, x link) bool {
	if i+1 >= len(v.links) || v.links[i+1].bad || v.links[i+1].seq != x.seq {
		return false
	}
	other := v.links[i+1]
	if i+2 < len(v.links) && !v.links[i+2].bad {
		return v.links[i+2].prev == other.hash && other.hash != x.hash
	}
	return other.prev == v.last.hash && x.prev != v.last.hash
}

// blame decides which side of a broken link was changed. If the line behind x
// agrees with x, then x is whole and the one before it is not; if it does not,
// x has broken both of its links.
func (v *verifier) blame(i int, x link) {
	agrees := i+1 < len(v.links) && !v.links[i+1].bad && v.links[i+1].prev == x.hash
	isLast := i+1 >= len(v.links)
	switch {
	case v.accused == v.last: // its two links are broken for one reason
	case agrees:
		v.issue(LineChanged, v.last, v.last.seq, fmt.Sprintf("record %d is not what record %d was written after", v.last.seq, x.seq))
	case isLast:
		v.issue(LineChanged, x, x.seq, fmt.Sprintf("record %d does not follow from record %d: one of the two was changed", x.seq, v.last.seq))
	default:
		v.issue(LineChanged, x, x.seq, fmt.Sprintf("record %d fits neither of its neighbours", x.seq))
	}
}

// checkEnd holds the end of the log against what the collector acknowledged.
func (v *verifier) checkEnd(cur cursor, err error) {
	if err != nil || cur.Seq == 0 {
		return // the cursor is no part of the log and is made anew if it is damaged
	}
	end := link{file: activeName, line: 1}
	if len(v.links) > 0 {
		end = v.links[len(v.links)-1]
		end.line++
	}
	newest := v.report.LastSeq
	if len(v.links) > 0 && v.links[len(v.links)-1].bad {
		newest++
	}
	if newest < cur.Seq {
		v.issue(LineMissing, end, newest+1, fmt.Sprintf("the collector has record %d, the log ends with record %d", cur.Seq, newest))
	}
	for _, x := range v.links {
		if !x.bad && x.seq == cur.Seq && cur.Hash != "" && x.hash.String() != cur.Hash && !v.reported(x.seq) {
			v.issue(LineChanged, x, x.seq, fmt.Sprintf("record %d is not what the collector acknowledged", x.seq))
		}
	}
}

func (v *verifier) reported(seq uint64) bool {
	for _, i := range v.report.Issues {
		if i.Seq == seq {
			return true
		}
	}
	return false
}

func (v *verifier) issue(kind string, x link, seq uint64, detail string) {
	if kind == LineChanged {
		v.accused = x
	}
	v.report.Issues = append(v.report.Issues, Issue{kind, x.file, x.line, seq, detail})
}
