package collect

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"meetguard/internal/exits"
	"meetguard/internal/store"
)

// Every metric that the dashboard and the alert rules show is really there.
func TestMetricsThatAreShown(t *testing.T) {
	f := newFleetSite(t, exits.Config{Name: "hook", Type: "webhook", URL: "http://127.0.0.1:1/", Insecure: true})
	a := f.enrolled()
	text, digest := logLine("r1", 1, "")
	a.want(200, "", "/v1/agent/batch", batch(beatOf(1, digest), text, `"poison"`))
	a.want(200, "", "/v1/agent/batch", batch(beatOf(1, digest)))
	f.srv.flushBeats(t.Context())
	f.srv.gaugeOnce(t.Context())
	f.srv.metrics.count([]store.Result{{Status: store.Rejected, Reason: store.ReasonConflict}, {Status: store.Duplicate}})
	f.srv.metrics.request("GET /", http.StatusOK, time.Millisecond)
	rec := httptest.NewRecorder()
	f.srv.MetricsHandler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	have := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (meetguard_collector_\w+)`).FindAllStringSubmatch(rec.Body.String(), -1) {
		have[m[1]] = true
	}
	for _, file := range []string{"grafana.json", "meetguard.rules.yml"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "installer", "monitoring", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`meetguard_collector_[a-z_]+[a-z]`).FindAllString(string(data), -1) {
			if base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, ""); !have[base] {
				t.Errorf("%s shows %s, which is not there", file, name)
			}
		}
	}
}
