package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"meetguard"
	"meetguard/internal/agent"
	"meetguard/internal/alert"
	"meetguard/internal/config"
	"meetguard/internal/health"
	"meetguard/signatures"
)

func (a *app) supportCommand() *cobra.Command {
	var b bundle
	c := &cobra.Command{
		Use:   "support-bundle [FILE]",
		Short: "Pack what support needs, without names, paths and secrets",
		Long: `Writes a ZIP archive with the status, what doctor found, the configuration in use,
the counters, how many alerts each rule made, the versions, the hashes of the rules
and the last 200 lines of the service's log. Paths, user names, command lines,
tokens, keys and the content of alerts are left out: look into it before you send
it, it is text. Nothing is sent.`,
		Example: "  sudo meetguard support-bundle\n  meetguard support-bundle bundle.zip --log /Library/Logs/MeetGuard/agent.log",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			name := "meetguard-support-" + time.Now().Format("20060102-150405") + ".zip"
			if len(args) == 1 {
				name = args[0]
			}
			b.app = a
			if err := b.write(name); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s: look into it before you send it\n", name)
			return nil
		},
	}
	c.Flags().StringVar(&b.config, "config", "", "configuration file (default "+config.DefaultPath()+", if it exists)")
	c.Flags().StringVar(&b.state, "state", "", "state folder of the agent")
	c.Flags().StringVar(&b.log, "log", "", "file with the service's log (default: the journal, where there is one)")
	return c
}

// bundle gathers what goes into the archive.
type bundle struct {
	*app
	config, state, log string
}

func (b *bundle) write(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	z := zip.NewWriter(f)
	err = b.fill(z)
	if err = errors.Join(err, z.Close(), f.Close()); err != nil {
		_ = os.Remove(name) // its error would hide why
		return fmt.Errorf("write the bundle: %w", err)
	}
	return nil
}

func (b *bundle) fill(z *zip.Writer) error {
	state, err := stateFolder(b.state)
	if err != nil {
		state = config.Default().State // a broken configuration is what support wants to see
	}
	for _, part := range []struct {
		name string
		data any
	}{
		{"versions.json", versions()},
		{"status.json", statusPart(state)},
		{"doctor.json", doctorPart(health.Judge(b.observe(b.config, state)))},
		{"config.json", configPart(b.config)},
		{"alerts.json", alertsPart(state)},
		{"rules.json", rulesPart()},
		{"log.txt", logPart(b.ctx, b.log)},
	} {
		w, err := z.Create(part.name)
		if err != nil {
			return err
		}
		if text, ok := part.data.(string); ok {
			_, err = io.WriteString(w, text)
		} else {
			err = indented(w, part.data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func indented(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func versions() any {
	return map[string]string{"version": version, "rules": signatures.Version(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		"written": time.Now().UTC().Format(time.RFC3339)}
}

// statusPart is the status with its texts scrubbed. Of the folders it says how
// many there are in each state, and why those that fail do.
func statusPart(state string) any {
	s, err := agent.ReadStatus(state)
	if err != nil {
		return map[string]string{"error": scrub(err.Error())}
	}
	type source struct {
		Name   string                `json:"name"`
		State  meetguard.SourceState `json:"state"`
		Detail string                `json:"detail"`
		Since  time.Time             `json:"since,omitzero"`
	}
	out := struct {
		Sources  []source          `json:"sources"`
		Folders  map[string]int    `json:"folders"`
		Rules    agent.StatusRules `json:"rules"`
		Counters map[string]uint64 `json:"counters"`
		Spool    agent.StatusSpool `json:"spool"`
		Version  string            `json:"version"`
		Updated  time.Time         `json:"updated"`
		Silent   string            `json:"silent,omitempty"`
	}{nil, map[string]int{}, s.Rules, s.Counters, s.Spool, s.Version, s.Updated, scrub(s.Silent)}
	for _, src := range s.Sources {
		out.Sources = append(out.Sources, source{src.Name, src.State, scrub(src.Detail), src.Since})
	}
	for _, f := range s.Folders {
		out.Folders[string(f.State)+prefixed(": ", scrub(f.Why))]++
	}
	return out
}

func doctorPart(found []health.Finding) any {
	for i := range found {
		found[i].What = scrub(found[i].What)
	}
	return found
}

// configPart tells each key as toldValue has it.
func configPart(file string) any {
	shown, err := effectiveSettings(file)
	if err != nil {
		return map[string]string{"error": scrub(err.Error())}
	}
	type setting struct {
		Key    string `json:"key"`
		Value  any    `json:"value"`
		Source string `json:"source"`
	}
	out := struct {
		Settings []setting `json:"settings"`
		Refused  []string  `json:"refused,omitempty"`
	}{}
	for _, s := range shown.Settings {
		out.Settings = append(out.Settings, setting{s.Key, toldValue(s.Key, s.Value), s.Layer})
	}
	for _, r := range shown.Refused {
		out.Refused = append(out.Refused, r.Key)
	}
	return out
}

// toldValue tells numbers and choices as they are, of texts only whether they are
// set, of lists and what lies deeper how many entries they have.
func toldValue(key string, v any) any {
	switch v := v.(type) {
	case string:
		if key == "launches" || key == "files" {
			return v
		}
		return map[bool]string{true: "set", false: ""}[v != ""]
	case []any:
		return fmt.Sprintf("%d entries", len(v))
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, inner := range v {
			if deep, ok := inner.(map[string]any); ok {
				out[k] = fmt.Sprintf("%d entries", len(deep))
			} else {
				out[k] = toldValue(k, inner)
			}
		}
		return out
	}
	return v
}

// alertsPart counts the alerts by rule and level, and tells nothing of them.
func alertsPart(state string) any {
	counts := map[string]int{}
	for e, err := range alert.Read(state, alert.Filter{}) {
		if err != nil {
			return map[string]string{"error": scrub(err.Error())}
		}
		counts[e.Record.Unmapped.Level+" "+e.Record.Unmapped.Rule]++
	}
	out := map[string]any{"counts": counts}
	if rep, err := alert.Verify(state); err == nil {
		out["records"], out["files"], out["problems_of_the_chain"] = rep.Records, rep.Files, len(rep.Issues)
	}
	return out
}

// rulesPart names the rule files inside the program by their hashes.
func rulesPart() any {
	hashes := map[string]string{}
	files, err1 := signatures.Rules()
	launches, err2 := signatures.LaunchRules()
	if err := errors.Join(err1, err2); err != nil {
		return map[string]string{"error": err.Error()}
	}
	for _, f := range append(files, launches...) {
		hashes[filepath.ToSlash(f.Name)] = hashOf(f.Text)
	}
	return hashes
}

// keepsPath are the beginnings of paths that say nothing of a person.
var keepsPath = []string{"/proc/", "/sys/", "/etc/meetguard", "/var/lib/meetguard", "/Library/Managed Preferences/dev.meetguard", "/Library/Application Support/MeetGuard", "/v1/", "/healthz", "/readyz"}

func keptPath(s string) bool {
	for _, p := range keepsPath {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
