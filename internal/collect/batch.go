package collect

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"meetguard/internal/store"
)

// Bounds of one batch.
const (
	MaxBody   = 8 << 20  // bytes on the wire
	MaxBatch  = 32 << 20 // bytes unpacked
	MaxAlerts = 1000     // records

	maxHeartbeat = 64 << 10 // bytes
)

// maxUnpacking is the number of batches that are unpacked at the same time:
// it bounds the memory that senders can make us use.
const maxUnpacking = 8

// nextCheckin is when an agent should come again, in seconds.
const nextCheckin = 60

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

// intakeRoutes are what agents call.
func (s *Server) intakeRoutes() []route {
	return []route{
		{"POST", "/v1/agent/batch", device(), MaxBody, s.postBatch},
	}
}

func (s *Server) postBatch(w http.ResponseWriter, r *http.Request) {
	results, err := s.receive(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, batchResponse{Results: results, NextCheckin: nextCheckin})
}

func (s *Server) receive(r *http.Request) ([]store.Result, error) {
	packed, err := isGzip(r.Header)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body) // bounded by the guard
	if err != nil {
		return nil, readError(err)
	}
	if err := s.enter(r.Context()); err != nil {
		return nil, err
	}
	defer s.leave()
	b, err := decodeBatch(body, packed)
	if err != nil {
		return nil, err
	}
	b.ReceivedAt = s.now()
	if c := callerOf(r); c.Kind == agent {
		b.Agent.UID = c.Agent.UID // what it says about itself is a label
	} else if err := s.store.Admit(r.Context(), b.Agent, "", b.ReceivedAt); err != nil {
		return nil, err
	}
	if b.Beat != nil {
		b.Beat.Agent, b.Beat.At, b.Beat.Interval = b.Agent, b.ReceivedAt, s.cfg.Interval
	}
	results, err := s.store.Save(r.Context(), b)
	if err == nil {
		s.logRejected(b.Agent.UID, results)
	}
	return results, err
}

// enter waits for a place to unpack a batch. It is asked for only when the body
// is here, so that a slow sender holds up nobody.
func (s *Server) enter(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Server) leave() { <-s.slots }

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
	heartbeat, err := q.heartbeat()
	if err != nil {
		return store.Batch{}, err
	}
	b := store.Batch{Agent: cleaned(q.Agent), Records: make([]store.Record, 0, len(q.Alerts))}
	if heartbeat != nil {
		b.Beat = &store.Beat{Agent: b.Agent, Body: heartbeat}
	}
	for _, raw := range q.Alerts {
		b.Records = append(b.Records, ParseRecord(raw))
	}
	return b, nil
}

// heartbeat is free in its content, but must be an object and small.
func (q *batchRequest) heartbeat() (json.RawMessage, error) {
	raw := compact(q.Heartbeat)
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, nil
	case len(raw) > maxHeartbeat:
		return nil, refuse(http.StatusRequestEntityTooLarge, "the heartbeat is larger than 64 KiB")
	case raw[0] != '{':
		return nil, refuse(http.StatusBadRequest, "the heartbeat is not an object")
	}
	return bytes.ToValidUTF8(raw, []byte("\ufffd")), nil
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
