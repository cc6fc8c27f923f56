package alert

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// batch is the body of POST /v1/agent/batch.
type batch struct {
	Agent     agentInfo         `json:"agent"`
	Heartbeat *heartbeat        `json:"heartbeat,omitempty"`
	Alerts    []json.RawMessage `json:"alerts"` // lines of the log, byte by byte, so that the chain can be checked
}

type agentInfo struct {
	UID          string `json:"uid"`
	Hostname     string `json:"hostname"`
	OS           string `json:"os"`
	Version      string `json:"version"`
	RulesVersion string `json:"rules_version"`
}

// heartbeat tells the collector where the log stands, so that a hole, a log that
// was cut back and silence are seen there.
type heartbeat struct {
	Time      int64    `json:"time"` // milliseconds since 1970, UTC
	Seq       uint64   `json:"seq"`  // of the newest line
	Head      string   `json:"head"` // its SHA-256
	Settled   uint64   `json:"settled"`
	Interval  int64    `json:"interval_s"` // the next heartbeat follows after that, a tenth later at most
	Stopping  bool     `json:"stopping,omitempty"`
	MachineID string   `json:"machine_id,omitempty"`
	BootID    string   `json:"boot_id,omitempty"`
	Spool     Counters `json:"spool"`
	Damage    *damage  `json:"damage,omitempty"` // nil: none was found
	Status    any      `json:"status,omitempty"`
}

// damage tells the collector what of the log is not what was written. What was
// delivered before, nobody reads there again: it would be changed unseen.
type damage struct {
	Places  int    `json:"places,omitempty"`  // that cannot be read, or do not fit the chain
	Missing uint64 `json:"missing,omitempty"` // records that are gone from the beginning or the end
}

// damage is what was found so far, nil for nothing.
func (l *Log) damage() *damage {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := damage{l.recovery.Corrupt - l.mended, l.recovery.Missing}
	if d == (damage{}) {
		return nil
	}
	return &d
}

// answer is what the collector says to a batch.
type answer struct {
	Results []struct {
		UID    string `json:"uid"`
		Status string `json:"status"`
		Reason string `json:"reason"`
	} `json:"results"`
	NextCheckin float64 `json:"next_checkin_s"`

	reasons map[string]string
}

// post sends the items and returns an answer that is at least JSON.
func (s *Sender) post(ctx context.Context, items []item, h *heartbeat) (answer, error) {
	body, err := s.body(items, h)
	if err != nil {
		return answer{}, fmt.Errorf("write batch: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("send alerts: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("X-MG-Agent-Version", s.cfg.Product.Version)
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("send alerts: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		if resp.StatusCode == http.StatusRequestEntityTooLarge {
			s.limit = max(1, s.limit/2)
		}
		return answer{}, refusalOf(resp, text)
	case err != nil:
		return answer{}, fmt.Errorf("read answer of collector: %w", err)
	case len(text) > maxAnswer:
		return answer{}, fmt.Errorf("read answer of collector: it is longer than %d bytes", maxAnswer)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return answer{}, fmt.Errorf("read answer of collector: %w", err)
	}
	return a, nil
}

func (s *Sender) body(items []item, h *heartbeat) ([]byte, error) {
	b := batch{
		Agent:     agentInfo{s.cfg.Host.UID, safe(s.cfg.Host.Name, maxName), s.cfg.Host.OS, s.cfg.Product.Version, s.cfg.Product.RulesVersion},
		Heartbeat: h,
		Alerts:    make([]json.RawMessage, 0, len(items)),
	}
	for _, it := range items {
		if it.raw != nil {
			b.Alerts = append(b.Alerts, it.raw)
		}
	}
	var buf bytes.Buffer
	zip, kept := s.zips.Get().(*gzip.Writer)
	if !kept {
		zip = gzip.NewWriter(nil)
	}
	zip.Reset(&buf)
	defer s.zips.Put(zip)
	enc := json.NewEncoder(zip)
	enc.SetEscapeHTML(false) // it would rewrite the lines
	if err := errors.Join(enc.Encode(b), zip.Close()); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// heartbeat tells how things stand now.
func (s *Sender) heartbeat(stopping bool) *heartbeat {
	seq, head, settled := s.cfg.Log.chainHead()
	h := &heartbeat{
		Time: time.Now().UnixMilli(), Seq: seq, Head: head.String(), Settled: settled, Interval: int64(s.interval.Seconds()), Stopping: stopping,
		MachineID: s.cfg.Machine, BootID: s.cfg.Boot, Spool: s.cfg.Log.Counters(), Damage: s.cfg.Log.damage(),
	}
	if s.cfg.Status != nil {
		h.Status = s.cfg.Status()
	}
	return h
}

// outcomes finds what became of each item. An answer that leaves one of them
// out, or says something else about it, is no answer at all.
func (a *answer) outcomes(items []item) ([]outcome, error) {
	said := map[string]outcome{}
	a.reasons = map[string]string{}
	for _, r := range a.Results {
		switch r.Status {
		case "stored", "duplicate":
			said[r.UID] = acknowledged
		case "rejected":
			said[r.UID] = rejected
			a.reasons[r.UID] = r.Reason
		}
	}
	out := make([]outcome, len(items))
	for i, it := range items {
		o, ok := said[it.uid]
		if !ok && it.raw != nil {
			return nil, fmt.Errorf("read answer of collector: it says nothing usable about alert %s", it.uid)
		}
		out[i] = o
	}
	return out, nil
}
