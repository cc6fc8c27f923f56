package inspect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// readOrigin reads the stream that the Attachment Manager leaves beside the
// content. A file system without streams takes its name for an invalid one.
func readOrigin(f *os.File) (raw RawOrigin, err error) {
	stream, err := os.Open(f.Name() + ":Zone.Identifier")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, windows.ERROR_INVALID_NAME) {
		return raw, nil
	}
	if err != nil {
		var failed *fs.PathError
		if errors.As(err, &failed) {
			err = failed.Err // without the path, which is not for the report
		}
		return raw, fmt.Errorf("open stream Zone.Identifier: %w", err)
	}
	defer stream.Close()
	raw.ZoneIdentifier, err = io.ReadAll(io.LimitReader(stream, maxOrigin))
	if err != nil {
		return raw, errors.New("read stream Zone.Identifier")
	}
	return raw, nil
}
