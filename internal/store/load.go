package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// loadingSetting marks a store into which another one is being copied, and tells
// how far that has come. It is gone when all is there.
const loadingSetting = "store.loading"

// Errors of copying.
var (
	ErrNotEmpty = errors.New("the store that is to be filled is not empty; name a new one")
	ErrLoading  = errors.New("a restore or move into this store has not been finished; run it again")
)

// loading is how far a copy has come.
type loading struct {
	From  string `json:"from"` // of what it is a copy
	Table int    `json:"table"`
	Key   []any  `json:"key"` // of the last row of the table, nil if there is none yet
}

// loader fills an empty store with the rows of another, in the order of tables
// and keys. Where it stands is committed with the rows.
type loader struct {
	d  *db
	at loading
}

// newLoader begins to fill a store, or goes on where an earlier copy from the
// same place ended.
func newLoader(ctx context.Context, d *db, from string) (*loader, error) {
	at, found, err := d.loading(ctx)
	switch {
	case err != nil:
		return nil, err
	case found && at.From != from:
		return nil, ErrNotEmpty
	case found:
		return &loader{d, at}, nil
	}
	l := &loader{d, loading{From: from}}
	if err := d.snapshot(ctx, func(s snapshot) error { return s.mustBeEmpty(ctx) }); err != nil {
		return nil, err
	}
	return l, l.write(ctx, nil)
}

// loading returns how far a copy into the store has come, if there is one.
func (d *db) loading(ctx context.Context) (loading, bool, error) {
	var at loading
	value, found, err := d.Setting(ctx, loadingSetting)
	if err != nil || !found {
		return at, false, err
	}
	dec := json.NewDecoder(strings.NewReader(value))
	dec.UseNumber()
	if err := dec.Decode(&at); err != nil {
		return at, false, fmt.Errorf("read how far the copy has come: %w", err)
	}
	return at, true, numbers(at.Key)
}

// mustBeWhole refuses a store into which a copy has not been finished.
func (d *db) mustBeWhole(ctx context.Context) error {
	_, found, err := d.loading(ctx)
	if err == nil && found {
		err = ErrLoading
	}
	return err
}

// mustBeEmpty refuses a store that was used: what it has would be mixed up with
// what comes.
func (s snapshot) mustBeEmpty(ctx context.Context) error {
	for _, t := range tables {
		n, err := s.count(ctx, t)
		if err != nil {
			return err
		}
		if n > 0 && t.name != "counter" {
			return ErrNotEmpty
		}
	}
	return nil
}

// passed tells whether the row of a table was loaded earlier.
func (l *loader) passed(place int, key row) bool {
	if place != l.at.Table || l.at.Key == nil {
		return place < l.at.Table
	}
	return slices.CompareFunc(key, l.at.Key, compareValues) <= 0
}

// compareValues orders the values of keys, which are texts.
func compareValues(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }

// load writes rows that come next.
func (l *loader) load(ctx context.Context, place int, columns []string, rows []row) error {
	t := tables[place]
	all := make([]statement, 0, len(rows)+1)
	for _, r := range rows {
		all = append(all, t.upsert(columns, r))
	}
	l.at.Table, l.at.Key = place, t.keyOf(columns, rows[len(rows)-1])
	return l.write(ctx, all)
}

// write runs the statements and notes where the loader stands, in one transaction.
func (l *loader) write(ctx context.Context, all []statement) error {
	at, err := json.Marshal(l.at)
	if err != nil {
		return err
	}
	mark := tables[0].upsert([]string{"name", "value"}, row{loadingSetting, string(at)})
	return l.d.batched(ctx, func(run runner) error { return run(ctx, append(all, mark)) })
}

// finish compares the number of rows of each table, and removes the mark.
func (l *loader) finish(ctx context.Context, want map[string]int64) error {
	err := l.d.snapshot(ctx, func(s snapshot) error {
		for _, t := range tables {
			n, err := s.count(ctx, t)
			if err != nil {
				return err
			}
			if n != want[t.name] {
				return fmt.Errorf("table %s has %d rows, not %d: the source has changed since the copy was begun; copy into a new store", t.name, n, want[t.name])
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = l.d.exec(ctx, l.d.write, `DELETE FROM settings WHERE name = ?`, loadingSetting)
	return err
}

// numbers makes the numbers of a decoded row what the engines take, and what was
// wrapped as bytes bytes again.
func numbers(values []any) error {
	for i, v := range values {
		switch v := v.(type) {
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				return fmt.Errorf("a number out of range")
			}
			values[i] = n
		case map[string]any:
			raw, err := fromBytes(v)
			if err != nil {
				return err
			}
			values[i] = raw
		case string, nil:
		default:
			return fmt.Errorf("a value of a kind that no column has")
		}
	}
	return nil
}
