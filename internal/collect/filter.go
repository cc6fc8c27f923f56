package collect

import (
	"meetguard"
	"meetguard/internal/store"
)

// levels are the values of the filter "level", the gravest first.
var levels = []string{
	string(meetguard.Malicious), string(meetguard.Suspicious), string(meetguard.Incomplete), string(meetguard.Clean),
}

// statuses are the states of triage.
var statuses = []string{store.StatusNew, store.StatusInProgress, store.StatusSuppressed, store.StatusClosed}

// dispositions are what an alert is closed as.
var dispositions = []string{store.TruePositive, store.FalsePositive, store.Authorised, store.Testing}

// filterKeys are the keys of a query that chooses alerts.
var filterKeys = []string{
	"limit", "cursor", "level", "status", "brand", "rule", "host", "agent", "group", "sha256", "user", "source_host",
	"finding", "disposition", "assignee", "exception", "text", "since", "until", "min_score",
}

// parseFilter reads the filter of a list of alerts from a query.
func parseFilter(rawQuery string) (store.Filter, error) {
	return filterOf(readQuery(rawQuery, filterKeys...))
}

func filterOf(q *query) (store.Filter, error) {
	f := store.Filter{
		Levels:      q.list("level", levels),
		Statuses:    q.list("status", statuses),
		Brand:       q.text("brand"),
		Rule:        q.text("rule"),
		Hostname:    q.text("host"),
		AgentUID:    q.text("agent"),
		Group:       q.text("group"),
		SHA256:      q.text("sha256"),
		User:        q.text("user"),
		Host:        q.text("source_host"),
		Key:         q.text("finding"),
		Disposition: q.choice("disposition", dispositions),
		Assignee:    q.text("assignee"),
		Exception:   q.text("exception"),
		Text:        q.text("text"),
		Since:       q.time("since"),
		Until:       q.time("until"),
		MinScore:    q.number("min_score", 0, 100, 0),
		Before:      q.cursor(),
		Limit:       q.limit(),
	}
	return f, q.err
}
