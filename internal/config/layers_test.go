package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func put(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// drive makes the absolute paths of a text absolute on Windows too.
func drive(text string) string {
	if runtime.GOOS == "windows" {
		return strings.ReplaceAll(text, "/Users/", "C:/Users/")
	}
	return text
}

func TestLayers(t *testing.T) {
	in := Inputs{
		File:  put(t, "workers: 2\nlog_mib: 10\nlaunches: poll\n"),
		Env:   []string{"MEETGUARD_LOG_MIB=20", "MEETGUARD_WATCH=" + drive("/Users/a") + string(os.PathListSeparator) + drive("/Users/b"), "MEETGUARD_RULES=", "MEETGUARD_TEST_X=1", "MEETGUARD_RUN_DIR=/run", "HOME=/x", "MEETGUARD_FILES=fsnotify"},
		Flags: []Flag{{"--state", "state", []string{"/flag"}}, {"--collector", "collector", []string{"https://flag.invalid"}}},
	}
	policy := managed{from: "policy", keys: map[string]any{"collector": "https://managed.invalid", "launches": "off"}}
	e, err := loadLayers(in, policy)
	if err != nil {
		t.Fatal(err)
	}
	c := e.Config
	if c.Workers != 2 || c.LogMiB != 20 || !slices.Equal(c.Watch, []string{drive("/Users/a"), drive("/Users/b")}) || c.State != "/flag" || c.Collector != "https://managed.invalid" || c.Launches != "off" || c.Files != "fsnotify" {
		t.Errorf("%+v", c)
	}
	for key, want := range map[string]string{"workers": LayerFile, "log_mib": LayerEnv, "watch": LayerEnv, "state": LayerFlag, "collector": LayerManaged, "launches": LayerManaged, "rules": LayerDefault} {
		if got := e.Origins[key]; got.Layer != want || got.Locked() != (want == LayerManaged) {
			t.Errorf("%s comes from %+v, want %s", key, got, want)
		}
	}
	if !slices.Equal(e.Over, []string{"--collector"}) || len(e.Refused) != 0 {
		t.Errorf("overruled %v, refused %v", e.Over, e.Refused)
	}
	for _, s := range e.Settings() {
		if s.Key == "log_mib" && (s.Value != 20 || s.From != "MEETGUARD_LOG_MIB") || s.Key == "collector" && !s.Locked {
			t.Errorf("%+v", s)
		}
	}
}

// TestEveryLayerTellsItsProblems: all of them at once, with the place to mend.
func TestEveryLayerTellsItsProblems(t *testing.T) {
	in := Inputs{
		File:  put(t, "wrokers: 2\nlaunches: [1]\n"),
		Env:   []string{"MEETGUARD_WROKERS=2", "MEETGUARD_LOG_MIB=many"},
		Flags: []Flag{{"--nope", "nope", []string{"x"}}},
	}
	_, err := loadLayers(in, managed{})
	for _, want := range []string{"wrokers", "line 2", "MEETGUARD_WROKERS: no key", `MEETGUARD_LOG_MIB: "many" is no number`, "--nope"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not tell %q", err, want)
		}
	}
}

