//go:build unix

package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"meetguard/internal/agent"
)

// TestStatusTellsMore: every source with its state, since when, and each folder
// with its user.
func TestStatusTellsMore(t *testing.T) {
	dir := t.TempDir()
	s := startWhole(t, stateDir(t), "--watch", dir)
	r := command(t, "status", "--json", "--state", s.state)
	var st agent.Status
	if err := json.Unmarshal([]byte(r.out), &st); err != nil || r.code != 0 {
		t.Fatalf("exit %d, %v: %s", r.code, err, r.out)
	}
	for _, name := range []string{"files", "launches", "signatures", "rules", "inspection"} {
		src, ok := sourceOf(st, name)
		if !ok || src.Since.IsZero() || src.Detail == "" || (src.State == "ok") != (src.Do == "") {
			t.Errorf("%s: %+v", name, src)
		}
	}
	if len(st.Folders) != 1 || st.Folders[0].Path != dir || st.Folders[0].State != "ok" || st.Folders[0].User == "" {
		t.Errorf("folders: %+v", st.Folders)
	}
	plain := command(t, "status", "--state", s.state)
	if !strings.Contains(plain.out, dir) || !strings.Contains(plain.out, ", since 20") {
		t.Errorf("status for people:\n%s", plain.out)
	}
	s.stop(t)
}

