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
		return opened(OpenSQLite(ctx, rest))
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return opened(OpenPostgres(ctx, url))
	}
	return nil, errors.New("open store: the store must be given as sqlite:PATH or postgres://USER@HOST/DATABASE")
}

// opened makes a store that failed to open no store at all, and not a nil pointer
// in an interface.
func opened[S Store](s S, err error) (Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}
