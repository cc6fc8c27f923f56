package main

import (
	"encoding/json"
	"testing"
)

func TestBoxProbe(t *testing.T) {
	for args, want := range map[string]int{"--free=false": exitClean, "--free": exitFound} {
		r := command(t, "box-probe", "--json", args)
		var p probed
		if err := json.Unmarshal([]byte(r.out), &p); err != nil || r.code != want || len(p.Outcomes) < 40 {
			t.Errorf("%s: exit %d, want %d: %v, %s%s", args, r.code, want, err, r.out, r.errOut)
		}
	}
}
