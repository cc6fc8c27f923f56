package config

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"meetguard"
)

// goodFriends holds an entry of each kind, as the documentation writes them.
const goodFriends = `
brands:
  - id: acmemeet
    name: Acme Meet
    aliases: [acmemeet]
    subjects: ["Acme Corp"]
    hosts: [meet.acme.example]
friends:
  - name: IT packaging
    certificate: {issuer: Acme Issuing CA 2, serial: "00:0A:1b"}
    brands: [zoom, acmemeet]
    why: we repackage Zoom MSI with our settings
    who: jane@acme.example
    expires: 2027-06-30
  - {name: Mac team, team_id: ACME123456, why: in-house build, who: joe@acme.example, expires: 2026-11-21}
  - {name: one file, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, why: old tool, who: joe@acme.example, expires: 2026-12-31}
  - {name: share, folder: /srv/packages, brands: [zoom], why: software share, who: joe@acme.example, expires: "2026-11-22"}
  - {name: share of Windows, folder: 'D:\Packages', why: software share, who: joe@acme.example, expires: 2027-01-01}
`

func parse(t *testing.T, text string) Config {
	t.Helper()
	c := Default()
	if err := Parse([]byte(text), &c); err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return c
}

func TestGoodFriends(t *testing.T) {
	c := parse(t, goodFriends)
	if len(c.Friends) != 5 || c.Friends[0].Certificate.Serial != "00:0A:1b" || c.Friends[0].Expires != "2027-06-30" || c.Brands[0].ID != "acmemeet" {
		t.Fatalf("read %+v, %+v", c.Friends, c.Brands)
	}
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again := parse(t, string(text))
	if len(again.Friends) != 5 || again.Friends[4].Folder != `D:\Packages` || again.Brands[0].Hosts[0] != "meet.acme.example" {
		t.Errorf("what is shown does not load again: %s", text)
	}
	stopped := c.Stopped(time.Date(2026, 11, 22, 23, 59, 0, 0, time.UTC))
	if len(stopped) != 1 || stopped[0].Name != "Mac team" {
		t.Errorf("stopped: %+v", stopped)
	}
}

func TestBadFriends(t *testing.T) {
	const rest = "why: w, who: j, expires: 2027-06-30"
	for name, tc := range map[string]struct{ entry, want string }{
		"no name":            {"{team_id: ACME123456, " + rest + "}", "friends: entry 1: name: it is required"},
		"no why":             {"{name: n, team_id: ACME123456, who: j, expires: 2027-06-30}", `friends: "n": why: it is required`},
		"blank who":          {`{name: n, team_id: ACME123456, why: w, who: " ", expires: 2027-06-30}`, "who: it is required"},
		"no expiry":          {"{name: n, team_id: ACME123456, why: w, who: j}", `expires: "" is not a date`},
		"bad date":           {"{name: n, team_id: ACME123456, why: w, who: j, expires: 2027-02-30}", `"2027-02-30" is not a date`},
		"forges a line":      {`{name: "n\nx", team_id: ACME123456, ` + rest + "}", "cannot be shown"},
		"turns the text":     {`{name: "n\u202e", team_id: ACME123456, ` + rest + "}", "cannot be shown"},
		"too long":           {"{name: " + strings.Repeat("n", 201) + ", team_id: ACME123456, " + rest + "}", "201 bytes"},
		"no proof":           {"{name: n, " + rest + "}", "has 0"},
		"two proofs":         {"{name: n, team_id: ACME123456, folder: /srv/p, " + rest + "}", "has 2"},
		"bad team":           {"{name: n, team_id: acme, " + rest + "}", "ten capitals"},
		"bad hash":           {"{name: n, sha256: abc, " + rest + "}", "64 hexadecimal"},
		"hash with brands":   {"{name: n, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, brands: [zoom], " + rest + "}", "names no brands"},
		"no serial":          {"{name: n, certificate: {issuer: CA}, " + rest + "}", "serial"},
		"zero serial":        {`{name: n, certificate: {issuer: CA, serial: "00"}, ` + rest + "}", "serial"},
		"relative folder":    {"{name: n, folder: srv, " + rest + "}", "not an absolute path"},
		"the root":           {"{name: n, folder: /, " + rest + "}", "below the root"},
		"a drive":            {`{name: n, folder: 'C:\', ` + rest + "}", "below the root"},
		"folder that climbs": {"{name: n, folder: /srv/../home, " + rest + "}", "without . and .."},
		"unknown key":        {"{name: n, team: ACME123456, " + rest + "}", "field team not found"},
	} {
		t.Run(name, func(t *testing.T) {
			c := Default()
			if err := Parse([]byte("friends: ["+tc.entry+"]"), &c); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Parse: %v, want %q", err, tc.want)
			}
		})
	}
	c := Default()
	err := Parse([]byte("workers: 0\nfriends: [{name: a}, {name: a}]"), &c)
	if err == nil || strings.Count(err.Error(), "\n")+1 != 10 { // workers; why, who, expires and proof of both; the name that stands twice
		t.Errorf("not every problem, one a line: %v", err)
	}
}

func TestCheckBrands(t *testing.T) {
	c := parse(t, goodFriends)
	if err := c.CheckBrands([]meetguard.Brand{{ID: "zoom"}, {ID: "acmemeet"}}); err != nil {
		t.Error(err)
	}
	err := c.CheckBrands([]meetguard.Brand{{ID: "zoom"}})
	if err == nil || !strings.Contains(err.Error(), `friends: "IT packaging": brands: no brand is called "acmemeet", known are zoom`) {
		t.Errorf("CheckBrands: %v", err)
	}
}

// TestJSONHasTheKeysOfTheFile: whoever reads one knows the other.
func TestJSONHasTheKeysOfTheFile(t *testing.T) {
	raw, err := json.Marshal(parse(t, goodFriends))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"log_mib":256`, `"team_id":"ACME123456"`, `"expires":"2027-06-30"`, `"id":"acmemeet"`, `"watch":[]`} {
		if !strings.Contains(string(raw), key) {
			t.Errorf("no %s in %s", key, raw)
		}
	}
}
