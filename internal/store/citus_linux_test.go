package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// citusStub stands in for Citus, which is no package of Debian: it takes down what
// is distributed, and refuses what create_distributed_table refuses.
const citusStub = `
CREATE TABLE pg_dist_partition (logicalrelid regclass, partkey text, colocated text);
CREATE FUNCTION create_distributed_table(relation regclass, col text, colocate_with text DEFAULT 'default') RETURNS void LANGUAGE plpgsql AS $$
DECLARE bad text;
BEGIN
	SELECT i.indexrelid::regclass::text INTO bad FROM pg_index i WHERE i.indrelid = relation AND i.indisunique AND NOT EXISTS (
		SELECT 1 FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum = ANY (i.indkey) AND a.attname = col);
	IF FOUND THEN RAISE EXCEPTION 'unique index % lacks the distribution column', bad; END IF;
	SELECT conname INTO bad FROM pg_constraint WHERE contype IN ('f', 'x') AND (conrelid = relation OR confrelid = relation);
	IF FOUND THEN RAISE EXCEPTION 'foreign key or exclusion %', bad; END IF;
	SELECT tgname INTO bad FROM pg_trigger WHERE tgrelid = relation;
	IF FOUND THEN RAISE EXCEPTION 'trigger %', bad; END IF;
	SELECT attname INTO bad FROM pg_attribute WHERE attrelid = relation AND (attidentity <> '' OR attgenerated <> '');
	IF FOUND THEN RAISE EXCEPTION 'identity or generated column %', bad; END IF;
	SELECT pg_get_expr(adbin, adrelid) INTO bad FROM pg_attrdef WHERE adrelid = relation AND pg_get_expr(adbin, adrelid) LIKE '%(%';
	IF FOUND THEN RAISE EXCEPTION 'computed default %', bad; END IF;
	INSERT INTO pg_dist_partition VALUES (relation, col, colocate_with);
END $$`

// distributedURL returns the URL of an empty store with distributed tables.
func distributedURL(t *testing.T) string {
	t.Helper()
	url := newDatabase(t)
	p := openPostgres(t, url)
	if err := p.DistributeCitus(t.Context()); !errors.Is(err, errNoCitus) {
		t.Fatalf("without Citus: %v", err)
	}
	if _, err := p.pool.Exec(t.Context(), citusStub); err != nil {
		t.Fatal(err)
	}
	must(t, p.DistributeCitus(t.Context()))
	if err := p.DistributeCitus(t.Context()); !errors.Is(err, errDistributed) {
		t.Fatalf("for the second time: %v", err)
	}
	return url
}

func distributedTables(t *testing.T, p *Postgres) []string {
	t.Helper()
	names, err := list(t.Context(), &p.db, p.read, func(row scanner) (name string, err error) {
		var column string
		err = row.Scan(&name, &column)
		if column != "agent_uid" {
			t.Errorf("%s is distributed by %s", name, column)
		}
		return name, err
	}, `SELECT logicalrelid::text, partkey FROM pg_dist_partition ORDER BY 1`)
	must(t, err)
	return names
}

// TestCitusDistributes: what grows with the fleet is distributed, and a new table
// must be thought about.
func TestCitusDistributes(t *testing.T) {
	p := openPostgres(t, distributedURL(t))
	got := distributedTables(t, p)
	if want := []string{"agents", "alert_events", "alert_keys", "alerts", "conflicts", "dead_letters"}; !slices.Equal(got, want) {
		t.Errorf("distributed: %v, want %v", got, want)
	}
	for _, tab := range tables {
		if slices.Contains(tab.key, "agent_uid") && !slices.Contains(got, tab.name) && tab.name != "credentials" {
			t.Errorf("%s grows with the fleet and is not distributed", tab.name)
		}
	}
}

// watcher takes down the statements that go to the server.
type watcher struct {
	mu      sync.Mutex
	queries []string
}

func (w *watcher) add(query string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queries = append(w.queries, strings.Join(strings.Fields(query), " "))
}

func (w *watcher) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	w.add(data.SQL)
	return ctx
}
func (w *watcher) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (w *watcher) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (w *watcher) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	w.add(data.SQL)
}
func (w *watcher) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

var (
	namesAgent   = regexp.MustCompile(`WHERE (?:\w\.)?agent_uid = \$\d`)
	insertsAgent = regexp.MustCompile(`^INSERT INTO \w+ \(agent_uid, [^()]*\) VALUES \(\$1[,)]`)
)

// routed tells why Citus could not send a statement to one node, or "".
func routed(query string, distributed []string) string {
	touches := func(name string) bool {
		return regexp.MustCompile(`(FROM|INTO|UPDATE|JOIN) ` + name + `\b`).MatchString(query)
	}
	if !slices.ContainsFunc(distributed, touches) {
		return ""
	}
	switch {
	case strings.Count(query, "SELECT")+strings.Count(query, "INSERT")+strings.Count(query, "UPDATE ")+strings.Count(query, "DELETE") > 1:
		return "a statement in a statement"
	case strings.Contains(query, " JOIN ") || strings.Contains(query, " OR "):
		return "more than one agent"
	case strings.HasPrefix(query, "INSERT") && strings.Contains(query, "ON CONFLICT") && !strings.Contains(query, "DO NOTHING") && !strings.Contains(query, "ON CONFLICT (agent_uid"):
		return "a conflict on something else"
	case strings.HasPrefix(query, "INSERT") && !insertsAgent.MatchString(query):
		return "an insert without its agent"
	case !strings.HasPrefix(query, "INSERT") && !namesAgent.MatchString(query):
		return "no agent named"
	}
	return ""
}

