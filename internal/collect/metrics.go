package collect

import (
	"context"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"meetguard/internal/exits"
	"meetguard/internal/store"
)

// DefaultMetrics is the address of the listener for metrics.
const DefaultMetrics = "127.0.0.1:8766"

// metrics counts what the collector does. Labels are of closed sets only: never
// an agent, a host or text of a record.
type metrics struct {
	registry   *prometheus.Registry
	batches    *prometheus.CounterVec
	stored     prometheus.Counter
	duplicate  prometheus.Counter
	rejected   *prometheus.CounterVec
	beats      prometheus.Counter
	ingest     prometheus.Histogram
	requests   *prometheus.CounterVec
	refused    prometheus.Counter
	dead       prometheus.Counter
	conflicted prometheus.Counter
	agents     *prometheus.GaugeVec
	overdue    prometheus.Gauge
	inStore    *prometheus.HistogramVec
}

const metricsPrefix = "meetguard_collector_"

func newMetrics(version, engine string) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: metricsPrefix + name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: metricsPrefix + name, Help: help}, labels)
	}
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: metricsPrefix + name, Help: help}, labels)
	}
	m := &metrics{
		registry:   prometheus.NewRegistry(),
		batches:    counters("batches_total", "Batches of agents by how they were answered.", "result"),
		stored:     counter("alerts_stored_total", "Records stored."),
		duplicate:  counter("alerts_duplicate_total", "Records that were stored before."),
		rejected:   counters("alerts_rejected_total", "Records rejected.", "reason"),
		beats:      counter("heartbeats_total", "Heartbeats taken."),
		requests:   counters("http_requests_total", "Requests by route and class of answer.", "route", "code"),
		refused:    counter("admission_refused_total", "Requests sent away because the collector was full."),
		dead:       counter("dead_letters_total", "Records put into the dead letters."),
		conflicted: counter("conflicts_total", "Records whose uid was taken by another record."),
		agents:     gauges("agents", "Agents by state.", "state"),
		overdue:    prometheus.NewGauge(prometheus.GaugeOpts{Name: metricsPrefix + "agents_overdue", Help: "Agents that are silent past their promise."}),
		inStore: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: metricsPrefix + "store_seconds",
			Help: "Time in the store.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15)}, []string{"op"}),
		ingest: prometheus.NewHistogram(prometheus.HistogramOpts{Name: metricsPrefix + "ingest_seconds",
			Help: "A batch, from its first byte to the answer.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)}),
	}
	build := gauges("build_info", "Always 1.", "version", "go_version", "engine")
	build.WithLabelValues(version, runtime.Version(), engine).Set(1)
	m.registry.MustRegister(m.batches, m.stored, m.duplicate, m.rejected, m.beats, m.requests, m.refused, m.dead, m.conflicted,
		m.agents, m.overdue, m.inStore, m.ingest, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// count notes the answers to one batch.
func (m *metrics) count(results []store.Result) {
	m.batches.WithLabelValues("ok").Inc()
	for _, r := range results {
		switch {
		case r.Status == store.Stored:
			m.stored.Inc()
		case r.Status == store.Duplicate:
			m.duplicate.Inc()
		case r.Reason == store.ReasonConflict:
			m.conflicted.Inc()
			m.rejected.WithLabelValues(r.Reason).Inc()
		default:
			m.dead.Inc()
			m.rejected.WithLabelValues(r.Reason).Inc()
		}
	}
}

// request notes an answer; the route is its pattern, never the path.
func (m *metrics) request(route string, code int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(code/100)+"xx").Inc()
	if route == "POST /v1/agent/batch" {
		m.ingest.Observe(took.Seconds())
	}
}

// MetricsHandler answers a Prometheus server.
func (s *Server) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{})
}

// gaugeEvery is how often the numbers of the store are read.
const gaugeEvery = 15 * time.Second

// gauge keeps the gauges that come from the store, until ctx is done.
func (s *Server) gauge(ctx context.Context) error {
	tick := time.NewTicker(gaugeEvery)
	defer tick.Stop()
	for {
		s.gaugeOnce(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Server) gaugeOnce(ctx context.Context) {
	c, err := s.store.FleetCounts(ctx, store.Everything, s.now())
	if err != nil {
		return // readiness tells it
	}
	for state, n := range map[string]int{"active": c.Active, "stopped": c.Stopped, "suspended": c.Suspended, "revoked": c.Revoked, "cloned": c.Cloned} {
		s.metrics.agents.WithLabelValues(state).Set(float64(n))
	}
	s.metrics.overdue.Set(float64(c.Overdue))
}

// timed notes how long an operation of the store took.
func (s *Server) timed(op string) func() {
	start := time.Now()
	return func() { s.metrics.inStore.WithLabelValues(op).Observe(time.Since(start).Seconds()) }
}

// exitMetrics tells how the exits are.
type exitMetrics struct{ s *Server }

var (
	exitLabel   = []string{"exit"}
	exitLag     = prometheus.NewDesc(metricsPrefix+"exit_lag_seq", "Alerts that an exit has still before it.", exitLabel, nil)
	exitSent    = prometheus.NewDesc(metricsPrefix+"exit_sent_total", "Alerts that the receiver took.", exitLabel, nil)
	exitErrors  = prometheus.NewDesc(metricsPrefix+"exit_errors_total", "Tries that failed.", exitLabel, nil)
	exitRefused = prometheus.NewDesc(metricsPrefix+"exit_refused_total", "Alerts that the receiver refused for good.", exitLabel, nil)
)

func (x exitMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{exitLag, exitSent, exitErrors, exitRefused} {
		to <- d
	}
}

// Collect tells of the exits that this collector feeds; of the others the one
// that feeds them tells.
func (x exitMetrics) Collect(to chan<- prometheus.Metric) {
	for _, p := range x.s.pumps {
		h := p.Health()
		if h.State == exits.StateStandby {
			continue
		}
		to <- prometheus.MustNewConstMetric(exitLag, prometheus.GaugeValue, float64(h.Lag), h.Name)
		to <- prometheus.MustNewConstMetric(exitSent, prometheus.CounterValue, float64(h.Sent), h.Name)
		to <- prometheus.MustNewConstMetric(exitErrors, prometheus.CounterValue, float64(h.Errors), h.Name)
		to <- prometheus.MustNewConstMetric(exitRefused, prometheus.CounterValue, float64(h.Refused), h.Name)
	}
}
