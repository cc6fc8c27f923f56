package signatures

import (
	"strings"
	"testing"
)

func TestDistributors(t *testing.T) {
	d, err := Distributors()
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Known) == 0 || len(d.Forges) == 0 || len(d.Anybody) == 0 {
		t.Errorf("a class of sources is empty: %d, %d, %d groups", len(d.Known), len(d.Forges), len(d.Anybody))
	}
}

func TestParseDistributorsRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"unknown field": {"knwon: []\n", "knwon"},
		"no reason":     {"known: [{hosts: [a.org]}]\n", "no reason"},
		"capitals":      {"known: [{why: x, hosts: [A.org]}]\n", "lower case"},
		"one label":     {"known: [{why: x, hosts: [org]}]\n", "no host"},
		"twice":         {"known: [{why: x, hosts: [a.org]}]\nanybody: [{why: x, hosts: [a.org]}]\n", "twice"},
		"owner":         {"known: [{why: x, hosts: [a.org/me]}]\n", "forges only"},
		"owned stranger": {"forges: [{why: x, hosts: [a.org]}]\nanybody: [{why: x, hosts: [a.org/me]}]\n",
			"forges only"},
	} {
		if _, err := ParseDistributors([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error that says %q", name, err, c.says)
		}
	}
}
