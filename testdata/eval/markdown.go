package main

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// markdown writes the report as tables.
func (r *report) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "# Evaluation\n\n%d lures: %d found (recall %.3f), %d of them malicious; %d incomplete, which counts as not found. Recall on shapes that no report describes: %.3f.\n",
		r.Lures, r.Found, r.Recall, r.Malicious, r.Incomplete, r.Unseen)
	fmt.Fprintf(b, "Of %d further lures that no rule was mended with, %d are found (%.3f).\n", r.HeldOut, r.HeldOutFound, ratio(r.HeldOutFound, r.HeldOut))
	for _, by := range []string{"family", "platform", "wrapper", "language", "obfuscation"} {
		r.recallTable(b, by)
	}
	r.leftOutTable(b)
	r.missedTable(b)
	r.treeTables(b)
	r.ruleTable(b)
	if r.Chains != nil {
		r.Chains.markdown(b)
	}
	verdict := "FAILED"
	if r.Passed {
		verdict = "passed"
	}
	fmt.Fprintf(b, "\nBars: recall ≥ %.2f (%.3f), on every left-out family ≥ %.2f (least %.3f), false alerts ≤ %d (%d among %d clean files): %s.\n",
		minRecall, r.Recall, minLeftOut, r.leastLeftOut(), maxFalseAlerts, r.falseAlerts(), r.cleanFiles(), verdict)
}

// table writes a table below a heading.
func table(b *strings.Builder, title string, head []string, rows [][]string) {
	fmt.Fprintf(b, "\n## %s\n", title)
	bareTable(b, head, rows)
}

// bareTable writes a table whose columns are aligned, to be read as it is.
func bareTable(b *strings.Builder, head []string, rows [][]string) {
	width := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	b.WriteByte('\n')
	line := func(row []string) {
		for i, c := range row {
			b.WriteString("| " + c + strings.Repeat(" ", width[i]-utf8.RuneCountInString(c)) + " ")
		}
		b.WriteString("|\n")
	}
	line(head)
	for _, w := range width {
		b.WriteString("|-" + strings.Repeat("-", w) + "-")
	}
	b.WriteString("|\n")
	for _, row := range rows {
		line(row)
	}
}

func (r *report) recallTable(b *strings.Builder, by string) {
	var rows [][]string
	for _, w := range r.By[by] {
		rows = append(rows, []string{cell(w.Name), strconv.Itoa(w.N), strconv.Itoa(w.Found), share(w.Found, w.N), strconv.Itoa(w.Malicious), strconv.Itoa(w.Incomplete)})
	}
	table(b, "Recall by "+by, []string{by, "n", "found", "recall", "malicious", "incomplete"}, rows)
}

func share(a, b int) string { return fmt.Sprintf("%.2f", ratio(a, b)) }

func (r *report) leftOutTable(b *strings.Builder) {
	var rows [][]string
	for _, l := range r.LeftOut {
		rows = append(rows, []string{l.Family, strconv.Itoa(l.Lures), share(l.Before, l.Lures), strconv.Itoa(l.Off), share(l.Found, l.Lures), strconv.Itoa(l.Naming), share(l.Strictly, l.Lures)})
	}
	table(b, "One family left out", []string{"family", "n", "recall with all rules", "rules made from it", "recall without them", "rules that name it at all", "recall without these"}, rows)
}

// maxMissed bounds the list of missed lures; all of them stand in the JSON.
const maxMissed = 200

func (r *report) missedTable(b *strings.Builder) {
	if len(r.Missed) == 0 {
		return
	}
	var rows [][]string
	for _, m := range r.Missed[:min(maxMissed, len(r.Missed))] {
		rows = append(rows, []string{m.Folder + "/" + cell(m.Name), m.Family, m.Language, m.Obfuscation, m.Wrapper, m.Level, strconv.Itoa(m.Score), strings.Join(m.Rules, ", ")})
	}
	table(b, fmt.Sprintf("Missed (%d of %d)", len(rows), len(r.Missed)), []string{"specimen", "family", "language", "hidden by", "wrapper", "level", "score", "rules"}, rows)
}

func (r *report) treeTables(b *strings.Builder) {
	var rows, alarms, reasons [][]string
	for _, t := range r.Trees {
		rows = append(rows, []string{cell(t.Name), strconv.Itoa(t.Units), strconv.Itoa(len(t.Alerts)), strconv.Itoa(t.Incomplete)})
		for _, a := range t.Alerts {
			alarms = append(alarms, []string{cell(a.Path), a.Level, strconv.Itoa(a.Score), strings.Join(a.Rules, ", ")})
		}
		reasons = append(reasons, t.reasonRows()...)
	}
	table(b, "Clean trees", []string{"tree", "units", "false alerts", "incomplete"}, rows)
	if len(alarms) > 0 {
		table(b, "False alerts", []string{"path", "level", "score", "rules"}, alarms)
	}
	if len(reasons) > 0 {
		table(b, "Why clean files are incomplete", []string{"tree", "n", "reason"}, reasons)
	}
}

// reasonRows are the reasons of a tree, the most frequent first.
func (t *tree) reasonRows() [][]string {
	var why []string
	for reason := range t.Reasons {
		why = append(why, reason)
	}
	sort.Slice(why, func(i, j int) bool {
		a, b := t.Reasons[why[i]], t.Reasons[why[j]]
		return a > b || a == b && why[i] < why[j]
	})
	var rows [][]string
	for _, reason := range why {
		rows = append(rows, []string{cell(t.Name), strconv.Itoa(t.Reasons[reason]), cell(reason)})
	}
	return rows
}

func (r *report) ruleTable(b *strings.Builder) {
	var rows [][]string
	var silent, questioned []string
	for _, u := range r.Rules {
		rows = append(rows, []string{u.Rule, strconv.Itoa(u.Fires), strconv.Itoa(u.Alone), strconv.Itoa(u.Honest)})
		switch {
		case u.Fires == 0:
			silent = append(silent, u.Rule)
		case u.Questioned:
			questioned = append(questioned, u.Rule)
		}
	}
	table(b, "What each rule contributes", []string{"rule", "fires on lures", "only it catches", "fires on honest specimens"}, rows)
	fmt.Fprintf(b, "\nQuestioned, because they never fired: %s.\n", strings.Join(silent, ", "))
	fmt.Fprintf(b, "\nQuestioned, because they catch nothing alone: %s.\n", strings.Join(questioned, ", "))
}

// cell makes text fit for a table on a terminal.
func cell(s string) string {
	q := fmt.Sprintf("%+q", s)
	q = q[1 : len(q)-1]
	return strings.ReplaceAll(strings.ReplaceAll(q, `\"`, `"`), "|", `\|`)
}
