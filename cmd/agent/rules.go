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
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify [PATH…]",
		Short: "Compile rule files and say what is wrong with them, by file and line",
		Long: `Compiles each rule file alone, and says by file and line what cannot be used and
why, what is slow, and which files see one kind of content only. A folder is
searched for *.yar and *.yara. Ordinary public rules may be given.

Without a path the rules inside this program are verified, and held to their own
laws: metadata, bounded expressions, modules. Exit code 1: there is a problem.`,
		RunE: func(_ *cobra.Command, paths []string) error {
			check, err := agent.VerifyRules(paths)
			if err != nil {
				return err
			}
			if check.Files == 0 {
				return errors.New("no *.yar or *.yara file there: name a rule file, or a folder of them")
			}
			if asJSON {
				err = a.printJSON(check)
			} else {
				a.printCheck(check)
			}
			if err == nil && len(check.Problems) > 0 {
				err = errFound
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func (a *app) printCheck(check agent.RuleCheck) {
	for _, n := range check.Narrowed {
		fmt.Fprintln(a.out, "note:", n)
	}
	for _, w := range check.Warnings {
		fmt.Fprintln(a.out, "warning:", w)
	}
	for _, p := range check.Problems {
		fmt.Fprintln(a.out, "problem:", p)
	}
	fmt.Fprintf(a.out, "%d of %d files can be used (%d rules), %d problems, %d warnings\n", check.Usable, check.Files, check.Rules, len(check.Problems), len(check.Warnings))
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
