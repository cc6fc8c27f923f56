package store

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// backupFormat is the first word of an archive, backupVersion its form.
const (
	backupFormat  = "meetguard-store"
	backupVersion = 1
)

// The lines of an archive, which is gzip of JSON Lines: a head, then for each
// table a line with its columns and a list for each row in the order of keys, and
// a foot with the number of rows, without which an archive has been cut.
type (
	archiveHead struct {
		Format  string    `json:"format"`
		Version int       `json:"version"`
		ID      string    `json:"id"`
		MadeAt  time.Time `json:"made_at"`
	}
	archiveTable struct {
		Table   string           `json:"table,omitempty"`
		Columns []string         `json:"columns,omitempty"`
		Rows    map[string]int64 `json:"rows,omitempty"` // of the foot
	}
)

// Backup writes everything that the store has at one moment (on a distributed
// PostgreSQL: one for each node), while it goes on working. Every engine writes the same form, and Restore reads it into any. It
// holds secrets, such as hashes of passwords: keep it as the store is kept.
func Backup(ctx context.Context, s Store, w io.Writer, now time.Time) error {
	d, err := baseOf(s)
	if err != nil {
		return err
	}
	if err := d.mustBeWhole(ctx); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	packed := gzip.NewWriter(w)
	a := &archive{out: bufio.NewWriter(packed)}
	a.line(archiveHead{backupFormat, backupVersion, NewID(), now.UTC()})
	err = d.snapshot(ctx, func(s snapshot) error { return a.write(ctx, s) })
	if err := errors.Join(err, a.err, a.out.Flush(), packed.Close()); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return nil
}

// baseOf returns the part that the engines share.
func baseOf(s Store) (*db, error) {
	b, ok := s.(interface{ base() *db })
	if !ok {
		return nil, fmt.Errorf("copy a store: no engine that can be copied (%T)", s)
	}
	return b.base(), nil
}

func (d *db) base() *db { return d }

// archive writes lines; the first error stays.
type archive struct {
	out *bufio.Writer
	err error
}

func (a *archive) line(v any) {
	if a.err != nil {
		return
	}
	var raw []byte
	if raw, a.err = json.Marshal(v); a.err == nil {
		_, a.err = a.out.Write(append(raw, '\n'))
	}
}

