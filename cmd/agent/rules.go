package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"meetguard/internal/agent"
	"meetguard/internal/alert"
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
		Use:     "list",
		Short:   "List every rule: those of the judge, in YARA and in Sigma",
		Example: "  meetguard rules list --json",
		Args:    cobra.NoArgs,
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
		Use:     "verify [PATH…]",
		Short:   "Compile rule files and say what is wrong with them, by file and line",
		Example: "  meetguard rules verify /srv/rules",
		Long: `Compiles each rule file alone, and says by file and line what cannot be used and
why, what is slow, and which files see one kind of content only. A folder is
searched for *.yar and *.yara, which are YARA, and for *.yml and *.yaml, which are
Sigma rules over launches. Ordinary public rules may be given.

Without a path the rules inside this program are verified, and held to their own
laws: metadata, bounded expressions, modules. Exit code 1: there is a problem.`,
		RunE: func(_ *cobra.Command, paths []string) error {
			check, err := agent.VerifyRules(paths)
			if err != nil {
				return err
			}
			if check.Files == 0 {
				return errors.New("no *.yar, *.yara, *.yml or *.yaml file there: name a rule file, or a folder of them")
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
		Use:     "test RULES PATH…",
		Short:   "Try a rule file, or a folder of them, on files or on recorded launches",
		Example: "  meetguard rules test own.yar ~/Downloads\n  meetguard rules test own.yml events.jsonl",
		Long: `Scans files with YARA rules beside the rules inside. With Sigma rules
(*.yml, *.yaml) it reads recorded launches instead, one JSON object a line in the
shape of "meetguard replay", and prints those that these rules match. Nothing
that a record names is opened.

Exit code 1: something matched.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return errors.New("name a rule file or folder, and files to try it on")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if agent.AreLaunchRules(args[0]) {
				return a.tryLaunchRules(args[0], args[1:], asJSON)
			}
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

func (a *app) tryLaunchRules(rules string, records []string, asJSON bool) error {
	in, err := a.inspector(config.Config{}, 1)
	if err != nil {
		return err
	}
	defer in.Close()
	read, matched := 0, 0
	for _, path := range records {
		n, err := in.TryLaunchRules(a.ctx, rules, path, func(t agent.Tried) error {
			matched++
			if asJSON {
				return a.printJSON(t)
			}
			exe, _ := alert.SafeText(t.Exe)
			_, err := fmt.Fprintf(a.out, "line %d: pid %d %s: %s\n", t.Line, t.PID, exe, strings.Join(t.Rules, ", "))
			return err
		})
		if err != nil {
			return err
		}
		read += n
	}
	if !asJSON {
		fmt.Fprintf(a.out, "%d of %d launches matched\n", matched, read)
	}
	if matched > 0 {
		return errFound
	}
	return nil
}
