package device

import (
	"encoding/base32"
	"errors"
	"fmt"
	"os"
	"strings"
)

// tokenPrefix begins every enrolment token.
const tokenPrefix = "mgenroll_"

// secretSize is the size of a secret and of a pin, in bytes.
const secretSize = 20

// maxTokenFile bounds the file that holds a token, in bytes.
const maxTokenFile = 4 << 10

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

var errToken = errors.New("it is no enrolment token: that is mgenroll_, 32 letters, and _ with 32 more; copy the whole word")

// parseToken cuts a token. pin is "" if it has none.
func parseToken(word string) (secret, pin string, err error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(word), tokenPrefix)
	secret, pin, pinned := strings.Cut(rest, "_")
	if !ok || !validSecret(secret) || pinned && !validSecret(pin) {
		return "", "", errToken
	}
	return secret, pin, nil
}

func validSecret(text string) bool {
	b, err := letters.DecodeString(text)
	return err == nil && len(b) == secretSize && len(text) == letters.EncodedLen(secretSize)
}

// ReadToken reads the first line of a file that holds a token.
func ReadToken(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("read enrolment token: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxTokenFile {
		return "", fmt.Errorf("read enrolment token: %s is no small regular file", file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read enrolment token: %w", err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(data)), "\n")
	if _, _, err := parseToken(line); err != nil {
		return "", fmt.Errorf("read enrolment token in %s: %w", file, err)
	}
	return strings.TrimSpace(line), nil
}
