package agent

import (
	"os"
	"path/filepath"
	"strings"
)

// open opens a file for reading, once: whatever is done with the file is done
// with this handle. No link is followed on the way to it, but those that lead to
// the folder which somebody named, or to the folder of a file that was launched.
// A link below a watched folder was put in the place of a folder after that was
// seen: what it leads to is not what has the name.
func (in *Inspector) open(path string) (*os.File, error) {
	return openWithin(path, func() string { return in.named(path) })
}

// named gives the folder that somebody named and that path lies below, the
// innermost of several, or "".
func (in *Inspector) named(path string) (best string) {
	if in.folders == nil {
		return ""
	}
	for _, dir := range in.folders() {
		dir = filepath.Clean(dir)
		if len(dir) > len(best) && below(path, dir) {
			best = dir
		}
	}
	return best
}

// below says whether path lies in dir or deeper.
func below(path, dir string) bool {
	switch {
	case dir == ".":
		return filepath.IsLocal(path)
	case strings.HasSuffix(dir, string(filepath.Separator)): // a root
		return strings.HasPrefix(path, dir)
	}
	return len(path) > len(dir) && strings.HasPrefix(path, dir) && os.IsPathSeparator(path[len(dir)])
}

// where a launch found a file: behind the links that it went through.
func where(path string) string {
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return path
}