// TestSelftest proves the whole chain twice, up to a collector, and says where
// it is broken.
func TestSelftest(t *testing.T) {
	collector := startCollector(t)
	dir := t.TempDir()
	s := startWhole(t, stateDir(t), "--watch", dir, "--collector", collector)
	for range 2 {
		r := command(t, "selftest", "--json", "--state", s.state)
		var got struct {
			OK    bool
			Steps []testStep
		}
		if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != 0 || !got.OK || len(got.Steps) != 4 {
			t.Fatalf("exit %d: %s%s\n%s", r.code, r.out, r.errOut, s.log)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
	alerts := s.own(t)
	if len(alerts) != 4 {
		t.Errorf("%d alerts of two tests", len(alerts))
	}
	for _, a := range alerts {
		if a.Unmapped["mg_rule"] != "MG-TEST" || a.Unmapped["mg_level"] != "suspicious" {
			t.Errorf("%v", a.Unmapped)
		}
	}
	list := command(t, "alerts", "list", "--state", s.state, "--rule", "MG-TEST")
	for _, a := range alerts {
		line := regexp.MustCompile(`(?m)^` + a.Metadata.UID[:8] + `\b.*Test lure`)
		if n := len(line.FindAllString(list.out, -1)); n != 1 {
			t.Errorf("analysts see %s %d times:\n%s", a.Metadata.UID, n, list.out)
		}
	}
	if once, twice := arrived(t, collector, alerts); once != 4 || twice != 0 {
		t.Errorf("%d alerts once at the collector, %d twice", once, twice)
	}
	elsewhere := command(t, "selftest", "--state", s.state, "--dir", t.TempDir(), "--timeout", "2s")
	if elsewhere.code != 1 || !strings.Contains(elsewhere.out, "BROKEN") || !strings.Contains(elsewhere.out, "file") {
		t.Errorf("a folder that is not watched: exit %d\n%s", elsewhere.code, elsewhere.out)
	}
	s.stop(t)
	if r := command(t, "selftest", "--state", s.state); r.code != 1 || !strings.Contains(r.out, "does not run") {
		t.Errorf("without an agent: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if r := command(t, "selftest", "--state", filepath.Join(dir, "none")); r.code != 2 || strings.Count(r.errOut, "\n") != 1 {
		t.Errorf("without a state folder: exit %d\n%s", r.code, r.errOut)
	}
}

type diagnosed struct {
	Findings []struct{ ID, State, Detail, Do string }
	Blind    bool
}

func doctor(t *testing.T, args ...string) (diagnosed, result) {
	t.Helper()
	r := command(t, append([]string{"doctor", "--json"}, args...)...)
	var d diagnosed
	if err := json.Unmarshal([]byte(r.out), &d); err != nil {
		t.Fatalf("%v: %s%s", err, r.out, r.errOut)
	}
	if d.Blind != (r.code == 1) || r.code > 1 {
		t.Errorf("exit %d, blind %v", r.code, d.Blind)
	}
	return d, r
}

func (d diagnosed) state(id string) string {
	for _, f := range d.Findings {
		if f.ID == id {
			return f.State
		}
	}
	return "none"
}

func TestDoctor(t *testing.T) {
	collector := startCollector(t)
	dir := t.TempDir()
	s := startWhole(t, stateDir(t), "--watch", dir, "--collector", collector)
	cfg := write(t, filepath.Join(t.TempDir(), "c.yaml"), "collector: "+collector+"\n")
	d, r := doctor(t, "--state", s.state, "--config", cfg)
	if r.code != 0 {
		t.Errorf("a healthy agent: exit %d\n%s", r.code, r.out)
	}
	for _, id := range []string{"agent", "configuration", "files", "folders", "worker", "state-folder", "collector-name", "collector-tcp", "collector-answer", "clock", "rules"} {
		if d.state(id) != "ok" {
			t.Errorf("%s is %s in %s", id, d.state(id), r.out)
		}
	}
	away := write(t, filepath.Join(t.TempDir(), "away.yaml"), "collector: http://127.0.0.1:1\n")
	if d, r := doctor(t, "--state", s.state, "--config", away); d.state("collector-tcp") != "warn" || r.code != 0 {
		t.Errorf("a collector that is down: exit %d, %s", r.code, r.out)
	}
	broken := write(t, filepath.Join(t.TempDir(), "broken.yaml"), "wrokers: 1\n")
	if d, _ := doctor(t, "--state", s.state, "--config", broken); d.state("configuration") != "blind" {
		t.Errorf("a broken configuration: %+v", d)
	}
	if err := os.Chmod(s.state, 0o777); err != nil {
		t.Fatal(err)
	}
	if d, _ := doctor(t, "--state", s.state); d.state("state-folder") != "warn" {
		t.Errorf("an open state folder: %+v", d)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	until(t, "the loss of the folder is told", func() bool { d, r := doctor(t, "--state", s.state); return d.state("files") == "blind" && r.code == 1 })
	s.stop(t)
	if d, r := doctor(t, "--state", s.state); d.state("agent") != "blind" || d.state("files") != "none" {
		t.Errorf("a stopped agent: exit %d, %+v", r.code, d)
	}
	if r := command(t, "doctor", "--state", s.state); r.code != 1 || !strings.Contains(r.out, "→ start the service") {
		t.Errorf("for people: %s", r.out)
	}
}

// TestDoctorKnowsTheCollector: another CA than that of the enrolment is told at
// the step of the certificate.
func TestDoctorKnowsTheCollector(t *testing.T) {
	ca, address := enrols(t, "unused")
	pem := write(t, filepath.Join(t.TempDir(), "ca.pem"), ca.Trust())
	other, _ := enrols(t, "unused")
	foreign := write(t, filepath.Join(t.TempDir(), "other.pem"), other.Trust())
	for name, want := range map[string]string{pem: "ok", foreign: "warn"} {
		cfg := write(t, filepath.Join(t.TempDir(), "c.yaml"), "collector: "+address+"\ncollector_ca: "+name+"\n")
		d, r := doctor(t, "--state", t.TempDir(), "--config", cfg)
		if d.state("collector-tls") != "ok" || d.state("collector-certificate") != want {
			t.Errorf("%s: %s", want, r.out)
		}
	}
}

// TestReload: rules and brands are taken while the agent runs; what needs a
// restart is named; a broken file changes nothing.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	cfg := write(t, filepath.Join(t.TempDir(), "c.yaml"), "{}\n")
	s := start(t, stateDir(t), "--watch", dir, "--config", cfg)
	hangup := func(text, want string) {
		t.Helper()
		before := strings.Count(s.log.String(), want)
		write(t, cfg, text)
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(t, "the log says "+want, func() bool { return strings.Count(s.log.String(), want) > before })
	}
	rules := filepath.Join(t.TempDir(), "rules")
	if err := os.Mkdir(rules, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(rules, "own.yar"), "rule Own { meta: score = 80 strings: $a = \"needle of ours\" condition: $a }")
	hangup("wrokers: 1\n", "Configuration not reloaded")
	write(t, filepath.Join(dir, "before.txt"), "a needle of ours")
	until(t, "the file is judged", func() bool { return s.counter(t, "files_judged") == 1 })
	hangup("rules: "+rules+"\nworkers: 2\n", `needs_restart=workers`)
	write(t, filepath.Join(dir, "after.txt"), "another needle of ours")
	until(t, "the new rule alerts", func() bool { return len(s.alerts(t)) == 1 })
	if got := s.alerts(t)[0].Unmapped["mg_rule"]; got != "Own" {
		t.Errorf("the alert is of %v", got)
	}
	hangup("rules: "+brokenRules(t)+"\n", "the agent goes on as it was")
	write(t, filepath.Join(dir, "last.txt"), "a third needle of ours")
	until(t, "the old rules go on", func() bool { return len(s.alerts(t)) == 2 })
	hangup("rules: "+rules+"\n", "Configuration reloaded")
	const many = 12
	for i := range many { // while it reloads again and again
		write(t, filepath.Join(dir, fmt.Sprintf("many%d.txt", i)), fmt.Sprintf("needle of ours, number %d", i))
		if i%3 == 0 {
			if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(t, "none is lost", func() bool { return len(s.alerts(t)) == 2+many })
	s.stop(t)
}

func TestConfigLayers(t *testing.T) {
	cfg := write(t, filepath.Join(t.TempDir(), "c.yaml"), "workers: 2\nlog_mib: 64\n")
	t.Setenv("MEETGUARD_LOG_MIB", "32")
	r := command(t, "config", "show", "--effective", "--json", "--config", cfg)
	var shown struct {
		Settings []struct {
			Key, Source, From string
			Value             any
			Locked            bool
		}
	}
	if err := json.Unmarshal([]byte(r.out), &shown); err != nil || r.code != 0 {
		t.Fatalf("%v: %s%s", err, r.out, r.errOut)
	}
	for _, s := range shown.Settings {
		switch {
		case s.Key == "log_mib" && (s.Source != "env" || s.Value != 32.0 || s.From != "MEETGUARD_LOG_MIB"),
			s.Key == "workers" && (s.Source != "file" || s.From != cfg), s.Key == "rules" && s.Source != "default":
			t.Errorf("%+v", s)
		}
	}
	if r := command(t, "config", "show", "--effective", "--config", cfg); !strings.Contains(r.out, "env (MEETGUARD_LOG_MIB)") {
		t.Error(r.out)
	}
	if r := command(t, "config", "schema"); r.code != 0 || !json.Valid([]byte(r.out)) {
		t.Error(r.out)
	}
	t.Setenv("MEETGUARD_NOPE", "1")
	if r := command(t, "run", "--state", t.TempDir(), "--watch", t.TempDir()); r.code != 2 || !strings.Contains(r.errOut, "MEETGUARD_NOPE") {
		t.Errorf("an unknown variable: exit %d, %s", r.code, r.errOut)
	}
}

// TestAlertsCommands: filters, groups, the story, notes and export.
func TestAlertsCommands(t *testing.T) {
	dir := t.TempDir()
	s := start(t, stateDir(t), "--watch", dir)
	write(t, filepath.Join(dir, "Zoom SDK Update.scpt"), lure("one"))
	until(t, "the first alert", func() bool { return len(s.alerts(t)) == 1 })
	write(t, filepath.Join(dir, "Zoom copy.scpt"), lure("one")) // the same content: one finding
	write(t, filepath.Join(dir, "=HYPERLINK(1).scpt"), lure("three"))
	until(t, "three alerts", func() bool { return len(s.alerts(t)) == 3 })
	s.stop(t)
	lines := func(args ...string) int {
		t.Helper()
		r := command(t, append([]string{"alerts", "list", "--state", s.state}, args...)...)
		if r.code != 0 {
			t.Errorf("%v: %s", args, r.errOut)
		}
		return strings.Count(r.out, "\n")
	}
	for name, tc := range map[string]struct {
		args []string
		want int
	}{
		"all": {nil, 3}, "grouped": {[]string{"--group"}, 2}, "groups as JSON": {[]string{"--group", "--json"}, 2}, "by path": {[]string{"--path", "ZOOM COPY"}, 1},
		"by level": {[]string{"--level", "malicious"}, 3}, "by another level": {[]string{"--level", "suspicious"}, 0}, "by rule": {[]string{"--rule", "MG-SCRIPT-PADDED"}, 3},
		"by another rule": {[]string{"--rule", "MG-TEST"}, 0}, "since": {[]string{"--since", "1h"}, 3}, "until": {[]string{"--until", "1h"}, 0}, "days": {[]string{"--since", "7d", "--limit", "2"}, 2},
		"by brand": {[]string{"--brand", "zoom"}, 3}, "by user": {[]string{"--user", "nobody"}, 0},
	} {
		if got := lines(tc.args...); got != tc.want {
			t.Errorf("%s: %d lines, want %d", name, got, tc.want)
		}
	}
	for _, args := range [][]string{{"--since", "soon"}, {"--until", "-3h"}, {"--level", "bad"}, {"--status", "done"}} {
		if r := command(t, append([]string{"alerts", "list", "--state", s.state}, args...)...); r.code != 2 || strings.Count(r.errOut, "\n") != 1 {
			t.Errorf("%v: exit %d, %s", args, r.code, r.errOut)
		}
	}
	uid := strings.Fields(command(t, "alerts", "list", "--state", s.state, "--path", "Zoom copy").out)[0]
	ack := command(t, "alerts", "ack", uid, "--state", s.state, "--disposition", "false_positive", "--note", "ours\x1b[2J")
	if ack.code != 0 || !strings.Contains(ack.out, "resolved/false_positive") {
		t.Errorf("ack: exit %d, %s%s", ack.code, ack.out, ack.errOut)
	}
	if r := command(t, "alerts", "ack", uid, "--state", s.state, "--disposition", "fine"); r.code != 2 {
		t.Errorf("a disposition that is none: exit %d", r.code)
	}
	told := command(t, "alerts", "show", uid, "--state", s.state).out
	for _, want := range []string{"Fake Zoom script", "Why\n", "The file\n", "Zoom copy.scpt", "SHA-256", "Who signed it", "For searches", "techniques", "resolved/false_positive", `ours\x1b[2J`, "What to do\n  User:", "\n  Administrator:"} {
		if !strings.Contains(told, want) {
			t.Errorf("the story has no %q:\n%s", want, told)
		}
	}
	if lines("--status", "resolved") != 1 || lines("--status", "new") != 2 {
		t.Error("the state does not filter")
	}
	csv := command(t, "alerts", "export", "--format", "csv", "--state", s.state).out
	if regexp.MustCompile(`(?m)(^|,)"?[=+@-]`).MatchString(csv) || !strings.Contains(csv, "false_positive") {
		t.Errorf("the export:\n%s", csv)
	}
	if r := command(t, "alerts", "verify", "--state", s.state); r.code != 0 {
		t.Errorf("notes changed the log: %s", r.out)
	}
}

// TestSupportBundle plants secrets wherever the bundle looks, and finds none.
func TestSupportBundle(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "Project Falcon", "ada.lovelace")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	const token = "mgenroll_abcdefghijklmnopqrstuvwxyz234567_abcdefghijklmnopqrstuvwxyz234567"
	tokenFile := write(t, filepath.Join(base, "token-of-ada"), token)
	cfg := write(t, filepath.Join(base, "c.yaml"), "enroll_token_file: "+tokenFile+"\ncollector: https://127.0.0.1:1\nwatch: [\""+dir+"\"]\n"+
		"friends: [{name: Falcon packaging, team_id: ACME123456, why: secret-merger, who: ada@falcon.example, expires: 2999-01-01}]\n")
	s := start(t, stateDir(t), "--config", cfg)
	write(t, filepath.Join(dir, "Zoom salaries Update.scpt"), lure("falcon"))
	until(t, "an alert", func() bool { return len(s.alerts(t)) == 1 })
	log := write(t, filepath.Join(base, "agent.log"), s.log.String()+
		"time=2026-11-23T01:00:00Z level=WARN msg=\"Could not judge\" path=\""+dir+"/payroll.pkg\" why=\"content: /home/ada.lovelace/x\"\n"+
		"time=2026-11-23T01:00:00Z level=ERROR msg=\"Restarting source\" source=collector err=\"post https://u:hunter2secret@c.invalid/x?token=hunter2secret: open /Users/ada.lovelace/My Files/y: denied Authorization: Bearer hunter2secret\"\n"+
		"panic: hunter2secret\n")
	out := filepath.Join(base, "b.zip")
	if r := command(t, "support-bundle", out, "--config", cfg, "--state", s.state, "--log", log); r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	files := unzip(t, out)
	s.stop(t)
	for _, name := range []string{"versions.json", "status.json", "doctor.json", "config.json", "alerts.json", "rules.json", "log.txt"} {
		if len(files[name]) < 20 {
			t.Errorf("%s holds %q", name, files[name])
		}
	}
	for name, text := range files {
		for _, secret := range []string{"ada.lovelace", "ada@", "Falcon", "falcon", "salaries", "payroll", "hunter2", s.state, "mgenroll", "abcdefghijklmnop", "zoom-sdk-update", "secret-merger", "My Files", "token-of-ada", base} {
			if strings.Contains(text, secret) {
				t.Errorf("%s tells %q:\n%s", name, secret, text)
			}
		}
	}
	for name, want := range map[string]string{"alerts.json": "malicious MG-", "log.txt": `msg="Watching"`, "status.json": `"files_judged"`, "config.json": `"value": "1 entries"`, "doctor.json": `"id": "agent"`} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s has no %s:\n%s", name, want, files[name])
		}
	}
	if fi, err := os.Stat(out); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the bundle: %v %v", fi.Mode(), err)
	}
	if r := command(t, "support-bundle", out, "--state", s.state); r.code != 2 {
		t.Errorf("a file that is there was replaced: exit %d", r.code)
	}
}

func unzip(t *testing.T, path string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := io.Copy(&b, r); err != nil {
			t.Fatal(err)
		}
		r.Close()
		out[f.Name] = b.String()
	}
	return out
}

