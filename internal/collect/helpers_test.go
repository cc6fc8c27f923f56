package collect

import (
	"context"
	"net/http"
	"strings"

	"meetguard/internal/people"
)

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

// withCaller is what the guard does for a handler.
func withCaller(r *http.Request, c caller) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
}

// memoryAnswer keeps an answer.
type memoryAnswer struct {
	header http.Header
	status int
}

func (m *memoryAnswer) Header() http.Header         { return m.header }
func (m *memoryAnswer) WriteHeader(status int)      { m.status = status }
func (m *memoryAnswer) Write(b []byte) (int, error) { return len(b), nil }

// cheapHasher spares tests that log people in what a guess must cost: 64 MiB for
// each log-in. What hashes cost is tested where they are made.
func cheapHasher() *people.Hasher { return people.NewHasherOf(64, 1) }
