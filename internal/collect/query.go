package collect

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Sizes of a page of results.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// maxQuery is the most bytes of a text in a query or a short text in a body.
const maxQuery = 256

// query reads a query of known keys. The first error is kept and told by done:
// an ignored filter would show what was not asked for.
type query struct {
	values url.Values
	err    error
}

// readQuery reads a query in which each key is known and given once at most.
func readQuery(raw string, known ...string) *query {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return &query{err: refuse(http.StatusBadRequest, "the query cannot be read")}
	}
	for key, all := range values {
		if !slices.Contains(known, key) || len(all) > 1 {
			return &query{err: refuse(http.StatusBadRequest, "each query key must be given once and be one of "+strings.Join(known, ", "))}
		}
	}
	return &query{values: values}
}

// noQuery refuses any query.
func noQuery(r *http.Request) error {
	if r.URL.RawQuery != "" {
		return refuse(http.StatusBadRequest, "this address takes no query")
	}
	return nil
}

func (q *query) fail(detail string) {
	if q.err == nil {
		q.err = refuse(http.StatusBadRequest, detail)
	}
}

// text returns a text that a store can be asked for.
func (q *query) text(key string) string {
	s := q.values.Get(key)
	if !isPlain(s, maxQuery) {
		q.fail(key + " must be plain text of at most 256 bytes")
		return ""
	}
	return s
}

// list returns the members between commas, each of which must be allowed.
func (q *query) list(key string, allowed []string) []string {
	if q.values.Get(key) == "" {
		return nil
	}
	all := strings.Split(q.values.Get(key), ",")
	for _, member := range all {
		if !slices.Contains(allowed, member) {
			q.fail(key + " must be of " + strings.Join(allowed, ", "))
			return nil
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// choice returns one of the allowed words, or "".
func (q *query) choice(key string, allowed []string) string {
	s := q.values.Get(key)
	if s != "" && !slices.Contains(allowed, s) {
		q.fail(key + " must be one of " + strings.Join(allowed, ", "))
		return ""
	}
	return s
}

// number returns a whole number within bounds, or fallback if there is none.
func (q *query) number(key string, least, most, fallback int) int {
	s := q.values.Get(key)
	if s == "" {
		return fallback
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		q.fail(key + " must be " + strconv.Itoa(least) + " to " + strconv.Itoa(most))
		return fallback
	}
	return n
}

func (q *query) limit() int { return q.number("limit", 1, maxLimit, defaultLimit) }

func (q *query) flag(key string) bool { return q.choice(key, []string{"true", "false"}) == "true" }

func (q *query) time(key string) time.Time {
	s := q.values.Get(key)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1970 {
		q.fail(key + " must be a time as in 2026-11-22T15:04:05Z")
	}
	return t
}

// cursor returns the position that a page before named.
func (q *query) cursor() int64 {
	s := q.values.Get("cursor")
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 36, 64)
	if err != nil || n < 1 {
		q.fail("cursor must be the next_cursor of a page")
		return 0
	}
	return n
}

// cursor writes Page.Next for a client, to whom it means nothing.
func cursor(next int64) string {
	if next == 0 {
		return ""
	}
	return strconv.FormatInt(next, 36)
}

// keyCursor is a cursor that is the key of the last entry of a page before.
func (q *query) keyCursor() string {
	s := q.values.Get("cursor")
	if s != "" && !validUID(s) {
		q.fail("cursor must be the next_cursor of a page")
		return ""
	}
	return s
}

// isPlain says whether a text of a request can be kept and asked for: short,
// UTF-8 and without anything that could forge what a person sees.
func isPlain(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, deceptive)
}

// isProse is isPlain for what people write: lines and tabs are allowed.
func isProse(s string, most int) bool {
	return isPlain(strings.NewReplacer("\n", "", "\r", "", "\t", "", "\u200d", "", "\u200c", "").Replace(s), most) && len(s) <= most
}

// readBody decodes the body: one JSON object of known keys. The guard bounds it.
func readBody(r *http.Request, into any) error {
	if err := noQuery(r); err != nil {
		return err
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "Content-Type must be application/json")
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return refuse(http.StatusUnsupportedMediaType, "Content-Encoding must be absent")
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return readError(err)
	}
	return decodeStrict(text, into)
}

// decodeStrict tells what is wrong without repeating the sender's text.
func decodeStrict(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	isObject := bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{"))
	if err := dec.Decode(into); err != nil || !isObject || !utf8.Valid(text) {
		return refuse(http.StatusBadRequest, "the body is not a JSON object with the keys and types of the description")
	}
	if _, err := dec.Token(); err != io.EOF {
		return refuse(http.StatusBadRequest, "something follows the JSON object in the body")
	}
	return nil
}

// pathID returns an id of the path. What cannot be an id names nothing.
func pathID(r *http.Request, key string) string {
	id := r.PathValue(key)
	if !validUID(id) {
		return "-"
	}
	return id
}

// answer makes a handler of a function that returns what is written as JSON.
func (s *Server) answer(do func(r *http.Request) (any, error)) http.HandlerFunc {
	return s.answerAs(http.StatusOK, do)
}

// created is answer for what makes something new.
func (s *Server) created(do func(r *http.Request) (any, error)) http.HandlerFunc {
	return s.answerAs(http.StatusCreated, do)
}

func (s *Server) answerAs(status int, do func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := do(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		writeBody(w, status, v)
	}
}

// emptied makes a handler of a function that has nothing to tell.
func (s *Server) emptied(do func(r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := do(r); err != nil {
			s.fail(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
