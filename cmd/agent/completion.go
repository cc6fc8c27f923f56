package main

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"meetguard"
	"meetguard/internal/agent"
	"meetguard/internal/alert"
	"meetguard/internal/config"
)

// maxOffered bounds how many alerts a shell offers: the newest.
const maxOffered = 50

// complete gives every command below root what a shell can offer for its flags
// and arguments. What cannot be listed offers nothing, and not the files of the
// folder.
func complete(root *cobra.Command) {
	values := map[string]cobra.CompletionFunc{
		"level": fixed(string(meetguard.Suspicious), string(meetguard.Malicious)), "status": fixed(alert.AckStates()...),
		"disposition": fixed(alert.Dispositions()...), "brand": offerBrands, "rule": offerRules, "format": fixed("jsonl", "csv"),
		"language": fixed(config.NoticeLanguages()...), "since": fixed("1h", "24h", "7d", "30d"), "timeout": fixed("30s", "1m"),
		"until": fixed(), "path": fixed(), "user": fixed(), "limit": fixed(), "note": fixed(), "collector": fixed(),
		"state": folders, "watch": folders, "dir": folders, "config": extensions("yaml", "yml"),
	}
	for _, c := range all(root) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if offer := values[f.Name]; offer != nil {
				_ = c.RegisterFlagCompletionFunc(f.Name, offer) // fails only if the command has one of its own
			}
		})
		switch c.CommandPath() {
		case "meetguard alerts show", "meetguard alerts ack":
			c.ValidArgsFunction = offerAlerts
		case "meetguard config validate":
			c.ValidArgsFunction = extensions("yaml", "yml")
		case "meetguard replay":
			c.ValidArgsFunction = extensions("jsonl", "json")
		}
	}
}

// all lists a command and everything below it.
func all(c *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		list = append(list, all(sub)...)
	}
	return list
}

func fixed(values ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveNoFileComp
	}
}

func extensions(ext ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return ext, cobra.ShellCompDirectiveFilterFileExt
	}
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// stateFolderOf is the state folder that a command line names, or the usual one.
func stateFolderOf(c *cobra.Command) (string, error) {
	if f := c.Flag("state"); f != nil {
		return stateFolder(f.Value.String())
	}
	return stateFolder("")
}

// offerAlerts lists the newest alerts by the beginnings of their uids, with what
// they are about. Without a state folder that can be read there are none.
func offerAlerts(c *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	const done = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	if len(args) > 0 && c.Name() == "show" {
		return nil, done
	}
	dir, err := stateFolderOf(c)
	if err != nil {
		return nil, done
	}
	var out []string
	for e, err := range alert.Read(dir, alert.Filter{UID: prefix, Limit: maxOffered, NewestFirst: true}) {
		if err != nil {
			break
		}
		uid := e.Record.Metadata.UID
		if short := uid[:min(len(uid), 8)]; strings.HasPrefix(short, prefix) {
			uid = short
		}
		if !slices.Contains(args, uid) {
			out = append(out, cobra.CompletionWithDesc(uid, e.Record.Message))
		}
	}
	return out, done
}

// offerBrands lists the ids of the catalogue, the operator's own included.
func offerBrands(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	e, err := config.LoadLayers(config.Inputs{Env: os.Environ()})
	if err != nil {
		e.Config = config.Default()
	}
	brands, _ := agent.Catalogue(e.Config)
	var out []string
	for _, b := range brands {
		out = append(out, cobra.CompletionWithDesc(b.ID, b.Name))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// offerRules lists the rules that alerts of this machine name: more of them
// would be found by nobody.
func offerRules(c *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	dir, err := stateFolderOf(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for e, err := range alert.Read(dir, alert.Filter{NewestFirst: true, Limit: 1000}) {
		if err != nil {
			break
		}
		if rule := e.Record.Unmapped.Rule; strings.HasPrefix(rule, prefix) && !slices.Contains(out, rule) {
			out = append(out, rule)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
