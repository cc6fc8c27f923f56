package collect

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"time"

	"meetguard/internal/store"
)

// Bounds of one batch.
const (
	MaxBody   = 8 << 20  // bytes on the wire
	MaxBatch  = 32 << 20 // bytes unpacked
	MaxAlerts = 1000     // records

	maxHeartbeat = 64 << 10 // bytes
)

// Admission: how many batches are unpacked at the same time, which bounds the
// memory that senders can make us use, and how many may wait for that. Whoever
// comes beyond is told to come later.
const (
	maxUnpacking = 8
	maxWaiting   = 256
)

// intakeRoutes are those of agents.
func (s *Server) intakeRoutes() []route {
	return []route{
		{"POST", "/v1/agent/batch", device(), MaxBody, s.postBatch},
		{"POST", "/v1/agent/enroll", public(), maxEnrolment, s.postEnroll},
		{"POST", "/v1/agent/renew", device(), maxEnrolment, s.postRenew},
	}
}

// batchRequest is the body of POST /v1/agent/batch. Unknown keys are ignored,
// so that a newer agent can talk to an older collector.
type batchRequest struct {
	Agent     store.Agent     `json:"agent"`
	Heartbeat json.RawMessage `json:"heartbeat"`
	Alerts    rawList         `json:"alerts"`
}

type batchResponse struct {
	Results     []store.Result `json:"results"` // one for each alert, in order
	NextCheckin int            `json:"next_checkin_s"`
}

func (s *Server) postBatch(w http.ResponseWriter, r *http.Request) {
	b, err := s.readBatch(r)
	if err != nil {
		s.metrics.batches.WithLabelValues("refused").Inc()
		s.fail(w, r, err)
		return
	}
	results, err := s.take(r.Context(), b, callerOf(r))
	if err != nil {
		s.metrics.batches.WithLabelValues("error").Inc()
		s.fail(w, r, err)
		return
	}
	s.metrics.count(results)
	s.logRejected(b.Agent.UID, results)
	writeJSON(w, batchResponse{Results: results, NextCheckin: int(s.pace.interval() / time.Second)})
}

// readBatch reads, unpacks and judges a batch. The place to unpack is asked for
// only when the body is here, so that a slow sender holds up nobody.
func (s *Server) readBatch(r *http.Request) (store.Batch, error) {
	packed, err := isGzip(r.Header)
	if err != nil {
		return store.Batch{}, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return store.Batch{}, readError(err)
	}
	if err := s.enter(r.Context()); err != nil {
		return store.Batch{}, err
	}
	defer s.leave()
	b, err := decodeBatch(body, packed)
	if err != nil {
		return store.Batch{}, err
	}
	b.ReceivedAt = s.now()
	dateNotes(b)
	if who := callerOf(r); who.Kind == agent {
		b.Agent.UID = who.Agent.UID // what the body says of itself is a label
	}
	if b.Beat != nil {
		b.Beat.Agent, b.Beat.At = b.Agent, b.ReceivedAt
	}
	return b, nil
}

// take stores a batch. A heartbeat alone is kept for the next second and stored
// with others; what is lost of it in a crash comes again with the next one.
func (s *Server) take(ctx context.Context, b store.Batch, who caller) ([]store.Result, error) {
	if who.Kind == open { // nobody has enrolled: any agent of this machine may report
		if err := s.store.Admit(ctx, b.Agent, DefaultGroup, b.ReceivedAt); err != nil {
			return nil, err
		}
	}
	if b.Beat == nil && len(b.Records) == 0 {
		return []store.Result{}, nil
	}
	known, err := s.logState(ctx, b, who)
	if err != nil {
		return nil, err
	}
	at, found := followLog(known, b.Records, b.Beat)
	clones, err := s.watchClone(ctx, who.Agent, b.Beat)
	if err != nil {
		return nil, err
	}
	if err := s.alarm(ctx, b.Agent, append(found, clones...)...); err != nil {
		return nil, err
	}
	if len(b.Records) == 0 {
		b.Beat.Log = &at // kept with the heartbeat
		s.beats.add(*b.Beat)
		return []store.Result{}, nil
	}
	if waiting, ok := s.beats.drop(b.Agent.UID); ok && b.Beat == nil {
		b.Beat = &waiting // older than the records, so that it must not come after them
		b.Beat.Log = nil
	}
	b.Log = &at
	done := s.timed("save")
	results, err := s.store.Save(ctx, b)
	done()
	if err != nil {
		return nil, err
	}
	return results, s.alarm(ctx, b.Agent, conflicts(b.Records, results)...)
}

// logState is what is known of the agent's log, the heartbeat that still waits
// to be stored included.
func (s *Server) logState(ctx context.Context, b store.Batch, who caller) (store.LogState, error) {
	known := who.Agent.Log
	if who.Kind != agent {
		var err error
		if known, err = s.store.LogState(ctx, b.Agent.UID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return store.LogState{}, err
		}
	}
	if waiting, ok := s.beats.log(b.Agent.UID); ok {
		known.Seq, known.Head = waiting.Seq, waiting.Head
	}
	return known, nil
}

