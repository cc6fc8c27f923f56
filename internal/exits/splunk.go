package exits

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Splunk is the section of an exit to Splunk's HTTP Event Collector (HEC).
type Splunk struct {
	Index      string `yaml:"index,omitempty"`      // none: the token's default
	Source     string `yaml:"source,omitempty"`     // meetguard
	SourceType string `yaml:"sourcetype,omitempty"` // meetguard:ocsf
	Ack        bool   `yaml:"ack,omitempty"`        // wait for the indexers' acknowledgement; the token must have it switched on
}

func (c Config) splunk() Splunk {
	var s Splunk
	if c.Splunk != nil {
		s = *c.Splunk
	}
	if s.Source == "" {
		s.Source = "meetguard"
	}
	if s.SourceType == "" {
		s.SourceType = "meetguard:ocsf"
	}
	return s
}

func (s Splunk) validate(p *problems) {
	for _, f := range []pair{{"index", s.Index}, {"source", s.Source}, {"sourcetype", s.SourceType}} {
		p.unless(len(f.value) <= 255 && !strings.ContainsFunc(f.value, deceptive), "splunk."+f.key, "write one line of at most 255 bytes")
	}
}

type splunk struct {
	cfg     Config
	opt     Splunk
	client  *client
	base    string
	channel string        // of acknowledgements: made anew by each start
	poll    time.Duration // between two questions for an acknowledgement
}

func newSplunk(cfg Config) (Exit, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := cfg.authorization("Splunk"); err != nil {
		return nil, err
	}
	return &splunk{cfg: cfg, opt: cfg.splunk(), client: c, base: strings.TrimRight(cfg.URL, "/"), channel: newGUID(), poll: time.Second}, nil
}

// newGUID makes a random UUID (RFC 9562, version 4), which HEC wants as the
// name of a channel.
func newGUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (s *splunk) Name() string { return s.cfg.Name }

// hecEvent is one event as "Format events for HTTP Event Collector" of the
// Splunk documentation describes it.
type hecEvent struct {
	Time       json.Number       `json:"time"` // seconds since 1970 with milliseconds
	Host       string            `json:"host"`
	Source     string            `json:"source"`
	SourceType string            `json:"sourcetype"`
	Index      string            `json:"index,omitempty"`
	Event      json.RawMessage   `json:"event"`
	Fields     map[string]string `json:"fields"` // indexed beside the event
}

func (s *splunk) event(v view) []byte {
	ms := max(v.time().UnixMilli(), 0)
	return encode(hecEvent{
		Time: json.Number(fmt.Sprintf("%d.%03d", ms/1000, ms%1000)),
		Host: v.host, Source: s.opt.Source, SourceType: s.opt.SourceType, Index: s.opt.Index,
		Event: v.ocsf(), Fields: map[string]string{"mg_alert_id": line(v.item.ID, maxField)},
	})
}

// Send posts the batch as one request: events one after another, a line each.
func (s *splunk) Send(ctx context.Context, items []Item) error {
	var body bytes.Buffer
	for _, it := range items {
		body.Write(s.event(open(it, s.cfg.naming())))
		body.WriteByte('\n')
	}
	h, err := s.cfg.headers("Splunk", "application/json")
	if err != nil {
		return err
	}
	if s.opt.Ack {
		h.Set("X-Splunk-Request-Channel", s.channel)
	}
	a, err := s.client.post(ctx, http.MethodPost, s.base+"/services/collector/event", h.Clone(), body.Bytes())
	if err != nil {
		return err
	}
	ackID, err := s.read(a)
	if err != nil || !s.opt.Ack {
		return err
	}
	return s.await(ctx, h, ackID)
}

// hecAnswer is what HEC says. Code 0 is success.
type hecAnswer struct {
	Text  string `json:"text"`
	Code  *int   `json:"code"`
	AckID *int64 `json:"ackId"`
}

// hecContent are the codes of "HTTP Event Collector status codes" that are
// about the events themselves: invalid data format, event field is required,
// event field cannot be blank, error in handling indexed fields. Every other
// code is about the token, the index or the server and holds the cursor.
var hecContent = map[int]bool{6: true, 12: true, 13: true, 15: true}

func (s *splunk) read(a answer) (int64, error) {
	var h hecAnswer
	err := json.Unmarshal(a.body, &h)
	if a.code != http.StatusOK {
		f := a.failure(s.cfg.secretKey())
		if err == nil && h.Code != nil {
			f.Words += fmt.Sprintf("; Splunk says %d: %s", *h.Code, line(h.Text, maxWords))
			f.Content = hecContent[*h.Code] || a.code == http.StatusRequestEntityTooLarge
		}
		return 0, f
	}
	switch {
	case err != nil || h.Code == nil:
		return 0, &Failure{Words: a.host + " did not answer like Splunk's event collector: look at url"}
	case *h.Code != 0:
		return 0, &Failure{Words: fmt.Sprintf("Splunk says %d: %s", *h.Code, line(h.Text, maxWords)), Content: hecContent[*h.Code]}
	case s.opt.Ack && h.AckID == nil:
		return 0, &Failure{Words: "Splunk sends no acknowledgements for this token: switch them on there, or take ack out"}
	case !s.opt.Ack:
		return 0, nil
	}
	return *h.AckID, nil
}

// await asks until the indexers have the batch. If they do not in time it is
// sent again: Splunk then has it twice, with the same mg_alert_id.
func (s *splunk) await(ctx context.Context, h http.Header, id int64) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	for {
		a, err := s.client.post(ctx, http.MethodPost, s.base+"/services/collector/ack", h.Clone(), fmt.Appendf(nil, `{"acks":[%d]}`, id))
		if err != nil {
			return err
		}
		if a.code != http.StatusOK {
			return a.failure(s.cfg.secretKey())
		}
		var got struct {
			Acks map[string]bool `json:"acks"`
		}
		if err := json.Unmarshal(a.body, &got); err != nil {
			return &Failure{Words: a.host + " did not answer like Splunk's event collector"}
		}
		if got.Acks[strconv.FormatInt(id, 10)] {
			return nil
		}
		select {
		case <-ctx.Done():
			return &Failure{Words: fmt.Sprintf("Splunk did not acknowledge the batch within %s", s.cfg.Timeout), err: ctx.Err()}
		case <-time.After(s.poll):
		}
	}
}
