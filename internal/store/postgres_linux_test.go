package store

import "testing"

func TestPostgresStore(t *testing.T) {
	testStore(t, func(t *testing.T) Store { return openPostgres(t, newDatabase(t)) })
}
