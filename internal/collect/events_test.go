package collect

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// listener reads a stream of events.
type listener struct {
	t      *testing.T
	lines  *bufio.Scanner
	cancel context.CancelFunc
	res    *http.Response
}

func (s *someone) listen(last string) *listener {
	s.a.t.Helper()
	ctx, cancel := context.WithCancel(s.a.t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", "https://"+s.a.addr+"/v1/events", nil)
	if err != nil {
		s.a.t.Fatal(err)
	}
	req.Header = s.header.Clone()
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.a.t.Fatal(err)
	}
	l := &listener{s.a.t, bufio.NewScanner(res.Body), cancel, res}
	s.a.t.Cleanup(l.close)
	return l
}

func (l *listener) close() {
	l.cancel()
	l.res.Body.Close()
}

// next returns the next event and the id and alert that it holds.
func (l *listener) next() (kind, id string, a store.Alert) {
	l.t.Helper()
	for l.lines.Scan() {
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			if err := json.Unmarshal([]byte(value), &a); err != nil {
				l.t.Fatalf("%v in %s", err, value)
			}
		case "":
			if kind != "" {
				return kind, id, a
			}
		}
	}
	l.t.Fatalf("the stream ended: %v", l.lines.Err())
	return "", "", a
}

func TestEvents(t *testing.T) {
	a := newAPISite(t)
	a.alert("a1", "sales", "before", lure("malicious", "zoom", "MG-1", "aa"))
	of, all := a.someone(people.Viewer, "sales"), a.someone(people.Viewer)
	one, two := of.listen(""), all.listen("")
	for _, l := range []*listener{one, two} {
		if kind, id, _ := l.next(); kind != "hello" || id != "1" {
			t.Fatalf("%s %s", kind, id)
		}
	}
	a.alert("a2", "lab", "r2", lure("malicious", "zoom", "MG-1", "bb"))
	a.alert("a1", "sales", "r3", hostileField())
	seen, err := a.srv.pollEvents(t.Context(), 1)
	if err != nil || seen != 3 {
		t.Fatalf("%d, %v", seen, err)
	}
	if kind, id, got := one.next(); kind != "alert" || id != "3" || got.ID != store.AlertID("a1", "r3") || got.Record != nil {
		t.Errorf("%s %s %+v", kind, id, got)
	}
	for _, want := range []string{"2", "3"} {
		if kind, id, _ := two.next(); kind != "alert" || id != want {
			t.Errorf("%s %s", kind, id)
		}
	}
	one.close()
	again := all.listen("1") // it comes again, and gets what it missed
	if kind, id, _ := again.next(); kind != "hello" || id != "1" {
		t.Errorf("%s %s", kind, id)
	}
	for _, want := range []string{"2", "3"} {
		if kind, id, _ := again.next(); kind != "alert" || id != want {
			t.Errorf("%s %s", kind, id)
		}
	}
	a.many(eventBatch+1, "a9", "sales")
	late := all.listen("1")
	late.next()
	if kind, _, _ := late.next(); kind != "reload" {
		t.Errorf("after too much was missed: %s", kind)
	}
	all.want(400, "GET", "/v1/events?x=1", nil, nil)
	if got := all.do("GET", "/v1/events", nil, "Last-Event-ID", "x"); got.status != 400 {
		t.Errorf("%d", got.status)
	}
	a.srv.end()
	if two.lines.Scan() {
		for two.lines.Scan() {
		}
	}
	if err := two.lines.Err(); err != nil {
		t.Errorf("the end of the server: %v", err)
	}
}

// hostileField tries to make two events of one.
func hostileField() string {
	return `"unmapped":{"mg_path":"a\n\nevent: forged\ndata: {}\n\n\u2028","mg_level":"malicious"}`
}

func TestEventsAreBounded(t *testing.T) {
	h := newHub()
	var subs []*subscriber
	for i := range maxSubscribers {
		sub := h.join(fmt.Sprint(i / maxOwnStreams))
		if sub == nil {
			t.Fatalf("reader %d was refused", i)
		}
		subs = append(subs, sub)
	}
	if h.join("more") != nil {
		t.Error("too many readers")
	}
	h.leave(subs[len(subs)-1])
	if h.join("0") != nil {
		t.Error("too many streams of one account")
	}
	if h.join("more") == nil {
		t.Error("a place was free")
	}
	for range eventBacklog + 1 {
		h.send([]store.Alert{{Seq: 1}})
	}
	n := 0
	for range subs[0].ready { // closed behind the backlog
		n++
	}
	if n != eventBacklog || !h.empty() {
		t.Errorf("%d batches before the end", n)
	}
	h.leave(subs[0])
}

// A stream ends when its log-in does.
func TestEventsEndWithLogIn(t *testing.T) {
	a := newAPISite(t)
	v := a.someone(people.Viewer)
	hash := people.HashSecret(v.token)
	session, user, err := a.store.Session(t.Context(), hash, a.clock())
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(context.WithValue(t.Context(), callerKey{}, caller{Kind: human, User: user, Session: session}), "GET", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	st := &stream{s: a.srv, r: r}
	user.Role = "analyst"
	if err := a.store.UpdateUser(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	if st.alive() != errNoLogin {
		t.Error("another role, and the stream goes on")
	}
	if err := a.store.EndSession(t.Context(), hash); err != nil {
		t.Fatal(err)
	}
	if st.alive() != errNoLogin {
		t.Error("no session, and the stream goes on")
	}
	a.pass(time.Second)
}
