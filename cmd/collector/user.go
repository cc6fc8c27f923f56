package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"meetguard/internal/collect"
	"meetguard/internal/store"
)

func newUserCommand(stdout io.Writer) *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "user", Short: "Make, list and reset the accounts of people"}
	p.flags(cmd)
	cmd.AddCommand(newUserAdd(&p, stdout), newUserReset(&p, stdout), newUserList(&p, stdout))
	return cmd
}

// withServer runs do over a server that serves nobody.
func (p *place) withServer(ctx context.Context, do func(*collect.Server) error) error {
	return p.withStore(ctx, func(_ collect.Settings, st store.Store) error {
		secret, err := collect.OpenSecret(ctx, st)
		if err != nil {
			return err
		}
		srv, err := collect.NewServer(collect.Config{Store: st, Log: slog.New(slog.DiscardHandler), Secret: secret, Version: version})
		if err != nil {
			return err
		}
		return do(srv)
	})
}

func newUserAdd(p *place, stdout io.Writer) *cobra.Command {
	var role string
	var groups []string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make an account and print its first password",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withServer(cmd.Context(), func(srv *collect.Server) error {
				password, err := srv.AddAccount(cmd.Context(), args[0], role, groups)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(stdout, password)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", "viewer", "viewer, analyst, fleet-admin or admin")
	cmd.Flags().StringSliceVar(&groups, "group", nil, "group of agents that the person is limited to; may be given many times")
	return cmd
}

func newUserReset(p *place, stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "reset NAME",
		Short: "Give an account a new first password, without its second factor",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withServer(cmd.Context(), func(srv *collect.Server) error {
				password, err := srv.ResetAccount(cmd.Context(), args[0])
				if err != nil {
					return fmt.Errorf("reset account %q: %w", args[0], err)
				}
				_, err = fmt.Fprintln(stdout, password)
				return err
			})
		},
	}
}

func newUserList(p *place, stdout io.Writer) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts of people",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd.Context(), func(_ collect.Settings, st store.Store) error {
				all, err := st.Users(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(stdout).Encode(all)
				}
				w := tabwriter.NewWriter(stdout, 0, 4, 2, ' ', 0)
				fmt.Fprintln(w, "NAME\tROLE\tGROUPS\tLAST LOG-IN\tSTATE")
				for _, u := range all {
					state := "good"
					if u.Disabled {
						state = "disabled"
					}
					groups := strings.Join(u.Groups, ", ")
					if groups == "" {
						groups = "all"
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", u.Name, u.Role, groups, date(u.LastLogin), state)
				}
				return w.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
