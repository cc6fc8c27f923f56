package collect

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// contract checks what goes in and out against openapi.yaml.
type contract struct {
	t   *testing.T
	doc *openapi3.T

	mu   sync.Mutex
	seen map[string]map[int]int // route -> status -> how often
}

// openSchemas are those whose bodies may hold more than they describe: devices
// may be newer than the collector.
var openSchemas = []string{"Batch", "Labels", "EnrolRequest", "RenewRequest"}

func newContract(t *testing.T) *contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	no := false
	for name, ref := range doc.Components.Schemas {
		if len(ref.Value.Properties) > 0 && !slices.Contains(openSchemas, name) {
			ref.Value.AdditionalProperties = openapi3.BoolSchema{Has: &no} // an answer with a key that is not described is a fault
		}
	}
	return &contract{t: t, doc: doc, seen: map[string]map[int]int{}}
}

// copied is an answer on its way out, and a copy of it.
type copied struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (c *copied) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *copied) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *copied) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	c.body.Write(b)
	return c.ResponseWriter.Write(b)
}

// wrap stands around the whole handler: it knows the route when the answer is
// written.
func (c *contract) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1024))
		if err != nil {
			c.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		}
		r.Body = io.NopCloser(bytes.NewReader(text))
		out := &copied{ResponseWriter: w}
		next.ServeHTTP(out, r)
		if out.status == 0 {
			out.status = http.StatusOK
		}
		if out.status >= 500 && out.status != http.StatusServiceUnavailable && out.status != http.StatusBadGateway {
			c.t.Errorf("%s %s: %d %.200s", r.Method, r.URL, out.status, out.body.String())
		}
		_, path, _ := strings.Cut(r.Pattern, " ")
		if path != "" && !isPage(route{path: path}) { // else no route took it, or it is no matter of programs
			c.check(r, text, out)
		}
	})
}

func (c *contract) check(r *http.Request, text []byte, out *copied) {
	method, path, _ := strings.Cut(r.Pattern, " ")
	path = strings.TrimSuffix(path, "{$}")
	c.count(r.Pattern, out.status)
	item := c.doc.Paths.Value(path)
	if item == nil || item.GetOperation(method) == nil {
		c.t.Errorf("%s is not described", r.Pattern)
		return
	}
	in := c.input(r, text, item, method, path)
	if out.status < 400 {
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
			c.t.Errorf("%s %s: taken with %d, and not as described: %.600v\n%.300s", method, r.URL, out.status, err, text)
		}
	}
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: out.status, Header: out.Header(),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: !isJSON(out.Header())},
	}
	answer.SetBodyBytes(out.body.Bytes())
	if err := openapi3filter.ValidateResponse(context.Background(), answer); err != nil {
		c.t.Errorf("%s %s: the answer %d is not as described: %.800v\n%.500s", method, r.URL, out.status, err, out.body.String())
	}
	c.checkType(r.Pattern, item.GetOperation(method), out)
}

// checkType checks the type of an answer whose body is not looked at.
func (c *contract) checkType(pattern string, op *openapi3.Operation, out *copied) {
	media, _, _ := mime.ParseMediaType(out.Header().Get("Content-Type"))
	ref := op.Responses.Status(out.status)
	if ref == nil || len(ref.Value.Content) == 0 {
		return
	}
	if ref.Value.Content[media] == nil {
		c.t.Errorf("%s: the answer %d is %q, which is not described", pattern, out.status, media)
	}
}

func (c *contract) input(r *http.Request, text []byte, item *openapi3.PathItem, method, path string) *openapi3filter.RequestValidationInput {
	copyOf := r.Clone(context.Background())
	copyOf.Body = io.NopCloser(bytes.NewReader(text))
	params := map[string]string{}
	for _, name := range []string{"id", "uid", "session"} {
		if v := r.PathValue(name); v != "" {
			params[name] = v
		}
	}
	return &openapi3filter.RequestValidationInput{
		Request: copyOf, PathParams: params, QueryParams: r.URL.Query(),
		Route:   &routers.Route{Spec: c.doc, Path: path, PathItem: item, Method: method, Operation: item.GetOperation(method)},
		Options: &openapi3filter.Options{ExcludeRequestBody: r.Header.Get("Content-Encoding") == "gzip", SkipSettingDefaults: true},
	}
}

func isJSON(h http.Header) bool {
	media, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return media == "application/json" || media == "application/problem+json"
}

func (c *contract) count(pattern string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[pattern] == nil {
		c.seen[pattern] = map[int]int{}
	}
	c.seen[pattern][status]++
}