func TestScrub(t *testing.T) {
	for in, want := range map[string]string{
		"not watched: \"/home/ada/My Files\": permission denied": `not watched: "<path>": permission denied`,
		"open /home/ada/My Files/x: denied":                      "open <path>",
		`open C:\Users\ada\x: denied`:                            "open <path>",
		"read /etc/meetguard/managed.yaml: open /home/a b":       "read /etc/meetguard/managed.yaml: open <path>",
		"post https://u:p@host.example:8443/v1/x?t=1: refused":   "post https://host.example:8443 refused",
		"token mgenroll_abc_def":                                 "token <secret>",
		"40 rules, version 2026.11.22-abc":                       "40 rules, version 2026.11.22-abc",
		"watch: [/home/ada/x /home/b]":                           "watch: [<path>",
		"open file:///home/ada/x":                                "open file://<path>",
		"read and/or write":                                      "read and/or write",
		"-----BEGIN PRIVATE KEY-----\nabc":                       "<key>",
	} {
		if got := scrub(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func FuzzScrub(f *testing.F) {
	f.Add("open /home/ada/My Files/x: denied")
	f.Add(`time=x level=WARN msg="Could not judge" err="open \"/home/ada\"" a=b`)
	f.Fuzz(func(t *testing.T, text string) {
		line := logLine(text)
		if strings.Contains(line, "/home/ada") || strings.ContainsAny(line, "\n\x1b") {
			t.Errorf("%q becomes %q", text, line)
		}
		scrub(text[:min(len(text), maxLogLine)])
	})
}

// TestManPages: a page for every command, that man can read.
func TestManPages(t *testing.T) {
	dir := t.TempDir()
	if r := command(t, "man", dir); r.code != 0 {
		t.Fatal(r.errOut)
	}
	for _, name := range []string{"meetguard", "meetguard-run", "meetguard-alerts-show", "meetguard-check", "meetguard-notify", "meetguard-config-schema", "meetguard-completion-bash"} {
		text, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, part := range []string{".TH " + strings.ToUpper(name) + " 1", ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s has no %q", name, part)
			}
		}
		if strings.Contains(string(text), "as\\-user") {
			t.Errorf("%s tells what is not for people", name)
		}
		if i := bytes.IndexFunc(text, func(r rune) bool { return r > 0x7e }); i >= 0 {
			t.Errorf("%s is not ASCII: …%s", name, text[i:min(i+20, len(text))])
		}
	}
}

// TestHelpAnswers: every command that does something has an example, and each of
// the four shells its completion.
func TestHelpAnswers(t *testing.T) {
	a := &app{ctx: t.Context(), out: io.Discard, errOut: io.Discard}
	for _, c := range a.rootCommand().Commands() {
		for _, leaf := range append(c.Commands(), c) {
			if !leaf.Hidden && !leaf.HasSubCommands() && leaf.Example == "" {
				t.Errorf("%s has no example", leaf.CommandPath())
			}
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := command(t, "completion", shell); r.code != 0 || !strings.Contains(r.out, "meetguard") {
			t.Errorf("completion for %s: exit %d", shell, r.code)
		}
	}
}
