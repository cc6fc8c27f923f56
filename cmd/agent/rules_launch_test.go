//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

const launchRule = "title: Theirs\nid: theirs\nlogsource:\n  category: process_creation\ndetection:\n  s:\n    Image|endswith: '/curl'\n    Ancestors: 'Editor'\n  condition: s\n"

func TestLaunchRuleCommands(t *testing.T) {
	dir := t.TempDir()
	good := write(t, filepath.Join(dir, "good.yml"), launchRule)
	bad := write(t, filepath.Join(t.TempDir(), "bad.yml"), strings.Replace(launchRule, "endswith", "smells", 1))
	config := write(t, filepath.Join(dir, "c.conf"), "process_rules: "+bad+"\n")
	events := write(t, filepath.Join(dir, "e.jsonl"), `{"os":"darwin","pid":1,"exe":"/Applications/Editor"}
{"os":"darwin","pid":2,"ppid":1,"exe":"/bin/sh","args":["sh","-c","curl https://a.invalid"]}
{"os":"darwin","pid":3,"ppid":2,"exe":"/usr/bin/\u202ecurl/curl","signature":{"status":"valid"},"more":1}
{"os":"darwin","pid":4,"ppid":9,"exe":"/usr/bin/curl"}
`)
	broken := write(t, filepath.Join(dir, "b.jsonl"), "{}\n{\n")
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"list":         {[]string{"rules", "list"}, 0, "MG-L-0101"},
		"verify own":   {[]string{"rules", "verify"}, 0, "0 problems"},
		"verify good":  {[]string{"rules", "verify", good}, 0, "1 of 1 files can be used (1 rules)"},
		"verify bad":   {[]string{"rules", "verify", bad}, 1, "bad.yml:7: the modifier \"smells\" is not known"},
		"test":         {[]string{"rules", "test", good, events}, 1, "line 3: pid 3 /usr/bin/\\u{202e}curl/curl: theirs\n1 of 4 launches matched"},
		"test JSON":    {[]string{"rules", "test", "--json", dir, events}, 1, `"rules":["theirs"]`},
		"test nothing": {[]string{"rules", "test", good, write(t, filepath.Join(dir, "n.jsonl"), "{\"os\":\"linux\",\"pid\":1,\"exe\":\"/bin/true\"}\n")}, 0, "0 of 1"},
		"bad record":   {[]string{"rules", "test", good, broken}, 2, "b.jsonl:2"},
		"bad rule":     {[]string{"rules", "test", bad, events}, 2, "bad.yml:7"},
		"run":          {[]string{"run", "--state", t.TempDir(), "--watch", dir, "--config", config}, 2, "bad.yml:7"},
	} {
		t.Run(name, func(t *testing.T) {
			r := command(t, tc.args...)
			if r.code != tc.code || !strings.Contains(r.out+r.errOut, tc.want) {
				t.Errorf("exit %d, want %d; want %q in:\n%s%s", r.code, tc.code, tc.want, r.out, r.errOut)
			}
		})
	}
}
