package device

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// What is read of an answer, in bytes.
const (
	maxAnswer  = 256 << 10
	maxProblem = 64 << 10
)

// maxRetry is the longest Retry-After that is obeyed.
const maxRetry = time.Hour

// The codes of refusals, see the package comment.
const (
	codeToken   = "token"
	codeExpired = "expired"
	codeClock   = "clock"
	codeAgain   = "enroll_again"
)

// Refusal is an answer of the collector that is not a success.
type Refusal struct {
	What   string // what was asked: "enrol" or "renew certificate"
	Status int    // HTTP
	Code   string // of the problem, "" if it has none
	Detail string // clean, one line

	after time.Duration
	date  string // of the answer, the collector's clock
}

// Error tells the refusal and what to do.
func (r *Refusal) Error() string {
	text := fmt.Sprintf("%s: the collector answered %d %s", r.What, r.Status, http.StatusText(r.Status))
	if r.Detail != "" {
		text += ": " + r.Detail
	}
	switch {
	case r.Code == codeToken:
		text += "; ask for a new enrolment token"
	case r.Code == codeAgain:
		text += "; enrol this machine again"
	case r.Code == codeClock:
		text += "; set this machine's clock"
	case r.Status == http.StatusNotFound:
		text += "; check the address of the collector"
	}
	return text
}

// RetryAfter is how long the collector asked to be left alone.
func (r *Refusal) RetryAfter() time.Duration { return r.after }

func refusalOf(what string, resp *http.Response) *Refusal {
	r := &Refusal{What: what, Status: resp.StatusCode, date: resp.Header.Get("Date")}
	r.Code, r.Detail = problemOf(resp)
	value := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		r.after = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		r.after = time.Until(at)
	}
	r.after = min(max(r.after, 0), maxRetry)
	return r
}

// problemOf reads the beginning of a problem and leaves the body readable.
func problemOf(resp *http.Response) (code, detail string) {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	resp.Body = readAgain(text, resp.Body)
	var p struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}
	if err != nil || json.Unmarshal(text, &p) != nil {
		return "", ""
	}
	return clean(p.Code), clean(p.Detail)
}

// readAgain puts what was read in front of what was not.
func readAgain(text []byte, body io.ReadCloser) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(strings.NewReader(string(text)), body), body}
}

// clean makes text of others fit for one line of a log or a terminal.
func clean(text string) string {
	const longest = 200
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, text)
	if rs := []rune(text); len(rs) > longest {
		return string(rs[:longest]) + "…"
	}
	return text
}

// explain adds to an error of TLS what it means here. trust is collector_ca.
func explain(err error, trust string) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	hint := ""
	switch {
	case errors.As(err, &unknown) && trust == "":
		hint = "whoever answers is not the collector of this agent, or a proxy opens TLS on the way: then name its CA with collector_ca"
	case errors.As(err, &unknown):
		hint = "collector_ca does not vouch for whoever answers"
	case errors.As(err, &name):
		hint = "the collector must be reached under a name that its certificate has"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		hint = "check this machine's clock, and the collector's certificate"
	case errors.As(err, &record):
		hint = "whoever answers does not speak TLS"
	}
	if hint == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, hint)
}
