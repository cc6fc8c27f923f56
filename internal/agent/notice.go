package agent

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"meetguard"
	"meetguard/internal/alert"
	"meetguard/internal/config"
	"meetguard/internal/desktop"
)

// noticeQueue is how many findings may wait to be told. More than that within
// seconds would be silent anyway.
const noticeQueue = 64

// noticeDiary is the file in the state folder that knows who was told what.
const noticeDiary = "notices.json"

// notices tell persons what was found. The alert is on the disk before; nothing
// waits for a desktop.
type notices struct {
	courier desktop.Courier
	whose   func(path string) desktop.Person // desktop.OwnerOf
	queue   chan notice
	log     *slog.Logger

	mu     sync.Mutex
	writer *desktop.Writer // nil if switched off
	brands map[string]meetguard.Brand
	diary  *desktop.Diary // of run alone

	told, failed atomic.Uint64
}

// notice is one finding with whom it may concern.
type notice struct {
	finding desktop.Finding
	brand   string
	process *meetguard.Process // of a launch
	path    string
}

// newNotices prepares notices that helper, the argv of a process, shows.
func newNotices(helper []string, state string, log *slog.Logger) *notices {
	return &notices{courier: desktop.Courier{Helper: helper, Log: log}, whose: desktop.OwnerOf, queue: make(chan notice, noticeQueue), log: log,
		diary: desktop.OpenDiary(filepath.Join(state, noticeDiary))}
}

// configure takes the words and brands of a configuration.
func (n *notices) configure(cfg config.Config) error {
	writer, brands, err := noticeWriter(cfg)
	if err != nil {
		return err
	}
	byID := make(map[string]meetguard.Brand, len(brands))
	for _, b := range brands {
		byID[b.ID] = b
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.writer, n.brands = writer, byID
	return nil
}

// noticeWriter gives what writes notices, nil if they are switched off.
func noticeWriter(cfg config.Config) (*desktop.Writer, []meetguard.Brand, error) {
	if !cfg.Notify.Enabled {
		return nil, nil, nil
	}
	brands, err := Catalogue(cfg)
	if err != nil {
		return nil, nil, err
	}
	w, err := desktop.NewWriter(desktop.Settings{Contact: cfg.Notify.Contact, Language: cfg.Notify.Language, Words: cfg.Notify.Text})
	return w, brands, err
}

// TestLetter is a notice for somebody who wants to see one: about a file, or
// about one that was started.
func TestLetter(cfg config.Config, ran bool) (desktop.Letter, error) {
	cfg.Notify.Enabled = true
	w, brands, err := noticeWriter(cfg)
	if err != nil {
		return desktop.Letter{}, err
	}
	f := desktop.Finding{File: "Zoom SDK Update.scpt", Sure: true, Ran: ran, Test: true}
	for i := range brands {
		if brands[i].ID == "zoom" {
			f.Brand = &brands[i]
		}
	}
	return w.Write(f), nil
}

// offer has an alert told, if it is one that a person should see. It never waits.
// Without notices it does nothing.
func (n *notices) offer(ev meetguard.Event, f meetguard.Facts, v meetguard.Verdict, finding string) {
	if n == nil || len(v.Findings) == 1 && v.Findings[0].Rule == RuleTest {
		return // somebody looks whether alerts come
	}
	p := f.Process
	if p == nil {
		p = ev.Process
	}
	name, _ := alert.SafeText(lastName(f.Path))
	note := notice{brand: v.Brand, process: p, path: f.Path, finding: desktop.Finding{ID: finding, File: name,
		Sure: v.Level == meetguard.Malicious, Ran: ev.Kind == meetguard.ProcessStarted}}
	select {
	case n.queue <- note:
	default:
		n.failed.Add(1)
	}
}

// lastName is the last element of a path of any system.
func lastName(path string) string {
	path = strings.TrimRight(path, `/\`)
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// run tells findings until ctx ends.
func (n *notices) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case note := <-n.queue:
			n.tell(ctx, note)
		}
	}
}

// tell writes one letter and brings it to everybody whom it concerns.
func (n *notices) tell(ctx context.Context, note notice) {
	n.mu.Lock()
	writer := n.writer
	if b, known := n.brands[note.brand]; known {
		note.finding.Brand = &b
	}
	n.mu.Unlock()
	if writer == nil {
		return
	}
	for _, p := range n.persons(ctx, note) {
		if !n.diary.May(p, note.finding, time.Now()) {
			continue
		}
		switch err := n.courier.Deliver(ctx, p, writer.Write(note.finding)); {
		case errors.Is(err, desktop.ErrNobody):
			n.log.Info("Nobody told", "person", string(p), "why", err)
		case err != nil:
			n.failed.Add(1)
			n.log.Warn("Notice not shown", "person", string(p), "err", err)
		default:
			n.told.Add(1)
			if err := n.diary.Told(p, note.finding, time.Now()); err != nil {
				n.log.Warn("Diary of notices not written", "err", err)
			}
		}
	}
}

// persons are whom a finding concerns: of a launch whoever made it, or the
// nearest ancestor that is a person's; else the owner of the file; else everybody
// who sits at a desktop.
func (n *notices) persons(ctx context.Context, note notice) []desktop.Person {
	if p := note.process; p != nil {
		for _, user := range append([]string{p.User}, users(p.Ancestors)...) {
			if who := desktop.Named(user); who != "" {
				return []desktop.Person{who}
			}
		}
	}
	if who := n.whose(note.path); who != "" {
		return []desktop.Person{who}
	}
	return n.courier.Active(ctx)
}

func users(list []meetguard.Process) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.User
	}
	return out
}
