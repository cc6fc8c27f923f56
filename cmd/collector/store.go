package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"meetguard/internal/collect"
	"meetguard/internal/store"
)

func newStoreCommand(stdout, stderr io.Writer) *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "store", Short: "Back up, restore, move or distribute what the collector keeps"}
	p.flags(cmd)
	cmd.AddCommand(newBackup(&p, stdout), newRestore(&p, stderr), newMove(stderr), newDistribute(&p))
	return cmd
}

func newBackup(p *place, stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: `Write everything into one file, "-" for the output; the collector may serve meanwhile`,
		Long:  "Write everything into one file, the certificate authority and the hashes of passwords included: keep it as you keep keys.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(_ collect.Settings, st store.Store) error {
				if args[0] == "-" {
					return store.Backup(cmd.Context(), st, stdout, time.Now())
				}
				return backupFile(cmd.Context(), st, args[0])
			})
		},
	}
}

// backupFile writes beside the file and gives it its name when it is whole.
func backupFile(ctx context.Context, st store.Store, path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part") // for its owner only
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	defer os.Remove(f.Name())
	err = store.Backup(ctx, st, f, time.Now())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return os.Rename(f.Name(), path)
}

func newRestore(p *place, stderr io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: `Read a backup into an empty store, "-" for the input`,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("read backup: %w", err)
				}
				defer f.Close()
				in = f
			}
			return p.withStore(cmd.Context(), func(_ collect.Settings, st store.Store) error {
				return store.Restore(cmd.Context(), st, in, func(table string, rows int64) { fmt.Fprintln(stderr, table, rows) })
			})
		},
	}
}

func newMove(stderr io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "move FROM TO",
		Short: "Copy one store into another, as sqlite:PATH into postgres://…; what was cut off is gone on with",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			from, err := store.Open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, from.Close()) }()
			to, err := store.Open(cmd.Context(), args[1])
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, to.Close()) }()
			return store.Move(cmd.Context(), from, to, func(table string, done, total int64) { fmt.Fprintf(stderr, "%s %d of %d\n", table, done, total) })
		},
	}
}

func newDistribute(p *place) *cobra.Command {
	return &cobra.Command{
		Use:   "distribute",
		Short: "Spread the tables of a PostgreSQL with Citus over its nodes; once",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd.Context(), func(_ collect.Settings, st store.Store) error {
				pg, ok := st.(*store.Postgres)
				if !ok {
					return errors.New("distribute: only a PostgreSQL can be distributed; name one with --store postgres://…")
				}
				return pg.DistributeCitus(cmd.Context())
			})
		},
	}
}
