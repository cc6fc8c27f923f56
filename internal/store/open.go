package store

import (
	"context"
	"errors"
	"strings"
)

// Open opens the store that url names: "sqlite:PATH" or "postgres://…". The error
// is one line and never holds the url, which may carry a password.
func Open(ctx context.Context, url string) (Store, error) {
	scheme, rest, found := strings.Cut(url, ":")
	switch {
	case found && scheme == "sqlite" && rest != "":
		return OpenSQLite(ctx, rest)
	}
	return nil, errors.New("open store: the store must be given as sqlite:PATH or postgres://USER@HOST/DATABASE")
}

// isOutage tells whether an error says that the engine cannot be reached, so that
// other work would fail as well.
func isOutage(err error) bool {
	return errors.Is(err, context.DeadlineExceeded)
}
