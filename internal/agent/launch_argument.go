package agent

import (
	"context"
	"path/filepath"
	"slices"

	"meetguard"
	"meetguard/internal/chain"
)

// roleArgument is the Role of a file that a launch runs: it stands among the
// members of the launch.
const roleArgument = "argument"

// maxArguments bounds the files of one launch that are inspected.
const maxArguments = 2

// argument inspects the scripts, packages and images that an interpreter or an
// installer is given to run.
func (in *Inspector) argument(ctx context.Context, f *meetguard.Facts) {
	if f.Process.OS != "" && f.Process.OS != systemName {
		return
	}
	for _, d := range chain.Deeds(&meetguard.Facts{Process: f.Process}) {
		if d.Kind != meetguard.DeedRun || d.What == "program" || !filepath.IsAbs(d.File) || countArguments(f) == maxArguments {
			continue
		}
		m, _, err := in.Known(ctx, d.File)
		if err != nil {
			continue // no file of that name, or gone: an option that looks like one
		}
		m.Role = roleArgument
		f.Members = append(slices.Clip(f.Members), m)
	}
}

func countArguments(f *meetguard.Facts) (n int) {
	for _, m := range f.Members {
		if m.Role == roleArgument {
			n++
		}
	}
	return n
}
