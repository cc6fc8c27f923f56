package main

import (
	"fmt"
	"sort"
	"strings"
)

// markdown writes the report as tables.
func (r *report) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "# Evaluation\n\n%d lures: %d found (recall %.3f), %d of them malicious; %d incomplete, which counts as not found. Recall on shapes that no report describes: %.3f.\n",
		r.Lures, r.Found, r.Recall, r.Malicious, r.Incomplete, r.Unseen)
	for _, by := range []string{"family", "platform", "wrapper", "language", "obfuscation"} {
		fmt.Fprintf(b, "\n## Recall by %s\n\n| %s | n | found | recall | malicious | missed |\n|---|---|---|---|---|---|\n", by, by)
		for _, w := range r.By[by] {
			fmt.Fprintf(b, "| %s | %d | %d | %.2f | %d | %s |\n", cell(w.Name), w.N, w.Found, ratio(w.Found, w.N), w.Malicious, missedIn(w, by))
		}
	}
	r.missedTable(b)
	r.treeTables(b)
	r.ruleTable(b)
	verdict := "FAILED"
	if r.Passed {
		verdict = "passed"
	}
	fmt.Fprintf(b, "\nBars: recall ≥ %.2f (%.3f), false alerts ≤ %d (%d): %s.\n", minRecall, r.Recall, maxFalseAlerts, r.falseAlerts(), verdict)
}

// missedIn names what was missed where the table is about families, and counts
// elsewhere.
func missedIn(w row, by string) string {
	if by != "family" || len(w.Missed) == 0 {
		return fmt.Sprint(len(w.Missed))
	}
	names := make([]string, len(w.Missed))
	for i, m := range w.Missed {
		names[i] = cell(m)
	}
	return strings.Join(names, "; ")
}

func (r *report) missedTable(b *strings.Builder) {
	if len(r.Missed) == 0 {
		return
	}
	b.WriteString("\n## Missed\n\n| specimen | family | language | hidden by | wrapper | level | score | rules |\n|---|---|---|---|---|---|---|---|\n")
	for _, m := range r.Missed {
		fmt.Fprintf(b, "| %s/%s | %s | %s | %s | %s | %s | %d | %s |\n", m.Folder, cell(m.Name), m.Family, m.Language, m.Obfuscation, m.Wrapper, m.Level, m.Score, strings.Join(m.Rules, ", "))
	}
}

func (r *report) treeTables(b *strings.Builder) {
	b.WriteString("\n## Clean trees\n\n| tree | units | false alerts | incomplete |\n|---|---|---|---|\n")
	for _, t := range r.Trees {
		fmt.Fprintf(b, "| %s | %d | %d | %d |\n", cell(t.Name), t.Units, len(t.Alerts), t.Incomplete)
	}
	for _, t := range r.Trees {
		for _, a := range t.Alerts {
			fmt.Fprintf(b, "\nFalse alert: %s (%s, %d): %s", cell(a.Path), a.Level, a.Score, strings.Join(a.Rules, ", "))
		}
		if len(t.Alerts) > 0 {
			b.WriteByte('\n')
		}
	}
	for _, t := range r.Trees {
		var why []string
		for reason := range t.Reasons {
			why = append(why, reason)
		}
		sort.Strings(why)
		for _, reason := range why {
			fmt.Fprintf(b, "\nIncomplete in %s, %d times: %s\n", cell(t.Name), t.Reasons[reason], cell(reason))
		}
	}
}

func (r *report) ruleTable(b *strings.Builder) {
	b.WriteString("\n## What each rule contributes\n\n| rule | fires on lures | alone | honest specimens |\n|---|---|---|---|\n")
	for _, u := range r.Rules {
		fmt.Fprintf(b, "| %s | %d | %d | %d |\n", u.Rule, u.Fires, u.Alone, u.Honest)
	}
}

// cell makes text fit for a table on a terminal.
func cell(s string) string {
	q := fmt.Sprintf("%+q", s)
	q = q[1 : len(q)-1]
	return strings.ReplaceAll(strings.ReplaceAll(q, `\"`, `"`), "|", `\|`)
}
