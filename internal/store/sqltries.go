package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// ChangeTries changes what is counted under keys. Keys are made before they are
// locked, in one order by everybody, so that two who come first meet on a row.
func (d *db) ChangeTries(ctx context.Context, keys []string, change func([]Tries) []Tries) error {
	err := d.batched(ctx, func(run runner) error {
		known := make([]Tries, len(keys))
		var lock []statement
		for _, i := range inOrder(keys) {
			lock = append(lock, makeTries(keys[i]), d.lockTries(keys[i], &known[i]))
		}
		if err := run(ctx, lock); err != nil {
			return err
		}
		var write []statement
		for i, next := range change(known) {
			write = append(write, statement{
				query: `UPDATE tries SET n = ?, last = ?, until = ? WHERE name = ?`,
				args:  []any{next.N, toMillis(next.Last), toMillis(next.Until), keys[i]},
			})
		}
		if len(write) == 0 {
			return nil
		}
		return run(ctx, write)
	})
	if err != nil {
		return fmt.Errorf("count tries: %w", err)
	}
	return nil
}

// inOrder are the places of the keys, ordered by key.
func inOrder(keys []string) []int {
	order := make([]int, len(keys))
	for i := range keys {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compareValues(keys[a], keys[b]) })
	return order
}

func makeTries(key string) statement {
	return statement{
		query: `INSERT INTO tries (name, n, last, until) VALUES (?, 0, 0, 0) ON CONFLICT (name) DO NOTHING`,
		args:  []any{key},
	}
}

func (d *db) lockTries(key string, to *Tries) statement {
	return statement{
		query: `SELECT n, last, until FROM tries WHERE name = ?` + d.dialect.lock,
		args:  []any{key},
		row: func(row scanner) error {
			var last, until int64
			err := row.Scan(&to.N, &last, &until)
			to.Last, to.Until = fromMillis(last), fromMillis(until)
			return err
		},
	}
}

// ExpireTries deletes what was not changed for long.
func (d *db) ExpireTries(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := d.exec(ctx, d.write, `DELETE FROM tries WHERE name IN (SELECT name FROM tries WHERE last < ? ORDER BY last LIMIT ?)`,
		toMillis(before), limit)
	if err != nil {
		return 0, fmt.Errorf("expire tries: %w", err)
	}
	return n, nil
}
