//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

const goodFriend = `friends:
  - {name: IT packaging, team_id: ACME123456, brands: [zoom, acmemeet], why: in-house build, who: joe@acme.example, expires: %s}
brands:
  - {id: acmemeet, name: Acme Meet, aliases: [acmemeet], subjects: [Acme Corp], hosts: [meet.acme.example]}
`

func TestConfigValidate(t *testing.T) {
	file := func(text string) string { return write(t, filepath.Join(t.TempDir(), "c.yaml"), text) }
	for name, tc := range map[string]struct {
		text string
		code int
		out  []string // one for each line on stdout
		err  string
	}{
		"good":           {strings.ReplaceAll(goodFriend, "%s", "2999-12-31"), 0, []string{": good"}, ""},
		"stopped":        {strings.ReplaceAll(goodFriend, "%s", "2020-01-31"), 0, []string{": good", `friends: "IT packaging" stopped counting on 2020-01-31`}, ""},
		"one problem":    {"launches: maybe\n", 2, nil, `"maybe" is not one of`},
		"of several":     {"launches: maybe\nfriends: [{name: n, team_id: ACME123456, brands: [zom], who: j, expires: soon}]\n", 2, []string{"launches: ", `"n": why: it is required`, `expires: "soon"`, `"zom", known are zoom`}, "mend the 4 problems"},
		"a broken brand": {"brands: [{id: acmemeet, name: Acme, aliases: [acmemeet], subjects: [Acme]}]\n", 2, nil, "no hosts"},
	} {
		t.Run(name, func(t *testing.T) {
			r := command(t, "config", "validate", file(tc.text))
			lines := strings.FieldsFunc(r.out, func(r rune) bool { return r == '\n' })
			if r.code != tc.code || len(lines) != len(tc.out) || !strings.Contains(r.errOut, tc.err) || strings.Count(r.errOut, "\n") != min(tc.code, 1) {
				t.Fatalf("exit %d, want %d:\n%s---\n%s", r.code, tc.code, r.out, r.errOut)
			}
			for i, want := range tc.out {
				if !strings.Contains(lines[i], want) {
					t.Errorf("line %d is %q, want %q in it", i, lines[i], want)
				}
			}
		})
	}
	shown := command(t, "config", "show", "--json", "--config", file(strings.ReplaceAll(goodFriend, "%s", "2999-12-31")))
	for _, want := range []string{`"who":"joe@acme.example"`, `"id":"acmemeet"`, `"expires":"2999-12-31"`} {
		if shown.code != 0 || !strings.Contains(shown.out, want) {
			t.Errorf("show gives exit %d and no %s: %s%s", shown.code, want, shown.out, shown.errOut)
		}
	}
}
