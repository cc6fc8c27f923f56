package sigma

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	reference "github.com/bradleyjkemp/sigma-go"
	"github.com/bradleyjkemp/sigma-go/evaluator"
)

// TestAgreesWithAnotherEngine compares with sigma-go on rules that both can
// evaluate and mean alike: it knows no wildcards and no escapes.
func TestAgreesWithAnotherEngine(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var files []Source
	for n := range 300 {
		files = append(files, Source{"generated", generated(r, n, true)})
	}
	compare(t, files, 300)
}

func TestAgreesWithAnotherEngineOnPublicRules(t *testing.T) { compare(t, corpus(t), 150) }

func compare(t *testing.T, files []Source, launches int) {
	t.Helper()
	compared, matched, events := 0, 0, 0
	for _, src := range files {
		rs, problems := Load([]Source{src})
		if len(problems) > 0 || unlike(src.Text) {
			continue
		}
		theirs, err := reference.ParseRule([]byte(src.Text))
		if err != nil {
			continue
		}
		e := evaluator.ForRule(theirs)
		if _, err := e.Matches(context.Background(), map[string]string{}); err != nil {
			continue
		}
		compared++
		ours := rs.rules[0]
		for variant := range launches / 10 {
			l := witness(ours.when, rs.fields, variant)
			drop(l, variant)
			got, err := e.Matches(context.Background(), record(rs, l))
			if err != nil {
				break
			}
			events++
			want := ours.when.holds(l)
			if want {
				matched++
			}
			if got.Match != want {
				t.Errorf("%s: they say %v, we %v, of %v\n%s", src.Name, got.Match, want, record(rs, l), src.Text)
				break
			}
		}
	}
	if compared < 100 || matched < events/10 || matched > events*9/10 {
		t.Errorf("%d rules, %d of %d events matched: this compares nothing", compared, matched, events)
	}
	t.Logf("%d rules on %d launches, %d of which match", compared, events, matched)
}

// drop takes a field or a letter from a launch, so that not all of them match.
func drop(l *launch, variant int) {
	r := rand.New(rand.NewPCG(uint64(variant), 5))
	for id := range l.values {
		raw := l.values[id].raw
		if len(raw) == 0 {
			continue
		}
		switch s := raw[0]; r.IntN(4) {
		case 0:
			l.values[id].set([]string{s[:len(s)/2] + "~"})
		case 1:
			l.values[id].set([]string{strings.ToUpper(s)})
		}
	}
}

func record(rs *Rules, l *launch) map[string]string {
	out := map[string]string{}
	for id, v := range l.values {
		if len(v.raw) > 0 {
			out[rs.fields.name(id)] = v.raw[0]
		}
	}
	return out
}

// unlike says whether a rule uses what the other engine reads otherwise.
func unlike(text string) bool {
	_, detection, _ := strings.Cut(text, "\ndetection:")
	for line := range strings.Lines(detection) {
		if strings.HasPrefix(line, "falsepositives") || strings.HasPrefix(line, "level") {
			break
		}
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "condition:") || strings.HasPrefix(trimmed, "#") {
			continue
		}
		if strings.ContainsAny(trimmed, "*?%") || strings.Contains(trimmed, `\\`) || strings.Contains(trimmed, "null") || strings.Contains(trimmed, "''") || strings.Contains(trimmed, "|re") {
			return true
		}
	}
	return false
}
