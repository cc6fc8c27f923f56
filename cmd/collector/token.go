package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"meetguard/internal/collect"
	"meetguard/internal/store"
)

// withStore runs do over the opened store and closes it.
func (p *place) withStore(ctx context.Context, do func(collect.Settings, store.Store) error) (err error) {
	s, err := p.settings()
	if err != nil {
		return err
	}
	st, err := p.openStore(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return do(s, st)
}

func newTokenCommand(stdout io.Writer) *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "token", Short: "Make, list and revoke the tokens with which agents enrol"}
	p.flags(cmd)
	cmd.AddCommand(newTokenCreate(&p, stdout), newTokenList(&p, stdout), newTokenRevoke(&p))
	return cmd
}

func newTokenCreate(p *place, stdout io.Writer) *cobra.Command {
	var t store.Token
	var life time.Duration
	var url string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a token and print the line that enrols agents; it is shown once",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd.Context(), func(s collect.Settings, st store.Store) error {
				a, _, err := collect.OpenAuthority(cmd.Context(), st, s.CADir)
				if err != nil {
					return err
				}
				if err := s.ApplyTrust(a); err != nil {
					return err
				}
				if life <= 0 || t.MaxUses < 0 {
					return errors.New("make a token: --expires must be longer than nothing and --uses not below 0")
				}
				t.CreatedAt, t.CreatedBy = time.Now(), "command line"
				t.ExpiresAt = t.CreatedAt.Add(life)
				secret, err := collect.NewToken(cmd.Context(), st, t)
				if err != nil {
					return err
				}
				if url == "" {
					url = s.AgentURL()
				}
				line := a.EnrolLine(url, secret)
				if asJSON {
					return json.NewEncoder(stdout).Encode(map[string]any{"enrol": line, "group": t.Group, "expires_at": t.ExpiresAt, "max_uses": t.MaxUses})
				}
				_, err = fmt.Fprintln(stdout, line)
				return err
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&t.Group, "group", collect.DefaultGroup, "group of the agents")
	f.StringVar(&t.Note, "note", "", "what it is for")
	f.IntVar(&t.MaxUses, "uses", 0, "how many agents may use it, 0 for any number")
	f.DurationVar(&life, "expires", 7*24*time.Hour, "how long it can be used")
	f.StringVar(&url, "url", "", "where agents find the collector (default by the settings)")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newTokenList(p *place, stdout io.Writer) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List tokens; their secrets are not kept",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd.Context(), func(_ collect.Settings, st store.Store) error {
				all, err := st.Tokens(cmd.Context(), store.Everything)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(stdout).Encode(all)
				}
				w := tabwriter.NewWriter(stdout, 0, 4, 2, ' ', 0)
				fmt.Fprintln(w, "ID\tGROUP\tUSES\tEXPIRES\tLAST USED\tSTATE\tNOTE")
				for _, t := range all {
					uses := fmt.Sprint(t.Uses)
					if t.MaxUses > 0 {
						uses += fmt.Sprint("/", t.MaxUses)
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s %s\t%s\t%s\n", t.ID, t.Group, uses, t.ExpiresAt.Format(time.DateTime), date(t.LastUsed), t.LastBy, tokenState(t, time.Now()), t.Note)
				}
				return w.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func tokenState(t store.Token, now time.Time) string {
	switch {
	case !t.RevokedAt.IsZero():
		return "revoked"
	case now.After(t.ExpiresAt):
		return "expired"
	case t.MaxUses > 0 && t.Uses >= t.MaxUses:
		return "spent"
	}
	return "good"
}

func date(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.DateTime)
}

func newTokenRevoke(p *place) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "End a token; agents that used it stay",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(_ collect.Settings, st store.Store) error {
				if err := st.RevokeToken(cmd.Context(), store.Everything, args[0], time.Now()); err != nil {
					return fmt.Errorf("revoke token %s: %w", args[0], err)
				}
				return nil
			})
		},
	}
}
