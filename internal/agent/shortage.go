package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"meetguard"
	"meetguard/internal/worker"
)

// shortOf begins the reason of a gap that is not the file's fault: this machine
// lacked something for a moment. Such a file is looked at again soon.
const shortOf = "the machine refused: "

// whyNot is the reason of a gap for an error of opening or asking. What the file
// itself brings about is told as it is: that it may not be read, that it is no
// file any more, that it ended the inspection.
func whyNot(err error) string {
	var blamed *worker.Failure
	switch {
	case errors.Is(err, worker.ErrKilled):
		return shortOf + err.Error()
	case errors.As(err, &blamed), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, context.Canceled), !machineRefuses(err):
		return reason(err)
	}
	return shortOf + reason(err)
}

// shortage knows which files wait because this machine lacked something, and what.
type shortage struct {
	mu      sync.Mutex
	waiting map[string]struct{}
	why     string
}

// shortageMost bounds the paths that are remembered.
const shortageMost = 10_000

// of notes whether a file has to wait, and why; "" if it has not.
func (s *shortage) of(path string, f meetguard.Facts) (why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.SHA256 == "" {
		for _, g := range f.Gaps {
			if short, ok := strings.CutPrefix(g.Reason, shortOf); ok {
				why = short
			}
		}
	}
	if why == "" {
		delete(s.waiting, path)
		return ""
	}
	if s.waiting == nil {
		s.waiting = map[string]struct{}{}
	}
	if len(s.waiting) < shortageMost {
		s.waiting[path] = struct{}{}
	}
	s.why = why
	return why
}

// gone forgets a file that is no more.
func (s *shortage) gone(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, path)
}

// over says it of the line of the status about files.
func (s *shortage) over(src *meetguard.SourceStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.waiting); n > 0 && src.State == meetguard.SourceOK {
		src.State = meetguard.SourceDegraded
		src.Detail += fmt.Sprintf("; %d wait to be looked at again, the machine refused: %s", n, s.why)
	}
}
