package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// The lines of the README between which the short report stands.
const (
	readmeBegin = "<!-- eval:begin -->\n"
	readmeEnd   = "<!-- eval:end -->\n"
)

// intoREADME replaces what stands between the two lines by the short report.
func (r *report) intoREADME(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(text, []byte(readmeBegin))
	_, after, ok2 := bytes.Cut(rest, []byte(readmeEnd))
	if !ok || !ok2 {
		return fmt.Errorf("%s has no lines %q and %q", file, readmeBegin, readmeEnd)
	}
	var b strings.Builder
	b.Write(before)
	b.WriteString(readmeBegin)
	r.short(&b)
	b.WriteString(readmeEnd)
	b.Write(after)
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// short writes the tables that a reader of the README needs.
func (r *report) short(b *strings.Builder) {
	fmt.Fprintf(b, "%d lures, %d found: **recall %.3f**. %d false alerts among %d clean files.\n",
		r.Lures, r.Found, r.Recall, r.falseAlerts(), r.cleanFiles())
	fmt.Fprintf(b, "Of %d further lures that no rule was mended with, %d are found: **%.3f**.\n\n", r.HeldOut, r.HeldOutFound, ratio(r.HeldOutFound, r.HeldOut))
	var rows [][]string
	for _, by := range []string{"family", "wrapper"} {
		rows = nil
		for _, w := range r.By[by] {
			rows = append(rows, []string{cell(w.Name), strconv.Itoa(w.N), strconv.Itoa(w.Found), share(w.Found, w.N)})
		}
		bareTable(b, []string{by, "lures", "found", "recall"}, rows)
	}
	rows = nil
	for _, l := range r.LeftOut {
		rows = append(rows, []string{l.Family, strconv.Itoa(l.Lures), share(l.Before, l.Lures), strconv.Itoa(l.Off), share(l.Found, l.Lures)})
	}
	bareTable(b, []string{"family left out", "lures", "recall with all rules", "rules switched off", "recall without them"}, rows)
	rows = nil
	for _, t := range r.Trees {
		rows = append(rows, []string{cell(t.shown()), strconv.Itoa(t.Units), strconv.Itoa(len(t.Alerts)), strconv.Itoa(t.Incomplete)})
	}
	bareTable(b, []string{"clean tree", "files", "false alerts", "incomplete"}, rows)
	if r.Chains != nil {
		r.Chains.short(b)
	}
}

// shown is the name of the tree without the folders of this machine.
func (t *tree) shown() string {
	if strings.HasSuffix(t.Name, "/pkg/mod") {
		return "Go module cache"
	}
	return t.Name
}
