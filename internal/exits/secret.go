package exits

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxSecret bounds a file that holds a secret, in bytes.
const maxSecret = 16 << 10

// readSecret reads a secret that stands alone in a file: one line, of which the
// line break at the end does not belong to it.
func readSecret(key, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", key, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", key, err)
	}
	s := strings.TrimRight(string(data), "\r\n")
	if len(data) > maxSecret || s == "" || strings.ContainsFunc(s, deceptive) {
		return "", fmt.Errorf("read %s: %w", key, errSecret)
	}
	return s, nil
}

var errSecret = errors.New("the file has to hold one line with the secret and nothing else")
