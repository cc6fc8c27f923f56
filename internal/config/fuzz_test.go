package config

import (
	"os"
	"testing"
)

// FuzzParse: a configuration comes from a file that somebody may have broken.
// What is accepted is valid.
func FuzzParse(f *testing.F) {
	f.Add([]byte("watch: [/home/a]\nworkers: 2\nlaunches: \"off\"\nlog_mib: 64\nnotify: {enabled: false}\n"))
	f.Add([]byte("brands:\n  - id: zoom\n    names: [Zoom]\nfriends:\n  - brand: zoom\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("workers: 1e99\nlog_mib: -1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := Default()
		if err := Parse(data, &c); err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("accepted, and not valid: %v", err)
		}
		if c.Workers < 1 || c.Workers > 8 || c.LogMiB < 1 {
			t.Errorf("%d workers, %d MiB", c.Workers, c.LogMiB)
		}
	})
}

// FuzzEnvironment: a variable may hold anything.
func FuzzEnvironment(f *testing.F) {
	f.Add("MEETGUARD_WORKERS=2")
	f.Add("MEETGUARD_WATCH=/a:/b\x00")
	f.Add("MEETGUARD_NOTIFY={enabled: false}")
	f.Fuzz(func(t *testing.T, setting string) {
		e, err := LoadLayers(Inputs{File: os.DevNull, Env: []string{setting}})
		if err == nil && e.Config.Validate() != nil {
			t.Errorf("%q is accepted, and not valid", setting)
		}
	})
}
