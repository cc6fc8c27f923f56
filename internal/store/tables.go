package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// table is a table of the store with the columns of its primary key. All engines
// order keys by their bytes.
type table struct {
	name string
	key  []string
}

// tables are all tables, in the order in which they are copied. What must not be
// there alone comes late: alerts after their keys, so that a copy that was cut
// short never takes a record twice.
var tables = []table{
	{"settings", []string{"name"}},
	{"agents", []string{"agent_uid"}},
	{"credentials", []string{"agent_uid", "hash"}},
	{"tokens", []string{"id"}},
	{"users", []string{"id"}},
	{"sessions", []string{"hash"}},
	{"exceptions", []string{"id"}},
	{"alert_keys", []string{"agent_uid", "record_uid"}},
	{"alerts", []string{"agent_uid", "record_uid"}},
	{"alert_events", []string{"agent_uid", "record_uid", "id"}},
	{"conflicts", []string{"agent_uid", "record_uid", "digest"}},
	{"dead_letters", []string{"agent_uid", "digest"}},
	{"leases", []string{"name"}},
	{"cursors", []string{"name"}},
	{"jobs", []string{"id"}},
	{"audit", []string{"id"}},
	{"tries", []string{"name"}},
	{"counter", []string{"name"}},
}

// tableNamed returns the place of a table in tables, or -1.
func tableNamed(name string) int {
	for i, t := range tables {
		if t.name == name {
			return i
		}
	}
	return -1
}

// row is a row of a table: int64, string, []byte or nil for each column.
type row []any

// snapshot is one state of a store, whatever is written meanwhile.
type snapshot struct {
	d  *db
	tx *sql.Tx
}

// snapshot runs do in a transaction that only reads. Its caller may take its time
// between two queries.
func (d *db) snapshot(ctx context.Context, do func(snapshot) error) error {
	var options *sql.TxOptions // a transaction of SQLite sees one state anyway
	if d.dialect.numbered {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := d.read.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if d.dialect.numbered {
		if _, err := tx.ExecContext(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err != nil {
			return err
		}
	}
	return do(snapshot{d, tx})
}

// columns are the names of a table's columns.
func (s snapshot) columns(ctx context.Context, t table) ([]string, error) {
	rows, err := s.tx.QueryContext(ctx, `SELECT * FROM `+t.name+` WHERE 1 = 0`) // #nosec G202 -- a name of our own schema
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	return names, rows.Err()
}

func (s snapshot) count(ctx context.Context, t table) (n int64, err error) {
	w := t.copied()
	err = s.d.queryRow(ctx, s.tx, `SELECT count(*) FROM `+t.name+w.sql(), w.args...).Scan(&n)
	return n, err
}

// copied limits to the rows that belong to another store as well.
func (t table) copied() *where {
	w := &where{}
	w.add(t.name == "settings", "name <> ?", loadingSetting)
	return w
}

// page returns the next rows after a key, in the order of keys; nil is before all.
func (s snapshot) page(ctx context.Context, t table, columns []string, after row, limit int) ([]row, error) {
	key := strings.Join(t.key, ", ")
	w := t.copied()
	w.add(after != nil, "("+key+") > ("+marks(len(t.key))+")", after...)
	return list(ctx, s.d, s.tx, func(from scanner) (row, error) {
		r := make(row, len(columns))
		to := make([]any, len(columns))
		for i := range r {
			to[i] = &r[i]
		}
		err := from.Scan(to...)
		return r, err
	}, `SELECT `+strings.Join(columns, ", ")+` FROM `+t.name+w.sql()+` ORDER BY `+key+` LIMIT ?`, append(w.args, limit)...)
}

// each calls do with pages of all rows after a key.
func (s snapshot) each(ctx context.Context, t table, columns []string, after row, do func([]row) error) error {
	for {
		rows, err := s.page(ctx, t, columns, after, pageRows)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := do(rows); err != nil {
			return err
		}
		after = t.keyOf(columns, rows[len(rows)-1])
	}
}

// pageRows is the number of rows that are copied in one transaction.
const pageRows = 500

// keyOf returns the key of a row.
func (t table) keyOf(columns []string, r row) row {
	key := make(row, 0, len(t.key))
	for _, k := range t.key {
		for i, c := range columns {
			if c == k {
				key = append(key, r[i])
			}
		}
	}
	return key
}

// upsert is the statement that writes a row, over one with the same key.
func (t table) upsert(columns []string, r row) statement {
	sets := make([]string, len(columns))
	for i, c := range columns {
		sets[i] = c + " = excluded." + c
	}
	return statement{
		query: fmt.Sprintf(`INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (%s) DO UPDATE SET %s`,
			t.name, strings.Join(columns, ", "), marks(len(columns)), strings.Join(t.key, ", "), strings.Join(sets, ", ")),
		args: r,
	}
}