// conflicts are the records whose uid held another one.
func conflicts(records []store.Record, results []store.Result) []breach {
	var found []breach
	for i, r := range results {
		if r.Status == store.Rejected && r.Reason == store.ReasonConflict && i < len(records) {
			found = append(found, breach{ruleConflict, r.UID + " " + records[i].Digest,
				"The alert " + r.UID + " was stored before with other contents. The first version is kept, the second one stands among the conflicts."})
		}
	}
	return found
}

// enter waits for a place to unpack a batch; if too many wait it refuses.
func (s *Server) enter(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	default:
	}
	if s.waiting.Add(1) > maxWaiting {
		s.waiting.Add(-1)
		s.metrics.refused.Inc()
		return errBusy()
	}
	defer s.waiting.Add(-1)
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Server) leave() { <-s.slots }

// errBusy sends an agent away for a while, each for another one.
func errBusy() error { return &tooMany{after: 5*time.Second + rand.N(55*time.Second)} }

// logRejected leaves a trace of what was refused. The reasons are our own words
// and the uid is visible ASCII: nothing of a record is logged.
func (s *Server) logRejected(agentUID string, results []store.Result) {
	count := map[string]int{}
	for _, r := range results {
		if r.Status == store.Rejected {
			count[r.Reason]++
		}
	}
	for reason, n := range count {
		s.log.Warn("Records rejected", "agent", agentUID, "reason", reason, "count", n)
	}
}

// isGzip reads what the body is, and refuses what it cannot be.
func isGzip(h http.Header) (bool, error) {
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return false, refuse(http.StatusUnsupportedMediaType, "Content-Type must be application/json")
	}
	switch h.Get("Content-Encoding") {
	case "", "identity":
		return false, nil
	case "gzip":
		return true, nil
	}
	return false, refuse(http.StatusUnsupportedMediaType, "Content-Encoding must be gzip or absent")
}

func readError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return refuse(http.StatusRequestEntityTooLarge, "the body is too large")
	}
	return refuse(http.StatusBadRequest, "the body ended before it was complete")
}

func decodeBatch(body []byte, packed bool) (store.Batch, error) {
	if packed {
		var err error
		if body, err = unpack(body); err != nil {
			return store.Batch{}, err
		}
	}
	var req batchRequest
	if err := json.Unmarshal(body, &req); err != nil {
		return store.Batch{}, decodeError(err)
	}
	return req.batch()
}

// unpack bounds the unpacked size while it unpacks.
func unpack(packed []byte) ([]byte, error) {
	errBroken := refuse(http.StatusBadRequest, "the body is not valid gzip")
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, errBroken
	}
	body, err := io.ReadAll(io.LimitReader(zr, MaxBatch+1))
	if err != nil {
		return nil, errBroken
	}
	if len(body) > MaxBatch {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the unpacked body is larger than 32 MiB")
	}
	return body, nil
}

// decodeError tells what is wrong without repeating the sender's text.
func decodeError(err error) error {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused
	}
	return refuse(http.StatusBadRequest, `the body is not one JSON object with "agent" and "alerts"`)
}

// batch checks the envelope and judges the records.
func (q *batchRequest) batch() (store.Batch, error) {
	if !validUID(q.Agent.UID) {
		return store.Batch{}, refuse(http.StatusBadRequest, "agent.uid is missing or not 1 to 256 visible ASCII characters")
	}
	beat, err := parseBeat(q.Heartbeat)
	if err != nil {
		return store.Batch{}, err
	}
	b := store.Batch{Agent: cleaned(q.Agent), Beat: beat, Records: make([]store.Record, 0, len(q.Alerts))}
	for _, raw := range q.Alerts {
		b.Records = append(b.Records, ParseRecord(raw))
	}
	return b, nil
}

// cleaned returns the agent with labels that are fit for columns.
func cleaned(a store.Agent) store.Agent {
	a.Hostname = column(a.Hostname, maxLabel)
	a.OS = column(a.OS, maxLabel)
	a.Version = column(a.Version, maxLabel)
	a.RulesVersion = column(a.RulesVersion, maxLabel)
	return a
}

// rawList is a JSON array of at most MaxAlerts values. Its own decoder stops at
// the limit: a list of many tiny values would take far more memory than its text.
type rawList []json.RawMessage

// UnmarshalJSON decodes the array; too many members are a refusal.
func (l *rawList) UnmarshalJSON(raw []byte) error {
	*l = nil
	if string(raw) == "null" {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, err := dec.Token(); err != nil || open != json.Delim('[') {
		return refuse(http.StatusBadRequest, "alerts is not a list")
	}
	for dec.More() {
		if len(*l) == MaxAlerts {
			return refuse(http.StatusRequestEntityTooLarge, "more than 1000 alerts")
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return err
		}
		*l = append(*l, v)
	}
	return nil
}
