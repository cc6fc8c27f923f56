//go:build linux

package main

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// nameResult is what hostile names did to whatever shows them.
type nameResult struct {
	Name    string         `json:"name"`
	Seed    uint64         `json:"seed"`
	Names   int            `json:"names"`
	Records map[string]int `json:"records"` // by output
	Missing map[string]int `json:"missing"` // names that an output does not have, byte by byte, if it is one that has them so
	Raw     map[string]int `json:"raw"`     // control and bidi characters in an output
	Lines   map[string]int `json:"extra_lines"`
	Checked int            `json:"pages"` // shown one by one
}

func (r nameResult) failed() bool {
	for _, counts := range []map[string]int{r.Missing, r.Raw, r.Lines} {
		for _, n := range counts {
			if n != 0 {
				return true
			}
		}
	}
	for _, n := range r.Records {
		if n != r.Names {
			return true
		}
	}
	return r.Names == 0
}

// nasty are pieces that forge a line, a terminal, a page, a table or a command.
var nasty = []string{
	"\n", "\r\n", "\x1b[2J", "\x1b]0;title\x07", "\x1b[31mred\x1b[0m", "\u0085", "\u009b2J", "\x7f", "\x01\x02\x03", "\b\b\b\b", "\v\f",
	"\u202etpcs.", "\u2066\u2069", "\u200e\u200f", "\u061c", "\u2028", "\u2029", "\xff\xfe", "\xc3", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80", "\ufeff",
	"\"", "'", "`id`", "$(id)", "; rm -rf ~", "|", "&&", "\\", "\\n", "\\u202e", "%0a", "%s%n", "{{.}}", "${jndi:ldap:x}",
	"<script>alert(1)<", "<img src=x onerror=alert(1)>", "&lt;", "]]>", "<!--", "\"onmouseover=\"alert(1)",
	"=cmd|' C'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1", "=HYPERLINK(\"x\")", "time=2026 level=INFO msg=fine", "{\"level\":\"clean\"}", "e\u0301", "𝐙𝐨𝐨𝐦", "Ζοοm", "\u00ad", "\u200b",
}

// nastyNames makes different names of at most 255 bytes, each with a number.
func nastyNames(n int, rng *rand.Rand) (names []string) {
	for i := range n {
		piece := nasty[i%len(nasty)]
		more := nasty[rng.IntN(len(nasty))]
		name := fmt.Sprintf("Zoom SDK Update %s %d%s", piece, i, more)
		switch i / len(nasty) % 4 {
		case 1:
			name = piece + more + fmt.Sprintf("Zoom %d", i)
		case 2:
			name = fmt.Sprintf("Zoom %d", i) + strings.Repeat(piece+more, 3)
		case 3:
			name = fmt.Sprintf("Zoom %d", i) + strings.Repeat(piece, 250/len(piece))
		}
		name = strings.ReplaceAll(name, "/", "|")
		names = append(names, name[:min(len(name), 250)]+".scpt")
	}
	return names
}

// runNames lets files with hostile names land before a real agent with a real
// collector, and reads them back from everything that shows them.
func runNames(program, collector string, count int, seed uint64) (r nameResult, err error) {
	r = nameResult{Name: "names", Seed: seed, Names: count, Records: map[string]int{}, Missing: map[string]int{}, Raw: map[string]int{}, Lines: map[string]int{}}
	dir, hub, end, err := scratchHub("names", collector)
	if err != nil {
		return r, err
	}
	defer func() { end(r) }()
	s, err := newSubject(program, dir)
	if err != nil {
		return r, err
	}
	s.flags = []string{"--collector", "http://" + hub.addr}
	if err := s.start(); err != nil {
		return r, err
	}
	defer s.stop()
	want := map[string]bool{}
	for i, name := range nastyNames(count, rand.New(rand.NewPCG(seed, 8))) {
		path := filepath.Join(s.watched, name)
		if err := os.WriteFile(path, lureOf(fmt.Sprint("names ", i)), 0o644); err != nil {
			return r, err
		}
		want[path] = true
	}
	delivered := fmt.Sprintf(`"acked":%d`, count)
	for begin := time.Now(); !strings.Contains(s.ask("status", "--json"), delivered); time.Sleep(500 * time.Millisecond) {
		if time.Since(begin) > 5*time.Minute {
			return r, fmt.Errorf("not all delivered: %s", s.ask("status"))
		}
	}
	if err := r.local(s, want); err != nil {
		return r, err
	}
	return r, r.remote(hub, want)
}

// local reads what the agent shows.
func (r *nameResult) local(s *subject, want map[string]bool) error {
	log := read(filepath.Join(s.state, "alerts.jsonl"))
	r.lines("alerts.jsonl", log, want)
	r.clean("log of the service", s.said())
	list := s.ask("alerts", "list")
	r.clean("list", list)
	r.count("list", list, strings.Count(list, "\n"))
	r.lines("list --json", s.ask("alerts", "list", "--json"), want)
	r.lines("export jsonl", s.ask("alerts", "export", "--format", "jsonl"), want)
	if err := r.table("export csv", s.ask("alerts", "export", "--format", "csv")); err != nil {
		return err
	}
	most := 0
	for i, line := range strings.Split(strings.TrimSpace(log), "\n") {
		if i%max(1, r.Names/10) != 0 {
			continue
		}
		uid := textAt(line, `"uid":"`)
		shown := s.ask("alerts", "show", uid)
		r.clean("show", shown)
		r.clean("show --json", s.ask("alerts", "show", uid, "--json"))
		most = max(most, strings.Count(shown, "\n"))
		r.Checked++
		if !strings.Contains(shown, "scpt") {
			r.Missing["show"]++
		}
	}
	return nil
}

