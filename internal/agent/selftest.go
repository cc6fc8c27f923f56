package agent

import (
	"context"
	"os"
	"slices"
	"strings"

	"meetguard"
	"meetguard/internal/detect"
)

// The test lure and the mark of the test launch, see docs/selftest.md.
const (
	TestLure   = detect.TestLure
	TestMark   = detect.TestMark
	RuleTest   = detect.RuleTest
	TestLaunch = "selftest-launch" // the command that the test launch runs
)

// judgeTest reports the launch that `meetguard selftest` makes, beside the
// chains: in one it would be folded into the alert of an earlier test, and hide
// what the same shell does later. It takes nothing but this very program with
// exactly those arguments. What the rules find in the program's own file does not
// count: it knows the words that they look for.
func (a *Agent) judgeTest(ctx context.Context, ev meetguard.Event) (done bool, err error) {
	word, test := testLaunchWord(ev.Process)
	if !test { // first: it costs nothing, and every launch comes by
		return false, nil
	}
	self, err := os.Executable()
	if err != nil || ev.Process.Exe != self {
		return false, nil
	}
	a.judging.RLock()
	defer a.judging.RUnlock()
	f := a.insp.Launch(ctx, ev.Process)
	a.insp.matchLaunch(&f)
	v := a.insp.Judge(f)
	if !slices.ContainsFunc(v.Findings, func(f meetguard.Finding) bool { return f.Rule == RuleTest }) {
		return false, nil
	}
	a.counts.launchesJudged.Add(1)
	if strings.HasPrefix(word, canaryWord) { // also of a proof that is over, or of another agent's
		a.canary.launched(word)
		return true, nil
	}
	defer a.stir()
	return true, a.report(ctx, ev, f, v, false)
}

// testLaunchWord knows the arguments: the program, the command, the mark, and a
// word that makes each test another one, which it returns.
func testLaunchWord(p *meetguard.Process) (word string, test bool) {
	words := p.Args
	if len(words) == 0 {
		words = strings.Fields(p.CommandLine)
		words = words[max(0, len(words)-4):] // the path of the program may hold blanks
	}
	if len(words) != 4 || words[1] != TestLaunch || words[2] != TestMark {
		return "", false
	}
	return words[3], true
}
