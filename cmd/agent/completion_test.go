//go:build unix

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompletion asks as the scripts of all four shells do: with __complete.
func TestCompletion(t *testing.T) {
	dir, state := t.TempDir(), stateDir(t)
	s := start(t, state, "--watch", dir)
	write(t, filepath.Join(dir, "Zoom Update.scpt"), lure("one"))
	until(t, "the alert", func() bool { return len(s.alerts(t)) == 1 })
	s.stop(t)
	var listed struct{ Metadata struct{ UID string } }
	if r := command(t, "alerts", "list", "--state", state, "--json"); json.Unmarshal([]byte(r.out), &listed) != nil || len(listed.Metadata.UID) != 36 {
		t.Fatal(r.out, r.errOut)
	}
	uid := listed.Metadata.UID
	for name, tc := range map[string]struct {
		words []string
		want  string // begins one line of what is offered; ":N" is the directive
	}{
		"an alert":      {[]string{"alerts", "show", "--state", state, ""}, uid[:8] + "\tFake Zoom"},
		"its beginning": {[]string{"alerts", "ack", "--state", state, uid[:4]}, uid[:8] + "\t"},
		"all of it":     {[]string{"alerts", "show", "--state", state, uid[:12]}, uid + "\t"},
		"another":       {[]string{"alerts", "show", "--state", state, "zzzz"}, ":36"},
		"no folder":     {[]string{"alerts", "show", "--state", filepath.Join(dir, "none"), ""}, ":36"},
		"a rule":        {[]string{"alerts", "list", "--state", state, "--rule", "MG-"}, "MG-"},
		"a brand":       {[]string{"alerts", "list", "--brand", ""}, "zoom\tZoom"},
		"a level":       {[]string{"alerts", "list", "--level", ""}, "malicious"},
		"a state":       {[]string{"alerts", "ack", "--status", ""}, "resolved"},
		"a language":    {[]string{"notify", "--language", ""}, "ja"},
		"a folder":      {[]string{"run", "--watch", ""}, ":16"},
		"a file":        {[]string{"config", "validate", ""}, "yaml"},
		"a command":     {[]string{"al"}, "alerts\t"},
		"not hidden":    {[]string{"notify", "--"}, "--ran"},
	} {
		r := command(t, append([]string{"__complete"}, tc.words...)...)
		if !strings.Contains("\n"+r.out, "\n"+tc.want) {
			t.Errorf("%s: exit %d, want %q in\n%s%s", name, r.code, tc.want, r.out, r.errOut)
		}
		if strings.Contains(r.out, "as-user") {
			t.Errorf("%s offers what is not for people:\n%s", name, r.out)
		}
	}
}

// TestNotifyCommand: what can be said without a desktop.
func TestNotifyCommand(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no such language": {[]string{"notify", "--language", "tlh"}, 2, `there is no language "tlh"`},
		"both":             {[]string{"notify", "--inbox", "--ran"}, 2, "inbox"},
		"no letter":        {[]string{"notify", "--as-user"}, 2, "read a notice"},
		"no spool":         {[]string{"notify", "--inbox", "--spool", filepath.Join(t.TempDir(), "none")}, 0, ""},
	} {
		r := command(t, tc.args...)
		if r.code != tc.code || !strings.Contains(r.errOut, tc.want) {
			t.Errorf("%s: exit %d\n%s", name, r.code, r.errOut)
		}
	}
}

// TestSupportTellsNoContact: of notices a support bundle tells choices only.
func TestSupportTellsNoContact(t *testing.T) {
	got := toldValue("notify", map[string]any{"enabled": true, "contact": "Ana, 4711", "language": "", "text": map[string]any{"en": map[string]any{"do": "secret"}}})
	m, ok := got.(map[string]any)
	if !ok || m["enabled"] != true || m["contact"] != "set" || m["language"] != "" || m["text"] != "1 entries" {
		t.Errorf("%v", got)
	}
}