func TestRouted(t *testing.T) {
	distributed := []string{"agents", "alerts"}
	for query, want := range map[string]string{
		"SELECT value FROM counter WHERE name = 'alerts'":                                "",
		"SELECT x FROM agents WHERE agent_uid = $1":                                      "",
		"SELECT x FROM agents AS a WHERE a.agent_uid = $1 FOR UPDATE":                    "",
		"SELECT x FROM agents WHERE hash = $1":                                           "no agent named",
		"SELECT x FROM agents WHERE agent_uid = $1 OR x = $2":                            "more than one agent",
		"UPDATE agents SET x = (SELECT max(y) FROM alerts) WHERE agent_uid = $1":         "a statement in a statement",
		"INSERT INTO alerts (id, agent_uid) VALUES ($1, $2)":                             "an insert without its agent",
		"INSERT INTO alerts (agent_uid, id) VALUES ($1, $2)":                             "",
		"INSERT INTO alerts (agent_uid, id) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE":  "a conflict on something else",
		"DELETE FROM alerts WHERE status = 'closed'":                                     "no agent named",
		"SELECT x FROM credentials c JOIN agents a ON a.agent_uid = c.agent_uid WHERE x": "more than one agent",
	} {
		if got := routed(query, distributed); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

// TestCitusRoutesTheHotPath: what is done for every batch, heartbeat and request
// of an agent, and for every alert that is changed or expires, goes to one node.
func TestCitusRoutesTheHotPath(t *testing.T) {
	url := distributedURL(t)
	cfg, err := poolConfig(url)
	must(t, err)
	seen := &watcher{}
	cfg.ConnConfig.Tracer = seen
	p, err := openPool(t.Context(), cfg)
	must(t, err)
	defer p.Close()
	ctx := t.Context()
	must(t, p.CreateToken(ctx, Token{ID: "t1", Group: "g", CreatedAt: arrival, ExpiresAt: arrival.Add(time.Hour)}, "hash-of-t1"))
	must(t, p.CreateException(ctx, Exception{ID: "e1", Rule: "hidden", CreatedAt: arrival, ExpiresAt: arrival.Add(time.Hour)}))
	seen.queries = nil

	admit(t, p, "g", "b")
	err = p.Enrol(ctx, newcomer("hash-of-t1", Agent{UID: "a"}, "m", Credential{Hash: "c1", Kind: "bearer"}), arrival)
	must(t, err)
	must(t, p.Renew(ctx, "a", AuditEntry{}, Credential{Hash: "c2", Kind: "bearer"}))
	_, _, err = p.Credential(ctx, "c2")
	must(t, err)
	b := batchOf("a", sample("r1"), sample("r1", with("forged")), sample("", refused("x")), sample("r2", about("x", "y", "hidden")))
	beat := beatOf("a", arrival)
	b.Beat = &beat
	save(t, p, b)
	must(t, p.Beat(ctx, []Beat{beatOf("b", arrival), beatOf("a", arrival)}))
	_, err = p.LogState(ctx, "a")
	must(t, err)
	_, err = p.MarkSilent(ctx, "a", arrival, arrival)
	must(t, err)
	_, err = p.LastSeq(ctx)
	must(t, err)
	hot := seen.queries
	seen.queries = nil
	triage(t, p, Change{Status: text(StatusClosed)}, "r1", "r2")
	_, err = p.Expire(ctx, arrival.Add(time.Hour), time.Time{}, 9)
	must(t, err)
	_, err = p.SetState(ctx, Everything, []string{"a"}, AgentRevoked, arrival)
	must(t, err)
	for _, q := range seen.queries { // these look for the agents first, at all nodes
		if !strings.HasPrefix(q, "SELECT agent_uid, record_uid FROM alerts WHERE") {
			hot = append(hot, q)
		}
	}

	distributed := distributedTables(t, p)
	met := map[string]bool{}
	for _, q := range hot {
		if why := routed(q, distributed); why != "" {
			t.Errorf("%s: %s", why, q)
		}
		for _, name := range distributed {
			if regexp.MustCompile(`(INTO|UPDATE) ` + name + `\b`).MatchString(q) {
				met[name] = true
			}
		}
	}
	if len(met) != len(distributed) {
		t.Errorf("of %d statements, writes were seen to %v only", len(hot), met)
	}
}

// TestCitusNumbers: with the lock that Citus takes, numbers still come in order,
// and reading by number waits for who takes them.
func TestCitusNumbers(t *testing.T) {
	url := distributedURL(t)
	p, other := openPostgres(t, url), openPostgres(t, url)
	if !p.ordered || p.fence == nil {
		t.Fatal("the store does not know that it is distributed")
	}
	admit(t, p, "g", "a", "b")
	var wg sync.WaitGroup
	for _, s := range []Store{p, other} {
		for _, uid := range []string{"a", "b"} {
			wg.Go(func() {
				for i := range 10 {
					save(t, s, batchOf(uid, sample(fmt.Sprint(base(t, s) == &p.db, i))))
				}
			})
		}
	}
	var seen int64
	for seen < 40 {
		all, err := p.Since(t.Context(), Everything, seen, 7)
		must(t, err)
		for _, a := range all {
			if a.Seq != seen+1 {
				t.Fatalf("alert %d was seen after %d", a.Seq, seen)
			}
			seen = a.Seq
		}
	}
	wg.Wait()
	last, err := other.LastSeq(t.Context())
	must(t, err)
	same(t, "last seq", last, int64(40))
}
