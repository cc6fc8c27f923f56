package collect

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

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
	agent     store.Agent
	heartbeat []byte
	alerts    [][]byte
}

type batchResponse struct {
	Results     []store.Result `json:"results"` // one for each alert, in order
	NextCheckin int            `json:"next_checkin_s"`
}

func (s *Server) postBatch(w http.ResponseWriter, r *http.Request) {
	b, err := s.readBatch(r)
	if err != nil {
		s.metrics.batches.WithLabelValues("refused").Inc()
		s.limits.charge(callerOf(r), refusedCost, s.now())
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
	body, err := readBodyOf(r)
	if err != nil {
		return store.Batch{}, err
	}
	if err := s.enter(r.Context()); err != nil {
		return store.Batch{}, err
	}
	defer s.leave()
	if size := sizeOf(body, packed); size > usualBatch {
		s.limits.charge(callerOf(r), int(size/largePart), s.now())
	}
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

// readAhead is the most that is taken for a body on the word of its length.
const readAhead = 64 << 10 // bytes

// readBodyOf reads a body whose length is told, and bounded.
func readBodyOf(r *http.Request) ([]byte, error) {
	body := bytes.NewBuffer(make([]byte, 0, min(max(r.ContentLength, 0), readAhead)+bytes.MinRead))
	if _, err := body.ReadFrom(r.Body); err != nil {
		return nil, readError(err)
	}
	return body.Bytes(), nil
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
	req, err := readRequest(body)
	if err != nil {
		return store.Batch{}, decodeError(err)
	}
	return req.batch()
}

// readRequest finds the parts of a batch, whose text they share.
func readRequest(body []byte) (*batchRequest, error) {
	q := &batchRequest{}
	s := scanner{text: body}
	s.space()
	err := s.object(func(written, value []byte) (err error) {
		switch keyOf(written) {
		case "agent":
			err = json.Unmarshal(value, &q.agent)
		case "heartbeat":
			q.heartbeat = value
		case "alerts":
			q.alerts, err = listAlerts(value)
		}
		return err
	})
	if err == nil && !s.rest() {
		err = errJSON
	}
	return q, err
}

// listAlerts is a JSON array of at most MaxAlerts values. It stops at the limit:
// a list of many tiny values would take far more memory than its text.
func listAlerts(value []byte) (all [][]byte, err error) {
	if string(value) == "null" {
		return nil, nil
	}
	if value[0] != '[' {
		return nil, refuse(http.StatusBadRequest, "alerts is not a list")
	}
	s := scanner{text: value}
	err = s.list(func(one []byte) error {
		if len(all) == MaxAlerts {
			return refuse(http.StatusRequestEntityTooLarge, "more than 1000 alerts")
		}
		all = append(all, one)
		return nil
	})
	return all, err
}

// unpackers are kept: a new one takes more time than what it unpacks.
var unpackers = sync.Pool{New: func() any { return new(gzip.Reader) }}

// Why a body cannot be unpacked.
var (
	errGzip     = refuse(http.StatusBadRequest, "the body is not valid gzip, of one part")
	errUnpacked = refuse(http.StatusRequestEntityTooLarge, "the unpacked body is larger than 32 MiB, or than 2 MiB and a hundred times the packed one")
)

// maxDeflate is how many times its size deflated data can become: a symbol of two
// bits stands for 258 bytes (RFC 1951, 3.2.5). Alerts become some ten times it,
// and what becomes more than maxRate and is more than an agent sends was made to
// be so.
const (
	maxDeflate = 1032
	maxRate    = 100
	usualBatch = 2 << 20 // bytes unpacked; an agent sends half of that at most
)

// sizeOf is how large a body says that it is when it is unpacked. That stands at
// its end (RFC 1952, 2.3.1).
func sizeOf(body []byte, packed bool) int64 {
	if n := len(body); packed && n >= 4 {
		return min(int64(binary.LittleEndian.Uint32(body[n-4:])), maxDeflate*int64(n))
	}
	return int64(len(body))
}

// unpack unpacks a body of one part. How much it is stands at its end: what says that it is too large is not unpacked at all, and what is more
// than it says is not valid, and unpacked no further.
func unpack(packed []byte) ([]byte, error) {
	if len(packed) < 18 { // header and end
		return nil, errGzip
	}
	zr := unpackers.Get().(*gzip.Reader)
	defer unpackers.Put(zr)
	from := bytes.NewReader(packed)
	told := int64(binary.LittleEndian.Uint32(packed[len(packed)-4:]))
	switch {
	case zr.Reset(from) != nil, told > maxDeflate*int64(len(packed)):
		return nil, errGzip
	case told > MaxBatch, told > usualBatch && told > maxRate*int64(len(packed)):
		return nil, errUnpacked
	}
	zr.Multistream(false)
	body := bytes.NewBuffer(make([]byte, 0, min(told, 10*int64(len(packed)))+bytes.MinRead)) // ten times is a usual rate
	if _, err := body.ReadFrom(io.LimitReader(zr, told+1)); err != nil || int64(body.Len()) != told || from.Len() > 0 {
		return nil, errGzip
	}
	return body.Bytes(), nil
}

// decodeError tells what is wrong without repeating the sender's text.
func decodeError(err error) error {
	var refused *refusal
	if errors.As(err, &refused) && err != errJSON {
		return refused
	}
	return refuse(http.StatusBadRequest, `the body is not one JSON object with "agent" and "alerts"`)
}

// batch checks the envelope and judges the records.
func (q *batchRequest) batch() (store.Batch, error) {
	if !validUID(q.agent.UID) {
		return store.Batch{}, refuse(http.StatusBadRequest, "agent.uid is missing or not 1 to 256 visible ASCII characters")
	}
	beat, err := parseBeat(q.heartbeat)
	if err != nil {
		return store.Batch{}, err
	}
	b := store.Batch{Agent: cleaned(q.agent), Beat: beat, Records: make([]store.Record, 0, len(q.alerts))}
	for _, raw := range q.alerts {
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
