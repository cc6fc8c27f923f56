package watch

import (
	"path/filepath"
	"strings"
)

// temporarySuffixes end the names that browsers and other programs give to a
// file while it is being written: Chrome, Edge and Opera (.crdownload,
// .opdownload), Firefox (.part), Safari (.download), Internet Explorer
// (.partial).
var temporarySuffixes = []string{".crdownload", ".part", ".partial", ".download", ".opdownload", ".tmp"}

// temporary tells a name that is not the final one of any download, or that a
// desktop writes for itself.
func temporary(name string) bool {
	lower := strings.ToLower(name)
	if strings.HasPrefix(lower, "~$") || lower == ".ds_store" || lower == "desktop.ini" {
		return true
	}
	for _, suffix := range temporarySuffixes {
		if strings.HasSuffix(lower, suffix) {
			return true
		}
	}
	return false
}

// bundleName tells the name of a directory that is judged as one unit.
func bundleName(name string) bool {
	const longest = len(".scptd")
	lower := strings.ToLower(name[max(0, len(name)-longest):])
	return strings.HasSuffix(lower, ".app") || lower == ".scptd"
}

// bundleAbove returns the outermost bundle between root and path that path lies
// in, or "". Path itself does not count: only a look tells whether it is a
// directory.
func bundleAbove(root, path string) string {
	end := len(root)
	for end < len(path) {
		next := strings.IndexByte(path[end+1:], filepath.Separator)
		if next < 0 {
			return ""
		}
		start := end + 1
		end = start + next
		if bundleName(path[start:end]) {
			return path[:end]
		}
	}
	return ""
}

// within tells whether path is dir or lies below it. Both are clean.
func within(dir, path string) bool {
	if !strings.HasPrefix(path, dir) {
		return false
	}
	return len(path) == len(dir) || path[len(dir)] == filepath.Separator || strings.HasSuffix(dir, string(filepath.Separator))
}

// depthBelow counts the levels from root down to path: 0 for root itself.
func depthBelow(root, path string) int {
	return strings.Count(path[len(root):], string(filepath.Separator))
}

// outermost drops roots that lie in other roots, and double ones. It keeps the
// order.
func outermost(roots []string) []string {
	var kept []string
	for i, r := range roots {
		inner := false
		for j, other := range roots {
			inner = inner || (i != j && within(other, r) && (other != r || j < i))
		}
		if !inner {
			kept = append(kept, r)
		}
	}
	return kept
}