// TestManagedRefused: a slip in a policy costs its own key and nothing else.
func TestManagedRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		policy  managed
		refused []string
		workers int
	}{
		"none":        {managed{}, nil, 1},
		"unreadable":  {managed{from: "p", err: errors.New("broken")}, []string{""}, 1},
		"unknown key": {managed{from: "p", keys: map[string]any{"wrokers": 3, "workers": 3}}, []string{"wrokers"}, 3},
		"bad type":    {managed{from: "p", keys: map[string]any{"watch": "relative", "workers": 3}}, []string{"watch"}, 3},
		"bad value":   {managed{from: "p", keys: map[string]any{"workers": 99, "log_mib": 7}}, []string{"workers"}, 1},
		"a pair":      {managed{from: "p", keys: map[string]any{"client_certificate": "/c", "client_key": "/k", "collector_ca": "system", "workers": 4}}, nil, 4},
		"unreadable value": {managed{from: "p", keys: fromPolicy([]policyValue{{Name: "Workers", Kind: "int", Int: 5}, {Name: "state"}, {Name: "friends", Kind: "text", Text: "{"}})},
			[]string{"friends", "state"}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := loadLayers(Inputs{File: put(t, "")}, tc.policy)
			if err != nil {
				t.Fatal(err)
			}
			var refused []string
			for _, r := range e.Refused {
				refused = append(refused, r.Key)
			}
			if !slices.Equal(refused, tc.refused) || e.Config.Workers != tc.workers {
				t.Errorf("refused %v, workers %d", e.Refused, e.Config.Workers)
			}
			if err := e.Config.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

const profile = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>PayloadUUID</key><string>x</string><key>workers</key><integer>2</integer>
<key>watch</key><array><string>/Users/Shared</string></array>
<key>friends</key><array><dict><key>name</key><string>n</string><key>team_id</key><string>ACME123456</string><key>why</key><string>w</string><key>who</key><string>j</string><key>expires</key><string>2999-01-01</string></dict></array>
</dict></plist>`

func TestManagedForms(t *testing.T) {
	fromYAML, err1 := parseManagedYAML([]byte(drive("workers: 2\nwatch: [/Users/Shared]\nfriends: [{name: n, team_id: ACME123456, why: w, who: j, expires: 2999-01-01}]\n")))
	fromPlist, err2 := parsePlist([]byte(drive(profile)))
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	fromRegistry := fromPolicy([]policyValue{
		{Name: "Workers", Kind: "int", Int: 2}, {List: "Watch", Name: "1", Kind: "text", Text: drive("/Users/Shared")},
		{Name: "friends", Kind: "text", Text: `[{name: n, team_id: ACME123456, why: w, who: j, expires: 2999-01-01}]`},
	})
	for name, keys := range map[string]map[string]any{"yaml": fromYAML, "plist": fromPlist, "registry": fromRegistry} {
		e, err := loadLayers(Inputs{File: put(t, "")}, managed{from: name, keys: keys})
		if err != nil || len(e.Refused) > 0 {
			t.Errorf("%s: %v %v", name, err, e.Refused)
			continue
		}
		c := e.Config
		if c.Workers != 2 || len(c.Watch) != 1 || len(c.Friends) != 1 || c.Friends[0].Expires != "2999-01-01" || e.Origins["workers"].From != name {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestListOf(t *testing.T) {
	got := listOf([]policyValue{{Name: "10", Text: "j"}, {Name: "2", Text: "b"}, {Name: "1", Text: "a"}})
	if !slices.Equal(got, []string{"a", "b", "j"}) {
		t.Error(got)
	}
}

// TestPolicyOfAnybody: a file that others than root can write is no policy.
func TestPolicyOfAnybody(t *testing.T) {
	path := put(t, "workers: 2\n")
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if m := fromFile(path, parseManagedYAML); m.err == nil || m.from != path {
		t.Errorf("%+v", m)
	}
	if m := fromFile(path+".none", parseManagedYAML); m.err != nil || m.from != "" {
		t.Errorf("a file that is not there: %+v", m)
	}
}

func FuzzParsePlist(f *testing.F) {
	f.Add([]byte(profile))
	f.Add([]byte("bplist00\xd1\x01\x02Wworkers\x10\x02\x08\x0b\x13\x00\x00\x00\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x15"))
	f.Add([]byte("{ workers = 2; }"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := parsePlist(data)
		if err == nil {
			loadLayers(Inputs{File: os.DevNull}, managed{from: "fuzz", keys: keys})
		}
	})
}

func TestChanged(t *testing.T) {
	a, b := Default(), Default()
	b.Rules, b.Watch = "/r", []string{"/w"}
	if got := Changed(a, b); !slices.Equal(got, []string{"watch", "rules"}) {
		t.Error(got)
	}
}
