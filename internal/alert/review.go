package alert

import (
	"context"
	"fmt"
	"io"
	"time"
)

// reviewPause is the rest after each MiB that Review reads: at most 20 MB/s.
const reviewPause = 50 * time.Millisecond

// Review reads what Open took on the word of the checkpoint, beside the work, and
// returns how many damaged places are in it. They are logged and counted in
// Recovered; Verify tells which. A damaged line costs itself alone: if it was
// still owed to the collector it counts as dropped when its turn comes.
func (l *Log) Review(ctx context.Context) (corrupt int, err error) {
	return l.review(ctx, reviewPause)
}

func (l *Log) review(ctx context.Context, pause time.Duration) (corrupt int, err error) {
	end := l.unread // Open set it, and nobody else
	if end.Seq == 0 {
		return 0, nil
	}
	files, err := openLog(l.root)
	if err != nil {
		return 0, err
	}
	defer closeAll(files)
	last, _ := rotatedNumber(end.File)
	for _, f := range files {
		if f.first > last {
			break // the agent has deleted what it settled
		}
		size, err := sizeUpTo(f, end)
		if err != nil {
			return corrupt, fmt.Errorf("review alert log %s: %w", f.name, err)
		}
		n, err := countDamage(&paced{io.NewSectionReader(f, 0, size), ctx, pause, 0})
		if corrupt += n; err != nil {
			return corrupt, fmt.Errorf("review alert log %s: %w", f.name, err)
		}
		if f.name == end.File || f.name == activeName {
			break // the agent has given later lines to later files meanwhile
		}
	}
	if corrupt > 0 {
		l.mu.Lock()
		l.recovery.Corrupt += corrupt
		l.mu.Unlock()
		l.opts.Logger.Error("Alert log is damaged; see `meetguard alerts verify`", "corrupt", corrupt)
	}
	return corrupt, nil
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

// countDamage counts the runs of unreadable lines and the damaged newlines.
func countDamage(in io.Reader) (n int, err error) {
	r := newLineReader(in)
	for inBad := false; ; {
		e, err := r.next()
		switch {
		case err == io.EOF:
			return n, nil
		case err != nil:
			return n, err
		case e.bad && !inBad && !e.torn, e.joined:
			n++
		}
		inBad = e.bad
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
