package collect

import "strings"

func containsAny(text string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// fillPath puts a value for every part of a path that stands in braces.
func fillPath(value, path string) string {
	for {
		from := strings.IndexByte(path, '{')
		if from < 0 {
			return path
		}
		to := strings.IndexByte(path[from:], '}')
		path = path[:from] + value + path[from+to+1:]
	}
}
