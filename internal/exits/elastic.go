package exits

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Elastic is the section of an exit to Elasticsearch or OpenSearch.
type Elastic struct {
	Index    string `yaml:"index,omitempty"`    // index or data stream; logs-meetguard.alerts-default
	Pipeline string `yaml:"pipeline,omitempty"` // ingest pipeline; none
}

func (c Config) elastic() Elastic {
	var e Elastic
	if c.Elastic != nil {
		e = *c.Elastic
	}
	if e.Index == "" {
		e.Index = "logs-meetguard.alerts-default"
	}
	return e
}

// reIndex is narrower than what Elasticsearch takes, so that a name is a path
// element without escapes.
var reIndex = regexp.MustCompile(`^[a-z0-9.][a-z0-9._-]{0,254}$`)

func (e Elastic) validate(p *problems) {
	ok := reIndex.MatchString(e.Index) && e.Index != "." && e.Index != ".."
	p.unless(ok, "elastic.index", "write lower-case letters, digits, dots, - and _")
	p.unless(e.Pipeline == "" || reIndex.MatchString(e.Pipeline), "elastic.pipeline", "write lower-case letters, digits, dots, - and _")
}

type elastic struct {
	cfg      Config
	client   *client
	endpoint string
}

func newElastic(cfg Config) (Exit, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := cfg.authorization("ApiKey"); err != nil {
		return nil, err
	}
	opt := cfg.elastic()
	endpoint := strings.TrimRight(cfg.URL, "/") + "/" + opt.Index + "/_bulk"
	if opt.Pipeline != "" {
		endpoint += "?pipeline=" + opt.Pipeline
	}
	return &elastic{cfg, c, endpoint}, nil
}

func (e *elastic) Name() string { return e.cfg.Name }

// Send posts the batch to _bulk. Every document is created under the id of its
// alert, so one that is sent again is answered with 409 and does no harm.
func (e *elastic) Send(ctx context.Context, items []Item) error {
	h, err := e.cfg.headers("ApiKey", "application/x-ndjson")
	if err != nil {
		return err
	}
	a, err := e.client.post(ctx, http.MethodPost, e.endpoint, h, e.body(items))
	if err != nil {
		return err
	}
	if a.code != http.StatusOK {
		return a.failure(e.cfg.secretKey())
	}
	var got bulkAnswer
	if err := json.Unmarshal(a.body, &got); err != nil || len(got.Items) != len(items) {
		return &Failure{Words: a.host + " did not answer like Elasticsearch: look at url"}
	}
	return got.settle(a, items)
}

type bulkAction struct {
	Create struct {
		ID string `json:"_id"`
	} `json:"create"`
}

// body writes two lines an item: the action, and the document.
func (e *elastic) body(items []Item) []byte {
	var b bytes.Buffer
	for _, it := range items {
		var action bulkAction
		action.Create.ID = documentID(it.ID)
		b.Write(encode(action))
		b.WriteByte('\n')
		b.Write(open(it, e.cfg.naming()).ecs())
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// documentID keeps the id within the 512 bytes that Elasticsearch allows.
func documentID(id string) string { return line(id, 512) }

// bulkAnswer is the answer of _bulk, as far as it is read.
type bulkAnswer struct {
	Items []struct {
		Create *struct {
			Status int `json:"status"`
			Error  struct {
				Type   string `json:"type"`
				Reason string `json:"reason"`
			} `json:"error"`
		} `json:"create"`
	} `json:"items"`
}

// settle goes through the answers, which come in the order of the items. The
// batch is sent again if a single one asks for it.
func (b bulkAnswer) settle(a answer, items []Item) error {
	var bad []Refusal
	var again *Failure
	for i, it := range b.Items {
		if it.Create == nil {
			return &Failure{Words: a.host + " did not answer like Elasticsearch: look at url"}
		}
		code := it.Create.Status
		words := line(it.Create.Error.Type+": "+it.Create.Error.Reason, maxWords)
		switch {
		case code >= 200 && code < 300, code == http.StatusConflict:
		case code == http.StatusBadRequest, code == http.StatusRequestEntityTooLarge, code == http.StatusUnprocessableEntity:
			bad = append(bad, Refusal{items[i].ID, words})
		case again == nil:
			again = &Failure{
				Words: fmt.Sprintf("%s did not store every alert (%s): %s", a.host, codeText(code), words),
				After: retryAfter(a.header, time.Now()),
			}
		}
	}
	if again != nil {
		return again
	}
	return settle(len(items), bad)
}
