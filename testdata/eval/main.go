// Command eval measures what the agent finds: recall on generated inert lures,
// by family, platform, wrapper and way of hiding, and false alerts on honest
// specimens and clean trees of this machine; and the same for recorded launch
// chains, which it replays.
//
// It counts as the contract does: suspicious and malicious are found, incomplete
// is neither found nor clean. To see how general the rules are, it also leaves
// out each family of reports in turn: all rules that were made from it.
//
// It exits with 1 if a bar was missed, and with 2 if it could not do its work.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The bars of the evaluation.
const (
	minRecall      = 0.99
	minLeftOut     = 0.90 // on every family whose rules are left out
	maxFalseAlerts = 0
)

type options struct {
	agent  string
	asJSON bool
	chains string
	clean  []string
	keep   string
	masks  int
	max    int

	noClean bool
	only    bool
	readme  string
}

func main() {
	var o options
	flag.StringVar(&o.agent, "agent", "bin/meetguard", "the agent to measure")
	flag.StringVar(&o.chains, "chains", "testdata/chains", "the folder of recorded launch chains")
	flag.BoolVar(&o.only, "only-chains", false, "only replay the launch chains: a glance while their rules are written")
	flag.IntVar(&o.masks, "masks", defaultMasks, "how many thirds of the command lines of the launch chains are left out, one after the other")
	flag.BoolVar(&o.asJSON, "json", false, "print one JSON object instead of tables")
	flag.Func("clean", "a tree in which nothing may alarm, may be given again (default: samples, system folders, Go modules)", func(dir string) error {
		o.clean = append(o.clean, dir)
		return nil
	})
	flag.StringVar(&o.keep, "keep", "", "write the specimens to this folder and keep them")
	flag.StringVar(&o.readme, "readme", "", "also put the short tables into this file")
	flag.BoolVar(&o.noClean, "no-clean", false, "leave out the clean trees: a glance while rules are written")
	flag.IntVar(&o.max, "max", 0, "look at no more than this many files of each clean tree, evenly chosen (0: all)")
	flag.Parse()
	if o.clean == nil && !o.noClean {
		o.clean = defaultTrees()
	}
	if o.only {
		os.Exit(onlyChains(o))
	}
	r, err := run(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "eval:", err)
		os.Exit(2)
	}
	if o.readme != "" {
		if err := r.intoREADME(o.readme); err != nil {
			fmt.Fprintln(os.Stderr, "eval:", err)
			os.Exit(2)
		}
	}
	if err := r.print(os.Stdout, o.asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "eval:", err)
		os.Exit(2)
	}
	if !r.Passed {
		os.Exit(1)
	}
}

// defaultTrees are the clean trees of this machine that are there.
func defaultTrees() []string {
	trees := []string{"build/samples", "build/corpora/npm", "build/corpora/deb", "/usr/lib", "/usr/share", "/usr/bin"}
	if out, err := exec.Command("go", "env", "GOMODCACHE").Output(); err == nil {
		trees = append(trees, string(bytes.TrimSpace(out)))
	}
	var there []string
	for _, dir := range trees {
		if fi, err := os.Stat(dir); err == nil && fi.IsDir() {
			there = append(there, dir)
		}
	}
	return there
}

// run writes the specimens, scans everything and counts.
func run(o options) (*report, error) {
	agent, err := filepath.Abs(o.agent)
	if err != nil {
		return nil, err
	}
	dir := o.keep
	if dir == "" {
		if err := os.MkdirAll("build/eval", 0o755); err != nil {
			return nil, err
		}
		if dir, err = os.MkdirTemp("build/eval", "run-"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
	}
	r, err := specimensReport(agent, dir)
	if err != nil {
		return nil, err
	}
	if r.LeftOut, err = leaveOut(agent, filepath.Join(dir, "lures"), r.lures, r.rules); err != nil {
		return nil, err
	}
	if r.Chains, err = judgeChains(agent, o.chains, dir, o.masks); err != nil {
		return nil, err
	}
	for _, tree := range o.clean {
		t, err := scanTree(agent, tree, o.max)
		if err != nil {
			return nil, err
		}
		r.Trees = append(r.Trees, t)
	}
	r.judge()
	return r, nil
}

// print writes the report as tables or as one JSON object.
func (r *report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	var b strings.Builder
	r.markdown(&b)
	_, err := io.WriteString(w, b.String())
	return err
}
