package main

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
)

// lateTimers is how much later than asked for a thread of the agent may be woken
// by a timer, in nanoseconds; the kernel's own choice is 50,000. The runtime's
// watcher looks every 20 µs while anything runs: with 50 µs more it took a fifth
// of the agent's CPU and halted the judge ten times on the way to one verdict.
// Nothing in the agent asks for a time that a millisecond matters to.
const lateTimers = 1_000_000

// easeTimers lets every thread's timers be late, see timerslack_ns in proc(5). A
// thread inherits that from the one that starts it, and so do the inspection
// processes: hence again until there is no new one. It takes CAP_SYS_NICE, which
// the unit of systemd does not give: TimerSlackNSec= in it is the same.
func easeTimers() error {
	eased := map[string]bool{}
	for news := true; news; {
		news = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range threads {
			if eased[t.Name()] {
				continue
			}
			err := os.WriteFile("/proc/"+t.Name()+"/timerslack_ns", []byte(strconv.Itoa(lateTimers)), 0)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			eased[t.Name()], news = true, true
		}
	}
	return nil
}
