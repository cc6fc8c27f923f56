package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/kardianos/service"
)

// newLog is the log of `meetguard run`: lines for people, and for the log of
// the system what that can sort by.
func newLog(w io.Writer, asService bool) *slog.Logger {
	if write := systemLog(w, asService); write != nil {
		return slog.New(newLineHandler(write))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// lineHandler gives each record, without its time and level, as one line to a
// function: the log of the system has its own time, and a field for the level.
type lineHandler struct {
	slog.Handler // writes into line
	line         *bytes.Buffer
	mu           *sync.Mutex
	write        func(level slog.Level, line string) error
}

func newLineHandler(write func(slog.Level, string) error) *lineHandler {
	line := &bytes.Buffer{}
	text := slog.NewTextHandler(line, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
			return slog.Attr{}
		}
		return a
	}})
	return &lineHandler{Handler: text, line: line, mu: &sync.Mutex{}, write: write}
}

// Handle writes one record.
func (h *lineHandler) Handle(ctx context.Context, r slog.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.line.Reset()
	if err := h.Handler.Handle(ctx, r); err != nil {
		return err
	}
	return h.write(r.Level, strings.TrimSuffix(h.line.String(), "\n"))
}

// WithAttrs gives a handler that adds attributes to each record.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &lineHandler{h.Handler.WithAttrs(attrs), h.line, h.mu, h.write}
}

// WithGroup gives a handler that puts what follows into a group.
func (h *lineHandler) WithGroup(name string) slog.Handler {
	return &lineHandler{h.Handler.WithGroup(name), h.line, h.mu, h.write}
}

// journal writes lines that begin with their priority, as sd-daemon(3) has it.
func journal(w io.Writer) func(slog.Level, string) error {
	return func(level slog.Level, line string) error {
		_, err := io.WriteString(w, priority(level)+line+"\n")
		return err
	}
}

// priority is the level as syslog(3) numbers it.
func priority(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return "<3>"
	case level >= slog.LevelWarn:
		return "<4>"
	case level >= slog.LevelInfo:
		return "<6>"
	}
	return "<7>"
}

// toLogger writes to the event log of Windows or to the unified log of macOS.
func toLogger(l service.Logger) func(slog.Level, string) error {
	return func(level slog.Level, line string) error {
		switch {
		case level >= slog.LevelError:
			return l.Error(line)
		case level >= slog.LevelWarn:
			return l.Warning(line)
		}
		return l.Info(line)
	}
}
