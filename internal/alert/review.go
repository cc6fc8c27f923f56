package alert

import (
	"context"
	"fmt"
	"io"
	"time"
)

// reviewPause is the rest after each MiB that Review reads: at most 20 MB/s.
const reviewPause = 50 * time.Millisecond

// Review reads what Open found there, beside the work: what that took on the word
// of the checkpoint, and whether each line follows the one before. It returns how
// many damaged places are in it. They are logged and counted in
// Recovered; Verify tells which. A damaged line costs itself alone: if it was
// still owed to the collector it counts as dropped when its turn comes.
func (l *Log) Review(ctx context.Context) (corrupt int, err error) {
	return l.review(ctx, reviewPause)
}

func (l *Log) review(ctx context.Context, pause time.Duration) (corrupt int, err error) {
	end := l.opened // Open set it, and nobody else
	if end.Seq == 0 {
		return 0, nil
	}
	files, err := openLog(l.root)
	if err != nil {
		return 0, err
	}
	defer closeAll(files)
	last, _ := rotatedNumber(end.File)
	var v reviewer
	for _, f := range files {
		if f.first > last {
			break // the agent has deleted what it settled
		}
		size, err := sizeUpTo(f, end)
		if err == nil {
			err = v.file(&paced{io.NewSectionReader(f, 0, size), ctx, pause, 0}, f.first)
		}
		if err != nil {
			return v.found, fmt.Errorf("review alert log %s: %w", f.name, err)
		}
		if f.name == end.File || f.name == activeName {
			break // the agent has given later lines to later files meanwhile
		}
	}
	if v.found > 0 {
		l.mu.Lock()
		l.recovery.Corrupt = max(l.recovery.Corrupt, v.found) // Open found some of them
		l.mu.Unlock()
		l.opts.Logger.Error("Alert log is damaged; see `meetguard alerts verify`", "corrupt", v.found)
	}
	return v.found, nil
}

// sizeUpTo is how much of a file lies before the end of a checkpoint.
func sizeUpTo(f logFile, end checkpoint) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if f.name == end.File || f.name == activeName {
		return min(info.Size(), end.End), nil
	}
	return info.Size(), nil
}

// reviewer counts the runs of unreadable lines, the damaged newlines, the holes
// in the numbering and the lines that do not follow the one before, across files.
type reviewer struct {
	found int
	prev  uint64 // number of the newest line; of the one before it, if only the name of its file is known
	hash  digest // of that line
	known bool   // prev is set
	whole bool   // hash is set
	inBad bool   // what comes now stands behind unreadable lines
}

// file reads one file. first is the number that its name gives to its first line,
// or 0.
func (v *reviewer) file(in io.Reader, first uint64) error {
	if first > 0 {
		v.hole(first)
		if v.prev != first-1 { // the file before ended in a line that was never promised, or in damage
			v.prev, v.whole = first-1, false
		}
		v.known = true
	}
	r := newLineReader(in)
	for {
		e, err := r.next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case e.bad && e.torn: // never finished; if it was, the next number tells
			return nil
		case e.bad:
			if !v.inBad {
				v.found++
			}
			v.inBad, v.whole = true, false
			continue
		case e.joined:
			v.found++
		}
		v.line(e)
	}
}

// line takes one that can be read.
func (v *reviewer) line(e entry) {
	switch {
	case !v.known:
	case e.seq <= v.prev: // put in, or moved: it is no part of the chain
		v.found++
		return
	case e.seq == v.prev+1 && v.whole && e.prev != v.hash:
		v.found++
	default:
		v.hole(e.seq)
	}
	v.prev, v.hash, v.known, v.whole, v.inBad = e.seq, e.hash(), true, true, false
}

// hole tells that lines are missing before the line seq, unless unreadable ones
// explain it.
func (v *reviewer) hole(seq uint64) {
	if v.known && !v.inBad && seq > v.prev+1 {
		v.found++
	}
}

// paced reads no faster than a rest after each MiB allows.
type paced struct {
	in    io.Reader
	ctx   context.Context
	pause time.Duration
	read  int
}

func (p *paced) Read(b []byte) (int, error) {
	if p.read >= 1<<20 {
		p.read = 0
		select {
		case <-p.ctx.Done():
			return 0, p.ctx.Err()
		case <-time.After(p.pause):
		}
	}
	n, err := p.in.Read(b)
	p.read += n
	return n, err
}
