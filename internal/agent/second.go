package agent

import (
	"context"
	"slices"

	"meetguard"
	"meetguard/internal/opinion"
	"meetguard/internal/owner"
	"meetguard/internal/watch"
)

// second gathers what others say of a file that is about to become an alert:
// the operating system of its signature, the package managers of its path. It
// is asked after the verdict and cannot change it.
type second struct {
	system *opinion.Asker
	owners *owner.Owner
}

func newSecond() *second {
	return &second{system: opinion.New(opinion.Options{}), owners: owner.New("")}
}

// complete adds OS and Package to facts. What could not be learned is a gap. A
// file that has just landed belongs to no package yet, and its alert does not
// wait for that question.
func (s *second) complete(ctx context.Context, kind meetguard.Kind, f *meetguard.Facts) {
	if f.SHA256 == "" {
		return // nobody knows what lies there
	}
	var err error
	if kind == meetguard.ProcessStarted {
		if f.Package, err = s.owners.Of(f.Path); err != nil {
			note(f, "package", reason(err))
		}
	}
	if !systemJudges(f.Format) {
		return
	}
	before, err := watch.Identify(f.Path)
	if err == nil {
		f.OS, err = s.system.Ask(ctx, f.Path, f.Format)
	}
	if err != nil {
		note(f, "os verdict", reason(err))
	} else if after, err := watch.Identify(f.Path); err != nil || after != before {
		f.OS = nil
		note(f, "os verdict", "the file changed while the system was asked")
	}
}

// systemJudges: formats that Windows or macOS knows signatures of.
func systemJudges(format meetguard.Format) bool {
	switch format {
	case meetguard.FormatDeb, meetguard.FormatRPM, meetguard.FormatELF:
		return false
	}
	return signable(format) || format == meetguard.FormatApp
}

// note adds a gap to facts that may share their list with others.
func note(f *meetguard.Facts, fact, reason string) {
	f.Gaps = append(slices.Clip(f.Gaps), meetguard.Gap{Fact: fact, Reason: clipText(reason, maxText)})
}
