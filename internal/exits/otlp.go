package exits

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The JSON encoding of OTLP 1.x (opentelemetry-proto, collector/logs/v1 and
// logs/v1): names in lower camel case, 64-bit numbers as texts.
type (
	otlpRequest struct {
		ResourceLogs []otlpResourceLogs `json:"resourceLogs"`
	}
	otlpResourceLogs struct {
		Resource  otlpResource    `json:"resource"`
		ScopeLogs []otlpScopeLogs `json:"scopeLogs"`
	}
	otlpResource struct {
		Attributes []otlpAttribute `json:"attributes"`
	}
	otlpScopeLogs struct {
		Scope      otlpScope    `json:"scope"`
		LogRecords []otlpRecord `json:"logRecords"`
	}
	otlpScope struct {
		Name string `json:"name"`
	}
	otlpRecord struct {
		TimeUnixNano         string          `json:"timeUnixNano"`
		ObservedTimeUnixNano string          `json:"observedTimeUnixNano"`
		SeverityNumber       int             `json:"severityNumber"`
		SeverityText         string          `json:"severityText"`
		EventName            string          `json:"eventName"`
		Body                 otlpValue       `json:"body"`
		Attributes           []otlpAttribute `json:"attributes"`
	}
	otlpAttribute struct {
		Key   string    `json:"key"`
		Value otlpValue `json:"value"`
	}
	otlpValue struct {
		StringValue string `json:"stringValue"`
	}
)

type otlp struct {
	cfg      Config
	client   *client
	endpoint string
}

func newOTLP(cfg Config) (Exit, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := cfg.authorization("Bearer"); err != nil {
		return nil, err
	}
	endpoint := strings.TrimRight(cfg.URL, "/")
	if !strings.HasSuffix(endpoint, "/v1/logs") {
		endpoint += "/v1/logs"
	}
	return &otlp{cfg, c, endpoint}, nil
}

func (o *otlp) Name() string { return o.cfg.Name }

// Send posts the batch to /v1/logs. OTLP asks clients to give a batch up after
// an answer such as 500 or 404; this one keeps it, because an alert that is
// sent twice does less harm than one that is lost.
func (o *otlp) Send(ctx context.Context, items []Item) error {
	h, err := o.cfg.headers("Bearer", "application/json")
	if err != nil {
		return err
	}
	a, err := o.client.post(ctx, http.MethodPost, o.endpoint, h, encode(o.request(items)))
	if err != nil {
		return err
	}
	if a.code != http.StatusOK {
		return a.failure(o.cfg.secretKey())
	}
	return readPartial(a, len(items))
}

// readPartial reads ExportLogsServiceResponse. It does not say which records
// were rejected, so they can only be counted; OTLP forbids to send such a batch
// again. Only if nothing was taken is the batch looked at more closely.
func readPartial(a answer, n int) error {
	var got struct {
		PartialSuccess struct {
			Rejected json.RawMessage `json:"rejectedLogRecords"` // a text, by some receivers a number
			Message  string          `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if len(a.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(a.body, &got); err != nil {
		return &Failure{Words: a.host + " did not answer like an OTLP receiver: look at url"}
	}
	rejected, err := strconv.ParseInt(strings.Trim(string(got.PartialSuccess.Rejected), `"`), 10, 64)
	if err != nil || rejected <= 0 {
		return nil
	}
	bad := make([]Refusal, min(rejected, int64(n)))
	for i := range bad {
		bad[i].Reason = line(got.PartialSuccess.Message, maxWords)
	}
	return settle(n, bad)
}

// request groups what follows one another of one machine under one resource,
// which keeps the order.
func (o *otlp) request(items []Item) otlpRequest {
	var req otlpRequest
	for i, it := range items {
		v := open(it, o.cfg.naming())
		if i == 0 || items[i-1].AgentUID != it.AgentUID || items[i-1].Hostname != it.Hostname {
			req.ResourceLogs = append(req.ResourceLogs, otlpResourceLogs{
				Resource:  otlpResource{attributes("service.name", "meetguard", "host.name", v.host, "host.id", line(it.AgentUID, maxField))},
				ScopeLogs: []otlpScopeLogs{{Scope: otlpScope{"meetguard.alerts"}}},
			})
		}
		logs := &req.ResourceLogs[len(req.ResourceLogs)-1].ScopeLogs[0]
		logs.LogRecords = append(logs.LogRecords, record(v))
	}
	return req
}

func record(v view) otlpRecord {
	severity := otlpSeverity(v.item.Level)
	return otlpRecord{
		TimeUnixNano: nanos(v.time()), ObservedTimeUnixNano: nanos(v.item.ReceivedAt),
		SeverityNumber: severity.number, SeverityText: severity.text, EventName: "meetguard.alert",
		Attributes: append(attributes("mg_level", v.text("unmapped.mg_level"), "mg_brand", v.text("unmapped.mg_brand"),
			"mg_rule", v.text("unmapped.mg_rule"), "mg_sha256", v.text("unmapped.mg_sha256"), "mg_path", v.text("unmapped.mg_path"),
			"mg_source_host", v.text("unmapped.mg_source_host"), "mg_user", v.text("unmapped.mg_user")), v.attributes()...),
		Body: otlpValue{string(v.ocsf())},
	}
}

func (v view) attributes() []otlpAttribute {
	var out []otlpAttribute
	for _, f := range v.added() {
		out = append(out, attributes(f.key, f.value)...)
	}
	return out
}

// attributes makes a list from names and values in turn, without empty values.
func attributes(pairs ...string) []otlpAttribute {
	var out []otlpAttribute
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, otlpAttribute{pairs[i], otlpValue{pairs[i+1]}})
		}
	}
	return out
}

// nanos writes a time as OTLP does. 0 is unknown, and so is what lies beyond the
// year 2262, where nanoseconds end.
func nanos(t time.Time) string {
	ms := t.UnixMilli()
	if ms <= 0 || ms > int64(math.MaxInt64)/1e6 {
		return "0"
	}
	return strconv.FormatInt(ms, 10) + "000000"
}

type otlpLevel struct {
	number int // SeverityNumber of logs/v1
	text   string
}

func otlpSeverity(level string) otlpLevel {
	switch level {
	case "malicious":
		return otlpLevel{17, "ERROR"}
	case "suspicious":
		return otlpLevel{13, "WARN"}
	}
	return otlpLevel{9, "INFO"}
}
