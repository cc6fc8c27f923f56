// Package opinion asks the operating system what it thinks of a file's
// signature. The answer stands beside the product's own verdict on the
// signature and never replaces it: it depends on the machine, its settings and
// what its user trusts, where the product's own depends on the file alone.
//
// It is slow and for files that are about to become an alert, not for every
// file. It fetches nothing by itself: see Options for the one part of macOS that
// may. Linux has no opinion.
package opinion

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
	"unicode"

	"meetguard"
)

// Limit is how long the system may take for one answer.
const Limit = 10 * time.Second

// Options of an Asker.
type Options struct {
	// Gatekeeper also asks macOS' spctl. What it asks in turn may look for a
	// notary ticket at Apple, by the hash of the file, as macOS does whenever a
	// download is first opened; no option of spctl forbids that.
	Gatekeeper bool
}

// Asker asks one question at a time. A system that does not answer holds up
// nothing but later questions. It is safe for concurrent use.
type Asker struct {
	opts Options
	turn chan struct{} // holds a token while the system is asked
	ask  func(ctx context.Context, name string, format meetguard.Format) ([]meetguard.OSVerdict, error)
}

// New makes an Asker.
func New(opts Options) *Asker {
	a := &Asker{opts: opts, turn: make(chan struct{}, 1)}
	a.ask = a.system
	return a
}

// ErrNoAnswer means that the system did not answer in time: nothing is known.
var ErrNoAnswer = errors.New("the system did not answer in time")

// Ask gives what each authority of the system says of the file at an absolute
// path, nothing on a system that has none. An error means that nothing is
// known. The system opens the path itself: whoever needs to know that it saw
// the same file looks at the file's identity before and after.
func (a *Asker) Ask(ctx context.Context, name string, format meetguard.Format) ([]meetguard.OSVerdict, error) {
	if err := plain(name); err != nil {
		return nil, fmt.Errorf("ask the system about a file: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("ask the system about a file: %w", ErrNoAnswer)
	}
	type answer struct {
		verdicts []meetguard.OSVerdict
		err      error
	}
	got := make(chan answer, 1)
	go func() { // ends when the system answers, be it after Ask gave up
		defer func() { <-a.turn }()
		v, err := a.ask(ctx, name, format)
		got <- answer{v, err}
	}()
	select {
	case g := <-got:
		return g.verdicts, g.err
	case <-ctx.Done():
		return nil, fmt.Errorf("ask the system about a file: %w", ErrNoAnswer)
	}
}

// plain refuses paths that could be taken for an option, or for a line of what
// the system's tools print.
func plain(name string) error {
	if !filepath.IsAbs(name) {
		return errors.New("its path is not absolute")
	}
	for _, r := range name {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return errors.New("its path holds a character that cannot be shown")
		}
	}
	return nil
}