func (a *archive) write(ctx context.Context, s snapshot) error {
	foot := archiveTable{Rows: map[string]int64{}}
	for _, t := range tables {
		columns, err := s.columns(ctx, t)
		if err != nil {
			return err
		}
		a.line(archiveTable{Table: t.name, Columns: columns})
		err = s.each(ctx, t, columns, nil, func(rows []row) error {
			for _, r := range rows {
				a.line(toBytes(r))
			}
			foot.Rows[t.name] += int64(len(rows))
			return a.err
		})
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	a.line(foot)
	return a.err
}

// toBytes wraps bytes, so that they are told from texts.
func toBytes(r row) row {
	r = slices.Clone(r)
	for i, v := range r {
		if raw, ok := v.([]byte); ok {
			r[i] = map[string]string{"base64": base64.StdEncoding.EncodeToString(raw)}
		}
	}
	return r
}

func fromBytes(v map[string]any) ([]byte, error) {
	text, ok := v["base64"].(string)
	if !ok {
		return nil, errors.New("a value of a kind that no column has")
	}
	return base64.StdEncoding.DecodeString(text)
}

// Restore fills an empty store with what Backup wrote. One that was broken off
// goes on if it is run again with the same archive. progress may be nil.
func Restore(ctx context.Context, s Store, r io.Reader, progress func(table string, rows int64)) error {
	d, err := baseOf(s)
	if err == nil {
		err = restore(ctx, d, r, progress)
	}
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// errArchive refuses what Backup did not write, or not to its end.
var errArchive = errors.New("the archive is damaged, cut or none of this program")

func restore(ctx context.Context, d *db, r io.Reader, progress func(string, int64)) error {
	packed, err := gzip.NewReader(r)
	if err != nil {
		return errArchive
	}
	dec := json.NewDecoder(packed)
	dec.UseNumber()
	var head archiveHead
	if err := dec.Decode(&head); err != nil || head.Format != backupFormat {
		return errArchive
	}
	if head.Version > backupVersion {
		return errors.New("the archive was written by a newer version of this program")
	}
	l, err := newLoader(ctx, d, "archive "+head.ID)
	if err != nil {
		return err
	}
	reader := &archiveReader{loader: l, dec: dec, place: -1, progress: progress}
	foot, err := reader.read(ctx)
	if err != nil {
		return err
	}
	return l.finish(ctx, foot)
}

// archiveReader loads the lines of an archive.
type archiveReader struct {
	*loader
	dec      *json.Decoder
	place    int // of the current table
	columns  []string
	rows     []row // that wait for being written
	done     int64 // rows of the table
	progress func(string, int64)
}

// read reads to the foot and returns it.
func (a *archiveReader) read(ctx context.Context) (map[string]int64, error) {
	for {
		var line json.RawMessage
		if err := a.dec.Decode(&line); err != nil {
			return nil, errArchive
		}
		if line[0] == '[' {
			if err := a.row(ctx, line); err != nil {
				return nil, err
			}
			continue
		}
		if err := a.flush(ctx); err != nil {
			return nil, err
		}
		var t archiveTable
		if err := json.Unmarshal(line, &t); err != nil {
			return nil, errArchive
		}
		if t.Rows != nil {
			return t.Rows, a.end()
		}
		if err := a.table(ctx, t); err != nil {
			return nil, err
		}
	}
}

// end reads on to the checksum of gzip.
func (a *archiveReader) end() error {
	if _, err := a.dec.Token(); err != io.EOF {
		return errArchive
	}
	return nil
}

// table begins a table. A column that this store does not have comes from a newer
// version.
func (a *archiveReader) table(ctx context.Context, t archiveTable) error {
	place := tableNamed(t.Table)
	if place <= a.place {
		return fmt.Errorf("%w: table %q", errArchive, t.Table)
	}
	var have []string
	err := a.d.snapshot(ctx, func(s snapshot) (err error) {
		have, err = s.columns(ctx, tables[place])
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range t.Columns {
		if !slices.Contains(have, c) {
			return fmt.Errorf("%w: column %q of table %s", errArchive, c, t.Table)
		}
	}
	for _, k := range tables[place].key {
		if !slices.Contains(t.Columns, k) {
			return fmt.Errorf("%w: table %s has no %s", errArchive, t.Table, k)
		}
	}
	a.place, a.columns, a.done = place, t.Columns, 0
	return nil
}

// row takes a row, and writes when there are enough.
func (a *archiveReader) row(ctx context.Context, line []byte) error {
	var r row
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	if err := dec.Decode(&r); err != nil || a.place < 0 || len(r) != len(a.columns) {
		return errArchive
	}
	if err := numbers(r); err != nil {
		return fmt.Errorf("%w: %w", errArchive, err)
	}
	if a.passed(a.place, tables[a.place].keyOf(a.columns, r)) {
		a.done++
		return nil
	}
	if a.rows = append(a.rows, r); len(a.rows) < pageRows {
		return nil
	}
	return a.flush(ctx)
}

func (a *archiveReader) flush(ctx context.Context) error {
	if len(a.rows) > 0 {
		if err := a.load(ctx, a.place, a.columns, a.rows); err != nil {
			return fmt.Errorf("table %s: %w", tables[a.place].name, err)
		}
		a.done += int64(len(a.rows))
		a.rows = nil
	}
	if a.progress != nil && a.place >= 0 {
		a.progress(tables[a.place].name, a.done)
	}
	return nil
}

// Snapshot writes the store into a new SQLite file, while it goes on working. The
// file can be opened as it is, which makes it the quickest restore.
func (s *SQLite) Snapshot(ctx context.Context, path string) error {
	err := s.vacuumInto(ctx, path)
	if err != nil {
		return fmt.Errorf("back up into %q: %w", path, err)
	}
	return nil
}

// vacuumInto reads by a connection of its own: the writer would have to wait, and
// the readers may not write.
func (s *SQLite) vacuumInto(ctx context.Context, path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(abs, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return reason(err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	conn, err := sql.Open("sqlite", dsn(s.path, "mode=ro", "_busy_timeout=10000"))
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err = conn.ExecContext(ctx, `VACUUM INTO ?`, abs); err != nil {
		return errors.Join(err, os.Remove(abs))
	}
	return flush(abs)
}

// flush makes the file safe from a power cut.
func flush(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return reason(err)
	}
	return errors.Join(f.Sync(), f.Close())
}