// lines takes an output with a record a line.
func (r *nameResult) lines(output, text string, want map[string]bool) {
	r.clean(output, text)
	r.count(output, text, strings.Count(text, "\n"))
	left := map[string]bool{}
	for path := range want {
		left[path] = true
	}
	for line := range strings.Lines(text) {
		var any json.RawMessage
		if err := json.Unmarshal([]byte(line), &any); err != nil {
			r.Lines[output]++
		}
		path := exactPath(line)
		delete(left, path)
	}
	r.Missing[output] = len(left)
}

// exactPath is the path that a record tells, byte by byte.
func exactPath(line string) string {
	if exact := textAt(line, `"mg_path_b64":"`); exact != "" {
		raw, _ := base64.StdEncoding.DecodeString(exact) // what is none is no path that was made
		return string(raw)
	}
	_, rest, _ := strings.Cut(line, `"mg_path":`)
	var path string
	_ = json.NewDecoder(strings.NewReader(rest)).Decode(&path) // as above
	return path
}

// textAt is the text between a beginning and the next quotation mark.
func textAt(line, begin string) string {
	_, rest, _ := strings.Cut(line, begin)
	text, _, _ := strings.Cut(rest, `"`)
	return text
}

// table takes an output in CSV: no cell may span a line or be read as a formula.
func (r *nameResult) table(output, text string) error {
	r.clean(output, text)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", output, err)
	}
	r.Records[output] = len(rows) - 1
	if extra := strings.Count(text, "\n") - len(rows); extra != 0 {
		r.Lines[output] += extra
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				r.Raw[output+" formula"]++
			}
		}
	}
	return nil
}

func (r *nameResult) count(output, text string, lines int) {
	r.Records[output] = lines
	if lines != r.Names {
		fmt.Fprintf(os.Stderr, "%s: %d lines\n", output, lines)
	}
}

// clean counts what must not be in any output.
func (r *nameResult) clean(output, text string) {
	r.Raw[output] += 0
	for i, c := range text {
		bad := c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c <= 0x9f || c == 0x61c || c >= 0x200e && c <= 0x200f || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069
		if _, size := utf8.DecodeRuneInString(text[i:]); bad || c == utf8.RuneError && size == 1 {
			if r.Raw[output]++; r.Raw[output] < 3 {
				fmt.Fprintf(os.Stderr, "%s: %q\n", output, text[max(0, i-60):min(len(text), i+20)])
			}
		}
	}
}

// remote reads what the collector shows.
func (r *nameResult) remote(hub *server, want map[string]bool) error {
	get, err := hub.login()
	if err != nil {
		return err
	}
	jsonl, err := get("/v1/export/alerts?format=jsonl")
	if err != nil {
		return err
	}
	r.lines("collector jsonl", jsonl, want)
	table, err := get("/v1/export/alerts?format=csv")
	if err == nil {
		err = r.table("collector csv", strings.ReplaceAll(table, "\r\n", "\n"))
	}
	if err != nil {
		return err
	}
	page, err := get("/?status=any&limit=200")
	if err != nil {
		return err
	}
	r.page("collector list", page)
	for i, line := range strings.Split(strings.TrimSpace(jsonl), "\n") {
		if i%max(1, r.Names/10) != 0 {
			continue
		}
		page, err := get("/alerts/" + textAt(line, `"id":"`))
		if err != nil {
			return err
		}
		r.page("collector page", page)
		r.Checked++
	}
	return nil
}

// page takes a page of HTML.
func (r *nameResult) page(output, text string) {
	r.clean(output, text)
	for _, forged := range []string{"<img src=x", "<script>alert", "\"onmouseover=", "<!--"} {
		if n := strings.Count(text, forged); n > 0 {
			r.Raw[output+" markup"] += n
		}
	}
}

// login gives a way to ask the collector as its first account.
func (c *server) login() (func(path string) (string, error), error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	// The collector is this run's own, on loopback, with a certificate of its own CA.
	client := &http.Client{Jar: jar, Timeout: 2 * time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	_, password, _ := strings.Cut(strings.TrimSpace(read(filepath.Join(c.dir, "first-login.txt"))), "password: ")
	own := "another " + password
	for _, step := range []struct {
		path string
		body map[string]string
	}{
		{"/v1/login", map[string]string{"name": "admin", "password": password}},
		{"/v1/me/password", map[string]string{"old": password, "new": own}}, // the first one has to be changed
		{"/v1/login", map[string]string{"name": "admin", "password": own}},
	} {
		body, err := json.Marshal(step.body)
		if err != nil {
			return nil, err
		}
		res, err := client.Post(c.url()+step.path, "application/json", bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		res.Body.Close()
		if res.StatusCode >= http.StatusBadRequest {
			return nil, fmt.Errorf("log in at %s: %s", step.path, res.Status)
		}
	}
	return func(path string) (string, error) {
		res, err := client.Get(c.url() + path)
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err == nil && res.StatusCode != http.StatusOK {
			err = fmt.Errorf("get %s: %s: %.200s", path, res.Status, text)
		}
		return string(text), errors.Join(err)
	}, nil
}
