//go:build !linux

package collect

import "errors"

func makeInMemory(string) (string, error) { return "", errors.ErrUnsupported }
