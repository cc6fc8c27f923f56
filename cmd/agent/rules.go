package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"meetguard/internal/agent"
	"meetguard/internal/config"
)

func (a *app) rulesCommand() *cobra.Command {
	c := &cobra.Command{Use: "rules", Short: "List, verify and try the rules", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.rulesList(), a.rulesVerify(), a.rulesTest())
	return c
}

func (a *app) rulesList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List every rule: those of the judge and those in YARA",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			all, err := a.allRules()
			if err != nil {
				return err
			}
			if asJSON {
				for _, r := range all {
					if err := a.printJSON(r); err != nil {
						return err
					}
				}
				return nil
			}
			w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
			for _, r := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", r.ID, r.Kind, r.Technique, r.Weight, r.Description)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON Lines")
	return c
}

func (a *app) allRules() ([]agent.Rule, error) {
	cfg, err := config.Load("")
	if err != nil {
		return nil, err
	}
	in, err := a.inspector(cfg, 1)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return in.AllRules(a.ctx)
}

func (a *app) rulesVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [PATH…]",
		Short: "Compile rule files and say what is wrong with them, by file and line",
		Long:  "Without a path the rules inside this program are verified. Exit code 1: a file has a problem.",
		RunE: func(_ *cobra.Command, paths []string) error {
			if len(paths) == 0 {
				all, err := a.allRules()
				if err != nil {
					return err
				}
				fmt.Fprintf(a.out, "%d rules, no problem\n", len(all))
				return nil
			}
			problems, warnings, files, err := agent.VerifyRules(paths)
			if err != nil {
				return err
			}
			for _, w := range warnings {
				fmt.Fprintln(a.out, "warning:", w)
			}
			for _, p := range problems {
				fmt.Fprintln(a.out, "problem:", p)
			}
			fmt.Fprintf(a.out, "%d files, %d problems, %d warnings\n", files, len(problems), len(warnings))
			if files == 0 {
				return errors.New("no *.yar file there")
			}
			if len(problems) > 0 {
				return errFound
			}
			return nil
		},
	}
}

func (a *app) rulesTest() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "test RULES PATH…",
		Short: "Scan files with a rule file or a folder of them beside the rules inside",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return errors.New("name a rule file or folder, and files to try it on")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			in, err := a.inspector(config.Config{Rules: args[0]}, 1)
			if err != nil {
				return err
			}
			defer in.Close()
			t := &teller{app: a, json: asJSON}
			if err := in.Scan(a.ctx, args[1:], 1, t.tell); err != nil {
				return err
			}
			if t.found > 0 || t.incomplete > 0 {
				return errFound
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON Lines")
	return c
}
