package exits

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	maxAnswer     = 8 << 20   // bytes of an answer; Elastic tells of every item
	maxRetryAfter = time.Hour // the longest Retry-After that is obeyed
)

// client speaks HTTP with one receiver.
type client struct {
	http    *http.Client
	timeout time.Duration
}

// newClient makes a client that follows no redirect. It takes the proxy of the
// environment, as every program of the collector's machine does.
func newClient(c Config) (*client, error) {
	conf, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: c.Timeout}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSClientConfig: conf,
		ForceAttemptHTTP2: true, MaxIdleConns: 2, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: c.Timeout, MaxResponseHeaderBytes: 64 << 10,
	}
	return &client{timeout: c.Timeout, http: &http.Client{
		Transport: transport, Timeout: c.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// answer is a whole answer of a receiver.
type answer struct {
	host   string
	code   int
	header http.Header
	body   []byte
}

// post sends a body and reads the answer to its end. The error is a *Failure;
// every answer, whatever its code, is none.
func (c *client) post(ctx context.Context, method, address string, header http.Header, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return answer{}, &Failure{Words: "the address cannot be used", err: innermost(err)}
	}
	req.Header = header
	req.Header.Set("User-Agent", "meetguard-collector")
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, c.failure(req.URL, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return answer{}, c.failure(req.URL, err)
	}
	if len(data) > maxAnswer {
		return answer{}, &Failure{Words: req.URL.Host + " gave an answer without end"}
	}
	return answer{req.URL.Host, resp.StatusCode, resp.Header, data}, nil
}

func (c *client) failure(u *url.URL, err error) error {
	return &Failure{Words: connectionWords(u.Host, c.timeout, err), err: innermost(err)}
}

// failure says in words what an answer means that is no success. key names what
// the operator has to look at if the receiver does not let the collector in.
func (a answer) failure(key string) *Failure {
	f := &Failure{After: retryAfter(a.header, time.Now())}
	switch {
	case a.code == http.StatusUnauthorized:
		f.Words = fmt.Sprintf("%s does not accept the credentials (401): look at %s", a.host, key)
	case a.code == http.StatusForbidden:
		f.Words = fmt.Sprintf("%s does not allow this (403): look at %s and at the rights that go with it", a.host, key)
	case a.code == http.StatusNotFound:
		f.Words = a.host + " knows nothing under this path (404): look at url"
	case a.code == http.StatusProxyAuthRequired:
		f.Words = "the proxy before " + a.host + " asks for credentials (407)"
	case a.code == http.StatusTooManyRequests:
		f.Words = a.host + " asks for a pause (429)"
	case a.code == http.StatusBadRequest, a.code == http.StatusRequestEntityTooLarge, a.code == http.StatusUnprocessableEntity:
		f.Words = fmt.Sprintf("%s does not take what was sent (%s)", a.host, codeText(a.code))
		f.Content = true
	case a.code >= 300 && a.code < 400:
		f.Words = fmt.Sprintf("%s points to another address (%d), which is not followed: write the final one into url", a.host, a.code)
	case a.code >= 500:
		f.Words = fmt.Sprintf("%s has trouble (%s)", a.host, codeText(a.code))
	default:
		f.Words = fmt.Sprintf("%s answered %s", a.host, codeText(a.code))
	}
	return f
}

func codeText(code int) string {
	if text := http.StatusText(code); text != "" {
		return strconv.Itoa(code) + " " + text
	}
	return strconv.Itoa(code)
}

// retryAfter reads RFC 9110, section 10.2.3: seconds or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	var d time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

// authorization makes the header from the secrets of the configuration, with
// the scheme that the receiver knows tokens by. "" is none.
func (c Config) authorization(scheme string) (string, error) {
	switch {
	case c.TokenFile != "":
		token, err := readSecret("token_file", c.TokenFile)
		return scheme + " " + token, err
	case c.PasswordFile != "":
		password, err := readSecret("password_file", c.PasswordFile)
		req := http.Request{Header: http.Header{}}
		req.SetBasicAuth(c.User, password)
		return req.Header.Get("Authorization"), err
	}
	return "", nil
}

// headers makes the header of a request with content of a type.
func (c Config) headers(scheme, contentType string) (http.Header, error) {
	auth, err := c.authorization(scheme)
	if err != nil {
		return nil, &Failure{Words: line(err.Error(), maxWords), err: err}
	}
	h := http.Header{"Content-Type": {contentType}}
	if auth != "" {
		h.Set("Authorization", auth)
	}
	return h, nil
}

// secretKey names what the operator has to look at if the receiver does not
// take the credentials.
func (c Config) secretKey() string {
	switch {
	case c.TokenFile != "":
		return "token_file"
	case c.PasswordFile != "":
		return "user and password_file"
	case c.CertFile != "":
		return "cert_file"
	}
	return "token_file, which is not set"
}
