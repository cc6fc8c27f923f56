package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// print writes the tables, or one JSON object.
func (r *chainReport) print(w io.Writer, asJSON bool) error {
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

// markdown writes the tables of the launches.
func (r *chainReport) markdown(b *strings.Builder) {
	r.Full.markdown(b, "Launch chains")
	if len(r.Masks) == 0 {
		return
	}
	r.Poor.markdown(b, "Launch chains with a third of the command lines and all signatures missing: the worst mask")
	var rows [][]string
	for _, m := range r.Masks {
		rows = append(rows, []string{strconv.Itoa(m.Mask), strconv.Itoa(m.Found), fmt.Sprintf("%.3f", m.Recall), strconv.Itoa(m.Alerts)})
	}
	table(b, "The same under each mask", []string{"mask", "found", "recall", "false alerts"}, rows)
	fmt.Fprintf(b, "\nOver %d masks: recall %.3f in the mean (bar %.2f%s), %.3f under the worst; %.2f false alerts for each thousand launches.\n",
		len(r.Masks), r.poorRecall(), minPoorRecall, missedWord(r.poorRecall()), r.worstRecall(), r.poorAlerts())
}

// missedWord says of the bar of the poor form that it was missed.
func missedWord(recall float64) string {
	if recall < minPoorRecall {
		return ", missed"
	}
	return ""
}

func (r *chainReport) worstRecall() float64 {
	worst := 1.0
	for _, m := range r.Masks {
		worst = min(worst, m.Recall)
	}
	return worst
}

// maxListed bounds the lists of misses and false alerts; all stand in the JSON.
const maxListed = 60

func (c *conditions) markdown(b *strings.Builder, title string) {
	var rows [][]string
	for _, w := range c.By {
		rows = append(rows, []string{cell(w.Name), strconv.Itoa(w.N), strconv.Itoa(w.Found), share(w.Found, w.N)})
	}
	table(b, title, []string{"system and family", "chains", "found", "recall"}, rows)
	rows = nil
	for _, w := range c.Benign {
		rows = append(rows, []string{cell(w.Name), strconv.Itoa(w.Launches), strconv.Itoa(w.Alerts), fmt.Sprintf("%.1f", 1000*ratio(w.Alerts, w.Launches))})
	}
	bareTable(b, []string{"honest launches", "n", "false alerts", "for each thousand"}, rows)
	rows = nil
	for _, m := range c.Missed[:min(maxListed, len(c.Missed))] {
		rows = append(rows, []string{m.Chain, cell(m.About)})
	}
	if len(rows) > 0 {
		fmt.Fprintf(b, "\nMissed (%d of %d):\n", len(rows), len(c.Missed))
		bareTable(b, []string{"chain", "what it does"}, rows)
	}
	rows = nil
	for _, a := range c.Alerts[:min(maxListed, len(c.Alerts))] {
		rows = append(rows, []string{a.Chain, a.Level, strconv.Itoa(a.Score), strings.Join(a.Rules, ", "), cell(a.Command)})
	}
	if len(rows) > 0 {
		fmt.Fprintf(b, "\nFalse alerts (%d of %d):\n", len(rows), len(c.Alerts))
		bareTable(b, []string{"chain", "level", "score", "rules", "launch"}, rows)
	}
	fmt.Fprintf(b, "\nChain recall %.3f (bar %.2f), on families of no report %.3f; %.1f false alerts for each thousand of %d launches (bar %d); %d launches incomplete.\n",
		c.Recall, minChainRecall, c.Unseen, c.perThousand(), c.Launches, maxChainFalseAlerts, c.Incomplete)
}

// short is the sentence of the README.
func (r *chainReport) short(b *strings.Builder) {
	fmt.Fprintf(b, "\n%d recorded launch chains: **recall %.3f**, %.1f false alerts for each thousand of %d honest launches; with a third of the command lines and all signatures missing %.3f and %.1f in the mean of %d random thirds (bar %.2f%s).\n",
		r.Full.Chains, r.Full.Recall, r.Full.perThousand(), r.Full.Launches, r.poorRecall(), r.poorAlerts(), len(r.Masks), minPoorRecall, missedWord(r.poorRecall()))
}
