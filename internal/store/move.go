package store

import (
	"context"
	"fmt"
)

// idSetting tells a store from another, so that a move is not continued from a
// source that it was not begun with.
const idSetting = "store.id"

// Progress tells how many of the rows of a table have been copied.
type Progress func(table string, done, total int64)

// Move copies everything from one store into an empty one of any engine. The
// collector must be stopped meanwhile: what comes later is not copied. A move that
// was broken off goes on if it is run again. progress may be nil.
func Move(ctx context.Context, from, to Store, progress Progress) error {
	source, err := baseOf(from)
	if err != nil {
		return err
	}
	target, err := baseOf(to)
	if err != nil {
		return err
	}
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	if err := move(ctx, source, target, progress); err != nil {
		return fmt.Errorf("move: %w", err)
	}
	return nil
}

func move(ctx context.Context, source, target *db, progress Progress) error {
	if err := source.mustBeWhole(ctx); err != nil {
		return err
	}
	id, err := source.SetSettingOnce(ctx, idSetting, NewID())
	if err != nil {
		return err
	}
	l, err := newLoader(ctx, target, "store "+id)
	if err != nil {
		return err
	}
	return source.snapshot(ctx, func(s snapshot) error {
		totals := map[string]int64{}
		for place, t := range tables {
			if totals[t.name], err = s.count(ctx, t); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
			if err := l.copyTable(ctx, s, place, totals[t.name], progress); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
		}
		return l.finish(ctx, totals)
	})
}

// copyTable copies what is left of a table.
func (l *loader) copyTable(ctx context.Context, s snapshot, place int, total int64, progress Progress) error {
	t := tables[place]
	if place < l.at.Table {
		progress(t.name, total, total)
		return nil
	}
	var after row
	if place == l.at.Table {
		after = l.at.Key
	}
	columns, err := s.columns(ctx, t)
	if err != nil {
		return err
	}
	have, err := l.loaded(ctx, t)
	if err != nil {
		return err
	}
	progress(t.name, have, total)
	return s.each(ctx, t, columns, after, func(rows []row) error {
		if err := l.load(ctx, place, columns, rows); err != nil {
			return err
		}
		have += int64(len(rows))
		progress(t.name, min(have, total), total)
		return nil
	})
}

// loaded counts the rows of a table that are there already.
func (l *loader) loaded(ctx context.Context, t table) (n int64, err error) {
	err = l.d.snapshot(ctx, func(s snapshot) error {
		n, err = s.count(ctx, t)
		return err
	})
	return n, err
}
