package main

import (
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"meetguard/internal/agent"
)

// The canary without a watchdog that asks for another pace.
const (
	canaryEvery = 10 * time.Minute
	canaryLimit = time.Minute
)

// manager is whatever started the agent and starts it again: systemd, launchd,
// the service control manager, or, with nothing set, a person.
type manager struct {
	service  bool          // the agent is a service: an end with an error has it started again
	socket   string        // where systemd listens, sd_notify(3); "" without it
	watchdog time.Duration // systemd ends the agent that does not tell for so long; 0: never
	log      *slog.Logger
	exit     func(code int)
}

// newManager finds out who started this process. The variables of systemd are
// meant for it alone, so its children do not get them.
func newManager(service bool, log *slog.Logger) *manager {
	m := &manager{service: service, socket: os.Getenv("NOTIFY_SOCKET"), log: log, exit: os.Exit}
	m.watchdog = watchdogOf(os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID"), os.Getpid())
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		os.Unsetenv(name)
	}
	m.service = m.service || m.socket != ""
	return m
}

// watchdogOf reads what sd_watchdog_enabled(3) describes.
func watchdogOf(usec, pid string, self int) time.Duration {
	if pid != "" && pid != strconv.Itoa(self) {
		return 0
	}
	n, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || n <= 0 || n > int64(time.Hour*24*365/time.Microsecond) {
		return 0
	}
	return time.Duration(n) * time.Microsecond
}

// tell sends lines of the form NAME=value to systemd. It must not end the agent
// that nobody listens.
func (m *manager) tell(lines ...string) {
	if m.socket == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.socket, Net: "unixgram"})
	if err == nil {
		defer conn.Close()
		_, err = conn.Write([]byte(strings.Join(lines, "\n")))
	}
	if err != nil {
		m.log.Warn("systemd not told", "err", err)
	}
}

// canary is the proof that feeds the watchdog: nothing else does. A service
// that fails it ends, so that it is started again.
func (m *manager) canary(launch []string) agent.Canary {
	if !m.service {
		return agent.Canary{}
	}
	every, limit := canaryPace(m.watchdog)
	return agent.Canary{Every: every, Limit: limit, Launch: launch, Proved: m.proved, Failed: m.failed}
}

// canaryPace leaves a watchdog enough time for one proof and its limit, twice.
func canaryPace(watchdog time.Duration) (every, limit time.Duration) {
	if watchdog == 0 {
		return canaryEvery, canaryLimit
	}
	every = min(canaryEvery, watchdog*5/6)
	return every, min(canaryLimit, (watchdog-every)/2)
}

func (m *manager) live() { m.tell("READY=1", "STATUS=watching") }

func (m *manager) proved(how string) { m.tell("WATCHDOG=1", "STATUS=watching; the canary: "+how) }

// failed has systemd act as if the watchdog had not been fed: it ends the agent
// with SIGABRT, which writes down where it hangs. Other managers are left with
// an error.
func (m *manager) failed(why string) {
	if m.socket != "" && m.watchdog > 0 {
		m.tell("STATUS=the canary: "+why, "WATCHDOG=trigger")
		return
	}
	m.exit(exitError)
}

func (m *manager) stopping() { m.tell("STOPPING=1", "STATUS=stopping") }

func (m *manager) reloading() {
	m.tell("RELOADING=1", "STATUS=reading the configuration again")
}
