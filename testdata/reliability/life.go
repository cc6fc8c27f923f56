//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"meetguard"
	"meetguard/internal/alert"
)

// testHost is the machine whose alerts are counted.
var testHost = meetguard.Host{UID: "crash-host", Name: "crash", OS: "linux"}

// lifeOptions are small enough for a short life to rotate, to delete and to come
// to its bound.
var lifeOptions = alert.Options{MaxFile: 48 << 10, MaxTotal: 384 << 10}

// lifeAppends is how often a life appends before it delivers.
const lifeAppends = 3

// liveOn is a whole life of the agent's log, as a process of its own: it opens
// the log, appends, delivers and closes it. spec is "STATE URL ROUND CYCLES". It
// stays on one thread of the system, so that the k-th call of a kind is the same
// one in each life.
func liveOn(spec string) {
	runtime.LockOSThread()
	if err := lifeOf(strings.Fields(spec)); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("done")
}

func lifeOf(spec []string) error {
	state, url, round := spec[0], spec[1], spec[2]
	cycles, err := strconv.Atoi(spec[3])
	if err != nil {
		return err
	}
	l, err := alert.Open(state, lifeOptions)
	if err != nil {
		return err
	}
	if r := l.Recovered(); r.Corrupt > 0 || r.CursorReset || r.CheckpointReset {
		fmt.Println("damaged", r)
	}
	for n := range cycles {
		if err := appendSome(l, round, n*lifeAppends, lifeAppends, os.Stdout); err != nil {
			return err
		}
		if err := deliverAll(l, url); err != nil {
			return err
		}
	}
	return l.Close()
}

// appendSome appends alerts and says so once each is promised.
func appendSome(l *alert.Log, round string, from, count int, out io.Writer) error {
	for n := from; n < from+count; n++ {
		r := alert.NewRecord(testHost, alert.Product{Version: "crash"}, madeAlert(round, n))
		if ok, err := l.Append(r); err != nil || !ok {
			return fmt.Errorf("append: %v, %w", ok, err)
		}
		fmt.Fprintln(out, "promised", r.Metadata.UID)
	}
	return nil
}

// deliverAll delivers what is pending on the thread of the caller.
func deliverAll(l *alert.Log, url string) error {
	s, err := alert.NewSender(alert.SenderConfig{URL: url, Log: l, Host: testHost, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	go func() {
		for ctx.Err() == nil && l.Counters().Pending > 0 {
			time.Sleep(time.Millisecond)
		}
		stop()
	}()
	if err := s.Run(ctx); err != nil {
		return err
	}
	if n := l.Counters().Pending; n > 0 {
		return fmt.Errorf("deliver: %d alerts are left after a minute", n)
	}
	return nil
}

// told is what a life said before it died.
type told struct {
	done    bool
	damaged bool // it found the log so
	fault   error
}

// listen notes what a life promises until it dies.
func listen(in io.Reader, promised map[string]bool, each func()) told {
	var t told
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch {
		case word == "promised" && len(rest) == uidLength:
			promised[rest] = true
			each()
		case word == "done":
			t.done = true
		case word == "damaged":
			t.damaged = true
			fmt.Fprintln(os.Stderr, lines.Text())
		case word == "error":
			t.fault = errors.New(rest)
		}
	}
	return t
}

// autopsy opens the log that a life left, delivers the rest of it and says what
// is wrong with it.
func autopsy(state, url string) error {
	l, err := alert.Open(state, lifeOptions)
	if err != nil {
		return err
	}
	defer l.Close()
	if r := l.Recovered(); r.Corrupt > 0 || r.CursorReset || r.CheckpointReset {
		return fmt.Errorf("the log is damaged: %+v", r)
	}
	if _, err := l.Review(context.Background()); err != nil {
		return err
	}
	if err := deliverAll(l, url); err != nil {
		return err
	}
	c := l.Counters()
	sum := c.Acked + c.Pending
	for _, n := range c.Dropped {
		sum += n
	}
	if sum != c.Created || len(c.Dropped) > 0 {
		return fmt.Errorf("the accounts are wrong: %+v", c)
	}
	if rep, err := alert.Verify(state); err != nil || !rep.OK() {
		return fmt.Errorf("the chain is broken: %+v, %w", rep.Issues, err)
	}
	return nil
}
