//go:build !linux

package main

import (
	"io"
	"log/slog"

	"github.com/kardianos/service"
)

// systemLog is the event log of Windows, or on macOS the unified log, which
// takes what is sent to syslog. Without it the lines go to w.
func systemLog(_ io.Writer, asService bool) func(slog.Level, string) error {
	if !asService {
		return nil
	}
	s, err := service.New(&program{}, serviceConfig(""))
	if err != nil {
		return nil
	}
	l, err := s.SystemLogger(nil)
	if err != nil {
		return nil
	}
	return toLogger(l)
}

// tellEnd writes why a service ended, or did not start, where its log is:
// nobody sees its standard error.
func tellEnd(err error, asService bool) {
	write := systemLog(nil, asService)
	if err != nil && write != nil {
		_ = write(slog.LevelError, "meetguard: "+oneLine(err.Error()))
	}
}
