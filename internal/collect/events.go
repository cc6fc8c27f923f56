package collect

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"meetguard/internal/store"
)

// Bounds of live events.
const (
	eventPoll      = 2 * time.Second  // between looks for new alerts
	eventPing      = 20 * time.Second // between signs of life, and looks whether the log-in still holds
	eventBatch     = 200              // alerts that are read at once
	eventBacklog   = 8                // batches that a slow reader may be behind
	maxSubscribers = 256              // readers at the same time
	maxOwnStreams  = 8                // of one account
)

// hub hands new alerts to everybody who looks on. It polls the store, so that
// what other collectors took is seen too.
type hub struct {
	mu   sync.Mutex
	subs map[*subscriber]struct{}
}

// subscriber is one who looks on. Its channel is closed if it was too slow: it
// comes again and tells where it was.
type subscriber struct {
	who   string
	ready chan []store.Alert
}

func newHub() *hub { return &hub{subs: map[*subscriber]struct{}{}} }

// join takes a new reader, or nil if there are too many.
func (h *hub) join(who string) *subscriber {
	h.mu.Lock()
	defer h.mu.Unlock()
	own := 0
	for other := range h.subs {
		if other.who == who {
			own++
		}
	}
	if len(h.subs) >= maxSubscribers || own >= maxOwnStreams {
		return nil
	}
	sub := &subscriber{who: who, ready: make(chan []store.Alert, eventBacklog)}
	h.subs[sub] = struct{}{}
	return sub
}

func (h *hub) leave(sub *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, sub)
}

func (h *hub) empty() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs) == 0
}

// send hands a batch to everybody, and lets go of who has not taken the last ones.
func (h *hub) send(alerts []store.Alert) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for sub := range h.subs {
		select {
		case sub.ready <- alerts:
		default:
			delete(h.subs, sub)
			close(sub.ready)
		}
	}
}

// runEvents looks for new alerts until ctx ends, and only while somebody looks on.
func (s *Server) runEvents(ctx context.Context) error {
	tick := time.NewTicker(eventPoll)
	defer tick.Stop()
	var seen int64
	for {
		next, err := s.pollEvents(ctx, seen)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("Live events not read", "error", err)
		}
		seen = next
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// pollEvents hands out what came after seen, and returns what was seen then. While
// nobody looks on it forgets where it was: whoever comes asks for what is missing.
func (s *Server) pollEvents(ctx context.Context, seen int64) (int64, error) {
	if s.live.empty() {
		return 0, nil
	}
	last, err := s.store.LastSeq(ctx)
	if err != nil || last == seen {
		return seen, err
	}
	if seen == 0 {
		seen = max(last-eventBatch, 0)
	}
	for {
		alerts, err := s.store.Since(ctx, store.Everything, seen, eventBatch)
		if err != nil || len(alerts) == 0 {
			return seen, err
		}
		seen = alerts[len(alerts)-1].Seq
		s.live.send(alerts)
		if len(alerts) < eventBatch {
			return seen, nil
		}
	}
}

// stream is an answer of server-sent events (WHATWG HTML, 9.2).
type stream struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	scope store.Scope
	seen  int64 // Seq of the last alert that was sent
}

func (s *Server) getEvents(w http.ResponseWriter, r *http.Request) {
	after, err := lastEvent(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	sub := s.live.join(callerOf(r).Name)
	if sub == nil {
		writeTooMany(w, &tooMany{after: time.Minute})
		return
	}
	defer s.live.leave(sub)
	st := &stream{s: s, w: w, r: r, scope: callerOf(r).Scope, seen: after}
	if err := st.open(); err != nil {
		s.fail(w, r, err)
		return
	}
	if err := st.run(sub); err != nil && r.Context().Err() == nil {
		s.log.Debug("Live events ended", "error", err)
	}
}

// lastEvent is the id of the last event that the client got before it lost the
// connection, -1 if it had none.
func lastEvent(r *http.Request) (int64, error) {
	if err := noQuery(r); err != nil {
		return 0, err
	}
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, refuse(http.StatusBadRequest, "Last-Event-ID must be the id of an event")
	}
	return n, nil
}

// open finds where to begin and writes the head of the answer.
func (st *stream) open() error {
	if st.seen < 0 {
		last, err := st.s.store.LastSeq(st.r.Context())
		if err != nil {
			return err
		}
		st.seen = last
	}
	st.w.Header().Set("Content-Type", "text/event-stream")
	st.w.WriteHeader(http.StatusOK)
	return nil
}

// run sends what was missed, then what comes.
func (st *stream) run(sub *subscriber) error {
	if err := st.write(fmt.Sprintf("retry: 3000\nid: %d\nevent: hello\ndata: {}\n\n", st.seen)); err != nil {
		return err
	}
	if err := st.catchUp(); err != nil {
		return err
	}
	ping := time.NewTicker(eventPing)
	defer ping.Stop()
	for {
		select {
		case <-st.r.Context().Done():
			return nil
		case <-st.s.ending:
			return nil
		case alerts, ok := <-sub.ready:
			if !ok {
				return nil // too slow
			}
			if err := st.send(alerts); err != nil {
				return err
			}
		case <-ping.C:
			if err := st.alive(); err != nil {
				return err
			}
		}
	}
}

// catchUp sends what came while the client was away. If that is too much, it is
// told to load the page again.
func (st *stream) catchUp() error {
	alerts, err := st.s.store.Since(st.r.Context(), st.scope, st.seen, eventBatch)
	if err != nil {
		return err
	}
	if len(alerts) == eventBatch {
		if st.seen, err = st.s.store.LastSeq(st.r.Context()); err != nil {
			return err
		}
		return st.write(fmt.Sprintf("id: %d\nevent: reload\ndata: {}\n\n", st.seen))
	}
	return st.send(alerts)
}

// send writes the alerts that the caller may see and has not seen.
func (st *stream) send(alerts []store.Alert) error {
	text := []byte{}
	for _, a := range alerts {
		if a.Seq <= st.seen {
			continue
		}
		st.seen = a.Seq
		if !st.scope.Sees(a.Group) {
			continue
		}
		a.Record = nil
		line, err := json.Marshal(a)
		if err != nil {
			return err
		}
		text = fmt.Appendf(text, "id: %d\nevent: alert\ndata: %s\n\n", a.Seq, escapeJSON(line))
	}
	if len(text) == 0 {
		return nil
	}
	return st.write(string(text))
}

// alive ends a stream whose log-in does not hold any more, and else gives a sign.
func (st *stream) alive() error {
	c := callerOf(st.r)
	if c.Kind == human {
		session, user, err := st.s.store.Session(st.r.Context(), c.Session.Hash, st.s.now())
		if err != nil || isOver(session, st.s) || user.Disabled || user.Role != c.User.Role || fmt.Sprint(user.Groups) != fmt.Sprint(c.User.Groups) {
			return errNoLogin
		}
	}
	return st.write(": still here\n\n")
}

// write sends text at once, and gives the client a while to take it.
func (st *stream) write(text string) error {
	control := http.NewResponseController(st.w)
	if err := control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := st.w.Write([]byte(text)); err != nil {
		return err
	}
	return control.Flush()
}
